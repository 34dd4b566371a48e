"""A whole run outcome by outcome, as far as a terminal can show it."""

from typing import TYPE_CHECKING

from .echo import echo, visible
from .sections import short

if TYPE_CHECKING:
    from rich.table import Table

    from ...results import OutcomeResult, Results


def print_details(results: "Results") -> None:
    """Print every comparison with its sentence, data, model, doubts and cautions."""
    from rich.console import Console
    from rich.markup import escape

    from ...results.display import headline
    from ...summaries import describe

    console = Console()
    with console.capture() as shown:
        for outcome in results.outcomes:
            console.print(_table(outcome, results))
            console.print(escape(visible(headline(outcome, prob=results.prob))))
            if outcome.main is not None:
                console.print(f"[dim]{escape(visible(outcome.main.account))}[/]")
                console.print(f"[dim]Model: {escape(describe(outcome.main.answer.model))}[/]")
            for caution in outcome.cautions:
                console.print(f"[dim]Caution: {escape(visible(caution))}[/]")
            console.print()
    echo(shown.get(), nl=False, styled=True)


def _table(outcome: "OutcomeResult", results: "Results") -> "Table":
    from ...results.sections import sections_of

    about = f", {outcome.better} is better" if outcome.compares else ""
    title = f"{outcome.title}: {outcome.scale.called} [{100 * results.prob:g}% interval]{about}"
    sections = sections_of(outcome, results)
    return short(sections["coefficients" if outcome.by_covariates else "comparison"], title)
