"""Figures in which studies are points or join one by one: rows by hand, metafor, brute force."""

from functools import cache, partial

import numpy as np
import pytest
from matplotlib.text import Text
from references import COUNTS, RATES, SHARES, cases, estimates
from scipy.stats import chi2, norm
from test_forests import TAU, WIDE, fitted, overlapping, texts, trials

import bayesmeta as bm
from bayesmeta.frequentist import cumulative, leave_one_out

ENDS = ["estimate", "lower", "upper"]
REGRESSED = bm.Linear("dose", intercept=WIDE, slopes=WIDE)
POINTS = (bm.plots.funnel, bm.plots.radial, bm.plots.baujat, bm.plots.influence)
REFITS = (bm.plots.cumulative, bm.plots.leave_one_out)


@cache
def fit_of(measure, k):
    return fitted(measure, k)


def named(figure, label):
    every = [*figure.axes[0].lines, *figure.axes[0].collections, *figure.axes[0].patches]
    return next(one for one in every if one.get_label() == label)


def places(table, kind, label=None):
    some = table[table["kind"] == kind]
    some = some if label is None else some[some["label"] == label]
    return some[["x", "y"]].to_numpy()


def by_grid(y, se, *, points=1201):
    """Median and 95% interval of mu by brute force: a grid of mu and tau, priors as in the fits."""
    mu = np.linspace(-4, 4, points)[:, None, None]
    tau = np.linspace(0, 3, 301)[None, :, None]
    log = norm.logpdf(y, mu, np.hypot(se, tau)).sum(axis=2)
    log = log + norm.logpdf(mu[..., 0], 0, 2) + norm.logpdf(tau[..., 0], 0, 0.5)
    mass = np.exp(log - log.max())
    mass[:, [0, -1]] *= 0.5
    density = mass.sum(axis=1)
    below = (np.cumsum(density) - density / 2) / density.sum()
    return np.interp([0.5, 0.025, 0.975], below, mu[:, 0, 0])


@pytest.mark.parametrize("dataset", sorted(cases("baujat")))
def test_baujat_equals_metafor(dataset):
    given, theirs = cases("small_study")[dataset], cases("baujat")[dataset]
    table = bm.plots.baujat(estimates(given["yi"], np.sqrt(given["vi"])), rows=True)
    for axis in ("x", "y"):
        assert table[axis].to_numpy() == pytest.approx(np.array(theirs[axis], float), rel=1e-9)


def test_a_funnel_has_the_estimates_the_contours_and_both_lines():
    fit = fit_of("OR", 14)
    table, y, se = bm.plots.funnel(fit, rows=True), fit.data.y, fit.data.se
    assert places(table, "study") == pytest.approx(np.stack([y, se], axis=1))
    top = places(table, "null")[1, 1]
    assert top > se.max()
    for level in (0.1, 0.05, 0.01):
        left, apex, right = places(table, "contour", f"p = {level:.2f}")
        assert apex.tolist() == [0.0, 0.0]
        for x, height in (left, right):
            assert height == top
            assert 2 * norm.sf(abs(x / height)) == pytest.approx(level, rel=1e-9)
    assert places(table, "pooled")[:, 0] == pytest.approx(fit["mu"].quantile(0.5), abs=1e-12)
    columns = np.stack([np.ones(14), se], axis=1) / se[:, None]
    limit, slope = np.linalg.lstsq(columns, y / se)[0]
    line = places(table, "egger")
    assert line[:, 0] == pytest.approx([limit, limit + slope * top], rel=1e-9)
    figure = bm.plots.funnel(fit)
    assert figure.axes[0].get_ylim() == (top, 0.0)
    drawn = named(figure, "Egger")
    assert drawn.get_xdata() == pytest.approx(np.exp(line[:, 0]))
    offsets = np.asarray(named(figure, "studies").get_offsets())
    assert offsets == pytest.approx(np.stack([np.exp(y), se], axis=1))
    said = " ".join(texts(figure))
    assert bm.egger(fit.data).in_words in said
    assert "Fewer than 10 studies" not in said
    assert "Fewer than 10 studies" in " ".join(texts(bm.plots.funnel(fit_of("OR", 3), width=174)))


