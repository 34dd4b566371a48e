"""Forms of cells with several figures: what they look like, and what they hold."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import final

from ..figures.marks import DASHES, FIGURE, UNSIGNED, Printed, read_printed
from ..figures.words import key
from ..names.measures import MEASURES
from ..names.sets import arm_words

type Texts = Mapping[str, str]

_DASH = rf"[{DASHES}]"
_TO = rf"(?:\s*(?:to|;|\||\.\.)\s*|\s*,\s+|,|\s+{_DASH}\s+|{_DASH})"
_BEFORE = r"(?:(?:(?P<level>95)\s?%\s?)?(?P<word>CI|CrI|IQR|range|SD|SEM|SE)\s*[:=,]?\s*)?\s*"
_BARE = r"\d+(?:[ ,.]\d{3})*"
_PERCENT = rf"(?P<percent>{UNSIGNED})\s?"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_OF = _pattern(rf"(?P<a>{UNSIGNED})\s*(?:/|of)\s*(?P<b>{UNSIGNED})(?:\s*[(\[]{_PERCENT}%?[)\]])?")
_SHARE = _pattern(rf"(?P<a>{UNSIGNED})\s*[(\[]{_PERCENT}%[)\]]")
_BARE_SHARE = _pattern(rf"(?P<a>{_BARE})\s*[(\[]{_PERCENT}[)\]]")
_SPREAD = _pattern(rf"(?P<a>{FIGURE})\s*(?:±|\+\s?/\s?{_DASH}|\+{_DASH})\s*(?P<b>{FIGURE})")
_ONE_IN = _pattern(rf"(?P<a>{FIGURE})\s*[,;]?\s*[(\[]{_BEFORE}±?\s*(?P<b>{FIGURE})[)\]]")
_TWO_IN = _pattern(
    rf"(?P<a>{FIGURE})\s*[,;]?\s*[(\[]{_BEFORE}(?P<b>{FIGURE})(?P<to>{_TO})(?P<c>{FIGURE})[)\]]"
)
_TWO = _pattern(rf"[(\[]?{_BEFORE}(?P<b>{FIGURE})(?P<to>{_TO})(?P<c>{FIGURE})[)\]]?")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form of cells.

    Attributes
    ----------
    name : str
        As `cells` writes it.
    parts : tuple of str
        Our columns that it fills, without the arm.
    looks : tuple of Pattern
        How its cells look; groups ``a``, ``b``, ``c`` are the parts in order.
    example : str
        A cell.
    words : tuple of str
        What may stand before the figures in brackets.
    other : Form or None
        The form that some cells of the same column may have.
    """

    name: str
    parts: tuple[str, ...]
    looks: tuple[re.Pattern[str], ...]
    example: str
    words: tuple[str, ...] = ()
    other: "Form | None" = None


EVENTS_OF_N = Form(name="events/n", parts=("events", "n"), looks=(_OF,), example="9/52")
SHARE = Form(
    name="events (percent)", parts=("events",), looks=(_SHARE, _BARE_SHARE), example="9 (17%)"
)
MEAN_SD = Form(
    name="mean (sd)",
    parts=("mean", "sd"),
    looks=(_ONE_IN, _SPREAD),
    example="15.2 (5.9)",
    words=("sd",),
)
MEAN_SE = Form(
    name="mean (se)",
    parts=("mean", "se"),
    looks=(_ONE_IN, _SPREAD),
    example="15.2 (0.8)",
    words=("se", "sem"),
)
MEAN_CI = Form(
    name="mean (lower-upper)",
    parts=("mean", "lower_mean", "upper_mean"),
    looks=(_TWO_IN,),
    example="15.2 (13.5 to 16.9)",
    words=("ci",),
)
QUARTILES = Form(
    name="median (q1-q3)",
    parts=("median", "q1", "q3"),
    looks=(_TWO_IN,),
    example="7.5 (5 to 11)",
    words=("iqr",),
)
IQR = Form(
    name="median (iqr)",
    parts=("median", "iqr"),
    looks=(_ONE_IN,),
    example="7.5 (6) or 7.5 (5 to 11)",
    words=("iqr",),
    other=QUARTILES,
)
RANGE = Form(
    name="median (min-max)",
    parts=("median", "min", "max"),
    looks=(_TWO_IN,),
    example="7.5 (1 to 30)",
    words=("range",),
)
LIMITS = Form(
    name="lower-upper",
    parts=("lower", "upper"),
    looks=(_TWO,),
    example="0.60 to 0.96",
    words=("ci", "cri"),
)
INTERVAL = Form(
    name="estimate (lower-upper)",
    parts=("estimate", "lower", "upper"),
    looks=(_TWO_IN,),
    example="0.76 (0.60 to 0.96)",
    words=("ci", "cri"),
    other=LIMITS,
)
FORMS = (EVENTS_OF_N, SHARE, MEAN_SD, MEAN_SE, MEAN_CI, QUARTILES, IQR, RANGE, INTERVAL, LIMITS)

_SPELLINGS: Mapping[str, Form] = {
    **{key(form.name): form for form in FORMS},
    **dict.fromkeys(
        ("n/n", "event/n", "events/total", "event/total", "r/n", "cases/n"), EVENTS_OF_N
    ),
    **dict.fromkeys(("events%",), SHARE),
    **dict.fromkeys(("mean±sd", "mean+/sd"), MEAN_SD),
    **dict.fromkeys(("mean±se", "mean+/se", "meansem", "mean±sem"), MEAN_SE),
    **dict.fromkeys(("mean95%ci", "meanci", "mean,95%ci"), MEAN_CI),
    **dict.fromkeys(("medianq1,q3", "medianq1;q3", "medianquartiles"), QUARTILES),
    **dict.fromkeys(("medianrange", "medianmin,max"), RANGE),
}
_ALONE = {"95%ci": LIMITS, "95ci": LIMITS}


