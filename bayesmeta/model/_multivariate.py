"""Several outcomes at once: random effects correlated between outcomes, within and between."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self, final

from ..effects import MEASURES, Measure
from ..errors import ModelError
from ..multivariate import MultivariateEffects
from ..priors import LKJ, Prior
from ..ways import shown
from ._base import Model
from ._named import Named
from ._priors import check_mu, check_sources, check_tau
from .likelihood import CorrelatedEstimates, Data
from .location import EachOutcome
from .spread import CorrelatedSpread

SEVERAL = Measure(name="several measures", words="several measures")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MultivariateNormal(Model):
    r"""Random effects of two or more outcomes, correlated within and between studies.

    .. math::
        y_i \sim N(\theta_i, S_i), \quad \theta_i \sim N(\mu, T), \quad
        S_{i,ab} = w_{i,ab}\,\mathrm{se}_{ia}\,\mathrm{se}_{ib}, \quad
        T_{ab} = \rho_{ab}\,\tau_a \tau_b

    A study that reports some of the outcomes informs the others through :math:`\rho`. With few
    studies the posterior of :math:`\rho` is mostly its prior.

    Parameters
    ----------
    mu : Prior or mapping of str to Prior
        Prior of each outcome's overall effect: one for all, or by outcome.
    tau : Prior or mapping of str to Prior
        Prior of each between-study standard deviation, likewise.
    rho : Prior or LKJ
        Of the between-study correlation: ``Uniform(-1, 1)``, say, for two outcomes; ``LKJ(eta)``
        of the correlation matrix for any number.
    within : Prior, optional
        Of one within-study correlation common to all studies and pairs of outcomes, where the data
        do not bring them, e.g. ``Uniform(0, 0.9)``.

    Raises
    ------
    ModelError
        If a prior is missing, `tau` could be negative, or a correlation could lie outside -1 and
        1; at the fit, if the outcomes are not those of the data, or `within` is missing or too
        much.

    References
    ----------
    van Houwelingen HC, Arends LR, Stijnen T (2002). Stat Med 21:589-624.
    Riley RD (2009). J R Stat Soc A 172:789-811.
    Lewandowski D, Kurowicka D, Joe H (2009). J Multivar Anal 100:1989-2001 (LKJ).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> model = bm.MultivariateNormal(mu=bm.Normal(0, 1), rho=bm.Uniform(-1, 1),
    ...                               tau={"PD": bm.HalfNormal(0.5), "AL": bm.HalfNormal(0.3)})
    >>> model.tau["AL"]
    HalfNormal(0.3)
    """

    mu: Prior | Mapping[str, Prior]
    tau: Prior | Mapping[str, Prior]
    rho: Prior
    within: Prior | None = None
    takes: ClassVar[type[Data]] = MultivariateEffects

    def __post_init__(self) -> None:
        for name, check in (("mu", check_mu), ("tau", check_tau)):
            given: Prior | Mapping[str, Prior] = getattr(self, name)
            if not isinstance(given, Mapping):
                check(given, name)
                continue
            object.__setattr__(self, name, Named(given))
            for outcome, prior in given.items():
                check(prior, f"{name}[{outcome}]")
        both = [set(one) for one in (self.mu, self.tau) if isinstance(one, Mapping)]
        if any(one != both[0] for one in both):
            raise ModelError("mu and tau must name the same outcomes.")
        _check_correlation(self.rho, "rho")
        if self.within is not None:
            _check_correlation(self.within, "within")
            if isinstance(self.within, LKJ):
                raise ModelError(
                    f"within is one correlation, such as Uniform(0, 0.9), not {shown(self.within)}."
                )

    @property
    def likelihood(self) -> CorrelatedEstimates:
        """Estimates in blocks with a covariance each."""
        return CorrelatedEstimates(self.within, self.outcomes)

    @property
    def location(self) -> EachOutcome:
        """A mean for each outcome."""
        return EachOutcome(self.mu)

    @property
    def between(self) -> CorrelatedSpread:
        """A standard deviation for each outcome, and their correlation."""
        return CorrelatedSpread(self.tau, self.rho)

    @property
    def outcomes(self) -> tuple[str, ...] | None:
        """Names of the outcomes, if the model gives them; else those of the data."""
        for one in (self.mu, self.tau):
            if isinstance(one, Mapping):
                return tuple(one)
        return None

    @property
    def priors(self) -> dict[str, Prior]:
        """Priors by parameter; ``mu[PD]`` where outcomes have their own."""
        found: dict[str, Prior] = {}
        for name in ("mu", "tau"):
            given: Prior | Mapping[str, Prior] = getattr(self, name)
            if isinstance(given, Mapping):
                found |= {f"{name}[{outcome}]": prior for outcome, prior in given.items()}
            else:
                found[name] = given
        within = {} if self.within is None else {"within": self.within}
        return {**found, "rho": self.rho, **within}

    def of(self, name: str, outcome: str) -> Prior:
        """Return the prior of one outcome's ``mu`` or ``tau``."""
        given: Prior | Mapping[str, Prior] = getattr(self, name)
        return given[outcome] if isinstance(given, Mapping) else given

    def check_data(self, data: object) -> None:
        """Refuse data of another kind, of other outcomes, or with other correlations unknown.

        Raises
        ------
        ModelError
        """
        if not isinstance(data, MultivariateEffects):
            raise ModelError(
                f"MultivariateNormal needs MultivariateEffects, not {type(data).__name__}; for one "
                "outcome use NormalNormal."
            )
        if self.outcomes is not None and set(self.outcomes) != set(data.outcome):
            raise ModelError(
                f"The model has priors of {', '.join(self.outcomes)}, the data have "
                f"{', '.join(data.outcome)}; give a prior to each outcome, or one for all."
            )
        if data.p > 2 and not isinstance(self.rho, LKJ):
            raise ModelError(
                f"With {data.p} outcomes rho needs a prior of a whole correlation matrix, LKJ(1) "
                f"say, not {shown(self.rho)}."
            )
        self.likelihood.check_data(data)
        for outcome, measure in zip(data.outcome, data.measure, strict=True):
            own = {f"{name}[{outcome}]": self.of(name, outcome) for name in ("mu", "tau")}
            check_sources(own, MEASURES[measure])

    def numbered(self, data: Data) -> Self:
        """Give each outcome its own prior, by number in place of name: what a program is made of.

        Programs then serve other names of outcomes too.
        """
        assert isinstance(data, MultivariateEffects)
        named = {
            name: {str(i + 1): self.of(name, outcome) for i, outcome in enumerate(data.outcome)}
            for name in ("mu", "tau")
        }
        return replace(self, mu=named["mu"], tau=named["tau"])

    def labels(self, name: str, data: Data) -> Mapping[str, tuple[str, ...]]:
        """Return the names along the axes of a parameter, by axis."""
        assert isinstance(data, MultivariateEffects)
        if name == "rho":
            return {"pair": data.pair}
        outcome = {"outcome": data.outcome}
        return {"study": data.study, **outcome} if name == "theta" else outcome

    def scale(self, data: Data) -> Measure:
        """Return the outcomes' measure; where they have several, a name that says so."""
        assert isinstance(data, MultivariateEffects)
        return MEASURES[data.measure[0]] if len(set(data.measure)) == 1 else SEVERAL


def _check_correlation(prior: object, name: str) -> None:
    if not isinstance(prior, Prior):
        raise ModelError(f"{name} must be a prior such as Uniform(-1, 1), got {shown(prior)}.")
    low, high = prior.support
    if low < -1 or high > 1 or not prior.proper:
        raise ModelError(
            f"{name} is a correlation between -1 and 1; {shown(prior)} gives it mass outside. Use "
            "Uniform(-1, 1), or Uniform(0, 1) if it is positive."
        )
