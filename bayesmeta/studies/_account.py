"""What became of the rows of a table on their way into an analysis."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from textwrap import shorten
from typing import TYPE_CHECKING, Self, final

from ._door import Excluded

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 320  # characters of each of the two lines
NAMED = 3  # studies by name in a line
REASONS, LONGEST = 2, 90  # in a line, and characters of each


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a table cannot tell by itself of how it came about; its `account` can.

    Attributes
    ----------
    rows : int or None
        Of the table that was read, notes and titles apart; None of what was made in Python.
    said : tuple of str
        What was guessed or done to read it.
    participants : mapping of str to float
        By study, where the studies' own figures no longer say it.
    added : mapping of str to str
        By study, what was added to its cells.
    unit : str
        Of measurement of the estimates; ``""`` where there is none, or none is stated.
    used : frozenset of str
        Further columns that were read: sizes of studies, years that tell names apart.
    heads : mapping of str to str
        By our names, columns as they stand in the table.
    kept_out : int
        Studies that `keep` did not take.
    """

    rows: int | None = None
    said: tuple[str, ...] = ()
    participants: Mapping[str, float] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    used: frozenset[str] = frozenset()
    heads: Mapping[str, str] = field(default_factory=dict)
    kept_out: int = 0

    def joined(self, *others: "Origin") -> "Origin":
        """Put those of several parts of one table together."""
        parts = (self, *others)
        rows = [one.rows for one in parts if one.rows is not None]
        return Origin(
            rows=sum(rows) if len(rows) == len(parts) else None,
            said=tuple(dict.fromkeys(said for one in parts for said in one.said)),
            participants={k: n for one in parts for k, n in one.participants.items()},
            added={k: words for one in parts for k, words in one.added.items()},
            unit=next((one.unit for one in parts if one.unit), ""),
            kept_out=sum(one.kept_out for one in parts),
        )


