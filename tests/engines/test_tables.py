"""Likelihoods of single studies against SciPy's distributions and sums over dense grids.

The posteriors of whole tables are held to brute force elsewhere; here each factor stands alone, so
that a wrong constant, weight or sign cannot hide behind the others.
"""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import binary
from scipy import stats
from scipy.interpolate import make_interp_spline
from scipy.special import expit, log_expit
from tolerances import CLOSED_FORM, CORNERS, LIKELIHOOD

import bayesmeta as bm
from bayesmeta.engines.likelihood import corners
from bayesmeta.engines.likelihood.corners import at_nodes, each_given_mu, read_off, tabulate
from bayesmeta.engines.likelihood.counts import with_baseline
from bayesmeta.engines.likelihood.kernels import about, beyond
from bayesmeta.engines.likelihood.laws import (
    constants,
    fisher,
    incidence,
    log_risks,
    proportion,
)
from bayesmeta.engines.likelihood.pieces import Pieces
from bayesmeta.engines.likelihood.points import Graded, Grid, Places
from bayesmeta.engines.likelihood.rough import kinked, rough_effects
from bayesmeta.engines.likelihood.study import log_likelihoods, supports
from bayesmeta.engines.likelihood.tables import log_likelihood
from bayesmeta.priors import log_density
from bayesmeta.simulate import risks

MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
BASELINE = bm.Normal(-0.4, 1.3)
BETA = np.linspace(-0.4 - 12 * 1.3, -0.4 + 12 * 1.3, 1201)  # a smooth integrand: exact to rounding
GRID = Grid(0.2, 0.4, 9)
ROWS = [
    (3, 12, 8, 20),
    (0, 15, 4, 11),
    (42, 112, 47, 110),
    (4, 11, 0, 15),
    (9, 9, 5, 7),
    (5, 7, 9, 9),
]
CORNER = (18, 20, 21, 22)
NAMES = bm.BinaryStudies.columns()
LINKS = ("OR half", "OR zero_one", "RR", "RD")


def dense(row, link, theta):
    """Integral over the baseline of one table's probability, at each theta."""
    a, n1, c, n0 = row
    column = np.asarray(theta)[:, None]
    if link == "IRR":
        up, down = np.exp(BETA + column / 2), np.exp(BETA - column / 2)
        log_p = stats.poisson.logpmf(a, n1 * up) + stats.poisson.logpmf(c, n0 * down)
    else:
        treatment, control = risks(column, BETA + 0 * column, link)
        log_p = stats.binom.logpmf(a, n1, treatment) + stats.binom.logpmf(c, n0, control)
    joint = np.exp(log_p + stats.norm.logpdf(BETA, BASELINE.mean, BASELINE.sd))
    return joint.sum(axis=1) * (BETA[1] - BETA[0])


def columns_of(rows):
    return {name: np.array(rows, float)[:, i] for i, name in enumerate(NAMES)}


@pytest.mark.parametrize("theta", [-2.3, -0.4, 0.7, 3.1])
@pytest.mark.parametrize("beta", [-2.6, -0.3, 0.1, 1.9])
def test_risks_are_those_that_define_the_effect(theta, beta):
    found = {link: log_risks(np, link, theta, beta) for link in LINKS}
    for p1, q1, p0, q0 in found.values():
        assert_allclose([np.exp(p1) + np.exp(q1), np.exp(p0) + np.exp(q0)], 1, **CLOSED_FORM)
    p1, q1, p0, q0 = found["OR half"]
    assert_allclose([p1 - q1, p0 - q0], [beta + theta / 2, beta - theta / 2], **CLOSED_FORM)
    p1, q1, p0, q0 = found["OR zero_one"]
    assert_allclose([p1 - q1, p0 - q0], [beta + theta, beta], **CLOSED_FORM)
    p1, q1, p0, q0 = found["RR"]
    assert_allclose([p1 - p0, p1 - q1 + p0 - q0], [theta, 2 * beta], **CLOSED_FORM)
    p1, q1, p0, q0 = found["RD"]
    assert_allclose(np.exp(p1) - np.exp(p0), np.tanh(theta), **CLOSED_FORM)
    assert_allclose(p1 - q1 + p0 - q0, 2 * beta, **CLOSED_FORM)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("link", ["OR half", "OR zero_one", "RR", "RD", "IRR"])
