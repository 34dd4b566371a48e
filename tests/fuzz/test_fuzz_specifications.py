"""A thousand malformed specifications: one clear sentence each, never a traceback."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import bayesmeta as bm
from bayesmeta.specification import Specification, parse_specification

MODELS = Path(__file__).parents[2] / "models"
TEXTS = [(MODELS / name).read_text() for name in ("msc-covid19.toml", "bcg.toml")]
VALUES = st.sampled_from(
    ["1", "-1", "1e400", "nan", "true", '""', "[]", "{}", '"Normal(0, 2)"', '"Normal(0, -2)"',
     '"HalfNormal"', '"__import__(1)"', "1979-05-27", '"\\u0000"', "[[1]]", "'x'"]
)  # fmt: skip


@st.composite
def garbled(draw):
    """One of the real files with a few lines dropped, doubled, cut or given another value."""
    lines = draw(st.sampled_from(TEXTS)).splitlines()
    for _ in range(draw(st.integers(1, 4))):
        i = draw(st.integers(0, len(lines) - 1))
        change = draw(st.sampled_from(["drop", "double", "cut", "value", "key", "noise"]))
        line = lines[i]
        if change == "drop":
            del lines[i]
        elif change == "double":
            lines.insert(i, line)
        elif change == "cut":
            lines[i] = line[: draw(st.integers(0, len(line)))]
        elif change == "value" and "=" in line:
            lines[i] = f"{line.partition('=')[0]}= {draw(VALUES)}"
        elif change == "key" and "=" in line:
            lines[i] = "x" + line
        else:
            lines.insert(i, draw(st.text(max_size=20)))
    return "\n".join(lines)


def assert_read_or_refused(text):
    try:
        assert isinstance(parse_specification(text, name="made.toml"), Specification)
    except bm.SpecError as error:
        said = str(error)
        assert said.startswith("made.toml")
        assert "\n" not in said
        assert len(said) > 20


@settings(max_examples=700, deadline=None, derandomize=True)
@given(garbled())
def test_a_garbled_file_is_read_or_refused_in_one_sentence(text):
    assert_read_or_refused(text)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_one_sentence(text):
    assert_read_or_refused(text)
