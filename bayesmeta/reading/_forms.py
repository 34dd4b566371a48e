"""The forms in which rows give their results, and a table of each into studies or estimates."""

import re
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ..effects import (
    MEASURES,
    EffectSizes,
    cluster_effects,
    convert_quantiles,
    design_effects,
    effect_sizes,
    inflated,
    reported_effects,
)
from ..errors import DataError
from ..sheets import NUMBERS, numbered
from ..studies import (
    BinaryStudies,
    ContinuousStudies,
    IncidenceStudies,
    PersonTimeStudies,
    ProportionStudies,
    Studies,
    name_rows,
)
from ..ways import way
from ._asked import Reading
from ._columns import ARMS, OF_A_DESIGN, all_filled, filled
from ._means import read_means
from ._rows import listed

if TYPE_CHECKING:
    import pandas as pd

type Data = Studies | ContinuousStudies | EffectSizes
type Flags = NDArray[np.bool_]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A way to give a result.

    Attributes
    ----------
    name : str
        In words, of a row.
    table : type
        What rows of this form are read into.
    measures : tuple of str
    complete : callable
        Which rows of a frame have it.
    read : callable
        From the frame of such rows, the measure and what else is said, to data.
    """

    name: str
    table: type[Data]
    measures: tuple[str, ...]
    complete: "Callable[[pd.DataFrame], Flags]"
    read: "Callable[[pd.DataFrame, str, Reading], Data]"


def _of_columns(table: type[Studies], name: str) -> Form:
    """A form that is its table's own columns."""
    return Form(
        name=name,
        table=table,
        measures=table.measures,
        complete=lambda frame: all_filled(frame, table.columns()),
        read=lambda frame, measure, reading: table.from_frame(frame),
    )


def _arms_complete(frame: "pd.DataFrame") -> Flags:
    """Rows whose arms each have n and a mean with its spread, or two quantiles."""
    return np.all([filled(frame, f"n{arm}") & _arm_complete(frame, arm) for arm in ARMS], axis=0)


def _arm_complete(frame: "pd.DataFrame", arm: str) -> Flags:
    spread = filled(frame, f"sd{arm}") | filled(frame, f"se{arm}")
    spread |= all_filled(frame, (f"lower_mean{arm}", f"upper_mean{arm}"))
    quantiles = [filled(frame, f"{name}{arm}") for name in ("min", "q1", "median", "q3", "max")]
    width = all_filled(frame, (f"median{arm}", f"iqr{arm}"))
    return (filled(frame, f"mean{arm}") & spread) | (np.sum(quantiles, axis=0) >= 2) | width


def _estimates_complete(frame: "pd.DataFrame") -> Flags:
    return all_filled(frame, ("y", "se"))


def _printed_complete(frame: "pd.DataFrame") -> Flags:
    others = [filled(frame, name) for name in ("se", "t_statistic", "p")]
    others += [all_filled(frame, ("lower", "upper")), all_filled(frame, [f"se{a}" for a in ARMS])]
    printed = filled(frame, "estimate") & np.any(others, axis=0)
    names = ("q1_change", "median_change", "q3_change", "n")
    return printed | all_filled(frame, [f"{name}{arm}" for name in names for arm in ARMS])


def _read_estimates(frame: "pd.DataFrame", measure: str, reading: Reading) -> EffectSizes:
    return EffectSizes.from_frame(frame, measure=measure or "GEN", prob=reading.prob)


def _read_printed(frame: "pd.DataFrame", measure: str, reading: Reading) -> EffectSizes:
    with_interval = all_filled(frame, ("estimate", "lower", "upper"))
    if with_interval.all() or not MEASURES[measure or "GEN"].comparative:
        return EffectSizes.from_frame(frame, measure=measure or "GEN", prob=reading.prob)
    return reported_effects(frame, measure=measure or "GEN", prob=reading.prob)


FORMS: Sequence[Form] = (  # the first that a row completes is taken
    _of_columns(PersonTimeStudies, "events and person-time per arm"),
    _of_columns(BinaryStudies, "events and patients per arm"),
    Form(
        name="means or quantiles per arm",
        table=ContinuousStudies,
        measures=ContinuousStudies.measures,
        complete=_arms_complete,
        read=lambda frame, measure, reading: read_means(frame, reading),
    ),
    Form(
        name="an estimate with its standard error",
        table=EffectSizes,
        measures=tuple(MEASURES),
        complete=_estimates_complete,
        read=_read_estimates,
    ),
    Form(
        name="a printed estimate",
        table=EffectSizes,
        measures=tuple(MEASURES),
        complete=_printed_complete,
        read=_read_printed,
    ),
    _of_columns(IncidenceStudies, "events and person-time"),
    _of_columns(ProportionStudies, "events and patients"),
)
# A column that says which form a table has, where no row completes any: its refusals name the rows.
MARKS: Sequence[tuple[frozenset[str], int]] = (
    (frozenset({"time_treatment"}), 0),
    (frozenset({"events_treatment"}), 1),
    (frozenset({"mean_treatment", "median_treatment", "q1_treatment", "min_treatment"}), 2),
    (frozenset({"y", "se"}), 3),
    (frozenset({"estimate", "q1_change_treatment"}), 4),
    (frozenset({"time"}), 5),
    (frozenset({"events"}), 6),
)


