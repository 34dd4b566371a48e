"""The forms in which a report gives its comparison, and the estimate and se in each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from ..studies import QUANTILES, ContinuousStudies, Problems
from ._continuous import estimates
from ._measures import MEASURES, Measure
from ._printed import RATIOS, from_intervals
from ._reading import Filled
from .quantiles import convert_quantiles

type Array = NDArray[np.float64]
type Rows = NDArray[np.bool_]
type Made = tuple[Array, Array, list[str]]

MEANS = ("MD", "SMD", "ROM", "RGM")
ARMS = ContinuousStudies.arms


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A table with what holds for all of its rows."""

    table: Filled
    measure: Measure
    prob: float
    t_based: Rows

    def number(self, name: str) -> Array:
        """A column, (k,)."""
        return self.table.numbers[name]

    def refuse(self, bad: Rows, sentence: str) -> None:
        """Note `sentence` about the bad rows, if there are any, as :class:`Problems` does."""
        self.table.problems.refuse(bad, sentence, "y", "se")

    def usable(self, rows: Rows) -> Rows:
        """Those of some rows of which nothing is wrong so far."""
        return rows & ~self.table.problems.known("y", "se")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form: its name, the columns that make it complete, and the measures it can give.

    `make` returns y and se, each (k,), of which `rows` are right, and what to add to the name.
    """

    name: str
    needs: tuple[str, ...]
    measures: tuple[str, ...] = ()
    make: Callable[[Asked, Rows], Made]


def _with_se(asked: Asked, rows: Rows) -> Made:
    return _estimate(asked, rows), asked.number("se"), _nothing(asked)


def _with_interval(asked: Asked, rows: Rows) -> Made:
    names = ("estimate", "lower", "upper")
    quantile, words = _quantile(asked, rows, (1 + asked.prob) / 2)
    y, se = from_intervals(
        asked.table.study,
        [[text or "0" for text in asked.table.texts[name]] for name in names],
        {name: asked.number(name) for name in names},
        asked.measure,
        asked.prob,
        rows=asked.usable(rows),
        quantile=quantile,
        problems=asked.table.problems,
    )
    return y, se, [f", {100 * asked.prob:g}%{word}" for word in words]


def _with_t(asked: Asked, rows: Rows) -> Made:
    y, t = _estimate(asked, rows), asked.number("t_statistic")
    asked.refuse(
        rows & ~(y * t > 0),
        "estimate and t_statistic of {rows} do not point the same way, or one of them says no "
        "difference, which leaves se open; check the sign and the order of the arms, or give se or "
        "an interval.",
    )
    return y, np.abs(y / np.where(asked.usable(rows), t, 1.0)), _nothing(asked)


def _with_p(asked: Asked, rows: Rows) -> Made:
    y, p = _estimate(asked, rows), asked.number("p")
    asked.refuse(
        rows & ~((p > 0) & (p < 1) & (y != 0)),
        "p must lie between 0 and 1, beside an estimate that is not exactly 'no difference'; check "
        "{rows}. Give se, an interval or the test statistic, or {out}.",
    )
    quantile, words = _quantile(asked, rows, np.where(asked.usable(rows), p, 0.5) / 2)
    quantile = -quantile  # of the lower tail, where small p keep their digits
    return y, np.abs(y) / quantile, words


def _with_arm_errors(asked: Asked, rows: Rows) -> Made:
    each = [asked.number(f"se{arm}") for arm in ARMS]
    asked.refuse(
        rows & ~((each[0] > 0) & (each[1] > 0)),
        "se_treatment and se_control must be positive; check {rows}, or {out}.",
    )
    return asked.number("estimate"), np.hypot(*each), _nothing(asked)


def _means_with_sds(asked: Asked, rows: Rows) -> Made:
    return _of_means(asked, rows, {arm: asked.number(f"sd{arm}") for arm in ARMS})


def _means_with_errors(asked: Asked, rows: Rows) -> Made:
    sds = {arm: asked.number(f"se{arm}") * np.sqrt(asked.number(f"n{arm}")) for arm in ARMS}
    return _of_means(asked, rows, sds)


def _means_with_intervals(asked: Asked, rows: Rows) -> Made:
    sds = {}
    for arm in ARMS:
        n = np.where(rows, asked.number(f"n{arm}"), 2.0)
        asked.refuse(rows & ~(n >= 2), f"n{arm} must be 2 or more; check {{rows}}, or {{out}}.")
        columns = [f"{name}mean{arm}" for name in ("", "lower_", "upper_")]
        _, se = from_intervals(
            asked.table.study,
            [[text or "0" for text in asked.table.texts[name]] for name in columns],
            dict(
                zip(
                    ("estimate", "lower", "upper"),
                    [asked.number(name) for name in columns],
                    strict=True,
                )
            ),
            MEASURES["MD"],
            asked.prob,
            rows=asked.usable(rows),
            quantile=stdtrit(np.maximum(n - 1, 1), (1 + asked.prob) / 2),
            problems=asked.table.problems,
        )
        sds[arm] = se * np.sqrt(n)
    y, se, words = _of_means(asked, rows, sds)
    told = f", {100 * asked.prob:g}%, t distribution with n - 1 degrees of freedom"
    return y, se, [told + word for word in words]


def _of_means(asked: Asked, rows: Rows, sds: Mapping[str, Array]) -> Made:
    columns = {f"mean{arm}": asked.number(f"mean{arm}") for arm in ARMS}
    columns |= {f"sd{arm}": sds[arm] for arm in ARMS}
    made = _studies(asked, asked.usable(rows), columns)
    y, variance = estimates(made, asked.measure.name)
    return y, np.sqrt(variance), _nothing(asked)


def _of_quantiles(asked: Asked, rows: Rows, which: str) -> Made:
    columns = {
        f"{name}{arm}": asked.number(f"{name}{which}{arm}") for name in QUANTILES for arm in ARMS
    }
    moments = {
        f"{name}{arm}": np.full(asked.table.k, np.nan) for name in ("mean", "sd") for arm in ARMS
    }
    converted = convert_quantiles(_studies(asked, asked.usable(rows), columns | moments))
    y, variance = estimates(converted, asked.measure.name)
    return y, np.sqrt(variance), [f" ({how})" for how in converted.how]


def _studies(asked: Asked, rows: Rows, columns: Mapping[str, Array]) -> ContinuousStudies:
    """The table as studies; other rows hold ones, so that messages count the table's own rows."""
    filler = {name: 2.0 if name.startswith("n_") else 1.0 for name in _PLAIN}
    sizes = {f"n{arm}": asked.number(f"n{arm}") for arm in ARMS}
    with Problems(asked.table.study, row=asked.table.problems.row).going_on():
        return ContinuousStudies(
            study=asked.table.study,
            **{  # pyright: ignore[reportArgumentType]
                name: np.where(rows, values, filler.get(name, np.nan))
                for name, values in {**columns, **sizes}.items()
            },
        )


