"""Results to one self-contained HTML file, and to the folder around it."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..files import side_by_side, staged, to_datatree, to_netcdf
from ..results import OutcomeResult, Results
from ..results.labels import LABELS, label_of
from ._figures import figures_of
from ._html import render

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

__all__ = ["write_results"]


def write_results(
    results: Results, folder: Path | str, *, progress: Callable[[str, str], None] | None = None
) -> None:
    """Write a run: report, numbers, tables, posteriors and figures.

    Parameters
    ----------
    results : Results
    folder : Path or str
        Gets ``report.html``, ``results.json`` (infinite numbers are the texts ``"inf"`` and
        ``"-inf"``, missing ones null), and per outcome ``<outcome>.nc`` (draws of the
        answer), ``<outcome>-nuts.nc`` (its second source), ``<outcome>-<table>.csv`` and
        ``<outcome>-<figure>.svg``.
    progress : callable, optional
        Called with the outcome's title and the step about to start.

    Raises
    ------
    FileError
        If anything cannot be written; files of an earlier run are then left as they were.
    """
    say = progress or (lambda outcome, step: None)
    with staged(folder) as place:
        figures: dict[str, Mapping[str, str]] = {}
        for outcome in results.outcomes:
            say(outcome.title, "figures and files")
            figures[outcome.name] = figures_of(outcome, arms=results.arms, prob=results.prob)
            _write_outcome(outcome, figures[outcome.name], place, results.seed)
        say(results.title, "report")
        (place / "results.json").write_text(to_json(results), encoding="utf-8")
        (place / "report.html").write_text(render(results, figures), encoding="utf-8")


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
    return json.dumps(content, indent=1, ensure_ascii=False, default=_plain, allow_nan=False)


def _write_outcome(
    outcome: OutcomeResult, figures: Mapping[str, str], place: Path, seed: int
) -> None:
    for name, table in outcome.tables.items():
        table.to_csv(place / f"{outcome.name}-{name}.csv", lineterminator="\n")
    for name, svg in figures.items():
        (place / f"{outcome.name}-{name}.svg").write_text(svg, encoding="utf-8")
    for suffix, tree in _trees(outcome, seed).items():
        (place / f"{outcome.name}{suffix}.nc").write_bytes(to_netcdf(tree))


def _trees(outcome: OutcomeResult, seed: int) -> Mapping[str, "DataTree"]:
    """The answer as draws; a sampled second source beside it; figures analysed alone together."""
    if outcome.main is None:
        alone = {one.label: one.posterior for one in outcome.published if one.posterior}
        return {"": side_by_side(alone, seed=seed)} if alone else {}
    answer, *others = outcome.main.fits.values()
    trees = {"": to_datatree(answer, seed=seed)}
    for other in others:
        if not other.exact:
            trees["-nuts"] = to_datatree(other, seed=seed)
    return trees


def _outcome(outcome: OutcomeResult) -> dict[str, object]:
    return {
        "title": outcome.title,
        "measure": outcome.measure,
        "better": outcome.better,
        "models": {LABELS[key]: repr(model) for key, model in outcome.asked.items()},
        "failed_gates": {label: list(failed) for label, failed in outcome.failures.items()},
        "cautions": list(outcome.cautions),
        "read": list(outcome.said),
        "coherence": str(outcome.coherence),
        "log_marginal_likelihood": {
            label_of(place): posterior.log_marginal_likelihood
            for place, posterior in outcome.fits.items()
            if posterior.log_marginal_likelihood is not None
        },
        "tables": {name: _records(table) for name, table in outcome.tables.items()},
    }


def _records(table: "pd.DataFrame") -> list[dict[str, object]]:
    rows = table.reset_index().to_dict(orient="records")
    return [{str(key): _plain(value) for key, value in row.items()} for row in rows]


def _plain(value: object) -> object:
    """NumPy scalars as Python's; what is missing as null, what is infinite as text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
