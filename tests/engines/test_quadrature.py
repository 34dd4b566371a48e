"""The exact engine against another quadrature, R bayesmeta, brute force and limits."""

import itertools
import pickle
from dataclasses import fields

import numpy as np
import pytest
from laws import Everywhere, law
from numpy.testing import assert_allclose
from reference.brute import Brute
from references import binary, cases, document, estimates
from scipy import integrate, stats
from tolerances import (
    BRUTE,
    CLOSED_FORM,
    INVARIANCE,
    LIMIT,
    NUMERICAL_INTEGRAL,
    PLAIN,
    QUADRATURE,
    R_GRID,
    R_GRID_TAIL,
    R_MODE,
    R_MODE_TAU,
    R_SHORTEST,
    R_SHORTEST_TAU,
    R_TAU,
    scaled,
)

import bayesmeta as bm
from bayesmeta.engines.exact.propriety import moments_of_prior, tail_of_tau
from bayesmeta.priors import FAMILIES, Prior

TAU_PRIORS = {
    "halfnormal_0.5": lambda unit: bm.HalfNormal(0.5 * unit),
    "halfnormal_1.0": lambda unit: bm.HalfNormal(1.0 * unit),
    "halfcauchy_0.5": lambda unit: bm.HalfCauchy(0.5 * unit),
    "uniform_0_4": lambda unit: bm.Uniform(0, 4 * unit),
}
FEW = {"bcg", "crins2014", "hine1989", "peto1980"}
FEW |= {"normand1999", "rubin1981", "hinks2010", "baeten2013"}
MANY = {"nielweise2007", "egger2001", "raudenbush1985", "hackshaw1998"}  # one prior less
PROBS = document("quadrature")["probs"]
GRID = [(dataset, name) for dataset, entry in cases("quadrature").items() for name in entry["fits"]]


def unit_of(dataset: str) -> float:
    """Give the scale that multiplies every prior of a reference dataset."""
    return 20.0 if dataset == "rubin1981" else 1.0


@pytest.fixture(scope="module")
def exact():
    """Fit each reference case once."""
    found = {}

    def fitted(dataset: str, name: str) -> bm.Posterior:
        if (dataset, name) not in found:
            entry, unit = cases("quadrature")[dataset], unit_of(dataset)
            tau = TAU_PRIORS[name.removesuffix("__normal_0_4")](unit)
            model = bm.NormalNormal(mu=bm.Normal(0, 4 * unit), tau=tau)
            found[dataset, name] = bm.fit(model, estimates(entry["y"], entry["se"]))
        return found[dataset, name]

    return fitted


def test_grid_of_posteriors_is_complete():
    found = {dataset: set(entry["fits"]) for dataset, entry in cases("quadrature").items()}
    all_four = {f"{tau}__normal_0_4" for tau in TAU_PRIORS}
    assert {dataset for dataset, fits in found.items() if fits == all_four} == FEW
    assert {
        d for d, fits in found.items() if fits == all_four - {"uniform_0_4__normal_0_4"}
    } == MANY
    assert len(GRID) == 8 * 4 + 4 * 3 == 44
    assert {d: set(fits) for d, fits in cases("bayesmeta").items()} == found
    assert document("bayesmeta")["probs"] == PROBS


@pytest.mark.parametrize(("dataset", "name"), GRID)
def test_posterior_equals_the_stored_quadrature(exact, dataset, name):
    fit, reference = exact(dataset, name), cases("quadrature")[dataset]["fits"][name]
    tolerance = scaled(QUADRATURE, unit_of(dataset))
    assert fit.diagnostics.passed
    assert_allclose(fit.log_marginal_likelihood, reference["log_marginal_likelihood"], **QUADRATURE)
    for parameter in ("mu", "tau", "theta_new"):
        ours, theirs = fit[parameter], reference[parameter]
        assert_allclose((ours.mean(), ours.sd()), (theirs["mean"], theirs["sd"]), **tolerance)
        assert_allclose(ours.quantile(PROBS), theirs["quantiles"], **tolerance)
        if parameter != "tau":
            assert_allclose(ours.cdf(0.0), theirs["p_below_0"], **QUADRATURE)


@pytest.mark.parametrize(("dataset", "name"), GRID)
def test_study_effects_equal_the_stored_quadrature(exact, dataset, name):
    theta, reference = exact(dataset, name)["theta"], cases("quadrature")[dataset]["fits"][name]
    tolerance = scaled(QUADRATURE, unit_of(dataset))
    shrunken = reference["shrinkage"]
    assert len(theta) == len(shrunken)
    assert_allclose(theta.mean(), [study["mean"] for study in shrunken], **tolerance)
    assert_allclose(theta.sd(), [study["sd"] for study in shrunken], **tolerance)
    ours, theirs = theta.quantile([0.025, 0.5, 0.975]), [study["quantiles"] for study in shrunken]
    assert_allclose(ours, theirs, **tolerance)


