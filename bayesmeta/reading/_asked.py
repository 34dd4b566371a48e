"""How a table is to be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, final

if TYPE_CHECKING:
    from ..studies import Key


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is said of a table; what is not said has its default.

    Attributes
    ----------
    columns : mapping of str to str
        Our names of columns to the table's.
    cells : mapping of str to str
        Columns whose cells hold several figures, and what these are: ``"events/n treatment"``,
        ``"mean (sd) control"``, ``"median (q1-q3)"``, ``"estimate (lower-upper)"``.
    exclude : mapping
        Rows to leave out, with the reason: by study, by (study, variant), or by the text
        ``"study (row 3)"``. Without a reason (None) the text holds it, after the name and a colon.
    sheet : str or None
        Of a workbook.
    decimal : {"", ".", ","}
        The decimal mark, where nothing in the table tells.
    level : float or None
        Level of printed intervals; 0.95 where neither this nor the head of a column says it.
    treatment : tuple of str
        Of a table with one row per arm: the arms that are the treatment; all but the control if
        empty.
    control : str or None
        The arm that is the control.
    several_arms : {"combine", "split"} or None
        What becomes of several active arms of a trial: one group, or comparisons that share out
        the control.
    correlation : float, {"derived", "unknown"} or None
        Of baseline and final values, where the table has both: changes are analysed.
    final_values : bool
        Whether final values are analysed although the table has baselines.
    design_effect, icc, cluster_size : float or None
        Of trials that randomised clusters; see :func:`bayesmeta.cluster_effects`.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)
    exclude: "Mapping[Key, str | None]" = field(default_factory=dict)
    sheet: str | None = None
    decimal: Literal["", ".", ","] = ""
    level: float | None = None
    treatment: tuple[str, ...] = ()
    control: str | None = None
    several_arms: Literal["combine", "split"] | None = None
    correlation: "float | Literal['derived', 'unknown'] | None" = None
    final_values: bool = False
    design_effect: float | None = None
    icc: float | None = None
    cluster_size: float | None = None

    @property
    def prob(self) -> float:
        """The level of printed intervals."""
        return 0.95 if self.level is None else self.level

    @property
    def clusters(self) -> Mapping[str, float | None]:
        """What is said of all cluster trials."""
        return {
            "design_effect": self.design_effect,
            "icc": self.icc,
            "cluster_size": self.cluster_size,
        }
