"""One table and one printed figure: which conventions lead from the one to the other."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from ._table import of_a_table
from .shown.account import say_account
from .shown.echo import echo, visible_table

if TYPE_CHECKING:
    import pandas as pd

    from ..explanation import Data, Explanation
    from ..reading import Reading
    from ..studies import Published

MAIN = "main"


@click.command()
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "--published", required=True, help="The figure as printed, e.g. 'RR 0.58 [0.38, 0.87]'."
)
@click.option("--k", type=click.IntRange(1), help="Studies behind it, where printed.")
@click.option("--p", default="", help="Its p, as printed.")
@click.option("--p-heterogeneity", default="", help="P of heterogeneity, as printed.")
@click.option("--i2", default="", help="I² in per cent, as printed.")
@of_a_table
@click.option("--subsets", is_flag=True, help="Also try every subset of the studies.")
@click.option(
    "--readings",
    is_flag=True,
    help="Also try the rows of TABLE whose variant is not 'main' in place of the main ones.",
)
@click.option("--verbose", is_flag=True, help="All that was read, guessed and left out.")
def explain(
    table: Path,
    published: str,
    *,
    k: int | None,
    p: str,
    p_heterogeneity: str,
    i2: str,
    reading: "Reading",
    subsets: bool,
    readings: bool,
    verbose: bool,
) -> None:
    """Find the conventions that give a published figure from a TABLE of studies.

    The table, as for fit, has events, person-time or means per arm, or estimates. Where it has a
    column variant, the rows named main are pooled.
    """
    from ..errors import of_table
    from ..explanation import explain as explain_figure
    from ..studies import Published
    from ..ways import EXPLAIN, speaking

    figure = Published.parse(published, k=k, p=p, p_heterogeneity=p_heterogeneity, i2=i2)
    with of_table(table), speaking(EXPLAIN):
        main, others = _rows(table, figure.measure, reading)
    found = explain_figure(main, figure, subsets=subsets, readings=others if readings else ())
    say_account(main.account, verbose=verbose)
    _print(found, main, others, readings=readings)


def _rows(table: Path, measure: str, reading: "Reading") -> "tuple[Data, list[Data]]":
    """The main rows, and each usable other row of one of their studies as a table of its own."""
    from ..errors import DataError
    from ..reading import Opened, main_rows, open_table, read

    every = open_table(table, reading, measure=measure or None)
    first = read(main_rows(every), measure, reading)
    frame = every.frame
    others: list[Data] = []
    if "variant" not in frame:
        return first, others  # pyright: ignore[reportReturnType]
    is_main = (frame["variant"].fillna(MAIN) == MAIN).to_numpy()
    if not is_main.any():
        return first, others  # pyright: ignore[reportReturnType]
    for i in np.flatnonzero(~is_main & frame["study"].isin(first.study).to_numpy()):
        try:
            others.append(read(Opened(frame=frame.iloc[[i]]), measure, reading))  # pyright: ignore[reportArgumentType]
        except DataError:
            continue  # a row with gaps is no reading
    return first, others  # pyright: ignore[reportReturnType]


def _print(found: "Explanation", main: "Data", others: "list[Data]", *, readings: bool) -> None:
    echo(f"{main.k} {'study' if main.k == 1 else 'studies'}: {', '.join(main.study)}.")
    if others and not readings:
        names = ", ".join(dict.fromkeys(name for one in others for name in one.study))
        echo(f"Other readings, tried with --readings: {names}.")
    echo(f"\n{found}\n")
    _say_reverse(found.published)
    digits = found.published.decimals + 1
    table = found.table()
    table.index += 1
    echo(f"Nearest\n{_text(_short(table), digits)}")
    for number, words in table["convention"].items():
        echo(f"{number}. {words}")
    echo()
    choices = found.choices_table()
    if not choices.empty:
        echo(
            f"One choice made differently\n{_text(choices.head(10).set_index('choice'), digits)}\n"
        )
    echo(f"Defaults of programs\n{_text(found.programs_table().set_index('program'), digits)}")


def _say_reverse(published: "Published") -> None:
    """Who is convinced by the figure, where its interval is about its estimate."""
    from ..errors import BayesmetaError
    from ..evidence import reverse_bayes

    try:
        echo(f"{reverse_bayes(published).sentence}\n")
    except BayesmetaError:
        return  # the conventions stand without it


def _short(table: "pd.DataFrame") -> "pd.DataFrame":
    """Without columns that say nothing here."""
    empty = [name for name in ("left_out", "readings") if not any(table[name])]
    return table.drop(columns=[*empty, "convention"])


def _text(table: "pd.DataFrame", digits: int) -> str:
    return visible_table(table).to_string(float_format=lambda value: f"{value:.{digits}f}")
