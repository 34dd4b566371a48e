"""Counts in PyMC: binomial and Poisson arms, two or one, and tables with fixed margins."""

# PyTensor types every operation as possibly None:
# pyright: reportArgumentType=false
# pyright: reportOperatorIssue=false

from collections.abc import Mapping

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from ...model import (
    Binomial,
    Exchangeable,
    Hypergeometric,
    Incidence,
    Model,
    Overdispersed,
    Poisson,
    Proportion,
)
from ...priors import Prior
from .parts import likelihood, prior, study_effects


@likelihood.register
def _binomial(of: Binomial, model: Model, data: Mapping[str, TensorVariable]) -> None:
    theta = study_effects(model, data)
    beta = _baselines(of.baseline)
    treatment, control = LOGITS[of.link](theta, beta)
    for arm, logit_p in (("treatment", treatment), ("control", control)):
        pm.Binomial(
            f"{arm}_observed",
            n=data[f"n_{arm}"],
            logit_p=logit_p,
            observed=data[f"events_{arm}"],
            dims="study",
        )


@likelihood.register
def _poisson(of: Poisson, model: Model, data: Mapping[str, TensorVariable]) -> None:
    theta = study_effects(model, data)
    beta = prior("baseline", of.baseline, dims="study")
    for arm, log_rate in (("treatment", beta + theta / 2), ("control", beta - theta / 2)):
        pm.Poisson(
            f"{arm}_observed",
            mu=data[f"time_{arm}"] * pt.exp(log_rate),
            observed=data[f"events_{arm}"],
            dims="study",
        )


@likelihood.register
def _proportion(of: Proportion, model: Model, data: Mapping[str, TensorVariable]) -> None:
    theta = study_effects(model, data)
    pm.Binomial("observed", n=data["n"], logit_p=theta, observed=data["events"], dims="study")


@likelihood.register
def _incidence(of: Incidence, model: Model, data: Mapping[str, TensorVariable]) -> None:
    theta = study_effects(model, data)
    rate = data["time"] * pt.exp(theta)
    pm.Poisson("observed", mu=rate, observed=data["events"], dims="study")


@likelihood.register
def _overdispersed(of: Overdispersed, model: Model, data: Mapping[str, TensorVariable]) -> None:
    mu, beta = study_effects(model, data), prior("baseline", of.baseline)
    rho = prior("rho", of.rho)
    for arm, logit_p in (("treatment", beta + mu / 2), ("control", beta - mu / 2)):
        pm.CustomDist(
            f"{arm}_observed",
            data[f"n_{arm}"],
            logit_p,
            rho,
            logp=beta_binomial_logp,
            random=beta_binomial_random,
            dtype="float64",
            observed=data[f"events_{arm}"],
            dims="study",
        )


def beta_binomial_logp(
    value: TensorVariable, n: TensorVariable, logit_p: TensorVariable, rho: TensorVariable
) -> TensorVariable:
    """Log probability of the beta-binomial distribution, down to the binomial it tends to.

    PyMC's own subtracts beta functions of shape parameters 1/rho: below rho = 1e-12 no digit is
    left, and a chain that comes there finds a mode of rounding errors that holds it for good.
    """
    log_p, log_q, size = -pt.softplus(-logit_p), -pt.softplus(logit_p), (1 - rho) / rho
    shares = pt.stack([pt.exp(log_p), pt.exp(log_q), pt.ones_like(log_p)])
    count = pt.stack([value, n - value, n])
    each = _rising(size * shares, count) - pt.gammaln(count + 1)
    return value * log_p + (n - value) * log_q + each[0] + each[1] - each[2]


def _rising(x: TensorVariable, n: TensorVariable) -> TensorVariable:
    """Log of gamma(x + n) / (gamma(x) x^n), which tends to 0 as x grows.

    By Stirling's formula six further up, where it is good to 1e-12: two gamma functions and their
    slopes take longer, to compile above all.
    """
    z = x + 6
    steps = pt.sum(pt.log1p(n[..., None] / (x[..., None] + np.arange(6.0))), axis=-1)
    log = pt.log1p(n / z)
    far = z * log - n + (n - 0.5) * log + _stirling(z + n) - _stirling(z)
    return far + n * pt.log1p(6 / x) - steps


