"""What an outcome says of people: what happens to them without the treatment, and what matters."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import PlainValidator

from ..decision import MODEL, asked_of
from ..effects import MEASURES
from ..errors import BayesmetaError
from ..ways import SPECIFICATION, shown, speaking

CONTROL_ARMS, SOURCE = "control arms", "source"
TABLES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".parquet"})  # endings of their names
type Stated = float | str


def is_table(stated: object) -> bool:
    """Whether a baseline is a table of single arms: a text that ends as the name of one."""
    return isinstance(stated, str) and Path(stated).suffix.lower() in TABLES


def is_known_later(stated: object) -> bool:
    """Whether a baseline is what data say, or the fit itself, and not what stands there."""
    return stated in (CONTROL_ARMS, MODEL) or is_table(stated)


def _stated(value: object) -> object:
    if isinstance(value, dict):
        return {name: _stated(one) for name, one in value.items()}
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    raise ValueError(f"write a number, a distribution or names of these; got {shown(value)}")


type Bases = Annotated[Stated | dict[str, Stated] | None, PlainValidator(_stated)]


def named(stated: Stated | Mapping[str, Stated] | None) -> Mapping[str, Stated]:
    """What is stated of the baseline, by name; a single one has none."""
    if stated is None:
        return {}
    if isinstance(stated, Mapping):
        return {name: one for name, one in stated.items() if name != SOURCE}
    return {"": stated}


def check_people(
    measure: str,
    stated: Stated | Mapping[str, Stated] | None,
    *,
    time: str,
    sd: float | None,
    asked: Mapping[str, object],
) -> None:
    """Refuse a baseline that the measure does not act on, or that none can be.

    Parameters
    ----------
    measure : str
    stated
        The key ``baseline_risk``.
    time : str
    sd : float or None
    asked : mapping of str to object
        Keys that need a baseline.

    Raises
    ------
    ValueError
        That names the key.
    """
    if stated is None:
        lonely = [name for name, value in asked.items() if value not in (None, "")]
        if lonely:
            said = " and ".join(lonely)
            raise ValueError(f"{said}: give baseline_risk too, to which it belongs.")
        return
    with speaking(SPECIFICATION):
        for name, one in named(stated).items() or [("", {})]:
            try:
                first = 0.5 if is_known_later(one) else one
                asked_of(MEASURES[measure], first, time=time, sd=sd)
            except BayesmetaError as error:
                where = f"baseline_risk.{name}" if name else "baseline_risk"
                raise ValueError(f"{where}: {error}") from None
        known = {name: one for name, one in named(stated).items() if not is_known_later(one)}
        try:
            asked_of(MEASURES[measure], known or 0.5, time=time, sd=sd)
        except BayesmetaError as error:
            raise ValueError(f"baseline_risk: {error}") from None
