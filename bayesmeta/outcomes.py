"""What several outcomes fitted together say, beside each of them fitted alone."""

from typing import TYPE_CHECKING

import numpy as np

from .engines import fit
from .errors import ModelError
from .model import MultivariateNormal, NormalNormal
from .multivariate import MultivariateEffects
from .posterior import Marginals, Posterior
from .studies import check_prob, need

if TYPE_CHECKING:
    import pandas as pd


def compare_outcomes(posterior: Posterior, *, prob: float = 0.95) -> "pd.DataFrame":
    """Set each outcome's overall effect beside that of its own studies alone, same priors.

    Parameters
    ----------
    posterior : Posterior
        Of ``MultivariateNormal``.
    prob : float
        Probability of the central intervals.

    Returns
    -------
    DataFrame
        One row per outcome, analysis scale: ``mean``, ``sd``, ``lower``, ``upper`` of all outcomes
        together, the same ``_alone`` by the exact ``NormalNormal``; ``width_ratio`` of the two
        intervals; ``borrowed``, one less the ratio of the variances, the share of the answer that
        comes from the other outcomes where it is positive; and a column ``correlation[...]`` for
        each outcome, the posterior correlations of the overall effects.

    Raises
    ------
    ModelError
        If the posterior is of one outcome.

    Notes
    -----
    The posterior of tau changes too when outcomes are fitted together, so the interval may also be
    wider than alone.

    References
    ----------
    Jackson D, White IR, Price M, Copas J, Riley RD (2017). Stat Methods Med Res 26:2853-2868
    (borrowing of strength, here of posterior variances).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.MultivariateEffects(
    ...     study=("A", "B", "C"), outcome=("PD", "AL"), correlation=0.3,
    ...     y=[[0.5, -0.3], [0.2, -0.6], [0.4, -0.1]], se=[[0.1, 0.1], [0.1, 0.05], [0.05, 0.05]])
    >>> model = bm.MultivariateNormal(
    ...     mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.5), rho=bm.Uniform(-1, 1))
    >>> table = bm.compare_outcomes(bm.fit(model, data, bm.NUTS(seed=1)))
    >>> table["mean_alone"].round(2).tolist()
    [0.36, -0.32]
    """
    import pandas as pd

    check_prob(prob)
    model, data, together = posterior.model, posterior.data, posterior.marginals.get("mu")
    if not isinstance(model, MultivariateNormal) or not isinstance(together, Marginals):
        raise ModelError(
            f"compare_outcomes takes a posterior of MultivariateNormal, not of {model.name}."
        )
    data = need(data, MultivariateEffects, "compare_outcomes is of several outcomes")
    rows = []
    for name in data.outcome:
        own = NormalNormal(mu=model.of("mu", name), tau=model.of("tau", name))
        alone = fit(own, data.effects(name))["mu"]
        rows.append(
            {
                f"{what}{end}": value
                for end, one in (("", together[name]), ("_alone", alone))
                for what, value in zip(
                    ("mean", "sd", "lower", "upper"),
                    (one.mean(), one.sd(), *one.interval(prob)),
                    strict=True,
                )
            }
        )
    table = pd.DataFrame(rows, index=pd.Index(data.outcome, name="outcome"))
    width = table["upper"] - table["lower"]
    table["width_ratio"] = width / (table["upper_alone"] - table["lower_alone"])
    table["borrowed"] = 1 - (table["sd"] / table["sd_alone"]) ** 2
    draws = posterior.sample(None, 0)["mu"].reshape(-1, data.p)
    names = [f"correlation[{name}]" for name in data.outcome]
    return table.join(pd.DataFrame(np.corrcoef(draws.T), index=table.index, columns=names))