def test_a_funnel_says_why_it_has_no_line_of_eggers_test():
    data = estimates([0.1, 0.4], [0.2, 0.3])
    table = bm.plots.funnel(data, rows=True)
    assert not (table["kind"] == "egger").any()
    assert "No line of Egger's test: " in " ".join(texts(bm.plots.funnel(data)))
    assert places(table, "pooled")[0, 0] == pytest.approx(bm.random_effects(data).estimate)


def test_a_radial_plot_has_effects_as_slopes_and_a_band_of_standard_normals():
    fit = fit_of("SMD", 14)
    table = bm.plots.radial(fit, rows=True, prob=0.9)
    x, y = places(table, "study").T
    assert y / x == pytest.approx(fit.data.y)
    assert 1 / x == pytest.approx(fit.data.se)
    start, end = places(table, "pooled")
    assert (end - start)[1] / (end - start)[0] == pytest.approx(fit["mu"].quantile(0.5))
    for side, q in (("lower", 0.05), ("upper", 0.95)):
        band = places(table, "band", side)
        assert band - places(table, "pooled") == pytest.approx(np.array([[0, norm.ppf(q)]] * 2))
    data = fit.data
    common = places(bm.plots.radial(data, rows=True), "pooled")[1]
    slope = np.linalg.lstsq((1 / data.se)[:, None], data.y / data.se)[0]
    assert common[1] / common[0] == pytest.approx(slope[0])
    figure = bm.plots.radial(fit, prob=0.9)
    out = np.abs(y - fit["mu"].quantile(0.5) * x) > norm.ppf(0.95)
    assert len(named(figure, "outside").get_offsets()) == out.sum()
    farthest = data.study[int(np.argmax(np.abs(y - fit["mu"].quantile(0.5) * x)))]
    assert farthest in [one.replace("\n", " ") for one in texts(figure)]


def test_rays_of_a_radial_plot_end_at_their_labels():
    figure = bm.plots.radial(fit_of("OR", 14))
    axes = figure.axes[0]
    end = axes.get_xlim()[1]
    rays = [one for one in axes.texts if one.xy[0] == end]
    assert len(rays) >= 2
    for one in rays:
        assert one.xy[1] / end == pytest.approx(np.log(float(one.get_text())))


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_labbe_has_risks_and_lines_along_which_the_effect_is_constant(measure):
    data = trials("OR", 14)
    table = bm.plots.labbe(data, measure=measure, rows=True)
    x, y = places(table, "study").T
    assert x == pytest.approx(data.events_control / data.n_control)
    assert y == pytest.approx(data.events_treatment / data.n_treatment)
    sizes = table.loc[table["kind"] == "study", "size"].to_numpy()
    assert sizes == pytest.approx(data.n_treatment + data.n_control)
    pooled = bm.random_effects(data, measure=measure)
    ends = table.loc[table["kind"] == "effect"].set_index("label")["x"]
    assert ends[ENDS].tolist() == pytest.approx([getattr(pooled, one) for one in ENDS])
    for label, effect in zip(("REML", "lower", "upper"), ends, strict=True):
        line = table[(table["label"] == label) & table["kind"].isin(["pooled", "band"])]
        a, b = line[line["y"].between(1e-9, 1 - 1e-9)][["x", "y"]].to_numpy().T
        found = {
            "OR": lambda a, b: np.log(b / (1 - b) / (a / (1 - a))),
            "RR": lambda a, b: np.log(b / a),
            "RD": lambda a, b: b - a,
        }[measure](a, b)
        assert found == pytest.approx(effect)
    figure = bm.plots.labbe(data, measure=measure)
    assert named(figure, "REML").get_ydata() == pytest.approx(places(table, "pooled")[:, 1])


