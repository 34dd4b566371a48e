"""Prior beside posterior, and how far the data moved it."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial.legendre import leggauss

from ..model import check_one_outcome
from ..posterior import Array, Marginal, Posterior, check_posterior
from ..priors import Prior, log_density
from ..studies import check_prob
from ._numbers import parameters
from ._priors import prior_interval

if TYPE_CHECKING:
    import pandas as pd

X, WEIGHT = leggauss(8)
SIDES = (1e-6, 1e-4, 1e-3, 0.01, 0.05, 0.15, 0.3)  # probabilities between which nodes lie
PROBS = np.array([*SIDES, 0.5, *(1 - side for side in reversed(SIDES))])
LEAST = 1e-9  # bits: what a divergence is below 0 by rounding
COLUMNS = ("prior", "prior_lower", "prior_upper", "lower", "upper", "width_ratio", "distance")


def prior_posterior(posterior: Posterior, *, prob: float = 0.95) -> "pd.DataFrame":
    """Set the prior of every parameter beside its posterior, with how far the data moved it.

    Parameters
    ----------
    posterior : Posterior
        Of one outcome.
    prob : float
        Mass of the central intervals.

    Returns
    -------
    DataFrame
        One row per parameter with a prior of its own, on the analysis scale: the prior, its
        interval, that of the posterior, the width of this over that of the prior, and the
        Jensen-Shannon distance of the two (the root of the divergence in bits: 0 where the data
        changed nothing, 1 where nothing is left of the prior). An improper prior has no interval
        and no distance: NaN.

    References
    ----------
    Lin J (1991). IEEE Trans Inf Theory 37:145-151; Endres DM, Schindelin JE (2003), 49:1858-1860.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> bm.prior_posterior(bm.fit(model, data))["distance"].round(2).to_dict()
    {'mu': 0.74, 'tau': 0.19}
    """
    import pandas as pd

    check_posterior(posterior)
    check_prob(prob)
    check_one_outcome(posterior.model, "prior_posterior")
    model, data = posterior.model, posterior.data
    of_effect = model.numbered(data).location.priors.values()
    entries = [f"{model.location.name}[{one}]" for one in model.location.entries(data)]
    priors = {**model.priors, **dict(zip(entries, of_effect, strict=False))}
    own = {name: name if name in priors else name.split("[")[0] for name in parameters(posterior)}
    rows = {
        name: _row(priors[own[name]], marginal, prob)
        for name, marginal in parameters(posterior).items()
        if own[name] in priors
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS))
    return table.rename_axis("parameter")


def _row(prior: Prior, marginal: Marginal, prob: float) -> tuple[object, ...]:
    before, after = prior_interval(prior, prob), marginal.interval(prob)
    ratio = (after[1] - after[0]) / (before[1] - before[0])
    far = _distance(prior, marginal) if prior.proper else np.nan
    return repr(prior), *before, *map(float, after), float(ratio), far


def _distance(prior: Prior, marginal: Marginal) -> float:
    """Each half of the divergence over the quantiles of one, its panels cut by those of both."""
    first, last = np.asarray(prior.quantile(PROBS)), np.asarray(marginal.quantile(PROBS))
    u, weight = _nodes(np.asarray(prior.cdf(last)))
    at = np.asarray(prior.quantile(u))
    of_prior = weight @ _share(np.exp(log_density(prior, at)), np.asarray(marginal.pdf(at)))
    u, weight = _nodes(np.asarray(marginal.cdf(first)))
    at = np.asarray(marginal.quantile(u))
    of_marginal = weight @ _share(np.asarray(marginal.pdf(at)), np.exp(log_density(prior, at)))
    divergence = 0.5 * float(of_prior + of_marginal)
    return float(np.sqrt(max(divergence, 0.0))) if divergence > -LEAST else np.nan


def _nodes(others: Array) -> tuple[Array, Array]:
    """Nodes of a probability and their weights."""
    edges = np.unique(np.clip([0.0, *PROBS, *others, 1.0], 0.0, 1.0))
    half, middle = 0.5 * np.diff(edges)[:, None], 0.5 * (edges[1:] + edges[:-1])[:, None]
    u, weight = (middle + half * X).ravel(), (half * WEIGHT).ravel()
    inside = (u > 0) & (u < 1)
    return u[inside], weight[inside]


def _share(own: Array, other: Array) -> Array:
    """Log in bits of a density over the mean of both; far out, where it is 0, it weighs nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(np.isinf(own) | (own == 0), 0.0, other / own)
    return 1 - np.log2(1 + ratio)
