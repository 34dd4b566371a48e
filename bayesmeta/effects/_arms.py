"""Trials of more than two arms: combined into two, or their control group shared out."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..arguments import check_frame, check_mapping
from ..errors import DataError
from ..studies import QUANTILES, agreed, is_blank, name_rows, read_numbers, rename_columns
from ..ways import way

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]
type Arm = dict[str, float]
type Row = dict[str, object]

ADDED = ("events", "n", "time")
LARGEST = 1e50  # a number whose square is one
NUMBERS = (*ADDED, "mean", "sd", *QUANTILES)
ARMS = ("treatment", "control")


def combine_arms(
    frame: "pd.DataFrame", *, columns: Mapping[str, str] | None = None
) -> "pd.DataFrame":
    """Make one row per trial of a table with one row per arm, combining arms of one kind.

    Several active arms of a trial count as one group, so that the comparison keeps all patients
    and uses the control group once.

    Parameters
    ----------
    frame : DataFrame
        One row per arm: ``study``, ``arm`` (``"treatment"`` or ``"control"``), and of ``n``,
        ``mean``, ``sd``, ``events``, ``time`` those that the outcome has. Optionally ``label``, the
        arm's name in the trial. An arm that is alone of its kind may have quantiles (``min``,
        ``q1``, ``median``, ``q3``, ``max``) in place of mean and SD.
    columns : mapping of str to str, optional
        Our names to the table's.

    Returns
    -------
    DataFrame
        One row per trial: ``study``, ``n_treatment``, ..., ``n_control``, ..., ``how``: a table for
        :meth:`ContinuousStudies.from_frame` or :meth:`BinaryStudies.from_frame`. Other columns
        follow where their filled cells say one thing of every trial; what differs between its arms
        is not of the trial and is left out.

    Raises
    ------
    DataError
        If an arm is neither treatment nor control, a trial lacks one, or arms that are to be
        combined lack a figure.

    References
    ----------
    Higgins JPT, Li T, Deeks JJ, in Cochrane Handbook for Systematic Reviews of Interventions,
    version 6, section 6.5.2.10 (means and SDs) and chapter 23, section 23.3.4.

    Examples
    --------
    >>> import bayesmeta as bm, pandas as pd
    >>> arms = pd.DataFrame(
    ...     {"study": ["A", "A", "A"], "arm": ["treatment", "treatment", "control"],
    ...      "label": ["5 mg", "10 mg", "placebo"], "n": [20, 24, 22],
    ...      "mean": [8.0, 6.5, 9.4], "sd": [3.0, 2.8, 3.1]})
    >>> trials = bm.combine_arms(arms)
    >>> trials[["n_treatment", "mean_treatment", "sd_treatment"]].round(2).to_numpy().tolist()
    [[44.0, 7.18, 2.96]]
    >>> bm.ContinuousStudies.from_frame(trials).how
    ('treatment: 5 mg, 10 mg combined by combine_arms',)
    """
    return _by_trial(frame, columns, _combined)


def split_control(
    frame: "pd.DataFrame", *, columns: Mapping[str, str] | None = None
) -> "pd.DataFrame":
    """Make one row per active arm, the trial's control group shared out among them.

    The control's mean and SD stay, its patients are divided, so that nobody counts twice. Answers
    of one trial are still correlated; where the active arms need not be told apart,
    :func:`combine_arms` is better.

    Parameters
    ----------
    frame : DataFrame
        As for :func:`combine_arms`, with ``mean`` and ``sd`` (or quantiles) and one control arm per
        trial. Counts are refused: their events would become fractions.
    columns : mapping of str to str, optional
        Our names to the table's.

    Returns
    -------
    DataFrame
        One row per active arm, ``study`` being the trial's name and the arm's label, for
        :meth:`ContinuousStudies.from_frame`. Patients that do not divide go to the first arms.
        Other columns follow as in :func:`combine_arms`.

    Raises
    ------
    DataError
        If the table has counts, or a share of the control group is below 2 patients.

    References
    ----------
    Higgins JPT, Eldridge S, Li T, in Cochrane Handbook for Systematic Reviews of Interventions,
    version 6, section 23.3.4.

    Examples
    --------
    >>> import bayesmeta as bm, pandas as pd
    >>> arms = pd.DataFrame(
    ...     {"study": ["A", "A", "A"], "arm": ["treatment", "treatment", "control"],
    ...      "label": ["5 mg", "10 mg", "placebo"], "n": [20, 24, 41],
    ...      "mean": [8.0, 6.5, 9.4], "sd": [3.0, 2.8, 3.1]})
    >>> bm.split_control(arms)[["study", "n_treatment", "n_control"]]
          study  n_treatment  n_control
    0   A: 5 mg         20.0       21.0
    1  A: 10 mg         24.0       20.0
    """
    return _by_trial(frame, columns, _shared)


def _by_trial(
    frame: "pd.DataFrame",
    columns: Mapping[str, str] | None,
    rows_of: Callable[[str, dict[str, list[Arm]], dict[str, list[str]]], list[Row]],
) -> "pd.DataFrame":
    import pandas as pd

    check_frame(frame)
    check_mapping(columns, "columns", "{'study': 'Trial'}")
    table, names = _read(frame, dict(columns or {}))
    said = _of_trials(table, names)
    rows: list[Row] = []
    for i, study in enumerate(dict.fromkeys(table["study"])):
        of_study = table.loc[table["study"] == study]
        _check_unit(study, of_study)
        arms: dict[str, list[Arm]] = {kind: [] for kind in ARMS}
        labels: dict[str, list[str]] = {kind: [] for kind in ARMS}
        for row in of_study.to_dict("records"):
            arms[row["arm"]].append({name: float(row[name]) for name in names})
            labels[row["arm"]].append(row["label"])
        for kind in ARMS:
            if not arms[kind]:
                raise DataError(
                    f"{study} has no {kind} arm; give it, or leave the study out: "
                    f"{way('exclude', study)}."
                )
        known = {name: cells[i] for name, cells in said.items()}
        rows += [row | {**known, **row} for row in rows_of(study, arms, labels)]
    return pd.DataFrame(rows)


def _of_trials(table: "pd.DataFrame", names: Sequence[str]) -> Mapping[str, Sequence[object]]:
    """Columns that say one thing of all arms of a trial, in the order of the trials."""
    read = {*names, "study", "arm", "label", "unit", "how", "variant"}
    columns = {str(name): list(table[name]) for name in table.columns if name not in read}
    trials = list(dict.fromkeys(table["study"]))
    return agreed(columns, [trials.index(name) for name in table["study"]], len(trials))


def _check_unit(study: str, rows: "pd.DataFrame") -> None:
    """Refuse the arms of one trial in several units: their means are not of one kind."""
    if "unit" not in rows:
        return
    units = sorted({str(one).strip() for one in rows["unit"] if not is_blank(one)})
    if len(units) > 1:
        raise DataError(
            f"The arms of {study} are in several units, {', '.join(units)}; give all in one."
        )


def _read(frame: "pd.DataFrame", given: dict[str, str]) -> "tuple[pd.DataFrame, list[str]]":
    """The table with our columns, numbers as floats, and which numbers it has."""
    have = {str(name) for name in frame.columns}
    names = [name for name in NUMBERS if name in have or name in given]
    if not {"n", "time"} & set(names):
        raise DataError("The table has no column 'n' with the patients of each arm.")
    table = rename_columns(frame, given, required=("study", "arm", *names)).reset_index(drop=True)
    study = ["" if is_blank(name) else str(name) for name in table["study"]]
    kind = [str(cell).strip().casefold() for cell in table["arm"]]
    wrong = np.array([one not in ARMS for one in kind], dtype=bool)
    if wrong.any():
        raise DataError(
            f"arm is 'treatment' or 'control'; check {name_rows(study, wrong)}. Arms with names "
            f"are told apart by {way('treatment', '...')} and {way('control', '...')}."
        )
    nameless = np.array([not name.strip() for name in study], dtype=bool)
    if nameless.any() or not study:
        raise DataError("study must name the trial of each arm, and there must be an arm.")
    kept = np.ones(len(study), dtype=bool)
    numbers = {
        name: read_numbers(table[name], name, study, kept)  # pyright: ignore[reportArgumentType]
        for name in names
    }
    return table.assign(study=study, arm=kind, label=_labels(table, study, kind), **numbers), names


def _labels(table: "pd.DataFrame", study: Sequence[str], kind: Sequence[str]) -> list[str]:
    """The arms' own names; else their number in the trial."""
    keys = list(zip(study, kind, strict=True))
    own = table["label"] if "label" in table else [None] * len(keys)
    return [
        str(label).strip()
        if isinstance(label, str) and label.strip()
        else f"{key[1]} {keys[: i + 1].count(key)}"
        for i, (label, key) in enumerate(zip(own, keys, strict=True))
    ]


