"""The draws of a sampler, chain by chain, and their ranks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ModelError
from ..posterior import Array, Posterior

if TYPE_CHECKING:
    import pandas as pd

BINS = 20  # of ranks


def drawn_rows(posterior: Posterior) -> "pd.DataFrame":
    """Lay out the draws of what all studies share, and the ranks that each chain's draws have.

    Returns
    -------
    DataFrame
        Columns ``parameter``, ``chain``, ``kind``, ``x``, ``y``. Of kind ``draw`` ``y`` is the
        draw, analysis scale, and ``x`` its number; those of ``divergent`` transitions stand there a
        second time. Of kind ``rank`` ``y`` is how many of the chain's draws have a rank among all
        chains in one of 20 equal bins, over how many would have if all chains drew alike; ``x`` is
        the middle of the bin, ranks from 0 to 1.

    Raises
    ------
    ModelError
        If the posterior was not sampled.

    References
    ----------
    Vehtari A, Gelman A, Simpson D, Carpenter B, Bürkner P-C (2021). Bayesian Anal 16:667-718.
    """
    import pandas as pd

    if posterior.exact:
        raise ModelError(
            "Chains are those of a sampler, and this posterior is integrated: its error is in "
            "fit.diagnostics. Sample it with bm.fit(model, data, bm.NUTS(seed=1))."
        )
    diverging = np.asarray(posterior.sample_stats["diverging"], dtype=bool)
    parts: list[pd.DataFrame] = []
    for parameter, values in _shared(posterior):
        ranks = _ranks(values)
        number = np.arange(1, values.shape[1] + 1)
        middles = (np.arange(BINS) + 0.5) / BINS
        for i, chain in enumerate(values):
            bad = diverging[i]
            for kind, x, y in (
                ("draw", number, chain),
                ("divergent", number[bad], chain[bad]),
                ("rank", middles, ranks[i]),
            ):
                parts.append(
                    pd.DataFrame(
                        {"parameter": parameter, "chain": i + 1, "kind": kind, "x": x, "y": y}
                    )
                )
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _shared(posterior: Posterior) -> Iterator[tuple[str, Array]]:
    """What all studies share, each (chains, draws), by name."""
    for name, values in posterior.sample(None, 0).items():
        if name == "theta_new":
            continue
        if values.ndim == 2:
            yield name, values
            continue
        (axis, labels), *others = posterior.model.labels(name, posterior.data).items()
        if axis != "study" and not others:
            for i, label in enumerate(labels):
                yield f"{name}[{label}]", values[..., i]


def _ranks(values: Array) -> Array:
    """How full each bin of ranks is, chain by chain, over how full it would be: (chains, bins)."""
    from scipy.stats import rankdata

    ranks = (rankdata(values.ravel()).reshape(values.shape) - 0.5) / values.size
    edges = np.linspace(0, 1, BINS + 1)
    return np.array([np.histogram(chain, edges)[0] for chain in ranks]) * BINS / values.shape[1]
