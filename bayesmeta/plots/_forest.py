"""Forest plots."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..effects import Measure, measure_named
from ..errors import DataError
from ._marks import Mark
from ._sheet import Heads, Line, sheet
from ._style import BLUE, INK, house
from ._text import Show, clean, interval_text, number_texts, ratio_text

if TYPE_CHECKING:
    from ..summaries import ForestRow

_GROUPS = {
    "study": "Studies",
    "posterior": "Posterior",
    "prediction": "Posterior",
    "frequentist": "Frequentist",
    "published": "Published",
}
_MODEL = ("shrunken", "posterior", "prediction")