def test_a_table_has_the_probability_of_a_dense_sum_over_its_baseline(link, row):
    found = log_likelihood(tuple(map(float, row)), link, BASELINE, GRID, 0.1)
    assert_allclose(found, np.log(dense(row, link, GRID.points)), **LIKELIHOOD)


@pytest.mark.parametrize("tails", [False, True])
@pytest.mark.parametrize("link", ["OR half", "OR zero_one", "RR", "RD", "IRR"])
def test_the_fast_likelihoods_and_their_constants_are_those_of_the_dense_sum(link, tails):
    rows = ROWS[:4] if tails else ROWS[:3:2]  # without the tails it is for tables with events
    theta = np.linspace(-1.2, 0.9, 8) * np.ones((len(rows), 1))
    log_beta = partial(log_density, BASELINE)
    columns = columns_of(rows)
    found, error = with_baseline(np, link, 121, columns, log_beta, theta, tails=tails)
    total = found.sum(axis=0) + constants(link, tuple(columns.values()))
    true = sum(np.log(dense(row, link, theta[0])) for row in rows)
    few = 1e-7 if tails else 2e-5  # it stops six standard deviations from the mode
    assert np.abs(total - true).max() < few
    assert error.max() < few


def test_given_the_totals_a_table_has_fishers_probability():
    theta, studies = GRID.points, binary({str(i): row for i, row in enumerate(ROWS[:4])})
    true = np.array(
        [
            stats.nchypergeom_fisher.logpmf(a, n1 + n0, n1, a + c, np.exp(theta))
            for a, n1, c, n0 in ROWS[:4]
        ]
    )
    model = bm.HypergeometricNormal(mu=MU, tau=TAU)
    assert_allclose(log_likelihoods(model.likelihood, studies, GRID, 0.1), true, **LIKELIHOOD)
    rows = tuple(columns_of(ROWS[:4]).values())
    found = fisher(np, rows, theta * np.ones((4, 1)), support=128)
    assert_allclose(found, true, **LIKELIHOOD)
    assert constants("hypergeometric", rows) == 0


def test_single_arms_have_the_binomial_and_the_poisson_probability():
    theta, events, size = GRID.points, np.array([0.0, 3.0, 11.0]), np.array([14.0, 12.0, 11.0])
    at = theta * np.ones((3, 1))
    arms = bm.ProportionStudies(study=tuple("abc"), events=events, n=size)
    true = stats.binom.logpmf(events[:, None], size[:, None], expit(theta))
    exact = bm.ProportionNormal(mu=MU, tau=TAU)
    assert_allclose(log_likelihoods(exact.likelihood, arms, GRID, 0.1), true, **LIKELIHOOD)
    found = proportion(np, (events, size), at).sum(axis=0)
    found = found + constants("PLO", (events, size))
    assert_allclose(found, true.sum(axis=0), **LIKELIHOOD)
    rates = bm.IncidenceStudies(study=tuple("abc"), events=events, time=size)
    true = stats.poisson.logpmf(events[:, None], size[:, None] * np.exp(theta))
    exact = bm.IncidenceNormal(mu=MU, tau=TAU)
    assert_allclose(log_likelihoods(exact.likelihood, rates, GRID, 0.1), true, **LIKELIHOOD)
    found = incidence(np, (events, size), at).sum(axis=0)
    found = found + constants("IRLN", (events, size))
    assert_allclose(found, true.sum(axis=0), **LIKELIHOOD)


@pytest.fixture(scope="module")
def both_sides():
    """Nodes of theta that crowd at 0, their weights, and the corner's probability there."""
    x, weight = np.polynomial.legendre.leggauss(8)
    ends = np.geomspace(1e-8, 40, 150)
    half = 0.5 * np.diff(ends, prepend=0)[:, None]
    side = (ends[:, None] + half * (x - 1)).ravel()
    theta, weight = np.concatenate([-side, side]), np.tile((half * weight).ravel(), 2)
    value = np.concatenate([dense(CORNER, "RR", part) for part in np.array_split(theta, 40)])
    return theta, weight, value


