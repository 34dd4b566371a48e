"""What `fit` says to a person, as words, as a table and as JSON; and a posterior's repr."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import bayesmeta as bm
from bayesmeta.cli import main
from bayesmeta.results.answer import answer_of

RATIOS = "study,y,se\nShu,-0.4,0.2\nZhu,0.1,0.3\nLanzoni,-0.3,0.4\nMonsel,-0.2,0.5\n"
PRIORS = ("--mu", "Normal(0, 2)", "--tau", "HalfNormal(0.5)")
FIT = bm.fit(
    bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)),
    bm.EffectSizes.from_arrays(
        ["Shu", "Zhu", "Lanzoni", "Monsel"],
        [-0.4, 0.1, -0.3, -0.2],
        [0.2, 0.3, 0.4, 0.5],
        measure="RR",
    ),
)


@pytest.fixture
def told(tmp_path):
    def fit(table, *words):
        path = tmp_path / "t.csv"
        path.write_text(table, "utf-8")
        found = CliRunner().invoke(main, ["fit", str(path), *words])
        return found.exit_code, found.stdout, found.stderr

    return fit


def row(said, label):
    line = next(one for one in said.splitlines() if one.startswith(f"{label}  "))
    return [float(cell) for cell in line[len(label) :].split()]


def test_a_ratio_is_said_as_a_ratio_with_benefit_prediction_and_the_published_figure(told):
    words = ("--measure", "RR", "--better", "lower", "--published", "RR 0.60 [0.45, 0.80]")
    status, said, _ = told(RATIOS, *words)
    assert status == 0, said
    flat = " ".join(said.split())
    mu, new = FIT["mu"], FIT["theta_new"]
    lower, upper = np.exp(mu.interval(0.95))
    assert f"the risk ratio lies between {lower:.2f} and {upper:.2f}" in flat
    assert "includes no effect" in flat
    assert f"the probability of benefit is {100 * mu.cdf(0.0):.1f}%" in flat
    low, high = np.exp(new.interval(0.95))
    assert f"In a new setting like these it lies between {low:.2f} and {high:.2f}." in flat
    gap = (mu.quantile(0.5) - np.log(0.6)) / ((np.log(0.8) - np.log(0.45)) / (2 * 1.959964))
    assert "Published: RR 0.60 [0.45, 0.80]." in flat
    assert f"Ours is {gap:.2f} of its standard errors above it." in flat
    assert "P(benefit)" in flat
    for label, one in (("overall effect", mu), ("in a new setting", new)):
        wanted = [*np.exp([one.quantile(0.5), *one.interval(0.95)]), one.cdf(0.0)]
        assert_allclose(row(said, label), wanted, atol=5e-5)
    tau = FIT["tau"]
    wanted = [tau.quantile(0.5), *tau.interval(0.95)]
    assert_allclose(row(said, "tau (of the log RR)"), wanted, atol=5e-5)
    assert_allclose(row(said, "Zhu")[3], FIT["theta"]["Zhu"].cdf(0.0), atol=5e-5)


def test_the_better_side_may_be_the_higher_one(told):
    _, lower, _ = told(RATIOS, "--measure", "RR", "--better", "lower")
    _, higher, _ = told(RATIOS, "--measure", "RR", "--better", "higher")
    assert row(lower, "Shu")[3] + row(higher, "Shu")[3] == pytest.approx(1, abs=1e-4)


def test_without_a_direction_there_is_no_benefit_and_the_side_is_named(told):
    _, said, _ = told(RATIOS, "--measure", "RR")
    assert "benefit" not in said
    assert "P(< 1)" in said
    _, said, _ = told(RATIOS, "--measure", "MD", *PRIORS)
    assert "P(< 0)" in said


def test_proportions_have_no_effect_and_no_benefit(told):
    table = "study,events,n\nA,3,40\nB,5,60\nC,1,33\n"
    status, said, _ = told(table, "--measure", "PLO", "--counts", *PRIORS)
    assert status == 0, said
    assert "the proportion lies between 0.0" in " ".join(said.split())
    assert "benefit" not in said
    assert all(0 < value < 1 for value in row(said, "overall effect"))
    assert "P(" not in said


def test_a_mean_difference_is_said_with_its_unit(told):
    table = (
        "study,mean_treatment,sd_treatment,n_treatment,mean_control,sd_control,n_control,unit\n"
        "A,50,10,40,60,11,41,mg/L\nB,45,12,30,52,10,32,mg/L\nC,48,9,25,50,12,26,mg/L\n"
    )
    for arms in ((), ("--counts",)):
        words = ("--measure", "MD", "--mu", "Normal(0, 50)", "--tau", "HalfNormal(10)", *arms)
        status, said, _ = told(table, *words)
        assert status == 0, said
        assert "the mean difference (mg/L) lies between" in " ".join(said.split())
        assert "MD [95%], mg/L" in said
    words = ("--measure", "SMD", *PRIORS)
    assert "mg/L" not in told(table, *words)[1]


def test_many_studies_are_summarised_until_all_are_asked_for(told):
    y = np.linspace(-1, 1, 41)
    table = "study,y,se\n" + "".join(f"S{i},{one},0.3\n" for i, one in enumerate(y))
    _, said, _ = told(table, "--measure", "RR")
    assert "\nS7 " not in said
    assert "Effects of the 41 studies: medians from" in said
    assert "--studies all lists them." in said
    _, said, _ = told(table, "--measure", "RR", "--studies", "all")
    assert all(f"\nS{i} " in said for i in range(41))


def test_moments_that_do_not_exist_are_named_and_nothing_is_nan(told):
    words = ("--measure", "RR", "--scale", "log", "--tau", "HalfCauchy(1)")
    _, said, _ = told("study,y,se\nA,0.1,0.2\n", *words)
    assert "none" in said
    assert "this moment does not exist" in said
    assert "nan" not in said.lower()
    _, said, _ = told(RATIOS, "--measure", "RR", "--scale", "log")
    assert "moment" not in said
    assert "log RR" in said


def test_json_holds_the_printed_numbers_and_nothing_else_is_printed(told):
    words = ("--measure", "RR", "--better", "lower", "--json", "--evidence", "--checks")
    status, said, _ = told(RATIOS, *words, "--published", "RR 0.60 [0.45, 0.80]")
    assert status == 0

    def refuse(name):
        raise AssertionError(name)

    content = json.loads(said, parse_constant=refuse)
    overall = content["answer"][0]
    assert overall["name"] == "mu"
    mu = FIT["mu"]
    wanted = [*np.exp([mu.quantile(0.5), *mu.interval(0.95)]), mu.cdf(0.0)]
    found = [overall[name] for name in ("median", "lower", "upper", "probability")]
    assert_allclose(found, wanted, rtol=1e-12)
    assert [one["label"] for one in content["studies"]] == ["Shu", "Zhu", "Lanzoni", "Monsel"]
    assert content["passed"] is True
    assert content["account"]["studies"] == 4
    assert content["published"] == "RR 0.60 [0.45, 0.80]"
    assert {"bayes-factors", "weights", "trust", "loo"} <= set(content["tables"])
    assert any("4 studies" in one for one in content["cautions"])


def test_a_failed_gate_stands_in_the_json_and_in_the_status(told):
    status, said, _ = told(RATIOS, "--measure", "RR", "--mu", "Uniform(8, 9)", "--json")
    content = json.loads(said)
    assert (status, content["passed"]) == (1, False)
    assert content["failures"]


def test_a_published_figure_of_another_measure_is_refused(told):
    status, said, error = told(RATIOS, "--measure", "RR", "--published", "OR 0.6 [0.4, 0.9]")
    assert (status, said) == (2, "")
    assert "--published is of OR, and --measure asks for RR" in error
    status, _, error = told(RATIOS, "--measure", "RR", "--published", "nothing")
    assert status == 2
    assert error.count("\n") == 1


def test_a_figure_without_an_interval_stands_beside_without_a_gap():
    figure = bm.Published(measure="RR", estimate="0.7")
    answer = answer_of(FIT, better="lower", published=figure)
    assert answer.gap is None
    assert answer.beside == "Published: RR 0.7, without an interval."
    assert answer_of(FIT).beside == ""


@given(prob=st.floats(0.5, 0.99), better=st.sampled_from(["lower", "higher", None]))
def test_the_answer_is_that_of_the_marginals(prob, better):
    answer = answer_of(FIT, prob=prob, better=better)
    for line in (*answer.lines, *answer.studies):
        name, _, study = line.key.removesuffix("]").partition("[")
        marginal = FIT[name][study] if study else FIT[name]
        ends = np.array([marginal.quantile(0.5), *marginal.interval(prob)])
        shown = ends if name == "tau" else np.exp(ends)
        assert_allclose((line.median, line.lower, line.upper), shown, rtol=1e-12)
        if name == "tau":
            assert line.prob is None
        else:
            below = marginal.cdf(0.0)
            assert line.prob == (1 - below if better == "higher" else below)


def test_a_posterior_shows_itself_in_ten_lines_with_the_account_and_its_doubts():
    said = repr(FIT).splitlines()
    assert len(said) <= 10
    assert said[0].startswith("Posterior of NormalNormal(")
    assert said[1].startswith("Data: 4 studies")
    assert any("gates of these passed" in line for line in said)
    assert said[-1].startswith("Caution: With 4 studies")
    mu = FIT["mu"]
    low, high = np.exp(mu.interval(0.95))
    assert f"mu {np.exp(mu.quantile(0.5)):.4g} [{low:.4g}, {high:.4g}] (RR)" in repr(FIT)
    y = pd.DataFrame({"study": list("ABC"), "y": [0.1, 0.2, 9.0], "se": 0.1})
    bad = bm.fit(
        bm.NormalNormal(mu=bm.Uniform(50, 51), tau=bm.HalfNormal(0.5)),
        bm.EffectSizes.from_frame(y),
    )
    assert "NOT SOUND" in repr(bad)
    assert len(repr(bad).splitlines()) <= 10


def test_what_a_table_says_that_is_hardly_so_comes_first_and_conflicts_need_no_checks(told):
    table = RATIOS + "Silva,-0.4137,0.2071\nSilva 2,-0.4137,0.2071\n"
    _, said, _ = told(table, "--measure", "RR")
    cautions = [line for line in said.splitlines() if line.startswith("Caution: ")]
    assert cautions[0].startswith("Caution: Silva and Silva 2 have the same figures")
    far = "study,y,se\n" + "".join(f"S{i},{2.5 + i / 50},0.2\n" for i in range(7))
    _, said, _ = told(far, "--measure", "RR", "--mu", "Normal(0, 0.5)")
    assert "Caution: Prior and data are in conflict" in said
    _, said, _ = told(far.replace("2.", "-0."), "--measure", "RR", "--mu", "Normal(0, 0.5)")
    assert "Caution" not in said
    _, said, _ = told(table, "--measure", "RR", "--json")
    assert "the same figures" in json.loads(said)["cautions"][0]


def test_what_cannot_be_is_refused_before_any_work(told, tmp_path):
    out = tmp_path / "f.csv"
    words = ("--measure", "RR", "--published", "RR -0.82 [-1.2, -0.3]", "-o", str(out))
    status, said, error = told(RATIOS, *words)
    assert (status, said) == (2, "")
    assert "is this its logarithm?" in error
    assert not out.exists()
    status, said, error = told("study,events,n\nA,3,40\n", "--measure", "PLO", "--better", "lower")
    assert (status, said) == (2, "")
    assert "--better is for comparisons" in error


def test_logs_are_printed_beneath_the_same_sentence_and_published_figure(told):
    words = ("--measure", "RR", "--better", "lower", "--published", "RR 0.60 [0.45, 0.80]")
    _, said, _ = told(RATIOS, *words, "--scale", "log")
    flat = " ".join(said.split())
    assert "the probability of benefit is" in flat
    assert "Published: RR 0.60 [0.45, 0.80]." in flat
    assert "log RR" in flat
    table = "study,y,se\n" + "".join(f"S{i},{i / 40},0.3\n" for i in range(41))
    _, said, _ = told(table, "--measure", "RR", "--scale", "log")
    assert "theta[S7]" not in said
    assert "--studies all lists them." in said


def test_no_probability_is_rounded_to_certainty(told):
    table = "study,y,se\n" + "".join(f"S{i},-2,0.1\n" for i in range(6))
    _, said, _ = told(table, "--measure", "MD", *PRIORS)
    assert "> 0.9999" in said
    assert "1.0000" not in said


def test_shares_and_degrees_of_freedom_have_no_scale(told):
    table = "study,y,se\n" + "".join(f"S{i},{y},0.2\n" for i, y in enumerate((0.1, 0.2, 0.3, 3)))
    words = ("--measure", "OR", "--share", "Beta(1, 9)", "--spread", "HalfNormal(1)", "--json")
    _, said, _ = told(table, *words)
    content = json.loads(said)
    scale = {one["name"]: one["scale"] for one in content["answer"]}
    assert scale["mu"] == "OR"
    assert scale["tau"] == scale["spread"] == "log OR"
    assert scale["share"] == ""
    assert {row["study"] for row in content["tables"]["outliers"]} == {"S0", "S1", "S2", "S3"}
