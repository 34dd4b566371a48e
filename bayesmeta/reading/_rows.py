"""Which rows a table has: their names and readings, those that are no studies, those left out."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from ..errors import DataError
from ..sheets import NUMBERS, TEXTS, read_number
from ..studies import MAIN, Excluded, is_blank
from ..ways import shown, way
from ._asked import Reading
from ._columns import filled

if TYPE_CHECKING:
    import pandas as pd

YEARS = ("year", "study year", "publication year", "pub year", "yr")
# What sums and pooled results are called, at the beginning of a name that holds no year.
_TOTAL = re.compile(
    r"(grand[ -]+)?(sub[ -]?)?totals?\b|overall\b|pooled\b|summary\b|sum\b|summe\b|gesamt|insgesamt"
    r"|all (trials|studies)\b|meta[ -]?analysis\b|heterogeneity\b|combined\b"
    r"|(random|fixed|common)[ -]effects?\b|[rf]e model\b"
    r"|(m-?h|i-?v|d\+l|iv|dl)[ ,]+((sub)?total|overall|pooled)\b",
    re.IGNORECASE,
)
EXPORTED = ("outcomenumber", "comparisonnumber", "analysisgroup", "analysisnumber")
_REST = re.compile(  # what may follow: a mark and anything, or what was summed or pooled
    r"\s*([,:;(\[-](?!.*\b(19|20)\d\d\b).*)?"
    r"|(\s+(effects?|estimates?|models?|results?|events|patients|participants|studies|trials"
    r"|re|fe|or|rr|rd|hr|irr|md|smd|rom))+\s*([,:;(\[].*)?",
    re.IGNORECASE,
)
_NOTE = re.compile(r"[*†‡§¶]|(abbreviations?|notes?|sources?|footnotes?|legend)\b", re.IGNORECASE)


@final
@dataclass(frozen=True, slots=True)
class Names:
    """Of each row, by its place in the table that was given.

    Attributes
    ----------
    study, variant, arm : mapping of int to str
    said : tuple of str
        What was done to name the studies.
    used : tuple of str
        Columns that name them beside their own.
    """

    study: Mapping[int, str]
    variant: Mapping[int, str]
    arm: Mapping[int, str]
    said: tuple[str, ...] = ()
    used: tuple[str, ...] = ()

    def called(self, i: int) -> tuple[str, ...]:
        """Every text that names a row."""
        arm = (f"{self.study[i]}: {self.arm[i]}",) if self.arm.get(i) else ()
        return (self.study[i], f"{self.study[i]} (row {i + 1})".strip(), *arm)


def row_names(frame: "pd.DataFrame") -> Names:
    """Name the rows: blanks among arms by the row above, authors with years where they repeat."""
    if "study" not in frame:
        return Names({}, {}, {})
    index = [int(i) for i in frame.index]
    study = ["" if is_blank(cell) else str(cell) for cell in frame["study"]]
    variant = variants_of(frame)
    arm = next((frame[name] for name in ("arm", "label") if name in frame), [""] * len(frame))
    arms = ["" if is_blank(cell) else str(cell) for cell in arm]
    study, said = _filled_down(study, arms) if "arm" in frame else (study, ())
    study, year = _with_years(frame, study, variant, arms if "arm" in frame else variant)
    said = (*said, *(f"study names that repeat are told apart by {one}" for one in year))
    of_study, of_variant, of_arm = (
        dict(zip(index, texts, strict=True)) for texts in (study, variant, arms)
    )
    return Names(of_study, of_variant, of_arm, said, year)


def _filled_down(study: Sequence[str], arms: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """A trial is named in the first of its rows alone, where cells were merged."""
    found = list(study)
    blank = [i for i, name in enumerate(study) if not name.strip() and i and arms[i]]
    for i in blank:
        found[i] = found[i - 1]
    if not blank:
        return found, ()
    rows = ", ".join(str(i + 1) for i in blank[:5])
    more = f" and {len(blank) - 5} more" if len(blank) > 5 else ""
    return found, (f"blank study names taken from the row above (rows {rows}{more})",)


def _with_years(
    frame: "pd.DataFrame", study: Sequence[str], variant: Sequence[str], arms: Sequence[str]
) -> tuple[list[str], tuple[str, ...]]:
    """Authors with a year, where only that tells the studies apart; and the column of years."""
    keys = list(zip(study, variant, arms, strict=True))
    year = next((name for name in frame if str(name).casefold() in YEARS), None)
    if year is None or len(set(keys)) == len(keys):
        return list(study), ()
    years = ["" if is_blank(cell) else str(cell) for cell in frame[year]]
    named = [f"{name} {one}".strip() for name, one in zip(study, years, strict=True)]
    if len(set(zip(named, variant, arms, strict=True))) < len(keys):
        return list(study), ()
    again = {key[0] for key, count in Counter(keys).items() if count > 1}
    found = [long if name in again else name for name, long in zip(study, named, strict=True)]
    return found, (str(year),)


def variants_of(frame: "pd.DataFrame") -> list[str]:
    """The reading of each row; main where the table does not say."""
    if "variant" not in frame:
        return [MAIN] * len(frame)
    known = filled(frame, "variant")
    return [str(one) if is_ else MAIN for one, is_ in zip(frame["variant"], known, strict=True)]


def without_notes(frame: "pd.DataFrame") -> "tuple[pd.DataFrame, tuple[str, ...]]":
    """Leave out lines beneath a table that fill one cell and read like notes."""
    cells = ~frame.isna().to_numpy(dtype=bool)
    last = len(frame)
    while last > 1 and (text := _note(frame, cells, last - 1)) is not None:
        last -= 1
    if last == len(frame):
        return frame, ()
    text = _note(frame, cells, last) or ""
    lines = "1 line" if len(frame) - last == 1 else f"{len(frame) - last} lines"
    short = text if len(text) <= 60 else f"{text[:59]}…"
    return frame.iloc[:last], (f"{lines} below the table left out: {shown(short)}",)


def _note(frame: "pd.DataFrame", cells: np.ndarray, i: int) -> str | None:
    """The one text of a row that reads like a note; None for any other row."""
    if cells[i].sum() != 1:
        return None
    text = frame.iat[i, int(np.flatnonzero(cells[i])[0])]
    if not isinstance(text, str):
        return None
    return text if _NOTE.match(text) or len(text.split()) > 5 else None


def is_total(name: str) -> bool:
    """Whether a name is that of a sum or a pooled result, and not of a study about totals."""
    found = _TOTAL.match(name.strip())
    return bool(found and _REST.fullmatch(name.strip()[found.end() :]))


def refuse_totals(frame: "pd.DataFrame") -> None:
    """Refuse rows that are named like sums or pooled results of the others, or are their sums.

    Raises
    ------
    DataError
        With the rows, and how to leave them out.
    """
    if "study" not in frame:
        return
    sums = _sum_of_others(frame)
    rows = [
        f"{'' if is_blank(name) else name} (row {int(i) + 1})".strip()
        for place, (i, name) in enumerate(zip(frame.index, frame["study"], strict=True))
        if is_total(str(name)) or place == sums
    ]
    if rows:
        named, first = ", ".join(rows[:5]), rows[0]
        raise DataError(
            f"{named} is named like a sum or a pooled result of the other rows, or is their sum, "
            f"not a study: leave it out with {way('exclude', first)}, or, if it is a study, give "
            "it another name."
        )


def refuse_outcomes(frame: "pd.DataFrame") -> None:
    """Refuse an export of several analyses: each is a meta-analysis of its own.

    Raises
    ------
    DataError
        With the column that tells them apart, and how to fit one or each.
    """
    for name in map(str, frame.columns):
        if "".join(name.casefold().split()) not in EXPORTED:
            continue
        values = listed(str(cell) for cell in frame[name] if not is_blank(cell))
        if "," in values:
            raise DataError(
                f"The table holds several analyses, told apart by {shown(name)}: {values}. "
                "Fit each by "
                f"itself: {way('by', name)}, or leave the rows of the others out of the table."
            )


def _sum_of_others(frame: "pd.DataFrame") -> int | None:
    """The place of a last row whose counts are all the sums of those above, if there is one."""
    counts = [f"{name}{arm}" for arm in ("_treatment", "_control") for name in ("events", "n")]
    if len(frame) < 3 or not set(counts) <= set(map(str, frame.columns)):
        return None
    cells = [[read_number(cell) for cell in frame[name]] for name in counts]
    found = np.array([[np.nan if one is None else one for one in column] for column in cells])
    return len(frame) - 1 if (found[:, :-1].sum(axis=1) == found[:, -1]).all() else None


def excluded_rows(names: Names, reading: Reading, *, every: bool = True) -> dict[int, Excluded]:
    """Rows that are left out, by their place in the table, with the reasons.

    Raises
    ------
    DataError
        If an exclusion names no row, though `every` one must, gives no reason, or nothing is left.
    """
    gone: dict[int, Excluded] = {}
    for key, reason in reading.exclude.items():
        rows, why = _meant(key, reason, names)
        if not rows and every and names.study:
            name = key if isinstance(key, str) else key[0]
            if reason is None:  # a text that holds both
                name = str(name).rpartition(":")[0].strip() or name
            raise DataError(
                f"{way('exclude', name)}: the table has no such row; check the spelling."
            )
        gone |= {i: Excluded(_name_left_out(key, i, names), names.variant[i], why) for i in rows}
    if every and gone and len(gone) == len(names.study):
        raise DataError("The table has no rows to analyse; check the file and what is excluded.")
    return dict(sorted(gone.items()))


def _name_left_out(key: object, i: int, names: Names) -> str:
    """A study, or one arm of it where that alone was named."""
    arm = names.called(i)[-1]
    of_arm = names.arm.get(i) and str(key if isinstance(key, str) else key[0]).startswith(arm)  # pyright: ignore[reportIndexIssue]
    return arm if of_arm else names.study[i]


def _meant(key: object, reason: object, names: Names) -> tuple[list[int], str]:
    """Rows that an exclusion is of, and its reason; a text without one holds both."""
    if isinstance(key, tuple):
        pairs = [i for i in names.study if (names.study[i], names.variant[i]) == key]
        return pairs, _reason(key, reason)
    text = str(key)
    if reason is not None:
        return rows_called(text, names), _reason(key, reason)
    splits = [i for i, mark in enumerate(text) if mark == ":"]
    for i in reversed(splits):  # the longest name that there is
        rows = rows_called(text[:i].strip(), names)
        if rows and text[i + 1 :].strip():
            return rows, text[i + 1 :].strip()
    return [], ""


def rows_called(name: str, names: Names) -> list[int]:
    """Rows that a text names: a study, ``"study (row 3)"``, or ``"study: arm"``."""
    exact = [i for i, study in names.study.items() if study == name]
    return exact or [i for i in names.study if name in names.called(i)]


def _reason(key: object, reason: object) -> str:
    if not isinstance(reason, str):
        raise DataError(
            f"exclude gives no reason in words for {shown(key)}: {shown(reason)}; say why it "
            "is left out."
        )
    return reason


def listed(names: Iterable[str]) -> str:
    """Name up to eight, each once."""
    every = list(dict.fromkeys(names))
    return ", ".join(every[:8]) + (f" and {len(every) - 8} more" if len(every) > 8 else "")


def told_apart_by(frame: "pd.DataFrame") -> str:
    """A column of groups in each of which every study stands once; "" if there is none."""
    study = [str(name) for name in frame["study"]]
    for name in map(str, frame.columns):
        if name in NUMBERS or name in TEXTS:
            continue
        groups = ["" if is_blank(cell) else str(cell) for cell in frame[name]]
        pairs = set(zip(study, groups, strict=True))
        if "" not in groups and len(pairs) == len(study) and 1 < len(set(groups)) <= len(study) / 2:
            return name
    return ""
