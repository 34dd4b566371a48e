"""Specifications: one TOML file per analysis, read into validated values."""

# pydantic locations mix names and numbers:
# pyright: reportArgumentType=false

import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self, final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    field_validator,
    model_validator,
)

from .effects import MEASURES, effect_sizes
from .errors import BayesmetaError, FileError, SpecError
from .model import NormalNormal
from .priors import HalfNormal, Normal, Prior, parse_prior
from .studies import Published

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _Block(BaseModel):
    """A table of the file: unknown keys are errors, ``true`` is no number and ``"1"`` neither."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _printable(cls, value: object) -> object:
        if isinstance(value, str) and _CONTROL.search(value):
            raise ValueError("it has a control character, which no file can show; remove it.")
        return value


def _prior(value: object) -> Prior:
    if isinstance(value, Prior):
        return value
    try:
        return parse_prior(str(value))
    except BayesmetaError as error:
        raise ValueError(str(error)) from None


def _df(value: object) -> float | Prior:
    if isinstance(value, str | Prior):
        return _prior(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"write a number, or a prior such as 'Gamma(2, 0.1)'; got {value!r}")


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _printed(value: object) -> object:
    if isinstance(value, str):
        return value
    raise ValueError(f'write the figure in quotes, as printed, e.g. "0.60"; got {value!r}')


type PriorText = Annotated[Prior, BeforeValidator(_prior)]
type DegreesOfFreedom = Annotated[float | Prior, PlainValidator(_df)]
type Names = Annotated[list[str], BeforeValidator(_listed)]
type Figure = Annotated[str, BeforeValidator(_printed)]
type Title = Annotated[str, Field(min_length=1)]
type Count = Annotated[int, Field(ge=1, le=10**9)]
type Column = Literal[
    "study", "variant", "events_treatment", "n_treatment", "events_control", "n_control",
    "time_treatment", "time_control",
    "y", "se", "estimate", "lower", "upper", "unit",
    "mean_treatment", "sd_treatment", "min_treatment", "q1_treatment", "median_treatment",
    "q3_treatment", "max_treatment",
    "mean_control", "sd_control", "min_control", "q1_control", "median_control",
    "q3_control", "max_control",
]  # fmt: skip


@final
class Scenario(_Block):
    """Which rows of the table an analysis uses.

    Attributes
    ----------
    name : str
    variant : str
        The reading of each study to use.
    replace : mapping of str to str
        Studies that use another reading instead.
    only : list of str
        If given, the studies to keep.
    where : mapping of str to str or list of str
        If given, values that a column must have.
    drop : mapping of str to str
        Studies to leave out, and why.
    note : str
        What the scenario is for.
    """

    name: Title
    variant: str = "main"
    replace: dict[str, str] = {}
    only: Names = []
    where: dict[str, Names] = {}
    drop: dict[str, str] = {}
    note: str = ""


@final
class PublishedFigure(_Block):
    """A published estimate, and what to do with it.

    Attributes
    ----------
    label : str
    figures
        As in :class:`Published`.
    compare_with : str
        The scenario it stands beside; the first one if empty; ``"none"`` for no comparison.
    alone : bool
        Whether to analyse it by itself, as the one study of a common-effect model.
    prior : Prior or None
        Of mu for that; the unit-information prior, its SD rounded to four significant digits, if
        `n` is given and no prior is.
    why : str
        Reason for the prior.
    """

    label: Title
    measure: str = ""
    estimate: Figure = ""
    lower: Figure = ""
    upper: Figure = ""
    prob: float = 0.95
    p: Figure = ""
    p_heterogeneity: Figure = ""
    i2: Figure = ""
    k: Count | None = None
    n: Count | None = None
    method: str = ""
    verdict: str = ""
    citation: str = ""
    compare_with: str = ""
    alone: bool = False
    prior: PriorText | None = None
    why: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        try:
            figure = self.published
        except BayesmetaError as error:
            raise ValueError(str(error)) from None
        if self.measure and self.measure not in MEASURES:
            raise ValueError(f"measure {self.measure!r} is not one of {', '.join(MEASURES)}.")
        if self.alone and not (figure.has_interval and self.measure):
            raise ValueError("alone = true needs measure, estimate, lower and upper.")
        if self.alone and self.prior is None and self.n is None:
            raise ValueError("alone = true needs a prior, or n for a unit-information prior.")
        if self.alone:
            _usable(self)
        return self

    @property
    def published(self) -> Published:
        """The figures as a value."""
        return Published(**{name: getattr(self, name) for name in Published.__dataclass_fields__})


@final
class Outcome(_Block):
    """One outcome: its data, model and comparisons.

    Attributes
    ----------
    name : str
        Short name, used in file names: lower-case letters, digits and hyphens.
    title : str
    better : {"lower", "higher"}
        Direction of benefit.
    event : str
        What is counted, in the plural, e.g. ``"deaths"``.
    data : Path or None
        CSV table, relative to the file; None for published figures only.
    kind : {"counts", "estimates", "continuous"}
        What the table holds.
    columns : mapping of str to str
        Our column names to the table's.
    level : float
        Level of the intervals in a table of estimates.
    measure : str
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
    mu, tau, baseline : Prior
        Priors; the defaults are for ratios, and the baseline's is for counts.
    log_sd : Prior or None
        Of the logs of the arms' SDs, for continuous outcomes; flat if not given.
    why : mapping of str to str
        Reasons for the priors, by parameter.
    control_risk : float or None
        For absolute effects; the control arms' own if None.
    scenario : list of Scenario
    published : list of PublishedFigure
    note : str
        What a reader should know.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
    title: Title
    better: Literal["lower", "higher"]
    event: str = "events"
    data: Annotated[Path, Field(strict=False)] | None = None
    kind: Literal["counts", "estimates", "continuous"] = "counts"
    columns: dict[Column, str] = {}
    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    measure: Literal[
        "OR", "RR", "RD", "IRR", "HR", "MD", "SMD", "ROM", "RGM", "GEN", "RATIO", "PLO", "IRLN"
    ] = "RR"
    label: str = ""
    likelihood: Literal["binomial", "hypergeometric", "poisson"] | None = None
    coding: Literal["half", "zero_one"] = "half"
    df: DegreesOfFreedom | None = None
    mu: PriorText | None = None
    tau: PriorText | None = None
    baseline: PriorText | None = None
    log_sd: PriorText | None = None
    distribution: Literal["normal", "lognormal"] = "normal"
    quartiles: Literal[7, 6] = 7
    effects: Literal["random", "common"] = "random"
    why: dict[Literal["mu", "tau", "baseline", "log_sd", "df"], str] = {}
    control_risk: Annotated[float, Field(gt=0, lt=1)] | None = None
    scenario: list[Scenario] = [Scenario(name="all studies")]
    published: list[PublishedFigure] = []
    note: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _unique("scenario", [one.name for one in self.scenario])
        _unique("published label", [one.label for one in self.published])
        names = {one.name for one in self.scenario} | {"", "none"}
        for one in self.published:
            if one.compare_with not in names:
                raise ValueError(
                    f"published {one.label!r}: compare_with {one.compare_with!r} is not a scenario."
                )
        if self.data is None:
            return self
        self._check_likelihood()
        self._check_priors()
        for one in self.published:
            self._check_beside(one)
        return self

    def _check_likelihood(self) -> None:
        if not MEASURES[self.measure].comparative:
            raise ValueError(
                f"{self.measure} is of single arms, which compare nothing and have no direction of "
                f"benefit: use bayesmeta fit TABLE --measure {self.measure}, or "
                "ProportionNormal or IncidenceNormal in Python."
            )
        self._check_kind()
        if self.kind != "counts":
            if self.likelihood or self.coding != "half":
                raise ValueError("likelihood and coding are for kind = 'counts'.")
            return
        measures = _MEASURES_OF[self.likelihood]
        if self.measure not in measures:
            raise ValueError(
                f"counts have measure {_either(measures)}{_with(self.likelihood)}, not "
                f"{self.measure!r}; a table of estimates needs kind = 'estimates'."
            )
        if self.coding != "half" and (self.measure, self.of_counts) != ("OR", "binomial"):
            raise ValueError("coding is for the OR of the binomial likelihood.")

    def _check_kind(self) -> None:
        """Refuse keys that are for another kind of table."""
        of_arms = self.log_sd or self.distribution != "normal" or self.quartiles != 7
        if of_arms and self.kind != "continuous":
            raise ValueError("distribution, quartiles and log_sd are for kind = 'continuous'.")
        if self.effects == "common" and (self.kind == "counts" or self.tau or self.df):
            raise ValueError(
                "effects = 'common' is for estimates and continuous outcomes, without tau and df."
            )
        if self.kind == "continuous" and self.measure not in _CONTINUOUS:
            raise ValueError(
                f"continuous outcomes have measure {_either(_CONTINUOUS)}, not "
                f"{self.measure!r}; a table of estimates needs kind = 'estimates'."
            )

    @property
    def of_counts(self) -> Literal["binomial", "hypergeometric", "poisson"]:
        """The likelihood of counts, given or by the measure."""
        return self.likelihood or ("poisson" if self.measure == "IRR" else "binomial")

    def _check_priors(self) -> None:
        lacking = self.mu is None or (self.tau is None and self.effects == "random")
        if not MEASURES[self.measure].log and lacking:
            example = {"RD": ("0.5", "0.1"), "SMD": ("1", "0.3")}.get(self.measure, ("20", "5"))
            raise ValueError(
                f"no default prior exists for {self.measure}, whose size depends on the units: "
                f"give mu and tau, e.g. mu = 'Normal(0, {example[0]})' and "
                f"tau = 'HalfNormal({example[1]})'."
            )
        try:
            NormalNormal(mu=self.mu_prior, tau=self.tau_prior, df=self.df)
        except BayesmetaError as error:
            raise ValueError(str(error)) from None

    def _check_beside(self, figure: PublishedFigure) -> None:
        """Refuse a figure beside ours that has another measure, or no standard error to match."""
        interval, beside = figure.published.has_interval, figure.compare_with
        if beside == "none":
            return
        if figure.measure == self.measure:
            if interval:
                _usable(figure)
        elif beside and (figure.measure or interval):
            raise ValueError(
                f"published {figure.label!r}: compare_with needs the outcome's own measure, "
                f"{self.measure!r}, not {figure.measure!r}."
            )

    @property
    def mu_prior(self) -> Prior:
        """The prior of mu, or the default for ratios."""
        return self.mu or Normal(0, 2)

    @property
    def baseline_prior(self) -> Prior:
        """The prior of the baselines of counts, or the default."""
        return self.baseline or Normal(0, 10)

    @property
    def tau_prior(self) -> Prior:
        """The prior of tau, or the default for ratios."""
        return self.tau or HalfNormal(0.5)


