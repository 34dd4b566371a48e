"""Figures of fits, and of what was found about them.

`forest`, `bubble`, `coefficients`, `prior_posterior`, `scenarios`, `labbe`, `shrinkage` and `joint`
take fits, and give the numbers that they draw by ``rows=True``; so do `funnel`, `radial`, `baujat`,
`influence`, `cumulative` and `leave_one_out`, of fits or of estimates alone; `draws` takes sampled
fits and shows their chains and ranks; `left_out` takes what ``loo`` found, `predictive` what
``posterior_predictive`` found, `thresholds` what ``absolute_effects`` found, `bayes_factors` what
``bayes_factor_curve`` found; the names that end in ``_of_rows`` and ``_of_table`` draw rows that
were made before, as the report does. `save` writes SVG, PDF and PNG. Letters that the figures' font
lacks are boxes, and `letters_missing` names them.

Each figure is a ``matplotlib.figure.Figure`` made without pyplot and without touching the user's
settings; Matplotlib is loaded when a name below is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ..machine.places import settle

if TYPE_CHECKING:
    from ._bubble import bubble
    from ._curves import bayes_factors
    from ._densities import prior_posterior, prior_posterior_of_rows
    from ._draws import draws
    from ._left_out import left_out
    from ._predictive import predictive
    from ._save import save
    from ._svg import save_svg
    from ._text import letters_missing
    from ._thresholds import thresholds, thresholds_of_table
    from .forests.fit import coefficients, forest, scenarios
    from .forests.refits import cumulative, leave_one_out
    from .forests.rows import forest_of_rows
    from .forests.scenarios import scenarios_of_table
    from .points.baujat import baujat
    from .points.funnel import funnel
    from .points.influence import influence
    from .points.joint import joint
    from .points.labbe import labbe
    from .points.radial import radial
    from .points.shrinkage import shrinkage

_HOME = {
    "baujat": "points.baujat",
    "bayes_factors": "_curves",
    "bubble": "_bubble",
    "coefficients": "forests.fit",
    "cumulative": "forests.refits",
    "draws": "_draws",
    "forest": "forests.fit",
    "forest_of_rows": "forests.rows",
    "funnel": "points.funnel",
    "influence": "points.influence",
    "joint": "points.joint",
    "labbe": "points.labbe",
    "leave_one_out": "forests.refits",
    "left_out": "_left_out",
    "letters_missing": "_text",
    "predictive": "_predictive",
    "prior_posterior": "_densities",
    "prior_posterior_of_rows": "_densities",
    "radial": "points.radial",
    "save": "_save",
    "save_svg": "_svg",
    "scenarios": "forests.fit",
    "scenarios_of_table": "forests.scenarios",
    "shrinkage": "points.shrinkage",
    "thresholds": "_thresholds",
    "thresholds_of_table": "_thresholds",
}

__all__ = [
    "baujat",
    "bayes_factors",
    "bubble",
    "coefficients",
    "cumulative",
    "draws",
    "forest",
    "forest_of_rows",
    "funnel",
    "influence",
    "joint",
    "labbe",
    "leave_one_out",
    "left_out",
    "letters_missing",
    "predictive",
    "prior_posterior",
    "prior_posterior_of_rows",
    "radial",
    "save",
    "save_svg",
    "scenarios",
    "scenarios_of_table",
    "shrinkage",
    "thresholds",
    "thresholds_of_table",
]


def __getattr__(name: str) -> object:
    """Import a figure from its module on first use (PEP 562)."""
    if name in _HOME:
        settle()
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the figures of fits, and of what was found about them."""
    return [name for name in __all__ if "_of_" not in name]