@pytest.mark.parametrize(("dataset", "name"), GRID)
def test_posterior_agrees_with_r_bayesmeta(exact, dataset, name):
    fit, reference, unit = exact(dataset, name), cases("bayesmeta")[dataset][name], unit_of(dataset)
    assert_allclose(fit.log_marginal_likelihood, reference["log_marginal_likelihood"], **R_TAU)
    assert_allclose(
        fit["tau"].quantile(PROBS), reference["tau"]["quantiles"], **scaled(R_TAU, unit)
    )
    for parameter in ("mu", "theta_new"):
        ours, theirs = fit[parameter].quantile(PROBS), reference[parameter]["quantiles"]
        assert_allclose(ours[1:-1], theirs[1:-1], **scaled(R_GRID, unit))
        assert_allclose(ours, theirs, **scaled(R_GRID_TAIL, unit))
    dear = not name.startswith("halfnormal_0.5")  # of tau, one prior of four will do
    for parameter in ("mu", "theta_new") if dear else ("mu", "theta_new", "tau"):
        ours = fit[parameter].interval(0.95, kind="shortest")
        theirs = (reference[parameter]["shortest_lb"], reference[parameter]["shortest_ub"])
        tolerance = scaled(R_SHORTEST_TAU if parameter == "tau" else R_SHORTEST, unit)
        assert_allclose(ours, theirs, **tolerance)
        narrower = (theirs[1] - theirs[0]) - (ours[1] - ours[0])
        assert narrower > -tolerance["atol"] / 10


@pytest.mark.parametrize(("dataset", "name"), GRID)
def test_modes_agree_with_r_bayesmeta(exact, dataset, name):
    fit, reference, unit = exact(dataset, name), cases("bayesmeta")[dataset][name], unit_of(dataset)
    for parameter in ("mu", "tau", "theta_new"):
        tolerance = scaled(R_MODE_TAU if parameter == "tau" else R_MODE, unit)
        assert_allclose(fit[parameter].mode(), reference[parameter]["mode"], **tolerance)


@pytest.mark.parametrize("dataset", sorted(cases("bayesmeta")))
def test_modes_and_shortest_intervals_of_single_studies_agree_with_r_bayesmeta(exact, dataset):
    """Its search for a mode ends at the same places for many studies: there ours is higher."""
    name, unit = "halfnormal_0.5__normal_0_4", unit_of(dataset)
    theta, reference = exact(dataset, name)["theta"], cases("bayesmeta")[dataset][name]["shrinkage"]
    ours, theirs = theta.mode(), np.array(reference["mode"])
    apart = np.abs(ours - theirs) > R_GRID["atol"] * unit
    for i in range(theirs.size):
        assert theta[i].pdf(ours[i]) >= theta[i].pdf(theirs[i]) * (1 - 1e-12)
    ends = {round(theirs[i], 9) for i in np.flatnonzero(apart)}
    assert len(ends) <= 2
    assert apart.sum() < theirs.size
    shortest = np.array([reference["shortest_lb"], reference["shortest_ub"]]).T
    assert_allclose(theta.interval(kind="shortest"), shortest, **scaled(R_SHORTEST, unit))


IMPROPER = [
    (dataset, name) for dataset, entry in cases("improper").items() for name in entry["fits"]
]
FLAT_OR_NOT = {
    "improper_uniform": lambda unit: bm.Flat(),
    "jeffreys": lambda unit: bm.Jeffreys(),
    "halfnormal_0.5": lambda unit: bm.HalfNormal(0.5 * unit),
    "flat": lambda unit: bm.Flat(),
    "normal_0_4": lambda unit: bm.Normal(0, 4 * unit),
}


def test_grid_of_improper_priors_is_complete():
    assert len(IMPROPER) == 4 * 5 - 2  # hinks2010 has 3 studies: its programs left out flat tau
    assert {name.split("__")[0] for _, name in IMPROPER} == {
        "improper_uniform",
        "jeffreys",
        "halfnormal_0.5",
    }


@pytest.mark.parametrize(("dataset", "name"), IMPROPER)
def test_improper_priors_agree_with_the_stored_quadrature_and_r_bayesmeta(dataset, name):
    entry, unit = cases("improper")[dataset], unit_of(dataset)
    tau, mu = (FLAT_OR_NOT[part](unit) for part in name.split("__"))
    fit = bm.fit(bm.NormalNormal(mu=mu, tau=tau), estimates(entry["y"], entry["se"]))
    assert fit.diagnostics.passed
    assert fit.log_marginal_likelihood is None
    for parameter in ("mu", "tau", "theta_new"):
        ours, reference = fit[parameter], entry["fits"][name][parameter]
        tight, loose = (scaled(tolerance, unit) for tolerance in (QUADRATURE, R_GRID_TAIL))
        at = ours.quantile(PROBS)
        assert_allclose(at[1:-1], reference["quadrature"][1:-1], **tight)
        assert_allclose(at[1:-1], reference["bayesmeta"][1:-1], **loose)


# --- brute force over mu and tau ---------------------------------------------------------------

