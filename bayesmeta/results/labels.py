"""What each fit is called where people read it."""

from collections.abc import Mapping

from ..frequentist import INTERVALS
from .keys import FitKey, Line, Place

_COMMON = ", one common effect"

LABELS: Mapping[FitKey, str] = {
    FitKey.BINOMIAL: "counts (binomial–normal)",
    FitKey.HYPERGEOMETRIC: "counts (hypergeometric–normal)",
    FitKey.POISSON: "counts (Poisson–normal)",
    FitKey.ARMS: "arms (SDs estimated)",
    FitKey.ARMS_COMMON: f"arms (SDs estimated){_COMMON}",
    FitKey.SECOND_SOURCE: "the same by NUTS",
    FitKey.TWO_STAGE: "two-stage (normal–normal)",
    FitKey.TWO_STAGE_COMMON: f"two-stage (normal–normal){_COMMON}",
    FitKey.MANTEL_HAENSZEL: "Mantel–Haenszel",
    FitKey.MANTEL_HAENSZEL_HALF: "Mantel–Haenszel, ½ added",
    FitKey.INVERSE_VARIANCE: "inverse variance",
    FitKey.DERSIMONIAN_LAIRD: "DerSimonian–Laird",
    FitKey.REML: "REML",
}


def label_of(place: Place) -> str:
    """Name a fit among all of an outcome."""
    return place.name if place.key is None else f"{place.name}: {LABELS[place.key]}"


def label_of_line(line: Line) -> str:
    """Name a fit among those of its scenario."""
    label = LABELS[line.key]
    return label if line.interval is None else f"{label}, {line.interval}"


_OURS = {label_of_line(Line(key, one)) for key in FitKey for one in (None, *INTERVALS)}


def is_ours(label: str) -> bool:
    """Whether a label is that of one of our own fits, or of one of its intervals."""
    return label in _OURS
