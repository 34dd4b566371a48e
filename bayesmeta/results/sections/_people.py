"""What absolute effects say in words: how likely benefit and harm are, and the other ratio."""

from collections.abc import Sequence

from ...decision import AVERAGE, OTHER, AbsoluteEffect, AbsoluteEffects, why_alone
from ...effects import MEASURES
from ..display import number, percent


def chances(found: AbsoluteEffects) -> str:
    """Say how likely a benefit, a harm, and a benefit that matters are.

    Parameters
    ----------
    found : AbsoluteEffects

    Returns
    -------
    str
        A sentence for the average effect, and one for the effect in a new setting.
    """
    effects = dict.fromkeys(row.effect for row in found.stated)
    each = ([row for row in found.stated if row.effect == effect] for effect in effects)
    return " ".join(_chance(rows, found) for rows in each)


def _chance(rows: Sequence[AbsoluteEffect], found: AbsoluteEffects) -> str:
    """Benefit and harm do not hang on the baseline; how large they are does."""
    first = rows[0]
    said = (
        f"{first.effect[0].upper()}{first.effect[1:]}: any benefit {percent(first.prob_benefit)}, "
        f"harm {percent(first.prob_harm)}"
    )
    if found.threshold is None:
        return f"{said}."
    least = f"{found.threshold:g} {unit_of(found)}".strip()
    shares = [f"{percent(row.prob_important)}{_at(row)}" for row in rows]
    return f"{said}, a benefit of at least {least} {'; '.join(shares)}."


def _at(row: AbsoluteEffect) -> str:
    return f" at the {row.of_baseline}" if row.of_baseline else ""


def unit_of(found: AbsoluteEffects) -> str:
    """What a difference is told in."""
    if found.rows[0].baseline.kind == "mean":
        return found.unit
    return f"per {found.per:,g}"


def beside_in_words(found: AbsoluteEffects) -> str:
    """Say by how much the other ratio, if it were the constant one, would move the differences.

    Parameters
    ----------
    found : AbsoluteEffects

    Returns
    -------
    str
        Why there is none, where the measure is a ratio and no other stands beside it; empty of
        other measures.
    """
    if found.measure not in OTHER or found.rows[0].baseline.kind != "risk":
        return ""
    other = MEASURES[OTHER[found.measure]].words
    if found.beside is None:
        why = why_alone(found.posterior) or "its fit failed a numerical gate and is left out"
        return f"Nothing is said of a constant {other} in its place: {why}."
    priors = found.beside.posterior.model.priors
    taken = f"mu ~ {priors['mu']!r}" + (f", tau ~ {priors['tau']!r}" if "tau" in priors else "")
    moves = [
        _move(row, other)
        for row, other in zip(found.rows, found.beside.rows, strict=True)
        if row.effect == AVERAGE and not row.at_median
    ]
    return (
        f"With a constant {other} in its place, fitted to the same counts with the same priors of "
        f"its logarithm ({taken}), the median difference {unit_of(found)} of the average effect "
        f"would be {'; '.join(moves)}."
    )


def _move(row: AbsoluteEffect, other: AbsoluteEffect) -> str:
    """Both medians, and how far the second lies from the first."""
    ours, theirs = row.difference[0], other.difference[0]
    apart = number(abs(theirs - ours), 1)
    return f"{number(theirs, 1)} in place of {number(ours, 1)}{_at(row)}, {apart} apart"
