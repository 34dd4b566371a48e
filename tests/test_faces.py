"""One value, many faces: marginals, tables, figures, files, one fit and many say the same."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from references import numbered
from tolerances import CLOSED_FORM, NUMERICAL_INTEGRAL

import bayesmeta as bm
from bayesmeta import plots
from bayesmeta.summaries import density_rows, forest_rows, rows_table

FEW = settings(max_examples=settings().max_examples * 3 // 10)  # each draws and fits
MEASURES = ("OR", "RR", "MD", "SMD")
PRIORS = st.tuples(
    st.sampled_from([bm.Normal(0, 2), bm.StudentT(3, 0, 1), bm.Normal(-0.3, 0.5)]),
    st.sampled_from([bm.HalfNormal(0.5), bm.HalfCauchy(0.3), bm.Uniform(0, 1.5)]),
)


@st.composite
def estimates(draw, smallest=2, largest=6):
    k = draw(st.integers(smallest, largest))
    number = st.floats(-1.5, 1.5).map(lambda x: round(x, 3))
    error = st.floats(0.05, 0.9).map(lambda x: round(x, 3))
    y, se = (draw(st.lists(each, min_size=k, max_size=k)) for each in (number, error))
    measure = draw(st.sampled_from(MEASURES))
    return bm.EffectSizes.from_arrays(numbered(k), y, se, measure=measure)


def fitted(data, priors):
    return bm.fit(bm.NormalNormal(mu=priors[0], tau=priors[1]), data)


def shown(measure):
    return np.exp if measure in ("OR", "RR") else np.asarray


@FEW
@given(data=estimates(), priors=PRIORS)
def test_a_marginal_says_one_thing_by_density_distribution_quantiles_and_moments(data, priors):
    fit = fitted(data, priors)
    draws = fit.draws(5_000, seed=1)["posterior"]
    for name in ("mu", "tau", "theta_new"):
        marginal = fit[name]
        q = np.array([0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
        at = marginal.quantile(q)
        assert_allclose(marginal.cdf(at), q, rtol=1e-9)
        nodes, weights = np.polynomial.legendre.leggauss(60)
        for low, high, share in zip(at[:-1], at[1:], np.diff(q), strict=True):
            x = low + (high - low) * (nodes + 1) / 2
            whole = weights @ marginal.pdf(x) * (high - low) / 2
            assert whole == pytest.approx(share, abs=1e-6)
        mean, sd = marginal.mean(), marginal.sd()
        if np.isfinite([mean, sd]).all():
            assert at[0] < mean < at[-1]
            drawn = draws[name].values.ravel()
            kept = np.clip(drawn, *marginal.quantile([0.001, 0.999]))  # far tails converge slowly
            assert kept.mean() == pytest.approx(mean, abs=0.1 * sd)
            assert (drawn < at[3]).mean() == pytest.approx(0.5, abs=0.02)
        assert marginal.interval(0.8) == pytest.approx((at[1], at[5]), rel=1e-9, abs=1e-12)


@FEW
@given(data=estimates(), priors=PRIORS, prob=st.sampled_from([0.8, 0.95]))
def test_summary_forest_figure_and_file_show_the_marginals(data, priors, prob):
    fit = fitted(data, priors)
    own, rows = bm.summary(fit, prob=prob), forest_rows(fit, prob=prob)
    natural = bm.summary(fit, prob=prob, scale="natural")
    table = rows_table(rows)
    show = shown(data.measure)
    for label, name in (("overall", "mu"), (f"{100 * prob:g}% prediction interval", "theta_new")):
        marginal = fit[name]
        wanted = [marginal.quantile(0.5), *marginal.interval(prob)]
        assert_allclose(table.loc[label, ["estimate", "lower", "upper"]].astype(float), wanted)
        assert_allclose(own.loc[name, ["median", "lower", "upper"]].astype(float), wanted)
        if name in natural.index:
            found = natural.loc[name, ["median", "lower", "upper"]].astype(float)
            assert_allclose(found, show(wanted))
    studies = table[table["kind"] == "study"]
    assert_allclose(studies["estimate"], data.y, **CLOSED_FORM)
    assert studies["weight"].sum() == pytest.approx(1)
    figure = plots.forest_of_rows(rows, measure=data.measure, better="lower", prob=prob)
    (diamond,) = [one for one in figure.axes[0].patches if one.get_label() == "posterior: overall"]
    wanted = show(table.loc["overall", ["lower", "estimate", "upper"]].to_numpy(dtype=float))
    low, high = figure.axes[0].get_xlim()
    for x, value in zip(diamond.get_xy()[:3, 0], wanted, strict=True):
        if low < value < high:
            assert x == pytest.approx(value, rel=1e-9, abs=1e-12)
        else:  # an arrow says that it goes on
            assert x <= low if value <= low else x >= high


@given(data=estimates(), priors=PRIORS)
def test_the_curves_of_a_figure_are_the_densities_of_prior_and_posterior(data, priors):
    fit = fitted(data, priors)
    rows = density_rows(fit, points=81)
    assert [row.parameter for row in rows] == ["mu", "tau"]
    for row, prior in zip(rows, priors, strict=True):
        marginal = fit[row.parameter]
        assert_allclose(row.posterior, marginal.pdf(row.x), **CLOSED_FORM)
        below = prior.cdf(row.x[-1]) - prior.cdf(row.x[0])
        area = np.trapezoid(row.prior, row.x)
        assert area == pytest.approx(below, rel=2e-3)
        assert marginal.cdf(row.upper) - marginal.cdf(row.lower) == pytest.approx(0.95, abs=1e-9)


@pytest.mark.deep("a program for each size: 2 s; random tables of one size stand in test_batch")
@FEW
@given(tables=st.lists(estimates(largest=4), min_size=2, max_size=4))
def test_many_fits_are_the_fits_of_each(tables):
    priors = (bm.Normal(0, 2), bm.HalfNormal(0.5))
    frame = pd.concat(
        pd.DataFrame({"g": i, "study": one.study, "y": one.y, "se": one.se})
        for i, one in enumerate(tables)
    )
    many = bm.fit_many(bm.NormalNormal(mu=priors[0], tau=priors[1]), frame, by="g")
    for i, data in enumerate(tables):
        fit, row = fitted(data, priors), many.loc[i]
        assert row["k"] == data.k
        for name in ("mu", "tau"):
            marginal = fit[name]
            unit = np.subtract(*marginal.quantile([0.84, 0.16])) / 2
            found = row[[f"{name}_lower", f"{name}_median", f"{name}_upper"]].to_numpy(dtype=float)
            lower, upper = marginal.interval(0.95)
            wanted = np.array([lower, marginal.quantile(0.5), upper])
            assert_allclose(found / unit, wanted / unit, atol=1e-6, rtol=0)
        assert row["prob_below_null"] == pytest.approx(fit["mu"].cdf(0.0), abs=1e-7)
        assert row["log_marginal_likelihood"] == pytest.approx(
            fit.log_marginal_likelihood, abs=NUMERICAL_INTEGRAL["atol"], rel=1e-8
        )


@given(data=estimates(smallest=3), tau2=st.sampled_from(["REML", "DL", "PM", "SJ"]))
def test_a_pooled_table_is_the_same_alone_among_many_and_in_any_order(data, tau2):
    alone = bm.random_effects(data, tau2=tau2)
    turned = data.keep(list(reversed(data.study)))
    again = bm.random_effects(turned, tau2=tau2)
    both = np.stack([data.y, data.y[::-1]]), np.stack([data.se, data.se[::-1]])
    many = bm.random_effects_many(*both, tau2=tau2)
    for found in (again.estimate, *many["estimate"]):
        assert found == pytest.approx(alone.estimate, abs=1e-8)
    assert_allclose(many["tau2"], alone.tau2, atol=1e-8)
    assert again.interval(0.9) == pytest.approx(alone.interval(0.9), abs=1e-8)
    low, high = alone.interval(0.9)
    assert (low + high) / 2 == pytest.approx(alone.estimate, abs=1e-12)


@given(data=estimates(smallest=3), picked=st.sets(st.integers(0, 5), min_size=2))
def test_names_and_masks_keep_the_same_studies_with_the_same_answer(data, picked):
    chosen = sorted(i for i in picked if i < data.k)
    mask = np.isin(np.arange(data.k), chosen)
    if mask.sum() < 2:
        return
    by_name, by_mask = data.keep([data.study[i] for i in chosen]), data.keep(mask)
    assert by_name.study == by_mask.study == tuple(data.study[i] for i in chosen)
    assert bm.random_effects(by_name).estimate == bm.random_effects(by_mask).estimate
    assert_allclose(by_name.y, data.y[mask])
