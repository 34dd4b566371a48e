"""Fit every change, and hold it to the base case."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from ..arguments import check_mapping, check_switch
from ..engines import NUTS, Quadrature, capability, fit
from ..errors import BayesmetaError, ModelError
from ..evidence import Conclusion, concluded
from ..model import Data, Model, NormalSpread, NoSpread, SpreadByGroup, check_one_outcome
from ..posterior import Array, Posterior, check_posterior
from ..priors import Prior
from ..studies import check_prob
from ..summaries import Better, prob_benefit
from ..ways import shown
from ._changes import Change, Fitted, Kind, NotMade, asked_for, changes
from ._headline import Headline, ends_of, headline
from ._table import Ends, Scenarios, Variation
from ._told import told_of

QUICK = 2  # coefficients of counts, arms and Student-t effects, whose fit takes a second
SAID = 5e-4  # of the probability that a risk is held: less is not said


def scenarios(
    posterior: Posterior,
    *,
    of: str | Mapping[str, object] | None = None,
    better: Better | None = None,
    baseline: object = None,
    per: float | None = None,
    time: str = "",
    unit: str = "",
    sd: float | None = None,
    prob: float = 0.95,
    priors: Mapping[str, Prior] | None = None,
    further: Mapping[str, Data | Posterior] | None = None,
    sampled: bool = False,
) -> Scenarios:
    """Say what the answer would be if one decision had been made otherwise.

    One row per change of the model or the data of `posterior`: priors of tau and mu half and twice
    as wide, other likelihoods (two stages, binomial, hypergeometric), the coding of the arms, the
    prior of the baselines, Student-t effects, one common effect, another constant measure told on
    the scale of this one, and each study left out. Every row is a fit of its own, integrated where
    that is possible.

    Parameters
    ----------
    posterior : Posterior
        The base case.
    of : str or mapping, optional
        Of a fit with covariates, which coefficient or difference every row is about:
        ``"latitude"``, ``"random - alternate"``; or the effect at a place, a value for each
        covariate as in ``posterior.at``: ``{"latitude": 20}``. By default the first slope, else the
        first difference of groups. Where no study tells of it, no conclusion is judged.
    better : {"lower", "higher"}, optional
        Direction of benefit, for its probability.
    baseline : optional
        As in :func:`absolute_effects`: what an effect comes to is told at it, or at the middle one
        where there are several, taken as known at its median; and an odds ratio is told as a risk
        ratio there, and the reverse.
    per, time, unit, sd
        As in :func:`absolute_effects`.
    prob : float
        Probability of the intervals.
    priors : mapping of str to Prior, optional
        Further priors of tau, by what they are called, e.g. ``{"Turner 2015": LogNormal(...)}``.
    further : mapping of str to data or Posterior, optional
        Further data by name, such as other readings of a row, for the same model; or fits.
    sampled : bool
        Whether to sample, by ``NUTS(seed=0)``, what cannot be integrated, and to integrate over
        three coefficients or more of counts, arms and Student-t effects, which takes minutes; else
        it is named.

    Returns
    -------
    Scenarios

    Raises
    ------
    ModelError
        If the model is of several outcomes, or an argument makes no sense.

    References
    ----------
    Depaoli S, van de Schoot R (2017). Psychol Methods 22:240-261 (sensitivity to priors).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.6, -0.5], [0.1, 0.2], measure="RR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.2))
    >>> bm.scenarios(bm.fit(model, data), better="lower").in_short
    'stands in 9 of 10'
    """
    check_posterior(posterior)
    check_prob(prob)
    check_switch(sampled, "sampled")
    check_one_outcome(posterior.model, "scenarios")
    asked = _checked(priors, "priors", {"wide": "HalfNormal(2)"}, Prior)
    rows = _checked(further, "further", {"without A": "studies"}, object)
    if posterior.linear is not None and (better is not None or baseline is not None):
        raise ModelError(
            "A coefficient is no benefit by itself and comes to nothing at a baseline; leave "
            "better and baseline out of the scenarios of a fit with covariates."
        )
    told = told_of(posterior, baseline, per=per, time=time, sd=sd, unit=unit)
    maker = _Maker(
        base=posterior,
        head=headline(posterior.model.location, posterior, told, of),
        better=better,
        prob=prob,
        sampled=sampled,
    )
    found: list[Variation] = [maker.of(Kind.BASE, "base case", "", posterior)]
    not_made: list[NotMade] = []
    for one in (*_rows(posterior, rows), *changes(posterior, asked)):  # rows keep their names
        if isinstance(one, NotMade):
            not_made.append(one)
            continue
        model, data = asked_for(one)
        like = next((row for row in found if _same(row.posterior, model, data)), None)
        if like is not None:  # one fit is one row, whatever led to it
            found[found.index(like)] = like.also(one.name, one.note)
            continue
        made = maker.made(one)
        (not_made if isinstance(made, NotMade) else found).append(made)  # pyright: ignore[reportArgumentType]
    order = [*Kind]
    told = maker.head.told
    return Scenarios(
        rows=tuple(sorted(found, key=lambda one: order.index(one.kind))),
        not_made=tuple(not_made),
        measure=told.measure,
        prob=prob,
        per=told.per,
        baseline=told.at,
        unit=told.unit,
        of=maker.head.words,
        called=maker.head.called or told.measure.name,
        told=maker.head.told_of,
    )


def _checked[T](
    given: Mapping[str, object] | None, name: str, example: Mapping[str, str], of: type[T]
) -> Mapping[str, T]:
    """A mapping by names, of one kind of value."""
    check_mapping(given, name, str(dict(example)).replace("'", ""))
    found = {} if given is None else dict(given)
    for key, one in found.items():
        if not isinstance(key, str) or not isinstance(one, of):
            kind = "prior" if of is Prior else "data set or a fit"
            raise ModelError(f"{name} has {shown(key)}: {shown(one)}; each is a name and a {kind}.")
    return found  # pyright: ignore[reportReturnType]


def _rows(base: Posterior, rows: Mapping[str, object]) -> Iterator[Change | Fitted]:
    """Other data for the same model, and fits of them."""
    for name, one in rows.items():
        if isinstance(one, Posterior):
            yield Fitted(Kind.ROWS, name, "", one)
        else:
            base.model.check_data(one)
            yield Change(Kind.ROWS, name, "", base.model, one)  # pyright: ignore[reportArgumentType]


@final
@dataclass(frozen=True, kw_only=True)
class _Maker:
    """What turns changes into rows."""

    base: Posterior
    head: Headline
    better: Better | None
    prob: float
    sampled: bool

    @cached_property
    def concluded(self) -> Conclusion | None:
        """What the base case concludes."""
        own = ends_of(self.head.marginal(self.base), self.prob)
        return self._concluded(self.head.ends(self.base, own))

    def made(self, change: Change | Fitted) -> Variation | NotMade:
        """The row of a change, or why there is none."""
        if isinstance(change, Fitted):
            return self.of(*change)
        if change.kind is Kind.MEASURE and self.head.of:
            why = "a coefficient of one measure is none of another"
            return NotMade(change.kind, change.name, why)
        try:
            can = capability(change.model, change.model.complete(change.data))
            if can.exact is None and not self.sampled:
                return NotMade(change.kind, change.name, "it takes NUTS: sampled=True has it")
            if _takes_minutes(change.model, change.data) and not self.sampled:
                why = "three coefficients or more take minutes there: sampled=True has it"
                return NotMade(change.kind, change.name, why)
            exact = None if self.sampled else Quadrature()  # which may not reach its tolerance
            engine = exact if can.exact is not None else NUTS(seed=0)
            posterior = fit(change.model, change.data, engine)
            return self.of(change.kind, change.name, change.note, posterior)
        except BayesmetaError as error:
            return NotMade(change.kind, change.name, str(error).rstrip("."))

    def of(self, kind: Kind, name: str, note: str, posterior: Posterior) -> Variation:
        """The row of a fit."""
        head, mu = self.head, self.head.marginal(posterior)
        own, new = ends_of(mu, self.prob), ends_of(head.new(posterior), self.prob)
        estimate = head.ends(posterior, own)
        concluded_now = self._concluded(estimate)
        return Variation(
            kind=kind,
            name=name,
            note="; ".join(filter(None, (note, self._held(posterior), head.note(posterior)))),
            posterior=posterior,
            estimate=_three(estimate),
            new=_three(head.ends(posterior, new)),
            prob_benefit=np.nan if self.better is None else prob_benefit(mu, self.better),
            difference=_three(head.told.difference(posterior, own)),
            conclusion=concluded_now,
            stands=self._stands(posterior, concluded_now),
        )

    def _held(self, posterior: Posterior) -> str:
        """That a risk cannot leave 0 to 1, where the effect would have it so."""
        share = self.head.told.held(posterior)
        return (
            f"risk held within 0 to 1 in {100 * share:.2g}% of its distribution"
            if share >= SAID
            else ""
        )

    def _concluded(self, ends: Array) -> Conclusion | None:
        if not (self.head.compares and self.head.told_of):
            return None
        return concluded(float(ends[1]), float(ends[2]))

    def _stands(self, posterior: Posterior, now: Conclusion | None) -> bool | None:
        """Whether it concludes as the base case does; None where one of the two is not sound."""
        fits = (posterior, self.base)
        if now is None or posterior is self.base:
            return None
        if not all(one.diagnostics.passed_new for one in fits):
            return None
        return now == self.concluded


def _takes_minutes(model: Model, data: Data) -> bool:
    """Whether a fit integrates over a lattice of many coefficients."""
    between = model.between
    closed = model.likelihood.closed and isinstance(between, NoSpread | NormalSpread)
    if closed or isinstance(between, SpreadByGroup):
        return False
    return len(model.location.entries(model.complete(data))) > QUICK


def _three(values: Array) -> Ends:
    middle, low, high = map(float, values)
    return middle, low, high


def _same(fit: Posterior, model: Model, data: Data) -> bool:
    """Whether a fit is of this model and of data with the same figures."""
    mine = fit.data
    if fit.model != model or type(mine) is not type(data) or mine.study != data.study:
        return False
    pairs = ((getattr(one, name) for one in (mine, data)) for name in data.columns())
    asked = (
        [list(one.covariates[name]) for one in (mine, data)] for name in model.location.variables
    )
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs) and all(
        a == b for a, b in asked
    )
