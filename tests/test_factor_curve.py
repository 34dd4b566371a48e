"""Bayes factors over the scale of a prior: every point is the factor of a fit made by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import binary, counts, estimates
from scipy import integrate, stats

import bayesmeta as bm
from bayesmeta import plots
from bayesmeta.errors import ModelError
from bayesmeta.evidence import _curve
from bayesmeta.results import Evidence
from bayesmeta.results.sections import SECTIONS
from bayesmeta.results.tables import evidence_tables

TIMES = [0.1, 0.2, 1 / 3, 0.5, 0.7, 1, 1.4, 2, 3, 5, 10]
THREE = estimates([-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
NORMAL = bm.NormalNormal(mu=bm.Normal(0.1, 2), tau=bm.HalfNormal(0.5))
TRIALS = binary(
    {"A": (2, 40, 5, 40), "B": (0, 30, 0, 30), "C": (3, 35, 9, 36), "D": (0, 25, 2, 24)}
)


def by_hand(data, model):
    return {one.hypothesis: one.log_bf01 for one in bm.bayes_factors(bm.fit(model, data)).factors}


CASES = {
    "normal": (
        THREE,
        lambda m, t: bm.NormalNormal(mu=bm.Normal(0.1, 2 * m), tau=bm.HalfNormal(0.5 * t)),
    ),
    "normal, heavy tails": (
        THREE,
        lambda m, t: bm.NormalNormal(mu=bm.StudentT(3, 0.1, 2 * m), tau=bm.Exponential(2 / t)),
    ),
    "binomial": (
        TRIALS,
        lambda m, t: bm.BinomialNormal(
            measure="RR", mu=bm.Normal(0, 1.5 * m), tau=bm.LogNormal(-1 + np.log(t), 0.7)
        ),
    ),
    "hypergeometric": (
        counts("bcg"),
        lambda m, t: bm.HypergeometricNormal(mu=bm.Normal(0, m), tau=bm.HalfT(4, 0.3 * t)),
    ),
}


@pytest.mark.deep(
    "forty-four fits by hand: some seconds", only=["hypergeometric", "normal, heavy tails"]
)
@pytest.mark.parametrize("name", CASES)
def test_every_point_is_the_factor_of_the_fit_with_that_prior(name):
    data, model = CASES[name]
    table = bm.bayes_factor_curve(bm.fit(model(1, 1), data)).table()
    assert len(table) == 2 * 2 * len(TIMES)
    for scaled in ("mu", "tau"):
        for times in TIMES:
            other = model(times, 1) if scaled == "mu" else model(1, times)
            rows = table.loc[scaled].query(f"abs(times - {times}) < 1e-9").set_index("hypothesis")
            wanted = by_hand(data, other)
            assert_allclose(rows["log_bf01"][[*wanted]], [*wanted.values()], rtol=1e-9, atol=1e-9)
            assert repr(other.priors[scaled]) == rows["prior"].iloc[0]


def test_of_one_effect_the_curve_is_the_closed_form():
    """The mean of normal estimates at 0: under N(0, v) against N(m, v + s²)."""
    data = estimates([-0.4, -0.6, -0.1], [0.2, 0.3, 0.4])
    curve = bm.bayes_factor_curve(bm.fit(bm.CommonEffect(mu=bm.Normal(0.2, 0.8)), data))
    weight = data.se**-2.0
    mean, v = weight @ data.y / weight.sum(), 1 / weight.sum()
    wanted = [
        stats.norm.logpdf(mean, 0, v**0.5) - stats.norm.logpdf(mean, 0.2, np.hypot(0.8 * t, v**0.5))
        for t in TIMES
    ]
    assert_allclose([one.factor.log_bf01 for one in curve.points], wanted, rtol=0, atol=1e-6)
    assert [one.scaled for one in curve.points] == ["mu"] * len(TIMES)


@pytest.mark.parametrize("times", [0.1, 10])
def test_at_either_end_the_factor_of_tau_is_that_of_an_integral(times):
    """With mu integrated in closed form; tau over its half-normal prior, ten times or a tenth."""
    curve = bm.bayes_factor_curve(bm.fit(NORMAL, THREE))
    (found,) = [
        one.factor.log_bf01
        for one in curve.points
        if (one.scaled, one.times, one.factor.hypothesis) == ("tau", times, "tau = 0")
    ]

    def given(tau):
        covariance = np.diag(THREE.se**2 + tau**2) + 4
        return stats.multivariate_normal(np.full(3, 0.1), covariance).pdf(THREE.y)

    law = stats.halfnorm(0, 0.5 * times)
    free = integrate.quad(lambda tau: given(tau) * law.pdf(tau), 0, 60, points=[0.1, 1, 5])[0]
    assert found == pytest.approx(np.log(given(0) / free), abs=1e-6)


def test_a_prior_without_a_scale_is_named():
    curve = bm.bayes_factor_curve(bm.fit(replace(NORMAL, tau=bm.Beta(1, 2)), THREE))
    assert {one.scaled for one in curve.points} == {"mu"}
    assert curve.not_made == ("The prior of tau, Beta(1, 2), has no scale to change.",)


def test_a_scale_without_a_sound_fit_is_named(monkeypatch):
    right = _curve.refit

    def fails_where_wide(model, data):
        if model.priors["tau"] == bm.HalfNormal(5):
            raise ModelError("This needs a fit besides, which failed: error 1.")
        return right(model, data)

    monkeypatch.setattr(_curve, "refit", fails_where_wide)
    curve = bm.bayes_factor_curve(bm.fit(NORMAL, THREE))
    said = "The prior of tau, 10 times as wide: This needs a fit besides, which failed: error 1."
    assert curve.not_made == (said,)
    assert len(curve.points) == 2 * (2 * len(TIMES) - 1)


def test_improper_priors_have_no_curve():
    with pytest.raises(ModelError, match=r"mu ~ Flat\(\)"):
        bm.bayes_factor_curve(bm.fit(replace(NORMAL, mu=bm.Flat()), THREE))


def test_the_factor_of_mu_is_not_drawn_where_there_is_none():
    curve = bm.bayes_factor_curve(bm.fit(replace(NORMAL, mu=bm.HalfNormal(1)), THREE))
    of_mu = [one.factor for one in curve.points if one.factor.hypothesis == "mu = 0"]
    assert np.isnan([one.bf01 for one in of_mu]).all()
    lines = [line.get_label() for axes in plots.bayes_factors(curve).axes for line in axes.lines]
    assert "τ = 0" in lines
    assert "μ = 0" not in lines


def drawn(figure):
    return {
        (i, line.get_label()): line.get_xydata()
        for i, axes in enumerate(figure.axes)
        for line in axes.lines
        if line.get_label() in ("μ = 0", "τ = 0")
    }


def test_the_figure_draws_the_numbers_of_the_table_and_marks_the_prior_in_use():
    curve = bm.bayes_factor_curve(bm.fit(NORMAL, THREE))
    figure = plots.bayes_factors(curve)
    table = curve.table()
    for (i, label), points in drawn(figure).items():
        rows = table.loc[("mu", "tau")[i]]
        rows = rows[rows["hypothesis"] == {"μ": "mu", "τ": "tau"}[label[0]] + " = 0"]
        assert_allclose(points, rows[["times", "bf01"]])
    assert len(drawn(figure)) == 4
    for axes in figure.axes:
        flat = [line.get_ydata()[0] for line in axes.lines if line.get_label() == "_verdict"]
        assert_allclose(flat, [1 / 10, 1 / 3, 1, 3, 10])
        (used,) = [line for line in axes.lines if line.get_label() == "prior in use"]
        assert used.get_xdata()[0] == 1
    said = " ".join(text.get_text() for text in figure.texts)
    assert "in use: HalfNormal(0.5)" in said


def test_what_the_axis_does_not_hold_is_said():
    far = estimates([9.0, 9.1, 8.9], [0.1, 0.1, 0.1])
    figure = plots.bayes_factors(
        bm.bayes_factor_curve(bm.fit(bm.CommonEffect(mu=bm.Normal(0, 2)), far))
    )
    said = " ".join(text.get_text() for text in figure.texts)
    assert "μ = 0 below 1/1,000 throughout" in said


def test_without_any_scale_there_is_no_figure_and_why():
    curve = bm.bayes_factor_curve(bm.fit(NORMAL, THREE))
    none = replace(curve, points=(), not_made=("The prior of tau, Beta(1, 2), has no scale.",))
    with pytest.raises(ModelError, match=r"no curve to draw\. The prior of tau, Beta\("):
        plots.bayes_factors(none)


def test_the_report_shows_five_scales_and_says_what_is_not_there():
    curve = bm.bayes_factor_curve(bm.fit(NORMAL, THREE))
    evidence = Evidence(curve=replace(curve, not_made=("Not there.",)))
    outcome = SimpleNamespace(evidence=evidence, tables={}, measure="MD")
    outcome.tables = evidence_tables(outcome)
    section = SECTIONS["bayes-factor-curve"](outcome, None)
    assert section.note == "Not there."
    assert section.heads[2:] == ("× 1/10", "× 1/3", "in use", "× 3", "× 10")
    first = dict(zip(section.heads, section.texts[0], strict=True))
    assert (first["hypothesis"], first["scaled is the prior of"]) == ("mu = 0", "mu")
    used = [one.factor.bf01 for one in curve.points if one.times == 1]
    assert [row[4] for row in section.texts] == [f"{one:.3g}" for one in used]