MADE_HERE = Origin()  # in Python, of no table


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What was read, guessed, left out, changed and not read of a table.

    Its text is one line or two; :meth:`table` has all of it.

    Attributes
    ----------
    rows : int or None
        Of the table that was read; None of data made in Python.
    k : int
        Studies that are analysed.
    participants : float or None
        In all of them; None where a study does not say.
    said : tuple of str
        What was guessed or done to read the table.
    left_out : tuple of Excluded
        Rows that someone left out, with the reason.
    dropped : tuple of Excluded
        Studies that an analysis in two stages has no use for.
    added : mapping of str to str
        By study, what was added to its cells.
    forms : mapping of str to str
        By study, how its figures were made; studies whose figures are as printed are not there.
    note : str
        How the estimates of all were made.
    unread : tuple of str
        Columns that no analysis reads.
    kept_out : int
        Studies that were not kept for this part of the data.
    aside : bool
        Whether `dropped` and `added` are of analyses in two stages beside the one of the counts.
    """

    rows: int | None
    k: int
    participants: float | None = None
    said: tuple[str, ...] = ()
    left_out: tuple[Excluded, ...] = ()
    dropped: tuple[Excluded, ...] = ()
    added: Mapping[str, str] = field(default_factory=dict)
    forms: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    unread: tuple[str, ...] = ()
    kept_out: int = 0
    aside: bool = False

    def beside(self, estimates: "Account") -> Self:
        """Return it with what was done to make estimates of the same studies."""
        return replace(
            self,
            dropped=estimates.dropped,
            added=estimates.added,
            forms={**self.forms, **estimates.forms},
            note=estimates.note,
            aside=True,
        )

    def _derived(self) -> Sequence[str]:
        """Studies whose figures were made of others, and how, as far as that is short."""
        forms = _by_words(self.forms)
        if len(forms) > REASONS:
            return [f"figures of {counted(len(self.forms), 'study', 'studies')}, in several ways"]
        return [
            f"{_named(names)} ({shorten(words, LONGEST, placeholder=' …')})"
            for words, names in forms.items()
        ]

    @property
    def _dropped(self) -> str:
        return f"dropped{' by analyses in two stages' * self.aside}"

    @property
    def lines(self) -> tuple[str, ...]:
        """One line on the studies and, if anything else is to be said, one on the reading."""
        reading = [f"Read: {'; '.join(self.said)}."] if self.said else []
        reading += [f"Derived: {'; '.join(self._derived())}."] if self.forms else []
        reading += [f"Not read: {', '.join(self.unread)}."] if self.unread else []
        lines = [f"Data: {'; '.join([self.size, *self._counted()])}.", " ".join(reading)]
        return tuple(shorten(line, WIDTH, placeholder=" …") for line in lines if line)

    @property
    def size(self) -> str:
        """How many studies and participants, of how many rows."""
        words = counted(self.k, "study", "studies")
        if self.participants is not None:
            words += f", {counted(self.participants, 'participant')}"
        if self.rows is not None:
            words += f", of {counted(self.rows, 'row')}"
        return words

    def _counted(self) -> list[str]:
        added = _by_words(self.added).items()
        kept_out = [f"{counted(self.kept_out, 'study', 'studies')} not kept"] * bool(self.kept_out)
        return [
            *kept_out,
            *_with_reasons("left out", self.left_out),
            *(
                f"{words}{' for two stages' * self.aside}: {_named(names)}"
                for words, names in added
            ),
            *_with_reasons(self._dropped, self.dropped),
        ]

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def table(self) -> "pd.DataFrame":
        """Return all of it, one row per thing: ``what``, ``detail``, ``studies``."""
        import pandas as pd

        return pd.DataFrame(self.entries(), columns=["what", "detail", "studies"])

    def entries(self) -> Sequence[tuple[str, str, str]]:
        """The rows of :meth:`table`."""
        found = [("analysed", self.size, "")]
        if self.kept_out:
            found.append(("not kept", counted(self.kept_out, "study", "studies"), ""))
        found += [("read", one, "") for one in self.said]
        for what, every in (("left out", self.left_out), (self._dropped, self.dropped)):
            found += [
                (what, reason, ", ".join(_in_full(one) for one in rows))
                for reason, rows in _by_reason(every).items()
            ]
        if self.note:
            found.append(("estimates", self.note, ""))
        for what, by_study in (("added", self.added), ("form", self.forms)):
            found += [
                (what, words, ", ".join(names)) for words, names in _by_words(by_study).items()
            ]
        found += [("not read", name, "") for name in self.unread]
        return found

    def to_dict(self) -> Mapping[str, object]:
        """Return it as what JSON can hold."""
        return {
            "rows": self.rows,
            "studies": self.k,
            "participants": self.participants,
            "not_kept": self.kept_out,
            "read": list(self.said),
            "left_out": [_as_dict(one) for one in self.left_out],
            "dropped": [_as_dict(one) for one in self.dropped],
            "estimates": self.note,
            "added": dict(self.added),
            "forms": dict(self.forms),
            "not_read": list(self.unread),
        }


def counted(n: float, one: str, several: str = "") -> str:
    """Write a number with its noun."""
    return f"{n:,.10g} {one if n == 1 else several or one + 's'}"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def _with_reasons(verb: str, every: Sequence[Excluded]) -> list[str]:
    """Name some studies of each reason; where reasons are many, say how many rows there are."""
    reasons = _by_reason(every)
    if len(reasons) > REASONS:
        return [f"{len(every)} rows {verb}"]
    return [
        f"{_names(rows)} {verb} ({shorten(why, LONGEST, placeholder=' …')})"
        for why, rows in reasons.items()
    ]


def _names(rows: Sequence[Excluded]) -> str:
    return _named([*dict.fromkeys(row.study for row in rows)])


def _in_full(one: Excluded) -> str:
    return (
        one.study if one.variant in ("", "main") or one.dropped else f"{one.study} ({one.variant})"
    )


def _as_dict(one: Excluded) -> dict[str, str]:
    return {"study": one.study, "variant": one.variant, "reason": one.reason}


def _by_reason(every: Iterable[Excluded]) -> Mapping[str, list[Excluded]]:
    found: dict[str, list[Excluded]] = {}
    for one in every:
        found.setdefault(one.reason, []).append(one)
    return found


def _by_words(by_study: Mapping[str, str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for study, words in by_study.items():
        found.setdefault(words, []).append(study)
    return found
