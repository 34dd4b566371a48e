"""Summary of findings: every outcome in one table, in the layout that users of GRADE know."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, final

import numpy as np

from ..effects import EffectSizes
from ..errors import DataError, ModelError
from ..frequentist import regression_test
from ..model import check_no_covariates
from ..notebooks import Tabled
from ..posterior import Posterior
from ..studies import Published, counted
from ..summaries import Better, measure_of, percent, prob_benefit, scale_of
from ..ways import shown
from .absolute import AVERAGE, AbsoluteEffect, AbsoluteEffects

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 10  # studies for a test of small-study effects: Sterne et al. (2011), BMJ 343:d4002
_LATEX = str.maketrans(
    {
        **{one: f"\\{one}" for one in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "−": "$-$",
        "∞": r"$\infty$",
        "≥": r"$\geq$",
    }
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EffectAlone:
    """An effect without a baseline to which it could be carried.

    Attributes
    ----------
    posterior : Posterior
    better : {"lower", "higher"}
    prob : float
        Probability of the interval.
    unit : str
        Of a difference of means.
    printed : Published or None
        The published figure that is all its data.
    """

    posterior: Posterior
    better: Better
    prob: float = 0.95
    unit: str = ""
    printed: Published | None = None


type Told = AbsoluteEffects | EffectAlone


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One outcome of a summary of findings, as text for the reader.

    Attributes
    ----------
    outcome, participants, relative, without, with_treatment, difference : str
        Medians with intervals.
    certainty : str
        Empty: that is a person's judgement.
    imprecision, inconsistency, small_study : str
        What bears on it, each with its number.
    """

    outcome: str
    participants: str
    relative: str
    without: str
    with_treatment: str
    difference: str
    certainty: str
    imprecision: str
    inconsistency: str
    small_study: str


HEADS: Mapping[str, str] = {
    "outcome": "Outcome",
    "participants": "Participants (studies)",
    "relative": "Relative effect",
    "without": "Without treatment",
    "with_treatment": "With treatment",
    "difference": "Difference",
    "certainty": "Certainty (a person's)",
    "imprecision": "Imprecision",
    "inconsistency": "Inconsistency",
    "small_study": "Small-study effects",
}


@final
@dataclass(frozen=True, slots=True)
class SummaryOfFindings(Tabled):
    """Findings of all outcomes.

    Attributes
    ----------
    rows : tuple of Finding
    """

    rows: tuple[Finding, ...]

    def table(self) -> "pd.DataFrame":
        """Return the texts, one row for each outcome."""
        import pandas as pd

        rows = [{head: getattr(row, name) for name, head in HEADS.items()} for row in self.rows]
        return pd.DataFrame(rows).set_index(HEADS["outcome"])

    def to_markdown(self) -> str:
        """Return the table in Markdown."""
        lines = [list(HEADS.values()), ["---"] * len(HEADS), *self._cells()]
        escaped = [[" ".join(one.replace("|", "\\|").split()) for one in line] for line in lines]
        return "".join(f"| {' | '.join(line)} |\n" for line in escaped)

    def to_latex(self) -> str:
        """Return the table in LaTeX, to be set with the package booktabs."""
        rows = [[one.translate(_LATEX) for one in line] for line in self._cells()]
        heads = [head.translate(_LATEX) for head in HEADS.values()]
        body = "".join(f"{' & '.join(row)} \\\\\n" for row in rows)
        columns = "l" * len(HEADS)
        return (
            f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{' & '.join(heads)} \\\\\n\\midrule\n"
            f"{body}\\bottomrule\n\\end{{tabular}}\n"
        )

    def to_html(self) -> str:
        """Return the table in HTML."""
        return self.table().reset_index().to_html(index=False, escape=True, border=0) + "\n"

    def _cells(self) -> Iterator[list[str]]:
        yield from ([getattr(row, name) for name in HEADS] for row in self.rows)


