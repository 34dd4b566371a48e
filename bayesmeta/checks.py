"""Whether a model reproduces data like those observed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError
from .model import BinomialNormal
from .posterior import Posterior
from .simulate import replicate
from .studies import BinaryStudies, check_prob

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True)
class ArmCheck:
    """Observed events of one arm against their posterior predictive, each (k,)."""

    observed: Array
    n: Array
    lower: Array
    median: Array
    upper: Array


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


@final
@dataclass(frozen=True, slots=True)
class PredictiveCheck:
    """Posterior predictive check of a count model.

    Attributes
    ----------
    study : tuple of str, length k
    arms : mapping of str to ArmCheck
        ``"treatment"`` and ``"control"``.
    statistics : tuple of Statistic
    prob : float
        Probability of the predictive intervals.
    """

    study: tuple[str, ...]
    arms: Mapping[str, ArmCheck]
    statistics: tuple[Statistic, ...]
    prob: float

    @property
    def cautions(self) -> tuple[str, ...]:
        """Statistics the model hardly ever reproduces."""
        return tuple(
            f"The model rarely gives a table with {one.name} as observed "
            f"({one.observed:.3g}; predictive p {one.p:.3f})."
            for one in self.statistics
            if one.p < 0.025 or one.p > 0.975
        )

    def table(self) -> "pd.DataFrame":
        """Return the statistics as a table."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "statistic": one.name,
                    "observed": one.observed,
                    **_predicted(one.replicated, self.prob),
                    "p": one.p,
                }
                for one in self.statistics
            ]
        ).set_index("statistic")


def posterior_predictive(
    posterior: Posterior, *, seed: int, draws: int = 4000, prob: float = 0.95
) -> PredictiveCheck:
    """Compare observed counts with new counts of the same studies under the posterior.

    Parameters
    ----------
    posterior : Posterior
        Of a ``BinomialNormal``.
    seed : int
    draws : int
        Replicated tables.
    prob : float
        Probability of the predictive intervals.

    Returns
    -------
    PredictiveCheck

    Raises
    ------
    ModelError
        If the posterior is not of a count model.
    """
    check_prob(prob)
    model, data = posterior.model, posterior.data
    if not (isinstance(model, BinomialNormal) and isinstance(data, BinaryStudies)):
        raise ModelError("posterior_predictive needs a fit of counts, BinomialNormal.")
    kept = draws if posterior.exact else posterior.sample_stats["diverging"].size
    sample = posterior.sample(min(draws, kept), seed)
    flat = {name: values[0] for name, values in sample.items()}
    made = replicate(model, flat, data, seed=seed)
    events = made["events_treatment"], made["events_control"]
    observed = (data.events_treatment, data.events_control)
    arms = {
        arm: _arm(seen, n, new, prob)
        for arm, seen, n, new in zip(
            ("treatment", "control"),
            observed,
            (data.n_treatment, data.n_control),
            events,
            strict=True,
        )
    }
    statistics = tuple(
        _statistic(name, function, discrete, observed, events, data)
        for name, (function, discrete) in STATISTICS.items()
    )
    return PredictiveCheck(data.study, arms, statistics, prob)


def _empty_arms(a: Array, c: Array, _: BinaryStudies) -> Array:
    return ((a == 0).sum(axis=-1) + (c == 0).sum(axis=-1)).astype(float)


def _events(a: Array, c: Array, _: BinaryStudies) -> Array:
    return a.sum(axis=-1) + c.sum(axis=-1)


def _pooled_log_ratio(a: Array, c: Array, data: BinaryStudies) -> Array:
    """Mantel–Haenszel log RR; NaN where one side has no event at all."""
    n = data.n_treatment + data.n_control
    above = (a * data.n_control / n).sum(axis=-1)
    below = (c * data.n_treatment / n).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(above / below)
    return np.where(np.isfinite(ratio), ratio, np.nan)


def _largest_difference(a: Array, c: Array, data: BinaryStudies) -> Array:
    """Largest risk difference of any study, in absolute value."""
    return np.abs(a / data.n_treatment - c / data.n_control).max(axis=-1)


type _Summary = Callable[[Array, Array, BinaryStudies], Array]
STATISTICS: Mapping[str, tuple[_Summary, bool]] = {
    "arms without an event": (_empty_arms, True),
    "pooled log RR": (_pooled_log_ratio, False),
    "events in all": (_events, True),
    "largest risk difference": (_largest_difference, False),
}


def _predicted(replicated: Array, prob: float) -> dict[str, float]:
    tails = [0.5, (1 - prob) / 2, (1 + prob) / 2]
    values = np.quantile(replicated, tails) if replicated.size else np.full(3, np.nan)
    names = ("predicted_median", "predicted_lower", "predicted_upper")
    return dict(zip(names, map(float, values), strict=True))


def _arm(observed: Array, n: Array, replicated: Array, prob: float) -> ArmCheck:
    tails = [(1 - prob) / 2, 0.5, (1 + prob) / 2]
    lower, median, upper = np.quantile(replicated, tails, axis=0, method="inverted_cdf")
    return ArmCheck(observed, n, lower, median, upper)


def _statistic(
    name: str,
    function: _Summary,
    discrete: bool,  # noqa: FBT001 - a private row of STATISTICS
    observed: tuple[Array, Array],
    events: tuple[Array, Array],
    data: BinaryStudies,
) -> Statistic:
    seen = float(function(*observed, data))
    new = function(*events, data)
    new = new[np.isfinite(new)]
    defined = new.size and np.isfinite(seen)
    p = float((new > seen).mean() + 0.5 * (new == seen).mean()) if defined else np.nan
    return Statistic(name, seen, new, p, discrete)
