"""How much the answer leans on its priors and on the data: both raised to powers."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, final

import numpy as np

from ..engines import telling_count
from ..errors import ModelError
from ..model import check_one_effect
from ..notebooks import Tabled
from ..posterior import Posterior, check_posterior
from ..priors import Prior
from ..ways import way
from ._distance import distance
from ._powers import DRAWS, Joint, Powers, check_power

if TYPE_CHECKING:
    import pandas as pd

POWERS = (0.8, 1.25)
THRESHOLD = 0.05  # of a distance per doubling of the power
LARGEST_ERROR = 3e-3  # of a probability


class Leaning(StrEnum):
    """What priors and data do to a parameter."""

    DATA = "the data decide"
    PRIOR = "the prior decides, the data say little"
    BOTH = "both decide: a conflict, unless the prior is meant to inform"
    NEITHER = "neither decides"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """How far one parameter moves per doubling of a power.

    Attributes
    ----------
    parameter : str
        ``"mu"``, ``"tau"`` or ``"theta_new"``.
    prior_mu, prior_tau, likelihood : float
        Cumulative Jensen-Shannon distance, between 0 and 1, per doubling of the power of the prior
        of mu, of the prior of tau, and of what every study says. `prior_tau` is NaN where all
        studies have one effect.
    unseen : bool
        Of tau where fewer than two studies say anything: then its prior is all that there is,
        whatever the distances.
    """

    parameter: str
    prior_mu: float
    prior_tau: float
    likelihood: float
    unseen: bool = False

    @property
    def prior(self) -> float:
        """The larger of those to the two priors."""
        return float(np.fmax(self.prior_mu, self.prior_tau))

    @property
    def of(self) -> str:
        """The parameter whose prior moves it the more."""
        return "tau" if self.prior_tau > self.prior_mu else "mu"

    @property
    def leaning(self) -> Leaning:
        """What moves it by at least the threshold."""
        prior, data = self.prior >= THRESHOLD, self.likelihood >= THRESHOLD and not self.unseen
        if prior:
            return Leaning.BOTH if data else Leaning.PRIOR
        return Leaning.DATA if data else Leaning.NEITHER


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PowerScaling(Tabled):
    """What an answer leans on.

    Attributes
    ----------
    sensitivities : tuple of Sensitivity
    mu : Prior
    tau : Prior or None
        None where all studies have one effect.
    error : float
        Largest probability by which the nodes used here and the fit itself differ.
    """

    sensitivities: tuple[Sensitivity, ...]
    mu: Prior
    tau: Prior | None
    error: float

    def __getitem__(self, parameter: str) -> Sensitivity:
        for one in self.sensitivities:
            if one.parameter == parameter:
                return one
        known = ", ".join(one.parameter for one in self.sensitivities)
        raise ModelError(f"There is no power scaling of {parameter!r}; there is of {known}.")

    def table(self) -> "pd.DataFrame":
        """Return one row per parameter: the three distances per doubling, and what decides."""
        import pandas as pd

        names = ("parameter", "prior_mu", "prior_tau", "likelihood")
        rows = [[getattr(one, name) for name in names] for one in self.sensitivities]
        table = pd.DataFrame(rows, columns=list(names)).set_index("parameter")
        return table.assign(diagnosis=[str(one.leaning) for one in self.sensitivities])

    @property
    def sentence(self) -> str:
        """What mu leans on."""
        return self.caution() or f"Of mu {self['mu'].leaning.value}: {self._moves('mu')}."

    def caution(self, parameter: str = "mu", seen: str = "") -> str:
        """What a reader should know of a parameter that a prior moves; empty where none does.

        Parameters
        ----------
        parameter : str
        seen : str
            What prior and data say of their conflict besides, as a clause.
        """
        known = (one.parameter for one in self.sensitivities)
        leaning = self[parameter].leaning if parameter in known else Leaning.NEITHER
        if leaning not in (Leaning.PRIOR, Leaning.BOTH):
            return ""
        if seen:
            return f"Prior and data are in conflict: {seen}; {self._moves(parameter)}."
        beside = "as well as on" if leaning is Leaning.BOTH else "more than on"
        return f"The answer leans on a prior {beside} the data: {self._moves(parameter)}."

    def _moves(self, parameter: str) -> str:
        one = self[parameter]
        return (
            f"{parameter} moves by {one.prior:.2f} per doubling of the weight of "
            f"{one.of} ~ {self.tau if one.of == 'tau' else self.mu!r} and by {one.likelihood:.2f} "
            f"of that of the data, where {THRESHOLD:g} counts"
        )


def power_scaling(posterior: Posterior) -> PowerScaling:
    """Say how much an answer leans on each prior and on the data.

    The prior of mu, that of tau, and the likelihood of every study, its own effect and baseline
    integrated out, are raised to the powers 0.8 and 1.25 one at a time, and the posterior is
    integrated anew: not by weighting draws, and whatever family the powered prior belongs to. How
    far it moves is the cumulative Jensen-Shannon distance over the range of 4,000 draws, divided by
    the change of the power in doublings.

    Parameters
    ----------
    posterior : Posterior
        From the exact engine, of one outcome. A flat prior is the same raised to any power.

    Returns
    -------
    PowerScaling

    Raises
    ------
    ModelError
        If the posterior is known through draws alone, a prior raised to one of the powers is no
        distribution, or the nodes and the fit disagree.

    References
    ----------
    Kallioinen N, Paananen T, Bürkner PC, Vehtari A (2024). Detecting and diagnosing prior and
    likelihood sensitivity with power-scaling. Stat Comput 34:57: the distance, the threshold 0.05.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [2.1, 2.4], [0.2, 0.3], measure="OR")
    >>> sceptical = bm.CommonEffect(mu=bm.Normal(0, 0.2))
    >>> bm.power_scaling(bm.fit(sceptical, data)).table().round(2).T["mu"].tolist()[:3]
    [0.65, nan, 0.65]
    """
    check_posterior(posterior)
    check_one_effect(posterior.model, "power_scaling")
    if not posterior.exact:
        raise ModelError(f"Power scaling needs an exact posterior: {way('exact')}.")
    priors = posterior.model.priors
    for name in ("mu", "tau"):
        for power in POWERS if name in priors else ():
            check_power(priors[name], name, power)
    joint = Joint(posterior)
    if not joint.error <= LARGEST_ERROR:
        raise ModelError(
            f"The nodes of power scaling and the fit differ by a probability of {joint.error:.2g}: "
            "no distance can be trusted. Use priors without steps."
        )
    return PowerScaling(
        sensitivities=_sensitivities(joint),
        mu=priors["mu"],
        tau=priors.get("tau"),
        error=joint.error,
    )


def _sensitivities(joint: Joint) -> tuple[Sensitivity, ...]:
    base = joint.cdfs(Powers())
    ends = [1 / DRAWS, 1 - 1 / DRAWS]
    weights = {name: at.within(*one.quantile(ends)) for name, (at, one) in joint.axes.items()}
    moved: dict[str, dict[str, float]] = {name: {} for name in base}
    for factor in Powers._fields:
        scaled = [joint.cdfs(Powers(**{factor: power})) for power in POWERS]
        for name, before in base.items():
            apart = [distance(before, one[name], weights[name]) for one in scaled]
            moved[name][factor] = float(np.mean(np.array(apart) / np.abs(np.log2(POWERS))))
    few = telling_count(joint.posterior.model, joint.posterior.data) < 2
    return tuple(
        Sensitivity(
            parameter=name,
            prior_mu=by["mu"],
            prior_tau=by["tau"] if joint.spreads else np.nan,
            likelihood=by["likelihood"],
            unseen=few and name == "tau",
        )
        for name, by in moved.items()
    )
