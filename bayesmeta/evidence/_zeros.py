"""What studies without events contribute."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..engines import NUTS, Engine, fit
from ..errors import ModelError
from ..model import Data, check_one_effect
from ..posterior import Posterior, check_posterior
from ..studies import check_prob
from ..summaries import scale_of

if TYPE_CHECKING:
    import pandas as pd


def zero_studies(
    posterior: Posterior, *, prob: float = 0.95, engine: Engine | None = None
) -> "pd.DataFrame":
    """Show what studies without events contribute: the same model with and without them.

    Parameters
    ----------
    posterior : Posterior
        Of counts.
    prob : float
        Probability of the intervals.
    engine : Engine, optional
        For the further fits; by default the exact one where it can serve and the posterior is
        exact, else ``NUTS(seed=0)``.

    Returns
    -------
    DataFrame
        Rows: all studies, without those that have no event in any arm, without those that have
        none in some arm. Columns, analysis scale: k, mean, sd, median, lower and upper of mu, the
        median of tau, the probability of an effect below none, ``shift`` of mu's mean in posterior
        SDs of the first row, whether the fit is sound, and who was left out. A row without studies
        has k = 0 and no numbers.

    Raises
    ------
    ModelError
        If the data are no counts.

    References
    ----------
    Ren Y, Lin L, Lian Q, Zou H, Chu H (2019). J Gen Intern Med 34:960-968 (double-zero studies).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> trials = bm.BinaryStudies(
    ...     study=["A", "B", "C"], events_treatment=[2, 0, 3], n_treatment=[40, 30, 35],
    ...     events_control=[5, 0, 4], n_control=[40, 30, 36])
    >>> model = bm.HypergeometricNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> bm.zero_studies(bm.fit(model, trials))[["k", "left_out"]].values.tolist()
    [[3, ''], [2, 'B'], [2, 'B']]
    """
    import pandas as pd

    check_posterior(posterior)
    check_prob(prob)
    check_one_effect(posterior.model, "zero_studies")
    data = posterior.data
    if not posterior.model.likelihood.counted:
        raise ModelError("zero_studies needs a fit of counts: estimates do not tell the zeros.")
    engine = engine or (None if posterior.exact else NUTS(seed=0))
    fits = {(True,) * data.k: posterior}
    rows = []
    for name, kept in _without_zeros(data).items():
        key = tuple(kept.tolist())
        if kept.any() and key not in fits:
            fits[key] = fit(posterior.model, data.keep(kept), engine)
        left = ", ".join(name for name, keep in zip(data.study, kept, strict=True) if not keep)
        numbers = _mu_and_tau(fits[key], posterior, prob) if key in fits else {}
        rows.append({"studies": name, "k": int(kept.sum()), **numbers, "left_out": left})
    return pd.DataFrame(rows).set_index("studies")


def _without_zeros(data: Data) -> dict[str, NDArray[np.bool_]]:
    """Which studies each row keeps, shape (k,)."""
    events = [each for name, each in data.numbers.items() if name.startswith("events")]
    none = np.array(events) == 0
    kept = {
        "all studies": np.ones(data.k, bool),
        "without studies that have no event": ~none.all(axis=0),
    }
    if len(events) > 1:
        kept["without studies that have an arm without events"] = ~none.any(axis=0)
    return kept


def _mu_and_tau(one: Posterior, full: Posterior, prob: float) -> dict[str, float | bool]:
    mu = one.at()
    lower, upper = mu.interval(prob)
    spread = one["tau"].quantile(0.5) if "tau" in one.marginals else np.nan
    return {
        "mean": mu.mean(),
        "sd": mu.sd(),
        "median": mu.quantile(0.5),
        "lower": lower,
        "upper": upper,
        "tau_median": spread,
        "prob_below_null": mu.cdf(0.0) if scale_of(full).comparative else np.nan,
        "shift": (mu.mean() - full.at().mean()) / full.at().sd(),
        "sound": one.diagnostics.passed,
    }
