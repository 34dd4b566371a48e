"""Every two-arm likelihood through the front doors: a specification, and one table."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import bayesmeta as bm
from bayesmeta.analysis import models_of, unit_information
from bayesmeta.cli import main
from bayesmeta.posterior import Check, Diagnostics
from bayesmeta.specification import parse_specification
from bayesmeta.summaries import prior_interval

BINARY = """\
study,events_treatment,n_treatment,events_control,n_control
A,12,40,15,40
B,0,30,0,30
C,13,35,19,36
D,0,25,2,24
"""
RATES = """\
study,events_treatment,time_treatment,events_control,time_control
A,3,120.5,7,118
B,0,50,1,55
C,4,60,9,70
"""
SINGLE = "study,events,n\nA,3,40\nB,0,25\n"
OUTCOMES = """\
title = "Three likelihoods"

[[outcome]]
name = "totals"
title = "Given the totals"
better = "lower"
measure = "OR"
likelihood = "hypergeometric"
data = "binary.csv"

[[outcome]]
name = "difference"
title = "Risk difference"
better = "lower"
measure = "RD"
data = "binary.csv"
mu = "Normal(0, 0.5)"
tau = "HalfNormal(0.1)"

[[outcome.scenario]]
name = "all"

[[outcome.scenario]]
name = "with an event"
drop = { B = "no event" }

[[outcome]]
name = "rates"
title = "Rates"
better = "lower"
measure = "IRR"
data = "rates.csv"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("likelihoods")
    for name, text in (("binary", BINARY), ("rates", RATES), ("single", SINGLE)):
        (place / f"{name}.csv").write_text(text)
    (place / "three.toml").write_text(OUTCOMES)
    return place


