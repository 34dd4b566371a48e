"""One specification to every result, in order."""

# pandas types a cell, a column and a table as unions of everything:
# pyright: reportArgumentType=false
# pyright: reportOptionalMemberAccess=false

import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any

import numpy as np

from .checks import Checks, check
from .decision import absolute_effects, pooled_control_risk
from .effects import EffectSizes, convert_quantiles, effect_sizes
from .engines import NUTS, default_engine, device, fit, prepare
from .errors import BayesmetaError, ColumnError, DataError, FileError, ModelError, SpecError
from .evidence import (
    bayes_factors,
    mean_weights,
    quartile_definitions,
    width_penalty,
    zero_studies,
)
from .explanation import Explanation, explain
from .files import read_table
from .frequentist import (
    FrequentistFit,
    common_effect,
    influence,
    random_effects,
    small_study_tests,
    tau2_interval,
)
from .implications import AGREE, engines_agree, hold
from .model import (
    BinomialNormal,
    CommonEffect,
    ContinuousCommonEffect,
    ContinuousNormal,
    Data,
    HypergeometricNormal,
    Model,
    NormalNormal,
    PoissonNormal,
)
from .posterior import Check, Posterior
from .priors import Flat, Normal
from .results import (
    Evidence,
    OutcomeResult,
    PublishedResult,
    Results,
    Robustness,
    ScenarioResult,
)
from .results.tables import outcome_tables
from .specification import Outcome, PublishedFigure, Scenario, Source, Specification
from .studies import (
    MAIN,
    BinaryStudies,
    ContinuousStudies,
    PersonTimeStudies,
    Published,
    Studies,
    takes_quantiles,
)
from .summaries import prob_benefit

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["models_of", "run"]

type Progress = Callable[[str, str], None]

COUNTS_LABELS = {
    "binomial": "counts (binomial–normal)",
    "hypergeometric": "counts (hypergeometric–normal)",
    "poisson": "counts (Poisson–normal)",
}
NUTS_LABEL = "the same by NUTS"
ARMS_LABEL = "arms (SDs estimated)"
TWO_STAGE_LABEL = "two-stage (normal–normal)"
COMMON_LABEL = ", one common effect"
FREQUENTIST = (
    "Mantel–Haenszel",
    "Mantel–Haenszel, ½ added",
    "inverse variance",
    "DerSimonian–Laird",
    "REML",
)
ENOUGH_FOR_SMALL = 10  # studies, for tests of small-study effects (Sterne et al. 2011)
PROGRAMS = ("bayesmeta", "numpy", "scipy", "jax", "pymc", "blackjax", "arviz", "xarray", "pandas")


def run(source: Source, *, progress: Progress = lambda outcome, step: None) -> Results:
    """Do everything a specification asks for.

    Parameters
    ----------
    source : Source
        From ``load_specification``.
    progress : callable
        Called with the outcome's title and the step about to start.

    Returns
    -------
    Results

    Raises
    ------
    FileError, DataError, ModelError
        If a table cannot be read or used; nothing is returned then.
    """
    spec = source.specification
    folder = source.path.parent
    for outcome in spec.outcome:
        _check_labels(outcome)
    hashes = _hashes(source)
    frames = {
        outcome.name: _read(outcome, folder) for outcome in spec.outcome if outcome.data is not None
    }
    outcomes = _outcomes(spec, frames, progress)
    found = Results(
        title=spec.title,
        question=spec.question,
        arms=(spec.arms[0], spec.arms[1]),
        limits=tuple(spec.limits),
        seed=spec.seed,
        prob=spec.prob,
        outcomes=outcomes,
        versions={
            "python": python_version(),
            **{name: metadata.version(name) for name in PROGRAMS},
        },
        hashes=hashes,
        device=device() if any(_sampled(outcome) for outcome in outcomes) else "not used",
        specification=source.text,
    )
    progress(spec.title, "figures held against one another")
    return hold(found)


