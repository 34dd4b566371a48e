"""What is printed of a fit with covariates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from ..shown.answer import print_answer, print_studies
from ..shown.echo import echo
from ..shown.sections import short
from .typed import Moderated

if TYPE_CHECKING:
    from ...moderators import Moderators
    from ...posterior import Posterior
    from ...results.answer import Answer

WIDE = 140  # characters: a table that is wider than the terminal breaks there, not in its cells


def moderators_of(
    typed: Moderated, posterior: "Posterior", *, prob: float, nuts: bool, seed: int
) -> "Moderators | None":
    """What a fit says of covariates, with two stages beside it; None where none were typed."""
    from ...engines import NUTS
    from ...errors import DataError
    from ...moderators import Frequentist, moderators
    from ...reading import estimates_of
    from ...summaries import scale_of

    if not typed:
        return None
    try:
        effects = estimates_of(posterior.data, scale_of(posterior).name)
        why = ()
    except DataError as error:
        effects, why = None, (str(error),)
    engine = NUTS(seed=seed) if nuts else None
    found = moderators(posterior, effects=effects, places=typed.at(), prob=prob, engine=engine)
    return replace(found, frequentist=Frequentist(refusals=why)) if why else found


def cautions_beside(found: "Moderators | None") -> "Sequence[str]":
    """What a reader should know of covariates; nothing without."""
    return () if found is None else found.cautions


def show(answer: "Answer", found: "Moderators | None", *, scale: str, every: bool) -> None:
    """Print an answer: of one effect as it is, of several the sentence and every table."""
    if found is None:
        print_answer(answer, scale=scale, every=every)
        return
    _print(found, prob=answer.prob)
    print_studies(answer, scale=scale, every=every)


def _print(found: "Moderators", *, prob: float) -> None:
    from rich.console import Console

    from ...results.moderated import moderated_sentence
    from ...results.sections import of_moderators as sections_of

    echo(click.wrap_text(moderated_sentence(found, prob=prob), 80))
    console = Console(width=WIDE)
    for section in sections_of(found, prob=prob):
        with console.capture() as shown:
            console.print(short(section, section.title))
        echo(f"\n{shown.get().rstrip()}", styled=True)
        if section.note:
            echo(click.wrap_text(section.note, 80))
    for one in found.frequentist.refusals:
        echo(f"\n{one}")


def to_dict(found: "Moderators | None", *, prob: float) -> Mapping[str, object]:
    """Return sentence, answer and every table as what JSON can hold; nothing without covariates."""
    from ...results.moderated import asked_in_words, moderated_sentence, moderator_tables
    from ...results.records import records_of

    if found is None:
        return {}
    tables = moderator_tables(found, prob=prob)
    return {
        "sentence": moderated_sentence(found, prob=prob),
        "asked": asked_in_words(found),
        "answer": records_of(tables["coefficients"]),
        "moderators": {name: records_of(table) for name, table in tables.items()},
        "not_made": list(found.frequentist.refusals),
    }
