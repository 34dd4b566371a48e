"""Distributions of what follows from an effect and a baseline that are independent."""

from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..posterior import Draws, Marginal, Posterior
from ..posterior.inversion import invert
from .baselines import Baseline
from .carriers import Carrier

type Array = NDArray[np.float64]

type Told = Carried | Paired

_ENDS = np.array([1e-12, 1 - 1e-12])
_MIDDLE = np.array([0.25, 0.75])
_PLACES = 2001
_RULE = np.polynomial.legendre.leggauss(400)


@final
@dataclass(frozen=True, slots=True)
class Carried(Marginal):
    """What happens with the treatment, or how much more than without it.

    Given the baseline it is a rising function of the effect, so that its distribution is that of
    the effect at another place; over the baseline it is integrated. What would lie beyond the ends
    of its scale has its mass at the end.

    Attributes
    ----------
    effect : Marginal
        On the analysis scale.
    baseline : Baseline
    by : Carrier
    change : bool
        Whether it is the difference from the baseline.
    base, weights : ndarray, shape (m,)
        Values of the baseline, and what they weigh; weights sum to 1.
    """

    effect: Marginal
    baseline: Baseline
    by: Carrier
    change: bool = False
    base: Array = field(init=False, repr=False, compare=False)
    weights: Array = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        low, high = self.effect.quantile(_MIDDLE)
        base, weights = self.baseline.nodes(step=float(high - low) / 3)
        object.__setattr__(self, "base", base)
        object.__setattr__(self, "weights", weights)

    def mean(self) -> float:
        """Return the mean; NaN of a ratio without an upper end, whose mean need not exist."""
        return self._moment(1)

    def sd(self) -> float:
        """Return the standard deviation; NaN as the mean."""
        mean = self._moment(1)
        return float(np.sqrt(max(0.0, self._moment(2) - mean**2)))

    def beyond(self) -> tuple[float, float]:
        """Return the probabilities of what is held at the lower end, and at the upper one."""
        below, above = self.by.beyond(self.base)
        return float(self.weights @ self._of(below)), float(self.weights @ (1 - self._of(above)))

    def _moment(self, power: int) -> float:
        if self.by.linear:
            return self._linear(power)
        if not np.isfinite(self.by.high):
            return np.nan
        low, high = self.effect.quantile(_ENDS)
        at = np.linspace(low, high, _PLACES)
        mass = self.effect.pdf(at)
        values = self._value(at[:, None], self.base)
        return float((mass / mass.sum()) @ values**power @ self.weights)

    def _linear(self, power: int) -> float:
        slope = float(self.by.slope(self.base[:1], self.base[:1])[0])
        base = 0.0 if self.change else float(self.weights @ self.base)
        spread = 0.0 if self.change else float(self.weights @ (self.base - base) ** 2)
        mean = base + slope * self.effect.mean()
        return mean if power == 1 else mean**2 + spread + slope**2 * self.effect.sd() ** 2

    def _value(self, theta: Array, base: Array) -> Array:
        held = np.clip(self.by.treated(theta, base), self.by.low, self.by.high)
        return held - base if self.change else held

    def _of(self, theta: Array) -> Array:
        """Distribution function of the effect, also at infinity."""
        found = np.where(theta > 0, 1.0, 0.0)
        finite = np.isfinite(theta)
        found[finite] = self.effect.cdf(theta[finite])
        return found

    @property
    def _broken(self) -> bool:
        """Whether the integrand has a step where a difference meets the end of its scale.

        The effect is then held at some baselines and not at others, and the trapezoidal rule over
        all of them would miss where one begins.
        """
        steep = np.isfinite(np.concatenate(self.by.beyond(self.base))).any()
        return bool(
            self.change and steep and self.baseline.law is not None and self.baseline.smooth
        )

    def _cdf(self, x: Array) -> Array:
        if self._broken:
            return np.array([self._cdf_between(one) for one in x])
        return self._below(x[:, None], self.base) @ self.weights

    def _pdf(self, x: Array) -> Array:
        """At a known baseline, of what is not held at an end."""
        if self._broken:
            return np.array([self._pdf_between(one) for one in x])
        return self._density(x[:, None], self.base) @ self.weights

    def _below(self, x: Array, base: Array) -> Array:
        """Distribution function at x given each baseline; their shapes broadcast."""
        treated = x + base if self.change else x + 0.0 * base
        below = np.where(treated >= self.by.high, 1.0, self._of(self.by.theta(treated, base)))
        return np.where(treated < self.by.low, 0.0, below)

    def _density(self, x: Array, base: Array) -> Array:
        """Density at x given each baseline, of what is not held; their shapes broadcast."""
        treated = x + base if self.change else x + 0.0 * base
        theta, base = self.by.theta(treated, base), np.broadcast_to(base, treated.shape)
        inside = np.isfinite(theta) & (treated > self.by.low) & (treated < self.by.high)
        found = np.zeros(theta.shape)
        slope = self.by.slope(treated[inside], base[inside])
        found[inside] = self.effect.pdf(theta[inside]) / slope
        return found

    def _cdf_between(self, x: float) -> float:
        """P(difference <= x): all of it at baselines from high - x on, none below low - x."""
        base, weights = self._between(x)
        sure = 1 - self.baseline.cdf(self.by.high - x)
        return sure + float(self._below(np.array(x), base) @ weights)

    def _pdf_between(self, x: float) -> float:
        """Of what is not held, and of what is: to either end of the scale."""
        base, weights = self._between(x)
        found = float(self._density(np.array(x), base) @ weights)
        for end, upper in ((self.by.high, True), (self.by.low, False)):
            density = self.baseline.pdf(end - x) if np.isfinite(end) else 0.0
            if density:
                theta = self.by.theta(np.array([end]), np.array([end - x]))
                held = float(self._of(theta)[0])
                found += density * (1 - held if upper else held)
        return found

    def _between(self, x: float) -> tuple[Array, Array]:
        """Baselines at which a difference of x ends within its scale, and their weights, (m,)."""
        law = self.baseline.law
        assert law is not None
        scale, (low, high) = self.baseline.scale, self.baseline.ends
        least, most = scale.natural([low, high])
        begin = float(scale.analysed(np.clip(self.by.low - x, least, most)))
        end = float(scale.analysed(np.clip(self.by.high - x, least, most)))
        nodes, weights = _RULE
        at = begin + 0.5 * (end - begin) * (nodes + 1)
        return scale.natural(at), 0.5 * (end - begin) * weights * law.pdf(at)

    def _quantile(self, q: Array) -> Array:
        each = self._value(np.asarray(self.effect.quantile(q))[:, None], self.base)
        if self.base.size == 1:
            return each[:, 0]
        return invert(self._cdf, self._pdf, q, each.min(axis=1), each.max(axis=1))


