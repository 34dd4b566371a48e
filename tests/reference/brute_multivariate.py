"""Two outcomes at once by brute force: dense sums over both taus, rho and, if unknown, within.

    python tests/reference/brute_multivariate.py

An independent second source for the samples of ``MultivariateNormal``, written to
``brute_multivariate.json``. At each node all estimates together are one normal vector, whose
covariance is written out from the definition; the overall effects, normal before and given the
node, are integrated out. Nothing of the package is imported here.
"""

import json
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.polynomial import legendre
from scipy.special import ndtr

HERE = Path(__file__).parent
MU_SD, TAU_SCALE, WITHIN_HIGH = 1.0, 0.5, 0.9
TAU_EDGES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 4.0)
RHO_EDGES = (-1.0, 0.0, 0.5, 1.0)
BELOW = {"mu": ((0.25, 0.35, 0.5), (-0.5, -0.35, -0.2)), "tau": (0.1, 0.2, 0.4), "rho": (0.0, 0.5)}
CASES = {  # gaps are (study, outcome), counted from 0; eta is that of LKJ, 1 a uniform rho
    "known": {"gaps": [], "eta": 1.0, "unknown_within": False},
    "gaps": {"gaps": [[2, 1], [3, 0]], "eta": 1.5, "unknown_within": False},
    "unknown within": {"gaps": [[4, 0]], "eta": 1.0, "unknown_within": True},
}


class Nodes(NamedTuple):
    """Points of all parameters that are summed over, (n, 4), and their log prior weights."""

    at: np.ndarray
    log_weight: np.ndarray


def panels(edges, order):
    """Gauss-Legendre nodes and weights, panel by panel."""
    x, w = legendre.leggauss(order)
    edges = np.asarray(edges)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + x)).ravel(), (half * w).ravel()


def grid(case, order):
    """Nodes with tau HalfNormal(0.5) each, rho LKJ(eta), within Uniform(0, 0.9) or none."""
    tau, tau_weight = panels(TAU_EDGES, order)
    tau_weight = tau_weight * 2 * np.exp(-0.5 * (tau / TAU_SCALE) ** 2)
    x, x_weight = panels(2 / np.pi * np.arcsin(RHO_EDGES), 3 * order)
    rho = np.sin(np.pi / 2 * x)
    rho_weight = x_weight * np.cos(np.pi / 2 * x) * (1 - rho**2) ** (case["eta"] - 1)
    within, within_weight = np.zeros(1), np.ones(1)
    if case["unknown_within"]:
        within, within_weight = panels((0, WITHIN_HIGH), 2 * order)
    axes = (tau, tau, rho, within)
    at = np.stack([one.ravel() for one in np.meshgrid(*axes, indexing="ij")], axis=1)
    weights = (tau_weight, tau_weight, rho_weight, within_weight)
    log_weight = sum(np.log(one) for one in np.meshgrid(*weights, indexing="ij"))
    return Nodes(at, log_weight.ravel())


def vector(case, data):
    """All estimates as one vector: value, se, study, outcome, and the correlations between them."""
    gaps = set(map(tuple, case["gaps"]))
    cells = [(i, j) for i, j in product(range(len(data["y"])), range(2)) if (i, j) not in gaps]
    y = np.array([data["y"][i][j] for i, j in cells])
    se = np.array([data["se"][i][j] for i, j in cells])
    study, outcome = np.array(cells).T
    known = np.array(data["correlation"])[study]
    return y, se, study, outcome, known


