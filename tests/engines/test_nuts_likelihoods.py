"""Every likelihood as NUTS samples it: against SciPy, the exact engine and brute force."""

import numpy as np
import pytest
from agreement import PROBS, assert_agree, assert_quantiles
from references import binary, numbered
from scipy import special, stats
from tolerances import STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta import simulate
from bayesmeta.engines import pymc_source
from bayesmeta.engines.compiled.precision import float64

MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
SHARED = bm.Exchangeable(bm.Normal(0, 10), bm.HalfNormal(1))
TRIALS = binary(
    {
        "A": (2, 25, 5, 24),
        "B": (0, 30, 2, 31),
        "C": (7, 40, 11, 38),
        "D": (1, 18, 4, 20),
        "E": (9, 52, 9, 50),
        "F": (3, 33, 0, 29),
    }
)
TIMES = bm.PersonTimeStudies(
    study=numbered(6),
    events_treatment=[3, 0, 9, 4, 12, 1],
    time_treatment=[120.5, 40.0, 300.0, 80.0, 410.0, 66.0],
    events_control=[5, 2, 7, 9, 15, 4],
    time_control=[110.0, 42.5, 280.0, 83.0, 400.0, 70.0],
)
ARMS = bm.ProportionStudies(
    study=numbered(6), events=[3, 0, 12, 7, 1, 20], n=[20, 15, 60, 31, 9, 88]
)
RATES = bm.IncidenceStudies(
    study=numbered(6), events=[3, 0, 12, 7, 1, 20], time=[20.5, 15, 60.25, 31, 9, 88]
)
ESTIMATES = bm.EffectSizes.from_arrays(
    numbered(6), [0.3, -0.4, 0.1, 1.5, 0.2, 0.0], [0.2, 0.3, 0.1, 0.2, 0.4, 0.3]
)


def counts(measure="OR", **settings):
    return bm.BinomialNormal(measure=measure, mu=MU, tau=TAU, **settings)


SMALL = {"mu": bm.Normal(0, 1), "tau": bm.HalfNormal(0.3)}
RD = bm.BinomialNormal(measure="RD", **SMALL)
RARE = {"mu": bm.Normal(-2, 2), "tau": bm.HalfNormal(1)}
MODELS = {
    "hypergeometric": (bm.HypergeometricNormal(mu=MU, tau=TAU), TRIALS),
    "poisson": (bm.PoissonNormal(mu=MU, tau=TAU), TIMES),
    "proportion": (bm.ProportionNormal(**RARE), ARMS),
    "incidence": (bm.IncidenceNormal(**RARE), RATES),
    "RD": (RD, TRIALS),
    "zero_one": (counts(coding="zero_one"), TRIALS),
    "t4": (counts(df=4), TRIALS),
    "normal t4": (bm.NormalNormal(mu=MU, tau=TAU, df=4), ESTIMATES),
    "hypergeometric t4": (bm.HypergeometricNormal(mu=MU, tau=TAU, df=4), TRIALS),
    "exchangeable": (counts(baseline=SHARED), TRIALS),
    "exchangeable RR": (counts("RR", baseline=SHARED), TRIALS),
    "beta-binomial": (bm.BetaBinomial(mu=MU), TRIALS),
}
OTHERS = {  # printed only: the rest of what a model can be
    "common": (bm.CommonEffect(mu=MU), ESTIMATES),
    "normal": (bm.NormalNormal(mu=MU, tau=TAU), ESTIMATES),
    "OR": (counts(), TRIALS),
    "RR": (counts("RR"), TRIALS),
    "exchangeable RD": (counts("RD", baseline=SHARED, df=3), TRIALS),
    "poisson t4": (bm.PoissonNormal(mu=MU, tau=TAU, df=4), TIMES),
    "proportion t4": (bm.ProportionNormal(**RARE, df=4), ARMS),
    "incidence t4": (bm.IncidenceNormal(**RARE, df=4), RATES),
    "beta rho": (bm.BetaBinomial(mu=MU, baseline=bm.Normal(-1, 2), rho=bm.Beta(1, 9)), TRIALS),
}


def named(cases):
    return pytest.mark.parametrize(("model", "data"), cases.values(), ids=cases)


def graph(model, data):
    from bayesmeta.engines.graph.build import build
    from bayesmeta.engines.sampling.inputs import columns_for

    return build(model, data.study, columns_for(model, data))


def made(model, data):
    from bayesmeta.engines.graph.functions import density

    return density(graph(model, data))


