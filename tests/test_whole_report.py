"""The whole report from a table and the options of ``fit``, without a specification."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import bayesmeta as bm
from bayesmeta.analysis.answer import question_of
from bayesmeta.cli import main
from bayesmeta.specification import load_specification

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "cases"
COUNTS = """\
study,events_treatment,n_treatment,events_control,n_control
Shu,0,12,3,29
Zhu,0,29,2,29
Monsel,5,21,4,24
Lee,3,40,9,41
"""
RATES = """\
study,events_treatment,time_treatment,events_control,time_control
A,3,120.5,7,118
B,0,60,2,64
"""
MEANS = """\
Trial;mean_treatment;sd_treatment;n_treatment;mean_control;sd_control;n_control
A;1,2;0,8;30;1,9;0,9;31
B;0,7;0,6;44;1,1;0,7;40
C;2,0;1,1;25;2,1;1,0;27
"""
ARMS = "study,events,n\nA,3,40\nB,9,61\nC,0,22\n"
LIMITS = "study,estimate,lower,upper\nA,0.80,0.60,1.07\nB,0.50,0.25,1.00\nC,0.9,0.5,1.62\n"
READINGS = "study,variant,y,se\nA,main,-0.4,0.2\nA,day 7,-0.1,0.3\nB,main,0.1,0.3\n"
NO_MAIN = "study,variant,y,se\nA,day 28,-0.4,0.2\nB,day 14,0.1,0.3\nC,day 28,0.3,0.2\n"
OF_DAYS = NO_MAIN.replace("day 14", "day 28")
ARM_ROWS = (CASES / "c16e-arm-per-row.csv").read_text()
WIDE = ("--mu", "Normal(0, 5)", "--tau", "HalfNormal(1)")
BETTER = ("--better", "lower")


def call(*words):
    done = CliRunner(catch_exceptions=False).invoke(main, list(map(str, words)))
    assert "Traceback" not in done.output
    return done


def sound(*words):
    done = call(*words)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def refused(*words):
    done = call(*words)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    return done.stderr.removeprefix("bayesmeta: ")


def table(folder, text, name="trials.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


class Asked(Exception):
    """Carries a specification out of a run that was not begun."""


def specification_of(monkeypatch, *words):
    """What ``fit --report`` would run."""

    def asked(source, **_):
        raise Asked(source)

    with monkeypatch.context() as patched:
        patched.setattr("bayesmeta.analysis.run", asked)
        with pytest.raises(Asked) as found:
            call("fit", *words)
    return found.value.args[0]


def numbers_of(out):
    content = json.loads((out / "results.json").read_text(encoding="utf-8"))
    (outcome,) = content["outcomes"].values()
    return content, outcome["tables"]


def answer(rows):
    """What `fit` writes as CSV, and a report as its table of parameters, in one form."""
    frame = pd.DataFrame(rows)
    return frame.set_index("parameter")[["median", "lower", "upper"]].astype(float)


ASKED = {
    "two-stage RR": (COUNTS, ["--measure", "RR", *BETTER]),
    "counts": (COUNTS, ["--measure", "OR", "--counts", *BETTER]),
    "SMD": (MEANS, ["--measure", "SMD", *WIDE, *BETTER]),
    "single arms": (ARMS, ["--measure", "PLO", "--counts", *WIDE]),
    "estimates with intervals": (LIMITS, ["--measure", "HR", *BETTER]),
}
FURTHER = {
    "hypergeometric": (COUNTS, ["--measure", "OR", "--likelihood", "hypergeometric", *BETTER]),
    "zero-one coding": (COUNTS, ["--measure", "OR", "--coding", "zero_one", *BETTER]),
    "Student-t": (LIMITS, ["--measure", "HR", "--df", "4", "--better", "higher"]),
    "Student-t, unknown": (LIMITS, ["--measure", "HR", "--df", "Gamma(2, 0.1)", *BETTER]),
    "rates": (RATES, ["--measure", "IRR", "--counts", *BETTER]),
    "RD": (
        COUNTS,
        ["--measure", "RD", "--mu", "Normal(0, 0.5)", "--tau", "HalfNormal(0.1)", *BETTER],
    ),
    "arms": (MEANS, ["--measure", "MD", "--counts", *WIDE, *BETTER]),
    "log-normal arms": (MEANS, ["--measure", "RGM", "--counts", *WIDE, *BETTER]),
    "single arms, two-stage": (ARMS, ["--measure", "PLO", *WIDE]),
    "their columns": (MEANS, ["--measure", "MD", *WIDE, "--columns", "study=Trial", *BETTER]),
    "another level": (LIMITS, ["--measure", "HR", "--level", "0.9", *BETTER]),
    "left out": (COUNTS, ["--measure", "RR", "--exclude", "Lee: another dose: 5 mg", *BETTER]),
    "left out by row": (COUNTS, ["--measure", "RR", "--exclude", "Zhu (row 2): unclear", *BETTER]),
    "readings": (READINGS, ["--measure", "RR", *BETTER]),
    "no main reading": (NO_MAIN, ["--measure", "RR", *BETTER]),
    "one other reading": (OF_DAYS, ["--measure", "RR", *BETTER]),
    "a sum left out": (
        f"{COUNTS}Total,8,102,18,123\n",
        ["--measure", "RR", "--exclude", "Total: a sum", *BETTER],
    ),
    "clusters": (COUNTS, ["--measure", "RR", "--icc", "0.02", "--cluster-size", "9", *BETTER]),
    "before and after": (
        (CASES / "c27-pre-post.csv").read_text(),
        ["--measure", "MD", "--correlation", "0.5", *WIDE, *BETTER],
    ),
    "arms combined": (
        ARM_ROWS,
        ["--measure", "RR", "--control", "placebo", "--combine-arms", *BETTER],
    ),
    "an arm left out": (
        ARM_ROWS,
        [
            *("--measure", "RR", "--control", "placebo", "--combine-arms", *BETTER),
            *("--exclude", "Trial X: high dose: off label"),
        ],
    ),
}


@pytest.mark.deep("three runs each: 3 to 12 s", but=["two-stage RR", "estimates with intervals"])
@pytest.mark.parametrize("what", ASKED)
def test_a_report_answers_as_fit_prints_and_its_specification_runs_to_the_same(tmp_path, what):
    text, words = ASKED[what]
    path, out = table(tmp_path, text), tmp_path / "out"
    said = sound("fit", path, *words, "--report", out)
    printed = sound("fit", path, *words, "-o", tmp_path / "fit.csv")
    alone = answer(pd.read_csv(tmp_path / "fit.csv"))
    head, _, _ = printed.partition(" pairs of figures")
    assert head.rsplit("\n", 1)[0] in said
    assert f"Report: {out / 'report.html'}\n" in said
    content, tables = numbers_of(out)
    reported = answer(tables["parameters"])
    assert list(reported.index) == list(alone.index)
    np.testing.assert_allclose(reported, alone, rtol=1e-9, atol=1e-9)
    assert content["sha256"]["trials.csv"] == hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / "trials.toml").write_text(content["specification"], encoding="utf-8")
    sound("run", tmp_path / "trials.toml", "-o", tmp_path / "again")
    again, _ = numbers_of(tmp_path / "again")
    assert again == content


@pytest.mark.parametrize("what", {**ASKED, **FURTHER})
def test_the_specification_of_a_report_asks_for_what_was_typed(tmp_path, monkeypatch, what):
    """Held against the posterior that ``fit`` hands to its tables."""
    text, words = {**ASKED, **FURTHER}[what]
    path = table(tmp_path, text)
    fitted = {}

    def fit(model, data, engine):
        fitted["it"] = model, data
        raise bm.ModelError("enough")

    with monkeypatch.context() as patched:
        patched.setattr("bayesmeta.engines.fit", fit)
        assert call("fit", path, *words).exit_code == 2
    source = specification_of(monkeypatch, path, *words, "--report", tmp_path / "out")
    model, data = question_of(source)
    assert model == fitted["it"][0]
    assert data.study == fitted["it"][1].study
    for name, column in fitted["it"][1].numbers.items():
        np.testing.assert_array_equal(data.numbers[name], column)
    saved = tmp_path / source.path.name
    saved.write_text(source.text, encoding="utf-8")
    assert load_specification(saved) == source


def test_a_workbook_and_its_sheet_are_named_by_the_specification(tmp_path, monkeypatch):
    path = tmp_path / "Deaths at 28 days.xlsx"
    shutil.copy(ROOT / "examples/door/deaths.xlsx", path)
    words = ("--measure", "RR", "--sheet", "Deaths", *BETTER, "--seed", 5, "--prob", 0.9)
    source = specification_of(monkeypatch, path, *words, "--report", tmp_path / "out")
    outcome = source.specification.outcome[0]
    assert (str(outcome.data), outcome.sheet) == (path.name, "Deaths")
    assert (outcome.name, outcome.title) == ("deaths-at-28-days", "Deaths at 28 days")
    assert (source.specification.seed, source.specification.prob) == (5, 0.9)
    assert source.path == tmp_path / "Deaths at 28 days.toml"
    assert not source.path.exists()


def test_arms_and_the_reason_for_a_row_left_out_stand_in_the_specification(tmp_path, monkeypatch):
    text, words = FURTHER["an arm left out"]
    out = tmp_path / "out"
    source = specification_of(monkeypatch, table(tmp_path, text), *words, "--report", out)
    assert source.specification.arms == ["treatment", "placebo"]
    (scenario,) = source.specification.outcome[0].scenario
    assert scenario.drop == {"Trial X: high dose": "off label"}
    assert '\ntau = "HalfNormal(0.5)"\n' in source.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--measure", "RR"], "the direction of benefit of the RR: add --better lower or --better"),
        (["--measure", "RR", *BETTER, "--nuts"], "leave --nuts out"),
        (
            [*("--measure", "RR", *BETTER, "--share", "Beta(1, 9)", "--spread", "HalfNormal(1)")],
            "leave out either it or --share and --spread",
        ),
        (["--measure", "MD", *BETTER], "the measure OR, RR or RD, not 'MD'"),
    ],
)
def test_a_report_that_cannot_be_made_is_refused_before_the_work(
    tmp_path, monkeypatch, words, said
):
    monkeypatch.setattr("bayesmeta.analysis.run", lambda *_, **__: pytest.fail("too late"))
    path = table(tmp_path, COUNTS)
    assert said in refused("fit", path, *words, "--report", tmp_path / "out")
    assert [one.name for one in tmp_path.iterdir()] == ["trials.csv"]


def test_single_arms_have_no_direction_of_benefit(tmp_path):
    words = ("--measure", "PLO", *WIDE, *BETTER, "--report", tmp_path / "out")
    said = refused("fit", table(tmp_path, ARMS), *words)
    assert said == "--better is for comparisons, and PLO is of single arms: leave it out.\n"


def test_standard_input_has_no_name_that_a_report_could_give(tmp_path):
    words = ("--measure", "RR", *BETTER, "--report", tmp_path / "out")
    assert "--report needs a file, for the report names and hashes it" in refused(
        "fit", "-", *words
    )


def test_files_that_no_run_wrote_are_refused_and_overwritten_by_force(tmp_path):
    path, out = table(tmp_path, LIMITS), tmp_path / "out"
    out.mkdir()
    (out / "report.html").write_text("mine")
    words = ("fit", path, "--measure", "HR", *BETTER, "--report", out)
    assert "report.html, which no manifest.json there lists" in refused(*words)
    assert (out / "report.html").read_text() == "mine"
    sound(*words, "--force")
    assert "Trials" in (out / "report.html").read_text()
    sound(*words)


def test_what_no_specification_can_say_is_refused_rather_than_answered_otherwise(
    tmp_path, monkeypatch
):
    """Whatever option fit may get that the keys of a specification do not know."""
    words = ("--measure", "RR", *BETTER, "--report", tmp_path / "out")
    other = question_of(specification_of(monkeypatch, table(tmp_path, COUNTS), *words))
    for odd in (
        other._replace(model=bm.CommonEffect(mu=bm.Normal(0, 2))),
        other._replace(data=replace(other.data, y=other.data.y + 1e-9)),
    ):
        monkeypatch.setattr("bayesmeta.analysis.answer.question_of", lambda _, odd=odd: odd)
        said = refused("fit", tmp_path / "trials.csv", *words)
        assert "--report cannot state what these options ask of this table" in said


def test_a_failed_gate_of_the_report_is_the_status_of_fit(tmp_path, monkeypatch):
    path, out = table(tmp_path, LIMITS), tmp_path / "out"
    words = ("--measure", "HR", "--mu", "Uniform(8, 9)", "--tau", "HalfNormal(0.5)", *BETTER)
    done = call("fit", path, *words, "--report", out)
    assert done.exit_code == 1
    assert "A numerical gate failed: see the marked tables of the report." in done.stderr
    assert "must not be used" in (out / "report.html").read_text()


# ------------------------------------------------------ what a specification drops, which this met


DROPS = """\
title = "Responses"

