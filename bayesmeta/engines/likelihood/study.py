"""What each study says of its own effect: log likelihoods on a grid, whatever the model."""

# SciPy types its results as unions with a second return value:
# pyright: reportArgumentType=false
# pyright: reportOperatorIssue=false

from collections.abc import Mapping
from functools import lru_cache, singledispatch

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, expit, gammaln, log_expit, log_ndtr, logsumexp, pdtr

from ...errors import ModelError
from ...model import (
    BetaBinomial,
    BinomialNormal,
    ContinuousNormal,
    Data,
    HypergeometricNormal,
    IncidenceNormal,
    Model,
    NormalNormal,
    PoissonNormal,
    ProportionNormal,
)
from ...priors import LOG_2PI
from ...studies import ContinuousStudies, Studies, name_rows
from .continuous import log_above, log_densities, rough_continuous
from .tables import Part, Points, Row, log_likelihood

type Array = NDArray[np.float64]

SOFT = 10  # events at which a corner is too soft to matter
LARGEST_SUPPORT = 4096  # counts that a table with fixed margins may hold


@singledispatch
def log_likelihoods(model: Model, data: Data, grid: Points, spacing: float) -> Array:
    """Log likelihood of every study on a grid of theta, baselines integrated out, (k, size).

    Parameters
    ----------
    model : Model
    data : Data
        Of the kind that the model takes.
    grid : Grid, Graded or Places
    spacing : float
        Step of the rule for the baseline, in its own unit.

    Raises
    ------
    ModelError
        If the model has no likelihood of this form.
    """
    raise ModelError(f"The exact engine cannot fit {type(model).__name__}; use NUTS(seed=...).")


def rows(data: Studies) -> list[Row]:
    """The studies one by one."""
    return [tuple(map(float, row)) for row in zip(*data.numbers.values(), strict=True)]


@log_likelihoods.register
def _binomial(model: BinomialNormal, data: Studies, grid: Points, spacing: float) -> Array:
    return _with_baseline(model, data, grid, spacing)


@log_likelihoods.register
def _poisson(model: PoissonNormal, data: Studies, grid: Points, spacing: float) -> Array:
    return _with_baseline(model, data, grid, spacing)


def _with_baseline(
    model: BinomialNormal | PoissonNormal,
    data: Studies,
    grid: Points,
    spacing: float,
    part: Part = "all",
) -> Array:
    given = model.link, model.baseline, grid, spacing, part
    return np.array([log_likelihood(row, *given) for row in rows(data)])  # pyright: ignore[reportArgumentType]


@singledispatch
def log_parts(model: Model, data: Data, grid: Points, spacing: float) -> tuple[Array, Array]:
    """What each study says of its effect before its result is known, and how low its result is.

    Parameters
    ----------
    model, data, grid, spacing
        As of ``log_likelihoods``.

    Returns
    -------
    tuple of ndarray, shape (k, size)
        Log likelihood of what the result is predicted from: of the control arm's counts, or zero
        where nothing of the study is taken as known. And the log of that times the probability of
        a lower result: fewer events of the treatment arm, or a smaller estimate.
    """
    raise ModelError(f"The exact engine cannot fit {type(model).__name__}; use NUTS(seed=...).")


@log_parts.register
def _(model: BinomialNormal, data: Studies, grid: Points, spacing: float) -> tuple[Array, Array]:
    return _parts_with_baseline(model, data, grid, spacing)


@log_parts.register
def _(model: PoissonNormal, data: Studies, grid: Points, spacing: float) -> tuple[Array, Array]:
    return _parts_with_baseline(model, data, grid, spacing)


def _parts_with_baseline(
    model: BinomialNormal | PoissonNormal, data: Studies, grid: Points, spacing: float
) -> tuple[Array, Array]:
    control, below = (
        _with_baseline(model, data, grid, spacing, part) for part in ("control", "below")
    )
    return control, below


@log_parts.register
def _(_: HypergeometricNormal, data: Studies, grid: Points, spacing: float) -> tuple[Array, Array]:
    below = np.array([_fisher_below(row, grid) for row in rows(data)])
    return np.zeros_like(below), below


@log_parts.register
def _(_: ProportionNormal, data: Studies, grid: Points, spacing: float) -> tuple[Array, Array]:
    events, n = (data.numbers[name][:, None] for name in ("events", "n"))
    return _alone(bdtr(events - 1, n.astype(np.int64), expit(grid.points)))


