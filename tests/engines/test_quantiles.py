"""Reported quantiles of a normal sample: their probability against second sources."""

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import gammaln, logsumexp, ndtri

from bayesmeta.engines.likelihood.of_arms._quantile_nodes import log_between
from bayesmeta.engines.likelihood.of_arms.quantiles import (
    COARSE,
    FINE,
    log_probability,
    plan,
    rough_moments,
)
from bayesmeta.errors import DataError
from bayesmeta.studies._quantiles import draw_quantiles, positions

QUARTILES = np.array([0.25, 0.5, 0.75])
FIVE = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
PLACES = [(0, 1), (1, 1), (0, 0.3), (3, 0.5), (-10, 1), (0.3, 5)]


def log_prob(low, high, n, p, mu=0.0, sigma=1.0, kind=7, nodes=FINE):
    arrays = plan([low], [high], [n], p, kind)
    return log_probability(np, arrays, np.array([float(mu)]), np.array([float(sigma)]), nodes)[0]


def by_counts(low, high, ranks, n, mu, sigma):
    """Whole positions: sum over how many values lie between the ends of the intervals."""
    ends = np.unique([*low, *high])
    cells = np.array([-np.inf, *(ends - mu) / sigma, np.inf])
    log_p = [log_between(np, *pair) for pair in zip(cells[:-1, None], cells[1:, None], strict=True)]
    count = np.arange(n + 1)
    more = count[:, None] - count
    state = np.where(count == 0, 0.0, -np.inf)
    for i, cell in enumerate(log_p):
        step = more * cell - gammaln(np.maximum(more, 0) + 1)
        state = logsumexp(np.where(more >= 0, state + step, -np.inf), axis=1)
        for a, b, r in zip(low, high, ranks, strict=True):
            if i < ends.size and ends[i] == a:
                state[count >= r] = -np.inf
            if i < ends.size and ends[i] == b:
                state[count < r] = -np.inf
    return state[n] + gammaln(n + 1)


def below(t, r, g, n, start=-np.inf):
    """Probability that one interpolated quantile of n normals above `start` lies below t."""
    left = stats.norm.cdf(start)
    if t <= start:
        return 0.0
    if g == 0:
        return stats.beta.cdf((stats.norm.cdf(t) - left) / (1 - left), r, n + 1 - r)

    def given(u):
        x = stats.norm.ppf(left + u * (1 - left))
        upper = (stats.norm.cdf((t - (1 - g) * x) / g) - left) / (1 - left)
        return stats.beta.pdf(u, r, n + 1 - r) * (1 - ((1 - upper) / (1 - u)) ** (n - r))

    end, mean = (stats.norm.cdf(t) - left) / (1 - left), r / (n + 1)
    sd = np.sqrt(mean * (1 - mean) / n)
    points = [u for u in (mean - 4 * sd, mean, mean + 4 * sd) if 0 < u < end]
    return integrate.quad(given, 0, end, points=points or None, epsabs=1e-12, limit=200)[0]


def both(low, high, at, n):
    """Probability of two interpolated quantiles, given the upper order statistic of the first."""
    (r1, r2), (g1, g2) = np.floor(at).astype(int), at - np.floor(at)

    def given(u):
        y = stats.norm.ppf(u)
        a, b = (stats.norm.cdf(min((x - g1 * y) / (1 - g1), y)) for x in (low[0], high[0]))
        first = (b / u) ** r1 - (a / u) ** r1
        if first <= 0:
            return 0.0
        second = [below(x, r2 - r1 - 1, g2, n - r1 - 1, y) for x in (low[1], high[1])]
        return first * stats.beta.pdf(u, r1 + 1, n - r1) * (second[1] - second[0])

    points = sorted(stats.norm.cdf([*low, *high]))
    return integrate.quad(given, stats.norm.cdf(low[0]), 1, points=points, epsrel=1e-7)[0]


