"""The forest of an outcome as numbers, from which it is drawn now or later."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self, final

from .. import plots
from ..model import ByGroup
from ..reading import RiskOfBias
from ..results import OutcomeResult
from ..results.records import plain
from ..results.tables import outcome_forest
from ..summaries import ForestRow, group_rows, heterogeneity_rows, measure_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NUMBERS = ("estimate", "lower", "upper", "weight")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """What a forest plot shows.

    Attributes
    ----------
    rows : sequence of ForestRow
    measure : str
    better : {"lower", "higher"} or None
    labels : tuple of str
        Treatment and control.
    prob : float
    counted : str
        What stands above the counts.
    bias : RiskOfBias or None
    """

    rows: Sequence[ForestRow]
    measure: str
    better: str | None
    labels: tuple[str, str]
    prob: float
    counted: str = ""
    bias: RiskOfBias | None = None

    def draw(self, width: float | None = None) -> "Figure":
        """Draw it, at a width in mm or for a screen."""
        return plots.forest_of_rows(
            self.rows,
            measure=self.measure,
            better=self.better,
            labels=self.labels,
            prob=self.prob,
            counted=self.counted,
            width=width,
            bias=self.bias,
        )

    def to_dict(self) -> Mapping[str, object]:
        """Return it as JSON can hold it."""
        rows = [{key: plain(value) for key, value in asdict(row).items()} for row in self.rows]
        return {
            **{name: getattr(self, name) for name in ("measure", "better", "labels", "prob")},
            "counted": self.counted,
            "bias": None if self.bias is None else self.bias.to_dict(),
            "rows": rows,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Make it again of what `to_dict` returned, read back from JSON."""
        bias = stored["bias"]
        return cls(
            rows=[_row(one) for one in stored["rows"]],
            measure=stored["measure"],
            better=stored["better"],
            labels=tuple(stored["labels"]),
            prob=stored["prob"],
            counted=stored["counted"],
            bias=None if bias is None else RiskOfBias.from_dict(bias),
        )


def _row(stored: Mapping[str, Any]) -> ForestRow:
    numbers = {name: float("nan" if stored[name] is None else stored[name]) for name in _NUMBERS}
    return replace(
        ForestRow(**{**stored, **numbers}), x=tuple(stored["x"]), density=tuple(stored["density"])
    )


def forest_of(outcome: OutcomeResult, *, arms: tuple[str, str], prob: float) -> Forest | None:
    """Return the forest of an outcome: of its studies, or of each group; None without any.

    Parameters
    ----------
    outcome : OutcomeResult
    arms : tuple of str
        Names of treatment and control.
    prob : float
    """
    if outcome.main is None:
        return None
    fit, found = outcome.main.answer, outcome.main.moderators
    rest = heterogeneity_rows(fit, prob=prob)
    how = {"better": outcome.better, "labels": arms, "prob": prob, "bias": outcome.bias}
    if found is None:
        rows = [*outcome_forest(outcome, prob=prob), *rest]
        return Forest(rows=rows, measure=outcome.measure, counted=_counted(outcome), **how)
    if isinstance(fit.model.location, ByGroup):
        rows = [*group_rows(fit, overall=found.without, prob=prob), *rest]
        return Forest(rows=rows, measure=measure_of(fit), **how)
    return None


def _counted(outcome: OutcomeResult) -> str:
    """What the counts of a single arm are; of two arms their names say it."""
    if outcome.compares or outcome.main is None or not outcome.main.data.discrete:
        return ""
    return f"{outcome.event} / {outcome.main.data.size}"