@log_parts.register
def _(_: IncidenceNormal, data: Studies, grid: Points, spacing: float) -> tuple[Array, Array]:
    events, time = (data.numbers[name][:, None] for name in ("events", "time"))
    return _alone(pdtr(events - 1, time * np.exp(np.minimum(grid.points, 500.0))))


@log_parts.register
def _(_: NormalNormal, data: Data, grid: Points, spacing: float) -> tuple[Array, Array]:
    y, se = (data.numbers[name][:, None] for name in ("y", "se"))
    below = log_ndtr((y - grid.points) / se)
    return np.zeros_like(below), below


@log_parts.register
def _(
    model: ContinuousNormal, data: ContinuousStudies, grid: Points, spacing: float
) -> tuple[Array, Array]:
    above = log_above(model, data, grid.points, spacing)
    return np.zeros_like(above), above


def _alone(probability: Array) -> tuple[Array, Array]:
    with np.errstate(divide="ignore"):
        return np.zeros_like(probability), np.log(np.nan_to_num(probability))


@log_likelihoods.register
def _hypergeometric(_: HypergeometricNormal, data: Studies, grid: Points, spacing: float) -> Array:
    supports(data)
    return np.array([_fisher(row, grid) for row in rows(data)])


@lru_cache(maxsize=512)
def _fisher(row: Row, grid: Points) -> Array:
    """Log of Fisher's non-central hypergeometric probability of the treatment arm's events."""
    count, weight = _margins(row)
    value = weight[count == row[0]] - _log_sum(count - row[0], weight, grid)
    value.setflags(write=False)
    return value


def _fisher_below(row: Row, grid: Points) -> Array:
    """Log probability of fewer events of the treatment arm, its margins given."""
    count, weight = _margins(row)
    fewer = count < row[0]
    if not fewer.any():
        return np.full(grid.size, -np.inf)
    a = row[0]
    return _log_sum(count[fewer] - a, weight[fewer], grid) - _log_sum(count - a, weight, grid)


def _margins(row: Row) -> tuple[Array, Array]:
    """Counts that a table with these margins may hold, and their log weights at theta = 0."""
    a, n1, c, n0 = row
    count = np.arange(max(0.0, a + c - n0), min(n1, a + c) + 1)
    each = np.array([count, n1 - count, a + c - count, n0 - a - c + count])
    weight = -gammaln(each + 1).sum(axis=0)
    return count, weight - weight.max()