@final
class Sampler(_Block):
    """Settings of NUTS, as in the engine."""

    draws: Annotated[int, Field(ge=100, le=100_000)] = 1000
    tune: Annotated[int, Field(ge=100, le=100_000)] = 1000
    chains: Annotated[int, Field(ge=2, le=64)] = 4
    target_accept: Annotated[float, Field(ge=0.5, lt=1)] = 0.95


@final
class Specification(_Block):
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
    sampler : Sampler
    outcome : list of Outcome
    """

    title: Title
    question: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    prob: Annotated[float, Field(gt=0, lt=1)] = 0.95
    arms: Annotated[list[str], Field(min_length=2, max_length=2)] = ["treatment", "control"]
    limits: list[str] = []
    sampler: Sampler = Sampler()
    outcome: Annotated[list[Outcome], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _unique("outcome", [one.name for one in self.outcome])
        return self


@final
@dataclass(frozen=True, slots=True)
class Source:
    """A specification and the text it came from.

    Attributes
    ----------
    path : Path
    text : str
    specification : Specification
    """

    path: Path
    text: str
    specification: Specification


def load_specification(path: Path | str) -> Source:
    """Read a specification file.

    Parameters
    ----------
    path : Path or str
        TOML file. Paths in it are relative to its folder.

    Returns
    -------
    Source

    Raises
    ------
    FileError
        If the file cannot be read.
    SpecError
        If it is not a valid specification; the message gives the line.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise SpecError(f"{path} is not a text file in UTF-8; save it as UTF-8.") from None
    return Source(path, text, parse_specification(text, name=str(path)))