@pytest.mark.parametrize("df", [None, 4.0])
@pytest.mark.parametrize(("mu", "tau"), [(-0.3, 0.5), (0.4, 0.1), (0.05, 0.003), (1e-3, 0.3)])
def test_a_corner_is_integrated_over_the_effects_on_both_its_sides(both_sides, mu, tau, df):
    """Both rules: that of the logarithmic nodes, and that of the effects' own distribution."""
    model = bm.BinomialNormal(measure="RR", mu=MU, tau=TAU, baseline=BASELINE, df=df)
    corners = tabulate(model.likelihood, binary({"A": CORNER}), 40.0, 0.3, 0.1)
    theta, weight, value = both_sides
    law = stats.norm(mu, tau) if df is None else stats.t(df, mu, tau)
    true = np.log(weight @ (value * law.pdf(theta)))
    found = each_given_mu(corners, np.array([mu]), np.array([tau]), df).sum(axis=1)
    assert_allclose(found, true, **CORNERS)


@pytest.mark.parametrize("tau", [0.02, 0.3, 4.0])
def test_a_corner_beside_many_nodes_of_mu_is_what_it_is_at_each_alone(tau):
    """Sums made once for all rows, with moments near no effect, against every node by itself.

    The large trial lies tens of taus from most of these mu: what is cut there is its all.
    """
    trials = binary({"A": CORNER, "B": (4990, 5000, 2400, 5000)})
    model = bm.BinomialNormal(measure="RR", mu=MU, tau=TAU, baseline=BASELINE)
    corners = tabulate(model.likelihood, trials, 60.0, 0.3, 0.1)
    mu = np.concatenate([-np.geomspace(8, 1e-6, 30), np.geomspace(1e-6, 8, 30)])
    together = each_given_mu(corners, mu, np.full_like(mu, tau), None)
    alone = [each_given_mu(corners, one, np.array([tau]), None)[0] for one in mu[:, None]]
    held = np.array(alone) > -650.0  # below, floats lose digits
    assert held.mean() > 0.8
    assert_allclose(together[held], np.array(alone)[held], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("measure", ["OR", "RR", "RD", "IRR"])
def test_what_is_read_off_kept_tables_is_what_is_integrated(measure):
    likelihood = (
        bm.PoissonNormal if measure == "IRR" else partial(bm.BinomialNormal, measure=measure)
    )
    of, theta = likelihood(mu=MU, tau=TAU).likelihood, np.linspace(-3, 3, 41)
    rows = {"A": (3, 40, 9, 41), "B": (0, 15, 4, 13), "C": (300, 2000, 500, 2100)}
    trials = binary(rows)
    if measure == "IRR":
        columns = dict(
            zip(bm.PersonTimeStudies.columns(), zip(*rows.values(), strict=True), strict=True)
        )
        trials = bm.PersonTimeStudies(study=[*rows], **columns)
    found = read_off(of, trials, theta, 1e7, 0.3)
    assert_allclose(
        found, log_likelihoods(of, trials, Places(tuple(theta)), 0.1), atol=1e-8, rtol=1e-9
    )


def test_refits_with_another_prior_or_reach_ask_for_the_same_tables():
    trials = binary({"A": CORNER, "B": (3, 40, 9, 41)})
    of = bm.BinomialNormal(measure="RR", mu=MU, tau=TAU).likelihood
    first = tabulate(of, trials, 33.0, 0.5, 0.14)
    assert tabulate(of, trials, 60.0, 0.5, 0.14) is first
    assert tabulate(of, trials, 257.0, 0.5, 0.14) is not first


def test_means_at_nodes_are_kept_for_each_study_and_are_those_made_anew():
    trials = binary({"A": CORNER, "B": (3, 40, 9, 41), "C": (5, 30, 6, 33)})
    of = bm.BinomialNormal(measure="RR", mu=MU, tau=TAU).likelihood
    mu, tau = np.linspace(-3, 3, 31), np.array([1e-3, 0.1, 0.8])
    corners.means_kept.cache_clear()
    whole = tabulate(of, trials, 60.0, 0.5, 0.14)
    first = at_nodes(whole, mu, tau, None)
    anew = each_given_mu(whole, np.tile(mu, 3), np.repeat(tau, 31), None).reshape(3, 31, 3)
    assert_allclose(first, anew.swapaxes(1, 2), rtol=1e-13)
    without = tabulate(of, trials.keep(np.array([True, False, True])), 60.0, 0.5, 0.14)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corners, "each_given_mu", lambda *_: pytest.fail("made anew"))
        assert (at_nodes(without, mu, tau, None) == first[:, [0, 2]]).all()
    assert_allclose(
        at_nodes(without, mu + 0.1, tau, None)[:, 0],
        at_nodes(whole, mu + 0.1, tau, None)[:, 0],
        rtol=1e-12,
    )