_PLAIN = tuple(f"{name}{arm}" for name in ("mean", "sd", "n") for arm in ARMS)


def _nothing(asked: Asked) -> list[str]:
    return [""] * asked.table.k


def _estimate(asked: Asked, rows: Rows) -> Array:
    """The estimate on the analysis scale."""
    estimate = np.where(rows, asked.number("estimate"), 1.0)
    if not asked.measure.log:
        return estimate
    asked.refuse(
        estimate <= 0,
        f"estimate of {asked.measure.a_words} must be above zero; check {{rows}}, or {{out}}. "
        f"{RATIOS}",
    )
    return np.log(np.where(asked.usable(rows), estimate, 1.0))


def _quantile(asked: Asked, rows: Rows, at: float | Array) -> tuple[Array, list[str]]:
    """The quantile that the report used: of t where the row is t_based, else normal."""
    df = asked.number("n_treatment") + asked.number("n_control") - 2
    asked.refuse(
        rows & asked.t_based & ~(df >= 1),
        "{rows} is t_based, which needs n_treatment and n_control, 3 patients or more together; "
        "give them, or set t_based to no for the row.",
    )
    use = rows & asked.t_based
    quantile = np.where(use, stdtrit(np.where(use, df, 1.0), at), ndtri(at))
    words = [
        f", t distribution with {df[i]:g} degrees of freedom" if use[i] else ", normal"
        for i in range(asked.table.k)
    ]
    return quantile, words


def _both(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}{arm}" for name in names for arm in ARMS)


FORMS: tuple[Form, ...] = (  # the first that a row completes is taken
    Form(name="estimate and standard error", needs=("estimate", "se"), make=_with_se),
    Form(name="estimate and interval", needs=("estimate", "lower", "upper"), make=_with_interval),
    Form(name="estimate and t statistic", needs=("estimate", "t_statistic"), make=_with_t),
    Form(name="estimate and P value", needs=("estimate", "p"), make=_with_p),
    Form(
        name="estimate and standard error of each arm's mean",
        needs=("estimate", *_both("se")),
        measures=("MD",),
        make=_with_arm_errors,
    ),
    Form(
        name="means and SDs", needs=_both("mean", "sd", "n"), measures=MEANS, make=_means_with_sds
    ),
    Form(
        name="means and their standard errors",
        needs=_both("mean", "se", "n"),
        measures=MEANS,
        make=_means_with_errors,
    ),
    Form(
        name="means and their intervals",
        needs=_both("mean", "lower_mean", "upper_mean", "n"),
        measures=MEANS,
        make=_means_with_intervals,
    ),
    Form(
        name="median change and its quartiles",
        needs=_both("q1_change", "median_change", "q3_change", "n"),
        measures=("MD",),
        make=lambda asked, rows: _of_quantiles(asked, rows, "_change"),
    ),
    Form(
        name="median and quartiles",
        needs=_both("q1", "median", "q3", "n"),
        measures=MEANS,
        make=lambda asked, rows: _of_quantiles(asked, rows, ""),
    ),
)
NUMBERS = tuple(
    dict.fromkeys(
        (
            *(name for form in FORMS for name in form.needs if name != "p"),
            *_both(*QUANTILES, *(f"{name}_change" for name in QUANTILES)),
        )
    )
)
