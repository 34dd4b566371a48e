"""The numbers of the library, read when they are first asked for."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from ..source import PublishedPrior
from .laws import law_of, words_of


class NotHeld(NamedTuple):
    """Published priors whose numbers the library does not hold.

    Attributes
    ----------
    name, about, why, citation : str
    """

    name: str
    about: str
    why: str
    citation: str


@cache
def published_priors() -> Mapping[str, PublishedPrior]:
    """Every prior of the library by its key, in the order of its tables."""
    import csv
    from io import StringIO

    sources = _sources()
    rows = csv.DictReader(StringIO(_text("priors.csv")))
    return {row["key"]: _record(row, sources[row["source"]]) for row in rows}


@cache
def not_held() -> tuple[NotHeld, ...]:
    """What was published and is not in the library, and why."""
    return tuple(NotHeld(**one) for one in _sources()["not_held"])


def _record(row: Mapping[str, Any], source: Mapping[str, Any]) -> PublishedPrior:
    numbers = tuple(row["numbers"].split())
    return PublishedPrior(
        parameter="mu" if row["on"] == "mu" else "tau",
        law=law_of(row["family"], row["on"], [float(one) for one in numbers]),
        family=words_of(row["family"]),
        numbers=numbers,
        **{name: row[name] for name in _AS_THEY_ARE},
        **source,
    )


_AS_THEY_ARE = ("key", "on", "measure", "outcome", "comparison", "area", "note")


@cache
def _sources() -> Mapping[str, Any]:
    import tomllib

    return tomllib.loads(_text("sources.toml"))


def _text(name: str) -> str:
    from importlib.resources import files

    return files(__package__).joinpath(name).read_text(encoding="utf-8")
