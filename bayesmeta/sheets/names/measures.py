"""Measures as columns name them, and whether a name fits the measure that is asked for."""

import re
from collections.abc import Mapping

from ...errors import DataError
from ...ways import shown, way

MEASURES: Mapping[str, tuple[str, ...]] = {
    "OR": ("or", "oddsratio"),
    "RR": ("rr", "riskratio", "relativerisk"),
    "IRR": ("irr", "rateratio", "incidencerateratio"),
    "HR": ("hr", "hazardratio"),
    "ROM": ("rom", "ratioofmeans"),
    "RD": ("rd", "riskdifference"),
    "MD": ("md", "meandifference"),
    "SMD": ("smd", "standardisedmeandifference", "standardizedmeandifference"),
}
RATIOS = ("OR", "RR", "IRR", "HR", "ROM", "RGM", "RATIO")
PLAIN = ("estimate", "est", "pointestimate", "effectestimate", "effect")
LIMITS = (
    *(("lower", "upper"), ("lci", "uci"), ("lcl", "ucl"), ("ll", "ul"), ("lb", "ub")),
    *(("low", "high"), ("cilow", "cihigh"), ("cilower", "ciupper"), ("cilb", "ciub")),
    *(("lowerci", "upperci"), ("lowci", "highci"), ("lowercri", "uppercri")),
    *(("95%cilower", "95%ciupper"), ("95%cistart", "95%ciend"), ("cistart", "ciend")),
    *(("lowerlimit", "upperlimit"), ("lowerbound", "upperbound"), ("2.5%", "97.5%")),
    *(("cill", "ciul"), ("cil", "ciu"), ("lowerconfidencelimit", "upperconfidencelimit")),
)
DIFFERENCES = ("RD", "MD", "SMD", "GEN")
_NAMES = {
    "OR": "odds ratio",
    "RR": "risk ratio",
    "IRR": "incidence rate ratio",
    "HR": "hazard ratio",
    "ROM": "ratio of means",
    "RD": "risk difference",
    "MD": "mean difference",
    "SMD": "standardised mean difference",
}


def fits(stated: str, asked: str | None) -> bool:
    """Whether an estimate of the measure stated can be read as of the one asked for."""
    if not stated or asked in (None, stated):
        return True
    return (asked == "RATIO" and stated in RATIOS) or (asked == "GEN" and stated not in RATIOS)


def refuse_other(head: str, stated: str, asked: str | None) -> None:
    """Refuse a column that states another measure than the one asked for."""
    if fits(stated, asked):
        return
    raise DataError(
        f"Column {shown(head)} holds the {_NAMES[stated]}, and the measure asked for is "
        f"{asked}; ask "
        f"for it with {way('measure', stated)}, or say which column to use with "
        f"{way('columns', 'estimate')}."
    )


_PER_CENT = r"(?<![\d.])(\d{1,2}(?:\.\d+)?)(?![\d.])"
_LEVELS = (
    re.compile(rf"{_PER_CENT}\s*%?[\s_-]*(?:ci|cri|hdi|conf|l|u|high)", re.IGNORECASE),
    re.compile(rf"(?:ci|lower|upper|low|high|^l|^u)[\s_.(-]*{_PER_CENT}", re.IGNORECASE),
    re.compile(rf"^\s*{_PER_CENT}\s*%\s*$"),
)


def level_of(*heads: str) -> float | None:
    """Read the level of an interval from the names of its limits.

    Examples
    --------
    >>> level_of("95% CI lower", "95% CI upper"), level_of("2.5%", "97.5%"), level_of("lower", "")
    (0.95, 0.95, None)
    """
    found = [next((one for look in _LEVELS if (one := look.search(head))), None) for head in heads]
    numbers = [float(one[1]) for one in found if one]
    if len(numbers) == 2 and numbers[0] < 50 < numbers[1]:
        return round(numbers[1] - numbers[0], 6) / 100
    level = next((one for one in numbers if one >= 50), None)
    return None if level is None else level / 100
