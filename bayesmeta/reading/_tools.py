"""Tools for risk of bias: their domains, their levels, and how tables write these.

RoB 2 (Sterne 2019, BMJ 366:l4898) judges randomised trials, ROBINS-I (Sterne 2016, BMJ 355:i4919)
studies without randomisation.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import final

from ..errors import DataError
from ..ways import shown


@final
class Level(StrEnum):
    """One judgement."""

    LOW = "low"
    SOME_CONCERNS = "some concerns"
    MODERATE = "moderate"
    HIGH = "high"
    SERIOUS = "serious"
    CRITICAL = "critical"
    NO_INFORMATION = "no information"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What judgements are made with.

    Attributes
    ----------
    name : str
    domains : tuple of str
        In the order of their numbers, from D1.
    heads : tuple of str
        What the head of a domain's column has in it, small letters.
    levels : tuple of Level
        The mildest first; no information at the end.
    signs : tuple of mapping
        What signs stand for: one mapping for each usage there is.
    """

    name: str
    domains: tuple[str, ...]
    heads: tuple[str, ...]
    levels: tuple[Level, ...]
    signs: tuple[Mapping[str, Level], ...]

    def level(self, cell: str, signs: Mapping[str, Level]) -> Level:
        """Read one cell.

        Raises
        ------
        ValueError
            With what it may be.
        """
        if cell in signs:
            return signs[cell]
        word = _FURTHER.sub("", cell.casefold()).strip()
        found = next((one for one in self.levels if word in (one, one.removesuffix("s"))), None)
        if found is None:
            raise ValueError(f"{shown(cell)} is no level of {self.name}: {', '.join(self.levels)}")
        return found

    def usage(self, cells: Sequence[str]) -> Mapping[str, Level]:
        """Say what the signs of a table stand for.

        Raises
        ------
        DataError
            If the same signs are used in several ways, or in none.
        """
        used = {one for one in cells if any(one in signs for signs in self.signs)}
        fits = [signs for signs in self.signs if used <= signs.keys()]
        meant = [{sign: signs[sign] for sign in used} for signs in fits]
        if not meant or any(one != meant[0] for one in meant):
            raise DataError(
                f"The signs {' '.join(sorted(used))} of {self.name} mean one thing in one program "
                f"and another in the next: write the levels as words, {', '.join(self.levels)}."
            )
        return meant[0]


_FURTHER = re.compile(r"[_\s]+(risk)?([_\s]*of[_\s]*bias)?$")
_LOW, _SOME, _HIGH = Level.LOW, Level.SOME_CONCERNS, Level.HIGH

ROB2 = Tool(
    name="RoB 2",
    domains=(
        "randomisation process",
        "deviations from the intended interventions",
        "missing outcome data",
        "measurement of the outcome",
        "selection of the reported result",
    ),
    heads=("randomi", "deviation", "missing", "measurement", "reported"),
    levels=(_LOW, _SOME, _HIGH),
    signs=(
        {"+": _LOW, "!": _SOME, "-": _HIGH},  # the tool's own sheet
        {"+": _LOW, "?": _SOME, "-": _HIGH},  # RevMan
        {"+": _LOW, "-": _SOME, "x": _HIGH},  # robvis,
        {"+": _LOW, "-": _SOME, "?": Level.NO_INFORMATION},  # which has one more than RoB 2
    ),
)
ROBINS_I = Tool(
    name="ROBINS-I",
    domains=(
        "confounding",
        "selection of participants",
        "classification of interventions",
        "deviations from the intended interventions",
        "missing data",
        "measurement of outcomes",
        "selection of the reported result",
    ),
    heads=(
        *("confounding", "participants", "classification", "deviation", "missing"),
        *("measurement", "reported"),
    ),
    levels=(
        *(_LOW, Level.MODERATE, Level.SERIOUS, Level.CRITICAL),
        Level.NO_INFORMATION,
    ),
    signs=(
        {
            "+": _LOW,
            "-": Level.MODERATE,
            "x": Level.SERIOUS,
            "!": Level.CRITICAL,
            "?": Level.NO_INFORMATION,
        },
    ),
)