def _combined(study: str, arms: dict[str, list[Arm]], labels: dict[str, list[str]]) -> list[Row]:
    row: Row = {"study": study}
    how = []
    for kind in ARMS:
        whole = arms[kind][0]
        if len(arms[kind]) > 1:
            whole = _as_one(study, kind, arms[kind])
            how.append(f"{kind}: {', '.join(labels[kind])} combined by combine_arms")
        row |= {f"{name}_{kind}": value for name, value in whole.items()}
    return [row | {"how": "; ".join(how)}]


def _as_one(study: str, kind: str, arms: list[Arm]) -> Arm:
    names = arms[0].keys() & {*ADDED, "mean", "sd"}
    columns = {name: np.array([arm[name] for arm in arms]) for name in NUMBERS if name in names}
    lacking = [name for name, values in columns.items() if not (np.abs(values) <= LARGEST).all()]
    if lacking:
        raise DataError(
            f"{' and '.join(lacking)} must be given for every {kind} arm of {study} to combine "
            "them; make means and SDs of quantiles first, or keep one of the arms."
        )
    n = columns.get("n", np.ones(1))
    if not ((n >= 1) & (n == np.floor(n))).all():
        raise DataError(f"n must be a whole number, 1 or more, in every {kind} arm of {study}.")
    if "sd" in columns and not ((columns["sd"] > 0) | ((columns["sd"] == 0) & (n == 1))).all():
        raise DataError(
            f"sd must be positive in every {kind} arm of {study}; look for a missing figure, or "
            "keep one of the arms."
        )
    whole = {name: float(values.sum()) for name, values in columns.items() if name in ADDED}
    if {"n", "mean", "sd"} <= columns.keys():
        whole |= _moments(columns["n"], columns["mean"], columns["sd"])
    return dict.fromkeys(arms[0], np.nan) | whole


