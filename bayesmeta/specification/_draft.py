"""A first specification for a table: what can be guessed is, and says that it is a guess."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..effects import MEASURES
from ..errors import SpecError
from ..model import default_model
from ..reading import Data, Reading, estimates_of
from ..ways import way
from ._toml import arms_of, dropped, lines_of, name_of, quoted, said_of, title_of, toml

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
    title = title_of(table)
    lines = [
        f"# A first specification for {table.name}: it runs as it stands.",
        "# What is marked CONFIRM is a guess: read it, mend it, delete the mark.",
        *([f"# Read: {'; '.join(said)}."] if said else []),
        "",
        f"title = {quoted(title)}  # CONFIRM",
        'question = ""  # what is asked, in one sentence, for the report',
        *_of_arms(measure, reading),
        "",
        "[[outcome]]",
        f"name = {quoted(name_of(title))}",
        f"title = {quoted(title)}  # CONFIRM: what was measured, in words",
        *_better(measure, title),
        f"measure = {quoted(measure)}  # {how}",
        f"kind = {quoted(_kind(data))}",
        f"data = {quoted(_relative(table, target))}",
        *lines_of(said_of(reading)),
        *_unit(data, measure),
        *_priors(data, measure),
        "",
        "[[outcome.scenario]]",
        'name = "all studies"',
        *lines_of({"drop": dropped(reading, data)}),
        "",
        "# A published figure to set beside the answer, as printed:",
        "# [[outcome.published]]",
        '# label = "Smith 2024"',
        f"# measure = {quoted(measure)}",
        '# estimate = "0.76"',
        '# lower = "0.60"',
        '# upper = "0.96"',
    ]
    return "\n".join(lines) + "\n"


def _of_arms(measure: str, reading: Reading) -> list[str]:
    if not MEASURES[measure].comparative:
        return []
    return [f"arms = {toml(arms_of(reading))}  # CONFIRM: what is compared with what"]


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
        f"mu = {quoted(mu)}  # CONFIRM: {why}",
        f"tau = {quoted(tau)}  # CONFIRM: {why}",
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
