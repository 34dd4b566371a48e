"""Figures of fits with covariates: every number drawn is a row and equals the posterior."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_forests import overlapping, texts

import bayesmeta as bm

BCG = Path(__file__).parents[1] / "examples" / "bcg" / "bcg.csv"
WIDE, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
ENDS = ["estimate", "lower", "upper"]


@cache
def fitted(mu, measure="OR", counts=False):
    data = bm.BinaryStudies.from_frame(pd.read_csv(BCG))
    if counts:
        return bm.fit(bm.BinomialNormal(measure=measure, mu=mu, tau=TAU), data)
    return bm.fit(bm.NormalNormal(mu=mu, tau=TAU), bm.effect_sizes(data, measure=measure))


ON_LATITUDE = bm.Linear("latitude", intercept=WIDE, slopes=WIDE)
ON_BOTH = bm.Linear("latitude + allocation", intercept=WIDE, slopes=WIDE)
GROUPS = bm.ByGroup("allocation", WIDE)


def named(figure, label):
    every = [*figure.axes[0].lines, *figure.axes[0].collections, *figure.axes[0].patches]
    return next(one for one in every if one.get_label() == label)


def test_a_bubble_plot_draws_its_rows_which_are_the_posterior_at_each_place():
    fit = fitted(ON_LATITUDE)
    table = bm.plots.bubble(fit, rows=True, prob=0.9)
    line, studies = (table[table["kind"] == kind] for kind in ("line", "study"))
    for _, row in line.iloc[::20].iterrows():
        mean, new = (fit.at(latitude=row["x"], new=of_new) for of_new in (False, True))
        wanted = [mean.quantile(0.5), *mean.interval(0.9), *new.interval(0.9)]
        found = row[[*ENDS, "new_lower", "new_upper"]].astype(float)
        assert found.tolist() == pytest.approx(wanted, abs=1e-12)
    assert studies["estimate"].to_numpy() == pytest.approx(fit.data.y)
    assert studies["se"].to_numpy() == pytest.approx(fit.data.se)
    assert studies["x"].tolist() == fit.data.covariates["latitude"].tolist()
    figure = bm.plots.bubble(fit, prob=0.9)
    assert figure.axes[0].get_yscale() == "log"
    drawn = named(figure, "median")
    assert drawn.get_xdata() == pytest.approx(line["x"].to_numpy())
    assert drawn.get_ydata() == pytest.approx(np.exp(line["estimate"].to_numpy()))
    circles = named(figure, "studies")
    assert np.asarray(circles.get_offsets())[:, 1] == pytest.approx(np.exp(fit.data.y))
    large = circles.get_sizes() > circles.get_sizes().min()
    ratios = circles.get_sizes()[large] * fit.data.se[large] ** 2
    assert ratios == pytest.approx(ratios[0])
    for label, low, high in (("mean", "lower", "upper"), ("new study", "new_lower", "new_upper")):
        corners = named(figure, label).get_paths()[0].vertices[:, 1]
        for end in (line[low].min(), line[high].max()):
            assert np.abs(np.log(corners) - end).min() < 1e-9


def test_other_covariates_are_held_at_their_means_as_the_caption_says():
    fit = fitted(ON_BOTH)
    line = bm.plots.bubble(fit, rows=True).query("kind == 'line'")
    levels = ("alternate", "random", "systematic")
    at = [fit.at(latitude=line["x"].iloc[0], allocation=one).mean() for one in levels]
    place = fit.model.location.design(fit.data).near(latitude=line["x"].iloc[0])
    assert fit.linear(place).mean() == pytest.approx(np.mean(at))
    assert line["estimate"].iloc[0] == pytest.approx(fit.linear(place).quantile(0.5))
    for width in (85, 114, 174):
        figure = bm.plots.bubble(fit, width=width, title="BCG")
        assert "Held at: allocation the mean of its levels." in texts(figure)
        assert overlapping(figure) == []


@pytest.mark.deep("counts with a covariate: 3 minutes on a busy machine")
def test_a_risk_difference_of_counts_is_drawn_as_such():
    fit = fitted(ON_LATITUDE, "RD", counts=True)
    line = bm.plots.bubble(fit, rows=True).query("kind == 'line'")
    figure = bm.plots.bubble(fit)
    assert figure.axes[0].get_yscale() == "linear"
    assert named(figure, "median").get_ydata() == pytest.approx(np.tanh(line["estimate"]))
    assert overlapping(figure) == []


def test_bubbles_refuse_what_has_no_number_to_stand_over():
    with pytest.raises(bm.ModelError, match="a fit whose effects depend on a number"):
        bm.plots.bubble(fitted(GROUPS))
    with pytest.raises(bm.ModelError, match="by is one of latitude, not 'allocation'"):
        bm.plots.bubble(fitted(ON_BOTH), "allocation")
    two = bm.Linear("latitude + year", intercept=WIDE, slopes=WIDE)
    with pytest.raises(bm.ModelError, match="Say over which covariate: by='latitude'"):
        bm.plots.bubble(fitted(two))


def test_a_forest_of_groups_has_their_studies_their_means_and_their_differences():
    fit, whole = fitted(GROUPS, "RR"), fitted(WIDE, "RR")
    table = bm.plots.forest(fit, overall=whole, rows=True)
    assert table[table["kind"] == "study"].groupby("group").size().to_dict() == {
        "alternate": 2,
        "random": 7,
        "systematic": 4,
    }
    members = dict(zip(fit.data.study, fit.data.covariates["allocation"], strict=True))
    for label, row in table[table["kind"].isin(["study", "shrunken"])].iterrows():
        assert row["group"] == members[label]
    for group, k in (("alternate", 2), ("random", 7), ("systematic", 4)):
        mean = fit.at(allocation=group)
        found = table.loc[f"{group}, k = {k}", ENDS].astype(float).tolist()
        assert found == pytest.approx([mean.quantile(0.5), *mean.interval(0.95)], abs=1e-9)
    names = {"allocation[random]": 1, "allocation[alternate]": -1}
    apart, row = fit.contrast(names), table.loc["random v alternate"]
    assert row[ENDS].astype(float).tolist() == pytest.approx(
        [apart.quantile(0.5), *apart.interval(0.95)], abs=1e-12
    )
    assert row["note"] == f"P(difference > 0) = {1 - apart.cdf(0.0):.3g}"
    assert (table["kind"] == "difference").sum() == 3
    overall = table.loc["all studies, in one model", "estimate"]
    assert overall == pytest.approx(whole["mu"].quantile(0.5), abs=1e-12)
    tau = table.loc["tau", ENDS].astype(float).tolist()
    assert tau == pytest.approx([fit["tau"].quantile(0.5), *fit["tau"].interval(0.95)])
    for width in (85, 174, None):
        figure = bm.plots.forest(fit, overall=whole, better="lower", width=width)
        assert overlapping(figure) == []
        assert named(figure, "group: random, k = 7").get_xy()[1, 0] == pytest.approx(
            np.exp(fit.at(allocation="random").quantile(0.5))
        )
        said = " ".join(texts(figure))
        assert "ratios of the risk ratios" in said.replace("\n", " ")


def test_forests_of_groups_refuse_what_stands_below_one_effect():
    fit = fitted(GROUPS, "RR")
    with pytest.raises(bm.ModelError, match="not below groups"):
        bm.plots.forest(fit, frequentist={"REML": bm.random_effects(fit.data)})
    with pytest.raises(bm.ModelError, match="overall stands below groups"):
        bm.plots.forest(fitted(WIDE, "RR"), overall=fitted(WIDE, "RR"))
    fewer = bm.fit(bm.NormalNormal(mu=WIDE, tau=TAU), fit.data.keep(fit.data.study[:5]))
    with pytest.raises(bm.ModelError, match="overall is a fit of other studies"):
        bm.plots.forest(fit, overall=fewer)


def test_a_forest_of_coefficients_is_the_marginals():
    fit = fitted(ON_BOTH)
    table = bm.plots.coefficients(fit, rows=True, prob=0.8)
    assert list(table.index) == list(fit.model.location.entries(fit.data))
    for name, row in table.iterrows():
        wanted = [fit[name].quantile(0.5), *fit[name].interval(0.8)]
        assert row[ENDS].astype(float).tolist() == pytest.approx(wanted, abs=1e-12)
        assert float(row["note"]) == pytest.approx(1 - fit[name].cdf(0.0), rel=6e-3)
    assert table.loc["latitude", "group"] == "Slopes and differences"
    figure = bm.plots.coefficients(fit, width=85)
    assert overlapping(figure) == []
    assert "P(above 1)" in texts(figure)
    y, se, x = [-1.0, -0.5, 0.2, 0.4], [0.2, 0.3, 0.2, 0.3], {"latitude": [1.0, 2.0, 4.0, 7.0]}
    data = bm.EffectSizes.from_arrays(list("ABCD"), y, se, measure="PLO", covariates=x)
    logits = bm.plots.coefficients(bm.fit(bm.NormalNormal(mu=ON_LATITUDE, tau=TAU), data))
    assert {"P(above 0)", "coefficient, logit proportion"} <= set(texts(logits))
    assert logits.axes[0].get_xscale() == "linear"
    with pytest.raises(bm.ModelError, match="A forest of coefficients takes a fit with covariates"):
        bm.plots.coefficients(fitted(WIDE))
