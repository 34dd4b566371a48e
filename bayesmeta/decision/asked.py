"""What is asked of absolute effects: at which baselines, per how many, how effects act there."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..arguments import number
from ..effects import Measure
from ..errors import ModelError
from ..ways import shown, way
from .baselines import Baseline
from .baselines import baseline as baseline_of
from .carriers import ACTING, Carrier, Kind, carrier

ORDER: Mapping[str, int] = {"low": 0, "middle": 1, "medium": 1, "moderate": 1, "high": 2}


class Asked(NamedTuple):
    """What is to be told: baselines by what they add to the name of a row, how, per how many."""

    bases: Mapping[str, Baseline]
    by: Carrier
    per: float
    threshold: float | None


def asked_of(
    scale: Measure,
    given: object,
    *,
    per: float | None = None,
    threshold: float | None = None,
    time: str = "",
    unit: str = "",
    sd: float | None = None,
) -> Asked:
    """Read what `absolute_effects` is asked of a measure; no fit is needed to refuse it.

    Raises
    ------
    ModelError
        As `absolute_effects`.
    """
    for name, word in (("time", time), ("unit", unit)):
        if not isinstance(word, str):
            raise ModelError(f"{name} must be text, got {shown(word)}.")
    if scale.name not in ACTING:
        raise _no_carrier(scale.name, "baseline")
    named = given if isinstance(given, Mapping) else {"": given}
    if not named:
        raise ModelError("No baseline is named: give one, e.g. 0.2, or low = 0.05 and high = 0.3.")
    kind = kind_for(scale.name, time)
    read = {
        name: one if isinstance(one, Baseline) else baseline_of(one, kind=kind)
        for name, one in named.items()
    }
    bases = {f", {name} baseline" if name else "": one for name, one in read.items()}
    first = next(iter(bases.values()))
    if any(one.kind != first.kind for one in bases.values()):
        raise ModelError("The baselines are of several kinds: give risks, rates or means alone.")
    _check_order(read)
    by = carrier_of(scale, first, time, sd)
    least = None if threshold is None else _positive(threshold, "threshold")
    return Asked(bases, by, _per(per, first), least)


def _check_order(named: Mapping[str, Baseline]) -> None:
    """Refuse baselines whose names say another order than their medians."""
    ranked = [name for name in named if str(name).casefold() in ORDER]
    ranked.sort(key=lambda name: ORDER[str(name).casefold()])
    for lower, higher in pairwise(ranked):
        low, high = (named[name].quantile(0.5) for name in (lower, higher))
        if low > high:
            raise ModelError(
                f"The baseline called {lower} is {low:.4g}, above the one called {higher}, "
                f"{high:.4g}: change places, or call them otherwise."
            )


def middle_of(bases: Iterable[Baseline]) -> Baseline:
    """The middle one of several baselines by their medians; of two the lower one."""
    ordered = sorted(bases, key=lambda one: one.quantile(0.5))
    return ordered[(len(ordered) - 1) // 2]


def kind_for(measure: str, time: str) -> Kind | None:
    """What a bare number is, as the baseline of a measure: of an IRR a rate, unless over a time."""
    if measure in ("MD", "SMD", "ROM"):
        return "mean"
    return "rate" if measure == "IRR" and not time else None


def carrier_of(scale: Measure, base: Baseline, time: str, sd: float | None) -> Carrier:
    """How an effect on this scale acts on a baseline.

    Raises
    ------
    ModelError
        If it does not, or its unit or time is missing.
    """
    measure = scale.name
    sd = None if sd is None else _positive(sd, "sd")
    by = carrier(_key(scale), base.kind, sd=sd)
    if by is None:
        if measure == "SMD" and base.kind == "mean":
            raise ModelError(
                f"An SMD is told in a unit by the standard deviation there: add {way('sd')}."
            )
        raise _no_carrier(measure, base.kind)
    if measure in ("HR", "IRR") and base.kind == "risk" and not time:
        raise ModelError(f"A risk under a {measure} needs its time horizon: add {way('time')}.")
    return by


def _no_carrier(measure: str, what: str) -> ModelError:
    return ModelError(
        f"{measure} acts on no {what}: OR, RR, RD, HR and IRR act on risks, IRR and HR also on "
        "rates, MD, SMD and ROM on means."
    )


def _key(scale: Measure) -> str:
    return scale.name if scale.link != "atanh" else f"{scale.link} {scale.name}"


def _per(per: float | None, base: Baseline) -> float:
    if per is None:
        return 1 if base.kind == "mean" else 1000
    return _positive(per, "per")


def _positive(value: float, name: str) -> float:
    found = number(value, name)
    if not (np.isfinite(found) and found > 0):
        raise ModelError(f"{name} must be a positive number, got {shown(value)}.")
    return found
