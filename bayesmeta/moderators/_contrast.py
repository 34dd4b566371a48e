"""Combinations of coefficients that people ask for, by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ..design import Columns, Design, tells
from ..errors import ModelError
from ..model import Predictor
from ..posterior import Marginal, Posterior
from ..priors import Normal, Prior
from ..ways import shown

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
    told : bool
        Whether any study tells of it; else it has its prior.
    """

    name: str
    by: str = ""
    per: str = ""
    marginal: Marginal
    new: Marginal | None = None
    k: int | None = None
    prior: Prior | None = None
    scaled: float = 1.0
    told: bool = True

    def ends(self, prob: float) -> tuple[float, float, float]:
        """Median and both ends of the interval."""
        return (float(self.marginal.quantile(0.5)), *self.marginal.interval(prob))


class Combination(NamedTuple):
    """A combination of coefficients before any fit: as `Contrast`, with its row (p,)."""

    name: str
    row: Array
    by: str = ""
    per: str = ""
    scaled: float = 1.0
    told: bool = True

    def of(self, fit: Posterior, priors: tuple[Prior, ...]) -> Contrast:
        """Its posterior in a fit."""
        assert fit.linear is not None
        return Contrast(
            name=self.name,
            by=self.by,
            per=self.per,
            marginal=fit.linear(self.row),
            prior=implied(self.row, priors),
            scaled=self.scaled,
            told=self.told,
        )


def columns(made: Design) -> Iterator[Combination]:
    """Each column of the design, per unit of the covariate whatever it was scaled by."""
    units, every = _units(made), np.eye(len(made.names))
    for j, (name, kind) in enumerate(zip(made.names, made.kinds, strict=True)):
        yield Combination(
            name=f"{name}{_middle(made) if kind == 'intercept' else ''}",
            row=every[j] / units[j],
            per=f"unit of {name}" if kind == "slope" and "[" not in name else "",
            scaled=float(units[j]),
            told=tells(made, every[j]),
        )


def pairs(made: Design) -> Iterator[Combination]:
    """The later level less the earlier one, for each pair of levels of each factor."""
    for variable, levels in made.levels.items():
        for one, other in combinations(levels, 2):
            row = made.level(variable, other) - made.level(variable, one)
            name = f"{other}{MINUS}{one}"
            yield Combination(name, row, by=variable, told=tells(made, row))


def coefficients(fit: Posterior, location: Predictor, made: Design) -> Iterator[Contrast]:
    """Each column of the design."""
    priors = location.coefficients(made)
    return (one.of(fit, priors) for one in columns(made))


def groups(fit: Posterior, location: Predictor, made: Design) -> Iterator[Contrast]:
    """The expected effect in each level of each factor, others at their mean."""
    priors = location.coefficients(made)
    for variable, levels in made.levels.items():
        for level in levels:
            own = implied(made.near(**{variable: level}), priors)
            yield replace(_there(fit, made, {variable: level}, level, variable), prior=own)


def differences(fit: Posterior, location: Predictor, made: Design) -> Iterator[Contrast]:
    """Each pair of levels."""
    priors = location.coefficients(made)
    return (one.of(fit, priors) for one in pairs(made))


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


def first_asked(made: Design) -> int:
    """Which of `columns` and then `pairs` a reader asks first.

    The first slope of a number, of those that vary if any does; without any the first difference of
    groups, else the first coefficient.
    """
    slopes = [
        j
        for j, (name, kind) in enumerate(zip(made.names, made.kinds, strict=True))
        if kind == "slope" and name in {one.variable for one in _lines(made)}
    ]
    slopes.sort(key=lambda j: not made.matrix[:, j].any())
    return slopes[0] if slopes else len(made.names) if any(pairs(made)) else 0


def asked(posterior: Posterior, of: str | Mapping[str, object] | None = None) -> Contrast:
    """What a fit says of a coefficient, a difference or a place, by default of the headline.

    Parameters
    ----------
    posterior : Posterior
        Of a model with covariates.
    of : str or mapping, optional
        ``"latitude"``, ``"random − alternate"`` (or with a hyphen), where several factors have such
        levels ``"allocation: random − alternate"``; a value for each covariate,
        ``{"latitude": 20}``, as `Posterior.at` takes them, for the effect there.

    Raises
    ------
    ModelError
        If there is none of that name, or no such place.
    """
    location = posterior.model.location
    assert isinstance(location, Predictor)
    made = location.design(posterior.data)
    if isinstance(of, Mapping):
        location.row(posterior.data, of)  # which refuses a place that is told in part
        return place(posterior, made, of)
    every = [*columns(made), *pairs(made)]
    known = {one.name: one for one in reversed(every)}
    known |= {f"{one.by}: {one.name}": one for one in every if one.by}
    known |= dict(zip(made.names, every, strict=False))
    name = every[first_asked(made)].name if of is None else str(of).replace(" - ", MINUS)
    if name not in known:
        said = ", ".join(shown(one) for one in (*made.names, *(one.name for one in pairs(made))))
        raise ModelError(f"There is no coefficient or difference {shown(of)}; there are {said}.")
    return known[name].of(posterior, location.coefficients(made))


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
        told=tells(made, row),
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
    """A number as it was asked for; a mean with the digits that tell it from its neighbours."""
    if type(value) is not float:
        return str(value)
    asked = f"{value:.8g}"
    size = abs(value)
    return asked if float(asked) == value else f"{value:.{6 if 1000 <= size < 1e6 else 4}g}"
