"""What the priors say before any data: effects, spread, risks, counts, and what is extreme."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr, stdtr

from ..effects import MEASURES, Measure
from ..errors import ModelError
from ..model import (
    COEFFICIENT,
    Binomial,
    Data,
    Location,
    Model,
    OutlierSpread,
    Overall,
    Predictor,
    Scatter,
    Spread,
    SpreadByGroup,
    check_one_outcome,
)
from ..notebooks import Tabled
from ..priors import Prior
from ..simulate import parameters, replicate, risks
from ..studies import BinaryStudies, check_prob
from ..ways import shown
from ._statistics import (
    Statistic,
    check_settings,
    quantile_errors,
    statistics,
    statistics_table,
)

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]

LARGEST = {"log": 10.0, "atanh": 0.5, "RD": 0.5, "SMD": 3.0}  # effects, natural scale
RISKS = (0.001, 0.999)


@final
@dataclass(frozen=True, slots=True)
class Implied:
    """What the priors say of one quantity.

    Attributes
    ----------
    quantity : str
    lower, median, upper : float
        On the natural scale.
    extreme : float
        Probability of what the rule calls extreme; NaN where there is no rule.
    rule : str
    lower_mcse, median_mcse, upper_mcse, extreme_mcse : float
        Monte Carlo standard errors; 0 of what is known in closed form.
    """

    quantity: str
    lower: float
    median: float
    upper: float
    extreme: float
    rule: str
    lower_mcse: float = 0.0
    median_mcse: float = 0.0
    upper_mcse: float = 0.0
    extreme_mcse: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class PriorPredictive(Tabled):
    """What the priors say before the data, and whether the data contradict it.

    Attributes
    ----------
    implied : tuple of Implied
    statistics : tuple of Statistic
        Of the data against tables made from the priors: p near 0 or 1 is a conflict, and of Q p
        near 0 alone, for studies may agree however large tau is.
    prob : float
        Probability of the intervals.
    """

    implied: tuple[Implied, ...]
    statistics: tuple[Statistic, ...]
    prob: float

    @property
    def telling(self) -> tuple[Statistic, ...]:
        """The statistics that speak of mu and of tau."""
        return tuple(one for one in self.statistics if one.of)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Where the data are such as the priors hardly expected."""
        return tuple(f"Prior and data are in conflict: {surprise(one)}." for one in self.surprising)

    @property
    def surprising(self) -> tuple[Statistic, ...]:
        """Those of the telling statistics that the priors hardly expected."""
        return tuple(one for one in self.telling if one.misfit)

    def table(self) -> "pd.DataFrame":
        """Return the implied quantities as a table."""
        import pandas as pd

        columns = list(Implied.__dataclass_fields__)
        rows = [[getattr(one, name) for name in columns] for one in self.implied]
        return pd.DataFrame(rows, columns=columns).set_index("quantity")

    def conflict(self) -> "pd.DataFrame":
        """Return the data's statistics against the priors' as a table."""
        return statistics_table(self.statistics, self.prob)


def prior_predictive(
    model: Model,
    data: Data,
    *,
    seed: int,
    draws: int = 4000,
    prob: float = 0.95,
    largest_effect: float | None = None,
    control_risks: tuple[float, float] = RISKS,
) -> PriorPredictive:
    """Say what the priors imply, for studies of these designs.

    Parameters
    ----------
    model : Model
        With proper priors.
    data : Data
        For its designs; its results only enter the statistics.
    seed : int
    draws : int
    prob : float
        Probability of the intervals.
    largest_effect : float, optional
        Effects beyond it count as extreme, on the natural scale and in either direction: a ratio of
        10, a risk difference of 0.5, an SMD of 3 where not given. Measures in the units of the
        data have no rule then.
    control_risks : tuple of float
        Risks outside are counted as extreme.

    Returns
    -------
    PriorPredictive

    Raises
    ------
    ModelError
        If a prior is improper, or a limit makes no sense.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.4, 0.1], [0.2, 0.3], measure="RR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> found = bm.prior_predictive(model, data, seed=1)
    >>> bool(0.2 < found.table().loc["overall effect", "extreme"] < 0.3)
    True
    """
    check_prob(prob)
    check_settings(seed, draws)
    check_one_outcome(model, "prior_predictive")
    data = model.complete(data)
    drawn = parameters(model, data.k, draws, seed=seed, data=data)
    made = replicate(model, drawn, data, seed=seed + 1)
    scale = model.scale(data)
    implied = [
        *_effects(model, data, drawn, _limit(scale, largest_effect), prob),
        *_risks(model, data, drawn, control_risks, prob),
        *_counts(data, made, prob),
    ]
    return PriorPredictive(tuple(implied), statistics(model, data, made), prob)


