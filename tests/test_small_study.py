"""Small-study effects against metafor and meta, against first principles, and at their edges."""

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import COUNTS, MAIN_TRIALS, binary, cases, counts, estimates, given, swapped
from scipy import stats
from tolerances import CLOSED_FORM, INVARIANCE, ITERATED, REML_AS_IT_COMES, SLOPE

import bayesmeta as bm
from bayesmeta.frequentist import (
    egger,
    harbord,
    pet_peese,
    peters,
    regression_test,
    small_study_tests,
    trim_and_fill,
)
from bayesmeta.frequentist.arrays.regression import ESTIMATORS
from bayesmeta.frequentist.small_study.counts import score_or, score_rr
from bayesmeta.frequentist.small_study.mixed_line import OF_LINE, mixed_line
from bayesmeta.results.sections import SECTIONS

DATASETS = sorted(cases("random_effects"))
BY_META = ("bcg", "crins2014", "egger2001", "nielweise2007", "nissen2007")
TESTS = {"Egger": lambda trials: egger(trials, measure="OR"), "Harbord": harbord, "Peters": peters}
FILLS = [f"{tau2}_{estimator}" for tau2 in ("FE", "DL", "REML") for estimator in ("L0", "R0", "Q0")]
STOPPED = "metafor stops: the square root in Q0 is of a negative number; so is ours, in words"
NOT_CLAIMED = {
    ("peto1980", "FE_Q0"): STOPPED,
    **{
        (dataset, f"{tau2}_Q0"): STOPPED
        for dataset in ("linde2005", "egger2001", "pritz1997")
        for tau2 in ("FE", "DL", "REML")
    },
}
FILLED = [(d, f) for d in DATASETS for f in FILLS if (d, f) not in NOT_CLAIMED]
FOUR = estimates([-0.9, 0.1, -0.3, -0.5], [0.6, 0.2, 0.3, 1.0])


def effects_of(dataset: str) -> bm.EffectSizes:
    case = cases("small_study")[dataset]
    measure = case["measure"] if case["measure"] in bm.MEASURES else "GEN"
    return estimates(case["yi"], np.sqrt(case["vi"]), measure=measure)


def flipped(data: bm.EffectSizes) -> bm.EffectSizes:
    return replace(data, y=-data.y)


def reversed_order(data: bm.EffectSizes) -> bm.EffectSizes:
    return replace(data, study=data.study[::-1], y=data.y[::-1], se=data.se[::-1])


def test_every_stored_number_is_tested_or_named():
    stored = cases("small_study")
    assert sorted(stored) == DATASETS
    assert len(DATASETS) == 19
    assert {d for d in stored if stored[d]["meta"]} == set(BY_META)
    assert all(set(stored[d]["meta"]) == set(TESTS) for d in BY_META)
    assert all(set(stored[d]["trim_and_fill"]) == set(FILLS) for d in DATASETS)
    errors = {(d, f) for d in DATASETS for f in FILLS if "error" in stored[d]["trim_and_fill"][f]}
    assert errors == set(NOT_CLAIMED)
    assert len(FILLED) == 19 * 9 - 10


@pytest.mark.parametrize("dataset", DATASETS)
def test_egger_pet_and_peese_equal_metafor(dataset):
    case, data = cases("small_study")[dataset], effects_of(dataset)
    ours, theirs = egger(data), case["egger"]
    names = {"statistic": "stat", "p": "p", "df": "df", "limit": "limit"}
    names |= {"limit_lower": "limit_lb", "limit_upper": "limit_ub"}
    for name, key in names.items():
        assert_allclose(getattr(ours, name), theirs[key], err_msg=name, **CLOSED_FORM)
    both = pet_peese(data)
    for line, name in ((both.pet, "pet"), (both.peese, "peese")):
        assert_allclose((line.estimate, line.slope), case[name]["coef"], **CLOSED_FORM)
        assert_allclose((line.se, line.slope_se), case[name]["se"], **CLOSED_FORM)
        assert_allclose((line.p, line.slope_p), case[name]["p"], **CLOSED_FORM)


