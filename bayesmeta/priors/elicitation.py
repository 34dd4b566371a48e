"""Priors from what a person can say, and what a prior says in a person's words."""

from collections.abc import Callable, Mapping
from functools import cache
from math import exp, inf, isfinite, isinf, log
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ..arguments import check_mapping, floats, number
from ..errors import ModelError
from ..ways import shown
from .families import (
    Exponential,
    Gamma,
    HalfCauchy,
    HalfNormal,
    InverseGamma,
    LogNormal,
    Normal,
)
from .prior import Array, Prior
from .source import RATIOS

MET = 1e-6  # of a quantile, by which a prior may miss it
MOST_LOG = 1e3  # of a ratio of quantiles: beyond, only its sign tells where to look

# |theta_i - theta_j| is sqrt(2) tau |z|: steps of log |z| at which the trapezoidal rule is exact
# without an edge in the distribution of tau, and good to 1e-6 with one; 1e-10 of z is left out.
_SMOOTH, _EDGED = 0.1, 0.004


def differ_less(prior: Prior, difference: float) -> float:
    """Probability that the effects of two studies differ by less than `difference`.

    Over studies and over tau: with ``theta_i - theta_j ~ N(0, 2 tau²)`` and z standard normal it is
    the mean over z of the prior probability of ``tau < difference / (sqrt(2) |z|)``, by the
    trapezoidal rule in log |z|.

    Parameters
    ----------
    prior : Prior
        Of tau, proper.
    difference : float
        Positive, on the analysis scale.

    Raises
    ------
    ModelError
        If the prior is improper or has mass below zero, or the difference is not positive.
    """
    _check_of_tau(prior)
    if not (isfinite(given := number(difference, "difference")) and given > 0):
        raise ModelError(
            f"differ_less: difference must be positive and finite, got {shown(difference)}."
        )
    z, weight = _half_normal(_SMOOTH if isinf(prior.support[1]) else _EDGED)
    return float(weight @ np.asarray(prior.cdf(given / 2**0.5 / z)))


@cache
def _half_normal(step: float) -> tuple[Array, Array]:
    """Nodes of |z|, and their probabilities."""
    log_z = np.arange(-23.0, 2.2, step)
    weight = np.exp(log_z - 0.5 * np.exp(2 * log_z))
    return np.exp(log_z), weight / weight.sum()


def _check_of_tau(prior: Prior) -> None:
    if not isinstance(prior, Prior) or not prior.proper or prior.support[0] < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ModelError(
            f"How far studies lie apart takes a proper prior of tau such as HalfNormal(0.5), got "
            f"{shown(prior)}."
        )


def between_studies(prior: Prior, measure: str) -> tuple[float, float]:
    """How far the effects of two studies lie apart under a prior of tau.

    Parameters
    ----------
    prior : Prior
        Of tau, proper.
    measure : str
        For a ratio the answer is one too: of the larger effect to the smaller.

    Returns
    -------
    tuple of float
        Median and 97.5 % point of ``|theta_i - theta_j|`` over studies and over tau, natural
        scale; see `differ_less`.

    Raises
    ------
    ModelError
        If the prior is improper or has mass below zero.

    Examples
    --------
    >>> [round(one, 2) for one in between_studies(HalfNormal(0.5), "OR")]
    [1.29, 7.17]
    """
    _check_of_tau(prior)
    ends = (_apart(prior, 0.5), _apart(prior, 0.975))
    return ends if measure not in RATIOS else tuple(exp(one) if one < 700 else inf for one in ends)  # pyright: ignore[reportReturnType]


def _apart(prior: Prior, q: float) -> float:
    from scipy.optimize import brentq

    start = log(float(prior.quantile(q)))

    def excess(x: float) -> float:
        return differ_less(prior, exp(x)) - q

    return exp(_root(excess, start, brentq))


