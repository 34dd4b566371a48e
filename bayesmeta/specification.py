"""Specifications: one TOML file per analysis, read into validated values."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self, final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from .effects import MEASURES
from .errors import BayesmetaError, FileError, SpecError
from .priors import HalfNormal, Normal, Prior, parse_prior
from .studies import Published


class _Block(BaseModel):
    """A table of the file: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _prior(value: object) -> Prior:
    if isinstance(value, Prior):
        return value
    try:
        return parse_prior(str(value))
    except BayesmetaError as error:
        raise ValueError(str(error)) from None


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


type PriorText = Annotated[Prior, BeforeValidator(_prior)]
type Names = Annotated[list[str], BeforeValidator(_listed)]
type Figure = Annotated[str, BeforeValidator(lambda value: value)]


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

    name: str
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
        Of mu for that; the unit-information prior if `n` is given and no prior is.
    why : str
        Reason for the prior.
    """

    label: str
    measure: str = ""
    estimate: Figure = ""
    lower: Figure = ""
    upper: Figure = ""
    prob: float = 0.95
    p: Figure = ""
    p_heterogeneity: Figure = ""
    i2: Figure = ""
    k: int | None = None
    n: int | None = None
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
    kind : {"counts", "estimates"}
        What the table holds.
    columns : mapping of str to str
        Our column names to the table's.
    measure : str
    mu, tau, baseline : Prior
        Priors; the defaults are for ratios.
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
    title: str
    better: Literal["lower", "higher"]
    event: str = "events"
    data: Path | None = None
    kind: Literal["counts", "estimates"] = "counts"
    columns: dict[str, str] = {}
    measure: Literal["OR", "RR", "RD", "IRR", "HR", "MD", "SMD", "ROM", "GEN"] = "RR"
    mu: PriorText | None = None
    tau: PriorText | None = None
    baseline: PriorText = Normal(0, 10)
    why: dict[Literal["mu", "tau", "baseline"], str] = {}
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
        if self.kind == "counts" and self.measure not in ("OR", "RR"):
            raise ValueError(f"counts have measure 'OR' or 'RR', not {self.measure!r}.")
        if not MEASURES[self.measure].log and (self.mu is None or self.tau is None):
            raise ValueError(
                f"no default prior exists for {self.measure}, whose size depends on the units: "
                "give mu and tau, e.g. mu = 'Normal(0, 20)' and tau = 'HalfNormal(5)'."
            )
        return self

    @property
    def mu_prior(self) -> Prior:
        """The prior of mu, or the default for ratios."""
        return self.mu or Normal(0, 2)

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

    title: str
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
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SpecError(f"{name} is not valid TOML: {error}.") from None
    try:
        return Specification.model_validate(content)
    except ValidationError as error:
        raise SpecError(_sentence(error, text, name)) from None


def _unique(what: str, names: Sequence[str]) -> None:
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise ValueError(f"{what} {repeated[0]!r} stands twice; give each its own name.")


def _sentence(error: ValidationError, text: str, name: str) -> str:
    """One sentence for the first problem, with its line."""
    first = error.errors(include_url=False)[0]
    where = tuple(part for part in first["loc"] if part != "[key]")
    line = _line_of(text, where)
    place = f"{name}, line {line}" if line else name
    key = where[-1] if where and isinstance(where[-1], str) else ""
    more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{place}: {_explain(dict(first), key, where)}{more}"


def _explain(problem: Mapping[str, object], key: str, where: tuple[int | str, ...]) -> str:
    kind, message = str(problem["type"]), str(problem["msg"])
    if kind == "extra_forbidden":
        known = _keys_at(where[:-1])
        near = get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}."
        return f"unknown key {key!r}; {hint}"
    if kind == "missing":
        return f"key {key!r} is missing{_in_table(where)}."
    message = message.removeprefix("Value error, ").rstrip(".")
    return f"{key}: {message}." if key else f"{message}."


def _in_table(where: tuple[int | str, ...]) -> str:
    tables = [str(part) for part in where[:-1] if isinstance(part, str)]
    return f" in [[{'.'.join(tables)}]]" if tables else ""


def _keys_at(where: tuple[int | str, ...]) -> list[str]:
    """Keys known to the table at a location of the file."""
    blocks: dict[tuple[str, ...], type[BaseModel]] = {
        (): Specification,
        ("sampler",): Sampler,
        ("outcome",): Outcome,
        ("outcome", "scenario"): Scenario,
        ("outcome", "published"): PublishedFigure,
    }
    tables = tuple(part for part in where if isinstance(part, str))
    return list(blocks[tables].model_fields) if tables in blocks else []


def _line_of(text: str, where: Sequence[int | str]) -> int | None:
    """Line of a key, or of the table that lacks it: TOML readers keep no positions."""
    counts: dict[tuple[str, ...], int] = {}
    here: tuple[int | str, ...] = ()
    best: tuple[int, int] | None = (0, 1) if where else None
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line.startswith("["):
            here = _header(line, counts)
            depth = len(here) if tuple(where[: len(here)]) == here else 0
        else:
            key = line.partition("=")[0].strip().strip("\"'").split(".")[0]
            full = (*here, key)
            depth = len(full) if "=" in line and tuple(where[: len(full)]) == full else 0
        if best is not None and depth > best[0]:
            best = depth, number
    return best[1] if best else None


def _header(line: str, counts: dict[tuple[str, ...], int]) -> tuple[int | str, ...]:
    """Location that a ``[table]`` or ``[[table]]`` line opens, with the index of each list."""
    many = line.startswith("[[")
    names = tuple(part.strip().strip("\"'") for part in line.strip("[]# ").split("]")[0].split("."))
    if many:
        counts[names] = counts.get(names, -1) + 1
        for deeper in [
            key for key in counts if len(key) > len(names) and key[: len(names)] == names
        ]:
            del counts[deeper]
    place: list[int | str] = []
    for depth, part in enumerate(names, start=1):
        place.append(part)
        if names[:depth] in counts:
            place.append(counts[names[:depth]])
    return tuple(place)
