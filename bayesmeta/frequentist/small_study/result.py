"""The result of a test of small-study effects."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, final

from ...notebooks import Tabled
from .weighted_line import WeightedLine

if TYPE_CHECKING:
    import pandas as pd

FEW = 10
_FEW_WORDS = (
    "Fewer than 10 studies: the test has little power, and one odd study can make it significant."
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SmallStudyTest(Tabled):
    """A test of whether estimates move with the size of their studies.

    Attributes
    ----------
    name : str
        ``"Egger"``, ``"Harbord"``, ``"Peters"`` or, with its estimator of tau²,
        ``"regression, REML"``.
    predictor : str
        What the estimates are regressed on, in words.
    measure : str
    k : int
        Studies in the test.
    statistic, df, p : float
        t of the slope, its degrees of freedom, two-sided p; z where the degrees are inf.
    slope, slope_se : float
        Of the regression line ("bias"); positive where small studies show higher estimates.
    limit, limit_lower, limit_upper : float
        Height of the line at a study of infinite size with its interval, analysis scale.
    prob : float
        Level of that interval.
    caution : str
        What to hold against the test; empty where nothing is known.
    notes : tuple of str
        Settings that were asked for in another program's words, and what they are called here.
    """

    name: str
    predictor: str
    measure: str
    k: int
    statistic: float
    df: float
    p: float
    slope: float
    slope_se: float
    limit: float
    limit_lower: float
    limit_upper: float
    prob: float
    caution: str
    notes: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """What the test says, in one sentence."""
        direction = "higher" if self.slope > 0 else "lower"
        if self.p < 0.05:
            said = f"Small studies show {direction} estimates than large ones"
        else:
            said = "No sign that small studies show other estimates than large ones"
        return f"{said} (p = {self.p:.2g}, {self.k} studies)."

    def table(self) -> "pd.DataFrame":
        """Return one row of all numbers, named after the test."""
        import pandas as pd

        row = {**asdict(self), "in_words": self.in_words}
        name, _ = row.pop("name"), row.pop("notes")
        return pd.DataFrame([row], index=pd.Index([name], name="test"))


def tested(
    name: str, predictor: str, measure: str, line: WeightedLine, caution: str
) -> SmallStudyTest:
    """Read the test of the slope off a line."""
    few = _FEW_WORDS if line.k < FEW else ""
    return SmallStudyTest(
        name=name,
        predictor=predictor,
        measure=measure,
        k=line.k,
        statistic=line.slope / line.slope_se,
        df=line.df,
        p=line.slope_p,
        slope=line.slope,
        slope_se=line.slope_se,
        limit=line.estimate,
        limit_lower=line.lower,
        limit_upper=line.upper,
        prob=line.prob,
        caution=" ".join(filter(None, (few, caution))),
    )
