"""Fit every change, and hold it to the base case."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from ..arguments import check_mapping, check_switch
from ..engines import NUTS, capability, fit
from ..errors import BayesmetaError, ModelError
from ..evidence import Conclusion, concluded
from ..model import Data, check_one_effect
from ..posterior import Array, Marginal, Posterior, check_posterior
from ..priors import Prior
from ..studies import check_prob
from ..summaries import Better, prob_benefit
from ..ways import shown
from ._changes import Change, Fitted, Kind, NotMade, asked_for, changes, same
from ._table import Ends, Scenarios, Variation
from ._told import Told, told_of

SAID = 5e-4  # of the probability that a risk is held: less is not said


def scenarios(
    posterior: Posterior,
    *,
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
        Whether to sample, by ``NUTS(seed=0)``, what cannot be integrated; else it is named.

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
    check_one_effect(posterior.model, "scenarios")
    asked = _checked(priors, "priors", {"wide": "HalfNormal(2)"}, Prior)
    rows = _checked(further, "further", {"without A": "studies"}, object)
    maker = _Maker(
        base=posterior,
        told=told_of(posterior, baseline, per=per, time=time, sd=sd, unit=unit),
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
        like = next((row for row in found if same(row.posterior, model, data)), None)
        if like is not None:  # one fit is one row, whatever led to it
            found[found.index(like)] = like.also(one.name, one.note)
            continue
        made = maker.made(one)
        (not_made if isinstance(made, NotMade) else found).append(made)  # pyright: ignore[reportArgumentType]
    order = [*Kind]
    told = maker.told
    return Scenarios(
        rows=tuple(sorted(found, key=lambda one: order.index(one.kind))),
        not_made=tuple(not_made),
        measure=told.measure,
        prob=prob,
        per=told.per,
        baseline=told.at,
        unit=told.unit,
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
@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    """What turns changes into rows."""

    base: Posterior
    told: Told
    better: Better | None
    prob: float
    sampled: bool

    def made(self, change: Change | Fitted) -> Variation | NotMade:
        """The row of a change, or why there is none."""
        if isinstance(change, Fitted):
            return self.of(*change)
        can = capability(change.model)
        if can.exact is None and not self.sampled:
            return NotMade(change.kind, change.name, "it takes NUTS: sampled=True has it")
        try:
            engine = None if can.exact is not None else NUTS(seed=0)
            posterior = fit(change.model, change.data, engine)
            return self.of(change.kind, change.name, change.note, posterior)
        except BayesmetaError as error:
            return NotMade(change.kind, change.name, str(error).rstrip("."))

    def of(self, kind: Kind, name: str, note: str, posterior: Posterior) -> Variation:
        """The row of a fit."""
        mu = posterior.at()
        own = self._ends(mu)
        estimate = self.told.of(posterior, own)
        new = posterior.at(new=True) if posterior.model.between.new is not None else mu
        concluded_now = self._concluded(estimate)
        return Variation(
            kind=kind,
            name=name,
            note="; ".join(filter(None, (note, self._held(posterior)))),
            posterior=posterior,
            estimate=_three(estimate),
            new=_three(self.told.of(posterior, self._ends(new))),
            prob_benefit=np.nan if self.better is None else prob_benefit(mu, self.better),
            difference=_three(self.told.difference(posterior, own)),
            conclusion=concluded_now,
            stands=self._stands(posterior, concluded_now),
        )

    def _held(self, posterior: Posterior) -> str:
        """That a risk cannot leave 0 to 1, where the effect would have it so."""
        share = self.told.held(posterior)
        return (
            f"risk held within 0 to 1 in {100 * share:.2g}% of its distribution"
            if share >= SAID
            else ""
        )

    def _ends(self, marginal: Marginal) -> Array:
        return np.array([marginal.quantile(0.5), *marginal.interval(self.prob)])

    def _concluded(self, ends: Array) -> Conclusion | None:
        if not self.told.measure.comparative:
            return None
        return concluded(float(ends[1]), float(ends[2]))

    def _stands(self, posterior: Posterior, now: Conclusion | None) -> bool | None:
        """Whether it concludes as the base case does; None where one of the two is not sound."""
        fits = (posterior, self.base)
        if now is None or posterior is self.base:
            return None
        if not all(one.diagnostics.passed_new for one in fits):
            return None
        own = self.base.at().interval(self.prob)
        return now == self._concluded(self.told.of(self.base, np.array([np.nan, *own])))


def _three(values: Array) -> Ends:
    middle, low, high = map(float, values)
    return middle, low, high
