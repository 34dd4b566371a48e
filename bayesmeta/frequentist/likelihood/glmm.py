"""Maximum likelihood for the log odds ratio from the counts themselves."""

from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...effects import account_of, cells, informative
from ...errors import DataError, ModelError
from ...studies import BinaryStudies, check_prob
from ...ways import shown
from ..arrays.inverse_variance import i2_from_q
from ..door import two_arms
from ..fit import FrequentistFit, Maximum, Spread
from .tables import BinomialArms, Hypergeometric

type Array = NDArray[np.float64]
type Likelihood = Literal["unconditional", "conditional"]
type Tables = BinomialArms | Hypergeometric


def glmm(
    studies: BinaryStudies,
    *,
    likelihood: Likelihood = "unconditional",
    effects: Literal["random", "common"] = "random",
    interval: Literal["Wald"] = "Wald",
    prob: float = 0.95,
) -> FrequentistFit:
    """Pool log odds ratios by maximum likelihood, without effect sizes or corrections of zeros.

    Study effects are normal around the overall effect and are integrated out to seven digits.
    ``aic`` counts the intercepts of the unconditional likelihood among its parameters.

    Parameters
    ----------
    studies : BinaryStudies
        Studies without an event, or without a non-event, are left out: they say nothing.
    likelihood : {"unconditional", "conditional"}
        Binomial in both arms, with a free intercept per study and half of the effect in each arm;
        or non-central hypergeometric, given the events of both arms together, which has no
        intercepts and no bias from their number.
    effects : {"random", "common"}
    interval : {"Wald"}
        From the observed information of all parameters.
    prob : float
        Level of the interval.

    Returns
    -------
    FrequentistFit
        Q is twice the log likelihood ratio of an effect for each study against one for all
        (metafor's ``QE.LRT``; its Wald Q would leave out studies with a zero cell). I² is
        (Q − df)/Q.

    Raises
    ------
    DataError
        If the likelihood has no finite maximum, or too few studies say anything.

    References
    ----------
    Stijnen T, Hamza TH, Özdemir P (2010). Stat Med 29:3046-3067.
    Jackson D, Law M, Stijnen T, Viechtbauer W, White IR (2018). Stat Med 37:1059-1085.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> studies = bm.BinaryStudies(
    ...     study=("A", "B", "C"), events_treatment=[0, 9, 30], n_treatment=[12, 40, 60],
    ...     events_control=[4, 20, 41], n_control=[15, 38, 59])
    >>> round(bm.glmm(studies, likelihood="conditional").estimate, 3)
    -1.094
    """
    check_prob(prob)
    _check_words(likelihood, effects, interval)
    kept = _says_something(studies, effects)
    tables = tables_of(studies, likelihood)
    best = _common(tables) if effects == "common" else random_peak(tables)
    q, q_df = _heterogeneity(tables), float(kept.sum() - 1)
    i2 = float(i2_from_q(np.array([q]), np.array([q_df]))[0])
    return FrequentistFit(
        method=f"{effects} effects, maximum likelihood, {_WORDS[likelihood]}",
        measure="OR",
        k=int(kept.sum()),
        estimate=best.mu,
        spreads={"Wald": Spread(_standard_error(best), np.inf)},
        prob=prob,
        tau2=None if effects == "common" else best.tau**2,
        q=q,
        q_df=q_df,
        i2=i2,
        i2_q=i2,
        excluded=tuple(name for name, keep in zip(studies.study, kept, strict=True) if not keep),
        maximum=Maximum(
            log_likelihood=best.value,
            parameters=_free(likelihood, int(kept.sum())) + (1 if effects == "common" else 2),
            observations=None,
        ),
        account=account_of(studies, "OR", kept),
    )


def _free(likelihood: Likelihood, k: int) -> int:
    """Intercepts of `k` studies."""
    return k if likelihood == "unconditional" else 0


_LIKELIHOODS = {"unconditional": BinomialArms, "conditional": Hypergeometric}
_WORDS = {
    "unconditional": "binomial with free intercepts",
    "conditional": "hypergeometric",
}
# At 10, the odds ratios of the middle two thirds of studies are apart by a factor of e^20.
_TAUS = (1e-4, *np.geomspace(0.02, 10.0, 12))
_NODES = 81
_REACH = 9.5 * 0.5 ** np.arange(16)  # of z; at 9.5 the normal density has fallen by e^45
_GONE = 40.0  # a fall of the log integrand that leaves nothing


