"""A few tables of counts: the program of fixed sizes in NumPy, one after the other.

Compiling takes longer than fitting them, and refits of one table share its studies' likelihoods.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError, ModelError
from ...machine.forks import lock
from ...model import RandomEffects
from ..exact.fixed import fast_table, for_new, integrated, marginals_of, name_of

type Values = NDArray[np.float64]

_ONE = lock()  # threads that take turns with small arrays cost more than one


def fit_few(
    model: RandomEffects, columns: Mapping[str, Values], names: tuple[str, ...], prob: float
) -> Mapping[str, Values]:
    """Fit each row; the error of what the program does not know, or cannot fit, stays infinite.

    Parameters
    ----------
    model : RandomEffects
    columns : mapping of str to ndarray, shape (n, k)
    names : tuple of str
        Of the numbers wanted.
    prob : float
        Of the intervals.

    Returns
    -------
    mapping of str to ndarray, shape (n,)
        The numbers, evidence without ``laws.constants``, and ``engine`` in words.
    """
    with _ONE:
        return _one_by_one(model, columns, names, prob)


def _one_by_one(
    model: RandomEffects, columns: Mapping[str, Values], names: tuple[str, ...], prob: float
) -> Mapping[str, Values]:
    n = len(next(iter(columns.values())))
    out = {name: np.full(n, np.nan) for name in names}
    out["error"], engine = np.full(n, np.inf), np.full(n, "", dtype=object)
    for i in range(n):
        present = ~np.isnan(next(iter(columns.values()))[i])
        kept = {name: values[i, present] for name, values in columns.items()}
        study = tuple(map(str, range(1, int(present.sum()) + 1)))
        try:
            data = model.takes(study=study, **kept)  # pyright: ignore[reportArgumentType, reportCallIssue]
            model.check_data(data)
            table = fast_table(model, data)
        except (DataError, ModelError):
            continue  # `fit` says why
        if table is not None:
            engine[i] = name_of(table)
            mu, tau = marginals_of(model, data, table)
            ends = np.array([(1 - prob) / 2, 0.5, (1 + prob) / 2])
            numbers = {
                "log_marginal_likelihood": float(table.log_z),
                "mu_mean": mu.mean(),
                "mu_sd": mu.sd(),
                "prob_below_null": mu.cdf(0.0),
                "tau_mean": tau.mean(),
                "error": float(table.error),
            }
            if "mu_median" in names:
                looked = partial(integrated, model, data, table, mu, tau)
                ahead = for_new(model, data, table, mu, tau, looked)
                of_new = ahead.new.quantile(ends[[0, 2]])
                numbers |= dict(zip(("new_lower", "new_upper"), of_new, strict=True))
                for name, marginal in (("mu", mu), ("tau", tau)):
                    words = (f"{name}_{what}" for what in ("lower", "median", "upper"))
                    numbers |= dict(zip(words, marginal.quantile(ends), strict=True))
            for name in names:
                out[name][i] = numbers[name]
    return {**out, "engine": engine}  # pyright: ignore[reportReturnType]
