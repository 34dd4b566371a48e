"""Trim and fill: mirror the studies that a symmetric funnel plot would also have."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

import numpy as np
from numpy.typing import NDArray

from ...arguments import is_among
from ...effects import EffectSizes, ZeroCells
from ...errors import DataError, ModelError
from ...model import Data
from ...notebooks import Tabled
from ...studies import check_prob, read_only
from ...ways import shown
from ..arrays.tau2 import Tau2
from ..fit import FrequentistFit
from ..pooling.one import as_effects
from ..pooling.refit import need_studies, refit
from .weighted_line import line_of

if TYPE_CHECKING:
    import pandas as pd


type Array = NDArray[np.float64]
type Estimator = Literal["L0", "R0", "Q0"]
type Side = Literal["left", "right"]

_STEPS = 100


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TrimAndFill(Tabled):
    """How many studies a symmetric funnel plot lacks, and the answer with them filled in.

    Attributes
    ----------
    estimator : {"L0", "R0", "Q0"}
    side : {"left", "right"}
        Where studies are taken to be missing.
    k0 : int
        How many.
    k0_se : float
    k0_p : float or None
        P of no missing study; the estimator R0 only.
    mirrored : tuple of str
        Studies whose mirror images are filled in.
    y, se : ndarray of float, shape (k0,)
        The filled-in estimates and standard errors.
    observed, fit : FrequentistFit
        Without and with them; Wald intervals.
    """

    estimator: Estimator
    side: Side
    k0: int
    k0_se: float
    k0_p: float | None
    mirrored: tuple[str, ...]
    y: Array
    se: Array
    observed: FrequentistFit
    fit: FrequentistFit

    def table(self) -> "pd.DataFrame":
        """Return the pooled answers without and with the filled-in studies, one row each."""
        import pandas as pd

        columns = ("k", "estimate", "se", "lower", "upper", "p", "q", "q_p", "i2")
        rows = [
            {
                **{column: getattr(fit, column) for column in columns},
                "tau2": fit.tau2 or 0.0,
                "k0": k0,
            }
            for fit, k0 in ((self.observed, 0), (self.fit, self.k0))
        ]
        return pd.DataFrame(rows, index=pd.Index(["observed", "filled"], name="studies"))


def trim_and_fill(
    data: Data,
    *,
    estimator: Estimator = "L0",
    tau2: Tau2 | None = None,
    side: Side | None = None,
    measure: str | None = None,
    zero_cells: ZeroCells = "if_needed",
    prob: float = 0.95,
) -> TrimAndFill:
    """Estimate the number of missing studies and fill in mirror images of their opposites.

    The most extreme studies on the full side are set aside until the number that the ranks of the
    others call for no longer changes; then each of them gets a mirror image about the last centre.

    Parameters
    ----------
    data : EffectSizes or counts
    estimator : {"L0", "R0", "Q0"}
        Of the number of missing studies. R0 counts the run of the largest ranks on one side; L0
        and Q0 use the sum of ranks. Q0 fails where the asymmetry is strong.
    tau2 : str, optional
        Estimator of tau² at every step, as for :func:`random_effects`; a common effect by default.
    side : {"left", "right"}, optional
        Where studies are missing; by default right if the slope of Egger's test is negative (small
        studies show lower estimates), else left.
    measure, zero_cells
        For counts, as for :func:`effect_sizes`.
    prob : float
        Level of the intervals.

    Returns
    -------
    TrimAndFill

    Raises
    ------
    DataError
        For fewer than three studies; if the side is asked of equal standard errors; if the number
        of missing studies does not settle, or Q0 has no value.

    Notes
    -----
    It is a way to see how much an answer hangs on asymmetry, not a corrected answer: the filled-in
    studies were never made. Heterogeneity alone can call for them.

    References
    ----------
    Duval S, Tweedie R (2000). Biometrics 56:455-463; J Am Stat Assoc 95:89-98.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(
    ...     list("ABCDE"), [0.1, 0.12, 0.3, 0.6, 0.9], [0.05, 0.1, 0.2, 0.3, 0.4])
    >>> filled = bm.trim_and_fill(data)
    >>> filled.side, filled.k0, filled.mirrored
    ('left', 2, ('D', 'E'))
    """
    check_prob(prob)
    _check_choices(estimator, side)
    effects = as_effects(data, measure, zero_cells)
    need_studies(effects, 3, "Trim and fill")
    side = side or _side(effects)
    sign = 1.0 if side == "left" else -1.0
    order = np.argsort(sign * effects.y, kind="stable")
    names = tuple(effects.study[i] for i in order)
    upward = EffectSizes(study=names, y=sign * effects.y[order], se=effects.se[order])
    centre, k0, k0_se = _settle(upward, estimator, tau2)
    full = slice(effects.k - k0, None)
    y, se = sign * (2 * centre - upward.y[full]), upward.se[full]
    both = EffectSizes(
        study=(*effects.study, *(f"filled {i + 1}" for i in range(k0))),
        y=np.concatenate([effects.y, y]),
        se=np.concatenate([effects.se, se]),
        measure=effects.measure,
        note=f"{k0} of them filled in",
        origin=effects.origin,
    )
    return TrimAndFill(
        estimator=estimator,
        side=side,
        k0=k0,
        k0_se=k0_se,
        k0_p=0.5 ** (k0 + 1) if estimator == "R0" else None,
        mirrored=names[full],
        y=read_only(y),
        se=read_only(se),
        observed=refit(effects, tau2, prob=prob),
        fit=refit(both, tau2, prob=prob),
    )


def _check_choices(estimator: str, side: str | None) -> None:
    if not is_among(estimator, _MISSING):
        raise ModelError(f"estimator is one of {', '.join(_MISSING)}, not {shown(estimator)}.")
    if not is_among(side, (None, "left", "right")):
        raise ModelError(f"side is 'left', 'right' or None, not {shown(side)}.")


def _side(effects: EffectSizes) -> Side:
    if np.ptp(effects.se) <= 1e-9 * effects.se.max():
        raise DataError(
            "Trim and fill takes the side from the slope of Egger's test, but all standard errors "
            "are equal; give side='left' or side='right'."
        )
    *_, slope, _ = line_of(effects.y, effects.se, effects.se**-2)
    return "right" if slope < 0 else "left"


def _settle(effects: EffectSizes, estimator: str, tau2: Tau2 | None) -> tuple[float, int, float]:
    """Centre, number of missing studies on the left and its standard error; `y` ascends."""
    k, k0 = effects.k, 0
    for _ in range(_STEPS):
        centre = refit(effects.keep(np.arange(k) < k - k0), tau2).estimate
        away = effects.y - centre
        away[np.abs(away) <= 1e-13 * np.abs(effects.y).max()] = 0.0  # rounding has no side
        rank = np.empty(k)
        rank[np.argsort(np.abs(away), kind="stable")] = np.arange(1, k + 1)
        missing, error = _MISSING[estimator](k, np.sign(away) * rank)
        before, k0 = k0, min(max(round(missing), 0), k - 1)
        if k0 == before:
            return centre, k0, error
    raise DataError(
        f"The number of missing studies by {estimator} did not settle in {_STEPS} steps; "
        "use another estimator."
    )


def _r0(k: int, signed: Array) -> tuple[float, float]:
    k0 = max(0.0, k - max(float(-signed.min()), 0.0) - 1)
    return k0, float(np.sqrt(2 * k0 + 2))


def _l0(k: int, signed: Array) -> tuple[float, float]:
    k0 = float(4 * signed[signed > 0].sum() - k * (k + 1)) / (2 * k - 1)
    return k0, 4 * _rank_sum_sd(k, k0) / (2 * k - 1)


def _q0(k: int, signed: Array) -> tuple[float, float]:
    square = float(2 * k**2 - 4 * signed[signed > 0].sum() + 0.25)
    if square <= 0:
        raise DataError("Q0 has no value here: the ranks are too one-sided; use 'L0' or 'R0'.")
    k0 = k - 0.5 - square**0.5
    slope = (k - 0.5) ** 2 - k0 * (2 * k - k0 - 1)  # of the rank sum in k0, squared
    return k0, 2 * _rank_sum_sd(k, k0) / slope**0.5


def _rank_sum_sd(k: int, k0: float) -> float:
    """Of the sum of the positive ranks."""
    plain = k * (k + 1) * (2 * k + 1)
    extra = 10 * k0**3 + 27 * k0**2 + 17 * k0 - 18 * k * k0**2 - 18 * k * k0 + 6 * k**2 * k0
    return max(plain + extra, 0.0) ** 0.5 / 24**0.5


_MISSING = {"L0": _l0, "R0": _r0, "Q0": _q0}