APART = [(29, [-0.7, -0.05, 0.6], [-0.6, 0.05, 0.7]), (101, [-1, -0.3, 0.5], [-0.5, 0.3, 1])]
TIED = [(29, [-0.5] * 3, [0.5] * 3), (9, [-0.5] * 3, [0.5] * 3), (5, [-0.5] * 3, [0.5] * 3)]
TIED += [(101, [-1] * 3, [1] * 3), (29, [-0.7, -0.7, 0.6], [0.6, 0.6, 0.7])]


@pytest.mark.parametrize(("mu", "sigma"), PLACES)
@pytest.mark.parametrize(("n", "low", "high"), APART + TIED)
def test_whole_positions_are_those_of_counts(n, low, high, mu, sigma):
    exact = by_counts(low, high, positions(n, QUARTILES), n, mu, sigma)
    tied = (n, low, high) in TIED
    assert log_prob(low, high, n, QUARTILES, mu, sigma) == pytest.approx(
        exact, rel=1e-10, abs=2e-5 if tied else 1e-6
    )
    found = log_prob(low, high, n, QUARTILES, mu, sigma, nodes=COARSE)
    assert found == pytest.approx(exact, rel=1e-7, abs=2e-2 if tied else 1e-3)


def test_narrow_intervals_keep_ten_digits():
    low, high = [-0.7, -0.05, 0.6], [-0.6, 0.05, 0.7]
    exact = by_counts(low, high, positions(29, QUARTILES), 29, 0.2, 1.1)
    assert log_prob(low, high, 29, QUARTILES, 0.2, 1.1) == pytest.approx(exact, abs=1e-10)


def test_five_numbers_in_a_small_sample_are_those_of_counts():
    low, high = [-2.5, -1, -0.5, 0.5, 1.5], [-1.5, -0.5, 0.5, 1, 2.5]
    for n in (5, 9, 21):
        exact = by_counts(low, high, positions(n, FIVE), n, 0.1, 1.2)
        assert log_prob(low, high, n, FIVE, 0.1, 1.2) == pytest.approx(exact, abs=1e-5)


@pytest.mark.parametrize("kind", [6, 7])
@pytest.mark.parametrize("n", [5, 6, 8, 12, 14, 30, 50, 200])
@pytest.mark.parametrize(("p", "low", "high"), [(0.25, -0.8, -0.5), (0.5, -0.2, 0.9)])
def test_one_interpolated_quantile_is_that_of_an_integral(n, kind, p, low, high):
    at = float(positions(n, p, kind))
    r, g = int(at), at - int(at)
    exact = np.log(below(high, r, g, n) - below(low, r, g, n))
    assert log_prob([low], [high], n, [p], kind=kind) == pytest.approx(exact, abs=2e-6)
    assert log_prob([low], [high], n, [p], kind=kind, nodes=COARSE) == pytest.approx(
        exact, abs=6e-3
    )


@pytest.mark.deep("integrals within integrals: 4 s in all", but=["tied-*"])
@pytest.mark.parametrize(("n", "kind"), [(5, 6), (8, 7), (12, 7), (50, 7)])
@pytest.mark.parametrize(
    ("low", "high"), [((-0.8, 0.5), (-0.5, 0.9)), ((-0.5, -0.5), (0.5, 0.5))], ids=["apart", "tied"]
)
def test_two_interpolated_quantiles_are_those_of_an_integral(n, kind, low, high):
    at = positions(n, [0.25, 0.75], kind)
    exact = np.log(both(low, high, at, n))
    assert log_prob(low, high, n, [0.25, 0.75], kind=kind) == pytest.approx(exact, abs=5e-6)


