"""What an effect means for people: the options of fit, and the table they lead to."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import click

if TYPE_CHECKING:
    from ..decision import AbsoluteEffects
    from ..posterior import Posterior
    from ..summaries import Better

OPTIONS = (
    click.option(
        "--baseline",
        help="Without the treatment: 0.2, 'Beta(20, 80)', 'logit Normal(-1.4, 0.3)', a table of "
        "single arms (registry.csv), or low=0.05,high=0.3.",
    ),
    click.option("--threshold", type=float, help="Least absolute difference that matters."),
    click.option("--per", type=float, help="Patients, or person-time, of absolute effects."),
    click.option("--time", default="", help="Over what time a risk is, e.g. '28 days'."),
    click.option("--unit", default="", help="Of means."),
    click.option("--sd", type=float, help="To tell an SMD in a unit: the SD there."),
)

_BETWEEN = re.compile(r",(?![^(]*\))")  # commas outside brackets
_NAMED = re.compile(r"\s*(?P<name>[\w -]*\w)\s*=\s*(?P<value>.+?)\s*")


@final
@dataclass(frozen=True, slots=True)
class People:
    """What was typed of people."""

    baseline: str | None
    threshold: float | None
    per: float | None
    time: str
    unit: str
    sd: float | None

    def check(self, measure: str, better: "Better | None") -> None:
        """Refuse what has no baseline or no direction, or cannot be told, before the work.

        Raises
        ------
        SpecError, ModelError
            With the flags.
        """
        from ..analysis import single_arms
        from ..decision import MODEL, asked_of, kind_for
        from ..effects import MEASURES
        from ..errors import SpecError
        from ..specification import CONTROL_ARMS, is_known_later

        given = {name: value for name, value in self._about.items() if value not in (None, "")}
        if self.baseline is None:
            if given:
                lonely = " and ".join(f"--{name}" for name in given)
                raise SpecError(f"{lonely}: give --baseline too, to which it belongs.")
            return
        if CONTROL_ARMS in self._named.values():
            raise SpecError(
                f"--baseline '{CONTROL_ARMS}' is for a specification, as baseline_risk; here give "
                "a number such as 0.2, a distribution such as 'Beta(20, 80)', or a table of single "
                "arms."
            )
        known = {name: one for name, one in self._named.items() if not is_known_later(one)}
        asked_of(MEASURES[measure], known or 0.5, **self._about)
        if better is None:
            raise SpecError(
                "--baseline needs the direction of benefit: add --better lower or --better higher."
            )
        if MODEL in self._named.values():
            raise SpecError(
                "--baseline model needs trials that share their baselines, which fit has no option "
                "for: write a specification with baseline = 'Exchangeable(Normal(0, 10), "
                "HalfNormal(1))' and baseline_risk = 'model'."
            )
        for path in self._tables.values():
            single_arms(Path(path), kind_for(measure, self.time))

    def keys(self, table: Path) -> Mapping[str, object]:
        """The same as keys of an outcome of a specification beside this table."""
        if self.baseline is None:
            return {}
        given = {name: value for name, value in self._about.items() if value not in (None, "")}
        named = {**self._named, **{n: beside(p, table) for n, p in self._tables.items()}}
        return {"baseline_risk": named.get("", named), **given}

    def effects(
        self, posterior: "Posterior", better: "Better | None", prob: float
    ) -> "AbsoluteEffects | None":
        """What happens with and without the treatment; None where nothing was asked."""
        from ..analysis import table_baseline
        from ..decision import absolute_effects, beside_of, kind_for
        from ..summaries import scale_of

        if self.baseline is None or better is None:
            return None
        kind = kind_for(scale_of(posterior).name, self.time)
        read = {name: table_baseline(Path(path), kind) for name, path in self._tables.items()}
        return absolute_effects(
            posterior,
            baseline={**self._named, **read},
            better=better,
            prob=prob,
            beside=beside_of(posterior),
            **self._about,
        ).sound

    @property
    def _about(self) -> Mapping[str, Any]:
        names = ("threshold", "per", "time", "unit", "sd")
        return {name: getattr(self, name) for name in names}

    @property
    def _tables(self) -> Mapping[str, str]:
        """Those that are tables of single arms."""
        from ..specification import is_table

        return {name: one for name, one in self._named.items() if is_table(one)}

    @property
    def _named(self) -> Mapping[str, str]:
        """One baseline, which has no name, or several as ``low=0.05,high=0.3``.

        A prior has commas of its own.
        """
        text = self.baseline or ""
        named = [_NAMED.fullmatch(one) for one in _BETWEEN.split(text)]
        found = {one["name"]: one["value"] for one in named if one}
        return found if len(found) == len(named) else {"": text}


def beside(path: str | Path, table: Path) -> str:
    """A path as a specification beside the table writes it."""
    return os.path.relpath(path, table.parent)


def of_people(command: Callable[..., object]) -> Callable[..., object]:
    """Add the options of people; the command gets ``people``."""

    @wraps(command)
    def packed(**given: object) -> object:
        names = People.__dataclass_fields__
        people = People(**{name: given.pop(name) for name in names})  # pyright: ignore[reportArgumentType]
        return command(people=people, **given)

    for option in reversed(OPTIONS):
        packed = option(packed)
    return packed
