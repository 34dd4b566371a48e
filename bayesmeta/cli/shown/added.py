"""What is added to one answer when it is asked for: evidence, checks, doubts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from .echo import echo
from .sections import print_people, unrounded

if TYPE_CHECKING:
    import pandas as pd

    from ...decision import AbsoluteEffects
    from ...engines import Engine
    from ...evidence import BayesFactors
    from ...posterior import Posterior
    from ...results.sections import Section


OF_ONE_EFFECT = (
    "Weights, sceptical priors and studies without events are of one overall effect, and left out "
    "where it depends on covariates."
)


@final
@dataclass(slots=True)
class Added:
    """Tables in the order they were asked for, and sentences that stand for some of them."""

    sections: "list[Section]" = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    factors: "BayesFactors | None" = None
    cautions: tuple[str, ...] = ()
    people: "Section | None" = None

    def add_evidence(self, posterior: "Posterior", prob: float) -> None:
        """Bayes factors, weights, sceptics, studies without events, or why there are none."""
        from ...errors import ModelError
        from ...evidence import (
            bayes_factors,
            mean_weights,
            outliers,
            reverse_bayes,
            zero_studies,
        )
        from ...summaries import scale_of

        if "outlier" in posterior.marginals:
            self._add("outliers", outliers(posterior))
            return
        try:
            self.factors = bayes_factors(posterior)
            self._add("bayes-factors", self.factors.table())
            self._add("tau-by-scale", self.factors.tau_by_scale)
            if posterior.linear is None:
                self._add("weights", mean_weights(posterior))
        except ModelError as error:
            self.said.append(str(error))
        if posterior.linear is not None:
            self.said.append(OF_ONE_EFFECT)
            return
        if posterior.exact and scale_of(posterior).comparative:
            self._add("reverse-bayes", reverse_bayes(posterior, prob=prob).table())
        if posterior.data.discrete:
            self._add("zero-studies", zero_studies(posterior, prob=prob))

    def add_tipping(self, posterior: "Posterior", prob: float) -> None:
        """What would turn the conclusion, or why that is not known."""
        from ...errors import ModelError
        from ...evidence import tipping_points

        try:
            self._add("tipping", tipping_points(posterior, prob=prob).table())
        except ModelError as error:
            self.said.append(str(error))

    def add_checks(
        self, posterior: "Posterior", seed: int, prob: float, engine: "Engine | None"
    ) -> None:
        """Every check, and the cautions that follow from them."""
        from ...checks import check
        from ...results.sections import of_checks

        found = check(posterior, seed=seed, prob=prob, engine=engine)
        assert found.trust is not None
        self.sections += of_checks(found)
        self.cautions = found.trust.cautions

    def add_people(self, effects: "AbsoluteEffects | None") -> None:
        """What happens with and without the treatment."""
        from ...results.sections import of_people

        if effects is not None:
            self.people = of_people(effects)

    def _add(self, name: str, table: "pd.DataFrame") -> None:
        from ...results.sections import of_a_fit

        self.sections.append(of_a_fit(name, table))

    def show(self) -> None:
        """Print them."""
        if self.people is not None:
            print_people(self.people)
        for section in self.sections:
            echo(unrounded(section))
        for sentence in self.said:
            echo(f"\n{sentence}")

    def to_dict(self) -> Mapping[str, object]:
        """Return them as what JSON can hold."""
        from ...results.records import records_of

        every = [*([] if self.people is None else [self.people]), *self.sections]
        return {
            "tables": {one.name: records_of(one.table) for one in every},
            "said": self.said,
        }


def cautions_of(posterior: "Posterior") -> tuple[str, ...]:
    """What a reader should know without further checks: conflict with the priors, and the rest."""
    from ...checks import conflict

    if posterior.linear is not None:  # priors of several effects are held to data by --checks
        return posterior.cautions
    found = conflict(posterior)
    return (*(found.cautions if found is not None else ()), *posterior.cautions)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """Cautions, and gates that failed."""

    cautions: tuple[str, ...]
    failures: tuple[str, ...]

    def say(self) -> None:
        """Print cautions beside the answer, failures where errors go."""
        for caution in self.cautions:
            echo(f"Caution: {caution}")
        for failure in self.failures:
            echo(f"Not sound: {failure}", err=True)

    def to_dict(self) -> Mapping[str, object]:
        """Return them as what JSON can hold."""
        return {
            "passed": not self.failures,
            "cautions": list(self.cautions),
            "failures": list(self.failures),
        }
