"""What all models are: a likelihood, a location and a spread, with the priors of their parameters.

The named models, such as ``NormalNormal``, are spellings: frozen values with the fields that people
write, which say what their three parts are. What reads a model asks its parts.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import ClassVar, Self

from ..effects import ATANH_RD, MEASURES, EffectSizes, Measure
from ..errors import ModelError
from ..priors import Prior
from ..studies import ContinuousStudies
from ._priors import Exchangeable, check_sources, checked_df
from .likelihood import Data, Likelihood
from .location import Location, check_location, located
from .predictor import ByGroup
from .spread import (
    NormalSpread,
    NoSpread,
    Scatter,
    Spread,
    SpreadByGroup,
    StudentTSpread,
    check_spread,
)


class Model:
    """Base of all models. Subclasses are final.

    Attributes
    ----------
    takes : type
        The kind of data it is for.
    likelihood : Likelihood
        What a study's data say of its effect.
    location : Location
        Where the effects are expected.
    between : Spread
        How they lie about that; ``spread`` is the name of a prior in an outlier mixture.
    """

    __slots__ = ()
    takes: ClassVar[type[Data]] = EffectSizes

    @property
    def likelihood(self) -> Likelihood:
        """What a study's data say of its effect."""
        raise NotImplementedError

    @property
    def location(self) -> Location:
        """Where the effects are expected."""
        raise NotImplementedError

    @property
    def between(self) -> Spread:
        """How the effects lie about where they are expected."""
        raise NotImplementedError

    @property
    def overall(self) -> Prior:
        """Prior of the one effect that all studies are expected to have.

        Raises
        ------
        ModelError
            If they are expected to have several.
        """
        return self.location.overall

    @property
    def name(self) -> str:
        """How people write it."""
        return type(self).__name__

    def check_data(self, data: object) -> None:
        """Refuse data of another kind, or on which it is not defined, and say what would do.

        Raises
        ------
        ModelError
        """
        if isinstance(data, self.takes):
            self.likelihood.check_data(data)
            check_sources(self.priors, self.scale(data))
            return
        said = f"{self.name} needs {{}}, not {type(data).__name__}; "
        if self.takes is EffectSizes:
            raise ModelError(
                said.format("EffectSizes") + "make them with effect_sizes(studies, measure=...)."
            )
        kind = "arms" if self.takes is ContinuousStudies else "counts"
        raise ModelError(
            said.format(f"{kind} ({self.takes.__name__})") + "for estimates use NormalNormal."
        )

    def complete[D: Data](self, data: D) -> D:
        """Return the studies that it can be fitted to; the others are named among the excluded.

        Raises
        ------
        ModelError
            If the data are of another kind, or lack what the location asks for.
        """
        self.check_data(data)
        return self.location.complete(data)  # pyright: ignore[reportReturnType, reportArgumentType]

    def scale(self, data: Data) -> Measure:
        """Return the measure, with the scale on which mu stands."""
        return self._scale_of(data.measure if isinstance(data, EffectSizes) else "")

    def check_scale(self, measure: str) -> None:
        """Refuse published priors on another scale than their own, before any data.

        Parameters
        ----------
        measure : str
            Of estimates; models of arms have one.

        Raises
        ------
        ModelError
            If a prior was made for another scale, and no reason is given.
        """
        check_sources(self.priors, self._scale_of(measure))

    def _scale_of(self, measure: str) -> Measure:
        if self.takes is EffectSizes:
            return MEASURES[measure]
        own = self.likelihood.measure
        return ATANH_RD if own == "RD" else MEASURES[own]

    def numbered(self, data: Data) -> Self:
        """Return the model as a program is made of it: what data give names to has numbers."""
        before, numbered = self.location, self.location.numbered(data)
        return self if numbered is before else replace(self, **numbered.spelled)  # pyright: ignore

    def kept(self, data: Data) -> Self:
        """Return the model as it is for these data, to be fitted to a part of them."""
        before, kept = self.location, self.location.kept(data)
        return self if kept is before else replace(self, **kept.spelled)  # pyright: ignore

    def labels(self, name: str, data: Data) -> Mapping[str, tuple[str, ...]]:
        """Return the names along the axes of a parameter that is no scalar, by axis."""
        names, groups = self.location.entries(data), self.between.entries(self.location, data)
        if name == "tau" and groups:
            return {"group": groups}
        return {"term": names} if name == self.location.name and names else {"study": data.study}

    def no_values(self, data: Data) -> tuple[str, ...]:
        """Return the entries that have none on the natural scale of the measure.

        Slopes of logits or of atanh(RD) are differences that no transform of theirs alone tells;
        of logs they are ratios.
        """
        slopes = self.location.differences(data)
        return slopes if slopes and self.scale(data).link not in ("log", "identity") else ()

    @property
    def effects(self) -> tuple[str, ...]:
        """Names of the parameters that stand on the scale of the measure."""
        new = self.between.new
        return (self.location.name,) if new is None else (self.location.name, "theta", new)

    @property
    def in_words(self) -> str:
        """What the priors alone do not say: coding of the arms, covariates, law of the effects."""
        parts = (self.likelihood, self.location, self.between)
        return "; ".join(filter(None, (part.in_words for part in parts)))

    @property
    def priors(self) -> dict[str, Prior]:
        """Priors by parameter, in the order of the signature.

        That of a covariate which is called as a parameter is, ``tau`` say, is of ``mu[tau]``.
        """
        others = self.other_priors
        located = {
            f"mu[{name}]" if name in others else name: prior
            for name, prior in self.location.priors.items()
        }
        return {**located, **others}

    @property
    def other_priors(self) -> dict[str, Prior]:
        """Priors of all that does not say where effects are expected, by parameter."""
        located = self.location.spelled
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # pyright: ignore[reportArgumentType]
        found: dict[str, Prior] = {}
        for name, value in values.items():
            if name in located:
                continue
            if isinstance(value, Prior):
                found[name] = value
            elif isinstance(value, ByGroup):
                found[name] = value.prior
            elif isinstance(value, Exchangeable):
                found |= {f"{name}_mean": value.mean, f"{name}_sd": value.sd}
        return found

    @property
    def cited(self) -> dict[str, str]:
        """Where priors were published and for what, in a sentence, by parameter.

        None of one written by hand.
        """
        said = {name: [one.said for one in prior.sources] for name, prior in self.priors.items()}
        return {name: " ".join(f"{one}." for one in found) for name, found in said.items() if found}

    @property
    def citations(self) -> tuple[str, ...]:
        """Of each published prior a line that cites it."""
        return tuple(f"Prior of {name}: {said}" for name, said in self.cited.items())


