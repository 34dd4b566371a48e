"""What one study of two arms says of its effect, by plain adaptive or dense integration.

Straight from the densities of a mean (normal) and of an SD (chi-square), written apart from the
engines. An arm is (mean, SD, n) on the scale on which patients are normal.
"""

from functools import cache
from itertools import pairwise

import numpy as np
from scipy import integrate, stats

STEP = 0.02  # of dense sums over the log of an SD
FAR = (-7.0, 14.0)  # beside the reported one, how far they go


def log_arm(arm, mu, log_sd):
    """Log density of an arm's mean and SD."""
    mean, sd, n = arm
    s = np.exp(log_sd)
    log_p = stats.norm.logpdf(mean, mu, s / np.sqrt(n))
    return log_p + stats.chi2.logpdf((n - 1) * (sd / s) ** 2, n - 1) - 2 * log_sd


def log_location(arm, x, log_sd_prior=None, *, of_mean=False):
    """Log likelihood of an arm's location, its SD summed over; t by its closed form where flat."""
    mean, sd, n = arm
    if log_sd_prior is None and not of_mean:
        return stats.t.logpdf(x, n - 1, mean, sd / np.sqrt(n))
    u = np.log(sd) + np.arange(*FAR, STEP)
    x = np.atleast_1d(x)
    value = log_arm(arm, x[:, None] - of_mean * np.exp(2 * u) / 2, u)
    value += 0.0 if log_sd_prior is None else log_sd_prior.logpdf(u)
    top = value.max(axis=1)
    return top + np.log(np.exp(value - top[:, None]).sum(axis=1))


def log_likelihood(link, treatment, control, theta, log_sd=None, baseline=None):
    """Log likelihood of the effects theta, (n,), but for a constant.

    `log_sd` and `baseline` are frozen distributions of SciPy, or None where flat.
    """
    one = _standardised if link[0] == "SMD" else _two_locations
    return np.array([one(link, treatment, control, at, log_sd, baseline) for at in theta])


def _two_locations(link, treatment, control, theta, log_sd, baseline):
    of_mean, log_scale = link == ("ROM", "lognormal"), link == ("ROM", "normal")

    def log_joint(b):
        """Of the baseline; of normal arms' ROM as a function of exp(baseline)."""
        up, down = (b * np.exp(theta / 2), b * np.exp(-theta / 2)) if log_scale else (
            b + theta / 2, b - theta / 2,
        )  # fmt: skip
        value = log_location(treatment, up, log_sd, of_mean=of_mean)
        value = value + log_location(control, down, log_sd, of_mean=of_mean)
        if baseline is not None:
            value = value + (baseline.logpdf(np.log(b)) - np.log(b) if log_scale else
                             baseline.logpdf(b))  # fmt: skip
        return value

    ends, between = [], []
    for sign, (mean, sd, n) in ((-0.5, treatment), (0.5, control)):
        se = sd / np.sqrt(n)
        mean = mean + of_mean * sd**2 / 2
        scale = np.exp(sign * theta) if log_scale else 1.0
        peak = mean * scale if log_scale else mean + sign * theta
        between += [peak]
        ends += [peak + se * scale * c * 1.7**i for i in range(32) for c in (-1.0, 1.0)] + [peak]
    if baseline is not None:
        middle, sd = baseline.mean(), baseline.std()
        own = middle + sd * np.linspace(-12, 12, 49)
        ends += list(np.exp(own) if log_scale else own)
        between += [ends[-25]]
    space = np.geomspace if log_scale else np.linspace
    ends += list(space(min(between), max(between), 100))
    ends = np.unique([end for end in ends if not log_scale or end > 0])
    if log_scale:
        ends = np.concatenate([[ends[0] * 1e-12], ends])
    return _panels(log_joint, ends)


def _panels(log_joint, ends):
    x, weight = np.polynomial.legendre.leggauss(24)
    middle, half = (ends[1:] + ends[:-1]) / 2, np.diff(ends) / 2
    b = (middle[:, None] + half[:, None] * x).ravel()
    log_p = np.concatenate([log_joint(part) for part in np.array_split(b, 16)])
    top = log_p.max()
    return top + np.log(np.exp(log_p - top) @ (half[:, None] * weight).ravel())


def _standardised(_link, treatment, control, theta, log_sd, baseline):
    (m1, s1, n1), (m0, s0, n0) = treatment, control
    df = n1 + n0 - 2
    squares = (n1 - 1) * s1**2 + (n0 - 1) * s0**2
    if baseline is None:

        def log_joint(u):
            s = np.exp(u)
            value = stats.norm.logpdf(m1 - m0, theta * s, s * np.sqrt(1 / n1 + 1 / n0))
            value = value + stats.chi2.logpdf(squares / s**2, df) - 2 * u
            return value + (0.0 if log_sd is None else log_sd.logpdf(u))

        u = 0.5 * np.log(squares / df) + np.arange(-12.0, 14.0, 1e-3)
        log_p = log_joint(u)
        top = log_p.max()
        return top + np.log(np.exp(log_p - top).sum())
    u = 0.5 * np.log(squares / df) + np.arange(-5.0, 5.0, 0.01)
    s = np.exp(u)[:, None]
    room = 12 * baseline.std() + 0.6 * abs(theta) * np.sqrt(squares / df)
    low, high = (
        edge(m1, m0, baseline.mean()) + sign * room for edge, sign in ((min, -1), (max, 1))
    )
    finest = min(0.15 * min(s1, s0) / np.sqrt(n1 + n0), 0.2 * baseline.std())
    b = np.arange(low, high, finest)
    log_p = log_arm(treatment, b + theta * s / 2, u[:, None])
    log_p += log_arm(control, b - theta * s / 2, u[:, None]) + baseline.logpdf(b)
    log_p += 0.0 if log_sd is None else log_sd.logpdf(u[:, None])
    top = log_p.max()
    return top + np.log(np.exp(log_p - top).sum())


@cache
def mean_difference(treatment, control, theta):
    """Density of a mean difference with flat priors: two Student-t convolved, by QUADPACK."""
    t1, t0 = (stats.t(n - 1, mean, sd / np.sqrt(n)) for mean, sd, n in (treatment, control))
    at = sorted({treatment[0] - theta, control[0]})
    pieces = [(-np.inf, at[0]), *pairwise(at), (at[-1], np.inf)]
    found = [
        integrate.quad(lambda b: t1.pdf(b + theta) * t0.pdf(b), *piece, epsabs=0, epsrel=1e-12)
        for piece in pieces
    ]
    return sum(value for value, _ in found)
