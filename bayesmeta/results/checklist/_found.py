"""How an item is looked for in a run."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from .. import OutcomeResult, Results

MOST = 3  # outcomes that are named


class Status(StrEnum):
    """What became of an item."""

    MET = "met"
    PARTLY = "partly"
    LACKING = "not met"
    OPEN = "open"
    DEFAULT = "default, confirm"
    NOT_ASKED = "does not apply"


class Found(NamedTuple):
    """What a run has of an item.

    Attributes
    ----------
    status : Status
    said : str
        The evidence, or what is lacking.
    place : str
        Where the report shows it; empty for no one place.
    """

    status: Status
    said: str
    place: str = ""


type Find = Callable[[Results], Found]
type Has = Callable[[OutcomeResult], bool]
type Tell = Callable[[OutcomeResult], str]


def answered(outcome: OutcomeResult) -> bool:
    """Whether a table of its own answers it."""
    return outcome.main is not None


def one_effect(outcome: OutcomeResult) -> bool:
    """Whether its answer is one overall effect."""
    return answered(outcome) and not outcome.by_covariates


def several(outcome: OutcomeResult) -> bool:
    """Whether several studies answer it."""
    return outcome.main is not None and outcome.main.data.k > 1


def pooled(outcome: OutcomeResult) -> bool:
    """Whether it pools studies into one overall effect."""
    return one_effect(outcome) and several(outcome)


def compared(outcome: OutcomeResult) -> bool:
    """Whether it pools comparisons."""
    return pooled(outcome) and outcome.compares


def sampled(outcome: OutcomeResult) -> bool:
    """Whether chains take part."""
    return any(not fit.exact for fit in outcome.fits.values())


def integrated(outcome: OutcomeResult) -> bool:
    """Whether anything in it is integrated."""
    return any(fit.exact for fit in outcome.fits.values())


def of_each(said: str | Tell, has: Has, part: str, of: Has = answered) -> Find:
    """An item that every outcome it applies to must show."""

    def find(run: Results) -> Found:
        asked = [one for one in run.outcomes if of(one)]
        if not asked:
            return Found(
                Status.NOT_ASKED, "no outcome of this run is of the kind that it asks about"
            )
        lacking = [one.title for one in asked if not has(one)]
        if not lacking:
            words = said if isinstance(said, str) else said(asked[0])
            return Found(Status.MET, words, f"#{asked[0].name}{'-' * bool(part)}{part}")
        named = ", ".join(lacking[:MOST])
        more = f" and {len(lacking) - MOST} more" if len(lacking) > MOST else ""
        status = Status.LACKING if len(lacking) == len(asked) else Status.PARTLY
        return Found(status, f"not shown for {named}{more}")

    return find


def tables(said: str, *names: str, part: str = "checks", of: Has = answered) -> Find:
    """An item that tables of every outcome show."""

    def has(outcome: OutcomeResult) -> bool:
        return all(name in outcome.tables for name in names)

    return of_each(f"{said} ({', '.join(f'tables/{name}.csv' for name in names)})", has, part, of)


def of_run(said: str, has: Callable[[Results], bool], place: str) -> Find:
    """An item that the run as a whole shows."""

    def find(run: Results) -> Found:
        if has(run):
            return Found(Status.MET, said, place)
        return Found(Status.LACKING, f"not stored: {said}")

    return find


def written(key: str) -> Find:
    """An item that a person writes."""

    def find(run: Results) -> Found:
        text = run.reporting.get(key, "")
        if text:
            return Found(Status.MET, text, "#written")
        return Found(Status.OPEN, f"for a person to write: {key} in [reporting]")

    return find


def both(stored: Find, key: str) -> Find:
    """An item that needs what is stored and what a person writes."""

    def find(run: Results) -> Found:
        found, own = stored(run), written(key)(run)
        if found.status is not Status.MET:
            return found
        if own.status is Status.MET:
            return found._replace(said=f"{found.said}; {own.said}")
        return Found(own.status, f"{found.said}; {own.said}", found.place)

    return find
