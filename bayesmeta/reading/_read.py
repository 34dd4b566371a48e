"""Data of a table, and what was done to get it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..arguments import check_switch, is_among
from ..effects import measure_named
from ..errors import DataError
from ..sheets import TEXTS, composite, decided, numbered
from ..studies import REPEATED, check_prob, repeated_in_words
from ..ways import shown, way
from ._asked import Reading
from ._forms import Data, kind_of, known_columns, read_forms
from ._open import Opened, main_rows, open_table
from ._rows import listed, told_apart_by, variants_of

if TYPE_CHECKING:
    import pandas as pd

    from ..studies import Key

SIZES = (("n_treatment", "n_control"), ("n",))


def read(opened: Opened, measure: str, reading: Reading, *, of_arms: bool = False) -> Data:
    """Make data of a table that was opened; their account says how.

    Parameters
    ----------
    opened : Opened
    measure : str
        ``""`` where none is asked for.
    reading : Reading
    of_arms : bool
        Whether the arms themselves are fitted, so that every row must give them.

    Raises
    ------
    DataError
        If the table lacks names of studies, or rows cannot be used.
    """
    frame = opened.frame
    if opened.level is not None:
        reading = replace(reading, level=opened.level)
    if "study" not in frame:
        have = ", ".join(map(str, frame.columns))
        raise DataError(
            f"The table has no column 'study', which names the studies; it has {have}. Say which "
            f"does: {way('columns', 'study')}."
        )
    if not known_columns(frame.columns):
        raise DataError(_not_understood(frame))
    try:
        with decided(), numbered(frame.index):
            data, said = read_forms(frame, measure, reading, of_arms=of_arms)
    except DataError as error:
        raise _telling(error, frame, measure) from None
    return _with_origin(data, opened, (*opened.said, *said))


def _with_origin(data: Data, opened: Opened, said: tuple[str, ...]) -> Data:
    """Say of the data which rows they come from, what was left out, and what was done."""
    columns = _sizes(opened.frame)
    sizes = {**_participants(opened.frame, columns), **data.origin.participants}
    used = frozenset((*opened.used, *columns))
    origin = replace(
        data.origin,
        rows=opened.rows,
        said=said,
        participants=sizes,
        used=used,
        heads=opened.heads,
    )
    excluded = (*opened.excluded, *data.excluded)
    return replace(data, origin=origin, excluded=excluded)  # pyright: ignore[reportArgumentType]


def _sizes(frame: "pd.DataFrame") -> tuple[str, ...]:
    """Columns that say how large both arms are, or the one."""
    return next((one for one in SIZES if {*one} <= {*map(str, frame.columns)}), ())


def _participants(frame: "pd.DataFrame", names: Sequence[str]) -> Mapping[str, float]:
    """By study, where these columns of sizes say it."""
    if not names:
        return {}
    import pandas as pd

    columns = [pd.to_numeric(frame[name], errors="coerce") for name in names]
    total = np.sum([np.asarray(one, dtype=np.float64) for one in columns], axis=0)
    study = map(str, frame["study"])
    return {name: float(n) for name, n in zip(study, total, strict=True) if np.isfinite(n)}


def _telling(error: DataError, frame: "pd.DataFrame", measure: str) -> DataError:
    """Say of rows of one name what the table itself tells of them."""
    names = list(zip(map(str, frame["study"]), variants_of(frame), strict=True))
    again = [i for i, name in enumerate(names) if name in names[:i] and name[0].strip()]
    if not again:
        return error
    several = dict.fromkeys(names[i][0] for i in again)
    general = repeated_in_words(list(several))
    own = f"{REPEATED} {listed(several)}: {_what_repeats(frame, measure, again)}"
    return DataError(*(own if one == general else one for one in error.problems))


def _names(given: object) -> tuple[str, ...]:
    """Names of arms, which a table may hold as numbers."""
    several = isinstance(given, Iterable) and not isinstance(given, str)
    return tuple(map(str, given)) if several else (str(given),)  # pyright: ignore[reportArgumentType]


def _what_repeats(frame: "pd.DataFrame", measure: str, again: Sequence[int]) -> str:
    """What rows of one name are, as far as the table tells."""
    row = f"{frame['study'].iloc[again[0]]} (row {int(frame.index[again[0]]) + 1})"
    ways = f"Keep one of each, e.g. {way('exclude', row)}"
    told = told_apart_by(frame)
    ways += f", or fit the groups of {told} each by itself: {way('by', told)}" if told else ""
    ways += f"; readings of one study are told apart by {way('variant')}."
    if kind_of(frame.columns, measure).arms:
        return (
            "rows that differ in both arms are outcomes, times, strata or reports of one study, "
            f"not arms of one trial. {ways}"
        )
    return (
        f"several effects of one study are not independent, and levels are not modelled yet. {ways}"
    )


def _not_understood(frame: "pd.DataFrame") -> str:
    have = ", ".join(map(str, frame.columns))
    for name in map(str, frame.columns):
        cell = next((one for one in frame[name] if isinstance(one, str) and one.strip()), "")
        form = composite(cell) if name not in TEXTS else None
        if form is not None:
            return (
                f"No column of the table holds a result by a name that is known, and {shown(name)} "
                f"holds several figures in one cell, {shown(cell[:40])}: say what they are with "
                f"{way('cells', name)}, the dots being {form}, and treatment or control after it "
                "where it is of one arm."
            )
    return (
        f"No column of the table holds a result by a name that is known; it has {have}. Results "
        "are events_treatment, n_treatment, events_control, n_control; mean_, sd_ and n_ of both "
        "arms; y and se; estimate with lower and upper, se or p; or the complete set of another "
        f"program. Say which columns they are, e.g. {way('columns', 'n_treatment')}, or what cells "
        f"of several figures are: {way('cells', 'COLUMN')}."
    )


def read_studies(
    source: "Path | str | pd.DataFrame",
    *,
    measure: str | None = None,
    columns: Mapping[str, str] | None = None,
    cells: Mapping[str, str] | None = None,
    exclude: "Mapping[Key, str] | None" = None,
    sheet: str | None = None,
    decimal: Literal["", ".", ","] = "",
    prob: float | None = None,
    treatment: str | tuple[str, ...] = (),
    control: str | None = None,
    several_arms: Literal["combine", "split"] | None = None,
    correlation: float | Literal["derived", "unknown"] | None = None,
    final_values: bool = False,
    design_effect: float | None = None,
    icc: float | None = None,
    cluster_size: float | None = None,
) -> Data:
    """Read a table of studies as people have it, from a file or a frame.

    Parameters
    ----------
    source : Path, str or DataFrame
        A CSV file with any usual separator and decimal mark, an Excel (.xlsx) or Parquet file,
        ``"-"`` for standard input; or a frame.
    measure : str, optional
        That will be analysed. It decides which form counts where rows have several, and is needed
        where rows are printed estimates, or differ in form.
    columns : mapping of str to str, optional
        Our names of columns to the table's. Names are also found without regard to case, blanks
        and underscores, and by the complete sets of metafor, meta, RevMan and others.
    cells : mapping of str to str, optional
        Columns whose cells hold several figures, and what these are, e.g.
        ``{"Deaths, drug": "events/n treatment"}``.
    exclude : mapping, optional
        Rows to leave out, with the reason: a study's name, a pair of study and variant, or a text
        such as ``"Silva (row 3)"``.
    sheet : str, optional
        Of a workbook.
    decimal : {"", ".", ","}
        The decimal mark, where nothing in the table tells.
    prob : float, optional
        Level of printed intervals; 0.95 where neither this nor the head of a column says it.
    treatment, control : str, optional
        Of a table with one row per arm: the arms that are compared, by name.
    several_arms : {"combine", "split"}, optional
        Several active arms of a trial as one group, or the control shared out among them.
    correlation : float, "derived" or "unknown", optional
        Of baseline and final values, where the table has both; see
        :func:`bayesmeta.change_from_baseline`.
    final_values : bool
        Analyse final values although the table has baselines.
    design_effect, icc, cluster_size : float, optional
        Of trials that randomised clusters; see :func:`bayesmeta.cluster_effects`.

    Returns
    -------
    BinaryStudies, PersonTimeStudies, ProportionStudies, IncidenceStudies, ContinuousStudies or \
