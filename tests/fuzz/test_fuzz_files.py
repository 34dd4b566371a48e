"""Two thousand files as people write them: read as they are meant, or refused in a sentence."""

import math

import pytest
from random_files import (
    NUMBERS,
    counted,
    held_to,
    random_table,
    random_workbook,
    read,
    spoiled_bytes,
)

import bayesmeta as bm

FILES, WORKBOOKS, BROKEN = 2000, 60, 500


def test_every_file_is_read_as_it_is_meant_or_refused(tmp_path):
    found, wrong = counted(range(FILES), tmp_path / "t.csv")
    assert not wrong, f"read otherwise: {[random_table(case).data for case in wrong[:3]]}"
    assert found["refused, as it should"] > FILES / 50  # those that no reader can read
    assert found["read"] > 0.9 * FILES
    assert not found["wrong, as it should"]


def test_every_workbook_is_read_as_it_is_meant():
    ends = [held_to(random_workbook(case)) for case in range(WORKBOOKS)]
    assert ends == ["read"] * WORKBOOKS


def test_broken_files_are_refused_or_read_and_nothing_else():
    refused = 0
    for case in range(BROKEN):
        try:
            names, rows = read(spoiled_bytes(case), numbers=NUMBERS if case % 2 else ())
        except bm.BayesmetaError as refusal:
            assert len(str(refusal)) > 15  # noqa: PT017 - one of two good ends
            refused += 1
        else:
            assert all(names)
            assert all(len(row) == len(names) for row in rows)
    assert 0.2 * BROKEN < refused < 0.9 * BROKEN


def test_broken_workbooks_are_refused_or_read_and_nothing_else():
    data = random_workbook(3).data
    for at in range(0, len(data), max(1, len(data) // 60)):
        for broken in (
            data[:at],
            data[:at] + b"\xff" + data[at + 1 :],
            data[:at] + data[at + 40 :],
        ):
            try:
                read(broken)
            except bm.BayesmetaError as refusal:
                assert len(str(refusal)) > 15  # noqa: PT017 - one of two good ends


@pytest.mark.parametrize("case", range(40))
def test_a_column_read_as_numbers_holds_what_its_text_says(case):
    written = random_table(case)
    try:
        names, rows = read(written.data)
    except bm.BayesmetaError:
        with pytest.raises(bm.BayesmetaError):
            read(written.data, numbers=NUMBERS)
        return
    others, again = read(written.data, numbers=NUMBERS)
    assert others == names
    for row, other in zip(rows, again, strict=True):
        for one, two in zip(row, other, strict=True):
            assert one == two or math.isclose(one, two, rel_tol=1e-15)