def _outcomes(
    spec: Specification, frames: "Mapping[str, pd.DataFrame]", progress: Progress
) -> tuple[OutcomeResult, ...]:
    """Integrate outcome after outcome while their second source samples in the background."""
    with ThreadPoolExecutor(max_workers=1) as background:
        try:
            asked = {
                outcome.name: source
                for outcome in spec.outcome
                if (source := _second_source(spec, outcome, frames)) is not None
            }
            if asked:
                prepare()
            second = {name: background.submit(fit, *source) for name, source in asked.items()}
            done = [
                _outcome(spec, outcome, frames.get(outcome.name), progress)
                for outcome in spec.outcome
            ]
            return tuple(_finish(spec, one, second.get(one.name), progress) for one in done)
        finally:
            background.shutdown(wait=False, cancel_futures=True)


def _second_source(
    spec: Specification, outcome: Outcome, frames: "Mapping[str, pd.DataFrame]"
) -> tuple[Model, Data, NUTS] | None:
    """What NUTS fits beside an exact answer: the counts of the main scenario, if there are any."""
    model = next(iter(models_of(outcome).values()), None)
    if model is None or model.takes is EffectSizes or isinstance(default_engine(model), NUTS):
        return None
    scenario, frame = outcome.scenario[0], frames[outcome.name]
    data, _ = _data(outcome, frame, select(frame, outcome, scenario), [])
    if isinstance(data, ContinuousStudies) and _by_quantiles(model, data):
        return None  # minutes by NUTS; tests hold the exact engine to it
    return model, data, _nuts(spec, outcome.name, scenario.name)


def _by_quantiles(model: Model, data: ContinuousStudies) -> bool:
    arms: str = getattr(model, "arms", "normal")
    return any(takes_quantiles(data, arm, arms).any() for arm in data.arms)


def _finish(
    spec: Specification,
    outcome: OutcomeResult,
    second: "Future[Posterior] | None",
    progress: Progress,
) -> OutcomeResult:
    """Add the second source behind the answer it is held to, and make the tables."""
    if second is not None:
        progress(outcome.title, "NUTS, the second source")
        main, *others = outcome.scenarios
        main = _with_second(main, second.result())
        outcome = replace(outcome, scenarios=(main, *others))
    return replace(outcome, tables=outcome_tables(outcome, prob=spec.prob))


def _check_labels(outcome: Outcome) -> None:
    """A published figure with the label of one of our fits would take its place in the tables."""
    ours = (*COUNTS_LABELS.values(), ARMS_LABEL, NUTS_LABEL, TWO_STAGE_LABEL, *FREQUENTIST)
    for figure in outcome.published:
        if any(figure.label == label or figure.label.startswith(f"{label}, ") for label in ours):
            raise SpecError(
                f"{outcome.name}: published label {figure.label!r} is the name of one of our own "
                "fits; name the paper, e.g. 'Smith 2024'."
            )


def models_of(outcome: Outcome) -> Mapping[str, Model]:
    """The models of an outcome by label; the first is the answer."""
    if outcome.data is None:
        return {}
    if outcome.effects == "common":
        return _with_one_effect(outcome)
    two_stage = NormalNormal(mu=outcome.mu_prior, tau=outcome.tau_prior, df=outcome.df)
    if outcome.kind == "estimates":
        return {TWO_STAGE_LABEL: two_stage}
    if outcome.kind == "continuous":
        arms = ContinuousNormal(
            mu=outcome.mu_prior, tau=outcome.tau_prior, df=outcome.df, **_of_arms(outcome)
        )
        return {ARMS_LABEL: arms, TWO_STAGE_LABEL: two_stage}
    return {COUNTS_LABELS[outcome.of_counts]: _of_counts(outcome), TWO_STAGE_LABEL: two_stage}


def _with_one_effect(outcome: Outcome) -> Mapping[str, Model]:
    two_stage = {TWO_STAGE_LABEL + COMMON_LABEL: CommonEffect(mu=outcome.mu_prior)}
    if outcome.kind == "estimates":
        return two_stage
    arms = ContinuousCommonEffect(mu=outcome.mu_prior, **_of_arms(outcome))
    return {ARMS_LABEL + COMMON_LABEL: arms, **two_stage}


