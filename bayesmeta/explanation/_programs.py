"""What the defaults of programs give, by their words."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from ..effects import ZERO_CELLS_OF, Measure
from ..errors import BayesmetaError, ModelError
from ..frequentist import PROGRAMS, Convention, FrequentistFit, pool, preset
from ._printed import Target, misses
from .selections import Data


def pooled_by_programs(
    studies: Data, presets: Sequence[tuple[str, Convention]], prob: float
) -> Mapping[str, FrequentistFit]:
    """What the defaults of programs give; without those that cannot pool these data."""
    found: dict[str, FrequentistFit] = {}
    for words, convention in presets:
        try:
            found[words] = pool(studies, convention, prob=prob)
        except BayesmetaError:
            continue  # no answer to these data
    return found


def presets_of(measure: str) -> Sequence[tuple[str, Convention]]:
    """Every item on a program's menu that is not the same as another of its items, in words."""
    found: dict[tuple[str, Convention], str] = {}
    menu = ("IV", "MH", "Peto") if measure in ZERO_CELLS_OF else ("IV",)
    for program, effects, weights in product(PROGRAMS, ("common", "random"), menu):
        if weights == "Peto" and (measure, effects) != ("OR", "common"):
            continue
        try:
            convention = preset(program, measure=measure, effects=effects, weights=weights)
        except ModelError:
            continue  # not on its menu
        s = "s" if effects == "random" else ""
        words = f"{PROGRAMS[program]} ({_MENU[weights]}, {effects} effect{s})"
        found.setdefault((program, convention), words)
    return [(words, convention) for (_, convention), words in found.items()]


_MENU: Mapping[str, str] = {"MH": "Mantel–Haenszel", "IV": "inverse variance", "Peto": "Peto"}


def miss_of(fit: FrequentistFit, target: Target, measure: Measure) -> float:
    """Largest distance of a fit from a printed figure, in units of its last digit."""
    figures = {
        "estimate": fit.estimate,
        "lower": fit.lower,
        "upper": fit.upper,
        "p": fit.p,
        "p_heterogeneity": np.nan if fit.q_p is None else fit.q_p,
        "i2": fit.i2,
    }
    far = misses({name: np.array([value]) for name, value in figures.items()}, target, measure)
    return float(np.where(np.isfinite(far), far, np.inf).max())
