"""The figures of an outcome, as SVG text."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from .. import plots
from ..design import is_number
from ..model import Predictor
from ..results import OutcomeResult, Results
from ..summaries import density_rows
from ._forest import forest_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST = 6  # letters that are named
NARROW = "-narrow"  # at the end of the names of figures drawn a second time, for phones
PHONE = 85.0  # mm: at 340 px letters keep their size


def unwritten(results: Results) -> str:
    """Say which letters of names the figures cannot show; empty where they can show all."""
    names = [*results.arms]
    for outcome in results.outcomes:
        names += [outcome.title, *(one.label for one in outcome.published)]
        for scenario in outcome.scenarios:
            names += [scenario.name, *scenario.data.study]
    missing = plots.letters_missing(names)
    if not missing:
        return ""
    others = f" and {len(missing) - MOST} more" if len(missing) > MOST else ""
    return (
        f"The font of the figures lacks {', '.join(missing[:MOST])}{others}: a box, □, stands for "
        "each there; tables and texts have them."
    )


def figures_of(outcome: OutcomeResult, *, arms: tuple[str, str], prob: float) -> Mapping[str, str]:
    """Draw what an outcome has to show, by name.

    Parameters
    ----------
    outcome : OutcomeResult
    arms : tuple of str
        Names of treatment and control.
    prob : float

    Returns
    -------
    mapping of str to str
        SVG text by name: ``covariates``, ``forest``, ``scenarios``, ``prior-posterior``,
        ``predictive``, ``left-out``, ``draws``, ``thresholds``, ``what-if``,
        ``bayes-factors``; those whose name ends in ``-narrow`` are second drawings for phones.
    """
    if outcome.main is None:
        return {}
    figures = (_of_covariates if outcome.by_covariates else _of_one_effect)(outcome, arms, prob)
    if outcome.checks.predictive is not None:
        figures["predictive"] = plots.predictive(outcome.checks.predictive, labels=arms)
    if outcome.checks.loo is not None:
        figures["left-out"] = plots.left_out(outcome.checks.loo)
    sampled = [fit for fit in outcome.main.fits.values() if not fit.exact]
    if sampled:
        figures["draws"] = plots.draws(sampled[0], width=None)  # pyright: ignore[reportArgumentType] - no rows
    return {name: plots.save_svg(figure) for name, figure in figures.items()}


def _of_covariates(
    outcome: OutcomeResult, arms: tuple[str, str], prob: float
) -> "dict[str, Figure]":
    """Groups in blocks; else studies over the one number; else the coefficients."""
    assert outcome.main is not None
    fit = outcome.main.answer
    location = fit.model.location
    assert isinstance(location, Predictor)
    variables = location.terms.variables
    numbers = [name for name in variables if is_number(fit.data.covariates[name])]
    forest = forest_of(outcome, arms=arms, prob=prob)
    if forest is not None:
        drawn = forest.draw()
    elif len(numbers) == len(variables) == 1:
        drawn = plots.bubble(fit, prob=prob, width=None)
    else:
        drawn = plots.coefficients(fit, prob=prob)
    figures = {"covariates": drawn}
    if outcome.what_if is not None:
        scenarios = partial(
            plots.scenarios_of_table,
            _by_soundness(outcome.tables["what-if"]),
            measure=outcome.what_if.measure.name,
            labels=arms,
            title=outcome.what_if.called,
            prob=prob,
        )
        figures |= {"what-if": scenarios(), f"what-if{NARROW}": scenarios(width=PHONE)}
    return figures  # pyright: ignore[reportReturnType] - no rows were asked for


def _by_soundness(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Rows of the scenario table, those that are not sound named so."""
    return rows.set_axis(rows.index + ["" if one else " (not sound)" for one in rows["sound"]])


def _of_one_effect(
    outcome: OutcomeResult, arms: tuple[str, str], prob: float
) -> "dict[str, Figure]":
    """Those that have room for one overall effect."""
    assert outcome.main is not None
    measure, better = outcome.measure, outcome.better
    forest = forest_of(outcome, arms=arms, prob=prob)
    assert forest is not None
    figures = {
        "forest": forest.draw(),
        f"forest{NARROW}": forest.draw(PHONE),
        "prior-posterior": plots.prior_posterior_of_rows(
            density_rows(outcome.main.answer, prob=prob), measure=outcome.scale, prob=prob
        ),
    }
    if len(outcome.scenarios) > 1:
        figures["scenarios"] = plots.scenarios_of_table(
            outcome.tables["scenarios"], measure=measure, better=better, labels=arms, prob=prob
        )
    if outcome.what_if is not None:
        scenarios = partial(
            plots.scenarios_of_table,
            _by_soundness(outcome.tables["what-if"]),
            measure=measure,
            better=better,
            labels=arms,
            prob=prob,
        )
        figures["what-if"] = scenarios()
        figures[f"what-if{NARROW}"] = scenarios(width=PHONE)
    if outcome.evidence.curve is not None and outcome.evidence.curve.points:
        figures["bayes-factors"] = plots.bayes_factors(outcome.evidence.curve)
    if outcome.absolute is not None:
        figures["thresholds"] = plots.thresholds_of_table(
            outcome.tables["thresholds"], outcome.absolute
        )
    return figures