def solve(case, data, nodes):
    """Log density of the estimates at every node, and the mean and covariance of mu there."""
    y, se, study, outcome, known = vector(case, data)
    design = (outcome[:, None] == np.arange(2)) * 1.0
    same, other = study[:, None] == study, outcome[:, None] != outcome
    tau1, tau2, rho, within = nodes.at.T[:, :, None, None]
    of_study = within if case["unknown_within"] else known[:, 0, 1][:, None]
    sampling = np.where(same, np.where(other, of_study, 1.0 * ~other) * se[:, None] * se, 0.0)
    sd = np.where(outcome == 0, tau1, tau2)
    between = np.where(same, np.where(other, rho, 1.0) * sd * np.swapaxes(sd, 1, 2), 0.0)
    total = sampling + between + MU_SD**2 * design @ design.T
    gain = np.linalg.solve(total, np.broadcast_to(np.c_[y, design], (len(total), len(y), 3)))
    log = -0.5 * (np.linalg.slogdet(total)[1] + gain[:, :, 0] @ y)
    mean = MU_SD**2 * gain[:, :, 0] @ design
    covariance = MU_SD**2 * np.eye(2) - MU_SD**4 * design.T @ gain[:, :, 1:]
    return log, mean, covariance


def answer(case, data, order, chunk=20_000):
    """Posterior moments and probabilities."""
    nodes = grid(case, order)
    parts = [
        solve(case, data, Nodes(nodes.at[i : i + chunk], nodes.log_weight[i : i + chunk]))
        for i in range(0, len(nodes.at), chunk)
    ]
    log, mean, covariance = (np.concatenate(one) for one in zip(*parts, strict=True))
    log = log + nodes.log_weight
    p = np.exp(log - log.max())
    p /= p.sum()
    tau, rho, within = nodes.at[:, :2], nodes.at[:, 2], nodes.at[:, 3]
    overall = p @ mean
    spread = np.einsum("n,nij->ij", p, covariance + mean[:, :, None] * mean[:, None, :])
    spread -= np.outer(overall, overall)
    cross = rho * tau[:, 0] * tau[:, 1]
    between = np.array([[p @ tau[:, 0] ** 2, p @ cross], [p @ cross, p @ tau[:, 1] ** 2]])
    sd = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    below = [
        [float(p @ ndtr((c - mean[:, j]) / sd[:, j])) for c in BELOW["mu"][j]] for j in range(2)
    ]
    found = {
        "mu": {"mean": overall, "covariance": spread, "below": below},
        "tau": {
            "mean": p @ tau,
            "sd": np.sqrt(p @ tau**2 - (p @ tau) ** 2),
            "below": [[float(p @ (tau[:, j] < c)) for c in BELOW["tau"]] for j in range(2)],
        },
        "rho": {
            "mean": p @ rho,
            "sd": np.sqrt(p @ rho**2 - (p @ rho) ** 2),
            "below": [float(p @ (rho < c)) for c in BELOW["rho"]],
        },
        "theta_new": {"covariance": spread + between},
    }
    if case["unknown_within"]:
        first = p @ within
        found["within"] = {"mean": first, "sd": np.sqrt(p @ within**2 - first**2)}
    return plain(found)


def plain(found):
    if isinstance(found, dict):
        return {name: plain(one) for name, one in found.items()}
    return np.round(found, 10).tolist()


def main():
    data = json.loads((HERE / "berkey1998.json").read_text())["cases"]["data"]
    cases = {}
    for name, case in CASES.items():
        sizes = (4, 6) if case["unknown_within"] else (5, 7)
        coarse, fine = (answer(case, data, order) for order in sizes)
        apart = max(abs(a - b) for a, b in zip(numbers(coarse), numbers(fine), strict=True))
        cases[name] = {**case, "change": float(f"{apart:.1e}"), **fine}
    about = {
        "program": "brute_multivariate.py (NumPy, composite Gauss-Legendre)",
        "priors": {"mu": "Normal(0, 1)", "tau": "HalfNormal(0.5)", "within": "Uniform(0, 0.9)"},
        "at": BELOW,
    }
    text = json.dumps({**about, "cases": cases}, separators=(",", ":"))
    (HERE / "brute_multivariate.json").write_text(text.replace('},"', '},\n"') + "\n")


def numbers(found):
    if isinstance(found, dict):
        return [x for one in found.values() for x in numbers(one)]
    return np.ravel(found).tolist()


if __name__ == "__main__":
    main()
