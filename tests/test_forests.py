"""Forest plots at the widths of journals: what is drawn are rows, and no text covers another."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

import bayesmeta as bm
from bayesmeta.plots._scale import log_ticks, tick_text
from bayesmeta.studies import Studies

NAMES = ("Smith", "van der Heijden", "Multicentre trial of early treatment", "Li")
SETTINGS = ("hospital", "general practice", "long-term care home")
WIDE, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
WIDTHS = (85, 114, 174, None)


def trials(measure, k):
    """Tables of so many studies, some with long names, some with few events."""
    rng = np.random.default_rng(k)
    frame = pd.DataFrame({"study": [f"{NAMES[i % 4]} {1700 + i}" for i in range(k)]})
    frame["setting"] = [SETTINGS[i % 3] for i in range(k)]
    frame["dose"] = rng.uniform(1, 9, k).round(1)
    n, effect = rng.integers(20, 900, k), rng.normal(-0.3, 0.3, k)
    if measure in ("OR", "RR", "RD"):
        low = rng.uniform(0.1, 0.4, k)
        risks = {"treatment": low * np.exp(effect), "control": low}
        for arm, risk in risks.items():
            frame[f"events_{arm}"], frame[f"n_{arm}"] = rng.binomial(n, np.minimum(risk, 0.9)), n
        return bm.BinaryStudies.from_frame(frame)
    for arm, mean in (("treatment", 20 * np.exp(effect / 3)), ("control", np.full(k, 20.0))):
        frame[f"mean_{arm}"], frame[f"n_{arm}"] = mean.round(2), n
        frame[f"sd_{arm}"] = rng.uniform(4, 8, k).round(1)
    return bm.ContinuousStudies.from_frame(frame)


def fitted(measure, k, mu=WIDE):
    data = bm.effect_sizes(trials(measure, k), measure=measure)
    return bm.fit(bm.NormalNormal(mu=mu, tau=TAU), data)


def texts(figure):
    return [one.get_text() for one in figure.findobj(Text) if one.get_text().strip()]


def overlapping(figure):
    """Pairs of texts that cover each other, and texts that leave the figure."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    shown = [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()]
    boxes = np.array([t.get_window_extent(renderer).extents for t in shown])
    low, high = boxes[:, :2], boxes[:, 2:]
    shared = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    pairs = np.argwhere(np.triu((shared > (1.0, 1.5)).all(axis=2), 1))
    page = figure.bbox.extents
    off = (low < page[:2] - 1).any(axis=1) | (high > page[2:] + 1).any(axis=1)
    named = [t.get_text() for t in shown]
    return [(named[i], named[j]) for i, j in pairs] + [named[i] for i in np.flatnonzero(off)]


SIZES = [("OR", 3), ("OR", 14), ("RD", 14), ("SMD", 14), ("ROM", 60), ("OR", 300)]


@pytest.mark.parametrize(("measure", "k"), SIZES)
def test_nothing_overlaps_or_is_clipped_at_any_width(measure, k):
    fit = fitted(measure, k)
    for width in WIDTHS if k < 300 else (85, 174):
        figure = bm.plots.forest(fit, better="lower", width=width, labels=("drug", "placebo"))
        assert overlapping(figure) == []
        assert figure.get_figwidth() == pytest.approx(8.75 if width is None else width / 25.4)
        assert figure.axes[0].get_position().width > 0.23
        assert len(figure.axes[0].get_xticks()) >= 2
        assert min(one.get_fontsize() for one in figure.findobj(Text)) >= 6.5


def test_that_test_sees_texts_that_overlap_and_texts_that_are_clipped():
    figure = bm.plots.forest(fitted("OR", 3), width=85)
    figure.text(0.03, 0.5, "over the names of the studies" * 3)
    figure.text(0.5, 1.0, "above")
    found = overlapping(figure)
    assert "above" in found
    assert any("over the names" in part for pair in found for part in pair)


def test_columns_that_have_no_room_by_default_are_refused_with_a_remedy_when_asked_for():
    fit = fitted("OR", 14)
    shown = bm.plots.forest(fit, width=85, columns=["effect"])
    assert not any("%" in one and "[" not in one and "pred" not in one for one in texts(shown))
    with pytest.raises(bm.ModelError, match=r"leave .* mm of 85 for the axis; ask for fewer"):
        bm.plots.forest(fit, width=85, columns=["counts", "weight", "effect", "model"])
    with pytest.raises(bm.ModelError, match="columns are of counts, weight, effect, model"):
        bm.plots.forest(fit, columns=["n"])
    with pytest.raises(bm.ModelError, match="width is in mm, 70 to 400"):
        bm.plots.forest(fit, width=3)


