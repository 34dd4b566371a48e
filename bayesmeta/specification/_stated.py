"""A specification that says what was asked for in other words, to the letter."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from ..effects import MEASURES
from ..errors import SpecError
from ..reading import Data, Reading
from ..studies import MAIN, Published
from ..ways import shown
from ._reading import Source, source_of
from ._toml import arms_of, dropped, lines_of, name_of, said_of, title_of


def stated(
    table: Path,
    data: Data,
    reading: Reading,
    *,
    model: Mapping[str, object],
    better: str | None,
    published: Published | None = None,
    seed: int,
    prob: float,
) -> Source:
    """Write the specification of one analysis of one table; nothing in it is a guess.

    Parameters
    ----------
    table : Path
        What is analysed; the specification belongs beside it.
    data : Studies, ContinuousStudies or EffectSizes
        The rows that are analysed.
    reading : Reading
        How they were read.
    model : mapping of str to object
        Keys of the outcome that say what is fitted, ``measure`` and ``kind`` among them.
    better : {"lower", "higher"} or None
    published : Published, optional
        A figure to set beside the answer.
    seed : int
    prob : float

    Returns
    -------
    Source
        Its path is one where it would run; nothing is written there.

    Raises
    ------
    SpecError
        If a specification cannot say it.
    """
    path = table.with_name(f"{table.stem}.toml")
    if not table.name.isprintable():
        raise SpecError(
            f"{shown(table.name)} is a name that no specification can hold; rename the file."
        )
    title = title_of(table)
    arms = arms_of(reading) if MEASURES[str(model["measure"])].comparative else None
    whole = {"title": title, "seed": seed, "prob": prob, "arms": arms}
    outcome = {"name": name_of(title), "title": title, "better": better, "data": table.name}
    text = "\n".join(
        [
            f"# What was asked of {table.name}. Saved beside it as {path.name}, this runs again:",
            f"# bayesmeta run {path.name} -o out/",
            *lines_of(whole),
            "",
            "[[outcome]]",
            *lines_of({**outcome, **model, **said_of(reading)}),
            "",
            "[[outcome.scenario]]",
            *lines_of({"name": "all studies", **_rows(data), "drop": dropped(reading, data)}),
            "",
            *_published(published),
        ]
    )
    return source_of(text, path)


def _published(figure: Published | None) -> list[str]:
    if figure is None:
        return []
    known = {key: value for key, value in asdict(figure).items() if value not in ("", None)}
    return ["[[outcome.published]]", *lines_of({"label": "published", **known}), ""]


def _rows(data: Data) -> Mapping[str, object]:
    """Which reading of each study is used, where no row is named main."""
    variants = set(data.variant)
    if variants == {MAIN}:
        return {}
    if len(variants) == 1:
        return {"variant": variants.pop()}
    return {"replace": dict(zip(data.study, data.variant, strict=True))}
