"""Figures tested as data: axes, rows, texts, arrows, and the SVG they become."""

import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from numpy.testing import assert_array_equal
from reference.looks import STORED, look

import bayesmeta as bm
from bayesmeta import plots
from bayesmeta.checks import LOO, ArmCheck, PredictiveCheck, Statistic
from bayesmeta.effects import MEASURES
from bayesmeta.errors import DataError, ModelError
from bayesmeta.plots._predictive import bin_edges
from bayesmeta.plots._scale import linear_ticks, log_ticks, scale_for
from bayesmeta.plots._text import clean, p_text, width_of, wrap
from bayesmeta.summaries import ForestRow, forest_rows, heterogeneity_rows

THREE_Y = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
STUDIES = {
    "Lanzoni": (-1.25, 0.68, "2/12 v 7/12"),
    "Dilogo": (-0.47, 0.25, "10/20 v 16/20"),
    "Bowdish": (-0.13, 0.16, "42/112 v 47/110"),
}


def row(label, kind, estimate, half, **rest):
    return ForestRow(
        label=label,
        kind=kind,
        estimate=estimate,
        lower=estimate - half,
        upper=estimate + half,
        **rest,
    )


def mortality(*, shrunken=True):
    rows = []
    for label, (y, se, note) in STUDIES.items():
        rows.append(row(label, "study", y, 1.96 * se, weight=se**-2 / 60, note=note))
        if shrunken:
            rows.append(row(label, "shrunken", 0.5 * y, se))
    rows += [
        row("Shi", "study", np.nan, np.nan, note="0/65 v 0/35"),
        *([row("Shi", "shrunken", -0.2, 0.8)] if shrunken else []),
        ForestRow(label="overall", kind="posterior", estimate=-0.28, lower=-0.7, upper=0.07),
        row("95% prediction interval", "prediction", -0.27, 0.8),
        row("REML, HKSJ", "frequentist", -0.26, 0.3),
        row("DL, Wald", "frequentist", -0.25, 0.24),
        ForestRow(
            label="Review 2024",
            kind="published",
            estimate=np.log(0.76),
            lower=np.log(0.60),
            upper=np.log(0.96),
        ),
    ]
    return rows


def forest(rows=None, **settings):
    settings = {"measure": "RR", "better": "lower"} | settings
    return plots.forest_of_rows(mortality() if rows is None else rows, **settings)


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def drawn(figure, start):
    """Artists of the first axes whose label starts so."""
    return [a for a in figure.axes[0].get_children() if str(a.get_label()).startswith(start)]


def intervals(figure, kind):
    return [
        artist
        for artist in drawn(figure, f"{kind}: ")
        if not artist.get_label().endswith((", estimate", "beyond lower", "beyond upper"))
    ]


