"""Standard errors that were typed as standard deviations."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..studies import ContinuousStudies
from ..ways import way
from .doubt import Doubt

type Array = NDArray[np.float64]

DEVIATIONS = 2.5  # of the logs of SDs, between arms and between studies
LEAST_SPREAD = 0.25  # of these logs, sampling aside
FEWEST = 4  # studies that are compared with one another
LEAST, MOST = 0.5, 3.0  # of log √n: how far below the others
TOO = 0.4  # of log √n: the same by the other yardstick


class Arms(NamedTuple):
    """Means, logs of SDs and logs of √n, of treatment and control, each (2, k)."""

    mean: Array
    log_sd: Array
    log_root_n: Array

    @property
    def k(self) -> int:
        """Number of studies."""
        return self.log_sd.shape[1]

    def sampling(self) -> Array:
        """Sampling variance of the logs of SDs, (2, k): 1 / (2(n - 1))."""
        return 0.5 / np.expm1(2 * self.log_root_n)


def errors_as_sds(data: ContinuousStudies, measure: str | None) -> Iterator[Doubt]:
    """Doubt SDs about √n times smaller than those of the other arm or of the other studies.

    Between studies an SD is held to the others by itself and relative to its mean, for units and
    scales may differ from study to study; the yardstick on which the others agree better decides,
    and the other must point the same way.
    """
    arms = _arms(data)
    one = np.stack([_beside(arms, i) for i in (0, 1)])
    both = np.array([_among(arms, i) for i in range(data.k)]) & ~one.any(axis=0)
    for i in np.flatnonzero(one.any(axis=0)):
        sides = [side for side, found in zip(data.arms, one[:, i], strict=True) if found]
        yield _doubt(data, int(i), sides, "of the other arm")
    for i in np.flatnonzero(both):
        yield _doubt(data, int(i), list(data.arms), "of the other studies")


def _arms(data: ContinuousStudies) -> Arms:
    def both(name: str) -> Array:
        return np.stack([getattr(data, f"{name}{arm}") for arm in data.arms])

    return Arms(both("mean"), np.log(both("sd")), np.log(both("n")) / 2)


def _beside(arms: Arms, i: int) -> NDArray[np.bool_]:
    """Where the SD of one arm is as a standard error beside that of the other, (k,).

    What a smaller mean of the same sign explains, an SD in proportion, is taken off.
    """
    own, other = arms.mean[i], arms.mean[1 - i]
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = np.where(own * other > 0, np.maximum(np.log(other / own), 0), 0)
    smaller = arms.log_sd[1 - i] - arms.log_sd[i] - explained
    spread = np.sqrt(arms.sampling().sum(axis=0) + LEAST_SPREAD**2)
    found = (smaller > DEVIATIONS * spread) & (np.abs(smaller - arms.log_root_n[i]) < smaller / 2)
    return found & ~_other_is_odd(arms, i)


def _other_is_odd(arms: Arms, i: int) -> NDArray[np.bool_]:
    """Where the other arm's SD is far above those of the other studies and this one among them."""
    found = np.zeros(arms.k, dtype=bool)
    for j in range(arms.k if arms.k >= FEWEST else 0):
        others = np.delete(arms.log_sd, j, axis=1)
        others = others[np.isfinite(others)]
        if others.size:
            own, spread = below(arms.log_sd[i, j], others)
            other, _ = below(arms.log_sd[1 - i, j], others)
            found[j] = -other > DEVIATIONS * spread and abs(own) < spread
    return found


def _among(arms: Arms, i: int) -> bool:
    """Whether both SDs of a study are as standard errors among the other studies'."""
    own = arms.log_sd.mean(axis=0)
    relative = own - np.log(np.maximum(np.abs(arms.mean).mean(axis=0), 1e-300))
    there = np.isfinite(own)
    if not there[i] or there.sum() < FEWEST:
        return False
    others = there & (np.arange(there.size) != i)
    log_root_n = arms.log_root_n[:, i].mean()
    found = [below(each[i], each[others]) for each in (own, relative)]
    (smaller, spread), (too, _) = sorted(found, key=lambda one: one[1])
    return bool(
        smaller > DEVIATIONS * spread
        and LEAST * log_root_n < smaller < MOST * log_root_n
        and too > TOO * log_root_n
    )


def below(value: float, others: Array) -> tuple[float, float]:
    """How far a log lies below the median of others, and their robust SD."""
    middle = np.median(others)
    spread = 1.4826 * np.median(np.abs(others - middle))
    return float(middle - value), max(float(spread), LEAST_SPREAD)


def _doubt(data: ContinuousStudies, i: int, sides: list[str], than: str) -> Doubt:
    name = data.study[i]
    sd, n = ([getattr(data, f"{one}{side}")[i] for side in sides] for one in ("sd", "n"))
    shown = " and ".join(f"sd{side} {x:.3g}" for side, x in zip(sides, sd, strict=True))
    size, made = (" and ".join(f"{x:.3g}" for x in each) for each in (n, sd * np.sqrt(n)))
    return Doubt(
        "errors_as_sds",
        (name,),
        f"{name}: beside the SDs {than}, {shown} (n {size}) may be "
        f"{'a standard error' if len(sides) == 1 else 'standard errors'}: if so, give SE × √n, "
        f"{made}, or leave the study out with {way('exclude', name)}.",
    )
