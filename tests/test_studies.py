"""Tables of counts and published figures: what gets past the door, and what is said else."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from references import MAIN_TRIALS, binary

import bayesmeta as bm
from bayesmeta.studies import decimals_of


def table(**changes) -> pd.DataFrame:
    columns = {
        "study": ["Shu", "Zhu", "Adas"],
        "events_treatment": [0, 0, 3],
        "n_treatment": [12, 29, 10],
        "events_control": [3, 2, 6],
        "n_control": [29, 29, 10],
    }
    return pd.DataFrame({**columns, **changes})


def test_table_is_read_arm_by_arm():
    studies = bm.BinaryStudies.from_frame(table())
    assert studies.study == ("Shu", "Zhu", "Adas")
    assert studies.k == 3
    assert {name: getattr(studies, name).tolist() for name in studies.columns()} == {
        "events_treatment": [0, 0, 3],
        "n_treatment": [12, 29, 10],
        "events_control": [3, 2, 6],
        "n_control": [29, 29, 10],
    }


def test_other_column_names_are_mapped_and_other_columns_are_ignored():
    names = {"study": "trial", "events_treatment": "ai", "events_control": "ci"}
    frame = table().rename(columns=names).assign(year=2020, country="Iran")
    studies = bm.BinaryStudies.from_frame(frame, columns=names)
    assert studies.events_treatment.tolist() == [0, 0, 3]
    assert studies.events_control.tolist() == [3, 2, 6]


def test_mapping_can_take_the_arms_crosswise():
    crossed = bm.BinaryStudies.from_frame(
        table(),
        columns={
            "events_treatment": "events_control",
            "events_control": "events_treatment",
            "n_treatment": "n_control",
            "n_control": "n_treatment",
        },
    )
    assert crossed.events_treatment.tolist() == [3, 2, 6]
    assert crossed.n_treatment.tolist() == [29, 29, 10]


def test_numbers_written_as_text_are_numbers():
    studies = bm.BinaryStudies.from_frame(table(events_treatment=["0", "0", "3"]))
    assert studies.events_treatment.tolist() == [0, 0, 3]


def test_double_zero_marks_studies_without_any_event():
    assert binary(MAIN_TRIALS).double_zero.tolist() == [name == "Shi" for name in MAIN_TRIALS]


def test_rows_are_excluded_by_study_with_their_reason_and_may_have_gaps():
    frame = table(events_control=[3, np.nan, 6])
    studies = bm.BinaryStudies.from_frame(frame, exclude={"Zhu": "no deaths given"})
    assert studies.study == ("Shu", "Adas")
    assert studies.events_control.tolist() == [3, 6]
    assert [(row.study, row.variant, row.reason) for row in studies.excluded] == [
        ("Zhu", "main", "no deaths given")
    ]


def test_rows_are_excluded_by_study_and_variant():
    frame = table(study=["Lanzoni", "Lanzoni", "Adas"], variant=["main", "alt", "main"])
    studies = bm.BinaryStudies.from_frame(frame, exclude={("Lanzoni", "alt"): "other source"})
    assert list(zip(studies.study, studies.variant, strict=True)) == [
        ("Lanzoni", "main"),
        ("Adas", "main"),
    ]
    both = bm.BinaryStudies.from_frame(frame, exclude={"Lanzoni": "all of it"})
    assert both.study == ("Adas",)
    assert len(both.excluded) == 2


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (
            table(events_treatment=[0, 30, 3]),
            r"events_treatment exceeds n_treatment for Zhu \(row 2\)",
        ),
        (table(events_control=[30, 2, 6]), r"events_control exceeds n_control for Shu \(row 1\)"),
        (table(events_treatment=[0, -1, 3]), r"whole number, 0 or more; check Zhu \(row 2\).*-1"),
        (
            table(n_control=[29, 29.5, 10]),
            r"n_control must be a whole number.*Zhu \(row 2\).*29\.5",
        ),
        (table(events_control=[3, np.nan, 6]), r"events_control is missing or not finite for Zhu"),
        (table(events_control=[3, np.inf, 6]), r"events_control is missing or not finite for Zhu"),
        (table(n_treatment=[0, 29, 10]), r"n_treatment must be at least 1; check Shu \(row 1\)"),
        (
            table(events_control=["3", "2 (7%)", "6"]),
            r"must be a number; check Zhu \(row 2\): got '2 \(7%\)'",
        ),
        (
            table(study=["Shu", "Shu", "Adas"]),
            "names must be unique; these repeat: Shu",
        ),
        (table(study=["Shu", None, "Adas"]), "study has no name in row 2"),
        (table(study=["Shu", " ", "Adas"]), "study has no name in row 2"),
        (
            table().drop(columns="n_control"),
            "has no column 'n_control'.*it has study, events_treatment",
        ),
        (table().iloc[:0], "no rows to analyse"),
    ],
)
def test_table_that_cannot_be_used_is_refused_with_column_and_row(frame, words):
    with pytest.raises(bm.DataError, match=words):
        bm.BinaryStudies.from_frame(frame)


def test_number_that_is_not_one_is_found_in_the_row_of_the_file_after_an_exclusion():
    frame = table(events_control=["?", "2", "six"])
    with pytest.raises(bm.DataError, match=r"check Adas \(row 3\): got 'six'"):
        bm.BinaryStudies.from_frame(frame, exclude={"Shu": "unclear"})


def test_many_bad_rows_are_counted_not_listed():
    rows = {f"T{i}": (9, 5, 0, 5) for i in range(8)}
    with pytest.raises(bm.DataError, match=r"T4 \(row 5\) and 3 more"):
        binary(rows)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"exclude": {"Wang": "late"}}, "'Wang', which is not a row of the table"),
        ({"exclude": {("Shu", "alt"): "late"}}, r"\('Shu', 'alt'\), which is not a row"),
        ({"exclude": dict.fromkeys(("Shu", "Zhu", "Adas"), "x")}, "no rows to analyse"),
        ({"columns": {"events_treatment": "ai"}}, r"no column 'ai' \(for events_treatment\)"),
    ],
)
def test_arguments_that_name_what_is_not_there_are_refused(keywords, words):
    with pytest.raises(bm.DataError, match=words):
        bm.BinaryStudies.from_frame(table(), **keywords)


def test_column_given_twice_is_refused():
    frame = pd.concat([table(), table()[["n_control"]]], axis=1)
    with pytest.raises(bm.DataError, match="more than one column 'n_control'"):
        bm.BinaryStudies.from_frame(frame)


def test_columns_of_different_length_are_refused():
    with pytest.raises(bm.DataError, match="n_control must have one entry per study, 1 in all"):
        bm.BinaryStudies(
            study=("A",),
            events_treatment=[1],
            n_treatment=[5],
            events_control=[1],
            n_control=[5, 6],
        )
    with pytest.raises(bm.DataError, match="variant has 2 entries for 1 studies"):
        bm.BinaryStudies(
            study=("A",),
            events_treatment=[1],
            n_treatment=[5],
            events_control=[1],
            n_control=[5],
            variant=("main", "alt"),
        )


def test_counts_cannot_be_written_after_the_check():
    studies = binary({"A": (1, 5, 2, 6)})
    with pytest.raises(ValueError, match="read-only"):
        studies.events_treatment[0] = 99
    with pytest.raises(AttributeError):
        studies.study = ("B",)


@pytest.mark.parametrize(
    ("text", "decimals"),
    [
        ("0.76", 2),
        ("0.60", 2),
        ("1", 0),
        ("12.", 0),
        ("-1.250", 3),
        ("1e-3", 3),
        ("2.5e1", 0),
        ("", 0),
    ],
)
def test_decimals_are_those_printed(text, decimals):
    assert decimals_of(text) == decimals


@given(st.integers(0, 9), st.integers(-(10**6), 10**6))
def test_decimals_of_any_fixed_point_figure_are_counted(decimals, whole):
    assert decimals_of(f"{whole / 10**decimals:.{decimals}f}") == decimals


def test_published_figures_keep_their_digits():
    printed = bm.Published(measure="RR", estimate="0.80", lower="0.60", upper="1.00", k=7)
    assert (printed.estimate, printed.decimals, printed.has_interval) == ("0.80", 2, True)
    assert str(printed) == "RR 0.80 [0.60, 1.00]"
    assert bm.Published(estimate="0.8", lower="0.60", upper="1").decimals == 2


def test_verdict_in_words_stands_for_a_missing_figure():
    assert str(bm.Published(verdict="decreased")) == "decreased"
    assert not bm.Published(measure="RR", estimate="0.80").has_interval


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"estimate": "0.5", "lower": "0.6", "upper": "0.9"}, r"0\.5 does not lie in its interval"),
        ({"estimate": "0.95", "lower": "0.6", "upper": "0.9"}, "does not lie in its interval"),
        ({"estimate": "0.9", "lower": "0.9", "upper": "0.9"}, "does not lie in its interval"),
        ({"estimate": "0.7", "lower": "0.9", "upper": "0.6"}, "does not lie in its interval"),
        ({"estimate": 0.76}, "must be the printed figure as text, e.g. '0.60'; got 0.76"),
        ({"estimate": "about 1"}, "'about 1', which is not a printed number"),
        ({"p": "nan"}, "p is 'nan', which is not a printed number"),
        ({"i2": "1_0"}, "i2 is '1_0', which is not a printed number"),
        ({"prob": 95}, "between 0 and 1, e.g. 0.95; got 95"),
        ({"prob": True}, "between 0 and 1"),
    ],
)
def test_figures_that_cannot_have_been_printed_are_refused(figures, words):
    with pytest.raises(bm.DataError, match=words):
        bm.Published(measure="RR", **figures)


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(1, 50), st.integers(0, 50), st.integers(1, 50)),
        min_size=1,
        max_size=6,
    )
)
def test_every_table_either_is_refused_by_name_or_holds_possible_counts(rows):
    named = {f"T{i}": row for i, row in enumerate(rows)}
    impossible = [name for name, (a, n, c, m) in named.items() if a > n or c > m]
    if impossible:
        with pytest.raises(bm.DataError, match="exceeds"):
            binary(named)
    else:
        studies = binary(named)
        assert (studies.events_treatment <= studies.n_treatment).all()
        assert (studies.events_control <= studies.n_control).all()