def _of_arms(outcome: Outcome) -> dict[str, Any]:
    return {
        "measure": outcome.measure,
        "arms": outcome.distribution,
        "log_sd": outcome.log_sd,
        "baseline": outcome.baseline,
        "quartiles": outcome.quartiles,
    }


def _of_counts(outcome: Outcome) -> Model:
    mu, tau, df = outcome.mu_prior, outcome.tau_prior, outcome.df
    if outcome.of_counts == "hypergeometric":
        return HypergeometricNormal(mu=mu, tau=tau, df=df)
    if outcome.of_counts == "poisson":
        return PoissonNormal(mu=mu, tau=tau, baseline=outcome.baseline_prior, df=df)
    return BinomialNormal(
        measure=outcome.measure,
        mu=mu,
        tau=tau,
        baseline=outcome.baseline_prior,
        coding=outcome.coding,
        df=df,
    )


def select(
    frame: "pd.DataFrame", outcome: Outcome, scenario: Scenario
) -> Mapping[tuple[str, str], str]:
    """Rows of the table a scenario leaves out, with the reason, by (study, variant)."""
    named = outcome.columns
    study_column = named.get("study", "study")
    variant_column = named.get("variant", "variant")
    for column in (study_column, *scenario.where):
        if column not in frame:
            raise DataError(
                f"{outcome.data}: the table has no column {column!r}; it has {', '.join(frame)}."
            )
    studies = frame[study_column].astype(str)
    variants = frame.get(variant_column, studies.map(lambda _: MAIN)).fillna(MAIN).astype(str)
    _check_names(outcome, scenario, set(studies), set(zip(studies, variants, strict=True)))
    reasons: dict[tuple[str, str], str] = {}
    for position, key in enumerate(zip(studies, variants, strict=True)):
        reason = _reason(key, frame.iloc[position], scenario)
        if reason is not None:
            reasons[key] = reason
    return reasons


def _reason(key: tuple[str, str], row: "pd.Series", scenario: Scenario) -> str | None:
    study, variant = key
    wanted = scenario.replace.get(study, scenario.variant)
    if study in scenario.drop:
        return scenario.drop[study]
    if scenario.only and study not in scenario.only:
        return f"not in “{scenario.name}”"
    if variant != wanted:
        return f"row “{variant}”, not the reading used"
    for column, values in scenario.where.items():
        if str(row[column]) not in values:
            return f"{column} is {row[column]}"
    return None


def _check_names(
    outcome: Outcome, scenario: Scenario, studies: set[str], keys: set[tuple[str, str]]
) -> None:
    """Every study and reading a scenario names must be a row."""
    unknown = [name for name in (*scenario.only, *scenario.drop) if name not in studies]
    unknown += [
        f"{key} as {value!r}" for key, value in scenario.replace.items() if (key, value) not in keys
    ]
    if unknown:
        raise DataError(
            f"{outcome.name}, scenario {scenario.name!r} names {unknown[0]}, which is not a row of "
            "the table; check the spelling."
        )


def _read(outcome: Outcome, folder: Path) -> "pd.DataFrame":
    assert outcome.data is not None
    return read_table(folder / outcome.data)


def _outcome(
    spec: Specification, outcome: Outcome, frame: "pd.DataFrame | None", progress: Progress
) -> OutcomeResult:
    scenarios: tuple[ScenarioResult, ...] = ()
    models = models_of(outcome)
    if frame is not None:
        scenarios = tuple(
            _scenario(spec, outcome, models, frame, one, progress) for one in outcome.scenario
        )
    progress(outcome.title, "published figures")
    first = outcome.scenario[0].name if frame is not None else ""
    published = tuple(_published(outcome, one, first, scenarios) for one in outcome.published)
    main = scenarios[0] if scenarios else None
    return OutcomeResult(
        name=outcome.name,
        title=outcome.title,
        event=outcome.event,
        measure=_measure(outcome),
        better=outcome.better,
        note=outcome.note,
        label=outcome.label,
        models=models,
        why=dict(outcome.why),
        scenarios=scenarios,
        published=published,
        sources=frame,
        evidence=_evidence(spec, outcome, main, progress) if main is not None else Evidence(),
        checks=_checks(spec, outcome, main, progress) if main is not None else Checks(),
        **(_absolute(spec, outcome, main, progress) if main is not None else {}),
    )


