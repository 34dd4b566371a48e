"""What a reader of a regression across trials should know, and conditions that are not met."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ..design import Design, is_number
from ..posterior import Caution, Posterior
from ..sheets import read_number
from ..summaries import scale_of
from ..ways import shown
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
    if fit.model.location.has_slopes and "slope" not in made.kinds:
        yield Caution(
            f"The prior of slopes was not used: {', '.join(made.levels) or 'nothing'} names "
            "groups, whose means have the prior of the intercept."
        )
    for variable in made.levels:
        yield from _of_numbers(fit, variable)
        yield from _of_groups(fit, made, variable)


def _of_numbers(fit: Posterior, variable: str) -> Iterator[Caution]:
    """Columns of numbers but for a few cells, which make them names of groups."""
    column = fit.data.covariates[variable]
    if is_number(column):
        return
    strange = list(dict.fromkeys(one for one in column if read_number(one) is None))
    if strange and 2 * sum(read_number(one) is None for one in column) < len(column):
        shown_cells = ", ".join(map(shown, strange[:3]))
        yield Caution(
            f"{variable} is taken to name groups, for {shown_cells} "
            f"{'is no number' if len(strange) == 1 else 'are no numbers'}: correct such cells, or "
            "leave them empty, if it should be a number."
        )


def _of_groups(fit: Posterior, made: Design, variable: str) -> Iterator[Caution]:
    parts = {
        level: fit.data.keep(members(fit, made, variable, level)) for level in made.levels[variable]
    }
    alone = [f"{level} ({one.study[0]})" for level, one in parts.items() if one.k == 1]
    own = bool(fit.model.between.entries(fit.model.location, fit.data))
    if alone and fit.model.between.new is not None and not own:
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
