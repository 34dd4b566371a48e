"""Models of estimates with known standard errors."""

from dataclasses import dataclass
from typing import final

from ..priors import Prior
from ._base import Model, OneEffect, RandomEffects
from ._priors import check_mu, check_tau, check_within_one
from .likelihood import Estimates
from .location import Location, check_location, located
from .predictor import ByGroup
from .spread import OutlierSpread

_ESTIMATES = Estimates()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CommonEffect(OneEffect):
    r"""One effect for all studies, estimates with known standard errors.

    .. math:: y_i \sim N(\mu, \mathrm{se}_i^2)

    Parameters
    ----------
    mu : Prior, Linear or ByGroup
        Prior of the overall effect; or where effects are expected, if that depends on covariates.

    Raises
    ------
    ModelError
        If `mu` is not a prior.
    """

    mu: Prior | Location

    def __post_init__(self) -> None:
        check_location(self.mu)

    @property
    def likelihood(self) -> Estimates:
        """Estimates with known standard errors."""
        return _ESTIMATES


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NormalNormal(RandomEffects):
    r"""Random effects for estimates with known standard errors.

    .. math::
        y_i \sim N(\theta_i, \mathrm{se}_i^2), \quad \theta_i \sim N(\mu, \tau^2)

    Parameters
    ----------
    mu : Prior, Linear or ByGroup
        Prior of the overall effect; or where effects are expected, if that depends on covariates.
    tau : Prior
        Prior of the between-study standard deviation; no mass below zero.
    df : float or Prior, optional
        Degrees of freedom of Student-t study effects with location mu and scale tau, 1 or more;
        a positive prior such as ``Gamma(2, 0.1)`` where they are unknown, which takes NUTS; normal
        where not given.

    Raises
    ------
    ModelError
        If a prior is missing, `tau` could be negative, or `df` is below 1 or a prior that is not
        positive and proper.

    References
    ----------
    Juárez MA, Steel MFJ (2010). J Bus Econ Stat 28:52-66 (a prior of the degrees of freedom).
    """

    mu: Prior | Location
    tau: Prior | ByGroup
    df: float | Prior | None = None

    def __post_init__(self) -> None:
        self._check_effects()

    @property
    def likelihood(self) -> Estimates:
        """Estimates with known standard errors."""
        return _ESTIMATES


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OutlierMixture(Model):
    r"""Random effects of which a share is spread wider: outlying studies, found and weighed less.

    .. math::
        y_i \sim N(\theta_i, \mathrm{se}_i^2), \quad
        \theta_i \sim (1 - \pi) N(\mu, \tau^2) + \pi N(\mu, \tau^2 + \kappa^2)

    The posterior has each study's probability of being one of the wide component, ``outlier``;
    `outliers` makes a table of it.

    Parameters
    ----------
    mu : Prior, Linear or ByGroup
        Prior of the overall effect; or where effects are expected, if that depends on covariates.
    tau : Prior
        Prior of the between-study standard deviation of the studies that are no outliers; no mass
        below zero.
    share : Prior
        Prior of :math:`\pi`, the share of outliers, within 0 and 1, e.g. ``Beta(1, 9)``.
    spread : Prior
        Prior of :math:`\kappa`, the standard deviation that outliers have beside tau, analysis
        scale; no mass below zero.

    Raises
    ------
    ModelError
        If a prior is missing, `tau` or `spread` could be negative, or `share` could lie outside 0
        and 1.

    References
    ----------
    Beath KJ (2014). Res Synth Methods 5:285-293.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> model = bm.OutlierMixture(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5),
    ...                           share=bm.Beta(1, 9), spread=bm.HalfNormal(1))
    >>> model.in_words
    'study effects of which a share, the outliers, have the wider SD √(tau² + spread²)'
    """

    mu: Prior | Location
    tau: Prior
    share: Prior
    spread: Prior

    def __post_init__(self) -> None:
        check_location(self.mu)
        check_tau(self.tau)
        check_mu(self.share, "share", example="Beta(1, 9)")
        check_within_one(self.share, "share", "share of studies")
        check_tau(self.spread, "spread")

    @property
    def likelihood(self) -> Estimates:
        """Estimates with known standard errors."""
        return _ESTIMATES

    @property
    def location(self) -> Location:
        """One mean for all studies, or one for each place."""
        return located(self.mu)

    @property
    def between(self) -> OutlierSpread:
        """Normal, and for a share of studies wider."""
        return OutlierSpread(self.tau, self.share, self.spread)
