"""One outcome among several that are drawn together: its rows, and what they mean for people."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ...arguments import is_among
from ...effects import MEASURES, Measure
from ...errors import ModelError
from ...model import check_no_covariates
from ...posterior import Posterior, check_posterior
from ...summaries import Better, describe, scale_of
from ...ways import shown
from ..apart import moved, of_fit
from ..asked import carrier_of, kind_for
from ..baselines import Baseline
from ..baselines import baseline as baseline_of
from ..carriers import Carrier, Kind
from ..derived import Told, told
from ..ratios import elsewhere, holds_counts, model_under, refitted
from .new_settings import new_effect

type Array = NDArray[np.float64]

UNBOUND = ("RR", "RD")  # what may lift a risk out of (0, 1)
NEXT_TO_0, NEXT_TO_1 = np.finfo(np.float64).tiny, np.nextafter(1.0, 0.0)


@final
@dataclass(frozen=True, slots=True)
class PsaOutcome:
    """An outcome of a decision model: its fit, what happens without the treatment, its direction.

    Attributes
    ----------
    fit : Posterior
    better : {"lower", "higher"}
        Whether less or more of it is a benefit.
    baseline : Baseline, float, Prior, str, Posterior or a table of studies, optional
        What happens without the treatment, as of :func:`baseline`, or ``"model"``, as of
        :func:`absolute_effects`. Without one the effect alone is drawn.
    place : str
        Of a fit of several outcomes: which one this is.
    time, unit : str
        Over what time, and in what unit.
    sd : float, optional
        For an SMD: the standard deviation in the unit in which it is to be told.
    """

    fit: Posterior
    better: Better = field(kw_only=True)
    baseline: object = field(default=None, kw_only=True)
    place: str = field(default="", kw_only=True)
    time: str = field(default="", kw_only=True)
    unit: str = field(default="", kw_only=True)
    sd: float | None = field(default=None, kw_only=True)

    @property
    def joint(self) -> bool:
        """Whether the fit has other outcomes beside this one."""
        return self.fit.data.p > 1

    @property
    def where(self) -> Mapping[str, Any]:
        """The place of its effect in the fit, as ``Posterior.at`` takes it."""
        return {"outcome": self.place} if self.joint or self.place else {}

    @property
    def column(self) -> int:
        """Where it stands among the outcomes of its fit."""
        return list(self.fit.data.outcome).index(self.place)  # pyright: ignore[reportAttributeAccessIssue]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Strand:
    """An outcome that can be drawn.

    Attributes
    ----------
    name : str
        As columns begin.
    of : PsaOutcome
    scale : Measure
        Of the effect.
    base : Baseline or None
    by : Carrier or None
        How the effect acts on the baseline.
    shown : Measure
        The measure that was asked for, where the risks follow another one.
    follows : str
        Why, and which fit that is.
    """

    name: str
    of: PsaOutcome
    scale: Measure
    base: Baseline | None
    by: Carrier | None
    shown: Measure
    follows: str = ""

    @property
    def kind(self) -> Kind | None:
        """What is without the treatment: a risk, a rate, a mean, or nothing that was stated."""
        return None if self.base is None else self.base.kind

    @property
    def together(self) -> bool:
        """Whether baseline and effects are of one fit, and drawn from it together."""
        return self.base is not None and self.base.belongs_to(self.of.fit)

    @property
    def sign(self) -> int:
        """1 where higher is a benefit, else -1."""
        return 1 if self.of.better == "higher" else -1


class Rows(NamedTuple):
    """One outcome's draws: effects on the analysis scale, and baselines as people read them, (n,).

    Without a new effect where all settings have one, without baselines where none was stated.
    """

    mu: Array
    new: Array | None
    base: Array | None

    @property
    def effects(self) -> Mapping[str, Array]:
        """The effects by what columns end in."""
        return {"": self.mu} if self.new is None else {"": self.mu, "_new": self.new}


def strand(name: str, of: PsaOutcome) -> Strand:
    """Check that an outcome can be drawn.

    Raises
    ------
    ModelError
        That names it.
    """
    if not is_among(of.better, ("lower", "higher")):
        raise ModelError(f"{name}: better is 'lower' or 'higher', not {shown(of.better)}.")
    try:
        check_posterior(of.fit)
        _check_words(of)
        scale = _scale(of)
        base = None if of.baseline is None else _base(of, scale)
        by = None if base is None else carrier_of(scale, base, of.time, of.sd)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from None
    return Strand(name=name, of=of, scale=scale, base=base, by=by, shown=scale)


def check_psa_outcome(name: str, of: PsaOutcome) -> None:
    """Refuse an outcome that cannot be drawn, before the draws.

    Raises
    ------
    ModelError
        That names it.
    """
    strand(name, of)


def _check_words(of: PsaOutcome) -> None:
    for name in ("place", "time", "unit"):
        word = getattr(of, name)
        if not isinstance(word, str):
            raise ModelError(f"{name} must be text, got {shown(word)}.")


def _scale(of: PsaOutcome) -> Measure:
    """The measure of the outcome, which must compare arms."""
    check_no_covariates(of.fit.model, "psa")
    of.fit.at(**of.where)
    found = MEASURES[of.fit.data.measure[of.column]] if of.joint else scale_of(of.fit)  # pyright: ignore[reportAttributeAccessIssue]
    if not found.comparative:
        raise ModelError(f"{found.a_words} of single arms is no effect; give it as baseline.")
    return found


def _base(of: PsaOutcome, scale: Measure) -> Baseline:
    given = of_fit(of.baseline, of.fit)
    kind = kind_for(scale.name, of.time)
    return given if isinstance(given, Baseline) else baseline_of(given, kind=kind)


def draw(one: Strand, score: Array, noise: Array, *, seed: int, together: str) -> Rows:
    """Draw an outcome: rows whose mean effects are ordered as scores are.

    Whole rows of mu, what belongs to it, and the baseline change places, so that none of their
    distributions changes. A baseline of the same fit is drawn given its own row.

    Parameters
    ----------
    one : Strand
    score, noise : ndarray, shape (n,)
        Standard normal, larger for more benefit: of the mean effect, and of a new setting about it.
    seed : int
    together : str
        What the draws of the fit are named by: outcomes of one fit have one name.

    References
    ----------
    Iman RL, Conover WJ (1982). Commun Stat B 11:311-334.
    """
    drawn = of_place(one.of, one.of.fit.shared_draws(score.size, seed=seed_of(seed, together)))
    rng = np.random.default_rng(seed_of(seed, f"{one.name} baseline"))
    base = None if one.base is None or one.together else one.base.draws(score.size, rng)
    if not one.of.joint:
        order = np.argsort(drawn["mu"])[ranks(one.sign * score)]
        drawn = {name: values[order] for name, values in drawn.items()}
        base = None if base is None else base[order]
    new = new_effect(one.of.fit.model.between, drawn, one.sign * noise, rng)
    if one.together:
        assert new is not None  # no model of exchangeable baselines has one effect for all
        base = one.base.arms.risk(drawn, new, rng)  # pyright: ignore[reportOptionalMemberAccess]
    return Rows(drawn["mu"], new, base)


def of_place(of: PsaOutcome, drawn: Mapping[str, Array]) -> Mapping[str, Array]:
    """What was drawn of one of several outcomes, each (n,); all, where there is one."""
    if not of.joint:
        return drawn
    return {name: drawn[name][:, of.column] for name in ("mu", "theta_new")}


def ranks(values: Array) -> NDArray[np.intp]:
    """Place of each value among all, from 0."""
    found = np.empty(values.size, dtype=np.intp)
    found[np.argsort(values)] = np.arange(values.size)
    return found


def seed_of(seed: int, what: str) -> int:
    """A seed of its own for each thing drawn, whatever else is drawn."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{what}".encode()).digest()[:7])


