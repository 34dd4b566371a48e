"""One outcome: its data, its model, and what is compared with it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self, final

from pydantic import Field, model_validator

from ..decision import MODEL
from ..effects import MEASURES
from ..errors import BayesmetaError
from ..model import ByGroup, Exchangeable
from ..priors import Prior
from ..reading import Reading
from ..studies import (
    BinaryStudies,
    ContinuousStudies,
    IncidenceStudies,
    PersonTimeStudies,
    ProportionStudies,
)
from ..ways import shown
from ..wording import Likelihood, Words, check_priors, likelihood_for, two_stage
from ._block import (
    AnyCase,
    BaselinesText,
    Block,
    Column,
    DegreesOfFreedom,
    FolderName,
    Names,
    Positive,
    PriorText,
    Title,
    unique,
)
from ._keys import Keys
from ._mu import Expected, Scale
from ._parts import PublishedFigure, Scenario
from ._people import SOURCE, Bases, Stated, check_people, named

_TABLES = {
    "counts": (BinaryStudies, PersonTimeStudies, ProportionStudies, IncidenceStudies),
    "continuous": (ContinuousStudies,),
}
_OF_COMPARISONS = ("better", "baseline", "control_risk", "baseline_risk")


@final
class Outcome(Block):
    """One outcome: its data, model and comparisons.

    Attributes
    ----------
    name : str
        Short name, that of its folder: lower-case letters, digits and hyphens.
    title : str
    better : {"lower", "higher"} or None
        Direction of benefit; None of single arms, which compare nothing.
    event : str
        What is counted, in the plural, e.g. ``"deaths"``.
    data : Path or None
        CSV table, relative to the file; None for published figures only.
    kind : {"counts", "estimates", "continuous"}
        What the table holds.
    sheet : str or None
        Of an Excel file.
    decimal : {"", ".", ","}
        The decimal mark, where nothing in the table tells.
    columns : mapping of str to str
        Our column names to the table's.
    cells : mapping of str to str
        Columns whose cells hold several figures, and what these are.
    treatment, control : str or list of str
        Of a table with one row per arm: which arms are compared.
    several_arms : {"combine", "split"} or None
        What becomes of several active arms of a trial.
    correlation : float, "derived" or None
        Of baseline and final values: changes are analysed.
    final_values : bool
        Whether final values are analysed although the table has baselines.
    design_effect, icc, cluster_size : float or None
        Of trials that randomised clusters.
    level : float or None
        Level of printed intervals.
    measure : str
        PLO for proportions and IRLN for rates of single arms.
    label : str
        What the effect is called in the report, e.g. "hazard ratio for death".
    likelihood : {"binomial", "hypergeometric", "poisson"} or None
        Of counts; by default Poisson for an IRR and binomial for the others.
    coding : {"half", "zero_one"}
        How a log odds ratio enters the arms of the binomial likelihood.
    df : float, Prior or None
        Degrees of freedom of Student-t study effects; a prior where they are unknown.
    distribution : {"normal", "lognormal"}
        Of patients within an arm, for continuous outcomes.
    quartiles : {7, 6}
        Definition of sample quantiles, where arms report them.
    effects : {"random", "common"}
        Whether studies have effects of their own; common for a single study.
    mu : Prior or Location
        The prior of the overall effect, or a table: a ``formula`` of covariates with the priors of
        its ``intercept`` and ``slopes``, or the groups ``by`` a column with the ``prior`` of each.
    at : list of mapping
        Where the effect is asked for, beside covariates, e.g. ``{ latitude = 20 }``; by default at
        the lowest, the mean and the highest value of each number.
    tau : Prior or ByGroup
        The prior of tau, or a table: a tau for each of the groups ``by`` a column, with the
        ``prior`` of each.
    tau, baseline : Prior
        Priors; the defaults are for ratios, and the baseline's is for counts, of each trial by
        itself, or ``Exchangeable(Normal(0, 10), HalfNormal(1))`` of all together.
    log_sd : Prior or None
        Of the logs of the arms' SDs, for continuous outcomes; flat if not given.
    why : mapping of str to str
        Reasons for the priors, by parameter.
    control_risk : float or None
        For absolute effects; the control arms' own if None.
    baseline_risk : float, str, or mapping of names to these
        What happens without the treatment, for absolute effects: a risk, a rate (of an IRR without
        `time`) or a mean; a distribution of it; ``"control arms"``, whose predictive it is then; a
        table of single arms outside the trials, e.g. ``"registry.csv"``, likewise; or ``"model"``,
        the counts' own model, where `baseline` is ``Exchangeable``. Several by their names, e.g.
        low and high, with a ``source``.
    threshold : float or None
        The least difference that matters, on the scale of the absolute differences.
    unit : str
        Of means; of an MD also without a baseline.
    surrogate : str
        Of what only stands for an outcome that matters, such as a biomarker: what it is, for the
        summary of findings.
    time : str
        Over what time a risk is.
    per : float or None
        Patients, or units of person-time, that absolute effects are for; 1,000, of means 1.
    sd : float or None
        For an SMD: the SD in the unit in which it is told.
    scenario : list of Scenario
    published : list of PublishedFigure
    risk_of_bias : Path or None
        A table of judgements of its studies, by RoB 2 or ROBINS-I, relative to the file.
    note : str
        What a reader should know.
    """

    name: FolderName
    title: Title
    better: Literal["lower", "higher"] | None = None
    event: str = "events"
    data: Annotated[Path, Field(strict=False)] | None = None
    kind: Literal["counts", "estimates", "continuous"] = "counts"
    sheet: str | None = None
    decimal: Literal["", ".", ","] = ""
    columns: dict[Column, str] = {}
    cells: dict[str, str] = {}
    treatment: Names = []
    control: str | None = None
    several_arms: Literal["combine", "split"] | None = None
    correlation: float | Literal["derived"] | None = None
    final_values: bool = False
    design_effect: Annotated[float, Field(ge=1)] | None = None
    icc: Annotated[float, Field(ge=0, le=1)] | None = None
    cluster_size: Annotated[float, Field(ge=1)] | None = None
    level: Annotated[float, Field(gt=0, lt=1)] | None = None
    measure: Annotated[
        Literal[
            "OR", "RR", "RD", "IRR", "HR", "MD", "SMD", "ROM", "RGM", "GEN", "RATIO", "PLO", "IRLN"
        ],
        AnyCase,
    ] = "RR"
    label: str = ""
    likelihood: Literal["binomial", "hypergeometric", "poisson"] | None = None
    coding: Literal["half", "zero_one"] = "half"
    df: DegreesOfFreedom | None = None
    mu: Expected | None = None
    at: list[dict[str, float | str]] = []
    tau: Scale | None = None
    baseline: BaselinesText | None = None
    log_sd: PriorText | None = None
    distribution: Literal["normal", "lognormal"] = "normal"
    quartiles: Literal[7, 6] = 7
    effects: Literal["random", "common"] = "random"
    why: dict[Literal["mu", "slopes", "tau", "baseline", "log_sd", "df"], str] = {}
    control_risk: Annotated[float, Field(gt=0, lt=1)] | None = None
    baseline_risk: Bases = None
    threshold: Positive | None = None
    unit: str = ""
    surrogate: str = ""
    time: str = ""
    per: Positive | None = None
    sd: Positive | None = None
    scenario: list[Scenario] = [Scenario(name="all studies")]
    published: list[PublishedFigure] = []
    risk_of_bias: Annotated[Path, Field(strict=False)] | None = None
    note: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unique("scenario", [one.name for one in self.scenario])
        unique("published label", [one.label for one in self.published])
        names = {one.name for one in self.scenario} | {"", "none"}
        for one in self.published:
            if one.compare_with not in names:
                raise ValueError(
                    f"published {shown(one.label)}: compare_with {shown(one.compare_with)} is "
                    "not a scenario."
                )
        self._check_direction()
        self._check_people()
        if self.data is None and self.risk_of_bias is not None:
            raise ValueError("risk_of_bias judges studies, and this outcome has no data.")
        if self.data is None:
            return self
        self._check_likelihood()
        self._check_priors()
        self._check_covariates()
        for one in self.published:
            self._check_beside(one)
        return self

    @property
    def answers_in(self) -> str:
        """The measure of the answer: the table's, or without one the first that a figure names."""
        named = [one.measure for one in self.published if one.measure]
        return named[0] if self.data is None and named else self.measure

    def _check_direction(self) -> None:
        """A direction of benefit for comparisons, and nothing of comparisons for single arms."""
        measure = self.answers_in
        given = [name for name in _OF_COMPARISONS if getattr(self, name) is not None]
        if MEASURES[measure].comparative:
            if self.better is None:
                raise ValueError("key 'better' is missing in [[outcome]]: 'lower' or 'higher'.")
        elif given:
            raise ValueError(
                f"leave out {' and '.join(given)}: {measure} is of single arms, which compare "
                "nothing."
            )

    def _check_people(self) -> None:
        asked = {name: getattr(self, name) for name in ("threshold", "unit", "time", "per", "sd")}
        if self.control_risk is not None:
            if self.baseline_risk is not None:
                raise ValueError("give baseline_risk or control_risk, not both.")
            del asked["threshold"], asked["per"]
        if self.baseline_risk is None and self.answers_in == "MD":
            del asked["unit"]  # a difference of means has it by itself
        if MODEL in self.baselines.values() and not isinstance(self.baseline, Exchangeable):
            raise ValueError(
                'baseline_risk = "model": each trial has its own baseline, and none is common; set '
                'baseline = "Exchangeable(Normal(0, 10), HalfNormal(1))", or baseline_risk = '
                '"control arms".'
            )
        check_people(self.answers_in, self.baseline_risk, time=self.time, sd=self.sd, asked=asked)

    @property
    def baselines(self) -> Mapping[str, Stated]:
        """What is stated of the baseline, by name; a single one has none."""
        return named(self.baseline_risk)

    @property
    def baseline_source(self) -> str:
        """Where the baselines come from, if that is said."""
        stated = self.baseline_risk
        return str(stated.get(SOURCE, "")) if isinstance(stated, dict) else ""

    def _check_likelihood(self) -> None:
        of_arms = self.log_sd or self.distribution != "normal" or self.quartiles != 7
        if of_arms and self.kind != "continuous":
            raise ValueError("distribution, quartiles and log_sd are for kind = 'continuous'.")
        if isinstance(self.tau, ByGroup) and getattr(self.mu, "by", None) != self.tau.by:
            raise ValueError(
                f"a tau for each {shown(self.tau.by)} goes with an effect for each: "
                f"mu = {{ by = {self.tau.by!r}, prior = 'Normal(0, 2)' }}, say."
            )
        if self.effects == "common" and (self.kind == "counts" or self.tau or self.df):
            raise ValueError(
                "effects = 'common' is for estimates and continuous outcomes, without tau and df."
            )
        if self.kind != "counts" and (self.likelihood or self.coding != "half"):
            raise ValueError("likelihood and coding are for kind = 'counts'.")
        self.of_arms()  # refuses what has no likelihood

    @property
    def reading(self) -> Reading:
        """How the table is to be read; its scenarios say which rows."""
        names = Reading.__dataclass_fields__.keys() - {"exclude", "treatment"}
        said = {name: getattr(self, name) for name in names}
        return Reading(treatment=tuple(self.treatment), **said)

    @property
    def words(self) -> Words:
        """What the model is asked to be."""
        return Words(
            measure=self.measure,
            likelihood=self.likelihood if self.kind == "counts" else self.distribution,
            coding=self.coding,
            effects=self.effects,
            mu=self.mu,  # pyright: ignore[reportArgumentType] - a table has become a location
            tau=self.tau,  # pyright: ignore[reportArgumentType] - a table has become a ByGroup
            baseline=self.baseline,
            log_sd=self.log_sd,
            df=self.df,
            quartiles=self.quartiles,
        )

    def of_arms(self) -> Likelihood | None:
        """The likelihood of the arms, given or by the measure; None for estimates."""
        if self.kind == "estimates":
            return None
        return likelihood_for(_TABLES[self.kind], self.words, Keys(self.kind))

    def _check_priors(self) -> None:
        check_priors(self.words, Keys(self.kind))
        try:
            two_stage(self.words)
        except BayesmetaError as error:
            raise ValueError(str(error)) from None

    @property
    def by_covariates(self) -> bool:
        """Whether effects are expected where covariates say."""
        return self.mu is not None and not isinstance(self.mu, Prior)

    def _check_covariates(self) -> None:
        """Refuse what is of one effect beside several, and places without covariates."""
        if not self.by_covariates:
            if self.at:
                raise ValueError("at is for a table mu, { formula = ... }; leave it out.")
            return
        given = [name for name in ("baseline_risk", "control_risk") if getattr(self, name)]
        if given:
            raise ValueError(
                f"leave out {given[0]}: it is for one overall effect, and mu depends on covariates."
            )

    def _check_beside(self, figure: PublishedFigure) -> None:
        """Refuse a figure beside ours that has another measure, or no standard error to match."""
        interval, beside = figure.published.has_interval, figure.compare_with
        if beside == "none":
            return
        if figure.measure == self.measure:
            if interval:
                figure.check_usable()
        elif beside and (figure.measure or interval):
            raise ValueError(
                f"published {shown(figure.label)}: compare_with needs the outcome's own measure, "
                f"{shown(self.measure)}, not {shown(figure.measure)}."
            )
