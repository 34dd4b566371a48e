"""What a study's data say, split at what its result is predicted from."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...model import Scatter
from ...priors import Prior

type Array = NDArray[np.float64]
type Draws = Mapping[str, Array]


class Terms(NamedTuple):
    """Logs for every study at every value of the shared parameters, each (n, k).

    `every` is the density of all the study's data, `given` that of what its result is predicted
    from (zero where nothing is), `below` that times the probability of a lower result. The density
    of the result is ``every - given``.
    """

    every: Array
    given: Array
    below: Array


def df_of(between: Scatter, draws: Draws) -> Array | float | None:
    """Degrees of freedom of the study effects, drawn (n,) or given; None for normal ones."""
    if "df" in draws:
        return draws["df"]
    assert not isinstance(between.df, Prior)
    return between.df
