"""Keys and values of a specification as TOML writes them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from ..reading import Data, Reading
from ._block import DEVICES


def title_of(table: Path) -> str:
    """A title for a table, by the name of its file."""
    words = re.sub(r"[^\w]+|_", " ", table.stem).strip() or "Outcome"
    return words[:1].upper() + words[1:]


def name_of(title: str) -> str:
    """A name for an outcome, by its title."""
    plain = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")[:40].strip("-")
    return f"{plain}-outcome" if plain in DEVICES else plain or "outcome"


def arms_of(reading: Reading) -> tuple[str, str]:
    """Names of treatment and control, where the reading has any."""
    return " or ".join(reading.treatment) or "treatment", reading.control or "control"


def said_of(reading: Reading) -> Mapping[str, object]:
    """The keys that say how the table is read, where they differ from their defaults."""
    plain = Reading()
    said = {name: getattr(reading, name) for name in Reading.__dataclass_fields__}
    return {
        name: value
        for name, value in said.items()
        if name != "exclude" and value != getattr(plain, name)
    }


def dropped(reading: Reading, data: Data) -> Mapping[str, str]:
    """The exclusions; of a text that holds both, the rows left out tell name and reason."""
    named = {str(key): reason for key, reason in reading.exclude.items() if reason is not None}
    for text in (str(key) for key, reason in reading.exclude.items() if reason is None):
        for row in data.excluded:
            if text.startswith(row.study) and text.rstrip().endswith(row.reason):
                named[text.rstrip().removesuffix(row.reason).rstrip(" :")] = row.reason
    return named


def lines_of(keys: Mapping[str, object]) -> list[str]:
    """One line for each key; what is None or empty is left out."""
    return [
        f"{name} = {toml(value)}" for name, value in keys.items() if value not in (None, {}, ())
    ]


def quoted(text: str) -> str:
    """A text between quotes."""
    return json.dumps(text, ensure_ascii=False)


def toml(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{quoted(str(k))} = {toml(v)}' for k, v in value.items())} }}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml, value))}]"
    return repr(value)
