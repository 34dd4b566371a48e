"""What happens without the treatment, as a distribution with a source."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch
from numbers import Real
from typing import Literal, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ..arguments import is_among, number
from ..effects import Measure, measure_named
from ..engines import fit
from ..errors import ModelError
from ..model import IncidenceNormal, ProportionNormal, check_no_covariates
from ..posterior import Draws, Marginal, Posterior
from ..posterior.inversion import tabled
from ..priors import (
    Beta,
    Gamma,
    HalfNormal,
    LogNormal,
    Normal,
    Prior,
    StudentT,
    parse_prior,
)
from ..studies import (
    BinaryStudies,
    IncidenceStudies,
    PersonTimeStudies,
    ProportionStudies,
    check_prob,
)
from ..summaries import measure_of
from ..ways import shown, way
from .carriers import Kind
from .stated import NODES, SLOPES, TAIL, OfPrior
from .together import ControlArms, has_common_baseline

type Array = NDArray[np.float64]
type Scale = Literal["natural", "logit", "log"]

SCALES: Mapping[Kind, Measure] = {  # where a baseline is smooth and unbounded
    "risk": measure_named("PLO"),
    "rate": measure_named("IRLN"),
    "mean": measure_named("MD"),
}
_OF_ONE_ARM: Mapping[str, Kind] = {"PLO": "risk", "IRLN": "rate"}
MOST_NODES = 20_001
LEAST = 2.0**-32  # probability of a draw
STRATA = 1001  # of draws, each of which stands for as much


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A risk, rate or mean without the treatment.

    Attributes
    ----------
    kind : {"risk", "rate", "mean"}
    said : str
        What it is and where it comes from, in a phrase.
    fixed : float or None
        Its value, where it is taken as known.
    law : Marginal or None
        Its distribution otherwise: of a risk on the logit scale, of a rate on the log scale.
    smooth : bool
        Whether the density of `law` is known, not estimated from draws.
    arms : ControlArms or None
        Of a fit that has effects too: with the effects of that fit it is drawn jointly.
    """

    kind: Kind
    said: str
    fixed: float | None = None
    law: Marginal | None = None
    smooth: bool = True
    arms: ControlArms | None = None

    @property
    def scale(self) -> Measure:
        """Between what people read and the scale of `law`."""
        return SCALES[self.kind]

    def quantile(self, q: float) -> float:
        """Return a quantile, on the scale people read."""
        if self.law is None:
            return float(self.fixed if self.fixed is not None else np.nan)
        return float(self.scale.natural(self.law.quantile(q)))

    def interval(self, prob: float = 0.95) -> tuple[float, float]:
        """Return the central interval, on the scale people read."""
        check_prob(prob)
        return self.quantile((1 - prob) / 2), self.quantile((1 + prob) / 2)

    @property
    def mean(self) -> float:
        """The mean, on the scale people read."""
        values, weights = self.nodes()
        return float(weights @ values)

    def belongs_to(self, fit: Posterior) -> bool:
        """Whether it comes from this very fit, and goes with its effects."""
        return self.arms is not None and self.arms.fit is fit

    @property
    def known(self) -> "Baseline":
        """The same at its median, taken as known."""
        if self.law is None:
            return self
        return Baseline(
            kind=self.kind,
            said=f"the median of {self.said}, taken as known",
            fixed=self.quantile(0.5),
        )

    def nodes(self, step: float = np.inf) -> tuple[Array, Array]:
        """Values on the scale people read, and weights that sum to 1, both (m,).

        A smooth density is integrated by the trapezoidal rule, which is exact to rounding for one
        that falls off at both ends; draws are cut into strata of equal probability.

        Parameters
        ----------
        step : float
            The widest that may lie between two nodes, on the scale of `law`: what is integrated
            changes over no less.
        """
        if self.law is None:
            return np.array([self.fixed], dtype=np.float64), np.ones(1)
        if not self.smooth:
            middles = (np.arange(STRATA) + 0.5) / STRATA
            return self.scale.natural(self.law.quantile(middles)), np.full(STRATA, 1 / STRATA)
        low, high = self.ends
        count = int(np.clip((high - low) / step, NODES, MOST_NODES))
        at = np.linspace(low, high, count)
        weights = self.law.pdf(at)
        return self.scale.natural(at), weights / weights.sum()

    @property
    def ends(self) -> tuple[float, float]:
        """Where next to nothing of `law` lies outside, on its scale."""
        assert self.law is not None
        low, high = self.law.quantile([TAIL, 1 - TAIL])
        return float(low), float(high)

    def cdf(self, x: float) -> float:
        """Return P(baseline <= x), on the scale people read, where it is not known."""
        assert self.law is not None
        low, high = self.scale.natural(self.ends)
        if low < x < high:
            return float(self.law.cdf(float(self.scale.analysed(x))))
        return float(x >= high)

    def pdf(self, x: float) -> float:
        """Return the density at x, on the scale people read, where it is not known."""
        assert self.law is not None
        low, high = self.scale.natural(self.ends)
        if not low < x < high:
            return 0.0
        slope = float(SLOPES[self.scale.link](np.array(x)))
        return float(self.law.pdf(float(self.scale.analysed(x)))) / slope

    def draws(self, size: int, rng: np.random.Generator) -> Array:
        """Draw values on the scale people read, (size,)."""
        if self.law is None:
            return np.full(size, self.fixed, dtype=np.float64)
        u = np.maximum(rng.uniform(size=size), LEAST)
        drawn = tabled(self.law.quantile, u) if self.smooth else self.law.quantile(u)
        return self.scale.natural(drawn)


