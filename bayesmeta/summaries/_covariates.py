"""Fits whose effects depend on covariates, as the rows of figures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, final

import numpy as np

from ..arguments import is_among
from ..design import Design
from ..effects import ATANH_RD
from ..errors import ModelError
from ..model import COEFFICIENT, Predictor, check_one_effect, check_one_outcome
from ..posterior import Array, Draws, Marginal, Marginals, Posterior
from ..ways import shown
from ._forest import ForestRow, as_shown, posterior_row, study_effects, study_rows
from ._numbers import scale_of

if TYPE_CHECKING:
    import pandas as pd

_EACH = 3  # groups of which every two are compared; of more, each with the first
_DRAWS = 40_000  # of a difference that has no density of its own
_REACH = 0.03  # of the studies' range, how far a line goes beyond it


def groups_of(posterior: Posterior) -> Mapping[str, str]:
    """Coefficients by group, where the model has a mean for each group of studies; else none."""
    made = _design(posterior)
    if made is None or set(made.kinds) != {"level"} or len(made.formula.variables) > 1:
        return {}
    (levels,) = made.levels.values()
    return dict(zip(levels, made.names, strict=True))


def group_rows(
    posterior: Posterior,
    *,
    overall: Posterior | None = None,
    prob: float = 0.95,
    densities: bool = False,
) -> Sequence[ForestRow]:
    """Lay a fit of groups out as a forest plot, block by block, and compare the groups.

    Parameters
    ----------
    posterior : Posterior
        Of a model with a mean for each group: ``mu=ByGroup("severity", ...)``.
    overall : Posterior, optional
        Of a model of the same studies with one effect; it stands below, named as that.
    prob : float
        Level of all intervals.
    densities : bool
        Whether posterior rows carry their densities.

    Returns
    -------
    sequence of ForestRow
        Of each group its studies and its mean; then differences on the analysis scale, their notes
        with the probability above 0: of two groups each, of more than three each with the first.

    Raises
    ------
    ModelError
        If the fit has no groups.
    """
    names = groups_of(posterior)
    if not names:
        check_one_effect(posterior.model, "A forest plot")
        raise ModelError("group_rows takes a fit with ByGroup(...) for mu.")
    made = _design(posterior)
    assert made is not None
    of = np.array(list(names))[made.matrix.argmax(axis=1)]
    member = dict(zip(posterior.data.study, of.tolist(), strict=True))
    own = as_shown(study_rows(posterior, prob, densities=densities), posterior)
    rows: list[ForestRow] = []
    for group, name in names.items():
        studies = [replace(row, group=group) for row in own if member[row.label] == group]
        k = sum(row.kind == "study" for row in studies)
        mean = posterior_row(
            f"{group}, k = {k}", "group", posterior.contrast({name: 1.0}), prob, densities=densities
        )  # pyright: ignore[reportArgumentType]
        rows += [*studies, *as_shown([replace(mean, group=group)], posterior)]
    rows += _differences(posterior, names, prob)
    if overall is not None:
        check_one_effect(overall.model, "overall")
        if overall.data.study != posterior.data.study:
            raise ModelError("overall is a fit of other studies; fit both models to the same data.")
        label = "all studies, in one model"
        one = posterior_row(label, "posterior", overall.at(), prob, densities=densities)
        rows += as_shown([one], overall)
    return rows


def _differences(
    posterior: Posterior, names: Mapping[str, str], prob: float
) -> Iterator[ForestRow]:
    first, *others = names
    pairs = combinations(names, 2) if len(names) <= _EACH else [(first, one) for one in others]
    for base, other in pairs:
        apart = _apart(posterior, names[base], names[other])
        row = posterior_row(f"{other} v {base}", "difference", apart, prob)
        above = 1 - float(apart.cdf(0.0))
        yield replace(row, note=f"P(difference > 0) = {above:.3g}", weight=np.nan)


def _apart(posterior: Posterior, base: str, other: str) -> Marginal:
    """The difference of two groups on the scale that is shown; of risk differences by draws."""
    if scale_of(posterior) != ATANH_RD:
        return posterior.contrast({other: 1, base: -1})
    names = posterior.model.location.entries(posterior.data)
    drawn = np.tanh(posterior.shared_draws(_DRAWS)[COEFFICIENT])
    return Draws((drawn[:, names.index(other)] - drawn[:, names.index(base)])[None])


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BubbleRows:
    """Studies and posterior over one covariate, analysis scale.

    Attributes
    ----------
    covariate : str
    study : tuple of str
        Those with an estimate of their own.
    x, y, se : ndarray, shape (k,)
    at, estimate, lower, upper : ndarray, shape (n,)
        Posterior median and interval of the mean effect at places of the covariate.
    new_lower, new_upper : ndarray, shape (n,)
        Interval of the effect in a new study there; those of the mean under a common effect.
    others : mapping of str to str
        What the other covariates of the model are held at.
    prob : float
    """

    covariate: str
    study: tuple[str, ...]
    x: Array
    y: Array
    se: Array
    at: Array
    estimate: Array
    lower: Array
    upper: Array
    new_lower: Array
    new_upper: Array
    others: Mapping[str, str]
    prob: float

    def table(self) -> "pd.DataFrame":
        """Return a row per study and per place, ``kind`` saying which."""
        import pandas as pd

        studies = {
            "kind": "study",
            "label": self.study,
            "x": self.x,
            "estimate": self.y,
            "se": self.se,
        }
        names = ("estimate", "lower", "upper", "new_lower", "new_upper")
        line = {"kind": "line", "label": "", "x": self.at, **{n: getattr(self, n) for n in names}}
        return pd.concat([pd.DataFrame(studies), pd.DataFrame(line)], ignore_index=True)


def bubble_rows(
    posterior: Posterior, by: str | None = None, *, prob: float = 0.95, points: int = 61
) -> BubbleRows:
    """Lay a fit out over one of its numeric covariates.

    Parameters
    ----------
    posterior : Posterior
        Of a model with covariates.
    by : str, optional
        The covariate; where the model has one number alone it need not be said.
    prob : float
        Level of the intervals.
    points : int
        Places of the line.

    Raises
    ------
    ModelError
        If the model has no such numeric covariate.
    """
    check_one_outcome(posterior.model, "A bubble plot")
    made = _design(posterior)
    variables = () if made is None else made.formula.variables
    numeric = [one for one in variables if made is not None and one not in made.levels]
    if made is None or posterior.linear is None or not numeric:
        raise ModelError(
            "A bubble plot takes a fit whose effects depend on a number, mu=Linear('latitude', "
            "...); bm.plots.forest shows groups."
        )
    if by is None and len(numeric) > 1:
        raise ModelError(
            f"Say over which covariate: by={numeric[0]!r}; there are {', '.join(numeric)}."
        )
    covariate = numeric[0] if by is None else by
    if not is_among(covariate, numeric):
        raise ModelError(f"by is one of {', '.join(numeric)}, not {shown(by)}.")
    values = np.asarray(posterior.data.covariates[covariate], dtype=float)
    lines = [one for term in made.terms for one in term if one.variable == covariate]
    straight = all(one.names == (covariate,) for one in lines)
    reach = float(np.ptp(values)) or abs(float(values[0])) or 1.0  # where all are the same
    room = _REACH * reach if straight else 0.0  # curves end with the data
    at = np.linspace(values.min() - room, values.max() + room, points)
    rows = [made.near(**{covariate: float(x)}) for x in at]
    mean = _ends([posterior.linear(row, new=False) for row in rows], prob)
    new = _ends([posterior.linear(row, new=True) for row in rows], prob)
    effects = study_effects(posterior)
    known = dict(zip(posterior.data.study, values, strict=True))
    study = effects.study if effects is not None else ()
    return BubbleRows(
        covariate=covariate,
        study=study,
        x=np.array([known[one] for one in study]),
        y=effects.y if effects is not None else np.zeros(0),
        se=effects.se if effects is not None else np.zeros(0),
        at=at,
        estimate=mean[:, 0],
        lower=mean[:, 1],
        upper=mean[:, 2],
        new_lower=new[:, 1],
        new_upper=new[:, 2],
        others={
            one: "the mean of its levels" if one in made.levels else f"{_mean(posterior, one):.4g}"
            for one in variables
            if one != covariate
        },
        prob=prob,
    )


def coefficient_rows(posterior: Posterior, *, prob: float = 0.95) -> Sequence[ForestRow]:
    """Coefficients of a model with covariates, each with median, interval and P(above 0).

    As the model has them: slopes of covariates that it scales are per standard deviation, and
    named so.

    Raises
    ------
    ModelError
        If the model has none.
    """
    check_one_outcome(posterior.model, "A forest of coefficients")
    made = _design(posterior)
    if made is None:
        raise ModelError(
            "A forest of coefficients takes a fit with covariates: mu=Linear('latitude', ...) or "
            "mu=ByGroup('severity', ...)."
        )
    every = posterior[posterior.model.location.name]
    assert isinstance(every, Marginals)
    differences = posterior.model.location.differences(posterior.data)
    per = " (per SD)" * any(scale != 1 for scale in made.scales.values())
    return [
        replace(
            posterior_row(name + per * (name in differences), "coefficient", one, prob),
            note=f"{1 - float(one.cdf(0.0)):.3g}",
            group="Slopes and differences" if name in differences else "Effects",
        )
        for name, one in zip(every.study, every.each, strict=True)
    ]


def _design(posterior: Posterior) -> Design | None:
    location = posterior.model.location
    return location.design(posterior.data) if isinstance(location, Predictor) else None


def _mean(posterior: Posterior, name: str) -> float:
    return float(np.mean(np.asarray(posterior.data.covariates[name], dtype=float)))


def _ends(marginals: Sequence[Marginal], prob: float) -> Array:
    return np.array([(one.quantile(0.5), *one.interval(prob)) for one in marginals])
