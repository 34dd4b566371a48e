"""Small random specifications: models, priors and tables that a study might bring."""

import numpy as np
from references import numbered

import bayesmeta as bm

MU = (
    bm.Normal(0, 2),
    bm.Normal(0.3, 0.7),
    bm.Normal(0, 10),
    bm.StudentT(3, 0, 1),
    bm.Uniform(-3, 3),
)
TAU = (
    bm.HalfNormal(0.5),
    bm.HalfNormal(1),
    bm.HalfCauchy(0.5),
    bm.Uniform(0, 2),
    bm.Exponential(2),
    bm.LogNormal(-1, 0.8),
    bm.HalfT(4, 0.5),
)
KINDS = ("estimates", "OR", "RR", "RD", "estimates", "IRR", "hypergeometric", "MD")


def random_fit(case):
    """Model, data, and whether to ask for the effect in a new study: one of each kind in turn."""
    rng = np.random.default_rng([20261129, case])
    kind = KINDS[case % len(KINDS)]
    k = int(rng.integers(2, 7))
    mu, tau = MU[rng.integers(len(MU))], TAU[rng.integers(len(TAU))]
    settings = {"mu": mu, "tau": tau}
    if kind in ("estimates", "MD"):
        se = rng.uniform(0.1, 0.8, k)
        y = rng.normal(rng.normal(0, 1), np.hypot(se, rng.uniform(0, 0.6)))
        measure = "MD" if kind == "MD" else "GEN"
        data = bm.EffectSizes.from_arrays(numbered(k), y, se, measure=measure)
        return bm.NormalNormal(**settings), data, True
    if kind == "IRR":
        return bm.PoissonNormal(**settings), _rates(rng, k), bool(rng.random() < 0.3)
    data = _counts(rng, k)
    new = bool(rng.random() < 0.3)
    if kind == "hypergeometric":
        return bm.HypergeometricNormal(**settings), data, new
    return bm.BinomialNormal(measure=kind, **settings), data, new


def _counts(rng, k):
    n = rng.integers(10, 80, (2, k))
    risk = rng.uniform(0.02, 0.6)
    odds = risk / (1 - risk) * np.exp(rng.normal(rng.normal(0, 0.7), 0.3, k))
    events = rng.binomial(n, [odds / (1 + odds), np.full(k, risk)])
    events[:, 0] = np.maximum(events[:, 0], 1)  # something has happened to somebody
    return bm.BinaryStudies(
        study=numbered(k),
        events_treatment=events[0],
        n_treatment=n[0],
        events_control=events[1],
        n_control=n[1],
    )


def _rates(rng, k):
    time = rng.uniform(10, 80, (2, k))
    events = rng.poisson(time * rng.uniform(0.02, 0.4) * np.exp(rng.normal(0, 0.4, (2, k))))
    events[:, 0] = np.maximum(events[:, 0], 1)
    return bm.PersonTimeStudies(
        study=numbered(k),
        events_treatment=events[0],
        time_treatment=time[0],
        events_control=events[1],
        time_control=time[1],
    )
