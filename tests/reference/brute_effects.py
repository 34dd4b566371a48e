"""Effects in a new study and of a study, and evidence without effect or spread, by brute force.

A second source for what the exact engine says beyond mu and tau. A new effect below x is treated
as one more study whose likelihood is a step: given mu and tau it is the normal distribution
function, summed over their posterior. A study's effect below 0 is the evidence with its likelihood
cut off there. Every integral is a sum over Gauss-Legendre panels that shrink towards whatever has
features of every size: theta = 0, mu = 0 and mu = x, the ends of priors, and tau = 0. The baseline
is integrated over the logit of the larger of the two risks, so that no odds product is inverted.
Each case is computed twice, the second time with more nodes in every panel; the second is stored,
and what moved as `error`. Nothing of the package is imported here.

    uv run tests/reference/brute_effects.py             # all: half an hour of one core
    uv run tests/reference/brute_effects.py "OR, t"    # those whose name begins so, beside the rest
"""

import json
import sys
from pathlib import Path

import numpy as np
import scipy
from scipy import stats
from scipy.special import gammaln, log_expit, logsumexp, ndtr

FAR = {"RD": 12.0}  # of theta: 60 for the others
FURTHER = 1e9  # of theta where tau is heavy-tailed: single arms' likelihoods are constant there
SMALLEST = 1e-6  # tau that the panels of theta resolve; a likelihood is flat over less
HELD_OUT = "theta of the first study below 0"


# Panels -------------------------------------------------------------------------------------


def panels(edges, order=10):
    x, weight = np.polynomial.legendre.leggauss(order)
    half = np.diff(edges)[:, None] / 2
    nodes = edges[:-1, None] + half * (x + 1)
    return nodes.ravel(), np.log((half * weight).ravel())


def graded(centres, low, high, first, ratio, widest):
    """Edges that shrink geometrically towards each centre, and are nowhere wider than `widest`."""
    out = [0.0, first]
    while out[-1] < high - low:
        out.append(out[-1] + min(ratio * out[-1], widest))
    out = np.array(out)
    edges = [low, high]
    for centre in centres:
        edges += [*(centre + out), *(centre - out)]
    edges = np.unique(np.clip(edges, low, high))
    return edges[np.diff(edges, prepend=-np.inf) > 1e-12]


# Likelihoods --------------------------------------------------------------------------------