class Point(NamedTuple):
    """Log likelihood at a point, with derivatives in (mu, tau, study's intercept)."""

    mu: float
    tau: float
    alpha: Array  # (k,)
    value: float
    slope: Array  # (3, k), by study
    curve: Array  # (3, 3, k)


def _check_words(likelihood: str, effects: str, interval: str) -> None:
    allowed = {
        "likelihood": (likelihood, tuple(_LIKELIHOODS)),
        "effects": (effects, ("random", "common")),
        "interval": (interval, ("Wald",)),
    }
    for name, (word, words) in allowed.items():
        if word not in words:
            raise ModelError(f"{name} is {' or '.join(map(repr, words))}, not {shown(word)}.")


def _says_something(studies: BinaryStudies, effects: str) -> NDArray[np.bool_]:
    """The studies to pool, after a check that they have a finite maximum between them."""
    two_arms(studies, ModelError("glmm pools counts of two arms: give it BinaryStudies."))
    kept = informative(studies, "OR")
    if not kept.any():
        raise DataError("No study has both an event and a non-event: there is no OR to pool.")
    if effects == "random" and kept.sum() < 2:
        (name,) = np.array(studies.study)[kept]
        raise DataError(
            f"Random effects need at least two studies to estimate tau² from; only {name} has both "
            "an event and a non-event. Use effects='common', or a Bayesian model with a prior on "
            "tau."
        )
    a, b, c, d = (cell[kept] for cell in cells(studies))
    rises, falls = ((b == 0) | (c == 0)).all(), ((a == 0) | (d == 0)).all()
    if rises or falls:
        raise DataError(
            f"The likelihood of the OR has no finite maximum: it grows towards "
            f"{'infinity' if rises else 'zero'}, for every study has a zero cell on that side. Use "
            "a Bayesian model with proper priors."
        )
    return kept


def tables_of(studies: BinaryStudies, likelihood: Likelihood) -> Tables:
    """What the studies that say something say of their effects."""
    kept = informative(studies, "OR")
    return _LIKELIHOODS[likelihood](*(cell[kept] for cell in cells(studies)))


def _heterogeneity(tables: Tables) -> float:
    """Twice the fall of the log likelihood from an effect for each study to one for all."""
    return max(0.0, 2 * (tables.saturated() - _common(tables).value))


def _common(tables: Tables) -> Point:
    return climb(tables, 0.0, 0.0, tables.start())


def random_peak(tables: Tables) -> Point:
    """The best of tau = 0 and every tau at which the profile score falls through zero."""
    from scipy.optimize import brentq

    best = last = _common(tables)
    points = []
    for tau in _TAUS:
        last = climb(tables, tau, last.mu, last.alpha)
        points.append(last)
    if _tau_score(last) > 0:
        raise DataError(
            f"The likelihood still grows at tau = {last.tau:g}: it has no maximum that could be "
            "used. Use effects='common', or a Bayesian model with a prior on tau."
        )
    for low, high in pairwise(points):
        if _tau_score(low) > 0 >= _tau_score(high):
            root = brentq(_profile_score, low.tau, high.tau, args=(tables, low), xtol=1e-13)
            top = climb(tables, root, low.mu, low.alpha)  # pyright: ignore[reportArgumentType]
            best = max(best, top, key=lambda point: point.value)
    return best


def _profile_score(tau: float, tables: Tables, near: Point) -> float:
    return _tau_score(climb(tables, tau, near.mu, near.alpha))


def _tau_score(point: Point) -> float:
    return float(point.slope[1].sum())


def climb(tables: Tables, tau: float, mu: float, alpha: Array) -> Point:
    """Maximise over mu and the intercepts at one tau: Newton's steps, for it is concave there."""
    point = _at(tables, mu, tau, alpha)
    for _ in range(100):
        d_mu, d_alpha, decrement = _newton(point)
        size = 1.0
        ahead = _at(tables, mu + d_mu, tau, alpha + d_alpha)
        while ahead.value < point.value - 1e-9 and size > 1e-6:
            size /= 2
            ahead = _at(tables, mu + size * d_mu, tau, alpha + size * d_alpha)
        mu, alpha, point = ahead.mu, ahead.alpha, ahead
        if decrement < 1e-10:  # squared, in standard errors; the step just made has squared it
            break
    return point


