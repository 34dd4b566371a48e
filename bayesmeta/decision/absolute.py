"""From relative effects to what happens to people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import is_among, number
from ..errors import ModelError
from ..model import check_one_effect
from ..notebooks import Tabled
from ..posterior import Marginal, Posterior, check_posterior
from ..studies import check_prob
from ..summaries import Better, measure_of, prob_benefit, scale_of
from ..ways import shown
from .apart import apart, moved, of_fit
from .asked import Asked, asked_of, carrier_of, middle_of
from .baselines import Baseline
from .baselines import baseline as baseline_of
from .derived import told
from .nnt import number_needed
from .ratios import OTHER, refitted
from .thresholds import at_least, round_thresholds

if TYPE_CHECKING:
    import pandas as pd

AVERAGE, NEW = "average effect", "effect in a new setting"
type Triple = tuple[float, float, float]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AbsoluteEffect:
    """What an effect means at one baseline, per so many patients.

    Attributes
    ----------
    quantity : str
        The effect and, where there are several, the baseline.
    effect : str
        ``"average effect"`` or ``"effect in a new setting"``.
    baseline : Baseline
    control, treatment, difference : tuple of float
        Without the treatment, with it, and the difference: median, lower, upper.
    prob_benefit, prob_harm : float
        Probability that the difference is on the better side, and on the other.
    prob_important : float
        Probability of a benefit of at least the threshold; NaN where none is stated.
    prob_capped : float
        Probability of an effect so large that the risk had to be held at 0 or 1.
    nnt : str
        Of a risk: the number needed to treat, in words.
    with_treatment, change : Marginal
        The distributions behind `treatment` and `difference`, of one patient.
    at_median : bool
        Whether the baseline is the median of one that is not known.
    """

    quantity: str
    effect: str
    baseline: Baseline
    control: Triple
    treatment: Triple
    difference: Triple
    prob_benefit: float
    prob_harm: float
    prob_important: float
    prob_capped: float
    nnt: str
    with_treatment: Marginal = field(repr=False, compare=False)
    change: Marginal = field(repr=False, compare=False)
    at_median: bool = False

    @property
    def of_baseline(self) -> str:
        """The baseline as the row is named by it; empty of the only one."""
        return self.quantity.removeprefix(self.effect).removeprefix(", ")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AbsoluteEffects(Tabled):
    """Absolute effects of one posterior.

    Attributes
    ----------
    rows : tuple of AbsoluteEffect
        Of a baseline that is not known, those with its uncertainty come first, then those at its
        median, as GRADE's summary of findings has them.
    posterior : Posterior
        What they are of.
    per : float
        Patients, or units of person-time, the figures are for; 1 for means.
    prob : float
        Probability of the intervals.
    better : {"lower", "higher"}
    assumed : str
        What carrying the effect to this baseline assumes.
    time, unit : str
        Over what time, and in what unit.
    threshold : float or None
        The least important difference, on the scale of `difference`.
    beside : AbsoluteEffects or None
        The same under a constant odds ratio in place of a risk ratio, or the other way round, row
        by row.
    together : str
        Of a baseline from the same fit as the effects: what it is by another model, and how it goes
        with the effects.
    """

    rows: tuple[AbsoluteEffect, ...]
    posterior: Posterior = field(repr=False, compare=False)
    per: float
    prob: float
    better: Better
    assumed: str
    time: str = ""
    unit: str = ""
    threshold: float | None = None
    beside: "AbsoluteEffects | None" = None
    together: str = ""

    @property
    def measure(self) -> str:
        """What is taken to be the same at every baseline."""
        return measure_of(self.posterior)

    @property
    def sound(self) -> "AbsoluteEffects":
        """The same without what stands beside it, where that fit failed a numerical gate."""
        failed = self.beside is not None and not self.beside.posterior.diagnostics.passed
        return replace(self, beside=None) if failed else self

    @property
    def stated(self) -> tuple[AbsoluteEffect, ...]:
        """The rows at baselines as they were stated, not at the medians of these."""
        return tuple(row for row in self.rows if not row.at_median)

    @property
    def middle(self) -> Baseline:
        """The middle one by value of the baselines as they were stated; of two the lower one."""
        return middle_of(row.baseline for row in self.stated if row.effect == AVERAGE)

    @property
    def control_risk(self) -> float:
        """The median baseline, of one patient."""
        return self.rows[0].baseline.quantile(0.5)

    def table(self) -> "pd.DataFrame":
        """Return the rows as a table; columns of `beside` begin with ``beside_``."""
        import pandas as pd

        others = [{}] * len(self.rows) if self.beside is None else self.beside._besides()
        rows = [
            {**dict(self._cells(row)), **other}
            for row, other in zip(self.rows, others, strict=True)
        ]
        return pd.DataFrame(rows).dropna(axis=1, how="all").set_index("quantity")

    def _cells(self, row: AbsoluteEffect) -> Iterator[tuple[str, object]]:
        yield "quantity", row.quantity
        yield "baseline", row.baseline.said
        for name in ("control", "treatment", "difference"):
            median, lower, upper = getattr(row, name)
            yield from ((name, median), (f"{name}_lower", lower), (f"{name}_upper", upper))
        for name in ("prob_benefit", "prob_harm", "prob_important", "prob_capped"):
            yield name, getattr(row, name)
        yield "nnt", row.nnt or None

    def _besides(self) -> list[dict[str, object]]:
        """Of each row what the choice of a constant measure changes."""
        kept = ("treatment", "difference", "prob_benefit", "prob_important", "prob_capped", "nnt")
        every = [{"measure": self.measure, **dict(self._cells(row))} for row in self.rows]
        return [
            {f"beside_{name}": one[name] for name in one if name.startswith(("measure", *kept))}
            for one in every
        ]

    def curve(self, thresholds: ArrayLike | None = None) -> "pd.DataFrame":
        """Return the probability of a benefit of at least each threshold, one column per row.

        At zero it is that of any benefit.

        Parameters
        ----------
        thresholds : array_like, shape (n,), optional
            On the scale of `difference`; below zero it is a harm that is not exceeded. By default
            round numbers over all intervals, no difference and the stated threshold among them.
        """
        import pandas as pd

        at = self._thresholds() if thresholds is None else np.asarray(thresholds, dtype=np.float64)
        found = {
            row.quantity: at_least(row.change, at / self.per, self.better) for row in self.rows
        }
        return pd.DataFrame(found, index=pd.Index(at, name="threshold"))

    def _thresholds(self) -> NDArray[np.float64]:
        """Round numbers over the interval of each row, as close as that is narrow."""
        sign = -1 if self.better == "lower" else 1
        marked = [0.0] if self.threshold is None else [0.0, self.threshold]
        ends = [sorted(sign * end for end in row.difference[1:]) for row in self.rows]
        least, most = min(low for low, _ in ends), max(high for _, high in ends)
        every = [*ends, (min(least, *marked), max(most, *marked))]
        return np.unique([*marked, *(at for pair in every for at in round_thresholds(*pair))])


def absolute_effects(
    posterior: Posterior,
    *,
    better: Better,
    baseline: object = None,
    control_risk: float | None = None,
    per: float | None = None,
    prob: float = 0.95,
    threshold: float | None = None,
    time: str = "",
    unit: str = "",
    sd: float | None = None,
    beside: str | None = None,
) -> AbsoluteEffects:
    """Translate a posterior into risks, rates or means with and without the treatment.

    At a known baseline the quantity is a monotone function of the effect, so its quantiles are
    those of the effect, transformed; over a baseline that is not known it is integrated. No draws
    are needed.

    Parameters
    ----------
    posterior : Posterior
        Of an OR, RR, RD, HR, IRR, MD, SMD or ROM.
    better : {"lower", "higher"}
        Whether less or more of it is a benefit.
    baseline : Baseline, float, Prior, str, Posterior, a table of studies, or a mapping of these
        What happens without the treatment; see :func:`baseline`. A mapping names several, e.g.
        ``{"low": 0.05, "high": 0.3}``, for rows of each. ``"model"`` takes the baseline of the fit
        itself, drawn together with its effects: of counts with ``Exchangeable`` baselines.
    control_risk : float, optional
        A risk that is taken as known, in place of `baseline`.
    per : float, optional
        Patients, or units of person-time; 1,000 by default, 1 for means.
    prob : float
        Probability of the intervals.
    threshold : float, optional
        The least difference that matters, positive, on the scale of the differences: per so many
        patients, or in the unit of the means.
    time : str
        Over what time a risk is, e.g. ``"28 days"``; needed for HR and IRR.
    unit : str
        Of means.
    sd : float, optional
        For an SMD: the standard deviation in the unit in which it is to be told.
    beside : {"OR", "RR"}, optional
        Of an RR or OR of counts: the other one. It is fitted to the same counts by the same model,
        with the same priors of mu and tau on the scale of its logarithm, and what would follow if
        it were the one that is constant stands beside each row.

    Returns
    -------
    AbsoluteEffects

    References
    ----------
    Dias S, Welton NJ, Sutton AJ, Ades AE (2011). NICE DSU Technical Support Document 5.
    Schünemann HJ et al. Cochrane Handbook, chapter 14. Doi SA et al. (2022). J Clin Epidemiol
    142:271-279, on which ratio is constant.

    Raises
    ------
    ModelError
        If the measure does not act on such a baseline, a figure makes no sense, or there are no
        counts for the other ratio.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.4, -0.1], [0.2, 0.3], measure="OR")
    >>> fit = bm.fit(bm.default_model(data), data)
    >>> people = bm.absolute_effects(fit, baseline={"low": 0.05, "high": 0.3}, better="lower")
    >>> list(people.table()["control"])
    [50.0, 50.0, 300.0, 300.0]
    """
    check_prob(prob)
    check_posterior(posterior)
    check_one_effect(posterior.model, "absolute_effects")
    _check_beside(posterior, beside)
    if (baseline is None) == (control_risk is None):
        raise ModelError(
            "Absolute effects need a baseline: baseline= or control_risk=, one of them."
        )
    given = _risk(control_risk) if baseline is None else of_fit(baseline, posterior)
    asked = asked_of(
        scale_of(posterior), given, per=per, threshold=threshold, time=time, unit=unit, sd=sd
    )
    found = replace(
        _told(posterior, asked, better, prob),
        time=time,
        unit=unit,
        together=apart(asked.bases.values(), posterior, prob),
    )
    if beside is None:
        return found
    other = refitted(posterior, beside)
    bases = {suffix: moved(one, posterior, other) for suffix, one in asked.bases.items()}
    first = found.rows[0].baseline
    acting = asked._replace(bases=bases, by=carrier_of(scale_of(other), first, time, None))
    others = replace(_told(other, acting, better, prob), time=time, unit=unit)
    return replace(found, beside=others)


def _check_beside(posterior: Posterior, beside: object) -> None:
    other = OTHER.get(measure_of(posterior))
    if beside is None or (beside == other and is_among(beside, OTHER)):
        return
    if other is None:
        raise ModelError(
            f"beside sets an OR beside an RR, or an RR beside an OR; of {measure_of(posterior)} "
            "leave it out."
        )
    raise ModelError(
        f"beside is '{other}' where the fit is of {measure_of(posterior)}, not {shown(beside)}."
    )


def _told(posterior: Posterior, asked: Asked, better: Better, prob: float) -> AbsoluteEffects:
    effects = (AVERAGE,) if posterior.model.between.new is None else (AVERAGE, NEW)
    rows = tuple(
        _absolute(_Place(label, suffix, one, at_median), posterior, asked, better, prob)
        for suffix, one, at_median in _with_medians(asked.bases)
        for label in effects
    )
    return AbsoluteEffects(
        rows=rows,
        posterior=posterior,
        per=asked.per,
        prob=prob,
        better=better,
        assumed=asked.by.assumed,
        threshold=asked.threshold,
    )


def _risk(given: object) -> Baseline:
    if not 0 < number(given, "control_risk") < 1:
        raise ModelError(f"control_risk must lie between 0 and 1, got {shown(given)}.")
    return baseline_of(given)


class _Place(NamedTuple):
    """Which effect, and at which baseline."""

    label: str
    suffix: str
    base: Baseline
    at_median: bool


def _with_medians(stated: Mapping[str, Baseline]) -> Iterator[tuple[str, Baseline, bool]]:
    """The baselines, and behind them, of those that are not known, their medians."""
    yield from ((suffix, one, False) for suffix, one in stated.items())
    for suffix, one in stated.items():
        if one.law is not None:
            yield f"{suffix} at the median baseline", one.known, True


def _absolute(
    place: _Place, posterior: Posterior, asked: Asked, better: Better, prob: float
) -> AbsoluteEffect:
    base, new = place.base, place.label == NEW
    treated, change = told(posterior, base, asked.by, new=new)
    per, threshold = asked.per, asked.threshold
    benefit, difference = prob_benefit(posterior.at(new=new), better), _triple(change, prob)
    return AbsoluteEffect(
        quantity=f"{place.label}{place.suffix}",
        effect=place.label,
        baseline=base,
        control=_times(per, (base.quantile(0.5), *base.interval(prob))),
        treatment=_times(per, _triple(treated, prob)),
        difference=_times(per, difference),
        prob_benefit=benefit,
        prob_harm=1 - benefit,
        prob_important=np.nan
        if threshold is None
        else float(at_least(change, np.array([threshold / per]), better)[0]),
        prob_capped=sum(treated.beyond()),
        nnt=number_needed(*difference, better=better) if base.kind == "risk" else "",
        with_treatment=treated,
        change=change,
        at_median=place.at_median,
    )


def _triple(marginal: Marginal, prob: float) -> Triple:
    return (float(marginal.quantile(0.5)), *marginal.interval(prob))


def _times(per: float, triple: Triple) -> Triple:
    return per * triple[0], per * triple[1], per * triple[2]
