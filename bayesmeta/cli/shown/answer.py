"""One answer as the terminal shows it."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from .echo import echo, visible, visible_table

if TYPE_CHECKING:
    from ...results.answer import Answer, Line

WIDTH = 80  # characters
LABEL = 32


def print_answer(answer: "Answer", *, scale: str, every: bool) -> None:
    """Print a sentence, the published figure and a table: as people read it, or as analysed."""
    from ...results.answer import MANY

    echo(click.wrap_text(answer.sentence, WIDTH))
    if answer.beside:
        echo(click.wrap_text(answer.beside, WIDTH))
    listed = every or len(answer.studies) <= MANY
    _print_lines(answer, (*answer.lines, *(answer.studies if listed else ())), scale, listed=listed)


def print_studies(answer: "Answer", *, scale: str, every: bool) -> None:
    """Print what the model makes of each study, or how far these lie apart."""
    from ...results.answer import MANY

    listed = every or len(answer.studies) <= MANY
    if answer.studies or scale != "natural":
        _print_lines(answer, answer.studies if listed else (), scale, listed=listed)


def _print_lines(answer: "Answer", shown: "Sequence[Line]", scale: str, *, listed: bool) -> None:
    """Print these lines as people read them, or every parameter as it is analysed."""
    if scale == "natural":
        echo("\n" + "\n".join(_rows(answer, shown)) if shown else "")
    else:
        _print_analysed(answer, without=() if listed else [one.key for one in answer.studies])
    if not listed:
        echo(f"{answer.studies_in_short} --studies all lists them.")


def _rows(answer: "Answer", lines: "Sequence[Line]") -> Iterator[str]:
    cells = [_cells(one, answer) for one in lines]
    cells = [[_short(first, lines), *others] for first, *others in cells]
    head = [answer.called, "median", "lower", "upper", answer.prob_head]
    head[0] = f"{head[0]} [{100 * answer.prob:g}%]{f', {answer.unit}' if answer.unit else ''}"
    width = max(len(row[0]) for row in (head, *cells))
    for first, *others in (head, *cells):
        yield f"{first:<{width}}  {'  '.join(f'{one:>10}' for one in others)}".rstrip()


def _cells(one: "Line", answer: "Answer") -> list[str]:
    share = "" if one.prob is None else _probability(one.prob)
    return [
        visible(one.label),
        *(_figure(value) for value in (one.median, one.lower, one.upper)),
        share,
    ]


def _short(label: str, lines: "Sequence[Line]") -> str:
    """A label that fits, unless another one is the same so far."""
    if len(label) <= LABEL or sum(one.label[:LABEL] == label[:LABEL] for one in lines) > 1:
        return label
    return f"{label[: LABEL - 1]}…"


def _probability(value: float) -> str:
    """Four digits, never rounded to certainty."""
    if value < 5e-5:
        return "< 0.0001"
    return "> 0.9999" if value > 1 - 5e-5 else f"{value:.4f}"


def _figure(value: float) -> str:
    """Four digits behind the point, or four digits of what is very large or small."""
    size = abs(value)
    return f"{value:.4f}" if size == 0 or 1e-3 <= size < 1e5 else f"{value:.4g}"


def _print_analysed(answer: "Answer", *, without: "Sequence[str]") -> None:
    """Print the parameters on the analysis scale; moments that do not exist are named."""
    from ...summaries import summary

    table = summary(answer.posterior, prob=answer.prob).drop(index=list(without))
    blank = table.isna().all()
    unused = [name for name in blank.index[blank.to_numpy()] if name not in ("mean", "sd")]
    table = table.drop(columns=unused)
    missing = table[["mean", "sd"]].isna()
    shown = table.map(lambda value: "" if math.isnan(value) else _figure(value))
    shown[["mean", "sd"]] = shown[["mean", "sd"]].mask(missing, "none")
    echo(f"\n{answer.measure.analysis_label}")
    echo(visible_table(shown).to_string())
    if missing.to_numpy().any():
        echo("none: this moment does not exist; the tails of the posterior are too heavy.")


def print_json(content: Mapping[str, object]) -> None:
    """Print one JSON document."""
    from ...results.records import plain

    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=plain)
    echo(text)
