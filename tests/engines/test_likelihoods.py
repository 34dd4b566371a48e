"""Every likelihood and prior family against brute force, and what must be true of each."""

import numpy as np
import pytest
from references import KINDS, MAIN_TRIALS, asked, binary, cases, numbered
from scipy import stats
from tolerances import COUNTS_BRUTE, INVARIANCE

import bayesmeta as bm

MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)


@pytest.mark.deep(
    "Student-t effects, corners and far tails of tau: 0.5 to 3 s each",
    only=[
        "t3, *",
        "t4, binomial OR half, outlier",
        "t5, *",
        "binomial RD, sparse",
        "mu ~ Uniform*",
        "tau ~ HalfCauchy(0.5), binomial*",
        "tau ~ InverseGamma(1.77, 0.55), binomial*",
    ],
)
@pytest.mark.parametrize("key", sorted(cases("brute_likelihoods")))
def test_the_posterior_is_that_of_brute_force(key):
    case = cases("brute_likelihoods")[key]
    exact = bm.fit(*asked(case), bm.Quadrature())
    assert exact.diagnostics.passed
    for name in ("mu", "tau"):
        marginal, brute = exact[name], case["result"][name]
        gaps = np.array(
            [
                marginal.mean() - brute["mean"],
                *(marginal.quantile([0.025, 0.5, 0.975]) - brute["quantiles"]),
            ]
        )
        assert np.nanmax(np.abs(gaps)) < COUNTS_BRUTE * brute["sd"]
        assert marginal.sd() == pytest.approx(brute["sd"], rel=COUNTS_BRUTE)
    if exact.log_marginal_likelihood is not None:
        found = case["result"]["log_marginal_likelihood"]
        assert exact.log_marginal_likelihood == pytest.approx(found, abs=1e-6)


def test_brute_force_holds_three_data_sets_of_every_likelihood():
    held = [case["model"] for case in cases("brute_likelihoods").values()]
    for model in (*KINDS, "binomial RD", "binomial OR zero_one", "binomial OR half", "normal"):
        assert held.count(model) >= 3


@pytest.mark.parametrize(
    ("mu", "tau", "mu_prior", "tau_prior"),
    [
        (bm.Normal(0.3, 2), TAU, stats.norm(0.3, 2), stats.halfnorm(0, 0.5)),
        (bm.HalfNormal(1), bm.Uniform(0, 2), stats.halfnorm(0, 1), stats.uniform(0, 2)),
    ],
    ids=["Normal", "with ends"],
)
def test_hypergeometric_gives_the_prior_back_where_no_study_has_an_event(
    mu, tau, mu_prior, tau_prior
):
    silent = binary({"A": (0, 10, 0, 10), "B": (0, 20, 0, 25), "C": (30, 30, 4, 4)})
    exact = bm.fit(bm.HypergeometricNormal(mu=mu, tau=tau), silent)
    at = np.array([0.001, 0.025, 0.3, 0.5, 0.9, 0.975, 0.999])
    np.testing.assert_allclose(exact["mu"].quantile(at), mu_prior.ppf(at), rtol=0, atol=1e-8)
    np.testing.assert_allclose(exact["tau"].quantile(at), tau_prior.ppf(at), rtol=0, atol=1e-7)
    assert exact["mu"].sd() == pytest.approx(mu_prior.std(), abs=1e-8)
    assert exact.log_marginal_likelihood == pytest.approx(0, abs=1e-8)


def test_hypergeometric_is_untouched_by_studies_without_events():
    rows = {"A": (3, 40, 8, 41), "B": (0, 22, 2, 25), "C": (6, 60, 7, 55)}
    model = bm.HypergeometricNormal(mu=MU, tau=TAU)
    one = bm.fit(model, binary(rows))
    other = bm.fit(model, binary({**rows, "none": (0, 50, 0, 60)}))
    at = np.array([0.025, 0.5, 0.975])
    np.testing.assert_allclose(one["mu"].quantile(at), other["mu"].quantile(at), atol=1e-8)
    np.testing.assert_allclose(one["tau"].quantile(at), other["tau"].quantile(at), atol=1e-8)


