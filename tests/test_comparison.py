"""Answers side by side: every number comes from its own fit, on one scale."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import binary, estimates

import bayesmeta as bm
from bayesmeta.comparison import compare
from bayesmeta.posterior import Check, Diagnostics, Posterior

DATA = estimates([-0.3, 0.4, -0.9, -0.2], [0.1, 0.2, 0.15, 0.4], measure="RR")
EXACT = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), DATA)
COMMON = bm.fit(bm.CommonEffect(mu=bm.Normal(0, 2)), DATA)
REML = bm.random_effects(DATA)
PRINTED = bm.Published(measure="RR", estimate="0.76", lower="0.60", upper="0.96", k=7)
WORDS = bm.Published(measure="RR", verdict="fewer deaths")
FITS = {
    "exact": EXACT,
    "common": COMMON,
    "REML": REML,
    "IV": bm.common_effect(DATA),
    "paper": PRINTED,
}


def test_each_row_is_its_own_fit():
    table = compare(FITS, prob=0.9)
    assert list(table.index) == list(FITS)
    limits = ["estimate", "lower", "upper"]
    mu = EXACT["mu"]
    assert_allclose(table.loc["exact", limits].to_list(), (mu.quantile(0.5), *mu.interval(0.9)))
    assert_allclose(table.loc["REML", limits].to_list(), (REML.estimate, *REML.interval(0.9)))
    assert_allclose(table.loc["paper", limits].to_list(), np.log([0.76, 0.60, 0.96]))
    assert table["prob"].to_list() == [0.9, 0.9, 0.9, 0.9, 0.95]
    assert table["k"].to_list() == [4, 4, 4, 4, 7]


def test_tau_is_a_standard_deviation_in_every_row_that_has_one():
    tau = compare(FITS)["tau"]
    assert tau["exact"] == EXACT["tau"].quantile(0.5)
    assert tau["REML"] == pytest.approx(np.sqrt(REML.tau2))
    assert 0.1 < tau["REML"] < 0.9
    assert tau[["common", "IV", "paper"]].isna().all()


def test_natural_scale_exponentiates_estimates_and_nothing_else():
    logs, ratios = compare(FITS), compare(FITS, scale="natural")
    for column in ("estimate", "lower", "upper"):
        assert_allclose(ratios[column], np.exp(logs[column]))
    assert_allclose(ratios["tau"], logs["tau"])
    assert_allclose(ratios["gap"], logs["gap"])
    assert_allclose(
        ratios.loc["paper", ["estimate", "lower", "upper"]].to_list(), [0.76, 0.60, 0.96]
    )


def test_difference_is_the_same_on_both_scales():
    data = estimates([-3.0, 1.0], [2.0, 3.0], measure="MD")
    fits = {"a": bm.random_effects(data)}
    assert compare(fits).equals(compare(fits, scale="natural"))


def test_tau_of_a_risk_difference_of_counts_has_no_place_among_differences():
    model = bm.BinomialNormal(measure="RD", mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.5))
    counted = replace(EXACT, model=model, data=binary({"A": (3, 40, 8, 41)}))
    row = compare({"counts": counted}).loc["counts"]
    assert np.isnan(row["tau"])
    mu = EXACT["mu"]
    assert_allclose(
        row[["estimate", "lower", "upper"]].to_list(),
        np.tanh([mu.quantile(0.5), *mu.interval(0.95)]),
    )


def test_gap_counts_published_standard_errors():
    gap = compare(FITS)["gap"]
    se = np.log(0.96 / 0.60) / (2 * 1.959963984540054)
    assert gap["REML"] == pytest.approx((REML.estimate - np.log(0.76)) / se)
    assert np.isnan(gap["paper"])


def test_gap_is_absent_without_one_published_figure_to_measure_from():
    assert "gap" not in compare({"REML": REML})
    assert "gap" not in compare({"REML": REML, "words": WORDS})
    assert "gap" not in compare({"REML": REML, "one": PRINTED, "two": PRINTED})
    assert "gap" in compare({"REML": REML, "one": PRINTED, "words": WORDS})


def test_probability_of_benefit_follows_the_better_side_and_is_only_a_posteriors():
    lower, higher = (compare(FITS, better=side)["prob_benefit"] for side in ("lower", "higher"))
    assert lower["exact"] == pytest.approx(EXACT["mu"].cdf(0.0))
    assert lower["exact"] > 0.6
    assert lower["exact"] + higher["exact"] == pytest.approx(1.0)
    assert lower[["REML", "IV", "paper"]].isna().all()
    assert "prob_benefit" not in compare(FITS)


def test_fit_that_failed_a_gate_is_not_sound():
    failed = Diagnostics((Check("R-hat", "mu", 1.2, 1.01, at_most=True),))
    posterior = Posterior(
        model=EXACT.model,
        data=EXACT.data,
        engine="test",
        marginals=EXACT.marginals,
        diagnostics=failed,
        sample=EXACT.sample,
    )
    table = compare({"good": EXACT, "bad": posterior, "REML": REML})
    assert table["sound"].to_list() == [True, False, True]


def test_what_was_done_is_said():
    what = compare({**FITS, "words": WORDS})["what"]
    assert "NormalNormal, exact" in what["exact"]
    assert "CommonEffect, exact" in what["common"]
    assert what["REML"] == "random effects, REML, HKSJ"
    assert what["paper"] == "published, as printed"
    assert "fewer deaths" in what["words"]


@pytest.mark.parametrize(
    ("fits", "keywords", "error", "words"),
    [
        ({}, {}, bm.ModelError, "at least one fit"),
        (
            {"a": REML, "b": bm.Published(measure="OR", estimate="1", lower="0.5", upper="2")},
            {},
            bm.ModelError,
            "one measure, got OR, RR",
        ),
        ({"a": EXACT}, {"scale": "ratio"}, bm.ModelError, "'analysis' or 'natural', not 'ratio'"),
        ({"a": EXACT}, {"better": "less"}, bm.ModelError, "'lower' or 'higher', not 'less'"),
        ({"a": EXACT}, {"prob": 95}, bm.DataError, "between 0 and 1"),
        (
            {"a": bm.Published(estimate="1", lower="0.5", upper="2")},
            {},
            bm.DataError,
            "measure '' is not one of OR",
        ),
        (
            {"a": bm.Published(measure="RR", estimate="0.05", lower="0.00", upper="0.60")},
            {},
            bm.DataError,
            r"RR 0.05 \[0.00, 0.60\] is a ratio and must be above zero",
        ),
    ],
)
def test_answers_that_cannot_stand_side_by_side_are_refused(fits, keywords, error, words):
    with pytest.raises(error, match=words):
        compare(fits, **keywords)


def test_measure_of_a_verdict_in_words_is_not_needed():
    table = compare({"REML": REML, "words": bm.Published(verdict="no difference")})
    assert table.loc["words", ["estimate", "lower", "upper"]].isna().all()


def test_compare_stays_a_function_after_every_room_is_imported():
    import bayesmeta.analysis  # noqa: F401

    assert bm.compare is compare


def test_an_answer_on_counts_says_which_coding_it_has():
    trials = binary({"A": (3, 40, 8, 41), "B": (2, 22, 5, 25)})
    fits = {
        coding: bm.fit(
            bm.BinomialNormal(
                measure="OR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5), coding=coding
            ),
            trials,
        )
        for coding in ("half", "zero_one")
    }
    said = bm.compare(fits)["what"]
    assert "±½ coding" in said["half"]
    assert "0/1 coding" in said["zero_one"]
    assert "0/1 coding" in bm.summary(fits["zero_one"]).attrs["model"]