def test_labbe_of_a_fit_has_its_posterior_and_the_risk_difference_as_such():
    for measure, ends in (("OR", np.asarray), ("RD", np.tanh)):
        model = bm.BinomialNormal(measure=measure, mu=WIDE, tau=TAU)
        fit = bm.fit(model, COUNTS)
        found = bm.plots.labbe(fit, rows=True).query("kind == 'effect'")["x"]
        mu = fit["mu"]
        assert found.tolist() == pytest.approx(ends([mu.quantile(0.5), *mu.interval(0.95)]))
        assert overlapping(bm.plots.labbe(fit, width=85)) == []
    with pytest.raises(bm.ModelError, match="lines are those of the fit, of RD"):
        bm.plots.labbe(fit, measure="OR")
    assert places(bm.plots.funnel(fit, rows=True), "pooled")[0, 0] == pytest.approx(
        np.tanh(mu.quantile(0.5))
    )
    own = bm.effect_sizes(COUNTS, measure="RD")
    assert places(bm.plots.funnel(fit, rows=True), "study")[:, 0] == pytest.approx(own.y)


def test_a_cumulative_forest_is_the_posterior_of_the_first_studies():
    fit = fit_of("OR", 14)
    table = bm.plots.cumulative(fit, order="dose", rows=True)
    order = np.argsort(fit.data.covariates["dose"], kind="stable")
    assert list(table.index) == [*(fit.data.study[i] for i in order), "all studies"]
    assert table["note"].tolist()[:-1] == [str(k) for k in range(1, 15)]
    for k in (1, 2, 5, 14):
        some = order[:k]
        wanted = by_grid(fit.data.y[some], fit.data.se[some])
        found = table.iloc[k - 1][ENDS].astype(float).tolist()
        assert found == pytest.approx(wanted, abs=2e-3)
    last, whole = (table.iloc[i][ENDS].astype(float).tolist() for i in (-2, -1))
    assert last == pytest.approx(whole, abs=1e-6)
    figure = bm.plots.cumulative(fit, order="dose")
    first = named(figure, f"joined: {table.index[3]}, estimate")
    assert first.get_xdata()[0] == pytest.approx(np.exp(table.iloc[3]["estimate"]))


def test_leaving_one_out_is_the_posterior_of_the_others():
    fit = fit_of("OR", 14)
    table = bm.plots.leave_one_out(fit, rows=True)
    assert list(table.index) == [*fit.data.study, "all studies"]
    for i in (0, 6, 13):
        rest = np.arange(14) != i
        wanted = by_grid(fit.data.y[rest], fit.data.se[rest])
        assert table.iloc[i][ENDS].astype(float).tolist() == pytest.approx(wanted, abs=2e-3)
    moved = (table["estimate"] - table["estimate"].iloc[-1]).abs()
    said = f"The answer moves most without {moved.idxmax()}."
    assert said in texts(bm.plots.leave_one_out(fit))
    few = fit.data.keep(fit.data.study[:1])
    with pytest.raises(bm.ModelError, match="needs two studies or more"):
        bm.plots.leave_one_out(bm.fit(fit.model, few))


def test_of_estimates_both_are_the_frequentist_ones_held_to_metafor():
    data = fit_of("OR", 14).data
    for draw, theirs in (
        (bm.plots.cumulative, cumulative),
        (bm.plots.leave_one_out, leave_one_out),
    ):
        table = draw(data, rows=True)
        assert table[ENDS].to_numpy()[:-1] == pytest.approx(theirs(data)[ENDS].to_numpy())
        whole = bm.random_effects(data)
        assert table.iloc[-1][ENDS].astype(float).tolist() == pytest.approx(
            [getattr(whole, one) for one in ENDS]
        )


def test_a_cumulative_forest_says_which_studies_alone_have_no_answer():
    model = bm.NormalNormal(mu=bm.Flat(), tau=bm.Flat())
    fit = bm.fit(model, fit_of("OR", 14).data)
    table = bm.plots.cumulative(fit, rows=True)
    few = 14 - (len(table) - 1)
    assert few >= 2
    assert table["note"].iloc[0] == str(few + 1)
    said = " ".join(texts(bm.plots.cumulative(fit)))
    assert f"The first {few} alone have no answer" in said


