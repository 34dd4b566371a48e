"""Printed figures: whatever marks they were printed with, as texts with a decimal point."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..arguments import as_text
from ..errors import DataError
from ..sheets import FIGURE, Printed, read_printed
from ..ways import shown

FIGURES = ("estimate", "lower", "upper", "p", "p_heterogeneity", "i2")
TOGETHER = ("estimate", "lower", "upper")  # printed with one mark

_SIGNS = str.maketrans(
    dict.fromkeys("−﹣－", "-") | dict.fromkeys("·∙⋅・", ".") | {"≤": "<", "—": "–"}
)
_POINT = r"[-+]?\d*\.?\d+"
_MINUS = re.compile(r"(?<!\d)(?<!\d\s)–(?=\.?\d)")  # an en dash behind no number
_LEVEL = (
    r"(?:(?:CI|CrI)?\s*(\d+\.?\d*)\s*%\s*-?(?:CI|CrI|HDI|C\.I\.|confidence interval)?"
    r"\s*[:,=]?\s*)?"
)
_BETWEEN = r"\s*(?:{marks}|to|–)\s*|\s+-\s+|-"
_PRINTED = (  # a number, and what stands between two limits
    (_POINT, _BETWEEN.format(marks=",|;") + r"|\s+"),
    (FIGURE, _BETWEEN.format(marks=";")),
)
_P = r"p(?:[\s-]*values?)?\s*([<>=])\s*(\d*[.,]?\d+)"
_P_BEHIND = re.compile(rf"\s*[;,]?\s*(?:\(\s*{_P}\s*\)|\b{_P})", re.IGNORECASE)


class Figure(NamedTuple):
    """A printed figure; figures have a decimal point, and ``""`` is what was not printed."""

    measure: str
    estimate: str
    lower: str
    upper: str
    level: str
    p: str


def read_figure(text: str) -> Figure:
    """Read a measure, an estimate and an interval, with a level or a P value where printed.

    Raises
    ------
    DataError
        If the text is not of this form, or can be read in two ways.
    """
    plain, p = _without_p(_plain(text))
    found = [one for one in _readings(plain) if one is not None]
    if len(set(found)) > 1:
        raise DataError(
            f"The published figure {shown(text)} can be read in two ways, for a comma may "
            "stand before "
            f"decimals or between numbers; {_EXAMPLE}."
        )
    if not found:
        raise DataError(
            f"The published figure {shown(text)} must be a measure, an estimate and an "
            "interval, e.g. "
            f"'RR 0.58 [0.38, 0.87]'{_why_not(plain)}."
        )
    return found[0]._replace(p=p)


_EXAMPLE = (
    "write a point before decimals, or a semicolon between the limits: 'RR 0,58 [0,38; 0,87]'"
)


def _why_not(plain: str) -> str:
    commas = re.search(r"\d,\d", plain)
    return (
        f"; its commas may stand before decimals or between numbers: {_EXAMPLE}" if commas else ""
    )


def _plain(text: str) -> str:
    """The text with plain signs and single blanks; an en dash before a number is its minus."""
    return _MINUS.sub("-", " ".join(as_text(text).translate(_SIGNS).split()))


def _without_p(text: str) -> tuple[str, str]:
    """The text without its P value, and that."""
    found = _P_BEHIND.search(text)
    if found is None:
        return text, ""
    sign, number = (found[i] or found[i + 2] for i in (1, 2))
    p = number.replace(",", ".")
    rest = text[: found.start()] + text[found.end() :]
    return rest.strip(), p if sign == "=" else f"{sign}{p}"


def _readings(plain: str) -> Iterator[Figure | None]:
    for number, between in _PRINTED:
        found = re.fullmatch(
            rf"([A-Za-z]+)\s*[=:,]?\s*({number})(?=[\s,;(\[])[\s,;(\[]*{_LEVEL}[(\[]?\s*"
            rf"({number})(?:{between})({number})\s*[\])]*\.?",
            plain,
            re.IGNORECASE,
        )
        if found is None:
            yield None
            continue
        measure, estimate, level, *limits = found.groups()
        figures = as_numbers(dict(zip(TOGETHER, (estimate, *limits), strict=True)))
        yield Figure(measure.upper(), **figures, level=level or "", p="")


def as_numbers(figures: Mapping[str, str]) -> Mapping[str, str]:
    """Figures by name with plain signs and a decimal point; what is no number stays as it is.

    Raises
    ------
    DataError
        If a comma may stand before decimals or thousands.
    """
    plain = {
        name: _tidy(name, one) if isinstance(one, str) else one for name, one in figures.items()
    }
    printed = {
        name: one
        for name, text in plain.items()
        if isinstance(text, str) and (one := read_printed(text)) is not None
    }
    mark = _decimal_mark([printed[name] for name in TOGETHER if name in printed])
    read = {
        name: one.text(decimal=not (one.twofold and name in TOGETHER and one.mark != mark))
        for name, one in printed.items()
    }
    return {**plain, **read}


def _tidy(name: str, text: str) -> str:
    """One figure: a P value without its name, I² without its per cent."""
    plain = _plain(text)
    if name.startswith("p"):
        return re.sub(r"^(?:p\s*)?=?\s*(<?)\s*", r"\1", plain, flags=re.IGNORECASE)
    return plain.removesuffix("%").rstrip() if name == "i2" else plain


def _decimal_mark(figures: Sequence[Printed]) -> str:
    """The decimal mark of figures that are printed with one; points are, unless others say."""
    shown = {one.decimal for one in figures if one.decimal}
    twofold = [one for one in figures if one.twofold and (one.mark == "," or len(shown) > 1)]
    if twofold and len(shown) != 1:
        point, none = (twofold[0].text(decimal=one) for one in (True, False))
        raise DataError(
            f"The published {point.replace('.', twofold[0].mark)} may be {point} or {none}; write "
            "it with a point, or without a mark."
        )
    return next(iter(shown), ".") if len(shown) < 2 else "."


def check_figure(name: str, text: object) -> None:
    """Refuse what is no printed number."""
    if not isinstance(text, str):
        raise DataError(
            f"Published: {name} must be the printed figure as text, e.g. '0.60'; got {shown(text)}."
        )
    is_p = name.startswith("p")
    if is_p and text.startswith(">"):
        raise DataError(
            f"Published: {name} is {shown(text)}, a bound from below, to which nothing is "
            "held; leave "
            "it out."
        )
    number = text.removeprefix("<").strip() if is_p else text
    try:
        finite = not text or np.isfinite(float(number))
    except ValueError:
        finite = False
    if not finite or "_" in text:
        raise DataError(f"Published: {name} is {shown(text)}, which is not a printed number.")
