"""How many candidates would match figures that had nothing to do with these data."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ..effects import Measure
from ..frequentist import critical
from ..studies import Published
from ._printed import Target, rounded
from ._search import Searched

type Array = NDArray[np.float64]

FAKES = 20_000
WIDER = (0.8, 1.25)  # standard errors of the made-up figures, times the printed one


def expected_matches(
    searched: Searched, published: Published, target: Target, measure: Measure
) -> tuple[float, float]:
    """Mean number of candidates that match made-up figures, and how often any does.

    Made-up figures are estimates drawn evenly within one standard error of the printed one, with a
    standard error drawn evenly (in its logarithm) from 0.8 to 1.25 of it; their heterogeneity is
    that of a candidate drawn at random. They are rounded like the printed ones.
    """
    rng = np.random.default_rng(0)
    cells, counts = searched.cells, searched.counts
    fakes = rounded(_made_up(published, measure, rng), target, measure)
    loose = [i for i, name in enumerate(target) if name in ("p_heterogeneity", "i2")]
    drawn = rng.choice(len(cells), size=FAKES, p=counts / counts.sum())
    fakes[:, loose] = cells[drawn][:, loose]
    both, place = np.unique(np.concatenate([cells, fakes]), axis=0, return_inverse=True)
    matches = np.zeros(len(both), dtype=np.int64)
    matches[place.ravel()[: len(cells)]] = counts
    hits = matches[place.ravel()[len(cells) :]]
    return float(hits.mean()), float((hits > 0).mean())


def _made_up(
    published: Published, measure: Measure, rng: np.random.Generator
) -> Mapping[str, Array]:
    texts = (published.estimate, published.lower, published.upper)
    values = np.array([float(text) for text in texts])
    if measure.log:  # a limit printed as 0.00 is somewhere below half a unit
        values = np.log(np.maximum(values, 0.25 * 10.0**-published.decimals))
    estimate, lower, upper = values
    z = critical(published.prob, np.inf)
    se = (upper - lower) / (2 * z)
    centre = estimate + se * rng.uniform(-1, 1, FAKES)
    spread = se * np.exp(rng.uniform(np.log(WIDER[0]), np.log(WIDER[1]), FAKES))
    return {
        "estimate": centre,
        "lower": centre - z * spread,
        "upper": centre + z * spread,
        "p": 2 * ndtr(-np.abs(centre) / spread),
        "p_heterogeneity": np.zeros(FAKES),
        "i2": np.zeros(FAKES),
    }