@pytest.mark.parametrize("tau2", ["REML", None])
@pytest.mark.parametrize("dataset", DATASETS)
def test_regression_under_random_effects_equals_metafors_default_test(dataset, tau2):
    theirs = cases("small_study")[dataset]["regression"][tau2 or "EE"]
    ours = regression_test(effects_of(dataset), tau2=tau2)
    assert theirs["df"] is None
    assert ours.df == np.inf
    tolerance = CLOSED_FORM if tau2 is None else ITERATED
    found = (ours.statistic, ours.p, ours.limit, ours.limit_lower, ours.limit_upper)
    keys = ("stat", "p", "limit", "limit_lb", "limit_ub")
    assert_allclose(found, [theirs[key] for key in keys], **tolerance)


@pytest.mark.parametrize("test", ["z", "knha"])
@pytest.mark.parametrize("tau2", ["EE", *OF_LINE])
@pytest.mark.parametrize("dataset", ["bcg", "raudenbush1985"])
def test_lines_in_a_covariate_equal_metafor(dataset, tau2, test):
    """bcg on latitude, raudenbush1985 on weeks: the same line with another predictor."""
    stored, data = cases("small_study")[dataset]["line"], effects_of(dataset)
    theirs, x = stored["fits"][f"{tau2}_{test}"], np.array(stored["x"])
    line = mixed_line(
        "", data.study, data.y, x, data.se**2,
        tau2=None if tau2 == "EE" else tau2,
        interval={"z": "Wald", "knha": "HKSJ"}[test], prob=0.95,
    )  # fmt: skip
    assert_allclose((line.estimate, line.slope), theirs["estimate"], **ITERATED)
    assert_allclose((line.se, line.slope_se), theirs["se"], **ITERATED)
    assert_allclose((line.p, line.slope_p), theirs["p"], **ITERATED)
    assert_allclose((line.lower, line.upper), (theirs["ci_lb"][0], theirs["ci_ub"][0]), **ITERATED)
    if tau2 != "EE":
        design = np.column_stack([np.ones(data.k), x])
        assert_allclose(ESTIMATORS[tau2](data.y, design, data.se**2), theirs["tau2"], **ITERATED)


def test_regression_with_the_dispersion_of_a_common_effect_is_eggers_test():
    one, two = regression_test(FOUR, tau2=None, interval="HKSJ"), egger(FOUR)
    for name in ("statistic", "df", "p", "slope", "limit", "limit_lower"):
        assert_allclose(getattr(one, name), getattr(two, name), **CLOSED_FORM)
    wide = regression_test(FOUR, tau2=None, interval="HKSJ truncated")
    assert wide.slope_se >= regression_test(FOUR, tau2=None).slope_se


TWO_PEAKS = estimates([0.0, 0.3, 0.0, 5.0, 0.2], [0.01, 0.02, 0.015, 1.5, 0.5])


@pytest.mark.parametrize("data", [FOUR, TWO_PEAKS, effects_of("bcg")])
@pytest.mark.parametrize("kind", ["REML", "ML"])
def test_tau2_about_a_line_is_where_the_likelihood_by_matrices_is_highest(data, kind):
    design = np.column_stack([np.ones(data.k), data.se])

    def deviance(tau2: float) -> float:
        weight = np.diag(1 / (data.se**2 + tau2))
        information = design.T @ weight @ design
        residual = data.y - design @ np.linalg.solve(information, design.T @ weight @ data.y)
        restricted = np.linalg.slogdet(information)[1] if kind == "REML" else 0.0
        return residual @ weight @ residual - np.linalg.slogdet(weight)[1] + restricted

    found = ESTIMATORS[kind](data.y, design, data.se**2)
    grid = np.append(0.0, np.geomspace(1e-7, 100, 4001))
    lowest = min(deviance(t) for t in grid)
    assert deviance(found) <= lowest + 1e-9


@pytest.mark.parametrize("tau2", [None, *OF_LINE])
@pytest.mark.parametrize("interval", ["Wald", "HKSJ"])
def test_regression_turns_with_the_signs_and_keeps_its_p_in_other_units(tau2, interval):
    asked = {"tau2": tau2, "interval": interval}
    one = regression_test(FOUR, **asked)
    turned = regression_test(flipped(reversed_order(FOUR)), **asked)
    assert_allclose((one.p, one.slope), (turned.p, -turned.slope), **INVARIANCE)
    larger = regression_test(replace(FOUR, y=100 * FOUR.y, se=100 * FOUR.se), **asked)
    assert_allclose((one.p, 100 * one.limit), (larger.p, larger.limit), **INVARIANCE)


