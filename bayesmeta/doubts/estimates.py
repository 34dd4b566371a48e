"""What each study finds, roughly, whatever its table holds."""

from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from ..effects import EffectSizes, effect_sizes, measure_named
from ..errors import ModelError
from ..studies import ContinuousStudies, Studies, Table, rough_arms

type Array = NDArray[np.float64]


def predicted(y: Array, se: Array) -> tuple[float, float]:
    """What estimates predict of another: mean, and variance aside from its own error.

    By the moments of DerSimonian and Laird (1986), Control Clin Trials 7:177-188.
    """
    w = se**-2
    mean = w @ y / w.sum()
    excess = w @ (y - mean) ** 2 - (w.size - 1)
    cross = 2 * w[1:] @ np.cumsum(w)[:-1]  # (Σw)² − Σw², which loses all digits
    tau2 = max(0.0, excess * w.sum() / cross) if w.size > 1 else 0.0
    w = 1 / (se**2 + tau2)
    return float(w @ y / w.sum()), float(tau2 + 1 / w.sum())


@singledispatch
def estimates(data: Table, measure: str | None) -> tuple[Array, Array, str]:
    """Estimates and standard errors of every study, both (k,), and what they are called."""
    raise ModelError(f"No estimates are known of {type(data).__name__}.")


@estimates.register
def _(data: EffectSizes, measure: str | None) -> tuple[Array, Array, str]:
    return data.y, data.se, measure_named(data.measure).analysis_called


@estimates.register
def _(data: Studies, measure: str | None) -> tuple[Array, Array, str]:
    """With ½ added to every cell, so that all studies have one."""
    name = measure_named(data.measures[0] if measure is None else measure, data.measures).name
    made = effect_sizes(data, measure=name, zero_cells="all", double_zero="include")
    return made.y, made.se, measure_named(name).analysis_called


@estimates.register
def _(data: ContinuousStudies, measure: str | None) -> tuple[Array, Array, str]:
    """Standardised, for scales may differ from study to study; variance as for SMD."""
    (m1, s1, n1), (m0, s0, n0) = (rough_arms(data, arm, "normal") for arm in data.arms)
    sd = np.sqrt(((n1 - 1) * s1**2 + (n0 - 1) * s0**2) / (n1 + n0 - 2))
    d = (m1 - m0) / sd
    return d, np.sqrt(1 / n1 + 1 / n0 + d**2 / (2 * (n1 + n0))), "SMD"
