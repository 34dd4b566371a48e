"""Files as people have them into cells, and cells as they are printed into numbers."""

import io
import math
import re
import sys
import zipfile
from datetime import date, datetime
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bayesmeta as bm
from bayesmeta.sheets import (
    FIGURE,
    is_missing_word,
    plain_numbers,
    read_number,
    read_printed,
    read_sheet,
)
from bayesmeta.sheets.figures.words import figure
from bayesmeta.ways import COMMAND, speaking

CASES = Path(__file__).parent / "cases"
ARMS = ["study", "events_treatment", "n_treatment", "events_control", "n_control"]
COUNTS = {*ARMS[1:], "events", "n"}
NUMBERS = {
    *("y", "se", "p", "estimate", "lower", "upper", *COUNTS),
    *(f"{what}_{arm}" for what in ("mean", "sd") for arm in ("treatment", "control")),
}


@pytest.fixture
def file(tmp_path):
    """Write a file and give its path."""

    def write(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def cells(sheet) -> dict[str, list[object]]:
    """The frame with None where a cell is missing."""
    columns = sheet.frame.to_dict("list")
    return {
        name: [None if pd.isna(one) else one for one in column] for name, column in columns.items()
    }


def numbers(frame: pd.DataFrame, **how) -> tuple[dict[str, list[object]], tuple[str, ...]]:
    """What `plain_numbers` makes of a frame, None where missing, and what it says."""
    made, said = plain_numbers(frame, NUMBERS, texts={"study"}, whole=COUNTS, **how)
    columns = made.to_dict("list")
    return {k: [None if pd.isna(one) else one for one in v] for k, v in columns.items()}, said


def book(*rows, title: str = "Sheet", **others) -> bytes:
    """A workbook of one sheet, and of others by their names."""
    made = openpyxl.Workbook()
    made.active.title = title
    for row in rows:
        made.active.append(row)
    for name, lines in others.items():
        sheet = made.create_sheet(name)
        for row in lines:
            sheet.append(row)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


# Cases that people asked about in public.

CASE_CELLS = {
    "c01-double-zero.csv": (
        {"study": [f"Trial {x}" for x in "ABCDE"], "events_control": ["0", "3", "2", "6", "0"]},
        (),
    ),
    "c04-semicolon-decimal-comma.csv": (
        {
            "study": ["Alpha", "Beta", "Gamma"],
            "y": ["0.435", "1.286", "0.118"],
            "se": ["0.120", "0.310", "0.095"],
        },
        ("semicolons between columns", "decimal commas"),
    ),
    "c04b-semicolon-counts.csv": (
        {"study": ["Alpha", "Beta"], "n_control": ["41", "31"]},
        ("semicolons between columns",),
    ),
    "c04c-quoted-decimal-comma.csv": (
        {"y": ["0.435", "1.286", "0.118"], "se": ["0.120", "0.310", "0.095"]},
        ("decimal commas",),
    ),
    "c18f-bom-crlf.csv": ({"study": ["A", "B"], "n_control": ["40", "50"]}, ()),
    "c18g-latin1.csv": ({"study": ["Müller", "B"]}, ("Windows-1252 letters",)),
    "c18n-title-line.csv": (
        {"study": ["A", "B"], "n_control": ["40", "50"]},
        ("1 line above the header left out: 'Table 2. Deaths by arm'",),
    ),
    "c18o-excel.xlsx": ({"study": ["A", "B"], "events_treatment": ["12", "5"]}, ()),
    "c10-sd-zero.csv": (
        {"mean_control": ["1.667", "2", "2"]},
        ("points in mean_control read as decimal points, as in mean_treatment",),
    ),
    "c11-missing-sd.csv": (
        {"mean_treatment": ["45.1", "38.0", "51.6", "46.2", None]},
        (
            "n.r. taken as missing in mean_treatment (W5), sd_treatment (W5)",
            "NA taken as missing in sd_treatment (W2), sd_control (W2)",
        ),
    ),
    "c34-p-values.csv": ({"p": ["0.03", "<0.05", "NS"]}, ()),
}


@pytest.mark.parametrize("name", CASE_CELLS)
def test_public_cases_are_read_with_their_values(name):
    sheet = read_sheet(CASES / name)
    found, said = numbers(sheet.frame, decimal=sheet.decimal)
    right, provenance = CASE_CELLS[name]
    assert {column: found[column] for column in right} == right
    assert (*sheet.said, *said) == provenance
    if name.startswith("c18"):
        assert list(found) == ARMS


@pytest.mark.parametrize("name", [one for one in CASE_CELLS if one.endswith("csv")])
def test_public_cases_have_the_same_numbers_where_their_print_is_not_needed(name):
    sheet = read_sheet(CASES / name, numbers=NUMBERS)
    found, _ = numbers(sheet.frame)
    for column, right in CASE_CELLS[name][0].items():
        if column in NUMBERS:
            values = [read_number(cell) if cell is not None else None for cell in found[column]]
            assert values == [read_number(cell) if cell is not None else None for cell in right]


# Separators.


@pytest.mark.parametrize(
    ("content", "right", "said"),
    [
        ("study;y\nA;0,4\n", {"study": ["A"], "y": ["0,4"]}, "semicolons"),
        ("study\ty\nSmith, J\t0,4\n", {"study": ["Smith, J"], "y": ["0,4"]}, "tabs"),
        ("study|y|note\nA|1|x;y\n", {"study": ["A"], "y": ["1"], "note": ["x;y"]}, "bars"),
        ("study,y,note\nA,1,x; y\nB,2,z; w\n", {"study": ["A", "B"], "note": ["x; y", "z; w"]}, ""),
        ("study,y,note\nA,1,x;y\nB,2,z;w\n", {"study": ["A", "B"], "note": ["x;y", "z;w"]}, ""),
        ('study;"mean, sd"\nA;0,4\n', {"study": ["A"], "mean, sd": ["0,4"]}, "semicolons"),
        ("study;mean, treated;se\nA;0,4;0,1\n", {"mean, treated": ["0,4"]}, "semicolons"),
        ('"study";"events,treatment"\n"A";1\n', {"events,treatment": ["1"]}, "semicolons"),
        ("sep=;\nstudy;y\nA;1\n", {"study": ["A"], "y": ["1"]}, "semicolons"),
        (
            "Table 2, deaths\nstudy;y;se\nA;0,4;0,1\nB;1,2;0,1\n",
            {"y": ["0,4", "1,2"]},
            "semicolons",
        ),
        (
            "Deaths, all;\nstudy;n\nSmith, J;467\n",
            {"study": ["Smith, J"], "n": ["467"]},
            "semicolons",
        ),
        ("Autor;Wert\nA;0,435\n", {"Autor": ["A"], "Wert": ["0,435"]}, "semicolons"),
    ],
)
def test_separator_is_the_one_that_makes_a_table(file, content, right, said):
    sheet = read_sheet(file(content))
    found = cells(sheet)
    assert {name: found[name] for name in right} == right
    assert (f"{said} between columns" in sheet.said) is bool(said)


@pytest.mark.parametrize(
    ("content", "readings"),
    [
        ("study;y,se\nA;1,2\n", ("study;y | se", "study | y,se")),
        ("a,b;c,d\n1,2;3,4\n", ("a | b;c | d", "a,b | c,d")),
        ("study, y; se\nA, 1; 2\n", ("study | y; se", "study, y | se")),
    ],
)
def test_table_of_two_readings_is_refused_with_both(file, content, readings):
    with pytest.raises(
        bm.DataError, match=r"can be read with commas .*, or with semicolons"
    ) as caught:
        read_sheet(file(content))
    assert all(reading in str(caught.value) for reading in readings)
    assert "in quotes" in str(caught.value)


# Encodings.


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", ()),
        ("utf-8-sig", ()),
        ("utf-16", ("UTF-16",)),
        ("utf-16-le", ("UTF-16",)),
        ("utf-16-be", ("UTF-16",)),
        ("cp1252", ("Windows-1252 letters",)),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_letters_and_line_ends_of_any_program_are_read(file, encoding, said, end):
    text = end.join(["study,y,note", "Müller – “x”,−1 €".replace("−", "-"), "B,2", ""])
    sheet = read_sheet(file(text.encode(encoding)))
    assert cells(sheet) == {"study": ["Müller – “x”", "B"], "y": ["-1 €", "2"]} | {
        "note": [None, None]
    }
    assert sheet.said == said


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"study,y\nA\x00,1\n", "is not a table: it is no text"),
        (b"study,y\nM\x81ller,1\n", "letters in line 2 that are neither UTF-8 nor Windows-1252"),
        ("study,y\nÜ,1\n".encode() + b"\xfc,2\n", "is in UTF-8 but for line 3"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"an old Excel file \(\.xls\).*as \.xlsx or CSV"),
        (b"%PDF-1.7\n", "is a PDF; save the table"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"<html><table>", "is a web page"),
        (b"\xff\xfe\x00", "no text"),
    ],
)
def test_file_that_is_no_text_is_refused_with_what_to_save(file, data, words):
    with pytest.raises(bm.DataError, match=words):
        read_sheet(file(data))