@pytest.mark.parametrize("dataset", BY_META)
@pytest.mark.parametrize("name", TESTS)
def test_tests_on_counts_equal_meta(dataset, name):
    ours, theirs = TESTS[name](counts(dataset)), cases("small_study")[dataset]["meta"][name]
    assert_allclose(
        (ours.statistic, ours.df, ours.p, ours.slope, ours.slope_se),
        [theirs[key] for key in ("stat", "df", "p", "bias", "se_bias")],
        **CLOSED_FORM,
    )


@pytest.mark.parametrize(("dataset", "name"), FILLED)
def test_trim_and_fill_equals_metafor(dataset, name):
    theirs = cases("small_study")[dataset]["trim_and_fill"][name]
    tau2, estimator = name.split("_")
    ours = trim_and_fill(
        effects_of(dataset), estimator=estimator, tau2=None if tau2 == "FE" else tau2
    )
    assert (ours.k0, ours.side) == (theirs["k0"], theirs["side"])
    assert_allclose(ours.k0_se, theirs["se_k0"], **CLOSED_FORM)
    assert ours.k0_p == theirs["p_k0"]
    by_steps, at_last = (
        (ITERATED, REML_AS_IT_COMES) if tau2 == "REML" else (CLOSED_FORM, CLOSED_FORM)
    )
    assert_allclose(ours.y, given(theirs["filled_yi"]), **by_steps)
    fit = ours.fit
    assert_allclose(
        (fit.estimate, fit.se, fit.lower, fit.upper, fit.tau2 or 0.0, fit.i2),
        [theirs[key] for key in ("estimate", "se", "ci_lb", "ci_ub", "tau2", "I2")],
        **at_last,
    )


@pytest.mark.parametrize(("dataset", "name"), [c for c in FILLED if c[1].startswith("REML")])
def test_the_filled_data_are_likelier_at_our_tau2_than_at_metafors(dataset, name):
    """The reason for the wider tolerance above: metafor stops short of the top."""
    data, estimator = effects_of(dataset), name.split("_")[1]
    ours = trim_and_fill(data, estimator=estimator, tau2="REML")
    y, v = np.append(data.y, ours.y), np.append(data.se, ours.se) ** 2

    def log_likelihood(tau2):
        w = 1 / (v + tau2)
        rest = w @ (y - w @ y / w.sum()) ** 2
        return 0.5 * (np.log(w).sum() - np.log(w.sum()) - rest)

    theirs = cases("small_study")[dataset]["trim_and_fill"][name]["tau2"]
    assert log_likelihood(ours.fit.tau2) >= log_likelihood(theirs) - 1e-11


@pytest.mark.parametrize(("dataset", "name"), NOT_CLAIMED)
def test_q0_says_where_it_has_no_value(dataset, name):
    tau2 = name.split("_")[0]
    with pytest.raises(bm.DataError, match="Q0 has no value here"):
        trim_and_fill(effects_of(dataset), estimator="Q0", tau2=None if tau2 == "FE" else tau2)


def test_egger_is_the_intercept_of_precision_regression():
    design = np.column_stack([np.ones(FOUR.k), 1 / FOUR.se])
    (intercept, height), *_ = np.linalg.lstsq(design, FOUR.y / FOUR.se, rcond=None)
    test = egger(FOUR)
    assert_allclose((test.slope, test.limit), (intercept, height), **CLOSED_FORM)


def test_scores_of_the_odds_ratio_are_those_of_the_hypergeometric():
    trials = counts("crins2014")
    score, variance = score_or(trials)
    events = trials.events_treatment + trials.events_control
    chance = stats.hypergeom(trials.n_treatment + trials.n_control, events, trials.n_treatment)
    assert_allclose(score, trials.events_treatment - chance.mean(), atol=1e-12)
    assert_allclose(variance, chance.var(), **CLOSED_FORM)


def test_scores_of_the_risk_ratio_are_slopes_of_the_likelihood():
    """The paper's form, which meta 8.3 replaces by that of equal arms: no program to hold it to."""
    a, n1, c, n2 = 9.0, 40.0, 20.0, 38.0
    score, variance = score_rr(binary({"A": (9, 40, 20, 38)}))
    p = (a + c) / (n1 + n2)

    def log_likelihood(log_ratio, log_risk):
        one, two = np.exp(log_risk + log_ratio), np.exp(log_risk)
        return (
            a * np.log(one)
            + (n1 - a) * np.log1p(-one)
            + c * np.log(two)
            + (n2 - c) * np.log1p(-two)
        )

    h, at = 1e-5, np.log(p)
    slope = (log_likelihood(h, at) - log_likelihood(-h, at)) / (2 * h)
    own, cross, risk = n1 * p / (1 - p), n1 * p / (1 - p), (n1 + n2) * p / (1 - p)
    assert_allclose(score, slope, **SLOPE)
    assert_allclose(variance, own - cross**2 / risk, **CLOSED_FORM)