def somewhere(shapes, seed):
    """Positions where SciPy keeps its digits: its risks near 1 round off."""
    rng = np.random.default_rng(seed)
    return [
        {name: rng.normal(scale=spread, size=shape) for name, shape in shapes.items()}
        for spread in (0.2, 0.7)
    ]


def arms(data):
    return [data.numbers[name] for name in data.columns()]


def binomial(theta, position, model, data):
    if "baseline_z" in position:
        sd = np.exp(position["baseline_sd_log__"])
        beta = position["baseline_mean"] + sd * position["baseline_z"]
    else:
        beta = position["baseline"]
    a, n1, c, n0 = arms(data)
    p1, p0 = simulate.risks(theta, beta, model.likelihood.link)
    return stats.binom.logpmf(a, n1, p1) + stats.binom.logpmf(c, n0, p0)


def hypergeometric(theta, _position, _model, data):
    a, n1, c, n0 = arms(data)
    return stats.nchypergeom_fisher.logpmf(a, n1 + n0, n1, a + c, np.exp(theta))


def poisson(theta, position, _model, data):
    a, t1, c, t0 = arms(data)
    beta = position["baseline"]
    treatment = stats.poisson.logpmf(a, t1 * np.exp(beta + theta / 2))
    return treatment + stats.poisson.logpmf(c, t0 * np.exp(beta - theta / 2))


def proportion(theta, _position, _model, data):
    events, n = arms(data)
    return stats.binom.logpmf(events, n, special.expit(theta))


def incidence(theta, _position, _model, data):
    events, time = arms(data)
    return stats.poisson.logpmf(events, time * np.exp(theta))


def normal(theta, _position, _model, data):
    return stats.norm.logpdf(data.y, theta, data.se)


def beta_binomial(_theta, position, _model, data):
    a, n1, c, n0 = arms(data)
    rho = special.expit(position["rho_interval__"])
    size = (1 - rho) / rho
    total = 0
    for r, n, sign in ((a, n1, 1), (c, n0, -1)):
        p = special.expit(position["baseline"] + sign * position["mu"] / 2)
        total = total + stats.betabinom.logpmf(r, n, size * p, size * (1 - p))
    return total


BY_HAND = {
    bm.BinomialNormal: binomial,
    bm.HypergeometricNormal: hypergeometric,
    bm.PoissonNormal: poisson,
    bm.ProportionNormal: proportion,
    bm.IncidenceNormal: incidence,
    bm.NormalNormal: normal,
    bm.BetaBinomial: beta_binomial,
}


@pytest.mark.deep(
    "a graph for each likelihood: 5 s in all",
    only=["hypergeometric t4", "exchangeable RR", "normal t4", "zero_one"],
)
@named(MODELS)
def test_the_likelihood_of_each_study_is_that_of_scipy(model, data):
    with float64():
        density = made(model, data)
        for position in somewhere(density.shapes, 1):
            theta = None
            if "z" in position:
                theta = position["mu"] + np.exp(position["tau_log__"]) * position["z"]
            by_hand = BY_HAND[type(model)](theta, position, model, data)
            found = density.log_likelihood(position, density.data)
            np.testing.assert_allclose(found, by_hand, rtol=1e-9, atol=1e-9)


@pytest.mark.deep(
    "two graphs for each model: 6 s in all",
    but=[
        "hypergeometric",
        "poisson",
        "proportion",
        "incidence",
        "RD",
        "normal t4",
        "exchangeable",
        "beta-binomial",
        "common",
    ],
)
@named(MODELS | OTHERS)
def test_the_printed_source_runs_as_it_stands_and_is_the_model_that_is_sampled(model, data):
    with float64():
        space = {"study": list(data.study), **data.numbers}
        exec(pymc_source(model), space)
        printed, sampled = log_density_of(space["model"]), log_density_of(graph(model, data))
        start = space["model"].initial_point()
        for point in (start, {name: np.asarray(x) + 0.3 for name, x in start.items()}):
            # PyTensor folds the literal numbers of printed priors in single precision.
            assert float(printed(point)) == pytest.approx(float(sampled(point)), abs=1e-5)


def log_density_of(model):
    return model.compile_logp(mode=as_it_stands())


def as_it_stands():
    """Interpret the graph in Python: compiling takes longer than calling it twice."""
    from pytensor.compile.mode import Mode

    return Mode("py", None)


