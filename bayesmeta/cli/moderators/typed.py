"""Covariates on the command line: the options of fit that say them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, final

import click

if TYPE_CHECKING:
    from ...model import Location
    from ...priors import Prior
    from ...wording import Words

OPTIONS = (
    click.option(
        "--mods",
        metavar="FORMULA",
        help="Moderators, e.g. 'latitude + C(allocation)'; --mu is the prior of the intercept.",
    ),
    click.option(
        "--by", "by_group", metavar="COLUMN", help="Subgroups; --mu is the prior of each."
    ),
    click.option(
        "--own-tau", is_flag=True, help="With --by: a tau for each group, too; --tau is its prior."
    ),
    click.option(
        "--slopes",
        multiple=True,
        metavar="PRIOR",
        help="Of --mods, per unit: one for all, or latitude='Normal(0, 0.1)'; repeatable. A name "
        "with parentheses or = goes in double quotes: '\"dose (mg)\"=Normal(0, 1)'.",
    ),
    click.option(
        "--at",
        "places",
        multiple=True,
        metavar="NAME=VALUE,...",
        help="With --mods: where the effect is asked for, e.g. latitude=20; repeatable. A level "
        "with a comma goes in double quotes: '\"site=Kiel, D\",latitude=20'.",
    ),
)
NOT_BESIDE = {"baseline": "--baseline", "published": "--published", "tipping": "--tipping"}
_NAMED = re.compile(
    r'\s*(?:"(?P<quoted>[^"]+)"|(?P<name>[^=()"]*[^=()"\s]))\s*=\s*(?P<prior>.+)', re.DOTALL
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Moderated:
    """What was typed of covariates.

    Attributes
    ----------
    mods, by_group : str or None
    own_tau : bool
        Whether each group has a tau of its own.
    slopes, places : tuple of str
    """

    mods: str | None = None
    by_group: str | None = None
    own_tau: bool = False
    slopes: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.mods is not None or self.by_group is not None

    def check(self, given: Mapping[str, object]) -> None:
        """Refuse what does not go together, before the work.

        Parameters
        ----------
        given : mapping of str to object
            Other options by name, as in ``NOT_BESIDE``; empty where they were not typed.

        Raises
        ------
        SpecError
            With the flags.
        """
        from ...errors import SpecError

        if self.mods is not None and self.by_group is not None:
            raise SpecError(
                "--mods and --by exclude each other: --mods 'C(column)' has groups too."
            )
        if self.own_tau and self.by_group is None:
            raise SpecError("--own-tau gives each group a tau: name their column with --by.")
        lonely = {"--slopes": self.slopes, "--at": self.places}
        for flag, texts in lonely.items():
            if texts and self.mods is None:
                raise SpecError(f"{flag} is for --mods: give a formula, or leave it out.")
        wrong = [flag for name, flag in NOT_BESIDE.items() if self and given.get(name)]
        if wrong:
            raise SpecError(
                f"{wrong[0]} is for one overall effect, and here it depends on covariates: leave "
                "it out, or --mods and --by."
            )

    def words(self, words: "Words") -> "Words":
        """The same words with the location in the place of the prior of mu."""
        if not self:
            return words
        from ...model import ByGroup

        found = replace(words, mu=self._location(words.mu_prior))  # pyright: ignore[reportArgumentType]
        if not self.own_tau:
            return found
        assert self.by_group is not None
        return replace(found, tau=ByGroup(self.by_group, words.tau_prior))  # pyright: ignore[reportArgumentType]

    def _location(self, prior: "Prior") -> "Location":
        from ...model import ByGroup, Linear

        if self.by_group is not None:
            return ByGroup(self.by_group, prior)
        assert self.mods is not None
        return Linear(self.mods, intercept=prior, slopes=self._slopes)

    @property
    def _slopes(self) -> "Prior | Mapping[str, Prior] | None":
        from ...errors import SpecError
        from ...priors import parse_prior

        if not self.slopes:
            return None
        named = [_NAMED.fullmatch(one) for one in self.slopes]
        found = {one["quoted"] or one["name"]: parse_prior(one["prior"]) for one in named if one}
        if len(found) == len(named):
            return found
        if found or len(named) > 1:
            raise SpecError(
                "--slopes takes one prior for all slopes, or one for each as "
                "latitude='Normal(0, 0.1)'."
            )
        return parse_prior(self.slopes[0])

    def keys(
        self, priors: "Mapping[str, Prior]", tau_prior: "Prior | None"
    ) -> Mapping[str, object]:
        """The keys of an outcome that say the same; none without covariates.

        Parameters
        ----------
        priors : mapping of str to Prior
            Of the location.
        tau_prior : Prior or None
            Of tau, if there is one.
        """
        said = {name: repr(one) for name, one in priors.items()}
        if self.by_group is not None:
            mu = {"by": self.by_group, "prior": said[self.by_group]}
            tau = {"by": self.by_group, "prior": repr(tau_prior)}
            return {"mu": mu, **({"tau": tau} if self.own_tau else {})}
        if self.mods is None:
            return {}
        intercept, one_for_all = said.pop("intercept"), said.pop("slopes", None)
        slopes = {"slopes": one_for_all or said} if one_for_all or said else {}
        line = {"formula": self.mods, "intercept": intercept, **slopes}
        return {"mu": line, "at": tuple(self.at())}

    def at(self) -> "Sequence[Mapping[str, object]]":
        """Where the effect is asked for."""
        return [_place(one) for one in self.places]


def _parts(text: str) -> Sequence[str]:
    """Pairs between commas, those with a comma of their own in double quotes, as in CSV."""
    import csv

    return next(csv.reader([text], skipinitialspace=True), [])


def _place(text: str) -> Mapping[str, object]:
    from ...errors import SpecError
    from ...sheets import read_number
    from ...ways import shown

    found: dict[str, object] = {}
    for part in _parts(text):
        cut = part.rpartition if '"=' in text else part.partition  # of a quoted name with =
        name, mark, value = (one.strip() for one in cut("="))
        if not (name and mark and value) or name in found:
            raise SpecError(f"--at takes NAME=VALUE, e.g. latitude=20; got {shown(text)}.")
        number = read_number(value)
        found[name] = value if number is None else number
    return found


def of_moderators(command: Callable[..., object]) -> Callable[..., object]:
    """Add the options of covariates; the command gets ``moderated``."""

    @wraps(command)
    def packed(**given: object) -> object:
        names = Moderated.__dataclass_fields__
        moderated = Moderated(**{name: given.pop(name) for name in names})  # pyright: ignore[reportArgumentType]
        return command(moderated=moderated, **given)

    for option in reversed(OPTIONS):
        packed = option(packed)
    return packed