def _measure(outcome: Outcome) -> str:
    if outcome.data is not None:
        return outcome.measure
    named = [one.measure for one in outcome.published if one.measure]
    return named[0] if named else outcome.measure


def _checks(
    spec: Specification, outcome: Outcome, main: ScenarioResult, progress: Progress
) -> Checks:
    """Every check of the answer."""
    progress(outcome.title, "predictive checks")
    engine = None if main.answer.exact else _nuts(spec, outcome.name, "left out")
    return check(main.answer, seed=spec.seed, prob=spec.prob, engine=engine)


def _absolute(
    spec: Specification, outcome: Outcome, main: ScenarioResult, progress: Progress
) -> dict[str, object]:
    """Absolute effects: for ratios of binary counts alone."""
    data, answer = main.data, main.answer
    if not isinstance(data, BinaryStudies):
        return {}
    progress(outcome.title, "absolute effects")
    risk = outcome.control_risk or pooled_control_risk(data)
    if not (np.isfinite(risk) and outcome.measure in ("OR", "RR")):
        return {}
    origin = "given by the specification" if outcome.control_risk else "all control arms together"
    found = absolute_effects(answer, control_risk=risk, better=outcome.better, prob=spec.prob)
    return {"absolute": found, "control_risk_origin": origin}


def _evidence(
    spec: Specification, outcome: Outcome, main: ScenarioResult, progress: Progress
) -> Evidence:
    """What the answer rests on; weights only of the normal model, where they cost no fit."""
    progress(outcome.title, "Bayes factors, weights, studies without events")
    factors, why_none = None, ""
    try:
        factors = bayes_factors(main.answer)
    except ModelError as error:
        why_none = str(error)
    normal = main.posteriors.get(TWO_STAGE_LABEL)
    cheap = outcome.df is None and isinstance(outcome.mu_prior, Normal | Flat)
    weights = mean_weights(normal) if normal is not None and cheap else None
    zeros = _zeros(spec, outcome, main)
    found = Evidence(factors=factors, why_none=why_none, weights=weights, zeros=zeros)
    data = main.answer.data
    if isinstance(data, ContinuousStudies) and _by_quantiles(main.answer.model, data):
        penalty = width_penalty(main.answer, prob=spec.prob)
        definitions = quartile_definitions(main.answer, prob=spec.prob)
        found = replace(found, penalty=penalty, definitions=definitions)
    return found


def _zeros(spec: Specification, outcome: Outcome, main: ScenarioResult) -> "pd.DataFrame | None":
    data = main.answer.data
    if not isinstance(data, Studies):
        return None
    if not any((values == 0).any() for values in data.numbers.values()):
        return None
    engine = None if main.answer.exact else _nuts(spec, outcome.name, "zeros")
    return zero_studies(main.answer, prob=spec.prob, engine=engine)


def _table_of(outcome: Outcome) -> type[Studies | ContinuousStudies]:
    if outcome.kind == "continuous":
        return ContinuousStudies
    takes = _of_counts(outcome).takes
    assert issubclass(takes, Studies)
    return takes


def _scenario(
    spec: Specification,
    outcome: Outcome,
    models: Mapping[str, Model],
    frame: "pd.DataFrame",
    scenario: Scenario,
    progress: Progress,
) -> ScenarioResult:
    exclude = select(frame, outcome, scenario)
    refusals: list[str] = []
    data, effects = _data(outcome, frame, exclude, refusals)
    posteriors: dict[str, Posterior] = {}
    for label, model in models.items():
        on = effects if model.takes is EffectSizes else data
        if on is None:
            continue
        progress(outcome.title, f"{scenario.name}: {label}")
        engine = default_engine(model)
        if isinstance(engine, NUTS):
            engine = _nuts(spec, outcome.name, scenario.name)
        posteriors[label] = fit(model, on, engine)
    return ScenarioResult(
        name=scenario.name,
        note=scenario.note,
        data=data,
        excluded=data.excluded,
        posteriors=posteriors,
        frequentist=_frequentist(outcome, data, effects, refusals),
        refusals=tuple(refusals),
        robustness=_robustness(effects, data, outcome.measure),
    )