def test_zip_that_is_no_workbook_is_refused(file):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("t.csv", "study,y\nA,1\n")
    with pytest.raises(bm.DataError, match=r"zip archive and no Excel workbook .*\.xlsx or CSV"):
        read_sheet(file(buffer.getvalue(), "t.xlsx"))


# Headers.


@pytest.mark.parametrize(
    ("above", "said"),
    [
        ("Table 2\n", "1 line above the header left out: 'Table 2'"),
        (
            "Table 2,,\n\nmade by hand\n\n",
            "2 lines above the header left out: 'Table 2', 'made by hand'",
        ),
        ("Table 2. Deaths, by arm\n", "1 line above the header left out: 'Table 2. Deaths by arm'"),
        ("a\nb\nc\nd\n", "4 lines above the header left out: 'a', 'b', 'c' and 1 more"),
    ],
)
def test_lines_above_the_header_are_left_out_and_said(file, above, said):
    sheet = read_sheet(file(f"{above}study,y,se\nA,1,2\n"))
    assert cells(sheet) == {"study": ["A"], "y": ["1"], "se": ["2"]}
    assert sheet.said == (said,)


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("study,,\nA,x,y\n", ["study", "column 2", "column 3"]),
        ("A,1,2\nB,3,4\n", ["A", "1", "2"]),
        ("Autor,blinded,random\nSmith,y,n\nJones,n,n\n", ["Autor", "blinded", "random"]),
        ("study,design\nSmith,mean\nJones,median\n", ["study", "design"]),
        (",y,se\nA,1,2\n", ["column 1", "y", "se"]),
        (",study,y\n,A,1\n", ["study", "y"]),
    ],
)
def test_first_row_stays_the_header_and_no_row_is_lost(file, content, columns):
    sheet = read_sheet(file(content))
    assert list(sheet.frame) == columns
    assert len(sheet.frame) == content.count("\n") - 1
    assert sheet.said == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            "study,y\nA,1\n\nB,2,3\n",
            r"3 cells in line 4 where its header \(line 1\) has 2; put a cell with a comma",
        ),
        (
            "Title\nstudy;y\nA;1;2\n",
            r"3 cells in line 3 where its header \(line 2\) has 2; .* semicolon",
        ),
        ("study\nA,1\n", r"2 cells in line 2 where its header \(line 1\) has 1"),
        ("study,y,y\nA,1,2\n", r"more than one column 'y'.*columns 2 and 3"),
        ("study,column 1,\nA,1,2\n,,\n", None),
    ],
)
def test_row_or_header_that_does_not_fit_is_refused_by_its_place(file, content, words):
    if words is None:
        assert list(read_sheet(file(content)).frame) == ["study", "column 1", "column 3"]
        return
    with pytest.raises(bm.DataError, match=words):
        read_sheet(file(content))


