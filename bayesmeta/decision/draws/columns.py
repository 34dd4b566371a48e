"""The columns of one outcome in a file of draws: what they hold, and what that means."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...effects import Measure
from .strands import Rows, Strand, treated

type Array = NDArray[np.float64]
type Quantity = tuple[str, Array, str, str]  # name, draws, meaning, unit

AT = {"": "in the mean of the settings", "_new": "in a new setting"}


class Column(NamedTuple):
    """What a column holds."""

    meaning: str
    unit: str


class Parameter(NamedTuple):
    """One number whose draws are nearly normal, and whether its mean and its SD exist."""

    values: Array
    mean: bool
    sd: bool


def quantities(one: Strand, rows: Rows) -> Iterator[Quantity]:
    """Every column of an outcome."""
    if rows.base is not None and one.base is not None:
        said = f"{one.kind} without the treatment: {one.base.said}"
        yield f"{one.name}_{one.kind}_control", rows.base, said, _unit(one)
    for end, effect in rows.effects.items():
        yield from _at_baseline(one, rows.base, effect, end)


def _at_baseline(one: Strand, base: Array | None, effect: Array, end: str) -> Iterator[Quantity]:
    named = f"{one.name}_{one.scale.name.lower()}{end}"
    own = one.scale.natural(effect)
    of_risks = one.scale.name == "RD"
    if base is None:
        name = f"{one.name}_risk_difference{end}" if of_risks else named
        yield name, own, f"{one.scale.words} {AT[end]}", _unit_of(one, one.scale)
        return
    then, stem = treated(one, effect, base), f"{one.name}_{one.kind}"
    yield f"{stem}_treatment{end}", then, f"{one.kind} with the treatment {AT[end]}", _unit(one)
    less = f"{one.kind} with the treatment less that without it, {AT[end]}"
    yield f"{stem}_difference{end}", then - base, less, _unit(one)
    if one.shown.name == "RR" != one.scale.name:
        told = f"risk ratio {AT[end]}: the risk with the treatment over that without it"
        yield f"{one.name}_rr{end}", then / base, told, "ratio"
    if not of_risks:
        yield named, own, f"{one.scale.words} {AT[end]}", _unit_of(one, one.scale)


def _unit(one: Strand) -> str:
    over = f" over {one.of.time}" if one.of.time else ""
    if one.kind == "risk":
        return f"probability{over}"
    return "events per unit of person-time" if one.kind == "rate" else _of_means(one)


def _of_means(one: Strand) -> str:
    return one.of.unit or one.of.fit.data.measured_in or "unit of the outcome"


def _unit_of(one: Strand, scale: Measure) -> str:
    if scale.log:
        return "ratio"
    return {"SMD": "standard deviations", "RD": "probability"}.get(scale.name, _of_means(one))


def parameters(one: Strand, rows: Rows) -> Mapping[str, Parameter]:
    """What determines every column: baseline and effects, on the scales where they are analysed."""
    found = {}
    if rows.base is not None and one.base is not None:
        name = _on(one.base.scale, f"{one.name}_{one.kind}_control")
        found[name] = Parameter(one.base.scale.analysed(rows.base), mean=True, sd=True)
    stem = "risk_difference" if one.scale.name == "RD" else one.scale.name.lower()
    for end, effect in rows.effects.items():
        law = one.of.fit.at(new=bool(end), **one.of.where)
        exists = [bool(np.isfinite(moment)) for moment in (law.mean(), law.sd())]
        found[_on(one.scale, f"{one.name}_{stem}{end}")] = Parameter(effect, *exists)
    return found


def _on(scale: Measure, name: str) -> str:
    return name if scale.link == "identity" else f"{scale.link}({name})"
