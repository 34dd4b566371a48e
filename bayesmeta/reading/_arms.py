"""One row per trial, of tables with a row for each arm or for each active arm."""

from collections.abc import Callable, Mapping, Sequence, Set, Sized
from typing import TYPE_CHECKING

import numpy as np

from ..effects import combine_arms, split_control
from ..errors import DataError
from ..sheets import NUMBERS
from ..studies import Excluded, agreed, is_blank, read_number
from ..ways import shown, way
from ._asked import Reading
from ._columns import ARMS, OF_A_DESIGN, filled
from ._rows import is_total, listed, told_apart_by, variants_of

if TYPE_CHECKING:
    import pandas as pd

OURS = {"treatment": "treatment", "control": "control"}
FIGURES = NUMBERS - {"correlation", *OF_A_DESIGN}
OF_A_TRIAL = (*OF_A_DESIGN, "correlation", "unit", "how")  # on which its arms must agree
RESHAPED: Mapping[str, "Callable[[pd.DataFrame], pd.DataFrame]"] = {
    "combine": combine_arms,
    "split": split_control,
}
DONE = {"combine": "combined", "split": "compared with a share of the control each"}
type Reshaped = tuple["pd.DataFrame", tuple[str, ...], tuple[Excluded, ...]]
type Trial = tuple[str, str]  # study and variant


