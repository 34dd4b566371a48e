"""Shrinkage along tau and the joint posterior of mu and tau: by closed forms, grids and draws."""

import numpy as np
import pytest
from matplotlib.path import Path
from matplotlib.text import Text
from references import COUNTS, estimates
from scipy.interpolate import RegularGridInterpolator
from scipy.stats import norm
from test_figures_of_studies import REGRESSED, fit_of, named, places
from test_forests import TAU, WIDE, fitted, overlapping, texts

import bayesmeta as bm
from bayesmeta.summaries import joint_rows

BOTH = (bm.plots.shrinkage, bm.plots.joint)


def by_count(measure):
    return bm.fit(bm.BinomialNormal(measure=measure, mu=WIDE, tau=TAU), COUNTS)


def contours(table):
    """Paths of the regions by what they hold."""
    some = table[table["kind"] == "contour"]
    return {
        float(label.split("%")[0]) / 100: Path(piece[["x", "y"]].to_numpy())
        for label, piece in some.groupby("label")
    }


def test_shrinkage_is_the_closed_form_given_tau():
    fit = fit_of("OR", 14)
    table = bm.plots.shrinkage(fit, rows=True, prob=0.9)
    y, v = fit.data.y, fit.data.se**2
    for i in (0, 7, 40):
        tau = places(table, "mean")[i, 0]
        w = 1 / (v + tau**2)
        mean = (w @ y) / (w.sum() + 1 / 2**2)
        share = tau**2 / (tau**2 + v)
        assert places(table, "mean")[i, 1] == pytest.approx(mean, abs=1e-6)
        for j, name in enumerate(fit.data.study):
            found = places(table, "study", name)[i]
            assert found[0] == tau
            assert found[1] == pytest.approx(share[j] * y[j] + (1 - share[j]) * mean, abs=1e-6)
    tau, density = places(table, "density").T
    assert density == pytest.approx(fit["tau"].pdf(tau), rel=1e-12)
    ends = table[table["kind"] == "tau"].set_index("label")["x"]
    assert ends.tolist() == pytest.approx([fit["tau"].quantile(q) for q in (0.5, 0.05, 0.95)])
    figure = bm.plots.shrinkage(fit, prob=0.9)
    name = fit.data.study[3]
    assert named(figure, name).get_ydata() == pytest.approx(
        np.exp(places(table, "study", name)[:, 1])
    )
    (median,) = [c for c in figure.axes[1].collections if c.get_label() == "median of tau"]
    assert median.get_segments()[0][:, 0] == pytest.approx([ends["median"]] * 2)


def test_shrinkage_of_counts_adds_up_to_the_studies_effects():
    """The means given tau, averaged over the posterior of tau, are the means of the fit."""
    fit = by_count("OR")
    table = bm.plots.shrinkage(fit, rows=True)
    tau = places(table, "density")[:, 0]
    mass = fit["tau"].pdf(tau)
    for name, effect in zip(fit.data.study, fit["theta"].each, strict=True):
        given = places(table, "study", name)[:, 1]
        average = np.trapezoid(mass * given, tau) / np.trapezoid(mass, tau)
        assert average == pytest.approx(effect.mean(), abs=0.03)
    assert np.ptp([places(table, "study", name)[0, 1] for name in fit.data.study]) < 1e-4


def test_shrinkage_of_risk_differences_has_means_of_the_difference_itself():
    """Not the tanh of the mean of its atanh: summed here over the density given tau."""
    data = bm.BinaryStudies(
        study=["A", "B"],
        events_treatment=[1, 3],
        n_treatment=[10, 20],
        events_control=[6, 9],
        n_control=[12, 20],
    )

    def fit_with(tau):
        return bm.fit(bm.BinomialNormal(measure="RD", mu=bm.Normal(0, 0.5), tau=tau), data)

    table = bm.plots.shrinkage(fit_with(bm.HalfNormal(0.3)), rows=True)
    tau = places(table, "mean")[20, 0]
    given = fit_with(bm.Uniform(0.999 * tau, 1.001 * tau))
    theta = np.linspace(-3, 3, 20001)
    each = {"A": given["theta"]["A"], "B": given["theta"]["B"]}
    for name, marginal in each.items():
        mean = np.trapezoid(np.tanh(theta) * marginal.pdf(theta), theta)
        assert places(table, "study", name)[20, 1] == pytest.approx(mean, abs=2e-5)
        assert abs(np.tanh(marginal.mean()) - mean) > 1e-3
    mean = np.trapezoid(np.tanh(theta) * given["mu"].pdf(theta), theta)
    assert places(table, "mean")[20, 1] == pytest.approx(mean, abs=2e-5)