def _newton(point: Point) -> tuple[float, Array, float]:
    slope, curve = point.slope, point.curve
    reduced = _without_intercepts(point, [0]).item()
    score = float((slope[0] - curve[0, 2] * slope[2] / curve[2, 2]).sum())
    d_mu = -score / reduced
    d_alpha = -(slope[2] + curve[2, 0] * d_mu) / curve[2, 2]
    return d_mu, d_alpha, float(slope[0].sum() * d_mu + slope[2] @ d_alpha)


def _without_intercepts(point: Point, shared: list[int]) -> Array:
    """Second derivatives of the likelihood profiled over the intercepts."""
    curve = point.curve
    across = curve[shared, 2]
    own = curve[np.ix_(shared, shared)]
    return (own - across[:, None] * across / curve[2, 2]).sum(axis=-1)


def _standard_error(best: Point) -> float:
    # At tau = 0 the likelihood is even in tau: mu and tau do not share information.
    shared = [0] if best.tau == 0 else [0, 1]
    return float(np.sqrt(np.linalg.inv(-_without_intercepts(best, shared))[0, 0]))


def _at(tables: Tables, mu: float, tau: float, alpha: Array) -> Point:
    """Integrate over theta = mu + tau z, z standard normal, by a trapezoidal rule per study.

    Derivatives of the log of an integral are moments of the derivatives of its log integrand.
    """
    z, step = _nodes(tables, mu, tau, alpha[:, None])
    f = tables.terms(mu + tau * z, alpha[:, None])
    log = f.value - z**2 / 2
    top = log.max(axis=1)
    weight = np.exp(log - top[:, None])
    total = weight.sum(axis=1)
    weight /= total[:, None]
    first = np.stack([f.theta, z * f.theta, f.alpha])
    second = [
        [f.theta2, z * f.theta2, f.cross],
        [z * f.theta2, z**2 * f.theta2, z * f.cross],
        [f.cross, z * f.cross, f.alpha2],
    ]
    mean = np.einsum("ikn,kn->ik", first, weight)
    off = (first - mean[..., None]) * np.sqrt(weight)
    curve = np.einsum("ijkn,kn->ijk", np.array(second), weight) + np.einsum(
        "ikn,jkn->ijk", off, off
    )
    value = float((top + np.log(total * step)).sum() - alpha.size * np.log(2 * np.pi) / 2)
    return Point(float(mu), float(tau), alpha, value, mean, curve)


def _nodes(tables: Tables, mu: float, tau: float, alpha: Array) -> tuple[Array, Array]:
    """Nodes in z, (k, n), and their distance: as far as each integrand reaches to either side."""
    peak = _peaks(tables, mu, tau, alpha)
    ends = []
    for side in (-1, 1):
        z = np.hstack([peak, peak + side * _REACH])
        log = tables.terms(mu + tau * z, alpha).value - z**2 / 2
        enough = (log[:, :1] - log[:, 1:] > _GONE).sum(axis=1)
        ends.append(side * _REACH[np.maximum(enough - 1, 0)])
    low, high = ends
    nodes = int(_NODES * (1 + tau / 2))  # a likelihood without a peak bends over about 1 in theta
    z = peak + low[:, None] + (high - low)[:, None] * np.linspace(0, 1, nodes)
    return z, (high - low) / (nodes - 1)


def _peaks(tables: Tables, mu: float, tau: float, alpha: Array) -> Array:
    """Where the concave integrands peak in z, roughly; between 0 and the slope there."""
    z = np.zeros_like(alpha)
    slope = tau * tables.terms(mu + tau * z, alpha).theta
    low, high = np.minimum(slope, 0), np.maximum(slope, 0)
    for _ in range(60):
        f = tables.terms(mu + tau * z, alpha)
        slope, curve = tau * f.theta - z, tau**2 * f.theta2 - 1
        low, high = np.where(slope > 0, z, low), np.where(slope < 0, z, high)
        step = -slope / curve
        if (step**2 * -curve).max() < 0.01:
            break
        inside = (low <= z + step) & (z + step <= high)
        z = np.where(inside, z + step, (low + high) / 2)
    return z