@pytest.mark.parametrize("dataset", ["bcg", "raudenbush1985"])
def test_order_of_studies_does_not_matter_and_signs_turn_with_the_estimates(dataset):
    data = effects_of(dataset)
    for other, sign in ((reversed_order(data), 1), (flipped(data), -1)):
        one, two = egger(data), egger(other)
        assert_allclose((two.slope, two.limit), (sign * one.slope, sign * one.limit), **INVARIANCE)
        assert_allclose(two.p, one.p, **INVARIANCE)
        one, two = pet_peese(data), pet_peese(other)
        assert (one.chosen, two.k) == (two.chosen, one.k)
        assert_allclose(two.peese.estimate, sign * one.peese.estimate, **INVARIANCE)
        one, two = (trim_and_fill(each, tau2="DL") for each in (data, other))
        assert (one.side == two.side) == (sign == 1)
        assert one.k0 == two.k0
        assert_allclose(two.fit.estimate, sign * one.fit.estimate, **INVARIANCE)
        assert_allclose(np.sort(sign * two.y), np.sort(one.y), **INVARIANCE)


@pytest.mark.parametrize("make", [harbord, peters])
def test_exchanging_the_arms_turns_the_sign(make):
    one, two = make(counts("bcg")), make(swapped(counts("bcg")))
    assert_allclose((two.slope, two.limit, two.p), (-one.slope, -one.limit, one.p), **INVARIANCE)


def test_the_unit_of_the_estimates_does_not_matter():
    data = effects_of("raudenbush1985")
    points = replace(data, y=1000 * data.y, se=1000 * data.se)
    assert_allclose(egger(points).p, egger(data).p, **INVARIANCE)
    assert_allclose(egger(points).slope, egger(data).slope, **INVARIANCE)
    assert trim_and_fill(points, tau2="REML").k0 == trim_and_fill(data, tau2="REML").k0


def test_a_symmetric_funnel_lacks_nothing():
    data = estimates([0.0, -0.2, 0.2, -0.5, 0.5], [0.1, 0.2, 0.2, 0.4, 0.4])
    for estimator in ("L0", "R0", "Q0"):
        filled = trim_and_fill(data, estimator=estimator)
        assert filled.k0 == 0
        assert filled.mirrored == ()
        assert filled.fit.estimate == filled.observed.estimate


def test_what_is_filled_in_mirrors_the_studies_named():
    data = effects_of("egger2001")
    filled = trim_and_fill(data, tau2="REML")
    full = np.array([data.study.index(name) for name in filled.mirrored])
    assert np.ptp(filled.y + data.y[full]) < 1e-12
    assert_allclose(filled.se, data.se[full])
    assert filled.fit.k == data.k + filled.k0
    assert filled.table()["k0"].tolist() == [0, 7]
    assert not filled.y.flags.writeable


def test_both_answers_of_trim_and_fill_have_the_level_asked_for():
    data = effects_of("egger2001")
    filled = trim_and_fill(data, prob=0.8)
    both = estimates(np.append(data.y, filled.y), np.append(data.se, filled.se))
    for fit, studies in ((filled.observed, data), (filled.fit, both)):
        pooled = bm.common_effect(studies, prob=0.8)
        assert_allclose((fit.lower, fit.upper), (pooled.lower, pooled.upper), **CLOSED_FORM)


def test_equal_standard_errors_need_the_side():
    data = estimates([0.1, 0.2, 0.3, 0.9], [0.2] * 4)
    assert trim_and_fill(data, side="left").fit.k >= 4
    with pytest.raises(bm.DataError, match="give side='left' or side='right'"):
        trim_and_fill(data)


def test_equal_estimates_have_no_side():
    filled = trim_and_fill(estimates([0.3] * 5, [0.1, 0.2, 0.3, 0.4, 0.5]))
    assert filled.k0 == 0
    assert_allclose(filled.fit.estimate, 0.3)