def log_likelihood(case, row, theta, fine):
    """Log likelihood of one study at theta, (n,), the baseline summed out."""
    sd = case.get("baseline_sd", 10.0)
    if case["measure"] == "hypergeometric":
        return hypergeometric(row, theta)
    far = np.arcsinh(24.0 * sd)
    x, log_weight = panels(np.sinh(np.linspace(-far, far, 121 if fine else 61)), 8)
    parts = np.array_split(theta, max(1, theta.size // 200))

    def log_beta(beta):
        return -0.5 * (beta / sd) ** 2 - np.log(sd * np.sqrt(2 * np.pi))

    found = [
        logsumexp(joint(case["measure"], row, one[:, None], x, log_beta) + log_weight, axis=1)
        for one in parts
    ]
    return np.concatenate(found)


def hypergeometric(row, theta):
    a, n1, c, n0 = row
    count = np.arange(max(0, a + c - n0), min(n1, a + c) + 1)
    cells = np.array([count, n1 - count, a + c - count, n0 - a - c + count])
    weight = -gammaln(cells + 1).sum(axis=0)
    return weight[count == a] - logsumexp(weight + theta[:, None] * (count - a), axis=1)


def joint(measure, row, theta, x, normal):
    a, n1, c, n0 = row
    if measure == "IRR":
        up, down = x + theta / 2, x - theta / 2
        log_l = a * (np.log(n1) + up) - n1 * np.exp(np.minimum(up, 300)) - gammaln(a + 1)
        log_l += c * (np.log(n0) + down) - n0 * np.exp(np.minimum(down, 300)) - gammaln(c + 1)
        return log_l + normal(x)
    choose = sum(
        gammaln(n + 1) - gammaln(r + 1) - gammaln(n - r + 1) for r, n in ((a, n1), (c, n0))
    )
    if measure == "OR":
        up, down = x + theta / 2, x - theta / 2
        log_l = a * log_expit(up) + (n1 - a) * log_expit(-up)
        return choose + log_l + c * log_expit(down) + (n0 - c) * log_expit(-down) + normal(x)
    large = log_expit(x), log_expit(-x)  # x is the logit of the larger risk, or for RD see below
    if measure == "RR":
        small = large[0] - np.abs(theta)
        rest = np.log(-np.expm1(np.minimum(small, -1e-300)))
        log_odds = large[0] - large[1], small - rest
        slope = 0.5 * (1 + np.exp(large[1] - rest))
        sides = (small, rest), large
    else:  # the smaller risk is (1 - d) expit(x), the larger d more
        with np.errstate(divide="ignore"):
            log_d = np.log(np.tanh(np.abs(theta)))
        log_rest = np.log(2) + log_expit(-2 * np.abs(theta))
        low, high = log_rest + large[0], log_rest + large[1]
        sides = (low, np.logaddexp(log_d, high)), (np.logaddexp(log_d, low), high)
        log_odds = tuple(side[0] - side[1] for side in sides)
        move = low + large[1]
        slope = 0.5 * sum(np.exp(move - part) for side in sides for part in side)
    beta = 0.5 * (log_odds[0] + log_odds[1])
    (p1, q1), (p0, q0) = (
        tuple(np.where(theta > 0, b, s) for s, b in zip(*sides, strict=True)),
        tuple(np.where(theta > 0, s, b) for s, b in zip(*sides, strict=True)),
    )
    log_l = times(a, p1) + times(n1 - a, q1) + times(c, p0) + times(n0 - c, q0)
    with np.errstate(divide="ignore"):
        return choose + log_l + normal(beta) + np.log(slope)


def times(count, log_p):
    return count * log_p if count else np.zeros_like(log_p)


# Sums ---------------------------------------------------------------------------------------


class Studies:
    """Likelihoods of the studies on panels of theta."""

    def __init__(self, case, fine):
        far = FAR.get(case["measure"], 60.0)
        edges = graded([0.0], -far, far, 1e-7, 0.12, 0.5)  # as fine as effects are wide, below
        if "heavy" in case:
            beyond = far * 1.12 ** np.arange(1, np.log(FURTHER / far) / np.log(1.12))
            edges = np.concatenate([-beyond[::-1], edges, beyond])
        self.theta, self.log_weight = panels(edges, 6 if fine else 5)
        logs = np.array([log_likelihood(case, row, self.theta, fine) for row in case["rows"]])
        self.below = np.where(self.theta < 0, logs[0], -np.inf)
        self.logs = np.vstack([logs, self.below])
        self.table = [scipy.interpolate.make_interp_spline(*side, k=5) for side in self.sides(logs)]

    def sides(self, logs):
        """Logs over the logarithm of |theta|, on either side."""
        for sign in (-1, 1):
            here = np.flatnonzero(sign * self.theta > 0)[::sign]
            yield np.log(np.abs(self.theta[here])), logs[:, here].T

    def given(self, mu, tau, fine):
        """Logs of all studies and of the first cut off at 0, given mu (m,) and tau, (k + 1, m)."""
        tau = max(tau, SMALLEST)
        found = np.empty((len(self.logs), mu.size))
        narrow = tau < 0.1 * np.abs(mu)  # the corner at 0 is ten SDs away
        at = mu[~narrow]
        seen = np.abs(self.theta) < np.abs(at).max() + 10 * tau
        z = (self.theta[seen] - at[:, None]) / tau
        kernel = np.exp(-0.5 * z**2) / (tau * np.sqrt(2 * np.pi))
        logs = self.logs[:, seen]
        top = logs.max(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            weighted = np.exp(logs + self.log_weight[seen] - top)
            found[:, ~narrow] = np.log(weighted @ kernel.T) + top
        if narrow.any():
            found[:, narrow] = self.near(mu[narrow], tau, fine)
        return found

    def near(self, mu, tau, fine):
        """The same where effects are narrow beside the distance of mu from 0."""
        z, weight = np.polynomial.hermite_e.hermegauss(20 if fine else 16)
        theta = mu[:, None] + tau * z
        with np.errstate(divide="ignore", invalid="ignore"):
            v = np.log(np.abs(theta))
        each = np.where(
            (theta < 0)[..., None],
            *(one(np.clip(v, one.t[0], one.t[-1])) for one in self.table),
        )
        below = np.where(theta < 0, each[..., 0], -np.inf)
        logs = np.concatenate([each, below[..., None]], axis=-1)
        log_weight = np.log(weight / weight.sum())[:, None]
        return logsumexp(logs + log_weight, axis=1).T


def law_of_tau(tau, order):
    """Nodes of tau, logs of their weights times the prior."""
    if tau["family"] == "HalfNormal":
        scale = tau["scale"]
        nodes, weight = panels(graded([0.0], 0.0, 9 * scale, 1e-5 * scale, 1.0, 0.5 * scale), order)
        return nodes, weight + stats.halfnorm(scale=scale).logpdf(nodes)
    if tau["family"] == "HalfCauchy":
        octaves = np.append(0.0, tau["scale"] * 1e-5 * 2.0 ** np.arange(42))
        nodes, weight = panels(octaves, order)
        return nodes, weight + stats.halfcauchy(scale=tau["scale"]).logpdf(nodes)
    shape = tau["shape"]  # a gamma with a pole, in the power of tau that has none
    root, weight = panels(graded([0.0], 0.0, 40.0**shape, 1e-5, 1.0, 0.25), order)
    nodes = root ** (1 / shape)
    slope = np.log(nodes / root / shape)
    return nodes, weight + slope + stats.gamma(shape, scale=1 / tau["rate"]).logpdf(nodes)


def answer(case, fine):
    studies = Studies(case, fine)
    mu_low, mu_high, log_mu = law_of_mu(case["mu"])
    order = 6 if fine else 5
    tau, weight_tau = law_of_tau(case["tau"], order)
    scale = case["tau"].get("scale", 1.0)
    at = [x for x in case["at"] if mu_low < x < mu_high]
    ends = [case["mu"][name] for name in ("low", "high", "mean") if name in case["mu"]]
    edges = graded([0.0, *at, *ends], mu_low, mu_high, 1e-5, 1.0, 0.3 * min(1.0, scale / 0.5))
    mu, weight_mu = panels(edges, order)
    mu, weight_mu = np.append(mu, 0.0), np.append(weight_mu, 0.0)  # the last is mu = 0 itself
    logs = np.array([studies.given(mu, one, fine) for one in tau])
    whole = logs[:, :-1].sum(axis=1) + weight_tau[:, None]
    joint_mass = whole[:, :-1] + log_mu(mu[:-1]) + weight_mu[:-1]
    log_z = logsumexp(joint_mass)
    mass = np.exp(joint_mass - log_z)
    cut = np.exp(joint_mass - log_z + logs[:, -1, :-1] - logs[:, 0, :-1]).sum()
    mean = float(mass.sum(axis=0) @ mu[:-1])
    at_zero = studies.logs[:-1]  # tau = 0: the likelihoods themselves, on the panels of theta
    inside = (studies.theta > mu_low) & (studies.theta < mu_high)
    single = at_zero[:, inside].sum(axis=0) + log_mu(studies.theta[inside])
    new = [float((mass * ndtr((x - mu[:-1]) / tau[:, None])).sum()) for x in case["at"]]
    found = {
        "log_z": float(log_z),
        "mean_mu": mean,
        "sd_mu": float(np.sqrt(mass.sum(axis=0) @ (mu[:-1] - mean) ** 2)),
        "new_below": new,
        HELD_OUT: float(cut),
        "log_bf01_mu": float(logsumexp(whole[:, -1]) - log_z),
    }
    if case["mu"].get("sd", 0.0) >= 1:  # else the panels of theta do not suit the prior
        spread = logsumexp(single + studies.log_weight[inside])
        found["log_bf01_tau"] = float(spread - log_z)
    return found


def law_of_mu(mu):
    if "low" in mu:
        height = -np.log(mu["high"] - mu["low"])
        return mu["low"], mu["high"], lambda x: np.full_like(x, height)
    law = stats.norm(mu["mean"], mu["sd"])
    if "spike" not in mu:
        return mu["mean"] - 9 * mu["sd"], mu["mean"] + 9 * mu["sd"], law.logpdf
    spike = stats.norm(mu["mean"], mu["spike"])
    return (
        mu["mean"] - 9 * mu["sd"],
        mu["mean"] + 9 * mu["sd"],
        lambda x: np.logaddexp(spike.logpdf(x), law.logpdf(x)) - np.log(2),
    )


def both(case):
    rough, fine = answer(case, fine=False), answer(case, fine=True)
    gaps = [np.abs(np.subtract(rough[name], fine[name])).max() for name in fine]
    return {**case, "result": fine, "error": float(max(gaps))}


# Cases --------------------------------------------------------------------------------------


def random_tables(measure, count, seed):
    """Sparse tables: few patients, rare or common events, some arms without or full of them."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        k = int(rng.integers(2, 6))
        n1, n0 = rng.integers(5, 60, (2, k))
        risk = rng.choice([0.02, 0.05, 0.1, 0.9, 0.97])
        c = rng.binomial(n0, risk)
        a = rng.binomial(n1, np.clip(risk * np.exp(rng.normal(0, 0.5, k)), 0, 0.99))
        yield [list(map(int, row)) for row in zip(a, n1, c, n0, strict=True)]


SD = {"OR": (2.0, 0.5), "RR": (2.0, 0.5), "RD": (1.0, 0.3), "IRR": (1.5, 0.5)}
AT = {
    "OR": [-1.0, 0.0, 0.6],
    "RR": [-0.4, 0.0, 0.3],
    "RD": [-0.1, 0.0, 0.05],
    "IRR": [-1.0, 0.0, 0.6],
}
THREE = [[9, 60, 14, 61], [4, 40, 9, 42], [12, 70, 13, 66]]
DOUBLE_ZERO = [[0, 30, 0, 28], [2, 40, 5, 38], [1, 55, 3, 60]]
NAMED = {
    "RD, everybody or nobody": ("RD", [[0, 25, 1, 24], [0, 31, 0, 30], [12, 31, 11, 30]], {}),
    "OR, whole arms that oppose each other": (
        "OR", [[10, 10, 0, 11], [0, 14, 1, 13]], {"tau": {"family": "HalfNormal", "scale": 1.0}},
    ),
    "OR, a bounded prior": (
        "OR", THREE, {"mu": {"low": -0.5, "high": 0.2}, "at": [-0.8, -0.5, 0.0, 0.2, 0.4]},
    ),
    "RR, the adverse events of the real case": (
        "RR", [[3, 29, 13, 29], [18, 21, 18, 24], [8, 12, 11, 12], [36, 65, 21, 35]], {},
    ),
    "OR, a vague baseline": ("OR", DOUBLE_ZERO, {"baseline_sd": 100.0}),
    "RR, a vague baseline": ("RR", DOUBLE_ZERO, {"baseline_sd": 100.0}),
    "RD, a vague baseline": ("RD", DOUBLE_ZERO, {"baseline_sd": 100.0}),
    "OR, a narrow prior": ("OR", THREE, {"mu": {"mean": 0.5, "sd": 1e-4}}),
    "OR, spike and slab": ("OR", THREE, {"mu": {"mean": 0.0, "sd": 2.0, "spike": 1e-3}}),
    "RR, spike and slab": ("RR", THREE, {"mu": {"mean": 0.0, "sd": 2.0, "spike": 1e-3}}),
    "OR, a bounded prior and a pole": (
        "OR",
        THREE,
        {"mu": {"low": -1.0, "high": 1.0}, "tau": {"family": "Gamma", "shape": 0.5, "rate": 1.0}},
    ),
    "hypergeometric, events in one arm": (
        "hypergeometric",
        [[0, 24, 4, 25], [0, 35, 3, 36]],
        {
            "mu": {"mean": 0.0, "sd": 10.0},
            "tau": {"family": "HalfCauchy", "scale": 1.0},
            "heavy": True,
            "at": [-20.0, -5.0, 0.0],
        },
    ),
}  # fmt: skip


def cases():
    for name, (measure, rows, changes) in NAMED.items():
        yield name, case(measure, rows) | changes
    for i, measure in enumerate(SD):
        for j, rows in enumerate(random_tables(measure, 4, 2026 + i)):
            yield f"{measure}, table {j}", case(measure, rows)


def case(measure, rows):
    sd, scale = SD.get(measure, SD["OR"])
    return {
        "measure": measure,
        "rows": rows,
        "mu": {"mean": 0.0, "sd": sd},
        "tau": {"family": "HalfNormal", "scale": scale},
        "at": AT.get(measure, AT["OR"]),
    }


if __name__ == "__main__":
    place = Path(__file__).with_suffix(".json")
    wanted = tuple(sys.argv[1:]) or ("",)
    found = json.loads(place.read_text())["cases"] if place.exists() and wanted != ("",) else {}
    versions = {"numpy": np.__version__, "scipy": scipy.__version__}
    for name, one in cases():
        if name.startswith(wanted):
            found[name] = both(one)
            whole = {"program": "brute_effects.py", "versions": versions, "cases": found}
            place.write_text(json.dumps(whole, indent=1) + "\n")
