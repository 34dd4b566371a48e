"""What a study of infinite size would show: PET and PEESE."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

import numpy as np
from scipy.special import stdtr

from ...effects import ZeroCells
from ...model import Data
from ...notebooks import Tabled
from ...studies import check_prob
from ..pooling.one import as_effects
from .weighted_line import WeightedLine, weighted_line

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.10
_COLUMNS = ("estimate", "se", "lower", "upper", "p", "slope", "slope_se", "slope_p", "df")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PetPeese(Tabled):
    """Both extrapolations to a study of infinite size, and which of them the rule takes.

    Attributes
    ----------
    pet, peese : WeightedLine
        Lines in the standard error and in its square; ``estimate`` is their height at zero.
    measure : str
    k : int
    one_sided_p : float
        PET's p of no effect against an effect with the sign of the common effect.
    """

    pet: WeightedLine
    peese: WeightedLine
    measure: str
    k: int
    one_sided_p: float

    @property
    def chosen(self) -> Literal["PET", "PEESE"]:
        """PEESE where PET finds an effect, else PET."""
        return "PEESE" if self.one_sided_p < LEVEL else "PET"

    @property
    def rule(self) -> str:
        """The rule and its outcome, in words."""
        found = "finds an effect" if self.chosen == "PEESE" else "finds none"
        return (
            f"PEESE if PET's one-sided test of no effect, against the sign of the common effect, "
            f"has p below {LEVEL:g}, else PET; PET {found} (p = {self.one_sided_p:.2g}): "
            f"{self.chosen}."
        )

    def table(self) -> "pd.DataFrame":
        """Return one row per line, with which of them is ``chosen``."""
        import pandas as pd

        lines = {"PET": self.pet, "PEESE": self.peese}
        rows = [
            {
                **{column: getattr(line, column) for column in _COLUMNS},
                "k": self.k,
                "chosen": name == self.chosen,
            }
            for name, line in lines.items()
        ]
        return pd.DataFrame(rows, index=pd.Index(list(lines), name="method"))


def pet_peese(
    data: Data,
    *,
    measure: str | None = None,
    zero_cells: ZeroCells = "if_needed",
    prob: float = 0.95,
) -> PetPeese:
    """Extrapolate the estimates to a standard error of zero.

    PET regresses y on se, PEESE on se², both with weights 1/se² and a dispersion estimated from
    the residuals. PET is nearer the truth where there is no effect, PEESE where there is one,
    hence the rule that chooses.

    Parameters
    ----------
    data : EffectSizes or counts
    measure, zero_cells
        For counts, as for :func:`effect_sizes`.
    prob : float
        Level of the t intervals.

    Returns
    -------
    PetPeese

    Raises
    ------
    DataError
        As for Egger's test, which is PET's test of the slope.

    References
    ----------
    Stanley TD, Doucouliagos H (2014). Res Synth Methods 5:60-78.

    Notes
    -----
    Papers differ in the level of the rule, one-sided 0.05 or 0.10; here it is 0.10, and
    ``one_sided_p`` and both lines are there for another.

    Both lines attribute every trend with se to small-study effects, and extrapolate: with few or
    similar studies, or with heterogeneity, they can be far off (Stanley TD, 2017, Soc Psychol
    Personal Sci 8:581-591).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(list("ABCD"), [-0.9, 0.1, -0.3, -0.5], [0.6, 0.2, 0.3, 1])
    >>> bm.pet_peese(data).chosen
    'PET'
    """
    check_prob(prob)
    effects = as_effects(data, measure, zero_cells)
    weights = effects.se**-2
    pet, peese = (
        weighted_line(name, effects.study, effects.y, x, weights, prob)
        for name, x in (("PET", effects.se), ("PEESE", effects.se**2))
    )
    sign = np.sign(weights @ effects.y)
    one_sided = float(stdtr(pet.df, -sign * pet.estimate / pet.se))
    return PetPeese(
        pet=pet, peese=peese, measure=effects.measure, k=effects.k, one_sided_p=one_sided
    )
