"""Prior and posterior densities on a common grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from ..model import (
    check_one_effect,
)
from ..posterior import Array, Posterior
from ..priors import log_density

if TYPE_CHECKING:
    pass
from ._numbers import parameters


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DensityRows:
    """Prior and posterior density of one parameter on a common grid, analysis scale.

    Attributes
    ----------
    parameter : str
    x, prior, posterior : ndarray, shape (n,)
        An improper prior has no density to compare with: NaN.
    lower, median, upper : float
        Of the posterior.
    """

    parameter: str
    x: Array
    prior: Array
    posterior: Array
    lower: float
    median: float
    upper: float


def density_rows(
    posterior: Posterior, *, prob: float = 0.95, points: int = 401
) -> Sequence[DensityRows]:
    """Prior and posterior densities of mu and tau.

    The grid spans nearly all of the posterior and three of its widths around; the prior is shown
    where the posterior is, so that a reader sees what the data added.
    """
    check_one_effect(posterior.model, "density_rows")
    rows = []
    known = parameters(posterior)
    for name in [one for one in ("mu", "tau") if one in known]:
        marginal, prior = known[name], posterior.model.priors[name]
        lower, upper = marginal.interval(prob)
        low, high = (float(marginal.quantile(q)) for q in (0.001, 0.999))
        wide = np.array([low - 0.35 * (high - low), high + 0.35 * (high - low)])
        start, end = prior.support
        x = np.linspace(*np.clip(wide, max(start, 0.0) if name == "tau" else start, end), points)  # pyright: ignore[reportCallIssue]
        rows.append(
            DensityRows(
                parameter=name,
                x=x,
                prior=np.exp(log_density(prior, x)) if prior.proper else np.full(points, np.nan),
                posterior=np.asarray(marginal.pdf(x)),
                lower=lower,
                median=float(marginal.quantile(0.5)),
                upper=upper,
            )
        )
    return tuple(rows)
