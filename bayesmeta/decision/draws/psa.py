"""Joint draws of every outcome of a decision model, for probabilistic sensitivity analysis."""

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import check_mapping, check_whole, is_among
from ...errors import ModelError
from ...posterior import MOST_DRAWS
from ...summaries import percent
from ...ways import shown, way
from .dependence import Dependence, dependence
from .joint import Psa, Told, joint
from .strands import (
    UNBOUND,
    PsaOutcome,
    Rows,
    Strand,
    beyond,
    draw,
    likely_beyond,
    may_lift,
    seed_of,
    strand,
    with_odds,
)

type Array = NDArray[np.float64]

EXAMPLE = "{'mortality': PsaOutcome(fit, better='lower')}"


def psa(
    outcomes: Mapping[str, PsaOutcome],
    *,
    draws: int = 10_000,
    seed: int = 0,
    correlation: float | ArrayLike | None = None,
    risk_from: str | None = None,
) -> Psa:
    """Draw effects, baselines and what happens with the treatment, of all outcomes together.

    A row holds one draw: of the mean effects, of the effects in a new setting, of the baselines,
    and of the risks, rates or means that follow. Outcomes are independent unless a correlation is
    stated, which is of the posteriors of their mean effects and, with the same scores, of where a
    new setting lies about these; it is not the correlation of outcomes within patients. Whole rows
    of an outcome change places until its mean effects have the order of the scores, so that no
    distribution changes. Outcomes of one fit are drawn as that fit has them.

    Parameters
    ----------
    outcomes : mapping of str to PsaOutcome
        By the name with which their columns begin.
    draws : int
    seed : int
        The same seed gives the same draws.
    correlation : float or array_like, shape (m, m), optional
        Of normal scores, outcomes oriented so that more is a benefit: with 0.5 what helps one helps
        the other. One value for all, or a matrix in the order of the outcomes.
    risk_from : {"OR", "RR", "RD"}, optional
        The effect that risks follow. By default it is the fit's own; where a risk ratio or
        difference lifts a draw out of (0, 1), an odds ratio is fitted to the same counts, and the
        outcome's risks follow that in every draw. ``"OR"`` takes it in any case; ``"RR"`` and
        ``"RD"`` keep the fit's own, and refuse such draws. A measure of no fit is refused.

    Returns
    -------
    Psa

    References
    ----------
    Iman RL, Conover WJ (1982). Commun Stat B 11:311-334.
    Briggs A, Claxton K, Sculpher M (2006). Decision Modelling for Health Economic Evaluation, 4.

    Raises
    ------
    ModelError
        If an outcome cannot be drawn, a risk leaves (0, 1) and no odds ratio can be fitted, or the
        correlations are none.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.4, -0.1], [0.2, 0.3], measure="OR")
    >>> fit = bm.fit(bm.default_model(data), data)
    >>> deaths = bm.PsaOutcome(fit, baseline="Beta(20, 80)", better="lower")
    >>> file = bm.psa({"mortality": deaths}, draws=1000, seed=1)
    >>> list(file.frame)[:3]
    ['mortality_risk_control', 'mortality_risk_treatment', 'mortality_risk_difference']
    """
    _check(outcomes, draws, seed, risk_from)
    of = dependence(correlation, len(outcomes))
    strands = [strand(name, one) for name, one in _named(outcomes).items()]
    _check_joint(strands, of)
    _check_followed(strands, risk_from)
    scores, noise = (
        of.scores(draws, np.random.default_rng(seed_of(seed, what))) for what in ("scores", "noise")
    )
    told = [
        _told(one, scores[:, j], noise[:, j], seed, _together(one, strands), risk_from)
        for j, one in enumerate(strands)
    ]
    return joint(told, of, seed)


