"""A thousand malformed specifications: one clear sentence each, never a traceback."""

import json
import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import bayesmeta as bm
from bayesmeta.specification import (
    Outcome,
    PublishedFigure,
    Sampler,
    Scenario,
    Specification,
    parse_specification,
)

MODELS = Path(__file__).parents[2] / "models"
TEXTS = [(MODELS / name).read_text() for name in ("msc-covid19.toml", "bcg.toml")]
VALUES = st.one_of(
    st.sampled_from(
        ["1", "-1", "1e400", "nan", "true", '""', "[]", "{}", '"Normal(0, 2)"', '"Normal(0, -2)"',
         '"HalfNormal"', '"__import__(1)"', "1979-05-27", '"\\u0000"', "[[1]]", "'x'",
         "9" * 5000, "0.7", '"RR"', '"0.60"', "{ mu = 1 }", '["a", 1]', "inf", "[" * 500,
         "'''\n[[outcome]]\n'''", "07:32:00", "0x1F", "'Normal(\"\\d\", 1)'", "'Normal(1_0, 0x1)'"]
    ),
    st.text(max_size=12).map(lambda text: json.dumps(text, ensure_ascii=False)),
)  # fmt: skip


@st.composite
def garbled(draw):
    """One of the real files with a few lines dropped, doubled, cut or given another value."""
    lines = draw(st.sampled_from(TEXTS)).splitlines()
    for _ in range(draw(st.integers(1, 4))):
        i = draw(st.integers(0, len(lines) - 1))
        change = draw(st.sampled_from(["drop", "double", "cut", "value", "key", "swap", "noise"]))
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
        elif change == "swap":
            j = draw(st.integers(0, len(lines) - 1))
            lines[i], lines[j] = lines[j], line
        else:
            lines.insert(i, draw(st.text(max_size=20)))
    return "\n".join(lines)


@st.composite
def blocks(draw, block, heading):
    """One table with some of its keys, in any order, each with a value that may fit."""
    fits = {
        "name": '"a{}"', "title": '"T"', "label": '"L{}"', "better": '"lower"', "measure": '"RR"',
        "data": '"t.csv"', "kind": '"estimates"', "estimate": '"0.8"', "lower": '"0.6"',
        "upper": '"1.07"', "mu": '"Normal(0, 2)"', "tau": '"HalfNormal(0.5)"', "prob": "0.9",
        "seed": "1", "alone": "true", "n": "90", "draws": "500", "note": "'''\nname = 1\n'''",
    }  # fmt: skip
    must = {"name", "title", "label", "better"} & set(block.model_fields)
    keys = sorted(must | set(draw(st.lists(st.sampled_from([*block.model_fields]), max_size=4))))
    keys += draw(st.sampled_from([[]] * 16 + [["extra"], ["mu"], ["seed"], ["näme"]]))
    lines = [heading] if heading else []
    for key in draw(st.permutations(list(dict.fromkeys(keys)))):
        fit, luck = fits.get(key), draw(st.integers(0, 15))
        if key in ("outcome", "scenario", "published", "sampler") or (fit is None and luck < 12):
            continue
        value = fit.format(draw(st.integers(0, 999))) if fit and luck else draw(VALUES)
        lines.append(f"{json.dumps(key)} = {value}  # {draw(st.sampled_from(['x', '[[', '=']))}")
    return "\n".join(lines)


@st.composite
def built(draw):
    """A specification made of tables that nearly fit together."""
    parts = [draw(blocks(Specification, ""))]
    if draw(st.booleans()):
        parts.append(draw(blocks(Sampler, "[sampler]")))
    for _ in range(draw(st.integers(0, 3))):
        parts.append(draw(blocks(Outcome, "[[outcome]]")))
        for kind, block in (("scenario", Scenario), ("published", PublishedFigure)):
            heading = f"[[outcome.{kind}]]"
            parts += [draw(blocks(block, heading)) for _ in range(draw(st.integers(0, 2)))]
    return "\n\n".join(parts) + "\n"


def assert_read_or_refused(text):
    try:
        assert isinstance(parse_specification(text, name="made.toml"), Specification)
    except bm.SpecError as error:
        said = str(error)
        assert said.startswith("made.toml")
        assert "\n" not in said
        assert len(said) > 20
        assert_line_holds_the_key(said, text)


def assert_line_holds_the_key(said, text):
    """Check the line of an unknown key; a key that opens a table stands in its heading."""
    found = re.match(r"made\.toml, line (\d+): unknown key '(\w+)'", said)
    if found and "\\u" not in text:
        assert found[2] in text.split("\n")[int(found[1]) - 1]


@settings(max_examples=6 * settings().max_examples, deadline=None, derandomize=True)
@given(garbled())
def test_a_garbled_file_is_read_or_refused_in_one_sentence(text):
    assert_read_or_refused(text)


@settings(max_examples=4 * settings().max_examples, deadline=None, derandomize=True)
@given(built())
def test_tables_that_nearly_fit_are_read_or_refused_in_one_sentence(text):
    assert_read_or_refused(text)


@settings(max_examples=2 * settings().max_examples, deadline=None, derandomize=True)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_one_sentence(text):
    assert_read_or_refused(text)
