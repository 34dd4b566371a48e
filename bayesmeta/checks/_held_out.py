"""What leave-one-study-out cross-validation found."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ..model import Data
from ..notebooks import Tabled

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]

SURPRISING = 0.05  # of a PIT value's tail, times the number of studies


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LOO(Tabled):
    """Leave-one-study-out predictions.

    Attributes
    ----------
    study : tuple of str, length k
    elpd : ndarray, shape (k,)
        Log predictive density of each study's result given the other studies; NaN where no sound
        number was had.
    fitted : ndarray, shape (k,)
        The same with the study itself among the data.
    pit_lower, pit_upper : ndarray, shape (k,)
        Bounds of `pit`: predictive probability of a lower result, and of one as low or lower;
        equal for estimates.
    pit : ndarray, shape (k,)
        Between these, at random for counts: uniform if the predictions are calibrated.
    pareto_k : ndarray, shape (k,)
        Of importance weights; NaN where none were used.
    how : tuple of str, length k
        ``"exact"``, ``"weights"`` or ``"refit"``; or why there is no sound number.
    target : str
        What is predicted, and given what.
    data : Data
    sound : bool
        Whether the fit itself passed its gates.
    """

    study: tuple[str, ...]
    elpd: Array
    fitted: Array
    pit_lower: Array
    pit_upper: Array
    pit: Array
    pareto_k: Array
    how: tuple[str, ...]
    target: str
    data: Data
    sound: bool = True

    @property
    def total(self) -> float:
        """Expected log predictive density of all studies, NaN if a study has none."""
        return float(self.elpd.sum())

    @property
    def se(self) -> float:
        """Standard error of the total, as if studies were drawn at random."""
        return float(np.sqrt(self.elpd.size * self.elpd.var(ddof=1)))

    @property
    def p_loo(self) -> float:
        """Effective number of the parameters that studies share."""
        return float((self.fitted - self.elpd).sum())

    @property
    def missing(self) -> tuple[str, ...]:
        """Studies without a sound prediction."""
        return tuple(n for n, one in zip(self.study, self.elpd, strict=True) if np.isnan(one))

    @property
    def surprise(self) -> Array:
        """Two-sided tail of each PIT value times the number of studies, (k,): Bonferroni's bound.

        Above 1 it says no more than 1 does.
        """
        return 2 * np.minimum(self.pit, 1 - self.pit) * self.pit.size

    @property
    def cautions(self) -> tuple[str, ...]:
        """Studies that the others hardly predict, and predictions that could not be had."""
        said = [
            f"{name} is hardly predicted by the other studies (LOO-PIT {pit:.3f})."
            for name, pit, p in zip(self.study, self.pit, self.surprise, strict=True)
            if p < SURPRISING
        ]
        if not self.sound:
            said.append("These predictions rest on a fit that failed a numerical gate.")
        if self.missing:
            said.append(f"No sound leave-one-out prediction of {', '.join(self.missing)}.")
        return tuple(said)

    def table(self) -> "pd.DataFrame":
        """Return one row per study."""
        import pandas as pd

        columns = ("elpd", "pit_lower", "pit_upper", "pit", "pareto_k", "how")
        values = {name: getattr(self, name) for name in columns}
        return pd.DataFrame(values, index=pd.Index(self.study, name="study"))