def _root(excess: Callable[[float], float], start: float, solve: Callable[..., Any]) -> float:
    """Root of a rising function, sought further and further about a start."""
    reach = 2.0
    while excess(start - reach) > 0 or excess(start + reach) < 0:
        reach *= 2
    return float(solve(excess, start - reach, start + reach, xtol=1e-13))


def tau_from_ratio(ratio: float, probability: float = 0.95) -> HalfNormal:
    """Return the half-normal prior of tau under which two studies rarely differ by a factor.

    The effects of two studies drawn at random, e.g. two odds ratios, differ by less than `ratio`
    with `probability`, over the studies and over tau. (Where tau is held at its median instead, the
    scale is another.)

    Parameters
    ----------
    ratio : float
        Above 1: "two trials rarely differ by more than a factor of 2".
    probability : float
        Strictly between 0 and 1: what "rarely" leaves.

    Raises
    ------
    ModelError
        If a number is out of its range.

    Examples
    --------
    >>> prior = tau_from_ratio(2, probability=0.95)
    >>> round(prior.scale, 4)
    0.2246
    >>> round(differ_less(prior, log(2)), 10)
    0.95
    """
    if not (isfinite(given := number(ratio, "ratio")) and given > 1):
        raise ModelError(f"tau_from_ratio: ratio must be above 1, e.g. 2, got {shown(ratio)}.")
    if not 0 < number(probability, "probability") < 1:
        raise ModelError(
            "tau_from_ratio: probability must lie strictly between 0 and 1, e.g. 0.95, got "
            f"{shown(probability)}."
        )
    return HalfNormal(log(given) / _apart(HalfNormal(1), probability))


def unit_information_sd(n: ArrayLike, se: ArrayLike) -> float:
    """Standard deviation of a prior of mu that says as much as one patient does.

    ``sqrt(sum n / sum se**-2)``.

    Parameters
    ----------
    n : array_like, shape (k,)
        Patients of each study.
    se : array_like, shape (k,)
        Standard errors of their estimates, analysis scale.

    Raises
    ------
    ModelError
        If they are not positive, or not one for each study.

    References
    ----------
    Röver C et al. (2021). Res Synth Methods 12:448-474, eq. 6.

    Examples
    --------
    >>> unit_information_sd([100, 100], [0.2, 0.2])
    2.0
    """
    patients, errors = floats(n, "n"), floats(se, "se")
    both = np.concatenate([patients.ravel(), errors.ravel()])
    if (
        patients.shape != errors.shape
        or not both.size
        or not (np.isfinite(both) & (both > 0)).all()
    ):
        raise ModelError(
            "unit_information_sd: n and se are positive and finite, one of each per study, got "
            f"{shown(n)} and {shown(se)}."
        )
    return float(np.sqrt(patients.sum() / (errors**-2.0).sum()))


def from_quantiles(family: type[Prior], quantiles: Mapping[float, float]) -> Prior:
    """Return the prior of a family that has given quantiles.

    Parameters
    ----------
    family : type
        ``HalfNormal``, ``HalfCauchy`` or ``Exponential``, which one quantile settles; ``Normal``,
        ``LogNormal``, ``Gamma`` or ``InverseGamma``, which take two.
    quantiles : mapping of float to float
        Values by their probabilities, e.g. ``{0.5: 0.1, 0.95: 0.4}``.

    Raises
    ------
    ModelError
        If the family is another, or the quantiles are too many, too few, or not in order, or if
        none can be computed that has them.

    Examples
    --------
    >>> round(from_quantiles(HalfNormal, {0.5: 0.3372}).scale, 3)
    0.5
    >>> prior = from_quantiles(LogNormal, {0.5: 0.1, 0.95: 0.4})
    >>> round(prior.quantile(0.5), 6), round(prior.quantile(0.95), 6)
    (0.1, 0.4)
    """
    known = {**_OF_ONE, **_OF_TWO}
    if family not in known:
        names = ", ".join(one.__name__ for one in known)
        raise ModelError(f"from_quantiles: family is one of {names}; got {shown(family)}.")
    check_mapping(quantiles, "quantiles", "{0.5: 0.1, 0.95: 0.4}")
    asked = sorted((number(q, "a probability"), number(x, "a value")) for q, x in quantiles.items())
    _check_quantiles(family, asked)
    return _that_has(known[family], family, asked)


