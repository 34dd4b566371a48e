"""One row per trial, of tables with a row for each arm or for each active arm."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..effects import combine_arms, split_control
from ..errors import DataError
from ..sheets import NUMBERS
from ..studies import MAIN, Excluded, agreed
from ..ways import way
from ._asked import Reading
from ._columns import ARMS, filled

if TYPE_CHECKING:
    import pandas as pd

OURS = {"treatment": "treatment", "control": "control"}
RESHAPED: Mapping[str, "Callable[[pd.DataFrame], pd.DataFrame]"] = {
    "combine": combine_arms,
    "split": split_control,
}
DONE = {"combine": "combined", "split": "compared with a share of the control each"}
type Reshaped = tuple["pd.DataFrame", tuple[str, ...], tuple[Excluded, ...]]


def one_row_per_trial(frame: "pd.DataFrame", reading: Reading) -> Reshaped:
    """Reshape what has several rows per trial for its arms; other frames come back as they are.

    Returns
    -------
    frame : DataFrame
        One row per trial and variant, unless rows repeat for another reason.
    said : tuple of str
        What was done.
    excluded : tuple of Excluded
        Trials without one of the arms that were asked for.
    """
    if "arm" in frame and "study" in frame and _has_figures_of_arms(frame):
        return _of_arms(frame, reading)
    if reading.treatment or reading.control:
        raise DataError(
            f"{way('treatment', '...')} and {way('control', '...')} are for a table with one row "
            f"per arm and a column that names the arms, e.g. {way('columns', 'arm')}."
        )
    return _of_active_arms(frame, reading)


def _has_figures_of_arms(frame: "pd.DataFrame") -> bool:
    names = {str(name) for name in frame.columns}
    two = any(name.removesuffix(arm) in NUMBERS for name in names for arm in ARMS if arm in name)
    return bool(names & {"events", "n", "mean", "median", "time"}) and not two


def _of_arms(frame: "pd.DataFrame", reading: Reading) -> Reshaped:
    names = [str(name).strip() for name in frame["arm"]]
    kind = _kinds(names, reading)
    studies = [str(name) for name in frame["study"]]
    keep, gone = _complete(studies, kind)
    named = frame.assign(label=frame.get("label", names), arm=[one or "" for one in kind])
    where = [one is not None and study in keep for one, study in zip(kind, studies, strict=True)]
    rows = named.iloc[np.flatnonzero(where)]
    if rows.empty:
        raise DataError(
            "No trial has both a treatment and a control arm by these names; the table names "
            f"{_listed(names)}."
        )
    several = _several(rows)
    _check_asked(several, reading, chosen=bool(reading.treatment))
    left_out = dict.fromkeys(name for name, one in zip(names, kind, strict=True) if one is None)
    said = [
        f"one row per arm: {_listed(_of_kind(names, kind, 'treatment'))} against "
        f"{_listed(_of_kind(names, kind, 'control'))}"
    ]
    said += [f"arms left out: {_listed(left_out)}"] if left_out else []
    said += [f"{one.study} left out: {one.reason}" for one in gone]
    return _wide(rows, several, reading), (*said, *_done(several, reading)), gone


def _wide(rows: "pd.DataFrame", several: Mapping[str, object], reading: Reading) -> "pd.DataFrame":
    """One row per trial: its arms side by side, several of a kind reshaped first."""
    import pandas as pd

    study = rows["study"].astype(str)
    of_several = study.isin(list(several)).to_numpy()
    simple = rows.iloc[np.flatnonzero(~of_several)]
    parts = [_side_by_side(simple)] if len(simple) else []
    if several:
        reshape = RESHAPED[reading.several_arms or "combine"]
        parts.append(reshape(rows.iloc[np.flatnonzero(of_several)]))
    order = {name: i for i, name in enumerate(dict.fromkeys(study))}
    whole = pd.concat(parts, ignore_index=True)
    place = [order.get(name, order.get(name.partition(": ")[0], 0)) for name in whole["study"]]
    return whole.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)


def _side_by_side(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Trials of two arms, their cells as they are, and what both arms say of the trial."""
    import pandas as pd

    study = rows["study"].astype(str).tolist()
    trials = list(dict.fromkeys(study))
    figures = [str(name) for name in rows.columns if name in NUMBERS - {"correlation"}]
    others = [str(name) for name in rows.columns if name not in (*figures, "study", "arm", "label")]
    told = agreed(
        {name: list(rows[name]) for name in others}, list(map(trials.index, study)), len(trials)
    )
    found: dict[str, object] = {"study": trials, **told}
    for kind in OURS:
        arm = rows[rows["arm"] == kind].set_index(
            rows.loc[rows["arm"] == kind, "study"].astype(str)
        )
        found |= {f"{name}_{kind}": arm.loc[trials, name].tolist() for name in figures}
    return pd.DataFrame(found)


