"""What decides a study's likelihood besides its figures, and where its baseline's prior is high."""

from typing import NamedTuple

from ....priors import Mixture, Normal, Prior


class Shape(NamedTuple):
    """What besides the figures decides a study's likelihood; hashable."""

    measure: str
    lognormal: bool
    log_sd: Prior | None
    baseline: Prior | None
    spacing: float
    correlation: Prior | None = None


def peaks_of(prior: Prior | None) -> list[tuple[float, float]]:
    """Where a prior of the baseline is high, and how wide it is there."""
    match prior:
        case None:
            return []
        case Mixture(_, first, second):
            return peaks_of(first) + peaks_of(second)
        case Normal(mean, sd):
            return [(mean, sd)]
        case _:
            return [(prior.numbers["mean"], prior.numbers["scale"])]