def test_rows_are_what_is_drawn_and_equal_the_posterior():
    fit = fitted("OR", 14)
    table = bm.plots.forest(fit, rows=True, prob=0.9)
    kinds = table.groupby("kind", sort=False).size().to_dict()
    assert kinds == {
        "study": 14,
        "shrunken": 14,
        "posterior": 1,
        "prediction": 1,
        "heterogeneity": 3,
    }
    said = texts(bm.plots.forest(fit, prob=0.9, better="lower"))
    assert "90% prediction interval" in said
    for label, one in (("overall", fit["mu"]), ("90% prediction interval", fit["theta_new"])):
        row = table.loc[label, ["estimate", "lower", "upper"]].astype(float)
        assert row.tolist() == pytest.approx([one.quantile(0.5), *one.interval(0.9)], abs=1e-12)
        assert "{:.2f} [{:.2f}, {:.2f}]".format(*np.exp(row)) in said
    tau = np.array([fit["tau"].quantile(0.5), *fit["tau"].interval(0.9)])
    ends = ["estimate", "lower", "upper"]
    assert table.loc["tau2", ends].astype(float).tolist() == pytest.approx(list(tau**2))
    assert any(one.startswith("Heterogeneity (log OR): τ ") and "I² " in one for one in said)


def test_i2_of_a_tau_is_that_of_the_estimator_that_finds_this_tau():
    """tau²/(tau² + s²) by the frequentist fit, whose i2 the tests hold to metafor."""
    fit = fitted("OR", 14)
    table = bm.plots.forest(fit, rows=True)
    reml = bm.random_effects(fit.data)
    typical = reml.tau2 * (100 / reml.i2 - 1)
    tau2 = table.loc["tau2", "estimate"]
    assert table.loc["I2", "estimate"] == pytest.approx(100 * tau2 / (tau2 + typical), rel=1e-6)


def test_weights_are_those_of_the_mean_where_the_prior_has_none():
    """`mean_weights` sums over nodes of tau, figures over quantiles."""
    fit = fitted("OR", 14, mu=bm.Flat())
    table = bm.plots.forest(fit, rows=True)
    weights = table.loc[table["kind"] == "study", "weight"]
    assert weights.sum() == pytest.approx(1)
    assert weights.to_numpy() == pytest.approx(bm.mean_weights(fit)["weight"].to_numpy(), abs=2e-5)


def test_totals_stand_beside_the_overall_effect():
    data = trials("OR", 14)
    assert isinstance(data, Studies)
    model = bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 2), tau=TAU)
    table = bm.plots.forest(bm.fit(model, data), rows=True)
    events, n = data.events_treatment.sum(), data.n_treatment.sum()
    assert table.loc["overall", "note"].startswith(f"{events:.0f}/{n:.0f} v ")
    means = bm.effect_sizes(trials("SMD", 14), measure="SMD")
    note = bm.plots.forest(bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=TAU), means), rows=True)
    whole = trials("SMD", 14)
    assert note.loc["overall", "note"] == f"N = {(whole.n_treatment + whole.n_control).sum():,.0f}"


def test_studies_and_kinds_are_chosen_and_what_is_not_shown_is_said():
    fit = fitted("OR", 14)
    some = list(fit.data.study[:3])
    table = bm.plots.forest(fit, studies=some, kinds=["study", "posterior"], rows=True)
    assert list(table.index) == [*some, "overall"]
    assert "3 of 14 studies are shown." in texts(bm.plots.forest(fit, studies=some))
    with pytest.raises(bm.ModelError, match="no study 'Nobody' in this fit"):
        bm.plots.forest(fit, studies=["Nobody"])
    with pytest.raises(bm.ModelError, match=r"kinds are of .*, not 'studies'"):
        bm.plots.forest(fit, kinds=["studies"])


def test_densities_stand_on_their_marks_with_the_heights_of_the_posterior():
    fit = fitted("OR", 3)
    table = bm.plots.forest(fit, densities=True, rows=True)
    x, density = (np.array(table.loc["overall", name]) for name in ("x", "density"))
    assert density == pytest.approx(fit["mu"].pdf(x))
    assert np.trapezoid(density, x) == pytest.approx(0.997, abs=2e-3)
    figure = bm.plots.forest(fit, densities=True, width=85)
    curves = [c for c in figure.axes[0].collections if str(c.get_label()).endswith(", density")]
    assert len(curves) == 5  # three studies, the mean and the prediction
    assert overlapping(figure) == []


def test_ticks_are_there_whatever_the_range():
    for logs in (0.02, 1.0, 11.0, 30.0, 200.0, 590.0):
        ticks = np.array(log_ticks(np.exp(-logs), np.exp(logs), width=1.2, size=6.5))
        assert 2 <= len(ticks) <= 9
        assert np.log(ticks).min() >= -logs
        assert np.log(ticks).max() <= logs
    assert [tick_text(one) for one in (1e-20, 2e6, 0.5)] == ["10⁻²⁰", "2×10⁶", "0.5"]
    data = bm.EffectSizes.from_arrays(["A", "B"], [-700.0, 900.0], [90.0, 80.0], measure="OR")
    figure = bm.plots.forest(bm.fit(bm.NormalNormal(mu=bm.Flat(), tau=bm.HalfNormal(9)), data))
    assert len(figure.axes[0].get_xticks()) >= 2
