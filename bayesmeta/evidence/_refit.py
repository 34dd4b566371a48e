"""Further fits behind a factor or a weight."""

from ..engines import fit
from ..errors import ModelError
from ..model import Data, Model
from ..posterior import Posterior


def refit(model: Model, data: Data) -> Posterior:
    """Fit once more; a factor has no place to mark that a gate failed."""
    posterior = fit(model, data)
    if not posterior.diagnostics.passed_first:
        failed = "; ".join(map(str, posterior.diagnostics.failures))
        raise ModelError(f"The factor needs a fit of {model!r}, which failed: {failed}.")
    return posterior
