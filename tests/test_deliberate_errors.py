"""The list of deliberate errors still fits the source; making them is benchmarks/'s affair."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location(
    "deliberate_errors", ROOT / "benchmarks" / "deliberate_errors.py"
)
errors = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(errors)
KINDS = ("sign", "Jacobian", "swap the arms", "tau for tau²", "mask", "forget the ½")


@pytest.mark.parametrize("one", errors.MISTAKES, ids=lambda one: one.name)
def test_each_error_can_be_made_in_one_place_and_names_a_test(one):
    source = (ROOT / "bayesmeta" / one.file).read_text()
    assert source.count(one.right) == 1
    assert one.wrong not in ("", one.right)
    compile(source.replace(one.right, one.wrong), one.file, "exec")
    file, test = one.test.split("::")
    name = test.split("[")[0]
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_every_kind_of_error_is_in_the_list_and_none_twice():
    names = [one.name for one in errors.MISTAKES]
    assert len(set(names)) == len(names) >= 12
    for kind in KINDS:
        assert any(kind in name for name in names)


def test_what_the_documentation_lists_is_what_is_tried():
    text = (ROOT / "docs" / "calibration.md").read_text()
    for one in errors.MISTAKES:
        assert f"| {one.row} | caught |" in text