def test_the_beta_binomial_tends_to_the_binomial_where_beta_functions_lose_their_digits():
    model, data = MODELS["beta-binomial"]
    a, n1, c, n0 = arms(data)
    with float64():
        density = made(model, data)
        for log_odds, atol in ((-20.0, 1e-5), (-30.0, 1e-9), (-40.0, 1e-12), (-300.0, 1e-12)):
            position = {"mu": -0.4, "baseline": -1.1, "rho_interval__": np.float64(log_odds)}
            found = density.log_likelihood(position, density.data)
            by_hand = stats.binom.logpmf(a, n1, special.expit(-1.3))
            by_hand += stats.binom.logpmf(c, n0, special.expit(-0.9))
            np.testing.assert_allclose(found, by_hand, rtol=1e-12, atol=atol)


def test_the_beta_binomial_in_pymc_draws_what_scipy_says():
    from bayesmeta.engines.graph.counts import beta_binomial_random

    n, rho, rng = np.array([8.0, 40.0]), np.array([0.15]), np.random.default_rng(3)
    many = beta_binomial_random(n, np.full(2, -0.7), rho, rng=rng, size=(4000, 2))
    p, size = special.expit(-0.7), 0.85 / 0.15
    for drawn, one in zip(many.T, n, strict=True):
        assert_drawn(drawn, np.arange(one + 1), stats.betabinom(one, size * p, size * (1 - p)).pmf)
    model, data = MODELS["beta-binomial"]
    with float64():
        import pymc as pm

        observed = graph(model, data).observed_RVs
        assert (pm.draw(observed[0], random_seed=1, mode=as_it_stands()) <= data.n_treatment).all()


def assert_drawn(drawn, value, pmf):
    """Counts drawn as often as expected (chi-square)."""
    seen = (drawn[:, None] == value).sum(axis=0)
    assert seen.sum() == drawn.size
    expected = drawn.size * pmf(value)
    cell = np.cumsum(expected) // 5  # neighbours share a cell until 5 draws are expected in it
    cells = [np.bincount(np.unique(cell, return_inverse=True)[1], x) for x in (seen, expected)]
    assert stats.chisquare(*cells).pvalue > 1e-3


def test_fishers_distribution_in_pymc_draws_what_scipy_says():
    import pymc as pm

    rows = {"a": (3, 20, 5, 25), "b": (1, 8, 9, 12), "all": (6, 6, 9, 15), "none": (0, 9, 0, 7)}
    data, draws = binary(rows), 4000
    log_odds = np.array([0.7, -1.5, 0.4, 2.0])
    with float64():
        observed = graph(bm.HypergeometricNormal(mu=MU, tau=TAU), data).observed_RVs[0]
        theta = observed.owner.inputs[2]
        many = pm.draw(
            observed, draws, givens={theta: log_odds}, random_seed=3, mode=as_it_stands()
        )
    assert not many[:, 3].any()
    for drawn, odds, (a, n1, c, n0) in zip(
        many.T[:3], np.exp(log_odds), rows.values(), strict=False
    ):
        fisher = stats.nchypergeom_fisher(n1 + n0, n1, a + c, odds)
        value = np.arange(fisher.support()[0], fisher.support()[1] + 1)
        assert_drawn(drawn, value, fisher.pmf)


@pytest.mark.deep("a sum over 128 counts is traced: 1 s")
def test_a_hypergeometric_program_sums_over_no_more_counts_than_a_table_may_hold():
    from bayesmeta.engines.sampling.inputs import columns_for

    model = bm.HypergeometricNormal(mu=MU, tau=TAU)
    assert columns_for(model, TRIALS)["count"].size == 64
    lopsided = binary({"large arm": (90_000, 100_000, 70, 99), "small": (1, 9, 2, 9)})
    assert columns_for(model, lopsided)["count"].size == 128
    widest = binary({"edge": (40, 64, 40, 90)})
    assert columns_for(model, widest)["count"].size == 128
    with float64():
        density = made(model, lopsided)
        position = {"mu": 5.0, "tau_log__": -1.0, "z": np.array([0.5, -0.5])}
        theta = position["mu"] + np.exp(-1.0) * position["z"]
        found = density.log_likelihood(position, density.data)
        np.testing.assert_allclose(found, hypergeometric(theta, {}, model, lopsided), rtol=1e-8)


FITTED = ("hypergeometric", "poisson", "proportion", "incidence", "RD")
BOTH = counts(coding="zero_one", df=4)


@pytest.mark.deep("a program for each likelihood: 1 to 6 s", but=["poisson"])
@named({name: MODELS[name] for name in FITTED} | {"zero_one t4": (BOTH, TRIALS)})
def test_nuts_agrees_with_the_exact_engine(model, data):
    assert_agree(bm.fit(model, data, bm.NUTS(seed=6, target_accept=0.95)), bm.fit(model, data))


