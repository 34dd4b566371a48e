"""Every check of a fit in one place: what was measured, the limit, the verdict."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

import numpy as np

from ..engines import FEW, telling_count
from ..notebooks import Tabled
from ..posterior import Posterior, beside
from ._deviance import FAR, Deviance
from ._held_out import LOO, SURPRISING
from ._loo import LARGEST_K
from ._predictive import PredictiveCheck
from ._prior import PriorPredictive, surprise
from ._scaling import THRESHOLD, PowerScaling
from ._statistics import Statistic

if TYPE_CHECKING:
    import pandas as pd

type Kind = Literal["gate", "caution"]


@final
@dataclass(frozen=True, slots=True)
class Verdict:
    """One check.

    Attributes
    ----------
    kind : {"gate", "caution"}
        A gate that fails makes the answer doubtful; a caution stands beside it.
    check, where : str
    value : float
        NaN where it is no number.
    limit : str
    passed : bool
    simulated : bool
        Whether the value is a share of draws, which a third digit would say too much of.
    """

    kind: Kind
    check: str
    where: str
    value: float
    limit: str
    passed: bool
    simulated: bool = False

    @property
    def figure(self) -> str:
        """The value as it is printed: on its own side of the limit, as the verdict has it."""
        if np.isnan(self.value):
            return "–"
        return beside(
            self.value, *map(float, _NUMBER.findall(self.limit)), digits=2 if self.simulated else 3
        )

    @property
    def verdict(self) -> str:
        """The verdict in a word or two."""
        if np.isnan(self.value):
            return "FAILED" if self.kind == "gate" else "not available"
        if self.passed:
            return "passed"
        return "FAILED" if self.kind == "gate" else "caution"


_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")


@final
@dataclass(frozen=True, slots=True)
class Trust(Tabled):
    """How far to trust a fit.

    Attributes
    ----------
    verdicts : tuple of Verdict
        Gates first.
    cautions : tuple of str
        What a reader should know before using the answer, in sentences.
    """

    verdicts: tuple[Verdict, ...]
    cautions: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every numerical gate passed; cautions do not count."""
        return all(one.passed for one in self.verdicts if one.kind == "gate")

    @property
    def failures(self) -> tuple[Verdict, ...]:
        """The checks that did not pass, gates first."""
        return tuple(one for one in self.verdicts if not one.passed)

    def table(self) -> "pd.DataFrame":
        """Return one row per check."""
        import pandas as pd

        columns = list(Verdict.__dataclass_fields__)
        rows = [[getattr(one, name) for name in columns] for one in self.verdicts]
        table = pd.DataFrame(rows, columns=columns)
        table["verdict"] = [one.verdict for one in self.verdicts]
        return table.drop(columns=["passed", "simulated"])


def trust(
    posterior: Posterior,
    *,
    prior: PriorPredictive | None = None,
    predictive: PredictiveCheck | None = None,
    loo: LOO | None = None,
    deviance: Deviance | None = None,
    scaling: PowerScaling | None = None,
    unmade: tuple[str, ...] = (),
) -> Trust:
    """Collect every check of a fit.

    Parameters
    ----------
    posterior : Posterior
        Its numerical gates, and how many of its studies say something.
    prior : PriorPredictive, optional
        For conflicts of prior and data.
    predictive : PredictiveCheck, optional
        For misfit.
    loo : LOO, optional
        For studies that the others do not predict, and for Pareto k.
    deviance : Deviance, optional
        For studies that are fitted badly.
    scaling : PowerScaling, optional
        For an answer that leans on its priors; of a conflict of which `prior` speaks too it says
        both in one sentence.
    unmade : tuple of str
        Sentences that say which checks could not be made, and why.

    Returns
    -------
    Trust

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> posterior = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), data)
    >>> found = bm.trust(posterior, loo=bm.loo(posterior))
    >>> found.passed, [one.check for one in found.failures]
    (True, ['studies that say something'])
    """
    gates = [
        Verdict("gate", one.name, one.where, one.value, _limit(one.limit, one.at_most), one.passed)
        for one in posterior.diagnostics.checks
    ]
    k = telling_count(posterior.model, posterior.data)
    verdicts = [
        Verdict("caution", "studies that say something", "", float(k), f"≥ {FEW}", k >= FEW)
    ]
    said = dict.fromkeys((*posterior.cautions, *unmade))
    if prior is not None:
        telling = [one for one in prior.statistics if one.of]
        verdicts += [_statistic("prior–data conflict, p", one) for one in telling]
    said |= dict.fromkeys(_of_priors(prior, scaling))
    if scaling is not None:
        verdicts.append(_leaning(scaling))
    if predictive is not None:
        verdicts += [_statistic("predictive p", one) for one in predictive.statistics]
        said |= dict.fromkeys(predictive.cautions)
    if loo is not None:
        verdicts += _of_loo(loo)
        said |= dict.fromkeys(loo.cautions)
    if deviance is not None:
        excess = deviance.residual - deviance.points
        worst = int(excess.argmax())
        where = deviance.study[worst]
        value = float(excess[worst])
        name = "residual deviance above its points"
        verdicts.append(Verdict("caution", name, where, value, f"≤ {FAR:g}", value <= FAR))
        said |= dict.fromkeys(deviance.cautions)
    return Trust((*gates, *verdicts), tuple(said))


def _of_priors(prior: PriorPredictive | None, scaling: PowerScaling | None) -> Iterator[str]:
    """Cautions about the priors, one of each parameter."""
    told = set[str]()
    for one in () if prior is None else prior.surprising:
        seen = surprise(one)
        both = "" if scaling is None else scaling.caution(one.of, seen)
        told |= {one.of} if both else set()
        yield both or f"Prior and data are in conflict: {seen}."
    if scaling is not None and "mu" not in told and (said := scaling.caution()):
        yield said


def _leaning(scaling: PowerScaling) -> Verdict:
    value = scaling["mu"].prior
    limit, good = f"< {THRESHOLD:g}", value < THRESHOLD
    return Verdict("caution", "distance per doubling of a prior's weight", "mu", value, limit, good)


def _limit(limit: float, at_most: bool) -> str:  # noqa: FBT001
    return f"{'≤' if at_most else '≥'} {limit:g}"


def _statistic(check: str, one: Statistic) -> Verdict:
    return Verdict("caution", check, one.name, one.p, one.limit, not one.misfit, True)


def _of_loo(loo: LOO) -> list[Verdict]:
    """The study predicted worst, by the Bonferroni bound of its two-sided p, and Pareto k."""
    found = []
    if len(loo.missing) < len(loo.study):
        worst = int(np.nanargmin(loo.surprise))
        p, name = min(float(loo.surprise[worst]), 1.0), "LOO-PIT, Bonferroni bound of p"
        good, where = p >= SURPRISING, loo.study[worst]
        found.append(Verdict("caution", name, where, p, f"≥ {SURPRISING}", good))
    where, count = ", ".join(loo.missing), float(len(loo.missing))
    name = "studies without a prediction"
    found.append(Verdict("caution", name, where, count, "≤ 0", count == 0))
    used = np.flatnonzero(np.array(loo.how) == "weights")
    if used.size:
        worst = int(used[loo.pareto_k[used].argmax()])
        value, where, limit = float(loo.pareto_k[worst]), loo.study[worst], f"≤ {LARGEST_K}"
        found.append(Verdict("caution", "Pareto k in use", where, value, limit, value <= LARGEST_K))
    return found
