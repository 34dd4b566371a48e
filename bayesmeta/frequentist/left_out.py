"""What single studies do to a pooled estimate: leave them out, take them one after another."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtr

from ..effects import EffectSizes, ZeroCells
from ..errors import DataError
from ..model import Data
from ..studies import check_prob
from ..ways import shown
from .arrays.tau2 import Tau2
from .fit import FrequentistFit, IntervalName
from .pooling.one import as_effects
from .pooling.refit import need_studies, refit

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]


def leave_one_out(
    data: Data,
    *,
    tau2: Tau2 | None = "REML",
    interval: IntervalName = "HKSJ",
    measure: str | None = None,
    zero_cells: ZeroCells = "if_needed",
    prob: float = 0.95,
) -> "pd.DataFrame":
    """Pool without each study in turn.

    Parameters
    ----------
    data : EffectSizes or counts
    tau2 : str or None
        Estimator of tau², as for :func:`random_effects`; None for a common effect, whose interval
        is Wald's.
    interval : str
        As for :func:`random_effects`.
    measure, zero_cells
        For counts, as for :func:`effect_sizes`.
    prob : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        One row per study left out, analysis scale: ``estimate``, ``se``, ``lower``, ``upper``,
        ``p``, ``tau2`` (0 for a common effect), ``q``, ``q_p`` (1 where one study is left),
        ``i2``, and ``change``, the estimate less that of all studies.

    Raises
    ------
    DataError
        For fewer than three studies under random effects, two under a common effect.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> bm.leave_one_out(data)["change"].round(2).tolist()
    [0.2, -0.14, 0.04]
    """
    import pandas as pd

    check_prob(prob)
    effects = as_effects(data, measure, zero_cells)
    _need_rest(effects, tau2, "Leaving one study out")
    whole, without = _deleted(effects, tau2, interval=interval, prob=prob)
    table = pd.DataFrame([_row(fit) for fit in without], index=_studies(effects.study, "left_out"))
    table["change"] = table["estimate"] - whole.estimate
    return table


def influence(
    data: Data,
    *,
    tau2: Tau2 | None = "REML",
    measure: str | None = None,
    zero_cells: ZeroCells = "if_needed",
) -> "pd.DataFrame":
    """Measure how each study pulls the pooled estimate, its standard error and tau².

    Parameters
    ----------
    data : EffectSizes or counts
    tau2 : str or None
        Estimator of tau², as for :func:`random_effects`; None for a common effect.
    measure, zero_cells
        For counts, as for :func:`effect_sizes`.

    Returns
    -------
    DataFrame
        One row per study; (-i) is an answer without it, Wald's standard errors throughout.

        - ``rstudent``: (y - mu(-i)) / √(se² + tau²(-i) + var mu(-i)), the externally standardised
          residual;
        - ``dffits``: (mu - mu(-i)) / √(hat (se² + tau²(-i)));
        - ``cook``: (mu - mu(-i))² / var mu;
        - ``cov_ratio``: var mu(-i) / var mu;
        - ``tau2_without``, ``q_without``: tau² (0 for a common effect) and Cochran's Q;
        - ``hat``, ``weight``: its share of the weights, and that in per cent;
        - ``dfbetas``: (mu - mu(-i)) over the standard error of all studies with tau²(-i);
        - ``influential``: ``dffits`` beyond ±3 √(1/(k - 1)), or the chi-square of one degree of
          freedom below ``cook`` above 50%, or ``hat`` above 3/k, or ``dfbetas`` beyond ±1. The
          limits are conventions for a second look, not tests.

    Raises
    ------
    DataError
        For fewer than three studies under random effects, two under a common effect.

    References
    ----------
    Viechtbauer W, Cheung MWL (2010). Res Synth Methods 1:112-125.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> bm.influence(data)["weight"].round().tolist()
    [55.0, 28.0, 17.0]
    """
    import pandas as pd

    effects = as_effects(data, measure, zero_cells)
    _need_rest(effects, tau2, "Influence")
    whole, without = _deleted(effects, tau2, interval="Wald", prob=0.95)
    y, v = effects.y, effects.se**2
    hat = 1 / (v + (whole.tau2 or 0.0))
    hat /= hat.sum()
    between, mu, variance = (
        np.array(column)
        for column in zip(*((f.tau2 or 0.0, f.estimate, f.se**2) for f in without), strict=True)
    )
    moved = whole.estimate - mu
    table = pd.DataFrame(
        {
            "rstudent": (y - mu) / np.sqrt(v + between + variance),
            "dffits": moved / np.sqrt(hat * (v + between)),
            "cook": (moved / whole.se) ** 2,
            "cov_ratio": variance / whole.se**2,
            "tau2_without": between,
            "q_without": [fit.q for fit in without],
            "hat": hat,
            "weight": 100 * hat,
            "dfbetas": moved * np.sqrt((1 / (v + between[:, None])).sum(axis=1)),
        },
        index=_studies(effects.study, "study"),
    )
    table["influential"] = (
        (table["dffits"].abs() > 3 * (1 / (effects.k - 1)) ** 0.5)
        | (chdtr(1, table["cook"]) > 0.5)
        | (table["hat"] > 3 / effects.k)
        | (table["dfbetas"].abs() > 1)
    )
    return table


def cumulative(
    data: Data,
    *,
    order: ArrayLike | None = None,
    tau2: Tau2 | None = "REML",
    interval: IntervalName = "HKSJ",
    measure: str | None = None,
    zero_cells: ZeroCells = "if_needed",
    prob: float = 0.95,
) -> "pd.DataFrame":
    """Pool again after each study is added.

    Parameters
    ----------
    data : EffectSizes or counts
    order : sequence of str, or array-like of numbers, optional
        The names of all studies in the order they join, or one number per study to sort by (the
        year, say; ties stay as given). As given by default.
    tau2 : str or None
        Estimator of tau², as for :func:`random_effects`; None for a common effect, whose interval
        is Wald's.
    interval : str
        As for :func:`random_effects`.
    measure, zero_cells
        For counts, as for :func:`effect_sizes`. Studies that say nothing about the measure have
        a place in `order` but no row.
    prob : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        One row per study, named after the one added: ``k``, and ``estimate``, ``se``, ``lower``,
        ``upper``, ``p``, ``tau2``, ``q``, ``q_p``, ``i2`` of the studies up to there. The first
        row is that study alone with its own interval, tau² 0 and ``q_p`` 1.

    References
    ----------
    Lau J, Antman EM, Jimenez-Silva J, Kupelnick B, Mosteller F, Chalmers TC (1992). N Engl J Med
    327:248-254.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> bm.cumulative(data, order=[1999, 1990, 2003])["estimate"].round(2).tolist()
    [0.1, -0.2, -0.24]
    """
    import pandas as pd

    check_prob(prob)
    effects = as_effects(data, measure, zero_cells)
    place = {name: i for i, name in enumerate(effects.study)}
    rows = [place[name] for name in ordered(data.study, order) if name in place]
    joined = np.argsort(rows)  # of each study, when it joins
    fits = [
        refit(effects.keep(joined < k), tau2, interval=interval, prob=prob)
        for k in range(1, effects.k + 1)
    ]
    names = tuple(effects.study[i] for i in rows)
    return pd.DataFrame([{"k": fit.k, **_row(fit)} for fit in fits], index=_studies(names, "added"))


def _need_rest(effects: EffectSizes, tau2: Tau2 | None, what: str) -> None:
    """One study must be left for a common effect, two for tau²."""
    if tau2 is None:
        need_studies(effects, 2, what)
    else:
        remedy = " Two allow a common effect: tau2=None, or for a figure a fit of CommonEffect."
        need_studies(effects, 3, f"{what} under random effects", remedy)


def _deleted(
    effects: EffectSizes, tau2: Tau2 | None, *, interval: IntervalName, prob: float
) -> tuple[FrequentistFit, list[FrequentistFit]]:
    """The answer of all studies, and without each."""
    place = np.arange(effects.k)
    return refit(effects, tau2, interval=interval, prob=prob), [
        refit(effects.keep(place != i), tau2, interval=interval, prob=prob) for i in place
    ]


def _row(fit: FrequentistFit) -> dict[str, float]:
    columns = ("estimate", "se", "lower", "upper")
    return {
        **{column: getattr(fit, column) for column in columns},
        "p": fit.p,
        "tau2": fit.tau2 or 0.0,
        "q": fit.q,
        "q_p": 1.0 if fit.q_p is None else fit.q_p,
        "i2": fit.i2,
    }


def _studies(names: Sequence[str], called: str) -> "pd.Index":
    import pandas as pd

    return pd.Index(list(names), name=called)


def ordered(study: tuple[str, ...], order: ArrayLike | None) -> Sequence[str]:
    """Names of the studies in the order asked for, as `cumulative` takes it.

    Raises
    ------
    DataError
    """
    if order is None:
        return study
    try:
        given = np.asarray(order)
    except (ValueError, RecursionError):
        given = np.array(None)
    if given.dtype.kind == "b":
        raise DataError(
            f"order must be the {len(study)} names, or one finite number per study, not true and "
            "false; a mask picks studies: data.keep(mask)."
        )
    if given.dtype.kind in "UO" and all(isinstance(name, str) for name in given.ravel()):
        names = [str(name) for name in given.ravel()]
        if sorted(names) != sorted(study):
            odd = sorted(set(study) ^ set(names)) or [n for n in names if names.count(n) > 1]
            raise DataError(
                f"order must name every study once; check {', '.join(odd[:5])}, or give one "
                "number per study to sort by."
            )
        return names
    return [study[i] for i in np.argsort(_numbers(given, len(study)), kind="stable")]


def _numbers(given: NDArray[np.generic], k: int) -> Array:
    try:
        numbers = given.astype(float)
    except (TypeError, ValueError, ArithmeticError):
        numbers = np.array([np.nan])
    if numbers.shape != (k,) or not np.isfinite(numbers).all():
        raise DataError(
            f"order must be the {k} names, or one finite number per study; got {shown(given)}."
        )
    return numbers
