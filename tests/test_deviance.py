"""Residual deviance, leverage and DIC: against plain quadrature, closed forms and by hand."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import cases, estimates, numbered
from tolerances import DEVIANCE, STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.checks import Checks
from bayesmeta.results.display import fit_in_words, number

MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
CASES = cases("brute_deviance")
QUARTILES = ("q1", "median", "q3")


def fitted(name):
    """The posterior of a stored case, as the specifications in models/ ask for it."""
    case = CASES[name]
    if "tables" in case:
        columns = dict(zip(bm.BinaryStudies.columns(), np.transpose(case["tables"]), strict=True))
        data = bm.BinaryStudies(study=numbered(len(case["tables"])), **columns)
        return bm.fit(bm.BinomialNormal(measure="RR", mu=MU, tau=TAU), data)
    if "arms" in case:
        data = bm.ContinuousStudies.from_frame(of_means(case["arms"]))
        return bm.fit(bm.ContinuousNormal(measure="MD", mu=MU, tau=TAU), data)
    kind = {"measure": "RGM", "arms": "lognormal"} if case["logs"] else {"measure": "MD"}
    model = bm.ContinuousCommonEffect(**kind, mu=bm.Normal(0, case["mu_sd"]))
    return bm.fit(model, bm.ContinuousStudies.from_frame(of_quartiles(case)))


def of_means(rows):
    import pandas as pd

    arms = ("treatment", "control")
    names = [f"{what}_{arm}" for arm in arms for what in ("mean", "sd", "n")]
    return pd.DataFrame(rows, columns=names).assign(study=numbered(len(rows)))


def of_quartiles(case):
    import pandas as pd

    row = {"study": "trial"}
    for arm in ("treatment", "control"):
        figures, n = case[arm]
        row |= {f"{what}_{arm}": text for what, text in zip(QUARTILES, figures, strict=True)}
        row[f"n_{arm}"] = str(n)
    return pd.DataFrame([row])


@pytest.mark.deep(
    "eleven outcomes with all their effects: 5 s",
    only=[
        "clinical-improvement",
        "adverse-events",
        "symptom-remission",
        "ct-score",
        "any-drug",
        "tuberculosis",
    ],
)
@pytest.mark.parametrize("name", CASES)
def test_the_deviance_of_an_exact_posterior_is_that_of_plain_quadrature(name):
    case, found = CASES[name], bm.deviance(fitted(name))
    for one in ("total", "p_d", "dic"):
        assert getattr(found, one) == pytest.approx(case[one], abs=0.02)
    assert_allclose(found.residual, case["residual"], **DEVIANCE)
    assert_allclose(found.leverage, case["leverage"], **DEVIANCE)
    assert found.mcse == (0, 0, 0)


def test_the_deviance_of_normal_estimates_is_their_closed_form():
    """E[((y - theta) / se)²] = ((y - E theta)² + Var theta) / se²; leverage Var theta / se²."""
    data = estimates([-0.4, 0.1, -0.3, 0.9], [0.2, 0.3, 0.4, 0.25])
    posterior = bm.fit(bm.NormalNormal(mu=MU, tau=TAU), data)
    mean, sd = posterior["theta"].mean(), posterior["theta"].sd()
    found = bm.deviance(posterior)
    assert_allclose(found.residual, ((data.y - mean) ** 2 + sd**2) / data.se**2, rtol=1e-7)
    assert_allclose(found.leverage, sd**2 / data.se**2, rtol=1e-7)


def test_the_deviance_of_a_common_effect_needs_no_draws():
    data = estimates([-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    found = bm.deviance(bm.fit(bm.CommonEffect(mu=bm.Normal(0, 1e4)), data), draws=2)
    weight = data.se**-2
    assert_allclose(found.leverage, weight / weight.sum(), rtol=1e-6)
    gap = data.y - weight @ data.y / weight.sum()
    assert_allclose(found.residual, weight * (gap**2 + 1 / weight.sum()), rtol=1e-6)


def of_draws(theta, data):
    """The deviance of given draws, (chains, draws, k), of the effects of normal estimates."""
    posterior = bm.fit(bm.NormalNormal(mu=MU, tau=TAU), data)
    drawn = {"theta": np.asarray(theta, dtype=float)}
    stats = {"lp": np.zeros(drawn["theta"].shape[:2])}
    return bm.deviance(replace(posterior, sample=lambda n, seed: drawn, sample_stats=stats))


def test_leverage_is_taken_at_the_mean_of_the_fitted_values():
    """By hand: 0, 0, 1 about y = 0, se = 1: deviance 1/3, at the mean 1/9, at the median 0."""
    found = of_draws([[[0.0], [0.0], [1.0]]], estimates([0.0], [1.0]))
    assert_allclose(found.residual, 1 / 3)
    assert_allclose(found.leverage, 2 / 9)


@pytest.mark.deep("many samples of one posterior: 1 s")
def test_the_monte_carlo_error_of_draws_is_how_far_fits_lie_apart():
    """Over 200 samples of dependent draws: their spread, against the mean of what each says."""
    data, rng = estimates([0.3, -0.5], [1.0, 0.8]), np.random.default_rng(4)
    found = []
    for _ in range(200):
        noise = rng.standard_normal((4, 800, 2))
        theta = np.empty_like(noise)
        theta[:, 0] = noise[:, 0]
        for i in range(1, 800):  # an autoregression with variance 1
            theta[:, i] = 0.6 * theta[:, i - 1] + 0.8 * noise[:, i]
        found.append(of_draws(0.5 * theta, data))
    for name in ("total", "p_d", "dic"):
        spread = np.std([getattr(one, name) for one in found], ddof=1)
        said = np.mean([getattr(one.mcse, name) for one in found])
        assert said == pytest.approx(spread, rel=STANDARD_ERRORS * (2 * 200) ** -0.5)


def test_few_draws_have_no_error_that_could_be_told():
    assert np.isnan(of_draws(np.zeros((1, 5, 1)), estimates([0.0], [1.0])).mcse).all()


def test_draws_and_nodes_agree_within_the_error_of_the_draws():
    data = estimates([-0.4, 0.1, -0.3], [0.2, 0.3, 0.4], measure="RR")
    model = bm.NormalNormal(mu=MU, tau=TAU)
    exact, drawn = (bm.deviance(bm.fit(model, data, engine)) for engine in (None, bm.NUTS(seed=2)))
    for name in ("total", "p_d", "dic"):
        error = getattr(drawn.mcse, name)
        assert 0 < error < 0.2
        assert abs(getattr(drawn, name) - getattr(exact, name)) < STANDARD_ERRORS * error


def test_the_report_states_the_error_of_what_was_drawn_and_of_nothing_else():
    data = estimates([-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    exact = bm.deviance(bm.fit(bm.NormalNormal(mu=MU, tau=TAU), data))
    drawn = of_draws(np.random.default_rng(1).normal(0, 0.3, (4, 200, 3)), data)
    words = [fit_in_words(Checks(deviance=one)) for one in (exact, drawn)]
    assert words[0].endswith(f"DIC {number(exact.dic)}")
    errors = ", ".join(number(one) for one in drawn.mcse)
    assert words[1].endswith(f"(from draws, with Monte Carlo standard errors of {errors})")