# Quotes.


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('study,y,se\nA,1,2\n"B,1,2\nC,3,4\n', 3),
        ('study,y,se\n"A,1,2\nB",3,4\n', 2),
        ('study,y,se\nA,1,"2\nB,3,4"\nC,1,2\n', 2),
        ('study;y\n"A;1\nB;2"\n', 2),
    ],
)
def test_quote_that_swallows_a_row_is_refused_by_its_line(file, content, line):
    for how in ({}, {"numbers": NUMBERS}):
        with pytest.raises(bm.DataError, match=f"a quote in line {line} that is not closed there"):
            read_sheet(file(content), **how)


def test_quoted_cells_hold_separators_quotes_and_wrapped_words(file):
    sheet = read_sheet(file('study,"Events\ntreatment"\n"the ""A"", 1",3\n"B" , "4"\n5" C,6\n'))
    assert cells(sheet) == {
        "study": ['the "A", 1', "B", '5" C'],
        "Events treatment": ["3", "4", "6"],
    }


def test_text_after_a_closing_quote_is_refused(file):
    with pytest.raises(bm.DataError, match="text after a closing quote in line 2, 'x,1'"):
        read_sheet(file('study,y\n"A"x,1\n'))


# Text is text.

WORDS = ["NA", "None", "null", "nan", "n/a", "True", "1_0", "N/A", "-"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("how", [{}, {"numbers": {"y"}}])
def test_words_for_nothing_stay_text_and_blank_is_missing(file, separator, how):
    rows = [f"{word}{separator}{i}.5{separator}{word}" for i, word in enumerate(WORDS)]
    content = "\n".join(
        [separator.join(["study", "y", "region"]), *rows, f"Z{separator}1{separator}"]
    )
    found = cells(read_sheet(file(content), **how))
    assert found["study"] == [*WORDS, "Z"]
    assert found["region"] == [*WORDS, None]


@pytest.mark.parametrize("word", ["NA", "nan", "None", "true", "1_0", "inf", "1e999", "0x1"])
def test_column_of_numbers_with_a_word_in_it_is_no_column_of_floats(file, word):
    found = cells(read_sheet(file(f"study,y\nA,1\nB,{word}\n"), numbers={"y"}))
    assert found["y"] == ["1", word]


@pytest.mark.parametrize(
    "content",
    [
        "study,n,y\nA,2.150,0.4\nB,350,0.5\n",
        "study,n,y\nA,2.000,0.4\nB,350,0.5\n",
        "study;n;y\nA;2,150;0,4\nB;350;0,5\n",
        "study;n;y\nA;2,000;0,4\nB;350;0,5\n",
        "study;n;y\nA;2.150;0,4\nB;350;0,5\n",
    ],
)
def test_column_with_a_mark_of_two_readings_is_no_column_of_floats(file, content):
    frame = read_sheet(file(content), numbers={"n", "y"}).frame
    assert frame["n"].tolist()[1] == "350"
    assert frame.equals(read_sheet(file(content)).frame)


def test_decimal_commas_read_at_once_are_said(file):
    sheet = read_sheet(file("study;y;n\nSmith, J;0,435;12\nB;1,286;13\n"), numbers={"y", "n"})
    assert sheet.frame["y"].tolist() == [0.435, 1.286]
    assert sheet.said == ("semicolons between columns", "decimal commas")
    plain = read_sheet(file("study;y\nSmith, J;0.435\nB;12\n"), numbers={"y"})
    assert plain.frame["y"].tolist() == [0.435, 12]
    assert plain.said == ("semicolons between columns",)


# Where files are.


def test_standard_input_is_a_file(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"study;y\nA;1\n")))
    sheet = read_sheet("-")
    assert (sheet.name, cells(sheet)) == ("standard input", {"study": ["A"], "y": ["1"]})


