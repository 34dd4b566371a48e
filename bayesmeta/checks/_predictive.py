"""Whether a model reproduces data like those observed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ..engines import rough_estimates
from ..model import check_one_outcome
from ..notebooks import Tabled
from ..posterior import Posterior
from ..simulate import replicate
from ..studies import check_prob
from ._statistics import Statistic, check_settings, statistics, statistics_table

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True)
class ArmCheck:
    """What one arm showed, or each study's estimate, against its posterior predictive.

    Attributes
    ----------
    observed, lower, median, upper : ndarray, shape (k,)
        Events, or estimates on the analysis scale.
    size : ndarray, shape (k,), or None
        Patients or person-time that events are counted out of; None for estimates.
    unit : str
        What an axis calls it.
    """

    observed: Array
    lower: Array
    median: Array
    upper: Array
    size: Array | None
    unit: str


@final
@dataclass(frozen=True, slots=True)
class PredictiveCheck(Tabled):
    """Posterior predictive check.

    Attributes
    ----------
    study : tuple of str, length k
    arms : mapping of str to ArmCheck
        ``"treatment"`` and ``"control"``, ``"events"`` of single arms, or ``"estimate"``.
    statistics : tuple of Statistic
    prob : float
        Probability of the predictive intervals.
    new : bool
        Whether replicated studies had effects of their own.
    """

    study: tuple[str, ...]
    arms: Mapping[str, ArmCheck]
    statistics: tuple[Statistic, ...]
    prob: float
    new: bool = False

    @property
    def cautions(self) -> tuple[str, ...]:
        """Statistics the model hardly ever reproduces."""
        return tuple(
            f"The model rarely gives a table with {one.label} as observed "
            f"({one.observed:.3g}; predictive p {one.p:.3f})."
            for one in self.statistics
            if one.misfit
        )

    @property
    def by_parameter(self) -> Mapping[str, float]:
        """Predictive p of the statistic that speaks of a parameter: of mu the pooled one, of tau Q.

        For :func:`bayesmeta.summary`.
        """
        return {one.of: one.p for one in self.statistics if one.of}

    def table(self) -> "pd.DataFrame":
        """Return the statistics as a table."""
        return statistics_table(self.statistics, self.prob)


def posterior_predictive(
    posterior: Posterior, *, seed: int, draws: int = 4000, prob: float = 0.95, new: bool = False
) -> PredictiveCheck:
    """Compare the data with new data of the same designs under the posterior.

    Parameters
    ----------
    posterior : Posterior
    seed : int
    draws : int
        Replicated tables.
    prob : float
        Probability of the predictive intervals.
    new : bool
        New studies, whose effects are drawn from mu and tau, instead of the same ones again; a
        stricter check, for the same studies may fit because each has an effect of its own
        (Marshall & Spiegelhalter 2003, Stat Med 22:1649-1660). Designs and baselines stay.

    Returns
    -------
    PredictiveCheck

    Raises
    ------
    ModelError
        If the model has no simulator.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> check = bm.posterior_predictive(bm.fit(model, data), seed=1)
    >>> check.cautions
    ()
    """
    check_prob(prob)
    check_settings(seed, draws)
    model, data = posterior.model, posterior.data
    check_one_outcome(model, "posterior_predictive")
    kept = draws if posterior.exact else posterior.sample_stats["diverging"].size
    sample = posterior.sample(min(draws, kept), seed)
    flat = {name: values[0] for name, values in sample.items()}
    made = replicate(model, flat, data, seed=seed, new=new)
    arms = {
        _ARM.get(name, name): _arm(posterior, name, values, prob) for name, values in made.items()
    }
    return PredictiveCheck(data.study, arms, statistics(model, data, made), prob, new)


_ARM = {"events_treatment": "treatment", "events_control": "control", "y": "estimate"}


def _arm(posterior: Posterior, name: str, replicated: Array, prob: float) -> ArmCheck:
    data, of = posterior.data, posterior.model.likelihood
    tails = [(1 - prob) / 2, 0.5, (1 + prob) / 2]
    method = "inverted_cdf" if of.counted else "linear"
    lower, median, upper = np.quantile(replicated, tails, axis=0, method=method)
    known = rough_estimates(of, data, data.numbers)[0] if name == "y" else None
    ends = data.numbers[name] if known is None else known, lower, median, upper
    if not of.counted:
        return ArmCheck(*ends, None, posterior.model.scale(data).analysis_label)
    counted_in = "time" if name.replace("events", "time") in data.numbers else "n"
    size = data.numbers[name.replace("events", counted_in)]
    unit = "events, % of patients" if counted_in == "n" else "events per 100 of person-time"
    return ArmCheck(*ends, size, unit)
