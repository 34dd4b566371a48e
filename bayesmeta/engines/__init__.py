"""Engines: ways from a model and data to a posterior. An engine is its settings."""

# which data a model takes is checked where the engine starts:
# pyright: reportArgumentType=false

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, final

import numpy as np
from numpy.typing import NDArray

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
    OfArms,
    OutlierMixture,
)
from ..posterior import Posterior
from ..priors import Prior
from ..studies import ContinuousStudies, Studies
from ._batch import BATCH_TOLERANCE, BatchFit, batch, padded_k
from ._cautions import CALLED_OUTLIER, FEW, telling_count
from ._likelihoods import link_of, rough_counts, rough_effects

if TYPE_CHECKING:
    from ._held_out import Terms
    from ._study_nodes import StudyNodes

__all__ = [
    "BATCH_TOLERANCE",
    "CALLED_OUTLIER",
    "FEW",
    "NUTS",
    "BatchFit",
    "Engine",
    "Quadrature",
    "batch",
    "default_engine",
    "device",
    "effect_likelihoods",
    "fit",
    "log_evidence_without",
    "mathematics",
    "padded_k",
    "prepare",
    "pymc_source",
    "rough_estimates",
    "study_densities",
    "study_nodes",
    "telling_count",
]


class Engine(ABC):
    """Base of all engines. Subclasses are final and hold settings only."""

    __slots__ = ()

    @abstractmethod
    def run(self, model: Model, data: Data) -> Posterior:
        """Return the posterior of `model` given `data`."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Quadrature(Engine):
    """Deterministic integration in double precision: no chains, no Monte Carlo error.

    Parameters
    ----------
    nodes : int
        Nodes for tau of the first pass; each further pass has half as many again. For the normal
        models; counts and Student-t effects choose their own.
    tolerance : float
        Passes stop when two agree within this, in posterior SDs and probabilities. A fit that
        does not get there fails its numerical gate. For the normal models; the limits of the
        others, 1e-5 or 1e-6, stand in their diagnostics.
    """

    nodes: int = 64
    tolerance: float = 1e-10

    def __post_init__(self) -> None:
        _whole("nodes", self.nodes, least=8)
        if not self.tolerance > 0:
            raise ModelError(f"tolerance must be positive, got {self.tolerance!r}.")

    def run(self, model: Model, data: Data) -> Posterior:
        """Return the posterior of `model` given `data`."""
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
            from ._continuous_common import integrate_common

            return integrate_common(model, data)
        if _on_grid(model):
            from ._counts_fast import integrate_fast
            from ._grid import integrate_on_grid

            return integrate_fast(model, data) or integrate_on_grid(model, data)
        from ._quadrature import integrate

        return integrate(model, data, nodes=self.nodes, tolerance=self.tolerance)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NUTS(Engine):
    """The no-U-turn sampler (BlackJAX) on the PyMC model compiled to JAX.

    Runs on a GPU where JAX sees one, else on the CPU. The same seed, versions and machine give
    the same draws.

    Parameters
    ----------
    seed : int
    draws, tune : int
        Kept draws and warm-up steps of each chain.
    chains : int
        At least 2, or R-hat cannot be computed.
    target_accept : float
        Acceptance rate the step size is tuned to. If a fit fails its gates it is repeated once,
        closer to 1 and with twice the chains.
    """

    seed: int
    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    target_accept: float = 0.9

    def __post_init__(self) -> None:
        _whole("seed", self.seed, least=0)
        _whole("draws", self.draws, least=100)
        _whole("tune", self.tune, least=100)
        _whole("chains", self.chains, least=2)
        if not 0.5 <= self.target_accept < 1:
            raise ModelError(
                f"target_accept must lie between 0.5 and 1, got {self.target_accept!r}."
            )

    def run(self, model: Model, data: Data) -> Posterior:
        """Return the posterior of `model` given `data`."""
        from ._jax import float64

        with float64():  # before PyMC is imported: its JAX module rewrites XLA_FLAGS
            from ._nuts import sample

            return sample(model, data, self)

    def __str__(self) -> str:
        settings = ", ".join(
            f"{field.name}={getattr(self, field.name)!r}" for field in fields(self)
        )
        return f"NUTS({settings})"


def fit(model: Model, data: Data, engine: Engine | None = None) -> Posterior:
    """Fit `model` to `data`.

    Parameters
    ----------
    model : Model
        What to fit; fully specified, priors included.
    data : EffectSizes, MultivariateEffects or BinaryStudies
        What to fit it to: estimates for the normal models, counts for ``BinomialNormal``.
    engine : Engine, optional
        How. By default the exact one where it can serve, else ``NUTS(seed=0)``.

    Returns
    -------
    Posterior
        Look at ``.diagnostics.passed`` before using it.

    Raises
    ------
    ModelError
        If the model cannot be fitted to these data, or by this engine; with what would work.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> round(bm.fit(model, data)["mu"].quantile(0.5), 3)
    -0.228
    """
    if not isinstance(model, Model):
        raise ModelError(f"fit takes a model first, e.g. default_model(data); got {model!r}.")
    from ._propriety import check_propriety

    check_propriety(model, data)
    return (engine or default_engine(model)).run(model, data)


def default_engine(model: Model) -> Engine:
    """Return the engine that `fit` takes when none is named: exact where it can serve."""
    return Quadrature() if _exact(model) else NUTS(seed=0)


def study_densities(model: Model, data: Data, draws: Mapping[str, NDArray[np.float64]]) -> "Terms":
    """Evaluate each study's density with its effect and baseline integrated out.

    Parameters
    ----------
    model : Model
    data : Data
    draws : mapping of str to ndarray, shape (n,)
        What all studies share, e.g. ``mu`` and ``tau``.

    Returns
    -------
    Terms
        Logs, each (n, k): ``every`` of all the study's data, ``given`` of what its result is
        predicted from, ``below`` of that times the probability of a lower result.
    """
    from ._held_out import study_terms

    return study_terms(model, data, draws)


def study_nodes(posterior: Posterior) -> "tuple[StudyNodes, ...]":
    """Write what an exact posterior says of each study as nodes with probabilities.

    Parameters
    ----------
    posterior : Posterior
        Exact.

    Returns
    -------
    tuple of StudyNodes
        One per study: ``columns`` as draws of that study alone have them, and their ``mass``.
    """
    from ._study_nodes import nodes_of_studies

    return nodes_of_studies(posterior)


def effect_likelihoods(
    model: OfArms, data: ContinuousStudies, theta: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log likelihood of each study given its effect alone, (n, k), at theta (n, k).

    Scaled to integrate to 1 over the effect.
    """
    from ._continuous import at_effects

    return at_effects(model, data, theta)


