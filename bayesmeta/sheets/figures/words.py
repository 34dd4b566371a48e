"""Names and cells as people write them, brought to one spelling."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .marks import DASHES, read_printed
from .places import number

if TYPE_CHECKING:
    import pandas as pd

MISSING_WORDS = frozenset(
    {
        *(
            "n.r.",
            "n.r",
            "nr",
            "n/r",
            "n.a.",
            "n.a",
            "na",
            "n/a",
            "n.d.",
            "n.d",
            "nd",
            "n.e.",
            "ne",
        ),
        *("not reported", "not available", "not estimable", "missing", "unknown"),
        *("nan", "<na>", "null", "none", "--", ".", "...", "…", "?"),
        *DASHES,
    }
)

_POINT = re.compile(r"(?<!\d)\.|\.(?!\d)")
# A level beside an interval: names are compared at 95 %, and the head keeps its own.
_LEVEL = re.compile(r"(?<![\d.])(?:80|85|90|95|98|99)%?")
_SIDES = {
    "95%cilower": re.compile(r"(?:ci|cri)?(?:lower|low|lo|l|ll|lb|lcl)(?:ci|cri|limit|bound)?"),
    "95%ciupper": re.compile(r"(?:ci|cri)?(?:upper|up|high|hi|u|ul|ub|ucl)(?:ci|cri|limit|bound)?"),
    "95%ci": re.compile(r"c(?:r|onf)?i(?:nt)?|ic|(?:confidence|credible)interval|confint"),
}
_BEFORE_CI = re.compile(r"(?<![\d.])(?:80|85|90|98|99)(?=%?(?:ci|cri))")
_LOOSE = re.compile(rf"[{DASHES}\s_()\[\]]+")


def key(name: str) -> str:
    """Bring a name to what is compared: no case, blanks, underscores, hyphens or brackets.

    Points count between digits alone: ``event.e`` is ``evente``, and ``2.5%`` is not ``25%``.

    Examples
    --------
    >>> key("Events_Treatment"), key("Std. Dev. 1"), key("2.5 %")
    ('eventstreatment', 'stddev1', '2.5%')
    """
    plain = _LOOSE.sub("", _POINT.sub("", name.casefold()))
    bare = _LEVEL.sub("", plain)
    if bare != plain:
        for side, look in _SIDES.items():
            if look.fullmatch(bare):
                return side
    return _BEFORE_CI.sub("95", plain)


def is_missing_word(text: str) -> bool:
    """Whether a cell says in words or by a sign that there is no number.

    Examples
    --------
    >>> is_missing_word("N.R."), is_missing_word("0")
    (True, False)
    """
    return " ".join(text.casefold().split()) in MISSING_WORDS


def is_missing(cell: object) -> bool:
    """Whether a cell is blank or says in words that there is no figure."""
    return cell is None or cell != cell or not str(cell).strip() or is_missing_word(str(cell))


def figure(text: str) -> str | None:
    """Write one printed number with a point and a hyphen; None where it is none, or two.

    Examples
    --------
    >>> figure("−0·43"), figure("12 598"), figure("0,435"), figure("2,150")
    ('-0.43', '12598', '0.435', None)
    """
    one = read_printed(text)
    return None if one is None or one.twofold or one.bound else one.text()


def column_of(frame: "pd.DataFrame", name: str) -> "pd.Series":
    """The first column of a name."""
    return frame.iloc[:, [str(one) for one in frame.columns].index(name)]


def numbers_of(column: "pd.Series") -> NDArray[np.float64]:
    """Read cells as numbers, NaN where one is none."""
    import pandas as pd

    values = np.array(pd.to_numeric(column, errors="coerce"), dtype=np.float64)
    left = np.flatnonzero(np.isnan(values) & column.notna().to_numpy())
    if left.size:
        read = [figure(str(cell)) for cell in column.iloc[left]]
        values[left] = [np.nan if one is None else float(one) for one in read]
    return values


def blank_in(column: "pd.Series") -> NDArray[np.bool_]:
    """Cells without a figure or a word, (rows,)."""
    import pandas as pd

    empty = column.isna()
    if not pd.api.types.is_numeric_dtype(column.dtype):
        texts = column.astype(str)
        empty |= texts.isin([text for text in texts.unique() if is_missing(text)])
    return empty.to_numpy(dtype=bool)


def unread_in(column: "pd.Series", values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Cells that say something and are no number, (rows,)."""
    unread = np.isnan(values)
    for i in np.flatnonzero(unread):
        unread[i] = not is_missing(column.iloc[i])
    return unread


def rows_in_words(study: Sequence[str] | None, rows: Sequence[int], *, most: int = 5) -> str:
    """List rows by the names of their studies: ``"Shu (row 1), Zhu (row 6) and 2 more"``."""
    named = ", ".join(
        f"row {number(i)}" if study is None else f"{study[i]} (row {number(i)})"
        for i in rows[:most]
    )
    return named + (f" and {len(rows) - most} more" if len(rows) > most else "")
