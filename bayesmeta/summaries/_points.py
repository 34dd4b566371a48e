"""Studies as points: funnel, radial, Baujat's and L'Abbé's figures as rows."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, final

import numpy as np
from scipy.special import chdtri, expit, logit, ndtri

from ..effects import ATANH_RD, MEASURES, EffectSizes, Measure, effect_sizes
from ..errors import DataError, ModelError
from ..frequentist import common_effect, critical, egger, influence, random_effects
from ..model import check_one_effect
from ..posterior import Array, Posterior
from ..studies import BinaryStudies, check_prob
from ._forest import study_effects
from ._numbers import scale_of

if TYPE_CHECKING:
    import pandas as pd

LEVELS = (0.1, 0.05, 0.01)  # of two-sided p, at which a funnel has contours
_ROOM = 1.06  # of the largest standard error or precision, where lines end
_PLACES = 61  # of a curve of L'Abbé's figure


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PointRow:
    """One point of a figure, a study or a place of a line.

    Attributes
    ----------
    kind : str
        Rows of one kind and label are one line, in order.
    label : str
    x, y : float
    size : float
        To which its area is in proportion; NaN where all are equal.
    """

    kind: str
    label: str
    x: float
    y: float
    size: float = np.nan


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """A figure of points and lines as rows.

    Attributes
    ----------
    rows : tuple of PointRow
    measure : Measure
        Of the effects.
    said : tuple of str
        What has to be said with it.
    """

    rows: tuple[PointRow, ...]
    measure: Measure
    said: tuple[str, ...] = ()

    def lines(self, kind: str) -> dict[str, Array]:
        """Lines of one kind by label, each (n, 2)."""
        found: dict[str, list[tuple[float, float]]] = {}
        for row in self.rows:
            if row.kind == kind:
                found.setdefault(row.label, []).append((row.x, row.y))
        return {label: np.array(points) for label, points in found.items()}

    def of(self, kind: str) -> Sequence[PointRow]:
        """Rows of one kind."""
        return [row for row in self.rows if row.kind == kind]

    def table(self) -> "pd.DataFrame":
        """Return a row per point; without sizes where there are none."""
        import pandas as pd

        table = pd.DataFrame([asdict(row) for row in self.rows])
        return table.dropna(axis="columns", how="all")


def line(kind: str, label: str, points: Iterable[tuple[float, float]]) -> list[PointRow]:
    """Rows of one line."""
    return [PointRow(kind=kind, label=label, x=float(x), y=float(y)) for x, y in points]


def neither(what: str, given: object) -> ModelError:
    """What is said of something that is neither a fit nor estimates."""
    return ModelError(
        f"{what} takes a fit, of bm.fit(model, data), or estimates, of bm.effect_sizes(...), not "
        f"{type(given).__name__}."
    )


@singledispatch
def estimates_of(given: object, what: str) -> EffectSizes:
    """Each study's own estimate, of a fit with one effect or as they are given.

    Raises
    ------
    ModelError
    """
    raise neither(what, given)


@estimates_of.register
def _(given: EffectSizes, what: str) -> EffectSizes:
    return given


@estimates_of.register
def _(given: Posterior, what: str) -> EffectSizes:
    check_one_effect(given.model, what)
    found = study_effects(given)
    if found is None:
        raise ModelError(f"{what} needs estimates of single studies, and no study here has one.")
    if scale_of(given) == ATANH_RD:
        assert isinstance(given.data, BinaryStudies)
        return effect_sizes(given.data, measure="RD")
    return found


def _apart(given: Posterior | EffectSizes, effects: EffectSizes) -> tuple[str, ...]:
    """What a reader must know of studies that are not shown, or not as they were counted."""
    shown = set(effects.study)
    missing = [] if isinstance(given, EffectSizes) else [*given.data.study]
    missing = [name for name in missing if name not in shown]
    said = {
        "Not shown, without an estimate of their own: {}.": missing,
        "With ½ added for an estimate of their own: {}.": [*effects.account.added],
    }
    return tuple(words.format(", ".join(names)) for words, names in said.items() if names)


def funnel_rows(given: Posterior | EffectSizes) -> Points:
    """Lay studies out as a funnel: estimates (x) over standard errors (y), with its lines.

    Lines are no effect, the contours at which an estimate has p 0.10, 0.05 and 0.01 against it,
    the pooled effect, and Egger's regression line where it can be made.

    Raises
    ------
    ModelError
        If effects compare nothing, or depend on covariates.
    """
    effects = estimates_of(given, "A funnel")
    measure = MEASURES[effects.measure]
    if not measure.comparative:
        raise ModelError(
            f"The contours of a funnel stand about no effect, and {measure.words}s compare "
            "nothing; bm.plots.radial and bm.plots.baujat show such studies."
        )
    top = _ROOM * float(effects.se.max())
    rows = [
        PointRow(kind="study", label=name, x=float(y), y=float(se))
        for name, y, se in zip(effects.study, effects.y, effects.se, strict=True)
    ]
    for level in LEVELS:
        far = -float(ndtri(level / 2)) * top
        rows += line("contour", f"p = {level:.2f}", ((-far, top), (0.0, 0.0), (far, top)))
    rows += line("null", "no effect", ((0.0, 0.0), (0.0, top)))
    label, middle = _middle(given, common=False)
    rows += line("pooled", label, ((middle, 0.0), (middle, top)))
    try:
        test = egger(effects)
    except DataError as reason:
        said = f"No line of Egger's test: {reason}"
    else:
        rows += line("egger", "Egger", ((test.limit, 0.0), (test.limit + top * test.slope, top)))
        said = " ".join(filter(None, (f"Egger's test: {test.in_words}", test.caution)))
    return Points(rows=tuple(rows), measure=measure, said=(said, *_apart(given, effects)))


def radial_rows(given: Posterior | EffectSizes, *, prob: float = 0.95) -> Points:
    """Lay studies out radially: y/se over 1/se, so that an effect is the slope of a ray.

    Lines are the pooled effect and, parallel to it, the band in which `prob` of the studies would
    lie if all had this one effect.

    References
    ----------
    Galbraith RF (1988). Stat Med 7:889-894.
    """
    check_prob(prob)
    effects = estimates_of(given, "A radial plot")
    precision = 1 / effects.se
    end = _ROOM * float(precision.max())
    rows = [
        PointRow(kind="study", label=name, x=float(x), y=float(x * y))
        for name, x, y in zip(effects.study, precision, effects.y, strict=True)
    ]
    label, slope = _middle(given, common=True)
    half = critical(prob, np.inf)
    rows += line("pooled", label, ((0.0, 0.0), (end, slope * end)))
    for side, shift in (("lower", -half), ("upper", half)):
        rows += line("band", side, ((0.0, shift), (end, slope * end + shift)))
    measure = MEASURES[effects.measure]
    return Points(rows=tuple(rows), measure=measure, said=_apart(given, effects))


def baujat_rows(given: Posterior | EffectSizes) -> Points:
    """Lay studies out as Baujat does: shares of Cochran's Q (x) over influence (y).

    Influence is the squared difference that leaving the study out makes to the common effect, over
    the variance of that effect without it.

    Raises
    ------
    DataError
        For fewer than two studies.

    References
    ----------
    Baujat B, Mahé C, Pignon J-P, Hill C (2002). Stat Med 21:2641-2652.
    """
    effects = estimates_of(given, "Baujat's plot")
    if effects.k < 2:
        raise DataError("Baujat's plot leaves studies out one by one: it needs two or more.")
    w = effects.se**-2.0
    mean = float(w @ effects.y / w.sum())
    rest = w.sum() - w
    without = (w @ effects.y - w * effects.y) / rest
    rows = [
        PointRow(kind="study", label=name, x=float(q), y=float(moved))
        for name, q, moved in zip(
            effects.study, w * (effects.y - mean) ** 2, (mean - without) ** 2 * rest, strict=True
        )
    ]
    measure = MEASURES[effects.measure]
    return Points(rows=tuple(rows), measure=measure, said=_apart(given, effects))


@singledispatch
def labbe_rows(given: object, *, measure: str | None = None, prob: float = 0.95) -> Points:
    """Lay trials out as L'Abbé does: risk of the treatment arm (y) over that of the control (x).

    The line of the pooled effect is where trials with it would lie, a row for each place; likewise
    those of its interval. Sizes are the numbers of patients. Rows ``effect`` hold the effect and
    its interval, analysis scale.

    Raises
    ------
    ModelError
        If there are no risks of two arms.

    References
    ----------
    L'Abbé KA, Detsky AS, O'Rourke K (1987). Ann Intern Med 107:224-233.
    """
    raise ModelError(
        "L'Abbé's plot takes events of two arms, bm.BinaryStudies, or a fit of them, of "
        f"bm.fit(bm.BinomialNormal(...), trials) say, not {type(given).__name__}."
    )


@labbe_rows.register
def _(given: BinaryStudies, *, measure: str | None = None, prob: float = 0.95) -> Points:
    fit = random_effects(given, measure=measure or "OR")
    ends = np.array([fit.estimate, *fit.interval(prob)])
    return _labbe(given, MEASURES[fit.measure], ends, "REML", prob)


@labbe_rows.register
def _(given: Posterior, *, measure: str | None = None, prob: float = 0.95) -> Points:
    check_one_effect(given.model, "L'Abbé's plot")
    if not isinstance(given.data, BinaryStudies):
        raise ModelError(
            "L'Abbé's plot shows the risks of both arms, and this fit is of "
            f"{given.data.kind}: fit their counts, bm.BinomialNormal(...), or give the table."
        )
    scale = scale_of(given)
    if measure not in (None, scale.name):
        raise ModelError(f"The lines are those of the fit, of {scale.name}: leave measure out.")
    found = given.at()
    ends = np.array([found.quantile(0.5), *found.interval(prob)])
    if scale == ATANH_RD:
        ends = scale.natural(ends)
    return _labbe(given.data, MEASURES[scale.name], ends, "posterior median", prob)


def _labbe(data: BinaryStudies, measure: Measure, ends: Array, label: str, prob: float) -> Points:
    x, y = (data.numbers[f"events{arm}"] / data.numbers[f"n{arm}"] for arm in data.arms[::-1])
    size = data.n_treatment + data.n_control
    rows = [
        PointRow(kind="study", label=name, x=float(a), y=float(b), size=float(n))
        for name, a, b, n in zip(data.study, x, y, size, strict=True)
    ]
    top = min(1.0, 1.08 * float(max(x.max(), y.max(), 0.02)))
    at = np.linspace(0.0, top, _PLACES)
    for name, value in zip((label, "lower", "upper"), ends.tolist(), strict=True):
        reached = _risk(measure, at, value)
        kind = "pooled" if name == label else "band"
        rows += line(kind, name, zip(at, np.clip(reached, 0.0, 1.0), strict=True))
    rows += line("null", "no effect", ((0.0, 0.0), (top, top)))
    for name, value in zip(("estimate", "lower", "upper"), ends.tolist(), strict=True):
        rows.append(PointRow(kind="effect", label=name, x=value, y=np.nan))
    return Points(rows=tuple(rows), measure=measure)


def _risk(measure: Measure, control: Array, effect: float) -> Array:
    """Risk of the treatment arm, before it is held to what a risk can be."""
    with np.errstate(divide="ignore"):
        reached = {
            "OR": lambda: expit(logit(control) + effect),
            "RR": lambda: control * np.exp(effect),
            "RD": lambda: control + effect,
        }
        return reached[measure.name]()


@singledispatch
def _middle(given: object, *, common: bool) -> tuple[str, float]:
    """What a pooled line is, and where it stands."""
    raise neither("A pooled line", given)


@_middle.register
def _(given: Posterior, *, common: bool) -> tuple[str, float]:
    middle = float(given.at().quantile(0.5))
    return "posterior median", float(np.tanh(middle)) if scale_of(given) == ATANH_RD else middle


@_middle.register
def _(given: EffectSizes, *, common: bool) -> tuple[str, float]:
    fit = common_effect(given) if common else random_effects(given)
    return ("common effect" if common else "REML"), fit.estimate


def influence_table(given: Posterior | EffectSizes) -> "tuple[pd.DataFrame, tuple[str, ...]]":
    """How each study pulls the pooled estimate: ``frequentist.influence``, and its limits as rows.

    With what has to be said of studies that are not shown, or not as they were counted.

    Raises
    ------
    DataError
        For fewer than three studies.
    """
    import pandas as pd

    effects = estimates_of(given, "A figure of influence")
    columns = ["rstudent", "dffits", "cook", "hat", "influential"]
    table = influence(effects)[columns].assign(kind="study")
    far = 3 * (1 / (effects.k - 1)) ** 0.5
    upper = {"rstudent": critical(0.95, np.inf), "dffits": far, "cook": float(chdtri(1, 0.5))}
    limits = pd.DataFrame(
        [
            {**upper, "hat": 3 / effects.k},
            {name: -upper[name] for name in ("rstudent", "dffits")},
        ],
        index=["upper limit", "lower limit"],
    ).assign(influential=False, kind="limit")
    return pd.concat([table, limits]), _apart(given, effects)
