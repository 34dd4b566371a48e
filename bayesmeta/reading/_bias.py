"""A table of risk of bias into the judgements of each study."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, final

from ..errors import DataError, of_table
from ..sheets import read_sheet
from ..studies import is_blank
from ..ways import shown
from ._rows import listed
from ._tools import ROB2, ROBINS_I, Level, Tool

if TYPE_CHECKING:
    import pandas as pd

_STUDY = frozenset({"study", "studies", "study id", "study name", "trial", "author", "reference"})
_NUMBER = re.compile(r"d(?:omain)? ?([1-7])\b")
_SIGNS = str.maketrans({"−": "-", "–": "-", "—": "-", "×": "x", "X": "x", "✕": "x", "＋": "+"})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RiskOfBias:
    """The judgements of each study.

    Attributes
    ----------
    tool : Tool
    levels : mapping of str to tuple of Level
        By study: each domain, then overall.
    said : tuple of str
        What was left out, a sentence each.
    """

    tool: Tool
    levels: Mapping[str, tuple[Level, ...]]
    said: tuple[str, ...] = ()

    def of(self, studies: Sequence[str]) -> Self:
        """Return the judgements of some studies, by their names there; the others are named."""
        own = {_same(name): name for name in self.levels}
        kept = {name: self.levels[own[_same(name)]] for name in studies if _same(name) in own}
        names = {_same(name) for name in kept}
        others = [name for name in self.levels if _same(name) not in names]
        said = (f"Judged, and in no analysis: {', '.join(others)}.",) if others else ()
        return replace(self, levels=kept, said=(*self.said, *said))

    @property
    def contrary(self) -> tuple[str, ...]:
        """Say of which studies the overall judgement is milder than one of their domains."""
        found = [name for name, row in self.levels.items() if _is_milder(self.tool, row)]
        if not found:
            return ()
        return (
            f"Judged milder overall than in one domain, which {self.tool.name} does not provide "
            f"for: {listed(found)}.",
        )

    def unjudged(self, studies: Sequence[str]) -> tuple[str, ...]:
        """Name the studies without judgement."""
        own = {_same(name) for name in self.levels}
        return tuple(dict.fromkeys(name for name in studies if _same(name) not in own))

    def check_known(self, studies: Collection[str], where: str) -> None:
        """Refuse judgements of studies that are not among these.

        Raises
        ------
        DataError
            With the first of them, and what it might be.
        """
        known = {_same(name): name for name in studies}
        for name in self.levels:
            if _same(name) not in known:
                near = get_close_matches(_same(name), known, n=1)
                hint = f"did you mean {shown(known[near[0]])}?" if near else "remove its row."
                raise DataError(f"{shown(name)} is judged, and is no study of {where}; {hint}")

    def to_dict(self) -> Mapping[str, object]:
        """Return the judgements as JSON can hold them."""
        levels = {name: list(map(str, row)) for name, row in self.levels.items()}
        return {"tool": self.tool.name, "levels": levels}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Make them again of what `to_dict` returned."""
        (tool,) = [one for one in (ROB2, ROBINS_I) if one.name == stored["tool"]]
        levels = {name: tuple(map(Level, row)) for name, row in stored["levels"].items()}
        return cls(tool=tool, levels=levels)

    def table(self) -> "pd.DataFrame":
        """Return one row per study: the level of each domain, and overall."""
        import pandas as pd

        heads = [*self.tool.domains, "overall"]
        rows = {name: list(map(str, levels)) for name, levels in self.levels.items()}
        table = pd.DataFrame.from_dict(rows, orient="index", columns=heads)
        return table.rename_axis("study")


def risk_of_bias(table: "Path | str | pd.DataFrame") -> RiskOfBias:
    """Read judgements of risk of bias by RoB 2 or ROBINS-I.

    Parameters
    ----------
    table : Path, str or DataFrame
        A file or its cells: a column of studies, one for each domain (``D1`` to ``D5`` or ``D7``,
        or their names), and ``Overall``. Levels stand in words, of any case, or in signs where
        their meaning is clear; a study whose cells are all blank is not judged.

    Returns
    -------
    RiskOfBias

    Raises
    ------
    FileError
        If the file cannot be read.
    DataError
        If a column lacks, a level is unknown or blank, or a study stands twice.

    References
    ----------
    Sterne JAC et al. (2019), BMJ 366:l4898; Sterne JA et al. (2016), BMJ 355:i4919. Signs after
    McGuinness LA, Higgins JPT (2021), Res Synth Methods 12:55-61.
    """
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return _read(table)
    sheet = read_sheet(table)
    with of_table(sheet.name):
        return _read(sheet.frame)


