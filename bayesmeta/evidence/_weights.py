"""How much each study has to say about mu."""

from typing import TYPE_CHECKING

import numpy as np

from ..errors import ModelError
from ..model import NormalSpread, NoSpread, check_one_effect
from ..posterior import Posterior, TauDensity, check_posterior
from ..priors import Flat, Normal
from ..ways import way
from ._refit import refit

if TYPE_CHECKING:
    import pandas as pd


def mean_weights(posterior: Posterior) -> "pd.DataFrame":
    """Say how much each study has to say about mu.

    For the normal models the mean of mu given tau is a weighted mean of the estimates and of the
    prior's mean; here are those weights, averaged over the posterior of tau. Elsewhere no such
    weights exist, and the posterior precision of mu that is lost when a study is left out takes
    their place: it costs one fit per study, and the losses do not add up to 1.

    Parameters
    ----------
    posterior : Posterior
        From the exact engine.

    Returns
    -------
    DataFrame
        Normal model with normal or flat prior of mu: ``weight``, which sum to 1 with the row
        ``prior of mu``, and with random effects ``own_weight``, that of a study in its own theta.
        Other models: ``precision_lost``, 1 - (variance of mu / variance without the study); it is
        below 0 where the rest agrees better without the study. NaN where nothing is left to fit.

    Raises
    ------
    ModelError
        If the posterior is known through draws alone.

    References
    ----------
    Röver C (2020). J Stat Softw 93(6), section 2.6 (weights).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> bm.mean_weights(bm.fit(model, data))["weight"].round(2).to_list()
    [0.47, 0.3, 0.21, 0.02]
    """
    check_posterior(posterior)
    check_one_effect(posterior.model, "mean_weights")
    if not posterior.exact:
        raise ModelError(f"Weights need an exact posterior: {way('exact')}.")
    model = posterior.model
    closed = model.likelihood.closed and isinstance(model.between, NoSpread | NormalSpread)
    if closed and isinstance(model.overall, Normal | Flat):
        return _conditional_weights(posterior)
    return _precision_lost(posterior)


def _conditional_weights(posterior: Posterior) -> "pd.DataFrame":
    import pandas as pd

    prior, data = posterior.model.overall, posterior.data
    se = data.numbers["se"]
    of_prior = prior.sd**-2.0 if isinstance(prior, Normal) else 0.0
    tau, mass = np.zeros(1), np.ones(1)
    spread = posterior.marginals.get("tau")
    if isinstance(spread, TauDensity):
        tau, mass = spread.nodes()
    mass = mass / mass.sum()
    precision = 1 / (se**2 + tau[:, None] ** 2)
    weight = precision / (precision.sum(axis=1, keepdims=True) + of_prior)
    own = 1 - se**2 * precision  # Röver (2020), eq. 15: the share of a study's own estimate
    at_mu = mass @ weight
    columns = {"weight": [*at_mu, 1 - at_mu.sum()]}
    if spread is not None:
        columns["own_weight"] = [*(mass @ (own + (1 - own) * weight)), np.nan]
    index = pd.Index([*data.study, "prior of mu"], name="study")
    return pd.DataFrame(columns, index=index).iloc[: None if of_prior else -1]


def _precision_lost(posterior: Posterior) -> "pd.DataFrame":
    import pandas as pd

    model, data = posterior.model, posterior.data
    variance = posterior.at().sd() ** 2
    rows = np.eye(data.k, dtype=bool)
    without = [refit(model, data.keep(~row)).at().sd() ** 2 for row in rows if data.k > 1]
    lost = 1 - variance / np.array(without or [np.nan])
    return pd.DataFrame({"precision_lost": lost}, index=pd.Index(data.study, name="study"))