@pytest.mark.deep("a million samples a case: 23 s in all", but=["quartiles-6-7"])
@pytest.mark.parametrize("kind", [6, 7])
@pytest.mark.parametrize("n", [3, 4, 5, 6, 7, 8, 12, 14, 50])
@pytest.mark.parametrize("p", [QUARTILES, FIVE], ids=["quartiles", "five"])
def test_wide_boxes_hold_as_many_samples_as_they_should(n, kind, p):
    low, high = np.array([-2.0, -1, -0.5, 0.2, 0.7]), np.array([-0.4, -0.1, 0.6, 1.3, 2.5])
    if p.size == 3:
        low, high = low[1:4], high[1:4]
    drawn = draw_quantiles(0.1, 1.1, n, p, kind, rng=np.random.default_rng(n), size=1_000_000)
    share = np.mean(((drawn > low) & (drawn < high)).all(axis=1))
    exact = np.exp(log_prob(low, high, n, p, 0.1, 1.1, kind))
    assert abs(share - exact) < 4 * np.sqrt(exact * (1 - exact) / 1e6) + 2e-3 * exact * (n < 7)


@pytest.mark.parametrize("kind", [6, 7])
@pytest.mark.parametrize("n", [5, 8, 57])
def test_drawn_quantiles_are_those_of_whole_samples(n, kind):
    rng = np.random.default_rng(3)
    method = {6: "weibull", 7: "linear"}[kind]
    whole = np.quantile(rng.normal(1, 2, (40_000, n)), FIVE, axis=1, method=method).T
    drawn = draw_quantiles(1, 2, n, FIVE, kind, rng=rng, size=40_000)
    for column in range(5):
        assert stats.ks_2samp(whole[:, column], drawn[:, column]).pvalue > 1e-4
    assert np.abs(np.corrcoef(whole.T) - np.corrcoef(drawn.T)).max() < 0.03
    assert draw_quantiles(1, 2, n, FIVE, kind, rng=rng).shape == (5,)


def normal_limit(low, high, n, p):
    z = ndtri(p)
    f = stats.norm.pdf(z)
    covariance = np.minimum.outer(p, p) - np.outer(p, p)
    normal = stats.multivariate_normal(z, covariance / (n * np.outer(f, f)))
    return np.log(normal.cdf(high, lower_limit=low))


def test_the_normal_limit_is_approached():
    gaps = []
    for n in (50, 500, 5000):
        half = 0.2 / np.sqrt(n)
        centre = ndtri(QUARTILES) + np.array([0.8, 0.3, -0.5]) / np.sqrt(n)
        exact = log_prob(centre - half, centre + half, n, QUARTILES)
        gaps.append(abs(exact - normal_limit(centre - half, centre + half, n, QUARTILES)))
    np.testing.assert_allclose(np.array(gaps[:2]) / gaps[1:], 10**0.5, rtol=0.15)
    assert gaps[2] < 0.05


@pytest.mark.parametrize("n", [100_000, 4000])
def test_large_samples_with_coarse_rounding_are_certain(n):
    low, high = [-1.0, -0.3, 0.5], [-0.5, 0.3, 1.0]
    assert log_prob(low, high, n, QUARTILES) == pytest.approx(0, abs=2e-6)


def test_definitions_differ_in_small_samples_and_agree_at_the_median():
    box = ([-1.4, 1.1], [-1.1, 1.4], 12, [0.25, 0.75])
    assert abs(log_prob(*box, kind=6) - log_prob(*box, kind=7)) > 0.05
    box = ([-0.8], [-0.5], 12, [0.5])
    assert log_prob(*box, kind=6) == log_prob(*box, kind=7)
    with pytest.raises(DataError, match="6 or 7"):
        positions(10, 0.5, 8)


@pytest.mark.parametrize("kind", [6, 7])
@pytest.mark.parametrize("n", [12, 30, 57])
def test_shift_scale_and_reflection_change_nothing(n, kind):
    low, high = np.array([-2.1, -1, -0.4, 0.5, 1.9]), np.array([-1.9, -0.5, 0.1, 0.7, 2.3])
    plain = log_prob(low, high, n, FIVE, 0.3, 1.2, kind)
    moved = log_prob(7 + 3 * low, 7 + 3 * high, n, FIVE, 7 + 0.9, 3.6, kind)
    turned = log_prob(-high[::-1], -low[::-1], n, FIVE, -0.3, 1.2, kind)
    assert moved == pytest.approx(plain, abs=1e-9)
    assert turned == pytest.approx(plain, abs=2e-5)


