"""How outcomes depend on one another: a correlation of their mean effects, as normal scores."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import floats
from ...errors import ModelError
from ...ways import way

type Array = NDArray[np.float64]

LEAST = 1e-10  # of an eigenvalue


@final
@dataclass(frozen=True, slots=True, eq=False)
class Dependence:
    """Correlations of mean effects, each oriented so that more of it is a benefit.

    Attributes
    ----------
    correlation : ndarray, shape (m, m)
        Of normal scores.
    stated : bool
        Whether it was; else outcomes are independent.
    """

    correlation: Array
    stated: bool

    @property
    def spearman(self) -> Array:
        """The rank correlations that normal scores so correlated have, (m, m)."""
        return 6 / np.pi * np.arcsin(self.correlation / 2)

    def scores(self, n: int, rng: np.random.Generator) -> Array:
        """Draw normal scores so correlated, (n, m)."""
        free = rng.standard_normal((n, len(self.correlation)))
        return free @ np.linalg.cholesky(self.correlation).T if self.stated else free


def dependence(given: float | ArrayLike | None, m: int) -> Dependence:
    """Read one common correlation of m outcomes, or all of them.

    Raises
    ------
    ModelError
        If they are none that m numbers can have.
    """
    if given is None:
        return Dependence(np.eye(m), stated=False)
    found = floats(given, "correlation")
    if found.ndim == 0:
        found = np.where(np.eye(m) == 1, 1.0, found)
    if found.shape != (m, m):
        raise ModelError(
            f"correlation is one number, or {m} rows of {m} for {m} outcomes, not of shape "
            f"{found.shape}."
        )
    alike = np.isfinite(found).all() and np.allclose(found, found.T, rtol=0, atol=1e-12)
    if not alike or not np.allclose(np.diag(found), 1, rtol=0, atol=1e-12):
        raise ModelError("correlation must be finite and symmetric, with ones in its diagonal.")
    least = float(np.linalg.eigvalsh(found)[0])
    if least < LEAST:
        raise ModelError(_impossible(given, m, least))
    return Dependence(found, stated=True)


def _impossible(given: float | ArrayLike, m: int, least: float) -> str:
    if np.ndim(given) > 0:  # pyright: ignore[reportArgumentType]
        return (
            f"correlation is not positive definite: its smallest eigenvalue is {least:.4g}; no "
            "outcomes are so correlated, so bring its entries nearer to 0."
        )
    end = f"-1/{m - 1}" if m > 2 else "-1"
    return (
        f"{way('correlation', given)} among {m} outcomes is not positive definite: its smallest "
        f"eigenvalue is {least:.4g}; a common value lies above {end} and below 1."
    )
