"""Whether a posterior exists, and which of its moments: what tau does far out decides both.

Given tau, the likelihood of k studies with mu integrated out falls like tau to the -k, and like
tau to the -(k - 1) where mu is flat. Times a prior that falls like tau to the -p, this is the tail
of the posterior of tau; it has a finite integral if its exponent exceeds 1.
"""

import math

from ..effects import EffectSizes
from ..errors import ModelError
from ..model import CommonEffect, Data, Model, NormalNormal
from ..priors import Flat, HalfCauchy, HalfT, InverseGamma, Jeffreys, Mixture, Prior, StudentT


def check_propriety(model: Model, data: Data) -> None:
    """Refuse a model whose posterior does not exist for want of studies, or may not."""
    improper = [f"{name}={prior!r}" for name, prior in model.priors.items() if not prior.proper]
    if not improper:
        return
    if not isinstance(model, NormalNormal | CommonEffect):
        raise ModelError(
            f"{type(model).__name__} needs proper priors, not {', '.join(improper)}; use a wide "
            "one such as Normal(0, 10) for mu or HalfNormal(5) for tau."
        )
    if isinstance(model, CommonEffect) or not isinstance(data, EffectSizes):
        return  # one study is enough; the engine says what is wrong with the data
    needed = 1
    while tail_of_tau(model.tau, needed, mu=model.mu) <= 1:
        needed += 1
    if data.k < needed:
        raise ModelError(
            f"With {', '.join(improper)} there is no posterior from {data.k} "
            f"{'study' if data.k == 1 else 'studies'}: it takes {needed} or more. "
            "Use a proper prior of tau such as HalfNormal(0.5)."
        )


def tail_of_tau(tau: Prior, k: int, *, mu: Prior | None = None) -> float:
    """Exponent at which the posterior of tau falls, infinite if it falls faster than any power."""
    return _tail(tau) + k - isinstance(mu, Flat)


def moments_of_tau(tau: Prior, k: int, *, mu: Prior | None = None) -> int:
    """How many moments of tau, and of the effect in a new study, exist: 0, 1, or 2 for more."""
    return _moments(tail_of_tau(tau, k, mu=mu))


def moments_of_mu(mu: Prior, tau: Prior, k: int) -> int:
    """How many moments of mu exist: far out, mu and tau grow together."""
    return _moments(_tail(mu) + _tail(tau) + k - 1)


def _moments(exponent: float) -> int:
    """The largest m up to 2 for which x to the m - exponent has a finite integral."""
    return max(m for m in (0, 1, 2) if m == 0 or m < exponent - 1)


def _tail(prior: Prior) -> float:
    """Exponent at which the density of a prior falls."""
    match prior:
        case Flat():
            return 0.0
        case Jeffreys():
            return 1.0
        case HalfCauchy():
            return 2.0
        case StudentT(df, _, _) | HalfT(df, _):
            return df + 1
        case InverseGamma(shape, _):
            return shape + 1
        case Mixture(_, first, second):
            return min(_tail(first), _tail(second))
        case _:
            return math.inf
