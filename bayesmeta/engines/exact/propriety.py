"""Whether a posterior exists, and which of its moments: what tau does far out decides both.

Given tau, the likelihood of k studies with mu integrated out falls like tau to the -k, and like
tau to the -(k - 1) where mu is flat. Times a prior that falls like tau to the -p, this is the tail
of the posterior of tau; it has a finite integral if its exponent exceeds 1.
"""

import math
from collections.abc import Mapping, Sequence
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ...model import (
    Data,
    Model,
    NormalSpread,
    NoSpread,
    OutlierSpread,
    Scatter,
    Spread,
    SpreadByGroup,
    StudentTSpread,
)
from ...priors import (
    LKJ,
    Beta,
    Exponential,
    Flat,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfT,
    InverseGamma,
    Jeffreys,
    LogNormal,
    LogStudentT,
    Mixture,
    Normal,
    Prior,
    StudentT,
    Uniform,
)

BARELY_ONE = 1 + 1e-9  # x to the -1 and a power of log x: its integral is finite
_FIXED: Mapping[type[Prior], float] = {
    Flat: 0.0,
    Jeffreys: 1.0,
    HalfCauchy: 2.0,
    LogStudentT: BARELY_ONE,
}
# Fall faster than any power, or end.
LIGHT = (Normal, HalfNormal, LogNormal, Exponential, Gamma, Uniform, Beta, LKJ)


def check_propriety(model: Model, data: Data) -> None:
    """Refuse a model whose posterior does not exist for want of studies, or may not."""
    improper = [f"{name}={prior!r}" for name, prior in model.priors.items() if not prior.proper]
    if not improper:
        return
    between, unknown = model.between, "df" in model.priors
    if not model.likelihood.closed or model.between.shares:
        name = model.name + (" with unknown df" if unknown else "")
        raise ModelError(
            f"{name} needs proper priors, not {', '.join(improper)}; use a wide one "
            "such as Normal(0, 10) for mu or HalfNormal(5) for tau."
        )
    model.check_data(data)
    model.location.check_told(data)
    needed = _studies_needed(between, tuple(model.numbered(data).location.priors.values()))
    if data.k < needed:
        raise ModelError(
            f"With {', '.join(improper)} there is no posterior from {data.k} "
            f"{'study' if data.k == 1 else 'studies'}: it takes {needed} or more. "
            "Use a proper prior of tau such as HalfNormal(0.5)."
        )


@singledispatch
def _studies_needed(between: Spread, effects: Sequence[Prior]) -> int:
    raise ModelError(f"How many studies a posterior takes is not known with {between!r}.")


@_studies_needed.register
def _(_: NoSpread, effects: Sequence[Prior]) -> int:
    return len(effects)


@_studies_needed.register
def _(between: SpreadByGroup, effects: Sequence[Prior]) -> int:
    """As many as there are groups, each with enough; a group with too few is refused by itself."""
    return sum(_studies_needed(between.within, [one]) for one in effects)


@_studies_needed.register
def _(between: Scatter, effects: Sequence[Prior]) -> int:
    needed = 1
    while tail_of_tau(between.tau, needed, mu=effects) <= 1:
        needed += 1
    return needed


def tail_of_tau(tau: Prior, k: int, *, mu: Prior | Sequence[Prior] = ()) -> float:
    """Exponent at which the posterior of tau falls, infinite if it falls faster than any power.

    `mu` is the prior of the overall effect, or of each coefficient of it: flat ones take as many
    studies to be known at all.
    """
    priors = (mu,) if isinstance(mu, Prior) else mu
    return _tail(tau) + k - sum(isinstance(one, Flat) for one in priors)


def moments_of_tau(tau: Prior, k: int, *, mu: Prior | Sequence[Prior] = ()) -> int:
    """How many moments of tau, and of the effect in a new study, exist: 0, 1, or 2 for more."""
    return _moments(tail_of_tau(tau, k, mu=mu))


def moments_of_mu(
    mu: Prior, tau: Prior, k: int, *, spread: Prior | None = None, df: float = math.inf
) -> int:
    """How many moments of mu exist: far out, it grows with tau, or with the spread of outliers.

    Student-t effects of `df` degrees of freedom or more let it go alone.
    """
    wide = min(_tail(one) for one in (tau, spread) if one is not None)
    return _moments(_tail(mu) + min(wide + k - 1, k * (1 + df)))


def moments_of_coefficients(
    model: Model, priors: Sequence[Prior], k: int, design: NDArray[np.float64]
) -> tuple[int, ...]:
    """How many moments of each coefficient exist: those of one mean of as many studies less.

    Parameters
    ----------
    model : Model
    priors : sequence of Prior, length p
        Of the coefficients.
    k : int
        Studies that say something.
    design : ndarray, shape (n, p)
        A coefficient whose column is zero has the moments of its prior, and costs no study.
    """
    own = model.priors
    left, spread, df = k - np.linalg.matrix_rank(design) + 1, own.get("spread"), least_df(model)

    def of_told(prior: Prior) -> int:
        if "tau" not in own:
            return 2
        return moments_of_mu(prior, own["tau"], int(left), spread=spread, df=df)

    told = design.any(axis=0)
    return tuple(
        of_told(one) if column else moments_of_prior(one)
        for one, column in zip(priors, told, strict=True)
    )


def moments_of_new(model: Model, k: int, effects: Sequence[Prior]) -> int:
    """How many moments of the effect in a new study exist: those of its scale and its shape.

    Where `effects` are the priors of the overall effect, or of the coefficients.
    """
    priors = model.priors
    of_scale = moments_of_tau(priors["tau"], k, mu=effects)
    of_spread = moments_of_prior(priors["spread"]) if "spread" in priors else 2
    df = least_df(model)  # df itself is one too few: the moment grows like 1 / (df - m)
    of_shape = 2 if math.isinf(df) else max(math.ceil(df) - 1, 0)
    return min(of_scale, of_spread, of_shape)


def moments_of_prior(prior: Prior) -> int:
    """How many moments a parameter has that the data may leave free: those of its prior."""
    return _moments(_tail(prior))


def least_df(model: Model) -> float:
    """The fewest degrees of freedom that the study effects may have; infinite if normal."""
    return _least_df(model.between)


@singledispatch
def _least_df(between: Spread) -> float:
    raise ModelError(f"How heavy the tails of the effects are is not known with {between!r}.")


@_least_df.register(NormalSpread | NoSpread | OutlierSpread)
def _(_: NormalSpread | NoSpread | OutlierSpread) -> float:
    return math.inf


@_least_df.register
def _(between: StudentTSpread) -> float:
    return between.df.support[0] if isinstance(between.df, Prior) else between.df


def _moments(exponent: float) -> int:
    """The largest m up to 2 for which x to the m - exponent has a finite integral."""
    return max(m for m in (0, 1, 2) if m == 0 or m < exponent - 1)


def _tail(prior: Prior) -> float:
    """Exponent at which the density of a prior falls."""
    match prior:
        case prior if type(prior) in _FIXED:
            return _FIXED[type(prior)]
        case StudentT(df, _, _) | HalfT(df, _):
            return df + 1
        case InverseGamma(shape, _):
            return shape + 1
        case Mixture(_, first, second):
            return min(_tail(first), _tail(second))
        case prior if isinstance(prior, LIGHT):
            return math.inf
        case _:
            raise ModelError(
                f"How fast the density of {prior!r} falls is not known, and so not which moments "
                "exist; use a prior such as HalfNormal or HalfT."
            )
