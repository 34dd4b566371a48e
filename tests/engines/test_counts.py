"""The exact engine for counts against brute force, Stan, and what must be true of it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import MAIN_TRIALS, cases, document
from tolerances import COUNTS_BRUTE, STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.engines.likelihood.corners import each_given_mu, tabulate

SPARSE = ((0, 30, 0, 30), (1, 40, 0, 38), (0, 25, 2, 25), (0, 30, 0, 60))
MORTALITY = tuple(MAIN_TRIALS.values())


def studies(rows):
    columns = np.array(rows, dtype=float).T
    names = tuple(f"study {i + 1}" for i in range(len(rows)))
    return bm.BinaryStudies(
        study=names,
        events_treatment=columns[0],
        n_treatment=columns[1],
        events_control=columns[2],
        n_control=columns[3],
    )


MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)


def model(measure, mu=MU, tau=TAU):
    return bm.BinomialNormal(measure=measure, mu=mu, tau=tau)


@pytest.mark.deep(
    "corners on the grid: 1 s",
    but=["everybody improved in one arm, OR", "mortality, RR", "sparse, OR"],
)
@pytest.mark.parametrize("key", sorted(cases("brute_counts")))
def test_the_posterior_is_that_of_brute_force(key):
    brute = cases("brute_counts")[key]
    exact = bm.fit(model(brute["measure"]), studies(brute["tables"]), bm.Quadrature())
    assert exact.diagnostics.passed
    for parameter in ("mu", "tau"):
        marginal, dense = exact[parameter], brute[parameter]
        gap = [marginal.mean() - dense["mean"], marginal.sd() - dense["sd"]]
        assert np.abs(gap).max() / dense["sd"] < COUNTS_BRUTE
    assert abs(exact.log_marginal_likelihood - brute["log_marginal_likelihood"]) < COUNTS_BRUTE


@pytest.mark.deep("a far prior of tau on sparse tables: 3 s", only=["*tauHN1"])
@pytest.mark.parametrize("key", sorted(document("stan")["cases"]))
def test_the_posterior_agrees_with_stan_within_its_monte_carlo_error(key):
    case = cases("stan")[key]
    counts = cases("counts")[case["dataset"]]
    table = bm.BinaryStudies(
        study=tuple(f"s{i}" for i in range(len(counts["n_control"]))),
        **{
            name: np.array(counts[name], dtype=float)
            for name in ("events_treatment", "n_treatment", "events_control", "n_control")
        },
    )
    asked = model("OR", bm.Normal(0, case["mu_sd"]), bm.HalfNormal(case["tau_scale"]))
    exact = bm.fit(asked, table)
    assert exact.diagnostics.passed
    for name in ("mu", "tau", "theta_new"):
        stan = case["parameters"][name]
        assert abs(exact[name].mean() - stan["mean"]) < STANDARD_ERRORS * stan["mcse"]
        assert exact[name].sd() == pytest.approx(stan["sd"], rel=0.02)
    theta = [case["parameters"][f"theta[{i + 1}]"] for i in range(table.k)]
    apart = exact["theta"].mean() - [one["mean"] for one in theta]
    assert (np.abs(apart) < STANDARD_ERRORS * np.array([one["mcse"] for one in theta])).all()


@pytest.mark.parametrize("measure", ["OR", "RR"])
def test_swapping_the_arms_changes_the_sign_of_mu_and_nothing_else(measure):
    swapped = [(c, n0, a, n1) for a, n1, c, n0 in MORTALITY]
    one = bm.fit(model(measure), studies(MORTALITY))
    other = bm.fit(model(measure), studies(swapped))
    at = np.array([0.025, 0.5, 0.975])
    np.testing.assert_allclose(one["mu"].quantile(at), -other["mu"].quantile(1 - at), atol=1e-8)
    np.testing.assert_allclose(one["tau"].quantile(at), other["tau"].quantile(at), atol=1e-8)


@pytest.mark.parametrize("measure", ["OR", "RR"])
def test_studies_without_any_event_leave_mu_where_its_prior_put_it(measure):
    prior = bm.Normal(0.3, 2)
    symmetric = bm.fit(model(measure), studies([(0, 30, 0, 30)] * 3))
    assert symmetric["mu"].mean() == pytest.approx(0, abs=1e-6)
    assert symmetric["mu"].sd() == pytest.approx(1.81, abs=0.01)  # formulas of the field, 4.7
    moved = bm.fit(model(measure, prior), studies([(0, 30, 0, 30)] * 3))
    assert moved["mu"].mean() == pytest.approx(0.3, abs=0.1)


@pytest.mark.deep("draws of one measure are made as those of the other: 1 s", but=["OR"])
@pytest.mark.parametrize("measure", ["OR", "RR"])
def test_draws_have_the_marginals_of_the_integral(measure):
    exact = bm.fit(model(measure), studies(MORTALITY))
    drawn = exact.draws(8000, seed=3)["posterior"]
    for name in ("mu", "tau", "theta_new"):
        marginal, values = exact[name], drawn[name].to_numpy().ravel()
        error = marginal.sd() / np.sqrt(values.size)
        assert abs(values.mean() - marginal.mean()) < STANDARD_ERRORS * error
        share = (values < marginal.quantile(0.9)).mean()
        assert abs(share - 0.9) < STANDARD_ERRORS * np.sqrt(0.09 / values.size)
    apart = drawn["theta"].to_numpy().reshape(-1, 10).mean(axis=0) - exact["theta"].mean()
    assert (np.abs(apart) < STANDARD_ERRORS * exact["theta"].sd() / np.sqrt(8000)).all()


@pytest.mark.parametrize(
    "tau", [bm.HalfCauchy(0.5), bm.LogNormal(-1.98, 0.67), bm.Uniform(0, 4)], ids=repr
)
def test_every_prior_of_tau_passes_the_gate(tau):
    exact = bm.fit(model("RR", bm.StudentT(3, 0, 1), tau), studies(MORTALITY))
    assert exact.diagnostics.passed
    assert 0 < exact["tau"].quantile(0.5) < 1


def test_one_study_is_fitted_with_a_caution():
    exact = bm.fit(model("OR"), studies([(3, 20, 8, 20)]))
    assert exact.diagnostics.passed
    assert "tau" in exact.cautions[0]


@pytest.mark.parametrize("measure", ["RR", "RD"])
def test_means_at_one_tau_are_those_of_the_plain_sum(measure):
    """Moments and what is left out change nothing, in a conflict of many taus too."""
    data = bm.BinaryStudies(
        study=["A", "B", "C"], events_treatment=[12, 0, 2400], n_treatment=[12, 40, 5000],
        events_control=[25, 3, 900], n_control=[29, 40, 5000],
    )  # fmt: skip
    model = bm.BinomialNormal(measure=measure, mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    corners = tabulate(model.likelihood, data, 64.0, 0.28, 0.1)
    mu = np.linspace(-2.5, 2.5, 60)
    for tau in (0.01, 0.04, 0.2, 1.0, 5.0):
        once = each_given_mu(corners, mu, np.full(60, tau), None)
        apart = [each_given_mu(corners, mu[i : i + 1], np.array([tau]), None)[0] for i in range(60)]
        told = np.array(apart) > corners.top - 650  # beyond, nothing is left in double precision
        assert_allclose(once[told], np.array(apart)[told], rtol=1e-10, atol=1e-10)
