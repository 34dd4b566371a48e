"""Estimates with known standard errors in PyMC."""

from collections.abc import Mapping
from functools import singledispatch

import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from ...errors import ModelError
from ...model import Estimates, Model, NormalSpread, NoSpread, OutlierSpread, Spread, StudentTSpread
from ...priors import Prior
from .parts import about, expected, likelihood, prior, weights

type Data = Mapping[str, TensorVariable]


@likelihood.register
def _estimates(of: Estimates, model: Model, data: Data) -> None:
    _about(model.between, expected(model.location, data), data)


@singledispatch
def _about(between: Spread, mu: TensorVariable, data: Data) -> None:
    """Add estimates about their study effects, or about `mu` where effects are integrated out."""
    raise ModelError(f"There is no PyMC form of estimates with {between!r}.")


@_about.register(NoSpread | NormalSpread)
def _about_effects(between: Spread, mu: TensorVariable, data: Data) -> None:
    theta = about(between, mu)
    pm.Normal("y_observed", theta, data["se"], observed=data["y"], dims="study")


@_about.register
def _(between: StudentTSpread, mu: TensorVariable, data: Data) -> None:
    """With unknown degrees of freedom study effects are integrated out, given their weights."""
    if not isinstance(between.df, Prior):
        _about_effects(between, mu, data)
        return
    tau = prior("tau", between.tau)
    sd = pt.sqrt(data["se"] ** 2 + tau**2 / weights(prior("df", between.df)))
    pm.Normal("y_observed", mu, sd, observed=data["y"], dims="study")


@_about.register
def _(between: OutlierSpread, mu: TensorVariable, data: Data) -> None:
    """Study effects integrated out: one normal of two, in closed form."""
    tau = prior("tau", between.tau)
    share, spread = prior("share", between.share), prior("spread", between.spread)
    variance = data["se"] ** 2 + tau**2
    pm.Mixture(
        "y_observed",
        w=pt.stack([1 - share, share]),
        comp_dists=[
            pm.Normal.dist(mu, pt.sqrt(variance)),  # pyright: ignore[reportArgumentType]
            pm.Normal.dist(mu, pt.sqrt(variance + spread**2)),  # pyright: ignore[reportArgumentType]
        ],
        observed=data["y"],
        dims="study",
    )