def _robustness(effects: EffectSizes | None, data: Data, measure: str) -> Robustness:
    """What single studies and small ones do to the two-stage estimate, where it can be said."""
    if effects is None or effects.k < 3:
        return Robustness()
    small = None
    if effects.k >= ENOUGH_FOR_SMALL:
        counts = isinstance(data, BinaryStudies)
        try:
            small = small_study_tests(data if counts else effects, measure=measure)
        except DataError:
            small = None  # standard errors all equal, say: there is nothing to regress on
    return Robustness(
        tau2_interval=tau2_interval(effects), influence=influence(effects), small_study=small
    )


def _with_second(main: ScenarioResult, drawn: Posterior) -> ScenarioResult:
    """Put the second source behind the answer: held to it if it converged, else a caution."""
    converged = drawn.diagnostics.passed
    held = _held_to(main.answer, drawn) if converged else drawn
    (label, answer), *rest = main.posteriors.items()
    return replace(
        main,
        posteriors={label: answer, NUTS_LABEL: held, **dict(rest)},
        unconverged="" if converged else NUTS_LABEL,
    )


def _held_to(exact: Posterior, drawn: Posterior) -> Posterior:
    """Add the agreement of two engines to the numerical gates of the sampled one."""
    apart = {
        pair.where: AGREE * abs(pair.one - pair.other) / pair.tolerance
        for pair in engines_agree(exact, drawn)
    }
    if not apart:
        return drawn
    where = max(apart, key=apart.__getitem__)
    check = Check("apart from exact, in MCSE", where, apart[where], AGREE, at_most=True)
    first = (*drawn.diagnostics.first, check)
    return replace(drawn, diagnostics=replace(drawn.diagnostics, first=first))


def _data(
    outcome: Outcome,
    frame: "pd.DataFrame",
    exclude: Mapping[tuple[str, str], str],
    refusals: list[str],
) -> tuple[Studies | ContinuousStudies | EffectSizes, EffectSizes | None]:
    """The studies, and the estimates made of them (None where nothing can be estimated)."""
    columns = outcome.columns
    try:
        if outcome.kind == "estimates":
            made = EffectSizes.from_frame(
                frame,
                columns=columns,
                measure=outcome.measure,
                prob=outcome.level,
                exclude=exclude,
            )
            return made, made
        studies = _table_of(outcome).from_frame(frame, columns=columns, exclude=exclude)
    except ColumnError as error:
        raise DataError(
            f"{outcome.data}: {error.lacks} Rename it, or say which column to use under "
            f'[outcome.columns]: {error.ours} = "...".'
        ) from None
    except DataError as error:
        raise DataError(f"{outcome.data}: {error}") from None
    try:
        return studies, _estimates(studies, outcome.measure)
    except DataError as error:
        refusals.append(f"Two-stage analyses: {error}")
        return studies, None


def _estimates(studies: Studies | ContinuousStudies, measure: str) -> EffectSizes:
    """Estimates of the studies; of quantiles after their conversion, which ``how`` names."""
    if isinstance(studies, ContinuousStudies):
        studies = convert_quantiles(studies)
    return effect_sizes(studies, measure=measure)


