"""A model as a person reads it: in mathematics, and as PyMC source."""

from collections.abc import Mapping
from functools import singledispatch

from ..errors import ModelError
from ..model import BinomialNormal, CommonEffect, Model, NormalNormal
from ..priors import HalfCauchy, HalfNormal, LogNormal, Normal, Prior, StudentT, Uniform

_PYMC: Mapping[type[Prior], tuple[str, tuple[str, ...]]] = {
    Normal: ("Normal", ("mu", "sigma")),
    StudentT: ("StudentT", ("nu", "mu", "sigma")),
    HalfNormal: ("HalfNormal", ("sigma",)),
    HalfCauchy: ("HalfCauchy", ("beta",)),
    LogNormal: ("LogNormal", ("mu", "sigma")),
    Uniform: ("Uniform", ("lower", "upper")),
}

_HEAD = """\
import numpy as np
import pymc as pm
import pytensor.tensor as pt

# study: list of k names; the other names below are float arrays of length k
with pm.Model(coords={"study": study}) as model:
"""
_EFFECTS = """\
z = pm.Normal("z", 0, 1, dims="study")
theta = pm.Deterministic("theta", mu + tau * z, dims="study")
"""
_OR = """\
logit_treatment = baseline + theta / 2
logit_control = baseline - theta / 2
"""
_RR = """\
a = pt.exp(theta)
d = pt.abs(1 - a)
s = pt.sqrt(d**2 + 4 * a * pt.exp(-2 * baseline))
large = pt.log(s + d)
small = np.log(4) + theta - 2 * baseline - large
logit_treatment = np.log(2) + theta - pt.switch(a > 1, small, large)
logit_control = np.log(2) - pt.switch(a < 1, small, large)
"""
_ARMS = """\
pm.Binomial("treatment_observed", n=n_treatment, logit_p=logit_treatment,
            observed=events_treatment, dims="study")
pm.Binomial("control_observed", n=n_control, logit_p=logit_control,
            observed=events_control, dims="study")
"""


def source(model: Model) -> str:
    """Return PyMC source for `model` that runs as it stands once the data are defined."""
    body = "".join(_prior_line(name, prior) for name, prior in model.priors.items())
    lines = (body + _body(model)).splitlines()
    return _HEAD + "".join(f"    {line}\n" for line in lines)


@singledispatch
def _body(model: Model) -> str:
    raise ModelError(f"There is no PyMC form of {type(model).__name__}.")


@_body.register
def _common_effect(_: CommonEffect) -> str:
    return 'pm.Normal("y_observed", mu, se, observed=y, dims="study")\n'


@_body.register
def _normal_normal(_: NormalNormal) -> str:
    return _EFFECTS + 'pm.Normal("y_observed", theta, se, observed=y, dims="study")\n'


@_body.register
def _binomial_normal(model: BinomialNormal) -> str:
    return _EFFECTS + (_OR if model.measure == "OR" else _RR) + _ARMS


def _prior_line(name: str, prior: Prior) -> str:
    family, arguments = _PYMC[type(prior)]
    numbers = ", ".join(
        f"{argument}={value!r}"
        for argument, value in zip(arguments, prior.numbers.values(), strict=True)
    )
    dims = ', dims="study"' if name == "baseline" else ""
    return f'{name} = pm.{family}("{name}", {numbers}{dims})\n'


@singledispatch
def mathematics(model: Model) -> tuple[str, ...]:
    """Return the model line by line in mathematical notation, priors last."""
    raise ModelError(f"There is no notation for {type(model).__name__}.")


@mathematics.register
def _common_effect_lines(model: CommonEffect) -> tuple[str, ...]:
    return ("yᵢ ~ Normal(μ, seᵢ)   (mean, standard deviation)", *_prior_lines(model))


@mathematics.register
def _normal_normal_lines(model: NormalNormal) -> tuple[str, ...]:
    return (
        "yᵢ ~ Normal(θᵢ, seᵢ)   (mean, standard deviation)",
        "θᵢ ~ Normal(μ, τ),   θ_new ~ Normal(μ, τ)",
        *_prior_lines(model),
    )


@mathematics.register
def _binomial_normal_lines(model: BinomialNormal) -> tuple[str, ...]:
    arms = {
        "OR": ("logit pᵢ₁ = βᵢ + θᵢ/2,   logit pᵢ₀ = βᵢ − θᵢ/2   (±½ coding)",),
        "RR": (
            "pᵢ₁ = pᵢ₀ exp(θᵢ)",
            "2βᵢ = log[ pᵢ₁ pᵢ₀ / ((1 − pᵢ₁)(1 − pᵢ₀)) ]   (log odds product)",
            "pᵢ₀ = 2 / (1 + a + √((1 − a)² + 4a exp(−2βᵢ))),   a = exp(θᵢ)",
        ),
    }
    return (
        "events_treatmentᵢ ~ Binomial(n_treatmentᵢ, pᵢ₁)",
        "events_controlᵢ ~ Binomial(n_controlᵢ, pᵢ₀)",
        *arms[model.measure],
        "θᵢ ~ Normal(μ, τ),   θ_new ~ Normal(μ, τ)",
        *_prior_lines(model),
    )


_SYMBOL = {"mu": "μ", "tau": "τ", "baseline": "βᵢ"}


def _prior_lines(model: Model) -> tuple[str, ...]:
    return tuple(f"{_SYMBOL[name]} ~ {prior!r}" for name, prior in model.priors.items())
