"""One table and one printed figure: which conventions lead from the one to the other."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from ..explanation import Data, Explanation


@click.command()
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "--published", required=True, help="The figure as printed, e.g. 'RR 0.58 [0.38, 0.87]'."
)
@click.option("--k", type=click.IntRange(1), help="Studies behind it, where printed.")
@click.option("--p", default="", help="Its p, as printed.")
@click.option("--p-heterogeneity", default="", help="P of heterogeneity, as printed.")
@click.option("--i2", default="", help="I² in per cent, as printed.")
@click.option(
    "--level",
    default=0.95,
    show_default=True,
    help="Level of the intervals in a table of estimates.",
)
@click.option("--subsets", is_flag=True, help="Also try every subset of the studies.")
@click.option(
    "--readings",
    is_flag=True,
    help="Also try the rows of TABLE whose variant is not 'main' in place of the main ones.",
)
def explain(
    table: Path,
    published: str,
    *,
    k: int | None,
    p: str,
    p_heterogeneity: str,
    i2: str,
    level: float,
    subsets: bool,
    readings: bool,
) -> None:
    """Find the conventions that give a published figure from a TABLE (CSV) of studies.

    The table has events, person-time or means per arm, or estimates. Where it has a column variant,
    the rows named main are pooled.
    """
    from ..explanation import explain as explain_figure
    from ..files import read_table
    from ..studies import Published

    figure = Published.parse(published, k=k, p=p, p_heterogeneity=p_heterogeneity, i2=i2)
    main, others = _rows(read_table(table), figure.measure, level)
    found = explain_figure(main, figure, subsets=subsets, readings=others if readings else ())
    _print(found, main, others, readings=readings)


def _rows(frame: "pd.DataFrame", measure: str, level: float) -> "tuple[Data, list[Data]]":
    """The main rows, and each usable other row of one of their studies as a table of its own."""
    from ..errors import DataError
    from ..wording import kind_of
    from ..wording import read as read_table

    kind = kind_of(frame)

    def read(part: "pd.DataFrame") -> "Data":
        return read_table(part, kind, measure=measure, level=level)  # pyright: ignore[reportReturnType]

    if "variant" not in frame or "main" not in frame["variant"].to_list():
        return read(frame), []
    is_main = (frame["variant"] == "main").to_numpy()
    first = read(frame.iloc[np.flatnonzero(is_main)])
    others: list[Data] = []
    for i in np.flatnonzero(~is_main & frame["study"].isin(first.study).to_numpy()):
        try:
            others.append(read(frame.iloc[[i]]))
        except DataError:
            continue  # a row with gaps is no reading
    return first, others


def _print(found: "Explanation", main: "Data", others: "list[Data]", *, readings: bool) -> None:
    click.echo(f"{main.k} {'study' if main.k == 1 else 'studies'}: {', '.join(main.study)}.")
    if others and not readings:
        names = ", ".join(dict.fromkeys(name for one in others for name in one.study))
        click.echo(f"Other readings, tried with --readings: {names}.")
    click.echo(f"\n{found}\n")
    digits = found.published.decimals + 1
    table = found.table()
    table.index += 1
    click.echo(f"Nearest\n{_text(_short(table), digits)}")
    for number, words in table["convention"].items():
        click.echo(f"{number}. {words}")
    click.echo()
    choices = found.choices_table()
    if not choices.empty:
        click.echo(
            f"One choice made differently\n{_text(choices.head(10).set_index('choice'), digits)}\n"
        )
    click.echo(
        f"Defaults of programs\n{_text(found.programs_table().set_index('program'), digits)}"
    )


def _short(table: "pd.DataFrame") -> "pd.DataFrame":
    """Without columns that say nothing here."""
    empty = [name for name in ("left_out", "readings") if not any(table[name])]
    return table.drop(columns=[*empty, "convention"])


def _text(table: "pd.DataFrame", digits: int) -> str:
    return table.to_string(float_format=lambda value: f"{value:.{digits}f}")