def _stirling(y: TensorVariable) -> TensorVariable:
    """What Stirling's formula for log gamma adds to (y - 1/2) log y - y, but for a constant."""
    total, v = pt.zeros_like(y), 1 / y**2
    for one in (-691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12):
        total = one + v * total
    return total / y


def beta_binomial_random(
    n: np.ndarray,
    logit_p: np.ndarray,
    rho: np.ndarray,
    rng: np.random.Generator | None = None,
    size: tuple[int, ...] | None = None,
) -> np.ndarray:
    """Draw a risk from its beta distribution, and events with that risk."""
    from scipy.special import expit

    assert rng is not None
    total = (1 - rho) / rho
    risk = rng.beta(total * expit(logit_p), total * expit(-logit_p), size=size)
    return rng.binomial(np.asarray(n, dtype=int), risk).astype(float)


@likelihood.register
def _hypergeometric(of: Hypergeometric, model: Model, data: Mapping[str, TensorVariable]) -> None:
    theta = study_effects(model, data)
    pm.CustomDist(
        "treatment_observed",
        theta,
        data["n_treatment"],
        data["n_control"],
        data["events_treatment"] + data["events_control"],
        data["count"],
        logp=fisher_logp,
        random=fisher_random,
        signature="(),(),(),(),(c)->()",
        dtype="float64",
        observed=data["events_treatment"],
        dims="study",
    )


def fisher_logp(
    value: TensorVariable,
    theta: TensorVariable,
    n_treatment: TensorVariable,
    n_control: TensorVariable,
    events: TensorVariable,
    count: TensorVariable,
) -> TensorVariable:
    """Log probability of Fisher's non-central hypergeometric distribution.

    Parameters
    ----------
    value, theta, n_treatment, n_control, events : TensorVariable, shape (k,)
        Events in the treatment arm, log odds ratio, sizes of the arms, events in both.
    count : TensorVariable, shape (c,)
        0, 1, ..., as many as the largest table needs.
    """
    low = pt.maximum(0.0, events - n_control)
    high = pt.minimum(n_treatment, events)
    at = low[:, None] + count  # pyright: ignore[reportOptionalSubscript]
    possible = at <= high[:, None]  # pyright: ignore[reportOptionalSubscript]
    inside = pt.switch(possible, at, low[:, None])  # pyright: ignore[reportOptionalSubscript]

    def log_weight(x: TensorVariable, *, column: bool) -> TensorVariable:
        n1, n0, m = (v[:, None] if column else v for v in (n_treatment, n_control, events))
        parts = (x, n1 - x, m - x, n0 - m + x)
        return -sum(pt.gammaln(part + 1) for part in parts)  # pyright: ignore[reportCallIssue]

    terms = log_weight(inside, column=True) + theta[:, None] * (inside - value[:, None])
    return log_weight(value, column=False) - pt.logsumexp(  # pyright: ignore[reportPrivateImportUsage]
        pt.switch(possible, terms, -np.inf), axis=1
    )


def fisher_random(
    theta: np.ndarray,
    n_treatment: np.ndarray,
    n_control: np.ndarray,
    events: np.ndarray,
    count: np.ndarray,
    rng: np.random.Generator | None = None,
    size: tuple[int, ...] | None = None,
) -> np.ndarray:
    """Draw from Fisher's non-central hypergeometric distribution by inversion."""
    from scipy.special import gammaln

    assert rng is not None
    theta, n1, n0, m = (
        np.broadcast_to(v, size if size is not None else np.shape(theta))[..., None]
        for v in (theta, n_treatment, n_control, events)
    )
    at = np.maximum(0.0, m - n0) + count
    inside = np.where(at <= np.minimum(n1, m), at, np.maximum(0.0, m - n0))
    log_p = theta * inside - sum(
        gammaln(x + 1) for x in (inside, n1 - inside, m - inside, n0 - m + inside)
    )
    log_p = np.where(at <= np.minimum(n1, m), log_p, -np.inf)
    chosen = (log_p + rng.gumbel(size=log_p.shape)).argmax(axis=-1)
    return np.take_along_axis(at, chosen[..., None], axis=-1)[..., 0]


