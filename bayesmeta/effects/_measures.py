"""Effect measures: their names, and the scales they are analysed on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from ..arguments import as_text
from ..errors import DataError
from ..ways import shown

type Link = Literal["identity", "log", "logit", "atanh"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """An effect measure: its name, and the scale it is analysed on.

    Attributes
    ----------
    name : str
        The field's abbreviation.
    words : str
        The name in words.
    link : {"identity", "log", "logit", "atanh"}
        From the scale people read to the analysis scale.
    comparative : bool
        Whether it compares two arms, so that 0 on the analysis scale means no difference.
    """

    name: str
    words: str
    link: Link = "identity"
    comparative: bool = True

    @property
    def log(self) -> bool:
        """Whether it is a ratio or rate, analysed as its logarithm."""
        return self.link == "log"

    def natural(self, value: ArrayLike) -> NDArray[np.float64]:
        """Map from the analysis scale to the one people read."""
        with np.errstate(over="ignore"):
            return np.asarray(_INVERSE[self.link](value), dtype=np.float64)

    def analysed(self, value: ArrayLike) -> NDArray[np.float64]:
        """Map from the scale people read to the analysis scale."""
        return np.asarray(_FORWARD[self.link](value), dtype=np.float64)

    @property
    def called(self) -> str:
        """What a value on the scale people read is called: ``"RR"``, or of one arm in words."""
        return self.name if self.comparative else self.words

    @property
    def a_words(self) -> str:
        """The name in words with its article: ``"an odds ratio"``, ``"a risk ratio"``."""
        return f"{'an' if self.words[0] in 'aeio' else 'a'} {self.words}"

    @property
    def in_words(self) -> str:
        """What the name means, e.g. ``"RR is the risk ratio, analysed as its log"``."""
        scale = "" if self.link == "identity" else f", analysed as its {self.link}"
        return f"{self.name} is the {self.words}{scale}"

    @property
    def analysis_label(self) -> str:
        """Name of the analysis scale, e.g. ``"log RR"``."""
        return self.name if self.link == "identity" else f"{self.link} {self.name}"

    @property
    def analysis_called(self) -> str:
        """What a value on the analysis scale is called: ``"log RR"``, ``"logit proportion"``."""
        return self.called if self.link == "identity" else f"{self.link} {self.called}"


_INVERSE: Mapping[str, Callable[[ArrayLike], ArrayLike]] = {
    "identity": np.asarray,
    "log": np.exp,
    "logit": expit,
    "atanh": np.tanh,
}
_FORWARD: Mapping[str, Callable[[ArrayLike], ArrayLike]] = {
    "identity": np.asarray,
    "log": np.log,
    "logit": logit,
    "atanh": np.arctanh,
}

MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(name="OR", words="odds ratio", link="log"),
        Measure(name="RR", words="risk ratio", link="log"),
        Measure(name="RD", words="risk difference"),
        Measure(name="IRR", words="incidence rate ratio", link="log"),
        Measure(name="HR", words="hazard ratio", link="log"),
        Measure(name="MD", words="mean difference"),
        Measure(name="SMD", words="standardised mean difference"),
        Measure(name="ROM", words="ratio of means", link="log"),
        Measure(name="RGM", words="ratio of geometric means", link="log"),
        Measure(name="GEN", words="effect"),
        Measure(name="RATIO", words="ratio", link="log"),
        Measure(name="PLO", words="proportion", link="logit", comparative=False),
        Measure(name="IRLN", words="incidence rate", link="log", comparative=False),
    )
}
ATANH_RD = Measure(name="RD", words="risk difference", link="atanh")  # of counts: stays within ±1


# What others call a measure, in small letters without blanks and marks.
OTHER_NAMES: Mapping[str, str] = {
    **{f"{log}{name}": name.upper() for name in ("or", "rr", "hr", "irr") for log in ("log", "ln")},
    **dict.fromkeys(("proportion", "prop", "logit", "plogit", "pr", "pln", "pft"), "PLO"),
    **dict.fromkeys(("rate", "ir", "irate", "lograte"), "IRLN"),
    **dict.fromkeys(("g", "d", "hedgesg", "cohensd", "smdh", "cohend", "stdmeandiff"), "SMD"),
    **dict.fromkeys(("wmd", "meandiff", "diff"), "MD"),
    **dict.fromkeys(("relativerisk", "riskratios"), "RR"),
    **dict.fromkeys(("arr", "ard", "riskdiff", "absoluteriskreduction"), "RD"),
    "aor": "OR",
    "ahr": "HR",
    "rateratio": "IRR",
    **{"".join(one.words.split()): one.name for one in MEASURES.values()},
}


def measure_meant(name: str) -> Measure | None:
    """The measure that a name is, in letters of any case, or that others call so."""
    plain = "".join(c for c in as_text(name).casefold() if c.isalnum())
    return MEASURES.get(as_text(name).strip().upper()) or MEASURES.get(OTHER_NAMES.get(plain, ""))


def measure_named(name: str, among: Sequence[str] = tuple(MEASURES)) -> Measure:
    """Look a measure up, in letters of any case, or say which there are."""
    found = as_text(name).strip().upper()
    if found in among:
        return MEASURES[found]
    meant = measure_meant(name)
    hint = f" {meant.in_words}." if meant is not None and meant.name in among else ""
    raise DataError(f"measure {shown(name)} is not one of {', '.join(among)}.{hint}")