def _frequentist(
    outcome: Outcome, data: Data, effects: EffectSizes | None, refusals: list[str]
) -> Mapping[str, FrequentistFit]:
    asked: dict[str, Callable[[], FrequentistFit]] = {}
    measure = outcome.measure
    if isinstance(data, BinaryStudies | PersonTimeStudies):
        asked["Mantel–Haenszel"] = lambda: common_effect(data, weights="MH", measure=measure)
    if isinstance(data, BinaryStudies) and measure in ("OR", "RR"):
        asked["Mantel–Haenszel, ½ added"] = lambda: common_effect(
            data, weights="MH", measure=measure, zero_cells="if_needed"
        )
    if effects is not None:
        asked["inverse variance"] = lambda: common_effect(effects)
    if effects is not None and outcome.effects == "random":
        asked |= {
            "DerSimonian–Laird": lambda: random_effects(effects, tau2="DL", interval="Wald"),
            "REML": lambda: random_effects(effects),
        }
    fits: dict[str, FrequentistFit] = {}
    for label, ask in asked.items():
        try:
            fits[label] = ask()
        except BayesmetaError as error:
            refusals.append(f"{label}: {error}")
    return fits


def _published(
    outcome: Outcome, figure: PublishedFigure, first: str, scenarios: Sequence[ScenarioResult]
) -> PublishedResult:
    printed = figure.published
    posterior = None
    why = figure.why
    if figure.alone:
        data = effect_sizes(printed)
        prior = figure.prior
        if prior is None:
            assert figure.n is not None
            prior = unit_information(float(data.se[0]), figure.n)
            why = why or (
                f"unit-information prior: as vague as one of the {figure.n} patients "
                "(Kass & Wasserman 1995, JASA 90:928)"
            )
        posterior = fit(CommonEffect(mu=prior), data)
    beside = figure.compare_with or (
        first if printed.has_interval and figure.measure == outcome.measure else ""
    )
    return PublishedResult(
        label=figure.label,
        published=printed,
        compare_with="" if beside == "none" else beside,
        posterior=posterior,
        prob_benefit=prob_benefit(posterior["mu"], outcome.better) if posterior else np.nan,
        why=why,
        note=figure.note,
        explanation=_explanation(outcome, printed, beside, scenarios),
    )


def unit_information(se: float, n: int) -> Normal:
    """Return the prior that is as vague as one of `n` patients behind a standard error.

    Its SD, se √n, is rounded to four significant digits: the prior that is printed is the one
    that is used.

    References
    ----------
    Kass RE, Wasserman L (1995). J Am Stat Assoc 90:928-934.

    Examples
    --------
    >>> from bayesmeta.analysis import unit_information
    >>> unit_information(8.13, 88)
    Normal(0, 76.27)
    """
    return Normal(0, float(f"{se * np.sqrt(n):.4g}"))


def _explanation(
    outcome: Outcome, printed: Published, beside: str, scenarios: Sequence[ScenarioResult]
) -> Explanation | None:
    """What gives the printed figure from the scenario it stands beside, if anything can."""
    data = next((one.data for one in scenarios if one.name == beside), None)
    if data is None or not printed.has_interval or printed.measure != outcome.measure:
        return None
    try:
        return explain(data, printed)  # pyright: ignore[reportArgumentType]
    except BayesmetaError:
        return None  # the comparison stands without it


def _nuts(spec: Specification, outcome: str, scenario: str) -> NUTS:
    """NUTS with a seed of its own for each fit, that does not depend on the order of fits."""
    seed = zlib.crc32(f"{spec.seed}/{outcome}/{scenario}".encode())
    sampler = spec.sampler
    return NUTS(
        seed=seed,
        draws=sampler.draws,
        tune=sampler.tune,
        chains=sampler.chains,
        target_accept=sampler.target_accept,
    )


def _sampled(outcome: OutcomeResult) -> bool:
    return any(not posterior.exact for posterior in outcome.posteriors.values())


def _hashes(source: Source) -> Mapping[str, str]:
    name = source.path.name.encode("utf-8", "backslashreplace").decode()
    found = {name: hashlib.sha256(source.path.read_bytes()).hexdigest()}
    for outcome in source.specification.outcome:
        if outcome.data is not None:
            path = source.path.parent / outcome.data
            try:
                found[str(outcome.data)] = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError as error:
                raise FileError(f"{path} cannot be read: {error.strerror or error}.") from None
    return found