SIX = ([0.3, 0.1, 0.5, -0.2, 0.8, 0.0], [0.2, 0.3, 0.4, 0.25, 0.5, 0.35])
THREE = ([-0.128, -0.236, -0.198], [0.105, 0.09, 0.138])
TWO = ([-0.6, 0.4], [0.3, 0.2])
ONE = ([-0.4], [0.2])
MU = (bm.StudentT(3, 0, 1), bm.Uniform(-1, 3), bm.HalfNormal(1), bm.HalfCauchy(0.5))
TAU = (bm.LogNormal(-1, 1), bm.HalfCauchy(0.5), bm.Uniform(0, 2))
ROBUST = bm.Mixture(0.7, bm.Normal(-0.3, 0.1), bm.StudentT(3, 0.2, 1))
MORE = [  # (data, mu, tau): more studies, a floor under tau, tight and far priors, fewer studies
    (SIX, bm.StudentT(3, 0, 1), bm.LogNormal(-1, 1)),
    (SIX, bm.Uniform(-1, 3), bm.HalfCauchy(0.5)),
    (SIX, bm.HalfNormal(1), bm.Uniform(0, 2)),
    (SIX, bm.HalfCauchy(0.5), bm.HalfNormal(0.5)),
    (SIX, bm.Normal(0.5, 1), bm.Uniform(0.1, 0.6)),
    (SIX, bm.StudentT(1, 2, 0.1), bm.HalfNormal(0.5)),
    (SIX, bm.StudentT(30, -1, 0.2), bm.LogNormal(-2, 0.5)),
    (SIX, bm.Normal(-2, 0.1), bm.HalfNormal(0.3)),
    (TWO, bm.Normal(0, 2), bm.HalfCauchy(0.5)),
    (TWO, bm.HalfNormal(1), bm.HalfNormal(0.5)),
    (TWO, bm.Uniform(0, 0.2), bm.LogNormal(-1, 1)),
    (ONE, bm.Normal(0, 2), bm.HalfNormal(0.5)),
    (ONE, bm.HalfNormal(1), bm.Uniform(0, 1)),
    (ONE, bm.StudentT(3, 0, 1), bm.LogNormal(-1, 1)),
    (SIX, bm.HalfT(3, 0.2), bm.LogNormal(-1, 1)),
    (SIX, bm.Flat(), bm.LogNormal(-1, 1)),
    (THREE, bm.Flat(), bm.HalfNormal(0.5)),
    (THREE, ROBUST, bm.HalfNormal(0.5)),
    (SIX, bm.Mixture(0.2, bm.HalfNormal(0.1), bm.HalfT(3, 1)), bm.HalfNormal(0.5)),
    (SIX, bm.Mixture(0.5, bm.Normal(0, 1), bm.Normal(0, 0.1)), bm.LogNormal(-1, 1)),
]
BY_FORCE = [(THREE, mu, tau) for mu in MU for tau in TAU] + MORE


def name_of(value: object) -> str:
    return f"k={len(value[0])}" if isinstance(value, tuple) else repr(value)


def test_brute_force_meets_every_family_the_exact_engine_takes():
    assert {type(mu) for _, mu, _ in BY_FORCE} == {
        bm.Normal,
        bm.StudentT,
        bm.Uniform,
        bm.HalfNormal,
        bm.HalfCauchy,
        bm.HalfT,
        bm.Flat,
        bm.Mixture,
    }
    assert {type(tau) for _, _, tau in BY_FORCE} == {
        bm.HalfNormal,
        bm.HalfCauchy,
        bm.LogNormal,
        bm.Uniform,
    }


@pytest.mark.deep(
    "a dense grid in two dimensions: 8 s in all",
    only=[
        "k=3-StudentT(3, 0, 1)-LogNormal(-1, 1)",
        "k=3-HalfCauchy(0.5)-LogNormal(-1, 1)",
        "k=3-HalfCauchy(0.5)-HalfCauchy(0.5)",
        "k=6-HalfCauchy*",
        "k=6-StudentT(?, *",
        "k=1-StudentT*",
        "k=6-HalfT*",
        "k=3-Mixture*",
        "k=6-Mixture(0.2*",
    ],
)
@pytest.mark.parametrize(("data", "mu", "tau"), BY_FORCE, ids=name_of)
def test_posterior_equals_brute_force(data, mu, tau):
    y, se = map(np.array, data)
    force = Brute(y, se, law(mu) if mu.proper else Everywhere(), law(tau))
    fit = bm.fit(bm.NormalNormal(mu=mu, tau=tau), estimates(*data))
    assert fit.diagnostics.passed
    if mu.proper:
        assert_allclose(fit.log_marginal_likelihood, force.log_marginal_likelihood, **BRUTE)
    else:
        assert fit.log_marginal_likelihood is None
    for name, line in (("mu", force.mu), ("tau", force.tau)):
        marginal = fit[name]
        assert_allclose((marginal.mean(), marginal.sd()), (line.mean(), line.sd()), **BRUTE)
        at = marginal.quantile([0.025, 0.5, 0.975])
        assert_allclose(at, [line.quantile(q) for q in (0.025, 0.5, 0.975)], **BRUTE)
        assert_allclose(marginal.cdf(at), [line.cdf(x) for x in at], **BRUTE)
    if tau not in (
        bm.HalfCauchy(0.5),
        bm.Uniform(0, 2),
    ):  # dear: one tau will do
        assert_allclose(force.cdf_new(fit["theta_new"].quantile(0.1)), 0.1, **BRUTE)
        assert_allclose(force.cdf_study(0, fit["theta"][0].quantile(0.6)), 0.6, **BRUTE)


