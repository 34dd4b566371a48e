"""How a table is read, as options of every command that reads one."""

import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING

import click

from ..ways import cut, shown

if TYPE_CHECKING:
    from ..reading import Reading

NAMES = (
    *("columns", "cells", "exclude", "sheet", "decimal", "level"),
    *("treatment", "control", "combine_arms", "split_control"),
    *("correlation", "final_values", "design_effect", "icc", "cluster_size"),
)
OPTIONS = (
    click.option(
        "--columns",
        multiple=True,
        metavar="OURS=THEIRS,...",
        help="Columns by other names, e.g. study=Trial,n_treatment=N1; repeatable.",
    ),
    click.option(
        "--cells",
        multiple=True,
        metavar="COLUMN=FORM",
        help="What cells of several figures are, e.g. 'Deaths=events/n treatment'; repeatable.",
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar="NAME: REASON",
        help="A study to leave out, and why; repeatable.",
    ),
    click.option("--sheet", help="Sheet of an Excel file."),
    click.option(
        "--decimal", type=click.Choice([".", ","]), help="Decimal mark, where nothing tells."
    ),
    click.option(
        "--treatment", multiple=True, help="One row per arm: a treatment arm; repeatable."
    ),
    click.option("--control", multiple=True, help="One row per arm: the control arm."),
    click.option(
        "--combine-arms", is_flag=True, help="Several active arms of a trial as one group."
    ),
    click.option("--split-control", is_flag=True, help="Share the control out among active arms."),
    click.option(
        "--correlation",
        metavar="R",
        help="Of baseline and final values: a number, or derived; analyses changes.",
    ),
    click.option("--final-values", is_flag=True, help="Leave baselines aside."),
    click.option("--design-effect", type=float, help="Of trials that randomised clusters."),
    click.option("--icc", type=float, help="Of such trials, with --cluster-size."),
    click.option("--cluster-size", type=float, help="Mean size of a cluster, with --icc."),
    click.option(
        "--level", type=float, help="Level of printed intervals; 0.95 if nothing says it."
    ),
)


def of_a_table(command: Callable[..., object]) -> Callable[..., object]:
    """Add the options that say how a table is read; the command gets a ``Reading``."""

    @wraps(command)
    def gathered(**given: object) -> object:
        said = {name: given.pop(name) for name in NAMES}
        return command(reading=_reading(said), **given)

    for option in reversed(OPTIONS):
        gathered = option(gathered)
    return gathered


def _reading(said: dict[str, object]) -> "Reading":
    """What the options say of a table."""
    from ..errors import SpecError
    from ..reading import Reading
    from ..studies import check_prob

    combine, split = said.pop("combine_arms"), said.pop("split_control")
    if combine and split:
        raise SpecError("--combine-arms and --split-control exclude each other; give one.")
    if said["level"] is not None:
        check_prob(said["level"], of_table=True)  # pyright: ignore[reportArgumentType]
    columns = [part for text in said["columns"] for part in _PAIRS.split(text)]  # pyright: ignore[reportGeneralTypeIssues]
    said |= {
        "columns": _pairs(columns, "--columns", "="),
        "cells": _pairs(said["cells"], "--cells", "="),  # pyright: ignore[reportArgumentType]
        "control": _one_control(said["control"]),  # pyright: ignore[reportArgumentType]
        "exclude": _excluded(said["exclude"]),  # pyright: ignore[reportArgumentType]
        "decimal": said["decimal"] or "",
        "correlation": _correlation(said["correlation"]),  # pyright: ignore[reportArgumentType]
        "several_arms": "combine" if combine else "split" if split else None,
    }
    return Reading(**said)  # pyright: ignore[reportArgumentType]


_PAIRS = re.compile(r",(?=[^,=]+=)")


def _pairs(texts: Sequence[str], flag: str, mark: str) -> dict[str, str]:
    """Read ``NAME=VALUE`` texts."""
    from ..errors import SpecError

    found: dict[str, str] = {}
    for text in texts:
        name, _, value = (part.strip() for part in text.partition(mark))
        if not (name and value):
            raise SpecError(f"{flag} takes NAME{mark}VALUE; got {shown(text)}.")
        if name in found:
            raise SpecError(f"{flag} names {shown(name)} twice.")
        found[name] = value
    return found


def _one_control(names: Sequence[str]) -> str | None:
    from ..errors import SpecError

    if len(names) > 1:
        raise SpecError(f"--control names one arm; got {cut(', '.join(names))}.")
    return names[0] if names else None


def _excluded(texts: Sequence[str]) -> dict[str, None]:
    """Texts that hold a name and a reason; the table tells where the one ends."""
    from ..errors import SpecError

    for text in texts:
        name, _, reason = text.partition(":")
        if not (name.strip() and reason.strip()):
            raise SpecError(f"--exclude takes 'NAME: REASON'; got {shown(text)}.")
    return dict.fromkeys(texts)


def _correlation(text: str | None) -> float | str | None:
    from ..errors import SpecError

    if text is None or text == "derived":
        return text
    try:
        return float(text)
    except ValueError:
        raise SpecError(
            f"--correlation is a number between -1 and 1, or derived; got {shown(text)}."
        ) from None
