"""Engines are their settings: how to get from a model and data to a posterior."""

from dataclasses import dataclass, fields
from typing import final

from ..arguments import check_whole, number
from ..errors import ModelError
from ..ways import shown


class Engine:
    """Base of all engines. Subclasses are final and hold settings only."""

    __slots__ = ()


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
        if not number(self.tolerance, "tolerance") > 0:
            raise ModelError(f"tolerance must be positive, got {shown(self.tolerance)}.")


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
        if not 0.5 <= number(self.target_accept, "target_accept") < 1:
            raise ModelError(
                f"target_accept must lie between 0.5 and 1, got {shown(self.target_accept)}."
            )

    def __str__(self) -> str:
        settings = ", ".join(
            f"{field.name}={getattr(self, field.name)!r}" for field in fields(self)
        )
        return f"NUTS({settings})"


def _whole(name: str, value: int, *, least: int) -> None:
    check_whole(value, name, least)
