"""Residual deviance, pD and DIC by plain quadrature, for the analyses of ``models/``.

Counts: over the larger risk, the effect, mu and tau, one after the other, as ``brute_counts.py``
does, with a study's deviance and its risks carried along. Means: over the two Student-t densities
of the arms. Quartiles of single trials: from the joint density of the order statistics behind
them. Nothing of the package is imported here.
"""

import json
from pathlib import Path

import brute_counts
import numpy as np
import pandas as pd
import scipy
from scipy import interpolate, stats
from scipy.special import log_ndtr, logsumexp, ndtr, xlogy

ROOT = Path(__file__).parents[2]
BASELINE_SD, MU_SD, TAU_SCALE = 10.0, 2.0, 0.5
SHIFT = 30.0  # makes effects and deviances positive, so that their logarithms can be carried along


def rows(path, *, where=None, variants=None, columns):
    """Rows of a table as figures, main variants unless another is named for a study."""
    frame = pd.read_csv(ROOT / "examples" / path, dtype=str)
    if "variant" in frame:
        wanted = [(variants or {}).get(study, "main") for study in frame["study"]]
        frame = frame[frame["variant"] == wanted]
    if where:
        frame = frame[frame[where[0]] == where[1]]
    return [tuple(map(float, row)) for row in frame[columns].to_numpy()]


# ------------------------------------------------------------------------------------------ counts
def of_counts(tables):
    """Two data points a study: binomial deviances of its arms."""
    step, reach = brute_counts.STEP / 2, 14.0
    theta = np.arange(-reach, reach + step / 2, step)
    carried = [along_baseline(theta, table) for table in tables]
    means = over_effects(theta, carried)
    found = []
    for table, (d1, d0, p1, p0) in zip(tables, means, strict=True):
        at_mean = binomial_deviance(*table[:2], np.log(p1), np.log1p(-p1))
        at_mean += binomial_deviance(*table[2:], np.log(p0), np.log1p(-p0))
        found.append((d1 + d0, d1 + d0 - at_mean))
    return summed(found)


def along_baseline(theta, table):
    """Log likelihood at each theta, then with two deviances and two risks carried along."""
    x = np.arange(-110, 110, 0.04)
    a, n1, c, n0 = table
    found = []
    for one in theta:
        p1, q1, p0, q0, beta, jacobian = brute_counts.risk_ratio_risks(one, x)
        log_p = a * p1 + (n1 - a) * q1 + c * p0 + (n0 - c) * q0
        log_p += stats.norm.logpdf(beta, 0, BASELINE_SD) + np.log(jacobian)
        d1, d0 = binomial_deviance(a, n1, p1, q1), binomial_deviance(c, n0, p0, q0)
        weights = (1.0, np.maximum(d1, 0), np.maximum(d0, 0), np.exp(p1), np.exp(p0))
        found.append([logsumexp(log_p, b=weight) for weight in weights])
    return np.array(found).T


def binomial_deviance(events, n, log_p, log_q):
    none = n - events
    best = xlogy(events, events / n) + xlogy(none, none / n)
    return 2 * (best - events * log_p - none * log_q)


# ------------------------------------------------------------------------------------------- means
def of_means(arms):
    """One data point a study: its likelihood of the effect, means and SDs gone."""
    theta = np.arange(-6.0, 6.005, 0.01)
    carried, deviances = [], []
    for m1, s1, n1, m0, s0, n0 in arms:
        b = m0 + np.arange(-10.0, 10.0, 0.01)
        first = stats.t.logpdf(b + theta[:, None], n1 - 1, m1, s1 / n1**0.5)
        log_l = logsumexp(first + stats.t.logpdf(b, n0 - 1, m0, s0 / n0**0.5), axis=1)
        deviances.append(deviance_of(theta, log_l))
        logs = np.log(deviances[-1](theta) + SHIFT), np.log(theta + SHIFT)
        carried.append(np.array([log_l, *(log_l + one for one in logs)]))
    means = over_effects(theta, carried)
    means = means - SHIFT
    return summed((d, d - of(fitted)) for of, (d, fitted) in zip(deviances, means, strict=True))


def deviance_of(theta, log_l):
    """Twice the log likelihood short of its best, as a function."""
    spline = interpolate.CubicSpline(theta, log_l)
    best = spline(np.linspace(theta[0], theta[-1], 400_001)).max()
    return lambda at: 2 * (best - spline(at))


