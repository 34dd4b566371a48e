"""What a fit concludes, and how much must change before it concludes otherwise."""

import json
import re
from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from references import MAIN_TRIALS, RATES, binary, estimates
from scipy import special, stats

import bayesmeta as bm
from bayesmeta.cli import main
from bayesmeta.errors import ModelError
from bayesmeta.evidence import Conclusion, concluded, conclusion, tipping
from bayesmeta.evidence._exchanged import AlongTau, Exchanged
from bayesmeta.results import Evidence
from bayesmeta.results.sections import SECTIONS
from bayesmeta.results.tables import evidence_tables

PAIR = estimates([-0.6, -0.5], [0.1, 0.2], measure="RR")
SMALL = {"A": (2, 40, 5, 40), "B": (1, 30, 3, 30), "C": (3, 35, 9, 36), "D": (4, 25, 7, 24)}
OPPOSED = {**SMALL, "E": (0, 12, 12, 12)}  # everybody in one arm, nobody in the other
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
    assert found["tau fixed"].says == "No tau up to 5 turns the conclusion."
    assert (
        "from 0.01 to 14.8 times as wide as HalfNormal(0.5)" in found["prior of tau stretched"].says
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


TRIALS = binary(MAIN_TRIALS)
RATIO = bm.BinomialNormal(measure="RR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
STUDENT = bm.HypergeometricNormal(mu=bm.Normal(0, 2), tau=bm.HalfCauchy(0.3), df=4)


def stands(model, data=TRIALS):
    return conclusion(bm.fit(model, data))


@pytest.mark.deep("fits on either side of each turning point: 2 s", only=["STUDENT"])
@pytest.mark.parametrize("model", [RATIO, STUDENT], ids=["RATIO", "STUDENT"])
def test_on_either_side_of_every_turning_point_of_counts_a_fit_concludes_otherwise(model):
    fit = bm.fit(model, TRIALS)
    found = {one.what: one for one in bm.tipping_points(fit).points}
    before = conclusion(fit)
    tau = found["tau fixed"].turns_at
    sides = [bm.Uniform(at * 0.9999, at * 1.0001) for at in (0.995 * tau, 1.005 * tau)]
    assert len({stands(replace(model, tau=one)) for one in sides}) == 2
    factor, prior = found["prior of tau stretched"].turns_at, model.tau
    wide = [replace(prior, scale=prior.scale * factor * side) for side in (0.995, 1.005)]
    assert len({stands(replace(model, tau=one)) for one in wide}) == 2
    assert f"{factor:.3g}-fold" in found["prior of tau stretched"].says
    events = found["events of one arm of one trial"]
    arm = re.search(
        r"(more|fewer) events? in the (\w+) arm of (\w+): (\d+) in place of (\d+)", events.says
    )
    row, column = TRIALS.study.index(arm[3]), f"events_{arm[2]}"
    own, new = int(arm[5]), int(arm[4])
    assert new - own == events.turns_at
    assert own == getattr(TRIALS, column)[row]
    for number, turned in ((new, True), (new - np.sign(new - own), False)):
        values = np.array(getattr(TRIALS, column))
        values[row] = number
        assert (stands(model, replace(TRIALS, **{column: values})) is not before) == turned


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (RATIO, TRIALS),
        (bm.HypergeometricNormal(mu=bm.Normal(0, 2), tau=bm.LogNormal(-1, 0.8)), TRIALS),
        (bm.PoissonNormal(mu=bm.StudentT(4, 0, 1), tau=bm.HalfNormal(0.5)), RATES),
    ],
    ids=["RR", "hypergeometric", "rates"],
)
def test_what_the_nodes_say_of_other_counts_and_other_priors_is_what_fits_say(model, data):
    def fitted(model, data):
        return special.ndtri(bm.fit(model, data).at().cdf(0.0))

    fit = bm.fit(model, data)
    nodes, along = Exchanged.of(fit), AlongTau(fit, 5.0)
    more = np.array(data.events_control) + 2
    found = nodes.z(replace(data, events_control=more))
    for i in range(0, data.k, 2):
        other = np.array(data.events_control)
        other[i] = more[i]
        own = fitted(model, replace(data, events_control=other))
        assert found[i] == pytest.approx(own, abs=2e-3)
    for prior in (bm.HalfNormal(0.05), bm.HalfNormal(3)):
        own = fitted(replace(model, tau=prior), data)
        assert along.z_under(prior) == pytest.approx(own, abs=2e-3)
    for tau in (0.02, 0.4, 3.0):
        own = fitted(replace(model, tau=bm.Uniform(0.999 * tau, 1.001 * tau)), data)
        assert along.z_at(tau) == pytest.approx(own, abs=2e-3)


