"""Formulas of numbers alone over many tables at once."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._formula import Formula
from ._matrix import Floats

NEARLY = 1e-8  # smallest eigenvalue, of columns of length one, of what may follow from others


class Lines(NamedTuple):
    """The designs of many tables of at most k studies.

    Attributes
    ----------
    names, kinds : tuple of str, length p
        As those of `Design`.
    matrix : ndarray, shape (n, k, p)
        Zero where there is no study.
    centres, scales : mapping of str to ndarray, shape (n,)
        What was taken off each covariate in each table, and by what the rest was divided.
    clear : ndarray of bool, shape (n,)
        Tables whose columns are far from following from one another; `design` says it of others.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    matrix: Floats
    centres: Mapping[str, Floats]
    scales: Mapping[str, Floats]
    clear: NDArray[np.bool_]


def names_of_lines(formula: Formula) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Names and kinds of the columns if all covariates are numbers; None if some cannot be.

    Nor if two columns have one name, which `design` refuses.
    """
    if any(factor.function for term in formula.terms for factor in term):
        return None
    names = [":".join(factor.variable for factor in term) for term in formula.terms]
    first = ["intercept"] if formula.intercept else []
    if len({*first, *names}) < len(first) + len(names):
        return None
    return (*first, *names), (*first, *("slope" for _ in names))


def lines(
    formula: Formula,
    columns: Mapping[str, Floats],
    present: NDArray[np.bool_],
    *,
    centre: bool,
    scale: bool,
) -> Lines | None:
    """Make the designs of many tables, as `design` makes that of each.

    Parameters
    ----------
    formula : Formula
    columns : mapping of str to ndarray, shape (n, k)
        Its covariates; of words no lines are made.
    present : ndarray of bool, shape (n, k)
        Which of them are studies; all have all covariates.
    centre, scale : bool
        As in `design`.
    """
    known = names_of_lines(formula)
    if known is None or any(columns[one].dtype.kind != "f" for one in formula.variables):
        return None
    k = present.sum(axis=1)
    made, centres, scales = dict[str, Floats](), dict[str, Floats](), dict[str, Floats]()
    for name in formula.variables:
        x = np.where(present, columns[name], 0.0)
        middle = x.sum(axis=1) / np.maximum(k, 1)
        gap = np.where(present, x - middle[:, None], 0.0)
        sd = np.sqrt((gap**2).sum(axis=1) / np.maximum(k - 1, 1))
        centred = centre and formula.intercept
        centres[name] = middle if centred else np.zeros_like(middle)
        scales[name] = sd if scale else np.ones_like(sd)
        varies = np.where(sd > 0, scales[name], 1.0)
        made[name] = (gap if centred else x) / varies[:, None]
    first = [present * 1.0] if formula.intercept else []
    terms = [np.prod([made[one.variable] for one in term], axis=0) for term in formula.terms]
    matrix: Floats = np.stack([*first, *terms], axis=-1)  # pyright: ignore[reportAssignmentType]
    return Lines(*known, matrix, centres, scales, _clear(matrix, k))


def _clear(matrix: Floats, k: NDArray[np.intp]) -> NDArray[np.bool_]:
    p = matrix.shape[-1]
    lengths = np.sqrt((matrix**2).sum(axis=1))
    unit = matrix / np.where(lengths > 0, lengths, 1.0)[:, None]
    least = np.linalg.eigvalsh(unit.swapaxes(1, 2) @ unit)[:, 0]
    return (k >= p) & (lengths > 0).all(axis=1) & (least > NEARLY)