def test_hypergeometric_refuses_a_table_it_cannot_sum_and_says_what_can():
    model = bm.HypergeometricNormal(mu=MU, tau=TAU)
    with pytest.raises(bm.ModelError, match=r"large \(row 2\).*BinomialNormal\(measure='OR'\)"):
        bm.fit(model, binary({"small": (1, 9, 2, 9), "large": (3000, 9000, 3100, 9000)}))


@pytest.mark.deep("corners and Student-t effects on the grid: 2 s each", but=["hypergeometric"])
@pytest.mark.parametrize(
    "model",
    [
        bm.BinomialNormal(measure="RD", mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.2)),
        bm.HypergeometricNormal(mu=MU, tau=TAU),
        bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, df=4),
    ],
    ids=["RD", "hypergeometric", "t4"],
)
def test_swapping_the_arms_changes_the_sign_of_mu_and_nothing_else(model):
    one = bm.fit(model, binary(MAIN_TRIALS))
    turned = {name: (c, n0, a, n1) for name, (a, n1, c, n0) in MAIN_TRIALS.items()}
    other = bm.fit(model, binary(turned))
    at = np.array([0.025, 0.5, 0.975])
    np.testing.assert_allclose(one["mu"].quantile(at), -other["mu"].quantile(1 - at), atol=1e-7)
    np.testing.assert_allclose(one["tau"].quantile(at), other["tau"].quantile(at), atol=1e-7)


def test_zero_one_coding_is_not_symmetric_and_every_result_says_which_coding():
    from bayesmeta.summaries import describe

    half = bm.BinomialNormal(measure="OR", mu=MU, tau=TAU)
    control = bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, coding="zero_one")
    rows = {"A": (0, 30, 2, 30), "B": (1, 25, 3, 25), "C": (0, 40, 0, 40)}
    apart = bm.fit(half, binary(rows))["mu"].mean() - bm.fit(control, binary(rows))["mu"].mean()
    assert abs(apart) > 0.01
    assert "±½ coding" in describe(half)
    assert "0/1 coding" in describe(control)


def test_the_two_codings_of_nielweise_are_those_of_the_literature():
    counts = cases("counts")["nielweise2007"]
    names = ("events_treatment", "n_treatment", "events_control", "n_control")
    data = bm.BinaryStudies(
        study=numbered(len(counts["n_control"])), **{name: counts[name] for name in names}
    )
    found = {
        coding: bm.fit(
            bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 4), tau=TAU, coding=coding), data
        )["mu"].mean()
        for coding in ("half", "zero_one")
    }
    assert found["half"] == pytest.approx(-1.300, abs=0.003)
    assert found["zero_one"] == pytest.approx(-1.326, abs=0.003)


def test_many_degrees_of_freedom_are_normal_effects():
    data = binary(MAIN_TRIALS)
    normal = bm.fit(bm.BinomialNormal(measure="OR", mu=MU, tau=TAU), data)
    nearly = bm.fit(bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, df=1e6), data)
    assert nearly["mu"].mean() == pytest.approx(normal["mu"].mean(), abs=1e-5)
    assert nearly["tau"].quantile(0.5) == pytest.approx(normal["tau"].quantile(0.5), abs=1e-5)


@pytest.mark.deep("Student-t effects on the grid: 3 s")
def test_student_t_effects_discount_an_outlier():
    y = [-0.3, -0.25, -0.35, -0.2, 1.5]
    data = bm.EffectSizes.from_arrays(numbered(5), y, [0.1] * 5)
    normal = bm.fit(bm.NormalNormal(mu=MU, tau=TAU), data)
    robust = bm.fit(bm.NormalNormal(mu=MU, tau=TAU, df=3), data)
    assert robust["mu"].mean() < normal["mu"].mean() - 0.1