@pytest.mark.parametrize(
    "model",
    [
        bm.HypergeometricNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.1)),
        bm.BinomialNormal(measure="RR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)),
        pytest.param(
            bm.BinomialNormal(measure="RD", mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.3)),
            marks=pytest.mark.deep("fifteen fits with corners: 4 s"),
        ),
    ],
    ids=["totals given", "RR", "RD"],
)
def test_one_event_more_or_fewer_is_what_a_fit_says(model):
    data = binary(SMALL if isinstance(model, bm.HypergeometricNormal) else OPPOSED)
    found = bm.tipping_points(bm.fit(model, data), prob=0.9)
    assert [one.study for one in found.one_event] == [x for x in data.study for _ in range(2)]
    for one in found.one_event:
        column, row = f"events_{one.arm}", data.study.index(one.study)
        for more, below, stands in (
            (1, one.more, one.more_stands),
            (-1, one.fewer, one.fewer_stands),
        ):
            events = data.numbers[column].copy()
            events[row] += more
            if not 0 <= events[row] <= data.numbers[f"n_{one.arm}"][row]:
                assert np.isnan(below)
                assert stands is None
                continue
            other = bm.fit(model, replace(data, **{column: events}))
            assert below == pytest.approx(other.at().cdf(0.0), abs=1e-4)
            assert stands == (conclusion(other, prob=0.9) == found.conclusion)


def test_the_report_tells_one_event_in_the_direction_of_benefit():
    model = bm.HypergeometricNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.1))
    found = bm.tipping_points(bm.fit(model, binary(SMALL)), prob=0.9)
    outcome = SimpleNamespace(evidence=Evidence(tipping=found), better="higher", tables={})
    outcome.tables = evidence_tables(outcome)
    section = SECTIONS["one-event"](outcome, SimpleNamespace(arms=("cells", "placebo")))
    first = found.one_event[0]
    texts = section.texts[0]
    assert texts[:3] == ["A", "cells", "2"]
    for text, below, stands in zip(
        texts[3:], (first.more, first.fewer), (first.more_stands, first.fewer_stands), strict=True
    ):
        assert text.startswith(f"{100 * (1 - below):.1f}%")
        assert text.endswith("turns the conclusion") == (not stands)
    outcome.better = "lower"
    lower = SECTIONS["one-event"](outcome, SimpleNamespace(arms=("cells", "placebo")))
    assert lower.texts[0][3].startswith(f"{100 * first.more:.1f}%")
    assert not bm.tipping_points(bm.fit(normal(bm.HalfNormal(0.1)), PAIR)).one_event


def test_where_nodes_do_not_say_it_the_report_says_so():
    model = bm.HypergeometricNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.1))
    found = bm.tipping_points(bm.fit(model, binary(OPPOSED)), prob=0.9)
    assert not found.one_event
    outcome = SimpleNamespace(evidence=Evidence(tipping=found), tables={})
    outcome.tables = evidence_tables(outcome)
    run = SimpleNamespace(prob=0.9)
    assert SECTIONS["one-event"](outcome, run) is None
    assert (
        "One event more or fewer in each trial is not told"
        in SECTIONS["tipping"](outcome, run).note
    )


def test_without_nodes_fits_alone_find_the_same(monkeypatch):
    model = bm.HypergeometricNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.1))
    fit = bm.fit(model, binary(SMALL))
    known = bm.tipping_points(fit, prob=0.9)
    monkeypatch.setattr(tipping, "on_nodes", lambda posterior: False)
    monkeypatch.setattr(Exchanged, "of", classmethod(lambda cls, posterior: None))
    alone = bm.tipping_points(fit, prob=0.9)
    for one, other in zip(known.points, alone.points, strict=True):
        assert one.says == other.says