def _log_sum(count: Array, weight: Array, grid: Points) -> Array:
    """Log of the sum of ``exp(weight + theta count)`` at every theta, (size,)."""
    value = np.empty(grid.size)
    for part in np.array_split(np.arange(grid.size), max(1, grid.size * count.size // 2**20)):
        value[part] = logsumexp(weight + grid.points[part, None] * count, axis=1)
    return value


def supports(data: Studies) -> Array:
    """How many counts each table may hold once its margins are fixed, shape (k,).

    Raises
    ------
    ModelError
        If there are more than can be summed.
    """
    a, n1, c, n0 = (data.numbers[name] for name in data.columns())
    size = np.minimum(n1, a + c) - np.maximum(0, a + c - n0) + 1
    if (size > LARGEST_SUPPORT).any():
        raise ModelError(
            f"HypergeometricNormal sums over every count a table may hold, {LARGEST_SUPPORT:,} at "
            f"most; {name_rows(data.study, size > LARGEST_SUPPORT)} has {size.max():,.0f}. Use "
            "BinomialNormal(measure='OR'): with that many events the two hardly differ."
        )
    return size


@log_likelihoods.register
def _proportion(_: ProportionNormal, data: Studies, grid: Points, spacing: float) -> Array:
    events, n = (data.numbers[name][:, None] for name in ("events", "n"))
    theta = grid.points
    choose = gammaln(n + 1) - gammaln(events + 1) - gammaln(n - events + 1)
    return choose + events * log_expit(theta) + (n - events) * log_expit(-theta)


@log_likelihoods.register
def _incidence(_: IncidenceNormal, data: Studies, grid: Points, spacing: float) -> Array:
    events, time = (data.numbers[name][:, None] for name in ("events", "time"))
    log_mean = np.log(time) + grid.points
    return events * log_mean - np.exp(np.minimum(log_mean, 700.0)) - gammaln(events + 1)


@log_likelihoods.register
def _normal(_: NormalNormal, data: Data, grid: Points, spacing: float) -> Array:
    y, se = (data.numbers[name][:, None] for name in ("y", "se"))
    return -0.5 * ((y - grid.points) / se) ** 2 - np.log(se) - 0.5 * LOG_2PI


@log_likelihoods.register
def _continuous(
    model: ContinuousNormal, data: ContinuousStudies, grid: Points, spacing: float
) -> Array:
    return log_densities(model, data, grid.points, spacing)


def rough_effects(model: Model, data: Data) -> tuple[Array, Array]:
    """Each study's own estimate and standard error on the scale of theta, both (k,)."""
    if isinstance(data, ContinuousStudies):
        return rough_continuous(model, data)
    if not isinstance(data, Studies):
        return data.numbers["y"], data.numbers["se"]
    return rough_counts(link_of(model), data.numbers)


def link_of(model: Model) -> str:
    """One key for the likelihood of a model."""
    if isinstance(model, BinomialNormal | PoissonNormal):
        return model.link
    for kind, link in _LINKS.items():
        if isinstance(model, kind):
            return link
    raise ModelError(f"{type(model).__name__} has no likelihood of counts with one effect a study.")


_LINKS: Mapping[type[Model], str] = {
    HypergeometricNormal: "hypergeometric",
    BetaBinomial: "OR half",
    ProportionNormal: "PLO",
    IncidenceNormal: "IRLN",
}


def rough_counts(link: str, columns: Mapping[str, Array]) -> tuple[Array, Array]:
    """Estimates and standard errors with ½ added to every cell; NaN where there is no study.

    They say where to look, no more: nodes are placed by them.
    """
    e1, n1, *control = columns.values()
    a = e1 + 0.5
    with np.errstate(invalid="ignore", divide="ignore"):
        if link == "IRLN":
            return np.log(a / n1), a**-0.5
        if link == "PLO":
            return np.log(a / (n1 - e1 + 0.5)), np.sqrt(1 / a + 1 / (n1 - e1 + 0.5))
        e0, n0 = control
        c = e0 + 0.5
        if link == "IRR":
            return np.log(a * n0 / (c * n1)), np.sqrt(1 / a + 1 / c)
        return _rough_arms(link, a, n1 - e1 + 0.5, c, n0 - e0 + 0.5)


def _rough_arms(link: str, a: Array, b: Array, c: Array, d: Array) -> tuple[Array, Array]:
    if link == "RR":
        ratio = np.log(a * (c + d) / (c * (a + b)))
        return ratio, np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))
    if link == "RD":
        risk = np.clip(a / (a + b) - c / (c + d), -0.99, 0.99)
        se = np.sqrt(a * b / (a + b) ** 3 + c * d / (c + d) ** 3)
        return np.arctanh(risk), se / (1 - risk**2)
    return np.log(a * d / (b * c)), np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)


def kinked(model: Model, data: Data) -> NDArray[np.bool_]:
    """Studies whose likelihood has a corner at theta = 0, shape (k,).

    The baseline of a risk ratio is nearly free upwards where few patients go without the event,
    that of a risk difference also downwards where few have it; which arm it then bounds changes at
    no effect. The corner softens with the number of those patients in both arms together.
    """
    if not isinstance(model, BinomialNormal):
        return np.zeros(data.k, bool)
    return corner(model.measure, data.numbers)


def corner(measure: str, columns: Mapping[str, Array]) -> NDArray[np.bool_]:
    """Which tables of two binomial arms have a corner, in the shape of the columns."""
    events = columns["events_treatment"] + columns["events_control"]
    n = columns["n_treatment"] + columns["n_control"]
    if measure == "RD":
        return (n - events <= SOFT) | (events <= SOFT)
    return (n - events <= SOFT) & (measure == "RR")


def telling(model: Model, data: Data) -> int:
    """How many studies bring tau a tail: the others tend to a constant far out."""
    return int(vanishing(model, data).sum())


def vanishing(model: Model, data: Data) -> NDArray[np.bool_]:
    """Which studies have a likelihood that vanishes far out on both sides, shape (k,)."""
    if not isinstance(data, Studies):
        return np.ones(data.k, dtype=bool)
    events, size = list(data.numbers.values())[:2]
    if isinstance(model, HypergeometricNormal):
        a, n1, c, n0 = data.numbers.values()
        inside = (a > np.maximum(0, a + c - n0)) & (a < np.minimum(n1, a + c))
    elif isinstance(model, ProportionNormal) or getattr(model, "link", "") == "OR zero_one":
        inside = (events > 0) & (events < size)
    else:
        inside = ~data.double_zero
    return inside
