"""Specifications: one TOML file per analysis, read into validated values."""

from ._draft import draft, measure_of
from ._outcome import Outcome
from ._parts import PublishedFigure, Scenario
from ._reading import Source, load_specification, parse_specification
from ._whole import Sampler, Specification

__all__ = [
    "Outcome",
    "PublishedFigure",
    "Sampler",
    "Scenario",
    "Source",
    "Specification",
    "draft",
    "load_specification",
    "measure_of",
    "parse_specification",
]