[[outcome]]
name = "response"
title = "Response"
better = "higher"
kind = "counts"
data = "trials.csv"
control = "placebo"
several_arms = "combine"

[[outcome.scenario]]
name = "of the label"
drop = { "DROPPED" = "off label" }
"""


def test_an_arm_that_every_scenario_drops_is_not_combined_with_the_others(tmp_path):
    table(tmp_path, ARM_ROWS)
    path = tmp_path / "spec.toml"
    path.write_text(DROPS.replace("DROPPED", "Trial X: high dose"))
    data = question_of(load_specification(path)).data
    assert data.numbers["n_treatment"][0] == 50  # of the low dose alone; 100 together
    assert [(row.study, row.reason) for row in data.excluded] == [
        ("Trial X: high dose", "off label"),
    ]


def test_a_name_that_every_scenario_drops_must_be_that_of_a_row(tmp_path):
    table(tmp_path, ARM_ROWS)
    path = tmp_path / "spec.toml"
    path.write_text(DROPS.replace("DROPPED", "Trial X: hihg dose"))
    said = refused("run", path, "-o", tmp_path / "out")
    assert 'drop = { "Trial X: hihg dose" = "reason" }' in said
    assert "the table has no such row; check the spelling" in said


def test_a_published_figure_stands_beside_the_answer_of_the_report_too(tmp_path):
    (tmp_path / "t.csv").write_text(LIMITS, "utf-8")
    words = ("fit", tmp_path / "t.csv", "--measure", "RR", *BETTER)
    said = sound(*words, "--published", "RR 0.75 [0.60, 0.94]", "--report", tmp_path / "out")
    assert "Published: RR 0.75 [0.60, 0.94]." in said
    whole = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    (outcome,) = whole["outcomes"].values()
    rows = {row["analysis"]: row for row in outcome["tables"]["comparison"]}
    assert rows["published"]["estimate_natural"] == pytest.approx(0.75)
    gap = float(said.split("Ours is ")[1].split()[0])
    first = next(iter(rows.values()))
    assert abs(first["gap"]) == pytest.approx(gap, abs=0.006)


def test_force_without_a_report_is_refused(tmp_path):
    path = table(tmp_path, COUNTS)
    said = refused("fit", path, "--measure", "RR", "--force")
    assert "--force is for the folder of --report" in said