def _baselines(spec: Prior | Exchangeable) -> TensorVariable:
    """One baseline per study: independent, or exchangeable and non-centred."""
    if isinstance(spec, Prior):
        return prior("baseline", spec, dims="study")
    mean, sd = prior("baseline_mean", spec.mean), prior("baseline_sd", spec.sd)
    z = pm.Normal("baseline_z", 0.0, 1.0, dims="study")
    return pm.Deterministic("baseline", mean + sd * z, dims="study")  # pyright: ignore[reportReturnType]


def odds_ratio_logits(
    theta: TensorVariable, beta: TensorVariable
) -> tuple[TensorVariable, TensorVariable]:
    """Logits of the two risks from a log odds ratio and the midpoint logit (±½ coding)."""
    return beta + theta / 2, beta - theta / 2


def risk_ratio_logits(
    theta: TensorVariable, beta: TensorVariable
) -> tuple[TensorVariable, TensorVariable]:
    """Logits of the two risks from a log risk ratio and half the log odds product.

    With a = exp(theta), r = exp(-2 beta), S = √((1-a)² + 4ar) and D = 1 + a + S, the risks are
    p0 = 2/D and p1 = a p0 (Richardson, Robins & Wang 2017). 1 - p0 = (a - 1 + S)/D and
    1 - p1 = (1 - a + S)/D; where these cancel, the product of the two, 4ar/D², gives the other.
    """
    a, r = pt.exp(theta), pt.exp(-2 * beta)
    d = pt.abs(1 - a)
    s = pt.sqrt(d**2 + 4 * a * r)
    large = pt.log(s + d)
    small = np.log(4.0) + theta - 2 * beta - large
    log_not_p0, log_not_p1 = pt.switch(a < 1, small, large), pt.switch(a > 1, small, large)
    return np.log(2.0) + theta - log_not_p1, np.log(2.0) - log_not_p0


def zero_one_logits(
    theta: TensorVariable, beta: TensorVariable
) -> tuple[TensorVariable, TensorVariable]:
    """Logits of the two risks from a log odds ratio and the control arm's logit (0/1 coding)."""
    return beta + theta, beta


def risk_difference_logits(
    theta: TensorVariable, beta: TensorVariable
) -> tuple[TensorVariable, TensorVariable]:
    """Logits of the two risks from theta = atanh(RD) and half the log odds product.

    With e = |tanh(theta)|, s = exp(2 beta) and R = √(e²(1-s)² + 4s), the smaller risk is
    2s(1-e)/(s(2-e) + e + R) and the complement of the larger 2(1-e)/(2 - e + es + R) (Richardson,
    Robins & Wang 2017, solved for either without cancellation); e added gives the other two.
    """
    e, s = pt.abs(pt.tanh(theta)), pt.exp(2 * beta)
    log_rest = np.log(2.0) - pt.softplus(2 * pt.abs(theta))
    root = pt.sqrt(e**2 * (1 - s) ** 2 + 4 * s)
    log_small = np.log(2.0) + 2 * beta + log_rest - pt.log(s * (2 - e) + e + root)
    log_not_large = np.log(2.0) + log_rest - pt.log(2 - e + e * s + root)
    large = pt.log(pt.exp(log_small) + e) - log_not_large
    small = log_small - pt.log(pt.exp(log_not_large) + e)
    return pt.switch(theta > 0, large, small), pt.switch(theta > 0, small, large)  # pyright: ignore[reportReturnType]


LOGITS = {
    "OR half": odds_ratio_logits,
    "OR zero_one": zero_one_logits,
    "RR": risk_ratio_logits,
    "RD": risk_difference_logits,
}
