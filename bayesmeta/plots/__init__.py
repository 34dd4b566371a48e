"""From rows to figures.

Each figure is a ``matplotlib.figure.Figure`` made without pyplot and without touching the user's
settings; Matplotlib is loaded when a name below is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._densities import prior_posterior
    from ._forest import forest
    from ._left_out import left_out
    from ._predictive import predictive
    from ._scenarios import scenarios
    from ._svg import save_svg

_HOME = {
    "forest": "_forest",
    "left_out": "_left_out",
    "predictive": "_predictive",
    "prior_posterior": "_densities",
    "save_svg": "_svg",
    "scenarios": "_scenarios",
}

__all__ = ["forest", "left_out", "predictive", "prior_posterior", "save_svg", "scenarios"]


def __getattr__(name: str) -> object:
    """Import a figure from its module on first use (PEP 562)."""
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
