"""Changes from baseline whose SD is not printed: a prior of the correlation in its place."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

import bayesmeta as bm
from bayesmeta.engines.likelihood.of_arms.continuous import tables_of

MU, TAU = bm.Normal(0, 20), bm.HalfNormal(5)


def trials() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "study": ["A", "B"],
            "n_treatment": [30, 12],
            "mean_baseline_treatment": [62.0, 60.0],
            "sd_baseline_treatment": [10.0, 12.0],
            "mean_treatment": [51.0, 50.0],
            "sd_treatment": [12.0, 11.0],
            "n_control": [31, 14],
            "mean_baseline_control": [61.0, 62.0],
            "sd_baseline_control": [11.0, 9.0],
            "mean_control": [58.0, 60.0],
            "sd_control": [12.0, 10.0],
            "sd_change_control": [8.5, np.nan],
        }
    )


def unknown() -> bm.ContinuousStudies:
    return bm.change_from_baseline(trials(), correlation="unknown")


def model(**changes) -> bm.ContinuousNormal:
    settings = {"measure": "MD", "mu": MU, "tau": TAU, "correlation": bm.Uniform(0.2, 0.9)}
    return bm.ContinuousNormal(**{**settings, **changes})


def test_both_sds_are_kept_and_said_to_be():
    found = unknown()
    assert np.isnan(found.sd_treatment).all()
    assert found.sd_control[0] == 8.5
    assert found.sd_before_treatment.tolist() == [10.0, 12.0]
    assert "unknown, from both SDs" in found.how[0]
    kept = found.keep(np.array([False, True]))
    assert kept.sd_after_control.tolist() == [10.0]


@pytest.mark.deep("an integral within an integral at each point: 4 s")
def test_the_likelihood_is_a_mixture_over_the_correlation():
    """Of differences of two t variables, convolved by quadrature for each correlation."""
    (_, table) = tables_of(model().likelihood, unknown(), 50.0, 0.1)
    theta = np.array([-20.0, -8.0, 0.0])

    def density(at: float, r: float) -> float:
        scales, centres = [], []
        for n, before, after, centre in ((12, 12, 11, -10.0), (14, 9, 10, -2.0)):
            sd = np.sqrt(before**2 + after**2 - 2 * r * before * after)
            scales.append(sd / np.sqrt(n))
            centres.append(centre)
        one, two = stats.t(11, centres[0], scales[0]), stats.t(13, centres[1], scales[1])
        return integrate.quad(lambda x: one.pdf(x + at) * two.pdf(x), -40, 40, limit=200)[0]

    wanted = [integrate.quad(lambda r, at=at: density(at, r) / 0.7, 0.2, 0.9)[0] for at in theta]
    np.testing.assert_allclose(table.log_density(table.v(theta)), np.log(wanted), atol=1e-6)


def test_a_sharp_prior_is_a_given_correlation():
    sharp = bm.fit(model(correlation=bm.Uniform(0.6999, 0.7001)), unknown())
    given = bm.change_from_baseline(trials(), correlation=0.7)
    known = bm.fit(bm.ContinuousNormal(measure="MD", mu=MU, tau=TAU), given)
    assert sharp["mu"].mean() == pytest.approx(known["mu"].mean(), abs=1e-4)
    assert sharp["mu"].sd() == pytest.approx(known["mu"].sd(), rel=1e-4)


def test_a_smaller_correlation_leaves_the_effect_less_certain():
    low, high = (bm.fit(model(correlation=bm.Uniform(*ends)), unknown()) for ends in LOW_HIGH)
    assert low["mu"].sd() > high["mu"].sd()


LOW_HIGH = ((0.0, 0.1), (0.8, 0.9))


@pytest.mark.deep("a program of its own: 1 s, 8 where none is stored")
def test_nuts_agrees():
    exact = bm.fit(model(), unknown())
    drawn = bm.fit(model(), unknown(), bm.NUTS(seed=4))
    assert drawn.diagnostics.passed
    for name in ("mu", "tau"):
        error = drawn.convergence[name]["mcse_mean"]
        assert abs(drawn[name].mean() - exact[name].mean()) < 4 * error
    assert 0.2 < drawn.draws().posterior["correlation"].mean() < 0.9


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"correlation": None}, "SD of the change is unknown for A"),
        ({"correlation": bm.Normal(0.5, 0.1)}, "between -1 and 1"),
        ({"measure": "ROM"}, "with measure 'MD' or 'SMD'"),
    ],
)
def test_what_cannot_be_is_refused(changes, said):
    with pytest.raises(bm.ModelError, match=said):
        bm.fit(model(**changes), unknown())


def test_two_stage_estimates_need_a_correlation():
    with pytest.raises(bm.DataError, match="no SD of the change"):
        bm.effect_sizes(unknown(), measure="MD")


def test_a_prior_without_anything_unknown_is_refused():
    given = bm.change_from_baseline(trials(), correlation=0.7)
    with pytest.raises(bm.ModelError, match="leave it out"):
        bm.fit(model(), given)
