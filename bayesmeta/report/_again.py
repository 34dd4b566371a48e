"""The report of a run made again of what the run stored; nothing is fitted."""

import json
from collections.abc import Mapping
from pathlib import Path

from ..errors import FileError
from ..files import Piece, stored, write_run
from ._html import render
from ._names import DOCX, NUMBERS, REPORT, SHOWN
from ._view import View
from ._word import check_docx, document


def report_again(place: Path | str, *, docx: bool = False) -> Path:
    """Make the report of a run again, of what stands in its folder.

    Parameters
    ----------
    place : Path or str
        The folder of a run, or its ``results.json``.
    docx : bool
        Whether ``report.docx`` is written, too; one that is there stays otherwise.

    Returns
    -------
    Path
        Of the report.

    Raises
    ------
    FileError
        If there is no run, another version wrote it, or a file is not as the run wrote it; a Word
        document that was changed since is not overwritten.
    """
    if docx:
        check_docx()
    folder = folder_of(Path(place))
    found = dict(stored(folder, but=(REPORT,), lost=(DOCX,)))
    if SHOWN not in found:
        raise FileError(f"{folder} lists no {SHOWN}; run its specification again.")
    view = json.loads(found[SHOWN].content)
    page = render(view, _figures(view, found)).encode()
    found[REPORT] = Piece(REPORT, page, "the report, for a browser")
    if docx:
        found[DOCX] = Piece(DOCX, document(view), "the report, for Word")
    write_run(folder, found.values(), remedy="move them away, or run with another folder")
    return folder / REPORT


def folder_of(place: Path) -> Path:
    """The folder of a run, by itself or by its ``results.json``.

    Raises
    ------
    FileError
        If it is another file.
    """
    if place.is_dir():
        return place
    if place.name != NUMBERS:
        raise FileError(f"{place} is no folder of a run; name one, or the {NUMBERS} in it.")
    return place.parent


def _figures(view: View, found: Mapping[str, Piece]) -> Mapping[str, Mapping[str, str]]:
    """The drawings beside the numbers, in the order of the page."""
    return {
        (outcome := one["result"]["name"]): {
            name: found[f"{outcome}/figures/{name}.svg"].content.decode() for name in one["drawn"]
        }
        for one in view["outcomes"]
    }
