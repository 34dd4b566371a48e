"""A fit on another scale than the base case, told on that of the base case."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..decision import Baseline, asked_of, carrier_of, middle_of, of_fit
from ..effects import ATANH_RD, MEASURES, Measure
from ..errors import ModelError
from ..posterior import Posterior
from ..summaries import scale_of

type Array = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The scale of the table, and the baseline at which people are told of it.

    Attributes
    ----------
    measure : Measure
        In which every row is told; a risk difference as it is.
    base : Baseline or None
        Known: where a distribution is stated, its median.
    per : float
        Patients, or units, of the differences.
    time : str
    sd : float or None
    unit : str
        Of means.
    """

    measure: Measure
    base: Baseline | None = None
    per: float = 1.0
    time: str = ""
    sd: float | None = None
    unit: str = ""

    @property
    def at(self) -> str:
        """The baseline in words; ``""`` without one."""
        if self.base is None:
            return ""
        return f"a {self.base.kind} of {self.base.quantile(0.5):.3g} without the treatment"

    def held(self, posterior: Posterior) -> float:
        """Posterior probability of effects so large that a risk is held at 0 or 1."""
        if self.base is None:
            return 0.0
        by = carrier_of(scale_of(posterior), self.base, self.time, self.sd)
        below, above = by.beyond(np.array([self.base.quantile(0.5)]))
        mu = posterior.at()
        low = float(mu.cdf(float(below[0]))) if np.isfinite(below[0]) else 0.0
        return low + (1 - float(mu.cdf(float(above[0]))) if np.isfinite(above[0]) else 0.0)

    def of(self, posterior: Posterior, theta: Array) -> Array:
        """Effects of a fit, on the analysis scale of the table.

        Raises
        ------
        ModelError
            If they are of another measure, and no baseline is stated.
        """
        scale = scale_of(posterior)
        if scale.name == self.measure.name:
            return scale.natural(theta) if scale == ATANH_RD else theta
        if self.base is None:
            raise ModelError(
                f"{scale.a_words} is told as {self.measure.name} at a baseline risk, and none is "
                "stated"
            )
        risk = np.array(self.base.quantile(0.5))
        treated = self._treated(scale, theta, risk)
        found = carrier_of(self.measure, self.base, self.time, self.sd).theta(treated, risk)
        if not np.isfinite(found[~np.isnan(theta)]).all():
            raise ModelError(
                f"the {scale.name} lifts the risk out of 0 to 1, where there is no "
                f"{self.measure.name}"
            )
        return found

    def difference(self, posterior: Posterior, theta: Array) -> Array:
        """What effects of a fit come to at the baseline, per so many; NaN without one."""
        if self.base is None:
            return np.full_like(theta, np.nan)
        risk = np.array(self.base.quantile(0.5))
        return self.per * (self._treated(scale_of(posterior), theta, risk) - risk)

    def _treated(self, scale: Measure, theta: Array, risk: Array) -> Array:
        assert self.base is not None
        by = carrier_of(scale, self.base, self.time, self.sd)
        return np.clip(by.treated(theta, risk), by.low, by.high)


def told_of(
    base: Posterior,
    baseline: object,
    *,
    per: float | None,
    time: str,
    sd: float | None,
    unit: str,
) -> Told:
    """The scale of the base case, and the middle one of the baselines that are stated."""
    scale = scale_of(base)
    measure = MEASURES["RD"] if scale == ATANH_RD else scale
    unit = unit or base.data.measured_in
    if baseline is None:
        return Told(measure=measure, unit=unit)
    given = of_fit(baseline, base)
    asked = asked_of(measure, given, per=per, time=time, unit=unit, sd=sd)
    middle = middle_of(asked.bases.values()).known
    return Told(measure=measure, base=middle, per=asked.per, time=time, sd=sd, unit=unit)
