"""Units of measurement that stand in a fixed proportion, and one unit for a whole table."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

# Each group by its size in one of its units. Molar units are absent: mg/L and mmol/L are not
# proportional without the molecule.
GROUPS: tuple[Mapping[str, float], ...] = (
    {
        "g/L": 1e3,
        "mg/dL": 1e1,
        "mg/L": 1.0,
        "ug/mL": 1.0,
        "ug/L": 1e-3,
        "ng/mL": 1e-3,
        "pg/mL": 1e-6,
        "ng/L": 1e-6,
    },
    {"min": 1.0, "h": 60.0, "d": 1440.0, "wk": 10080.0},
    {"kg": 1e3, "g": 1.0, "mg": 1e-3, "lb": 453.59237},
    {"m": 1e2, "cm": 1.0, "mm": 0.1},
)
SPELLINGS = {
    "minute": "min",
    "minutes": "min",
    "mins": "min",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "day": "d",
    "days": "d",
    "week": "wk",
    "weeks": "wk",
    "lbs": "lb",
    "kilogram": "kg",
    "kilograms": "kg",
}
_KNOWN = {name: group for group in GROUPS for name in group}
_ANY_CASE = {name.casefold(): name for name in _KNOWN if len(name) > 1} | SPELLINGS


def one_unit(
    unit: Sequence[str],
) -> tuple[NDArray[np.float64], tuple[str, ...], tuple[str, ...]]:
    """Convert to the first row's unit, where units stand in a fixed proportion.

    Parameters
    ----------
    unit : sequence of str, length k
        As the table says it; ``""`` where it does not.

    Returns
    -------
    factor : ndarray, shape (k,)
        What a figure in the row's own unit is multiplied by.
    unit : tuple of str, length k
        What the figures are in then.
    how : tuple of str, length k
        What was done, in words; ``""`` where nothing was.

    Examples
    --------
    >>> one_unit(["mg/L", "mg/dL", "points"])[:2]
    (array([ 1., 10.,  1.]), ('mg/L', 'mg/L', 'points'))
    """
    first: dict[int, str] = {}
    factor = np.ones(len(unit))
    said, how = list(unit), [""] * len(unit)
    for i, text in enumerate(unit):
        name = _known(text)
        if name is None:
            continue
        group = _KNOWN[name]
        target = first.setdefault(id(group), text)
        factor[i] = group[name] / group[_known(target) or name]
        said[i] = target
        if factor[i] != 1:
            how[i] = f"converted from {text} to {target} (× {factor[i]:.6g})"
    return factor, tuple(said), tuple(how)


def _known(text: str) -> str | None:
    """The unit's name here, or None; one letter counts in its own case only (M is not m)."""
    plain = "".join(text.split()).replace("µ", "u").replace("μ", "u").replace("mcg", "ug")
    return plain if plain in _KNOWN else _ANY_CASE.get(plain.casefold())
