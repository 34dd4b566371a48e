"""The file that a fit is written to: a table or a posterior, by how its name ends."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..posterior import Posterior


raw_text_option = click.option(
    "--raw-text",
    is_flag=True,
    help="Write to CSV as they are, without an apostrophe, texts that begin with =, +, - or @.",
)


def check_output(path: Path, *, other_than: Path | None = None) -> None:
    """Refuse a file that cannot be written, or of an ending that says nothing, before the work.

    Raises
    ------
    FileError
        With the endings that are known.
    """
    from ..errors import FileError
    from ..files import check_file

    check_file(path, other_than=other_than)
    if path.suffix.lower() not in _WRITERS:
        raise FileError(
            f"{path}: -o writes a table (.csv) or a posterior as netCDF (.nc); give the file one "
            "of these endings."
        )


def hold(path: Path) -> None:
    """Let nobody else write to a file or folder until the command ends.

    Raises
    ------
    FileError
        If another command writes there now.
    """
    from ..files import claimed

    click.get_current_context().with_resource(claimed(path))


def write_fit(
    posterior: "Posterior", path: Path, *, seed: int, prob: float, raw_text: bool = False
) -> None:
    """Write a fit as its ending says: every parameter as CSV, or draws as netCDF.

    Parameters
    ----------
    posterior : Posterior
    path : Path
        That `check_output` let pass.
    seed : int
        Of the draws.
    prob : float
        Probability of the intervals of the table.
    raw_text : bool
        Whether CSV holds texts as they are, formulas of a spreadsheet too.
    """
    _WRITERS[path.suffix.lower()](posterior, path, seed, prob, raw_text=raw_text)


def _netcdf(posterior: "Posterior", path: Path, seed: int, _prob: float, *, raw_text: bool) -> None:
    from ..files import write_posterior

    write_posterior(posterior, path, seed=seed)


def _csv(posterior: "Posterior", path: Path, _seed: int, prob: float, *, raw_text: bool) -> None:
    """The summary, unrounded; what people read stands beside the scale of the analysis."""
    from ..files import replacing, to_csv
    from ..summaries import summary

    table = summary(posterior, prob=prob).dropna(axis=1, how="all")
    effects = [str(name).split("[")[0] in posterior.model.effects for name in table.index]
    natural = summary(posterior, prob=prob, scale="natural")
    read = natural.loc[effects, ["median", "lower", "upper"]].add_suffix("_natural")
    text = to_csv(table.join(read), raw_text=raw_text)
    with replacing(path) as new:
        new.write_text(text, encoding="utf-8")


_WRITERS: Mapping[str, Callable[..., None]] = {
    ".csv": _csv,
    ".nc": _netcdf,
}
