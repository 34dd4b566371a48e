"""All that a fit with covariates says of them, as values and tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np

from ..design import Design, is_number
from ..effects import MEASURES, EffectSizes, Measure
from ..engines import Engine
from ..engines import fit as fit_model
from ..errors import ModelError
from ..model import Model, Predictor, SpreadByGroup
from ..posterior import Caution, Posterior
from ..priors import Prior
from ..summaries import parameters, scale_of
from ._cautions import cautions
from ._contrast import (
    Contrast,
    coefficients,
    differences,
    ends_of_lines,
    first_asked,
    groups,
    place,
)
from ._frequentist import Frequentist, beside

if TYPE_CHECKING:
    import pandas as pd

ALL = "all studies, one model without covariates"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moderators:
    """What a fit says of its covariates.

    Attributes
    ----------
    posterior : Posterior
    without : Posterior
        The same model with one effect, and one tau, for all, of the same studies; its priors are
        those of the intercept, or of a group.
    coefficients, groups, differences, places : tuple of Contrast
    asked : Contrast
        What a reader asks first: the first slope of a number, else the first difference of groups.
    frequentist : Frequentist
        Beside it, in two stages.
    cautions : tuple of Caution
    """

    posterior: Posterior
    without: Posterior
    coefficients: tuple[Contrast, ...]
    groups: tuple[Contrast, ...]
    differences: tuple[Contrast, ...]
    places: tuple[Contrast, ...]
    asked: Contrast
    frequentist: Frequentist
    cautions: tuple[Caution, ...]

    @property
    def measure(self) -> Measure:
        """Of effects, with the scale on which they stand."""
        return scale_of(self.posterior)

    @property
    def of_differences(self) -> Measure:
        """The scale of slopes and differences: of logs ratios of ratios, else as analysed."""
        return self.measure if self.measure.link == "log" else MEASURES["GEN"]

    def coefficient_table(self, prob: float) -> "pd.DataFrame":
        """A row per coefficient, per unit of the user's column, on the analysis scale.

        Returns
        -------
        DataFrame
            ``per``, ``mean``, ``sd``, ``estimate`` (the median), ``lower``, ``upper``,
            ``prob_positive``.
        """
        rows = {
            one.name: {"per": one.per, "mean": one.marginal.mean(), "sd": one.marginal.sd()}
            | _ends(one, prob)
            for one in self.coefficients
        }
        return _frame(rows, "coefficient")

    def group_table(self, prob: float) -> "pd.DataFrame":
        """A row per level of each factor, and one of all studies in one model.

        Returns
        -------
        DataFrame
            ``k``, ``estimate``, ``lower``, ``upper``, ``new_lower``, ``new_upper`` (of a new study
            there), ``prob_positive``, ``prior`` (what those of the coefficients imply, in words);
            empty without factors.
        """
        if not self.groups:
            return _frame({}, "group")
        several = len({one.by for one in self.groups}) > 1
        every = Contrast(
            name=ALL,
            marginal=self.without.at(),
            new=self.without.at(new=True) if self.without.model.between.new else None,
            prior=self.without.model.overall,
            k=self.without.data.k,
        )
        rows = {
            f"{one.by} {one.name}" if several and one.by else one.name: {
                **_there(one, prob),
                "prior": _in_words(one.prior),
            }
            for one in (*self.groups, every)
        }
        return _frame(rows, "group")

    def difference_table(self, prob: float) -> "pd.DataFrame":
        """A row per pair of levels: the later one less the earlier.

        Returns
        -------
        DataFrame
            ``estimate``, ``lower``, ``upper``, ``prob_positive`` and the ``prior`` that those of
            the coefficients imply, in words.
        """
        rows = {
            f"{one.by}: {one.name}": {
                **_ends(one, prob),
                "prior": _in_words(one.prior),
            }
            for one in self.differences
        }
        return _frame(rows, "difference")

    def place_table(self, prob: float) -> "pd.DataFrame":
        """A row per place, as of groups."""
        return _frame({one.name: _there(one, prob) for one in self.places}, "place")

    def spread_table(self, prob: float) -> "pd.DataFrame":
        """Tau with and without covariates, of the same studies; empty of common effects."""
        fits = {"with covariates": self.posterior, "without, of the same studies": self.without}
        rows = {
            f"{name}, {said}": {
                "mean": one.mean(),
                "estimate": one.quantile(0.5),
                **dict(zip(("lower", "upper"), one.interval(prob), strict=True)),
            }
            for said, fit in fits.items()
            for name, one in parameters(fit).items()
            if name.split("[")[0] == "tau"
        }
        return _frame(rows, "tau")


def moderators(
    posterior: Posterior,
    *,
    effects: EffectSizes | None = None,
    places: Sequence[Mapping[str, object]] = (),
    prob: float = 0.95,
    engine: Engine | None = None,
    seed: int | None = None,
) -> Moderators:
    """Say what a fit with covariates says of them.

    Parameters
    ----------
    posterior : Posterior
        Of a model whose ``mu`` is a `Linear` or a `ByGroup`.
    effects : EffectSizes, optional
        Estimates of the same studies, for the frequentist regression; none without.
    places : sequence of mapping
        Where the effect is asked for; by default the lowest, the mean and the highest value of
        each number. Covariates that a place does not name stay at their mean.
    prob : float
        Level of the frequentist intervals.
    engine : Engine, optional
        For the model without covariates.
    seed : int, optional
        Of the permutation test, which is made where it is given.

    Raises
    ------
    ModelError
        If the model has no covariates, or a place cannot be.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> from bayesmeta.moderators import moderators
    >>> data = bm.EffectSizes.from_arrays(
    ...     list("ABCD"), [0.1, 0.3, 0.6, 0.5], [0.1] * 4,
    ...     covariates={"dose": ["low", "low", "high", "high"]})
    >>> mu = bm.ByGroup("dose", bm.Normal(0, 2))
    >>> fit = bm.fit(bm.NormalNormal(mu=mu, tau=bm.HalfNormal(0.5)), data)
    >>> found = moderators(fit)
    >>> found.asked.name, found.asked.prior
    ('low − high', Normal(0, 2.8284271247461903))
    """
    location = _predictor(posterior)
    made = location.design(posterior.data)
    priors = {"mu": next(iter(location.priors.values())), **_one_tau(posterior.model)}
    one_effect = replace(posterior.model, **priors)  # pyright: ignore
    without = fit_model(one_effect, posterior.data, engine)
    each = tuple(coefficients(posterior, location, made))
    between = tuple(differences(posterior, location, made))
    where = places or tuple(ends_of_lines(posterior, made))
    two_stage = Frequentist()
    if effects is not None:
        two_stage = beside(effects, location, _only_factor(made), prob=prob, seed=seed)
    return Moderators(
        posterior=posterior,
        without=without,
        coefficients=each,
        groups=tuple(groups(posterior, location, made)),
        differences=between,
        places=tuple(place(posterior, made, one) for one in where),
        asked=(*each, *between)[first_asked(made)],
        frequentist=two_stage,
        cautions=(*cautions(posterior, made), *_of_places(posterior, where), *_of_gates(without)),
    )


def _of_places(posterior: Posterior, where: Sequence[Mapping[str, object]]) -> Iterator[Caution]:
    """Places beyond the studies."""
    columns = posterior.data.covariates
    numbers = {name: one for name, one in columns.items() if is_number(one)}
    asked = (pair for place in where for pair in place.items() if pair[0] in numbers)
    for name, value in asked:
        low, high = float(np.min(numbers[name])), float(np.max(numbers[name]))
        if isinstance(value, int | float) and not low <= value <= high:
            yield Caution(
                f"{name} {value:.6g} lies outside the studies, {low:.6g} to {high:.6g}: what is "
                "expected there is extrapolated."
            )


def _of_gates(without: Posterior) -> Iterator[Caution]:
    """Whether the model beside it is sound."""
    if not without.diagnostics.passed_new:
        failed = "; ".join(map(str, without.diagnostics.failures))
        yield Caution(f"The model without covariates is not sound ({failed}): disregard its rows.")


def _one_tau(model: Model) -> Mapping[str, Prior]:
    """What a model takes instead of a tau for each group."""
    between = model.between
    return {"tau": between.tau.prior} if isinstance(between, SpreadByGroup) else {}


def _predictor(posterior: Posterior) -> Predictor:
    location = posterior.model.location
    if not isinstance(location, Predictor):
        raise ModelError(
            f"{posterior.model.name} has one overall effect and no covariates; give Linear or "
            "ByGroup as mu."
        )
    return location


def _only_factor(made: Design) -> str | None:
    """The factor, where it is the only covariate."""
    names = made.formula.variables
    return names[0] if len(names) == 1 and names[0] in made.levels else None


def _ends(one: Contrast, prob: float) -> dict[str, float]:
    middle, lower, upper = one.ends(prob)
    share = float(1 - one.marginal.cdf(0.0))
    return {"estimate": middle, "lower": lower, "upper": upper, "prob_positive": share}


def _in_words(prior: Prior | None) -> str:
    return "of no name" if prior is None else prior.rounded


def _there(one: Contrast, prob: float) -> dict[str, float]:
    low, high = (np.nan, np.nan) if one.new is None else one.new.interval(prob)
    return {
        **({} if one.k is None else {"k": one.k}),
        **_ends(one, prob),
        "new_lower": low,
        "new_upper": high,
    }


def _frame(rows: Mapping[str, Mapping[str, object]], axis: str) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame.from_dict(dict(rows), orient="index").rename_axis(axis)