def test_another_prior_of_mu_costs_no_means_of_the_studies():
    trials = binary({"A": CORNER, "B": (3, 40, 9, 41)})
    corners.means_kept.cache_clear()
    first = bm.fit(bm.BinomialNormal(measure="RR", mu=bm.Normal(0, 2), tau=TAU), trials)
    model = bm.BinomialNormal(measure="RR", mu=bm.Normal(0, 3), tau=TAU)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corners, "each_given_mu", lambda *_: pytest.fail("made anew"))
        kept = bm.fit(model, trials)
    corners.means_kept.cache_clear()
    fresh = bm.fit(model, trials)
    assert first["mu"].sd() < kept["mu"].sd()
    assert_allclose(
        kept["mu"].quantile([0.025, 0.5, 0.975]),
        fresh["mu"].quantile([0.025, 0.5, 0.975]),
        rtol=1e-13,
    )


@pytest.mark.parametrize(("mu", "tau"), [(-2.0, 3e-4), (-3.0, 1.4e-3), (5.0, 1.2)])
def test_narrow_student_t_effects_see_what_lies_thousands_of_scales_away(mu, tau):
    """Panels about no effect and about the middle of the effects, ten nodes in each."""
    model = bm.BinomialNormal(measure="RR", mu=MU, tau=TAU, baseline=BASELINE)
    corners = tabulate(model.likelihood, binary({"A": CORNER}), 200.0, 0.3, 0.1)
    x, weight = np.polynomial.legendre.leggauss(10)
    about_zero, about_mu = np.geomspace(1e-8, 60, 50), tau * np.geomspace(0.1, 60 / tau, 40)
    ends = np.unique([*about_zero, *-about_zero, 0, mu, *(mu + about_mu), *(mu - about_mu)])
    ends = ends[np.abs(ends) < 60]
    half = 0.5 * np.diff(ends)[:, None]
    theta, each = (ends[:-1, None] + half * (x + 1)).ravel(), (half * weight).ravel()
    value = np.concatenate([dense(CORNER, "RR", part) for part in np.array_split(theta, 20)])
    for df in (1.0, 4.0, np.array([30.0])):
        true = np.log((each * value) @ stats.t(float(np.max(df)), mu, tau).pdf(theta))
        found = each_given_mu(corners, np.array([mu]), np.array([tau]), df)[0, 0]
        assert_allclose(found, true, **CORNERS)


@pytest.mark.parametrize("df", [1.0, 4.0, 300.0])
@pytest.mark.parametrize("scale", [3.9, 0.1, 1e-3, 1e-6])
def test_nodes_and_the_rule_about_the_middle_are_one_integral(scale, df):
    """Of a density, and of its product with what nodes resolve, on both sides of the border."""
    law, nodes = stats.t(df, 0, scale), np.arange(-4000, 4000) + 0.3
    distance, weight = about(scale)

    def integral(of):
        near = (weight * law.pdf(distance) * of(distance)).sum()
        return near + (beyond(nodes) * law.pdf(nodes) * of(nodes)).sum()

    assert_allclose(integral(np.ones_like), 1 - 2 * law.sf(4000), **CLOSED_FORM)
    u = np.linspace(-np.arcsinh(60 / scale), np.arcsinh(60 / scale), 40_001)
    at, step = scale * np.sinh(u), scale * np.cosh(u) * (u[1] - u[0])
    for middle in (3.0, 14.0):
        bell = partial(stats.norm.pdf, loc=middle, scale=2.5)
        true = (step * law.pdf(at) * bell(at)).sum()
        assert_allclose(integral(bell), true, **CLOSED_FORM)