@pytest.mark.deep(
    "plain integration: half a second a prior",
    but=["StudentT(3, 0, 1)", "HalfNormal(1)", "HalfT(3, 0.2)"],
)
@pytest.mark.parametrize(
    "mu", [*MU, bm.Normal(0.5, 1), bm.StudentT(1, 2, 0.1), bm.HalfT(3, 0.2), ROBUST], ids=repr
)
def test_common_effect_equals_numerical_integration(mu):
    y, se = map(np.array, SIX)
    fit = bm.fit(bm.CommonEffect(mu=mu), estimates(*SIX))

    def joint(x: float) -> float:
        return float(np.exp(law(mu).logpdf(x) + stats.norm.logpdf(y, x, se).sum()))

    low, high = np.clip((-2.0, 2.0), *law(mu).support())

    def integral(function, top: float = high) -> float:
        return integrate.quad(function, low, top, points=[0.15], epsabs=0, epsrel=1e-12, limit=200)[
            0
        ]

    total = integral(joint)
    mean = integral(lambda x: x * joint(x)) / total
    sd = np.sqrt(integral(lambda x: (x - mean) ** 2 * joint(x)) / total)
    assert_allclose(fit.log_marginal_likelihood, np.log(total), **NUMERICAL_INTEGRAL)
    assert_allclose((fit["mu"].mean(), fit["mu"].sd()), (mean, sd), **NUMERICAL_INTEGRAL)
    at = fit["mu"].quantile([0.025, 0.5, 0.975])
    below = [integral(joint, x) / total for x in at]
    assert_allclose(below, [0.025, 0.5, 0.975], **NUMERICAL_INTEGRAL)
    assert_allclose(fit["mu"].pdf(at), [joint(x) / total for x in at], **NUMERICAL_INTEGRAL)


def test_flat_prior_of_mu_gives_the_inverse_variance_estimate():
    data = estimates(*SIX)
    fit, pooled = bm.fit(bm.CommonEffect(mu=bm.Flat()), data), bm.common_effect(data)
    assert_allclose((fit["mu"].mean(), fit["mu"].sd()), (pooled.estimate, pooled.se), **CLOSED_FORM)
    assert fit.log_marginal_likelihood is None


# --- every prior of tau, by plain integration ----------------------------------------------------

EVERY_TAU = [
    bm.HalfNormal(0.4),
    bm.HalfCauchy(0.3),
    bm.HalfT(3, 0.4),
    bm.LogNormal(-1, 0.7),
    bm.LogStudentT(30, -1, 0.4),  # with heavier tails test_library.py has it, in log tau
    bm.Exponential(2.5),
    bm.Gamma(2, 5),
    bm.Gamma(1.5, 3),
    bm.InverseGamma(1, 0.15),
    bm.Uniform(0.05, 0.7),
    bm.Beta(2, 3.5),
    bm.Beta(1, 3),
    bm.Mixture(0.6, bm.HalfNormal(0.1), bm.HalfT(4, 0.8)),
    bm.Mixture(0.3, bm.LogNormal(-2, 0.5), bm.InverseGamma(1.5, 0.3)),
    bm.Flat(),
    bm.Jeffreys(),
]


def test_plain_integration_meets_every_family_of_tau():
    assert {type(tau) for tau in EVERY_TAU} == set(FAMILIES.values()) - {bm.Normal, bm.StudentT}


class Plain:
    """The posterior of tau, and the mean of mu, by ``scipy.integrate.quad`` from definitions."""

    def __init__(self, y, se, mu, tau):
        self.y, self.se, self.mu, self.prior = y, se, mu, tau
        self.low, self.high = law(tau).support() if tau.proper else (0.0, np.inf)

    def density(self, tau):
        if isinstance(self.prior, bm.Jeffreys):
            return np.sqrt(((tau / (self.se**2 + tau**2)) ** 2).sum())
        return 1.0 if isinstance(self.prior, bm.Flat) else np.exp(law(self.prior).logpdf(tau))

    def over_mu(self, tau):
        """Density of the data given tau, and the mean of mu given both."""
        variance = self.se**2 + tau**2
        if self.mu.proper:
            both = np.diag(variance) + self.mu.sd**2
            residual = self.y - self.mu.mean
            density = stats.multivariate_normal(np.zeros(self.y.size), both).pdf(residual)
            return density, self.mu.mean + self.mu.sd**2 * np.linalg.solve(both, residual).sum()
        width = np.sqrt(variance.max() / variance.size)
        m = np.linspace(self.y.min() - 12 * width, self.y.max() + 12 * width, 600)
        each = stats.norm.pdf(self.y[:, None], m, np.sqrt(variance)[:, None]).prod(axis=0)
        return each.sum() * (m[1] - m[0]), each @ m / each.sum()

    def joint(self, tau):
        return self.density(tau) * self.over_mu(tau)[0]

    def moments(self, tau):
        likelihood, mean_of_mu = self.over_mu(tau)
        return self.density(tau) * likelihood * np.array([1.0, mean_of_mu, tau, tau**2])

    def between(self, points):
        """Integrals of the moments over tau, between the ends of its prior and `points`."""
        inner = {x for x in (0.02, 0.1, 0.3, 0.7, 2.0, 10.0, *points) if self.low < x < self.high}
        edges = [self.low, *sorted(inner), self.high]
        parts = [
            integrate.quad_vec(self.moments, *ends, epsabs=1e-15, epsrel=1e-10)[0]
            for ends in itertools.pairwise(edges)
        ]
        below = np.cumsum(parts, axis=0)
        return below[-1], np.array([below[edges.index(x) - 1][0] for x in points])


