"""Published priors with their provenance: which numbers, of what, made for what, printed where.

The numbers stand in ``priors.csv`` as they were published, their sources in ``sources.toml``; no
number is there that was not read in a source. What is known to exist and was not read is listed as
not held.
"""

from .search import Found, from_library, published_prior, search
from .table import NotHeld, not_held, published_priors

__all__ = [
    "Found",
    "NotHeld",
    "from_library",
    "not_held",
    "published_prior",
    "published_priors",
    "search",
]
