"""Estimators of tau² on tables made to defeat them, and many tables at once."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from references import estimates
from tolerances import INVARIANCE, ITERATED

import bayesmeta as bm
from bayesmeta.frequentist.arrays.tau2 import ESTIMATORS
from bayesmeta.frequentist.fit import INTERVALS

TABLES, STUDIES, POINTS = 400, 8, 3000
OUTPUTS = {"k", "estimate", "se", "lower", "upper", "p", "tau2", "q", "q_p", "i2", "i2_q"}
PAIRS = [(t, i) for t in ESTIMATORS for i in INTERVALS if t == "REML" or i != "KR"]


def nasty(seed=7):
    """Make 2 to 8 studies with variances over up to six decades, outliers, heavy-tailed effects."""
    rng = np.random.default_rng(seed)
    y, se = np.full((2, TABLES, STUDIES), np.nan)
    for row, k in enumerate(rng.integers(2, STUDIES + 1, TABLES)):
        decades = rng.uniform(0, 6)
        v = 10.0 ** rng.uniform(-decades / 2, decades / 2, k)
        effects = rng.choice([0, 0.3, 1, 10]) * rng.standard_t(1.5, k)
        y[row, :k] = effects + np.sqrt(v) * rng.standard_normal(k)
        if rng.random() < 0.3:
            y[row, rng.integers(k)] += rng.choice([-1, 1]) * rng.choice([10, 100]) * v.max() ** 0.5
        se[row, :k] = np.sqrt(v)
    return y, se


def deviance(tau2, y, se, kind):
    """Minus twice the log likelihood of tau² in one column for each point; (n, points)."""
    there = ~np.isnan(y)[:, None]
    v = np.where(there, se[:, None] ** 2 + tau2[..., None], 1.0)
    w = there / v
    total = w.sum(axis=-1)
    values = np.nan_to_num(y)[:, None]
    centre = (w * values).sum(axis=-1) / total
    spread = (w * (values - centre[..., None]) ** 2).sum(axis=-1)
    found = np.log(v).sum(axis=-1) + spread
    return found + np.log(total) if kind == "REML" else found


@pytest.mark.deep("a hundred thousand points: 300 MB", only=["REML-3"])
@pytest.mark.parametrize(("kind", "several"), [("REML", 3), ("ML", 7)])
def test_no_point_of_a_dense_grid_is_likelier(kind, several):
    y, se = nasty()
    tau2 = bm.random_effects_many(y, se, tau2=kind)["tau2"]
    first = 1e-3 * np.nanmin(se, axis=1) ** 2
    last = 10 * (np.nanmax(y, axis=1) - np.nanmin(y, axis=1)) ** 2 + 10 * np.nanmax(se, axis=1) ** 2
    steps = np.geomspace(first, last, POINTS, axis=1)
    grid = np.concatenate([np.zeros((TABLES, 1)), steps], axis=1)
    values = deviance(grid, y, se, kind)
    ours = deviance(tau2[:, None], y, se, kind)[:, 0]
    assert (ours <= values.min(axis=1) + 1e-8).all()
    falls = np.diff(values, axis=1) < 0
    peaks = (falls[:, :-1] & ~falls[:, 1:]).sum(axis=1) + ~falls[:, 0]
    assert (peaks > 1).sum() == several
    assert peaks.max() == 2
    assert 80 < (tau2 == 0).sum() < 140
    # In some tables with two peaks the higher is the nearer to zero, in others the farther.
    lower = np.argmax(falls[:, :-1] & ~falls[:, 1:], axis=1) + 1
    near = np.where(falls[:, 0], grid[np.arange(TABLES), lower], 0.0)
    assert (tau2[peaks > 1] <= 1.1 * near[peaks > 1]).any()
    assert (tau2[peaks > 1] > 1.1 * near[peaks > 1]).any()


def test_likelihood_estimators_of_one_table_do_not_depend_on_its_company():
    y, se = nasty()
    for tau2 in ("REML", "ML"):
        together = bm.random_effects_many(y, se, tau2=tau2)["tau2"]
        alone = [
            bm.random_effects_many(y[i : i + 1], se[i : i + 1], tau2=tau2)["tau2"][0]
            for i in range(0, TABLES, 10)
        ]
        assert_allclose(together[::10], alone, **INVARIANCE)


def test_paule_mandel_is_empirical_bayes_and_solves_its_equation():
    y, se = nasty()
    tau2 = bm.random_effects_many(y, se, tau2="PM")["tau2"]
    assert_array_equal(tau2, bm.random_effects_many(y, se, tau2="EB")["tau2"])
    there = ~np.isnan(y)
    w = np.where(there, 1 / (np.where(there, se, 1) ** 2 + tau2[:, None]), 0.0)
    centre = (w * np.nan_to_num(y)).sum(axis=1) / w.sum(axis=1)
    q = (w * (np.nan_to_num(y) - centre[:, None]) ** 2).sum(axis=1)
    df = there.sum(axis=1) - 1
    assert_allclose(q[tau2 > 0], df[tau2 > 0], rtol=1e-8)
    assert (q[tau2 == 0] <= df[tau2 == 0]).all()


# Two tables on which Fisher scoring, as commonly started and stopped, goes wrong.
STOPS = [0.124, 37.5, -0.146], [0.113, 14.6, 0.0823]
CYCLES = (
    [1.472, -0.8298, 1.617, -0.3477, 1.24, 0.1684, 1.053],
    [2.249, 2.269, 0.3885, 0.5291, 1.33, 2.047, 2.203],
)


def fisher_scoring(y, se, *, steps=200, enough=1e-5):
    """REML by scoring from Hedges's estimate, cut at zero, until a step is small enough."""
    y, v = np.array(y), np.array(se) ** 2
    path = [max(0.0, y.var(ddof=1) - v.mean())]
    for _ in range(steps):
        w = 1 / (v + path[-1])
        w1, w2, w3 = (float((w**power).sum()) for power in (1, 2, 3))
        r = y - (w @ y) / w1
        step = (((w * r) ** 2).sum() - (w1 - w2 / w1)) / (w2 - 2 * w3 / w1 + (w2 / w1) ** 2)
        path.append(max(0.0, path[-1] + step))
        if abs(path[-1] - path[-2]) < enough:
            break
    return path


