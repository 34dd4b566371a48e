"""Specifications: one TOML file per analysis, read into validated values."""

from ._draft import draft, measure_of
from ._outcome import Outcome
from ._parts import PublishedFigure, Scenario
from ._people import CONTROL_ARMS, is_known_later, is_table
from ._reading import Source, load_specification, parse_specification
from ._stated import stated
from ._whole import Reporting, Sampler, Specification

__all__ = [
    "CONTROL_ARMS",
    "Outcome",
    "PublishedFigure",
    "Reporting",
    "Sampler",
    "Scenario",
    "Source",
    "Specification",
    "draft",
    "is_known_later",
    "is_table",
    "load_specification",
    "measure_of",
    "parse_specification",
    "stated",
]