def _kinds(names: Sequence[str], reading: Reading) -> list[str | None]:
    """Whether each arm is of treatment or control; None where it was not asked for."""
    plain = [name.casefold() for name in names]
    treatment = {name.strip().casefold() for name in reading.treatment}
    control = None if reading.control is None else reading.control.strip().casefold()
    named = (*reading.treatment, *([] if reading.control is None else [reading.control]))
    unknown = [name for name in named if name.strip().casefold() not in plain]
    if unknown:
        raise DataError(f"No arm is named {unknown[0]!r}; the table names {_listed(names)}.")
    if control is None and not treatment and set(plain) <= OURS.keys():
        return [OURS[name] for name in plain]
    if control is None:
        raise DataError(
            f"The table has one row per arm; its arms are {_listed(names)}. Say which is the "
            f"control with {way('control', _guess(names))}, and, to choose among the others, which "
            f"is the treatment with {way('treatment', '...')}."
        )
    if control in treatment:
        raise DataError(f"{reading.control!r} cannot be both treatment and control.")
    return [
        "control"
        if name == control
        else "treatment"
        if not treatment or name in treatment
        else None
        for name in plain
    ]


def _guess(names: Sequence[str]) -> str:
    """An arm to show in an example: the one that sounds like a control, else the last."""
    known = ("placebo", "control", "usual care", "standard care")
    return next((name for name in names if name.casefold() in known), names[-1])


def _complete(
    studies: Sequence[str], kind: Sequence[str | None]
) -> tuple[set[str], tuple[Excluded, ...]]:
    """Trials with both kinds of arms, and the others with the reason."""
    have: dict[str, set[str | None]] = {}
    for study, one in zip(studies, kind, strict=True):
        have.setdefault(study, set()).add(one)
    lacking = {
        study: next(one for one in ARMS if one[1:] not in kinds)[1:]
        for study, kinds in have.items()
        if not {"treatment", "control"} <= kinds
    }
    gone = tuple(
        Excluded(name, MAIN, f"no {arm} arm was asked for") for name, arm in lacking.items()
    )
    return have.keys() - lacking.keys(), gone


def _several(rows: "pd.DataFrame") -> dict[str, list[str]]:
    """Trials with several treatment arms, by the arms' names."""
    found: dict[str, list[str]] = {}
    seen: set[tuple[str, str]] = set()
    for study, arm, label in zip(rows["study"], rows["arm"], rows["label"], strict=True):
        if (str(study), str(label)) in seen:
            raise DataError(
                f"{study} has two rows for its arm {label}: several outcomes, times or groups of "
                f"patients. Keep one of them with {way('exclude', f'{study} (row 2)')}."
            )
        seen.add((str(study), str(label)))
        if arm == "treatment":
            found.setdefault(str(study), []).append(str(label))
    return {study: labels for study, labels in found.items() if len(labels) > 1}


def _check_asked(several: Mapping[str, Sequence[str]], reading: Reading, *, chosen: bool) -> None:
    if not several or reading.several_arms is not None:
        return
    study, labels = next(iter(several.items()))
    others = f" and {len(several) - 1} more" if len(several) > 1 else ""
    choose = "" if chosen else f", choose one with {way('treatment', labels[0])}"
    raise DataError(
        f"{study}{others} has several active arms ({', '.join(labels)}) and one control, which "
        f"must not count twice: add the arms up with {way('combine')}, or share the control out "
        f"among them with {way('split')}{choose}."
    )


