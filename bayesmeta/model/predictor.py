"""Locations that depend on covariates: effects expected at a sum of coefficients."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from ..arguments import check_switch
from ..design import Design, Formula, check_flat, design, parse, untold
from ..errors import ModelError
from ..priors import Prior
from ..studies import Table, with_covariates
from ..ways import shown, way
from ._named import Named
from ._priors import check_mu
from .location import Array, Location

COEFFICIENT = "coefficient"
DESIGN = "design"  # what programs call it
_COLUMN = re.compile(r"\[[^\]]*\]")  # which level, or which of several columns


class Predictor(Location):
    """Base of the locations whose effects are sums of coefficients.

    Attributes
    ----------
    terms : Formula
        What they are multiplied by.
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """``"coefficient"``, of which there are several."""
        return COEFFICIENT

    @property
    def spelled(self) -> Mapping[str, object]:
        """Itself in the place of mu."""
        return {"mu": self}

    @property
    def overall(self) -> Prior:
        """Refused: there is no such effect."""
        raise ModelError(
            f"This takes a model with one overall effect; here it depends on "
            f"{', '.join(self.terms.variables)}. Ask for it at a place, with posterior.at()."
        )

    @property
    def terms(self) -> Formula:
        """What the coefficients are multiplied by."""
        raise NotImplementedError

    @property
    def variables(self) -> tuple[str, ...]:
        """Those of the formula."""
        return self.terms.variables

    @property
    def scaled(self) -> bool:
        """Whether numbers are divided by their SD."""
        return False

    @property
    def in_words(self) -> str:
        """The formula."""
        return f"effects by {self.terms.text}"

    def prior_of(self, column: str, kind: str) -> Prior:
        """Prior of the coefficient of a column.

        Raises
        ------
        ModelError
            If it has none.
        """
        raise NotImplementedError

    def design(self, data: Table) -> Design:
        """Return the design of the studies that have all covariates.

        Raises
        ------
        ModelError
            If a covariate is unknown, or the formula makes no columns of it.
        """
        return design(self.terms, data.covariates, data.study, apart=False)

    def coefficients(self, made: Design) -> tuple[Prior, ...]:
        """Priors of the columns of a design, (p,).

        Raises
        ------
        ModelError
            If a column has none, or a prior has no column.
        """
        return tuple(map(self.prior_of, made.names, made.kinds))

    def numbered(self, data: Table) -> "Coefficients":
        """Coefficients by number."""
        return Coefficients(self.coefficients(self.design(data)))

    def entries(self, data: Table) -> tuple[str, ...]:
        """Names of the coefficients."""
        return self.design(data).names

    def differences(self, data: Table) -> tuple[str, ...]:
        """Names of the coefficients other than intercept and means of groups."""
        made = self.design(data)
        return tuple(n for n, kind in zip(made.names, made.kinds, strict=True) if kind == "slope")

    def untold(self, data: Table) -> tuple[str, ...]:
        """Which coefficients are zero in all studies, or are not told apart."""
        return tuple(untold(self.design(data)))

    def check_told(self, data: Table) -> None:
        """Refuse flat priors of coefficients that the studies do not tell."""
        made = self.design(data)
        check_flat(made, np.array([not one.proper for one in self.coefficients(made)]))

    def columns(self, data: Table) -> Mapping[str, Array]:
        """The design, (p, k)."""
        return {DESIGN: self.design(data).matrix.T}

    def expected(self, data: Table, draws: Mapping[str, Array]) -> Array:
        """Sums of coefficients, (..., k)."""
        return draws[COEFFICIENT] @ self.columns(data)[DESIGN]

    def kept(self, data: Table) -> "Predictor":
        """With the columns of these studies: a part of them is centred where all were."""
        return Kept(self, self.design(data))

    def complete(self, data: Table) -> Table:
        """Return the studies that have all covariates; the others are among the excluded ones."""
        return with_covariates(data, self.terms.variables, self.design(data).left_out)

    def row(self, data: Table, where: Mapping[str, object]) -> Array:
        """What coefficients are multiplied by at a place, (p,)."""
        return self.design(data).row(**where)