def summary_of_findings(effects: Mapping[str, Told]) -> SummaryOfFindings:
    """Lay outcomes out as GRADE's summary of findings does.

    Parameters
    ----------
    effects : mapping of str to AbsoluteEffects or EffectAlone
        By the title of the outcome; of several baselines each has a row of its own. An effect alone
        has its ratio, or its difference in its unit, and nothing without or with the treatment.

    Returns
    -------
    SummaryOfFindings
        The certainty of each row is left to a person. What bears on it stands there with its
        number: whether the interval holds both a benefit that matters and none, the spread between
        studies and what it does to a new setting, and the test for small-study effects, or why none
        can be made.

    References
    ----------
    Schünemann HJ et al. Cochrane Handbook, chapter 14. Guyatt G et al. (2011). J Clin Epidemiol
    64:383-394.

    Raises
    ------
    ModelError
        If there is no outcome.
    """
    if not effects:
        raise ModelError("A summary of findings needs an outcome, by its title.")
    return SummaryOfFindings(
        tuple(row for title, one in effects.items() for row in _findings(one, title))
    )


@singledispatch
def _findings(effects: object, title: str) -> Iterator[Finding]:
    raise ModelError(
        f"{title}: a summary of findings takes absolute_effects(...), not {shown(effects)}."
    )


@_findings.register
def _(effects: EffectAlone, title: str) -> Iterator[Finding]:
    posterior, printed = effects.posterior, effects.printed
    check_no_covariates(posterior.model, "summary_of_findings")
    yield Finding(
        outcome=title,
        participants=_size(posterior) if printed is None else _size_printed(printed),
        relative=_relative(posterior, effects.prob),
        without="",
        with_treatment="",
        difference=_difference_alone(effects),
        certainty="",
        imprecision=_imprecision_alone(effects),
        inconsistency=_inconsistency(posterior, effects.prob)
        if printed is None
        else _spread_printed(printed),
        small_study=_small_study(posterior)
        if printed is None
        else "none can be said of one printed figure",
    )


def _size(posterior: Posterior) -> str:
    account = posterior.account
    people = "" if account.participants is None else f"{account.participants:,.10g} "
    return f"{people}({counted(posterior.data.k, 'study', 'studies')})"


def _size_printed(printed: Published) -> str:
    """What is printed of the size; not every paper says it."""
    people = "" if printed.n is None else f"{printed.n:,} "
    studies = "" if printed.k is None else f"{counted(printed.k, 'study', 'studies')}, "
    return f"{people}({studies}published figure, alone)"


def _spread_printed(printed: Published) -> str:
    known = f"; I² {printed.i2}% as printed" if printed.i2 else ""
    return f"one printed figure: nothing is said of spread{known}"


def _difference_alone(effects: EffectAlone) -> str:
    """A difference of means in its unit; of others there is none, and why."""
    scale, effect = scale_of(effects.posterior), effects.posterior.at()
    if scale.name != "MD":
        return "none, for no baseline is stated" if effects.printed is None else "not told alone"
    triple = (float(effect.quantile(0.5)), *effect.interval(effects.prob))
    return f"{_told(triple, effects.unit)}; no mean without the treatment is stated"


def _imprecision_alone(effects: EffectAlone) -> str:
    effect = effects.posterior.at()
    low, high = effect.interval(effects.prob)
    none = "includes no difference" if low <= 0 <= high else "excludes no difference"
    benefit = prob_benefit(effect, effects.better)
    return f"{none}; P(benefit) {percent(benefit)}; no threshold stated"