@pytest.mark.deep(
    "plain adaptive integration: half a second a prior",
    but=[
        "*-Uniform*",
        "*-Flat()",
        "*-Jeffreys()",
        "Flat()-Beta(1, 3)",
    ],
)
@pytest.mark.parametrize(
    ("mu", "tau"),
    [(bm.Normal(0.4, 0.5), tau) for tau in EVERY_TAU]
    + [(bm.Flat(), tau) for tau in (bm.HalfT(3, 0.4), bm.Beta(1, 3), bm.Flat(), bm.Jeffreys())],
    ids=repr,
)
def test_every_prior_of_tau_gives_the_posterior_of_plain_integration(mu, tau):
    fit = bm.fit(bm.NormalNormal(mu=mu, tau=tau), estimates(*SIX))
    q = [0.05, 0.5, 0.95]
    (total, *moments), below = Plain(*map(np.array, SIX), mu, tau).between(fit["tau"].quantile(q))
    mean_of_mu, first, second = np.array(moments) / total
    assert fit.diagnostics.passed
    assert_allclose(fit["mu"].mean(), mean_of_mu, **PLAIN)
    assert_allclose(below / total, q, **PLAIN)
    assert_allclose(fit["tau"].mean(), first, **PLAIN)
    assert_allclose(fit["tau"].sd(), np.sqrt(second - first**2), **PLAIN)
    if mu.proper and tau.proper:
        assert_allclose(fit.log_marginal_likelihood, np.log(total), **PLAIN)
    else:
        assert fit.log_marginal_likelihood is None


def test_draws_under_improper_priors_have_the_quantiles_of_the_marginals():
    fit = bm.fit(bm.NormalNormal(mu=bm.Flat(), tau=bm.Jeffreys()), estimates(*SIX))
    draws = fit.draws(20_000, seed=3)["posterior"]
    for name in ("mu", "tau", "theta_new"):
        below = (draws[name].to_numpy() <= fit[name].quantile(0.3)).mean()
        assert abs(below - 0.3) <= 4 * np.sqrt(0.3 * 0.7 / 20_000)


POLES = {  # of priors of tau, their laws, and powers of a variable in which they are none
    bm.Gamma(0.5, 2): (stats.gamma(0.5, scale=0.5), 2.0, 1.0),
    bm.Gamma(0.2, 1): (stats.gamma(0.2), 5.0, 1.0),
    bm.Beta(0.5, 2): (stats.beta(0.5, 2), 2.0, 1.0),
    bm.Beta(2, 0.5): (stats.beta(2, 0.5), 1.0, 2.0),
}


@pytest.mark.parametrize("prior", POLES, ids=repr)
def test_a_prior_of_tau_with_a_pole_is_integrated_in_a_variable_that_has_none(prior):
    law, lower, upper = POLES[prior]
    y, se = map(np.array, SIX)
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=prior), estimates(*SIX))
    assert fit.diagnostics.passed
    x, weight = np.polynomial.legendre.leggauss(400)
    last = 1.0 if law.support()[1] == 1 else 60.0 ** (1 / lower)
    t = (x + 1) / 2
    inside = last * (1 - (1 - t) ** upper)
    tau = inside**lower
    slope = lower * inside ** (lower - 1) * last * upper * (1 - t) ** (upper - 1) / 2
    variance = se**2 + tau[:, None] ** 2
    precision = (1 / variance).sum(axis=1)
    mean, spread = (y / variance).sum(axis=1) / precision, 1 / precision + 4
    log_l = stats.norm.logpdf(y, mean[:, None], variance**0.5).sum(axis=1)
    log_l += 0.5 * np.log(2 * np.pi / precision) + stats.norm.logpdf(mean, 0, spread**0.5)
    mass = np.exp(log_l) * law.pdf(tau) * slope * weight
    assert fit.log_marginal_likelihood == pytest.approx(np.log(mass.sum()), abs=1e-7)
    mass /= mass.sum()
    assert fit["tau"].mean() == pytest.approx(mass @ tau, rel=1e-7)
    assert fit["mu"].mean() == pytest.approx(mass @ (mean * 4 / spread), rel=1e-7)
    below = mass[tau < fit["tau"].quantile(0.5)].sum()
    assert below == pytest.approx(0.5, abs=0.02)  # a count of nodes


@pytest.mark.parametrize(
    "tau",
    [
        bm.Mixture(0.5, bm.Uniform(0.1, 0.5), bm.Exponential(2)),
        bm.Mixture(0.5, bm.Uniform(0, 1), bm.Uniform(0, 2)),
    ],
    ids=repr,
)
def test_a_prior_of_tau_with_a_step_fails_the_gate(tau):
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=tau), estimates(*SIX))
    assert not fit.diagnostics.passed
    assert "quadrature error" in str(fit.diagnostics.failures[0])


# --- what exists ---------------------------------------------------------------------------------

NEEDED = [  # mu, tau, studies needed
    (bm.Normal(0, 2), bm.HalfCauchy(1), 1),
    (bm.Flat(), bm.HalfCauchy(1), 1),
    (bm.Normal(0, 2), bm.Jeffreys(), 1),
    (bm.Flat(), bm.Jeffreys(), 2),
    (bm.StudentT(1, 0, 1), bm.Flat(), 2),
    (bm.Flat(), bm.Flat(), 3),
]


