"""Priors of the library by words and by key."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, final

from ...arguments import is_among
from ...errors import ModelError
from ...ways import shown, way
from ..elicitation import between_studies
from ..prior import Prior
from ..source import PublishedPrior, Source
from .table import NotHeld, not_held, published_priors

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20  # rows of a repr
_ALIKE = 0.5  # of a key, to be offered for one that there is not


def from_library(key: str, override: str = "") -> Prior:
    """Return a published prior by its key; the fit and its report then cite it.

    Parameters
    ----------
    key : str
        As `search` lists them, e.g. ``"turner2015/mortality/drug-v-placebo"``.
    override : str
        Why it may serve on another scale than the one it was made for. Without a reason such a
        use is refused; with one, every report prints it.

    Returns
    -------
    Prior
        Of tau or of mu, on the analysis scale; a prior published for tau² is that of tau.

    Raises
    ------
    ModelError
        If the library has no such key, or the reason is no short line of text.

    Examples
    --------
    >>> prior = from_library("turner2015/mortality/drug-v-placebo")
    >>> prior
    from_library('turner2015/mortality/drug-v-placebo')
    >>> prior.by_hand
    LogNormal(-1.975, 0.67)
    """
    return (record := published_prior(key)).law.published_as(Source(record, override))


def published_prior(key: str) -> PublishedPrior:
    """Return the record of one prior of the library.

    Raises
    ------
    ModelError
        If there is no such key, with those most like it.
    """
    every = published_priors()
    if isinstance(key, str) and (plain := key.strip().casefold()) in every:  # pyright: ignore[reportUnnecessaryIsInstance]
        return every[plain]
    close = get_close_matches(str(key).casefold()[:200], every, n=3, cutoff=_ALIKE)
    alike = f", whose nearest is {' or '.join(map(repr, close))}" if close else ""
    raise ModelError(
        f"The library has no prior {shown(key)}{alike}; find one by {way('priors', 'mortality')}."
    )


@final
@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """Priors that a search found.

    Attributes
    ----------
    records : tuple of PublishedPrior
    not_held : tuple of NotHeld
        What was published and is not in the library, whatever was searched for.
    """

    records: tuple[PublishedPrior, ...]
    not_held: tuple[NotHeld, ...]

    def table(self) -> "pd.DataFrame":
        """Return one row per prior, with what it implies; keys are the index.

        Columns are ``prior``, ``parameter``, ``measure``, ``outcome``, ``comparison``, ``area``;
        ``lower`` and ``upper``, its central 95 % of the parameter; for tau ``between_median`` and
        ``between_upper``, median and 97.5 % point of the difference between the effects of two
        studies (see `between_studies`), a ratio for ratios; ``published``, ``citation``,
        ``where`` and ``note``.
        """
        import pandas as pd

        rows = [_row(one) for one in self.records]
        return pd.DataFrame(rows, columns=_COLUMNS).set_index("key")

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        lines = [f"{one.key}: {one.law!r} of {one.parameter}, {one.scale}" for one in self.records]
        more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        absent = [f"not held: {one.name}: {one.why}" for one in self.not_held]
        return "\n".join([*lines[:SHOWN], *more, *absent])


def search(words: str = "", *, measure: str = "", parameter: str = "") -> Found:
    """Search the library of published priors.

    Parameters
    ----------
    words : str
        All of which must begin a word of the prior's key, outcome, comparison, area or citation;
        all priors if empty.
    measure : str, optional
        Whose scale the prior must be made for, e.g. ``"OR"``.
    parameter : {"tau", "mu"}, optional
        What it must be a prior of.

    Returns
    -------
    Found

    Raises
    ------
    ModelError
        If the library has no prior of that measure or parameter.

    Examples
    --------
    >>> search("mortality placebo turner2015").records[0].key
    'turner2015/mortality/drug-v-placebo'
    """
    measures = tuple(dict.fromkeys(one.measure for one in published_priors().values()))
    _check_choice("measure", measure, ("", *measures))
    _check_choice("parameter", parameter, ("", "tau", "mu"))
    asked = _plain(words)
    found = [
        one
        for one in published_priors().values()
        if measure in ("", one.measure) and parameter in ("", one.parameter) and _has(one, asked)
    ]
    return Found(tuple(found), not_held())


def _check_choice(name: str, given: object, among: Sequence[str]) -> None:
    if not is_among(given, among):
        choices = ", ".join(filter(None, among))
        raise ModelError(f"The library has priors of {name} {choices}, not of {shown(given)}.")


def _has(one: PublishedPrior, asked: Sequence[str]) -> bool:
    text = (one.key, one.outcome, one.comparison, one.area, one.citation, one.measure, one.scale)
    words = _plain(" ".join(text))
    return all(any(word.startswith(start) for word in words) for start in asked)


def _plain(text: str) -> list[str]:
    """Words in small letters without accents and marks."""
    bare = unicodedata.normalize("NFKD", str(text)).casefold()
    return "".join(
        c if c.isalnum() or c == "." else " "
        for c in bare
        if c.isprintable() and not unicodedata.combining(c)
    ).split()


_COLUMNS = (
    *("key", "prior", "parameter", "measure", "outcome", "comparison", "area", "lower", "upper"),
    *("between_median", "between_upper", "published", "citation", "where", "note"),
)


def _row(one: PublishedPrior) -> tuple[object, ...]:
    low, high = one.law.interval()
    median, upper = between_studies(one.law, one.measure) if one.parameter == "tau" else (None,) * 2
    return (
        *(one.key, repr(one.law), one.parameter, one.measure, one.outcome, one.comparison),
        *(one.area, low, high, median, upper, one.published, one.citation, one.table, one.note),
    )
