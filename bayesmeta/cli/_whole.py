"""The whole report from a table and the options of fit, without a specification."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ._asked import Asked, Flags, Typed
from ._output import hold
from .shown.echo import echo
from .shown.progress import progress

if TYPE_CHECKING:
    from ..model import Data
    from ..posterior import Posterior
    from ..reading import Reading
    from ..results import Results
    from ..specification import Source
    from ..studies import Published

IN_KEYS = ("mu", "tau", "baseline", "log_sd")  # priors that a specification has keys for


def write_report(
    table: Path,
    typed: Typed,
    reading: "Reading",
    asked: Asked,
    folder: Path,
    *,
    better: str | None,
    added: Mapping[str, object],
    published: "Published | None" = None,
    seed: int,
    prob: float,
    force: bool,
    raw_text: bool = False,
) -> "Results":
    """Analyse a table as ``bayesmeta run`` would, and write the folder of the run.

    Parameters
    ----------
    table : Path
    typed : Typed
    reading : Reading
    asked : Asked
        What these ask for.
    folder : Path
    better : {"lower", "higher"} or None
        Direction of benefit of what is compared.
    added : mapping of str to object
        Keys of the outcome that say what is told of people, and who judged the studies.
    published : Published, optional
        A figure to set beside the answer.
    seed : int
    prob : float
    force : bool
        Whether files of our names that no run wrote may be overwritten.
    raw_text : bool
        Whether CSV holds texts as they are.

    Returns
    -------
    Results
        The posterior of its first answer is that of the typed model and the table.

    Raises
    ------
    FileError, DataError, SpecError, ModelError
        If it cannot be done; nothing is written then.
    """
    from ..report import check_results_folder

    said = {"better": better, "published": published, "seed": seed, "prob": prob}
    source = _source(table, typed, reading, asked, added, said)
    check_results_folder(folder, [one.name for one in source.specification.outcome], force=force)
    hold(folder)
    with progress() as say:
        from ..analysis import run as analyse
        from ..report import write_results

        results = analyse(source, progress=say)
        write_results(results, folder, force=force, progress=say, raw_text=raw_text)
    return results


def answered(results: "Results") -> "Posterior":
    """The posterior that answers the first outcome, which has a table."""
    main = results.outcomes[0].main
    assert main is not None
    return main.answer


def say_report(results: "Results | None", folder: Path | None) -> None:
    """Say where the report is, if there is one, and whether its answers are sound."""
    if results is None or folder is None:
        return
    from ..report import unwritten

    if letters := unwritten(results):
        echo(f"Caution: {letters}")
    echo(f"Report: {folder / 'report.html'}")
    if not results.passed:
        echo("A numerical gate failed: see the marked tables of the report.", err=True)


def check_report(
    folder: Path | None,
    table: Path,
    typed: Typed,
    better: str | None,
    *,
    nuts: bool,
    alone: Mapping[str, object],
) -> None:
    """Refuse what a report needs and was not typed, and what was typed and has no place in it."""
    from ..effects import MEASURES
    from ..errors import SpecError

    compares = MEASURES[typed.measure].comparative
    if folder is None:
        for option, given in alone.items():
            if given:
                raise SpecError(
                    f"{option} is for the folder of --report: leave it out, or add --report."
                )
        return
    if str(table) == "-":
        raise SpecError("--report needs a file, for the report names and hashes it; save it first.")
    if nuts:
        raise SpecError(
            "--report holds what it integrates against NUTS where that can be; leave --nuts out."
        )
    if typed.share or typed.spread:
        raise SpecError("--report knows no outliers: leave out either it or --share and --spread.")
    if compares and better is None:
        raise SpecError(
            f"--report needs the direction of benefit of the {typed.measure}: add --better lower "
            "or --better higher."
        )


def _source(
    table: Path,
    typed: Typed,
    reading: "Reading",
    asked: Asked,
    added: Mapping[str, object],
    said: Mapping[str, Any],
) -> "Source":
    """The specification of what was typed, which must lead to the model and rows that fit takes."""
    from ..analysis.answer import question_of
    from ..errors import SpecError
    from ..specification import stated

    keys = {**_model(typed, asked), **added}
    source = stated(table, asked.data, reading, model=keys, **said)
    found = question_of(source)
    if found.model != asked.model or not _same(found.data, asked.data):
        raise SpecError(
            "--report cannot state what these options ask of this table as a specification; leave "
            "it out, or write one: bayesmeta init."
        )
    return source


def _model(typed: Typed, asked: Asked) -> Mapping[str, object]:
    """What is fitted, as keys of an outcome."""
    from ..wording import Words, degrees_of_freedom, likelihood_for

    priors = asked.model.priors
    df = None if typed.df is None else degrees_of_freedom(typed.df)
    keys = {
        "measure": typed.measure,
        "df": df if isinstance(df, float | None) else repr(df),
        **{name: repr(priors[name]) for name in IN_KEYS if name in priors},
        **typed.moderated.keys(asked.model.location.priors, asked.model.priors.get("tau")),
    }
    if not typed.of_arms:
        return {"kind": "estimates", **keys}
    words = Words(measure=typed.measure, likelihood=typed.likelihood, coding=typed.coding)
    name = likelihood_for((type(asked.data),), words, Flags()).name
    if not asked.data.discrete:
        return {"kind": "continuous", "distribution": name, **keys}
    return {"kind": "counts", "likelihood": name, "coding": typed.coding, **keys}


def _same(one: "Data", other: "Data") -> bool:
    """Whether two tables hold the same numbers of the same studies."""
    if one.study != other.study or one.numbers.keys() != other.numbers.keys():
        return False
    return all(
        np.array_equal(one.numbers[name], other.numbers[name], equal_nan=True)
        for name in one.numbers
    )
