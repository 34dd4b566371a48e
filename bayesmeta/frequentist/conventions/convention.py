"""Conventions of pooling as values: what a program does by default, written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final

from ...arguments import as_text
from ...effects import MEASURES, SMD, ZERO_CELLS_OF, ZERO_WORDS, DoubleZero, ZeroCells
from ...errors import ModelError
from ..arrays.counts import VARIANCES, Variance, variance_named
from ..arrays.inverse_variance import PREDICTIONS, Prediction
from ..arrays.tau2 import ESTIMATORS, Tau2
from ..fit import INTERVALS, IntervalName
from ..pooling.of_counts import Centre
from ..pooling.words import named

type Effects = Literal["common", "random"]
type Pooling = Literal["IV", "MH", "Peto", "GLMM conditional", "GLMM unconditional"]
type Chosen = IntervalName | Literal["HKSJ where it applies"]
type I2 = Literal["Q", "tau²"]

_POOLING: Mapping[Pooling, str] = {
    "IV": "inverse variance",
    "MH": "Mantel–Haenszel",
    "Peto": "Peto",
    "GLMM conditional": "exact conditional likelihood",
    "GLMM unconditional": "binomial likelihood with an intercept per study",
}
_CHOSEN: Mapping[Chosen, str] = {
    **INTERVALS,
    "HKSJ where it applies": "Hartung–Knapp–Sidik–Jonkman where k > 2 and tau² > 0, else Wald",
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """Everything that decides a pooled number, once the studies are chosen.

    Other programs' words for a choice of ``tau2``, ``interval`` and ``weights`` are taken for it.

    Attributes
    ----------
    measure : str
        One of ``MEASURES``.
    effects : {"common", "random"}
    weights : {"IV", "MH", "Peto", "GLMM conditional", "GLMM unconditional"}
        MH and Peto are of common effects; random effects by "IV" with ``q="MH"`` are what RevMan
        calls "M-H, Random".
    tau2 : str
        Estimator of the between-study variance, ``""`` for common effects and GLMMs.
    zero_cells : str
        What is added to make the studies' estimates, as for :func:`effect_sizes`.
    mh_zero_cells : str
        What is added to the cells that Mantel–Haenszel pools.
    double_zero : {"exclude", "include"}
        What inverse variance does with studies without an event in either arm, for OR and RR.
    q : {"IV", "MH"}
        Where Cochran's Q is centred.
    interval : {"Wald", "HKSJ", "HKSJ truncated", "KR", "HKSJ where it applies"}
    i2 : {"Q", "tau²"}
        Which I² is printed.
    variance : {"Greenland–Robins", "Sato"}
        Of the Mantel–Haenszel RD; a hyphen does for the dash.
    smd : {"exact", "RevMan"}
        Factor and variance of the SMD.
    bias_correction : bool
        Of the ROM.
    prediction : str
        Prediction interval, ``""`` for none.

    Raises
    ------
    ModelError
        If a setting is not one of its choices, or two do not go together.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> print(bm.preset("revman5", measure="RR", effects="common"))
    RR, common effect, Mantel–Haenszel; ½ added to all four cells of studies with a zero in any; \