def one_row_per_trial(frame: "pd.DataFrame", reading: Reading) -> Reshaped:
    """Reshape what has several rows per trial for its arms; other frames come back as they are.

    Returns
    -------
    frame : DataFrame
        One row per trial and variant, unless rows repeat for another reason. The index is that of
        the trial's first row.
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
    _check_named(frame)
    names = [str(name).strip() for name in frame["arm"]]
    kind = _kinds(names, reading)
    trials = list(zip(map(str, frame["study"]), variants_of(frame), strict=True))
    keep, gone = _complete(trials, kind, chosen=bool(reading.treatment))
    given = list(frame["label"]) if "label" in frame else names
    labels = [
        name if is_blank(label) else str(label) for name, label in zip(names, given, strict=True)
    ]
    named = frame.assign(label=labels, arm=[one or "" for one in kind])
    where = [one is not None and trial in keep for one, trial in zip(kind, trials, strict=True)]
    rows = named.iloc[np.flatnonzero(where)]
    if rows.empty:
        raise DataError(
            f"No trial has both a treatment and a control arm; the table names {listed(names)}."
        )
    several = _several(rows)
    _check_asked(several, reading, chosen=bool(reading.treatment))
    left_out = [name for name, one in zip(names, kind, strict=True) if one is None]
    of = {which: [n for n, one in zip(names, kind, strict=True) if one == which] for which in OURS}
    said = [f"one row per arm: {listed(of['treatment'])} against {listed(of['control'])}"]
    said += [f"arms left out: {listed(left_out)}"] if left_out else []
    said += [f"{one.study} left out: {one.reason}" for one in gone]
    said += _none_several(several, reading)
    return _wide(rows, several, reading), (*said, *_done(several, reading)), gone


def _check_named(frame: "pd.DataFrame") -> None:
    """Refuse rows without a study or an arm: they would belong to nobody."""
    for column in ("study", "arm"):
        blank = [int(i) + 1 for i, cell in frame[column].items() if is_blank(cell)]  # pyright: ignore[reportArgumentType]
        if blank:
            rows = ", ".join(map(str, blank[:5])) + (" ..." if len(blank) > 5 else "")
            raise DataError(
                f"{column} is blank in row {rows} of a table with one row per arm; name it, or "
                "take the row out of the table."
            )


def _wide(
    rows: "pd.DataFrame", several: Mapping[Trial, object], reading: Reading
) -> "pd.DataFrame":
    """One row per trial: its arms side by side, several of a kind reshaped first."""
    import pandas as pd

    trials = list(zip(map(str, rows["study"]), variants_of(rows), strict=True))
    places: dict[Trial, list[int]] = {}
    for i, trial in enumerate(trials):
        places.setdefault(trial, []).append(i)
    parts = []
    for trial, where in places.items():
        own = rows.iloc[where]
        _check_agreed(trial[0], own)
        made = _reshaped(own, reading) if trial in several else _side_by_side(own)
        parts.append(made.set_index(_places(own, made)))
    return pd.concat(parts)


def _places(rows: "pd.DataFrame", made: "pd.DataFrame") -> "pd.Index":
    """Where the rows made of a trial stand: by its first row, or each share by its active arm."""
    active = rows.index[[one == "treatment" for one in rows["arm"]]]
    return active[: len(made)] if len(made) > 1 else rows.index[:1]


def _check_agreed(study: str, rows: "pd.DataFrame") -> None:
    """Refuse a trial whose arms do not share what is one for a trial: its unit, its design."""
    for name in OF_A_TRIAL:
        if name not in rows or name == "how":
            continue
        said = list(dict.fromkeys(str(cell).strip() for cell in rows[name] if not is_blank(cell)))
        if len({one.casefold() for one in said}) > 1:
            raise DataError(
                f"{name} differs between the arms of {study}: {', '.join(said)}. Give both arms "
                f"alike, or leave the trial out with {way('exclude', study)}."
            )


def _side_by_side(rows: "pd.DataFrame") -> "pd.DataFrame":
    """A trial of two arms, its cells as they are, and what both arms say of the trial."""
    import pandas as pd

    figures = [str(name) for name in rows.columns if name in FIGURES]
    others = [str(name) for name in rows.columns if name not in (*figures, "study", "arm", "label")]
    told = agreed({name: list(rows[name]) for name in others}, [0] * len(rows), 1)
    found: dict[str, object] = {"study": [str(rows["study"].iloc[0])], **told}
    for kind in OURS:
        i = [str(one) for one in rows["arm"]].index(kind)
        found |= {f"{name}_{kind}": [rows[name].iloc[i]] for name in figures}
    return pd.DataFrame(found)


def _reshaped(rows: "pd.DataFrame", reading: Reading) -> "pd.DataFrame":
    """A trial of several active arms: as one group, or its control shared out."""
    study = str(rows["study"].iloc[0])
    bare = [name for name in rows if str(name) in ("mean_baseline", "sd_baseline", "sd_change")]
    if any(filled(rows, str(name)).any() for name in bare):
        raise DataError(
            f"Arms of {study} with baselines cannot be {DONE[reading.several_arms or 'combine']}: "
            f"analyse final values ({way('final')}), or choose one arm with "
            f"{way('treatment', str(rows['label'].iloc[0]))}."
        )
    table = _with_sds(rows.drop(columns=bare))
    kept = [name for name in table if str(name) not in ("se", "iqr", "lower_mean", "upper_mean")]
    made = RESHAPED[reading.several_arms or "combine"](table.loc[:, kept])
    own = {name: rows[name].dropna().iloc[0] for name in (*OF_A_TRIAL, "variant")
           if name in rows and filled(rows, name).any() and name not in made}  # fmt: skip
    return made.assign(**own)


def _with_sds(rows: "pd.DataFrame") -> "pd.DataFrame":
    """SDs of arms that give standard errors of their means."""
    if "se" not in rows or "n" not in rows:
        return rows
    cells = list(rows["sd"]) if "sd" in rows else [np.nan] * len(rows)
    for i, (se, n) in enumerate(zip(rows["se"], rows["n"], strict=True)):
        of_mean, size = read_number(se), read_number(n)
        if is_blank(cells[i]) and of_mean is not None and size is not None:
            cells[i] = of_mean * size**0.5
    return rows.assign(sd=cells)


def _kinds(names: Sequence[str], reading: Reading) -> list[str | None]:
    """Whether each arm is of treatment or control; None where it was not asked for."""
    plain = [name.casefold() for name in names]
    treatment = {name.strip().casefold() for name in reading.treatment}
    control = None if reading.control is None else reading.control.strip().casefold()
    named = (*reading.treatment, *([] if reading.control is None else [reading.control]))
    unknown = [name for name in named if name.strip().casefold() not in plain]
    if unknown:
        raise DataError(f"No arm is named {shown(unknown[0])}; the table names {listed(names)}.")
    if control is None and not treatment and set(plain) <= OURS.keys():
        return [OURS[name] for name in plain]
    if control is None:
        raise DataError(
            f"The table has one row per arm; its arms are {listed(names)}. Say which is the "
            f"control with {way('control', _guess(names))}, and, to choose among the others, which "
            f"is the treatment with {way('treatment', '...')}."
        )
    if control in treatment:
        raise DataError(f"{shown(reading.control)} cannot be both treatment and control.")
    return [_kind(name, treatment, control) for name in plain]


def _kind(name: str, treatment: Set[str], control: str) -> str | None:
    if name == control:
        return "control"
    wanted = name in treatment if treatment else not is_total(name)
    return "treatment" if wanted else None


def _guess(names: Sequence[str]) -> str:
    """An arm to show in an example: the one that sounds like a control, else the last."""
    known = ("placebo", "control", "usual care", "standard care")
    return next((name for name in names if name.casefold() in known), names[-1])


def _complete(
    trials: Sequence[Trial], kind: Sequence[str | None], *, chosen: bool
) -> tuple[set[Trial], tuple[Excluded, ...]]:
    """Trials with both kinds of arms, and the others with the reason."""
    have: dict[Trial, set[str | None]] = {}
    for trial, one in zip(trials, kind, strict=True):
        have.setdefault(trial, set()).add(one)
    lacking = {
        trial: next(one[1:] for one in ARMS if one[1:] not in kinds)
        for trial, kinds in have.items()
        if not {"treatment", "control"} <= kinds
    }
    asked = " that was asked for" if chosen else ""
    gone = tuple(
        Excluded(study, variant, f"no {arm} arm{asked}")
        for (study, variant), arm in lacking.items()
    )
    return have.keys() - lacking.keys(), gone


def _several(rows: "pd.DataFrame") -> dict[Trial, list[str]]:
    """Trials with several treatment arms, by the arms' names."""
    found: dict[Trial, list[str]] = {}
    seen: set[tuple[Trial, str]] = set()
    trials = zip(map(str, rows["study"]), variants_of(rows), strict=True)
    for i, trial, arm, label in zip(rows.index, trials, rows["arm"], rows["label"], strict=True):
        if (trial, str(label).casefold()) in seen:
            again = way("exclude", f"{trial[0]} (row {int(i) + 1})")
            raise DataError(
                f"{trial[0]} has two rows for its arm {label}: several outcomes, times or groups "
                f"of patients. Keep one of them, e.g. {again}."
            )
        seen.add((trial, str(label).casefold()))
        if arm == "treatment":
            found.setdefault(trial, []).append(str(label))
    return {trial: labels for trial, labels in found.items() if len(labels) > 1}


