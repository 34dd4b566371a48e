"""Figures of fits: their rows are made here, and drawn as the report draws them."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from ..comparison import Fit, compare
from ..errors import ModelError
from ..frequentist import FrequentistFit
from ..model import check_one_effect
from ..posterior import Posterior
from ..studies import Published
from ..summaries import Better, density_rows, forest_rows, measure_of, scale_of
from ._densities import prior_posterior_of_rows
from ._forest import forest_of_rows
from ._scenarios import scenarios_of_table

ARMS = ("treatment", "control")


def _check_fit(fit: object, name: str) -> None:
    """Refuse rows, which have a function of their own."""
    if not isinstance(fit, Posterior):
        raise ModelError(
            f"{name} takes a fit, of bm.fit(model, data), not {type(fit).__name__}; for rows that "
            f"were made before use {name}_of_rows."
        )


def forest(
    fit: Posterior,
    *,
    frequentist: Mapping[str, FrequentistFit] | None = None,
    published: Mapping[str, Published] | None = None,
    better: Better | None = None,
    labels: tuple[str, str] = ARMS,
    title: str = "",
    prob: float = 0.95,
) -> Figure:
    """Draw a forest plot of a fit, with other answers below it.

    Each study has a box sized by its weight, and beneath it the effect the model gives it; then
    come the posterior, the prediction, and what others make of the same studies.

    Parameters
    ----------
    fit : Posterior
        Of one outcome.
    frequentist, published : mapping, optional
        Estimates to set below, by label.
    better : {"lower", "higher"}, optional
        The direction of benefit; where it is not given, neither side is named.
    labels : tuple of str
        What treatment and control are called.
    title : str
    prob : float
        Level of all intervals except the published ones, which keep their own.

    Returns
    -------
    Figure
        840 px wide, as high as it needs to be.

    Raises
    ------
    ModelError
        If the fit has several outcomes, or `better` is not a direction.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.3, 0.1], [0.2, 0.4], measure="OR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> figure = bm.plots.forest(bm.fit(model, data), better="lower")
    >>> figure.savefig("forest.png")  # doctest: +SKIP
    """
    _check_fit(fit, "forest")
    check_one_effect(fit.model, "forest")
    rows = forest_rows(fit, frequentist=frequentist, published=published, prob=prob)
    return forest_of_rows(
        rows, measure=measure_of(fit), better=better, labels=labels, title=title, prob=prob
    )


def prior_posterior(fit: Posterior, *, prob: float = 0.95) -> Figure:
    """Draw what the data added to the priors of mu and tau.

    The prior is dashed, the posterior filled, its central interval darker, its median a line.

    Parameters
    ----------
    fit : Posterior
        Of one outcome.
    prob : float
        Probability of the intervals.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.3, 0.1], [0.2, 0.4], measure="OR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> figure = bm.plots.prior_posterior(bm.fit(model, data))
    """
    _check_fit(fit, "prior_posterior")
    return prior_posterior_of_rows(density_rows(fit, prob=prob), measure=scale_of(fit), prob=prob)


def scenarios(
    fits: Mapping[str, Fit],
    *,
    better: Better | None = None,
    labels: tuple[str, str] = ARMS,
    title: str = "",
    prob: float = 0.95,
) -> Figure:
    """Draw several answers to one question, one line each.

    Parameters
    ----------
    fits : mapping of str to Posterior, FrequentistFit or Published
        By label, all of one measure.
    better : {"lower", "higher"}, optional
        The direction of benefit; where it is not given, neither side is named.
    labels : tuple of str
        What treatment and control are called.
    title : str
    prob : float
        Level of all intervals except the published ones, which keep their own.

    Returns
    -------
    Figure

    Raises
    ------
    ModelError
        If the answers are about different measures, or nothing is given.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.3, 0.1], [0.2, 0.4], measure="OR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> fits = {"Bayesian": bm.fit(model, data), "REML": bm.random_effects(data)}
    >>> figure = bm.plots.scenarios(fits, better="lower")
    """
    table = compare(fits, prob=prob)
    named = [name for name in map(measure_of, fits.values()) if name]
    return scenarios_of_table(
        table,
        measure=named[0] if named else "GEN",
        better=better,
        labels=labels,
        title=title,
        prob=prob if set(table["prob"]) == {prob} else None,
    )