def _check(
    outcomes: Mapping[str, PsaOutcome], draws: int, seed: int, risk_from: str | None
) -> None:
    check_mapping(outcomes, "outcomes", EXAMPLE)
    if not outcomes or not all(isinstance(one, PsaOutcome) for one in outcomes.values()):
        raise ModelError(f"psa needs outcomes, e.g. {EXAMPLE}; got {shown(outcomes)}.")
    if not all(isinstance(name, str) and re.search(r"\w", name) for name in outcomes):
        raise ModelError(f"Names of outcomes are texts with a letter or digit, e.g. {EXAMPLE}.")
    check_whole(draws, "draws", 2, MOST_DRAWS)
    check_whole(seed, "seed", 0)
    if not is_among(risk_from, (None, "OR", *UNBOUND)):
        raise ModelError(f"risk_from is 'OR', 'RR' or 'RD', not {shown(risk_from)}.")


def _named(outcomes: Mapping[str, PsaOutcome]) -> Mapping[str, PsaOutcome]:
    """By names that columns can begin with."""
    found = {re.sub(r"\W+", "_", str(name)): one for name, one in outcomes.items()}
    if len(found) < len(outcomes):
        raise ModelError(
            f"Outcomes need names that differ in letters and digits, got {', '.join(outcomes)}."
        )
    return found


def _check_joint(strands: list[Strand], of: Dependence) -> None:
    several = [one.name for one in strands if one.of.joint]
    if several and of.stated:
        raise ModelError(
            f"{', '.join(several)}: outcomes of one fit are correlated as it found them; leave "
            "correlation out, or fit each outcome alone."
        )


def _check_followed(strands: list[Strand], risk_from: str | None) -> None:
    """Refuse a measure that no outcome has, for no risk would follow it."""
    found = {one.scale.name for one in strands}
    if risk_from is None or risk_from in found or (risk_from == "OR" and found & {*UNBOUND}):
        return
    each = ", ".join(
        f"{one.name} {'' if i else 'is '}of {one.scale.name}" for i, one in enumerate(strands)
    )
    raise ModelError(
        f"{way('risk_from')} {risk_from}: no fit is of {risk_from} ({each}), so that no risk could "
        f"follow it; leave {way('risk_from')} out, or fit {risk_from}."
    )


def _together(one: Strand, strands: list[Strand]) -> str:
    """What its draws are named by: of a fit of several outcomes, the first one that is drawn."""
    if not one.of.joint:
        return one.name
    return next(other.name for other in strands if other.of.fit is one.of.fit)


def _told(
    one: Strand, score: Array, noise: Array, seed: int, together: str, risk_from: str | None
) -> Told:
    if may_lift(one) and risk_from == "OR":
        one = with_odds(one, "as was asked")
    shares = likely_beyond(one, score.size)
    if not shares:
        rows = draw(one, score, noise, seed=seed, together=together)
        _check_positive(one, rows)
        shares = beyond(one, rows)
        if not shares:
            return Told(one, rows)
    other = with_odds(one, _lifted(one, shares, risk_from))
    return Told(other, draw(other, score, noise, seed=seed, together=together))


def _lifted(one: Strand, shares: Mapping[str, float], risk_from: str | None) -> str:
    """Say how often; refuse it where the measure is to be kept."""
    each = [
        f"{percent(share)} of the draws {'in a new setting' if end else 'of the mean'}"
        for end, share in shares.items()
    ]
    found = f"the {one.scale.name} lifts the risk out of (0, 1) in {' and '.join(each)}"
    if risk_from != one.scale.name:
        return found
    raise ModelError(
        f"{one.name}: {found}; leave {way('risk_from')} out, so that risks follow an odds ratio of "
        f"the same counts, or state a baseline on which {one.scale.name} can act."
    )


def _check_positive(one: Strand, rows: Rows) -> None:
    if rows.base is None or not (one.scale.log and one.kind == "mean"):
        return
    share = float((rows.base <= 0).mean())
    if share:
        raise ModelError(
            f"{one.name}: {percent(share)} of the draws of the mean without the treatment are not "
            f"positive, on which {one.scale.name} cannot act; state a baseline above 0."
        )
