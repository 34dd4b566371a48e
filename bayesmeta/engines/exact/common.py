"""One effect for all studies whose likelihoods are no normals: its posterior is one integral."""

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ...errors import ModelError
from ...model import Data, OneEffect
from ...posterior import (
    Check,
    Diagnostics,
    GridDensity,
    MappedDensity,
    Posterior,
    SupportMap,
)
from ...priors import log_density
from .._cautions import cautions
from ..likelihood.of_arms.continuous import SPACING
from ..likelihood.points import Places
from ..likelihood.rough import rough_effects
from ..likelihood.study import log_likelihoods
from ..nodes.even import draw_one, share_one
from .mu_rule import has_an_edge, sharpness, smooth
from .tau_nodes import evidence

type Array = NDArray[np.float64]

TOLERANCE = 1e-6  # shares of a posterior SD
STEPS = (0.08, 0.056)  # of the variable of integration
FARTHEST = 1e4  # scales of the narrowest feature that are integrated at least, where tails are long
REACHES, FURTHEST = (100.0, 1e4), 1e6  # of the largest standard error, until nothing lies beyond
NOTHING = 45.0  # log of a node's mass at the ends, below the largest


def integrate_common(model: OneEffect, data: Data) -> Posterior:
    """Return the posterior of the effect, on a uniform grid refined once."""
    if not smooth(model.overall):
        raise ModelError(has_an_edge(model.overall))
    passes = [_pass(model, data, step, SPACING * step / STEPS[0]) for step in STEPS]
    (coarse, z), (fine, log_z) = passes
    gaps = (fine.mean() - coarse.mean()) / fine.sd(), fine.sd() / coarse.sd() - 1, log_z - z
    check = Check(
        "quadrature error", "shares of an SD", float(np.abs(gaps).max()), TOLERANCE, at_most=True
    )
    return Posterior(
        model=model,
        data=data,
        engine="Quadrature(), one integral",
        marginals={"mu": fine},
        diagnostics=Diagnostics((check,)),
        sample=partial(draw_one, fine),
        sample_shared=partial(share_one, fine),
        cautions=cautions(model, data),
        log_marginal_likelihood=evidence(model, log_z),
    )


def _pass(model: OneEffect, data: Data, step: float, spacing: float) -> tuple[MappedDensity, float]:
    """Integrate over v, where mu = centre + scale sinh(v): dense where mu is, with far tails."""
    y, se = rough_effects(model.likelihood, data)
    weight = se**-2.0
    centre, scale = float(weight @ y / weight.sum()), float(weight.sum() ** -0.5)
    scale = min(scale, sharpness(model.overall))
    far, widest = float(np.abs(y - centre).max()), float(se.max())
    near = (far + reach * widest for reach in REACHES)
    farthest = max(far + FURTHEST * widest, FARTHEST * scale)

    def masses(reach: float) -> tuple[Array, Array, Array]:
        last = np.arcsinh(reach / scale)
        v = np.linspace(-last, last, int(2 * last / step) + 1)
        x, weight = centre + scale * np.sinh(v), scale * np.cosh(v) * (v[1] - v[0])
        each = log_likelihoods(model.likelihood, data, Places(tuple(x)), spacing).sum(axis=0)
        return v, x, each + log_density(model.overall, x) + np.log(weight)

    found = (one for one in map(masses, near) if one[2][[0, -1]].max() < one[2].max() - NOTHING)
    v, x, log_mass = next(found, None) or masses(farthest)
    log_z = float(logsumexp(log_mass))
    mass = np.exp(log_mass - log_z)
    mean = float(mass @ x)
    sd = float(np.sqrt(mass @ (x - mean) ** 2))
    inner = GridDensity.of(v, mass / (v[1] - v[0]))
    return MappedDensity(inner, SupportMap(-np.inf, np.inf, scale, (centre,)), (mean, sd)), log_z