def _that_has(
    made: Callable[..., Prior], family: type[Prior], asked: list[tuple[float, float]]
) -> Prior:
    """Make the prior, and refuse quantiles that no numbers of a computer give it."""
    probabilities, values = np.array(asked).T
    try:
        prior = made(*(part for one in asked for part in one))
        if np.abs(prior.quantile(probabilities) / values - 1)[values != 0].max() < MET:
            return prior
    except (ValueError, ArithmeticError):  # of a root that is not there, or parameters beyond use
        pass
    raise ModelError(
        f"from_quantiles: no {family.__name__} that can be computed has the quantiles "
        f"{shown(dict(asked))}; give values that are neither almost alike nor so far apart for "
        "their probabilities, or another family."
    )


def _check_quantiles(family: type[Prior], asked: list[tuple[float, float]]) -> None:
    needed, name = (1 if family in _OF_ONE else 2), family.__name__
    if len(asked) != needed:
        what = "one quantile" if needed == 1 else "two quantiles"
        raise ModelError(f"from_quantiles: {name} is settled by {what}, got {len(asked)}.")
    if not all(0 < q < 1 and isfinite(x) for q, x in asked):
        raise ModelError(
            "from_quantiles: probabilities lie strictly between 0 and 1, and values are finite; "
            f"got {shown(dict(asked))}."
        )
    values = [x for _, x in asked]
    if values != sorted(set(values)) or (family is not Normal and not values[0] > 0):
        above = "" if family is Normal else " positive and"
        raise ModelError(
            f"from_quantiles: the values of {name} must be{above} larger where their probability "
            f"is, got {shown(dict(asked))}."
        )


def _normal(q: float, x: float, r: float, y: float) -> Normal:
    sd = (y - x) / float(special.ndtri(r) - special.ndtri(q))
    return Normal(x - sd * float(special.ndtri(q)), sd)


def _log_normal(q: float, x: float, r: float, y: float) -> LogNormal:
    of_log = _normal(q, log(x), r, log(y))
    return LogNormal(of_log.mean, of_log.sd)


def _shaped(
    unit: Callable[[float], Prior], scaled: Callable[[float, float], Prior]
) -> Callable[..., Prior]:
    """A family with a shape, which the ratio of two quantiles settles, and a scale."""

    def made(q: float, x: float, r: float, y: float) -> Prior:
        from scipy.optimize import brentq

        def excess(log_shape: float) -> float:
            with np.errstate(divide="ignore", over="ignore"):
                low, high = unit(exp(log_shape)).quantile([q, r])
                if not (low > 0 and isfinite(high)):  # of a small shape: the ratio is beyond use
                    return -MOST_LOG
                return float(np.clip(log(y / x) - np.log(high / low), -MOST_LOG, MOST_LOG))

        shape = exp(_root(excess, 0.0, brentq))
        return scaled(shape, x / float(unit(shape).quantile(q)))

    return made


_OF_ONE: Mapping[type[Prior], Callable[..., Prior]] = {
    HalfNormal: lambda q, x: HalfNormal(x / HalfNormal(1).quantile(q)),
    HalfCauchy: lambda q, x: HalfCauchy(x / HalfCauchy(1).quantile(q)),
    Exponential: lambda q, x: Exponential(Exponential(1).quantile(q) / x),
}
_OF_TWO: Mapping[type[Prior], Callable[..., Prior]] = {
    Normal: _normal,
    LogNormal: _log_normal,
    Gamma: _shaped(lambda a: Gamma(a, 1), lambda a, scale: Gamma(a, 1 / scale)),
    InverseGamma: _shaped(lambda a: InverseGamma(a, 1), InverseGamma),
}