def test_person_time_in_another_unit_changes_nothing_but_the_baseline():
    data = {"events_treatment": [3, 0, 9], "events_control": [5, 2, 7]}
    times = np.array([[120.5, 40.0, 300.0], [110.0, 42.5, 280.0]])
    model = bm.PoissonNormal(mu=MU, tau=TAU, baseline=bm.Normal(0, 10))
    moved = bm.PoissonNormal(mu=MU, tau=TAU, baseline=bm.Normal(np.log(12), 10))
    in_years, in_months = (
        bm.PersonTimeStudies(
            study=numbered(3), time_treatment=unit * times[0], time_control=unit * times[1], **data
        )
        for unit in (1, 1 / 12)
    )
    one, other = bm.fit(model, in_years), bm.fit(moved, in_months)
    at = np.array([0.025, 0.5, 0.975])
    np.testing.assert_allclose(one["mu"].quantile(at), other["mu"].quantile(at), atol=1e-8)


@pytest.mark.deep("Student-t effects on the grid: half a second each", but=["100.0"])
@pytest.mark.parametrize("unit", [0.01, 100.0])
def test_a_change_of_unit_rescales_student_t_effects(unit):
    y, se = np.array([0.1, 0.5, -0.2]), np.array([0.2, 0.3, 0.25])
    one = bm.fit(
        bm.NormalNormal(mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.5), df=4),
        bm.EffectSizes.from_arrays(numbered(3), y, se),
    )
    other = bm.fit(
        bm.NormalNormal(mu=bm.Normal(0, unit), tau=bm.HalfNormal(0.5 * unit), df=4),
        bm.EffectSizes.from_arrays(numbered(3), unit * y, unit * se),
    )
    for name in ("mu", "tau"):
        assert other[name].mean() / unit == pytest.approx(one[name].mean(), abs=1e-6)
        assert other[name].sd() / unit == pytest.approx(one[name].sd(), rel=1e-5)


@pytest.mark.deep("corners on the grid: 1 s")
def test_the_order_of_studies_does_not_matter():
    model = bm.BinomialNormal(measure="RD", mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.2))
    rows = {"A": (0, 30, 2, 30), "B": (4, 25, 3, 25), "C": (9, 40, 12, 40)}
    one = bm.fit(model, binary(rows))
    other = bm.fit(model, binary(dict(reversed(rows.items()))))
    np.testing.assert_allclose(one["mu"].mean(), other["mu"].mean(), **INVARIANCE)
    np.testing.assert_allclose(one["theta"]["B"].mean(), other["theta"]["B"].mean(), **INVARIANCE)


@pytest.mark.parametrize("df", [0.5, True, "4", float("inf")])
def test_degrees_of_freedom_that_cannot_be_are_refused(df):
    with pytest.raises(bm.ModelError, match="df must be a number of degrees of freedom"):
        bm.NormalNormal(mu=MU, tau=TAU, df=df)


def test_data_of_another_kind_are_refused_with_what_would_do():
    counts = binary({"A": (1, 9, 2, 9)})
    with pytest.raises(bm.ModelError, match=r"PoissonNormal needs counts \(PersonTimeStudies\)"):
        bm.fit(bm.PoissonNormal(mu=MU, tau=TAU), counts)
    with pytest.raises(bm.ModelError, match="make them with effect_sizes"):
        bm.fit(bm.NormalNormal(mu=MU, tau=TAU), counts)


def test_studies_of_very_different_precision_are_refused_where_no_grid_holds_them():
    data = bm.EffectSizes.from_arrays(numbered(2), [0.0, 1.0], [1e-6, 1.0])
    with pytest.raises(bm.ModelError, match=r"grid points.*normal study effects"):
        bm.fit(bm.NormalNormal(mu=MU, tau=TAU, df=4), data)