def kind_of(columns: Iterable[object], measure: str = "") -> type[Data]:
    """What a table holds, by the names of its columns and the measure that is asked for."""
    return FORMS[_marked({str(name) for name in columns}, measure)[0]].table


def _marked(names: Set[str], measure: str) -> list[int]:
    """Forms that the columns speak of, and of these those that can give the measure."""
    marked = [place for marks, place in MARKS if marks & names] or [3]
    suited = [i for i in marked if not measure or measure in FORMS[i].measures] or marked
    if not measure:  # times beside patients are mostly how long these were followed
        suited = [i for i in suited if not _is_follow_up(i, names)]
    return suited


def _is_follow_up(i: int, names: Set[str]) -> bool:
    """Whether a form of person-time stands where patients are counted too."""
    table = FORMS[i].table
    return table.size == "time" and {name.replace("time", "n") for name in table.columns()} <= names


def known_columns(columns: Iterable[object]) -> bool:
    """Whether any column speaks of a form."""
    names = {str(name) for name in columns}
    return any(marks & names for marks, _ in MARKS)


def forms_of(frame: "pd.DataFrame", measure: str) -> tuple[Form, NDArray[np.intp]]:
    """The form of the table as a whole, and the number of each row's form (-1 for the table's).

    A form counts only where it can give the measure; without a measure, every form counts.
    """
    suited = _marked({str(name) for name in frame.columns}, measure)
    complete = np.array([FORMS[i].complete(frame) for i in suited])
    row = np.where(complete.any(axis=0), np.array(suited)[complete.argmax(axis=0)], -1)
    main = next((i for i in suited if (row == i).any()), suited[0])
    return FORMS[main], np.where(row == main, -1, row)


def read_forms(
    frame: "pd.DataFrame", measure: str, reading: Reading, *, of_arms: bool
) -> tuple[Data, tuple[str, ...]]:
    """Read a frame of our columns, each row in its form.

    Returns
    -------
    data : Studies, ContinuousStudies or EffectSizes
        The studies as they are where all rows have one form; else estimates of each, joined.
    said : tuple of str

    Raises
    ------
    DataError
        If rows have no usable form, or the arms are to be fitted and some rows have none.
    """
    _check_baselines(frame, reading)
    main, row = forms_of(frame, measure)
    if _clustered(frame, reading):
        return _of_clusters(frame, main, row, measure, reading, of_arms=of_arms)
    if (row == -1).all():
        data = main.read(frame, measure, reading)
        return data, said_of(data)
    others = row != -1
    study = [str(name) for name in frame["study"]]
    if of_arms:
        first = study[int(np.flatnonzero(others)[0])]
        raise DataError(
            f"{name_rows(study, others)} gives {FORMS[row[others][0]].name}, and the others "
            f"{main.name}: a likelihood of the arms cannot take both. Analyse estimates of all "
            f"({way('estimates', measure)}), or leave the rows out: {way('exclude', first)}."
        )
    return _joined(frame, main, row, measure, reading)


_ARM_OF = r"treatment|control|placebo|intervention|experimental|drug|active"
_BASELINE = re.compile(
    rf"(?=.*\bbase(line)?\b)(?=.*\b(mean|sd|median|{_ARM_OF}|[ec]|1i|2i)\b).*|m(pre|base)[12]i",
    re.IGNORECASE,
)


def _check_unread_baselines(frame: "pd.DataFrame", reading: Reading) -> None:
    """Ask about columns that look like baselines of the arms and are not read."""
    names = [str(name) for name in frame.columns if str(name) not in NUMBERS]
    found = [one for one in names if _BASELINE.fullmatch(re.sub(r"[\W_]+", " ", one).strip())]
    if not found or reading.final_values or not filled(frame, "mean_treatment").any():
        return
    raise DataError(
        f"{', '.join(map(repr, found[:4]))} look like baselines of the arms, which are not read by "
        f"these names: name them, e.g. {way('columns', 'mean_baseline_treatment')}, or analyse "
        f"final values alone: {way('final')}."
    )


