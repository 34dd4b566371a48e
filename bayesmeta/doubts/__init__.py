"""What a table says that is hardly so: rows twice, standard errors as SDs, ratios as logarithms.

Each rule has a key, and ``docs/plausibility.md`` the share of planted faults that it finds and of
sound tables that it doubts. Doubts are questions: nothing is left out or changed.
"""

from collections.abc import Mapping
from functools import singledispatch

from ..effects import EffectSizes
from ..errors import ModelError
from ..multivariate import MultivariateEffects
from ..studies import ContinuousStudies, Studies, Table
from .controls import shared_controls
from .doubt import Doubt, Rule
from .far import far_from_rest
from .percentages import percentages_as_counts
from .ratios import ratios_as_logs
from .rows import equal_rows, sums_of_rows
from .spreads import errors_as_sds

__all__ = ["RULES", "Doubt", "plausibility"]

_EQUAL, _FAR = Rule("equal_rows", equal_rows), Rule("far_from_rest", far_from_rest)
_CONTROLS = Rule("shared_controls", shared_controls)
_COUNTS = (
    _EQUAL,
    _CONTROLS,
    Rule("sums_of_rows", sums_of_rows),
    Rule("percentages_as_counts", percentages_as_counts),
    _FAR,
)
_MEANS = (_EQUAL, _CONTROLS, Rule("errors_as_sds", errors_as_sds), _FAR)
_ESTIMATES = (_EQUAL, Rule("ratios_as_logs", ratios_as_logs), _FAR)
RULES: Mapping[str, str] = {
    "equal_rows": "two studies with the same figures",
    "shared_controls": "one control arm in two studies",
    "sums_of_rows": "a row that is the sum of others",
    "errors_as_sds": "a standard error typed as an SD",
    "ratios_as_logs": "ratios typed where logarithms belong",
    "percentages_as_counts": "percentages typed as events",
    "far_from_rest": "an estimate far from all others",
}


def plausibility(data: Table, *, measure: str | None = None) -> tuple[Doubt, ...]:
    """Say what in a table is hardly so, and what to do about it.

    Parameters
    ----------
    data : BinaryStudies, PersonTimeStudies, ProportionStudies, IncidenceStudies, \
ContinuousStudies, EffectSizes or MultivariateEffects
        The table as it was read, before estimates are made of it: counts say more than what is
        computed from them.
    measure : str, optional
        For counts, the measure of the estimates that are compared: the first of the table's
        measures where it is not given. Tables of means are compared by their standardised
        difference, estimates by their own measure.

    Returns
    -------
    tuple of Doubt
        None for most sound tables; how often is in ``docs/plausibility.md``.

    Raises
    ------
    ModelError
        If there are no rules for such a table.
    DataError
        If counts have no such measure.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.BinaryStudies(study=["Silva 2020", "Silva et al. 2021", "Ando 2019"],
    ...                         events_treatment=[12, 12, 5], n_treatment=[40, 40, 61],
    ...                         events_control=[18, 18, 9], n_control=[41, 41, 60])
    >>> found, = bm.plausibility(data)
    >>> found.rule, found.studies
    ('equal_rows', ('Silva 2020', 'Silva et al. 2021'))
    >>> print(found.text[:75])
    Silva 2020 and Silva et al. 2021 have the same figures, 12/40 v 18/41: if t
    """
    return _doubts(data, measure)


@singledispatch
def _doubts(data: Table, measure: str | None) -> tuple[Doubt, ...]:
    raise ModelError(f"There are no rules of plausibility for {type(data).__name__}.")


@_doubts.register
def _(data: Studies, measure: str | None) -> tuple[Doubt, ...]:
    return _by(_COUNTS, data, measure)


@_doubts.register
def _(data: ContinuousStudies, measure: str | None) -> tuple[Doubt, ...]:
    return _by(_MEANS, data, measure)


@_doubts.register
def _(data: EffectSizes, measure: str | None) -> tuple[Doubt, ...]:
    return _by(_ESTIMATES, data, measure)


@_doubts.register
def _(data: MultivariateEffects, measure: str | None) -> tuple[Doubt, ...]:
    """Outcome by outcome, each of the studies that report it."""
    return tuple(
        Doubt(one.rule, one.studies, f"{name}: {one.text}")
        for name in data.outcome
        for one in _doubts(data.effects(name), measure)
    )


def _by[T: Table](rules: tuple[Rule[T], ...], data: T, measure: str | None) -> tuple[Doubt, ...]:
    return tuple(found for rule in rules for found in rule.find(data, measure))