@pytest.mark.parametrize(
    ("y", "chosen"), [([0.5, 0.51, 0.48, 0.55, 0.4], "PEESE"), ([0.0, 0.1, 0.2, 0.5, 0.7], "PET")]
)
def test_peese_is_chosen_where_pet_finds_an_effect(y, chosen):
    se = [0.05, 0.1, 0.2, 0.3, 0.4]
    for sign in (1, -1):
        both = pet_peese(estimates(sign * np.array(y), se))
        assert both.chosen == chosen
        assert chosen in both.rule.split()[-1]
        assert both.table()["chosen"].tolist() == [chosen == "PET", chosen == "PEESE"]
        assert_allclose(min(both.one_sided_p, 1 - both.one_sided_p), both.pet.p / 2, **CLOSED_FORM)


@pytest.mark.parametrize(("shift", "chosen"), [(0.08, "PET"), (0.1, "PEESE")])
def test_the_rule_is_one_sided_at_a_tenth(shift, chosen):
    y = np.array([0.0, 0.1, -0.1, 0.3, 0.0]) + shift
    both = pet_peese(estimates(y, [0.05, 0.1, 0.2, 0.3, 0.4]))
    assert 0.08 < both.one_sided_p < 0.14
    assert both.chosen == chosen


def test_an_extrapolation_beyond_zero_is_no_effect():
    """PET's estimate is far below zero, the common effect above: one-sided, that is not one."""
    both = pet_peese(estimates([0.0, 0.21, 0.39, 0.6, 0.81], [0.2, 0.3, 0.4, 0.5, 0.6]))
    assert both.pet.estimate < 0
    assert both.pet.p < 0.05
    assert both.chosen == "PET"


@pytest.mark.parametrize(
    ("measure", "names"),
    [("OR", ["Egger", "Harbord", "Peters"]), ("RR", ["Egger", "Harbord"]), ("RD", ["Egger"])],
)
def test_all_tests_that_fit_counts_are_run(measure, names):
    table = small_study_tests(counts("bcg"), measure=measure)
    assert table.index.tolist() == names
    assert not table.isna().any().any()
    assert set(table["measure"]) == {measure}
    assert table.attrs["left_out"] == {}


def test_estimates_have_eggers_test():
    table = small_study_tests(effects_of("egger2001"))
    assert table.index.tolist() == ["Egger"]
    assert table["in_words"].iloc[0].startswith("Small studies show lower estimates than large")
    assert "No sign" in egger(FOUR).in_words


def test_a_test_that_cannot_be_made_is_left_out_with_its_reason():
    trials = binary({"A": (3, 20, 8, 20), "B": (5, 20, 7, 20), "C": (1, 20, 6, 20)})
    table = small_study_tests(trials, measure="OR")
    assert "Peters" not in table.index
    assert "all equally precise" in table.attrs["left_out"]["Peters"]


def test_cautions_name_few_studies_and_measures_tied_to_their_errors():
    assert "Fewer than 10 studies" in egger(FOUR).caution
    assert not egger(effects_of("hackshaw1998")).caution
    assert "log odds ratio" in egger(counts("nissen2007"), measure="OR").caution
    assert "SMD contains the SMD" in egger(replace(FOUR, measure="SMD")).caution
    assert not harbord(counts("nissen2007")).caution


def test_harbord_leaves_out_studies_without_events():
    trials = counts("nielweise2007")
    assert harbord(trials, measure="RR").k == trials.k - trials.double_zero.sum() == 17


