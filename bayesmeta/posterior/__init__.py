"""What an engine returns: marginal posteriors, and how far to trust them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, final, overload

import numpy as np

from ..errors import ModelError
from ..model import Data, Model
from ._figures import beside
from .grids import GridDensity, MappedDensity, SupportMap
from .marginals import (
    Array,
    Deferred,
    Draws,
    Kind,
    Marginal,
    Marginals,
    NormalMixture,
    TauDensity,
    TruncatedMixture,
)
from .pairs import Coherence, Pair

if TYPE_CHECKING:
    from xarray import DataTree

__all__ = [
    "Array",
    "Check",
    "Coherence",
    "Deferred",
    "Diagnostics",
    "Draws",
    "GridDensity",
    "Kind",
    "MappedDensity",
    "Marginal",
    "Marginals",
    "Nodes",
    "NormalMixture",
    "Pair",
    "Posterior",
    "SupportMap",
    "TauDensity",
    "TruncatedMixture",
    "beside",
    "shared",
]


@final
@dataclass(frozen=True, slots=True)
class Nodes:
    """Values of the parameters that all studies share, and their posterior probabilities.

    Attributes
    ----------
    values : mapping of str to ndarray, each (n,)
    mass : ndarray, shape (n,)
        Sums to 1.
    """

    values: Mapping[str, Array]
    mass: Array

    @classmethod
    def on_grid(cls, axes: Mapping[str, Array], mass: Array) -> "Nodes":
        """Lay out the nodes of a product of axes, of which the last runs fastest.

        Parameters
        ----------
        axes : mapping of str to ndarray, each (m,)
        mass : ndarray, in their order
        """
        each = np.meshgrid(*axes.values(), indexing="ij")
        return cls(dict(zip(axes, (one.ravel() for one in each), strict=True)), mass.ravel())


@final
@dataclass(frozen=True, slots=True)
class Check:
    """One numerical check of a fit: what was measured, and the limit it must keep.

    Attributes
    ----------
    name : str
        E.g. ``"R-hat"``.
    where : str
        The parameter with the worst value.
    value, limit : float
    at_most : bool
        Whether `limit` is an upper limit; else a lower one.
    """

    name: str
    where: str
    value: float
    limit: float
    at_most: bool

    @property
    def passed(self) -> bool:
        """Whether the value keeps the limit; NaN does not."""
        return bool(self.value <= self.limit if self.at_most else self.value >= self.limit)

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        at = f" ({self.where})" if self.where else ""
        value = beside(self.value, self.limit)
        return f"{self.name}{at} {value}, must be {sign} {self.limit:g}"


@final
@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Every numerical check of one fit.

    Attributes
    ----------
    first : tuple of Check
        Of the fit itself.
    attempts : int
        1, or 2 if the first attempt failed a check and a stricter one was made.
    later : callable or None
        ``()`` to checks of what is computed when it is asked for, such as study effects.
    """

    first: tuple[Check, ...]
    attempts: int = 1
    later: Callable[[], tuple[Check, ...]] | None = None

    @property
    def checks(self) -> tuple[Check, ...]:
        """All of them: a gate covers every number that the fit hands out."""
        return self.first + (self.later() if self.later else ())

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def passed_first(self) -> bool:
        """Whether those of the fit itself passed: enough for what mu and tau alone give."""
        return all(check.passed for check in self.first)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """A fitted model: what was asked, what came back, and whether to believe it.

    Attributes
    ----------
    model : Model
    data : BinaryStudies or EffectSizes
    engine : str
        The engine with its settings.
    marginals : mapping
        ``mu``; with random effects ``tau``, ``theta`` (one per study) and ``theta_new``; with
        counts ``baseline``. All on the analysis scale. Where they are unknown, ``df``; in an
        outlier mixture ``share``, ``spread`` and ``outlier``, each study's probability of it. Of
        several outcomes ``mu``, ``tau`` and ``theta_new`` have one per outcome.
    diagnostics : Diagnostics
        The numerical gates.
    cautions : tuple of str
        What a reader should know before using the answer.
    log_marginal_likelihood : float or None
        Of the data under the model; None where the engine does not give it.
    sample : callable
        ``(n, seed)`` to draws by name, each (chains, draws, ...).
    sample_stats : mapping
        Per-draw statistics of the sampler, each (chains, draws); empty for exact engines.
    nodes : callable or None
        Of an engine that sums: ``()`` to the values at which it summed, and their posterior
        probabilities. None for others.
    convergence : mapping
        By parameter (``mu``, ``theta[Shu]``): ``rhat``, ``ess_bulk``, ``ess_tail``,
        ``mcse_mean``, ``mcse_sd``; empty for exact engines.
    """

    model: Model
    data: Data
    engine: str
    marginals: Mapping[str, Marginal | Marginals]
    diagnostics: Diagnostics
    sample: Callable[[int | None, int], Mapping[str, Array]]
    cautions: tuple[str, ...] = ()
    log_marginal_likelihood: float | None = None
    sample_stats: Mapping[str, Array] = field(default_factory=dict)
    convergence: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    nodes: Callable[[], Nodes] | None = None

    @overload
    def __getitem__(
        self, name: Literal["mu", "tau", "theta_new", "df", "share", "spread"]
    ) -> Marginal: ...
    @overload
    def __getitem__(self, name: Literal["theta", "baseline", "outlier"]) -> Marginals: ...
    @overload
    def __getitem__(self, name: str) -> Marginal | Marginals: ...
    def __getitem__(self, name: str) -> Marginal | Marginals:
        if name not in self.marginals:
            raise ModelError(
                f"{self.model.name} has no {name!r}; it has {', '.join(self.marginals)}."
            )
        return self.marginals[name]

    def at(self, *, new: bool = False, **where: object) -> Marginal:
        """Return the posterior of the effect at a place: the overall one, where there is one.

        Parameters
        ----------
        new : bool
            Of a study that is not among the data, which the spread of the effects adds to; where
            all studies have one effect it is that.
        **where
            The place, where the model tells places apart: ``outcome="PD"`` of several outcomes.

        Raises
        ------
        ModelError
            If the model has no such place.

        Examples
        --------
        >>> import bayesmeta as bm
        >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
        >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
        >>> fitted = bm.fit(model, data)
        >>> bool(fitted.at(new=True).sd() > fitted.at().sd())
        True
        """
        location, of_new = self.model.location, self.model.between.new
        found = self[of_new if new and of_new is not None else location.name]
        entry = location.entry(where)
        if isinstance(found, Marginals):
            return found[str(entry)]
        return found

    @property
    def exact(self) -> bool:
        """Whether the marginals are integrals rather than draws."""
        return not self.sample_stats

    def draws(self, n: int | None = None, *, seed: int = 0) -> "DataTree":
        """Return draws in ArviZ's layout, group ``posterior``.

        Parameters
        ----------
        n : int, optional
            How many. For a sampled posterior the default is all of them, chain by chain, and
            `n` takes a random subset; an exact posterior gives 4,000 unless told otherwise, as
            four chains where `n` divides by four, so that ArviZ's diagnostics have something to
            compare. They share the posterior evenly among them, in random order: means over them
            vary less than those of independent draws.
        seed : int
            The same seed gives the same draws.
        """
        import xarray as xr

        sampled = self.sample(n, seed)
        if self.exact:
            sampled = {name: _four_chains(values) for name, values in sampled.items()}
        arrays, coords = {}, {}
        for name, values in sampled.items():
            axes = self.model.labels(name, self.data) if values.ndim > 2 else {}
            arrays[name] = (("chain", "draw", *axes), values)
            coords |= {axis: list(names) for axis, names in axes.items()}
        first = next(iter(sampled.values()))
        index = {"chain": np.arange(first.shape[0]), "draw": np.arange(first.shape[1])}
        group = xr.Dataset(arrays, coords={**index, **coords})
        return xr.DataTree.from_dict({"posterior": group})


def shared(draws: Mapping[str, Array]) -> Mapping[str, Array]:
    """Pick what all studies share out of draws, (chains, draws, ...), each (n,), chain by chain."""
    return {
        name: values.reshape(-1)
        for name, values in draws.items()
        if values.ndim == 2 and name != "theta_new"
    }


def _four_chains(values: Array) -> Array:
    """Fold one chain of independent draws into four, where they divide."""
    n = values.shape[1]
    return values.reshape(4, n // 4, *values.shape[2:]) if n % 4 == 0 else values