def parse_specification(text: str, *, name: str = "specification") -> Specification:
    """Validate the text of a specification; `name` stands for the file in messages."""
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: a whole number of 5,000 digits
        raise SpecError(f"{name} is not valid TOML: {error}.") from None
    try:
        return Specification.model_validate(content)
    except ValidationError as error:
        raise SpecError(_sentence(error, text, name)) from None


_MEASURES_OF: Mapping[str | None, tuple[str, ...]] = {
    None: ("OR", "RR", "RD", "IRR"),
    "binomial": ("OR", "RR", "RD"),
    "hypergeometric": ("OR",),
    "poisson": ("IRR",),
}


_CONTINUOUS = ("MD", "SMD", "ROM", "RGM")


def _either(names: Sequence[str]) -> str:
    *most, last = map(repr, names)
    return f"{', '.join(most)} or {last}" if most else last


def _with(likelihood: str | None) -> str:
    return f" with likelihood = {likelihood!r}" if likelihood else ""


def _unique(what: str, names: Sequence[str]) -> None:
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise ValueError(f"{what} {repeated[0]!r} stands twice; give each its own name.")


def _usable(figure: PublishedFigure) -> None:
    try:
        effect_sizes(figure.published)
    except BayesmetaError as error:
        raise ValueError(f"published {figure.label!r}: {error}") from None