def test_arms_may_report_less_or_nothing():
    nan = np.nan
    low = [[nan, 0.1, 0.5, 1.2, nan], [nan, nan, 0.5, nan, nan], [nan] * 5]
    high = [[nan, 0.2, 0.6, 1.3, nan], [nan, nan, 0.6, nan, nan], [nan] * 5]
    found = log_probability(np, plan(low, high, [40, 41, 30]), np.full(3, 0.4), np.ones(3))
    alone = [
        log_prob(low[0][1:4], high[0][1:4], 40, QUARTILES, 0.4),
        log_prob([0.5], [0.6], 41, [0.5], 0.4),
    ]
    np.testing.assert_allclose(found, [*alone, 0.0], rtol=0, atol=1e-8)


def test_impossible_bounds_have_no_probability():
    assert log_prob([1.0, 0.0], [1.1, 0.1], 20, [0.25, 0.5]) == -np.inf


def test_rough_moments_are_near():
    drawn = draw_quantiles(3, 2, 400, FIVE, rng=np.random.default_rng(5))
    mean, sd = rough_moments([drawn, [np.nan, np.nan, 3.5, np.nan, np.nan]], [400, 20])
    np.testing.assert_allclose(mean, [3, 3.5], atol=0.3)
    assert sd[0] == pytest.approx(2, abs=0.3)
    assert np.isnan(sd[1])


def table():
    rng, p = np.random.default_rng(1), QUARTILES[:2]  # two compile in half the time of three
    n = np.array([6, 9, 12, 30, 57, 1000])
    q = np.array([np.round(np.quantile(rng.normal(5, 2, size), p), 1) for size in n])
    low, high = q - 0.05, q + 0.05
    low[1, 0] = high[1, 0] = np.nan
    return plan(low, high, n, p), np.full(6, 5.3), np.linspace(1.5, 3, 6)


@pytest.mark.deep("three compilers: 6 s, 20 where nothing is stored")
def test_jax_and_pytensor_agree_with_numpy_and_slopes_with_differences():
    import jax
    import jax.numpy as jnp
    import pytensor
    import pytensor.tensor as pt

    from bayesmeta.engines.compiled.precision import float64
    from bayesmeta.engines.graph.quantile_op import QuantileLogProbability

    arrays, mu, sigma = table()
    exact = log_probability(np, arrays, mu, sigma, COARSE)
    step = 1e-5
    slopes = [
        (
            log_probability(np, arrays, mu + a * step, sigma + b * step, COARSE)
            - log_probability(np, arrays, mu - a * step, sigma - b * step, COARSE)
        )
        / (2 * step)
        for a, b in ((1, 0), (0, 1))
    ]
    variables = pt.dtensor3(), pt.dvector(), pt.dvector()
    graph = QuantileLogProbability()(*variables)
    outputs = [graph, *pt.grad(graph.sum(), list(variables[1:]))]
    plain = pytensor.function(variables, outputs, mode="FAST_COMPILE")(arrays, mu, sigma)
    np.testing.assert_allclose(plain[0], exact, rtol=0, atol=1e-10)
    for found, difference in zip(plain[1:], slopes, strict=True):
        np.testing.assert_allclose(found, difference, rtol=2e-2, atol=2e-2)
    with float64():
        linked = jax.jit(lambda *a: log_probability(jnp, *a, COARSE))
        np.testing.assert_allclose(linked(arrays, mu, sigma), exact, rtol=1e-12, atol=1e-10)
        total = jax.jit(jax.grad(lambda m, s: linked(arrays, m, s).sum(), argnums=(0, 1)))
        for m, s in ((1e4, 1.0), (-50.0, 0.01), (5.0, 1e-3), (5.0, 1e4), (0.0, 30.0)):
            assert all(np.isfinite(g).all() for g in total(np.full(6, m), np.full(6, s)))