def baseline(
    given: object,
    *,
    kind: Kind | None = None,
    scale: Scale = "natural",
    new: bool = True,
    said: str = "",
) -> Baseline:
    """Declare the risk, rate or mean without the treatment.

    It is another model than that of the relative effects, and independent of it (NICE DSU TSD 5).

    Parameters
    ----------
    given : float, Prior, str, Posterior or a table of studies
        A number that is taken as known; a distribution, also as text (``"Beta(20, 80)"``, or with
        its scale before it, ``"logit Normal(-1.4, 0.3)"``); the
        posterior of single arms, or of counts with ``Exchangeable`` baselines, which is then drawn
        together with the effects of that same fit; single-arm studies, or studies with a control
        arm whose arms are then fitted as single arms: ``ProportionNormal`` with mu ~ Normal(0, 2)
        on the logit (of rates ``IncidenceNormal`` on the log scale) and tau ~ HalfNormal(1).
    kind : {"risk", "rate", "mean"}, optional
        What it is; a risk, where `given` does not tell.
    scale : {"natural", "logit", "log"}
        What a distribution is of: of the risk itself, or of its logit; of the rate, or of its log.
    new : bool
        Of a posterior and of studies: the predictive distribution of a new setting, or else that
        of their mean.
    said : str
        Where it comes from, for the reader.

    Returns
    -------
    Baseline

    References
    ----------
    Dias S, Welton NJ, Sutton AJ, Ades AE (2011). NICE DSU Technical Support Document 5.

    Raises
    ------
    ModelError
        If it cannot be a risk, rate or mean.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> lower, upper = bm.baseline("Beta(20, 80)").interval(0.95)
    >>> round(lower, 4), round(upper, 4)
    (0.128, 0.2834)
    """
    if not is_among(kind, (None, *SCALES)):
        raise ModelError(f"kind is 'risk', 'rate' or 'mean', not {shown(kind)}.")
    if not is_among(scale, ("natural", "logit", "log")):
        raise ModelError(f"scale is 'natural', 'logit' or 'log', not {shown(scale)}.")
    return _baseline(given, _Asked(kind, scale, new, said))


class _Asked(NamedTuple):
    """What is said of a baseline besides itself."""

    kind: Kind | None
    scale: Scale
    new: bool
    said: str


def _of_controls(how: _Asked, k: int) -> _Asked:
    what = "a new setting like" if how.new else "the mean of"
    return how._replace(said=how.said or f"{what} the control arms of {k} trials")


@singledispatch
def _baseline(given: object, how: _Asked) -> Baseline:
    raise ModelError(
        f"A baseline is a number, a distribution such as Beta(20, 80), a fit of single arms or a "
        f"table of studies, not {shown(given)}."
    )


@_baseline.register
def _(given: Real, how: _Asked) -> Baseline:
    value, kind = number(given, "baseline"), how.kind or "risk"
    allowed = {"risk": 0 < value < 1, "rate": 0 < value < np.inf, "mean": np.isfinite(value)}
    if not allowed[kind]:
        where = {"risk": "between 0 and 1", "rate": "above 0", "mean": "finite"}[kind]
        raise ModelError(f"A {kind} without the treatment must be {where}, got {shown(given)}.")
    return Baseline(kind=kind, fixed=value, said=how.said or "stated, and taken as known")