_BLOCKS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): Specification,
    ("sampler",): Sampler,
    ("outcome",): Outcome,
    ("outcome", "scenario"): Scenario,
    ("outcome", "published"): PublishedFigure,
}

_WORDS = {
    "string_type": "must be text in quotes",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must be lower-case letters, digits and hyphens, e.g. 'mortality'",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false, without quotes",
    "path_type": "must be a file name in quotes",
    "dict_type": "must be a table of keys and values in braces",
    "model_type": "must be a table of keys and values",
    "list_type": "must be a list in brackets",
}

_SHOULD = re.compile("^(Input|List) should")


def _sentence(error: ValidationError, text: str, name: str) -> str:
    """One sentence for the first problem, with its line; a misspelt key explains a missing one."""
    problems = error.errors(include_url=False)
    first = next((one for one in problems if one["type"] == "extra_forbidden"), problems[0])
    line = _line_of(text, [part for part in first["loc"] if part != "[key]"])
    place = f"{name}, line {line}" if line else name
    more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{place}: {_explain(dict(first), first['loc'])}{more}"


def _explain(problem: Mapping[str, object], where: tuple[int | str, ...]) -> str:
    kind, message = str(problem["type"]), str(problem["msg"])
    named = [part for part in where if isinstance(part, str) and part != "[key]"]
    key, tables = (named[-1], tuple(named[:-1])) if named else ("", ())
    if kind == "extra_forbidden":
        return _unknown(key, tables, list(_BLOCKS[tables].model_fields))
    if where[-1:] == ("[key]",):
        return _unknown(key, tables, re.findall(r"'(\w+)'", message))
    if kind == "missing":
        return f"key {key!r} is missing{_in_table(tables)}."
    if kind == "value_error":
        whole = not where or isinstance(where[-1], int)
        said = message.removeprefix("Value error, ").rstrip(".")
        return f"{said}." if whole else f"{key}: {said}."
    if (key, kind) == ("outcome", "list_type"):
        return "outcome must be a list: write [[outcome]], with two brackets."
    wanted = _WORDS.get(kind, _SHOULD.sub("must", message).replace(" after validation", ""))
    return f"{key} {wanted}{_got(problem['input'])}."


def _got(value: object) -> str:
    shown = repr(value)
    return f"; got {shown}" if len(shown) <= 60 else ""


def _unknown(key: str, tables: tuple[str, ...], known: Sequence[str]) -> str:
    """Say what a key that is not known here was meant to be."""
    homes = [place for place, block in _BLOCKS.items() if key in block.model_fields]
    near = get_close_matches(key, known, n=1)
    if homes and tables in _BLOCKS:
        hint = f"it belongs{_in_table(homes[0]) or ' at the top of the file, above every [table]'}."
    elif near:
        hint = f"did you mean {near[0]!r}?"
    else:
        hint = f"known are {', '.join(known)}."
    return f"unknown key {key!r}{_in_table(tables)}; {hint}"


def _in_table(tables: tuple[str, ...]) -> str:
    if not tables:
        return ""
    name = ".".join(tables)
    return f" in [[{name}]]" if tables[0] == "outcome" else f" in [{name}]"


# What may hide a bracket or the end of a line: strings and comments.
_MARK = re.compile(
    r"""
    "{3} (?: [^\\] | \\. )*? "{3,5} | \'{3} .*? \'{3,5}
    | " (?: [^"\\\n] | \\. )* " | ' [^'\n]* '
    | \# [^\n]* | [][{}\n]
    """,
    re.DOTALL | re.VERBOSE,
)


def _line_of(text: str, where: Sequence[int | str]) -> int | None:
    """Line of a key, or of the table that lacks it: TOML readers keep no positions.

    It is where the first statement starts with which the text so far holds the key.
    """
    statements = _statements(text)
    found = list(where)
    while found and not _holds(text, found):
        found.pop()
    if not found:
        return None
    first = bisect_left(statements, True, key=lambda ends: _holds(text[: ends[1]], found))
    return text.count("\n", 0, statements[first][0]) + 1


def _statements(text: str) -> list[tuple[int, int]]:
    """Where each statement of a valid TOML text starts and ends."""
    found, start, depth = [], 0, 0
    for mark in _MARK.finditer(text):
        depth += (mark[0] in "[{") - (mark[0] in "]}")
        if mark[0] == "\n" and depth == 0:
            found.append((start, mark.end()))
            start = mark.end()
    return [*found, (start, len(text))]


def _holds(text: str, where: Sequence[int | str]) -> bool:
    content = tomllib.loads(text)
    try:
        for part in where:
            content = content[part]
    except (KeyError, IndexError, TypeError):
        return False
    return True