def overlapping(figure):
    """Pairs of texts that cover each other, and texts that leave the figure."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    boxes = [
        (text.get_text(), text.get_window_extent(renderer))
        for text in figure.findobj(Text)
        if text.get_text().strip() and text.get_visible()
    ]
    found = [
        (one, other)
        for i, (one, a) in enumerate(boxes)
        for other, b in boxes[i + 1 :]
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1.5
    ]
    page = figure.bbox
    return found + [
        text
        for text, box in boxes
        if box.x0 < -1 or box.y0 < -1 or box.x1 > page.x1 + 1 or box.y1 > page.y1 + 1
    ]


def scenario_table():
    return pd.DataFrame(
        {
            "estimate": [-0.28, -0.2, -0.1, np.nan],
            "lower": [-0.55, -0.48, -3.0, np.nan],
            "upper": [-0.02, 0.07, 3.0, np.nan],
            "k": [9, 8, 2, 0],
        },
        index=["main", "without Lanzoni", "low risk of bias", "nothing left"],
    )


def densities():
    x = np.linspace(-1.5, 1.0, 101)
    tau = np.linspace(0.0, 1.2, 101)
    bell = np.exp(-0.5 * ((x + 0.28) / 0.2) ** 2) / (0.2 * np.sqrt(2 * np.pi))
    return [
        SimpleNamespace(
            parameter="mu",
            x=x,
            prior=np.full(101, 0.2),
            posterior=bell,
            lower=-0.67,
            median=-0.28,
            upper=0.11,
        ),
        SimpleNamespace(
            parameter="tau",
            x=tau,
            prior=1.6 * np.exp(-2 * tau**2),
            posterior=4 * np.exp(-4 * tau),
            lower=0.01,
            median=0.2,
            upper=0.7,
        ),
    ]


def check(*, k=3, observed=2.0):
    n = np.array([12.0, 20.0, 112.0] * k)[:k]
    ends = np.minimum(n, 5.0), 0 * n, np.floor(n / 4), np.floor(n / 2)
    arm = ArmCheck(*ends, size=n, unit="events, % of patients")
    rng = np.random.default_rng(1)
    statistics = (
        Statistic(
            "arms without an event", observed, rng.poisson(1.0, 500).astype(float), 0.2, True
        ),
        Statistic("pooled log RR", np.nan, np.array([]), np.nan, False),
        Statistic("events in all", 48.0, rng.poisson(50.0, 500).astype(float), 0.6, True),
        Statistic("largest risk difference", 0.4, rng.beta(2, 4, 500), 0.3, False),
    )
    high = replace(arm, observed=n)
    arms = {"treatment": arm, "control": high}
    return PredictiveCheck(tuple(f"Study {i}" for i in range(k)), arms, statistics, 0.95)


def told(measure="OR", better="lower", **how):
    """Absolute effects of five trials; means are told in tens."""
    wide = 10 if measure == "MD" else 1
    y, se = (
        wide * np.array([-0.5, -0.1, -0.3, -0.2, -0.4]),
        wide * np.array([0.2, 0.3, 0.2, 0.4, 0.3]),
    )
    if measure == "RD":
        y, se = y / 5, se / 5
    data = bm.EffectSizes.from_arrays(list("ABCDE"), y, se, measure=measure)
    model = bm.NormalNormal(mu=bm.Normal(0, 2 * wide), tau=bm.HalfNormal(0.3 * wide))
    return bm.absolute_effects(bm.fit(model, data), better=better, **how)


THREE = {"low": 0.05, "middle": 0.2, "high": 0.5}
TOLD = {
    "OR, one": lambda: told("OR", baseline=0.2, threshold=10),
    "RR, three": lambda: told("RR", baseline=THREE, threshold=20),
    "RD, two": lambda: told("RD", baseline={"low": 0.1, "a register of": "Beta(20, 80)"}),
    "MD, one": lambda: told("MD", baseline=40, unit="mg/L", threshold=2),
    "HR, three, a harm": lambda: told("HR", better="higher", baseline=THREE, time="a year"),
    "HR of a rate": lambda: told("HR", baseline=bm.baseline(0.1, kind="rate")),
}


FIGURES = {
    "forest": forest,
    "prior_posterior": lambda: plots.prior_posterior_of_rows(densities(), measure="RR"),
    "predictive": lambda: plots.predictive(check()),
    "left_out": lambda: plots.left_out(left_out()),
    "scenarios": lambda: plots.scenarios_of_table(scenario_table(), measure="RR", better="lower"),
    "thresholds": lambda: plots.thresholds(TOLD["RR, three"]()),
}


def clipped():
    """Differences with intervals that leave the axis on both sides, favouring the other side."""
    rows = mortality(shrunken=False)
    rows[1] = replace(rows[1], lower=-9.0, upper=9.0)
    return forest(rows, measure="MD", better="higher", labels=("MSC", "usual care"), title="Stay")


LOOKS = FIGURES | {
    "forest, clipped": clipped,
    "thresholds, one column": lambda: plots.thresholds(TOLD["MD, one"](), width=85),
}


@pytest.mark.parametrize("name", LOOKS)
def test_every_figure_looks_as_it_did_when_it_was_last_looked_at(name):
    """Widths, sizes, colours, layers and places; `tests/reference/looks.py` stores them anew."""
    assert look(LOOKS[name]()) == json.loads(STORED.read_text())[name]


class TestForest:
    def test_draws_every_row_once_on_the_natural_scale(self):
        figure = forest()
        count = {"study": 3, "shrunken": 4, "posterior": 1, "prediction": 1, "frequentist": 2}
        assert {kind: len(intervals(figure, kind)) for kind in count} == count
        (published,) = intervals(figure, "published")
        np.testing.assert_allclose(published.get_xdata(), [0.60, 0.96])
        (diamond,) = intervals(figure, "posterior")
        np.testing.assert_allclose(diamond.get_xy()[:3, 0], np.exp([-0.7, -0.28, 0.07]))

    def test_keeps_the_order_of_the_rows(self):
        figure = forest()
        y = [line.get_ydata()[0] for line in intervals(figure, "study")]
        below = [line.get_ydata()[0] for line in intervals(figure, "shrunken")]
        assert y == sorted(y)
        assert all(0.05 < b - a < 0.2 for a, b in zip(y, below[:3], strict=True))
        assert figure.axes[0].get_ylim()[0] > figure.axes[0].get_ylim()[1]

    def test_a_ratio_has_a_log_axis_with_round_ratios(self):
        axes = forest().axes[0]
        assert axes.get_xscale() == "log"
        assert axes.get_xticks().tolist() == [0.1, 0.2, 0.5, 1, 2]
        assert [t.get_text() for t in axes.get_xticklabels()] == ["0.1", "0.2", "0.5", "1", "2"]
        assert drawn(forest(), "no effect")[0].get_xdata()[0] == 1.0

    def test_a_difference_has_a_linear_axis(self):
        figure = forest(measure="MD")
        assert figure.axes[0].get_xscale() == "linear"
        assert drawn(figure, "no effect")[0].get_xdata()[0] == 0.0
        assert "mean difference" in texts(figure)
        assert "−0.28 [−0.70, 0.070]" in texts(figure)

    def test_says_all_that_a_reader_needs(self):
        found = texts(forest(title="Mortality", prob=0.95))
        expected = {
            "Mortality", "Studies", "Posterior", "Frequentist", "Published",
            "Lanzoni", "overall", "95% prediction interval", "REML, HKSJ", "Review 2024",
            "2/12 v 7/12", "0/65 v 0/35", "not estimable", "treatment v control",
            "RR [95% interval]", "under the model,", "0.76 [0.50, 1.07]", "0.76 [0.60, 0.96]",
            "risk ratio (log scale)", "study’s effect under the model (shrunken)",
        }  # fmt: skip
        assert expected <= set(found)
        assert found.count("0.76 [0.60, 0.96]") == 1

    @pytest.mark.parametrize(
        ("better", "left", "right"),
        [("lower", "← favours MSC", "favours usual care →"),
         ("higher", "← favours usual care", "favours MSC →")],
    )  # fmt: skip
    def test_names_the_sides_by_the_direction_of_benefit(self, better, left, right):
        figure = forest(better=better, labels=("MSC", "usual care"))
        place = {t.get_text(): t.xy[0] for t in figure.axes[0].texts}
        assert place[left] == 0.0
        assert place[right] == 1.0

    def test_a_study_without_an_estimate_still_has_its_shrunken_line(self):
        figure = forest()
        assert not drawn(figure, "study: Shi")
        assert drawn(figure, "shrunken: Shi")

    def test_without_shrunken_rows_there_is_one_column_and_no_legend(self):
        figure = forest(mortality(shrunken=False))
        assert not figure.legends
        assert "under the model," not in texts(figure)
        assert "0.76 [0.50, 1.07]" in texts(figure)

    def test_a_shrunken_row_without_its_study_is_drawn_on_its_own(self):
        rows = [
            row("A", "shrunken", 0.1, 0.2),
            row("B", "study", 0.1, 0.2),
            row("C", "shrunken", 0, 1),
        ]
        figure = forest(rows)
        assert len(intervals(figure, "shrunken")) == 2
        assert {"A", "B", "C"} <= set(texts(figure))

    @pytest.mark.parametrize("sides", [("lower",), ("upper",), ("lower", "upper")])
    def test_an_interval_that_leaves_the_axis_ends_in_an_arrow(self, sides):
        rows = mortality()
        wide = {"lower": -9.0} if "lower" in sides else {}
        wide |= {"upper": 9.0} if "upper" in sides else {}
        rows[4] = replace(rows[4], **wide)
        figure = forest(rows)
        lower, upper = figure.axes[0].get_xlim()
        for side, end in (("lower", lower), ("upper", upper)):
            arrows = drawn(figure, f"study: Bowdish, beyond {side}")
            assert len(arrows) == (side in sides)
            assert all(arrow.get_xdata()[0] == pytest.approx(end) for arrow in arrows)
        (line,) = drawn(figure, "study: Bowdish")[:1]
        assert lower <= min(line.get_xdata()) <= max(line.get_xdata()) <= upper * (1 + 1e-12)

    def test_nothing_is_clipped_when_everything_fits(self):
        assert not [a for a in forest().axes[0].lines if "beyond" in str(a.get_label())]

    def test_unbounded_and_missing_intervals_do_not_break_the_axis(self):
        rows = mortality()
        rows += [
            ForestRow(label="two", kind="frequentist", estimate=0.1, lower=-900.0, upper=900.0),
            ForestRow(label="inf", kind="frequentist", estimate=0.1, lower=-np.inf, upper=np.inf),
            ForestRow(label="nan", kind="frequentist", estimate=0.1, lower=np.nan, upper=np.nan),
        ]
        figure = forest(rows)
        assert "1.11 [–, –]" in texts(figure)
        lower, upper = figure.axes[0].get_xlim()
        assert 0.01 < lower < upper < 100
        ElementTree.fromstring(plots.save_svg(figure))

    def test_boxes_grow_with_the_weight(self):
        figure = forest()
        sizes = [a.get_markersize() for a in drawn(figure, "study: ") if a.get_marker() == "s"]
        assert sizes == sorted(sizes)
        assert sizes[0] < sizes[-1]

    @pytest.mark.parametrize("k", [1, 3, 45])
    def test_the_height_follows_the_rows_and_no_text_overlaps(self, k):
        rows = []
        for i in range(k):
            rows.append(
                row(f"Study {i}", "study", -0.1 * (i % 5), 0.5, weight=1 / k, note="1/9 v 2/9")
            )
            rows.append(row(f"Study {i}", "shrunken", -0.1, 0.3))
        figure = forest([*rows, *mortality()[8:]])
        assert figure.get_figwidth() == 8.75
        assert 0.25 * k < figure.get_figheight() < 0.33 * k + 4.1
        assert not overlapping(figure)

    def test_long_names_are_wrapped_and_odd_ones_survive(self):
        rows = mortality()
        long = "Multicentre double-blind placebo-controlled trial of " + "x" * 60
        rows[0] = replace(rows[0], label=long)
        rows[1] = replace(rows[1], label=long)
        odd = "$a_$ <b>&amp; --> \x00\ud800\tO’Brien"
        rows[2], rows[3] = replace(rows[2], label=odd), replace(rows[3], label=odd)
        labels = ("mesenchymal stromal cells, two doses", "standard of care with placebo infusion")
        figure = forest(rows, labels=labels, title=long)
        assert not overlapping(figure)
        assert len(intervals(figure, "shrunken")) == 4
        assert any("$a_$ <b>&amp; -->" in text for text in texts(figure))
        ElementTree.fromstring(plots.save_svg(figure))

    def test_refuses_what_it_cannot_draw(self):
        with pytest.raises(DataError, match="at least one row"):
            forest([])
        with pytest.raises(DataError, match="measure 'XX'"):
            forest(measure="XX")
        with pytest.raises(ModelError, match="better is 'lower' or 'higher'"):
            forest(better="smaller")


class TestScale:
    @pytest.mark.parametrize(
        ("lower", "upper", "ticks"),
        [
            (0.09, 11, [0.1, 0.2, 0.5, 1, 2, 5, 10]),
            (0.55, 2.1, [0.7, 1, 1.5, 2]),
            (0.84, 1.21, [0.9, 1, 1.1, 1.2]),
            (0.001, 1000, [0.001, 0.01, 0.1, 1, 10, 100, 1000]),
        ],
    )
    def test_ratios_get_round_ticks(self, lower, upper, ticks):
        found = log_ticks(lower * (1 - 1e-12), upper * (1 + 1e-12), width=3.0)
        assert found == pytest.approx(ticks)

    def test_differences_get_round_ticks(self):
        assert linear_ticks(-112.0, 60.0, width=3.0) == [-100, -50, 0, 50]

    def test_no_effect_and_every_estimate_lie_on_the_axis(self):
        estimates = np.array([2.0, np.nan, 5.0])
        ends = np.array([[1.9, 2.1], [np.nan, np.nan], [-40.0, 50.0]])
        scale = scale_for(MEASURES["MD"], estimates, ends, width=3.0)
        assert scale.holds(0.0)
        assert scale.holds(5.0)
        assert scale.at(1e9) == scale.upper

    def test_an_axis_exists_with_nothing_to_show(self):
        nothing = np.full((2, 2), np.nan)
        scale = scale_for(MEASURES["RR"], nothing[0], nothing, width=3.0)
        assert scale.lower < 0 < scale.upper


class TestPriorPosterior:
    def test_one_panel_per_parameter(self):
        figure = plots.prior_posterior_of_rows(densities(), measure="RR", prob=0.95)
        assert len(figure.axes) == 2
        found = set(texts(figure))
        assert {"Overall effect μ", "Between-study SD τ", "its central 95% interval"} <= found
        assert "posterior median RR 0.76 [0.51, 1.12]" in found
        assert "posterior median τ 0.20 [0.010, 0.70]" in found
        assert not overlapping(figure)

    def test_a_ratio_is_shown_above_its_logarithm(self):
        mu = plots.prior_posterior_of_rows(densities(), measure="RR").axes[0]
        (upper,) = mu.child_axes
        shown = [label.get_text() for label in upper.get_xticklabels()]
        assert "1" in shown
        np.testing.assert_allclose(np.exp(upper.get_xticks()), [float(text) for text in shown])
        assert not plots.prior_posterior_of_rows(densities(), measure="MD").axes[0].child_axes

    def test_the_curves_are_the_rows(self):
        rows = densities()[1]
        prior, posterior = plots.prior_posterior_of_rows([rows], measure="RR").axes[0].lines
        np.testing.assert_array_equal(prior.get_ydata(), rows.prior)
        np.testing.assert_array_equal(posterior.get_ydata(), rows.posterior)
        assert prior.is_dashed()

    def test_an_unbounded_prior_does_not_flatten_the_posterior(self):
        rows = densities()[1]
        rows.prior = np.where(rows.x == 0, np.inf, 1e3)
        axes = plots.prior_posterior_of_rows([rows], measure="RR").axes[0]
        assert axes.get_ylim()[1] == pytest.approx(1.06 * 3 * rows.posterior.max())

    def test_refuses_nothing(self):
        with pytest.raises(DataError, match="at least one density"):
            plots.prior_posterior_of_rows([], measure="RR")


def left_out(k=4):
    """Predictions of counts, the last one far out and one that could not be had."""
    ones = np.linspace(0.2, 0.7, k)
    lower = np.append(ones[:-1], 0.0)
    elpd = np.append(np.full(k - 1, -1.5), np.nan)
    return LOO(
        study=tuple(f"Study {i}" for i in range(k)),
        elpd=elpd,
        fitted=elpd,
        pit_lower=lower,
        pit_upper=lower + 0.01,
        pit=lower + 0.002,
        pareto_k=np.full(k, np.nan),
        how=("exact",) * k,
        target="treatment events given control events",
        data=None,
    )


def test_the_point_of_a_study_left_out_is_the_pit_of_its_table():
    found = left_out()
    (axes,) = plots.left_out(found).figure.axes
    drawn = [x for line in axes.lines for x in line.get_xdata()]
    assert sorted(drawn) == sorted(found.table()["pit"])


class TestLeftOut:
    def test_each_study_lies_where_the_others_put_it(self):
        figure = plots.left_out(left_out())
        (axes,) = figure.axes
        studies = next(a for a in axes.lines if a.get_label() == "study")
        np.testing.assert_allclose(studies.get_xdata(), np.linspace(0.2, 0.7, 4)[:-1] + 0.002)
        far = next(a for a in axes.lines if a.get_label() == "study, far out")
        np.testing.assert_allclose(far.get_xdata(), [0.002])
        (bars,) = axes.collections
        ends = [*np.linspace(0.2, 0.7, 4)[:-1].tolist(), 0.0]
        np.testing.assert_allclose([one[:, 0].min() for one in bars.get_segments()], ends)
        assert {"Study 0", "−1.50", "no sound prediction"} <= set(texts(figure))
        assert not overlapping(figure)

    @pytest.mark.parametrize("k", [2, 42])
    def test_takes_few_and_many_studies(self, k):
        figure = plots.left_out(left_out(k))
        assert not overlapping(figure)
        assert figure.get_figheight() < 1.3 + 0.27 * k


class TestPredictive:
    def test_shows_each_arm_in_per_cent_of_its_patients(self):
        figure = plots.predictive(check(), labels=("MSC", "usual care"))
        treatment, control = figure.axes[:2]
        observed = next(a for a in treatment.lines if a.get_label() == "observed")
        np.testing.assert_allclose(observed.get_xdata(), 100 * np.array([5 / 12, 5 / 20, 5 / 112]))
        assert treatment.get_xlim() == control.get_xlim()
        assert {"5/12", "112/112", "Study 0", "MSC", "usual care"} <= set(texts(figure))
        assert not overlapping(figure)

    def test_marks_what_lies_outside_its_interval(self):
        control = plots.predictive(check()).axes[1]
        outside = next(a for a in control.lines if a.get_label().startswith("observed, outside"))
        assert len(outside.get_xdata()) == 3

    def test_an_end_belongs_to_its_interval(self):
        ends = np.array([0.0, 10.0, 11.0])
        low, high = np.zeros(3), np.full(3, 10.0)
        arm = ArmCheck(ends, low, high / 2, high, size=np.full(3, 40.0), unit="events")
        axes = plots.predictive(replace(check(), arms={"events": arm})).axes[0]
        shown = {line.get_label(): line.get_xdata().tolist() for line in axes.lines}
        outside = next(label for label in shown if label.startswith("observed, outside"))
        assert (shown["observed"], shown[outside]) == ([0.0, 25.0], [27.5])

    def test_one_histogram_per_statistic_with_its_p(self):
        figure = plots.predictive(check())
        assert len(figure.axes) == 2 + 4
        found = set(texts(figure))
        assert {"arms without an event", "predictive p = 0.20", "predictive p not defined"} <= found
        assert "not defined for these data" in found
        (line,) = [a for a in figure.axes[2].lines if a.get_label() == "observed"]
        assert line.get_xdata()[0] == 2.0
        assert all(float(tick).is_integer() for tick in figure.axes[2].get_xticks())

    def test_shows_estimates_on_their_own_scale(self):
        ends = map(np.array, ([-0.4, 0.3], [-1.0, -0.2], [-0.3, 0.1], [0.2, 0.6]))
        arm = ArmCheck(*ends, size=None, unit="log RR")
        figure = plots.predictive(PredictiveCheck(("A", "B"), {"estimate": arm}, (), 0.95))
        (axes,) = figure.axes
        observed = next(a for a in axes.lines if a.get_label() == "observed")
        np.testing.assert_allclose(observed.get_xdata(), [-0.4, 0.3])
        low, high = axes.get_xlim()
        assert low < -1
        assert high > 0.6
        assert {"log RR", "estimate", "−0.40"} <= set(texts(figure)) | {axes.get_xlabel()}

    @pytest.mark.parametrize("k", [1, 42])
    def test_takes_few_and_many_studies(self, k):
        figure = plots.predictive(check(k=k))
        assert not overlapping(figure)
        assert 2 < figure.get_figheight() < 2.9 + 0.27 * k + 0.3

    def test_counts_fall_on_whole_bins(self):
        edges = bin_edges(np.arange(100.0), 130.0, discrete=True)
        widths = np.diff(edges)
        assert widths[0] == widths.max() == widths.min() == 5
        assert edges[0] % 1 == 0.5
        assert edges[-1] >= 130.5

    def test_a_constant_has_a_histogram(self):
        edges = bin_edges(np.zeros(10), 0.0, discrete=False)
        assert (np.diff(edges) > 0).all()


class TestThresholds:
    @pytest.mark.parametrize("name", TOLD)
    def test_every_number_of_the_curve_is_one_of_its_table(self, name):
        effects = TOLD[name]()
        table = effects.curve()
        lines = [line for axes in plots.thresholds(effects).axes for line in axes.lines]
        curves = {line.get_label(): line for line in lines if line.get_label() in table}
        assert curves.keys() == {row.quantity for row in effects.stated}
        for quantity, line in curves.items():
            assert_array_equal(line.get_xdata(), table.index)
            assert_array_equal(line.get_ydata(), table[quantity])

    @pytest.mark.parametrize("name", TOLD)
    def test_the_curve_is_the_probability_of_any_benefit_at_zero_and_of_enough_at_the_threshold(
        self, name
    ):
        effects = TOLD[name]()
        table = effects.curve()
        for row in effects.rows:
            curve = table[row.quantity]
            assert curve[0.0] == pytest.approx(row.prob_benefit, abs=1e-9)
            assert 1 - curve[0.0] == pytest.approx(row.prob_harm, abs=1e-9)
            assert (np.diff(curve) <= 1e-9).all()
            if effects.threshold is not None:
                assert curve[effects.threshold] == pytest.approx(row.prob_important, abs=1e-12)
            sign = -1 if effects.better == "lower" else 1
            least, most = sorted(sign * end for end in row.difference[1:])
            assert table.index[0] <= least < most <= table.index[-1]
            assert ((table.index >= least) & (table.index <= most)).sum() >= 30

    @pytest.mark.parametrize("name", TOLD)
    @pytest.mark.parametrize("width", [70, 85, 149, 150, 174])
    def test_nothing_overlaps_in_one_column_or_two(self, name, width):
        figure = plots.thresholds(TOLD[name](), width=width)
        assert figure.get_size_inches()[0] == pytest.approx(width / 25.4)
        assert overlapping(figure) == []
        assert min(text.get_size() for text in figure.findobj(Text) if text.get_text()) >= 8
        left = [axes.get_position().x0 for axes in figure.axes]
        assert (left[0] == left[1]) == (width < 150)

    def test_marks_no_difference_and_the_threshold_and_names_the_baselines(self):
        figure = plots.thresholds(TOLD["RR, three"]())
        said = texts(figure)
        for word in ("low baseline", "high baseline", "no difference", "threshold 20"):
            assert said.count(word) == 1
        at = {line.get_label(): list(line.get_xdata()) for line in figure.axes[1].lines}
        assert at["no difference"] == [0, 0]
        assert at["threshold"] == [20, 20]
        plain = plots.thresholds(TOLD["HR of a rate"]())
        assert not [text for text in texts(plain) if "threshold" in text]

    def test_a_common_effect_has_one_panel(self):
        data = bm.EffectSizes.from_arrays(["A", "B"], [-0.3, 0.1], [0.2, 0.4], measure="OR")
        fit = bm.fit(bm.CommonEffect(mu=bm.Normal(0, 2)), data)
        effects = bm.absolute_effects(fit, baseline=0.2, better="lower")
        assert len(plots.thresholds(effects).axes) == 1

    def test_refuses_what_it_cannot_draw(self):
        with pytest.raises(ModelError, match=r"takes what bm.absolute_effects found, not int"):
            plots.thresholds(3)
        effects = TOLD["OR, one"]()
        with pytest.raises(ModelError, match="width is in mm, 70 or more, not 8"):
            plots.thresholds(effects, width=8)
        with pytest.raises(DataError, match="missing: average effect"):
            plots.thresholds_of_table(effects.curve().iloc[:, 1:], effects)


class TestScenarios:
    def test_one_line_per_analysis(self):
        figure = plots.scenarios_of_table(scenario_table(), measure="RR", better="lower", prob=0.9)
        assert len(intervals(figure, "scenario")) == 3
        found = set(texts(figure))
        assert {"main", "k = 9", "0.76 [0.58, 0.98]", "nothing left", "no estimate"} <= found
        assert {"RR [90% interval]", "← favours treatment"} <= found
        assert len([a for a in figure.axes[0].lines if "beyond" in a.get_label()]) == 2
        assert not overlapping(figure)

    def test_k_may_be_absent(self):
        table = scenario_table().drop(columns="k")
        found = texts(plots.scenarios_of_table(table, measure="MD", better="higher"))
        assert not [text for text in found if text.startswith("k =")]
        assert "favours treatment →" in found

    def test_refuses_a_table_without_its_columns(self):
        with pytest.raises(DataError, match="missing: lower, upper"):
            plots.scenarios_of_table(scenario_table()[["estimate"]], measure="RR", better="lower")
        with pytest.raises(DataError, match="every row"):
            plots.scenarios_of_table(scenario_table()[:0], measure="RR", better="lower")


@pytest.fixture(scope="module")
def trials():
    return bm.EffectSizes.from_arrays(
        ["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4], measure="RR"
    )


@pytest.fixture(scope="module")
def fitted(trials):
    return bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), trials)


class TestFits:
    def test_a_forest_plot_of_a_fit_is_that_of_its_rows(self, fitted, trials):
        others = {"REML": bm.random_effects(trials)}
        figure = bm.plots.forest(fitted, frequentist=others, better="lower", prob=0.9)
        rows = forest_rows(fitted, frequentist=others, prob=0.9)
        rows = [*rows, *heterogeneity_rows(fitted, prob=0.9)]
        same = plots.forest_of_rows(rows, measure="RR", better="lower", prob=0.9)
        assert look(figure) == look(same)
        assert "REML" in texts(figure)

    def test_no_side_is_named_where_no_direction_is_given(self, fitted):
        assert any("favours" in text for text in texts(plots.forest(fitted, better="higher")))
        assert not any("favours" in text for text in texts(plots.forest(fitted)))
        assert not any("favours" in text for text in texts(plots.scenarios({"a": fitted})))

    def test_prior_and_posterior_are_drawn_with_the_interval_of_the_fit(self, fitted):
        figure = plots.prior_posterior(fitted, prob=0.8)
        assert len(figure.axes) == 2
        assert "its central 80% interval" in texts(figure)
        median = fitted["mu"].quantile(0.5)
        assert any(f"RR {np.exp(median):.2f} [" in text for text in texts(figure))

    def test_answers_are_drawn_one_line_each(self, fitted, trials):
        fits = {"ours": fitted, "REML": bm.random_effects(trials)}
        figure = plots.scenarios(fits, better="lower", prob=0.9)
        assert len(intervals(figure, "scenario")) == 2
        assert {"ours", "REML", "RR [90% interval]", "k = 3"} <= set(texts(figure))

    def test_a_published_interval_of_another_level_is_not_called_by_ours(self, fitted):
        printed = bm.Published.parse("RR 0.80 [0.60, 1.07]", k=3)
        figure = plots.scenarios({"ours": fitted, "paper": printed}, prob=0.9)
        assert "RR [interval]" in texts(figure)

    def test_a_difference_of_counts_is_drawn_as_the_difference(self):
        trials = bm.BinaryStudies(
            study=["A", "B"],
            events_treatment=[3, 5],
            n_treatment=[40, 60],
            events_control=[7, 9],
            n_control=[41, 58],
        )
        model = bm.BinomialNormal(measure="RD", mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.2))
        fit = bm.fit(model, trials)
        middle = f"{np.tanh(fit['mu'].quantile(0.5)):.2g} ["
        for figure in (plots.forest(fit), plots.scenarios({"ours": fit})):
            assert any(middle in text.replace("−", "-") for text in texts(figure))

    def test_several_outcomes_are_refused_in_one_sentence(self):
        fit = SimpleNamespace(
            model=bm.MultivariateNormal(mu=bm.Normal(0, 1), tau=bm.HalfNormal(1), rho=bm.LKJ(1))
        )
        with pytest.raises(ModelError, match="forest"):
            plots.forest(fit)


class TestSvg:
    @pytest.mark.deep("every figure twice as SVG: 1 s", but=["forest"])
    @pytest.mark.parametrize("name", FIGURES)
    def test_the_same_figure_gives_the_same_text(self, name):
        first = plots.save_svg(FIGURES[name]())
        root = ElementTree.fromstring(first)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.find(".//{http://www.w3.org/2000/svg}text") is None  # letters are paths
        with matplotlib.rc_context({"axes.grid": True, "font.size": 20, "svg.hashsalt": None}):
            assert plots.save_svg(FIGURES[name]()) == first

    def test_saving_twice_changes_nothing(self):
        figure = forest()
        assert plots.save_svg(figure) == plots.save_svg(figure)

    def test_the_xml_check_would_notice(self):
        text = plots.save_svg(forest())
        with pytest.raises(ElementTree.ParseError):
            ElementTree.fromstring(text.replace("</svg>", "<!-- \x00 --></svg>"))

    def test_writes_the_text_and_nothing_else(self, tmp_path):
        path = tmp_path / "forest.svg"
        path.write_text("old")
        text = plots.save_svg(forest(), path)
        assert path.read_text(encoding="utf-8") == text
        assert [each.name for each in tmp_path.iterdir()] == ["forest.svg"]

    def test_leaves_the_users_settings_alone(self):
        before = dict(matplotlib.rcParams)
        for draw in FIGURES.values():
            plots.save_svg(draw())
        assert dict(matplotlib.rcParams) == before

    @pytest.mark.deep("a process of its own: 1 s")
    def test_the_room_loads_matplotlib_late_and_pyplot_never(self):
        code = (
            "import sys, bayesmeta.plots as p; assert 'matplotlib' not in sys.modules;"
            "p.forest; p.predictive; p.scenarios; p.prior_posterior; p.save_svg;"
            "assert 'matplotlib.pyplot' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_unknown_names_are_unknown(self):
        of_rows = {name for name in plots.__all__ if name.endswith(("_of_rows", "_of_table"))}
        assert len(of_rows) == 4
        assert set(dir(plots)) == set(plots.__all__) - of_rows
        with pytest.raises(AttributeError, match="pie"):
            _ = plots.pie


class TestText:
    def test_wrapping_keeps_every_letter(self):
        text = "a very long name " + "x" * 80
        wrapped = wrap(text, 1.0)
        assert wrapped.replace("\n", "").replace(" ", "") == text.replace(" ", "")
        assert width_of(wrapped) <= 1.0

    def test_cleaning_leaves_what_can_be_printed(self):
        assert clean("  a\nb\x07 é ") == "a b é"

    @pytest.mark.parametrize(
        ("p", "text"),
        [(0.0, "< 0.001"), (1.0, "> 0.999"), (0.004, "= 0.004"), (0.5, "= 0.50")],
    )
    def test_a_predictive_p_is_never_certain(self, p, text):
        assert p_text(p) == f"predictive p {text}"


class TestDraws:
    def test_ranks_are_those_of_arviz_and_draws_those_of_the_fit(self, sampled):
        from arviz_stats.base import array_stats

        table = plots.draws(sampled, rows=True)
        assert set(table["parameter"]) == {"mu", "tau"}
        for name in ("mu", "tau"):
            drawn = sampled.draws()["posterior"][name].to_numpy()
            mine = table[table["parameter"] == name]
            ranks = array_stats.compute_ranks(drawn.ravel(), relative=True)
            for i, chain in enumerate(drawn):
                each = mine[mine["chain"] == i + 1].set_index("kind")
                np.testing.assert_array_equal(each.loc["draw", "y"], chain)
                counts, _ = np.histogram(ranks.reshape(drawn.shape)[i], np.linspace(0, 1, 21))
                np.testing.assert_allclose(each.loc["rank", "y"] * len(chain) / 20, counts, atol=1)
                np.testing.assert_allclose(each.loc["rank", "y"].mean(), 1, rtol=1e-12)

    def test_a_chain_that_is_elsewhere_has_ranks_of_its_own(self, sampled):
        drawn = sampled.sample(None, 0)
        away = {name: values + 9.0 * (np.arange(len(values)) == 2)[:, None]
                for name, values in drawn.items() if values.ndim == 2}  # fmt: skip
        table = plots.draws(replace(sampled, sample=lambda *_: away), rows=True)
        ranks = table[(table["kind"] == "rank") & (table["parameter"] == "mu")]
        per = ranks.pivot(index="x", columns="chain", values="y")
        chains = per.shape[1]
        assert per[3].to_numpy()[-2:].tolist() == [chains, chains]
        assert per[3].to_numpy()[: -(20 // chains + 1)].max() == 0
        assert per.drop(columns=3).to_numpy()[-2:].max() == 0

    def test_every_kth_draw_is_drawn_and_divergent_ones_are_marked(self, sampled):
        mu = sampled.sample(None, 0)["mu"]
        diverging = np.zeros(mu.shape, dtype=bool)
        diverging[1, [7, 8]] = True
        stats = {**sampled.sample_stats, "diverging": diverging}
        figure = plots.draws(replace(sampled, sample_stats=stats))
        for i in range(len(mu)):
            np.testing.assert_array_equal(named(figure, f"chain {i + 1}").get_ydata(), mu[i, ::2])
        np.testing.assert_array_equal(named(figure, "divergent").get_ydata(), mu[1, [7, 8]])
        said = " ".join(t.get_text() for t in figure.texts)
        assert "every second draw" in said
        assert "Divergent transitions, all of them drawn: 2." in said

    def test_what_was_integrated_has_no_chains(self):
        with pytest.raises(ModelError, match=r"this posterior is integrated.*bm\.NUTS\(seed=1\)"):
            plots.draws(bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(1)), THREE_Y))


@pytest.fixture(scope="module")
def sampled():
    model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(1))
    return bm.fit(model, THREE_Y, bm.NUTS(seed=1, draws=500, tune=500))


def named(figure, label):
    return next(one for one in figure.axes[0].lines if one.get_label() == label)


@pytest.mark.parametrize("name", ["forest", "prior_posterior"])
def test_rows_given_for_a_fit_are_pointed_to_their_own_function(name):
    with pytest.raises(bm.ModelError, match=f"{name} takes a fit.*{name}_of_rows"):
        getattr(bm.plots, name)([])


def test_letters_that_the_font_lacks_are_boxes_and_named_without_a_warning():
    names = ["张 2020", "Müller", "한국 2019"]
    data = bm.EffectSizes.from_arrays(names, [-0.3, 0.1, 0.2], [0.2, 0.3, 0.4], measure="OR")
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), data)
    figure = plots.forest(fit)
    plots.save_svg(figure)
    written = {text.get_text() for text in figure.texts}
    assert {"□ 2020", "Müller", "□□ 2019"} <= written
    assert plots.letters_missing(names) == ("张", "한", "국")
    assert plots.letters_missing(["Müller", "Γ ≤ 3 − x"]) == ()
