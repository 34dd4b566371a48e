"""The frequentist regression of the same estimates, and tests between groups."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from ..effects import EffectSizes
from ..errors import BayesmetaError
from ..frequentist import (
    MetaRegression,
    PermutationTest,
    Subgroups,
    meta_regression,
    permutation_test,
    subgroups,
)
from ..model import Predictor

if TYPE_CHECKING:
    import pandas as pd

SEPARATE = "between groups, tau² of each its own (RevMan; meta)"
COMMON = "between groups, one tau² (metafor; meta with tau.common)"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Frequentist:
    """What two stages give.

    Attributes
    ----------
    regression : MetaRegression or None
        REML, Knapp and Hartung; None where it cannot be made.
    subgroups : Subgroups or None
        Where all covariates are one factor.
    permutation : PermutationTest or None
        Where it was asked for.
    refusals : tuple of str
        Why something could not be made.
    """

    regression: MetaRegression | None = None
    subgroups: Subgroups | None = None
    permutation: PermutationTest | None = None
    refusals: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What its own cautions say."""
        regression, groups = self.regression, self.subgroups
        found = () if regression is None else regression.cautions
        narrow = any("HKSJ" in one for one in found)
        others = () if groups is None else groups.cautions
        kept = (one for one in others if not (narrow and "HKSJ" in one))  # it is said already
        return tuple(dict.fromkeys((*found, *kept)))

    def coefficients(self) -> "pd.DataFrame | None":
        """A row per coefficient: estimate, se, lower, upper, statistic, df, p; None without."""
        return None if self.regression is None else self.regression.table()

    def tests(self) -> "pd.DataFrame":
        """A row per test: ``statistic``, ``df``, ``df_residual`` (infinite for chi²), ``p``."""
        import pandas as pd

        rows: dict[str, tuple[float, ...]] = {}
        regression, groups = self.regression, self.subgroups
        if regression is not None:
            if regression.moderators is not None:
                one = regression.moderators
                rows["QM: any covariate (Knapp–Hartung)"] = (*one, one.p)
            rows["QE: what is left over"] = (
                regression.q,
                regression.q_df,
                np.inf,
                regression.q_p,
            )
        if groups is not None:
            rows[SEPARATE] = (*groups.separate, groups.separate.p)
            rows[COMMON] = (*groups.common, groups.common.p)
        names = ["statistic", "df", "df_residual", "p"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=names).rename_axis("test")


def beside(
    effects: EffectSizes,
    location: Predictor,
    factor: str | None,
    *,
    prob: float,
    seed: int | None,
) -> Frequentist:
    """Everything that two stages give of these estimates, and why not the rest."""
    refusals: list[str] = []
    regression = _tried(
        lambda: meta_regression(effects, location.terms, prob=prob), "Regression", refusals
    )
    groups = permuted = None
    if factor is not None:
        groups = _tried(lambda: subgroups(effects, factor, prob=prob), "Subgroups", refusals)
    if regression is not None and seed is not None:
        permuted = _tried(
            lambda: permutation_test(regression, seed=seed), "Permutation test", refusals
        )
    return Frequentist(
        regression=regression,
        subgroups=groups,
        permutation=permuted,
        refusals=tuple(refusals),
    )


def _tried[T](make: Callable[[], T], what: str, refusals: list[str]) -> T | None:
    try:
        return make()
    except BayesmetaError as error:
        refusals.append(f"{what}, in two stages: {error}")
        return None
