"""A formula as a value: read by a fixed grammar, so that nothing in it can be run.

formula := ["~"] sum            sum  := ["-"] part (("+" | "-") part)*
part    := "0" | "1" | product  product := crossed ("*" crossed)*
crossed := atom (":" atom)*     atom := factor | "(" sum without 0 and 1 ")"
factor  := name | "C(" name ")" | "bs(" name ", df=" number ")" | "poly(" name ", " number ")"
name    := letter (letter | digit | "_")* | "`" any characters but a backtick "`"
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce, singledispatch
from keyword import iskeyword
from typing import final

from ..errors import ModelError
from ..ways import shown

LONGEST = 1000  # characters of a formula
DEEPEST = 10  # parentheses within parentheses
MOST_TERMS = 50
DEGREES = range(1, 7)  # of poly()
FREEDOM = range(3, 13)  # of bs(): cubic pieces need three
_TOKEN = re.compile(r"\s*(?:`([^`]+)`|([^\W\d_]\w*)|(\d+)|(.))", re.DOTALL)
_PLAIN = re.compile(r"[^\W\d_]\w*")
_MADE_OF = (
    "A formula is made of names of columns (in backticks where they have spaces or dots or are "
    "words of Python), + - : *, parentheses, 0 or 1 for the intercept, C(x), bs(x, df=4) and "
    "poly(x, 2); make anything else a column of the table first."
)


@final
@dataclass(frozen=True, slots=True)
class Factor:
    """One covariate as it enters a formula.

    Attributes
    ----------
    variable : str
        Name of its column.
    function : str
        ``""`` as it is, ``"C"`` as a factor, ``"bs"`` as cubic splines, ``"poly"`` as orthogonal
        polynomials.
    number : int
        Degrees of freedom of the splines, degree of the polynomials, else 0.
    """

    variable: str
    function: str = ""
    number: int = 0

    def __str__(self) -> str:
        plain = _PLAIN.fullmatch(self.variable) and not iskeyword(self.variable)
        name = self.variable if plain else f"`{self.variable}`"
        forms = {"": "{0}", "C": "C({0})", "bs": "bs({0}, df={1})", "poly": "poly({0}, {1})"}
        return forms[self.function].format(name, self.number)


type Term = tuple[Factor, ...]  # factors whose columns are multiplied


@final
@dataclass(frozen=True, slots=True)
class Formula:
    """Terms whose sum is the expected effect of a study.

    Attributes
    ----------
    terms : tuple of tuple of Factor
        Those of one factor come first.
    intercept : bool
    """

    terms: tuple[Term, ...]
    intercept: bool = True

    @property
    def text(self) -> str:
        """The formula written out, which `parse` reads as the same formula."""
        constant = () if self.intercept and self.terms else (str(int(self.intercept)),)
        return " + ".join((*constant, *map(_spelled, self.terms)))

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the columns that it needs, each once."""
        return tuple(dict.fromkeys(one.variable for term in self.terms for one in term))


@singledispatch
def parse(text: str | Formula) -> Formula:
    """Read a formula such as ``"latitude + allocation"``.

    ``a:b`` is an interaction, ``a*b`` means ``a + b + a:b``, ``0 + a`` and ``a - 1`` leave the
    intercept out, ``a*b - a`` leaves out a term. A formula that is read stays as it is.

    Raises
    ------
    ModelError
        If it holds anything that the grammar does not know.
    """
    raise ModelError(f"formula is a text such as 'latitude', got {shown(text)}.")


@parse.register
def _(text: Formula) -> Formula:
    return text


@parse.register
def _(text: str) -> Formula:
    if len(text) > LONGEST:
        raise ModelError(f"formula has {len(text):,} characters, more than {LONGEST:,}.")
    return _Reader(text).formula()


def _spelled(term: Term) -> str:
    return ":".join(map(str, term))


def _distinct(terms: Iterable[Term]) -> list[Term]:
    """Each term once, whatever the order of its factors."""
    found: dict[frozenset[Factor], Term] = {}
    for term in terms:
        found.setdefault(frozenset(term), tuple(dict.fromkeys(term)))
    return list(found.values())