def _done(several: Mapping[str, Sequence[str]], reading: Reading) -> list[str]:
    return [
        f"{study}: {', '.join(labels)} {DONE[reading.several_arms or 'combine']}"
        for study, labels in list(several.items())[:5]
    ] + ([f"and {len(several) - 5} trials more alike"] if len(several) > 5 else [])


def _of_active_arms(frame: "pd.DataFrame", reading: Reading) -> Reshaped:
    """Trials that stand in several rows with one and the same control arm."""
    import pandas as pd

    shared = _with_one_control(frame) if "study" in frame else []
    if not shared:
        return frame, (), ()
    labels = {
        _study(frame, where): [_label(frame, i, place) for place, i in enumerate(where, start=1)]
        for where in shared
    }
    _check_asked(labels, reading, chosen=True)
    reshape = RESHAPED[reading.several_arms or "combine"]
    done = {
        where[0]: reshape(_long(frame.iloc[where], labels[_study(frame, where)]))
        for where in shared
    }
    gone = {i for where in shared for i in where}
    parts = [
        done[i] if i in done else frame.iloc[[i]]
        for i in range(len(frame))
        if i in done or i not in gone
    ]
    return pd.concat(parts, ignore_index=True), tuple(_done(labels, reading)), ()


def _with_one_control(frame: "pd.DataFrame") -> list[list[int]]:
    """Rows of each trial (and reading of it) that repeats with the same control figures."""
    control = [name for name in frame.columns if str(name).endswith("_control") and name in NUMBERS]
    variants = frame["variant"].fillna(MAIN) if "variant" in frame else [MAIN] * len(frame)
    rows: dict[tuple[str, str], list[int]] = {}
    for i, key in enumerate(zip(frame["study"].astype(str), map(str, variants), strict=True)):
        rows.setdefault(key, []).append(i)
    several = [where for where in rows.values() if len(where) > 1]
    return [where for where in several if control and _alike(frame[control].iloc[where])]


def _alike(cells: "pd.DataFrame") -> bool:
    known = [str(name) for name in cells if filled(cells, str(name)).all()]
    return bool(known) and len({tuple(map(str, row)) for row in cells.to_numpy()}) == 1


def _study(frame: "pd.DataFrame", where: Sequence[int]) -> str:
    return str(frame["study"].iloc[where[0]])


def _label(frame: "pd.DataFrame", i: int, place: int) -> str:
    named = filled(frame.iloc[[i]], "label")[0]
    return str(frame["label"].iloc[i]) if named else f"arm {place}"


def _long(rows: "pd.DataFrame", labels: Sequence[str]) -> "pd.DataFrame":
    """The active arms of one trial and its control, a row each."""
    import pandas as pd

    plain = rows.drop(
        columns=[name for name in rows if str(name).endswith(ARMS) or name == "label"]
    )
    parts = []
    for kind, which in (("treatment", range(len(rows))), ("control", range(1))):
        arm = rows.iloc[list(which)]
        figures = {
            str(name).removesuffix(f"_{kind}"): arm[name]
            for name in rows.columns
            if str(name).endswith(f"_{kind}")
        }
        label = [labels[i] for i in which] if kind == "treatment" else ["control"]
        parts.append(plain.iloc[list(which)].assign(**figures, arm=kind, label=label))
    return pd.concat(parts, ignore_index=True)


def _of_kind(names: Sequence[str], kind: Sequence[str | None], which: str) -> Iterable[str]:
    return dict.fromkeys(name for name, one in zip(names, kind, strict=True) if one == which)


def _listed(names: Iterable[str]) -> str:
    every = list(dict.fromkeys(names))
    return ", ".join(every[:8]) + (f" and {len(every) - 8} more" if len(every) > 8 else "")
