"""The answer as studies join one by one, and without each of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import is_among
from ..effects import EffectSizes
from ..engines import fit
from ..errors import ModelError
from ..frequentist import cumulative, leave_one_out, ordered, random_effects
from ..model import Data, Model, check_one_effect
from ..posterior import Posterior
from ..studies import check_prob
from ..ways import shown
from ._forest import ForestRow, as_shown, posterior_row
from ._points import neither

_CUMULATIVE, _WITHOUT = "A cumulative analysis", "Leaving one study out"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Refits:
    """Answers to fewer studies.

    Attributes
    ----------
    rows : tuple of ForestRow
        The last is the answer to all. Where a fit failed its gates its numbers are NaN.
    said : tuple of str
        What has to be said with them.
    """

    rows: tuple[ForestRow, ...]
    said: tuple[str, ...] = ()


@singledispatch
def cumulative_rows(
    given: object, *, order: str | ArrayLike | None = None, prob: float = 0.95
) -> Refits:
    """Answer anew as each study joins.

    Notes of the rows are the numbers of studies. Of a fit each row is a fit of the same model to
    the studies so far; of estimates it is that of ``frequentist.cumulative``.

    Raises
    ------
    ModelError
        If effects depend on covariates.
    DataError
        If `order` is none of these studies.
    """
    raise neither(_CUMULATIVE, given)


@cumulative_rows.register
def _(given: EffectSizes, *, order: str | ArrayLike | None = None, prob: float = 0.95) -> Refits:
    check_prob(prob)
    table = cumulative(given, order=_order(given, order), prob=prob)
    rows = [
        _row(name, "joined", one.estimate, one.lower, one.upper, f"{one.k:.0f}")
        for name, one in table.iterrows()
    ]
    return Refits(rows=(*rows, _reml(given, prob)))


@cumulative_rows.register
def _(given: Posterior, *, order: str | ArrayLike | None = None, prob: float = 0.95) -> Refits:
    check_prob(prob)
    check_one_effect(given.model, _CUMULATIVE)
    data = given.data
    names = ordered(data.study, _order(data, order))
    place = {name: i for i, name in enumerate(names)}
    joins = np.array([place[name] for name in data.study])
    found: list[Posterior] = []
    few, reason = 0, ""
    for k in range(1, data.k + 1):
        try:
            found.append(fit(given.model, data.keep(joins < k)))
        except ModelError as error:
            if found or k == data.k:
                raise
            few, reason = k, str(error)
    rows = [
        _answer(name, "joined", one, prob, str(k))
        for k, (name, one) in enumerate(zip(names[few:], found, strict=True), few + 1)
    ]
    said = [f"The first {few} alone have no answer: {reason}"] if few else []
    return Refits(rows=(*rows, _whole(given, prob)), said=(*said, *_failed(names[few:], found)))


@singledispatch
def leave_one_out_rows(given: object, *, prob: float = 0.95) -> Refits:
    """Answer anew without each study.

    Notes of the rows are tau. Of a fit each row is a fit of the same model to the other studies; of
    estimates it is that of ``frequentist.leave_one_out``.

    Raises
    ------
    ModelError
        If effects depend on covariates, or there is one study alone.
    """
    raise neither(_WITHOUT, given)


@leave_one_out_rows.register
def _(given: EffectSizes, *, prob: float = 0.95) -> Refits:
    table = leave_one_out(given, prob=prob)
    rows = [
        _row(name, "without", one.estimate, one.lower, one.upper, f"{one.tau2**0.5:.2f}")
        for name, one in table.iterrows()
    ]
    return Refits(rows=(*rows, _reml(given, prob)))


@leave_one_out_rows.register
def _(given: Posterior, *, prob: float = 0.95) -> Refits:
    check_prob(prob)
    check_one_effect(given.model, _WITHOUT)
    data = given.data
    if data.k < 2:
        raise ModelError(f"{_WITHOUT} needs two studies or more, and there is one.")
    found = [_rest(given.model, data, i) for i in range(data.k)]
    rows = [
        _answer(name, "without", one, prob, _tau(one))
        for name, one in zip(data.study, found, strict=True)
    ]
    return Refits(rows=(*rows, _whole(given, prob)), said=tuple(_failed(data.study, found)))


def _rest(model: Model, data: Data, i: int) -> Posterior:
    return fit(model.kept(data), data.keep(np.arange(data.k) != i))


def _order(data: Data, order: str | ArrayLike | None) -> ArrayLike | None:
    """An order as it is, or the values of the covariate that it names."""
    if not isinstance(order, str):
        return order
    if not is_among(order, data.covariates):
        known = ", ".join(data.covariates) or "none"
        raise ModelError(
            f"There is no covariate {shown(order)} to order studies by; there are: {known}."
        )
    values = data.covariates[order]
    lacking = [
        name for name, one in zip(data.study, values, strict=True) if one is None or one != one
    ]
    if lacking:
        raise ModelError(
            f"{order} is missing for {', '.join(lacking)}: give order as the names of all "
            "studies, or leave these out with data.keep(mask)."
        )
    return np.asarray(values)


def _answer(name: str, kind: str, by: Posterior, prob: float, note: str) -> ForestRow:
    if not by.diagnostics.passed_first:
        return _row(name, kind, np.nan, np.nan, np.nan, note)
    (row,) = as_shown([posterior_row(name, kind, by.at(), prob)], by)
    return replace(row, note=note)


def _whole(given: Posterior, prob: float) -> ForestRow:
    (row,) = as_shown([posterior_row("all studies", "posterior", given.at(), prob)], given)
    return row


def _reml(given: EffectSizes, prob: float) -> ForestRow:
    whole = random_effects(given)
    return _row("all studies, REML", "frequentist", whole.estimate, *whole.interval(prob), "")


def _row(
    label: object, kind: str, estimate: float, lower: float, upper: float, note: str
) -> ForestRow:
    return ForestRow(
        label=str(label),
        kind=kind,
        estimate=float(estimate),
        lower=float(lower),
        upper=float(upper),
        note=note,
    )


def _tau(by: Posterior) -> str:
    tau = by.marginals.get("tau")
    return "" if tau is None else f"{by['tau'].quantile(0.5):.2f}"


def _failed(names: Sequence[str], found: Sequence[Posterior]) -> list[str]:
    off = [name for name, one in zip(names, found, strict=True) if not one.diagnostics.passed_first]
    return [f"Fits that failed their gates: {', '.join(off)}."] if off else []
