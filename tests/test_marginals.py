"""What must be true of every marginal: density, distribution, quantiles and moments agree."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from references import MAIN_TRIALS, binary, estimates
from scipy import integrate, stats

import bayesmeta as bm
from bayesmeta.posterior import GridDensity, MappedDensity, SupportMap

SPARSE = binary({"A": (0, 25, 1, 24), "B": (0, 31, 0, 30), "C": (12, 31, 11, 30)})
THREE = binary({"A": (9, 60, 14, 61), "B": (4, 40, 9, 42), "C": (12, 70, 13, 66)})
NORMAL = estimates([-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])


MU, TAU = bm.Normal(0, 1), bm.HalfNormal(0.3)
SPIKE_AND_SLAB = bm.Mixture(0.5, bm.Normal(0, 1e-3), bm.Normal(0, 2))


def counts(measure, mu=MU, tau=TAU, **more):
    return bm.BinomialNormal(measure=measure, mu=mu, tau=tau, **more)


FITS = {
    "OR, the fast program": (counts("OR"), THREE),
    "OR, the grid": (counts("OR", df=4.0), THREE),
    "RR, a corner": (counts("RR"), binary({"A": (12, 12, 25, 29), "B": (9, 12, 5, 12)})),
    "RD, a corner": (counts("RD"), SPARSE),
    "a bounded prior": (counts("OR", mu=bm.Uniform(-0.5, 0.2)), THREE),
    "a prior with one end": (counts("OR", mu=bm.HalfNormal(1)), THREE),
    "spike and slab": (counts("OR", mu=SPIKE_AND_SLAB), THREE),
    "estimates": (bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), NORMAL),
    "estimates, a bounded prior": (
        bm.NormalNormal(mu=bm.Uniform(-0.5, 0.2), tau=bm.HalfNormal(0.5)),
        NORMAL,
    ),
}  # fmt: skip
NAMES = ("mu", "tau", "theta_new", "theta")


ON_THE_GRID = ("OR, the grid", "RR, a corner", "RD, a corner")
SLOW = pytest.mark.deep("effects on the grid and beside corners: two seconds a fit")


@pytest.fixture(
    scope="module",
    params=[pytest.param(one, marks=SLOW) if one in ON_THE_GRID else one for one in FITS],
)
def fit(request):
    model, data = FITS[request.param]
    found = bm.fit(model, data)
    assert found.diagnostics.passed
    return found


@pytest.fixture
def marginals(fit):
    return [fit[name][0] if name == "theta" else fit[name] for name in NAMES]


def places(marginal):
    """Nodes where there are any, zero, and all over the distribution."""
    found = [0.0, *marginal.quantile(np.linspace(0.001, 0.999, 41))]
    inner = getattr(marginal, "inner", marginal)
    if isinstance(inner, GridDensity):
        nodes = inner.x[:: max(1, inner.x.size // 400)]
        found += list(marginal.support.value(nodes) if inner is not marginal else nodes)
    low, high = marginal.quantile([1e-6, 1 - 1e-6])
    return np.array([x for x in found if low < x < high or x == 0.0])


def test_density_at_a_node_and_at_zero_is_that_beside_it(marginals):
    for marginal in marginals:
        at = places(marginal)
        step = 1e-9 * (marginal.quantile(0.84) - marginal.quantile(0.16))
        here, right = marginal.pdf(at), marginal.pdf(at + step)
        np.testing.assert_allclose(here, right, rtol=2e-5, atol=1e-7 * here.max())


def test_density_integrates_to_the_distribution_function(marginals):
    for marginal in marginals:
        ends = marginal.quantile([0.01, 0.2, 0.5, 0.8, 0.99])
        corners = [x for x in (-0.5, 0.0, 0.2) if ends[0] < x < ends[-1]]  # which quadrature misses
        ends = np.unique([*ends, *corners])
        for low, high in itertools.pairwise(ends):
            whole = integrate.quad(marginal.pdf, low, high, epsrel=1e-9, limit=400)[0]
            assert whole == pytest.approx(marginal.cdf(high) - marginal.cdf(low), abs=2e-7)


def test_quantiles_invert_the_distribution_function(marginals):
    q = np.array([1e-6, 0.001, 0.025, 0.5, 0.9, 0.999])
    for marginal in marginals:
        np.testing.assert_allclose(marginal.cdf(marginal.quantile(q)), q, rtol=1e-7, atol=1e-10)


def test_no_quantile_has_a_higher_density_than_the_mode(marginals):
    for marginal in marginals:
        others = marginal.pdf(marginal.quantile(np.linspace(1e-4, 1 - 1e-4, 601)))
        assert marginal.pdf(marginal.mode()) >= others.max() * (1 - 1e-9)


@pytest.mark.deep(
    "twenty thousand quantiles through a root search: 5 s",
    only=["estimates, a bounded prior", "OR, the grid", "R?, a corner"],
)
def test_moments_are_those_of_the_quantiles(fit, marginals):
    """By the mean of quantiles at even probabilities, the tails by panels that shrink to them."""
    x, weight = np.polynomial.legendre.leggauss(12)
    edges = np.concatenate([2.0 ** np.arange(-40, -1), [0.5]])
    low, high = np.append(0.0, edges[:-1])[:, None], edges[:, None]
    q = (low + (high - low) * (x + 1) / 2).ravel()
    w = ((high - low) * weight / 2).ravel()
    for name, marginal in zip(NAMES, marginals, strict=True):
        if fit.model.mu == SPIKE_AND_SLAB and name != "tau":
            continue  # their quantiles have a step in the middle, where no panel ends
        both = np.concatenate([marginal.quantile(q), marginal.quantile(1 - q)])
        ww = np.concatenate([w, w])
        mean = ww @ both
        sd = np.sqrt(ww @ (both - mean) ** 2)
        assert mean == pytest.approx(marginal.mean(), abs=1e-5 * sd)
        assert sd == pytest.approx(marginal.sd(), rel=1e-5)


@given(
    st.floats(-3, 3),
    st.floats(0.05, 2),
    st.integers(60, 400),
    st.floats(-0.5, 0.5),
)
def test_a_density_on_a_grid_is_whole_at_each_of_its_points(mean, sd, size, shift):
    x = mean + sd * np.linspace(-9 + shift, 9 + shift, size)
    marginal = GridDensity.of(x, stats.norm.pdf(x, mean, sd))
    inside = marginal.x[np.abs(marginal.x - mean) < 5 * sd]
    np.testing.assert_allclose(
        marginal.pdf(inside), stats.norm.pdf(inside, mean, sd), rtol=1e-6, atol=1e-9 / sd
    )


def test_a_cell_says_how_far_into_it_a_node_lies():
    """0.1 in steps of 0.1 from -1 is no node in binary: the eleventh lay outside its own cell."""
    x = -1.0 + 0.1 * np.arange(31)
    marginal = GridDensity(x, np.ones(31) / 3, np.linspace(0, 1, 31), np.zeros(31), (0.5, 1.0))
    cell, within, _ = marginal._cell(x)
    assert np.abs(cell + within - np.arange(31)).max() < 1e-13
    assert (marginal.pdf(x) > 0.3).all()


@pytest.mark.parametrize("centres", [(0.0,), (-0.5, 0.2), (-1.0, 0.0, 0.7)])
def test_a_map_that_crowds_at_several_places_is_the_inverse_of_its_inverse(centres):
    support = SupportMap(-np.inf, np.inf, 1e-5, centres)
    u = np.linspace(-20.0, 20.0, 2001) * len(centres)
    x = support.value(u)
    assert (np.diff(x) > 0).all()
    np.testing.assert_allclose(support.inverse(x), u, atol=1e-9)
    beside = 1e-6
    slope = (support.value(u + beside) - support.value(u - beside)) / (2 * beside)
    np.testing.assert_allclose(support.slope(u), slope, rtol=1e-4, atol=1e-12)


def test_no_effect_is_never_outside_the_density_of_the_main_case():
    """The density of mu at 0 once came out as 0: a node just outside its own cell."""
    fit = bm.fit(counts("RR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), binary(MAIN_TRIALS))
    for name in ("mu", "theta_new"):
        beside = fit[name].pdf([-1e-9, 1e-9])
        assert fit[name].pdf(0.0) == pytest.approx(beside.mean(), rel=1e-6)
    at_zero = MappedDensity(
        GridDensity.of(np.arange(-60, 61) * 0.3, stats.norm.pdf(np.arange(-60, 61) * 0.3, 0, 2)),
        SupportMap(-np.inf, np.inf, 1e-3),
        (0.0, 1.0),
    )
    assert at_zero.pdf(0.0) > 0.9 * at_zero.pdf(1e-9) > 0