@pytest.mark.parametrize(("mu", "tau", "needed"), NEEDED, ids=repr)
def test_a_posterior_needs_as_many_studies_as_its_tail(mu, tau, needed):
    y, se = map(np.array, SIX)
    model = bm.NormalNormal(mu=mu, tau=tau)
    fit = bm.fit(model, estimates(y[:needed], se[:needed]))
    assert fit.diagnostics.passed
    assert np.isfinite(fit["tau"].quantile([0.01, 0.99])).all()
    if needed > 1:
        studies = "1 study" if needed == 2 else f"{needed - 1} studies"
        words = rf"no posterior from {studies}: it takes {needed} or more.*HalfNormal"
        with pytest.raises(bm.ModelError, match=words):
            bm.fit(model, estimates(y[: needed - 1], se[: needed - 1]))


MOMENTS = [  # mu, tau, k, moments of tau, moments of mu
    (bm.Normal(0, 2), bm.HalfT(2.5, 1), 1, 2, 2),
    (bm.Normal(0, 2), bm.HalfT(0.5, 1), 1, 1, 2),
    (bm.Normal(0, 2), bm.HalfT(1.5, 1), 1, 2, 2),
    (bm.Flat(), bm.HalfT(1.5, 1), 1, 1, 1),
    (bm.Flat(), bm.HalfT(1.5, 1), 2, 2, 2),
    (bm.Flat(), bm.HalfCauchy(1), 1, 0, 0),
    (bm.Flat(), bm.HalfCauchy(1), 2, 1, 1),
    (bm.Normal(0, 2), bm.InverseGamma(0.5, 1), 1, 1, 2),
    (bm.Flat(), bm.InverseGamma(0.5, 1), 1, 0, 0),
    (bm.Normal(0, 2), bm.InverseGamma(1.5, 1), 1, 2, 2),
    (bm.Normal(0, 2), bm.Flat(), 2, 0, 2),
    (bm.Normal(0, 2), bm.Flat(), 3, 1, 2),
    (bm.Normal(0, 2), bm.Flat(), 4, 2, 2),
    (bm.Flat(), bm.Flat(), 3, 0, 0),
    (bm.Flat(), bm.Flat(), 5, 2, 2),
    (bm.Flat(), bm.Jeffreys(), 3, 1, 1),
    (bm.StudentT(0.5, 0, 1), bm.HalfT(0.5, 1), 1, 1, 1),
    (bm.Normal(0, 2), bm.Mixture(0.5, bm.HalfNormal(1), bm.HalfT(0.5, 1)), 1, 1, 2),
    (bm.Flat(), bm.Gamma(2, 1), 1, 2, 2),
]


@pytest.mark.parametrize(("mu", "tau", "k", "of_tau", "of_mu"), MOMENTS, ids=repr)
def test_moments_exist_as_far_as_the_tails_allow(mu, tau, k, of_tau, of_mu):
    y, se = map(np.array, SIX)
    fit = bm.fit(bm.NormalNormal(mu=mu, tau=tau), estimates(y[:k], se[:k]))
    for name, exist in (("tau", of_tau), ("theta_new", of_tau), ("mu", of_mu)):
        assert np.isfinite(fit[name].mean()) == (exist >= 1)
        assert np.isfinite(fit[name].sd()) == (exist >= 2)
    assert np.isfinite(fit["theta"].sd()).all()


@pytest.mark.parametrize(
    ("mu", "tau", "k", "of_tau"),
    [row[:4] for row in MOMENTS if isinstance(row[0], bm.Normal | bm.Flat)],
    ids=repr,
)
def test_a_moment_exists_where_its_integrand_falls_faster_than_one_over_tau(mu, tau, k, of_tau):
    y, se = (np.array(part[:k]) for part in SIX)
    near, far = map(Plain(y, se, mu, tau).joint, (1e4, 1e5))
    slope = np.log10(far / near) if near else -np.inf
    assert (slope + 1 < -1 - 1e-3) == (of_tau >= 1)
    assert (slope + 2 < -1 - 1e-3) == (of_tau >= 2)


# --- limits ------------------------------------------------------------------------------------


def test_uninformative_studies_leave_the_priors_as_they_were():
    data = estimates(SIX[0], 1e6 * np.array(SIX[1]))
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0.5, 1), tau=bm.HalfNormal(0.3)), data)
    q = [0.025, 0.5, 0.975]
    assert fit.diagnostics.passed
    assert_allclose(fit["mu"].quantile(q), stats.norm(0.5, 1).ppf(q), **LIMIT)
    assert_allclose(fit["tau"].quantile(q), stats.halfnorm(0, 0.3).ppf(q), **LIMIT)


def test_perfect_studies_keep_their_own_effects():
    data = estimates(SIX[0], 1e-6 * np.array(SIX[1]))
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), data)
    assert fit.diagnostics.passed
    assert_allclose(fit["theta"].mean(), SIX[0], **LIMIT)
    assert_allclose(fit["theta"].sd(), data.se, **LIMIT)


def test_vanishing_tau_gives_the_common_effect():
    data = estimates(*SIX)
    random = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(1e-7)), data)
    common = bm.fit(bm.CommonEffect(mu=bm.Normal(0, 2)), data)
    q = [0.025, 0.5, 0.975]
    assert random.diagnostics.passed
    assert_allclose(random["mu"].quantile(q), common["mu"].quantile(q), **LIMIT)
    assert_allclose(random.log_marginal_likelihood, common.log_marginal_likelihood, **LIMIT)