def likelihood_lost(tau2, table):
    y, se = (np.array([numbers]) for numbers in table)
    best = np.array([[bm.random_effects(estimates(*table)).tau2]])
    return float(
        (deviance(np.array([[tau2]]), y, se, "REML") - deviance(best, y, se, "REML"))[0, 0]
    )


def test_fisher_scoring_can_stop_at_the_lower_peak_and_we_do_not():
    path = fisher_scoring(*STOPS)
    assert path[-1] == pytest.approx(207, rel=0.02)
    assert abs(path[-1] - path[-2]) < 1e-5
    assert likelihood_lost(path[-1], STOPS) > 1
    assert bm.random_effects(estimates(*STOPS)).tau2 == pytest.approx(0.027, rel=0.05)


def test_fisher_scoring_can_go_round_for_ever_and_we_do_not():
    path = fisher_scoring(*CYCLES)
    assert len(path) == 201
    assert path[-1] == pytest.approx(path[-3], rel=1e-3)
    assert abs(path[-1] - path[-2]) > 1
    assert likelihood_lost(path[-1], CYCLES) > 0.1
    assert likelihood_lost(path[-2], CYCLES) > 0.1
    assert bm.random_effects(estimates(*CYCLES)).tau2 == pytest.approx(0.68, rel=0.02)


@pytest.mark.parametrize("tau2", ESTIMATORS)
def test_unit_origin_order_and_padding_change_nothing(tau2):
    y, se = nasty()
    plain = bm.random_effects_many(y, se, tau2=tau2)
    unit, rng = 1e-3, np.random.default_rng(1)
    order = rng.permutation(STUDIES)
    wider = np.full((TABLES, 3), np.nan)
    widest = np.nanmax(np.abs(y), axis=1, keepdims=True)
    others = {
        "order": bm.random_effects_many(y[:, order], se[:, order], tau2=tau2),
        "padding": bm.random_effects_many(np.c_[wider, y], np.c_[wider, se], tau2=tau2),
        "origin": bm.random_effects_many(y + widest, se, tau2=tau2),
        "unit": bm.random_effects_many(y * unit, se * unit, tau2=tau2),
    }
    scale = np.nanmedian(se, axis=1) ** 2
    for name, other in others.items():
        found = other["tau2"] / (unit**2 if name == "unit" else 1)
        apart = np.abs(found - plain["tau2"]) / (scale + plain["tau2"])
        assert apart.max() < 1e-7, (name, apart.argmax())
        moved = {"origin": widest[:, 0]}.get(name, 0.0)
        estimate = (other["estimate"] - moved) / (unit if name == "unit" else 1)
        assert_allclose(estimate, plain["estimate"], rtol=1e-6, atol=1e-6, err_msg=name)