def log_evidence_without(parameter: Literal["mu", "tau"], model: Model, data: Data) -> float:
    """Log marginal likelihood of a model with mu, or tau, at zero, integrated by itself.

    Parameters
    ----------
    parameter : {"mu", "tau"}
    model : Model
        With proper priors; its constant is that of ``Posterior.log_marginal_likelihood``.
    data : Data
    """
    from ._null import log_evidence_without_effect, log_evidence_without_spread

    integrate = log_evidence_without_effect if parameter == "mu" else log_evidence_without_spread
    return integrate(model, data)


def rough_estimates(
    model: Model, data: Data, columns: Mapping[str, NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each study's own estimate and standard error on the scale of the model, (..., k).

    Of counts with ½ added to every cell, so that every table has them.
    """
    if isinstance(data, ContinuousStudies):
        y, se = rough_effects(model, data)
        return np.asarray(columns.get("y", y)), se
    if not isinstance(data, Studies):
        return columns["y"], columns["se"]
    return rough_counts(link_of(model), columns)


def _exact(model: Model) -> bool:
    """Whether the exact engine can serve."""
    if _shares_more(model) or _bounded(model):
        return False
    if isinstance(model, ContinuousCommonEffect):
        from ._mu_rule import smooth

        return smooth(model.mu)
    if _on_grid(model):
        from ._mu_rule import takes

        return takes(model.priors["mu"])
    from ._quadrature import takes_mu

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
        from ._quadrature import takes_mu

        return not takes_mu(model.mu)
    return not isinstance(model, CommonEffect)


def prepare() -> None:
    """Import what NUTS needs: before threads start, for SciPy looks into a half-imported JAX."""
    from ._jax import float64

    with float64():
        from . import _nuts  # noqa: F401


def device() -> str:
    """Name what JAX computes on, e.g. ``"cpu"`` or ``"gpu: NVIDIA ..."``."""
    import jax

    kind = jax.devices()[0]
    return kind.platform if kind.platform == "cpu" else f"{kind.platform}: {kind.device_kind}"


def pymc_source(model: Model) -> str:
    """Return PyMC source of a model that runs as it stands once the data are defined."""
    from ._source import source

    return source(model)


def mathematics(model: Model) -> tuple[str, ...]:
    """Return a model line by line in mathematical notation, priors last."""
    from ._source import mathematics as lines

    return lines(model)


def _whole(name: str, value: int, *, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ModelError(f"{name} must be a whole number, {least} or more; got {value!r}.")