def test_vague_prior_of_mu_gives_the_inverse_variance_estimate():
    data = estimates(*SIX)
    fit, pooled = bm.fit(bm.CommonEffect(mu=bm.Normal(0, 1e6)), data), bm.common_effect(data)
    assert_allclose((fit["mu"].mean(), fit["mu"].sd()), (pooled.estimate, pooled.se), **LIMIT)


def test_five_hundred_studies_find_the_truth_and_pass_the_gate():
    rng = np.random.default_rng(500)
    se = rng.uniform(0.1, 0.5, 500)
    y = 0.3 + np.hypot(0.2, se) * rng.standard_normal(500)
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), estimates(y, se))
    assert fit.diagnostics.passed
    assert abs(fit["mu"].mean() - 0.3) < 4 * fit["mu"].sd()
    assert abs(fit["tau"].mean() - 0.2) < 4 * fit["tau"].sd()
    assert fit["mu"].sd() == pytest.approx(
        bm.random_effects(fit.data, interval="Wald").se, rel=0.02
    )


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])
def test_units_of_measurement_do_not_matter(scale):
    y, se = map(np.array, SIX)
    here = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfCauchy(0.5)), estimates(y, se))
    there = bm.fit(
        bm.NormalNormal(mu=bm.Normal(0, 2 * scale), tau=bm.HalfCauchy(0.5 * scale)),
        estimates(y * scale, se * scale),
    )
    q = [0.025, 0.5, 0.975]
    for name in ("mu", "tau", "theta_new"):
        assert_allclose(there[name].quantile(q) / scale, here[name].quantile(q), **INVARIANCE)
    shifted = there.log_marginal_likelihood + 6 * np.log(scale)
    assert_allclose(shifted, here.log_marginal_likelihood, **INVARIANCE)


def test_predictive_density_of_the_next_study_is_the_ratio_of_evidences():
    model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    y, se = SIX
    five, six = bm.fit(model, estimates(y[:5], se[:5])), bm.fit(model, estimates(y, se))
    new = five["theta_new"]
    density = integrate.quad(
        lambda x: new.pdf(x) * stats.norm.pdf(y[5], x, se[5]),
        -4,
        4,
        epsabs=0,
        epsrel=1e-11,
        limit=200,
    )[0]
    gain = six.log_marginal_likelihood - five.log_marginal_likelihood
    assert_allclose(gain, np.log(density), **NUMERICAL_INTEGRAL)


def test_variance_of_a_new_effect_is_that_of_mu_plus_the_mean_of_tau_squared():
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.LogNormal(-1, 1)), estimates(*SIX))
    tau2 = fit["tau"].sd() ** 2 + fit["tau"].mean() ** 2
    assert fit["theta_new"].sd() ** 2 == pytest.approx(fit["mu"].sd() ** 2 + tau2, rel=1e-10)
    assert fit["theta_new"].mean() == pytest.approx(fit["mu"].mean(), rel=1e-12)


# --- gates, cautions, refusals -------------------------------------------------------------------


def test_prior_of_mu_that_excludes_the_data_fails_a_gate_that_says_so():
    data = estimates(50 + 0.1 * np.array(SIX[0]), 0.1 * np.array(SIX[1]))
    fit = bm.fit(bm.NormalNormal(mu=bm.Uniform(-3, 3), tau=bm.HalfNormal(0.5)), data)
    assert not fit.diagnostics.passed
    assert any("its prior allows" in str(check) for check in fit.diagnostics.failures)


def test_prior_of_mu_with_ends_passes_where_the_data_lie_inside():
    fit = bm.fit(bm.NormalNormal(mu=bm.Uniform(-3, 3), tau=bm.HalfNormal(0.5)), estimates(*SIX))
    assert fit.diagnostics.passed
    assert len(fit.diagnostics.checks) == 2


def test_priors_that_leave_no_room_for_the_data_are_refused():
    model = bm.NormalNormal(mu=bm.Uniform(-3, 3), tau=bm.HalfNormal(0.5))
    with pytest.raises(bm.ModelError, match="leave no room"):
        bm.fit(model, estimates([1e6, 1e6], [0.2, 0.3]))


def test_more_nodes_do_not_change_the_answer():
    model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.LogNormal(-1, 1))
    few, many = (bm.fit(model, estimates(*SIX), bm.Quadrature(nodes=n)) for n in (32, 300))
    q = [0.025, 0.5, 0.975]
    for name in ("mu", "tau", "theta_new"):
        assert_allclose(few[name].quantile(q), many[name].quantile(q), **BRUTE)


@pytest.mark.parametrize(("k", "words"), [(1, "One study"), (2, "With 2 studies"), (4, "With 4")])
def test_few_studies_are_cautioned_about(k, words):
    model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    cautions = bm.fit(model, estimates(SIX[0][:k], SIX[1][:k])).cautions
    assert len(cautions) == 1
    assert words in cautions[0]
    assert "HalfNormal(0.5)" in cautions[0]


def test_five_studies_are_not_cautioned_about():
    model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    assert bm.fit(model, estimates(SIX[0][:5], SIX[1][:5])).cautions == ()


