"""Figures of arms on which a measure is not defined, refused in one sentence each."""

import numpy as np

from ..errors import ModelError
from ..priors import Prior
from ..studies import ContinuousStudies, leave_out, name_rows
from ..ways import way


def check_figures(measure: str, data: ContinuousStudies, *, correlation: Prior | None) -> None:
    """Refuse figures on which a measure is not defined."""
    units = sorted({one for one in data.unit if one})
    if measure == "MD" and len(units) > 1:
        raise ModelError(
            f"A mean difference needs one unit, and the studies have "
            f"{', '.join(map(repr, units[:5]))}; convert the figures to one of them, or use "
            f"{way('measure', 'SMD')} or {way('measure', 'ROM')}, which have no unit."
        )
    _check_pairs(data, correlation)
    if measure not in ("ROM", "RGM"):
        return
    for arm in data.arms:
        shown = [getattr(data, f"mean{arm}"), *data.quantiles(arm).T]
        wrong = np.any([one <= 0 for one in shown], axis=0)
        if wrong.any():
            raise ModelError(
                f"{measure} needs an outcome above zero, and a figure of zero or less is "
                f"given for {name_rows(data.study, wrong)} in the {arm[1:]} arm; use "
                f"{way('measure', 'MD')} or {way('measure', 'SMD')}, or "
                f"{leave_out(data.study, wrong)}."
            )


def _check_pairs(data: ContinuousStudies, correlation: Prior | None) -> None:
    unknown = np.any([data.has_pair(arm) for arm in data.arms], axis=0)
    if unknown.any() and correlation is None:
        raise ModelError(
            f"The SD of the change is unknown for {name_rows(data.study, unknown)}: {way('pair')}."
        )
    if correlation is not None and not unknown.any():
        raise ModelError(
            "correlation is a prior for changes whose SD is unknown, and these studies have none; "
            "leave it out."
        )
