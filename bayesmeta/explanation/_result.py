"""What explains a published number, as values, tables and sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from ..effects import measure_named
from ..frequentist import Convention, FrequentistFit
from ..notebooks import Tabled
from ..studies import Published
from ._choices import Choice
from ._printed import BESIDE, FIGURES, NAMES, as_printed, farthest, in_words, printed

if TYPE_CHECKING:
    import pandas as pd


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One convention applied to one selection of studies.

    Attributes
    ----------
    convention : Convention
    left_out : tuple of str
        Studies of the table that are not in this selection.
    readings : tuple of str
        Studies in another reading than the table's first.
    figures : mapping of str to float
        ``estimate``, ``lower``, ``upper`` on the natural scale, ``p``, ``p_heterogeneity``, ``i2``;
        what is not defined is left out.
    miss : float
        Largest distance from a printed figure, in units of its last digit.
    reproduces : bool
        Whether every printed figure is met within half a unit.
    same : int
        Conventions that give just these figures from this selection, this one included.
    """

    convention: Convention
    left_out: tuple[str, ...]
    readings: tuple[str, ...]
    figures: Mapping[str, float]
    miss: float
    reproduces: bool
    same: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Tabled):
    """What explains a published number, and how much that is worth.

    Attributes
    ----------
    published : Published
    candidates : tuple of Candidate
        The best ones, nearest first; different figures or another selection each.
    choices : tuple of Choice
        What each single choice does to the nearest candidate, largest first.
    programs : mapping of str to FrequentistFit
        What the defaults of programs give, by their words.
    named : tuple of str
        Those of `programs` that reproduce the printed figures.
    tried : int
        Complete conventions times selections of studies.
    reproducing : int
        How many of them reproduce every printed figure.
    chance : float
        Mean number of candidates that would match made-up figures of the same precision nearby.
    chance_of_any : float
        How often at least one would.
    notes : tuple of str
        What must be known beside.
    """

    published: Published
    candidates: tuple[Candidate, ...]
    choices: tuple[Choice, ...]
    programs: Mapping[str, FrequentistFit]
    named: tuple[str, ...]
    tried: int
    reproducing: int
    chance: float
    chance_of_any: float
    notes: tuple[str, ...]

    @property
    def printed(self) -> str:
        """Every printed figure that candidates are held to, as printed."""
        beside = [
            f"{words} {getattr(self.published, name).strip()}{'%' if name == 'i2' else ''}"
            for name, words in BESIDE.items()
            if name in printed(self.published)
        ]
        return ", ".join((str(self.published), *beside))

    @property
    def farthest(self) -> str:
        """The printed figure that the nearest candidate misses most, in words."""
        name = farthest(self.candidates[0].figures, printed(self.published))
        return {**NAMES, **BESIDE}[name]

    def table(self) -> "pd.DataFrame":
        """The candidates, one row each, on the natural scale."""
        import pandas as pd

        rows = [
            {
                "reproduces": one.reproduces,
                "miss": one.miss,
                **one.figures,
                "convention": str(one.convention),
                "same": one.same,
                "left_out": ", ".join(one.left_out),
                "readings": ", ".join(one.readings),
            }
            for one in self.candidates
        ]
        return pd.DataFrame(rows)

    def choices_table(self) -> "pd.DataFrame":
        """What each single choice does, one row each, on the natural scale."""
        import pandas as pd

        rows = [
            {
                "choice": one.choice,
                "from": one.before,
                "to": one.after,
                **one.figures,
                "move": one.move,
            }
            for one in self.choices
        ]
        return pd.DataFrame(rows)

    def programs_table(self) -> "pd.DataFrame":
        """What the defaults of programs give, one row each, on the natural scale."""
        import pandas as pd

        measure = measure_named(self.published.measure)
        rows = [
            {
                "program": words,
                "reproduces": words in self.named,
                **{
                    name: float(as_printed(name, np.array(getattr(fit, name)), measure))
                    for name in FIGURES[:3]
                },
                "p": fit.p,
                "p_heterogeneity": fit.q_p,
                "i2": fit.i2,
            }
            for words, fit in self.programs.items()
        ]
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        """In sentences."""
        return "\n".join((*self._sentences(), *self.notes))

    def _sentences(self) -> tuple[str, ...]:
        best, figures = self.candidates[0], self.printed
        found = (
            f"{self.reproducing} of {self.tried} candidates reproduce {figures} to the last "
            "printed digit."
            if self.reproducing
            else f"None of {self.tried} candidates reproduces {figures}."
        )
        lead = (
            "One is"
            if self.reproducing
            else f"The nearest, off by {best.miss:.1f} units of a last digit in its "
            f"{self.farthest} and by no more in its other figures, is"
        )
        named = f"So do the defaults of {' and of '.join(self.named)}." if self.named else ""
        chance = (
            f"Figures of this precision made up nearby would match {self.chance:.3g} candidates on "
            f"average, and at least one candidate in {100 * self.chance_of_any:.3g}% of cases."
        )
        moved = (
            "The single choice that moves its estimate or limits most: "
            f"{self.choices[0].in_words(self.published)}."
            if self.choices
            else ""
        )
        return tuple(
            text
            for text in (
                found,
                f"{lead} {_in_words(best, self.published)}.",
                named,
                moved,
                chance,
            )
            if text
        )


def _in_words(one: Candidate, published: Published) -> str:
    text = f"{one.convention.measure} {in_words(one.figures, published)} by {one.convention}"
    if one.same > 1:
        text += f" (and {one.same - 1} more alike)"
    if one.left_out:
        text += f"; without {', '.join(one.left_out)}"
    if one.readings:
        text += f"; with another reading of {', '.join(one.readings)}"
    return text