NORMAL = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bm.fit(NORMAL, binary({"A": (1, 5, 2, 6)})), "needs EffectSizes.*effect_sizes"),
        (
            lambda: bm.fit(
                bm.BinomialNormal(measure="OR", mu=NORMAL.mu, tau=NORMAL.tau),
                estimates(*SIX),
                bm.Quadrature(),
            ),
            "BinomialNormal needs counts",
        ),
        (
            lambda: bm.fit(
                bm.CommonEffect(mu=bm.LogNormal(0, 1)), estimates(*SIX), bm.Quadrature()
            ),
            r"cannot take LogNormal\(0, 1\) for mu.*NUTS",
        ),
        (
            lambda: bm.fit(
                bm.NormalNormal(mu=bm.Mixture(0.5, NORMAL.mu, bm.HalfNormal(1)), tau=NORMAL.tau),
                estimates(*SIX),
                bm.Quadrature(),
            ),
            "an edge inside its support.*NUTS",
        ),
        (
            lambda: bm.fit(
                bm.BetaBinomial(mu=NORMAL.mu), binary({"A": (1, 5, 2, 6)}), bm.Quadrature()
            ),
            "cannot fit BetaBinomial with what its studies share",
        ),
        (lambda: bm.fit(estimates(*SIX), NORMAL), "takes a model first"),
        (lambda: bm.Quadrature(nodes=4), "nodes must be a whole number, 8 or more"),
        (lambda: bm.Quadrature(nodes=64.0), "nodes must be a whole number"),
        (lambda: bm.Quadrature(nodes=True), "nodes must be a whole number"),
        (lambda: bm.Quadrature(tolerance=0.0), "tolerance must be positive"),
    ],
)
def test_what_the_exact_engine_cannot_do_is_refused_with_what_would_work(call, words):
    with pytest.raises(bm.ModelError, match=words):
        call()


def test_study_effects_are_integrated_when_asked_for_and_kept():
    data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), data)
    assert list(fit.marginals) == ["mu", "tau", "theta", "theta_new"]
    assert "theta" in fit.marginals
    assert repr(fit.marginals) == "Deferred(mu, tau, theta, theta_new)"
    assert fit["theta"] is fit["theta"]
    again = pickle.loads(pickle.dumps(fit))
    assert again["theta_new"].quantile(0.9) == fit["theta_new"].quantile(0.9)
    assert again["theta"]["B"].mean() == fit["theta"]["B"].mean()


def test_estimates_of_which_rounding_leaves_nothing_are_refused():
    """Estimates of 1e20 with standard errors near 1: logs of 1e40 have no digit after the point."""
    data = bm.EffectSizes.from_arrays("ABC", [-5e16, 1.6e16, -1.1e20], [0.75, 0.23, 1.85])
    model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    with pytest.raises(bm.ModelError, match="no density"):
        bm.fit(model, data)


@pytest.mark.parametrize("df", [3, 30, 200])
@pytest.mark.parametrize("model", ["common", "random"])
def test_a_student_t_prior_far_from_the_data_equals_numerical_integration(df, model):
    """The data lie 50 scales out: the mixture's small precisions carry the posterior."""
    mu, y, se = bm.StudentT(df, 0, 0.1), 5.0, 0.2
    data = estimates([y], [se])
    fit = bm.fit(bm.CommonEffect(mu=mu), data)
    if model == "random":  # a spread that is all but known, added to the sampling error
        fit = bm.fit(bm.NormalNormal(mu=mu, tau=bm.Uniform(0.3, 0.3 + 1e-7)), data)
        se = np.hypot(se, 0.3 + 5e-8)
    x = np.linspace(-2, 9, 220_001)
    log_joint = stats.t(df, 0, 0.1).logpdf(x) + stats.norm(x, se).logpdf(y)
    mass = np.exp(log_joint - log_joint.max())
    total = integrate.trapezoid(mass, x)
    mean = integrate.trapezoid(x * mass, x) / total
    sd = np.sqrt(integrate.trapezoid((x - mean) ** 2 * mass, x) / total)
    assert fit.diagnostics.passed
    assert fit["mu"].mean() == pytest.approx(mean, abs=1e-6 * sd)
    assert fit["mu"].sd() == pytest.approx(sd, rel=1e-6)
    evidence = np.log(total) + log_joint.max()
    assert fit.log_marginal_likelihood == pytest.approx(evidence, abs=1e-6)


def test_the_tail_of_an_unknown_family_is_asked_for():
    class Laplace(Prior):
        __slots__ = ()

        def __repr__(self) -> str:
            return "Laplace()"

    with pytest.raises(bm.ModelError, match=r"density of Laplace\(\) falls is not known"):
        tail_of_tau(Laplace(), 3)
    with pytest.raises(bm.ModelError, match=r"density of Laplace\(\) falls is not known"):
        moments_of_prior(Laplace())


def test_every_family_has_a_tail():
    heavy = {
        bm.Flat: 0,
        bm.Jeffreys: 1,
        bm.LogStudentT: pytest.approx(1, abs=1e-8),
        bm.HalfCauchy: 2,
        bm.StudentT: 3.5,
        bm.HalfT: 3.5,
        bm.InverseGamma: 3.5,
    }
    for family in FAMILIES.values():
        if family is bm.Mixture:
            continue
        numbers = dict(zip((field.name for field in fields(family)), (2.5, 3, 4), strict=False))
        assert tail_of_tau(family(**numbers), 0) == heavy.get(family, np.inf), family
