"""Joint draws from the grid: each parameter has its distribution given those drawn before it."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import binary, estimates
from scipy import stats
from scipy.special import expit, logsumexp, xlog1py, xlogy
from tolerances import DRAWS, DRAWS_GIVEN

import bayesmeta as bm
from bayesmeta.engines.nodes.even import even
from bayesmeta.engines.nodes.inversion import Family, invert_rows
from bayesmeta.simulate import risks

DRAWN = 1000
LEVEL = 0.01 / 5  # of each test: all together at 1%
BASELINE = bm.Normal(-0.4, 1.3)


def assert_uniform(values):
    assert stats.kstest(values, "uniform").pvalue > LEVEL


def share_below(drawn, at, log_p):
    """Probability below each draw under the densities known at `at`, (n,), up to a constant."""
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    below = np.where(at <= drawn[:, None], p, 0.0).sum(axis=1)
    return below / p.sum(axis=1)


@pytest.mark.deep("a hundred thousand draws: 1 s, 200 MB")
def test_study_effects_follow_estimate_and_student_t_together():
    df = 3.0
    y, se = [0.1, -0.2, 2.5], [0.3, 0.2, 0.3]
    model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5), df=df)
    group = bm.fit(model, estimates(y, se)).draws(DRAWN, seed=5)["posterior"]
    mu, tau = (group[name].values.ravel()[:, None] for name in ("mu", "tau"))
    at = np.linspace(-3, 5, 1201)
    log_p = stats.norm.logpdf(at, y[2], se[2]) - 0.5 * (df + 1) * np.log1p(
        ((at - mu) / tau) ** 2 / df
    )
    theta = group["theta"].values.reshape(DRAWN, -1)[:, 2]
    assert_uniform(share_below(theta, at, log_p))


def test_baselines_follow_the_counts_given_the_study_effects():
    rows = [(3, 12, 8, 20), (0, 15, 4, 11), (5, 40, 9, 42)]
    studies = binary({str(i): row for i, row in enumerate(rows)})
    model = bm.BinomialNormal(
        measure="OR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5), baseline=BASELINE
    )
    group = bm.fit(model, studies).draws(DRAWN, seed=6)["posterior"]
    at = np.linspace(-8, 6, 801)
    for i, (a, n1, c, n0) in enumerate(rows):
        theta, beta = (
            group[name].values.reshape(DRAWN, -1)[:, i] for name in ("theta", "baseline")
        )
        half = theta[:, None] / 2
        log_p = stats.norm.logpdf(at, BASELINE.mean, BASELINE.sd)
        for events, n, p in ((a, n1, expit(at + half)), (c, n0, expit(at - half))):
            log_p = log_p + events * np.log(p) + (n - events) * np.log1p(-p)
        assert_uniform(share_below(beta, at, log_p))


SOFT = [(3, 14, 8, 20), (0, 15, 4, 11), (15, 40, 19, 42)]  # no corner in RR or RD
TABLES = {"OR": SOFT, "RR": SOFT, "RD": [(13, 24, 11, 20), (9, 35, 14, 31), (15, 40, 19, 42)]}
MEANS = [
    ((0.1, 1.0, 12), (0.6, 1.4, 9)),
    ((-0.4, 0.9, 30), (0.3, 1.1, 28)),
    ((0.2, 2, 7), (0, 1, 8)),
]


def arms(rows):
    columns = {"study": [str(i) for i in range(len(rows))]}
    for j, arm in enumerate(("treatment", "control")):
        for place, what in enumerate(("mean", "sd", "n")):
            columns[f"{what}_{arm}"] = [row[j][place] for row in rows]
    return bm.ContinuousStudies(**columns)


def of_counts(measure, **settings):
    studies = binary({str(i): row for i, row in enumerate(TABLES[measure])})
    return bm.BinomialNormal(measure=measure, **PRIORS, baseline=BASELINE, **settings), studies


PRIORS = {"mu": bm.Normal(0, 2), "tau": bm.HalfNormal(0.5)}
THREE = estimates([0.1, -0.2, 0.9], [0.3, 0.2, 0.3])
FITS = {
    "OR": of_counts("OR"),
    "RR": of_counts("RR"),
    "RD": of_counts("RD"),
    "OR, Student-t effects": of_counts("OR", df=8),
    "MD": (bm.ContinuousNormal(measure="MD", **PRIORS), arms(MEANS)),
    "estimates": (bm.NormalNormal(**PRIORS), THREE),
    "estimates, Student-t effects": (bm.NormalNormal(**PRIORS, df=5), THREE),
}


@cache
def drawn(name):
    """An exact posterior, and so many even draws that they have its moments to three digits."""
    exact = bm.fit(*FITS[name])
    return exact, {key: values[0] for key, values in exact.sample(2**16, 5).items()}


@pytest.mark.deep(
    "a hundred thousand draws and their marginals: 1 to 5 s a model", but=["estimates"]
)
@pytest.mark.parametrize("name", FITS)
def test_many_draws_spread_as_the_marginals_do(name):
    exact, draws = drawn(name)
    for key in ("mu", "tau"):
        mean, sd = exact[key].mean(), exact[key].sd()
        assert_allclose((draws[key].mean() - mean) / sd, 0, **DRAWS)
        assert_allclose(draws[key].std() / sd, 1, **DRAWS)
    mean, sd = exact["theta"].mean(), exact["theta"].sd()
    assert_allclose((draws["theta"].mean(axis=0) - mean) / sd, 0, **DRAWS)
    assert_allclose(draws["theta"].std(axis=0) / sd, 1, **DRAWS)


def given_effect(measure, row, theta, beta):
    """Log density of baselines given effects, up to a constant: binomial arms times the prior."""
    log_p = stats.norm.logpdf(beta, BASELINE.mean, BASELINE.sd)
    pair = risks(theta, beta, "OR half" if measure == "OR" else measure)
    for events, n, p in zip(row[::2], row[1::2], pair, strict=True):
        log_p = log_p + xlogy(events, p) + xlog1py(n - events, -p)
    return log_p


@pytest.mark.deep("a hundred thousand baselines: 1 s a measure")
@pytest.mark.parametrize("measure", TABLES)
def test_many_baselines_spread_as_two_dimensional_quadrature_says(measure):
    exact, draws = drawn(measure)
    x, w = np.polynomial.legendre.leggauss(200)
    beta = np.linspace(-8, 8, 1601)
    for i, row in enumerate(TABLES[measure]):
        low, high = exact["theta"][i].quantile([1e-9, 1 - 1e-9])
        theta = (low + high + (high - low) * x) / 2
        log_p = given_effect(measure, row, theta[:, None], beta)
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        p *= (w * exact["theta"][i].pdf(theta) / p.sum(axis=1))[:, None]
        at_beta = p.sum(axis=0) / p.sum()
        mean = at_beta @ beta
        sd = np.sqrt(at_beta @ (beta - mean) ** 2)
        own = draws["baseline"][:, i]
        assert_allclose([(own.mean() - mean) / sd, own.std() / sd - 1], 0, **DRAWS)


def test_a_baseline_given_its_effect_spreads_as_quadrature_says():
    _, draws = drawn("OR")
    beta = np.linspace(-8, 8, 1601)
    for i, row in enumerate(TABLES["OR"]):
        theta, own = draws["theta"][:, i], draws["baseline"][:, i]
        at = np.linspace(theta.min(), theta.max(), 400)
        log_p = given_effect("OR", row, at[:, None], beta)
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        mean = p @ beta
        sd = np.sqrt(p @ beta**2 - mean**2)
        z = (own - np.interp(theta, at, mean)) / np.interp(theta, at, sd)
        assert_allclose([z.mean(), z.std() - 1], 0, **DRAWS_GIVEN)


@pytest.mark.deep("sorts a hundred thousand draws: 4 s")
def test_mu_given_tau_and_effects_given_both_have_their_closed_forms_on_the_grid():
    """So many degrees of freedom are normal effects, on the grid all the same."""
    prior = bm.Normal(0.3, 0.4)
    model = bm.NormalNormal(mu=prior, tau=bm.HalfNormal(0.5), df=1e7)
    draws = {key: values[0] for key, values in bm.fit(model, THREE).sample(2**16, 5).items()}
    mu, t2 = draws["mu"][:, None], draws["tau"][:, None] ** 2
    weight = 1 / (THREE.se**2 + t2)
    total = weight.sum(axis=1) + prior.sd**-2
    mean = (weight @ THREE.y + prior.mean * prior.sd**-2) / total
    z = (draws["mu"] - mean) * np.sqrt(total)
    assert_allclose([z.mean(), z.std() - 1], 0, **DRAWS_GIVEN)
    own = t2 / (t2 + THREE.se**2)
    z = (draws["theta"] - own * THREE.y - (1 - own) * mu) / np.sqrt(own * THREE.se**2)
    assert_allclose(z.mean(axis=0), 0, **DRAWS_GIVEN)
    assert_allclose(z.std(axis=0), 1, **DRAWS_GIVEN)


def rare(row, theta, beta):
    """Log of the counts' probability times the baseline's prior for a risk difference."""
    p1, p0 = risks(np.full_like(beta, theta), beta, "RD")
    log_p = stats.norm.logpdf(beta, 0, 10)
    for events, n, p in zip(row[::2], row[1::2], (p1, p0), strict=True):
        log_p = log_p + xlogy(events, p) + xlog1py(n - events, -np.minimum(p, 1 - 1e-16))
    return log_p


@pytest.mark.deep("corners on the grid: 2 s")
def test_effects_beside_a_corner_are_drawn_as_quadrature_says():
    """Double zeros of a risk difference: given mu and tau, by dense sums on either side of zero."""
    row = (0, 25, 0, 24)
    model = bm.BinomialNormal(measure="RD", mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.3))
    exact = bm.fit(model, binary({"a": row, "b": (0, 31, 1, 30), "c": (12, 31, 11, 30)}))
    draws = {key: values[0] for key, values in exact.sample(2**13, 5).items()}
    mu, tau, theta = draws["mu"], draws["tau"], draws["theta"][:, 0]
    fine = np.concatenate([-np.geomspace(3, 1e-8, 1500), [0.0], np.geomspace(1e-8, 3, 1500)])
    beta = np.linspace(-40, 10, 2001)
    log_l = np.array([logsumexp(rare(row, one, beta)) for one in fine])
    z = []
    for one in range(0, mu.size, 8):
        log_p = log_l - 0.5 * ((fine - mu[one]) / tau[one]) ** 2
        p = np.exp(log_p - log_p.max()) * np.gradient(fine)
        below = np.concatenate([[0.0], np.cumsum((p[1:] + p[:-1]) / 2)])
        z.append(np.interp(theta[one], fine, below / below[-1]))
    assert_uniform(np.array(z))


def test_a_density_known_at_uneven_points_is_inverted_as_it_is():
    grid = np.concatenate([np.linspace(0, 1, 400), np.geomspace(1.001, 40, 80)])
    rows = np.tile(grid, (DRAWN, 1))
    u = (np.arange(DRAWN) + 0.5) / DRAWN
    below = stats.expon.cdf(invert_rows(rows, -rows, u))
    assert_allclose(below, u, atol=1e-5)


def test_a_family_of_distributions_is_interpolated_and_inverted_between_its_nodes():
    """Normal distributions whose mean and SD change with a variable, from 31 of its values."""
    at, x = np.linspace(0, 1, 31), np.arange(200.0)
    mean, sd = 100 + 20 * at**2, 8 + 3 * np.sin(at)
    family = Family.of(at, np.exp(-0.5 * ((x - mean[:, None]) / sd[:, None]) ** 2))
    asked, u = np.meshgrid([0.04, 0.33, 0.85, 0.97], [1e-6, 0.03, 0.5, 0.81, 1 - 1e-6])
    found = family.quantile(asked.ravel(), u.ravel())
    known = stats.norm(100 + 20 * asked**2, 8 + 3 * np.sin(asked)).ppf(u)
    assert_allclose(found, known.ravel(), atol=1e-3)


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize(("n", "power"), [(1, 0), (2, 1), (100, 7), (5000, 13)])
def test_one_or_two_columns_of_even_points_are_those_of_scipy_to_the_bit(columns, n, power):
    rng = np.random.default_rng(9)
    points = stats.qmc.Sobol(columns, rng=rng).random_base2(power)[:n]
    wanted = np.clip(rng.permutation(points), 2.0**-32, 1 - 2.0**-32)
    np.testing.assert_array_equal(even(n, columns, seed=9), wanted)


def test_even_points_fill_the_cube_in_random_order():
    points = even(4096, 5, seed=3)
    cells = np.stack([np.floor(points[:, i] * 4096) for i in range(5)])
    assert all(np.unique(row).size == 4096 for row in cells)  # one in each of 4,096 strips
    assert ((points > 0) & (points < 1)).all()
    order = points[:, 0]
    assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 4 / 64
    np.testing.assert_array_equal(points, even(4096, 5, seed=3))
    assert not np.array_equal(points, even(4096, 5, seed=4))
    assert even(1, 3, seed=0).shape == (1, 3)
    assert even(1, 2, seed=0).shape == (1, 2)
    assert even(3, 21_203, seed=0).shape == (3, 21_203)
