"""A posterior in a few lines, and as a notebook shows it."""

from collections.abc import Iterable, Iterator
from itertools import chain, starmap
from textwrap import shorten
from typing import TYPE_CHECKING, NamedTuple

from ..notebooks import paragraphs, rows_to_html
from .marginals import Marginal, Marginals

if TYPE_CHECKING:
    from . import Posterior

PROB = 0.95
WIDTH = 160  # characters of a line
CAUTIONS = 2  # that are shown
SHARED = {"tau": "{}", "df": "", "share": "", "spread": "{}"}  # and what each is of


class _Answer(NamedTuple):
    """One scalar: its name, its median with both ends, and what it is of."""

    name: str
    middle: str
    low: str
    high: str
    of: str


def in_short(posterior: "Posterior") -> str:
    """Write what was fitted, to what, what all studies share, whether that is sound, and cautions.

    Only what the fit has made is shown: predictions and study effects are made when asked for.

    Parameters
    ----------
    posterior : Posterior
    """
    said = [
        f"{one.name} {one.middle} [{one.low}, {one.high}]{f' ({one.of})' if one.of else ''}"
        for one in _answers(posterior)
    ]
    answers = "; ".join(said) if posterior.data.p == 1 else f"Of {posterior.data.p} outcomes"
    first, *others = _about(posterior)
    lines = [shorten(line, WIDTH, placeholder=" …") for line in (first, answers, *others)]
    return "\n".join([lines[0], *posterior.account.lines, *lines[1:], *posterior.model.citations])


def in_html(posterior: "Posterior") -> str:
    """Write the same for a notebook, with what all studies share as a table.

    Parameters
    ----------
    posterior : Posterior
    """
    first, *others = _about(posterior)
    rows = [
        (one.name, one.middle, f"{one.low} to {one.high}", one.of) for one in _answers(posterior)
    ]
    table = rows_to_html(("", "median", f"{100 * PROB:g}% interval", "of"), rows) if rows else ""
    above, below = (first, *posterior.account.lines), (*others, *posterior.model.citations)
    return f"{paragraphs(above)}{table}{paragraphs(below)}"


def _about(posterior: "Posterior") -> list[str]:
    """The model, whether the fit is sound, and the first cautions."""
    failed = [one for one in posterior.diagnostics.first if not one.passed]
    sound = f"NOT SOUND: {'; '.join(map(str, failed))}" if failed else "gates of these passed"
    more = len(posterior.cautions) - CAUTIONS
    return [
        f"Posterior of {posterior.model!r}",
        f"{posterior.engine}; {sound}; summary() has the rest",
        *(f"Caution: {one}" for one in posterior.cautions[:CAUTIONS]),
        *([f"{more} more in cautions"] if more > 0 else []),
    ]


def _answers(posterior: "Posterior") -> Iterator[_Answer]:
    """The scalars that all studies share, each with its interval; ratios as ratios."""
    if posterior.data.p > 1:
        return
    measure, mu = posterior.model.scale(posterior.data), posterior.model.location.name
    effects = posterior[mu]
    each = (
        {mu: effects}
        if isinstance(effects, Marginal)
        else dict(zip(effects.study, effects.each, strict=True))
    )
    known = {name: one for name in SHARED if (one := posterior.marginals.get(name)) is not None}
    shared = dict(chain.from_iterable(starmap(_entries, known.items())))
    slopes = posterior.model.location.differences(posterior.data)
    for name, one in [*each.items(), *shared.items()]:
        values = [one.quantile(0.5), *one.interval(PROB)]
        of = SHARED.get(name.split("[")[0], "").format(measure.analysis_called)
        if name in posterior.model.no_values(posterior.data):
            of = measure.analysis_called
        elif name in each:
            values, of = measure.natural(values).tolist(), measure.called
            if name in slopes and not measure.comparative:
                of = f"ratio of {measure.called}s"
        middle, low, high = (f"{value:.4g}" for value in values)
        yield _Answer(name, middle, low, high, of)


def _entries(name: str, of: Marginal | Marginals) -> Iterable[tuple[str, Marginal]]:
    """A scalar by its name, or those of a vector by theirs."""
    if isinstance(of, Marginal):
        return ((name, of),)
    return ((f"{name}[{own}]", one) for own, one in zip(of.study, of.each, strict=True))
