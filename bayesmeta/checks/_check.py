"""Every check of one answer, in one call."""

from dataclasses import dataclass
from typing import final

from ..engines import Engine
from ..errors import ModelError
from ..model import Predictor
from ..posterior import Caution, Posterior
from ._deviance import Deviance, deviance
from ._held_out import LOO
from ._loo import loo
from ._predictive import PredictiveCheck, posterior_predictive
from ._prior import PriorPredictive, prior_predictive
from ._scaling import PowerScaling, power_scaling
from ._trust import Trust, trust


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """Whether to believe an answer.

    Attributes
    ----------
    prior : PriorPredictive or None
        None if a prior is improper.
    predictive : PredictiveCheck or None
    loo : LOO or None
        None for one study, or if the others leave no proper posterior.
    deviance : Deviance or None
        None for models without a saturated one.
    scaling : PowerScaling or None
        None where the posterior is not exact, or a prior does not bear a power.
    trust : Trust or None
        All of them in one list.
    """

    prior: PriorPredictive | None = None
    predictive: PredictiveCheck | None = None
    loo: LOO | None = None
    deviance: Deviance | None = None
    scaling: PowerScaling | None = None
    trust: Trust | None = None


def check(
    posterior: Posterior, *, seed: int, prob: float = 0.95, engine: Engine | None = None
) -> Checks:
    """Make every check that the model and its priors allow.

    Parameters
    ----------
    posterior : Posterior
    seed : int
    prob : float
        Probability of the predictive intervals.
    engine : Engine, optional
        For fits without a study, as of ``loo``.

    Returns
    -------
    Checks

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> found = bm.check(bm.fit(model, data), seed=1)
    >>> found.trust.passed, found.loo.study
    (True, ('A', 'B', 'C'))
    """
    proper = all(prior.proper for prior in posterior.model.priors.values())
    prior = None
    if proper:
        prior = prior_predictive(posterior.model, posterior.data, seed=seed, prob=prob)
    predictive = posterior_predictive(posterior, seed=seed, prob=prob)
    left_out, unpredicted = _loo(posterior, seed, engine)
    fitted = _deviance(posterior, seed)
    scaling, unscaled = _scaling(posterior)
    whole = trust(
        posterior,
        prior=prior,
        predictive=predictive,
        loo=left_out,
        deviance=fitted,
        scaling=scaling,
        unmade=(*unpredicted, *unscaled),
    )
    return Checks(
        prior=prior,
        predictive=predictive,
        loo=left_out,
        deviance=fitted,
        scaling=scaling,
        trust=whole,
    )


def _loo(
    posterior: Posterior, seed: int, engine: Engine | None
) -> tuple[LOO | None, tuple[str, ...]]:
    """The predictions, or why there are none: without a study no posterior may be left."""
    if posterior.data.k < 2:
        return None, ()
    try:
        return loo(posterior, seed=seed, engine=engine), ()
    except ModelError as error:
        return None, (f"No study could be predicted from the others: {error}",)


def _deviance(posterior: Posterior, seed: int) -> Deviance | None:
    try:
        return deviance(posterior, seed=seed)
    except ModelError:  # no saturated model
        return None


def _scaling(posterior: Posterior) -> tuple[PowerScaling | None, tuple[str, ...]]:
    """How much it leans on what, or why that is not known; of draws alone nothing is said."""
    if not posterior.exact:
        return None, ()
    location = posterior.model.location
    if isinstance(location, Predictor):
        general = (
            "How much the answer leans on its priors was not checked: power scaling is of one "
            "overall effect"
        )
        names = ", ".join(location.terms.variables)
        return None, (Caution(f"{general}, and here it depends on {names}.", f"{general}."),)
    try:
        return power_scaling(posterior), ()
    except ModelError as error:
        return None, (f"How much the answer leans on its priors was not checked: {error}",)