def assert_weighted(drawn, name, values, weights):
    """Draws of `name` against points with posterior weights: mean and three probabilities."""
    row = drawn.convergence[name]
    assert row["ess_bulk"] >= 400
    mean = weights @ values
    assert abs(drawn[name].mean() - mean) <= STANDARD_ERRORS * row["mcse_mean"], name
    order = np.argsort(values)
    below = np.cumsum(weights[order]) - weights[order] / 2
    quantiles = np.interp(PROBS, below, values[order])
    assert_quantiles(drawn.draws()["posterior"][name].values, quantiles, name)


@pytest.mark.deep("a dense grid in three dimensions, and a program: 1 s")
def test_the_beta_binomial_model_by_nuts_is_that_of_a_dense_grid():
    model = bm.BetaBinomial(mu=bm.Normal(0, 1), baseline=bm.Normal(-1, 2), rho=bm.Beta(1, 4))
    a, n1, c, n0 = (column[:, None, None] for column in arms(TRIALS))
    logit, log_odds_rho = np.linspace(-6, 3, 121), np.linspace(-12, 3, 91)
    rho, p = special.expit(log_odds_rho), special.expit(logit)[:, None]
    size = (1 - rho) / rho
    treatment, control = (
        stats.betabinom.logpmf(r, n, p * size, (1 - p) * size).sum(axis=0)
        for r, n in ((a, n1), (c, n0))
    )
    mu, baseline = logit[:, None] - logit, (logit[:, None] + logit) / 2
    prior = stats.norm.logpdf(mu) + stats.norm.logpdf(baseline, -1, 2)
    of_rho = stats.beta.logpdf(rho, 1, 4) + np.log(rho) + np.log1p(-rho)  # times the Jacobian
    log_p = prior[..., None] + of_rho + treatment[:, None] + control[None, :]
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    drawn = bm.fit(model, TRIALS, bm.NUTS(seed=2))
    assert drawn.diagnostics.passed
    each = np.unique(np.round(mu, 6), return_inverse=True)
    assert_weighted(drawn, "mu", each[0], np.bincount(each[1].ravel(), p.sum(axis=2).ravel()))
    assert_weighted(drawn, "rho", rho, p.sum(axis=(0, 1)))
    each = np.unique(np.round(baseline, 6), return_inverse=True)
    assert_weighted(drawn, "baseline", each[0], np.bincount(each[1].ravel(), p.sum(axis=2).ravel()))


def test_exchangeable_baselines_by_nuts_are_those_of_importance_sampling():
    rows = {"A": (2, 12, 4, 13), "B": (1, 10, 3, 11), "C": (5, 14, 6, 12)}
    unit = stats.qmc.Sobol(4, seed=1).random_base2(12).T
    centres, spread = (stats.t(5, -0.6, 0.9), stats.t(5, -0.8, 0.7)), stats.halfnorm
    mu, mean = (law.ppf(u) for law, u in zip(centres, unit, strict=False))
    tau, sd = spread.ppf(unit[2], 0, 0.5), spread.ppf(unit[3])  # from their priors
    log_w = stats.norm.logpdf(mu, 0, 2) + stats.norm.logpdf(mean, 0, 10)
    log_w -= centres[0].logpdf(mu) + centres[1].logpdf(mean)
    log_w += log_evidence(rows.values(), mu, tau, mean, sd)
    w = np.exp(log_w - log_w.max())
    w /= w.sum()
    assert 1 / (w @ w) > 1000  # worth that many draws, and far more: the points are a lattice
    drawn = bm.fit(counts(baseline=SHARED), binary(rows), bm.NUTS(seed=2, target_accept=0.95))
    assert drawn.diagnostics.passed
    for name, values in {"mu": mu, "tau": tau, "baseline_mean": mean, "baseline_sd": sd}.items():
        assert_weighted(drawn, name, values, w)


def log_evidence(rows, mu, tau, mean, sd):
    """Log probability of the tables, effects and baselines integrated by Gauss-Hermite."""
    (z, w), (x, v) = (np.polynomial.hermite_e.hermegauss(n) for n in (20, 40))
    half = ((mu[:, None] + tau[:, None] * z) / 2)[..., None]
    beta = (mean[:, None] + sd[:, None] * x)[:, None, :]
    weight = np.outer(w, v) / (w.sum() * v.sum())
    total = 0.0
    logs = [special.log_expit(s * (beta + t * half)) for t in (1, -1) for s in (1, -1)]
    for a, n1, c, n0 in rows:
        each = sum(n * log for n, log in zip((a, n1 - a, c, n0 - c), logs, strict=True))
        total = total + np.log((weight * np.exp(each)).sum(axis=(1, 2)))
    return total