def test_workbook_and_parquet_come_by_standard_input_too(monkeypatch):
    buffer = io.BytesIO()
    pd.DataFrame({"study": ["A"]}).to_parquet(buffer)
    for data in (book(["study"], ["A"]), buffer.getvalue()):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert cells(read_sheet("-")) == {"study": ["A"]}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no.csv", "No such file"),
        (".", "Is a directory"),
        ("a\0b", "null byte"),
        ("x" * 300, "too long"),
    ],
)
def test_file_that_is_not_there_is_refused(tmp_path, name, words):
    with pytest.raises(bm.FileError, match=f"cannot be read: .*{words}"):
        read_sheet(tmp_path / name)


# Workbooks.


def test_cells_of_a_workbook_are_text_as_excel_shows_numbers(file):
    rows = (
        ["Table 2. Deaths", None, None],
        [],
        ["study", "events\ntreatment", "y"],
        ["A", 12.0, 0.1 + 0.2],
        [datetime(2026, 2, 1), "n.r.", 1e-7],
        [True, 5, " 45.123 "],
        ["B", date(2020, 1, 2), 45.123],
    )
    sheet = read_sheet(file(book(*rows), "t.xlsx"))
    assert cells(sheet) == {
        "study": ["A", "2026-02-01", "TRUE", "B"],
        "events treatment": ["12", "n.r.", "5", "2020-01-02"],
        "y": ["0.3", "1e-07", "45.123", "45.123"],
    }
    assert sheet.said == (
        "1 row above the header left out: 'Table 2. Deaths'",
        "dates, which Excel also makes of entries such as 1-2: A5 2026-02-01, B7 2020-01-02",
    )


