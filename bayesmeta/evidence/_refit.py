"""Further fits behind a factor, a weight or a limit."""

from ..engines import fit
from ..errors import ModelError
from ..model import Data, Model, Overall, compose
from ..posterior import Posterior
from ..priors import Prior


def refit(model: Model, data: Data) -> Posterior:
    """Fit once more; a factor or a limit has no place to mark that a gate failed."""
    posterior = fit(model, data)
    if not posterior.diagnostics.passed_first:
        failed = "; ".join(map(str, posterior.diagnostics.failures))
        raise ModelError(f"This needs a fit of {model!r} besides, which failed: {failed}.")
    return posterior


def with_mu(model: Model, mu: Prior) -> Model:
    """Exchange the prior of the overall effect."""
    return compose(model.likelihood, Overall(mu), model.between)
