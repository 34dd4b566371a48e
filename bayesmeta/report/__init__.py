"""Results to one self-contained HTML file, and to the folder around it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..files import (
    MANIFEST,
    Piece,
    check_unclaimed,
    side_by_side,
    to_csv,
    to_datatree,
    to_netcdf,
    write_run,
)
from ..results import OutcomeResult, Results
from ..results.checklist import checklist
from ..results.labels import LABELS, label_of
from ..results.records import plain, records_of
from ..results.sections import titles_of
from ._again import folder_of, report_again
from ._figures import figures_of, unwritten
from ._html import render
from ._names import DOCX, NUMBERS, REPORT, SHOWN
from ._view import view_of
from ._word import check_docx, document

if TYPE_CHECKING:
    from xarray import DataTree

__all__ = ["check_results_folder", "folder_of", "report_again", "unwritten", "write_results"]

CHECKLIST = "checklist.csv"
FINDINGS = ("findings.csv", "findings.md", "findings.tex")
ANSWER, SECOND = "posterior.nc", "posterior-nuts.nc"


def check_results_folder(
    folder: Path | str, outcomes: Iterable[str], *, force: bool = False, docx: bool = False
) -> None:
    """Refuse a folder to which results of these outcomes cannot be written, before the work.

    Parameters
    ----------
    folder : Path or str
    outcomes : iterable of str
        Their names.
    force : bool
        Whether files of our names that no run wrote may be overwritten.
    docx : bool
        Whether a Word document is among them.

    Raises
    ------
    FileError
        If it cannot be made or written to, has such files, or no Word document can be made.
    """
    if docx:
        check_docx()
    paths = [
        REPORT,
        NUMBERS,
        SHOWN,
        CHECKLIST,
        *FINDINGS,
        MANIFEST,
        *([DOCX] if docx else []),
        *(f"{name}/{ANSWER}" for name in outcomes),
    ]
    check_unclaimed(Path(folder), paths, force=force)


def write_results(
    results: Results,
    folder: Path | str,
    *,
    force: bool = False,
    progress: Callable[[str, str], None] | None = None,
    raw_text: bool = False,
    docx: bool = False,
) -> None:
    """Write a run: report, numbers, tables, posteriors and figures.

    Parameters
    ----------
    results : Results
    folder : Path or str
        Gets ``report.html``, ``results.json`` (infinite numbers are the texts ``"inf"`` and
        ``"-inf"``, missing ones null), ``report.json`` (what the report shows, of which
        `report_again` makes it anew), ``manifest.json`` (of each file what it holds, its SHA-256
        and its size in bytes), ``checklist.csv`` (what guidelines ask a report to show, and where
        it does), where an outcome compares two arms ``findings.csv``, ``.md`` and
        ``.tex`` (the summary of findings), and per outcome ``<outcome>/tables/<table>.csv``,
        ``<outcome>/figures/<figure>.svg``, ``<outcome>/posterior.nc`` (draws of the answer) and
        ``<outcome>/posterior-nuts.nc`` (its second source). Nothing of an earlier run into the
        folder is left; files that its manifest does not list stay.
    force : bool
        Whether files of these names that no run wrote may be overwritten.
    progress : callable, optional
        Called with the outcome's title and the step about to start.
    raw_text : bool
        Whether texts that a spreadsheet would take for formulas are written to CSV as they are,
        without an apostrophe in front.
    docx : bool
        Whether ``report.docx`` is written, too.

    Raises
    ------
    FileError
        If anything cannot be written, or would take the place of a file that no run wrote; files
        of an earlier run are then left as they were.
    """
    names = [one.name for one in results.outcomes]
    check_results_folder(folder, names, force=force, docx=docx)
    say = progress or (lambda outcome, step: None)
    write_run(folder, _pieces(results, say, raw_text=raw_text, docx=docx), force=force)


def _pieces(
    results: Results, say: Callable[[str, str], None], *, raw_text: bool, docx: bool
) -> Iterator[Piece]:
    """Every file of a run, one by one."""
    figures: dict[str, Mapping[str, str]] = {}
    for outcome in results.outcomes:
        say(outcome.title, "figures and files")
        figures[outcome.name] = figures_of(outcome, arms=results.arms, prob=results.prob)
        yield from _of_tables(outcome, results, raw_text=raw_text)
        yield from _of_figures(outcome, figures[outcome.name])
        yield from _of_posteriors(outcome, results.seed)
    yield from _of_findings(results, raw_text=raw_text)
    asked = to_csv(checklist(results).table(), raw_text=raw_text)
    yield Piece(
        CHECKLIST, asked.encode(), "what guidelines ask a report to show, and where it does"
    )
    say(results.title, "report")
    shown = json.dumps(view_of(results, figures), ensure_ascii=False, allow_nan=False)
    view = json.loads(shown)
    numbers, page = to_json(results), render(view, figures)
    if docx:
        yield Piece(DOCX, document(view), "the report, for Word")
    yield Piece(SHOWN, shown.encode(), "what the report shows, to make it again")
    yield Piece(NUMBERS, numbers.encode(), "every number, unrounded, with versions and hashes")
    yield Piece(REPORT, page.encode(), "the report, for a browser")


def _of_findings(results: Results, *, raw_text: bool) -> Iterator[Piece]:
    """The summary of findings, as far as there is one, for a table, a text and a paper."""
    found = results.findings
    if found is None:
        return
    texts = (to_csv(found.table(), raw_text=raw_text), found.to_markdown(), found.to_latex())
    for name, text in zip(FINDINGS, texts, strict=True):
        yield Piece(name, text.encode(), "summary of findings")


def _of_tables(outcome: OutcomeResult, results: Results, *, raw_text: bool) -> Iterator[Piece]:
    titles = titles_of(outcome, results)
    for name, table in outcome.tables.items():
        text = to_csv(table, raw_text=raw_text)
        yield Piece(f"{outcome.name}/tables/{name}.csv", text.encode(), titles[name])


def _of_figures(outcome: OutcomeResult, figures: Mapping[str, str]) -> Iterator[Piece]:
    for name, svg in figures.items():
        yield Piece(f"{outcome.name}/figures/{name}.svg", svg.encode(), f"figure: {name}")


def _of_posteriors(outcome: OutcomeResult, seed: int) -> Iterator[Piece]:
    """The answer as draws; a sampled second source beside it; figures analysed alone together."""
    for name, (label, tree) in _trees(outcome, seed).items():
        yield Piece(f"{outcome.name}/{name}", to_netcdf(tree), f"draws for ArviZ: {label}")


def to_json(results: Results) -> str:
    """Return every printed number unrounded, with versions, seed and hashes.

    JSON has no infinity: an infinite number is the text ``"inf"`` or ``"-inf"``, which ``float``
    reads back. What is missing, or does not exist, is null.
    """
    content = {
        "title": results.title,
        "passed": results.passed,
        "seed": results.seed,
        "prob": results.prob,
        "versions": dict(results.versions),
        "device": results.device,
        "sha256": dict(results.hashes),
        "outcomes": {outcome.name: _outcome(outcome) for outcome in results.outcomes},
        "specification": results.specification,
    }
    return json.dumps(content, indent=1, ensure_ascii=False, default=plain, allow_nan=False)


def _trees(outcome: OutcomeResult, seed: int) -> "Mapping[str, tuple[str, DataTree]]":
    """By file, what it is called and its draws."""
    if outcome.main is None:
        alone = {one.label: one.posterior for one in outcome.published if one.posterior}
        label = "published figures, each analysed alone"
        return {ANSWER: (label, side_by_side(alone, seed=seed))} if alone else {}
    (answering, answer), *others = outcome.main.fits.items()
    trees = {ANSWER: (LABELS[answering], to_datatree(answer, seed=seed))}
    for key, other in others:
        if not other.exact:
            trees[SECOND] = (LABELS[key], to_datatree(other, seed=seed))
    return trees


def _outcome(outcome: OutcomeResult) -> dict[str, object]:
    return {
        "title": outcome.title,
        "measure": outcome.measure,
        "better": outcome.better,
        "models": {LABELS[key]: repr(model) for key, model in outcome.asked.items()},
        "published_priors": {LABELS[key]: model.cited for key, model in outcome.asked.items()},
        "failed_gates": {label: list(failed) for label, failed in outcome.failures.items()},
        "cautions": list(outcome.cautions),
        "notes": [note for one in outcome.scenarios for note in one.notes],
        "accounts": {one.name: one.account.to_dict() for one in outcome.scenarios},
        "what_if": None if outcome.what_if is None else outcome.what_if.to_dict(),
        "coherence": str(outcome.coherence),
        "log_marginal_likelihood": {
            label_of(place): posterior.log_marginal_likelihood
            for place, posterior in outcome.fits.items()
            if posterior.log_marginal_likelihood is not None
        },
        "tables": {name: records_of(table) for name, table in outcome.tables.items()},
    }