def test_number_of_a_workbook_has_one_reading(file):
    sheet = read_sheet(file(book(["study", "y"], ["A", 45.123], ["B", 2.15]), "t.xlsx"))
    assert numbers(sheet.frame, decimal=sheet.decimal) == (
        {"study": ["A", "B"], "y": ["45.123", "2.15"]},
        (),
    )
    alone = read_sheet(file(book(["study", "y"], ["A", 45.123]), "t.xlsx"))
    assert numbers(alone.frame, decimal=alone.decimal)[0]["y"] == ["45.123"]


def test_the_only_sheet_with_cells_is_read_and_said(file):
    data = book(["study"], ["A"], title="Deaths", empty=[])
    assert read_sheet(file(data, "t.xlsx")).said == ("sheet 'Deaths' of 2",)
    made = openpyxl.load_workbook(
        io.BytesIO(book(["study"], ["A"], title="Deaths", old=[["x"], [1]]))
    )
    made["old"].sheet_state = "hidden"
    buffer = io.BytesIO()
    made.save(buffer)
    hidden = file(buffer.getvalue(), "t.xlsx")
    assert cells(read_sheet(hidden)) == {"study": ["A"]}
    assert cells(read_sheet(hidden, sheet="old")) == {"x": ["1"]}


def test_one_of_several_sheets_is_asked_for_by_its_name(file):
    path = file(book(["study"], ["A"], title="Deaths", Strokes=[["study"], ["B"]]), "t.xlsx")
    with pytest.raises(
        bm.DataError, match=r"2 sheets with cells, 'Deaths', 'Strokes'; .*sheet='Deaths'"
    ):
        read_sheet(path)
    with speaking(COMMAND), pytest.raises(bm.DataError, match=r'e\.g\. --sheet "Deaths"'):
        read_sheet(path)
    assert cells(read_sheet(path, sheet="Strokes")) == {"study": ["B"]}
    assert read_sheet(path, sheet="strokes ").said == ("sheet 'Strokes' of 2",)
    with pytest.raises(bm.DataError, match="no sheet 'Falls'; it has 'Deaths', 'Strokes'"):
        read_sheet(path, sheet="Falls")
    with pytest.raises(bm.DataError, match="is not an Excel workbook and has no sheets"):
        read_sheet(file("study,y\nA,1\n"), sheet="Deaths")


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (
            "=1+1",
            r"=1\+1 in cell B2 of sheet 'Sheet' and no value stored for it; open the workbook",
        ),
        ("#N/A", "#N/A in cell B2 of sheet 'Sheet', which Excel could not calculate"),
        ("#DIV/0!", "#DIV/0! in cell B2"),
    ],
)
def test_cell_without_a_value_is_refused_by_its_place(file, cell, words):
    with pytest.raises(bm.DataError, match=words):
        read_sheet(file(book(["study", "y"], ["A", cell], ["B", 1]), "t.xlsx"))


def test_formula_with_a_stored_value_is_its_value(file):
    buffer = io.BytesIO()
    made = io.BytesIO(book(["study", "y"], ["A", "=1+1"], ["B", '=""']))
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(buffer, "w") as new:
        for part in old.namelist():
            data = old.read(part)
            if part.endswith("sheet1.xml"):
                data = re.sub(rb"<f>1\+1</f><v ?(/>|></v>)", b"<f>1+1</f><v>2</v>", data)
                data = data.replace(b'<c r="B3"', b'<c r="B3" t="str"')
            new.writestr(part, data)
    assert cells(read_sheet(file(buffer.getvalue(), "t.xlsx"))) == {
        "study": ["A", "B"],
        "y": ["2", None],
    }


def test_empty_or_broken_workbook_is_refused(file):
    with pytest.raises(bm.DataError, match="is empty; it needs a header"):
        read_sheet(file(book(), "t.xlsx"))
    with pytest.raises(bm.DataError, match="is a broken Excel workbook; open it and save it again"):
        read_sheet(file(book(["study"], ["A"])[:-200], "t.xlsx"))


# Parquet.


