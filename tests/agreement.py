"""Whether draws and an exact posterior say the same, in standard errors of the draws."""

import numpy as np
from arviz_stats.base import array_stats
from tolerances import STANDARD_ERRORS

PROBS = (0.05, 0.5, 0.95)


def assert_agree(drawn, exact, names=("mu", "tau", "theta_new")):
    """Compare means, SDs, three quantiles' probabilities, and the means of the study effects."""
    assert drawn.diagnostics.passed, drawn.diagnostics.failures
    draws = drawn.draws()["posterior"]
    for name in names:
        row = drawn.convergence[name]
        assert row["ess_bulk"] >= 400
        apart = drawn[name].mean() - exact[name].mean()
        assert abs(apart) <= STANDARD_ERRORS * row["mcse_mean"], name
        apart = drawn[name].sd() - exact[name].sd()
        assert abs(apart) <= STANDARD_ERRORS * row["mcse_sd"], name
        assert_quantiles(draws[name].values, exact[name].quantile(np.array(PROBS)), name)
    errors = [drawn.convergence[f"theta[{one}]"]["mcse_mean"] for one in exact.data.study]
    apart = drawn["theta"].mean() - exact["theta"].mean()
    assert (np.abs(apart) <= STANDARD_ERRORS * np.array(errors)).all()


def assert_quantiles(values, quantiles, name, probs=PROBS):
    """The share of draws below each exact quantile is its probability."""
    for prob, at in zip(probs, quantiles, strict=True):
        below = (values <= at).astype(float)
        error = float(array_stats.mcse(below, method="mean"))
        assert abs(below.mean() - prob) <= STANDARD_ERRORS * error, (name, prob)