Wald interval; Q around Mantel–Haenszel; I² from Q
    """

    measure: str
    effects: Effects = "random"
    weights: Pooling = "IV"
    tau2: Tau2 | Literal[""] = ""
    zero_cells: ZeroCells = "if_needed"
    mh_zero_cells: ZeroCells = "none"
    double_zero: DoubleZero = "exclude"
    q: Centre = "IV"
    interval: Chosen = "Wald"
    i2: I2 = "Q"
    variance: Variance = "Greenland–Robins"
    smd: SMD = "exact"
    bias_correction: bool = False
    prediction: Prediction | Literal[""] = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "variance", variance_named(self.variance))
        rules = ZERO_CELLS_OF.get(as_text(self.measure), ("none", "if_needed", "all"))
        choices = {
            "measure": MEASURES,
            "effects": ("common", "random"),
            "weights": _POOLING,
            "tau2": ("", *ESTIMATORS),
            "zero_cells": rules,
            "mh_zero_cells": rules,
            "double_zero": ("exclude", "include"),
            "q": ("IV", "MH"),
            "interval": _CHOSEN,
            "i2": ("Q", "tau²"),
            "variance": VARIANCES,
            "smd": ("exact", "RevMan"),
            "prediction": ("", *PREDICTIONS, "NNF"),
        }
        for name, among_these in choices.items():
            object.__setattr__(self, name, named(name, getattr(self, name), among_these))
        for wrong, words in self._contradictions():
            if wrong:
                raise ModelError(f"A convention cannot have {words}.")

    def _contradictions(self) -> tuple[tuple[bool, str], ...]:
        pooled = self.weights == "IV"
        random = self.effects == "random"
        common = not random
        return (
            (random and pooled and not self.tau2, "random effects without an estimator of tau²"),
            ((common or not pooled) and bool(self.tau2), "an estimator of tau² without weights"),
            (random and self.weights in ("MH", "Peto"), f"random effects by {self.weights}"),
            (common and self.interval != "Wald", f"a common effect with {self.interval}"),
            (not pooled and self.interval != "Wald", f"{self.weights} with {self.interval}"),
            (self.interval == "KR" and self.tau2 != "REML", "KR without REML"),
            (common and bool(self.prediction), "a prediction interval of a common effect"),
            (
                random and self.q == "MH" and self.mh_zero_cells != self.zero_cells,
                "one rule for zeros in the estimates and another around which Q is taken",
            ),
            (
                random and self.q == "MH" and self.double_zero == "include",
                "Q around Mantel–Haenszel with studies it leaves out",
            ),
        )

    def __str__(self) -> str:
        """In words."""
        of_counts = self.measure in ZERO_CELLS_OF
        parts = [
            f"{self.measure}, {self.pooling}",
            *self._zero_words(),
            "studies without events kept" if self.double_zero == "include" else "",
            f"{_CHOSEN[self.interval]} interval",
            f"Q around {_POOLING[self.q]}" if of_counts and self._says_q else "",
            f"I² from {self.i2}",
            f"variance of {self.variance}" if self._has_variance else "",
            "SMD as RevMan has it" if self.smd == "RevMan" else "",
            "ROM corrected for bias" if self.bias_correction else "",
            f"prediction interval {self.prediction}" if self.prediction else "",
        ]
        return "; ".join(part for part in parts if part)

    @property
    def pooling(self) -> str:
        """Effects, weights and estimator of tau², in words."""
        if self.effects == "common":
            return f"common effect, {_POOLING[self.weights]}"
        if self.weights != "IV":
            return f"random effects, {_POOLING[self.weights]}"
        around = ", Q around Mantel–Haenszel" if self.q == "MH" and self.tau2 == "DL" else ""
        return f"random effects, {self.tau2}{around}"

    def _zero_words(self) -> tuple[str, ...]:
        """What is added to zero cells: once, or to what is pooled and to the estimates of Q."""
        if self.measure not in ZERO_CELLS_OF or self.weights not in ("IV", "MH"):
            return ()
        if self.weights == "IV" or self.mh_zero_cells == self.zero_cells:
            return (ZERO_WORDS[self.zero_cells],)
        return (
            ZERO_WORDS[self.mh_zero_cells],
            f"for Q {ZERO_WORDS[self.zero_cells]}",
        )

    @property
    def _says_q(self) -> bool:
        """Whether the centre of Q is a choice that ``pooling`` does not say."""
        return self.weights == "MH" or (self.q == "MH" and self.tau2 not in ("", "DL"))

    @property
    def _has_variance(self) -> bool:
        return self.measure == "RD" and self.weights == "MH"
