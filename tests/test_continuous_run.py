"""Continuous outcomes from a specification and from the command line, to the report."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import bayesmeta as bm
from bayesmeta.analysis import run
from bayesmeta.cli import main
from bayesmeta.report import write_results
from bayesmeta.results.keys import FitKey
from bayesmeta.specification import load_specification, parse_specification

ROOT = Path(__file__).parents[1]

MEDIANS = """\
study,unit,median_treatment,q1_treatment,q3_treatment,n_treatment,mean_control,sd_control,n_control
A,days,11,8,14,29,15.2,5.9,29
B,days,7,7,12,29,13.1,6.1,31
"""

SPECIFICATION = """
title = "Stay"
seed = 3

[[outcome]]
name = "stay"
title = "Length of stay"
better = "lower"
kind = "continuous"
measure = "MD"
data = "stay.csv"
mu = "Normal(0, 20)"
tau = "HalfNormal(3)"
[[outcome.scenario]]
name = "both"

[[outcome]]
name = "first"
title = "The first alone"
better = "lower"
kind = "continuous"
measure = "MD"
effects = "common"
data = "stay.csv"
mu = "Normal(0, 20)"
[[outcome.scenario]]
name = "A"
only = ["A"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("stay")
    (made / "stay.csv").write_text(MEDIANS)
    (made / "stay.toml").write_text(SPECIFICATION)
    return made


@pytest.fixture(scope="module")
def results(folder):
    return run(load_specification(folder / "stay.toml"))


def test_arms_are_the_answer_and_estimates_stand_beside_it(results):
    stay, first = results.outcomes
    assert list(stay.main.fits) == [FitKey.ARMS, FitKey.TWO_STAGE]
    assert list(stay.tables["comparison"].index[:2]) == [
        "arms (SDs estimated)",
        "two-stage (normal–normal)",
    ]
    assert isinstance(stay.main.answer.model, bm.ContinuousNormal)
    assert isinstance(first.main.answer.model, bm.ContinuousCommonEffect)
    assert first.main.answering is FitKey.ARMS_COMMON
    assert all(fit.diagnostics.passed for fit in stay.fits.values())


def test_conversions_leave_their_name(results):
    stay, _ = results.outcomes
    how = stay.tables["provenance"]["how"]
    assert "Luo 2018" in how["A"]
    assert "Wan 2014" in how["B"]


def test_what_quantiles_cost_is_told_per_study_and_pooled(results):
    stay, first = results.outcomes
    table = stay.tables["width-penalty"]
    assert list(table.index) == ["A", "B", "pooled"]
    assert (table["ratio"] > 1).all()
    assert len(first.tables["quartile-definitions"]) == 2


def test_the_report_says_so(results, folder):
    write_results(results, folder / "out")
    page = (folder / "out/report.html").read_text()
    for said in (
        "What reporting quantiles costs",
        "How figures were derived that were not printed",
        "type 6 (SPSS, Minitab)",
        "continuous outcomes by both arms",
        "one effect for all studies",
    ):
        assert said in page
    assert (folder / "out/stay/tables/width-penalty.csv").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('measure = "RR"', "continuous outcomes have measure"),
        ('kind = "counts"\nmeasure = "MD"', "counts have measure"),
        ('kind = "estimates"\nmeasure = "MD"\nquartiles = 6', "are for kind = 'continuous'"),
        ('effects = "common"\nmeasure = "MD"', "without tau and df"),
        ('measure = "SMD"\nlikelihood = "poisson"', "are for kind = 'counts'"),
        ('measure = "SMD"\nquartiles = 5', "quartiles"),
    ],
)
def test_keys_of_another_kind_are_refused(line, said):
    text = SPECIFICATION.split("[[outcome]]")
    outcome = text[1].replace('measure = "MD"\n', line + "\n")
    if "kind" in line:
        outcome = outcome.replace('kind = "continuous"\n', "", 1)
    with pytest.raises(bm.SpecError, match=said):
        parse_specification(f"{text[0]}[[outcome]]{outcome}")


def test_priors_in_units_must_be_given():
    text = SPECIFICATION.replace('tau = "HalfNormal(3)"\n', "")
    with pytest.raises(bm.SpecError, match="no default prior exists for MD"):
        parse_specification(text)


@pytest.fixture(scope="module")
def means(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("means") / "means.csv"
    frame = pd.read_csv(ROOT / "examples/hba1c/hba1c.csv")
    frame[frame["variant"] == "main"].to_csv(path, index=False)
    return path


PRIORS = ("--mu", "Normal(0, 2)", "--tau", "HalfNormal(0.5)")


def test_fit_takes_arms_and_estimates_made_of_them(means):
    two_stage = CliRunner().invoke(main, ["fit", str(means), "--measure", "MD", *PRIORS])
    arms = CliRunner().invoke(main, ["fit", str(means), "--measure", "MD", "--counts", *PRIORS])
    assert two_stage.exit_code == arms.exit_code == 0, arms.output
    assert "NormalNormal" in two_stage.output
    assert "ContinuousNormal" in arms.output


def test_fit_of_log_normal_arms(folder):
    words = ["fit", str(folder / "stay.csv"), "--measure", "RGM", "--likelihood", "lognormal"]
    found = CliRunner().invoke(main, words)
    assert found.exit_code == 0, found.output
    assert "log-normal arms" in found.output


def test_a_batch_of_means_pools_their_estimates_and_leaves_arms_alone(means):
    words = ["batch", str(means), "--by", "drug", "--measure", "MD", "--mu", "Normal(0, 9)"]
    found = CliRunner().invoke(main, [*words, "--tau", "HalfNormal(2)", "--counts"])
    assert found.exit_code == 2
    assert "leave --counts and --likelihood out" in found.output
    found = CliRunner().invoke(main, [*words, "--tau", "HalfNormal(2)"])
    assert found.exit_code in (0, 1), found.output
    assert "drug,k,k_left_out,k_dropped,k_added,mu_mean" in found.output


def test_the_model_of_a_specification_is_printed():
    found = CliRunner().invoke(main, ["model", str(ROOT / "models/hba1c.toml")])
    assert found.exit_code == 0, found.output
    assert "ContinuousNormal" in found.output or "mean" in found.output


def test_hba1c_has_the_placebo_controlled_trials_of_senn_2013():
    source = load_specification(ROOT / "models/hba1c.toml")
    frame = pd.read_csv(ROOT / "examples/hba1c/hba1c.csv")
    main_rows = frame[frame["variant"] == "main"]
    assert len(main_rows) == 19
    assert [one.name for one in source.specification.outcome] == [
        "any-drug",
        "metformin",
        "rosiglitazone",
    ]
    studies = bm.ContinuousStudies.from_frame(main_rows)
    effects = bm.effect_sizes(studies, measure="MD")
    reml = bm.random_effects(effects)
    exact = bm.fit(
        bm.ContinuousNormal(measure="MD", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), studies
    )
    assert exact["mu"].mean() == pytest.approx(reml.estimate, abs=0.02)
    assert np.isclose(effects.y[0], -1.9)
