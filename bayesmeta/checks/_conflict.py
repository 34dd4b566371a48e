"""Whether prior and data are in conflict, without a simulation."""

from dataclasses import dataclass
from functools import singledispatch
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr

from ..engines import rough_estimates
from ..errors import ModelError
from ..model import (
    Arms,
    CorrelatedEstimates,
    CorrelatedSpread,
    Data,
    Estimates,
    Likelihood,
    Model,
    NoSpread,
    OfCounts,
    OutlierSpread,
    Overdispersed,
    Scatter,
    Spread,
    SpreadByGroup,
    check_no_covariates,
)
from ..posterior import Posterior
from ..priors import Mixture, Prior
from ._statistics import TAIL

type Array = NDArray[np.float64]

NODES = 400  # of a prior, of equal probability: tails to 1/800
NODES_OF_TAU = 100


@final
@dataclass(frozen=True, slots=True)
class Conflict:
    """What the priors expected of the data, and what came.

    Attributes
    ----------
    label : str
        What is pooled: ``"log RR"``.
    pooled, q : float
        Inverse-variance estimate, and Cochran's Q about it; NaN for one study.
    p_mu : float
        Prior predictive probability of a larger pooled estimate: near 0 or 1 is a conflict.
    p_tau : float
        Prior predictive probability of a larger Q: near 0 is a conflict, and near 1 none, for
        studies may agree by chance or by design. NaN for one study.
    """

    label: str
    pooled: float
    q: float
    p_mu: float
    p_tau: float

    @property
    def cautions(self) -> tuple[str, ...]:
        """Where the data are such as the priors hardly expected."""
        found = []
        if not TAIL <= self.p_mu <= 1 - TAIL:
            found.append(_sentence(f"a pooled {self.label} of {self.pooled:.3g}", self.p_mu, "mu"))
        if self.p_tau < TAIL:
            found.append(_sentence(f"a Q of {self.q:.3g} between studies", self.p_tau, "tau"))
        return tuple(found)


def _printed(p: float) -> str:
    """Three digits, and neither 0 nor 1."""
    if p < 5e-4:
        return "< 0.001"
    return "> 0.999" if p > 1 - 5e-4 else f"{p:.3f}"


def _sentence(seen: str, p: float, name: str) -> str:
    return (
        f"Prior and data are in conflict: before the data, {seen} was hardly expected (prior "
        f"predictive p {_printed(p)}); look at the prior of {name}, and at the table for the unit "
        "and the direction of effects."
    )


def conflict(posterior: Posterior) -> Conflict | None:
    """Hold the pooled estimate and Cochran's Q to what the priors expected of them.

    Each study enters by its own estimate and standard error, of counts with ½ added to every cell.
    Given tau the pooled estimate is normal about mu; Q is a weighted sum of chi-squares, whose
    tail Pearson's three-moment chi-square gives. Both are averaged over quantiles of the priors.

    Parameters
    ----------
    posterior : Posterior
        Of a model with proper priors of mu and, where it has one, tau.

    Returns
    -------
    Conflict or None
        None where a prior is improper, effects are Student-t or may be outliers, several outcomes
        are modelled, or arms are not paired by study.

    References
    ----------
    Box (1980), J R Stat Soc A 143:383-430, for the prior predictive check. Imhof (1961),
    Biometrika 48:419-426, for the three moments.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> from bayesmeta.checks import conflict
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [2.1, 2.4], [0.2, 0.3], measure="OR")
    >>> sceptical = bm.NormalNormal(mu=bm.Normal(0, 0.5), tau=bm.HalfNormal(0.3))
    >>> found = conflict(bm.fit(sceptical, data))
    >>> found.p_mu < 0.001, found.p_tau > 0.4
    (True, True)
    """
    model, data = posterior.model, posterior.data
    check_no_covariates(model, "conflict")
    tau = _taus(model.between) if _by_study(model.likelihood) else None
    if tau is None or not model.overall.proper:
        return None
    y, se = rough_estimates(model.likelihood, data, data.numbers)
    w = se**-2
    pooled = float(w @ y / w.sum())
    sd = np.sqrt(1 / w.sum() + tau**2 * (w @ w) / w.sum() ** 2)
    p_mu = _larger(model.overall, pooled, sd)
    q = float(w @ (y - pooled) ** 2) if data.k > 1 else np.nan
    p_tau = float(_q_tail(q, w, tau).mean()) if data.k > 1 else np.nan
    return Conflict(_label(model, data), pooled, q, p_mu, p_tau)


def _label(model: Model, data: Data) -> str:
    return model.scale(data).analysis_label


@singledispatch
def _by_study(of: Likelihood) -> bool:
    """Whether every study has an estimate of its own of the one effect that is modelled."""
    raise ModelError(f"What {of!r} says of one study is not known.")


@_by_study.register(Estimates | OfCounts | Arms)
def _(of: Likelihood) -> bool:
    return True


@_by_study.register(CorrelatedEstimates | Overdispersed)
def _(of: Likelihood) -> bool:
    return False


@singledispatch
def _taus(between: Spread) -> Array | None:
    """Nodes of equal prior probability of tau, where effects are normal; else None."""
    raise ModelError(f"How effects scatter is not known with {between!r}.")


@_taus.register(OutlierSpread | CorrelatedSpread | SpreadByGroup)
def _(between: Spread) -> None:
    return None


@_taus.register
def _(_: NoSpread) -> Array:
    return np.zeros(1)


@_taus.register
def _(between: Scatter) -> Array | None:
    if between.df is not None or not between.tau.proper:
        return None
    return _quantiles(between.tau, NODES_OF_TAU)


def _quantiles(prior: Prior, n: int) -> Array:
    """Midpoints of n parts of equal probability, (n,); of a mixture by its parts."""
    if isinstance(prior, Mixture):
        shares = [(round(weight * n) or 1, part) for weight, part in prior.parts]
        return np.concatenate([_quantiles(part, share) for share, part in shares])
    return np.array([prior.quantile((i + 0.5) / n) for i in range(n)])


def _larger(prior: Prior, value: float, sd: Array) -> float:
    """Probability that mu and a normal deviation with one of the SDs exceed a value."""
    return float(ndtr((_quantiles(prior, NODES)[:, None] - value) / sd).mean())


def _q_tail(q: float, w: Array, tau: Array) -> Array:
    """P(Q > q) for estimates of variance 1/w + tau², (n,), exact for tau = 0."""
    d = 1 + np.square(tau)[:, None] * w  # variances in units of the sampling variances
    a = w / w.sum()
    s1, s2, s3 = ((a * d**power).sum(axis=1) for power in (1, 2, 3))
    c1, c2, c3 = (d**power for power in (1, 2, 3))
    first = c1.sum(axis=1) - s1
    second = c2.sum(axis=1) - 2 * s2 + s1**2
    third = c3.sum(axis=1) - 3 * s3 + 3 * s1 * s2 - s1**3
    df = second**3 / third**2
    return chdtrc(df, np.maximum((q - first) * np.sqrt(df / second) + df, 0.0))