def _moments(n: Array, mean: Array, sd: Array) -> Arm:
    """Mean and SD of all patients together: the Handbook's formula, for any number of arms."""
    total = n.sum()
    centre = n @ mean / total
    squares = (n - 1) @ sd**2 + n @ (mean - centre) ** 2
    return {"mean": float(centre), "sd": float(np.sqrt(squares / (total - 1)))}


def _shared(study: str, arms: dict[str, list[Arm]], labels: dict[str, list[str]]) -> list[Row]:
    control = arms["control"][0]
    parts = len(arms["treatment"])
    if {"events", "time"} & control.keys():
        raise DataError(
            "A control group is shared out among comparisons of means only: its events would "
            f"become fractions. Combine the active arms: {way('combine')}."
        )
    if len(arms["control"]) > 1:
        raise DataError(
            f"{study} has more than one control arm; combine the arms of a kind: {way('combine')}."
        )
    n = control["n"]
    if parts > 1 and not n // parts >= 2:
        raise DataError(
            f"n of the control arm of {study} is {n:g}, too few for {parts} comparisons; combine "
            f"the active arms: {way('combine')}."
        )
    rows: list[Row] = []
    for i, (active, label) in enumerate(zip(arms["treatment"], labels["treatment"], strict=True)):
        share = n if parts == 1 else n // parts + (i < n % parts)
        row: Row = {"study": study if parts == 1 else f"{study}: {label}"}
        row |= {f"{name}_treatment": value for name, value in active.items()}
        row |= {f"{name}_control": value for name, value in (control | {"n": share}).items()}
        told = f"control: {share:g} of {n:g} patients, shared out by split_control"
        rows.append(row | {"how": told if parts > 1 else ""})
    return rows
