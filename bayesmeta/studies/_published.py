"""Pooled estimates as they were printed."""

from dataclasses import dataclass
from typing import Self, final

from ..errors import DataError
from ..ways import shown
from ._door import check_prob
from ._figures import FIGURES, as_numbers, check_figure, read_figure


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A pooled estimate as it was printed.

    Figures are strings because their decimals say how far they were rounded; they are kept with a
    decimal point, whatever mark they were printed with.

    Parameters
    ----------
    measure : str
        The effect measure, e.g. ``"RR"``; ``""`` where none was named.
    estimate, lower, upper : str, optional
        As printed, on the natural scale; ``""`` where not printed.
    prob : float
        Level of the interval.
    p, p_heterogeneity, i2 : str, optional
        As printed, ``"0.03"`` or ``"<0.001"``; I² in per cent.
    k, n : int or None
        Studies and patients behind this very figure, where printed.
    method : str
        The method in the paper's words.
    verdict : str
        What was said in words where no figure was printed.
    citation : str
        The source.

    Raises
    ------
    DataError
        If a figure is not a number, or the interval does not hold its estimate.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> bm.Published(measure="RR", estimate="0.76", lower="0.60", upper="0.96").decimals
    2
    """

    measure: str = ""
    estimate: str = ""
    lower: str = ""
    upper: str = ""
    prob: float = 0.95
    p: str = ""
    p_heterogeneity: str = ""
    i2: str = ""
    k: int | None = None
    n: int | None = None
    method: str = ""
    verdict: str = ""
    citation: str = ""

    def __post_init__(self) -> None:
        given = {name: getattr(self, name) for name in FIGURES}
        for name, text in as_numbers(given).items():
            check_figure(name, text)
            object.__setattr__(self, name, text)
        check_prob(self.prob)
        if self.has_interval and not (
            float(self.lower) <= float(self.estimate) <= float(self.upper)
            and float(self.lower) < float(self.upper)
        ):
            raise DataError(
                f"Published: estimate {self.estimate} does not lie in its interval "
                f"[{self.lower}, {self.upper}]; check the three figures against the paper."
            )

    @classmethod
    def parse(cls, text: str, **others: object) -> Self:
        """Read a figure as papers print it.

        Parameters
        ----------
        text : str
            Measure, estimate and interval: ``"RR 0.58 [0.38, 0.87]"``, ``"OR 0.76 (95% CI 0.60 to
            0.96), p = 0.02"``, ``"RR 0,58 [0,38; 0,87]"``. A level is read where it stands before
            ``%``, a P value where it stands behind.
        **others
            Other attributes: ``k=7``, ``p_heterogeneity="0.53"``.

        Raises
        ------
        DataError
            If the text is not of this form.

        Examples
        --------
        >>> import bayesmeta as bm
        >>> bm.Published.parse("MD −1.2 (90% CI −2.0 to −0.4)", k=5).prob
        0.9
        """
        found = read_figure(text)
        given = str(others.get("p") or "")
        if found.p and given and found.p != given:
            raise DataError(
                f"The published figure {shown(text)} has p {found.p}, and p is given as "
                f"{given}; give "
                "one of them."
            )
        said = {name: one for name, one in found._asdict().items() if one or name not in others}
        if not found.level:
            said.pop("level")
        prob = {"prob": float(said.pop("level")) / 100} if found.level else {}
        return cls(**{**others, **said, **prob})  # pyright: ignore[reportArgumentType]

    @property
    def has_interval(self) -> bool:
        """Whether an estimate and both limits were printed."""
        return bool(self.estimate and self.lower and self.upper)

    @property
    def decimals(self) -> int:
        """Decimals printed: the most among the estimate and its limits."""
        return max(decimals_of(text) for text in (self.estimate, self.lower, self.upper))

    def __str__(self) -> str:
        if not self.has_interval:
            alone = f"{self.measure} {self.estimate}, without an interval" if self.estimate else ""
            return self.verdict or alone or "no figure printed"
        return f"{self.measure} {self.estimate} [{self.lower}, {self.upper}]"


def decimals_of(text: str) -> int:
    """Count the decimals of a printed figure: ``"0.60"`` has two."""
    mantissa, _, exponent = text.lower().partition("e")
    return max(len(mantissa.partition(".")[2]) - int(exponent or 0), 0)
