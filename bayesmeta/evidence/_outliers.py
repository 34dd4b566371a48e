"""Which studies are outliers, and how strongly the data say so."""

from typing import TYPE_CHECKING

import numpy as np

from ..engines import CALLED_OUTLIER
from ..errors import ModelError
from ..model import OutlierSpread
from ..posterior import Posterior, check_posterior
from ..priors import Beta, Mixture, Prior, Uniform
from ..ways import shown

if TYPE_CHECKING:
    import pandas as pd


def outliers(posterior: Posterior) -> "pd.DataFrame":
    """Say which studies are outliers, and how strongly the data say so.

    Parameters
    ----------
    posterior : Posterior
        Of an ``OutlierMixture``.

    Returns
    -------
    DataFrame
        One row per study: ``probability`` of being one of the wide component; ``prior``, the same
        before the data, which is the mean of the prior of share; ``bayes_factor``, posterior over
        prior odds; ``outlier``, whether the probability is above 0.5.

    Raises
    ------
    ModelError
        If the posterior is of another model.

    References
    ----------
    Beath KJ (2014). Res Synth Methods 5:285-293.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(list("ABCDE"), [0.1, 0.0, 0.2, 0.1, 4.0], [0.2] * 5)
    >>> model = bm.OutlierMixture(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.2),
    ...                           share=bm.Beta(1, 9), spread=bm.HalfNormal(2))
    >>> table = bm.outliers(bm.fit(model, data))
    >>> table.index[table["outlier"]].to_list()
    ['E']
    """
    import pandas as pd

    check_posterior(posterior)
    model = posterior.model
    between = model.between
    if not isinstance(between, OutlierSpread):
        raise ModelError(
            f"outliers needs a fit of OutlierMixture, not of {model.name}, which tells "
            "no study from the others."
        )
    probability = posterior["outlier"].mean()
    prior = mean_of_share(between.share)
    with np.errstate(divide="ignore"):
        factor = probability / (1 - probability) * (1 - prior) / prior
    columns = {
        "probability": probability,
        "prior": prior,
        "bayes_factor": factor,
        "outlier": probability > CALLED_OUTLIER,
    }
    return pd.DataFrame(columns, index=pd.Index(posterior.data.study, name="study"))


def mean_of_share(prior: Prior) -> float:
    """Return the mean of a prior within 0 and 1.

    Examples
    --------
    >>> mean_of_share(Mixture(0.5, Beta(1, 9), Uniform(0, 1)))
    0.3
    """
    match prior:
        case Beta():
            return prior.a / (prior.a + prior.b)
        case Uniform():
            return (prior.low + prior.high) / 2
        case Mixture():
            return sum(weight * mean_of_share(part) for weight, part in prior.parts)
        case _:  # the model takes no other
            raise ModelError(
                f"share has a Beta or Uniform prior, or their mixture, not {shown(prior)}."
            )