def test_a_few_fits_are_enough(monkeypatch):
    made = []
    right = tipping.refit
    monkeypatch.setattr(tipping, "refit", lambda *words: made.append(0) or right(*words))
    bm.tipping_points(bm.fit(RATIO, TRIALS))
    assert 4 < len(made) <= 10


def test_a_fit_that_fails_on_the_way_is_named_and_others_are_told(monkeypatch):
    def fails(model, data):
        if isinstance(model.tau, bm.Uniform):
            raise ModelError("This needs a fit, which failed.")
        return bm.fit(model, data)

    monkeypatch.setattr(tipping, "refit", fails)
    found = points(normal(bm.HalfNormal(0.1)), PAIR)
    assert found["tau fixed"].says == "Not known: This needs a fit, which failed."
    assert found["tau fixed"].turns_at is None
    assert found["prior of tau stretched"].turns_at == pytest.approx(4.77, abs=0.01)


def test_a_mixture_is_told_with_both_parts_wider():
    mixture = bm.Mixture(0.5, bm.HalfNormal(0.1), bm.HalfNormal(0.05))
    found = points(normal(mixture), PAIR)["prior of tau stretched"]
    first, second = (f"{found.turns_at * scale:.4g}" for scale in (0.1, 0.05))
    assert found.says == (
        "The conclusion turns where the prior of tau is stretched to "
        f"Mixture(0.5, HalfNormal({first}), HalfNormal({second})), {found.turns_at:.3g}-fold."
    )


def test_the_report_says_what_stands_and_where_it_turns():
    found = bm.tipping_points(bm.fit(normal(bm.HalfNormal(0.1)), PAIR))
    outcome = SimpleNamespace(evidence=Evidence(tipping=found), tables={}, measure="RR")
    outcome.tables = evidence_tables(outcome)
    section = SECTIONS["tipping"](outcome, SimpleNamespace(prob=0.95))
    assert section.lead.startswith("As it stands: below no effect, by the 95% interval of μ.")
    assert section.texts == [[one.what, one.says] for one in found.points]
    assert section.note == ""


def test_the_command_line_has_it_on_request(tmp_path):
    table = tmp_path / "trials.csv"
    table.write_text("study,y,se\nA,-0.6,0.1\nB,-0.5,0.2\n")
    words = ["fit", str(table), "--measure", "RR", "--tau", "HalfNormal(0.1)", "--tipping"]
    shown = CliRunner().invoke(main, words)
    assert shown.exit_code == 0
    assert "The conclusion turns where tau is 0.365 or more." in shown.output
    found = json.loads(CliRunner().invoke(main, [*words, "--json"]).output)
    assert [one["what"] for one in found["tables"]["tipping"]] == [
        "tau fixed",
        "prior of tau stretched",
    ]


def test_where_fits_fail_far_out_it_is_said_between_which_places_nothing_turns(monkeypatch):
    right = tipping.refit

    def fails(model, data):
        if isinstance(model.tau, bm.HalfNormal) and model.tau.scale < 0.02:
            raise ModelError("This needs a fit, which failed.")
        return right(model, data)

    monkeypatch.setattr(tipping, "refit", fails)
    alike = estimates([-3.0, -3.1, -2.9, -3.05], [0.05] * 4)
    said = points(normal(bm.HalfNormal(0.1)), alike)["prior of tau stretched"].says
    assert said.startswith("No prior of tau from 0.")
    assert "times as wide as HalfNormal(0.1) turns the conclusion." in said
    assert said.endswith("Beyond, fits do not pass their gates.")
    assert 0.2 <= float(said.split()[5]) < 0.9


def test_a_conclusion_beyond_doubt_is_told_and_does_not_stop_the_run():
    """Sums of masses round to more than 1 there."""
    rows = {f"trial {i}": (20 + i % 3, 400, 80 - i % 5, 400) for i in range(5)}
    for tau in (0.1, 0.5):
        model = bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(tau))
        found = bm.tipping_points(bm.fit(model, binary(rows)))
        assert found.conclusion is Conclusion.BELOW
        assert len(found.points) == 3
        assert all(one.more_stands and one.fewer_stands for one in found.one_event)
        assert all(0.99999 < one.more <= 1 for one in found.one_event)
