"""A baseline from the fit of the effects beside the one that other models would have."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from ..posterior import Posterior
from .baselines import Baseline, baseline, drawn_with
from .together import MODEL


def of_fit(given: object, fit: Posterior) -> object:
    """Put the fit where its own baseline is asked for, by ``"model"``; leave the rest as it is."""
    if isinstance(given, Mapping):
        return {name: of_fit(one, fit) for name, one in given.items()}
    return fit if isinstance(given, str) and given.strip() == MODEL else given


def moved(one: Baseline, fit: Posterior, other: Posterior) -> Baseline:
    """Return a baseline that `fit` drew with its effects as `other` draws it; else as it is.

    Parameters
    ----------
    one : Baseline
    fit, other : Posterior
        Of two measures, by the same model of the same counts.
    """
    if one.arms is None or not one.belongs_to(fit):
        return one
    return drawn_with(replace(one.arms, fit=other), one.said)


def apart(bases: Iterable[Baseline], fit: Posterior, prob: float = 0.95) -> str:
    """Say what the baseline of a fit is, what other models would have, and what goes with it.

    Parameters
    ----------
    bases : iterable of Baseline
        At most the first that comes from `fit` is said.
    fit : Posterior
    prob : float
        Of the intervals.

    Returns
    -------
    str
        Empty where none comes from the fit.
    """
    own = next((one for one in bases if one.belongs_to(fit)), None)
    if own is None or own.arms is None:
        return ""
    usual = baseline(fit.data, new=own.arms.new)
    pairs = own.arms.pairs()
    rank = np.argsort(np.argsort(pairs.risk))
    average, new = (np.corrcoef(rank, np.argsort(np.argsort(one)))[0, 1] for one in pairs[:2])
    return (
        f"The risk without the treatment is drawn together with the effect, from one fit: mean "
        f"{_told(own, prob)}; by a model of the control arms alone, the usual one, it would be "
        f"{_told(usual, prob)}. Its rank correlation with the effect is {_signed(average)} for the "
        f"average and {_signed(new)} in the same new setting."
    )


def _told(one: Baseline, prob: float) -> str:
    low, high = one.interval(prob)
    return f"{one.mean:.3f} [{low:.3f}, {high:.3f}]"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
