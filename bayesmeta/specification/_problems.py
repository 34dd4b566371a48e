"""What pydantic finds wrong, in one sentence with its line."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError

from ..ways import shown
from ._lines import line_of
from ._mu import PRIOR, TABLE, Mu, Tau
from ._outcome import Outcome
from ._parts import PublishedFigure, Scenario
from ._whole import Reporting, Sampler, Specification

_BLOCKS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): Specification,
    ("sampler",): Sampler,
    ("reporting",): Reporting,
    ("outcome",): Outcome,
    ("outcome", "mu"): Mu,
    ("outcome", "tau"): Tau,
    ("outcome", "scenario"): Scenario,
    ("outcome", "published"): PublishedFigure,
}

_WORDS = {
    "string_type": "must be text in quotes",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must be lower-case letters, digits and hyphens, e.g. 'mortality'",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false, without quotes",
    "path_type": "must be a file name in quotes",
    "dict_type": "must be a table of keys and values in braces",
    "model_type": "must be a table of keys and values",
    "list_type": "must be a list in brackets",
}

_NO_KEYS = ("[key]", PRIOR, TABLE)
_SHOULD = re.compile("^(Input|List) should")


def sentence(error: ValidationError, text: str, name: str) -> str:
    """One sentence for the first problem, with its line; a misspelt key explains a missing one."""
    problems = error.errors(include_url=False)
    first = next((one for one in problems if one["type"] == "extra_forbidden"), problems[0])
    line = line_of(text, [part for part in first["loc"] if part not in _NO_KEYS])
    place = f"{name}, line {line}" if line else name
    more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{place}: {_explain(dict(first), first['loc'])}{more}"


def _explain(problem: Mapping[str, object], where: tuple[int | str, ...]) -> str:
    kind, message = str(problem["type"]), str(problem["msg"])
    named = [part for part in where if isinstance(part, str) and part not in _NO_KEYS]
    key, tables = (named[-1], tuple(named[:-1])) if named else ("", ())
    if kind == "extra_forbidden":
        return _unknown(key, tables, list(_BLOCKS[tables].model_fields))
    if where[-1:] == ("[key]",):
        return _unknown(key, tables, re.findall(r"'(\w+)'", message))
    if kind == "missing":
        return f"key {shown(key)} is missing{_in_table(tables)}."
    if kind == "value_error":
        whole = not where or isinstance(where[-1], int)
        said = message.removeprefix("Value error, ").rstrip(".")
        return f"{said}." if whole else f"{key}: {said}."
    if (key, kind) == ("outcome", "list_type"):
        return "outcome must be a list: write [[outcome]], with two brackets."
    wanted = _WORDS.get(kind, _SHOULD.sub("must", message).replace(" after validation", ""))
    return f"{key} {wanted}{_got(problem['input'])}."


def _got(value: object) -> str:
    got = shown(value)
    return f"; got {got}" if len(got) <= 60 else ""


def _unknown(key: str, tables: tuple[str, ...], known: Sequence[str]) -> str:
    """Say what a key that is not known here was meant to be."""
    homes = [place for place, block in _BLOCKS.items() if key in block.model_fields]
    near = get_close_matches(key, known, n=1)
    if homes and tables in _BLOCKS:
        hint = f"it belongs{_in_table(homes[0]) or ' at the top of the file, above every [table]'}."
    elif near:
        hint = f"did you mean {near[0]!r}?"
    else:
        hint = f"known are {', '.join(known)}."
    return f"unknown key {shown(key)}{_in_table(tables)}; {hint}"


def _in_table(tables: tuple[str, ...]) -> str:
    if not tables:
        return ""
    name = ".".join(tables)
    if tables == ("outcome", "mu"):
        return " in the table mu of [[outcome]]"
    return f" in [[{name}]]" if tables[0] == "outcome" else f" in [{name}]"