@pytest.mark.parametrize("dataset", ["bcg", "hart1999", "rubin1981"])
def test_influence_equals_metafor_and_has_its_limits_as_rows(dataset):
    given, theirs = cases("small_study")[dataset], cases("influence")[dataset]["influence"]["REML"]
    data = estimates(given["yi"], np.sqrt(given["vi"]))
    table = bm.plots.influence(data, rows=True)
    studies, upper = table[table["kind"] == "study"], table.loc["upper limit"]
    for name in ("rstudent", "dffits", "cook", "hat"):
        wanted = theirs[name]
        assert studies[name].to_numpy() == pytest.approx(np.array(wanted, float), abs=1e-4)
    assert (chi2.cdf(upper["cook"], 1), upper["hat"]) == pytest.approx((0.5, 3 / data.k))
    assert upper[["rstudent", "dffits"]].tolist() == pytest.approx(
        [norm.ppf(0.975), 3 / np.sqrt(data.k - 1)]
    )
    lower = table.loc["lower limit", ["rstudent", "dffits"]]
    assert lower.tolist() == pytest.approx((-upper[["rstudent", "dffits"]]).tolist())
    figure = bm.plots.influence(data, width=114)
    for axes, name in zip(figure.axes, ("rstudent", "dffits", "cook", "hat"), strict=True):
        drawn = np.concatenate([one.get_offsets()[:, 0] for one in axes.collections[1::2]])
        assert sorted(drawn) == pytest.approx(sorted(studies[name]))
        ends = sorted(one.get_xdata()[0] for one in axes.lines if one.get_label() == "limit")
        assert ends == pytest.approx(sorted(table.loc[table["kind"] == "limit", name].dropna()))
    named_ones = studies.index[studies["influential"].astype(bool)]
    said = " ".join(texts(figure))
    assert ("none." in said) == (not len(named_ones))
    assert all(name in said for name in named_ones)


def test_what_a_figure_cannot_show_is_refused_with_a_remedy():
    covariate = fitted("OR", 14, REGRESSED)
    for draw in (*POINTS, *REFITS, bm.plots.labbe):
        with pytest.raises(bm.ModelError, match="one overall effect, and here it depends on dose"):
            draw(covariate)
    for draw in (*POINTS, *REFITS):
        with pytest.raises(bm.ModelError, match=r"or estimates, of bm\.effect_sizes"):
            draw(COUNTS)
    shares = bm.effect_sizes(SHARES, measure="PLO")
    with pytest.raises(bm.ModelError, match="proportions compare nothing"):
        bm.plots.funnel(shares)
    for data, measure in ((RATES, "IRR"), (SHARES, "PLO")):
        effects = bm.effect_sizes(data, measure=measure)
        fit = bm.fit(bm.NormalNormal(mu=WIDE, tau=TAU), effects)
        with pytest.raises(bm.ModelError, match="this fit is of estimates"):
            bm.plots.labbe(fit)
    with pytest.raises(bm.ModelError, match="takes events of two arms"):
        bm.plots.labbe(RATES)
    with pytest.raises(bm.DataError, match="two or more"):
        bm.plots.baujat(estimates([0.1], [0.2]))
    with pytest.raises(bm.ModelError, match=r"no covariate 'year' .* there are: setting, dose"):
        bm.plots.cumulative(fit_of("OR", 14), order="year")


SIZES = [("OR", 3), ("RD", 14), ("SMD", 14), ("ROM", 60), ("MD", 14), ("OR", 300)]


@pytest.mark.deep("figures of many sizes: 2 s each", only=["MD-14", "ROM-60", "OR-300"])
@pytest.mark.parametrize(("measure", "k"), SIZES)
def test_nothing_overlaps_or_is_clipped_in_figures_of_points(measure, k):
    fit = fit_of(measure, k)
    drawn = [(draw, fit) for draw in POINTS]
    if measure in ("OR", "RD"):
        drawn.append((bm.plots.labbe, trials(measure, k)))
    for draw, given in drawn:
        for width in (85, 114, 174, None):
            figure = draw(given, width=width, title="A title that is too long for one line " * 3)
            assert overlapping(figure) == []
            assert figure.get_figwidth() == pytest.approx(8.75 if width is None else width / 25.4)
            for axes in figure.axes:
                assert len(axes.get_xticks()) >= 2
            assert min(one.get_fontsize() for one in figure.findobj(Text)) >= 6.5


