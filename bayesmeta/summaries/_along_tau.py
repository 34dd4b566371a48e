"""What is known given tau: the studies' effects along it, and mu and tau together.

Given tau is given a uniform prior of it that reaches a thousandth to either side: then every
likelihood that the exact engine takes can be asked, and what comes back is that at tau itself to
about a millionth.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from ..effects import ATANH_RD
from ..engines import fit
from ..errors import ModelError
from ..model import check_one_effect, with_tau
from ..posterior import Array, Marginal, Posterior
from ..priors import Uniform
from ..studies import check_prob
from ..ways import way
from ._numbers import scale_of
from ._points import PointRow, Points, line

NARROW = 1e-3  # of tau, to either side
LEVELS = (0.5, 0.8, 0.95)
_SHRINKAGE, _JOINT = "A figure of shrinkage", "A joint posterior of mu and tau"
_ALONG, _ACROSS, _OF_MU = 41, 49, 201  # places of tau, and of mu
_QUANTILES = 48  # over which a mean is summed, to 1e-5 of a risk
_FINER = 8  # places between two of tau, where contours are straight
_FIRST = 1e-3  # of the largest tau, where lines begin
_BEYOND = 5e-4  # of mu on either side of its places, and twice that of tau


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class JointRows:
    """Joint posterior density of mu and tau, analysis scale.

    Attributes
    ----------
    mu : ndarray, shape (m,)
    tau : ndarray, shape (t,)
    density : ndarray, shape (t, m)
    levels : tuple of float
        Densities above which `probs` of the posterior lie.
    probs : tuple of float
    """

    mu: Array
    tau: Array
    density: Array
    levels: tuple[float, ...]
    probs: tuple[float, ...]


def shrinkage_rows(posterior: Posterior, *, prob: float = 0.95) -> Points:
    """Lay the effects of studies out along tau: E(theta given tau) over tau, with tau's posterior.

    Rows are lines: of each study, of the mean effect, and of the density of tau, whose median and
    interval stand in rows ``tau`` (``x``).

    Raises
    ------
    ModelError
        If there is no tau, several effects, or the posterior is known through draws alone.
    """
    check_prob(prob)
    _check(posterior, _SHRINKAGE)
    of_tau = posterior["tau"]
    top = float(of_tau.quantile(0.99))
    low = float(posterior.model.priors["tau"].support[0])
    at = np.linspace(max(low, _FIRST * top), top, _ALONG)
    mean_of = _mean_difference if scale_of(posterior) == ATANH_RD else _mean
    given = [_given(posterior, float(tau)) for tau in at]
    effects = np.array([[mean_of(each) for each in one["theta"].each] for one in given]).T
    rows: list[PointRow] = []
    for name, effect in zip(posterior.data.study, effects, strict=True):
        rows += line("study", name, zip(at, effect, strict=True))
    mean = [mean_of(one["mu"]) for one in given]
    rows += line("mean", "mean effect", zip(at, mean, strict=True))
    rows += line("density", "tau", zip(at, np.asarray(of_tau.pdf(at)), strict=True))
    lower, upper = of_tau.interval(prob)
    ends = {"median": of_tau.quantile(0.5), "lower": lower, "upper": upper}
    rows += [PointRow(kind="tau", label=name, x=float(x), y=np.nan) for name, x in ends.items()]
    return Points(rows=tuple(rows), measure=scale_of(posterior))


def joint_rows(posterior: Posterior) -> JointRows:
    """Joint posterior density of mu and tau on a grid, and the levels that hold 50, 80 and 95%.

    The density is that of tau times that of mu given tau.

    Raises
    ------
    ModelError
        If there is no tau, several effects, or the posterior is known through draws alone.
    """
    _check(posterior, _JOINT)
    of_mu, of_tau = posterior.at(), posterior["tau"]
    mu = np.linspace(of_mu.quantile(_BEYOND), of_mu.quantile(1 - _BEYOND), _OF_MU)
    tau = _places(of_tau)
    given = np.array([_given(posterior, float(one))["mu"].pdf(mu) for one in tau])
    density = np.asarray(of_tau.pdf(tau))[:, None] * given
    between = np.linspace(0, tau.size - 1, _FINER * (tau.size - 1) + 1)
    fine = np.interp(between, np.arange(tau.size), tau)
    below = np.minimum(between.astype(int), tau.size - 2)
    share = (between - below)[:, None]
    drawn = (1 - share) * density[below] + share * density[below + 1]  # as contours have it
    cell = np.outer(_cells(fine), _cells(mu))
    falling = np.argsort(-drawn, axis=None)
    held = np.cumsum((drawn * cell).ravel()[falling])
    levels = [float(drawn.ravel()[falling][np.searchsorted(held, prob)]) for prob in LEVELS]
    return JointRows(mu=mu, tau=tau, density=density, levels=tuple(levels), probs=LEVELS)


def _places(of_tau: Marginal) -> Array:
    """Places of tau: half of them where its mass is, half evenly between, for its tail."""
    ends = (_BEYOND, 1 - 2 * _BEYOND)
    mass = np.asarray(of_tau.quantile(np.linspace(*ends, _ACROSS // 2 + 1)))
    evenly = mass[0] + (mass[-1] - mass[0]) * np.linspace(0, 1, _ACROSS // 2 + 2)[1:-1] ** 2
    return np.unique(np.concatenate([mass, evenly]))


def _cells(at: Array) -> Array:
    """What each place stands for in an integral by trapezoids."""
    steps = np.diff(at)
    return (np.append(steps, 0.0) + np.append(0.0, steps)) / 2


def _check(posterior: Posterior, what: str) -> None:
    check_one_effect(posterior.model, what)
    if "tau" not in posterior.model.priors:
        raise ModelError(f"{what} needs effects that differ between studies: a model with tau.")
    if not posterior.exact:
        raise ModelError(f"{what} needs an exact posterior: {way('exact')}.")
    _check_sound(posterior, what, "the fit")


def _given(posterior: Posterior, tau: float) -> Posterior:
    """The posterior with tau as good as known."""
    prior = Uniform(tau * (1 - NARROW), tau * (1 + NARROW))
    found = fit(with_tau(posterior.model, prior), posterior.data)
    _check_sound(found, "A figure along tau", f"that at tau = {tau:.3g}")
    return found


def _check_sound(posterior: Posterior, what: str, which: str) -> None:
    failed = [one for one in posterior.diagnostics.first if not one.passed]
    if failed:
        raise ModelError(
            f"{what} needs fits that pass their numerical gates, and {which} does not: {failed[0]}."
        )


def _mean(theta: Marginal) -> float:
    return theta.mean()


def _mean_difference(theta: Marginal) -> float:
    """The mean of the risk difference itself, of which theta is the atanh: over its quantiles."""
    at, weight = np.polynomial.legendre.leggauss(_QUANTILES)
    return float(ATANH_RD.natural(theta.quantile((1 + at) / 2)) @ weight / 2)
