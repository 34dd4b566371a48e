"""Estimates with known standard errors in PyMC."""

# PyTensor types every operation as possibly None:
# pyright: reportArgumentType=false
# pyright: reportCallIssue=false
# pyright: reportOperatorIssue=false
# pyright: reportOptionalSubscript=false
# pyright: reportPrivateImportUsage=false
# pyright: reportReturnType=false

from collections.abc import Mapping

import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from ...model import (
    CommonEffect,
    NormalNormal,
    OutlierMixture,
)
from ...priors import Prior
from .parts import likelihood, prior, random_effects, weights


@likelihood.register
def _common_effect(model: CommonEffect, data: Mapping[str, TensorVariable]) -> None:
    mu = prior("mu", model.mu)
    pm.Normal("y_observed", mu, data["se"], observed=data["y"], dims="study")


@likelihood.register
def _normal_normal(model: NormalNormal, data: Mapping[str, TensorVariable]) -> None:
    if isinstance(model.df, Prior):  # study effects integrated out, given their weights
        mu, tau = prior("mu", model.mu), prior("tau", model.tau)
        sd = pt.sqrt(data["se"] ** 2 + tau**2 / weights(prior("df", model.df)))
        pm.Normal("y_observed", mu, sd, observed=data["y"], dims="study")
        return
    theta = random_effects(model)
    pm.Normal("y_observed", theta, data["se"], observed=data["y"], dims="study")


@likelihood.register
def _outlier_mixture(model: OutlierMixture, data: Mapping[str, TensorVariable]) -> None:
    """Study effects integrated out: one normal of two, in closed form."""
    mu, tau = prior("mu", model.mu), prior("tau", model.tau)
    share, spread = prior("share", model.share), prior("spread", model.spread)
    variance = data["se"] ** 2 + tau**2
    pm.Mixture(
        "y_observed",
        w=pt.stack([1 - share, share]),
        comp_dists=[
            pm.Normal.dist(mu, pt.sqrt(variance)),
            pm.Normal.dist(mu, pt.sqrt(variance + spread**2)),
        ],
        observed=data["y"],
        dims="study",
    )
