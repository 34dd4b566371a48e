"""The effect in a new setting, by the model's own law, from a normal score for each draw."""

from collections.abc import Mapping
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from ...errors import ModelError
from ...model import CorrelatedSpread, NoSpread, OutlierSpread, Scatter, Spread

type Array = NDArray[np.float64]


@singledispatch
def new_effect(
    between: Spread, drawn: Mapping[str, Array], score: Array, rng: np.random.Generator
) -> Array | None:
    """Draw the effect in a new setting given each draw of what all studies share.

    Parameters
    ----------
    between : Spread
    drawn : mapping of str to ndarray, each (n,)
        ``mu``, ``tau`` and what else the spread has.
    score : ndarray, shape (n,)
        Standard normal: where in its distribution the setting lies.
    rng : Generator
        For what a score does not tell.

    Returns
    -------
    ndarray, shape (n,), or None
        None where all settings have one effect.
    """
    raise ModelError(f"How a new effect is drawn is not known with {between!r}.")


@new_effect.register
def _(
    between: NoSpread, drawn: Mapping[str, Array], score: Array, rng: np.random.Generator
) -> None:
    return None


@new_effect.register
def _(
    between: Scatter, drawn: Mapping[str, Array], score: Array, rng: np.random.Generator
) -> Array:
    df = drawn.get("df", between.df)  # pyright: ignore[reportArgumentType, reportCallIssue]
    noise = score if df is None else stdtrit(df, ndtr(score))
    return drawn["mu"] + drawn["tau"] * noise


@new_effect.register
def _(
    between: OutlierSpread, drawn: Mapping[str, Array], score: Array, rng: np.random.Generator
) -> Array:
    wide = rng.uniform(size=score.size) < drawn["share"]
    return drawn["mu"] + np.hypot(drawn["tau"], wide * drawn["spread"]) * score


@new_effect.register
def _(
    between: CorrelatedSpread, drawn: Mapping[str, Array], score: Array, rng: np.random.Generator
) -> Array:
    """Drawn with the effects of all outcomes in the same setting."""
    return drawn["theta_new"]
