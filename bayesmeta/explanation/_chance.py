"""How many candidates would match figures that had nothing to do with these data."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ..effects import Measure, printed_values
from ..frequentist import critical
from ..studies import Published
from ._printed import as_printed
from ._walk import Walked

type Array = NDArray[np.float64]
type Cells = NDArray[np.int64]

FAKES = 20_000
WIDER = (0.8, 1.25)  # standard errors of the made-up figures, times the printed one


def expected_matches(
    walked: Sequence[Walked],
    published: Published,
    target: Mapping[str, tuple[float, float]],
    measure: Measure,
) -> tuple[float, float]:
    """Mean number of candidates that match made-up figures, and how often any does.

    Made-up figures are estimates drawn evenly within one standard error of the printed one, with a
    standard error drawn evenly (in its logarithm) from 0.8 to 1.25 of it; their heterogeneity is
    that of a candidate drawn at random. They are rounded like the printed ones.
    """
    rng = np.random.default_rng(0)
    ours = np.concatenate([_rounded(one.figures, target, measure) for one in walked])
    good = (ours != _NONE).all(axis=1)
    if not good.any():
        return 0.0, 0.0
    ours = ours[good]
    fakes = _rounded(_made_up(published, rng), target, measure)
    loose = [i for i, name in enumerate(target) if name in ("p_heterogeneity", "i2")]
    fakes[:, loose] = ours[rng.integers(len(ours), size=FAKES)][:, loose]
    cells, counts = np.unique(ours, axis=0, return_counts=True)
    both, place = np.unique(np.concatenate([cells, fakes]), axis=0, return_inverse=True)
    count = np.zeros(len(both), dtype=np.int64)
    count[place.ravel()[: len(cells)]] = counts
    hits = count[place.ravel()[len(cells) :]]
    return float(hits.mean()), float((hits > 0).mean())


_NONE = np.iinfo(np.int64).min


def _rounded(
    figures: Mapping[str, Array], target: Mapping[str, tuple[float, float]], measure: Measure
) -> Cells:
    """Figures as whole numbers of their last printed unit, (n, figures)."""
    columns = [
        as_printed(name, figures[name], measure) / unit for name, (_, unit) in target.items()
    ]
    found = np.stack(columns, axis=1)
    usable = np.isfinite(found) & (np.abs(found) < 1e15)
    return np.where(usable, np.rint(np.where(usable, found, 0.0)), _NONE).astype(np.int64)


def _made_up(published: Published, rng: np.random.Generator) -> Mapping[str, Array]:
    estimate, lower, upper = printed_values(published)
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