@cache
def _measured() -> Mapping[str, tuple[Form, str]]:
    """Spellings of an estimate with its interval, and the measure that they state."""
    names = {name: measure for measure, words in MEASURES.items() for name in words}
    names |= dict.fromkeys(("estimate", "effect", "effectestimate"), "")
    ends = ("95%ci", "ci", ",95%ci", "95ci", "lowerupper")
    return {name + end: (INTERVAL, measure) for name, measure in names.items() for end in ends}


@cache
def form_named(text: str) -> tuple[Form, str, str] | None:
    """Read ``"mean (SD), treatment"`` as a form, the suffix of its arm and a measure."""
    whole = key(text).replace(":", "")
    if whole in _measured():
        form, measure = _measured()[whole]
        return form, "", measure
    if whole in _ALONE:
        return _ALONE[whole], "", ""
    for word, side in (("", ""), *arm_words()):
        found = next((one for one in _without(whole, word) if one in _SPELLINGS), None)
        if found and not (side and _SPELLINGS[found] in (INTERVAL, LIMITS)):
            return _SPELLINGS[found], side, ""
    return None


def _without(whole: str, word: str) -> list[str]:
    if not word:
        return [whole]
    ends = (word, word + "group", word + "arm")
    after = [whole.removesuffix(end).rstrip(",;/|") for end in ends if whole.endswith(end)]
    before = [whole.removeprefix(end).lstrip(",;/|") for end in ends if whole.startswith(end)]
    return after + before


def read_cell(form: Form, text: str) -> Texts | str:
    """Take a cell apart: its figures as printed by our names, or what is wrong with it.

    A level that the cell states stands under ``"level"``, a percentage under ``"percent"``.
    """
    if form.other is not None and (found := _match(form.other, text)):
        texts = _figures(form.other, found)
        comma = form is IQR and found["to"] == ","  # of two quartiles, or of a width's decimals
        if not comma:
            return texts
        if not isinstance(texts, str) and not _has_decimal_comma(found["a"]):
            return "may be a width with a decimal comma or two quartiles"
    found = _match(form, text)
    return _figures(form, found) if found else f"does not read as {form.name}"


def _has_decimal_comma(text: str) -> bool:
    printed = read_printed(text)
    return printed is not None and printed.decimal == ","


def _match(form: Form, text: str) -> re.Match[str] | None:
    for look in form.looks:
        found = look.fullmatch(text)
        if found and (_part(found, "word") or "").casefold() in ("", *form.words):
            return found
    return None


def _part(found: re.Match[str], group: str) -> str | None:
    return found[group] if group in found.re.groupindex else None


def _figures(form: Form, found: re.Match[str]) -> Texts | str:
    groups = [group for group in "abc" if group in found.re.groupindex]
    if _part(found, "to") == "," and any("," in found[group] for group in "bc"):
        return "has commas between and within its figures"
    texts = {part: found[group] for part, group in zip(form.parts, groups, strict=True)}
    texts |= {group: one for group in ("percent", "level") if (one := _part(found, group))}
    odd = next((one for one in texts.values() if read_printed(one) is None), None)
    return texts if odd is None else f"holds {odd}, which is no number"


def contradiction(form: Form, values: Mapping[str, float], percent: str = "") -> str:
    """Say what contradicts itself in the figures of one cell, once they are numbers."""
    found = [values.get(part, math.nan) for part in form.parts]
    if len(found) == 3 and (found[0] < found[1] or found[0] > found[2]):
        return "has a first figure that does not lie between the other two"
    if form is LIMITS and found[0] > found[1]:
        return "has its limits in the wrong order"
    if form is EVENTS_OF_N and found[0] > found[1]:
        return "has more events than patients"
    return _share_wrong(values, percent) if percent and values.get("n", 0) > 0 else ""


def _share_wrong(values: Mapping[str, float], percent: str) -> str:
    """Say that a printed percentage is not that of the events, to its own rounding."""
    printed = read_printed(percent)
    if printed is None:
        return ""
    exact = 100 * values["events"] / values["n"]
    readings = _readings(printed)
    for one in readings:
        half = 0.5 * 10.0 ** -len(one.partition(".")[2])
        if not abs(exact - float(one)) > half * (1 + 1e-9):
            return ""
    return (
        f"has {values['events']:.15g} of {values['n']:.15g}, which is {exact:.1f}% and not "
        f"{' or '.join(readings)}%"
    )


def _readings(printed: Printed) -> list[str]:
    return [printed.text(decimal=one) for one in ((True, False) if printed.twofold else (True,))]


def composite(text: str) -> str | None:
    """Say which forms a cell with several figures may have; None for anything else.

    Examples
    --------
    >>> composite("9/52"), composite("15.2 ± 5.9"), composite("12")
    ('events/n', 'mean (sd) or mean (se)', None)
    """
    for looks, forms in _LOOKS:
        if any(look.fullmatch(text.strip()) for look in looks):
            return _either_of([form.name for form in forms])
    return None


_LOOKS: tuple[tuple[tuple[re.Pattern[str], ...], tuple[Form, ...]], ...] = (
    ((_OF,), (EVENTS_OF_N,)),
    ((_SHARE,), (SHARE,)),
    ((_SPREAD,), (MEAN_SD, MEAN_SE)),
    ((_TWO_IN,), (INTERVAL, QUARTILES, RANGE, MEAN_CI)),
    ((_BARE_SHARE,), (SHARE, MEAN_SD, MEAN_SE, IQR)),
    ((_ONE_IN,), (MEAN_SD, MEAN_SE, IQR)),
)


def _either_of(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
