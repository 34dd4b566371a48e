"""The second source: NUTS behind an exact answer, which is held to it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..effects import EffectSizes
from ..engines import NUTS, default_engine
from ..implications import AGREE, engines_agree
from ..model import Data, Model
from ..posterior import Check, Posterior
from ..reading import Opened
from ..results import ScenarioResult
from ..results.keys import FitKey
from ..specification import Outcome, Specification
from .models import models_of
from .sampler import nuts
from .tables import by_quantiles, data_of, select

if TYPE_CHECKING:
    pass


def second_source(
    spec: Specification, outcome: Outcome, tables: Mapping[str, Opened]
) -> tuple[Model, Data, NUTS] | None:
    """What NUTS fits beside an exact answer: the counts of the main scenario, if there are any."""
    model = next(iter(models_of(outcome).values()), None)
    if model is None or model.takes is EffectSizes or isinstance(default_engine(model), NUTS):
        return None
    scenario, table = outcome.scenario[0], tables[outcome.name]
    data, *_ = data_of(outcome, table, select(table, outcome, scenario), [])
    if by_quantiles(outcome, data):
        return None  # minutes by NUTS; tests hold the exact engine to it
    return model, data, nuts(spec, outcome.name, scenario.name)


def with_second(main: ScenarioResult, drawn: Posterior) -> ScenarioResult:
    """Put the second source behind the answer: held to it if it converged, else a caution."""
    converged = drawn.diagnostics.passed
    held = held_to(main.answer, drawn) if converged else drawn
    behind = {main.answering: main.answer, FitKey.SECOND_SOURCE: held}
    return replace(
        main,
        fits={**behind, **main.fits},
        unconverged=None if converged else FitKey.SECOND_SOURCE,
    )


def held_to(exact: Posterior, drawn: Posterior) -> Posterior:
    """Add the agreement of two engines to the numerical gates of the sampled one."""
    apart = {
        pair.where: AGREE * abs(pair.one - pair.other) / pair.tolerance
        for pair in engines_agree(exact, drawn)
    }
    if not apart:
        return drawn
    where = max(apart, key=apart.__getitem__)
    check = Check("apart from exact, in MCSE", where, apart[where], AGREE, at_most=True)
    first = (*drawn.diagnostics.first, check)
    return replace(drawn, diagnostics=replace(drawn.diagnostics, first=first))
