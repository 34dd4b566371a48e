"""Bayes factors as the scale of a prior goes from a tenth to ten times the one in use."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

import numpy as np

from ..errors import ModelError
from ..model import Model, with_tau
from ..notebooks import Tabled
from ..posterior import Posterior, check_posterior
from ..priors import Prior, rescaled
from ._factors import BayesFactor, factors_of, log_evidence
from ._refit import refit, with_mu

if TYPE_CHECKING:
    import pandas as pd

type Parameter = Literal["mu", "tau"]

TIMES = (0.1, 0.2, 1 / 3, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 5.0, 10.0)  # the scale in use


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledFactor:
    """A Bayes factor under a prior of another scale.

    Attributes
    ----------
    scaled : {"mu", "tau"}
        Whose prior is scaled.
    times : float
        Its scale over that in use.
    prior : Prior
        That prior, scaled.
    factor : BayesFactor
    """

    scaled: Parameter
    times: float
    prior: Prior
    factor: BayesFactor


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BayesFactorCurve(Tabled):
    """Bayes factors by the scale of the prior of mu, and of that of tau.

    Attributes
    ----------
    points : tuple of ScaledFactor
        By parameter whose prior is scaled, its scale upwards, and hypothesis.
    not_made : tuple of str
        Priors without a scale, and scales at which there is no sound fit, each with the reason.
    """

    points: tuple[ScaledFactor, ...]
    not_made: tuple[str, ...]

    def table(self) -> "pd.DataFrame":
        """Return one row per prior that is scaled, scale and hypothesis."""
        import pandas as pd

        rows = [
            {
                "scaled": one.scaled,
                "times": one.times,
                "prior": repr(one.prior),
                "hypothesis": one.factor.hypothesis,
                "log_bf01": one.factor.log_bf01,
                "bf01": one.factor.bf01,
                "bf10": one.factor.bf10,
                "prob_null": one.factor.prob_null,
            }
            for one in self.points
        ]
        columns = ["scaled", "times", "prior", "hypothesis"]
        columns += ["log_bf01", "bf01", "bf10", "prob_null"]
        return pd.DataFrame(rows, columns=columns).set_index("scaled")


def bayes_factor_curve(posterior: Posterior) -> BayesFactorCurve:
    """Follow the Bayes factors of mu = 0 and tau = 0 over the scales of the priors.

    The scale of the prior of mu, then of that of tau, goes from a tenth to ten times the one in
    use, the other prior as it is; a prior of mu keeps its centre. Every point is a fit of its own
    with that prior, and its factors are those of ``bayes_factors`` of that fit.

    Parameters
    ----------
    posterior : Posterior
        From the exact engine, with proper priors.

    Returns
    -------
    BayesFactorCurve

    Raises
    ------
    ModelError
        As ``bayes_factors``: if a prior is improper, or the posterior is known through draws alone.

    References
    ----------
    Sinharay S, Stern HS (2002). Am Stat 56:196-201: how far Bayes factors hang on priors.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> table = bm.bayes_factor_curve(bm.fit(model, data)).table()
    >>> of_mu = table[table["hypothesis"] == "mu = 0"].loc["mu"].set_index("times")
    >>> of_mu["bf01"].round(2).loc[[0.1, 1, 10]].tolist()
    [0.98, 4.73, 46.63]
    """
    check_posterior(posterior)
    as_it_is = factors_of(posterior)
    at_zero = _at_zero(posterior, as_it_is)
    points: list[ScaledFactor] = []
    not_made: list[str] = []
    for scaled, exchanged in _EXCHANGED.items():
        prior = posterior.model.priors.get(scaled)
        if prior is None:
            continue
        if rescaled(prior, 1.0) is None:
            not_made.append(f"The prior of {scaled}, {prior!r}, has no scale to change.")
            continue
        known = {name: value for name, value in at_zero.items() if name == scaled}
        for times in TIMES:
            other, every = prior, as_it_is
            try:
                if times != 1:
                    other = rescaled(prior, times) or prior
                    model = exchanged(posterior.model, other)
                    every = factors_of(refit(model, posterior.data), known)
            except ModelError as error:
                not_made.append(f"The prior of {scaled}, {times:.2g} times as wide: {error}")
                continue
            points += (
                ScaledFactor(scaled=scaled, times=times, prior=other, factor=one) for one in every
            )
    return BayesFactorCurve(points=tuple(points), not_made=tuple(not_made))


def _at_zero(posterior: Posterior, factors: Sequence[BayesFactor]) -> Mapping[str, float]:
    """Log marginal likelihoods with a parameter at 0: its own prior has no part in them."""
    log_z = log_evidence(posterior)
    known = {one.hypothesis.split()[0]: one.log_bf01 + log_z for one in factors}
    return {name: value for name, value in known.items() if np.isfinite(value)}


_EXCHANGED: Mapping[Parameter, Callable[[Model, Prior], Model]] = {"mu": with_mu, "tau": with_tau}
