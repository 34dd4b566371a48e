"""Tables that an analysis takes, or refuses with an error of its own."""

from ..errors import BayesmetaError
from ..studies import BinaryStudies


def two_arms(data: object, otherwise: BayesmetaError) -> BinaryStudies:
    """Counts of two arms; anything else raises `otherwise`."""
    if not isinstance(data, BinaryStudies):
        raise otherwise
    return data
