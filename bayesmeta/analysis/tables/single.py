"""A baseline from a table of single arms outside the trials: a registry, a cohort, a survey."""

from pathlib import Path

from ...decision import Baseline, Kind, baseline
from ...errors import DataError, SpecError
from ...model import Data
from ...reading import Reading, main_rows, open_table, read
from ...sheets import check_regular
from ...studies import counted
from ...ways import REGISTRY, shown, speaking

_MEASURES = {"risk": "PLO", "rate": "IRLN"}  # of single arms


def table_baseline(path: Path, kind: Kind | None, *, said: str = "") -> Baseline:
    """Fit single arms of a file, and take a new setting like them as the baseline.

    Parameters
    ----------
    path : Path
        A table that any analysis of single arms reads: events with n, or with person-time.
    kind : {"risk", "rate", "mean"} or None
        What the effect acts on; a risk, where that is not said.
    said : str
        What it is called, before what became of its rows.

    Returns
    -------
    Baseline
        It says the file, the studies and the rows that were left out.

    Raises
    ------
    FileError, DataError, SpecError
        If it cannot be read, has two arms, or a mean is asked for.
    """
    data = single_arms(path, kind)
    k = counted(data.k, "study", "studies")
    phrase = f"{said}a new setting like the {k} of {path.name}{_left_out(data)}"
    return baseline(data, kind=kind, said=phrase)


def single_arms(path: Path, kind: Kind | None) -> Data:
    """Read the table of `table_baseline`, by the door of every table."""
    if kind == "mean":
        raise SpecError(
            f"{shown(path.name)} cannot be a baseline of means, for single arms have events; state "
            "the mean, e.g. 40 or 'Normal(40, 5)'."
        )
    measure = _MEASURES[kind or "risk"]
    check_regular(path)
    data = _read(path, measure)
    if measure not in data.measures:
        wanted = "n" if measure == "PLO" else "time"
        raise DataError(
            f"Baseline {path.name} holds {data.kind}; a {kind or 'risk'} without the treatment "
            f"needs single arms: the columns study, events and {wanted}."
        )
    return data


def _read(path: Path, measure: str) -> Data:
    """The table, or a refusal that says of which file and how that is mended."""
    try:
        with speaking(REGISTRY):
            opened = main_rows(open_table(path, Reading(), measure=measure))
            return read(opened, measure, Reading(), of_arms=True)
    except DataError as error:
        raise DataError(f"Baseline {path.name}: {error}") from None


def _left_out(data: Data) -> str:
    """How many rows are not among the studies, where any are."""
    account = data.account
    left = len(account.left_out)
    if not left:
        return ""
    every = data.k + left if account.rows is None else account.rows
    return f" ({left} of {counted(every, 'row')} left out)"