def _check_baselines(frame: "pd.DataFrame", reading: Reading) -> None:
    """Refuse what is said of baselines where the table has none."""
    _check_unread_baselines(frame, reading)
    asked = [("correlation", reading.correlation)] if reading.correlation is not None else []
    asked += [("final", "")] if reading.final_values else []
    if reading.final_values and any("base" in str(name).casefold() for name in frame.columns):
        return
    if asked and not any(filled(frame, f"mean_baseline{arm}").any() for arm in ARMS):
        raise DataError(
            f"{way(*asked[0])} is of baseline and final values, and the table has no baselines, "
            "mean_baseline_treatment and mean_baseline_control; leave it out, or name the columns "
            f"with {way('columns', 'mean_baseline_treatment')}."
        )


def said_of(data: Data) -> tuple[str, ...]:
    """What is to be said of how estimates were made: P values are printed coarsely."""
    of_p = [
        name for name, how in zip(data.study, data.provenance, strict=True) if " P value" in how
    ]
    if not of_p:
        return ()
    return (f"standard errors from P values, which are rounded coarsely: {listed(of_p)}",)


def _joined(
    frame: "pd.DataFrame", main: Form, row: NDArray[np.intp], measure: str, reading: Reading
) -> tuple[EffectSizes, tuple[str, ...]]:
    parts, said = [], []
    for i in dict.fromkeys(row.tolist()):
        form = main if i == -1 else FORMS[i]
        rows = frame.iloc[np.flatnonzero(row == i)]
        bare = rows.loc[:, [name for name in rows if filled(rows, str(name)).any()]]
        with numbered(rows.index):
            parts.append(estimates_of(form.read(bare, measure, reading), measure))
        said.append(f"{len(rows)} with {form.name}")
    whole = parts[0].join(*parts[1:])
    place = {str(name): i for i, name in enumerate(frame["study"])}
    order = np.argsort([place[name] for name in whole.study], kind="stable")
    found = _ordered(whole, order)
    return found, (f"rows of several forms: {', '.join(said)}", *said_of(found))


def _ordered(effects: EffectSizes, order: NDArray[np.intp]) -> EffectSizes:
    names = ("study", "how", "variant")
    return replace(
        effects,
        y=effects.y[order],
        se=effects.se[order],
        **{name: tuple(getattr(effects, name)[i] for i in order) for name in names},
        covariates={
            name: [column[i] for i in order]  # pyright: ignore[reportArgumentType]
            for name, column in effects.covariates.items()
        },
    )


@singledispatch
def estimates_of(data: Data, measure: str) -> EffectSizes:
    """Estimates of the studies; quantiles are converted to means and SDs first."""
    raise DataError(f"No estimates are made of {type(data).__name__}.")


@estimates_of.register
def _of_counts(data: Studies, measure: str) -> EffectSizes:
    return effect_sizes(data, measure=measure)


@estimates_of.register
def _of_means(data: ContinuousStudies, measure: str) -> EffectSizes:
    return effect_sizes(convert_quantiles(data), measure=measure)


@estimates_of.register
def _as_they_are(data: EffectSizes, measure: str) -> EffectSizes:
    return data


def of_clusters(columns: Iterable[object], reading: Reading) -> bool:
    """Whether a table with these columns, or what is said of it, speaks of cluster trials."""
    said = any(one is not None for one in reading.clusters.values())
    return said or bool({str(name) for name in columns} & set(OF_A_DESIGN))


def _clustered(frame: "pd.DataFrame", reading: Reading) -> bool:
    own = [name for name in OF_A_DESIGN if filled(frame, name).any()]
    return of_clusters(own, reading)


def _of_clusters(
    frame: "pd.DataFrame",
    main: Form,
    row: NDArray[np.intp],
    measure: str,
    reading: Reading,
    *,
    of_arms: bool,
) -> tuple[EffectSizes, tuple[str, ...]]:
    """Estimates of a table with cluster trials: effective counts, or inflated standard errors."""
    if of_arms:
        raise DataError(
            "A likelihood of whole counts or of independent patients cannot take trials that "
            f"randomised clusters: analyse estimates ({way('estimates', measure)}), whose standard "
            "errors the design effect widens."
        )
    if not measure:
        raise DataError(
            "Of trials that randomised clusters estimates are made: name their measure, e.g. "
            f"{way('measure', 'RR')}."
        )
    if main.table is BinaryStudies and (row == -1).all():
        effects = cluster_effects(
            frame,
            measure=measure,
            design_effect=reading.design_effect,
            icc=reading.icc,
            cluster_size=reading.cluster_size,
        )
        return effects, ("effective counts of cluster trials",)
    plain = frame.drop(columns=[name for name in OF_A_DESIGN if name in frame])
    whole = replace(reading, design_effect=None, icc=None, cluster_size=None)
    data, said = read_forms(plain, measure, whole, of_arms=False)
    effects = estimates_of(data, measure)
    place = {str(name): i for i, name in enumerate(frame["study"])}
    where = [place[name] for name in effects.study]
    factor = design_effects(frame, **reading.clusters)[where]
    return inflated(effects, factor), (*said, "standard errors of cluster trials widened")
