"""What Python is given, looked at before it is used: a word, numbers, a frame, a mapping."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from .errors import BayesmetaError, DataError, ModelError
from .ways import shown


def is_among(value: object, choices: Collection[object]) -> bool:
    """Whether a value is one of some words or whole numbers; arrays and the like are none."""
    return isinstance(value, str | int | None) and value in choices


def is_iterable(given: object) -> bool:
    """Whether it can be gone through; an array of no dimension says that it can, and cannot."""
    return isinstance(given, Iterable) and getattr(given, "ndim", 1) != 0


def as_text(cell: object) -> str:
    """Text of whatever is given; what has none is shown as messages do."""
    try:
        return str(cell)
    except Exception:  # noqa: BLE001 - it may be a number of 5,000 digits, or of any type
        return shown(cell)


def unmasked(values: object) -> object:
    """An array with NaN where it is masked: NumPy would hand out what the mask hides."""
    if isinstance(values, np.ma.MaskedArray):
        return np.ma.filled(values.astype(np.float64), np.nan)
    return values


def floats(
    values: object, name: str, refusal: type[BayesmetaError] = ModelError
) -> NDArray[np.float64]:
    """Numbers in double precision, of whatever shape they are given in.

    Parameters
    ----------
    values : array_like
    name : str
        Of the argument.
    refusal : type
        What is raised.

    Raises
    ------
    BayesmetaError
        If it is no array of real numbers.
    """
    try:
        return np.asarray(unmasked(values), dtype=np.float64)
    except (TypeError, ValueError, OverflowError, RecursionError, ArithmeticError):
        got = shown(values)
        raise refusal(f"{name} must be a number or an array of numbers, got {got}.") from None


def number(value: object, name: str, refusal: type[BayesmetaError] = ModelError) -> float:
    """One real number.

    Raises
    ------
    BayesmetaError
        If it is anything else.
    """
    found = floats(value, name, refusal)
    if found.ndim or isinstance(value, str | bytes | bool):
        raise refusal(f"{name} must be one number, got {shown(value)}.")
    return float(found)


def check_switch(value: object, name: str) -> None:
    """Refuse what is neither True nor False.

    Raises
    ------
    DataError
    """
    if not isinstance(value, bool | np.bool_):
        raise DataError(f"{name} is True or False, got {shown(value)}.")


def check_frame(frame: object, name: str = "frame") -> None:
    """Refuse what is no table.

    Raises
    ------
    DataError
    """
    if not (hasattr(frame, "columns") and hasattr(frame, "iloc")):
        raise DataError(f"{name} must be a table (DataFrame), got {shown(frame)}.")


def check_mapping(value: object, name: str, example: str) -> None:
    """Refuse what is neither a mapping nor None.

    Raises
    ------
    DataError
    """
    if value is not None and not isinstance(value, Mapping):
        raise DataError(f"{name} is a mapping such as {example}, got {shown(value)}.")


def check_whole(value: object, name: str, least: int, most: int = 2**63 - 1) -> None:
    """Refuse what is no whole number in its range.

    Raises
    ------
    ModelError
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not least <= int(value) <= most:  # pyright: ignore[reportArgumentType]
        upper = f" and at most {most:,}" if most < 2**63 - 1 else ""
        raise ModelError(
            f"{name} must be a whole number, {least} or more{upper}; got {shown(value)}."
        )
