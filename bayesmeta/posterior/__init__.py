"""What an engine returns: marginal posteriors, and how far to trust them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, final, overload

import numpy as np

from ..arguments import check_mapping, check_whole, is_among, number
from ..errors import ModelError
from ..model import COEFFICIENT, Data, Model
from ..studies import Account
from ..ways import shown
from ._figures import beside
from .cautions import Caution, general_of
from .diagnostics import Check, Diagnostics, Nodes
from .drawn import Draws
from .grids import GridDensity, MappedDensity, SupportMap
from .marginals import Array, Deferred, Kind, Linear, Marginal, Marginals
from .mixtures import NormalMixture, TruncatedMixture
from .pairs import Coherence, Pair
from .short import SHARED, in_html, in_short
from .tau import TauDensity

if TYPE_CHECKING:
    from xarray import DataTree

__all__ = [
    "MOST_DRAWS",
    "Array",
    "Caution",
    "Check",
    "Coherence",
    "Deferred",
    "Diagnostics",
    "Draws",
    "GridDensity",
    "Kind",
    "Linear",
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
    "check_posterior",
    "general_of",
    "shared",
]


@final
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
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
    sample_shared : callable or None
        Of an exact engine: ``(n, seed)`` to draws of what all studies share alone, each (n,).
    nodes : callable or None
        Of an engine that sums: ``()`` to the values at which it summed, and their posterior
        probabilities. None for others.
    linear : callable or None
        ``(row, new=False)`` to the posterior of a combination of coefficients, where effects depend
        on covariates. None for others.
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
    sample_shared: Callable[[int, int], Mapping[str, Array]] | None = None
    nodes: Callable[[], Nodes] | None = None
    linear: Linear | None = None

    def __repr__(self) -> str:
        return in_short(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: the same with the shared parameters as a table."""
        return in_html(self)

    @overload
    def __getitem__(
        self, name: Literal["mu", "tau", "theta_new", "df", "share", "spread"]
    ) -> Marginal: ...
    @overload
    def __getitem__(self, name: Literal["theta", "baseline", "outlier"]) -> Marginals: ...
    @overload
    def __getitem__(self, name: str) -> Marginal | Marginals: ...
    def __getitem__(self, name: str) -> Marginal | Marginals:
        if not is_among(name, self.marginals):
            vector = self.marginals[self.model.location.name]
            if isinstance(vector, Marginals) and self.linear is not None and name in vector.study:
                return vector[name]
            raise ModelError(
                f"{self.model.name} has no {shown(name)}; it has {', '.join(self.marginals)}."
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
            The place, where the model tells places apart: ``outcome="PD"`` of several outcomes; a
            value for each covariate, ``latitude=20``.

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
        if self.linear is not None:
            row = location.row(self.data, where)
            assert row is not None
            return self.linear(row, new=new)
        found = self[of_new if new and of_new is not None else location.name]
        entry = location.entry(where)
        if isinstance(found, Marginals):
            return found[str(entry)]
        return found

    def contrast(self, weights: Mapping[str, float]) -> Marginal:
        """Return the posterior of a weighted sum of coefficients, such as a difference of groups.

        Parameters
        ----------
        weights : mapping of str to float
            By name of the coefficient; those not named have none:
            ``{"allocation[random]": 1, "allocation[alternate]": -1}``.

        Raises
        ------
        ModelError
            If the model has no coefficients, or none of such a name, or every weight is zero.
        """
        if self.linear is None:
            raise ModelError(f"{self.model.name} has one overall effect and no coefficients.")
        check_mapping(weights, "weights", "{'latitude': 1}")
        names = self.model.location.entries(self.data)
        strange = [name for name in weights if name not in names]
        if strange:
            raise ModelError(
                f"There is no coefficient {', '.join(map(shown, strange))}; there are "
                f"{', '.join(names)}."
            )
        row = np.array([number(weights.get(one, 0.0), "weights") for one in names])
        if not row.any():
            raise ModelError(
                "Every weight is zero, which asks for nothing; give one coefficient a weight, "
                f"as in {{{names[-1]!r}: 1}}."
            )
        return self.linear(row)

    @property
    def account(self) -> Account:
        """What became of the rows of the table that it was fitted to."""
        return self.data.account

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

        check_whole(seed, "seed", 0)
        if n is not None:
            check_whole(n, "n", 1, MOST_DRAWS)
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

    def shared_draws(self, n: int, *, seed: int = 0) -> Mapping[str, Array]:
        """Return joint draws of what all studies share, without the studies' own effects.

        Many of them at little cost; those of a sampler are taken in random order, again from the
        first once all were taken.

        Parameters
        ----------
        n : int
        seed : int

        Returns
        -------
        mapping of str to ndarray, each (n,)
            ``mu`` and what else is unknown: ``tau``, ``df``, ``share``, ``spread``, and
            ``baseline_mean``, ``baseline_sd``; of several outcomes (n, p), with ``theta_new``.
        """
        check_whole(n, "n", 1, MOST_DRAWS)
        check_whole(seed, "seed", 0)
        if self.sample_shared is not None:
            return self.sample_shared(n, seed)
        drawn = self.sample(None, seed)
        names = [name for name in TOGETHER if name in drawn]
        total, rng = (
            drawn[names[0]].shape[0] * drawn[names[0]].shape[1],
            np.random.default_rng(seed),
        )
        order = [rng.permutation(total) for _ in range(-(-n // total))]
        chosen = np.concatenate(order)[:n]
        return {name: _chain_by_chain(drawn[name])[chosen] for name in names}


def _chain_by_chain(values: Array) -> Array:
    return values.reshape(-1, *values.shape[2:])


MOST_DRAWS = 10**7


def check_posterior(given: object) -> None:
    """Refuse what is no fit.

    Raises
    ------
    ModelError
    """
    if not isinstance(given, Posterior):
        raise ModelError(f"This takes a fit, fit(model, data) say; got {shown(given)}.")


def shared(draws: Mapping[str, Array]) -> Mapping[str, Array]:
    """Pick what all studies share out of draws, (chains, draws, ...), each (n,), chain by chain.

    Coefficients are (n, p).
    """
    return {
        name: _chain_by_chain(values)
        for name, values in draws.items()
        if name == COEFFICIENT
        or (name == "tau" and COEFFICIENT in draws)
        or (values.ndim == 2 and name != "theta_new")
    }


def _four_chains(values: Array) -> Array:
    """Fold one chain of independent draws into four, where they divide."""
    n = values.shape[1]
    return values.reshape(4, n // 4, *values.shape[2:]) if n % 4 == 0 else values


TOGETHER = (
    "mu",
    COEFFICIENT,
    *SHARED,
    "baseline_mean",
    "baseline_sd",
    "theta_new",
)  # as draws have them
