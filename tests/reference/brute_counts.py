"""Count models by brute force: dense grids over baseline, effect, mu and tau, and nothing clever.

A second source for the exact count engine and for the PyMC form. The baseline is integrated over
the larger of the two risks, so the odds product is never inverted; theta is integrated as it
stands. Nothing of the package is imported here. Quadrature error is about 1e-7 of a posterior SD
where the narrowest study has a standard error of 0.15 or more.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy
from scipy import interpolate, stats
from scipy.special import expit, log_expit, logsumexp

STEP = 0.02


@dataclass(frozen=True)
class Answer:
    mu: dict[str, float]
    tau: dict[str, float]
    log_marginal_likelihood: float


def posterior(tables, *, measure, mu_sd, tau_scale, baseline_sd=10.0, reach=14.0):
    """Integrate; `tables` holds (events, n, events, n) per study, priors Normal and half-normal."""
    theta = np.arange(-reach, reach + STEP / 2, STEP)
    logs = np.array([log_likelihood(theta, table, measure, baseline_sd) for table in tables])
    mu = np.linspace(-9, 9, 721)
    edges = tau_scale * np.array([0, 0.02, 0.06, 0.15, 0.3, 0.6, 1, 1.5, 2, 2.6, 3.3, 4.2, 5.5])
    tau, weight = panels(edges, order=12)
    splines = [interpolate.CubicSpline(theta, row) for row in logs]
    at = np.array([smoothed(theta, logs, splines, mu, one).sum(axis=0) for one in tau])
    at += stats.norm.logpdf(mu, 0, mu_sd) + np.log(mu[1] - mu[0])
    joint = at + (stats.halfnorm.logpdf(tau, scale=tau_scale) + np.log(weight))[:, None]
    log_z = float(logsumexp(joint))
    share = np.exp(joint - log_z)
    return Answer(
        mu=moments(mu, share.sum(axis=0)), tau=moments(tau, share.sum(axis=1)),
        log_marginal_likelihood=log_z,
    )  # fmt: skip


def log_likelihood(theta, table, measure, baseline_sd):
    """Log of the integral over the baseline, at each theta."""
    x = np.arange(-110, 110, 0.04)
    risks = {"OR": odds_ratio_risks, "RR": risk_ratio_risks}[measure]
    found = []
    for one in theta:
        p1, q1, p0, q0, beta, jacobian = risks(one, x)
        a, n1, c, n0 = table
        log_p = a * p1 + (n1 - a) * q1 + c * p0 + (n0 - c) * q0
        log_p += stats.norm.logpdf(beta, 0, baseline_sd) + np.log(jacobian)
        found.append(logsumexp(log_p) + np.log(x[1] - x[0]))
    choose = sum(stats.binom.logpmf(e, n, 0.5) + n * np.log(2) for e, n in (table[:2], table[2:]))
    return np.array(found) + choose


def odds_ratio_risks(theta, x):
    up, down = x + theta / 2, x - theta / 2
    return log_expit(up), log_expit(-up), log_expit(down), log_expit(-down), x, np.ones_like(x)


def risk_ratio_risks(theta, x):
    """The larger risk is expit(x), the smaller exp(-|theta|) times it; beta follows."""
    shrink = -abs(theta)
    log_large, log_not_large = log_expit(x), log_expit(-x)
    log_small = shrink + log_large
    log_not_small = np.log(-np.expm1(shrink) + np.exp(shrink + log_not_large))
    beta = 0.5 * (log_large - log_not_large + log_small - log_not_small)
    slope = expit(-x)
    jacobian = 0.5 * slope * (np.exp(-log_not_large) + np.exp(-log_not_small))
    if theta > 0:
        return log_large, log_not_large, log_small, log_not_small, beta, jacobian
    return log_small, log_not_small, log_large, log_not_large, beta, jacobian


def smoothed(theta, logs, splines, mu, tau):
    """Log of the integral over theta ~ N(mu, tau²), (k, mu): on z for a small tau."""
    if tau < 5 * STEP:
        z = np.linspace(-7.5, 7.5, 61)
        weight = stats.norm.logpdf(z) + np.log(z[1] - z[0])
        points = mu[:, None] + tau * z
        return np.array([logsumexp(spline(points) + weight, axis=1) for spline in splines])
    kernel = stats.norm.logpdf(theta, mu[:, None], tau) + np.log(STEP)
    top = kernel.max(axis=1, keepdims=True)
    peak = logs.max(axis=1, keepdims=True)
    inner = np.exp(kernel - top) @ np.exp(logs - peak).T
    return np.log(np.maximum(inner.T, 1e-300)) + top.T + peak


def panels(edges, order):
    x, w = np.polynomial.legendre.leggauss(order)
    half = np.diff(edges) / 2
    nodes = edges[:-1, None] + half[:, None] * (x + 1)
    return nodes.ravel(), (half[:, None] * w).ravel()


def moments(x, share):
    mean = float(share @ x)
    return {"mean": mean, "sd": float(np.sqrt(share @ (x - mean) ** 2))}


TABLES = {
    "mortality": (
        (0, 12, 3, 29), (0, 65, 0, 35), (2, 12, 7, 12), (10, 20, 16, 20), (3, 10, 6, 10),
        (0, 29, 2, 29), (5, 21, 4, 24), (5, 11, 1, 6), (42, 112, 47, 110), (3, 11, 8, 24),
    ),
    "everybody improved in one arm": ((12, 12, 25, 29), (21, 29, 16, 29), (9, 12, 5, 12)),
    "sparse": ((0, 30, 0, 30), (1, 40, 0, 38), (0, 25, 2, 25), (0, 30, 0, 60)),
}  # fmt: skip


def main():
    """Write brute_counts.json beside this file: about three minutes."""
    cases = {}
    for name, tables in TABLES.items():
        for measure in ("OR", "RR"):
            found = posterior(tables, measure=measure, mu_sd=2, tau_scale=0.5)
            cases[f"{name}, {measure}"] = {
                "tables": tables,
                "measure": measure,
                "log_marginal_likelihood": found.log_marginal_likelihood,
                **{one: getattr(found, one) for one in ("mu", "tau")},
            }
    versions = {"numpy": np.__version__, "scipy": scipy.__version__}
    document = {"program": "brute_counts.py", "versions": versions, "cases": cases}
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
