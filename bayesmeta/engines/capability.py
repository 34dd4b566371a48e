"""What the engines can do with a model, answered once for all of them, in the user's words."""

import math

from ..errors import ModelError
from ..model import (
    BetaBinomial,
    BinomialNormal,
    CommonEffect,
    ContinuousCommonEffect,
    Data,
    Exchangeable,
    Model,
    MultivariateNormal,
    NormalNormal,
    OutlierMixture,
)
from ..posterior import Posterior
from ..priors import Prior
from .settings import NUTS, Engine, Quadrature


def default_engine(model: Model) -> Engine:
    """Return the engine that `fit` takes when none is named: exact where it can serve."""
    return Quadrature() if _exact(model) else NUTS(seed=0)


def run(engine: Engine, model: Model, data: Data) -> Posterior:
    """Return the posterior of `model` given `data` by an engine.

    Raises
    ------
    ModelError
        If the engine cannot fit the model; with what would.
    """
    if isinstance(engine, Quadrature):
        return _integrated(engine, model, data)
    if not isinstance(engine, NUTS):
        raise ModelError(f"engine is Quadrature() or NUTS(seed=...), not {engine!r}.")
    from .compiled.precision import float64

    with float64():  # before PyMC is imported: its JAX module rewrites XLA_FLAGS
        from .sampling.nuts import sample

        return sample(model, data, engine)


def _integrated(engine: Quadrature, model: Model, data: Data) -> Posterior:
    model.check_data(data)
    if bounded := _bounded(model):
        name, prior = bounded
        raise ModelError(
            f"The exact engine takes a prior of {name} on the whole line, not {prior!r}; use "
            "Normal or StudentT, or NUTS(seed=...)."
        )
    if _unknown_df(model):
        raise ModelError(
            "The exact engine takes degrees of freedom as a number, not "
            f"df={model.priors['df']!r}; use NUTS(seed=...)."
        )
    if _shares_more(model):
        raise ModelError(
            f"The exact engine cannot fit {type(model).__name__} with what its studies share "
            "beyond mu and tau; use NUTS(seed=...)."
        )
    if isinstance(model, ContinuousCommonEffect):
        from .exact.common import integrate_common

        return integrate_common(model, data)  # pyright: ignore[reportArgumentType]
    if _on_grid(model):
        from .exact.fixed import integrate_fast
        from .exact.grid import integrate_on_grid

        return integrate_fast(model, data) or integrate_on_grid(model, data)  # pyright: ignore[reportArgumentType]
    from .exact.normal import integrate

    return integrate(model, data, nodes=engine.nodes, tolerance=engine.tolerance)  # pyright: ignore[reportArgumentType]


def _exact(model: Model) -> bool:
    """Whether the exact engine can serve."""
    if _shares_more(model) or _bounded(model):
        return False
    if isinstance(model, ContinuousCommonEffect):
        from .exact.mu_rule import smooth

        return smooth(model.mu)
    if _on_grid(model):
        from .exact.mu_rule import takes

        return takes(model.priors["mu"])
    from .exact.mu_prior import takes_mu

    return takes_mu(model.priors["mu"])


def _bounded(model: Model) -> tuple[str, Prior] | None:
    """A prior with an end of what each study has to itself: the rules know no ends."""
    for name in ("baseline", "log_sd"):
        prior = getattr(model, name, None)
        if isinstance(prior, Prior) and prior.support != (-math.inf, math.inf):
            return name, prior
    return None


def _shares_more(model: Model) -> bool:
    """Whether studies share more than mu and tau: too much for a grid."""
    exchangeable = isinstance(model, BinomialNormal) and isinstance(model.baseline, Exchangeable)
    alone = BetaBinomial | OutlierMixture | MultivariateNormal
    return exchangeable or _unknown_df(model) or isinstance(model, alone)


def _unknown_df(model: Model) -> bool:
    """Whether the degrees of freedom have a prior."""
    return "df" in model.priors


def _on_grid(model: Model) -> bool:
    """Whether the exact engine needs a grid: closed forms end at normal estimates and effects."""
    if isinstance(model, NormalNormal) and model.df is None:
        from .exact.mu_prior import takes_mu

        return not takes_mu(model.mu)
    return not isinstance(model, CommonEffect)
