"""Judgements of risk of bias, of the studies of each outcome."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import DataError
from ..reading import Opened, RiskOfBias, risk_of_bias, row_names
from ..sheets import check_regular
from ..specification import Outcome, Specification
from .tables import unquoted


def judgements(
    spec: Specification, folder: Path, tables: Mapping[str, Opened]
) -> Mapping[str, RiskOfBias]:
    """Read the judgements of each outcome, by its name.

    Raises
    ------
    FileError, DataError
        If a table cannot be read, or judges a study that no table of trials has.
    """
    return dict(_each(spec, folder, tables))


def _each(
    spec: Specification, folder: Path, tables: Mapping[str, Opened]
) -> Iterator[tuple[str, RiskOfBias]]:
    studies = {
        one.name: [*row_names(tables[one.name].frame).study.values(), *_left_out(tables[one.name])]
        for one in spec.outcome
        if one.name in tables
    }
    if spec.risk_of_bias is not None:
        every = [name for names in studies.values() for name in names]
        whole = _read(spec.risk_of_bias, folder, every, "any outcome")
        for outcome in spec.outcome:
            if outcome.name in tables and outcome.risk_of_bias is None:
                yield outcome.name, _own(whole, studies[outcome.name])
    for outcome in spec.outcome:
        if outcome.risk_of_bias is not None:
            where = _named(outcome)
            yield outcome.name, _read(outcome.risk_of_bias, folder, studies[outcome.name], where)


def _own(whole: RiskOfBias, studies: Sequence[str]) -> RiskOfBias:
    """Of a table of all outcomes those of one; that it judges others goes without saying."""
    kept = whole.of(list(dict.fromkeys(studies)))
    return RiskOfBias(tool=kept.tool, levels=kept.levels, said=whole.said)


def _named(outcome: Outcome) -> str:
    return str(outcome.data)


def _left_out(table: Opened) -> Sequence[str]:
    return [row.study for row in table.excluded]


def _read(path: Path, folder: Path, studies: Sequence[str], where: str) -> RiskOfBias:
    check_regular(folder / path)
    with unquoted(path, folder):
        try:
            found = risk_of_bias(folder / path)
            found.check_known(studies, where)
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
    return found