# ---------------------------------------------------------------------------- over effects, mu, tau
def over_effects(theta, carried):
    """Posterior means of what is carried along with each study's likelihood, (k, carried)."""
    mu = np.linspace(-9, 9, 1441)
    edges = TAU_SCALE * np.array([0, 0.02, 0.06, 0.15, 0.3, 0.6, 1, 1.5, 2, 2.6, 3.3, 4.2, 5.5])
    tau, weight = brute_counts.panels(edges, order=12)
    kept = [smoothed(theta, carried, mu, one) for one in tau]
    at = np.array([one[:, 0].sum(axis=0) for one in kept])
    at += stats.norm.logpdf(mu, 0, MU_SD)
    joint = at + (stats.halfnorm.logpdf(tau, scale=TAU_SCALE) + np.log(weight))[:, None]
    share = np.exp(joint - logsumexp(joint))
    total = 0.0
    for one, mass in zip(kept, share, strict=True):
        alive = mass > 1e-16
        ratio = np.exp(one[:, 1:, alive] - one[:, :1, alive])
        total = total + ratio @ mass[alive]
    return total


def smoothed(theta, carried, mu, tau):
    """Logs of the integrals over theta ~ N(mu, tau²) of all that is carried, (k, carried, mu)."""
    step = theta[1] - theta[0]
    if tau < 5 * step:
        z = np.linspace(-7.5, 7.5, 61)
        weight = stats.norm.logpdf(z) + np.log(z[1] - z[0])
        near = np.clip(mu[:, None] + tau * z, theta[0], theta[-1])
        splines = [[interpolate.CubicSpline(theta, row) for row in one] for one in carried]
        return np.array([[logsumexp(of(near) + weight, axis=1) for of in one] for one in splines])
    kernel = np.exp(stats.norm.logpdf(theta, mu[:, None], tau)) * step
    top = [one.max(axis=1, keepdims=True) for one in carried]
    inner = [kernel @ np.exp(one - high).T for one, high in zip(carried, top, strict=True)]
    return np.array(
        [np.log(np.maximum(one.T, 1e-300)) + high for one, high in zip(inner, top, strict=True)]
    )


# --------------------------------------------------------------------------------------- quartiles
def of_quartiles(treatment, control, *, mu_sd, logs):
    """One trial, one effect, from quartiles with their rounding: (deviance, leverage)."""
    pair = [quartiles(*arm, logs=logs) for arm in (treatment, control)]
    low = min(box[0] for boxes, _ in pair for box in boxes)
    high = max(box[1] for boxes, _ in pair for box in boxes)
    room = high - low
    coarse = np.linspace(low - 2 * room, high + 2 * room, 401)
    marginals = [interpolate.CubicSpline(coarse, log_marginal(*arm, coarse, room)) for arm in pair]
    m = np.linspace(low - 2 * room, high + 2 * room, 1201)
    theta = np.linspace(-1.5 * room, 1.5 * room, 1201)
    b = m[np.abs(m - m.mean()) < 1.5 * room]
    log_l = np.array(
        [logsumexp(marginals[0](b + one / 2) + marginals[1](b - one / 2)) for one in theta]
    )
    of = deviance_of(theta, log_l)
    log_p = log_l + stats.norm.logpdf(theta, 0, mu_sd)
    share = np.exp(log_p - logsumexp(log_p))
    total = float(share @ of(theta))
    return [(total, total - float(of(share @ theta)))]


def quartiles(figures, n, *, logs):
    """Boxes in which the three printed quartiles lie, by the last decimal printed."""
    boxes = []
    for text in figures:
        half = 0.5 * 10.0 ** -len(text.partition(".")[2])
        ends = np.array([float(text) - half, float(text) + half])
        boxes.append(tuple(np.log(ends) if logs else ends))
    return boxes, n


def log_marginal(boxes, n, m, room):
    """Log likelihood of an arm's location at m, flat in the log of its SD."""
    log_sd = np.log(room) + np.linspace(-5.0, 2.5, 76)
    kind = at_order_statistics if (n - 1) % 4 == 0 else between_order_statistics
    return np.array([logsumexp(kind(boxes, n, one, np.exp(log_sd)[:, None])) for one in m])


def at_order_statistics(boxes, n, mean, sd):
    """Quartiles that are order statistics themselves: their joint density over the boxes, (sd,)."""
    x, w = np.polynomial.legendre.leggauss(6)
    sides = [(low + high + (high - low) * x) / 2 for low, high in boxes]
    q1, q2, q3 = (one.ravel() for one in np.meshgrid(*sides, indexing="ij"))
    weight = np.einsum("i,j,k->ijk", w, w, w).ravel()
    z1, z2, z3 = ((q - mean) / sd for q in (q1, q2, q3))
    i = (n - 1) // 4
    log_p = i * (log_ndtr(z1) + log_ndtr(-z3)) - 0.5 * (z1**2 + z2**2 + z3**2) - 3 * np.log(sd)
    log_p = log_p + (i - 1) * (log_between(z1, z2) + log_between(z2, z3))
    return logsumexp(log_p, b=weight, axis=1)


