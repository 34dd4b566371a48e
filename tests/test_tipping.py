"""What a fit concludes, and how much must change before it concludes otherwise."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from references import binary, estimates
from scipy import stats

import bayesmeta as bm
from bayesmeta.errors import ModelError
from bayesmeta.evidence import Conclusion, concluded, conclusion

PAIR = estimates([-0.6, -0.5], [0.1, 0.2], measure="RR")
SMALL = {"A": (2, 40, 5, 40), "B": (1, 30, 3, 30), "C": (3, 35, 9, 36), "D": (4, 25, 7, 24)}
FREE = bm.CommonEffect(mu=bm.Normal(0, 1e6))


@pytest.mark.parametrize(
    ("y", "se", "found"),
    [
        (-0.5, 0.2, Conclusion.BELOW),
        (-0.5, 0.3, Conclusion.OPEN),
        (0.5, 0.3, Conclusion.OPEN),
        (0.5, 0.2, Conclusion.ABOVE),
    ],
)
def test_a_conclusion_is_the_side_on_which_the_interval_excludes_no_effect(y, se, found):
    posterior = bm.fit(FREE, estimates([y], [se]))
    assert conclusion(posterior) is found
    assert conclusion(posterior, prob=0.5) is not Conclusion.OPEN


def test_an_interval_that_ends_at_no_effect_excludes_it():
    assert concluded(0.8, 1.0, none=1.0) is Conclusion.BELOW
    assert concluded(1.0, 1.3, none=1.0) is Conclusion.ABOVE
    assert concluded(np.nextafter(0, -1), 1.0) is Conclusion.OPEN


def test_ends_in_the_wrong_order_are_no_interval():
    with pytest.raises(ModelError, match="lower, 2, is not at or below upper, 1"):
        concluded(2.0, 1.0)


def test_a_proportion_has_no_conclusion():
    data = bm.ProportionStudies(study=["A", "B"], events=[3, 4], n=[30, 50])
    fit = bm.fit(bm.ProportionNormal(mu=bm.Normal(-2, 2), tau=bm.HalfNormal(1)), data)
    with pytest.raises(ModelError, match="A proportion compares no arms"):
        conclusion(fit)


def normal(tau, sd=2.0):
    return bm.NormalNormal(mu=bm.Normal(0, sd), tau=tau)


def points(model, data, **settings):
    found = bm.tipping_points(bm.fit(model, data), **settings)
    return {one.what: one for one in found.points}


def test_at_the_tau_that_turns_it_the_interval_touches_no_effect_by_hand():
    tau = points(normal(bm.HalfNormal(0.1)), PAIR)["tau fixed"].turns_at
    precision = 1 / (PAIR.se**2 + tau**2)
    total = precision.sum() + 1 / 4
    mean, sd = precision @ PAIR.y / total, total**-0.5
    assert mean + stats.norm.ppf(0.975) * sd == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("prob", [0.8, 0.95])
def test_with_the_stretched_prior_the_interval_touches_no_effect(prob):
    found = points(normal(bm.HalfCauchy(0.1)), PAIR, prob=prob)["prior of tau stretched"]
    stretched = bm.fit(normal(bm.HalfCauchy(0.1 * found.turns_at)), PAIR)
    assert stretched["mu"].interval(prob)[1] == pytest.approx(0, abs=1e-5)
    assert f"HalfCauchy({0.1 * found.turns_at:.4g})" in found.says


def test_an_interval_that_includes_no_effect_turns_where_tau_is_less():
    found = points(normal(bm.HalfNormal(2)), PAIR)
    assert found["tau fixed"].says.endswith("or less.")
    assert found["prior of tau stretched"].turns_at < 1


def test_never_is_an_answer():
    far = estimates([-8.0, -8.1, -7.9], [0.1, 0.1, 0.1], measure="OR")
    found = points(normal(bm.HalfNormal(0.5), sd=10), far, prob=0.5)
    assert found["tau fixed"].turns_at is None
    assert found["tau fixed"].says == "No tau up to 10 turns the conclusion."
    assert (
        "from 0.01 to 100 times as wide as HalfNormal(0.5)" in found["prior of tau stretched"].says
    )


def test_of_a_measure_with_a_unit_the_largest_tau_is_in_standard_errors():
    far = estimates([-3000.0, -3100.0, -2900.0], [10.0, 10.0, 30.0], measure="MD")
    found = points(normal(bm.HalfNormal(50), sd=1e5), far, prob=0.5)["tau fixed"]
    assert found.says == "No tau up to 1e+03 turns the conclusion."


def test_a_prior_without_a_scale_is_named():
    found = points(normal(bm.Flat()), estimates([-0.6, -0.5, -0.4], [0.1, 0.2, 0.1], measure="RR"))
    assert found["prior of tau stretched"].says == "Flat() has no scale to stretch."


@pytest.mark.parametrize(
    ("rows", "stands"),
    [
        (SMALL, Conclusion.BELOW),
        ({name: (c, m, a, n) for name, (a, n, c, m) in SMALL.items()}, Conclusion.ABOVE),
        ({name: (a + 2, n, c, m) for name, (a, n, c, m) in SMALL.items()}, Conclusion.OPEN),
    ],
)
def test_no_smaller_change_of_one_arm_turns_the_conclusion(rows, stands):
    """Every arm of every trial by itself, with every smaller number of events, more and fewer."""
    model = bm.HypergeometricNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.1))
    fit = bm.fit(model, binary(rows))
    assert conclusion(fit, prob=0.9) is stands
    (found,) = [one for one in bm.tipping_points(fit, prob=0.9).points if "events" in one.what]
    size, turned = abs(int(found.turns_at)), 0
    for name, column in product(rows, range(2)):
        for change in range(-size, size + 1):
            events = list(rows[name])
            events[2 * column] += change
            if not 0 <= events[2 * column] <= events[2 * column + 1]:
                continue
            other = bm.fit(model, binary({**rows, name: tuple(events)}))
            turns = conclusion(other, prob=0.9) is not stands
            assert not turns or abs(change) == size
            turned += turns
    assert turned >= 1
    assert f"with {size} " in found.says


def test_one_effect_has_no_tau_and_estimates_have_no_counts():
    model = bm.HypergeometricNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.1))
    assert set(points(normal(bm.HalfNormal(0.1)), PAIR)) == {"tau fixed", "prior of tau stretched"}
    assert points(bm.CommonEffect(mu=bm.Normal(0, 2)), PAIR) == {}
    assert len(points(model, binary(SMALL))) == 3


def test_a_table_has_a_row_for_each():
    found = bm.tipping_points(bm.fit(normal(bm.HalfNormal(0.1)), PAIR))
    assert list(found.table().index) == ["tau fixed", "prior of tau stretched"]
    assert found.conclusion is Conclusion.BELOW


def test_draws_alone_have_no_tipping_points():
    fit = bm.fit(normal(bm.HalfNormal(0.1)), PAIR)
    drawn = replace(fit, sample_stats={"diverging": np.zeros((1, 1))})
    with pytest.raises(ModelError, match=r"exact posterior: use Quadrature"):
        bm.tipping_points(drawn)
