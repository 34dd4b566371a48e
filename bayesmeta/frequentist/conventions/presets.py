"""What programs do by default, as conventions."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Literal

from ...effects import ZERO_CELLS_OF
from ...errors import ModelError
from ..pooling.one import among
from .convention import Convention, Effects

PROGRAMS: Mapping[str, str] = {
    "revman5": "Review Manager 5",
    "revman_web": "RevMan, on the web, from 2025",
    "metafor": "metafor 5",
    "meta": "meta 8",
}


def preset(
    program: str,
    *,
    measure: str,
    effects: Effects = "random",
    weights: Literal["IV", "MH", "Peto"] | None = None,
    **changes: object,
) -> Convention:
    """The convention that a program follows by default.

    Parameters
    ----------
    program : {"revman5", "revman_web", "metafor", "meta"}
    measure : str
    effects : {"common", "random"}
    weights : {"IV", "MH", "Peto"}, optional
        The program's menu. By default Mantel–Haenszel for OR, RR and RD, inverse variance
        otherwise; in metafor random effects have inverse variance alone. With random effects
        "MH" is RevMan's "M-H, Random": inverse variance, Q around Mantel–Haenszel.
    **changes
        Attributes of :class:`Convention` that differ from the default, ``tau2="DL"`` say.

    Returns
    -------
    Convention

    Raises
    ------
    ModelError
        If the program is not known, or does not offer what is asked.

    References
    ----------
    Deeks JJ, Higgins JPT (2010). Statistical algorithms in Review Manager 5. Cochrane Methods
    (2025). Random-effects meta-analysis methods for intervention reviews: REML, I² from tau²,
    HKSJ, prediction. Documentation of metafor 5.0 and meta 8.3; their results on stored data.
    RevMan's rule for HKSJ and its t for prediction were not checked against its output.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> bm.preset("meta", measure="RR").zero_cells
    'events'
    """
    among("program", program, PROGRAMS)
    among("effects", effects, ("common", "random"))
    if NOT_OFFERED[program](measure):
        raise ModelError(f"There is no preset of {program} for {measure}: give a Convention.")
    among("weights", weights or "IV", ("IV", "MH", "Peto"))
    binary = measure in ZERO_CELLS_OF
    if weights is None:
        weights = "MH" if binary and _mh_by_default(program, effects) else "IV"
    known = {field.name for field in fields(Convention)} - {"measure", "effects", "weights"}
    for name in changes:
        among("a setting of a convention", name, sorted(known))
    settings = _PRESETS[program](measure, effects, weights)
    if weights == "Peto":  # without a choice of zeros, tau² or centre
        settings = {"q": "MH"}
    random = effects == "random"
    if not random:
        settings |= {"tau2": "", "interval": "Wald", "prediction": "", "i2": "Q"}
    if weights == "Peto" and random:
        raise ModelError("Peto's method is of a common effect: give effects='common'.")
    return Convention(
        measure=measure,
        effects=effects,
        weights="IV" if random else weights,
        **{**settings, **changes},  # pyright: ignore[reportArgumentType]
    )


REVMAN = ("OR", "RR", "RD", "MD", "SMD", "HR", "GEN", "RATIO")
# RevMan has no others; the variance that meta gives an SMD is not offered here.
NOT_OFFERED: Mapping[str, Callable[[str], bool]] = {
    "revman5": lambda measure: measure not in REVMAN,
    "revman_web": lambda measure: measure not in REVMAN,
    "metafor": lambda measure: False,
    "meta": lambda measure: measure == "SMD",
}


def _mh_by_default(program: str, effects: Effects) -> bool:
    return effects == "common" or program == "revman5"


def _revman5(measure: str, effects: Effects, weights: str) -> dict[str, object]:
    return {
        "tau2": "DL",
        "zero_cells": "variance" if measure == "RD" else "if_needed",
        "mh_zero_cells": "variance" if measure == "RD" else "if_needed",
        "q": "MH" if weights == "MH" else "IV",
        "smd": "RevMan" if measure == "SMD" else "exact",
    }


def _revman_web(measure: str, effects: Effects, weights: str) -> dict[str, object]:
    return {
        **_revman5(measure, effects, weights),
        "tau2": "REML",
        "interval": "HKSJ where it applies",
        "i2": "tau²",
        "prediction": "HTS",
    }


def _metafor(measure: str, effects: Effects, weights: str) -> dict[str, object]:
    mh = weights == "MH" and effects == "common"
    return {
        "tau2": "REML",
        "double_zero": "exclude" if mh else "include",
        "q": "MH" if mh else "IV",
        "i2": "tau²",
        "variance": "Sato" if measure == "RD" and mh else "Greenland–Robins",
        "bias_correction": measure == "ROM",
        "prediction": "S",
    }


def _meta(measure: str, effects: Effects, weights: str) -> dict[str, object]:
    return {
        "tau2": "REML",
        "zero_cells": {"RR": "events", "RD": "variance"}.get(measure, "if_needed"),
        "mh_zero_cells": "variance" if measure == "RD" else "if_needed",
        "prediction": "V",
    }


_PRESETS: Mapping[str, Callable[[str, Effects, str], dict[str, object]]] = {
    "revman5": _revman5,
    "revman_web": _revman_web,
    "metafor": _metafor,
    "meta": _meta,
}