def between_order_statistics(boxes, n, mean, sd):
    """Quartiles between order statistics: over the three gaps; their rounding is far too small."""
    h = (n - 1) * np.array([0.25, 0.5, 0.75])
    rank, part = np.floor(h).astype(int) + 1, h - np.floor(h)
    x, w = np.polynomial.legendre.leggauss(12)
    gap, weight = np.exp(3.2 * x - 2.2), w * np.exp(3.2 * x)  # in SDs, up to 2.7
    gaps = np.meshgrid(gap, gap, gap, indexing="ij")
    weight = np.einsum("i,j,k->ijk", weight, weight, weight).ravel()
    z, log_p = [], -3 * np.log(sd)
    for (low, high), f, one in zip(boxes, part, gaps, strict=True):
        middle = ((low + high) / 2 - mean) / sd
        z += [middle - f * one.ravel(), middle + (1 - f) * one.ravel()]
    log_p = log_p - 0.5 * sum(one**2 for one in z)
    log_p = log_p + (rank[0] - 1) * log_ndtr(z[0]) + (n - rank[2] - 1) * log_ndtr(-z[5])
    log_p = log_p + (rank[1] - rank[0] - 2) * log_between(z[1], z[2])
    log_p = log_p + (rank[2] - rank[1] - 2) * log_between(z[3], z[4])
    return logsumexp(log_p, b=weight, axis=1)


def log_between(low, high):
    flip = low > 0
    inside = ndtr(np.where(flip, -low, high)) - ndtr(np.where(flip, -high, low))
    return np.where(high > low, np.log(np.maximum(inside, 1e-300)), -1e4)


def summed(each):
    residual, leverage = np.array(list(each)).T
    return {
        "residual": residual.tolist(),
        "leverage": leverage.tolist(),
        "total": float(residual.sum()),
        "p_d": float(leverage.sum()),
        "dic": float((residual + leverage).sum()),
    }


COUNTS = ["events_treatment", "n_treatment", "events_control", "n_control"]
MEANS = [f"{what}_{arm}" for arm in ("treatment", "control") for what in ("mean", "sd", "n")]
OF_COUNTS = {
    "mortality": "msc-covid19/mortality.csv",
    "clinical-improvement": "msc-covid19/clinical_improvement.csv",
    "adverse-events": "msc-covid19/adverse_events.csv",
    "serious-adverse-events": "msc-covid19/serious_adverse_events.csv",
    "tuberculosis": "bcg/bcg.csv",
}
OF_MEANS = {
    "any-drug": {},
    "metformin": {
        "where": ("drug", "metformin"), "variants": {"Willms (1999)": "metformin"},
    },
    "rosiglitazone": {"where": ("drug", "rosiglitazone")},
}  # fmt: skip
OF_QUARTILES = {  # printed figures: lower quartile, median, upper quartile; patients
    "hospital-stay": (
        (("8", "11", "14"), 29), (("11", "15", "19"), 29), {"mu_sd": 20, "logs": False},
    ),
    "symptom-remission": (
        (("7", "7", "12"), 29), (("8", "13", "16"), 29), {"mu_sd": 2, "logs": True},
    ),
    "ct-score": (
        (("7.25", "8.5", "9.0"), 12), (("8.5", "10.0", "12.5"), 29), {"mu_sd": 10, "logs": False},
    ),
}  # fmt: skip


def main():
    """Write brute_deviance.json beside this file: ten minutes."""
    cases = {}
    for name, path in OF_COUNTS.items():
        tables = rows(path, columns=COUNTS)
        cases[name] = {"tables": tables, **of_counts(tables)}
    for name, asked in OF_MEANS.items():
        arms = rows("hba1c/hba1c.csv", columns=MEANS, **asked)
        cases[name] = {"arms": arms, **of_means(arms)}
    for name, (treatment, control, asked) in OF_QUARTILES.items():
        found = summed(of_quartiles(treatment, control, **asked))
        cases[name] = {"treatment": treatment, "control": control, **asked, **found}
    versions = {"numpy": np.__version__, "scipy": scipy.__version__}
    document = {"program": "brute_deviance.py", "versions": versions, "cases": cases}
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
