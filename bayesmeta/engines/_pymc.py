"""Models in PyMC: what users can print, extend and check, and what NUTS samples.

Data and the priors' numbers are ``pm.Data`` of float64, so that one compiled program serves every
table of a shape and every prior of a family.
"""

# PyTensor types every operation as possibly None:
# pyright: reportOperatorIssue=false
# pyright: reportReturnType=false

from collections.abc import Mapping
from functools import singledispatch

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from ..errors import ModelError
from ..model import BinomialNormal, CommonEffect, Model, NormalNormal
from ..priors import HalfCauchy, HalfNormal, LogNormal, Normal, Prior, StudentT, Uniform

type Columns = Mapping[str, np.ndarray]


def build(model: Model, study: tuple[str, ...], columns: Columns) -> pm.Model:
    """Return `model` as a ``pm.Model`` with observed data.

    Parameters
    ----------
    model : Model
    study : tuple of str, length k
    columns : mapping of str to ndarray, each (k,)
        ``y``, ``se``; or the four count columns.
    """
    with pm.Model(coords={"study": list(study)}) as graph:
        data = {
            name: pm.Data(name, np.asarray(values, dtype=np.float64), dims="study")
            for name, values in columns.items()
        }
        likelihood(model, data)
    return graph


@singledispatch
def likelihood(model: Model, data: Mapping[str, TensorVariable]) -> None:
    """Add the priors and the likelihood of `model` to the ``pm.Model`` on the stack."""
    raise ModelError(f"There is no PyMC form of {type(model).__name__}.")


@likelihood.register
def _common_effect(model: CommonEffect, data: Mapping[str, TensorVariable]) -> None:
    mu = prior("mu", model.mu)
    pm.Normal("y_observed", mu, data["se"], observed=data["y"], dims="study")


@likelihood.register
def _normal_normal(model: NormalNormal, data: Mapping[str, TensorVariable]) -> None:
    theta = _random_effects(model)
    pm.Normal("y_observed", theta, data["se"], observed=data["y"], dims="study")


@likelihood.register
def _binomial_normal(model: BinomialNormal, data: Mapping[str, TensorVariable]) -> None:
    theta = _random_effects(model)
    beta = prior("baseline", model.baseline, dims="study")
    treatment, control = LOGITS[model.measure](theta, beta)
    for arm, logit_p in (("treatment", treatment), ("control", control)):
        pm.Binomial(
            f"{arm}_observed",
            n=data[f"n_{arm}"],
            logit_p=logit_p,
            observed=data[f"events_{arm}"],
            dims="study",
        )


def _random_effects(model: NormalNormal | BinomialNormal) -> TensorVariable:
    """Study effects, non-centred: theta = mu + tau z."""
    mu, tau = prior("mu", model.mu), prior("tau", model.tau)
    z = pm.Normal("z", 0.0, 1.0, dims="study")
    return pm.Deterministic("theta", mu + tau * z, dims="study")


def odds_ratio_logits(
    theta: TensorVariable, beta: TensorVariable
) -> tuple[TensorVariable, TensorVariable]:
    """Logits of the two risks from a log odds ratio and the midpoint logit (±½ coding)."""
    return beta + theta / 2, beta - theta / 2


def risk_ratio_logits(
    theta: TensorVariable, beta: TensorVariable
) -> tuple[TensorVariable, TensorVariable]:
    """Logits of the two risks from a log risk ratio and half the log odds product.

    With a = exp(theta), r = exp(-2 beta), S = √((1-a)² + 4ar) and D = 1 + a + S, the risks are
    p0 = 2/D and p1 = a p0 (Richardson, Robins & Wang 2017). 1 - p0 = (a - 1 + S)/D and
    1 - p1 = (1 - a + S)/D; where these cancel, the product of the two, 4ar/D², gives the other.
    """
    a, r = pt.exp(theta), pt.exp(-2 * beta)
    d = pt.abs(1 - a)
    s = pt.sqrt(d**2 + 4 * a * r)
    large = pt.log(s + d)
    small = np.log(4.0) + theta - 2 * beta - large
    log_not_p0, log_not_p1 = pt.switch(a < 1, small, large), pt.switch(a > 1, small, large)
    return np.log(2.0) + theta - log_not_p1, np.log(2.0) - log_not_p0


LOGITS = {"OR": odds_ratio_logits, "RR": risk_ratio_logits}


def prior(name: str, spec: Prior, **dims: str) -> TensorVariable:
    """Add a prior with its numbers as data, e.g. ``mu_mean`` and ``mu_sd``."""
    numbers = {
        field: pm.Data(f"{name}_{field}", np.float64(value))
        for field, value in spec.numbers.items()
    }
    return _variable(spec, name, numbers, **dims)


@singledispatch
def _variable(
    spec: Prior, name: str, numbers: Mapping[str, TensorVariable], **dims: str
) -> TensorVariable:
    raise ModelError(f"There is no PyMC form of {spec!r}.")


@_variable.register
def _normal(
    _: Normal, name: str, numbers: Mapping[str, TensorVariable], **dims: str
) -> TensorVariable:
    return pm.Normal(name, mu=numbers["mean"], sigma=numbers["sd"], **dims)


@_variable.register
def _student_t(
    _: StudentT, name: str, numbers: Mapping[str, TensorVariable], **dims: str
) -> TensorVariable:
    return pm.StudentT(name, nu=numbers["df"], mu=numbers["mean"], sigma=numbers["scale"], **dims)


@_variable.register
def _half_normal(
    _: HalfNormal, name: str, numbers: Mapping[str, TensorVariable], **dims: str
) -> TensorVariable:
    return pm.HalfNormal(name, sigma=numbers["scale"], **dims)


@_variable.register
def _half_cauchy(
    _: HalfCauchy, name: str, numbers: Mapping[str, TensorVariable], **dims: str
) -> TensorVariable:
    return pm.HalfCauchy(name, beta=numbers["scale"], **dims)


@_variable.register
def _log_normal(
    _: LogNormal, name: str, numbers: Mapping[str, TensorVariable], **dims: str
) -> TensorVariable:
    return pm.LogNormal(name, mu=numbers["mean"], sigma=numbers["sd"], **dims)


@_variable.register
def _uniform(
    _: Uniform, name: str, numbers: Mapping[str, TensorVariable], **dims: str
) -> TensorVariable:
    return pm.Uniform(name, lower=numbers["low"], upper=numbers["high"], **dims)