@_findings.register
def _(effects: AbsoluteEffects, title: str) -> Iterator[Finding]:
    posterior = effects.posterior
    spread, small = _inconsistency(posterior, effects.prob), _small_study(posterior)
    per = effects.unit if effects.rows[0].baseline.kind == "mean" else f"per {effects.per:,g}"
    for row in effects.stated:
        if row.effect != AVERAGE:
            continue
        yield Finding(
            outcome=f"{title}{row.quantity.removeprefix(AVERAGE)}{_over(effects)}",
            participants=_size(posterior),
            relative=_relative(posterior, effects.prob),
            without=_told(row.control, per),
            with_treatment=_told(row.treatment, per) + _held(row),
            difference=_told(row.difference, per),
            certainty="",
            imprecision=_imprecision(row, effects, per),
            inconsistency=spread,
            small_study=small,
        )


def _over(effects: AbsoluteEffects) -> str:
    return f", over {effects.time}" if effects.time else ""


def _relative(posterior: Posterior, prob: float) -> str:
    """The effect on the scale people read."""
    scale, effect = scale_of(posterior), posterior.at()
    middle, low, high = scale.natural([effect.quantile(0.5), *effect.interval(prob)])
    return f"{scale.called} {_read(middle)} [{_read(low)}, {_read(high)}]"


def _read(value: float) -> str:
    """A number as people read it: two decimals, three of a small one."""
    return f"{value:.{2 + (abs(value) < 0.095)}f}".replace("-", "−")


def _told(triple: tuple[float, float, float], per: str) -> str:
    """A median with its interval, or one number that is known; of counts whole ones from 10 on."""
    few = max(map(abs, triple)) < 10
    places = int(few) if per.startswith("per ") else 2
    middle, low, high = (f"{one:,.{places}f}".replace("-", "−") for one in triple)
    known = triple[1] == triple[2]
    return f"{middle} {per}".strip() if known else f"{middle} [{low}, {high}] {per}".strip()


def _held(row: AbsoluteEffect) -> str:
    """How often the effect would carry a risk beyond 0 or 1."""
    share = row.prob_capped
    return f", held within 0 to 1 in {share:.1%} of its distribution" if share >= 5e-4 else ""


def _imprecision(row: AbsoluteEffect, effects: AbsoluteEffects, per: str) -> str:
    """What the interval of the difference holds, benefits counted as positive."""
    sign = -1 if effects.better == "lower" else 1
    low, high = sorted(sign * one for one in row.difference[1:])
    none = "includes no difference" if low <= 0 <= high else "excludes no difference"
    if effects.threshold is None:
        return f"{none}; P(benefit) {percent(row.prob_benefit)}; no threshold stated"
    crosses = "crosses" if low <= effects.threshold <= high else "does not cross"
    harm = "includes" if low <= -effects.threshold else "excludes"
    size = f"{effects.threshold:g} {per}".rstrip()
    return (
        f"{none}, {crosses} the threshold of benefit of {size}, {harm} a harm as large; "
        f"P(at least that benefit) {percent(row.prob_important)}"
    )


def _inconsistency(posterior: Posterior, prob: float) -> str:
    """The spread between studies, and the effect in a new setting."""
    if posterior.model.between.new is None or "tau" not in posterior.marginals:
        return "one effect is taken for all studies: nothing is said of spread"
    tau = posterior["tau"]
    scale, new = scale_of(posterior), posterior.at(new=True)
    low, high = scale.natural(new.interval(prob))
    return (
        f"tau {float(np.ravel(tau.quantile(0.5))[0]):.2f}; in a new setting {scale.called} "
        f"{_read(low)} to {_read(high)}"
    )


def _small_study(posterior: Posterior) -> str:
    """The regression test, or why there is none."""
    data = posterior.data
    if data.k < FEWEST:
        return f"none can be said with {counted(data.k, 'study', 'studies')}"
    measure = None if isinstance(data, EffectSizes) else measure_of(posterior)
    try:
        found = regression_test(data, measure=measure)  # pyright: ignore[reportArgumentType]
    except (DataError, ModelError) as error:
        return f"no test: {str(error).rstrip('.')}"
    return f"regression test p = {found.p:.2g}"
