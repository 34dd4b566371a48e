"""What all PyMC models are made of: priors with their numbers as inputs, and study effects."""

# PyTensor types every operation as possibly None:
# pyright: reportReturnType=false

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.logprob.transforms import Transform
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from ...errors import ModelError
from ...model import (
    COEFFICIENT,
    DESIGN,
    Coefficients,
    Likelihood,
    Location,
    Model,
    NormalSpread,
    NoSpread,
    Overall,
    Spread,
    StudentTSpread,
)
from ...priors import Beta, Mixture, Normal, Prior, StudentT, Uniform
from ._log_student_t import LOG_STUDENT_T
from .source import one_support, pymc_form

type Numbers = Mapping[str, Any]  # of PyTensor
type Columns = Mapping[str, TensorVariable]

_OWN: Mapping[str, Any] = {"LogStudentT": LOG_STUDENT_T}  # what PyMC has no distribution of


@singledispatch
def likelihood(of: Likelihood, model: Model, data: Mapping[str, TensorVariable]) -> None:
    """Add the priors and the likelihood of `model` to the ``pm.Model`` on the stack."""
    raise ModelError(f"There is no PyMC form of {model.name}.")


def study_effects(model: Model, data: Columns) -> TensorVariable:
    """Add the effects of the studies: where they are expected, and how they lie about that."""
    return about(model.between, expected(model.location, data))


@singledispatch
def expected(location: Location, data: Columns) -> TensorVariable:
    """Add the expected effect of each study, or of all."""
    raise ModelError(f"There is no PyMC form of {location!r}.")


@expected.register
def _(location: Overall, data: Columns) -> TensorVariable:
    return prior("mu", location.mu)


@expected.register
def _(location: Coefficients, data: Columns) -> TensorVariable:
    each = [prior(name, one) for name, one in location.priors.items()]
    coefficients = pm.Deterministic(COEFFICIENT, pt.stack(each))
    return coefficients @ data[DESIGN]


@singledispatch
def about(between: Spread, mu: TensorVariable) -> TensorVariable:
    """Add study effects about `mu`, non-centred: theta = mu + tau z."""
    raise ModelError(f"There is no PyMC form of {between!r}.")


@about.register
def _(_: NoSpread, mu: TensorVariable) -> TensorVariable:
    return mu


@about.register
def _(between: NormalSpread, mu: TensorVariable) -> TensorVariable:
    tau = prior("tau", between.tau)
    z = pm.Normal("z", 0.0, 1.0, dims="study")
    return pm.Deterministic("theta", mu + tau * z, dims="study")


@about.register
def _(between: StudentTSpread, mu: TensorVariable) -> TensorVariable:
    tau = prior("tau", between.tau)
    if not isinstance(between.df, Prior):
        z = pm.StudentT("z", nu=between.df, mu=0.0, sigma=1.0, dims="study")
        return pm.Deterministic("theta", mu + tau * z, dims="study")
    scale = tau / pt.sqrt(weights(prior("df", between.df)))
    z = pm.Normal("z", 0.0, 1.0, dims="study")
    return pm.Deterministic("theta", mu + scale * z, dims="study")


def weights(df: TensorVariable) -> TensorVariable:
    """Weights of the studies, one each: a normal effect over the root of its weight is Student-t.

    So chains follow the tails of few degrees of freedom, where one Student-t variable would not.
    """
    return pm.Gamma("weight", df / 2, df / 2, dims="study", default_transform=Scaled())


class Scaled(Transform):
    """Logarithm of a gamma variable over about its standard deviation, which varies with df."""

    name = "scaled"

    def forward(self, value: TensorVariable, *inputs: Variable) -> TensorVariable:
        """Return log(value) / sd."""
        return pt.log(value) / self._sd(inputs)

    def backward(self, value: TensorVariable, *inputs: Variable) -> TensorVariable:
        """Return the gamma variable."""
        return pt.exp(value * self._sd(inputs))

    def log_jac_det(self, value: TensorVariable, *inputs: Variable) -> TensorVariable:
        """Return the log of the slope of `backward`."""
        sd = self._sd(inputs)
        return value * sd + pt.log(sd)

    def _sd(self, inputs: tuple[Variable, ...]) -> TensorVariable:
        shape = inputs[-2]
        return pt.sqrt(1 / shape + 1 / shape**2)  # pyright: ignore[reportOperatorIssue]


def prior(name: str, spec: Prior, **dims: str) -> TensorVariable:
    """Add a prior with its numbers as data, e.g. ``mu_mean`` and ``mu_sd``."""
    numbers = {
        field: pm.Data(f"{name}_{field}", np.float64(value))
        for field, value in spec.numbers.items()
    }
    return _variable(spec, name, numbers, **dims)


def _variable(spec: Prior, name: str, numbers: Numbers, **dims: str) -> TensorVariable:
    if isinstance(spec, Mixture):
        return _mixture(spec, name, numbers, **dims)
    family, arguments = _form(name, spec, numbers)
    return family(name, **arguments, **dims)


def _form(name: str, spec: Prior, numbers: Numbers) -> tuple[Any, Numbers]:
    """The PyMC distribution of a prior, and its arguments."""
    family, arguments = pymc_form(name, spec)
    return _OWN.get(family) or getattr(pm, family), dict(
        zip(arguments, numbers.values(), strict=True)
    )


def _mixture(spec: Mixture, name: str, numbers: Numbers, **dims: str) -> TensorVariable:
    components = []
    for which, part in (("first", spec.first), ("second", spec.second)):
        family, arguments = _form(
            name, part, {one: numbers[f"{which}_{one}"] for one in part.numbers}
        )
        components.append(family.dist(**arguments))
    w = pt.stack([numbers["weight"], 1 - numbers["weight"]])
    extra = {} if one_support(spec) else {"default_transform": _hull(spec)}
    if "dims" in dims:  # PyMC infers no fixed shape of a mixture from its dims
        extra["shape"] = len(pm.modelcontext(None).coords[dims["dims"]])  # pyright: ignore[reportArgumentType]
    return pm.Mixture(name, w=w, comp_dists=components, **extra, **dims)


def _hull(spec: Mixture) -> pm.distributions.transforms.Interval | None:
    """Map the hull of two supports to the real line, whatever their numbers are."""

    def bounds(
        _rng: object, _w: object, first: TensorVariable, second: TensorVariable
    ) -> tuple[object, object]:
        ends = zip(_ends(spec.first, first), _ends(spec.second, second), strict=True)
        (low, other_low), (high, other_high) = ends
        return (
            None if low is None or other_low is None else pt.minimum(low, other_low),
            None if high is None or other_high is None else pt.maximum(high, other_high),
        )

    if np.isinf(spec.support).all():
        return None
    return pm.distributions.transforms.Interval(bounds_fn=bounds)


def _ends(spec: Prior, variable: TensorVariable) -> tuple[object, object]:
    """Ends of a component's support, those of a Uniform as the numbers that are its inputs."""
    match spec:
        case Normal() | StudentT():
            return None, None
        case Uniform():
            return tuple(variable.owner.inputs[-2:])
        case Beta():
            return 0.0, 1.0
        case _:
            return 0.0, None