@_baseline.register
def _(given: str, how: _Asked) -> Baseline:
    scale, _, rest = given.strip().partition(" ")
    if scale in ("logit", "log") and rest and how.scale == "natural":
        return _baseline(rest, how._replace(scale=scale))
    try:
        stated: float | Prior = float(given)
    except ValueError:
        stated = _distribution(given)
    return _baseline(stated, how)


def _distribution(text: str) -> Prior:
    """Read a distribution; of what is no call of one, say what a baseline is."""
    if "(" in text:
        return parse_prior(text)
    raise ModelError(
        f"{shown(text)} is no baseline: give a number such as 0.2, a distribution such as "
        "'Beta(20, 80)', or a table of single arms."
    )


@_baseline.register
def _(given: Prior, how: _Asked) -> Baseline:
    scale = how.scale
    kind = how.kind or ("rate" if scale == "log" else "risk")
    wanted = SCALES[kind]
    same = scale == wanted.link or wanted.link == "identity"
    if scale not in ("natural", wanted.link):
        raise ModelError(
            f"A {kind} is stated on its natural scale or its {wanted.link}, not {scale}."
        )
    fits = {
        "risk": isinstance(given, Beta),
        "rate": isinstance(given, Gamma | LogNormal),
        "mean": isinstance(given, Normal | StudentT),
    }
    if not (fits[kind] or (same and isinstance(given, Normal | StudentT))):
        ways = {
            "risk": "Beta(20, 80), say, or a Normal of its logit with scale='logit'",
            "rate": "Gamma(20, 100), say, or a Normal of its log with scale='log'",
            "mean": "Normal(40, 5), say",
        }[kind]
        raise ModelError(f"{given!r} is no distribution of a {kind}; use {ways}.")
    law = OfPrior(given, measure_named("MD") if same else wanted)
    of = f"{wanted.link} ~ " if same and wanted.link != "identity" else ""
    return Baseline(kind=kind, law=law, said=how.said or f"{of}{given!r}")


@_baseline.register
def _(given: Posterior, how: _Asked) -> Baseline:
    check_no_covariates(given.model, "baseline")
    if has_common_baseline(given):
        return _of_both(given, how)
    kind = _OF_ONE_ARM.get(measure_of(given))
    if kind is None:
        raise _none_in(given)
    predictive = how.new and given.model.between.new is not None
    what = "a new setting like these of" if predictive else "the mean of"
    return Baseline(
        kind=kind,
        law=given.at(new=predictive),
        smooth=given.exact,
        said=how.said or f"{what} {given.data.k} studies",
    )


def _of_both(given: Posterior, how: _Asked) -> Baseline:
    said = _of_controls(how, given.data.k).said
    return drawn_with(ControlArms(given, how.new), f"{said}, with the effects")


def drawn_with(arms: ControlArms, said: str) -> Baseline:
    """Return the control risk of a fit that draws it with its effects."""
    drawn = SCALES["risk"].analysed(arms.pairs().risk)
    return Baseline(kind="risk", law=Draws(drawn[None]), smooth=False, said=said, arms=arms)


def _none_in(fit: Posterior) -> ModelError:
    """What a fit without a baseline to draw lacks."""
    if fit.model.likelihood.paired is None:
        return ModelError(
            "A baseline needs a fit of single arms (ProportionNormal, IncidenceNormal), not of "
            f"effects such as {fit.model!r}."
        )
    return ModelError(
        "A baseline needs a fit of single arms, or of counts whose trials share it: in this one "
        f"each trial has its own, and none is common; fit {way('exchangeable')}, or take another "
        f"model of the control arms: {way('controls')}."
    )


@_baseline.register
def _(given: ProportionStudies, how: _Asked) -> Baseline:
    model = ProportionNormal(mu=Normal(0, 2), tau=HalfNormal(1))
    return _baseline(fit(model, given), how)


@_baseline.register
def _(given: IncidenceStudies, how: _Asked) -> Baseline:
    model = IncidenceNormal(mu=Normal(0, 2), tau=HalfNormal(1))
    return _baseline(fit(model, given), how)


@_baseline.register
def _(given: BinaryStudies, how: _Asked) -> Baseline:
    arms = ProportionStudies(study=given.study, events=given.events_control, n=given.n_control)
    return _baseline(arms, _of_controls(how, given.k))


@_baseline.register
def _(given: PersonTimeStudies, how: _Asked) -> Baseline:
    arms = IncidenceStudies(study=given.study, events=given.events_control, time=given.time_control)
    return _baseline(arms, _of_controls(how, given.k))
