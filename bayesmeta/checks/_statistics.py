"""Summaries of a whole table, tied to the question: observed, and in tables a model makes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ..arguments import check_whole
from ..engines import rough_estimates
from ..frequentist import MANTEL_HAENSZEL
from ..model import Data, Model
from ..posterior import MOST_DRAWS

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]
type Columns = Mapping[str, Array]

SIGNIFICANT = 1.959964  # of |y / se|
HALF = "½ added to every count"  # which makes estimates of any table; others add it where needed
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
    how : str
        What it is made of, where another analysis of these data takes something else.
    of : str
        The parameter that all studies share of which it speaks; ``""`` for none.
    of_scatter : bool
        Whether it says how far studies lie apart: that they agree better than a model or its priors
        expected is no misfit, for they may by chance, however large tau is.
    """

    name: str
    observed: float
    replicated: Array
    p: float
    discrete: bool
    how: str = ""
    of_scatter: bool = False
    of: str = ""

    @property
    def label(self) -> str:
        """Its name with what it is made of, e.g. ``"Q (½ added to every count)"``."""
        return f"{self.name} ({self.how})" if self.how else self.name

    @property
    def p_mcse(self) -> float:
        """Monte Carlo standard error of `p`, at most, for independent draws."""
        if not self.replicated.size:
            return np.nan
        return float(np.sqrt(self.p * (1 - self.p) / self.replicated.size))

    @property
    def misfit(self) -> bool:
        """Whether the model hardly ever makes a table with this value."""
        return self.p < TAIL or (self.p > 1 - TAIL and not self.of_scatter)

    @property
    def limit(self) -> str:
        """Where `p` lies without a misfit, in words."""
        return f"≥ {TAIL}" if self.of_scatter else f"{TAIL} to {1 - TAIL}"


class Values(NamedTuple):
    """A statistic of many tables, (n,), with what a ``Statistic`` says of it."""

    values: Array
    discrete: bool = False
    how: str = ""
    of_scatter: bool = False
    of: str = ""


def statistics(model: Model, data: Data, made: Columns) -> tuple[Statistic, ...]:
    """Compare every statistic of the data with those of replicated tables, each column (n, k)."""
    known = (
        data.numbers
        if "y" not in made
        else {"y": rough_estimates(model.likelihood, data, data.numbers)[0]}
    )
    seen = _all(model, {**_rows(data.numbers), **_rows(known)}, data)
    new = _all(model, {**data.numbers, **made}, data)
    return tuple(_compared(name, float(seen[name].values[0]), new[name]) for name in new)


def _rows(columns: Columns) -> Columns:
    return {name: values[None] for name, values in columns.items()}


def _compared(name: str, seen: float, made: Values) -> Statistic:
    new = made.values[~np.isnan(made.values)]
    known = new.size and not np.isnan(seen)
    p = float((new > seen).mean() + 0.5 * (new == seen).mean()) if known else np.nan
    return Statistic(name, seen, new, p, *made[1:])


def check_settings(seed: int, draws: int) -> None:
    """Refuse a seed or a number of draws that nothing can be drawn with."""
    for name, value, least in (("seed", seed, 0), ("draws", draws, 2)):
        check_whole(value, name, least, MOST_DRAWS if name == "draws" else 2**63 - 1)


def _all(model: Model, columns: Columns, data: Data) -> Mapping[str, Values]:
    """Every statistic of tables whose columns are (n, k) or, where they are given, (k,)."""
    scale = model.scale(data)
    y, se = rough_estimates(model.likelihood, data, columns)
    weight = np.broadcast_to(se, y.shape) ** -2.0
    total = weight.sum(axis=-1)
    mean = (weight * y).sum(axis=-1) / total
    found: dict[str, Values] = {}
    half = HALF if model.likelihood.counted else ""
    pooled = Values(mean, how=half)
    if model.likelihood.measure in _POOLED:
        pooled = Values(_POOLED[model.likelihood.measure](columns), how="Mantel–Haenszel")
    found[f"pooled {scale.analysis_label}"] = pooled._replace(of="mu")
    if data.k > 1:
        found["Q"] = Values(
            (weight * (y - mean[..., None]) ** 2).sum(axis=-1), False, half, True, "tau"
        )
        spread = np.sqrt(np.maximum(1 / weight - 1 / total[..., None], 1e-300))
        largest = (np.abs(y - mean[..., None]) / spread).max(axis=-1)
        found["largest standardised residual"] = Values(largest, False, half, True)
    if scale.comparative:
        significant = (np.abs(y / se) > SIGNIFICANT).sum(axis=-1)
        found["studies significant by themselves"] = Values(significant.astype(float), True, half)
    if model.likelihood.counted:
        events = [each for name, each in columns.items() if name.startswith("events")]
        zeros = sum((each == 0).sum(axis=-1) for each in events)
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
    "RR": partial(_pooled_ratio, "RR"),
    "OR": partial(_pooled_ratio, "OR"),
    "RD": _pooled_rd,
    "IRR": _pooled_irr,
}


def quantile_errors(values: Array, tails: Array) -> Array:
    """Monte Carlo standard errors of quantiles of independent draws, one per tail.

    Half the distance of the order statistics a standard deviation of their rank apart.
    """
    n = values.size
    apart = np.sqrt(tails * (1 - tails) / n)
    ends = np.clip([tails - apart, tails + apart], 0.0, 1.0)
    low, high = np.quantile(values, ends, method="inverted_cdf")
    with np.errstate(invalid="ignore"):
        return np.where(low == high, 0.0, (high - low) / 2)


def statistics_table(found: tuple[Statistic, ...], prob: float) -> "pd.DataFrame":
    """The statistics as a table: observed, predicted and p, with their Monte Carlo errors."""
    import pandas as pd

    tails = np.array([0.5, (1 - prob) / 2, (1 + prob) / 2])
    names = ("predicted_median", "predicted_lower", "predicted_upper")
    of_errors = tuple(f"{name}_mcse" for name in names)
    rows = []
    for one in found:
        known = one.replicated.size > 0
        values, errors = np.full((2, 3), np.nan)
        if known:  # some may be infinite: no interpolation
            values = np.quantile(one.replicated, tails, method="inverted_cdf")
            errors = quantile_errors(one.replicated, tails)
        ends = dict(zip((*names, *of_errors), map(float, (*values, *errors)), strict=True))
        rows.append(
            {"statistic": one.name, "observed": one.observed, **ends, "p": one.p}
            | {"p_mcse": one.p_mcse, "how": one.how}
        )
    columns = ["statistic", "observed", *names, "p", "how", *of_errors, "p_mcse"]
    return pd.DataFrame(rows, columns=columns).set_index("statistic")