def test_the_joint_posterior_is_that_of_a_grid():
    fit = fit_of("OR", 14)
    found = joint_rows(fit)
    y, se = fit.data.y, fit.data.se

    def log_joint(mu, tau):
        log = norm.logpdf(y, mu[..., None], np.hypot(se, tau[..., None])).sum(axis=-1)
        return log + norm.logpdf(mu, 0, 2) + norm.logpdf(tau, 0, 0.5)

    wide, fine = np.linspace(-2, 1.5, 701), np.linspace(0, 1.5, 601)
    grid = np.exp(log_joint(*np.meshgrid(wide, fine)))
    cell = np.ones_like(grid) * (wide[1] - wide[0]) * (fine[1] - fine[0])
    cell[[0, -1]] *= 0.5
    total = (grid * cell).sum()
    here = np.exp(log_joint(*np.meshgrid(found.mu, found.tau))) / total
    assert found.density == pytest.approx(here, rel=2e-3, abs=1e-4 * here.max())
    for prob, level in zip(found.probs, found.levels, strict=True):
        held = (grid * cell)[grid / total >= level].sum() / total
        assert held == pytest.approx(prob, abs=5e-3)


@pytest.mark.deep("49 fits of counts on the scale of atanh(RD): 18 s", only=["RD"])
@pytest.mark.parametrize("measure", ["OR", "RD"])
def test_regions_of_the_joint_posterior_of_counts_hold_their_share_of_draws(measure):
    fit = by_count(measure)
    table = bm.plots.joint(fit, rows=True)
    drawn = fit.shared_draws(20_000, seed=1)
    mu = np.tanh(drawn["mu"]) if measure == "RD" else drawn["mu"]
    points = np.stack([mu, drawn["tau"]], axis=1)
    regions = contours(table)
    assert sorted(regions) == [0.5, 0.8, 0.95]
    for prob, region in regions.items():
        assert region.contains_points(points).mean() == pytest.approx(prob, abs=0.015)
    middle = table[table["kind"] == "median"][["x", "y"]].to_numpy()[0]
    assert middle == pytest.approx(np.median(points, axis=0), abs=0.02)
    assert overlapping(bm.plots.joint(fit, width=85)) == []


def test_drawn_regions_are_the_rows():
    fit = fit_of("SMD", 14)
    table, figure = bm.plots.joint(fit, rows=True), bm.plots.joint(fit)
    for label in ("50%", "80%", "95%"):
        rows = places(table, "contour", label)
        assert named(figure, label).get_xy()[: len(rows)] == pytest.approx(rows)


@pytest.mark.deep("figures of many sizes: 2 s each", only=["MD-14", "ROM-60", "OR-300"])
@pytest.mark.parametrize(
    ("measure", "k"), [("OR", 3), ("RD", 14), ("SMD", 14), ("MD", 14), ("ROM", 60), ("OR", 300)]
)
def test_nothing_overlaps_or_is_clipped_along_tau(measure, k):
    for draw in BOTH:
        for width in (85, 114, 174, None) if k < 60 else (85, 174):
            figure = draw(fit_of(measure, k), width=width, title="Statins, ten years " * 9)
            assert overlapping(figure) == []
            assert min(one.get_fontsize() for one in figure.findobj(Text)) >= 6.5
            for axis in (figure.axes[0].xaxis, figure.axes[0].yaxis):
                assert len(axis.get_ticklocs()) >= 2


def test_names_stand_at_the_ends_of_their_lines():
    fit = fit_of("OR", 14)
    figure = bm.plots.shrinkage(fit)
    ends = {line.get_label(): line.get_ydata()[-1] for line in figure.axes[0].lines}
    shown = [one for one in figure.axes[0].texts if one.get_text().replace("\n", " ") in ends]
    assert len(shown) >= 5
    for one in shown:
        assert one.xy[1] == ends[one.get_text().replace("\n", " ")]
    assert "Named: studies farthest from the mean, where there is room." in texts(figure)


def test_what_has_no_tau_or_no_integral_is_refused():
    data = estimates([0.1, 0.4, 0.2], [0.2, 0.3, 0.2])
    common = bm.fit(bm.CommonEffect(mu=WIDE), data)
    model = bm.NormalNormal(mu=WIDE, tau=TAU)
    for draw in BOTH:
        with pytest.raises(bm.ModelError, match="a model with tau"):
            draw(common)
        with pytest.raises(bm.ModelError, match="here it depends on dose"):
            draw(fitted("OR", 14, REGRESSED))
        with pytest.raises(bm.ModelError, match="takes a fit"):
            draw(data)
    drawn = bm.fit(model, data, bm.NUTS(seed=1, draws=100, tune=100, chains=2))
    for draw in BOTH:
        with pytest.raises(bm.ModelError, match="needs an exact posterior"):
            draw(drawn)


@pytest.mark.parametrize("tau", [bm.HalfCauchy(1), bm.HalfCauchy(0.01), bm.HalfNormal(0.5)])
def test_regions_hold_their_share_of_draws_whatever_the_tail_of_tau(tau):
    data = bm.EffectSizes.from_arrays(["A", "B"], [0.1, 0.2], [0.3, 0.3])
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=tau), data)
    found, drawn = joint_rows(fit), fit.shared_draws(40_000, seed=1)
    density = RegularGridInterpolator(
        (found.tau, found.mu), found.density, bounds_error=False, fill_value=0.0
    )
    at = density(np.column_stack([np.ravel(drawn["tau"]), np.ravel(drawn["mu"])]))
    for prob, level in zip(found.probs, found.levels, strict=True):
        assert (at > level).mean() == pytest.approx(prob, abs=0.01)  # four standard errors
