"""The design matrix of a formula, and what it says of places that are no studies."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..studies import Covariate
from ..ways import shown
from ._columns import Columns, Floats
from ._formula import Formula


def crossed(one: Floats, more: Floats) -> Floats:
    """Every column of one by every column of the other."""
    return (one[:, :, None] * more[:, None, :]).reshape(len(one), -1)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Design:
    """A formula over the studies of one table; made by `design`.

    Attributes
    ----------
    formula : Formula
    names : tuple of str, length p
        Of the columns: ``"intercept"``, ``"latitude"``, ``"allocation[random]"``,
        ``"latitude:allocation[random]"``; ``"allocation[contrast 1]"`` for differences from the
        mean of the levels, which `level` turns into levels.
    kinds : tuple of str, length p
        ``"intercept"``, ``"level"`` (a mean of its own, with the prior of an intercept) or
        ``"slope"``.
    matrix : ndarray, shape (k_used, p)
        Of the studies used, in the order of the table.
    used : ndarray of bool, shape (k,)
        Studies that have all the covariates.
    left_out : mapping of str to tuple of str
        The others, and which covariates they lack.
    centres, scales : mapping of str to float
        Of each numeric covariate: what was taken off, and by what the rest was divided, in the
        covariate's unit.
    levels : mapping of str to tuple of str
        Of each factor.
    terms : tuple of tuple of Columns
        How each term is made of values.
    """

    formula: Formula
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    matrix: Floats
    used: NDArray[np.bool_]
    left_out: Mapping[str, tuple[str, ...]]
    centres: Mapping[str, float]
    scales: Mapping[str, float]
    levels: Mapping[str, tuple[str, ...]]
    terms: tuple[tuple[Columns, ...], ...]

    def over(self, covariates: Mapping[str, Covariate]) -> "Design":
        """Return the same columns of other studies, all of which have the covariates."""
        k = len(next(iter(covariates.values()), ()))
        parts = [np.ones((k, 1))] if "intercept" in self.kinds else []
        for term in self.terms:
            each = [one.of(covariates[one.variable]) for one in term]
            parts.append(reduce(crossed, each))
        matrix, used = np.concatenate(parts, axis=1), np.ones(k, bool)
        matrix.flags.writeable = used.flags.writeable = False
        return replace(self, matrix=matrix, used=used, left_out={})

    def row(self, /, **where: object) -> Floats:
        """Entries of the columns (p,) at a place.

        Parameters
        ----------
        **where
            A number or a level for every covariate of the formula. A name that Python cannot write
            goes by ``**{"year of trial": 1950}``.

        Raises
        ------
        ModelError
            If a covariate is not of the formula or is not given, or has no such level.
        """
        self._check(where)
        lacking = [one for one in self.formula.variables if one not in where]
        if lacking:
            raise ModelError(
                f"A place needs {', '.join(map(shown, lacking))} too, as in {self._example}."
            )
        return self.near(**where)

    def near(self, /, **where: object) -> Floats:
        """Entries (p,) at a place, with the covariates that are not given as in `mean`.

        Raises
        ------
        ModelError
            If a covariate is not of the formula, or has no such level.
        """
        self._check(where)
        parts: list[Floats] = [np.ones(1)] if "intercept" in self.kinds else []
        for term in self.terms:
            each = [
                one.at(where[one.variable]) if one.variable in where else one.mean for one in term
            ]
            parts.append(np.asarray(reduce(np.kron, each), np.float64))
        return np.concatenate(parts)

    @property
    def mean(self) -> Floats:
        """Entries (p,) at the mean of the numbers, each level of a factor counted once."""
        return self.near()

    def level(self, variable: str, level: object) -> Floats:
        """Entries (p,) at one level of a factor and the mean of the others, as in `mean`.

        Raises
        ------
        ModelError
            If there is no such factor or level.
        """
        if variable not in self.levels:
            known = ", ".join(map(shown, self.levels)) or "none"
            raise ModelError(f"{shown(variable)} is no factor of the formula; those are: {known}.")
        return self.near(**{variable: level})

    def prior_sd(self, row: Floats, *, intercept: float, slopes: float) -> float:
        """SD of what a row stands for, under independent priors of the coefficients.

        Parameters
        ----------
        row : ndarray, shape (p,)
            Of `row`, `level` or `mean`, or the difference of two.
        intercept, slopes : float
            SD of the prior of intercept and levels, and of all others.
        """
        own = np.where(np.array(self.kinds) == "slope", slopes, intercept)
        return float(np.linalg.norm(row * own))

    def _check(self, where: Mapping[str, object]) -> None:
        strange = [one for one in where if one not in self.formula.variables]
        if strange:
            known = ", ".join(map(shown, self.formula.variables)) or "none"
            raise ModelError(
                f"{shown(strange[0])} is no covariate of the formula {shown(self.formula.text)}; "
                f"its covariates: {known}."
            )

    @property
    def _example(self) -> str:
        every = {one.variable: one.example for term in self.terms for one in term}
        return ", ".join(f"{name}={one}" for name, one in every.items())