EffectSizes
        The arms where all rows give them in one form; else estimates, whose `how` says how each
        was made.

    Raises
    ------
    FileError
        If the file cannot be read.
    DataError
        If the table is not understood; all that is wrong with its rows stands in one message.

    Examples
    --------
    >>> import bayesmeta as bm, pandas as pd
    >>> trials = pd.DataFrame({"Trial": ["A", "B"], "ai": ["12", "5"], "n1i": [40, 50],
    ...                        "ci": ["18", "9"], "n2i": [40, 50]})
    >>> bm.read_studies(trials).n_treatment.tolist()
    [40.0, 50.0]
    """
    for name, value, known in (
        ("several_arms", several_arms, ("combine", "split")),
        ("decimal", None if is_among(decimal, ("",)) else decimal, (".", ",")),
    ):
        if not is_among(value, (None, *known)):
            raise DataError(
                f"{name} is {shown(known[0])} or {shown(known[1])}; got {shown(value)}."
            )
    for name, value in (("columns", columns), ("cells", cells), ("exclude", exclude)):
        if value is not None and not isinstance(value, Mapping):
            raise DataError(f"{name} is a mapping, {way(name, 'NAME')}; got {shown(value)}.")
    measure = None if measure is None else measure_named(measure).name
    if prob is not None:
        check_prob(prob)
    check_switch(final_values, "final_values")
    reading = Reading(
        columns=columns or {},
        cells=cells or {},
        exclude=exclude or {},
        sheet=sheet,
        level=prob,
        treatment=_names(treatment),
        decimal=decimal,
        control=None if control is None else str(control),
        several_arms=several_arms,
        correlation=correlation,
        final_values=final_values,
        design_effect=design_effect,
        icc=icc,
        cluster_size=cluster_size,
    )
    opened = main_rows(open_table(source, reading, measure=measure))
    return read(opened, measure or opened.measure, reading)
