"""Where the evidence of an item is looked for."""

from ...model import Model
from ...variations import Kind
from .. import OutcomeResult, Results
from ..bias import overall_in_words
from ..labels import label_of
from ..methods import REFERENCES, methods
from ._found import (
    Find,
    Found,
    Has,
    Status,
    both,
    of_each,
    pooled,
    sampled,
    several,
    tables,
    written,
)


def has_sources(outcome: OutcomeResult) -> bool:
    """Whether every row of its table names a source."""
    read = outcome.sources
    if read is None:
        return False
    names = [name for name in read.columns if str(name).lower() in ("source", "citation", "doi")]
    return any(read[name].fillna("").astype(str).str.strip().ne("").all() for name in names)


def has_rows(outcome: OutcomeResult) -> bool:
    return outcome.main is not None and bool(outcome.main.account.lines)


def account(outcome: OutcomeResult) -> str:
    """What became of the rows of its table."""
    return outcome.main.account.lines[0] if outcome.main is not None else ""


def converted(outcome: OutcomeResult) -> bool:
    """Whether anything was derived from what is printed."""
    return outcome.main is not None and bool(outcome.main.account.forms)


def empty_cells(outcome: OutcomeResult) -> bool:
    """Whether any study has an empty cell."""
    if not discrete(outcome) or outcome.main is None:
        return False
    return bool(outcome.main.account.dropped or outcome.main.account.added)


def zeros_told(outcome: OutcomeResult) -> bool:
    """Whether it is told what was added, and what studies without events do."""
    if outcome.main is None or not outcome.main.account.lines:
        return False
    return not outcome.main.account.dropped or outcome.evidence.zeros is not None


def discrete(outcome: OutcomeResult) -> bool:
    return pooled(outcome) and outcome.main is not None and outcome.main.data.discrete


def of_people(outcome: OutcomeResult) -> bool:
    """Whether two arms of counts are compared, so that it can be told of people."""
    return discrete(outcome) and outcome.compares


def varied(*kinds: Kind) -> Find:
    """An item that rows of the scenario table show."""

    def has(outcome: OutcomeResult) -> bool:
        made = set() if outcome.what_if is None else {one.kind for one in outcome.what_if.rows}
        return all(kind in made for kind in kinds)

    said = f"scenarios: {', '.join(kinds)} (tables/what-if.csv)"
    return of_each(said, has, "what-if", several)


def gates(*checks: str, of: Has = sampled, exact: bool = False) -> Find:
    """An item that the numerical gates of every fit of an engine show."""

    def has(outcome: OutcomeResult) -> bool:
        table = outcome.tables.get("diagnostics")
        if table is None:
            return False
        labels = {label_of(place) for place, fit in outcome.fits.items() if fit.exact is exact}
        known = table.groupby("fit")["check"].agg(set).to_dict()
        return all(set(checks) <= known.get(label, set()) for label in labels)

    return of_each(f"{', '.join(checks)} of every such fit (tables/diagnostics.csv)", has, "", of)


def effects(run: Results) -> Found:
    """Whether another distribution of the effects was tried; why this one is a person's."""
    return both(varied(Kind.EFFECTS), "random_effects")(run)


def reasons(run: Results) -> Found:
    """Whether every prior has its reason; a default one is to be confirmed."""
    lacking = {
        f"{name} of {outcome.title}"
        for outcome in run.outcomes
        for model in outcome.asked.values()
        for name in model.priors
        if not outcome.why.get(_stated_as(name, model)) and not model.cited.get(name)
    }
    if lacking:
        named = sorted(lacking)
        more = f" and {len(named) - 1} more" if len(named) > 1 else ""
        return Found(Status.DEFAULT, f"no reason is stated for {named[0]}{more}")
    stated = of_each("a reason for every prior", lambda one: bool(one.why), "model")
    return both(stated, "priors_fixed")(run)


def _stated_as(name: str, model: Model) -> str:
    """Under which key of `why` the reason for a prior stands."""
    if name in model.other_priors:
        return name.removesuffix("_mean").removesuffix("_sd") if "baseline" in name else name
    return "mu" if name in ("mu", "intercept") or not model.location.has_slopes else "slopes"


def baseline(outcome: OutcomeResult) -> bool:
    return outcome.absolute is not None and bool(outcome.control_risk_origin)


def second(outcome: OutcomeResult) -> bool:
    """Whether chains that converged agree with what was integrated."""
    if outcome.main is None or outcome.main.unconverged is not None or not outcome.coherence.passed:
        return False
    return {fit.exact for fit in outcome.fits.values()} == {True, False}


def beside(outcome: OutcomeResult) -> bool:
    """Whether other methods are told, and why published figures differ."""
    figures = [one for one in outcome.published if one.published.has_interval and one.compare_with]
    return {"comparison", "heterogeneity"} <= set(outcome.tables) and all(
        one.explanation is not None for one in figures
    )


def told_beside(outcome: OutcomeResult) -> str:
    given = "published figures explained" if outcome.published else "no published figure was given"
    return f"every interval of every method (tables/comparison.csv); {given}"


def chains(outcome: OutcomeResult) -> bool:
    """Whether the settings of the sampler are stored."""
    table = outcome.tables.get("diagnostics")
    return table is not None and any("draws=" in str(one) for one in table["engine"])


def of_tau(outcome: OutcomeResult) -> bool:
    moved = outcome.tables.get("prior-posterior")
    return moved is not None and "tau" in moved.index


def new_setting(outcome: OutcomeResult) -> bool:
    studies = outcome.tables.get("studies")
    return studies is not None and any("prediction" in str(one) for one in studies.index)


def reporting_bias(run: Results) -> Found:
    """Whether tests of small-study effects are shown; with few studies that nothing was done."""
    tested = tables("tests of small-study effects", "small-study", of=several)(run)
    if tested.status in (Status.MET, Status.NOT_ASKED):
        return tested
    said = "too few estimates to test, and selection is not modelled: the methods say so"
    return Found(Status.PARTLY, said, "#methods-paragraph")


def bias(run: Results) -> Found:
    """Whether every study is judged; what a person wrote of them in general is but a part."""
    own = written("risk_of_bias")(run)
    judged = of_each(_in_words, _all_judged, "forest")(run)
    if judged.status in (Status.MET, Status.NOT_ASKED):
        met = own.status is Status.MET and judged.status is Status.MET
        return judged._replace(said=f"{judged.said}; {own.said}") if met else judged
    if own.status is Status.MET:
        return Found(Status.PARTLY, f"{own.said}; {_LACKING}", own.place)
    if any(one.bias is not None for one in run.outcomes):
        return Found(Status.PARTLY, "not every study of every outcome is judged", judged.place)
    return Found(Status.OPEN, f"for a person to judge: {_LACKING}")


_LACKING = 'a table of judgements, risk_of_bias = "rob2.csv", of every study'


def _all_judged(outcome: OutcomeResult) -> bool:
    if outcome.main is None or outcome.bias is None or "risk-of-bias" not in outcome.tables:
        return False
    return not outcome.bias.unjudged(outcome.main.data.study)


def _in_words(outcome: OutcomeResult) -> str:
    assert outcome.bias is not None
    tool = outcome.bias.tool.name
    return (
        f"{tool} of every study, overall {overall_in_words(outcome.bias)} (tables/risk-of-bias.csv)"
    )


def guided(run: Results) -> bool:
    """Whether the methods name the guidelines."""
    return {REFERENCES["prisma"], REFERENCES["barg"]} <= set(methods(run).references)


def plain(outcome: OutcomeResult) -> bool:
    return "comparison" in outcome.tables or outcome.by_covariates
