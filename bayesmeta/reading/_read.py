"""Data of a table, and what was done to get it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, final

from ..errors import DataError
from ..ways import way
from ._asked import Reading
from ._forms import Data, kind_of, read_forms
from ._open import Opened, main_rows, open_table, variants_of

if TYPE_CHECKING:
    import pandas as pd

    from ..studies import Key


REPEATED = "study names must be unique"  # as check_names begins


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Data, and what was guessed or done to get it."""

    data: Data
    said: tuple[str, ...]


def read(opened: Opened, measure: str, reading: Reading, *, of_arms: bool = False) -> Found:
    """Make data of a table that was opened.

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
    if "study" not in frame:
        have = ", ".join(map(str, frame.columns))
        raise DataError(
            f"The table has no column 'study', which names the studies; it has {have}. Say which "
            f"does: {way('columns', 'study')}."
        )
    try:
        data, said = read_forms(frame, measure, reading, of_arms=of_arms)
    except DataError as error:
        raise _telling(error, frame, measure) from None
    if opened.excluded:
        data = replace(data, excluded=(*opened.excluded, *data.excluded))  # pyright: ignore[reportArgumentType]
    return Found(data=data, said=(*opened.said, *said))


def _telling(error: DataError, frame: "pd.DataFrame", measure: str) -> DataError:
    """Say of rows of one name what the table itself tells of them."""
    said = [
        _what_repeats(frame, measure) or one if one.startswith(REPEATED) else one
        for one in error.problems
    ]
    return DataError(*said) if tuple(said) != error.problems else error


def _what_repeats(frame: "pd.DataFrame", measure: str) -> str:
    names = list(zip(map(str, frame["study"]), variants_of(frame), strict=True))
    again = [i for i, name in enumerate(names) if name in names[:i] and name[0].strip()]
    if not again:
        return ""
    several = ", ".join(dict.fromkeys(names[i][0] for i in again[:5]))
    first = way("exclude", f"{names[again[0]][0]} (row {again[0] + 1})")
    if kind_of(frame.columns, measure).arms:
        said = (
            "its rows differ in both arms, so they are outcomes, times, strata or reports of one "
            f"study, not arms of one trial. Keep one row, e.g. {first}; readings of one study are "
            f"told apart by {way('variant')}."
        )
    else:
        said = (
            "several effects of one study are not independent, and levels are not modelled yet. "
            f"Keep one of each, e.g. {first}; readings of one study are told apart by "
            f"{way('variant')}."
        )
    return f"{REPEATED}; {several} stand in more than one row: {said}"


def read_studies(
    source: "Path | str | pd.DataFrame",
    *,
    measure: str | None = None,
    columns: Mapping[str, str] | None = None,
    cells: Mapping[str, str] | None = None,
    exclude: "Mapping[Key, str] | None" = None,
    sheet: str | None = None,
    prob: float = 0.95,
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
    prob : float
        Level of printed intervals.
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
    reading = Reading(
        columns=columns or {},
        cells=cells or {},
        exclude=exclude or {},
        sheet=sheet,
        level=prob,
        treatment=(treatment,) if isinstance(treatment, str) else tuple(treatment),
        control=control,
        several_arms=several_arms,
        correlation=correlation,
        final_values=final_values,
        design_effect=design_effect,
        icc=icc,
        cluster_size=cluster_size,
    )
    opened = main_rows(open_table(source, reading, measure=measure))
    return read(opened, measure or opened.measure, reading).data