def _check_asked(
    several: Mapping[Trial, Sequence[str]], reading: Reading, *, chosen: bool, told: str = ""
) -> None:
    if not several or reading.several_arms is not None:
        return
    (study, _), labels = next(iter(several.items()))
    others = f" and {len(several) - 1} more" if len(several) > 1 else ""
    choose = "" if chosen else f", or choose one with {way('treatment', labels[0])}"
    choose += (
        f". If they are outcomes that {told} tells apart, fit each by itself: {way('by', told)}"
        if told
        else ""
    )
    raise DataError(
        f"{study}{others} has several active arms ({', '.join(labels)}) and one control, which "
        f"must not count twice: add the arms up with {way('combine')}, or share the control out "
        f"among them with {way('split')}{choose}."
    )


def _done(several: Mapping[Trial, Sequence[str]], reading: Reading) -> list[str]:
    return [
        f"{study}: {', '.join(labels)} {DONE[reading.several_arms or 'combine']}"
        for (study, _), labels in list(several.items())[:5]
    ] + ([f"and {len(several) - 5} trials more alike"] if len(several) > 5 else [])


def _none_several(several: Sized, reading: Reading) -> list[str]:
    """That there was nothing to do, where something was asked for."""
    if several or reading.several_arms is None:
        return []
    return [f"nothing to {reading.several_arms}: no trial has several active arms under one name"]


def _of_active_arms(frame: "pd.DataFrame", reading: Reading) -> Reshaped:
    """Trials that stand in several rows with one and the same control arm."""
    import pandas as pd

    shared = _with_one_control(frame) if "study" in frame else {}
    if not shared:
        return frame, tuple(_none_several(shared, reading)), ()
    _check_differ(frame, shared)
    labels = {
        trial: [_label(frame, i, place) for place, i in enumerate(where, start=1)]
        for trial, where in shared.items()
    }
    told = told_apart_by(frame)
    _check_asked(labels, reading, chosen=True, told=told)
    done = {}
    for trial, where in shared.items():
        made = _reshaped(_long(frame.iloc[where], labels[trial]), reading)
        done[where[0]] = made.set_index(frame.index[where[: len(made)]])
    gone = {i for where in shared.values() for i in where}
    parts = [
        done[i] if i in done else frame.iloc[[i]]
        for i in range(len(frame))
        if i in done or i not in gone
    ]
    return pd.concat(parts), tuple(_done(labels, reading)), ()


def _with_one_control(frame: "pd.DataFrame") -> dict[Trial, list[int]]:
    """Places of each trial (and reading of it) that repeats with the same control figures."""
    control = [name for name in frame.columns if str(name).endswith("_control") and name in NUMBERS]
    rows: dict[Trial, list[int]] = {}
    for i, trial in enumerate(zip(map(str, frame["study"]), variants_of(frame), strict=True)):
        rows.setdefault(trial, []).append(i)
    several = {trial: where for trial, where in rows.items() if len(where) > 1 and trial[0].strip()}
    return {
        trial: where
        for trial, where in several.items()
        if control and _alike(frame[control].iloc[where])
    }


def _alike(cells: "pd.DataFrame") -> bool:
    known = [str(name) for name in cells if filled(cells, str(name)).all()]
    return bool(known) and len({tuple(map(str, row)) for row in cells.to_numpy()}) == 1


def _check_differ(frame: "pd.DataFrame", shared: Mapping[Trial, Sequence[int]]) -> None:
    """Refuse a row that stands twice: no active arm is another's double."""
    of_arms = [name for name in frame if str(name).endswith(ARMS) or str(name) == "label"]
    for (study, _), where in shared.items():
        rows = [tuple(map(str, row)) for row in frame[of_arms].iloc[list(where)].to_numpy()]
        twice = next((i for i, row in enumerate(rows) if row in rows[:i]), None)
        if twice is not None:
            named = f"{study} (row {int(frame.index[where[twice]]) + 1})"
            raise DataError(
                f"{named} holds the figures of another row of {study}: one trial entered twice "
                f"counts twice. Leave one out with {way('exclude', named)}."
            )


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