@final
@dataclass(frozen=True, slots=True)
class Paired(Marginal):
    """The same of effects and baselines that are drawn together.

    Attributes
    ----------
    effect, base : ndarray, shape (n,)
        On the analysis scale, and on the scale people read.
    by : Carrier
    change : bool
        Whether it is the difference from the baseline.
    law : Draws
    """

    effect: Array
    base: Array
    by: Carrier
    change: bool = False
    law: Draws = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        held = np.clip(self.by.treated(self.effect, self.base), self.by.low, self.by.high)
        values = held - self.base if self.change else held
        object.__setattr__(self, "law", Draws(values[None]))

    def mean(self) -> float:
        """Return the mean of the draws."""
        return self.law.mean()

    def sd(self) -> float:
        """Return the standard deviation of the draws."""
        return self.law.sd()

    def beyond(self) -> tuple[float, float]:
        """Return the shares that are held at the lower end, and at the upper one."""
        below, above = self.by.beyond(self.base)
        return float(np.mean(self.effect < below)), float(np.mean(self.effect > above))

    def _quantile(self, q: Array) -> Array:
        return np.asarray(self.law.quantile(q))

    def _cdf(self, x: Array) -> Array:
        return np.asarray(self.law.cdf(x))

    def _pdf(self, x: Array) -> Array:
        return np.asarray(self.law.pdf(x))


def told(
    of: Posterior, base: Baseline, by: Carrier, *, new: bool, **where: object
) -> tuple[Told, Told]:
    """What happens with the treatment, and how much more, by the effects of a fit.

    Parameters
    ----------
    of : Posterior
    base : Baseline
        Drawn with the effects where it comes from the same fit, else independent of them.
    by : Carrier
    new : bool
        Whether by the effect in a new setting.
    **where
        The place of the effect in the fit, as ``Posterior.at`` takes it.
    """
    if not base.belongs_to(of):
        effect = of.at(new=new, **where)
        return Carried(effect, base, by), Carried(effect, base, by, change=True)
    assert base.arms is not None
    pairs = base.arms.pairs()
    effect = pairs.new if new else pairs.mu
    return Paired(effect, pairs.risk, by), Paired(effect, pairs.risk, by, change=True)