def test_parquet_gives_text_and_the_numbers_asked_for_as_they_are(file):
    table = pa.table(
        {
            "study": pa.array(["A", "NA", " B  c"]).dictionary_encode(),
            "y": pa.array([0.1, 2.0, None]),
            "w": pa.array([0.1, 2.5, None], pa.float32()),
            "n": [1, 2, None],
            "flag": [True, None, False],
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    path = file(buffer.getvalue(), "t.parquet")
    sheet = read_sheet(path)
    assert cells(sheet) == {
        "study": ["A", "NA", "B c"],
        "y": ["0.1", "2", None],
        "w": ["0.1", "2.5", None],
        "n": ["1", "2", None],
        "flag": ["TRUE", None, "FALSE"],
    }
    asked = read_sheet(path, numbers={"y", "study"}).frame
    assert asked["y"].dtype == np.float64
    assert asked["study"].tolist() == ["A", "NA", "B c"]


@pytest.mark.parametrize("data", [b"PAR1", b"PAR1 no table PAR1", b""])
def test_what_is_no_parquet_is_refused(file, data):
    with pytest.raises(bm.DataError, match="is not a Parquet file"):
        read_sheet(file(data, "t.parquet"))


# Numbers as printed.


@pytest.mark.parametrize(
    ("cell", "right"),
    [
        ("−0.43", "-0.43"),
        ("–1.2", "-1.2"),
        ("‐3", "-3"),
        ("- 0.5", "-0.5"),
        ("+3,5", "3.5"),
        ("0·43", "0.43"),
        ("−0·430", "-0.430"),
        ("0,435", "0.435"),
        ("12,50", "12.50"),
        (",5", ".5"),
        ("0,123", "0.123"),
        ("1234,567", "1234.567"),
        ("2,1505", "2.1505"),
        ("1 234", "1234"),
        ("1\u00a0234\u2009567", "1234567"),
        ("1 234,5", "1234.5"),
        ("1 234,567", "1234.567"),
        ("1'234", "1234"),
        ("1’234.50", "1234.50"),
        ("1,234,567", "1234567"),
        ("1.234,5", "1234.5"),
        ("1,234.5", "1234.5"),
        ("1.234.567,8", "1234567.8"),
        ("-1,234.567", "-1234.567"),
        ("1,5e−3", "1.5e-3"),
        ("1,234e2", "1.234e2"),
        ("< 0·001", "<0.001"),
        ("≤ 0,05", "≤0.05"),
        (">= 12,5", ">=12.5"),
    ],
)
def test_printed_number_is_written_as_every_program_reads_it(cell, right):
    found, _ = numbers(pd.DataFrame({"study": ["A"], "y": [cell]}))
    assert found["y"] == [right]


@pytest.mark.parametrize(
    "cell",
    [
        *("12 34", "1 23", "0 123", "1,23,456", "1.234.5", "1,2,3", "0,123,456", "1'23", "5–11"),
        *(
            "9/52",
            "9 (17%)",
            "17%",
            "1_0",
            "True",
            "NS",
            "- -1",
            "1e",
            "e5",
            "5,",
            "1.2 3",
            "٣",
            "½",
        ),
        *("--1", "1 234 56", "1,234'567", "p=0.03", "=1+1", "1.234·5", "12.", "0.120", "1e5", ".5"),
    ],
)
def test_other_cells_of_a_column_of_numbers_stay_as_they_are(cell):
    frame = pd.DataFrame({"study": ["A"], "y": [cell]})
    made, said = plain_numbers(frame, {"y"})
    assert made is frame
    assert said == ()


@pytest.mark.parametrize(
    ("column", "right"),
    [
        (["2,150", "0,435"], ["2.150", "0.435"]),
        (["2,150", "12,5"], ["2.150", "12.5"]),
        (["2,150", "1.234,5"], ["2.150", "1234.5"]),
        (["2,150", "1,234,567"], ["2150", "1234567"]),
        (["2,150", "2.15"], ["2150", "2.15"]),
        (["2,150", "0·43"], ["2150", "0.43"]),
        (["2.150", "0.4"], ["2.150", "0.4"]),
        (["2.150", "12,5"], ["2150", "12.5"]),
        (["2.150", "1.234.567"], ["2150", "1234567"]),
        (["2.150", "1,234.5"], ["2.150", "1234.5"]),
        (["−2.150", "1,234,567"], ["-2.150", "1234567"]),
        (["2,150", "1.234"], None),
        (["2,150", "350"], None),
        (["2.150", "350"], None),
        (["2,150", 0.5], None),
        (["2,150", "1 234"], None),
        (["<2,150"], None),
    ],
)
def test_mark_before_three_digits_is_decided_by_its_column_or_refused(column, right):
    frame = pd.DataFrame(
        {"study": [f"S{i}" for i in range(len(column))], "y": pd.Series(column, dtype=object)}
    )
    if right is not None:
        assert numbers(frame)[0]["y"] == right
        return
    with pytest.raises(bm.DataError, match=r"^y is '<?2.150' in S0 \(row 1\)") as caught:
        numbers(frame)
    bound = "<" if column[0].startswith("<") else ""
    assert f"which is {bound}2150 or {bound}2.150" in str(caught.value)
    assert f"write {bound}2150 or {bound}2.1500, or say which mark" in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "right", "said"),
    [
        ({"y": ["2.150"], "se": ["0.1"]}, "2.150", "points in y read as decimal points, as in se"),
        ({"y": ["2,150"], "se": ["0,1"]}, "2.150", "commas in y read as decimal commas, as in se"),
        (
            {"y": ["2.150"], "se": ["0,1"]},
            "2150",
            "points in y read as marks between thousands, as se has decimal commas",
        ),
        (
            {"y": ["2,150"], "dose": ["0.1"]},
            "2150",
            "commas in y read as marks between thousands, as dose has decimal points",
        ),
        ({"y": ["2,150"], "se": ["0,1"], "p": ["0.1"]}, None, ""),
        ({"y": ["2,150"], "study": ["0,1"]}, None, ""),
        ({"y": ["2,150"], "dose": ["0,1 mg"]}, None, ""),
        ({"y": ["2,150"], "se": [0.1]}, None, ""),
    ],
)
def test_other_columns_decide_where_they_show_one_decimal_mark(columns, right, said):
    frame = pd.DataFrame(columns)
    if right is None:
        with pytest.raises(bm.DataError, match=r"is 2150 or 2\.150"):
            numbers(frame)
        return
    made, provenance = numbers(frame)
    assert made["y"] == [right]
    assert said in provenance