@pytest.fixture(scope="module")
def run(folder):
    """Run the exact analyses; NUTS on these models is tested where the engines are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bayesmeta.analysis.runs.second_source", lambda *_: None)
        asked = ["run", str(folder / "three.toml"), "-o", str(folder / "out"), "--verbose"]
        result = CliRunner().invoke(main, asked, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    results = json.loads((folder / "out" / "results.json").read_text())
    return result.output, folder / "out", results["outcomes"]


def call(folder, table, *words):
    asked = ["fit", str(folder / f"{table}.csv"), *words]
    return CliRunner().invoke(main, asked, catch_exceptions=False)


def table(outcome, name, key):
    return {row[key]: row for row in outcome["tables"][name]}


def test_labels_and_report_state_the_likelihoods(run):
    output, out, _ = run
    report = " ".join((out / "report.html").read_text().split())
    for words in (
        "counts (hypergeometric–normal)",
        "counts (binomial–normal)",
        "counts (Poisson–normal)",
    ):
        assert words in output
        assert words in report
    for words in (
        "given each study&#39;s total of events",
        "by two Poisson arms per study",
        "Bayes factors",
        "twice as wide",
        "What studies without events contribute",
        "rate where there is no effect between",
        "3/120.5 v 7/118",
    ):
        assert (
            words in report or words.encode() in (out / "rates/tables/studies.csv").read_bytes()
        ), words


def test_a_run_that_samples_nothing_names_no_device(run):
    assert json.loads((run[1] / "results.json").read_text())["device"] == "not used"


def test_every_table_of_evidence_is_written(run):
    for name in ("totals", "difference", "rates"):
        for one in ("bayes-factors", "tau-by-scale", "weights", "zero-studies"):
            assert (run[1] / f"{name}/tables/{one}.csv").exists()
            assert run[2][name]["tables"][one]
    zeros = table(run[2]["totals"], "zero-studies", "studies")
    assert abs(zeros["without studies that have no event"]["shift"]) < 1e-5


def test_a_run_says_where_the_hksj_standard_error_is_smaller_than_walds(run):
    told = []
    for name, measure in (("totals", "OR"), ("difference", "RD")):
        data = bm.effect_sizes(bm.BinaryStudies.from_frame(_frame(BINARY)), measure=measure)
        start = "The HKSJ standard error of "
        said = [one for one in run[2][name]["notes"] if one.startswith(start)]
        for tau2, label in (("REML", "REML"), ("DL", "DerSimonian–Laird")):
            spreads = bm.random_effects(data, tau2=tau2).spreads
            smaller = spreads["HKSJ"].se < spreads["Wald"].se
            assert any(label in one.partition(" is ")[0] for one in said) == smaller
            told.append(smaller)
    assert any(told)


def test_a_risk_difference_is_shown_as_one_everywhere(run):
    output, _, outcomes = run
    data = bm.BinaryStudies.from_frame(_frame(BINARY))
    model = bm.BinomialNormal(measure="RD", mu=bm.Normal(0, 0.5), tau=bm.HalfNormal(0.1))
    posterior = bm.fit(model, data)
    ends = np.tanh([posterior["mu"].quantile(0.5), *posterior["mu"].interval()])
    outcome = outcomes["difference"]
    names = ("estimate", "lower", "upper")
    for row in (
        table(outcome, "comparison", "analysis")["counts (binomial–normal)"],
        table(outcome, "scenarios", "scenario")["all"],
        table(outcome, "studies", "label")["overall"],
    ):
        np.testing.assert_allclose([row[name] for name in names], ends, rtol=1e-9)
        np.testing.assert_allclose([row[f"{name}_natural"] for name in names], ends, rtol=1e-9)
    zeros = table(outcome, "zero-studies", "studies")["all studies"]
    assert zeros["median_natural"] == pytest.approx(ends[0], rel=1e-9)
    study = next(row for row in outcome["tables"]["studies"] if row["label"] == "A")
    assert study["estimate"] == pytest.approx(12 / 40 - 15 / 40)
    assert f"the risk difference lies between {ends[1]:.2f}".replace("-", "−") in output
    assert "atanh(RD)" in output


def test_the_models_of_an_outcome_carry_coding_and_degrees_of_freedom():
    text = OUTCOMES.split("[[outcome]]")[1].replace("hypergeometric", "binomial")
    more = 'title = "t"\n[[outcome]]' + text + 'coding = "zero_one"\ndf = 4.0\n'
    counts, two_stage = models_of(parse_specification(more).outcome[0]).values()
    assert isinstance(counts, bm.BinomialNormal)
    assert (counts.coding, counts.df) == ("zero_one", 4.0)
    assert isinstance(two_stage, bm.NormalNormal)
    assert two_stage.df == 4.0


def test_unknown_degrees_of_freedom_are_written_as_their_prior():
    text = OUTCOMES.split("[[outcome]]")[1]
    more = 'title = "t"\n[[outcome]]' + text + "df = {}\nwhy.df = 'outliers'\n"
    for model in models_of(parse_specification(more.format('"Gamma(2, 0.1)"')).outcome[0]).values():
        assert model.priors["df"] == bm.Gamma(2, 0.1)
    for written, said in (
        ('"4"', "'4' is not a prior"),
        ("true", r"df: write a number, or a prior such as 'Gamma\(2, 0.1\)'; got True"),
        ("0.5", "df must be a number of degrees of freedom, 1 or more, or a prior"),
        ('"Normal(4, 1)"', "needs a proper prior on the positive numbers"),
    ):
        with pytest.raises(bm.SpecError, match=said):
            parse_specification(more.format(written))


ESTIMATES = "study,y,se\nA,0.1,0.15\nB,-0.2,0.2\nC,0.3,0.25\nD,0,0.1\nE,0.2,0.3\nF,2.6,0.25\n"


@pytest.mark.deep("two programs: 2 s")
def test_fit_takes_a_prior_of_df_and_a_share_of_outliers(folder):
    (folder / "estimates.csv").write_text(ESTIMATES)
    typed = ["--measure", "MD", "--mu", "Normal(0, 2)", "--tau", "HalfNormal(0.5)"]
    mixed = call(folder, "estimates", *typed, *OUTLIERS, "--evidence")
    assert mixed.exit_code == 0, mixed.output
    for words in ("OutlierMixture(", "Outliers", "Caution: Study F is called an"):
        assert words in mixed.output
    unknown = call(folder, "estimates", *typed, "--df", "Gamma(2, 0.1)")
    assert unknown.exit_code == 0, unknown.output
    assert "Student-t with unknown degrees of freedom" in unknown.output


OUTLIERS = ["--share", "Beta(1, 9)", "--spread", "HalfNormal(1)"]


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("binary", "--measure OR --likelihood hypergeometric", "HypergeometricNormal("),
        ("binary", "--measure OR --counts --coding zero_one", "0/1 coding"),
        ("binary", "--measure OR --counts --df 4", "Student-t with 4 degrees"),
        ("rates", "--measure IRR --counts", "PoissonNormal("),
        ("rates", "--measure IRR", "NormalNormal("),
        ("single", "--measure PLO --counts --mu Normal(-2,2) --tau HalfNormal(1)", "ProportionN"),
    ],
)
def test_fit_reads_the_kind_of_a_table_and_says_its_model(folder, name, words, said):
    result = call(folder, name, *words.split())
    assert result.exit_code == 0, result.output
    assert said in result.output


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("rates", "--measure IRR --likelihood hypergeometric", "has the likelihood poisson, not"),
        ("binary", "--measure RR --likelihood hypergeometric", "has measure OR, not RR"),
        ("binary", "--measure RR --counts --coding zero_one", "is for the odds ratio"),
        ("binary", "--measure RD --counts", "No default prior exists for RD: give --mu and --tau"),
        (
            "binary",
            "--measure IRR --counts",
            "The binomial likelihood of this table has measure OR or RR or RD, not IRR.",
        ),
        ("single", "--measure PLO --counts", "No default prior exists for PLO"),
        ("binary", "--measure OR --df four", "'four' is not a prior"),
        ("binary", "--measure OR --share Beta(1,9)", "--share and --spread go together"),
        (
            "binary",
            "--measure OR --counts --share Beta(1,9) --spread HalfNormal(1)",
            "leave --counts and --df out",
        ),
    ],
)
def test_fit_refuses_what_no_model_does(folder, name, words, said):
    result = call(folder, name, *words.split())
    assert result.exit_code == 2
    assert said in result.output


def test_every_check_is_printed_on_request(folder):
    said = call(folder, "binary", "--measure", "OR", "--counts", "--checks").output
    for title in ("What the priors imply", "Predicted and observed", "Every check"):
        assert title in said
    assert "Each study predicted from the others" in said
    assert "Residual deviance" in said
    assert "quadrature error" in said
    plain = call(folder, "binary", "--measure", "OR", "--counts").output
    assert "Every check" not in plain


def test_evidence_is_printed_on_request(folder):
    words = "--measure OR --likelihood hypergeometric --evidence"
    output = call(folder, "binary", *words.split()).output
    for heading in ("Bayes factors", "The factor of tau", "Weights", "Studies without events"):
        assert heading in output
    improper = call(folder, "binary", "--measure", "OR", "--mu", "Flat()", "--evidence").output
    assert "Bayes factors need proper priors" in improper


def _frame(text):
    from io import StringIO

    import pandas as pd

    return pd.read_csv(StringIO(text))


ONE_OUTCOME = """\
title = "One"

