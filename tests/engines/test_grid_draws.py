"""Joint draws from the grid: each parameter has its distribution given those drawn before it."""

import numpy as np
from references import binary, estimates
from scipy import stats
from scipy.special import expit

import bayesmeta as bm
from bayesmeta.engines._inversion import invert_rows

DRAWN = 1000
LEVEL = 0.01 / 5  # of each test: all together at 1%
BASELINE = bm.Normal(-0.4, 1.3)


def assert_uniform(values):
    assert stats.kstest(values, "uniform").pvalue > LEVEL


def share_below(drawn, at, log_p):
    """Probability below each draw under the densities known at `at`, (n,), up to a constant."""
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    below = np.where(at <= drawn[:, None], p, 0.0).sum(axis=1)
    return below / p.sum(axis=1)


def test_study_effects_follow_estimate_and_student_t_together():
    df = 3.0
    y, se = [0.1, -0.2, 2.5], [0.3, 0.2, 0.3]
    model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5), df=df)
    group = bm.fit(model, estimates(y, se)).draws(DRAWN, seed=5)["posterior"]
    mu, tau = (group[name].values.ravel()[:, None] for name in ("mu", "tau"))
    at = np.linspace(-3, 5, 1201)
    log_p = stats.norm.logpdf(at, y[2], se[2]) - 0.5 * (df + 1) * np.log1p(
        ((at - mu) / tau) ** 2 / df
    )
    theta = group["theta"].values.reshape(DRAWN, -1)[:, 2]
    assert_uniform(share_below(theta, at, log_p))


def test_baselines_follow_the_counts_given_the_study_effects():
    rows = [(3, 12, 8, 20), (0, 15, 4, 11), (5, 40, 9, 42)]
    studies = binary({str(i): row for i, row in enumerate(rows)})
    model = bm.BinomialNormal(
        measure="OR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5), baseline=BASELINE
    )
    group = bm.fit(model, studies).draws(DRAWN, seed=6)["posterior"]
    at = np.linspace(-8, 6, 801)
    for i, (a, n1, c, n0) in enumerate(rows):
        theta, beta = (
            group[name].values.reshape(DRAWN, -1)[:, i] for name in ("theta", "baseline")
        )
        half = theta[:, None] / 2
        log_p = stats.norm.logpdf(at, BASELINE.mean, BASELINE.sd)
        for events, n, p in ((a, n1, expit(at + half)), (c, n0, expit(at - half))):
            log_p = log_p + events * np.log(p) + (n - events) * np.log1p(-p)
        assert_uniform(share_below(beta, at, log_p))


def test_a_density_known_at_uneven_points_is_inverted_as_it_is():
    grid = np.concatenate([np.linspace(0, 1, 400), np.geomspace(1.001, 40, 80)])
    rows = np.tile(grid, (DRAWN, 1))
    u = (np.arange(DRAWN) + 0.5) / DRAWN
    below = stats.expon.cdf(invert_rows(rows, -rows, u))
    np.testing.assert_allclose(below, u, atol=1e-5)
