"""Models compared by how well they predict each study from the others."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..posterior import Posterior
from ..ways import shown
from ._held_out import LOO
from ._loo import LARGEST_K, loo

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]

ENOUGH = 10  # studies that weights of models need
TIMES = 1000  # Bayesian bootstrap of the studies
ROUNDS = 3000


def compare_loo(fits: Mapping[str, Posterior | LOO], *, seed: int = 0) -> "pd.DataFrame":
    """Compare models by leave-one-study-out prediction.

    Parameters
    ----------
    fits : mapping of str to Posterior or LOO
        Of the same data, predicting the same of each study.
    seed : int

    Returns
    -------
    DataFrame
        By label, the best first: ``elpd`` with ``se``; ``difference`` from the best with the
        standard error of its studies' differences; ``p_loo``; ``weight`` of stacking with its
        standard error from 1,000 Bayesian bootstraps of the studies, NaN for fewer than ten
        studies, which say too little of which model predicts best; the largest ``pareto_k`` in
        use; ``k`` studies; whether the fit was ``sound``.

    Raises
    ------
    ModelError
        If the data or what is predicted of them differ, or a study has no sound prediction.

    References
    ----------
    Yao Y, Vehtari A, Simpson D, Gelman A (2018). Bayesian Anal 13:917-1007 (stacking).
    Rubin DB (1981). Ann Stat 9:130-134 (Bayesian bootstrap).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> random = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> common = bm.CommonEffect(mu=bm.Normal(0, 2))
    >>> fits = {"random": bm.fit(random, data), "common": bm.fit(common, data)}
    >>> bm.compare_loo(fits).index[0]
    'common'
    """
    import pandas as pd

    found = {
        label: one if isinstance(one, LOO) else loo(one, seed=seed) for label, one in fits.items()
    }
    _check_same(found)
    elpd = np.array([one.elpd for one in found.values()])
    best = elpd[elpd.sum(axis=1).argmax()]
    weight, weight_se = _stack(elpd, seed)
    rows = [
        {
            "model": label,
            "elpd": one.total,
            "se": one.se,
            "difference": one.total - float(best.sum()),
            "difference_se": _se_of_sum(one.elpd - best),
            "p_loo": one.p_loo,
            "weight": weight[m],
            "weight_se": weight_se[m],
            "pareto_k": _worst(one),
            "k": elpd.shape[1],
            "sound": one.sound,
        }
        for m, (label, one) in enumerate(found.items())
    ]
    table = pd.DataFrame(rows).set_index("model")
    return table.sort_values("elpd", ascending=False, kind="stable")


def _worst(one: LOO) -> float:
    """Largest Pareto k of the weights in use."""
    used = one.pareto_k[one.pareto_k <= LARGEST_K]
    return float(used.max()) if used.size else np.nan


def _se_of_sum(values: Array) -> float:
    return float(np.sqrt(values.size * values.var(ddof=1)))


def _check_same(found: Mapping[str, LOO]) -> None:
    if len(found) < 2:
        raise ModelError("compare_loo compares two fits or more.")
    (first, one), *others = found.items()
    for label, other in others:
        if other.target != one.target:
            raise ModelError(
                f"{shown(first)} predicts {one.target}, {shown(label)} {other.target}: log "
                "densities of "
                "different things cannot be compared."
            )
        same = other.study == one.study and all(
            np.array_equal(a, b)
            for a, b in zip(one.data.numbers.values(), other.data.numbers.values(), strict=True)
        )
        if not same:
            raise ModelError(
                f"{shown(first)} and {shown(label)} are of different data; fit both to the "
                "same studies."
            )
    for label, other in found.items():
        missing = [
            name for name, value in zip(other.study, other.elpd, strict=True) if np.isnan(value)
        ]
        if missing:
            raise ModelError(
                f"{shown(label)} has no sound prediction of {', '.join(missing)}; pass a stricter "
                "engine to loo."
            )


def _stack(elpd: Array, seed: int) -> tuple[Array, Array]:
    """Weights of models, (m,), that make the mixture predict best, and their standard errors."""
    models, k = elpd.shape
    if k < ENOUGH:
        return np.full(models, np.nan), np.full(models, np.nan)
    share = np.random.default_rng(seed).dirichlet(np.ones(k), TIMES)
    weights = _stacked(elpd, np.vstack((np.full(k, 1 / k), share)))
    return weights[0], weights[1:].std(axis=0, ddof=1)


def _stacked(elpd: Array, share: Array) -> Array:
    """Maximise ``Σ share log Σ weight exp(elpd)`` by EM, for every row of shares, (n, m)."""
    density = np.exp(elpd - elpd.max(axis=0))
    weight = np.full((len(share), len(elpd)), 1 / len(elpd))
    for _ in range(ROUNDS):
        mixed = weight @ density
        new = weight * ((share / mixed) @ density.T)
        new /= new.sum(axis=1, keepdims=True)
        if np.abs(new - weight).max() < 1e-9:
            return new
        weight = new
    return weight