def test_pieces_are_the_spline_that_scipy_makes():
    x = np.linspace(-3.0, 40.0, 61)
    values = np.column_stack([np.sin(x), np.exp(-0.1 * x), (x > 7) * 1.0])
    spline, found = make_interp_spline(x, values, k=5), Pieces.of(x, values)
    at = np.concatenate([x, np.linspace(-3.0, 40.0, 997)]).reshape(2, -1)
    assert_allclose(found(at), np.moveaxis(spline(at), 2, 0), **CLOSED_FORM)
    assert_allclose(found(np.array([-9.0, 50.0])), values[[0, -1]].T, **CLOSED_FORM)


def test_graded_points_are_the_powers_of_one_number():
    points = Graded(-1.0, np.log(1e-3), np.log(2), 4).points
    assert_allclose(points, [-1e-3, -2e-3, -4e-3, -8e-3], **CLOSED_FORM)


@pytest.mark.parametrize("size", [8, 9])
def test_a_grid_has_its_centre_where_it_says(size):
    grid = Grid(0.3, 0.25, size)
    assert grid.points[size // 2] == 0.3
    assert grid.points.size == size
    assert_allclose(np.diff(grid.points), 0.25, **CLOSED_FORM)
    assert grid.half == min(grid.points[-1] - 0.3, 0.3 - grid.points[0])


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_rough_effects_are_the_two_stage_ones_with_half_in_every_cell(measure):
    studies = binary({"A": (3, 12, 8, 20), "B": (0, 15, 4, 11)})
    model = bm.BinomialNormal(measure=measure, mu=MU, tau=TAU)
    two_stage = bm.effect_sizes(studies, measure=measure, zero_cells="all")
    y, se = two_stage.y, two_stage.se
    if measure == "RD":
        y, se = np.arctanh(y), se / (1 - y**2)
    assert_allclose(rough_effects(model.likelihood, studies), (y, se), **CLOSED_FORM)


def test_log_expit_keeps_its_digits_in_both_tails():
    beta = np.array([-40.0, -3.0, 0.0, 3.0, 40.0])
    p1, q1, *_ = log_risks(np, "OR zero_one", 0.0, beta)
    assert_allclose((p1, q1), (log_expit(beta), log_expit(-beta)), **CLOSED_FORM)


def test_a_table_with_fixed_totals_may_hold_as_many_counts_as_fishers_distribution():
    rows = {"A": (3, 12, 8, 20), "B": (9, 9, 5, 7), "C": (0, 15, 0, 11), "D": (4, 9, 17, 30)}
    true = [
        np.diff(stats.nchypergeom_fisher.support(n1 + n0, n1, a + c, 1.0))[0] + 1
        for a, n1, c, n0 in rows.values()
    ]
    assert supports(binary(rows)).tolist() == true


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("OR", [False] * 5),
        ("RR", [False, False, True, True, False]),
        ("RD", [True, False, True, True, True]),
    ],
)
def test_corners_are_where_few_have_the_event_or_go_without(measure, expected):
    rows = {
        "ten events": (4, 40, 6, 40),
        "half": (20, 40, 21, 40),
        "all but ten": (36, 40, 34, 40),
        "everybody": (9, 9, 7, 7),
        "nobody": (0, 40, 0, 40),
    }
    model = bm.BinomialNormal(measure=measure, mu=MU, tau=TAU)
    assert kinked(model.likelihood, binary(rows)).tolist() == expected
    more = {"eleven events": (5, 40, 6, 40), "all but eleven": (35, 40, 34, 40)}
    assert not kinked(model.likelihood, binary(more)).any()
