"""Effect sizes against metafor's escalc, against hand calculation, and at their edges."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from references import MAIN_TRIALS, binary, cases, counts, given, numbered
from tolerances import CLOSED_FORM

import bayesmeta as bm
from bayesmeta.effects import MEASURES, measure_named

BINARY = {"bcg", "nielweise2007", "crins2014", "hine1989", "yusuf1985"}
BINARY |= {"linde2005", "egger2001", "nissen2007", "peto1980"}
RULES = ("if_needed", "none", "all", "excluded")
GRID = [
    (dataset, measure, rule)
    for dataset, measures in cases("effect_sizes").items()
    for measure, rules in measures.items()
    for rule in rules
]


def test_grid_of_effect_sizes_is_complete():
    assert set(cases("effect_sizes")) == BINARY == set(cases("counts"))
    assert len(GRID) == len(set(GRID)) == len(BINARY) * 2 * len(RULES) == 72


@pytest.mark.parametrize(("dataset", "measure", "rule"), GRID)
def test_effect_sizes_equal_metafor(dataset, measure, rule):
    reference = cases("effect_sizes")[dataset][measure][rule]
    y, v = given(reference["yi"]), given(reference["vi"])
    finite = np.isfinite(y)
    studies = counts(dataset)
    if rule == "excluded":
        sizes = bm.effect_sizes(studies, measure=measure)
        assert [row.study for row in sizes.excluded] == list(np.array(studies.study)[~finite])
    elif rule == "none":
        sizes = bm.effect_sizes(studies.keep(finite), measure=measure, zero_cells="none")
    else:
        sizes = bm.effect_sizes(studies, measure=measure, zero_cells=rule, double_zero="include")
    assert sizes.k == finite.sum()
    assert_allclose(sizes.y, y[finite], **CLOSED_FORM)
    assert_allclose(sizes.se**2, v[finite], **CLOSED_FORM)


RISKS = [(dataset, rule) for dataset, rules in cases("risk_differences").items() for rule in rules]


def test_grids_of_the_other_effect_sizes_are_complete():
    assert set(cases("risk_differences")) == BINARY
    assert set(RISKS) == {(name, rule) for name in BINARY for rule in RULES[:3]}
    assert set(cases("rates_and_proportions")) == {"hart1999", "pritz1997", "baeten2013"}


@pytest.mark.parametrize(("dataset", "rule"), RISKS)
def test_risk_differences_equal_metafor(dataset, rule):
    reference = cases("risk_differences")[dataset][rule]
    y, v = given(reference["yi"]), given(reference["vi"])
    known = v > 0  # where each arm has nobody or everybody with the event, there is no variance
    sizes = bm.effect_sizes(counts(dataset).keep(known), measure="RD", zero_cells=rule)
    assert_allclose(sizes.y, y[known], **CLOSED_FORM)
    assert_allclose(sizes.se**2, v[known], **CLOSED_FORM)


@pytest.mark.parametrize("dataset", cases("rates_and_proportions"))
def test_rate_ratios_and_proportions_equal_metafor(dataset):
    reference = cases("rates_and_proportions")[dataset]
    kind = {"IRR": bm.PersonTimeStudies, "PLO": bm.ProportionStudies}[reference["measure"]]
    columns = {name: np.array(values) for name, values in reference["data"].items()}
    studies = kind(study=numbered(len(reference["yi"])), **columns)
    sizes = bm.effect_sizes(studies)
    assert sizes.measure == reference["measure"]
    assert_allclose(sizes.y, given(reference["yi"]), **CLOSED_FORM)
    assert_allclose(sizes.se**2, given(reference["vi"]), **CLOSED_FORM)


def test_log_rate_is_that_of_the_poisson_distribution():
    """Its variance is one over the events (Rothman, Greenland & Lash 2008, ch. 14)."""
    studies = bm.IncidenceStudies(
        study=("A", "zero"), events=np.array([8.0, 0.0]), time=np.array([250.0, 40.0])
    )
    sizes = bm.effect_sizes(studies)
    assert sizes.measure == "IRLN"
    assert_allclose(sizes.y, np.log([8 / 250, 0.5 / 40]), **CLOSED_FORM)
    assert_allclose(sizes.se**2, [1 / 8, 2.0], **CLOSED_FORM)


def test_half_goes_to_the_counts_and_not_to_the_person_time():
    rates = bm.PersonTimeStudies(
        study=("zero", "full"),
        events_treatment=np.array([0.0, 4.0]),
        time_treatment=np.array([100.0, 90.0]),
        events_control=np.array([3.0, 6.0]),
        time_control=np.array([80.0, 70.0]),
    )
    sizes = bm.effect_sizes(rates)
    assert_allclose(sizes.y, np.log([0.5 / 100 / (3.5 / 80), 4 / 90 / (6 / 70)]), **CLOSED_FORM)
    assert_allclose(sizes.se**2, [1 / 0.5 + 1 / 3.5, 1 / 4 + 1 / 6], **CLOSED_FORM)
    arms = bm.ProportionStudies(
        study=("none", "all"), events=np.array([0.0, 9.0]), n=np.array([12.0, 9.0])
    )
    sizes = bm.effect_sizes(arms)
    assert_allclose(sizes.y, np.log([0.5 / 12.5, 9.5 / 0.5]), **CLOSED_FORM)
    assert_allclose(sizes.se**2, [1 / 0.5 + 1 / 12.5, 1 / 9.5 + 1 / 0.5], **CLOSED_FORM)


def test_risk_difference_of_two_arms_without_events_has_no_variance_of_its_own():
    studies = binary({"A": (0, 5, 0, 6)})
    assert bm.effect_sizes(studies, measure="RD").y[0] == pytest.approx(0.5 / 6 - 0.5 / 7)
    with pytest.raises(bm.DataError, match="RD has no finite estimate for A"):
        bm.effect_sizes(studies, measure="RD", zero_cells="none")


@pytest.mark.parametrize("name", ["y", "se"])
def test_a_table_with_one_of_y_and_se_says_that_the_other_is_missing(name):
    other = {"y": "se", "se": "y"}[name]
    with pytest.raises(bm.DataError, match=rf"\b{other}\b") as told:
        bm.EffectSizes.from_frame(pd.DataFrame({"study": ["A"], name: [0.2]}))
    assert "estimate" not in str(told.value)


@pytest.mark.parametrize(
    ("dataset", "measure"),
    [
        (d, m)
        for d, m, rule in GRID
        if rule == "none" and None in cases("effect_sizes")[d][m][rule]["yi"]
    ],
)
def test_estimates_that_metafor_calls_infinite_are_refused_by_name(dataset, measure):
    infinite = ~np.isfinite(given(cases("effect_sizes")[dataset][measure]["none"]["yi"]))
    studies = counts(dataset)
    first = np.array(studies.study)[infinite & ~studies.double_zero][0]
    with pytest.raises(
        bm.DataError, match=rf"{first} \(row .*zero\s+cell; use zero_cells='if_needed'"
    ):
        bm.effect_sizes(studies, measure=measure, zero_cells="none")


def test_log_ratios_of_one_table_equal_hand_calculation():
    studies = binary({"A": (3, 12, 8, 20)})
    odds = bm.effect_sizes(studies, measure="OR")
    risk = bm.effect_sizes(studies, measure="RR")
    assert odds.y[0] == pytest.approx(np.log((3 / 9) / (8 / 12)), rel=1e-14)
    assert odds.se[0] == pytest.approx(np.sqrt(1 / 3 + 1 / 9 + 1 / 8 + 1 / 12), rel=1e-14)
    assert risk.y[0] == pytest.approx(np.log((3 / 12) / (8 / 20)), rel=1e-14)
    assert risk.se[0] == pytest.approx(np.sqrt(1 / 3 - 1 / 12 + 1 / 8 - 1 / 20), rel=1e-14)


def test_half_goes_to_all_four_cells_of_the_study_with_a_zero_and_to_no_other():
    studies = binary({"zero": (0, 12, 3, 29), "full": (4, 10, 5, 11)})
    odds = bm.effect_sizes(studies, measure="OR")
    risk = bm.effect_sizes(studies, measure="RR")
    assert odds.y[0] == pytest.approx(np.log(0.5 * 26.5 / (12.5 * 3.5)), rel=1e-14)
    assert risk.y[0] == pytest.approx(np.log((0.5 / 13) / (3.5 / 30)), rel=1e-14)
    assert odds.y[1] == pytest.approx(np.log(4 * 6 / (6 * 5)), rel=1e-14)
    assert "½" in odds.note


def test_study_without_survivors_in_one_arm_counts_as_having_a_zero_cell():
    sizes = bm.effect_sizes(binary({"A": (5, 5, 2, 4)}), measure="OR")
    assert sizes.y[0] == pytest.approx(np.log(5.5 * 2.5 / (0.5 * 2.5)), rel=1e-14)


def test_double_zero_study_is_left_out_of_ratios_and_named():
    sizes = bm.effect_sizes(binary(MAIN_TRIALS), measure="RR")
    assert "Shi" not in sizes.study
    assert [(row.study, row.variant) for row in sizes.excluded] == [("Shi", "double zero")]
    assert sizes.k == len(MAIN_TRIALS) - 1


def test_study_in_which_everybody_has_the_event_is_silent_for_odds_but_not_for_risks():
    studies = binary({"all": (5, 5, 4, 4), "some": (2, 6, 3, 7)})
    odds = bm.effect_sizes(studies, measure="OR")
    assert odds.study == ("some",)
    assert "every patient" in odds.excluded[0].reason
    assert bm.effect_sizes(studies, measure="RR").study == ("all", "some")


@pytest.mark.parametrize(
    ("rows", "measure", "words"),
    [
        ({"A": (0, 5, 0, 6)}, "RR", "no event in either arm"),
        ({"A": (5, 5, 6, 6), "B": (0, 5, 0, 6)}, "OR", "no patient, or every patient"),
    ],
)
def test_nothing_to_pool_says_what_would_work(rows, measure, words):
    with pytest.raises(bm.DataError, match=f"{words}.*kept by a model of the counts"):
        bm.effect_sizes(binary(rows), measure=measure)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({}, "measure must be given"),
        (
            {"measure": "MD"},
            "events_treatment and n_treatment has the measure OR, RR or RD, not 'MD'",
        ),
        ({"measure": "LNRR"}, "'LNRR' is not one of OR, RR, RD. RR is the risk ratio"),
        ({"measure": "OR", "zero_cells": "some"}, "zero_cells 'some' is not one of"),
        ({"measure": "OR", "double_zero": "drop"}, "double_zero is 'exclude' or 'include'"),
    ],
)
def test_unknown_rules_are_refused_with_what_exists(keywords, words):
    with pytest.raises(bm.DataError, match=words):
        bm.effect_sizes(binary({"A": (1, 5, 2, 6)}), **keywords)


def test_printed_interval_gives_its_estimate_and_standard_error():
    printed = bm.Published(measure="RR", estimate="0.76", lower="0.60", upper="0.96")
    sizes = bm.effect_sizes(printed)
    assert sizes.measure == "RR"
    assert sizes.y[0] == pytest.approx(np.log(0.76), rel=1e-14)
    assert sizes.se[0] == pytest.approx(np.log(0.96 / 0.60) / (2 * 1.959963984540054), rel=1e-12)


def test_level_of_a_printed_interval_enters_the_standard_error():
    figures = {"measure": "MD", "estimate": "0.0", "lower": "-1.0", "upper": "1.0"}
    ninety, wide = (bm.effect_sizes(bm.Published(**figures, prob=p)).se[0] for p in (0.9, 0.99))
    assert ninety == pytest.approx(1 / 1.6448536269514722, rel=1e-12)
    assert wide == pytest.approx(1 / 2.5758293035489004, rel=1e-12)


def test_difference_is_not_logged():
    frame = pd.DataFrame({"study": ["A"], "estimate": [-2.0], "lower": [-3.0], "upper": [-1.0]})
    sizes = bm.EffectSizes.from_frame(frame, measure="MD")
    assert sizes.y[0] == -2.0
    assert sizes.se[0] == pytest.approx(1 / 1.959963984540054, rel=1e-12)


@pytest.mark.parametrize(
    ("estimate", "lower", "upper"), [("0.76", "0.60", "0.69"), ("0.5", "0.10", "0.60")]
)
def test_interval_that_is_not_symmetric_on_the_log_scale_is_refused(estimate, lower, upper):
    frame = pd.DataFrame(
        {
            "study": ["A"],
            "estimate": [float(estimate)],
            "lower": [float(lower)],
            "upper": [float(upper)],
        }
    )
    with pytest.raises(bm.DataError, match=r"A \(row 1\) is not symmetric"):
        bm.EffectSizes.from_frame(frame, measure="RR")


def test_rounding_of_printed_limits_is_forgiven():
    rounded = bm.Published(measure="RR", estimate="0.5", lower="0.1", upper="1.8")
    assert bm.effect_sizes(rounded).k == 1  # exact would be [0.14, 1.78]


def test_logarithms_given_as_ratios_are_refused():
    frame = pd.DataFrame({"study": ["A"], "estimate": [-0.3], "lower": [-0.5], "upper": [-0.1]})
    with pytest.raises(bm.DataError, match="not as logarithms"):
        bm.EffectSizes.from_frame(frame, measure="OR")


def test_table_of_y_and_se_is_taken_as_it_stands():
    frame = pd.DataFrame(
        {"trial": ["A", "B"], "yi": [0.1, -0.2], "sei": [0.3, 0.4], "year": [1, 2]}
    )
    sizes = bm.EffectSizes.from_frame(
        frame,
        columns={"study": "trial", "y": "yi", "se": "sei"},
        measure="HR",
        exclude={"B": "late"},
    )
    assert (sizes.study, sizes.y.tolist(), sizes.se.tolist()) == (("A",), [0.1], [0.3])
    assert sizes.excluded[0].reason == "late"


@pytest.mark.parametrize(
    ("y", "se", "words"),
    [
        ([0.1, np.nan], [0.2, 0.3], r"y is missing or not finite for B \(row 2\)"),
        ([0.1, np.inf], [0.2, 0.3], r"y is missing or not finite for B"),
        ([0.1, None], [0.2, 0.3], r"y is missing or not finite for B"),
        ([0.1, 0.2], [0.2, 0.0], r"se must be positive; check B \(row 2\)"),
        ([0.1, 0.2], [-0.2, 0.3], r"se must be positive; check A \(row 1\)"),
        ([0.1, 0.2], [0.2, np.inf], r"se is missing or not finite for B"),
        ([0.1], [0.2, 0.3], r"y must have one entry per study, 2 in all"),
        (["few", "many"], [0.2, 0.3], r"one number per study, got \['few', 'many'\]"),
    ],
)
def test_estimates_that_cannot_be_used_are_named(y, se, words):
    with pytest.raises(bm.DataError, match=words):
        bm.EffectSizes.from_arrays(["A", "B"], y, se)


def test_unknown_measure_lists_the_measures():
    with pytest.raises(bm.DataError, match=r"'XY' is not one of OR, RR.*IRLN\.$"):
        bm.EffectSizes.from_arrays(["A"], [0.1], [0.2], measure="XY")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("logOR", "OR is the odds ratio, analysed as its log."),
        ("proportion", "PLO is the proportion, analysed as its logit."),
        ("hazard ratio", "HR is the hazard ratio, analysed as its log."),
        ("Hedges' g", "SMD is the standardised mean difference."),
    ],
)
def test_what_others_call_a_measure_is_told_its_name_here(name, words):
    with pytest.raises(bm.DataError, match="is not one of OR, RR") as error:
        bm.EffectSizes.from_arrays(["A"], [0.1], [0.2], measure=name)
    assert str(error.value).endswith(words)


def test_a_measure_is_known_in_letters_of_any_case():
    assert bm.EffectSizes.from_arrays(["A"], [0.1], [0.2], measure="rr").measure == "RR"
    assert bm.effect_sizes(binary({"A": (1, 5, 2, 6)}), measure="or").measure == "OR"


def test_arrays_inside_cannot_be_written_and_do_not_follow_the_callers():
    y = np.array([0.1, 0.2])
    sizes = bm.EffectSizes.from_arrays(["A", "B"], y, [0.3, 0.4])
    y[0] = 9.0
    assert sizes.y[0] == 0.1
    with pytest.raises(ValueError, match="read-only"):
        sizes.y[0] = 9.0


def test_ratios_and_only_ratios_are_exponentiated():
    assert {name for name, measure in bm.MEASURES.items() if measure.log} == {
        "OR",
        "RR",
        "IRR",
        "HR",
        "IRLN",
        "ROM",
        "RGM",
        "RATIO",
    }
    assert measure_named("OR").natural(np.log(2.0)) == pytest.approx(2.0)
    assert measure_named("MD").natural(0.7) == 0.7
    assert (measure_named("RR").analysis_label, measure_named("RD").analysis_label) == (
        "log RR",
        "RD",
    )


def test_measures_have_the_article_of_their_first_sound():
    assert {one: MEASURES[one].a_words for one in ("OR", "RR", "IRR", "GEN")} == {
        "OR": "an odds ratio",
        "RR": "a risk ratio",
        "IRR": "an incidence rate ratio",
        "GEN": "an effect",
    }
    frame = pd.DataFrame({"study": ["A"], "estimate": [-1.0], "se": [0.5]})
    with pytest.raises(bm.DataError, match="estimate of an odds ratio must be above zero"):
        bm.EffectSizes.from_frame(frame, measure="OR")
