"""The loop itself: what the default tests leave to the deep ones, and where a room is tested."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RESULT = json.loads((ROOT / "benchmarks" / "results" / "covered.json").read_text())
ROOMS = {row["room"]: row for row in RESULT["rooms"]}
FIRST = {row["room"]: row for row in RESULT["first"]}
LEAST = 0.85  # of the lines that default and deep tests run together, the default ones run so many
SPEC = importlib.util.spec_from_file_location("quick", ROOT / "benchmarks" / "quick.py")
quick = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(quick)


def rooms():
    found = {path.name.removesuffix(".py") for path in (ROOT / "bayesmeta").iterdir()}
    return found - {"__pycache__", "py.typed"}


def test_the_table_of_lines_knows_every_room():
    assert set(ROOMS) == rooms()


@pytest.mark.parametrize("room", ROOMS)
def test_the_default_tests_run_most_of_what_all_tests_run(room):
    row = ROOMS[room]
    assert row["default"] >= LEAST * row["both"]


@pytest.mark.parametrize("room", ROOMS)
def test_all_tests_together_run_no_less_than_before(room):
    row, before = ROOMS[room], FIRST.get(room)
    if before is not None:
        assert row["both"] * before["lines"] >= before["both"] * row["lines"]


def test_every_room_can_be_tested_by_itself_and_every_file_of_tests_belongs_to_a_room():
    assert set(quick.ROOMS) == {one for one in rooms() if not re.fullmatch("__.*__", one)}
    named = {ROOT / name for room in quick.ROOMS for name in quick.paths(room)}
    assert all(path.exists() for path in named)
    of_the_house = {"test_architecture", "test_deliberate_errors", "test_loop", "test_sources"}
    for path in (ROOT / "tests").rglob("test_*.py"):
        assert path.stem in of_the_house or named & {path, *path.parents}, path


def test_every_change_that_makes_no_difference_has_a_reason_and_a_file_that_is_there():
    known = json.loads((ROOT / "benchmarks" / "equivalent.json").read_text())
    assert len({(one["file"], one["became"]) for one in known}) == len(known)
    for one in known:
        assert (ROOT / "bayesmeta" / one["file"]).exists(), one
        assert len(one["reason"].split()) > 3, one
