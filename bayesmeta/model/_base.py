"""What all models are: a likelihood and the priors of its parameters, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, Self, final

from ..effects import ATANH_RD, MEASURES, EffectSizes, Measure
from ..errors import ModelError
from ..multivariate import MultivariateEffects
from ..priors import Prior
from ..studies import ContinuousStudies, Studies
from ._priors import check_mu, check_tau

type Data = Studies | EffectSizes | ContinuousStudies | MultivariateEffects


class Model:
    """Base of all models. Subclasses are final.

    Attributes
    ----------
    takes : type
        The kind of data it is for.
    """

    __slots__ = ()
    takes: ClassVar[type[Data]] = EffectSizes

    def check_data(self, data: object) -> None:
        """Refuse data of another kind, and say what would do.

        Raises
        ------
        ModelError
        """
        if isinstance(data, self.takes):
            return
        said = f"{type(self).__name__} needs {{}}, not {type(data).__name__}; "
        if self.takes is EffectSizes:
            raise ModelError(
                said.format("EffectSizes") + "make them with effect_sizes(studies, measure=...)."
            )
        kind = "arms" if self.takes is ContinuousStudies else "counts"
        raise ModelError(
            said.format(f"{kind} ({self.takes.__name__})") + "for estimates use NormalNormal."
        )

    def scale(self, data: Data) -> Measure:
        """Return the measure, with the scale on which mu stands."""
        if isinstance(data, EffectSizes):
            return MEASURES[data.measure]
        measure: str = getattr(self, "measure", "GEN")
        return ATANH_RD if measure == "RD" else MEASURES[measure]

    def numbered(self, data: Data) -> Self:
        """Return the model as a program is made of it; outcomes, if several, have numbers."""
        return self

    def columns(self) -> Mapping[str, tuple[int, ...]]:
        """What engines read by name, with the lengths of the axes before the studies."""
        return dict.fromkeys(self.takes.columns(), ())

    def labels(self, name: str, data: Data) -> Mapping[str, tuple[str, ...]]:
        """Return the names along the axes of a parameter that is no scalar, by axis."""
        return {"study": data.study}

    @property
    def in_words(self) -> str:
        """What the priors alone do not say: coding of the arms, distribution of the effects."""
        said = [self._coding_in_words()]
        df: float | Prior | None = getattr(self, "df", None)
        if df is not None:
            known = "unknown" if isinstance(df, Prior) else f"{df:g}"
            said.append(f"study effects Student-t with {known} degrees of freedom")
        return "; ".join(one for one in said if one)

    def _coding_in_words(self) -> str:
        return ""

    @property
    def priors(self) -> dict[str, Prior]:
        """Priors by parameter, in the order of the signature."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # pyright: ignore[reportArgumentType]
        found: dict[str, Prior] = {}
        for name, value in values.items():
            if isinstance(value, Prior):
                found[name] = value
            elif isinstance(value, Exchangeable):
                found |= {f"{name}_mean": value.mean, f"{name}_sd": value.sd}
        return found


@final
@dataclass(frozen=True, slots=True)
class Exchangeable:
    """Baselines drawn from one normal distribution with its own priors.

    What one trial's control arm says then reaches the others: more information, but the comparison
    no longer rests on randomisation alone.

    Parameters
    ----------
    mean, sd : Prior
        Of the baselines' distribution; `sd` has no mass below zero.

    Raises
    ------
    ModelError
        If a prior is missing or `sd` could be negative.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> bm.Exchangeable(bm.Normal(0, 10), bm.HalfNormal(1))
    Exchangeable(mean=Normal(0, 10), sd=HalfNormal(1))
    """

    mean: Prior
    sd: Prior

    def __post_init__(self) -> None:
        check_mu(self.mean, "the mean of the baselines")
        check_tau(self.sd, "the sd of the baselines")