@pytest.mark.parametrize(
    ("columns", "right"),
    [
        ({"n": ["2,150", "350"]}, ["2150", "350"]),
        ({"n": ["2,150", "350"], "y": ["0.5", "0.6"]}, ["2150", "350"]),
        ({"n": ["2,150", "1,000", "60"]}, ["2150", "1000", "60"]),
        ({"n": ["2,150", "350"], "y": ["0,5", "0,6"]}, None),  # decimal commas in the same table
        ({"n": ["2.150", "350"]}, None),  # may be an effective count
        ({"n": ["85,714", "60"]}, None),  # a thousand times as many
        ({"n": ["2,000", "350"]}, None),
        ({"n": ["2,150", "1,200"]}, None),
    ],
)
def test_commas_in_counts_are_thousands_beside_plain_counts(columns, right):
    frame = pd.DataFrame(columns)
    if right is None:
        with pytest.raises(bm.DataError, match=r"n is .* or .* and the table does not tell which"):
            numbers(frame)
        return
    made, said = numbers(frame)
    assert made["n"] == right
    assert said == ("commas between thousands in n",)


@pytest.mark.parametrize(
    "column", [["1.5", "0,4"], ["1,234,567", "1,5"], ["1.234,5", "1,234.5"], ["0·4", "0,4"]]
)
def test_cells_of_a_column_that_contradict_each_other_are_refused_with_both(column):
    with pytest.raises(bm.DataError, match="write both alike") as caught:
        numbers(pd.DataFrame({"study": ["A", "B"], "y": column}))
    assert all(repr(cell) in str(caught.value) for cell in column)
    assert "A (row 1)" in str(caught.value)
    assert "B (row 2)" in str(caught.value)


def test_what_was_decided_is_said_once_of_each_kind():
    frame = pd.DataFrame(
        {
            "study": ["A", "B"],
            "y": ["1.234,5", "−0,4"],
            "se": ["0,1", "0,2"],
            "n_treatment": ["1 200", "40"],
            "p": ["0,04", "n.r."],
        }
    )
    assert numbers(frame)[1] == (
        "decimal commas",
        "points between thousands in y",
        "blanks between thousands in n_treatment",
        "n.r. taken as missing in p (B)",
    )


def test_canonical_frame_comes_back_itself_and_nothing_is_said():
    frame = pd.DataFrame(
        {
            "study": ["A", "2,150"],
            "y": ["-0.435", "1e-3"],
            "se": [0.1, 0.2],
            "n": [5, 6],
            "dose": ["1", "x"],
        }
    )
    made, said = plain_numbers(frame, NUMBERS, texts={"study"}, whole=COUNTS)
    assert made is frame
    assert said == ()