def _read(frame: "pd.DataFrame") -> RiskOfBias:
    tool = _tool(list(map(str, frame.columns)))
    study, columns = _columns(list(map(str, frame.columns)), tool)
    cells = {i: _cells(row, columns) for i, row in enumerate(frame.itertuples(index=False))}
    judged = {i: row for i, row in cells.items() if any(row)}
    signs = tool.usage([cell for row in judged.values() for cell in row])
    levels: dict[str, tuple[Level, ...]] = {}
    for i, row in judged.items():
        name = "" if is_blank(frame.iloc[i, study]) else " ".join(str(frame.iloc[i, study]).split())
        if not name:
            raise DataError(f"Risk of bias of row {i + 1} has no study; write its name.")
        if _same(name) in {_same(one) for one in levels}:
            raise DataError(f"Risk of bias of {shown(name)} stands twice; keep one row of it.")
        levels[name] = tuple(
            _level(tool, signs, cell, f"{name} (row {i + 1}), column {frame.columns[column]}")
            for cell, column in zip(row, columns, strict=True)
        )
    others = [str(one) for j, one in enumerate(frame.columns) if j not in (study, *columns)]
    said = (f"Columns not read: {', '.join(others)}.",) if others else ()
    return RiskOfBias(tool=tool, levels=levels, said=said)


def _is_milder(tool: Tool, row: Sequence[Level]) -> bool:
    order = [one for one in tool.levels if one is not Level.NO_INFORMATION]
    worst = max((order.index(one) for one in row[:-1] if one in order), default=0)
    return row[-1] in order and order.index(row[-1]) < worst


def _tool(heads: Sequence[str]) -> Tool:
    """ROBINS-I where it has numbers, or else names, of domains of it alone; else RoB 2."""
    plain = [_plain(head) for head in heads]
    numbers = [int(found[1]) for found in map(_NUMBER.match, plain) if found]
    if numbers:
        return ROBINS_I if max(numbers) > len(ROB2.domains) else ROB2
    own = set(ROBINS_I.heads) - set(ROB2.heads)
    return ROBINS_I if any(one in head for head in plain for one in own) else ROB2


def _columns(heads: Sequence[str], tool: Tool) -> tuple[int, list[int]]:
    """Where the study, each domain and the overall judgement stand."""
    found: dict[str, list[int]] = {}
    for j, head in enumerate(heads):
        found.setdefault(_meant(_plain(head), tool), []).append(j)
    for name, at in found.items():  # a number, or the word alone, goes before what has it in it
        plain = {j: _plain(heads[j]) for j in at}
        own = [j for j in at if plain[j] == name.casefold() or _NUMBER.match(plain[j])]
        found[name] = own or at
    wanted = ["Study", *(f"D{i}" for i in range(1, len(tool.domains) + 1)), "Overall"]
    for name in wanted:
        at = found.get(name, [])
        if len(at) != 1:
            several = " and ".join(shown(heads[j]) for j in at)
            twice = f"several columns {name}: {several}" if at else f"no column {name}"
            raise DataError(
                f"A table of {tool.name} needs the columns {', '.join(wanted)}, or the names of "
                f"the domains; it has {twice}."
            )
    return found["Study"][0], [found[name][0] for name in wanted[1:]]


def _meant(head: str, tool: Tool) -> str:
    if head in _STUDY:
        return "Study"
    if head.startswith("overall"):
        return "Overall"
    if number := _NUMBER.match(head):
        return f"D{number[1]}"
    return next((f"D{i}" for i, one in enumerate(tool.heads, start=1) if one in head), "")


def _cells(row: tuple[object, ...], columns: Sequence[int]) -> list[str]:
    texts = ["" if is_blank(row[j]) else str(row[j]).strip() for j in columns]
    return [one.translate(_SIGNS) if len(one) == 1 else one for one in texts]


def _level(tool: Tool, signs: Mapping[str, Level], cell: str, where: str) -> Level:
    if not cell:
        raise DataError(
            f"Risk of bias of {where} is blank; write its level, or leave out the whole row."
        )
    try:
        return tool.level(cell, signs)
    except ValueError as error:
        raise DataError(f"Risk of bias of {where}: {error}.") from None


def _plain(head: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", head.casefold()).split())


def _same(name: str) -> str:
    return " ".join(name.split()).casefold()
