"""One printed number: its sign, its groups of thousands and its decimal mark."""

import re
from typing import NamedTuple, final

DASHES = "-−–—‐‑‒﹣－"
_SIGNS = dict.fromkeys(DASHES, "-") | {"＋": "+"}
_DOTS = dict.fromkeys("·∙⋅•‧・･", "·")
_BOUNDS = {"＜": "<", "＞": ">"}
_PLAIN = str.maketrans({**_SIGNS, **_DOTS, **_BOUNDS, "’": "'", "ʼ": "'"})
_NUMBER = re.compile(
    r"(?P<bound>[<>]=?|[≤≥])? ?(?P<sign>[-+])? ?"
    r"(?:(?P<lead>[1-9][0-9]{0,2})(?P<groups>(?P<group>[ ',.])[0-9]{3}(?:(?P=group)[0-9]{3})*)"
    r"|(?P<whole>[0-9]*))"
    r"(?:(?P<mark>[.,·])(?P<part>[0-9]*))?(?P<exponent>[eE][-+]?[0-9]+)?"
)
_CANONICAL = r"(?:[<>]=?|[≤≥])?[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
CANONICAL = re.compile(_CANONICAL)
_GROUPED = "|".join(
    rf"[1-9]\d{{0,2}}(?:{group}\d{{3}})+"
    for group in (r"[ \u00a0\u2009\u202f]", "['’ʼ]", ",", r"\.")
)
_POINTS = f".,{''.join(_DOTS)}"
UNSIGNED = rf"(?:(?:{_GROUPED}|\d+)(?:[{_POINTS}]\d+)?|[{_POINTS}]\d+)"  # as part of a text
FIGURE = rf"(?:[{DASHES}+＋]?{UNSIGNED})"
OTHER = {",": ".", ".": ","}


@final
class Printed(NamedTuple):
    """A number as it is printed; of "2,150" both readings, else one.

    Attributes
    ----------
    bound, sign : str
        ``"<"`` and the like, and ``"-"``, or ``""``.
    whole, part : str
        Digits before and after the decimal mark.
    exponent : str
    decimal : str
        The decimal mark that this cell shows its table to have: ``"."``, ``","`` or ``""``.
    group : str
        What stands between its thousands.
    mark : str
        Its decimal mark, or, of two readings, the mark that both are about.
    twofold : bool
        Whether there are two readings; `whole` and `part` are then those of a decimal mark.
    """

    bound: str
    sign: str
    whole: str
    part: str
    exponent: str
    decimal: str
    group: str
    mark: str
    twofold: bool

    def text(self, *, decimal: bool = True) -> str:
        """Write it as every program reads it, its printed decimals kept."""
        digits = self.whole
        if self.part or self.mark:
            digits += f".{self.part}" if decimal else self.part
        return f"{self.bound}{self.sign}{digits}{self.exponent}"


def read_printed(text: str) -> Printed | None:
    """Take a cell apart; None where it is no printed number.

    Examples
    --------
    >>> read_printed("1.234,50").text()
    '1234.50'
    >>> read_printed("2,150").twofold
    True
    """
    found = _NUMBER.fullmatch(" ".join(text.translate(_PLAIN).split()))
    if found is None:
        return None
    bound, sign, lead, groups, group, whole, mark, part, exponent = found.groups("")
    if group and group == _shown(mark):
        return None
    head = (bound, "-" if sign == "-" else "")
    if group in (",", ".") and len(groups) == 4 and not mark and not exponent:
        return Printed(*head, lead, groups[1:], "", "", "", group, twofold=True)
    digits = lead + groups.replace(group, "") if group else whole
    if not (digits or part) or (mark and mark != "." and not part):
        return None
    if group in (",", ".") and len(groups) == 4 and not mark:  # 1,234e5
        return Printed(*head, lead, groups[1:], exponent, group, "", group, twofold=False)
    shown = _shown(mark) or OTHER.get(group, "")
    return Printed(*head, digits, part, exponent, shown, group, mark, twofold=False)


def _shown(mark: str) -> str:
    return "." if mark == "·" else mark


def is_printed(text: str) -> bool:
    """Whether a cell is a printed number, however it is to be read."""
    return read_printed(text) is not None