def test_frame_that_is_rewritten_leaves_the_one_given_alone():
    frame = pd.DataFrame({"study": ["A"], "y": ["0,4"]}, index=[7])
    made, _ = plain_numbers(frame, {"y"})
    assert (made["y"].tolist(), made.index.tolist()) == (["0.4"], [7])
    assert frame["y"].tolist() == ["0,4"]


def test_texts_are_never_touched_and_covariates_only_where_all_cells_are_numbers():
    frame = pd.DataFrame(
        {
            "study": ["1,5", "2,5"],
            "dose": ["1,5", "2,5"],
            "mixed": ["1,5", "high"],
            "grade": ["2,150", "1,300"],
            "both": ["1.5", "1,5"],
            "word": ["NA", "1,5"],
        }
    )
    made, said = plain_numbers(frame, {"y"}, texts={"study"})
    assert made["dose"].tolist() == ["1.5", "2.5"]
    assert made.drop(columns="dose").equals(frame.drop(columns="dose"))
    assert said == ("decimal commas",)


def test_cells_that_are_no_strings_stay_what_they_are():
    cell = [1]
    frame = pd.DataFrame({"y": pd.Series(["0,5", 2.150, None, True, cell, np.nan], dtype=object)})
    made, _ = plain_numbers(frame, {"y"})
    found = made["y"].tolist()
    assert found[:2] == ["0.5", 2.150]
    assert found[2] is None
    assert found[3] is True
    assert found[4] is cell
    assert math.isnan(found[5])


def test_columns_of_one_name_are_each_read():
    frame = pd.DataFrame([["A", "0,5", "0,6"]], columns=["study", "y", "y"])
    made, _ = plain_numbers(frame, {"y"})
    assert made.to_numpy().tolist() == [["A", "0.5", "0.6"]]


# Missing words.


@pytest.mark.parametrize(
    "word",
    [
        "n.r.",
        "NR",
        "n.a.",
        "NA",
        "N/A",
        "nan",
        "null",
        "NULL",
        "None",
        "Not  reported",
        "-",
        "–",
        "—",
        ".",
        "…",
        "?",
        "unknown",
        "nd",
        "n.d.",
        "NE",
        "not estimable",
    ],
)
def test_words_for_nothing_are_missing_in_numbers_by_name(word):
    assert is_missing_word(word)
    made, said = numbers(pd.DataFrame({"study": [word, "B"], "y": [word, "0.5"]}))
    assert made == {"study": [word, "B"], "y": [None, "0.5"]}
    assert said == (f"{word} taken as missing in y ({word})",)


@pytest.mark.parametrize("word", ["0", "", "NS", "1", "no", "x"])
def test_other_words_are_not_missing(word):
    assert not is_missing_word(word)


def test_five_rows_are_named_and_the_others_counted():
    frame = pd.DataFrame({"study": [f"S{i}" for i in range(8)], "y": ["NR"] * 7 + ["1"]})
    assert numbers(frame)[1] == ("NR taken as missing in y (S0, S1, S2, S3, S4 and 2 more)",)
    assert numbers(frame.drop(columns="study"))[1][0].endswith(
        "(row 1, row 2, row 3, row 4, row 5 and 2 more)"
    )


# The reader of one number.


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("0.5", 0.5),
        (" -3 ", -3),
        ("1e5", 1e5),
        (".5", 0.5),
        ("٣", 3),
        (4, 4),
        (np.float32(0.5), 0.5),
        (np.int8(3), 3),
    ],
)
def test_cell_that_is_a_number_is_read(cell, number):
    assert read_number(cell) == number


@pytest.mark.parametrize(
    "cell",
    [
        "1_0",
        "True",
        True,
        False,
        np.True_,
        "nan",
        "inf",
        "-Infinity",
        "1e999",
        "",
        "NA",
        None,
        [1],
        1j,
        "0,5",
        10**400,
        b"1",
    ],
)
def test_cell_that_is_no_number_is_none(cell):
    assert read_number(cell) is None


def test_single_cells_and_parts_of_cells_are_read_by_one_reader():
    for text in ("1.234,50", "1’234.5", "−0∙43", "12 598", "—2"):
        assert re.fullmatch(FIGURE, text)
        assert figure(text) == read_printed(text).text()
    assert figure("2,150") is None
    assert read_printed("2,150").twofold