def surprise(one: Statistic) -> str:
    """Say how little a statistic was expected, as a clause."""
    return (
        f"before the data, {one.label} as observed ({one.observed:.3g}) was hardly expected "
        f"(prior predictive p {one.p:.3f})"
    )


def _limit(scale: Measure, largest: float | None) -> float | None:
    """The largest effect that is not extreme, on the analysis scale."""
    if not scale.comparative:
        if largest is not None:
            raise ModelError(f"largest_effect is for comparisons; {scale.name} is of one arm.")
        return None
    if largest is None:
        largest = LARGEST.get(scale.link, LARGEST.get(scale.name))
        if largest is None:
            return None
    least, most = (1.0, np.inf) if scale.log else (0.0, 1.0 if scale.link == "atanh" else np.inf)
    if not least < largest < most:
        raise ModelError(
            f"largest_effect={shown(largest)} makes no sense for {scale.name}: give a "
            + ("ratio above 1." if scale.log else "positive difference.")
        )
    return float({"log": np.log, "atanh": np.arctanh}.get(scale.link, float)(largest))


def _effects(
    model: Model, data: Data, drawn: Mapping[str, Array], limit: float | None, prob: float
) -> list[Implied]:
    scale, words = model.scale(data), "no rule"
    if limit is not None:
        shown = float(scale.natural(limit))
        words = f"{scale.name} beyond {shown:.3g}" + (f" or 1/{shown:.3g}" if scale.log else "")
    found = list(_expected(model.location, data, scale, (limit, words), prob))
    if "theta_new" in drawn:
        new = drawn["theta_new"]
        extreme = None if limit is None else np.abs(new) > limit
        found.append(_one("effect in a new study", scale.natural(new), extreme, words, prob))
    if "tau" in drawn:
        extreme = None if limit is None else _beyond(model, drawn, limit).ravel() > 0.05
        rule = words if limit is None else f"over 5% of studies {_far(scale, limit)} its centre"
        one = _one("tau (analysis scale)", drawn["tau"].ravel(), extreme, rule, prob)
        found.append(_with_known(one, _known(model.priors["tau"], prob)))
    return found


@singledispatch
def _expected(
    location: Location, data: Data, scale: Measure, rule: tuple[float | None, str], prob: float
) -> Iterator[Implied]:
    raise ModelError(f"What {location!r} implies is not known.")


@_expected.register
def _(
    location: Overall, data: Data, scale: Measure, rule: tuple[float | None, str], prob: float
) -> Iterator[Implied]:
    yield _of_effect("overall effect", location.mu, scale, *rule, prob)


@_expected.register
def _(
    location: Predictor, data: Data, scale: Measure, rule: tuple[float | None, str], prob: float
) -> Iterator[Implied]:
    """Effects at the mean or of a group have a rule; slopes are per unit of their covariate."""
    made = location.design(data)
    priors = zip(made.names, made.kinds, location.coefficients(made), strict=True)
    for name, kind, prior in priors:
        known = (None, "no rule") if kind == "slope" else rule
        quantity, on = f"{COEFFICIENT}[{name}]", scale
        if kind == "slope" and scale.link not in ("log", "identity"):
            quantity, on = f"{quantity} (analysis scale)", MEASURES["GEN"]
        yield _of_effect(quantity, prior, on, *known, prob)


def _of_effect(
    quantity: str, prior: Prior, scale: Measure, limit: float | None, words: str, prob: float
) -> Implied:
    extreme = np.nan if limit is None else prior.cdf(-limit) + 1 - prior.cdf(limit)
    low, middle, high = scale.natural(_known(prior, prob))
    return Implied(quantity, low, middle, high, extreme, words)


