"""From relative effects to what happens to people."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from .errors import ModelError
from .posterior import Marginal, Posterior
from .studies import BinaryStudies, check_prob
from .summaries import Better, measure_of, prob_benefit

if TYPE_CHECKING:
    import pandas as pd


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AbsoluteEffect:
    """What an effect means at one control risk, per so many patients.

    Attributes
    ----------
    quantity : str
        ``"average effect"`` or ``"effect in a new setting"``.
    control : float
        Events without the treatment.
    treatment, difference : tuple of float
        Events with it, and the difference: median, lower, upper.
    prob_benefit : float
        Probability that the difference is on the better side.
    prob_capped : float
        Probability of a ratio so high that the risk had to be held at 1.
    """

    quantity: str
    control: float
    treatment: tuple[float, float, float]
    difference: tuple[float, float, float]
    prob_benefit: float
    prob_capped: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AbsoluteEffects:
    """Absolute effects of one posterior at one control risk.

    Attributes
    ----------
    rows : tuple of AbsoluteEffect
    control_risk : float
    per : int
        Patients the figures are for.
    prob : float
        Probability of the intervals.
    """

    rows: tuple[AbsoluteEffect, ...]
    control_risk: float
    per: int
    prob: float

    def table(self) -> "pd.DataFrame":
        """Return the rows as a table."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "quantity": row.quantity,
                    "control": row.control,
                    **_spread("treatment", row.treatment),
                    **_spread("difference", row.difference),
                    "prob_benefit": row.prob_benefit,
                    "prob_capped": row.prob_capped,
                }
                for row in self.rows
            ]
        ).set_index("quantity")


def absolute_effects(
    posterior: Posterior,
    *,
    control_risk: float,
    better: Better,
    per: int = 1000,
    prob: float = 0.95,
) -> AbsoluteEffects:
    """Translate a posterior of OR or RR into events per so many patients.

    The control risk is taken as known: the interval speaks of the effect alone. The risk with
    treatment is a monotone function of the effect, so its quantiles are those of the effect,
    transformed; no draws are needed.

    Parameters
    ----------
    posterior : Posterior
        Of a log OR or log RR.
    control_risk : float
        Between 0 and 1, exclusive.
    better : {"lower", "higher"}
        Whether fewer or more events are a benefit.
    per : int
        Patients.
    prob : float
        Probability of the intervals.

    Returns
    -------
    AbsoluteEffects

    Raises
    ------
    ModelError
        If the measure is not OR or RR, or the control risk is not a risk.
    """
    check_prob(prob)
    measure = measure_of(posterior)
    if measure not in ("OR", "RR"):
        raise ModelError(f"Absolute effects need an OR or RR, not {measure}.")
    if not 0 < control_risk < 1:
        raise ModelError(f"control_risk must lie between 0 and 1, got {control_risk!r}.")
    effects = {"average effect": posterior.at()}
    if posterior.model.between.new is not None:
        effects["effect in a new setting"] = posterior.at(new=True)
    rows = tuple(
        _absolute(label, one, measure, control_risk, better, per, prob)
        for label, one in effects.items()
    )
    return AbsoluteEffects(rows=rows, control_risk=control_risk, per=per, prob=prob)


def pooled_control_risk(studies: BinaryStudies) -> float:
    """Events over patients, all control arms together; NaN without events or non-events."""
    risk = float(studies.events_control.sum() / studies.n_control.sum())
    return risk if 0 < risk < 1 else np.nan


def risk_with_treatment(
    theta: NDArray[np.float64], measure: str, control_risk: float
) -> NDArray[np.float64]:
    """Risk in treated patients at a log OR or log RR `theta`; a ratio's risk is held at 1."""
    if measure == "OR":
        return expit(logit(control_risk) + theta)
    return np.minimum(1.0, control_risk * np.exp(np.minimum(theta, 700.0)))


def _absolute(
    label: str,
    marginal: Marginal,
    measure: str,
    control_risk: float,
    better: Better,
    per: int,
    prob: float,
) -> AbsoluteEffect:
    lower, upper = marginal.interval(prob)
    at = np.array([marginal.quantile(0.5), lower, upper])
    risk = risk_with_treatment(at, measure, control_risk)
    capped = 0.0 if measure == "OR" else 1 - marginal.cdf(-np.log(control_risk))
    return AbsoluteEffect(
        quantity=label,
        control=per * control_risk,
        treatment=_triple(per * risk),
        difference=_triple(per * (risk - control_risk)),
        prob_benefit=prob_benefit(marginal, better),
        prob_capped=float(capped),
    )


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    median, lower, upper = map(float, values)
    return median, lower, upper


def _spread(name: str, triple: tuple[float, float, float]) -> dict[str, float]:
    return {name: triple[0], f"{name}_lower": triple[1], f"{name}_upper": triple[2]}
