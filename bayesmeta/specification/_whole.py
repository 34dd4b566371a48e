"""One analysis, as it is specified."""

from pathlib import Path
from typing import Annotated, Self, final

from pydantic import Field, model_validator

from ._block import Block, Title, unique
from ._outcome import Outcome


@final
class Sampler(Block):
    """Settings of NUTS, as in the engine."""

    draws: Annotated[int, Field(ge=100, le=100_000)] = 1000
    tune: Annotated[int, Field(ge=100, le=100_000)] = 1000
    chains: Annotated[int, Field(ge=2, le=64)] = 4
    target_accept: Annotated[float, Field(ge=0.5, lt=1)] = 0.95


@final
class Reporting(Block):
    """What guidelines ask and only a person can say; what is left out is listed as open.

    Attributes
    ----------
    why_bayesian, goal : str
        Why the analysis is Bayesian, and whether it is to estimate, decide or predict.
    missing_data, risk_of_bias, unit_of_analysis : str
        How the data stand.
    random_effects, priors_fixed : str
        Why study effects have this distribution, and whether priors were fixed before the data.
    subgroups, deviations : str
        What was planned.
    decision, economics, certainty : str
        What follows.
    """

    why_bayesian: str = ""
    goal: str = ""
    missing_data: str = ""
    risk_of_bias: str = ""
    unit_of_analysis: str = ""
    random_effects: str = ""
    priors_fixed: str = ""
    subgroups: str = ""
    deviations: str = ""
    decision: str = ""
    economics: str = ""
    certainty: str = ""


@final
class Specification(Block):
    """One analysis.

    Attributes
    ----------
    title, question : str
    seed : int
    prob : float
        Probability of every interval.
    arms : list of str
        Names of treatment and control.
    limits : list of str
        What the analysis cannot say, for the report.
    risk_of_bias : Path or None
        A table of judgements of the studies of all outcomes, by RoB 2 or ROBINS-I; an outcome's own
        takes its place.
    reporting : Reporting
        What only a person can say, for the report's checklist.
    sampler : Sampler
    outcome : list of Outcome
    """

    title: Title
    question: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    prob: Annotated[float, Field(gt=0, lt=1)] = 0.95
    arms: Annotated[list[str], Field(min_length=2, max_length=2)] = ["treatment", "control"]
    limits: list[str] = []
    risk_of_bias: Annotated[Path, Field(strict=False)] | None = None
    reporting: Reporting = Reporting()
    sampler: Sampler = Sampler()
    outcome: Annotated[list[Outcome], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unique("outcome", [one.name for one in self.outcome])
        return self