def _known(prior: Prior, prob: float) -> Array:
    """Lower end, median and upper end of a prior in closed form, (3,)."""
    return prior.quantile([(1 - prob) / 2, 0.5, (1 + prob) / 2])


def _with_known(one: Implied, ends: Array) -> Implied:
    low, middle, high = map(float, ends)
    return replace(
        one, lower=low, median=middle, upper=high, lower_mcse=0.0, median_mcse=0.0, upper_mcse=0.0
    )


def _beyond(model: Model, drawn: Mapping[str, Array], limit: float) -> Array:
    """Share of studies farther than a limit from the centre, for every draw, (n,) or (n, g)."""
    tau = np.maximum(drawn["tau"], 1e-300)
    return _beyond_limit(model.between, tau, drawn, limit)


@singledispatch
def _beyond_limit(between: Spread, tau: Array, drawn: Mapping[str, Array], limit: float) -> Array:
    raise ModelError(f"How far studies lie is not known with {between!r}.")


@_beyond_limit.register
def _(_: OutlierSpread, tau: Array, drawn: Mapping[str, Array], limit: float) -> Array:
    wide = 2 * ndtr(-limit / np.hypot(tau, drawn["spread"]))
    return (1 - drawn["share"]) * 2 * ndtr(-limit / tau) + drawn["share"] * wide


@_beyond_limit.register
def _(between: SpreadByGroup, tau: Array, drawn: Mapping[str, Array], limit: float) -> Array:
    return _beyond_limit(between.within, tau, drawn, limit)


@_beyond_limit.register
def _(between: Scatter, tau: Array, drawn: Mapping[str, Array], limit: float) -> Array:
    df = drawn.get("df", between.df)  # pyright: ignore[reportArgumentType]
    return 2 * (ndtr(-limit / tau) if df is None else stdtr(df, -limit / tau))


def _far(scale: Measure, limit: float) -> str:
    if scale.log:
        return f"beyond a factor {np.exp(limit):.3g} of"
    return f"farther than {limit:.3g} from"


def _risks(
    model: Model,
    data: Data,
    drawn: Mapping[str, Array],
    limits: tuple[float, float],
    prob: float,
) -> list[Implied]:
    """Risks of the control arm, where the model has them."""
    low, high = limits
    if not 0 <= low < high <= 1:
        raise ModelError(f"control_risks must be two risks in order, got {shown(limits)}.")
    of = model.likelihood
    if isinstance(of, Binomial):
        control = risks(drawn["theta"], drawn["baseline"], of.link)[1].ravel()
    elif "rho" in drawn:
        expected = model.location.expected(data, drawn)
        control = expit(drawn["baseline"][:, None] - expected / 2).ravel()
    else:
        return []
    extreme = (control < low) | (control > high)
    return [_one("control risk", control, extreme, f"below {low:g} or above {high:g}", prob)]


def _counts(data: Data, made: Mapping[str, Array], prob: float) -> list[Implied]:
    """Events in each arm of all studies together."""
    found = []
    for name, values in made.items():
        if name == "y":
            continue
        arm = {"events_treatment": "treatment arms", "events_control": "control arms"}
        total, extreme, rule = values.sum(axis=1), None, "no rule"
        if isinstance(data, BinaryStudies):
            size = data.numbers[name.replace("events", "n")].sum()
            extreme = (total == 0) | (total == size)
            rule = "nobody or everybody"
        found.append(_one(f"events in all {arm.get(name, 'studies')}", total, extreme, rule, prob))
    return found


def _one(
    quantity: str, values: Array, extreme: NDArray[np.bool_] | None, rule: str, prob: float
) -> Implied:
    """What draws say: `extreme` marks those that the rule calls so."""
    tails = np.array([(1 - prob) / 2, 0.5, (1 + prob) / 2])
    share = np.nan if extreme is None else float(extreme.mean())
    share_mcse = float(np.sqrt(share * (1 - share) / values.size))
    lower, median, upper = map(float, np.quantile(values, tails))
    below, middle, above = map(float, quantile_errors(values, tails))
    errors = {"lower_mcse": below, "median_mcse": middle, "upper_mcse": above}
    return Implied(quantity, lower, median, upper, share, rule, **errors, extreme_mcse=share_mcse)
