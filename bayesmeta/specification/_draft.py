"""A first specification for a table: what can be guessed is, and says that it is a guess."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..effects import MEASURES
from ..errors import SpecError
from ..model import default_model
from ..reading import Data, Reading, estimates_of
from ..ways import way

FIRST = {"OR": "RR", "MD": "MD"}  # the measure to begin with, among several
_PLAIN: Mapping[str, tuple[str, str]] = {
    "RD": ("Normal(0, 0.5)", "HalfNormal(0.1)"),
    "SMD": ("Normal(0, 1)", "HalfNormal(0.3)"),
    "PLO": ("Normal(0, 2)", "HalfNormal(1)"),
    "IRLN": ("Normal(0, 10)", "HalfNormal(1)"),
}
_OF_DEATH = ("death", "died", "mortal", "fatal", "relapse", "adverse", "infection", "failure")


def measure_of(data: Data, named: str, asked: str | None) -> tuple[str, str]:
    """The measure to analyse, and how it was come by.

    Raises
    ------
    SpecError
        If the table holds estimates that do not say of what.
    """
    if asked is not None:
        return asked, "as asked"
    if named:
        return named, "by the name of the column"
    if not data.measures:
        raise SpecError(
            "The table has estimates and does not say of what: name the measure, e.g. "
            f"{way('measure', 'HR')} (OR, RR, RD, IRR, HR, MD, SMD, ROM, or GEN for any other)."
        )
    first = FIRST.get(data.measures[0], data.measures[0])
    first = "RR" if "RR" in data.measures else first
    others = [one for one in data.measures if one != first]
    also = f"; {', '.join(others)} can be had too" if others else ""
    return first, f"guessed for {data.kind}{also}"


def draft(
    table: Path,
    target: Path,
    data: Data,
    reading: Reading,
    *,
    measure: str,
    how: str,
    said: Sequence[str] = (),
) -> str:
    """Write a commented specification that runs as it stands.

    Parameters
    ----------
    table, target : Path
        What is analysed, and where the specification will stand.
    data : Studies, ContinuousStudies or EffectSizes
        The table as it was read.
    reading : Reading
        How.
    measure, how : str
        From :func:`measure_of`.
    said : sequence of str
        What was guessed or done to read the table.

    Returns
    -------
    str
        TOML.
    """
    title = _title(table)
    lines = [
        f"# A first specification for {table.name}: it runs as it stands.",
        "# What is marked CONFIRM is a guess: read it, mend it, delete the mark.",
        *([f"# Read: {'; '.join(said)}."] if said else []),
        "",
        f"title = {_text(title)}  # CONFIRM",
        'question = ""  # what is asked, in one sentence, for the report',
        *_of_arms(measure, reading),
        "",
        "[[outcome]]",
        f"name = {_text(_name(title))}",
        f"title = {_text(title)}  # CONFIRM: what was measured, in words",
        *_better(measure, title),
        f"measure = {_text(measure)}  # {how}",
        f"kind = {_text(_kind(data))}",
        f"data = {_text(_relative(table, target))}",
        *_of_reading(reading),
        *_unit(data, measure),
        *_priors(data, measure),
        "",
        "[[outcome.scenario]]",
        'name = "all studies"',
        *_drop(reading, data),
        "",
        "# A published figure to set beside the answer, as printed:",
        "# [[outcome.published]]",
        '# label = "Smith 2024"',
        f"# measure = {_text(measure)}",
        '# estimate = "0.76"',
        '# lower = "0.60"',
        '# upper = "0.96"',
    ]
    return "\n".join(lines) + "\n"


def _title(table: Path) -> str:
    words = re.sub(r"[^\w]+|_", " ", table.stem).strip() or "Outcome"
    return words[:1].upper() + words[1:]


def _name(title: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")[:40].strip("-")
    return plain or "outcome"


def _of_arms(measure: str, reading: Reading) -> list[str]:
    if not MEASURES[measure].comparative:
        return []
    names = (" or ".join(reading.treatment) or "treatment", reading.control or "control")
    return [f"arms = [{', '.join(map(_text, names))}]  # CONFIRM: what is compared with what"]


def _better(measure: str, title: str) -> list[str]:
    if not MEASURES[measure].comparative:
        return []
    harm = any(word in title.casefold() for word in _OF_DEATH)
    why = f"“{title}” sounds like a harm" if harm else "nothing tells; lower is written"
    return [f'better = "lower"  # CONFIRM: {why}; "higher" where more is better']


def _kind(data: Data) -> str:
    return "counts" if data.discrete else "continuous" if data.arms else "estimates"


def _relative(table: Path, target: Path) -> str:
    return Path(os.path.relpath(table.resolve(), target.resolve().parent)).as_posix()


def _of_reading(reading: Reading) -> list[str]:
    """The keys that say how the table is read, where they differ from their defaults."""
    plain = Reading()
    said = {name: getattr(reading, name) for name in Reading.__dataclass_fields__}
    return [
        f"{name} = {_value(value)}"
        for name, value in said.items()
        if name != "exclude" and value != getattr(plain, name)
    ]


def _drop(reading: Reading, data: Data) -> list[str]:
    """The exclusions; of a text that holds both, the rows left out tell name and reason."""
    named = {str(key): reason for key, reason in reading.exclude.items() if reason is not None}
    for text in (str(key) for key, reason in reading.exclude.items() if reason is None):
        for row in data.excluded:
            if text.startswith(row.study) and text.rstrip().endswith(row.reason):
                named[text.rstrip().removesuffix(row.reason).rstrip(" :")] = row.reason
    return [f"drop = {_value(named)}"] if named else []


def _unit(data: Data, measure: str) -> list[str]:
    threshold = "# threshold: none is set. CONFIRM which difference would matter, for who reads on."
    if not MEASURES[measure].comparative:
        return []
    if measure not in ("MD", "GEN"):
        return [threshold]
    units = dict.fromkeys(filter(None, getattr(data, "unit", ())))
    told = ", ".join(units) if units else "that of the table"
    return [f"# unit: {told}. CONFIRM that all studies use one.", threshold]


def _priors(data: Data, measure: str) -> list[str]:
    if MEASURES[measure].log and MEASURES[measure].comparative:
        priors = default_model(estimates_of(data, measure)).priors
        mu, tau, why = repr(priors["mu"]), repr(priors["tau"]), "the default for ratios"
    elif measure in _PLAIN:
        (mu, tau), why = _PLAIN[measure], f"weakly informative for {MEASURES[measure].words}s"
    else:
        mu, tau, why = _by_size(data, measure)
    return [
        f"mu = {_text(mu)}  # CONFIRM: {why}",
        f"tau = {_text(tau)}  # CONFIRM: {why}",
    ]


def _by_size(data: Data, measure: str) -> tuple[str, str, str]:
    """Priors in the unit of the outcome: its patients' SD, or else the spread of estimates."""
    sds = [getattr(data, f"sd{arm}", None) for arm in data.arms]
    known = np.concatenate([one for one in sds if one is not None] or [np.empty(0)])
    known = known[np.isfinite(known)]
    if known.size:
        size, of = float(np.median(known)), "the median SD of patients"
    else:
        effects = estimates_of(data, measure)
        size, of = float(np.max(np.abs(effects.y)) + np.median(effects.se)), "the estimates' size"
    size = float(f"{size:.2g}")
    return (
        f"Normal(0, {2 * size:g})",
        f"HalfNormal({size / 2:g})",
        f"twice and half of {of}, {size:g}, which looks at the data: choose by what is known",
    )


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _value(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_text(str(k))} = {_value(v)}' for k, v in value.items())} }}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return repr(value)
