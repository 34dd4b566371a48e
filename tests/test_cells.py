"""Cells with several figures: read where the column says what they are, else refused by row."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmeta.errors import DataError
from bayesmeta.sheets import composite, plain_table, read_printed, refuse_composites, split_cells
from bayesmeta.sheets.cells.forms import FORMS, form_named, read_cell
from bayesmeta.sheets.figures.words import figure
from bayesmeta.ways import COMMAND, SPECIFICATION, speaking

NAMES = ["Alba 2001", "Bern 2005", "Como 2009", "Delft 2012"]


def frame_of(**columns):
    return pd.DataFrame({"study": NAMES[: len(next(iter(columns.values())))], **columns})


def cells_of(column, *cells, **asked):
    return plain_table(frame_of(**{column: list(cells)}), **asked)


def row(found, i=0):
    cells = found.frame.iloc[i].drop("study")
    return {name: None if pd.isna(cell) else cell for name, cell in cells.items()}


@pytest.mark.parametrize(
    ("form", "cell", "figures"),
    [
        ("events/n treatment", "9/52", ["9", "52"]),
        ("events/n treatment", " 9 / 52 ", ["9", "52"]),
        ("events/n treatment", "9/52 (17.3%)", ["9", "52"]),
        ("events/n control", "62 of 13 598", ["62", "13598"]),
        ("median (q1-q3)", "7.5 (5–11)", ["7.5", "5", "11"]),
        ("median (q1-q3)", "7.5 [5, 11]", ["7.5", "5", "11"]),
        ("median (q1-q3)", "7.5 (5 to 11)", ["7.5", "5", "11"]),
        ("median (q1-q3)", "7.5 (5; 11)", ["7.5", "5", "11"]),
        ("median (q1-q3)", "7,5 (5,0 – 11,5)", ["7.5", "5.0", "11.5"]),
        ("median (min-max)", "7 (range 1-30)", ["7", "1", "30"]),
        ("median (iqr)", "7.5 (6)", ["7.5", "6"]),
        ("median (iqr)", "7,5 (5,5)", ["7.5", "5.5"]),
        ("median (iqr)", "7.5 (IQR 5-11)", ["7.5", "5", "11"]),
        ("mean (sd) treatment", "15.2 ± 5.9", ["15.2", "5.9"]),
        ("mean (sd) treatment", "−15.2 (5.9)", ["-15.2", "5.9"]),
        ("mean ± sd treatment", "15,2 ± 5,9", ["15.2", "5.9"]),
        ("mean (se) control", "15.20 (SE 0.80)", ["15.20", "0.80"]),
        ("mean (lower-upper)", "15.2 (13.5 to 16.9)", ["15.2", "13.5", "16.9"]),
        ("estimate (lower-upper)", "0.76 (0.60–0.96)", ["0.76", "0.60", "0.96"]),
        ("estimate (lower-upper)", "0·76 (0·60 to 0·96)", ["0.76", "0.60", "0.96"]),
        ("estimate (lower-upper)", "−1.2 (−2.0 to −0.4)", ["-1.2", "-2.0", "-0.4"]),
        ("estimate (lower-upper)", "-1.2 (-2.0, -0.4)", ["-1.2", "-2.0", "-0.4"]),
        ("estimate (lower-upper)", "-1.2 (-2.0--0.4)", ["-1.2", "-2.0", "-0.4"]),
        ("estimate (lower-upper)", "1.2 (-0.4-2.8)", ["1.2", "-0.4", "2.8"]),
        ("estimate (lower-upper)", "0.76 [95% CI: 0.60 to 0.96]", ["0.76", "0.60", "0.96"]),
        ("estimate (lower-upper)", "0,76 (0,60; 0,96)", ["0.76", "0.60", "0.96"]),
        ("lower-upper", "0.60 to 0.96", ["0.60", "0.96"]),
        ("lower-upper", "(.60, .96)", [".60", ".96"]),
    ],
)
def test_printed_cells_are_taken_apart_with_their_decimals(form, cell, figures):
    found = cells_of("Result", cell, cells={"Result": form})
    assert list(row(found).values()) == figures
    assert "Result" not in found.frame


@pytest.mark.parametrize(
    ("form", "cell", "why"),
    [
        ("events/n", "9-52", "does not read as events/n"),
        ("events/n", "9", "does not read"),
        ("events/n", "60/52", "more events than patients"),
        ("events/n", "9/52 (18%)", "9 of 52, which is 17.3% and not 18%"),
        ("median (q1-q3)", "7.5 (range 5-11)", "does not read"),
        ("median (q1-q3)", "7.5 (8-11)", "does not lie between"),
        ("median (iqr)", "7 (5,9)", "width with a decimal comma or two quartiles"),
        ("mean (sd)", "15.2", "does not read"),
        ("mean (sd)", "15.2 (SE 0.8)", "does not read"),
        ("estimate (lower-upper)", "-1.2 (-2.0 -0.4)", "does not read"),
        ("estimate (lower-upper)", "1.2 (0.4- 2.8)", "does not read"),
        ("estimate (lower-upper)", "0.76 (90% CI 0.60 to 0.96)", "does not read"),
        ("estimate (lower-upper)", "0,76 (0,60,0,96)", "commas between and within"),
        ("estimate (lower-upper)", "0.76 (0.96 to 0.60)", "does not lie between"),
        ("lower-upper", "0.96 to 0.60", "wrong order"),
    ],
)
def test_a_cell_that_does_not_fit_is_refused_by_its_row_with_what_to_write(form, cell, why):
    with pytest.raises(DataError) as refused:
        cells_of("Result", "", cell, cells={"Result": form})
    said = str(refused.value)
    assert why in said
    assert "Bern 2005 (row 2)" in said
    assert "Alba" not in said
    assert "Write e.g." in said
    assert "exclude={'Bern 2005': 'reason'}" in said


@pytest.mark.parametrize("cell", ["n.r.", "NR", "-", "–", "", "not reported", None, np.nan])
def test_words_for_nothing_are_missing(cell):
    found = cells_of("n/N control", "9/52", cell)
    assert row(found, 1) == {"events_control": None, "n_control": None}


@pytest.mark.parametrize(
    ("head", "cell", "figures"),
    [
        ("events/n treatment", "9/52", {"events_treatment": "9", "n_treatment": "52"}),
        ("n/N (placebo)", "9/52", {"events_control": "9", "n_control": "52"}),
        ("Intervention n/N", "9/52", {"events_treatment": "9", "n_treatment": "52"}),
        ("Mean (SD), active group", "5 (2)", {"mean_treatment": "5", "sd_treatment": "2"}),
        ("mean_sd_control", "5 (2)", {"mean_control": "5", "sd_control": "2"}),
        ("Mean ± SD", "5 ± 2", {"mean": "5", "sd": "2"}),
        (
            "Median (IQR) comparator",
            "7 (5-9)",
            {"median_control": "7", "q1_control": "5", "q3_control": "9"},
        ),
        ("Median (IQR)", "7 (4)", {"median": "7", "iqr": "4"}),
        ("Median [Q1, Q3]", "7 [5, 9]", {"median": "7", "q1": "5", "q3": "9"}),
        ("median (range)", "7 (1-9)", {"median": "7", "min": "1", "max": "9"}),
        ("HR (95% CI)", "0.7 (0.5-0.9)", {"estimate": "0.7", "lower": "0.5", "upper": "0.9"}),
        ("Odds ratio [95% CI]", "2 [1, 4]", {"estimate": "2", "lower": "1", "upper": "4"}),
        ("estimate (95% CI)", "2 (1-4)", {"estimate": "2", "lower": "1", "upper": "4"}),
    ],
)
def test_a_column_whose_name_is_a_form_is_read_by_it(head, cell, figures):
    found = cells_of(head, cell)
    assert row(found) == figures
    assert len(found.said) == 1
    assert found.said[0].startswith(repr(head))


@pytest.mark.parametrize(
    "head",
    ["Deaths, drug", "Age", "ci", "CI", "n", "r", "Age, mean (SD) treatment", "n/N low dose"],
)
def test_a_column_whose_name_is_no_form_is_left_alone(head):
    frame = frame_of(**{head: ["9/52"]})
    found = split_cells(frame)
    assert found.frame is frame
    assert found.said == ()


def test_the_caller_says_what_a_column_holds():
    frame = frame_of(**{"Deaths, drug": ["9/52"], "Deaths, placebo": ["11/50"], "year": ["2001"]})
    forms = {"Deaths, drug": "events/n treatment", "deaths placebo": "n/N, control"}
    found = split_cells(frame, cells={"Deaths, drug": forms["Deaths, drug"]}).frame
    assert "Deaths, placebo" in found
    with pytest.raises(DataError, match="no column 'deaths placebo'"):
        split_cells(frame, cells=forms)
    forms["deaths, placebo"] = forms.pop("deaths placebo")
    found = split_cells(frame, cells=forms)
    assert row(found) == {
        "year": "2001",
        "events_treatment": "9",
        "n_treatment": "52",
        "events_control": "11",
        "n_control": "50",
    }
    assert found.said[1] == "'Deaths, placebo' read as events/n of control"


def test_an_unknown_form_is_answered_with_the_forms_there_are():
    with speaking(COMMAND), pytest.raises(DataError) as refused:
        cells_of("Deaths", "9/52", cells={"Deaths": "n per N"})
    said = str(refused.value)
    assert '--cells "Deaths=..."' in said
    assert all(form.name in said for form in FORMS)


@pytest.mark.parametrize("head", ["n_treatment", "N intervention", "Total (treatment)"])
def test_a_percentage_is_held_to_the_patients_of_another_column(head):
    columns = {"events (%) treatment": ["9 (17%)", "5 (10.0%)"], head: ["52", "50"]}
    found = plain_table(frame_of(**columns)).frame
    assert found["events_treatment"].tolist() == ["9", "5"]
    columns["events (%) treatment"][1] = "5 (10.1%)"
    with pytest.raises(DataError, match=r"Bern 2005 \(row 2\) .* 10.0% and not 10.1%"):
        plain_table(frame_of(**columns))


def test_of_many_wrong_cells_five_rows_are_named_and_the_rest_counted():
    frame = pd.DataFrame({"Trial": [f"T{i}" for i in range(9)], "n/N control": ["x?"] * 9})
    with pytest.raises(DataError) as refused:
        split_cells(frame)
    assert "T0 (row 1) 'x?'" in str(refused.value)
    assert "T5 (row 6) and 3 more" in str(refused.value)


def test_a_column_that_holds_what_another_holds_is_left_or_refused():
    frame = frame_of(**{"HR (95% CI)": ["0.7 (0.5-0.9)"], "estimate": ["0.7"]})
    assert split_cells(frame).frame is frame
    with pytest.raises(DataError, match="holds estimate, which stands in another column"):
        split_cells(frame, cells={"HR (95% CI)": "HR (95% CI)"})
    twice = frame_of(**{"HR (95% CI)": ["0.7 (0.5-0.9)"], "HR CI": ["0.7 (0.5-0.9)"]})
    with pytest.raises(DataError, match="stands in another column"):
        split_cells(twice)


def test_a_column_states_its_measure_and_no_other_is_read():
    assert cells_of("OR (95% CI)", "2 (1-4)", measure="OR").measure == "OR"
    with pytest.raises(DataError, match=r"'OR \(95% CI\)' holds the odds ratio"):
        cells_of("OR (95% CI)", "2 (1-4)", measure="RR")
    frame = frame_of(ai=["1"], n1i=["9"], ci=["2"], n2i=["9"], **{"OR (95% CI)": ["2 (1-4)"]})
    assert split_cells(frame, measure="RR").frame is frame


def test_an_interval_beside_its_ratio_joins_it_by_name():
    frame = frame_of(HR=["0.70", "0.9"], **{"95% CI": ["0.5 to 0.98", "n.r."]})
    found = plain_table(frame, measure="HR").frame
    assert found.iloc[0].tolist() == ["Alba 2001", "0.70", "0.5", "0.98"]
    assert found.iloc[1].isna().tolist() == [False, False, True, True]


def test_cells_and_names_together_read_a_table_as_journals_print_it():
    frame = frame_of(**{"n/N treatment": ["12/40"], "n/N control": ["18/40 (45%)"]})
    found = plain_table(frame).frame
    assert found.iloc[0].tolist() == ["Alba 2001", "12", "40", "18", "40"]


def test_widths_and_quartiles_may_stand_in_one_column():
    found = cells_of("median (IQR) control", "7 (4)", "7 (5-9)")
    assert row(found, 0) == {
        "median_control": "7",
        "iqr_control": "4",
        "q1_control": None,
        "q3_control": None,
    }
    assert row(found, 1)["q3_control"] == "9"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("9/52", "events/n"),
        ("9 (17%)", "events (percent)"),
        ("15.2 ± 5.9", "mean (sd) or mean (se)"),
        ("0.7 (0.6–0.9)", "estimate (lower-upper), median (q1-q3)"),
        ("12", None),
        ("-1.5", None),
        ("2,150", None),
        ("n.r.", None),
        ("2020-01-02", None),
        ("drug (low)", None),
    ],
)
def test_a_cell_with_several_figures_is_told_from_one_with_one(cell, said):
    found = composite(cell)
    assert found is None if said is None else found.startswith(said)


def test_columns_of_numbers_with_several_figures_are_refused_with_what_to_write():
    frame = frame_of(events_treatment=["9/52", "5/40", "7"], note=["1/2", "", ""])
    with speaking(COMMAND), pytest.raises(DataError) as refused:
        refuse_composites(frame, ["events_treatment", "n_treatment"])
    said = str(refused.value)
    assert "events_treatment holds several figures in one cell, '9/52'" in said
    assert "Alba 2001 (row 1), Bern 2005 (row 2)." in said
    assert '--cells "events_treatment=..."' in said
    assert "events/n, and treatment after it" in said
    with speaking(SPECIFICATION), pytest.raises(DataError, match=r'cells = . "events_treatment"'):
        refuse_composites(frame, ["events_treatment"])


def test_columns_of_plain_numbers_pass():
    frame = frame_of(n=["12", "1 234", "n.r."], y=[0.1, 0.2, np.nan])
    refuse_composites(frame, ["n", "y", "absent"])


@pytest.mark.parametrize(
    ("first", "other", "value"),
    [("1.250 (320)", "950,5 (310,2)", 1250), ("1,250 (320)", "950.5 (310.2)", 1250)],
)
@pytest.mark.parametrize("together", [True, False])
def test_marks_in_cells_are_decided_by_all_cells_of_the_table(first, other, value, together):
    one, two = "mean (sd) treatment", "mean (sd) control"
    columns = {one: [first, other]} if together else {one: [first], two: [other]}
    found = plain_table(frame_of(**columns)).frame
    assert float(found["mean_treatment"].iloc[0]) == value
    assert float(found["sd_treatment"].iloc[0]) == 320


def test_an_interval_with_commas_is_read_as_the_other_intervals_are():
    found = cells_of("HR (95% CI)", "1,250 (1,100-1,420)", "0,800 (0,650-0,985)").frame
    assert found[["estimate", "lower", "upper"]].astype(float).to_numpy().tolist() == [
        [1.25, 1.1, 1.42],
        [0.8, 0.65, 0.985],
    ]


def test_marks_that_nothing_decides_are_refused_with_both_readings_of_every_column():
    with pytest.raises(DataError) as refused:
        cells_of("mean (sd) treatment", "1,250 (2,320)", "950 (310)")
    assert len(refused.value.problems) == 2
    for problem, name in zip(refused.value.problems, ("mean", "sd"), strict=True):
        assert problem.startswith(f"{name}_treatment is ")
        assert "2320 or 2.320" in problem or "1250 or 1.250" in problem


@pytest.mark.parametrize(
    ("form", "cells", "said"),
    [
        ("events/n treatment", ["1,234/12,345 (10.0%)", "100/2000"], None),
        (
            "events/n treatment",
            ["1,234/12,345 (11.0%)", "100/2000"],
            "1234 of 12345, which is 10.0",
        ),
        ("HR (95% CI)", ["1,250 (900-1,420)", "2.5 (1.1-3.1)"], None),
        ("HR (95% CI)", ["1,250 (900-1,420)", "2,5 (1,1-3,1)"], "does not lie between"),
        ("median (q1-q3)", ["1.250 (950-1.500)", "2.000,5 (900,5-3.000)"], None),
    ],
)
def test_figures_of_a_cell_are_held_together_once_their_marks_are_decided(form, cells, said):
    if said is None:
        cells_of("Result", *cells, cells={"Result": form})
        return
    with pytest.raises(DataError, match=said) as refused:
        cells_of("Result", *cells, cells={"Result": form})
    assert "'Result'" in str(refused.value)
    assert repr(cells[0]) in str(refused.value)


def test_marks_of_groups_and_decimals_in_one_cell_are_read():
    found = cells_of("mean (sd)", "1.250,5 (1 320,25)", "1'000 (2,5)", cells={}).frame
    assert found["mean"].astype(float).tolist() == [1250.5, 1000]
    assert found["sd"].astype(float).tolist() == [1320.25, 2.5]


@pytest.mark.parametrize("word", ["n.r.", "unknown", "ND", "not estimable"])
def test_a_word_for_nothing_in_a_composite_cell_is_said_by_name(word):
    found = cells_of("n/N control", "9/52", word)
    assert row(found, 1) == {"events_control": None, "n_control": None}
    said = f"{word} taken as missing in events_control (Bern 2005), n_control (Bern 2005)"
    assert found.said[-1] == said


@pytest.mark.parametrize(
    ("head", "cell", "level"),
    [
        ("HR (95% CI)", "0.7 (0.5-0.9)", 0.95),
        ("HR CI", "0.7 (95% CI 0.5-0.9)", 0.95),
        ("HR CI", "0.7 (0.5-0.9)", None),
        ("Result in 1995, 50% dose", "0.7 (0.5-0.9)", None),
        ("Day 90, 50% dose, HR (95 % CI)", "0.7 (0.5-0.9)", 0.95),
        ("HR [90%-CrI]", "0.7 (0.5-0.9)", 0.9),
    ],
)
def test_the_level_that_a_name_or_a_cell_states_is_known(head, cell, level):
    assert cells_of(head, cell, cells={head: "HR (95% CI)"}).level == level


@pytest.mark.parametrize(
    ("head", "cell", "form", "ours"),
    [
        ("mean_treatment", "7.5 ± 5.1", "mean (sd) treatment", ["mean_treatment", "sd_treatment"]),
        ("events_treatment", "9 (18%)", "events (percent) treatment", ["events_treatment"]),
        ("Events_Treatment", "9/50", "events/n treatment", ["events_treatment", "n_treatment"]),
    ],
)
def test_a_column_under_our_name_may_itself_be_taken_apart(head, cell, form, ours):
    found = cells_of(head, cell, cells={head: form})
    assert list(row(found)) == ours


def test_composites_are_advised_by_the_names_of_the_file_and_all_at_once():
    heads = ("Deaths drug", "Total drug", "Deaths placebo", "Total placebo")
    cells = (["9 (18%)"], ["50"], ["5 (10%)"], ["50"])
    found = plain_table(frame_of(**dict(zip(heads, cells, strict=True))))
    with speaking(COMMAND), pytest.raises(DataError) as refused:
        refuse_composites(found.frame, list(found.frame), heads=found.heads)
    first, second = refused.value.problems
    assert "'Deaths drug' (events_treatment) holds several figures" in first
    assert '--cells "Deaths placebo=..."' in second
    forms = ("events (percent) treatment", "events (percent) control")
    asked = dict(zip(heads[::2], forms, strict=True))
    found = plain_table(frame_of(**dict(zip(heads, cells, strict=True))), cells=asked).frame
    assert found["events_control"].tolist() == ["5"]
    assert found["n_control"].tolist() == ["50"]


def test_cells_that_do_not_fit_are_listed_for_every_column():
    columns = {"n/N treatment": ["9/52", "x"], "n/N control": ["y", "8/50"]}
    with pytest.raises(DataError) as refused:
        plain_table(frame_of(**columns))
    first, second = refused.value.problems
    assert "'n/N treatment'" in first
    assert "Bern 2005 (row 2) 'x'" in first
    assert "Alba 2001 (row 1) 'y'" in second


NUMBERS = st.decimals(min_value=0, max_value=999, places=1).map(str)


@settings(max_examples=200, deadline=None)
@given(
    figures=st.lists(NUMBERS, min_size=3, max_size=3),
    signs=st.lists(st.booleans(), min_size=3, max_size=3),
    minus=st.sampled_from("-−–"),
    to=st.sampled_from([" to ", "; ", ", ", "–", " – ", "-"]),
    comma=st.booleans(),
    brackets=st.sampled_from(["()", "[]"]),
)
def test_an_interval_is_read_as_it_was_printed_or_refused(
    figures, signs, minus, to, comma, brackets
):
    values = sorted(float(("-" if s else "") + f) for f, s in zip(figures, signs, strict=True))
    low, middle, high = (f"{v:.1f}".replace("-", minus) for v in values)
    cell = f"{middle} {brackets[0]}{low}{to}{high}{brackets[1]}"
    cell = cell.replace(".", ",") if comma else cell
    found = read_cell(form_named("estimate (lower-upper)")[0], cell)
    assert not isinstance(found, str), cell
    assert [float(figure(found[part])) for part in ("lower", "estimate", "upper")] == values


@settings(max_examples=300, deadline=None)
@given(
    cell=st.text(alphabet="0123456789.,·/()[]–−-± to%n", max_size=16), form=st.sampled_from(FORMS)
)
def test_any_cell_is_read_into_numbers_or_refused_in_words(cell, form):
    found = read_cell(form, cell)
    if isinstance(found, str):
        assert found
        return
    assert all(read_printed(text) is not None for text in found.values())
    printed = [c for c in cell if c in "123456789"]
    assert printed == [c for c in "".join(found.values()) if c in "123456789"]