class _Reader:
    """What is left to read of one formula."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [one.groups() for one in _TOKEN.finditer(text.strip())]
        self.at = 0
        self.depth = 0
        self.intercept = True

    def formula(self) -> Formula:
        self._takes("~")
        terms = self._sum()
        if self.at < len(self.tokens):
            raise self._refusal()
        if not terms and not self.intercept:
            raise ModelError(f"The formula {shown(self.text)} has neither intercept nor covariate.")
        return Formula(tuple(sorted(terms, key=len)), self.intercept)

    def _sum(self) -> list[Term]:
        terms: list[Term] = []
        sign = self._takes("-") or "+"
        while sign:
            terms = self._with(terms, sign)
            sign = self._takes("+", "-")
        return terms

    def _with(self, terms: list[Term], sign: str) -> list[Term]:
        constant = self._number() if not self.depth else None
        if constant is not None:
            if constant not in ("0", "1") or (sign, constant) == ("-", "0"):
                self.at -= 1
                raise self._refusal()
            self.intercept = (sign, constant) == ("+", "1")
            return terms
        product = self._product()
        if sign == "+":
            return self._few([*terms, *product])
        gone = {frozenset(one) for one in product}
        if not gone <= {frozenset(one) for one in terms}:
            raise ModelError(
                f"The formula {shown(self.text)} takes away "
                f"{shown(' + '.join(map(_spelled, product)))}, which is not in it; leave that out."
            )
        return [one for one in terms if frozenset(one) not in gone]

    def _product(self) -> list[Term]:
        parts = [self._crossed()]
        while self._takes("*"):
            parts.append(self._crossed())
        return reduce(lambda one, more: self._few([*one, *more, *_cross(one, more)]), parts)

    def _crossed(self) -> list[Term]:
        parts = [self._atom()]
        while self._takes(":"):
            parts.append(self._atom())
        return reduce(lambda one, more: self._few(_cross(one, more)), parts)

    def _few(self, terms: Sequence[Term]) -> list[Term]:
        found = _distinct(terms)
        if len(found) > MOST_TERMS:
            raise ModelError(f"The formula {shown(self.text)} has more than {MOST_TERMS} terms.")
        return found

    def _atom(self) -> list[Term]:
        if self.depth < DEEPEST and self._takes("("):
            self.depth += 1
            terms = self._sum()
            self._needs(")")
            self.depth -= 1
            return terms
        return [(self._factor(),)]

    def _factor(self) -> Factor:
        before = self.at
        name, quoted = self._name()
        if quoted or not self._takes("("):
            return Factor(name)
        number = 0
        if name not in ("C", "bs", "poly"):
            self.at = before
            raise self._refusal()
        variable, _ = self._name()
        if name != "C":
            number = self._argument(name)
        self._needs(")")
        return Factor(variable, name, number)

    def _argument(self, function: str) -> int:
        self._needs(",")
        if function == "bs":
            self._needs("df")
            self._needs("=")
        allowed = FREEDOM if function == "bs" else DEGREES
        given = self._number()
        if given is None or len(given) > 2 or int(given) not in allowed:
            raise ModelError(
                f"The formula {shown(self.text)}: {function}() takes a whole number from "
                f"{allowed[0]} to {allowed[-1]} after the comma, as in "
                f"{Factor('x', function, 4 if function == 'bs' else 2)}."
            )
        return int(given)

    def _name(self) -> tuple[str, bool]:
        quoted, plain, _, _ = self._token()
        name = quoted or plain
        if name is None or (plain and iskeyword(plain)):
            raise self._refusal()
        self.at += 1
        return name, quoted is not None

    def _number(self) -> str | None:
        number = self._token()[2]
        self.at += number is not None
        return number

    def _takes(self, *wanted: str) -> str:
        """The next token where it is one of those, which is then read; else an empty text."""
        _, plain, _, sign = self._token()
        found = next((one for one in wanted if one in (plain, sign)), "")
        self.at += bool(found)
        return found

    def _needs(self, wanted: str) -> None:
        if not self._takes(wanted):
            raise self._refusal()

    def _token(self) -> tuple[str | None, ...]:
        return self.tokens[self.at] if self.at < len(self.tokens) else (None,) * 4

    def _refusal(self) -> ModelError:
        token = next((one for one in self._token() if one), None)
        where = "ends too early" if token is None else f"cannot be read at {shown(token)}"
        return ModelError(f"The formula {shown(self.text)} {where}. {_MADE_OF}")


def _cross(one: Sequence[Term], more: Sequence[Term]) -> list[Term]:
    return [(*left, *right) for left in one for right in more]
