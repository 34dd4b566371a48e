"""Conventions of programs as values, and pooling by them."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from references import MAIN_TRIALS, SEVEN_TRIALS, binary, counts, estimates, numbered
from tolerances import CLOSED_FORM, ITERATED

import bayesmeta as bm
from bayesmeta.frequentist import PROGRAMS, Selections, pool_many
from bayesmeta.frequentist.conventions.presets import NOT_OFFERED

SEVEN = binary({name: MAIN_TRIALS[name] for name in SEVEN_TRIALS})


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("measure", ["OR", "RR", "RD", "MD", "SMD", "ROM", "IRR", "GEN"])
@pytest.mark.parametrize("effects", ["common", "random"])
def test_every_preset_is_a_frozen_convention_in_words(program, measure, effects):
    if NOT_OFFERED[program](measure):
        with pytest.raises(bm.ModelError, match=f"no preset of {program} for {measure}"):
            bm.preset(program, measure=measure, effects=effects)
        return
    made = bm.preset(program, measure=measure, effects=effects)
    assert made.measure == measure
    assert made.effects == effects
    assert str(made).startswith(f"{measure}, {effects} effect")
    assert made == bm.preset(program, measure=measure, effects=effects)
    with pytest.raises(FrozenInstanceError):
        made.tau2 = "PM"


def test_presets_say_what_sets_the_programs_apart():
    revman, web, metafor, meta = (bm.preset(name, measure="RR") for name in PROGRAMS)
    assert (revman.tau2, revman.q, revman.interval, revman.prediction) == ("DL", "MH", "Wald", "")
    assert (web.tau2, web.i2, web.interval) == ("REML", "tau²", "HKSJ where it applies")
    assert (metafor.tau2, metafor.double_zero, metafor.prediction) == ("REML", "include", "S")
    assert (meta.tau2, meta.zero_cells, meta.prediction) == ("REML", "events", "V")
    assert bm.preset("metafor", measure="RD", effects="common").variance == "Sato"
    assert bm.preset("revman5", measure="SMD").smd == "RevMan"
    assert bm.preset("revman5", measure="OR", weights="IV", tau2="PM").tau2 == "PM"


def test_pooling_by_a_preset_is_the_call_it_stands_for():
    random = bm.pool(SEVEN, bm.preset("revman5", measure="RR"))
    called = bm.random_effects(SEVEN, measure="RR", tau2="DL", q="MH", interval="Wald")
    assert (random.estimate, random.lower, random.q) == (
        called.estimate,
        called.lower,
        called.q,
    )
    assert random.prediction is None
    common = bm.pool(SEVEN, bm.preset("revman5", measure="RR", effects="common"))
    called = bm.common_effect(SEVEN, weights="MH", measure="RR", zero_cells="if_needed")
    assert_allclose((common.estimate, common.se, common.q), (called.estimate, called.se, called.q))


def test_revman_on_the_web_takes_hksj_only_where_it_applies():
    agree = estimates([0.1, 0.1, 0.11], [0.2, 0.3, 0.2])
    differ = estimates([0.1, 0.9, -0.7], [0.2, 0.3, 0.2])
    convention = bm.preset("revman_web", measure="GEN")
    assert bm.pool(agree, convention).chosen == "Wald"
    assert bm.pool(differ, convention).chosen == "HKSJ"
    assert bm.pool(differ.keep(np.array([True, True, False])), convention).chosen == "Wald"


def test_i2_is_the_one_of_the_convention():
    data = counts("bcg")
    by_q = bm.pool(data, bm.preset("meta", measure="OR"))
    by_tau2 = bm.pool(data, bm.preset("metafor", measure="OR"))
    assert by_q.i2 == by_q.i2_q
    assert by_tau2.i2 != by_tau2.i2_q


def test_q_of_mantel_haenszel_may_be_centred_at_inverse_variance_and_on_other_estimates():
    data = counts("nielweise2007")
    meta = bm.pool(data, bm.preset("meta", measure="RR", effects="common"))
    around = bm.effect_sizes(data, measure="RR", zero_cells="events")
    assert_allclose(meta.q, bm.common_effect(around).q, **CLOSED_FORM)
    plain = bm.common_effect(data, weights="MH", measure="RR", zero_cells="if_needed")
    assert_allclose(meta.estimate, plain.estimate, **CLOSED_FORM)


def test_person_time_and_means_are_pooled_by_a_convention():
    times = bm.PersonTimeStudies(
        study=("A", "B", "C"),
        events_treatment=np.array([3.0, 0, 9]),
        time_treatment=np.array([40.0, 30, 90]),
        events_control=np.array([6.0, 4, 11]),
        time_control=np.array([42.0, 33, 80]),
    )
    mh = bm.pool(times, bm.Convention(measure="IRR", effects="common", weights="MH", q="MH"))
    assert mh.estimate == bm.common_effect(times, weights="MH").estimate
    means = bm.ContinuousStudies(
        study=("A", "B"),
        mean_treatment=np.array([5.0, 6.0]),
        sd_treatment=np.array([2.0, 2.5]),
        n_treatment=np.array([20.0, 30.0]),
        mean_control=np.array([6.0, 6.5]),
        sd_control=np.array([2.0, 2.5]),
        n_control=np.array([20.0, 30.0]),
    )
    exact = bm.pool(means, bm.preset("metafor", measure="SMD"))
    approximate = bm.pool(means, bm.preset("revman5", measure="SMD"))
    assert exact.estimate != approximate.estimate
    assert exact.estimate == pytest.approx(approximate.estimate, abs=2e-3)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"effects": "random"}, "without an estimator"),
        ({"effects": "common", "tau2": "DL"}, "an estimator of tau² without weights"),
        ({"effects": "random", "weights": "MH"}, "random effects by MH"),
        ({"effects": "common", "interval": "HKSJ"}, "a common effect with HKSJ"),
        ({"effects": "random", "tau2": "DL", "interval": "KR"}, "KR without REML"),
        ({"effects": "common", "prediction": "HK"}, "prediction interval of a common"),
        ({"effects": "random", "tau2": "DL", "q": "MH"}, "one rule for zeros"),
        ({"effects": "mixed", "tau2": "DL"}, "effects is one of common, random"),
        ({"effects": "random", "tau2": "MM"}, "tau2 is one of"),
        ({"effects": "random", "tau2": "DL", "zero_cells": "half"}, "zero_cells is one of"),
    ],
)
def test_conventions_that_contradict_themselves_are_refused(fields, words):
    with pytest.raises(bm.ModelError, match=words):
        bm.Convention(measure="RR", **fields)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bm.preset("meta", measure="RR", weights="mh"), "weights is one of IV, MH, Peto"),
        (lambda: bm.preset("stata", measure="RR"), "program is one of revman5"),
        (lambda: bm.preset("meta", measure="RR", weights="Peto"), "Peto's method is of a common"),
        (lambda: bm.preset("meta", measure="RR", tau="DL"), "a setting of a convention is one of"),
        (
            lambda: bm.pool(
                estimates([0.1], [0.2]),
                bm.Convention(measure="OR", effects="common", weights="GLMM conditional"),
            ),
            "A GLMM is of the odds ratio",
        ),
    ],
)
def test_what_no_program_does_is_refused(call, words):
    with pytest.raises(bm.ModelError, match=words):
        call()


def test_estimates_of_another_measure_are_refused():
    with pytest.raises(bm.DataError, match="estimates are GEN; the convention is of RR"):
        bm.pool(estimates([0.1, 0.3], [0.2, 0.2]), bm.preset("meta", measure="RR"))


MADE = [
    *(
        bm.preset(program, measure=measure, effects=effects)
        for program in PROGRAMS
        for measure in ("OR", "RR", "RD")
        for effects in ("common", "random")
    ),
    bm.preset("metafor", measure="RR", interval="KR"),
    bm.preset("revman5", measure="OR", tau2="PM", interval="HKSJ truncated"),
    bm.preset("meta", measure="RR", zero_cells="none"),
    bm.Convention(measure="RD", effects="common", weights="MH", q="MH"),
    bm.Convention(measure="OR", effects="common", weights="MH", q="MH"),
    bm.Convention(measure="OR", effects="common", weights="Peto", q="MH"),
    bm.Convention(measure="OR", effects="common", weights="GLMM conditional"),
]


@st.composite
def trials(draw):
    """One to five trials of few patients, in which nobody or everybody may have the event."""
    k = draw(st.integers(1, 5))
    rows = {}
    for name in numbered(k):
        sizes = draw(st.integers(1, 30)), draw(st.integers(1, 30))
        one, two = (draw(st.integers(0, size)) for size in sizes)
        rows[name] = (one, sizes[0], two, sizes[1])
    return binary(rows)


@given(trials(), st.sampled_from(MADE), st.integers(0, 2**31))
def test_every_selection_of_random_trials_has_the_answer_of_its_own_table(data, convention, seed):
    masks = np.random.default_rng(seed).random((data.k, 3)) < 0.7
    selections = Selections.of(data, masks | (np.arange(data.k) == 0)[:, None])
    try:
        answers = pool_many(convention, selections)
    except bm.BayesmetaError as refusal:
        with pytest.raises(type(refusal)):
            bm.pool(data, convention)
        return
    for i in range(selections.n):
        found = [figure[i] for figure in (answers.estimate, answers.se, answers.p, answers.q)]
        try:
            fit = bm.pool(selections.alone(i), convention)
        except bm.BayesmetaError:
            assert np.isnan(found).all()
            continue
        assert_allclose(found, [fit.estimate, fit.se, fit.p, fit.q], **ITERATED)