@final
@dataclass(frozen=True, slots=True, init=False, repr=False)
class Linear(Predictor):
    """Effects expected where a formula of covariates says.

    Parameters
    ----------
    formula : str
        Of columns of the table: ``"latitude"``, ``"latitude + allocation"``; names, numbers 0 and
        1, ``+ : * -``, ``C(x)`` for a number that names groups, ``bs(x, df=4)``, ``poly(x, 2)``.
        Numbers are centred at the mean of the studies used, so that the intercept is the effect
        there. A factor alone has a mean per level; one beside others is coded by differences from
        the mean of its levels, which have equal prior variances.
    intercept : Prior
        Of the intercept, and of the mean of each level of a factor alone.
    slopes : Prior or mapping of str to Prior, optional
        Of all other coefficients, per unit of the covariate: one for all, or by covariate or
        column.
    centre : bool
        Whether numbers are centred; if not, the intercept is the effect where all are 0.
    scale : bool
        Divide each number by its standard deviation; slopes are then per standard deviation.

    Raises
    ------
    ModelError
        If the formula is more than this grammar, or a prior is missing.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> bm.Linear("latitude", intercept=bm.Normal(0, 2), slopes=bm.Normal(0, 0.1)).formula.variables
    ('latitude',)
    """

    formula: Formula
    intercept: Prior
    slopes: Prior | Mapping[str, Prior] | None = None
    centre: bool = True
    scale: bool = False

    def __init__(
        self,
        formula: str | Formula,
        *,
        intercept: Prior,
        slopes: Prior | Mapping[str, Prior] | None = None,
        centre: bool = True,
        scale: bool = False,
    ) -> None:
        check_mu(intercept, "intercept")
        check_switch(centre, "centre")
        check_switch(scale, "scale")
        if isinstance(slopes, Mapping):
            for name, prior in slopes.items():
                check_mu(prior, f"slopes[{name}]", example="Normal(0, 1)")
            slopes = Named(slopes)
        elif slopes is not None:
            check_mu(slopes, "slopes", example="Normal(0, 1)")
        read = formula if isinstance(formula, Formula) else parse(formula)
        for name, value in zip(
            ("formula", "intercept", "slopes", "centre", "scale"),
            (read, intercept, slopes, centre, scale),
            strict=True,
        ):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        slopes = "" if self.slopes is None else f", slopes={self.slopes!r}"
        how = ("" if self.centre else ", centre=False") + (", scale=True" if self.scale else "")
        return f"Linear({self.formula.text!r}, intercept={self.intercept!r}{slopes}{how})"

    @property
    def terms(self) -> Formula:
        """The formula as it was read."""
        return self.formula

    def design(self, data: Table) -> Design:
        """Return the design, with numbers centred and scaled as asked."""
        how = {"centre": self.centre, "scale": self.scale}
        return design(self.formula, data.covariates, data.study, **how, apart=False)

    @property
    def scaled(self) -> bool:
        """Whether that was asked for."""
        return self.scale

    @property
    def has_slopes(self) -> bool:
        """Whether slopes have priors."""
        return self.slopes is not None

    @property
    def priors(self) -> Mapping[str, Prior]:
        """Of intercept and slopes."""
        if isinstance(self.slopes, Mapping):
            return {"intercept": self.intercept, **self.slopes}
        return {
            "intercept": self.intercept,
            **({} if self.slopes is None else {"slopes": self.slopes}),
        }

    def prior_of(self, column: str, kind: str) -> Prior:
        """That of the intercept, or of the slope by column or covariate."""
        if kind != "slope":
            return self.intercept
        if isinstance(self.slopes, Prior):
            return self.slopes
        slopes: Mapping[str, Prior] = self.slopes or {}
        for name in (column, _COLUMN.sub("", column)):
            if name in slopes:
                return slopes[name]
        raise ModelError(
            f"The slope of {shown(column)} has no prior; give {way('slopes')}, say, for all of "
            f"them, or {way('slope', _COLUMN.sub('', column))} for each. It is per unit of the "
            "covariate."
        )

    def coefficients(self, made: Design) -> tuple[Prior, ...]:
        """Priors of the columns of a design; a prior without a column is refused."""
        slopes: Mapping[str, Prior] = self.slopes if isinstance(self.slopes, Mapping) else {}
        known = {*made.names, *(_COLUMN.sub("", one) for one in made.names)}
        strange = [name for name in slopes if name not in known]
        if strange:
            raise ModelError(
                f"slopes has a prior of {', '.join(map(shown, strange))}, and the formula "
                f"{shown(self.formula.text)} has no such column; it has {', '.join(made.names)}."
            )
        return Predictor.coefficients(self, made)


