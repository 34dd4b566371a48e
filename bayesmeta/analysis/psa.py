"""One specification to the joint draws that a decision model reads."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from numpy.typing import ArrayLike

from .. import engines
from ..decision import (
    Baseline,
    Psa,
    PsaOutcome,
    baseline,
    check_psa_outcome,
    middle_of,
    psa,
)
from ..effects import EffectSizes
from ..errors import DataError, ModelError
from ..model import Data
from ..posterior import Posterior
from ..specification import Outcome, Source
from .absolute import stated_baseline
from .models import models_of
from .progress import Progress
from .sampler import engine_of
from .tables import data_of, hashes_of, quoted_nowhere, select, table_of


def psa_of(
    source: Source,
    *,
    draws: int = 10_000,
    seed: int | None = None,
    correlation: float | ArrayLike | None = None,
    risk_from: str | None = None,
    progress: Progress = lambda outcome, step: None,
) -> Psa:
    """Draw all outcomes of a specification jointly, each from the answer of its first scenario.

    A baseline is what the specification states, of several the middle one by value (of two the
    lower one); else a new setting like the control arms. Where none is known the effect is drawn
    alone.

    Parameters
    ----------
    source : Source
        From ``load_specification``.
    draws, correlation, risk_from
        As for :func:`bayesmeta.psa`.
    seed : int, optional
        That of the specification, if not given.
    progress : callable
        Called with the outcome's title and the step about to start.

    Returns
    -------
    Psa
        Outcomes that could not be carried are named in ``left_out``.

    Raises
    ------
    FileError, DataError, ModelError
        If a table cannot be used, or no outcome can be carried.
    """
    spec = source.specification
    hashes = hashes_of(source)
    carried, left_out = outcomes_of(source, progress=progress)
    if not carried:
        every = " ".join(f"{name}: {why}" for name, why in left_out.items())
        raise ModelError(f"No outcome can be drawn. {every}")
    progress(spec.title, "joint draws")
    found = psa(
        carried,
        draws=draws,
        seed=spec.seed if seed is None else seed,
        correlation=correlation,
        risk_from=risk_from,
    )
    return replace(found, left_out=left_out, sources={**found.sources, **hashes})


def outcomes_of(
    source: Source, *, progress: Progress = lambda outcome, step: None
) -> tuple[Mapping[str, PsaOutcome], Mapping[str, str]]:
    """Fit what can be drawn; say of the other outcomes why they cannot."""
    carried: dict[str, PsaOutcome] = {}
    left_out: dict[str, str] = {}
    for outcome in source.specification.outcome:
        try:
            with quoted_nowhere(outcome, source.path.parent):
                carried[outcome.name] = _carried(source, outcome, progress)
        except ModelError as error:
            left_out[outcome.name] = str(error)
    return carried, left_out


def _carried(source: Source, outcome: Outcome, progress: Progress) -> PsaOutcome:
    if outcome.data is None:
        raise ModelError("published figures only, none of which is the answer.")
    if outcome.better is None:
        raise ModelError("single arms compare nothing.")
    if outcome.by_covariates:
        raise ModelError("its effect depends on covariates, and joint draws are of one effect.")
    table = table_of(outcome, source.path.parent)
    scenario, refusals = outcome.scenario[0], []
    exclude = select(table, outcome, scenario)
    data, effects, _ = data_of(outcome, table, exclude, refusals)
    model = next(iter(models_of(outcome).values()))
    on = effects if model.takes is EffectSizes else data
    if on is None:
        raise DataError(*refusals)
    progress(outcome.title, "the answer")
    engine = engine_of(source.specification, outcome.name, scenario.name, model)
    fit = engines.fit(model, on, engine)
    progress(outcome.title, "baseline")
    base = _baseline(outcome, fit, data, source.path.parent)
    found = PsaOutcome(
        fit,
        better=outcome.better,
        baseline=base,
        time=outcome.time,
        unit=outcome.unit,
        sd=outcome.sd,
    )
    check_psa_outcome(outcome.name, found)
    return found


def _baseline(outcome: Outcome, fit: Posterior, data: Data, folder: Path) -> object:
    """What is stated, of several the middle one; else what control arms say.

    None of estimates and of means.
    """
    named = outcome.baselines
    if len(named) > 1:
        return _middle(outcome, fit, data, folder)
    if named:
        return stated_baseline(next(iter(named.values())), outcome, data, folder)
    if outcome.control_risk is not None:
        return outcome.control_risk
    return baseline(data) if data.discrete and len(data.arms) > 1 else None


def _middle(outcome: Outcome, fit: Posterior, data: Data, folder: Path) -> Baseline:
    """The middle one of the baselines that are stated, and of which it is that."""
    bases: list[Baseline] = []
    source = f", {outcome.baseline_source}" if outcome.baseline_source else ""
    for name, one in outcome.baselines.items():
        said = f"{name} of {', '.join(outcome.baselines)}: {one}{source}"
        found = stated_baseline(one, outcome, data, folder, said=said)
        bases.append(baseline(fit, said=said) if isinstance(found, str) else found)
    return middle_of(bases)
