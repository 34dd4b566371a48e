"""The answer by either definition of the quartiles that arms report."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ModelError
from ..model import Arms, check_one_effect, compose, spellings
from ..posterior import Posterior, check_posterior
from ..studies import check_prob
from ._refit import refit

if TYPE_CHECKING:
    import pandas as pd

WORDS = {7: "type 7 (R, NumPy, Excel)", 6: "type 6 (SPSS, Minitab)"}


def quartile_definitions(posterior: Posterior, *, prob: float = 0.95) -> "pd.DataFrame":
    """Set the effect side by side by the two usual definitions of sample quartiles.

    Papers hardly ever say which their software took; in small arms it moves the quartiles.

    Parameters
    ----------
    posterior : Posterior
        Of a model of arms.
    prob : float
        Probability of the interval.

    Returns
    -------
    DataFrame
        One row per definition: ``estimate`` (median of mu), ``lower``, ``upper``.

    Raises
    ------
    ModelError
        If the model is of another kind.

    References
    ----------
    Hyndman RJ, Fan Y (1996). Am Stat 50:361-365.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> study = bm.ContinuousStudies(study=["A"], mean_treatment=[8.1], sd_treatment=[2.0],
    ...     n_treatment=[30], mean_control=[9.6], sd_control=[2.3], n_control=[31])
    >>> model = bm.ContinuousCommonEffect(measure="MD", mu=bm.Normal(0, 10))
    >>> bm.quartile_definitions(bm.fit(model, study))["estimate"].round(2).tolist()
    [-1.5, -1.5]
    """
    import pandas as pd

    check_posterior(posterior)
    check_prob(prob)
    model = posterior.model
    of = model.likelihood
    if not isinstance(of, Arms):
        raise ModelError(f"quartile_definitions is for models of arms, e.g. {spellings(Arms)[0]}.")
    check_one_effect(posterior.model, "quartile_definitions")
    rows = []
    for kind in WORDS:
        fitted = posterior
        if kind != of.quartiles:
            other = compose(replace(of, quartiles=kind), model.location, model.between)
            fitted = refit(other, posterior.data)
        mu = fitted.at()
        lower, upper = mu.interval(prob)
        rows.append({"estimate": mu.quantile(0.5), "lower": lower, "upper": upper})
    return pd.DataFrame(rows, index=pd.Index(WORDS.values(), name="quartiles"))
