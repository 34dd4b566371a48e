"""How an effect acts on what happens without the treatment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

type Array = NDArray[np.float64]
type Kind = Literal["risk", "rate", "mean"]
type Binary = Callable[[Array, Array], Array]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """From an effect and a baseline to the same quantity with the treatment.

    Attributes
    ----------
    treated : callable
        ``treated(theta, base)``, rising in theta, which is on the analysis scale.
    theta : callable
        Its inverse in theta, ``theta(treated, base)``: minus infinity below all that it reaches,
        infinity above.
    slope : callable
        The derivative of ``treated`` in theta, as ``slope(treated, base)``.
    low, high : float
        What no risk, rate or mean exceeds. Effects that would carry it beyond are held there.
    linear : bool
        Whether ``treated`` is linear in theta, so that moments follow from those of theta.
    assumed : str
        What carrying the effect over to another baseline assumes.
    """

    treated: Binary
    theta: Binary
    slope: Binary
    low: float = -np.inf
    high: float = np.inf
    linear: bool = False
    assumed: str

    def beyond(self, base: Array) -> tuple[Array, Array]:
        """The effects below and above which the quantity is held, by baseline."""
        ends = (np.full_like(base, self.low), np.full_like(base, self.high))
        below, above = (self.theta(end, base) for end in ends)
        return below, above


def carrier(measure: str, kind: Kind, *, sd: float | None = None) -> Carrier | None:
    """How a measure acts on a baseline of this kind; None if it does not.

    Parameters
    ----------
    measure : str
    kind : {"risk", "rate", "mean"}
    sd : float, optional
        Of the unit in which standardised differences are told.
    """
    if measure == "SMD":
        return _shifted(sd, "the SMD times this SD") if sd is not None and kind == "mean" else None
    return _CARRIERS.get((measure, kind))


def _shifted(by: float, assumed: str) -> Carrier:
    return Carrier(
        treated=lambda theta, base: base + by * theta,
        theta=lambda treated, base: (treated - base) / by,
        slope=lambda treated, base: np.full(np.broadcast(treated, base).shape, by),
        linear=True,
        assumed=assumed,
    )


def _ratio(assumed: str, *, high: float = np.inf) -> Carrier:
    return Carrier(
        treated=lambda theta, base: base * np.exp(np.minimum(theta, 700.0)),
        theta=lambda treated, base: _log(treated) - np.log(base),
        slope=lambda treated, base: treated + 0 * base,
        low=0.0,
        high=high,
        assumed=assumed,
    )


def _log(x: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x > 0, np.log(np.maximum(x, 0.0)), -np.inf)


def _logit(x: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return logit(np.clip(x, 0.0, 1.0))


def _hazard(risk: Array) -> Array:
    """The cumulative hazard of a risk."""
    with np.errstate(divide="ignore"):
        return -np.log1p(-np.clip(risk, 0.0, 1.0))


_ODDS = Carrier(
    treated=lambda theta, base: expit(logit(base) + theta),
    theta=lambda treated, base: _logit(treated) - logit(base),
    slope=lambda treated, base: treated * (1 - treated) + 0 * base,
    low=0.0,
    high=1.0,
    assumed="the same odds ratio at every risk",
)
_HAZARDS = Carrier(
    treated=lambda theta, base: -np.expm1(-_hazard(base) * np.exp(np.minimum(theta, 700.0))),
    theta=lambda treated, base: _log(_hazard(treated)) - np.log(_hazard(base)),
    slope=lambda treated, base: (1 - treated) * _hazard(treated) + 0 * base,
    low=0.0,
    high=1.0,
    assumed="proportional hazards over the stated time",
)
_RISKS = Carrier(
    treated=lambda theta, base: base + theta,
    theta=lambda treated, base: treated - base,
    slope=lambda treated, base: np.ones(np.broadcast(treated, base).shape),
    low=0.0,
    high=1.0,
    assumed="the same risk difference at every risk",
)
_BOUNDED = Carrier(
    treated=lambda theta, base: base + np.tanh(theta),
    theta=lambda treated, base: np.arctanh(np.clip(treated - base, -1.0, 1.0)),
    slope=lambda treated, base: 1 - (treated - base) ** 2,
    low=0.0,
    high=1.0,
    assumed=_RISKS.assumed,
)
_CARRIERS: Mapping[tuple[str, str], Carrier] = {
    ("OR", "risk"): _ODDS,
    ("RR", "risk"): _ratio("the same risk ratio at every risk", high=1.0),
    ("RD", "risk"): _RISKS,
    ("atanh RD", "risk"): _BOUNDED,
    ("HR", "risk"): _HAZARDS,
    ("IRR", "risk"): _HAZARDS,
    ("IRR", "rate"): _ratio("the same rate ratio at every rate"),
    ("HR", "rate"): _ratio("the same hazard ratio at every rate"),
    ("MD", "mean"): _shifted(1.0, "the same difference at every mean"),
    ("ROM", "mean"): _ratio("the same ratio of means at every mean"),
}
ACTING = frozenset({"SMD", *(measure for measure, _ in _CARRIERS)})
