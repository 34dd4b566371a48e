"""The scenario table: one row per decision made otherwise, and what stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

import numpy as np

from ..effects import Measure
from ..evidence import RULE, Conclusion
from ..notebooks import Tabled
from ..posterior import Posterior
from ._changes import Kind, NotMade

if TYPE_CHECKING:
    import pandas as pd

type Ends = tuple[float, float, float]  # median, lower, upper
SHOWN = 12  # rows of a table in short


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """What one scenario says, on the scale of the base case.

    Attributes
    ----------
    kind : Kind
        What is changed.
    name, note : str
    posterior : Posterior
        Its fit.
    estimate : tuple of float
        Of mu: median, lower, upper, on the analysis scale.
    new : tuple of float
        Likewise of the effect in a new study; that of mu where there is one effect for all.
    prob_benefit : float
        NaN where no direction is stated.
    difference : tuple of float
        What it comes to at the baseline: median, lower, upper; NaN where none is stated.
    conclusion : Conclusion or None
        None of single arms.
    stands : bool or None
        Whether it concludes as the base case does; None where it is not sound, and of single arms.
    """

    kind: Kind
    name: str
    note: str
    posterior: Posterior = field(repr=False, compare=False)
    estimate: Ends
    new: Ends
    prob_benefit: float
    difference: Ends
    conclusion: Conclusion | None
    stands: bool | None

    def also(self, name: str, note: str) -> "Variation":
        """The same row, which another change leads to as well."""
        more = "; ".join(filter(None, ("" if name == self.name else f"also {name}", note)))
        return replace(self, note="; ".join(filter(None, (self.note, more))))

    @property
    def k(self) -> int:
        """Studies."""
        return self.posterior.data.k

    @property
    def sound(self) -> bool:
        """Whether mu, tau and the effect in a new study passed their gates."""
        return self.posterior.diagnostics.passed_new


@final
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Scenarios(Tabled):
    """The base case, and what every decision made otherwise would say.

    Attributes
    ----------
    rows : tuple of Variation
        The base case first.
    not_made : tuple of NotMade
        What the data or the engines do not carry, and why.
    measure : Measure
        In which every row is told.
    prob : float
        Of the intervals.
    per : float
        Patients, or units, of the differences.
    baseline : str
        At which the differences are told; ``""`` where none is stated.
    unit : str
        Of differences of means; ``""`` of all others, and where none is stated.
    of : str
        The coefficient or difference that the rows are about, with its measure; ``""`` of the
        overall effect.
    called : str
        The measure, or the coefficient on the scale that people read.
    told : bool
        Whether any study of the base case tells of it; else every row gives its prior, and none is
        judged.
    """

    rows: tuple[Variation, ...]
    not_made: tuple[NotMade, ...]
    measure: Measure
    prob: float
    per: float = 1.0
    baseline: str = ""
    unit: str = ""
    of: str = ""
    called: str = ""
    told: bool = True

    @property
    def base(self) -> Variation:
        """The base case."""
        return self.rows[0]

    @property
    def judged(self) -> Sequence[Variation]:
        """Rows that are held to the base case: not this itself, nor what is not sound."""
        return [one for one in self.rows[1:] if one.stands is not None]

    @property
    def turned(self) -> Sequence[Variation]:
        """Rows in which the conclusion does not stand."""
        return [one for one in self.judged if not one.stands]

    @property
    def in_short(self) -> str:
        """``"stands in 21 of 23"``; ``""`` of single arms."""
        if not self.judged:
            return ""
        return f"stands in {len(self.judged) - len(self.turned)} of {len(self.judged)}"

    @property
    def in_words(self) -> str:
        """What the table says, in one sentence or two."""
        sound = [one for one in self.rows if one.sound]
        if not self.base.sound:
            return "The base case failed a numerical gate: no scenario can be held to it."
        ends = [one.estimate[0] for one in sound]
        low, high = (self._number(x) for x in (min(ends), max(ends)))
        name = self.called
        said = f"Over {len(sound)} rows the {name} lies between {low} and {high}{self._in}"
        failed = [one.name for one in self.rows if not one.sound]
        but = f"; not sound, and not judged: {', '.join(failed)}" if failed else ""
        if not self.told:
            told = "The studies do not tell all of it: what they leave open has its prior."
            return f"{said}{but}. {told}"
        if self.base.conclusion is None or not self.judged:
            return f"{said}{but}."
        named = [one.name for one in self.turned]
        more = f" and {len(named) - 3} more" if len(named) > 4 else ""
        shown = named if len(named) < 5 else named[:3]
        turns = f"; not in: {', '.join(shown)}{more}" if named else ""
        concluded = str(self.base.conclusion)
        concluded = concluded.replace("no effect", "0") if self.of else concluded
        stands = f"the conclusion ({concluded}) {self.in_short} scenarios"
        return f"{said}; {stands}{turns}{but}."

    @property
    def _in(self) -> str:
        """The unit of the estimates, behind them."""
        return f" {self.unit}" if self.unit and self.measure.name == "MD" else ""

    def _number(self, x: float) -> str:
        """As people read it: ratios with two decimals, others with three digits."""
        value = float(self.measure.natural(np.array(x)))
        text = f"{value:.2f}" if self.measure.log and not self.of else f"{value:.3g}"
        return text.replace("-", "−")

    @property
    def rule(self) -> str:
        """When a conclusion stands."""
        return RULE.replace("mu excludes no effect", f"{self.of} excludes 0") if self.of else RULE

    def table(self) -> "pd.DataFrame":
        """Return the rows as a table; ratios are given on both scales.

        Returns
        -------
        DataFrame
            By ``scenario``: ``change``, ``k``, ``estimate``, ``lower``, ``upper``, ``new_lower``,
            ``new_upper`` on the analysis scale and, with ``_natural``, as people read them;
            ``prob_benefit``, ``difference`` and its ends, ``stands``, ``sound``, ``note``. Columns
            without a number in any row are left out.
        """
        import pandas as pd

        frame = pd.DataFrame([dict(self._cells(one)) for one in self.rows])
        return frame.dropna(axis=1, how="all").set_index("scenario")

    def _cells(self, one: Variation) -> Iterator[tuple[str, object]]:
        yield from (("scenario", one.name), ("change", str(one.kind)), ("k", one.k))
        numbers = dict(zip(("estimate", "lower", "upper"), one.estimate, strict=True))
        numbers |= {"new_lower": one.new[1], "new_upper": one.new[2]}
        yield from numbers.items()
        for name, value in numbers.items():
            yield f"{name}_natural", float(self.measure.natural(np.array(value)))
        yield "prob_benefit", one.prob_benefit
        names = ("difference", "difference_lower", "difference_upper")
        yield from zip(names, one.difference, strict=True)
        yield from (("stands", one.stands), ("sound", one.sound), ("note", one.note))

    def to_dict(self) -> dict[str, object]:
        """Return what the table does not say, for JSON."""
        return {
            "in_words": self.in_words,
            "rule": self.rule,
            "judged": len(self.judged),
            "turned": [one.name for one in self.turned],
            "baseline": self.baseline,
            "unit": self.unit,
            "of": self.of,
            "not_made": [
                {"change": str(one.kind), "scenario": one.name, "why": one.why}
                for one in self.not_made
            ],
        }

    def __repr__(self) -> str:
        lines = [f"Scenarios of {self.base.posterior.model.name}: {self.in_words}"]
        lines += [f"  {self._line(one)}" for one in self._telling()]
        left = len(self.rows) - len(self._telling())
        if left:
            lines.append(f"  and {left} more rows in table()")
        for one in self.not_made:
            lines.append(f"  not made: {one.name}: {one.why}")
        return "\n".join(lines)

    def _telling(self) -> Sequence[Variation]:
        """The base case, what turns, and those farthest from it."""
        rest = [one for one in self.rows[1:] if one not in self.turned]
        rest.sort(key=lambda one: -abs(one.estimate[0] - self.base.estimate[0]))
        return [self.base, *self.turned, *rest][:SHOWN]

    def _line(self, one: Variation) -> str:
        middle, low, high = (self._number(x) for x in one.estimate)
        mark = {True: "", False: "  does not stand", None: ""}[one.stands]
        sound = "" if one.sound else "  not sound"
        return f"{one.name[:36]:36} {middle} [{low}, {high}]{self._in}{mark}{sound}"
