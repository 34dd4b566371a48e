"""Diagnostics of draws against ArviZ's."""

import numpy as np
import pytest
from arviz_stats.base import array_stats
from numpy.testing import assert_allclose

from bayesmeta.engines.sampling.convergence import convergence


def chains(seed, count, n, correlation):
    """Draws of an autoregression that starts anywhere."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, n))
    for t in range(1, n):
        x[:, t] += correlation * x[:, t - 1]
    return x


SHAPES = {
    "as they are": lambda x: x,
    "with ties": np.round,
    "apart and skew": lambda x: np.exp(x / 4 + 3 * (np.arange(len(x)) == 0)[:, None]),
    "one stands still": lambda x: np.where(
        (np.arange(len(x))[:, None] == 0) & (len(x) > 1), 7.0, x
    ),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("correlation", [-0.9, -0.3, 0.0, 0.5, 0.9, 0.999])
@pytest.mark.parametrize(("count", "n"), [(1, 50), (2, 5), (2, 8), (3, 9), (4, 101), (4, 1000)])
def test_every_figure_is_that_of_arviz(shape, correlation, count, n):
    x = shape(chains(n, count, n, correlation))
    found = convergence({"x": x}, ())["x"]
    with np.errstate(all="ignore"):
        theirs = {
            "rhat": array_stats.rhat(x) if count > 1 else np.nan,
            "ess_bulk": array_stats.ess(x, method="bulk"),
            "ess_tail": array_stats.ess(x, method="tail", prob=(0.05, 0.95)),
            "mcse_mean": array_stats.mcse(x, method="mean"),
            "mcse_sd": array_stats.mcse(x, method="sd"),
        }
    assert_allclose([found[name] for name in theirs], list(theirs.values()), rtol=1e-10)


def test_no_number_is_made_of_a_draw_that_is_none():
    x = chains(1, 4, 100, 0.0)
    x[2, 50] = np.nan
    assert np.isnan(list(convergence({"x": x}, ())["x"].values())).all()
    assert np.isnan(list(convergence({"x": x[:, :3]}, ())["x"].values())).all()