SAME = estimates([0.1, 0.4, 0.2], [0.2, 0.2, 0.2])
STRAIGHT = estimates([0.1, 0.2, 0.3, 0.6], [0.1, 0.2, 0.3, 0.6])
EQUAL = estimates([0.3, 0.3, 0.3, 0.3], [0.1, 0.2, 0.3, 0.6])
TWO = estimates([0.1, 0.4], [0.2, 0.3])
NOTHING = binary(dict.fromkeys("ABC", (0, 20, 0, 10)))
EVERYBODY = binary({"A": (9, 9, 8, 8), "B": (5, 20, 7, 20), "C": (1, 30, 6, 30)})


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: egger(TWO), "needs at least 3 studies; there are 2 \\(study 1, study 2\\)"),
        (lambda: egger(estimates([0.1], [0.2])), "there is 1 \\(study 1\\)"),
        (lambda: egger(SAME), "all equally precise: there is no slope"),
        (lambda: egger(STRAIGHT), "lie on it exactly"),
        (lambda: egger(EQUAL), "lie on it exactly"),
        (lambda: egger(COUNTS), "measure must be given"),
        (lambda: egger(FOUR, measure="OR"), "measure='OR' cannot change that"),
        (lambda: egger(FOUR, prob=1.5), "prob"),
        (lambda: regression_test(TWO), "The regression test fits a line and its scatter"),
        (lambda: regression_test(SAME), "all equally precise"),
        (lambda: regression_test(STRAIGHT, interval="HKSJ"), "lie on it exactly"),
        (lambda: regression_test(FOUR, tau2="XX"), "tau2 is one of REML, ML, DL, PM"),
        (lambda: regression_test(FOUR, interval="KR"), "interval is one of Wald, HKSJ, HKSJ trunc"),
        (lambda: pet_peese(TWO), "PET fits a line and its scatter"),
        (lambda: pet_peese(STRAIGHT), "PET judges the slope by the scatter"),
        (lambda: harbord(FOUR), "give it BinaryStudies"),
        (lambda: harbord(COUNTS, measure="RD"), "'OR' or 'RR' for Harbord's test, got 'RD'"),
        (lambda: harbord(NOTHING), "no study says anything about the OR"),
        (lambda: harbord(EVERYBODY, measure="RR"), "check A \\(row 1\\), or use measure='OR'"),
        (lambda: peters(NOTHING), "no study says anything about the OR"),
        (lambda: peters(FOUR), "give it BinaryStudies"),
        (lambda: small_study_tests(TWO), "at least 3 studies"),
        (lambda: small_study_tests(COUNTS), "measure must be given"),
        (lambda: trim_and_fill(TWO), "Trim and fill needs at least 3 studies; there are 2"),
        (lambda: trim_and_fill(FOUR, estimator="S0"), "estimator is one of L0, R0, Q0, not 'S0'"),
        (lambda: trim_and_fill(FOUR, side="up"), "side is 'left', 'right' or None, not 'up'"),
        (lambda: trim_and_fill(FOUR, tau2="XX"), "tau2 is one of"),
    ],
)
def test_what_cannot_be_tested_is_refused_in_a_sentence(run, message):
    with pytest.raises((bm.DataError, bm.ModelError), match=message):
        run()


def test_several_outcomes_are_refused():
    data = bm.MultivariateEffects(
        study=("A", "B", "C"), outcome=("one", "two"), correlation=0.3,
        y=np.ones((3, 2)), se=np.ones((3, 2)),
    )  # fmt: skip
    with pytest.raises(bm.ModelError, match="takes one outcome"):
        egger(data)


@pytest.mark.parametrize("seed", range(5))
def test_egger_and_pet_are_right_where_standard_errors_differ_by_millions(seed):
    """One giant study: against the same regression in rational numbers."""
    rng = np.random.default_rng(seed)
    se = np.array([1e-5, 0.3, 0.5, 1.0, 10.0])
    y = rng.normal(0.3, se)
    x, z = ([Fraction(number) for number in column.tolist()] for column in (se, y))
    w = [1 / number**2 for number in x]
    total = sum(w)
    centre = sum(u * s for u, s in zip(w, x, strict=True)) / total
    middle = sum(u * v for u, v in zip(w, z, strict=True)) / total
    spread = sum(u * (s - centre) ** 2 for u, s in zip(w, x, strict=True))
    both = sum(u * (s - centre) * (v - middle) for u, s, v in zip(w, x, z, strict=True))
    slope = both / spread
    test = egger(estimates(y, se))
    exact = (float(slope), float(middle - slope * centre))
    assert_allclose((test.slope, test.limit), exact, **CLOSED_FORM)


def test_a_report_says_what_each_test_regresses_on():
    data = binary({name: MAIN_TRIALS[name] for name in MAIN_TRIALS if name != "Shi"})
    table = bm.small_study_tests(data, measure="OR")
    outcome = SimpleNamespace(tables={"small-study": table})
    section = SECTIONS["small-study"](outcome, SimpleNamespace())
    said = {row[0]: row[1] for row in section.texts}
    assert said["Egger"] == "standard error"
    assert [*said.values()] == table["predictor"].tolist()
    assert "effects regressed on" in section.heads
