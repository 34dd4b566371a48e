"""The real case end to end: mesenchymal stem cells in COVID-19, held to its published figures."""

import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import arviz as az
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from bayesmeta.cli import main
from bayesmeta.results.display import interval, number, percent

ROOT = Path(__file__).parents[1]
OUTCOMES = (
    "mortality",
    "clinical-improvement",
    "adverse-events",
    "serious-adverse-events",
    "hospital-stay",
    "symptom-remission",
    "ct-score",
    "crp",
    "il6",
)


SOME = (
    "mortality",
    "hospital-stay",
    "crp",
    "il6",
)  # counts, one trial's quartiles, printed figures
WHOLE = pytest.mark.deep("nine outcomes, four of them also by NUTS: half a minute")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(SOME, id="four outcomes"),
        pytest.param(OUTCOMES, id="whole", marks=WHOLE),
    ],
)
def run(request, tmp_path_factory):
    """Type the README's command once, and keep what it printed and wrote."""
    out = tmp_path_factory.mktemp("real") / "out"
    specification = ROOT / "models" / "msc-covid19.toml"
    if request.param != OUTCOMES:
        specification = only(request.param, specification, out.parent)
    asked = ["run", str(specification), "-o", str(out)]
    result = CliRunner().invoke(main, asked, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    results = json.loads((out / "results.json").read_text())
    assert tuple(results["outcomes"]) == request.param
    return result.output, out, results


def only(names, specification, folder):
    """Write the specification with some of its outcomes and the same data."""
    head, *outcomes = specification.read_text().split("[[outcome]]\n")
    kept = [one for one in outcomes if one.split('"')[1] in names]
    text = "[[outcome]]\n".join([head, *kept])
    path = folder / specification.name
    path.write_text(text.replace('"../examples', f'"{(ROOT / "examples").as_posix()}'))
    return path


def asked_for(run, names):
    """Those of the outcomes that were analysed, one at least."""
    found = [name for name in names if name in run[2]["outcomes"]]
    assert found
    return found


def rows(results, outcome, table, key):
    return {row[key]: row for row in results["outcomes"][outcome]["tables"][table]}


def natural(row, prefix=""):
    return [row[f"{prefix}{end}_natural"] for end in ("estimate", "lower", "upper")]


def test_every_outcome_is_analysed_and_every_gate_passed(run):
    _, out, results = run
    assert results["passed"]
    for name in results["outcomes"]:
        assert (out / name / "posterior.nc").exists()


def test_most_of_what_guidelines_ask_is_met_and_the_rest_is_named(run):
    with (run[1] / "checklist.csv").open(encoding="utf-8", newline="") as file:
        items = list(csv.DictReader(file))
    count = Counter(one["status"] for one in items)
    assert count["met"] >= 38
    assert [one["number"] for one in items if one["status"] not in ("met", "open")] == ["45"]
    opened = {one["evidence"].split(": ")[-1] for one in items if one["status"] == "open"}
    assert all(one.endswith((" in [reporting]", " of every study")) for one in opened)


def test_no_figure_of_the_report_contradicts_another(run):
    said, out, results = run
    line = "pairs of figures held against one another: none contradicts."
    assert line in said
    assert line in " ".join((out / "report.html").read_text().split())
    assert all(one["coherence"].endswith(line) for one in results["outcomes"].values())


def test_the_terminal_shows_every_answer_on_one_screen_as_results_json_has_it(run):
    printed, _, results = run
    said = [line for line in printed.splitlines() if " s: " not in line]  # of progress
    assert len(said) <= 24
    assert max(map(len, said)) <= 100
    for outcome in results["outcomes"].values():
        tables = outcome["tables"]
        alone = "comparison" not in tables
        for row in tables["published"] if alone else tables["comparison"][:1]:
            if row["estimate_natural"] is None:
                continue
            figures = f"{outcome['measure']} {interval(*natural(row))}"
            (line,) = [one for one in said if figures in one]
            assert f" {percent(row['prob_benefit'])}" in line
            if not alone and "prediction" in {one["kind"] for one in tables["studies"]}:
                new = next(one for one in tables["studies"] if one["kind"] == "prediction")
                low, high = natural(new)[1:]
                assert f" {number(low)} to {number(high)} " in line


@pytest.mark.deep("dense quadrature on the raw counts takes a minute")
@pytest.mark.parametrize("run", [pytest.param(OUTCOMES, id="whole")], indirect=True)
def test_one_figure_of_every_kind_is_that_of_independent_code(run):
    script = ROOT / "tests" / "reference" / "recompute.py"
    found = subprocess.run(
        [sys.executable, str(script), str(run[1])], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.count("(within") > 50


def test_ten_sourced_trials_give_the_mantel_haenszel_ratio_of_the_sources(run):
    row = rows(run[2], "mortality", "comparison", "analysis")["Mantel–Haenszel"]
    np.testing.assert_allclose(natural(row), [0.77, 0.60, 0.99], atol=0.005)


def test_the_seven_trials_of_the_2023_review_reproduce_its_figure_and_its_p(run):
    table = rows(run[2], "mortality", "comparison-6", "analysis")
    np.testing.assert_allclose(
        natural(table["Mantel–Haenszel, ½ added"]), [0.576, 0.382, 0.870], atol=5e-4
    )
    assert natural(table["2023 UC-MSC review (7 RCTs)"]) == pytest.approx([0.58, 0.38, 0.87])
    spread = rows(run[2], "mortality", "heterogeneity-6", "fit")["Mantel–Haenszel, ½ added"]
    assert spread["q_p"] == pytest.approx(0.53, abs=0.005)
    assert "Side by side: seven trials" in (run[1] / "report.html").read_text()


def test_deaths_at_four_weeks_alone_are_not_significant_by_any_method(run):
    row = rows(run[2], "mortality", "scenarios", "scenario")["day 28–31"]
    np.testing.assert_allclose(natural(row, "mh_"), [0.79, 0.58, 1.07], atol=0.005)
    for prefix in ("", "mh_", "reml_"):
        assert row[f"{prefix}upper"] > 0


def test_every_scenario_the_sources_ask_for_is_there(run):
    table = rows(run[2], "mortality", "scenarios", "scenario")
    assert {"all sourced", "verified rows only", "Lanzoni 1/12", "Zarrabi both arms"} <= set(table)
    assert table["verified rows only"]["k"] == 5
    np.testing.assert_allclose(
        natural(table["Lanzoni 1/12"], "mh_"), [0.76, 0.59, 0.97], atol=0.005
    )
    np.testing.assert_allclose(
        natural(table["Zarrabi both arms"], "mh_"), [0.75, 0.58, 0.95], atol=0.005
    )


def test_the_two_printed_ratios_come_back_from_their_published_only_analyses(run):
    figures = {
        "mortality": ([0.76, 0.60, 0.96], 0.98),
        "clinical-improvement": ([1.28, 1.06, 1.55], 0.99),
    }
    for outcome in asked_for(run, figures):
        printed, benefit = figures[outcome]
        row = rows(run[2], outcome, "published", "figure")["2024 review (14 RCTs)"]
        np.testing.assert_allclose(natural(row), printed, atol=0.005)
        assert row["prob_benefit"] > benefit


def test_single_trials_reported_as_medians_are_wider_than_their_conversion(run):
    for name in asked_for(run, ("hospital-stay", "symptom-remission", "ct-score")):
        table = rows(run[2], name, "width-penalty", "study")
        assert table["pooled"]["ratio"] > 1.1
    text = " ".join((run[1] / "report.html").read_text().split())
    assert "One trial says nothing about others" in text


def test_biomarkers_are_analysed_alone_and_il6_does_not_support_the_verdict(run):
    crp = rows(run[2], "crp", "published", "figure")
    assert sum(row["estimate"] is not None for row in crp.values()) == 3
    il6 = rows(run[2], "il6", "published", "figure")["2023 UC-MSC review"]
    assert il6["lower"] < 0 < il6["upper"]
    text = " ".join((run[1] / "report.html").read_text().split())
    assert "does not support that verdict" in text
    assert "identifies nothing" in text
    assert "could not be recovered" in text


def test_nuts_stands_beside_the_exact_answer_and_agrees(run):
    for name in asked_for(run, OUTCOMES[:4]):
        table = rows(run[2], name, "comparison", "analysis")
        exact, drawn = table["counts (binomial–normal)"], table["the same by NUTS"]
        assert exact["estimate"] == pytest.approx(drawn["estimate"], abs=0.05)
        checks = run[2]["outcomes"][name]["tables"]["diagnostics"]
        assert any(row["check"].startswith("apart from exact") and row["passed"] for row in checks)


def test_the_shift_without_the_double_zero_trial_is_printed(run):
    table = rows(run[2], "mortality", "zero-studies", "studies")
    full, without, _ = table.values()
    assert without["left_out"] == "Shi"
    assert abs(without["mean"] - full["mean"]) < 0.05
    assert "Shi has no event in either arm" in (run[1] / "report.html").read_text()


def test_the_files_open_in_plain_arviz(run):
    tree = az.from_netcdf(run[1] / "mortality/posterior.nc")
    table = az.summary(tree, var_names=["mu", "tau"], ci_prob=0.95, round_to="none")
    assert float(table.loc["mu", "mean"]) == pytest.approx(-0.328, abs=0.02)
    assert (table["r_hat"] < 1.01).all()
    assert (table["ess_bulk"] > 3000).all()
    drawn = az.from_netcdf(run[1] / "mortality/posterior-nuts.nc")
    assert {"posterior", "sample_stats", "observed_data"} <= set(drawn.children)
    assert az.from_netcdf(run[1] / "crp/posterior.nc")["posterior"].sizes["figure"] == 3


def test_every_number_of_the_data_keeps_its_source():
    folder = ROOT / "examples" / "msc-covid19"
    for name in (
        "mortality",
        "clinical_improvement",
        "adverse_events",
        "serious_adverse_events",
    ):
        path = folder / f"{name}.csv"
        frame = pd.read_csv(path, dtype=str)
        assert frame["source"].str.startswith("http").all(), path.name
        assert frame["confidence"].isin(["verified", "secondary", "memory"]).all()
        assert not frame.duplicated(["study", "variant"]).any(), path.name


def test_zarrabi_is_never_counted_twice(run):
    frame = pd.read_csv(run[1] / "mortality/tables/studies.csv")
    assert (frame.query("kind == 'study'")["label"] == "Zarrabi").sum() == 1
