"""The tables that a specification names: which rows a scenario uses, and of what files they are."""

from .data import Rows, account_beside, by_quantiles, data_of, table_of
from .hashes import hashes_of
from .outside import lies_outside, quoted_nowhere, unquoted
from .selection import select
from .single import single_arms, table_baseline

__all__ = [
    "Rows",
    "account_beside",
    "by_quantiles",
    "data_of",
    "hashes_of",
    "lies_outside",
    "quoted_nowhere",
    "select",
    "single_arms",
    "table_baseline",
    "table_of",
    "unquoted",
]