def treated(one: Strand, effect: Array, base: Array) -> Array:
    """What happens with the treatment; a risk that rounds to 0 or 1 is the number next to it."""
    assert one.by is not None
    found = one.by.treated(effect, base)
    within = one.kind == "risk" and not may_lift(one)
    return np.clip(found, NEXT_TO_0, NEXT_TO_1) if within else found


def may_lift(one: Strand) -> bool:
    """Whether the effect may lift a risk out of (0, 1)."""
    return one.kind == "risk" and one.scale.name in UNBOUND


def likely_beyond(one: Strand, n: int) -> Mapping[str, float]:
    """Probability of a risk that is not between 0 and 1, by ending, where n draws will show it."""
    if one.base is None or one.by is None or not may_lift(one):
        return {}
    ends = {"": False, "_new": True} if one.of.fit.model.between.new else {"": False}
    found = {end: sum(_treated(one, one.base, one.by, new).beyond()) for end, new in ends.items()}
    return {end: share for end, share in found.items() if share * n > 1}


def _treated(one: Strand, base: Baseline, by: Carrier, new: bool) -> Told:  # noqa: FBT001
    return told(one.of.fit, base, by, new=new, **one.of.where)[0]


def beyond(one: Strand, rows: Rows) -> Mapping[str, float]:
    """Share of the draws whose risk with treatment is not between 0 and 1, by ending."""
    if rows.base is None or not may_lift(one):
        return {}
    every = {end: treated(one, effect, rows.base) for end, effect in rows.effects.items()}
    found = {end: float(((risk <= 0) | (risk >= 1)).mean()) for end, risk in every.items()}
    return {end: share for end, share in found.items() if share}


def with_odds(one: Strand, why: str) -> Strand:
    """The same outcome, its risks from a fit of the odds ratio to the same counts.

    Raises
    ------
    ModelError
        Where there are no counts, or a prior was published for the measure of the fit alone.
    """
    if not holds_counts(one.of.fit):
        raise ModelError(
            f"{one.name}: {why}; an odds ratio would keep every risk between 0 and 1, but the fit "
            "is of estimates: fit the counts, fit odds ratios, or state a baseline on which "
            f"{one.scale.name} can act."
        )
    _check_carried(one, why)
    fitted = refitted(one.of.fit, "OR")
    scale = scale_of(fitted)
    assert one.base is not None
    base = moved(one.base, one.of.fit, fitted)
    return replace(
        one,
        of=replace(one.of, fit=fitted),
        scale=scale,
        base=base,
        by=carrier_of(scale, base, one.of.time, one.of.sd),
        follows=(
            f"{why}; risks follow the odds ratio of the same counts, {describe(fitted.model)}; "
            f"absolute effects keep the {one.scale.name}, hold such risks within 0 to 1, and so "
            "differ from these draws"
        ),
    )


def _check_carried(one: Strand, why: str) -> None:
    """Refuse priors that cannot follow to the odds ratio."""
    of = one.of.fit
    if said := elsewhere(model_under(of.model, of.data, "OR"), of.data):
        raise ModelError(
            f"{one.name}: {why}; an odds ratio would keep every risk between 0 and 1, but {said}: "
            f"state a baseline on which {one.scale.name} can act, fit odds ratios with priors of "
            "their own, or give the prior its reason: from_library(..., override='reason')."
        )
