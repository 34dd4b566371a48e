"""Combinations of coefficients that people ask for, by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..design import Columns, Design
from ..model import Predictor
from ..posterior import Marginal, Posterior
from ..priors import Normal, Prior

type Array = NDArray[np.float64]

MINUS = " − "


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """The posterior of a combination of coefficients, on the analysis scale.

    Attributes
    ----------
    name : str
        E.g. ``"latitude"``, ``"random"``, ``"random − alternate"``.
    by : str
        The covariate, or empty.
    per : str
        Of a slope what it is per, ``"unit of latitude"``; empty of what is an effect itself.
    marginal : Marginal
    new : Marginal or None
        Of an effect that of a new study there.
    k : int or None
        Of a group its studies.
    prior : Prior or None
        Of a group or a difference what the priors of the coefficients imply; None where it has no
        name.
    scaled : float
        Of a coefficient by what it was divided to be per unit.
    """

    name: str
    by: str = ""
    per: str = ""
    marginal: Marginal
    new: Marginal | None = None
    k: int | None = None
    prior: Prior | None = None
    scaled: float = 1.0

    def ends(self, prob: float) -> tuple[float, float, float]:
        """Median and both ends of the interval."""
        return (float(self.marginal.quantile(0.5)), *self.marginal.interval(prob))


def coefficients(fit: Posterior, location: Predictor, made: Design) -> Iterator[Contrast]:
    """Each column of the design, per unit of the covariate whatever it was scaled by."""
    assert fit.linear is not None
    priors = location.coefficients(made)
    units = _units(made)
    for j, (name, kind) in enumerate(zip(made.names, made.kinds, strict=True)):
        row = np.eye(len(made.names))[j] / units[j]
        where = _middle(made) if kind == "intercept" else ""
        yield Contrast(
            name=f"{name}{where}",
            per=f"unit of {name}" if kind == "slope" and "[" not in name else "",
            marginal=fit.linear(row),
            prior=implied(row, priors),
            scaled=float(units[j]),
        )


def groups(fit: Posterior, location: Predictor, made: Design) -> Iterator[Contrast]:
    """The expected effect in each level of each factor, others at their mean."""
    priors = location.coefficients(made)
    for variable, levels in made.levels.items():
        for level in levels:
            own = implied(made.near(**{variable: level}), priors)
            yield replace(_there(fit, made, {variable: level}, level, variable), prior=own)


def differences(fit: Posterior, location: Predictor, made: Design) -> Iterator[Contrast]:
    """The later level less the earlier one, for each pair of levels of each factor."""
    assert fit.linear is not None
    priors = location.coefficients(made)
    for variable, levels in made.levels.items():
        for one, other in combinations(levels, 2):
            row = made.level(variable, other) - made.level(variable, one)
            yield Contrast(
                name=f"{other}{MINUS}{one}",
                by=variable,
                marginal=fit.linear(row),
                prior=implied(row, priors),
            )


def place(fit: Posterior, made: Design, where: Mapping[str, object]) -> Contrast:
    """The expected effect at a place; covariates that it does not name stay at their mean."""
    name = ", ".join(f"{variable} {_written(value)}" for variable, value in where.items())
    return _there(fit, made, where, name, "")


def ends_of_lines(fit: Posterior, made: Design) -> Iterator[Mapping[str, float]]:
    """The lowest, the mean and the highest value of each number."""
    for variable in (one for one in made.formula.variables if one not in made.levels):
        column = np.asarray(fit.data.covariates[variable], dtype=np.float64)
        for value in dict.fromkeys((column.min(), column.mean(), column.max())):
            yield {variable: float(value)}


def first_asked(made: Design, each: tuple[Contrast, ...], between: tuple[Contrast, ...]) -> int:
    """Which of coefficients and then differences a reader asks first.

    The first slope of a number, of those that vary if any does; without any the first difference of
    groups, else the first coefficient.
    """
    slopes = [
        j
        for j, (name, kind) in enumerate(zip(made.names, made.kinds, strict=True))
        if kind == "slope" and name in {one.variable for one in _lines(made)}
    ]
    slopes.sort(key=lambda j: not made.matrix[:, j].any())
    return slopes[0] if slopes else len(each) if between else 0


def implied(row: Array, priors: tuple[Prior, ...]) -> Prior | None:
    """The prior of a sum of independent coefficients, where all that it takes are normal."""
    own = [(w, prior) for w, prior in zip(row.tolist(), priors, strict=True) if w]
    normal = [(w, *prior.numbers.values()) for w, prior in own if type(prior) is Normal]
    if len(normal) < len(own) or not own:
        return None
    mean = sum(w * m for w, m, _ in normal)
    return Normal(float(mean), float(np.linalg.norm([w * sd for w, _, sd in normal])))


def members(fit: Posterior, made: Design, variable: str, level: str) -> NDArray[np.bool_]:
    """Which studies are of a level, (k,)."""
    columns = next(one for term in made.terms for one in term if one.variable == variable)
    return (columns.of(fit.data.covariates[variable]) == columns.at(level)).all(axis=1)


def _there(
    fit: Posterior, made: Design, where: Mapping[str, object], name: str, by: str
) -> Contrast:
    whole = set(where) == set(made.formula.variables)
    row = made.near(**where)
    assert fit.linear is not None

    def at(*, new: bool) -> Marginal:
        return fit.at(new=new, **where) if whole else fit.linear(row, new=new)  # pyright: ignore

    spread = fit.model.between.new is not None
    return Contrast(
        name=name,
        by=by,
        marginal=at(new=False),
        new=at(new=True) if spread else None,
        k=int(members(fit, made, by, str(where[by])).sum()) if by else None,
    )


def _lines(made: Design) -> Iterator[Columns]:
    """Columns of numbers that enter as they are."""
    return (one for term in made.terms for one in term if one.names == (one.variable,))


def _units(made: Design) -> Array:
    """By what the coefficient of each column is divided to be per unit, (p,)."""
    found = [np.ones(1)] if "intercept" in made.kinds else []
    for term in made.terms:
        lines = [one.variable for one in term if one.names == (one.variable,)]
        size = int(np.prod([len(one.names) for one in term]))
        found.append(np.full(size, float(np.prod([made.scales[one] for one in lines]))))
    return np.concatenate(found)


def _middle(made: Design) -> str:
    """Where the intercept is the effect, if numbers are centred."""
    centred = {name: centre for name, centre in made.centres.items() if centre}
    said = ", ".join(f"{name} {_written(centre)}" for name, centre in centred.items())
    return f" (at {said})" if said else ""


def _written(value: object) -> str:
    return f"{value:.4g}" if type(value) is float else str(value)
