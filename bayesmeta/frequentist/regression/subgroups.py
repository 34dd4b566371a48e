"""Groups of studies pooled apart, and whether they differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ...arguments import check_switch
from ...design import Factor, Formula, design
from ...effects import MEASURES, ZeroCells
from ...errors import DataError, ModelError
from ...model import Data
from ...notebooks import ToldAndTabled
from ...studies import Account, check_prob, with_covariates
from ...ways import shown
from ..arrays.tau2 import Tau2
from ..fit import FrequentistFit, IntervalName, critical, two_sided_p
from ..pooling.one import as_effects
from ..pooling.refit import refit
from ..pooling.words import estimator_named, renamed
from .meta_regression import PER_COVARIATE, fit_design, interval_of
from .result import MetaRegression, WaldTest, cut_line

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """One group of studies, pooled, on the analysis scale.

    Attributes
    ----------
    name : str
    study : tuple of str
    estimate, se, lower, upper, p : float
        By the chosen interval; Wald's for a group of one study.
    wald_se : float
        Standard error with tau² taken as known, which the test between groups takes.
    df : float
        Of t; infinite for a normal interval.
    tau2 : float or None
        Its own, or the common one; None for a common effect, and where one study has none.
    prob : float
    """

    name: str
    study: tuple[str, ...]
    estimate: float
    se: float
    wald_se: float
    df: float
    tau2: float | None
    prob: float

    @property
    def k(self) -> int:
        """How many studies."""
        return len(self.study)

    @property
    def lower(self) -> float:
        """Lower end of the interval."""
        return self.estimate - critical(self.prob, self.df) * self.se

    @property
    def upper(self) -> float:
        """Upper end of the interval."""
        return self.estimate + critical(self.prob, self.df) * self.se

    @property
    def p(self) -> float:
        """Two-sided p of no effect in this group."""
        return float(two_sided_p(*(np.array(one) for one in (self.estimate, self.se, self.df))))


@final
@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Subgroups(ToldAndTabled):
    """Groups of studies, the test between them, and all studies together.

    Attributes
    ----------
    by, method, measure : str
    groups : tuple of Subgroup
    common_tau2 : bool
        Whether `groups` and `between` share one tau².
    separate, common : WaldTest
        Q between with each group's tau² and with one for all.
    overall : FrequentistFit
        Of all studies in one model, not the pool of the groups.
    left_out : mapping of str to tuple of str
        Studies of no known group, left out everywhere.
    cautions, notes : tuple of str
    account : Account
    """

    by: str
    method: str
    measure: str
    groups: tuple[Subgroup, ...]
    common_tau2: bool
    separate: WaldTest
    common: WaldTest
    overall: FrequentistFit
    left_out: Mapping[str, tuple[str, ...]]
    cautions: tuple[str, ...]
    notes: tuple[str, ...]
    account: Account

    @property
    def between(self) -> WaldTest:
        """The test that goes with the groups as they were pooled."""
        return self.common if self.common_tau2 else self.separate

    def __getitem__(self, name: str) -> Subgroup:
        """Return one group by its name."""
        found = [one for one in self.groups if one.name == str(name)]
        if not found:
            known = ", ".join(shown(one.name) for one in self.groups)
            raise ModelError(f"There is no group {shown(name)} of {self.by}; those are {known}.")
        return found[0]

    def table(self) -> "pd.DataFrame":
        """Return a row per group and one of all studies in one model, analysis scale.

        Returns
        -------
        DataFrame
            ``k``, ``estimate``, ``se``, ``lower``, ``upper``, ``p``, ``tau2`` (NaN where there is
            none).
        """
        import pandas as pd

        names = ("estimate", "se", "lower", "upper", "p", "tau2")
        every = {**{one.name: one for one in self.groups}, "all studies": self.overall}
        rows = [[one.k, *(getattr(one, each) for each in names)] for one in every.values()]
        index = pd.Index(list(every), name=self.by)
        frame = pd.DataFrame(rows, index=index, columns=["k", *names])
        return frame.astype(dict.fromkeys(names, float))

    def __repr__(self) -> str:
        return _in_short(self)


def subgroups(
    data: Data,
    by: str,
    *,
    tau2: Tau2 | None = "REML",
    interval: IntervalName = "HKSJ",
    common_tau2: bool = False,
    measure: str | None = None,
    zero_cells: ZeroCells = "if_needed",
    prob: float = 0.95,
) -> Subgroups:
    """Pool groups of studies apart and test whether they differ.

    Parameters
    ----------
    data : EffectSizes, or counts
    by : str
        The covariate that names the group of each study; studies without are left out, by name.
    tau2 : str or None
        Estimator of the variance between studies, as for :func:`random_effects`; None for common
        effects.
    interval : {"HKSJ", "HKSJ truncated", "Wald"}
        Of groups and of all studies.
    common_tau2 : bool
        One tau² for all groups, as metafor has with a factor as moderator and meta with
        ``tau.common=TRUE``; else one each, as RevMan and meta have by default.
    measure, zero_cells
        For counts, as for :func:`effect_sizes`.
    prob : float
        Level of the intervals.

    Returns
    -------
    Subgroups
        The test between groups is ``Q = Σ W (m - M)²`` with ``W = 1/se²``, tau² within the se and
        taken as known, and M the mean by those weights, against chi² with a degree of freedom fewer
        than groups; both with separate tau² and with a common one. Knapp and Hartung's F for a
        common one is ``meta_regression(data, by).moderators``. The row of all studies is one model
        of them all, not a pool of the groups.

    Raises
    ------
    ModelError
        If there is no such covariate, or all studies are of one group.
    DataError
        If no group has two studies, so that there is no tau².

    Notes
    -----
    Groups are compared by this test, not by which of them is significant (Cochrane Handbook
    10.11.3.1). A difference between trials need not be one between patients.

    References
    ----------
    Borenstein M, Higgins JPT (2013). Prev Sci 14:134-143. Deeks JJ, Higgins JPT (2010). Statistical
    algorithms in Review Manager 5, section "Test for subgroup differences".

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(
    ...     list("ABCD"), [0.1, 0.3, 0.6, 0.5], [0.1] * 4,
    ...     covariates={"dose": ["low", "low", "high", "high"]})
    >>> found = bm.frequentist.subgroups(data, "dose", interval="Wald")
    >>> round(found["high"].estimate, 2), round(found.between.p, 3)
    (0.55, 0.004)
    """
    check_prob(prob)
    check_switch(common_tau2, "common_tau2")
    asked = {"interval": interval} if tau2 is None else {"interval": interval, "tau2": tau2}
    interval, estimator = interval_of(interval), None if tau2 is None else estimator_named(tau2)
    effects = as_effects(data, measure, zero_cells)
    made = design(Formula(((Factor(str(by), "C"),),)), effects.covariates, effects.study)
    used = with_covariates(effects, made.formula.variables, made.left_out)
    if estimator and used.k == len(made.names):
        raise DataError(
            f"Each group of {shown(by)} has one study, so that there is no tau² to estimate; "
            "take tau2=None for common effects, or a Bayesian model with a prior on tau."
        )
    names = made.levels[str(by)]
    members = [made.matrix[:, j] > 0 for j in range(len(names))]
    fits = [refit(used.keep(one), estimator, interval=interval, prob=prob) for one in members]
    apart = [
        _own(name, fit, used.keep(one).study)
        for name, fit, one in zip(names, fits, members, strict=True)
    ]
    together = apart
    if estimator:
        fit = fit_design(used, made, estimator, interval, prob)
        together = [_shared(name, fit, one) for name, one in zip(names, members, strict=True)]
    return Subgroups(
        by=str(by),
        method=f"random effects, {estimator}" if estimator else "common effects",
        measure=used.measure,
        groups=tuple(together if common_tau2 else apart),
        common_tau2=bool(common_tau2),
        separate=between_groups(apart),
        common=between_groups(together),
        overall=refit(used, estimator, interval=interval, prob=prob),
        left_out=made.left_out,
        cautions=tuple(_cautions(together if common_tau2 else apart, interval, tau2=estimator)),
        notes=renamed(asked, {"interval": interval, "tau2": estimator or ""}),
        account=used.account,
    )


def _own(name: str, fit: FrequentistFit, study: tuple[str, ...]) -> Subgroup:
    """A group pooled by itself."""
    return Subgroup(
        name=name,
        study=study,
        estimate=fit.estimate,
        se=fit.se,
        wald_se=fit.spreads["Wald"].se,
        df=fit.df,
        tau2=fit.tau2,
        prob=fit.prob,
    )


def _shared(name: str, fit: MetaRegression, members: NDArray[np.bool_]) -> Subgroup:
    """A group whose tau² is that of all groups."""
    assert fit.tau2 is not None
    found = fit.levels(fit.design.formula.variables[0]).loc[name]
    weight = 1 / (fit.data.se[members] ** 2 + fit.tau2)
    return Subgroup(
        name=name,
        study=tuple(fit.data.keep(members).study),
        estimate=float(found["estimate"]),
        se=float(found["se"]),
        wald_se=float(weight.sum() ** -0.5),
        df=fit.df,
        tau2=fit.tau2,
        prob=fit.prob,
    )


def between_groups(groups: Sequence[Subgroup]) -> WaldTest:
    """Q between: estimates of groups about their mean, weighted by 1/se² of Wald."""
    middle = np.array([one.estimate for one in groups])
    weight = np.array([one.wald_se for one in groups]) ** -2
    mean = (weight @ middle) / weight.sum()
    return WaldTest(float(weight @ (middle - mean) ** 2), len(groups) - 1, np.inf)


def _cautions(
    groups: Sequence[Subgroup], interval: IntervalName, *, tau2: Tau2 | None
) -> Iterator[str]:
    alone = [f"{one.name} ({one.study[0]})" for one in groups if len(one.study) == 1]
    if alone and tau2:
        own = [one for one in groups if one.tau2 is None]
        what = (
            "has no tau² of its own and enters with its study's own standard error"
            if own
            else "takes the tau² of the other groups"
        )
        yield f"A group of one study {what}: {', '.join(alone)}."
    narrow = [one.name for one in groups if interval == "HKSJ" and one.se < one.wald_se]
    if narrow:
        yield (
            f"The HKSJ standard error is smaller than Wald's in {', '.join(narrow)}: prefer "
            "'HKSJ truncated'."
        )
    k = sum(len(one.study) for one in groups)
    if k < PER_COVARIATE:
        yield f"Fewer than ten studies ({k}) can hardly tell groups apart."


def _in_short(found: Subgroups) -> str:
    measure = MEASURES[found.measure]
    sharing = "one tau² for all groups" if found.common_tau2 else "tau² of each group its own"
    lines = [
        f"{found.method} by {found.by}" + (f", {sharing}" if found.overall.tau2 is not None else "")
    ]
    lines += found.account.lines
    for name, row in found.table().iterrows():
        middle, low, high = measure.natural([row[one] for one in ("estimate", "lower", "upper")])
        tau2 = "" if np.isnan(row["tau2"]) else f", tau² {row['tau2']:.4g}"
        one = "" if name != "all studies" else " in one model"
        lines.append(
            f"  {name}{one}: {measure.called} {middle:.4g} [{low:.4g}, {high:.4g}], "
            f"k = {row['k']:.0f}{tau2}"
        )
    lines.append(f"Between groups: {found.between}")
    other, words = (found.separate, "separate") if found.common_tau2 else (found.common, "a common")
    if found.overall.tau2 is not None:
        lines.append(f"With {words} tau²: {other}")
    said = [
        *(f"Note: {one}" for one in found.notes),
        *(f"Caution: {one}" for one in found.cautions),
    ]
    return "\n".join(map(cut_line, [*lines, *said]))