@pytest.mark.parametrize(("measure", "k", "widths"), [("OR", 3, (85, 174)), ("RD", 14, (85, 114))])
def test_nothing_overlaps_or_is_clipped_as_studies_join_or_leave(measure, k, widths):
    for draw in REFITS:
        for width in widths:
            assert overlapping(draw(fit_of(measure, k), width=width, better="lower")) == []


@pytest.mark.deep("two figures in each size: 2 s", only=["SMD-14", "RD-60"])
@pytest.mark.parametrize(("measure", "k"), [("OR", 3), ("SMD", 14), ("RD", 60)])
def test_nothing_overlaps_or_is_clipped_in_figures_of_what_was_found(measure, k):
    """Densities, predictions and Bayes factors, at the widths of journals."""
    fit = fit_of(measure, k)
    drawn = [
        partial(bm.plots.prior_posterior, fit),
        partial(bm.plots.left_out, bm.loo(fit)),
        partial(bm.plots.predictive, bm.posterior_predictive(fit, seed=1)),
    ]
    if k < 60:
        drawn.append(partial(bm.plots.bayes_factors, bm.bayes_factor_curve(fit)))
    for draw in drawn:
        for width in (85, 114, 174):
            figure = draw(width=width)
            assert overlapping(figure) == []
            assert figure.get_figwidth() == pytest.approx(width / 25.4)
            assert min(one.get_fontsize() for one in figure.findobj(Text)) >= 6.5


def test_counts_and_their_arms_stand_apart_in_one_column():
    fit = bm.fit(bm.BinomialNormal(measure="OR", mu=WIDE, tau=TAU), COUNTS)
    check, found = bm.posterior_predictive(fit, seed=1), bm.loo(fit)
    for width in (85, 174):
        figure = bm.plots.predictive(check, labels=("cells", "usual care"), width=width)
        assert overlapping(figure) == []
        places = {one.get_text(): one.get_position() for one in figure.texts}
        over = places["cells"][1] > places["usual care"][1] + 0.05
        assert over == (width == 85)
        assert overlapping(bm.plots.left_out(found, width=width)) == []


def test_influence_says_which_studies_it_leaves_out():
    zeros = bm.BinaryStudies(
        study=(*COUNTS.study, "none at all"),
        events_treatment=[*COUNTS.events_treatment, 0],
        n_treatment=[*COUNTS.n_treatment, 20],
        events_control=[*COUNTS.events_control, 0],
        n_control=[*COUNTS.n_control, 20],
    )
    fit = bm.fit(bm.BinomialNormal(measure="OR", mu=WIDE, tau=TAU), zeros)
    said = " ".join(texts(bm.plots.influence(fit)))
    assert "Not shown, without an estimate of their own: none at all." in said
    assert "none at all" not in bm.plots.influence(fit, rows=True).index


@pytest.mark.deep("three hundred fits, and figures of as many lines: 30 s")
def test_nothing_overlaps_as_three_hundred_studies_join_or_leave():
    for draw in REFITS:
        assert overlapping(draw(fit_of("OR", 300), width=85)) == []


def test_studies_that_cannot_be_named_are_none_that_would_cover_another():
    """All at one place: one name has room on each side at most."""
    data = bm.EffectSizes.from_arrays(
        [f"study number {i}" for i in range(9)], [2.0] * 8 + [-9.0], [0.5] * 9
    )
    figure = bm.plots.radial(data, width=85)
    assert overlapping(figure) == []
    names = [one for one in texts(figure) if one.startswith("study number")]
    assert 1 <= len(names) <= 4
    assert "study number 8" in names
