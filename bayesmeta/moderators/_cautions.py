"""What a reader of a regression across trials should know, and conditions that are not met."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ..design import Design
from ..posterior import Caution, Posterior
from ..summaries import scale_of
from ._contrast import members

PER_COVARIATE = 10  # studies: Cochrane Handbook 10.11.5.1
IN_A_GROUP = 10  # patients, and events in one of them: dossier template of the G-BA, module 4

ECOLOGICAL = (
    "Characteristics of trials are no characteristics of patients: a trend or a difference across "
    "trials may hold within none of them, and randomisation protects neither."
)


def cautions(fit: Posterior, made: Design) -> Iterator[Caution]:
    """Every one that concerns this fit."""
    yield Caution(ECOLOGICAL)
    k, count = fit.data.k, len(made.formula.variables)
    if k < PER_COVARIATE * count:
        what = "covariate" if count == 1 else "covariates"
        yield Caution(
            f"There are {k} studies for {count} {what}, fewer than the {PER_COVARIATE} for each "
            "that the Cochrane Handbook asks for (10.11.5.1): little can be found, and by chance.",
            f"There are fewer than the {PER_COVARIATE} studies for each covariate that the "
            "Cochrane Handbook asks for (10.11.5.1): little can be found, and by chance.",
        )
    for variable in made.levels:
        yield from _of_groups(fit, made, variable)


def _of_groups(fit: Posterior, made: Design, variable: str) -> Iterator[Caution]:
    parts = {
        level: fit.data.keep(members(fit, made, variable, level)) for level in made.levels[variable]
    }
    alone = [f"{level} ({one.study[0]})" for level, one in parts.items() if one.k == 1]
    if alone and fit.model.between.new is not None:
        yield Caution(
            f"A group of one study has no spread of its own: {', '.join(alone)} "
            f"{'rests' if len(alone) == 1 else 'rest'} on that study and on the tau of the others."
        )
    patients = {level: one.account.participants for level, one in parts.items()}
    small = [level for level, n in patients.items() if n is not None and n < IN_A_GROUP]
    if small:
        yield Caution(
            f"Fewer than {IN_A_GROUP} patients in {', '.join(small)} of {variable}: too few for a "
            "subgroup analysis in dossiers to IQWiG and G-BA."
        )
    if fit.data.discrete and scale_of(fit).comparative:
        most = max(_events(one.numbers) for one in parts.values())
        if most < IN_A_GROUP:
            yield Caution(
                f"No group of {variable} has {IN_A_GROUP} events: too few for a subgroup analysis "
                "in dossiers to IQWiG and G-BA."
            )


def _events(numbers: Mapping[str, NDArray[np.float64]]) -> float:
    return float(sum(each.sum() for name, each in numbers.items() if name.startswith("events")))