[[outcome]]
name = "risk"
title = "Risk"
better = "lower"
measure = "RR"
data = "binary.csv"
"""


def sampled(monkeypatch, *, rhat, shift):
    """Let NUTS give a posterior with this R-hat, so many of its standard errors from the exact."""
    exact = bm.fit

    def fit(model, data, engine=None):
        if not isinstance(engine, bm.NUTS):
            return exact(model, data, engine)
        found = exact(replace(model, mu=bm.Normal(0, 2 if shift else MU_SD)), data, None)
        error = {"mcse_mean": 1e-12 if shift else 1.0}
        return replace(
            found,
            convergence={"mu": error, "tau": error},
            diagnostics=Diagnostics((Check("R-hat", "mu", rhat, 1.01, at_most=True),)),
        )

    monkeypatch.setattr("bayesmeta.engines.fit", fit)


MU_SD = 1.5


def run_one(folder, out):
    (folder / "one.toml").write_text(f'{ONE_OUTCOME}mu = "Normal(0, {MU_SD})"\n')
    asked = ["run", str(folder / "one.toml"), "-o", str(out)]
    result = CliRunner().invoke(main, asked, catch_exceptions=False)
    return result, json.loads((out / "results.json").read_text())


@pytest.mark.deep("a whole run: 2 s")
def test_a_cross_check_that_did_not_converge_is_a_caution_beside_a_sound_answer(
    folder, tmp_path, monkeypatch
):
    sampled(monkeypatch, rhat=1.0102, shift=True)
    result, found = run_one(folder, tmp_path)
    assert result.exit_code == 0
    assert found["passed"] is True
    assert found["outcomes"]["risk"]["failed_gates"] == {}
    said = (
        "The answer is sound; its cross-check, the same by NUTS, did not converge and speaks "
        "neither for nor against it: R-hat (mu) 1.0102, must be ≤ 1.01."
    )
    assert said in found["outcomes"]["risk"]["cautions"]
    report = (tmp_path / "report.html").read_text()
    assert "must not be used" not in report
    assert "did not converge" in report
    assert "the same by NUTS — NOT SOUND" in report
    assert "counts (binomial–normal) — NOT SOUND" not in report


def test_engines_that_converged_and_disagree_fail_a_gate(folder, tmp_path, monkeypatch):
    sampled(monkeypatch, rhat=1.001, shift=True)
    result, found = run_one(folder, tmp_path)
    assert result.exit_code == 1
    assert found["passed"] is False
    ((label, (said,)),) = found["outcomes"]["risk"]["failed_gates"].items()
    assert label.endswith("the same by NUTS")
    assert said.startswith("apart from exact, in MCSE")


@pytest.mark.deep("a whole run: 2 s")
def test_engines_that_converged_and_agree_pass_in_silence(folder, tmp_path, monkeypatch):
    sampled(monkeypatch, rhat=1.001, shift=False)
    result, found = run_one(folder, tmp_path)
    assert (result.exit_code, found["passed"]) == (0, True)
    assert not any("cross-check" in one for one in found["outcomes"]["risk"]["cautions"])


@pytest.fixture(scope="module")
def odd(folder):
    """Run three tables that are hard to report: every patient, hardly any, and rows not used."""
    head, *rows = BINARY.splitlines()
    rows = [f"{line},main," for line in rows]
    tables = {
        "full": [head, "A,4,4,5,5", "B,9,9,7,7"],
        "small": [head, "A,1,5,1,6", "B,0,4,2,5"],
        "noted": [f"{head},variant,note", *rows, "A,11,40,15,40,day 14,a misprint in the source"],
    }
    text = ONE_OUTCOME.split("\n", 1)[0]
    for name, lines in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(lines))
        one = ONE_OUTCOME.split("\n", 1)[1].replace("binary", name)
        text += one.replace('"risk"', f'"{name}"').replace('"Risk"', f'"{name}"')
    (folder / "odd.toml").write_text(text)
    out = folder / "odd"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bayesmeta.analysis.runs.second_source", lambda *_: None)
        asked = ["run", str(folder / "odd.toml"), "-o", str(out)]
        assert CliRunner().invoke(main, asked, catch_exceptions=False).exit_code == 0
    return out, (out / "results.json").read_text()


@pytest.mark.deep("three outcomes from data to report: 6 s")
def test_an_outcome_in_which_every_patient_has_the_event_is_reported(odd):
    found = json.loads(odd[1])["outcomes"]["full"]
    pooled = table(found, "comparison", "analysis")["Mantel–Haenszel"]
    names = ("estimate_natural", "lower_natural", "upper_natural")
    assert [pooled[name] for name in names] == [1, 1, 1]
    assert any("RR is exactly 1" in one for one in found["cautions"])
    assert not any("No study has an event" in one for one in found["cautions"])


def test_a_missing_column_is_answered_with_what_each_door_can_take(folder):
    other = BINARY.replace("events_control", "ctrl")
    (folder / "other.csv").write_text(other)
    said = call(folder, "other", "--measure", "RR").stderr
    assert "no column 'events_control'" in said
    assert "columns={" not in said
    assert "say which column to use: --columns events_control=THEIRS." in said
    (folder / "other.toml").write_text(ONE_OUTCOME.replace("binary", "other"))
    asked = ["run", str(folder / "other.toml"), "-o", str(folder / "nowhere")]
    said = CliRunner().invoke(main, asked, catch_exceptions=False).stderr
    assert "other.csv: The table has no column 'events_control'" in said
    assert 'which column to use: columns = { events_control = "..." }.' in said
    named = ONE_OUTCOME.replace("binary", "other") + 'columns = { events_control = "ctrl" }\n'
    parse_specification(named)
    with pytest.raises(bm.DataError, match=r"columns={'events_control': '...'}"):
        bm.BinaryStudies.from_frame(pd.read_csv(folder / "other.csv"))


@pytest.mark.deep("shares the run of three outcomes: 6 s in all")
def test_infinite_numbers_are_texts_in_json_and_missing_ones_null(odd):
    """Pooled ratios of tables without events in an arm, which small trials often make."""
    out, text = odd
    outcomes = {"small": json.loads(text)["outcomes"]["small"]}
    assert not re.search(r": -?(Infinity|NaN)\b", text)
    found = 0
    for outcome, tables in ((name, one["tables"]) for name, one in outcomes.items()):
        for name, rows in tables.items():
            written = pd.read_csv(
                out / f"{outcome}/tables/{name}.csv", dtype=str, keep_default_na=False
            )
            for column in (one for one in written if one in rows[0]):
                cells = [row[column] for row in rows]
                infinite = [cell in ("inf", "-inf") for cell in written[column]]
                assert [cell in ("inf", "-inf") for cell in cells] == infinite
                found += sum(infinite)
    assert found


def test_a_prior_has_one_interval_in_a_report_whatever_says_it(run):
    _, _, outcomes = run
    for name, mu, tau in (
        ("totals", bm.Normal(0, 2), bm.HalfNormal(0.5)),
        ("difference", bm.Normal(0, 0.5), bm.HalfNormal(0.1)),
    ):
        natural = {"totals": np.exp, "difference": np.tanh}[name]
        said = table(outcomes[name], "prior-predictive", "quantity")
        for quantity, ends in (
            ("overall effect", natural(prior_interval(mu))),
            ("tau (analysis scale)", prior_interval(tau)),
        ):
            row = said[quantity]
            np.testing.assert_allclose([row["lower"], row["upper"]], ends, rtol=1e-12)
            assert row["lower_mcse"] == row["median_mcse"] == row["upper_mcse"] == 0
        assert said["effect in a new study"]["upper_mcse"] > 0


@pytest.mark.deep("shares the run of three outcomes: 6 s in all")
def test_excluded_rows_say_why_they_are_and_not_what_their_note_says(odd):
    found = json.loads(odd[1])["outcomes"]["noted"]["tables"]
    assert [row["reason"] for row in found["excluded"]] == ["row “day 14”, not the reading used"]
    assert "a misprint in the source" in (odd[0] / "report.html").read_text()  # among the data


def test_the_prior_of_a_figure_alone_is_rounded_where_it_is_made():
    assert unit_information(8.13, 88) == bm.Normal(0, 76.27)  # 8.13 √88 = 76.2660
    assert unit_information(2.0, 4) == bm.Normal(0, 4)
    made = unit_information(0.0123456, 7)
    assert bm.parse_prior(repr(made)) == made
    assert repr(made) == "Normal(0, 0.03266)"