@final
@dataclass(frozen=True, slots=True)
class ByGroup(Predictor):
    """An expected effect for each group of studies; as ``tau``, a spread for each.

    Parameters
    ----------
    by : str
        The column that names the groups.
    prior : Prior
        Of each group's effect, or of its tau; independent, so that differences between groups have
        twice its variance.

    Raises
    ------
    ModelError
        If it is no prior.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> bm.ByGroup("severity", bm.Normal(0, 2)).terms.text
    '0 + C(severity)'
    """

    by: str
    prior: Prior

    def __post_init__(self) -> None:
        if not isinstance(self.prior, Prior):  # pyright: ignore[reportUnnecessaryIsInstance]
            self.check()
        _ = self.terms

    def check(self) -> None:
        """Refuse a prior that is none of an effect."""
        check_mu(self.prior, "The prior of ByGroup")

    @property
    def in_words(self) -> str:
        """The groups."""
        return f"effects by groups of {self.by}"

    def design(self, data: Table) -> Design:
        """Return the design; a column that there is none of is named as that."""
        if self.by not in data.covariates:
            has = ", ".join(map(shown, data.covariates)) or "none"
            raise ModelError(
                f"Studies are grouped by {shown(self.by)}, which is no covariate of the table; it "
                f"has {has}."
            )
        return Predictor.design(self, data)

    @property
    def terms(self) -> Formula:
        """A mean per level of the column, numbers as names."""
        if not isinstance(self.by, str) or not self.by.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ModelError(f"ByGroup takes the name of a column first, not {shown(self.by)}.")
        name = self.by if self.by.isidentifier() else f"`{self.by}`"
        return parse(f"0 + C({name})")

    @property
    def priors(self) -> Mapping[str, Prior]:
        """Of each group."""
        return {self.by: self.prior}

    def prior_of(self, column: str, kind: str) -> Prior:
        """The same for every group."""
        return self.prior


@final
@dataclass(frozen=True, slots=True, eq=False)
class Kept(Predictor):
    """A location with the columns of a design that was made before: its centres and its levels."""

    of: Predictor
    made: Design

    def __repr__(self) -> str:
        return repr(self.of)

    @property
    def terms(self) -> Formula:
        """As before."""
        return self.of.terms

    @property
    def has_slopes(self) -> bool:
        """As before."""
        return self.of.has_slopes

    @property
    def priors(self) -> Mapping[str, Prior]:
        """As before."""
        return self.of.priors

    def prior_of(self, column: str, kind: str) -> Prior:
        """As before."""
        return self.of.prior_of(column, kind)

    def design(self, data: Table) -> Design:
        """The same columns of these studies."""
        return self.made.over(data.covariates)


@final
@dataclass(frozen=True, slots=True)
class Coefficients(Predictor):
    """Coefficients by number, as a program is made of them: the design comes with the data."""

    by_number: tuple[Prior, ...]

    @property
    def terms(self) -> Formula:
        """That of the model before; a program needs none."""
        raise ModelError("Numbered coefficients have no formula.")

    @property
    def in_words(self) -> str:
        """Nothing: the formula is that of the model before."""
        return ""

    @property
    def priors(self) -> Mapping[str, Prior]:
        """By number, from 1."""
        return {f"{COEFFICIENT}[{i + 1}]": prior for i, prior in enumerate(self.by_number)}