class RandomEffects(Model):
    """Base of the models whose effects scatter about one mean by one scale, tau.

    Attributes
    ----------
    mu : Prior or Location
    tau : Prior or ByGroup
    df : float, Prior or None
        Degrees of freedom, where effects are Student-t.
    """

    __slots__ = ()
    mu: Prior | Location
    tau: Prior | ByGroup
    df: float | Prior | None

    @property
    def location(self) -> Location:
        """One mean for all studies, or one for each place."""
        return located(self.mu)

    @property
    def tau_prior(self) -> Prior:
        """Prior of tau, of each tau where there are several."""
        return self.tau.prior if isinstance(self.tau, ByGroup) else self.tau

    @property
    def between(self) -> Scatter | SpreadByGroup:
        """Normal, or Student-t where degrees of freedom are given."""
        if isinstance(self.tau, ByGroup):
            return SpreadByGroup(self.tau, self.df)
        return NormalSpread(self.tau) if self.df is None else StudentTSpread(self.tau, self.df)

    def _check_effects(self) -> None:
        check_location(self.mu)
        check_spread(self.tau)
        object.__setattr__(self, "df", checked_df(self.df))
        if isinstance(self.between, SpreadByGroup):
            self.between.check(self.mu)


class OneEffect(Model):
    """Base of the models with one effect for all studies.

    Attributes
    ----------
    mu : Prior or Location
    """

    __slots__ = ()
    mu: Prior | Location

    @property
    def location(self) -> Location:
        """One effect for all studies, or one for each place."""
        return located(self.mu)

    @property
    def between(self) -> NoSpread:
        """None."""
        return NoSpread()
