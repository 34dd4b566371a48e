"""The log-Student-t in PyMC, which has none of its own: the exponential of a Student-t."""

from typing import Any

import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable


class _LogStudentT:
    """Called as the distributions of PyMC are."""

    def __call__(self, name: str, *, nu: Any, mu: Any, sigma: Any, **dims: Any) -> TensorVariable:  # noqa: ANN401 - of PyTensor
        """Add a variable of this law to the model on the stack."""
        on_log = pm.distributions.transforms.log
        law = {"dist": _exponential, "default_transform": on_log}
        return pm.CustomDist(name, nu, mu, sigma, **law, **dims)  # pyright: ignore[reportReturnType]

    def dist(self, *, nu: Any, mu: Any, sigma: Any) -> TensorVariable:  # noqa: ANN401 - of PyTensor
        """Return a variable of this law by itself, for a mixture."""
        return pm.CustomDist.dist(nu, mu, sigma, dist=_exponential, class_name="LogStudentT")


def _exponential(nu: Any, mu: Any, sigma: Any, size: Any) -> TensorVariable:  # noqa: ANN401 - of PyTensor
    return pt.exp(pm.StudentT.dist(nu=nu, mu=mu, sigma=sigma, size=size))  # pyright: ignore[reportReturnType]


LOG_STUDENT_T = _LogStudentT()
