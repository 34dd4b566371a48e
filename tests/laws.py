"""The priors as distributions of ``scipy.stats``, which the package does not use for densities."""

import math

import numpy as np
from scipy import special, stats


class FoldedT:
    """The absolute value of a symmetric law."""

    def __init__(self, whole):
        self.whole = whole

    def support(self):
        return 0.0, np.inf

    def logpdf(self, x):
        return np.where(x < 0, -np.inf, np.log(2) + self.whole.logpdf(x))

    def cdf(self, x):
        return np.where(x < 0, 0.0, 1 - 2 * self.whole.sf(x))

    def ppf(self, q):
        return self.whole.ppf((1 + np.asarray(q)) / 2)


class LogT:
    """A law whose logarithm is Student-t."""

    def __init__(self, df, mean, scale):
        self.log = stats.t(df, mean, scale)

    def support(self):
        return 0.0, np.inf

    def logpdf(self, x):
        x = np.asarray(x, float)
        inside = np.log(np.where(x > 0, x, 1.0))  # at 0 the tails of the logarithm win: infinite
        return np.where(x > 0, self.log.logpdf(inside) - inside, np.where(x < 0, -np.inf, np.inf))

    def cdf(self, x):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.asarray(x) > 0, self.log.cdf(np.log(x)), 0.0)

    def ppf(self, q):
        return np.exp(self.log.ppf(q))


class Both:
    """A mixture of two laws."""

    def __init__(self, weight, first, second):
        self.parts = ((weight, first), (1 - weight, second))

    def support(self):
        lows, highs = zip(*(law.support() for _, law in self.parts), strict=True)
        return min(lows), max(highs)

    def logpdf(self, x):
        logs = [np.log(weight) + law.logpdf(x) for weight, law in self.parts]
        return special.logsumexp(logs, axis=0)

    def cdf(self, x):
        return sum(weight * law.cdf(x) for weight, law in self.parts)

    def ppf(self, q):
        """Points of both laws: they lie where mass is, which is all that tests need."""
        return np.concatenate([law.ppf(q) for _, law in self.parts])


class Everywhere:
    """Density 1 on the real line."""

    def support(self):
        return -np.inf, np.inf

    def logpdf(self, x):
        return np.zeros_like(x)


LAWS = {
    "Normal": lambda p: stats.norm(p.mean, p.sd),
    "StudentT": lambda p: stats.t(p.df, p.mean, p.scale),
    "HalfNormal": lambda p: stats.halfnorm(0, p.scale),
    "HalfCauchy": lambda p: stats.halfcauchy(0, p.scale),
    "HalfT": lambda p: FoldedT(stats.t(p.df, 0, p.scale)),
    "LogNormal": lambda p: stats.lognorm(p.sd, 0, math.exp(p.mean)),
    "LogStudentT": lambda p: LogT(p.df, p.mean, p.scale),
    "Exponential": lambda p: stats.expon(0, 1 / p.rate),
    "Gamma": lambda p: stats.gamma(p.shape, 0, 1 / p.rate),
    "InverseGamma": lambda p: stats.invgamma(p.shape, 0, p.scale),
    "Uniform": lambda p: stats.uniform(p.low, p.high - p.low),
    "Beta": lambda p: stats.beta(p.a, p.b),
    "Mixture": lambda p: Both(p.weight, law(p.first), law(p.second)),
}


def law(prior):
    return LAWS[type(prior).__name__](prior)
