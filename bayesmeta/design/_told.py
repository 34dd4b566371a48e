"""What the studies tell of the coefficients of a design, and what they do not."""

from collections.abc import Iterator
from math import prod

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..ways import shown
from ._matrix import Design

SMALLEST = 1e-10  # singular value, of columns of length one, of a column that follows from others
INVOLVED = 1e-6  # share of a column in what follows from others
ITS, THEIRS = "its posterior is its prior", "their posteriors are their priors"


def check_told_apart(made: Design) -> None:
    """Refuse columns that are empty, follow from others, or are more than the studies.

    Raises
    ------
    ModelError
    """
    formula, (k, p) = shown(made.formula.text), made.matrix.shape
    if k < p:
        raise ModelError(
            f"The formula {formula} has {p} coefficients and only {k} of the studies "
            "have all its covariates; leave terms out."
        )
    if empty := _named(made, ~told(made)):
        raise ModelError(
            f"The formula {formula} has a column {shown(empty[0])} of which no study "
            "says anything, for it is zero in all; leave the term out, or join levels."
        )
    if together := _together(made):
        raise ModelError(
            f"The formula {formula} has columns that follow from one another in these "
            f"studies, so that their coefficients cannot be told apart: {', '.join(together)}; "
            "leave a term out (an interaction of factors is written a*b)."
        )


def check_flat(made: Design, flat: NDArray[np.bool_]) -> None:
    """Refuse flat priors of coefficients, (p,), of which the studies say nothing by themselves.

    Raises
    ------
    ModelError
    """
    if np.linalg.matrix_rank(made.matrix[:, flat]) == flat.sum():
        return
    if empty := _named(made, flat & ~told(made)):
        name = next((one for one in _alike(made) if one in empty), empty[0])
        where = f"{name} is {_value(made, name)}" if name in _alike(made) else f"{name} is zero"
        raise ModelError(
            f"{where} in all studies, so that its coefficient has no posterior under a flat prior; "
            "give it a proper one, Normal(0, 2) say, or leave it out of the formula."
        )
    raise ModelError(
        "Coefficients with flat priors cannot be told apart in these studies: "
        f"{', '.join(_named(made, flat))}; give them proper ones, e.g. Normal(0, 2)."
    )


def told(made: Design) -> NDArray[np.bool_]:
    """Columns that are not zero in all studies, (p,)."""
    return made.matrix.any(axis=0)


def tells(made: Design, row: NDArray[np.float64]) -> bool:
    """Whether the studies tell of a combination of coefficients, (p,), by themselves.

    That is whether it is a combination of their own rows of the design.
    """
    of_studies = np.linalg.pinv(made.matrix, rcond=SMALLEST) @ made.matrix
    return bool(np.linalg.norm(row - row @ of_studies) <= INVOLVED * np.linalg.norm(row))


def untold(made: Design) -> Iterator[str]:
    """Say in a sentence each what rests on the priors alone."""
    empty = _named(made, ~told(made))
    for name in _alike(made):
        own = [one for one, of in zip(made.names, _variables(made), strict=True) if name in of]
        more = [one for one in own if one != name]
        said = "its slope" if not more else f"the coefficients {', '.join(own)}"
        yield (
            f"{name} is {_value(made, name)} in all studies: the data say nothing of {said}; "
            f"{THEIRS if more else ITS}."
        )
        empty = [one for one in empty if one not in own]
    for name, levels in made.levels.items():
        if len(levels) == 1:
            yield (
                f"{name} is {shown(levels[0])} in all studies: there is nothing to compare that "
                "level with."
            )
    if empty:
        one = len(empty) == 1
        yield (
            f"No study says anything of {', '.join(empty)}, for {'it is' if one else 'they are'} "
            f"zero in all: {ITS if one else THEIRS}."
        )
    if together := _together(made):
        yield (
            f"The studies do not tell {', '.join(together)} apart: each of these coefficients by "
            "itself rests on its prior."
        )


def _alike(made: Design) -> list[str]:
    """Numbers that are the same in all studies, whose columns are zero."""
    empty = _named(made, ~told(made))
    return [name for name in made.centres if name in empty]


def _value(made: Design, name: str) -> str:
    return f"{made.centres[name]:.15g}"


def _variables(made: Design) -> Iterator[tuple[str, ...]]:
    """Covariates of which each column is made."""
    if "intercept" in made.kinds:
        yield ()
    for term in made.terms:
        for _ in range(prod(len(one.names) for one in term)):
            yield tuple(one.variable for one in term)


def _named(made: Design, which: NDArray[np.bool_]) -> list[str]:
    return [name for name, one in zip(made.names, which, strict=True) if one]


def _together(made: Design) -> list[str]:
    """Names of the columns, none of them empty, that follow from one another."""
    there = told(made)
    matrix = made.matrix[:, there]
    unit = matrix / np.linalg.norm(matrix, axis=0)
    square = np.pad(unit, ((0, max(0, unit.shape[1] - unit.shape[0])), (0, 0)))
    _, values, turns = np.linalg.svd(square, full_matrices=False)
    spare = np.abs(turns[values < SMALLEST]).max(axis=0, initial=0)
    return [one for one, share in zip(_named(made, there), spare, strict=True) if share > INVOLVED]
