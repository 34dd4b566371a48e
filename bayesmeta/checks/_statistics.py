"""Summaries of a whole table, tied to the question: observed, and in tables a model makes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ..engines import rough_estimates
from ..errors import ModelError
from ..frequentist import MANTEL_HAENSZEL
from ..model import Data, Model
from ..studies import Studies

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]
type Columns = Mapping[str, Array]

SIGNIFICANT = 1.959964  # of |y / se|
TAIL = 0.025  # a predictive p beyond is a misfit


@final
@dataclass(frozen=True, slots=True)
class Statistic:
    """One summary of a whole table: observed, and in tables the model would make.

    Attributes
    ----------
    name : str
    observed : float
    replicated : ndarray, shape (draws,)
    p : float
        P(replicated > observed) + ½ P(replicated = observed); near 0 or 1 is a misfit.
    discrete : bool
        Whether it counts something.
    """

    name: str
    observed: float
    replicated: Array
    p: float
    discrete: bool

    @property
    def misfit(self) -> bool:
        """Whether the model hardly ever makes a table with this value."""
        return self.p < TAIL or self.p > 1 - TAIL


class Values(NamedTuple):
    """A statistic of many tables, (n,), and whether it counts something."""

    values: Array
    discrete: bool = False


def statistics(model: Model, data: Data, made: Columns) -> tuple[Statistic, ...]:
    """Compare every statistic of the data with those of replicated tables, each column (n, k)."""
    known = (
        data.numbers if "y" not in made else {"y": rough_estimates(model, data, data.numbers)[0]}
    )
    seen = _all(model, {**_rows(data.numbers), **_rows(known)}, data)
    new = _all(model, {**data.numbers, **made}, data)
    return tuple(_compared(name, float(seen[name].values[0]), *new[name]) for name in new)


def _rows(columns: Columns) -> Columns:
    return {name: values[None] for name, values in columns.items()}


def _compared(name: str, seen: float, new: Array, discrete: bool) -> Statistic:  # noqa: FBT001
    new = new[~np.isnan(new)]
    known = new.size and not np.isnan(seen)
    p = float((new > seen).mean() + 0.5 * (new == seen).mean()) if known else np.nan
    return Statistic(name, seen, new, p, discrete)


def check_settings(seed: int, draws: int) -> None:
    """Refuse a seed or a number of draws that nothing can be drawn with."""
    for name, value, least in (("seed", seed, 0), ("draws", draws, 2)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ModelError(f"{name} must be a whole number, {least} or more; got {value!r}.")


def _all(model: Model, columns: Columns, data: Data) -> Mapping[str, Values]:
    """Every statistic of tables whose columns are (n, k) or, where they are given, (k,)."""
    scale = model.scale(data)
    y, se = rough_estimates(model, data, columns)
    weight = np.broadcast_to(se, y.shape) ** -2.0
    total = weight.sum(axis=-1)
    mean = (weight * y).sum(axis=-1) / total
    found: dict[str, Values] = {}
    key = type(data).__name__ + str(getattr(model, "measure", ""))
    pooled = _POOLED[key](columns) if key in _POOLED else mean
    found[f"pooled {scale.analysis_label}"] = Values(pooled)
    if data.k > 1:
        found["Q"] = Values((weight * (y - mean[..., None]) ** 2).sum(axis=-1))
        spread = np.sqrt(np.maximum(1 / weight - 1 / total[..., None], 1e-300))
        largest = (np.abs(y - mean[..., None]) / spread).max(axis=-1)
        found["largest standardised residual"] = Values(largest)
    if scale.comparative:
        significant = (np.abs(y / se) > SIGNIFICANT).sum(axis=-1)
        found["studies significant by themselves"] = Values(significant.astype(float), True)
    if isinstance(data, Studies):
        zeros = sum((columns[f"events{arm}"] == 0).sum(axis=-1) for arm in data.arms)
        found["arms without an event"] = Values(np.asarray(zeros, dtype=float), True)
    return found


def _arms(columns: Columns, size: str) -> tuple[Array, Array, Array, Array]:
    names = ("events_treatment", f"{size}_treatment", "events_control", f"{size}_control")
    a, n1, c, n0 = (columns[name] for name in names)
    return a, n1, c, n0


def _pooled_ratio(measure: str, columns: Columns) -> Array:
    """Log of a ratio of sums: infinite where one is zero, which keeps its place; NaN for both."""
    a, n1, c, n0 = _arms(columns, "n")
    with np.errstate(divide="ignore"):
        return np.log(MANTEL_HAENSZEL[measure](a, n1 - a, c, n0 - c)[0])


def _pooled_rd(columns: Columns) -> Array:
    """Mantel–Haenszel risk difference on the scale of the model, atanh."""
    a, n1, c, n0 = _arms(columns, "n")
    difference, _ = MANTEL_HAENSZEL["RD"](a, n1 - a, c, n0 - c)
    return np.arctanh(np.clip(difference, -1 + 1e-15, 1 - 1e-15))


def _pooled_irr(columns: Columns) -> Array:
    with np.errstate(divide="ignore"):
        return np.log(MANTEL_HAENSZEL["IRR"](*_arms(columns, "time"))[0])


# Mantel–Haenszel (Greenland & Robins 1985, Biometrics 41:55-68) where there are two arms: defined
# with zeros too. Elsewhere estimates are pooled by their inverse variances.
_POOLED: Mapping[str, Callable[[Columns], Array]] = {
    "BinaryStudiesRR": partial(_pooled_ratio, "RR"),
    "BinaryStudiesOR": partial(_pooled_ratio, "OR"),
    "BinaryStudiesRD": _pooled_rd,
    "PersonTimeStudiesIRR": _pooled_irr,
}


def statistics_table(found: tuple[Statistic, ...], prob: float) -> "pd.DataFrame":
    """The statistics as a table: observed, predicted and p."""
    import pandas as pd

    tails = [0.5, (1 - prob) / 2, (1 + prob) / 2]
    names = ("predicted_median", "predicted_lower", "predicted_upper")
    rows = []
    for one in found:
        known = one.replicated.size > 0
        values = np.full(3, np.nan)
        if known:  # some may be infinite: no interpolation
            values = np.quantile(one.replicated, tails, method="inverted_cdf")
        ends = dict(zip(names, map(float, values), strict=True))
        rows.append({"statistic": one.name, "observed": one.observed, **ends, "p": one.p})
    columns = ["statistic", "observed", *names, "p"]
    return pd.DataFrame(rows, columns=columns).set_index("statistic")
