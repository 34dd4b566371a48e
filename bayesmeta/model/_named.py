"""Priors by the names of outcomes or of covariates."""

from collections.abc import Iterator, Mapping
from typing import final

from ..priors import Prior


@final
class Named(Mapping[str, Prior]):
    """Priors by name: a mapping that does not change, so that a model stays a value."""

    __slots__ = ("_priors",)

    def __init__(self, priors: Mapping[str, Prior]) -> None:
        self._priors = dict(priors)

    def __getitem__(self, name: str) -> Prior:
        return self._priors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._priors)

    def __len__(self) -> int:
        return len(self._priors)

    def __hash__(self) -> int:
        return hash(frozenset(self._priors.items()))

    def __repr__(self) -> str:
        return repr(self._priors)
