"""Engines: ways from a model and data to a posterior. An engine is its settings.

``capability`` answers once which engine can fit a model, and says what would where none of them
can.

Rooms, from the ground: ``likelihood`` (what each study says), ``nodes`` (what follows from a
posterior at nodes of mu and tau), ``exact`` (integration), ``graph`` (PyMC), ``covariates``
(integration over coefficients), ``sampling`` (draws), ``many`` (batches), ``by_group`` (groups that
share nothing); ``compiled`` is what every JAX program needs.

The same model is read several times: ``exact`` integrates it in NumPy, ``graph`` builds it in PyMC
and prints it, ``many`` writes programs of fixed size in JAX, and ``simulate``, outside, draws
parameters and data from it. Integration and PyMC are written apart and tested against each other.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..machine import forks  # noqa: F401 - looks at every fork from here on
from ..model import COEFFICIENT, Arms, Data, Likelihood, Model
from ..posterior import Posterior
from ..studies import ContinuousStudies
from ..ways import shown
from ._cautions import CALLED_OUTLIER, FEW, telling_count
from .by_group import groups, seed_of
from .capability import Capability, capability, default_engine, evidence_at_zero, run
from .compiled.folder import Kept, clear_programs, kept_programs
from .exact.propriety import check_propriety
from .likelihood.rough import rough_columns
from .many.batch import BATCH_TOLERANCE, BatchFit, batch
from .padding import padded_k
from .settings import NUTS, Engine, Quadrature

if TYPE_CHECKING:
    from .likelihood.terms import Terms
    from .nodes.studies import StudyNodes

__all__ = [
    "BATCH_TOLERANCE",
    "CALLED_OUTLIER",
    "FEW",
    "NUTS",
    "BatchFit",
    "Capability",
    "Engine",
    "Kept",
    "Quadrature",
    "batch",
    "capability",
    "check_fit",
    "clear_programs",
    "count_densities",
    "default_engine",
    "device",
    "effect_likelihoods",
    "fit",
    "groups",
    "kept_programs",
    "log_evidence_without",
    "mathematics",
    "padded_k",
    "prepare",
    "pymc_source",
    "rough_estimates",
    "seed_of",
    "study_densities",
    "study_nodes",
    "telling_count",
]


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
        raise ModelError(f"fit takes a model first, e.g. default_model(data); got {shown(model)}.")
    data = model.complete(data)
    check_fit(model, data)
    return run(engine, model, data)


def check_fit(model: Model, data: Data) -> None:
    """Refuse what `fit` would refuse of a model and data, without fitting them.

    Raises
    ------
    ModelError
        As `fit`.
    """
    check_propriety(model, data)
    model.check_data(data)


def study_densities(model: Model, data: Data, draws: Mapping[str, NDArray[np.float64]]) -> "Terms":
    """Evaluate each study's density with its effect and baseline integrated out.

    Parameters
    ----------
    model : Model
    data : Data
    draws : mapping of str to ndarray, shape (n,)
        What all studies share, e.g. ``mu`` and ``tau``; coefficients (n, p).

    Returns
    -------
    Terms
        Logs, each (n, k): ``every`` of all the study's data, ``given`` of what its result is
        predicted from, ``below`` of that times the probability of a lower result.
    """
    from .likelihood.held_out import study_terms

    return study_terms(model, data, draws)


def count_densities(
    model: Model,
    data: Data,
    mu: NDArray[np.float64],
    tau: NDArray[np.float64],
    *,
    coarse: bool = False,
) -> NDArray[np.float64]:
    """Log density of each study's counts with its effect and baseline integrated out, (n, k).

    Parameters
    ----------
    model : Model
        Of counts, whose study effects scatter by mu and tau alone.
    data : Data
    mu, tau : ndarray, shape (n,)
    coarse : bool
        Whether three digits are enough.
    """
    from .likelihood.held_out import densities_of_counts

    return densities_of_counts(model, data, mu, tau, coarse=coarse)


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
    from .nodes.studies import nodes_of_studies

    return nodes_of_studies(posterior)


def effect_likelihoods(
    arms: Arms, data: ContinuousStudies, theta: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log likelihood of each study given its effect alone, (n, k), at theta (n, k).

    Scaled to integrate to 1 over the effect.
    """
    from .likelihood.of_arms.continuous import at_effects

    return at_effects(arms, data, theta)


def log_evidence_without(parameter: str, model: Model, data: Data) -> float:
    """Log marginal likelihood of a model with one parameter at zero, integrated by itself.

    Parameters
    ----------
    parameter : str
        ``"mu"``, ``"tau"``, or where effects depend on covariates ``"coefficient[latitude]"``.
    model : Model
        With proper priors; its constant is that of ``Posterior.log_marginal_likelihood``.
    data : Data
    """
    if model.location.name == COEFFICIENT:
        return evidence_at_zero(parameter, model, data)
    from .exact.null import log_evidence_without_effect, log_evidence_without_spread

    integrate = log_evidence_without_effect if parameter == "mu" else log_evidence_without_spread
    return integrate(model, data)


def rough_estimates(
    of: Likelihood, data: Data, columns: Mapping[str, NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each study's own estimate and standard error on the scale of the model, (..., k).

    Of counts with ½ added to every cell, so that every table has them.
    """
    return rough_columns(of, data, columns)


def prepare() -> None:
    """Import what NUTS needs: before threads start, for SciPy looks into a half-imported JAX."""
    from .compiled.precision import float64

    with float64():
        from .sampling import nuts  # noqa: F401


def device() -> str:
    """Name what JAX computes on, e.g. ``"cpu"`` or ``"gpu: NVIDIA ..."``."""
    import jax

    kind = jax.devices()[0]
    return kind.platform if kind.platform == "cpu" else f"{kind.platform}: {kind.device_kind}"


def pymc_source(model: Model, data: Data | None = None) -> str:
    """Return PyMC source of a model that runs as it stands once the data are defined.

    Parameters
    ----------
    model : Model
    data : Data, optional
        Of a model with covariates: coefficients then have the names of the columns of their design,
        which is made in the source of the columns of the table. Without data there is a vector of
        coefficients for each term of the formula, and the design is one of the data.
    """
    from .graph.source import source

    return source(model, data)


def mathematics(model: Model, data: Data | None = None) -> tuple[str, ...]:
    """Return a model line by line in mathematical notation, priors last.

    With `data`, covariates are known for numbers or for names of groups.
    """
    from .graph.notation import mathematics as lines

    return lines(model, data)
