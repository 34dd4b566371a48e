"""Comparisons as papers print them, several arms, and changes from baseline."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from tolerances import CLOSED_FORM

import bayesmeta as bm

NAN = np.nan
Z = 1.959963984540054


def reported(measure="MD", keywords=None, **row) -> bm.EffectSizes:
    """One study, its cells as given."""
    frame = pd.DataFrame({"study": ["A"], **{name: [cell] for name, cell in row.items()}})
    return bm.reported_effects(frame, measure=measure, **(keywords or {}))


# A trial known to its last digit, in every form that a report may choose.

N = {"n_treatment": 24, "n_control": 20}
MEANS = {"mean_treatment": 8.25, "mean_control": 10.5}
SDS = {"sd_treatment": 3.0, "sd_control": 4.0}
DF = 42
Y, SE = -2.25, float(np.sqrt(9 / 24 + 16 / 20))
T = float(stats.t.ppf(0.975, DF))


def arm_interval(arm):
    mean, sd, n = MEANS[f"mean_{arm}"], SDS[f"sd_{arm}"], N[f"n_{arm}"]
    half = stats.t.ppf(0.975, n - 1) * sd / np.sqrt(n)
    return {f"lower_mean_{arm}": mean - half, f"upper_mean_{arm}": mean + half}


FORMS = {
    "estimate and standard error": {"estimate": Y, "se": SE},
    "estimate and interval, 95%, normal": {
        "estimate": Y,
        "lower": Y - Z * SE,
        "upper": Y + Z * SE,
    },
    "estimate and interval, 95%, t distribution with 42 degrees of freedom": {
        "estimate": Y,
        "lower": Y - T * SE,
        "upper": Y + T * SE,
        "t_based": "yes",
        **N,
    },
    "estimate and t statistic": {"estimate": Y, "t_statistic": Y / SE},
    "estimate and P value, normal": {"estimate": Y, "p": 2 * stats.norm.sf(-Y / SE)},
    "estimate and P value, t distribution with 42 degrees of freedom": {
        "estimate": Y,
        "p": 2 * stats.t.sf(-Y / SE, DF),
        "t_based": True,
        **N,
    },
    "estimate and standard error of each arm's mean": {
        "estimate": Y,
        "se_treatment": 3 / np.sqrt(24),
        "se_control": 4 / np.sqrt(20),
    },
    "means and SDs": {**MEANS, **SDS, **N},
    "means and their standard errors": {
        **MEANS,
        **N,
        "se_treatment": 3 / np.sqrt(24),
        "se_control": 4 / np.sqrt(20),
    },
    "means and their intervals, 95%, t distribution with n - 1 degrees of freedom": {
        **MEANS,
        **N,
        **arm_interval("treatment"),
        **arm_interval("control"),
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_one_trial_gives_its_difference(form):
    sizes = reported(**FORMS[form])
    assert sizes.how == (form,)
    assert_allclose(sizes.y, Y, rtol=1e-12)
    assert_allclose(sizes.se, SE, rtol=1e-12)


def test_a_table_may_mix_forms_and_gaps_are_empty_cells():
    frame = pd.DataFrame([{"study": form[:40] + str(len(form)), **FORMS[form]} for form in FORMS])
    sizes = bm.reported_effects(frame.astype(object), measure="MD")
    assert sizes.how == tuple(FORMS)
    assert_allclose(sizes.y, Y, rtol=1e-12)
    assert_allclose(sizes.se, SE, rtol=1e-12)
    assert sizes.note == "as each report has it"


def test_the_first_complete_form_wins():
    sizes = reported(estimate=1.0, se=0.5, p="<0.001", lower="", upper=" ", **MEANS, **SDS, **N)
    assert (sizes.y[0], sizes.se[0]) == (1.0, 0.5)
    assert reported(estimate=Y, p="<0.001", **MEANS, **SDS, **N).how == ("means and SDs",)


@pytest.mark.parametrize("form", ["means and SDs", "means and their standard errors"])
@pytest.mark.parametrize("measure", ["SMD", "ROM", "RGM"])
def test_means_serve_other_measures_as_they_do_elsewhere(form, measure):
    studies = bm.ContinuousStudies.from_frame(
        pd.DataFrame({"study": ["A"], **{k: [v] for k, v in {**MEANS, **SDS, **N}.items()}})
    )
    expected = bm.effect_sizes(studies, measure=measure)
    sizes = reported(measure, **FORMS[form])
    assert_allclose(sizes.y, expected.y, **CLOSED_FORM)
    assert_allclose(sizes.se, expected.se, **CLOSED_FORM)


RATIO, RATIO_SE = 0.72, 0.17


@pytest.mark.parametrize("measure", ["HR", "OR", "RR", "IRR", "ROM"])
@pytest.mark.parametrize(
    "row",
    [
        {"se": RATIO_SE},
        {
            "lower": RATIO * np.exp(-Z * RATIO_SE),
            "upper": RATIO * np.exp(Z * RATIO_SE),
        },
        {"t_statistic": np.log(RATIO) / RATIO_SE},
        {"p": 2 * stats.norm.sf(-np.log(RATIO) / RATIO_SE)},
    ],
)
def test_ratios_are_given_as_ratios_with_se_of_the_logarithm(measure, row):
    sizes = reported(measure, {"label": "for death"}, estimate=RATIO, **row)
    assert sizes.label == "for death"
    assert_allclose(sizes.y, np.log(RATIO), rtol=1e-12)
    assert_allclose(sizes.se, RATIO_SE, rtol=1e-11)


def test_examples_of_the_handbook():
    """Section 6.5.2.3: MD 3.8, 25 and 22 patients, P = 0.008, t = 2.78, SE 1.37; section 6.5.2.2:
    25 patients with mean 32.1, 95% interval 30.0 to 34.2, SD 5.09."""
    sizes = reported(estimate=3.8, p="0.008", t_based="yes", n_treatment=25, n_control=22)
    assert sizes.se[0] == pytest.approx(1.37, abs=0.005)
    arms = {f"{name}_{arm}": value for arm in ("treatment", "control") for name, value in (
        ("mean", "32.1"), ("lower_mean", "30.0"), ("upper_mean", "34.2"), ("n", 25))}  # fmt: skip
    assert reported(**arms).se[0] == pytest.approx(5.09 * np.sqrt(2 / 25), abs=0.002)


def test_level_of_the_intervals_counts():
    wide = stats.norm.ppf(0.95) * SE
    sizes = reported("MD", {"prob": 0.9}, estimate=Y, lower=Y - wide, upper=Y + wide)
    assert_allclose(sizes.se, SE, rtol=1e-12)
    assert sizes.how == ("estimate and interval, 90%, normal",)


def test_t_based_as_keyword_holds_where_the_column_is_silent():
    frame = pd.DataFrame(
        {"study": ["A", "B"], "estimate": [1.0, 1.0], "p": [0.03, 0.03], "t_based": [None, "no"]}
    ).assign(**N)
    sizes = bm.reported_effects(frame, measure="MD", t_based=True)
    assert sizes.how[0].endswith("42 degrees of freedom")
    assert sizes.how[1].endswith("normal")
    assert sizes.se[0] == pytest.approx(1 / stats.t.ppf(0.985, 42))


def test_quartiles_of_the_change_are_converted():
    row = {
        f"{name}_change_{arm}": value
        for arm in ("treatment", "control")
        for name, value in (("q1", 4), ("median", 6), ("q3", 10))
    }
    row["median_change_control"] = 7
    sizes = reported(**row, n_treatment=20, n_control=20)
    weight = 0.7 + 0.39 / 20
    assert sizes.y[0] == pytest.approx(-(1 - weight))
    assert sizes.se[0] == pytest.approx(4.787076 * np.sqrt(2 / 20), rel=1e-6)
    assert sizes.how[0].startswith("median change and its quartiles (treatment: mean by Luo 2018")
    plain = {name.replace("_change", ""): value for name, value in row.items()}
    assert (
        reported("ROM", **plain, n_treatment=20, n_control=20)
        .how[0]
        .startswith("median and quartiles (treatment: mean by")
    )
    with pytest.raises(bm.DataError, match="no complete form"):
        reported("SMD", **row, n_treatment=20, n_control=20)


def test_differences_in_several_units_come_in_the_first():
    frame = pd.DataFrame([FORMS["estimate and standard error"], FORMS["means and SDs"]])
    frame = frame.assign(study=["A", "B"], unit=["mg/dL", "mg/L"])
    sizes = bm.reported_effects(frame, measure="MD")
    assert_allclose(sizes.y, [Y, Y / 10], rtol=1e-12)
    assert_allclose(sizes.se, [SE, SE / 10], rtol=1e-12)
    assert sizes.how[1] == "means and SDs; converted from mg/L to mg/dL (× 0.1)"
    with pytest.raises(bm.DataError, match="one unit.*'mg/dL', 'mmol/L'"):  # noqa: RUF043
        bm.reported_effects(frame.assign(unit=["mg/dL", "mmol/L"]), measure="MD")


def test_excluded_rows_and_other_names():
    frame = pd.DataFrame(
        {"trial": ["A", "B"], "hr": [0.7, None], "study": [1, 2], "se": [0.2, None]}
    )
    sizes = bm.reported_effects(
        frame,
        measure="HR",
        columns={"study": "trial", "estimate": "hr"},
        exclude={"B": "no figures"},
    )
    assert (sizes.study, sizes.excluded[0].reason) == (("A",), "no figures")


@pytest.mark.parametrize(
    ("measure", "row", "words"),
    [
        ("HR", {"estimate": 0.7, "p": "<0.001"}, r"A \(row 1\) is only a bound.*exact P value"),
        ("HR", {"estimate": 0.7, "p": "NS"}, r"only a bound"),
        ("HR", {"estimate": 0.7, "p": "0.000"}, r"only a bound"),
        ("HR", {"estimate": 0.7, "p": "small"}, r"p must be a number; check A.*'small'"),
        ("HR", {"estimate": 0.7, "p": 1.2}, r"p must lie between 0 and 1"),
        ("HR", {"estimate": 1.0, "p": 0.5}, r"not exactly 'no difference'; check A \(row 1\)"),
        ("HR", {"estimate": -0.7, "se": 0.2}, r"hazard ratio must be above zero.*as ratios"),
        ("HR", {"estimate": 0.7, "se": -0.2}, r"se must be positive; check A"),
        ("HR", {"estimate": 0.7, "t_statistic": 2.0}, r"A \(row 1\) do not point the same way"),
        ("MD", {"estimate": 0.7, "t_statistic": 0}, r"do not point the same way"),
        ("MD", {"estimate": 1.0, "lower": 0.5, "upper": 2.5}, r"is not symmetric"),
        ("HR", {"estimate": 0.7, "lower": 0.9, "upper": 0.5}, r"in order; check A"),
        ("MD", {"estimate": 0.7, "p": 0.1, "t_based": "yes"}, r"A \(row 1\) is t_based, which ne"),
        ("MD", {"estimate": 0.7, "p": 0.1, "t_based": "so"}, r"t_based is yes or no; check A"),
        ("MD", {"estimate": 0.7}, r"A \(row 1\) reports the mean difference in no complete form"),
        ("MD", {"estimate": "x", "se": 1}, r"estimate must be a number; check A.*'x'"),
        ("MD", {"estimate": 1, "se_treatment": -1, "se_control": 1}, r"must be positive; check A"),
        ("MD", {**MEANS, **SDS, "n_treatment": 1, "n_control": 9}, r"n_treatment must be a whole"),
        ("MD", {**FORMS[list(FORMS)[-1]], "n_control": 1}, r"n_control must be 2 or more"),
        ("PLO", {"estimate": 0.2, "se": 0.1}, r"measure 'PLO' is not one of OR"),
    ],
)
def test_reports_that_cannot_be_used_are_named_with_a_remedy(measure, row, words):
    with pytest.raises(bm.DataError, match=words):
        reported(measure, **row)


def test_rows_are_counted_as_in_the_table_whatever_their_form():
    frame = pd.DataFrame([FORMS["estimate and standard error"], {**FORMS["means and SDs"]}])
    frame = frame.assign(study=["A", "B"])
    frame.loc[1, "sd_control"] = -4.0
    with pytest.raises(bm.DataError, match=r"sd_control must be positive; check B \(row 2\)"):
        bm.reported_effects(frame, measure="MD")


def test_a_column_that_is_not_asked_for_is_refused_by_name():
    with pytest.raises(bm.DataError, match="columns names 'sd', which is none of study"):
        reported("MD", {"columns": {"sd": "x"}}, estimate=1.0, se=1.0)


# Several arms.

ARMS = pd.DataFrame(
    {
        "study": ["A", "A", "A", "A", "B", "B"],
        "arm": ["treatment", "control", "treatment", "treatment", "Treatment ", "control"],
        "label": ["5 mg", "placebo", "10 mg", None, "", "usual care"],
        "n": [20, 41, 24, 17, 30, 31],
        "mean": [8.0, 9.4, 6.5, 7.0, 5.0, 6.0],
        "sd": [3.0, 3.1, 2.8, 2.5, 2.0, 2.1],
    }
)


def test_combined_arms_are_what_their_patients_together_are():
    rng = np.random.default_rng(3)
    groups = [rng.normal(mean, 2, n) for mean, n in ((5, 12), (7, 30), (6, 2))]
    frame = pd.DataFrame(
        {
            "study": ["A"] * 4,
            "arm": ["treatment"] * 3 + ["control"],
            "n": [*map(len, groups), 10],
            "mean": [*map(np.mean, groups), 5.0],
            "sd": [*(np.std(one, ddof=1) for one in groups), 2.0],
        }
    )
    together = np.concatenate(groups)
    row = bm.combine_arms(frame).iloc[0]
    assert_allclose(
        row[["n_treatment", "mean_treatment", "sd_treatment"]].astype(float),
        [44, together.mean(), together.std(ddof=1)],
        **CLOSED_FORM,
    )
    assert row["sd_control"] == 2.0
    assert row["how"] == "treatment: treatment 1, treatment 2, treatment 3 combined by combine_arms"


def test_two_arms_combine_by_the_formula_of_the_handbook():
    (n1, m1, s1), (n2, m2, s2) = (20, 8.0, 3.0), (24, 6.5, 2.8)
    table = bm.combine_arms(ARMS.iloc[[0, 1, 2]], columns={"n": "n"})
    spread = (n1 - 1) * s1**2 + (n2 - 1) * s2**2
    spread += n1 * n2 / (n1 + n2) * (m1**2 + m2**2 - 2 * m1 * m2)
    assert table["sd_treatment"][0] == pytest.approx(np.sqrt(spread / (n1 + n2 - 1)), rel=1e-14)
    assert table["mean_treatment"][0] == pytest.approx((n1 * m1 + n2 * m2) / 44, rel=1e-14)


def test_counts_are_added_and_the_table_is_one_of_binary_studies():
    frame = ARMS.assign(events=[2, 9, 3, 1, 4, 8]).drop(columns=["mean", "sd"])
    studies = bm.BinaryStudies.from_frame(bm.combine_arms(frame))
    assert studies.study == ("A", "B")
    assert studies.events_treatment.tolist() == [6, 4]
    assert studies.n_treatment.tolist() == [61, 30]


def test_trials_of_two_arms_pass_as_they_are_quantiles_and_all():
    frame = pd.DataFrame(
        {
            "study": ["A", "A"],
            "arm": ["treatment", "control"],
            "n": [20, 22],
            "mean": [NAN, 5.0],
            "sd": [NAN, 2.0],
            "median": [4.0, NAN],
            "q1": [3.0, NAN],
            "q3": [6.0, NAN],
        }
    )
    for make in (bm.combine_arms, bm.split_control):
        studies = bm.ContinuousStudies.from_frame(make(frame))
        assert studies.how == ("",)
        assert_allclose(studies.quantiles("_treatment")[0], [NAN, 3, 4, 6, NAN])


def test_a_shared_control_group_is_divided_and_nobody_is_lost():
    table = bm.split_control(ARMS)
    assert table["study"].tolist() == ["A: 5 mg", "A: 10 mg", "A: treatment 3", "B"]
    assert table["n_control"].tolist() == [14, 14, 13, 31]
    assert table["n_control"][:3].sum() == 41
    assert table["mean_control"].tolist() == [9.4] * 3 + [6.0]
    studies = bm.ContinuousStudies.from_frame(table)
    assert studies.how[2] == "control: 13 of 41 patients, shared out by split_control"
    assert studies.how[3] == ""
    assert bm.effect_sizes(studies, measure="MD").how == studies.how


@pytest.mark.parametrize(
    ("make", "frame", "words"),
    [
        (
            "split_control",
            ARMS.assign(events=1),
            "become fractions. Combine the active arms: combine_arms",
        ),
        ("split_control", ARMS.assign(n=5), "n of the control arm of A is 5, too few for 3"),
        ("split_control", ARMS.assign(n=NAN), "n of the control arm of A is nan"),
        (
            "split_control",
            ARMS.assign(arm=["control", "control", *ARMS["arm"][2:]]),
            "A has more than one control arm; combine the arms of a kind: combine_arms",
        ),
        ("combine_arms", ARMS.iloc[1:2], "A has no treatment arm"),
        ("combine_arms", ARMS.assign(arm="active"), r"arm is 'treatment' or 'control'; check A"),
        ("combine_arms", ARMS.drop(columns="n"), "no column 'n'"),
        ("combine_arms", ARMS.drop(columns="arm"), "no column 'arm'"),
        ("combine_arms", ARMS.iloc[:0], "there must be an arm"),
        ("combine_arms", ARMS.assign(study=[None, *"AAABB"]), "study must name the trial"),
        (
            "combine_arms",
            ARMS.assign(sd=[NAN] * 6),
            "sd must be given for every treatment arm of A",
        ),
        (
            "combine_arms",
            ARMS.assign(mean=list("12x456")),
            r"mean must be a number; check A \(row 3",
        ),
    ],
)
def test_arms_that_cannot_be_combined_or_shared_are_named(make, frame, words):
    with pytest.raises(bm.DataError, match=words):
        getattr(bm, make)(frame)


# Change from baseline. The trial is the worked example of the Cochrane Handbook, section 6.5.2.8.

HANDBOOK = {
    "mean_baseline_treatment": 15.2,
    "sd_baseline_treatment": 6.4,
    "mean_treatment": 16.2,
    "sd_treatment": 7.1,
    "sd_change_treatment": 4.5,
    "n_treatment": 129,
    "mean_baseline_control": 15.7,
    "sd_baseline_control": 7.0,
    "mean_control": 17.2,
    "sd_control": 6.9,
    "sd_change_control": 4.2,
    "n_control": 135,
}


def trials(*rows) -> pd.DataFrame:
    return pd.DataFrame(
        [{"study": name, **HANDBOOK, **row} for name, row in zip("ABCDE", rows, strict=False)]
    )


SILENT = {"sd_change_treatment": NAN, "sd_change_control": NAN}


def test_correlations_of_the_handbook():
    found = bm.derived_correlations(trials({}))
    assert found["correlation"].round(2).tolist() == [0.78, 0.82]
    assert found["arm"].tolist() == ["treatment", "control"]
    assert_allclose(found["weight"], np.array([126, 132]) / 258)


def test_change_from_baseline_takes_the_printed_sd_first():
    change = bm.change_from_baseline(trials({}))
    assert_allclose([change.mean_treatment[0], change.mean_control[0]], [1.0, 1.5])
    assert [change.sd_treatment[0], change.sd_control[0]] == [4.5, 4.2]
    assert change.how[0].count("SD of the change as printed") == 2


def test_derived_correlation_gives_its_own_arm_back_and_serves_the_others():
    r = (6.4**2 + 7.1**2 - 4.5**2) / (2 * 6.4 * 7.1)
    one = bm.change_from_baseline(trials({"sd_change_control": NAN}, SILENT), correlation="derived")
    assert one.sd_treatment[1] == pytest.approx(4.5, rel=1e-12)
    expected = np.sqrt(7.0**2 + 6.9**2 - 2 * r * 7.0 * 6.9)
    assert_allclose(one.sd_control, expected, rtol=1e-12)
    assert "correlation of 0.783, averaged over the arms that print all" in one.how[1]
    assert one.how[1].count("three SDs: A treatment") == 2
    both = bm.change_from_baseline(trials({}, SILENT), correlation="derived")
    average = np.tanh((126 * np.arctanh(r) + 132 * np.arctanh(78.97 / 96.6)) / 258)
    assert_allclose(
        both.sd_treatment[1] ** 2, 6.4**2 + 7.1**2 - 2 * average * 6.4 * 7.1, rtol=1e-10
    )


def test_a_correlation_of_the_row_goes_before_that_of_the_call():
    frame = trials(SILENT, SILENT).assign(correlation=[0.5, None], unit=["kg", "g"])
    change = bm.change_from_baseline(frame, correlation=0)
    expected = [np.sqrt(6.4**2 + 7.1**2 - 6.4 * 7.1), np.hypot(6.4, 7.1) / 1000]
    assert_allclose(change.sd_treatment, expected, rtol=1e-12)
    assert "correlation of 0.5, of the table" in change.how[0]
    assert "correlation of 0, given" in change.how[1]
    assert change.unit == ("kg", "kg")
    assert change.how[1].endswith("converted from g to kg (× 0.001)")
    assert_allclose(change.mean_control, [1.5, 0.0015], rtol=1e-12)


@pytest.mark.parametrize("n", [2000])
def test_sd_of_the_change_is_that_of_correlated_patients(n):
    rng = np.random.default_rng(5)
    before, after = rng.multivariate_normal([10, 8], [[9, 4.2], [4.2, 4]], n).T
    row = {
        "mean_baseline_treatment": before.mean(),
        "sd_baseline_treatment": before.std(ddof=1),
        "mean_treatment": after.mean(),
        "sd_treatment": after.std(ddof=1),
        "sd_change_treatment": NAN,
        "n_treatment": n,
    }
    r = np.corrcoef(before, after)[0, 1]
    change = bm.change_from_baseline(trials(row), correlation=r)
    assert_allclose(change.sd_treatment, (after - before).std(ddof=1), rtol=1e-12)
    assert_allclose(change.mean_treatment, (after - before).mean(), rtol=1e-12)


@pytest.mark.parametrize(
    ("rows", "correlation", "words"),
    [
        ([{}, SILENT], None, r"correlation is needed for B \(row 2\)"),
        (
            [SILENT],
            1.2,
            "correlation is a number between -1 and 1, 'derived' or 'unknown'; got 1.2",
        ),
        ([SILENT], "other", "'derived' or 'unknown'; got 'other'"),
        ([SILENT], "derived", "No arm of more than 3 patients prints"),
        (
            [{}, {"sd_change_treatment": 0.3}],
            "derived",
            r"SDs of the treatment arm of B \(row 2\) cannot belong.*correlation of 1\.0",
        ),
        ([{"sd_change_control": 40.0}], "derived", r"control arm of A \(row 1\).*of -1[0-9]"),
        ([{"mean_baseline_control": NAN}], 0.5, r"mean_baseline_control .* fill them for A"),
        ([{**SILENT, "sd_control": NAN}], 0.5, r"control arm of A \(row 1\) has no SD of the ch"),
        ([{"sd_baseline_control": 0}], 0.5, r"sd_baseline_control must be positive; check A"),
        ([{"correlation": 2}], 0.5, r"correlation must be between -1 and 1; check A"),
        ([{"mean_control": "x"}], 0.5, r"mean_control must be a number; check A"),
        ([{"n_control": 1}], 0.5, r"n_control must be a whole number"),
    ],
)
def test_changes_that_cannot_be_made_are_named(rows, correlation, words):
    with pytest.raises(bm.DataError, match=words):
        bm.change_from_baseline(trials(*rows), correlation=correlation)


def test_small_p_keep_their_digits():
    frame = pd.DataFrame({"study": ["A"], "estimate": [1.0], "p": ["1e-30"]})
    found = bm.reported_effects(frame, measure="MD")
    assert found.se[0] == pytest.approx(1 / stats.norm.isf(0.5e-30), rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sd": [-3.0, 24.0, 22.0]}, "sd must be positive"),
        ({"n": [20.5, 24.5, 22.0]}, "whole number"),
        ({"unit": ["mg/L", "g/L", "mg/L"]}, "several units, g/L, mg/L"),
    ],
)
def test_arms_that_cannot_be_combined_are_refused(changes, said):
    frame = pd.DataFrame(
        {
            "study": ["A"] * 3,
            "arm": ["treatment", "treatment", "control"],
            "n": [20.0, 24.0, 22.0],
            "mean": [5.0, 6.0, 7.0],
            "sd": [3.0, 2.0, 2.0],
            **changes,
        }
    )
    with pytest.raises(bm.DataError, match=said):
        bm.combine_arms(frame)