@pytest.mark.deep(
    "a thousand tables each alone: 2 s in all",
    but=["REML-*", "DL-*", "PM-HKSJ", "EB-Wald", "SJ-HKSJ truncated"],
)
@pytest.mark.parametrize(("tau2", "interval"), PAIRS)
def test_many_tables_are_pooled_as_each_alone(tau2, interval):
    y, se = (numbers[:40] for numbers in nasty())
    many = bm.random_effects_many(y, se, tau2=tau2, interval=interval, prob=0.9)
    assert set(many) == OUTPUTS
    for row in range(len(y)):
        there = ~np.isnan(y[row])
        data = estimates(y[row, there], se[row, there])
        fit = bm.random_effects(data, tau2=tau2, interval=interval, prob=0.9)
        for name in OUTPUTS:
            assert_allclose(many[name][row], getattr(fit, name), **ITERATED, err_msg=name)


@pytest.mark.parametrize(("tau2", "interval"), PAIRS)
def test_nothing_is_nan(tau2, interval):
    y, se = nasty()
    found = bm.random_effects_many(y, se, tau2=tau2, interval=interval)
    for name, numbers in found.items():
        assert np.isfinite(numbers).all(), name
        assert numbers.shape == (TABLES,)


@pytest.mark.parametrize("tau2", ESTIMATORS)
def test_two_studies_have_their_tau2_in_closed_form(tau2):
    """REML, DL, PM, HE and EB are the same for two studies of one precision."""
    found = bm.random_effects_many(np.array([[0.0, 2.0]]), np.array([[0.5, 0.5]]), tau2=tau2)
    expected = {"ML": 1 - 0.25, "HS": (2.0**2 / 2 / 0.25 - 2) / 8, "SJ": 1.6}
    if tau2 in expected:
        assert found["tau2"][0] == pytest.approx(expected[tau2], rel=1e-9)
    else:
        assert found["tau2"][0] == pytest.approx(2 - 0.25, rel=1e-9)


@pytest.mark.parametrize(("tau2", "interval"), PAIRS)
def test_estimates_that_are_equal_have_no_tau2_and_no_nan(tau2, interval):
    y, se = np.full((1, 4), 0.3), np.array([[0.1, 0.2, 0.3, 0.4]])
    found = bm.random_effects_many(y, se, tau2=tau2, interval=interval)
    assert found["tau2"][0] == pytest.approx(0, abs=1e-15)
    assert found["estimate"][0] == pytest.approx(0.3)
    assert all(np.isfinite(numbers).all() for numbers in found.values())


HOLE = np.array([[0.1, np.nan]])


@pytest.mark.parametrize(
    ("y", "se", "words"),
    [
        (np.zeros((2, 3)), np.ones((3, 2)), "one shape"),
        (np.zeros(3), np.ones(3), "one shape"),
        (np.array([[0.1, np.nan, 0.2]]), np.ones((1, 3)), "both NaN.*rows 0"),
        (np.zeros((1, 3)), np.array([[1.0, np.nan, 1.0]]), "both NaN.*rows 0"),
        (np.zeros((2, 2)), np.array([[1.0, 1.0], [1.0, 0.0]]), "se positive.*rows 1"),
        (np.zeros((1, 2)), np.array([[1.0, -1.0]]), "se positive"),
        (np.zeros((1, 2)), np.array([[1.0, np.inf]]), "finite"),
        (np.array([[0.0, np.inf]]), np.ones((1, 2)), "finite"),
        (HOLE, HOLE, "at least two studies; check rows 0"),
        (np.full((9, 2), np.nan), np.full((9, 2), np.nan), "rows 0, 1, 2, 3, 4, …"),
    ],
)
def test_tables_that_cannot_be_pooled_are_refused_by_row(y, se, words):
    with pytest.raises(bm.DataError, match=words):
        bm.random_effects_many(y, se)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tau2": "MM"}, "tau2 is one of REML, DL"),
        ({"interval": "KK"}, "interval is one of Wald"),
        ({"tau2": "DL", "interval": "KR"}, "need tau2='REML'"),
    ],
)
def test_settings_that_are_none_are_refused(settings, words):
    with pytest.raises(bm.ModelError, match=words):
        bm.random_effects_many(np.zeros((1, 2)), np.ones((1, 2)), **settings)
