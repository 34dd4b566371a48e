"""Columns under our names: complete sets, of whatever program, and nothing else."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmeta.errors import ColumnError, DataError
from bayesmeta.sheets import named, plain_table
from bayesmeta.sheets.figures.words import key
from bayesmeta.sheets.names.sets import COUNTS, OURS, all_sets
from bayesmeta.ways import COMMAND, SPECIFICATION, speaking

CASES = Path(__file__).parent / "cases"
COUNTED = ["events_treatment", "n_treatment", "events_control", "n_control"]


def case(name):
    return pd.read_csv(CASES / f"{name}.csv", dtype=str, keep_default_na=False)


def table(names, *rows):
    heads = names.split(";")
    rows = rows or (tuple(str(i + 1) for i in range(len(heads))),)
    return pd.DataFrame([dict(zip(heads, row, strict=True)) for row in rows], dtype=object)


def columns(frame, **asked):
    return list(plain_table(frame, **asked).frame.columns)


def values(frame, *names):
    return frame[list(names)].astype(float).to_numpy().tolist()


@pytest.mark.parametrize(
    "name",
    [
        *("c05b-hr-ci-our-names", "c07-median-iqr", "c09-mixed-forms", "c13b-y-se"),
        *("c21-adverse-events-by-grade", "c34-p-values", "c40-correlations"),
        *("c41-log-hr-printed-as-log", "c42-estimate-and-se"),
    ],
)
def test_a_table_under_our_names_stays_as_it_is_and_nothing_is_said(name):
    frame = case(name)
    found = named(frame)
    assert found.frame is frame
    assert (found.said, found.measure) == ((), None)


def test_a_hazard_ratio_with_its_limits_is_an_estimate_and_states_its_measure():
    found = named(case("c05-hr-ci"), measure="HR")
    assert list(found.frame.columns) == ["study", "estimate", "lower", "upper"]
    assert found.frame.iloc[0].tolist() == ["S1", "1.78", "0.84", "3.76"]
    assert found.said == ("HR as estimate; LCI as lower; UCI as upper",)
    assert found.measure == "HR"


def test_a_variance_becomes_a_standard_error_and_not_one_itself():
    found = plain_table(case("c13-yi-vi"))
    assert list(found.frame.columns) == ["study", "y", "se"]
    vi = case("c13-yi-vi")["vi"].astype(float)
    np.testing.assert_allclose(found.frame["se"], np.sqrt(vi))
    assert found.said == ("columns of metafor: yi, vi", "se as the square root of vi")


def test_patients_are_events_and_non_events_of_metafor():
    found = plain_table(case("c18h-metafor-abcd"))
    assert values(found.frame, *COUNTED) == [[12, 40, 18, 40], [5, 50, 9, 50]]
    assert found.said[0] == "columns of metafor: ai, bi, ci, di"
    assert found.said[1:] == ("n_treatment from ai + bi", "n_control from ci + di")
    assert "nonevents_treatment" not in found.frame


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("c18i-metafor-n1i", ("columns of metafor: ai, n1i, ci, n2i",)),
        ("c18j-meta-names", ("columns of meta: event.e, n.e, event.c, n.c",)),
        ("c18m-capitals", ()),
    ],
)
def test_counts_are_found_by_the_names_of_other_programs(name, said):
    found = named(case(name))
    assert list(found.frame.columns) == ["study", *COUNTED]
    assert values(found.frame, *COUNTED)[0] == [12, 40, 18, 40]
    assert found.said == said


def test_revman_webs_results_stay_beside_its_counts():
    frame = case("c18k-revman-web")
    found = named(frame, measure="RR").frame
    assert values(found, *COUNTED) == [[12, 40, 18, 40], [5, 50, 9, 50]]
    assert {"Weight", "Mean", "CI start", "CI end", "Study year"} <= set(found.columns)
    assert not {"mean", "estimate", "lower"} & set(found.columns)


WEB = (
    "Analysis number;Study;GIV Mean;GIV SE;Experimental mean;Experimental SD;Experimental cases;"
    "Experimental N;Control mean;Control SD;Control cases;Control N;O-E;Variance;Weight;Mean;"
    "CI start;CI end"
)


@pytest.mark.parametrize(
    ("cells", "names", "first"),
    [
        (";;5.1;4.7;;13;6.6;3.8;;14;;", "mean_treatment sd_treatment n_control", [5.1, 4.7, 14]),
        ("-0.3;0.2;;;;40;;;;41;;", "y se", [-0.3, 0.2]),
        (";;;;12;40;;;18;40;;", "events_treatment n_treatment events_control", [12, 40, 18]),
        (";;;;;;;;;;-3;4", "y se", [-0.75, 0.5]),
    ],
)
def test_revman_web_is_read_by_the_columns_that_hold_data(cells, names, first):
    frame = table(WEB, ["1", "Ando", *cells.split(";"), "50", "0.6", "0.3", "1.2"])
    found = plain_table(frame).frame
    assert values(found, *names.split())[0] == pytest.approx(first)
    assert "Mean" in found.columns
    assert ("y" in found) == ("y" in names)


def test_results_of_an_export_never_pass_for_columns_of_ours():
    frame = case("c18k-revman-web").rename(columns=lambda name: name.lower().replace(" ", "_"))
    found = named(frame).frame
    assert values(found, *COUNTED)[0] == [12, 40, 18, 40]
    assert "mean" not in found
    assert "mean (2)" in found


def test_revman_5_loses_its_rows_of_totals_and_zeros_that_are_no_figures():
    found = plain_table(case("revman-5"))
    frame = found.frame
    assert frame["study"].tolist() == ["Ando 2011", "Bello 2015", "Davis 1973", "Flor 1971"]
    assert (
        "3 rows of RevMan 5 with totals left out: "
        "Drug against placebo (row 1), Death (row 2), Pain (row 5)" in found.said
    )
    events = pd.to_numeric(frame["events_treatment"])
    assert events.tolist()[:2] == [12, 5]
    assert events.isna().tolist() == [False, False, True, True]
    assert pd.to_numeric(frame["mean_control"]).isna().tolist() == [True, True, False, False]
    assert "estimate" not in frame


@pytest.mark.parametrize(
    ("heads", "ours"),
    [
        ("Trial;x1i;t1i;x2i;t2i", "events_treatment time_treatment events_control time_control"),
        (
            "slab;m1i;sd1i;n1i;m2i;sd2i;n2i",
            "mean_treatment sd_treatment n_treatment mean_control sd_control n_control",
        ),
        ("author;yi;sei", "y se"),
        ("study;xi;ni", "events n"),
        ("study;xi;ti", "events time"),
        ("studlab;TE;seTE", "y se"),
        (
            "study;n.e;mean.e;sd.e;n.c;mean.c;sd.c",
            "n_treatment mean_treatment sd_treatment n_control mean_control sd_control",
        ),
        ("study;event.e;time.e;event.c;time.c", "events_treatment time_treatment events_control"),
        ("study;event;n", "events n"),
        ("study;event;time", "events time"),
        ("Study ID;Events (intervention);Total (intervention);Events (control);Total (control)",
         " ".join(COUNTED)),
        ("Study;Treatment events;Treatment N;Placebo events;Placebo N", " ".join(COUNTED)),
        ("Study;Mean drug;SD drug;N drug;Mean placebo;SD placebo;N placebo",
         "mean_treatment sd_treatment n_treatment mean_control sd_control n_control"),
        ("Study;Odds ratio;95% CI lower;95% CI upper", "estimate lower upper"),
        ("Study;Relative Risk;ll;ul", "estimate lower upper"),
        ("Study;MD;2.5%;97.5%", "estimate lower upper"),
        ("Study;estimate;ci.lb;ci.ub", "estimate lower upper"),
        ("Study;SMD;HR_low;high", ""),
        ("Study;HR;HR lower;HR upper", "estimate lower upper"),
        ("Study;log(HR);SE", "y se"),
        ("Study;lnOR;Std. Error", "y se"),
        ("Study;mean difference;p-value", "estimate p"),
        ("Study;estimate;variance", "estimate se"),
    ],
)  # fmt: skip
def test_complete_sets_are_found_by_their_names(heads, ours):
    found = columns(table(heads))
    assert set(ours.split()) <= set(found)
    assert bool(ours) or found == ["study", *heads.split(";")[1:]]
    assert found[0] == "study" or "study" in heads


def test_an_arm_in_each_row_is_found_where_studies_repeat():
    found = named(case("c16e-arm-per-row"))
    assert list(found.frame.columns) == ["study", "arm", "events", "n"]
    assert found.frame["arm"].tolist()[:2] == ["low dose", "high dose"]


@pytest.mark.parametrize("of", ["study;trt;r;n", "study;group;mean;std.dev;sampleSize"])
def test_names_of_arms_are_read_only_where_a_study_has_several_rows(of):
    cells = ["1"] * (of.count(";") - 1)
    many = table(of, ("A", "x", *cells), ("A", "y", *cells))
    once = table(of, ("A", "x", *cells), ("B", "y", *cells))
    assert {"arm", "n"} <= set(columns(many))
    assert "arm" not in columns(once)


def test_r_and_n_without_arms_are_a_correlation_and_its_patients():
    assert columns(case("c40-correlations")) == ["study", "r", "n"]


def test_means_before_and_after_are_baseline_and_final_values():
    found = named(case("c27-pre-post")).frame
    names = ("mean_baseline_treatment", "sd_treatment", "mean_control", "sd_baseline_control")
    assert values(found, *names)[0] == [30.6, 11.6, 19.7, 13.8]


def test_the_se_of_a_ratio_is_that_of_its_logarithm_and_said_to_be():
    found = named(case("c42b-hr-se-n"), measure="HR")
    assert list(found.frame.columns) == ["study", "estimate", "se", "n"]
    assert found.frame["se"].tolist() == ["0.13", "0.15"]
    assert found.said[1] == "SE read as the standard error of log HR"


def test_beside_an_interval_the_se_of_a_ratio_is_not_read():
    rows = (("A", "0.7", "0.09", "0.54", "0.90"), ("B", "0.9", "0.15", "", ""))
    found = named(table("study;HR;SE;LCI;UCI", *rows))
    assert pd.to_numeric(found.frame["se"]).isna().tolist() == [True, False]
    assert "SE read only where there is no interval" in found.said


def test_a_logarithm_with_its_se_is_read_before_the_ratio_beside_it():
    found = named(table("study;HR;LCI;UCI;log HR;SE"), measure="HR")
    assert list(found.frame.columns) == ["study", "HR", "LCI", "UCI", "y", "se"]
    assert found.frame["se"].tolist() == ["6"]
    natural = columns(table("study;HR;lower;upper;log HR"), measure="HR")
    assert natural == ["study", "estimate", "lower", "upper", "log HR"]


def test_counts_and_printed_ratios_of_one_table_are_both_kept():
    frame = case("c09-mixed-forms").rename(columns={"estimate": "OR", "lower": "LCI"})
    frame = frame.rename(columns={"upper": "UCI"})
    found = named(frame, measure="OR")
    assert list(found.frame.columns) == ["study", *COUNTED, "estimate", "lower", "upper"]
    assert found.measure == "OR"


def test_a_programs_own_results_stay_beside_the_counts_they_were_made_of():
    heads = "study;ai;n1i;ci;n2i;yi;vi"
    whole = plain_table(table(heads))
    assert "y" not in whole.frame
    assert any("yi, vi left as they are" in said for said in whole.said)
    gap = table(heads, ("A", *"123456"), ("B", "", "", "", "", "0.1", "0.04"))
    assert pd.to_numeric(plain_table(gap).frame["se"])[1] == pytest.approx(0.2)


@pytest.mark.parametrize("given", ["OR", "Hazard ratio", "RD"])
def test_a_column_of_another_measure_than_the_one_asked_for_is_refused(given):
    frame = table(f"study;{given};lower;upper")
    with pytest.raises(DataError, match=f"Column '{given}' holds the .* asked for is RR"):
        named(frame, measure="RR")
    with speaking(COMMAND), pytest.raises(DataError, match="--measure"):
        named(frame, measure="RR")


def test_another_measure_beside_complete_counts_is_left_and_said():
    frame = table("study;events_treatment;n_treatment;events_control;n_control;OR;LCI;UCI")
    found = named(frame, measure="RR")
    assert "estimate" not in found.frame
    assert found.said == ("OR, LCI, UCI left as they are: of OR, and RR is asked for",)


def test_of_two_measures_with_limits_of_their_own_the_one_asked_for_is_read():
    heads = "study;OR;OR_lower;OR_upper;RR;RR_lower;RR_upper"
    found = named(table(heads), measure="RR").frame
    assert values(found, "estimate", "lower", "upper") == [[5, 6, 7]]
    with pytest.raises(ColumnError, match="More than one column could be estimate: 'OR', 'RR'"):
        named(table("study;OR;RR;lower;upper"), measure="RR")


@pytest.mark.parametrize("asked", ["RR", None])
@pytest.mark.parametrize("heads", ["OR;RR;lower;upper", "OR;OR_lower;OR_upper;HR;HR_lo;SE"])
def test_beside_counts_several_printed_measures_do_not_stop_the_reader(heads, asked):
    frame = table(f"study;ai;n1i;ci;n2i;{heads}")
    found = named(frame, measure=asked).frame
    assert values(found, *COUNTED) == [[2, 3, 4, 5]]
    assert "estimate" not in found


@pytest.mark.parametrize(("asked", "reads"), [("RATIO", True), ("GEN", False), (None, True)])
def test_a_ratio_is_read_as_any_ratio_and_never_as_a_difference(asked, reads):
    frame = table("study;HR;lower;upper")
    if reads:
        assert "estimate" in columns(frame, measure=asked)
        return
    with pytest.raises(DataError, match="hazard ratio"):
        named(frame, measure=asked)


@pytest.mark.parametrize("heads", ["study;logHR;lower;upper", "study;TE;lower;upper"])
def test_an_interval_on_the_log_scale_is_refused_for_a_ratio(heads):
    with pytest.raises(DataError, match="log scale"):
        named(table(heads), measure="HR")


def test_metas_estimate_with_limits_is_read_for_a_difference():
    assert columns(table("study;TE;lower;upper"), measure="MD")[1] == "estimate"
    assert columns(table("study;TE;lower;upper")) == ["study", "TE", "lower", "upper"]


def test_two_programs_names_for_one_thing_are_refused_with_both_named():
    frame = table("study;ai;n1i;ci;n2i;event.e;n.e;event.c;n.c")
    with pytest.raises(ColumnError, match=r"'ai', 'event\.e' .names of meta and of metafor"):
        named(frame)
    ours = dict(zip(COUNTED, ("ai", "n1i", "ci", "n2i"), strict=True))
    assert values(named(frame, columns=ours).frame, *COUNTED) == [[2, 3, 4, 5]]


def test_what_the_caller_names_wins_over_every_name():
    frame = table("Trial;study;a;b;c;d;events_control")
    ours = dict(zip(COUNTED, "abcd", strict=True))
    found = named(frame, columns={"study": "Trial", **ours}).frame
    assert list(found.columns) == ["study", "study (2)", *COUNTED, "events_control (2)"]
    assert found["study"].tolist() == ["1"]


def test_a_named_column_is_looked_up_exactly_and_then_loosely():
    frame = table("study;Effect of drug;effect_of_drug;Error")
    assert columns(frame, columns={"y": "effect_of_drug", "se": "ERROR"})[2:] == ["y", "se"]


def test_a_named_column_completes_a_set():
    found = columns(table("study;cases;n1i;ci;n2i"), columns={"events_treatment": "cases"})
    assert found == ["study", *COUNTED]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"event": "ai"}, "--columns event=THEIRS is none .* did you mean events"),
        ({"study": "Nowhere"}, "no column 'Nowhere' .for study.; it has a, b. .*--columns study"),
        ({"study": "a", "y": "a"}, "'a' is named for study and for y"),
    ],
)
def test_names_that_are_not_there_are_refused_in_the_words_of_the_interface(asked, said):
    with speaking(COMMAND), pytest.raises(DataError, match=said):
        named(table("a;b"), columns=asked)
    with speaking(SPECIFICATION), pytest.raises(DataError) as refused:
        named(table("a;b"), columns=asked)
    assert "--columns" not in str(refused.value)


def test_our_own_name_wins_over_a_synonym_beside_it():
    frame = table("Trial;study;Author;y;se")
    assert named(frame).frame is frame


@pytest.mark.parametrize("heads", ["name;reference;y;se", "author;paper;y;se"])
def test_two_columns_that_could_name_the_studies_are_refused(heads):
    with pytest.raises(ColumnError, match="More than one column could be study"):
        named(table(heads))


def test_without_a_name_of_studies_the_rest_is_found_still():
    assert columns(table("ai;n1i;ci;n2i")) == COUNTED


def test_a_contradiction_of_patients_is_left_as_a_text_that_no_reader_takes():
    frame = table("study;ai;bi;ci;di;n1i;n2i", ("A", *"12", *"34", "3", "9"))
    found = plain_table(frame).frame
    assert float(found["n_treatment"].iloc[0]) == 3
    assert found["n_control"].iloc[0] == "9 in n2i, but 7 by events and non-events"


def test_what_is_no_number_is_no_number_after_a_sum_or_a_root():
    frame = table("study;ai;bi;ci;di", ("A", "1", "2x", "3", "4"), ("B", "1", "n.r.", "3", "4"))
    found = plain_table(frame).frame
    assert found["n_treatment"].iloc[0] == "1 + 2x"
    assert pd.isna(found["n_treatment"].iloc[1])
    roots = plain_table(
        table("study;yi;vi", *zip("ABCD", "0000", ("-1", "x", "", "0"), strict=True))
    )
    assert roots.frame["se"].tolist()[:2] == ["square root of -1", "square root of x"]
    assert pd.isna(roots.frame["se"].iloc[2])
    assert roots.frame["se"].iloc[3] == 0


def test_marks_of_variances_are_decided_before_their_roots_are_taken():
    found = plain_table(table("study;yi;vi", ("A", "1", "1,234"), ("B", "1", "0,25")))
    assert found.frame["se"].tolist() == pytest.approx([1.234**0.5, 0.5])
    with pytest.raises(DataError, match=r"^variance is '1,234' in A .* 1234 or 1\.234"):
        plain_table(table("study;yi;vi", ("A", "1", "1,234"), ("B", "1", "")))


def test_marks_of_counts_are_decided_before_patients_are_added_up():
    rows = (("A", "1,234", "2,100", "350", "1,150"), ("B", "20", "100", "30", "90"))
    found = plain_table(table("study;ai;bi;ci;di", *rows)).frame
    assert values(found, "n_treatment", "n_control") == [[3334, 1500], [120, 120]]


def test_variances_of_arms_become_sds():
    heads = "study;mean_t;var_t;n_t;mean_c;var_c;n_c"
    found = plain_table(table(heads, ("A", "5", "4", "10", "6", "9", "11")))
    assert values(found.frame, "sd_treatment", "sd_control") == [[2, 3]]


def test_a_column_called_var_is_no_variance_without_its_mean():
    found = named(table("Study;y;se;var", ("A", "5", "4", "10"))).frame
    assert list(found.columns) == ["study", "y", "se", "var"]


def test_the_table_that_is_given_is_not_changed():
    frame = case("c18h-metafor-abcd")
    before = frame.copy()
    named(frame)
    pd.testing.assert_frame_equal(frame, before)


FOREIGN = [one for one in all_sets() if one.source]


def spelled_otherwise(draw, name):
    """The name in other case, with blanks and underscores between its letters."""
    gaps = draw(st.lists(st.sampled_from(["", " ", "_"]), min_size=len(name), max_size=len(name)))
    upper = draw(st.booleans())
    return "".join((c.upper() if upper else c) + gap for c, gap in zip(name, gaps, strict=True))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_order_case_and_blanks_of_columns_change_nothing_that_is_matched(data):
    heads = data.draw(
        st.sampled_from(
            [
                "study;ai;bi;ci;di;year",
                "trial;event.e;n.e;event.c;n.c",
                "study;HR;LCI;UCI;weight",
                "name;yi;vi;dose",
                "study;events_treatment;n_treatment;events_control;n_control;OR;lower;upper",
                "study;Experimental cases;Experimental N;Control cases;Control N;Mean;CI start",
            ]
        )
    ).split(";")
    plain = named(table(";".join(heads))).frame
    spelling = {head: spelled_otherwise(data.draw, head) for head in heads}
    order = data.draw(st.permutations(range(len(heads))))
    frame = table(";".join(heads)).rename(columns=spelling).iloc[:, order]
    found = named(frame).frame
    back = {one: head for head, one in spelling.items()}
    assert set(found.columns) & set(OURS) == set(plain.columns) & set(OURS)
    for name in found.columns:
        assert found[name].tolist() == plain[back.get(name, name)].tolist()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_an_incomplete_set_of_a_program_matches_nothing(data):
    one = data.draw(st.sampled_from(FOREIGN))
    heads = [next(iter(keys)) for keys in one.needs.values()]
    fewer = data.draw(st.lists(st.sampled_from(heads), max_size=len(heads) - 1, unique=True))
    has = {key(head) for head in fewer}
    whole = [s for s in all_sets() if all(keys & has for keys in s.needs.values())]
    frame = table(";".join(["study", *fewer]))
    mine = set(fewer) & set(OURS)
    found = set(columns(frame)) - {"study"}
    assert whole or found == set(fewer), (fewer, found)
    assert whole or found & set(OURS) == mine


@pytest.mark.parametrize("head", ["ci", "ai", "yi", "n1i", "event.e", "HR", "LCI", "TE"])
def test_a_single_name_means_nothing(head):
    frame = table(f"study;y;se;{head}")
    assert named(frame).frame is frame


def test_every_set_claims_names_of_ours_and_no_key_twice():
    for one in all_sets():
        assert set(one.needs) <= {*OURS, "var"}
        assert one.rank >= COUNTS
        keys = [k for alternatives in one.needs.values() for k in alternatives]
        assert len(keys) == len(set(keys)), one
        assert all(key(k) == k for k in keys), one


BASELINES = "mean_treatment;sd_treatment;n_treatment;mean_control;sd_control;n_control"


@pytest.mark.parametrize(
    "before",
    [
        "mean_before_treatment;sd_before_treatment;mean_before_control;sd_before_control",
        "baseline_mean_treatment;baseline_sd_treatment;baseline_mean_control;baseline_sd_control",
        "Treatment mean pre;Treatment SD pre;Control mean pre;Control SD pre",
    ],
)
def test_baselines_beside_means_of_our_names_are_found(before):
    found = plain_table(table(f"study;{BASELINES};{before}"))
    names = [f"{name}{arm}" for arm in ("_treatment", "_control") for name in ("mean", "sd")]
    assert values(found.frame, *names) == [[2, 3, 5, 6]]
    baseline = [name.replace("_", "_baseline_", 1) for name in names]
    assert values(found.frame, *baseline) == [[8, 9, 10, 11]]
    assert "as mean_baseline_treatment" in found.said[0]


def test_baselines_of_one_row_per_arm_are_found():
    rows = (("A", "drug", *"12345"), ("A", "placebo", *"67891"))
    found = plain_table(table("study;arm;mean;sd;n;mean before;sd before", *rows)).frame
    assert list(found) == ["study", "arm", "mean", "sd", "n", "mean_baseline", "sd_baseline"]


def test_a_mean_before_beside_no_mean_stays_what_it_is():
    assert columns(table("study;y;se;mean before")) == ["study", "y", "se", "mean before"]


INTERVALS = (("A", "1.5", ".3", "1.0136", "2.2199"), ("B", "1.5", ".3", "", ""))


@pytest.mark.parametrize("asked", ["HR", "RATIO", "OR"])
def test_under_our_own_names_too_the_interval_of_a_ratio_comes_first(asked):
    found = named(table("study;estimate;se;lower;upper", *INTERVALS), measure=asked)
    assert pd.isna(found.frame["se"]).tolist() == [True, False]
    assert found.said == ("se read only where there is no interval",)
    given = {"estimate": "e", "se": "s", "lower": "l", "upper": "u"}
    found = named(table("study;e;s;l;u", *INTERVALS), columns=given, measure=asked)
    assert pd.isna(found.frame["se"]).tolist() == [True, False]


def test_a_ratio_stated_by_a_column_taken_apart_has_its_interval_first():
    rows = (("A", "1.5 (1.0136-2.2199)", ".3"), ("B", "", ".3"))
    found = plain_table(table("study;HR (95% CI);se", *rows)).frame
    assert pd.isna(found["se"]).tolist() == [True, False]


def test_the_standard_error_of_a_difference_or_of_y_is_read_beside_an_interval():
    frame = table("study;estimate;se;lower;upper", *INTERVALS)
    for asked in (None, "MD"):
        assert named(frame, measure=asked).frame is frame
    both = table("study;y;se;estimate;lower;upper", ("A", ".4", ".2", "1.5", "1", "2.2"))
    assert named(both, measure="HR").frame["se"].tolist() == [".2"]


REVMAN = "Study;Outcome number;Events 1;Total 1;Events 2;Total 2"


def test_without_data_types_no_study_of_revman_5_is_lost():
    rows = (("A", "1", "12", "40", "18", "40"), ("B", "1", *"5599"), ("C", "1", *"3848"))
    found = plain_table(table(REVMAN, *rows))
    assert found.frame["study"].tolist() == ["A", "B", "C"]
    assert not any("totals" in one for one in found.said)


def test_without_data_types_totals_of_revman_5_are_the_rows_of_sums_and_named():
    rows = (
        ("Death", "1", "1,270", "4,900", "1,893", "5,320"),
        ("A", "1", "1,195", "4,490", "1,798", "4,880"),
        ("B", "1", "75", "410", "95", "440"),
        ("C", "2", "3", "10", "4", "20"),
    )
    found = plain_table(table(REVMAN, *rows))
    assert found.frame["study"].tolist() == ["A", "B", "C"]
    assert found.said[-1] == "1 row of RevMan 5 with totals left out: Death (row 1)"


def test_studies_of_as_many_patients_are_no_totals_of_each_other():
    heads = "Study;Outcome Number;Mean 1;SD 1;Total 1;Mean 2;SD 2;Total 2"
    rows = (("A", "1", "5", "2", "20", "6", "2", "20"), ("B", "1", "4", "2", "20", "7", "2", "20"))
    assert plain_table(table(heads, *rows)).frame["study"].tolist() == ["A", "B"]


def test_totals_of_subgroups_are_left_out_before_those_of_outcomes():
    heads = REVMAN.replace("Outcome number", "Outcome number;Subgroup number")
    rows = (
        ("All", "1", "0", "6", "60", "9", "60"),
        ("Old", "1", "1", "3", "30", "4", "30"),
        ("A", "1", "1", "1", "10", "2", "10"),
        ("B", "1", "1", "2", "20", "2", "20"),
        ("Young", "1", "2", "3", "30", "5", "30"),
        ("C", "1", "2", "1", "10", "3", "10"),
        ("D", "1", "2", "2", "20", "2", "20"),
    )
    found = plain_table(table(heads, *rows))
    assert found.frame["study"].tolist() == ["A", "B", "C", "D"]
    assert "All (row 1), Old (row 2), Young (row 5)" in found.said[-1]


def test_estimates_of_revman_5_without_data_types_are_refused():
    rows = (("A", *"1000023"), ("B", *"1000045"))
    frame = table(f"{REVMAN};Effect Estimate;SE", *rows)
    with pytest.raises(DataError, match=r"Nothing tells totals from studies .*'Data Type'"):
        plain_table(frame)


@pytest.mark.parametrize(
    ("heads", "level"),
    [
        ("HR;95% CI lower;95% CI upper", 0.95),
        ("HR;2.5%;97.5%", 0.95),
        ("HR;L95;U95", 0.95),
        ("HR;lower;upper", None),
    ],
)
def test_the_level_that_the_names_of_limits_state_is_known(heads, level):
    assert named(table(f"study;{heads}")).level == level


def test_a_variance_that_contradicts_the_standard_error_beside_it_is_a_text():
    rows = (("A", ".5", ".1", ".5"), ("B", ".5", ".707", ".5"), ("C", ".5", ".7", ".49"))
    found = plain_table(table("study;y;se;variance", *rows))
    assert found.frame["se"].tolist() == [".1 ≠ √.5", ".707", ".7"]
    assert found.said == ()


def test_floats_of_a_variance_and_its_root_agree():
    variance = np.array([0.0123456789, 123.456789012345, 1e-7, 7 / 3])
    frame = pd.DataFrame({"study": list("ABCD"), "y": 0.5, "se": np.sqrt(variance)})
    found = plain_table(frame.assign(variance=variance)).frame
    assert found["se"].astype(float).tolist() == np.sqrt(variance).tolist()


def test_a_root_is_said_only_where_it_was_used():
    rows = (("A", "1", ".1", ".01"), ("B", "1", "", ".04"))
    found = plain_table(table("study;y;se;variance", *rows))
    assert found.frame["se"].tolist() == [".1", 0.2]
    assert found.said == ("se as the square root of variance",)


def test_the_heads_of_the_table_are_kept_by_our_names():
    found = named(table("Trial;ai;n1i;ci;n2i"))
    assert found.heads["events_control"] == "ci"
    assert found.heads["study"] == "Trial"
    assert found.sources == {"metafor"}
