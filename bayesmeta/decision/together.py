"""A baseline from the fit of the effects itself, drawn together with these."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ..posterior import Posterior
from ..simulate import risks
from .draws.new_settings import new_effect

type Array = NDArray[np.float64]

MODEL = "model"  # as a baseline: that of the fit whose effects it is for
PAIRS, SEED = 40_000, 0
_ENDS = np.finfo(np.float64).tiny, np.nextafter(1.0, 0.0)


class Pairs(NamedTuple):
    """Draws that belong together, (n,): effects on the analysis scale, and the control risk."""

    mu: Array
    new: Array
    risk: Array


@final
@dataclass(frozen=True, slots=True)
class ControlArms:
    """The control arms of trials whose baselines come from one distribution.

    Attributes
    ----------
    fit : Posterior
        Of counts, with ``Exchangeable`` baselines.
    new : bool
        Whether of a new setting, or else of the mean of all.
    """

    fit: Posterior
    new: bool = True

    def risk(self, drawn: Mapping[str, Array], theta_new: Array, rng: np.random.Generator) -> Array:
        """Draw the control risk given each draw of what all trials share, (n,).

        In a new setting it goes with the effect there: of the two the model makes both arms.

        Parameters
        ----------
        drawn : mapping of str to ndarray, each (n,)
            ``mu``, ``baseline_mean``, ``baseline_sd``.
        theta_new : ndarray, shape (n,)
        rng : Generator
        """
        theta, beta = drawn["mu"], drawn["baseline_mean"]
        if self.new:
            theta = theta_new
            beta = beta + drawn["baseline_sd"] * rng.standard_normal(beta.size)
        link = self.fit.model.likelihood.link  # pyright: ignore[reportAttributeAccessIssue]
        return np.clip(risks(theta, beta, link)[1], *_ENDS)

    def pairs(self) -> Pairs:
        """Draw effects and control risks together; the same at every call."""
        rng = np.random.default_rng(SEED)
        drawn = self.fit.shared_draws(PAIRS, seed=SEED)
        new = new_effect(self.fit.model.between, drawn, rng.standard_normal(PAIRS), rng)
        assert new is not None  # no model of exchangeable baselines has one effect for all
        return Pairs(drawn["mu"], new, self.risk(drawn, new, rng))


def has_common_baseline(fit: Posterior) -> bool:
    """Whether the control arms of its trials have risks from one normal distribution."""
    of = fit.model.likelihood
    return of.family == "binomial" and of.shares
