"""Models in PyMC: what users can print, extend and check, and what NUTS samples.

Data and the priors' numbers are ``pm.Data`` of float64, so that one compiled program serves every
table of a shape and every prior of a family.
"""

from collections.abc import Mapping

import numpy as np
import pymc as pm

from ...model import Model
from . import _multivariate, arms, counts, estimates  # noqa: F401 - register their forms
from .parts import likelihood

type Columns = Mapping[str, np.ndarray]


def build(model: Model, study: tuple[str, ...], columns: Columns) -> pm.Model:
    """Return `model` as a ``pm.Model`` with observed data.

    Parameters
    ----------
    model : Model
    study : tuple of str, length k
    columns : mapping of str to ndarray, each (k,)
        ``y``, ``se``; or columns of counts. A column ``count``, of another length, holds the
        counts that a hypergeometric likelihood sums over, from 0. Of several outcomes (..., k).
    """
    with pm.Model(coords={"study": list(study), "arm": ["treatment", "control"]}) as graph:
        data = {
            name: pm.Data(
                name,
                np.asarray(values, dtype=np.float64),
                dims="study" if np.shape(values) == (len(study),) else None,
            )
            for name, values in columns.items()
        }
        likelihood(model.likelihood, model, data)
    return graph
