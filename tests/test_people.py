"""What an effect means for people, as a specification and `fit` ask for it."""

import hashlib
import html
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

import bayesmeta as bm
from bayesmeta.analysis import table_baseline as registry_of
from bayesmeta.cli import main
from bayesmeta.decision import Baseline, SummaryOfFindings, summary_of_findings
from bayesmeta.specification import parse_specification

TABLE = """\
study,events_treatment,n_treatment,events_control,n_control
Shu,1,12,3,29
Zhu,2,29,4,29
Monsel,5,21,6,24
Lee,3,40,9,41
"""
MEANS = "study,y,se\nA,-4,2\nB,-6,3\nC,1,4\n"
OF_UNITS = 'kind = "estimates"\nmu = "Normal(0, 1)"\ntau = "HalfNormal(1)"\n'
SPEC = """\
title = "T"

[[outcome]]
name = "death"
title = "Death"
event = "deaths"
better = "lower"
measure = "{measure}"
data = "trials.csv"
{keys}
"""


def call(*words: object) -> Result:
    return CliRunner(catch_exceptions=False).invoke(main, list(map(str, words)))


def table(folder: Path, text: str = TABLE) -> Path:
    path = folder / "trials.csv"
    path.write_text(text)
    return path


def ran(folder: Path, keys: str, measure: str = "RR") -> pd.DataFrame:
    table(folder)
    (folder / "spec.toml").write_text(SPEC.format(keys=keys, measure=measure))
    done = call("run", folder / "spec.toml", "-o", folder / "out")
    assert done.exit_code == 0, done.output
    return pd.read_csv(folder / "out" / "death" / "tables" / "absolute.csv", index_col="quantity")


def test_a_run_tells_every_named_baseline_with_its_source_and_the_threshold(tmp_path):
    keys = (
        'baseline_risk = { low = 0.02, high = "Beta(20, 80)", source = "a register" }\n'
        'threshold = 10\ntime = "28 days"'
    )
    found = ran(tmp_path, keys)
    assert list(found.index) == [
        "average effect, low baseline",
        "effect in a new setting, low baseline",
        "average effect, high baseline",
        "effect in a new setting, high baseline",
        "average effect, high baseline at the median baseline",
        "effect in a new setting, high baseline at the median baseline",
    ]
    fit = bm.fit(
        bm.BinomialNormal(
            measure="RR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5), baseline=bm.Normal(0, 10)
        ),
        bm.BinaryStudies.from_frame(pd.read_csv(tmp_path / "trials.csv")),
    )
    ours = bm.absolute_effects(fit, baseline=0.02, better="lower", threshold=10).rows[0]
    row = found.loc["average effect, low baseline"]
    assert row["difference"] == pytest.approx(ours.difference[0], rel=0.05)
    assert row["prob_important"] == pytest.approx(ours.prob_important, abs=0.02)
    page = (tmp_path / "out" / "report.html").read_text()
    for words in ("a register", "of at least 10", "number needed", "Over 28 days", "NNTB"):
        assert words in page


def test_control_arms_give_their_predictive(tmp_path):
    found = ran(tmp_path, 'baseline_risk = "control arms"')
    row = found.loc["average effect"]
    assert row["baseline"] == "a new setting like the control arms of 4 trials"
    studies = bm.BinaryStudies.from_frame(pd.read_csv(tmp_path / "trials.csv"))
    lower, upper = bm.baseline(studies).interval()
    ends = row[["control_lower", "control_upper"]].astype(float)
    np.testing.assert_allclose(ends, [1000 * lower, 1000 * upper])


def test_without_a_baseline_it_is_that_of_all_control_arms_as_before(tmp_path):
    row = ran(tmp_path, "").loc["average effect"]
    assert row["control"] == pytest.approx(1000 * 22 / 123)
    assert row["baseline"] == "all control arms together"


@pytest.mark.parametrize(
    ("measure", "keys", "words"),
    [
        ("RR", "threshold = 10", "threshold: give baseline_risk too, to which it belongs"),
        ("RR", "baseline_risk = 20", "baseline_risk: A risk without the treatment must be between"),
        ("RR", 'baseline_risk = "low"', "baseline_risk: 'low' is no baseline: give a number"),
        ("RR", "baseline_risk = { low = 2.0 }", "baseline_risk.low: A risk without the treatment"),
        ("RR", "baseline_risk = {}", "baseline_risk: No baseline is named"),
        ("RR", "baseline_risk = { low = 0.3, high = 0.1 }", "called low is 0.3, above the one"),
        ("RR", 'baseline_risk = { Middle = "control arms", high = 0.2, low = "Beta(50, 50)" }',
         "baseline_risk: The baseline called low is 0.5, above the one called high, 0.2"),
        ("RR", "baseline_risk = 0.2\ncontrol_risk = 0.2", "baseline_risk or control_risk, not"),
        ("RR", "baseline_risk = 0.2\nthreshold = 0", "threshold must be greater than 0"),
        ("RR", "baseline_risk = true", "baseline_risk"),
        ("HR", 'kind = "estimates"\nbaseline_risk = 0.2', "add time = "),
        ("SMD", f"{OF_UNITS}baseline_risk = 3", "add sd = 12"),
        ("GEN", f"{OF_UNITS}baseline_risk = 3", "GEN acts on no baseline"),
    ],
)  # fmt: skip
def test_a_specification_that_cannot_be_told_of_people_is_refused(measure, keys, words):
    with pytest.raises(bm.SpecError) as caught:
        parse_specification(SPEC.format(measure=measure, keys=keys))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_run_tells_the_other_ratio_beside_its_own_and_by_how_much_they_part(tmp_path):
    found = ran(tmp_path, "baseline_risk = { low = 0.05, high = 0.5 }")
    assert set(found["beside_measure"]) == {"OR"}
    page = (tmp_path / "out" / "report.html").read_text()
    assert "difference, were the odds ratio constant" in page
    assert "what the other ratio would give stands with each outcome" in page
    said = re.search(r"With a constant odds ratio in its place, .*? apart\.", page)[0]
    assert "(mu ~ Normal(0, 2), tau ~ HalfNormal(0.5))" in said
    for name in ("low", "high"):
        row = found.loc[f"average effect, {name} baseline"]
        ours, theirs = row["difference"], row["beside_difference"]
        words = rf"−(\S+) in place of −(\S+) at the {name} baseline, (\S+) apart"
        told = [float(one) for one in re.search(words, said).groups()]
        assert told == pytest.approx([-theirs, -ours, abs(ours - theirs)], abs=0.051)
    twin = ran(tmp_path, "baseline_risk = { low = 0.05, high = 0.5 }", "OR")
    assert list(twin["difference"]) == pytest.approx(list(found["beside_difference"]), rel=1e-6)
    assert list(twin["beside_difference"]) == pytest.approx(list(found["difference"]), rel=1e-6)


def test_of_estimates_the_report_says_once_why_there_is_no_other_ratio(tmp_path):
    ran(tmp_path, 'baseline_risk = 0.2\nkind = "estimates"')
    page = (tmp_path / "out" / "report.html").read_text()
    why = "Nothing is said of a constant odds ratio in its place: that takes a table of counts and"
    assert page.count(why) == 1
    assert "were the odds ratio constant" not in page


OF_LOG_OR = "from_library('turner2015/any')"


def test_a_prior_published_for_one_ratio_leaves_it_alone_and_run_and_fit_say_why(tmp_path):
    keys = f"""baseline_risk = 0.2\ntau = "{OF_LOG_OR}"\nwhy = {{tau = "as planned."}}"""
    found = ran(tmp_path, keys, "OR")
    assert "beside_difference" not in found or found["beside_difference"].isna().all()
    why = (
        f"Nothing is said of a constant risk ratio in its place: {OF_LOG_OR} of tau was published "
        "for log OR."
    )
    page = html.unescape((tmp_path / "out" / "report.html").read_text())
    assert page.count(why) == 1
    words = ("--measure", "OR", "--better", "lower", "--baseline", 0.2, "--tau", OF_LOG_OR)
    done = call("fit", table(tmp_path), "--counts", *words)
    assert done.exit_code == 0, done.output
    assert why in " ".join(done.stdout.split())


def test_a_prior_with_a_reason_follows_to_the_other_ratio(tmp_path):
    reasoned = OF_LOG_OR.replace("')", "', override='deaths are rare')")
    words = ("--measure", "OR", "--better", "lower", "--baseline", 0.2, "--tau", reasoned)
    done = call("fit", table(tmp_path), "--counts", *words)
    assert "With a constant risk ratio in its place" in " ".join(done.stdout.split())


def test_fit_of_counts_tells_the_other_ratio_too(tmp_path):
    words = ("--measure", "RR", "--better", "lower", "--baseline", 0.3)
    done = call("fit", table(tmp_path), "--counts", *words)
    assert "With a constant odds ratio in its place" in " ".join(done.stdout.split())
    assert "by OR" in done.stdout
    alone = call("fit", table(tmp_path), *words)
    assert "table of counts and --counts." in " ".join(alone.stdout.split())
    assert "by OR" not in alone.stdout


def test_a_run_draws_the_curve_over_thresholds_and_says_what_it_shows(tmp_path):
    found = ran(tmp_path, "baseline_risk = { low = 0.05, high = 0.5 }\nthreshold = 10")
    folder = tmp_path / "out" / "death"
    assert (folder / "figures" / "thresholds.svg").exists()
    curve = pd.read_csv(folder / "tables" / "thresholds.csv", index_col="threshold")
    assert list(curve.columns) == list(found.index)
    assert list(curve.loc[0]) == pytest.approx(list(found["prob_benefit"]), abs=1e-9)
    assert list(1 - curve.loc[0]) == pytest.approx(list(found["prob_harm"]), abs=1e-9)
    assert list(curve.loc[10]) == pytest.approx(list(found["prob_important"]), abs=1e-9)
    page = (tmp_path / "out" / "report.html").read_text()
    row, high = (found.loc[f"average effect, {name} baseline"] for name in ("low", "high"))
    result = (
        f"Average effect: any benefit {row['prob_benefit']:.1%}, harm {row['prob_harm']:.1%}, a "
        f"benefit of at least 10 per 1,000 {row['prob_important']:.1%} at the low baseline; "
        f"{high['prob_important']:.1%} at the high baseline."
    )
    assert f'role="img" aria-label="Probability of a benefit of at least so much. {result}' in page
    assert f"<figcaption>{result}" in page
    listed = json.loads((tmp_path / "out" / "manifest.json").read_text())["files"]
    paths = {one["path"]: one["holds"] for one in listed}
    assert "of at least each threshold" in paths["death/tables/thresholds.csv"]


def test_fit_tells_people_too(tmp_path):
    words = ("--measure", "OR", "--better", "lower", "--baseline", "Beta(20, 80)")
    done = call("fit", table(tmp_path), *words, "--threshold", 10)
    assert done.exit_code == 0, done.output
    assert "Per 1,000 patients" in done.stdout
    assert "≥ 10" in done.stdout
    assert "Without the treatment: Beta(20, 80); the median of Beta" in done.stdout
    assert "Number needed:\n  average effect: NNT" in done.stdout
    assert max(map(len, done.stdout.split("Per 1,000")[1].splitlines()[:8])) <= 80
    found = json.loads(call("fit", tmp_path / "trials.csv", *words, "--json").stdout)
    rows = {row["quantity"]: row for row in found["tables"]["absolute"]}
    studies = bm.BinaryStudies.from_frame(pd.read_csv(tmp_path / "trials.csv"))
    data = bm.effect_sizes(studies, measure="OR")
    fit = bm.fit(bm.default_model(data), data)
    ours = bm.absolute_effects(fit, baseline="Beta(20, 80)", better="lower").rows[0]
    row = rows["average effect"]
    assert row["difference_lower"] == pytest.approx(ours.difference[1])
    assert row["nnt"] == ours.nnt


def test_fit_names_several_baselines_and_tells_means(tmp_path):
    path = table(tmp_path)
    done = call(
        *("fit", path, "--measure", "RR", "--better", "lower"), "--baseline", "low=0.05,high=0.3"
    )
    assert "  average effect, low baseline: NNT" in done.stdout
    assert "  average effect, high baseline: NNT" in done.stdout
    path.write_text(MEANS)
    words = ("--measure", "MD", "--mu", "Normal(0, 20)", "--tau", "HalfNormal(5)")
    done = call("fit", path, *words, "--better", "lower", "--baseline", 40, "--unit", "mg/L")
    assert done.exit_code == 0, done.output
    assert "mg/L" in done.stdout


def test_the_report_of_fit_tells_people_what_its_terminal_does(tmp_path):
    words = ("--measure", "OR", "--better", "lower", "--baseline", "low=0.05,high=Beta(20, 80)")
    more = ("--threshold", 10, "--time", "28 days", "--report", tmp_path / "out")
    done = call("fit", table(tmp_path), *words, *more, "--json")
    assert done.exit_code == 0, done.output
    said = {row["quantity"]: row for row in json.loads(done.stdout)["tables"]["absolute"]}
    (path,) = (tmp_path / "out").glob("*/tables/absolute.csv")
    written = pd.read_csv(path, index_col="quantity")
    assert list(written.index) == list(said)
    for name, row in said.items():
        for column in ("treatment", "difference_lower", "prob_important"):
            assert written.loc[name, column] == pytest.approx(row[column], rel=1e-9)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--baseline", "0.2"], "--baseline needs the direction of benefit"),
        (["--threshold", "3"], "--threshold: give --baseline too"),
        (["--baseline", "2", "--better", "lower"], "must be between 0 and 1, got 2"),
        (["--baseline", "0.2", "--better", "lower", "--measure", "HR"], "add --time '28 days'"),
        (["--baseline", "0.2", "--better", "lower", "--per", "0"], "per must be a positive"),
    ],
)
def test_fit_refuses_what_cannot_be_told_before_anything_is_written(tmp_path, words, said):
    output = tmp_path / "x.csv"
    done = call("fit", table(tmp_path), "--measure", "RR", *words, "-o", output)
    assert not output.exists()
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


# ------------------------------------------------------------------------ summary of findings


def findings_of() -> bm.Posterior:
    rows = [line.split(",") for line in TABLE.splitlines()]
    studies = bm.BinaryStudies.from_frame(pd.DataFrame(rows[1:], columns=rows[0]))
    model = bm.BinomialNormal(measure="RR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    return bm.fit(model, studies)


def findings(**how: object) -> SummaryOfFindings:
    given = {"baseline": {"low": 0.02, "high": "Beta(20, 80)"}, "better": "lower", **how}
    return summary_of_findings({"Death | a_b": bm.absolute_effects(findings_of(), **given)})


def test_findings_have_the_layout_of_grade_and_leave_the_certainty_to_a_person():
    found = findings(threshold=10, time="28 days")
    table = found.table()
    assert list(table.index) == [
        "Death | a_b, low baseline, over 28 days",
        "Death | a_b, high baseline, over 28 days",
    ]
    assert (table["Certainty (a person's)"] == "").all()
    first, second = found.rows
    assert first.participants == "225 (4 studies)"
    assert first.without == "20 per 1,000"
    assert second.without == "198 [128, 283] per 1,000"
    assert first.relative == second.relative
    assert first.relative.startswith("RR 0.")
    assert "the threshold of benefit of 10 per 1,000, " in first.imprecision
    assert re.search(r"; P\(at least that benefit\) [<> ]*[\d.]+%$", first.imprecision)
    assert first.inconsistency.startswith("tau 0.")
    assert first.small_study == "none can be said with 4 studies"


def test_findings_never_print_a_benefit_as_certain_and_write_it_as_the_overview_does():
    sure = bm.EffectSizes.from_arrays(["A", "B"], [-4.0, -4.2], [0.1, 0.1], measure="MD")
    fit = bm.fit(bm.CommonEffect(mu=bm.Normal(0, 10)), sure)
    for better, said in (("lower", "> 99.9%"), ("higher", "< 0.1%")):
        one = bm.absolute_effects(fit, baseline=20.0, better=better, unit="days")
        (row,) = bm.summary_of_findings({"Stay": one}).rows
        assert f"P(benefit) {said};" in row.imprecision


def test_findings_follow_from_the_absolute_effects_they_stand_for():
    found = findings().rows[0]
    assert found.imprecision.endswith("no threshold stated")
    middle, low, high = (int(one) for one in found.with_treatment.replace("[", "").replace("]", "")
                         .replace(",", "").split()[:3])  # fmt: skip
    ratio = [float(one) for one in found.relative.replace("[", "").replace("]", "")
             .replace(",", "").split()[1:]]  # fmt: skip
    np.testing.assert_allclose([middle, low, high], 20 * np.array(ratio), atol=0.6)


def test_a_risk_that_is_held_at_one_is_said_in_the_findings():
    held = findings(baseline=0.95).rows[0]
    share = bm.absolute_effects(findings_of(), baseline=0.95, better="lower").rows[0].prob_capped
    assert held.with_treatment.endswith(f", held within 0 to 1 in {share:.1%} of its distribution")
    assert "held" not in findings(baseline=0.02).rows[0].with_treatment


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_findings_say_whether_the_interval_crosses_the_threshold(better):
    """At a baseline of 0.4 the interval of the difference per 1,000 is about −297 to 113."""
    effects = bm.absolute_effects(findings_of(), baseline=0.4, better=better)
    low, high = effects.rows[0].difference[1:]
    assert -310 < low < -150 < 0 < 20 < high < 150
    for threshold in (20, 150, 310):
        said = findings(baseline=0.4, better=better, threshold=threshold).rows[0].imprecision
        benefit = -threshold if better == "lower" else threshold
        crosses = "crosses" if low <= benefit <= high else "does not cross"
        assert (
            f"includes no difference, {crosses} the threshold of benefit of {threshold} p" in said
        )
        harm = "includes" if low <= -benefit <= high else "excludes"
        assert f" per 1,000, {harm} a harm as large; P(" in said


def test_findings_of_many_studies_have_the_test_that_can_be_made():
    frame = pd.read_csv(Path(__file__).parents[1] / "examples" / "bcg" / "bcg.csv")
    data = bm.effect_sizes(bm.BinaryStudies.from_frame(frame), measure="OR")
    fit = bm.fit(bm.default_model(data), data)
    effects = bm.absolute_effects(fit, baseline=0.1, better="lower")
    found = summary_of_findings({"TB": effects}).rows[0]
    p = bm.frequentist.regression_test(data).p
    assert found.small_study == f"regression test p = {p:.2g}"
    common = bm.fit(bm.CommonEffect(mu=bm.Normal(0, 2)), data)
    effects = bm.absolute_effects(common, baseline=0.1, better="lower")
    found = summary_of_findings({"TB": effects}).rows[0]
    assert found.inconsistency.startswith("one effect is taken for all")


def test_findings_are_text_in_every_format():
    found = findings()
    lines = found.to_markdown().splitlines()
    assert len(lines) == 4
    assert {len(line.replace("\\|", "").split("|")) for line in lines} == {12}
    latex = found.to_latex()
    assert r"Death | a\_b" in latex
    assert latex.count(r"\\") == 3
    assert "<td>Death | a_b, low baseline</td>" in found.to_html()
    with pytest.raises(bm.ModelError, match="needs an outcome"):
        summary_of_findings({})


def test_a_run_writes_its_findings_and_shows_them_in_the_report(tmp_path):
    ran(tmp_path, "baseline_risk = { low = 0.02, high = 0.2 }\nthreshold = 10")
    out = tmp_path / "out"
    found = pd.read_csv(out / "findings.csv")
    assert list(found["Outcome"]) == ["Death, low baseline", "Death, high baseline"]
    for name in ("findings.md", "findings.tex"):
        assert "Death, low baseline" in (out / name).read_text()
    page = (out / "report.html").read_text()
    assert "Summary of findings" in page
    assert "none can be said with 4 studies" in page
    listed = json.loads((out / "manifest.json").read_text())["files"]
    assert {"findings.csv", "findings.md", "findings.tex"} <= {one["path"] for one in listed}


PUBLISHED = """\
[[outcome.published]]
label = "Smith"
measure = "{measure}"
estimate = "{estimate}"
lower = "{lower}"
upper = "{upper}"
i2 = "12"
n = 88
alone = true
prior = "Normal(0, 1000)"
"""
MINUS_FOUR = PUBLISHED.format(measure="MD", estimate="-4", lower="-7.92", upper="-0.08")


def written(folder: Path, keys: str, measure: str, text: str = TABLE) -> pd.DataFrame:
    table(folder, text)
    (folder / "spec.toml").write_text(SPEC.format(keys=keys, measure=measure))
    done = call("run", folder / "spec.toml", "-o", folder / "out")
    assert done.exit_code == 0, done.output
    found = pd.read_csv(folder / "out" / "findings.csv", keep_default_na=False)
    return found.set_index("Outcome")


def test_a_difference_of_means_without_a_baseline_stands_alone_in_its_unit(tmp_path):
    keys = (
        'kind = "estimates"\nmu = "Normal(0, 10)"\ntau = "HalfNormal(1)"\nunit = "days"\n'
        'surrogate = "days, which cost money"'
    )
    row = written(tmp_path, f"{keys}\n{MINUS_FOUR}", "MD", MEANS)
    assert list(row.index) == [
        "Death (surrogate: days, which cost money)",
        "Death, Smith (surrogate: days, which cost money)",
    ]
    ours, theirs = row.iloc[0], row.iloc[1]
    data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-4, -6, 1], [2, 3, 4], measure="MD")
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 10), tau=bm.HalfNormal(1)), data)
    middle, (low, high) = fit["mu"].quantile(0.5), fit["mu"].interval(0.95)
    said = f"{middle:.2f} [{low:.2f}, {high:.2f}] days".replace("-", "−")
    assert ours["Difference"] == f"{said}; no mean without the treatment is stated"
    assert theirs["Difference"].startswith("−4.00 [−7.92, −0.08] days;")
    assert theirs["Participants (studies)"] == "88 (published figure, alone)"
    assert theirs["Inconsistency"].endswith("I² 12% as printed")
    for one in (ours, theirs):
        assert (one["Without treatment"], one["With treatment"]) == ("", "")
        assert one["Certainty (a person's)"] == ""
        assert one["Imprecision"].startswith("excludes no difference; P(benefit) 9")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<p>A surrogate: days, which cost money.</p>" in page


def test_published_figures_have_rows_behind_the_outcome_that_is_told_of_people(tmp_path):
    figure = PUBLISHED.format(measure="RR", estimate="0.76", lower="0.60", upper="0.96")
    row = written(tmp_path, f"baseline_risk = 0.2\n{figure}", "RR")
    assert list(row.index) == ["Death", "Death, Smith"]
    assert row.loc["Death", "Without treatment"] == "200 per 1,000"
    theirs = row.loc["Death, Smith"]
    assert theirs["Relative effect"] == "RR 0.76 [0.60, 0.96]"
    assert theirs["Difference"] == "not told alone"


def test_findings_take_what_can_be_told():
    with pytest.raises(bm.ModelError, match=r"Death: a summary of findings takes absolute_eff"):
        summary_of_findings({"Death": 3})


# ------------------------------------------------------------------- a baseline from outside

REGISTRY = "study,events,n\nNorth,12,100\nSouth,30,210\nWest,8,60\nEast,9,80\n"


def registry(folder: Path, text: str = REGISTRY) -> Path:
    path = folder / "registry.csv"
    path.write_text(text)
    return path


def of_registry() -> Baseline:
    rows = [line.split(",") for line in REGISTRY.split()[1:]]
    events, n = ([int(row[i]) for row in rows] for i in (1, 2))
    return bm.baseline(bm.ProportionStudies(study=[row[0] for row in rows], events=events, n=n))


def test_a_run_takes_a_baseline_from_a_table_and_tells_file_account_and_hash(tmp_path):
    path = registry(tmp_path)
    found = ran(tmp_path, 'baseline_risk = { low = 0.05, registry = "registry.csv" }')
    row = found.loc["average effect, registry baseline"]
    assert row["baseline"] == "a new setting like the 4 studies of registry.csv"
    base = of_registry()
    expected = [1000 * base.quantile(q) for q in (0.5, 0.025, 0.975)]
    assert row[["control", "control_lower", "control_upper"]].tolist() == pytest.approx(expected)
    written = json.loads((tmp_path / "out" / "results.json").read_text())
    assert written["sha256"]["registry.csv"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "a new setting like the 4 studies of registry.csv" in (
        tmp_path / "out" / "report.html"
    ).read_text(encoding="utf-8")


def test_rows_of_a_registry_that_are_not_used_are_counted(tmp_path):
    text = REGISTRY.replace("study,", "variant,study,").replace("\n", "\nmain,")[: -len("main,")]
    found = registry_of(registry(tmp_path, f"{text}other,East,10,80\n"), "risk")
    assert found.said == "a new setting like the 4 studies of registry.csv (1 of 5 rows left out)"
    assert found.quantile(0.5) == of_registry().quantile(0.5)


def test_fit_takes_a_baseline_from_a_table_and_its_report_too(tmp_path):
    trials, base = table(tmp_path), registry(tmp_path)
    words = ("fit", trials, "--measure", "OR", "--counts", "--better", "lower", "--json")
    done = call(*words, "--baseline", f"low=0.05,registry={base}", "--report", tmp_path / "out")
    assert done.exit_code == 0, done.output
    rows = {one["quantity"]: one for one in json.loads(done.stdout)["tables"]["absolute"]}
    told = rows["average effect, registry baseline"]
    assert told["control"] == pytest.approx(1000 * of_registry().quantile(0.5))
    written = pd.read_csv(next(tmp_path.glob("out/*/tables/absolute.csv")), index_col="quantity")
    assert written.loc["average effect, registry baseline", "treatment"] == told["treatment"]


def test_rates_come_from_events_in_person_time(tmp_path):
    text = "study,events,time\nNorth,12,100\nSouth,30,210\nWest,8,60\n"
    found = registry_of(registry(tmp_path, text), "rate")
    assert found.kind == "rate"
    assert 0.1 < found.quantile(0.5) < 0.2


def test_draws_take_the_baseline_of_the_table(tmp_path):
    registry(tmp_path)
    table(tmp_path)
    keys = 'baseline_risk = "registry.csv"'
    (tmp_path / "spec.toml").write_text(SPEC.format(keys=keys, measure="OR"))
    done = call("psa", tmp_path / "spec.toml", "-o", tmp_path / "psa.csv", "--draws", 4000)
    assert done.exit_code == 0, done.output
    drawn = pd.read_csv(tmp_path / "psa.csv")["death_risk_control"]
    assert drawn.median() == pytest.approx(of_registry().quantile(0.5), abs=0.01)
    meaning = json.loads((tmp_path / "psa.json").read_text())
    assert "registry.csv" in meaning["sha256"]
    assert meaning["outcomes"]["death"]["baseline"].endswith("4 studies of registry.csv")


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("study,events,n\nA,3,2\n", "risk", "Baseline registry.csv: "),
        (f"{REGISTRY}Total,59,450\n", "risk", r"Baseline registry.csv: Total .* deleted in that"),
        (TABLE, "risk", "holds counts; a risk without the treatment needs single arms: the colu"),
        (MEANS, "risk", "Baseline registry.csv holds estimates"),
        ("study,events,time\nA,3,20\n", "risk", "registry.csv"),
        (REGISTRY, "rate", "registry.csv"),
        (REGISTRY, "mean", "cannot be a baseline of means, for single arms have events"),
    ],
)
def test_a_table_that_is_no_baseline_is_refused_by_its_name(tmp_path, text, kind, words):
    with pytest.raises(bm.BayesmetaError, match=words):
        registry_of(registry(tmp_path, text), kind)


def test_a_baseline_outside_the_folder_of_a_specification_is_not_quoted(tmp_path):
    registry(tmp_path, "study,events,n\nsecret,3,2\n")
    (tmp_path / "in").mkdir()
    table(tmp_path / "in")
    keys = 'baseline_risk = "../registry.csv"'
    (tmp_path / "in" / "spec.toml").write_text(SPEC.format(keys=keys, measure="RR"))
    done = call("psa", tmp_path / "in" / "spec.toml", "-o", tmp_path / "psa.csv")
    assert done.exit_code == 2
    assert "nothing of it is quoted" in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("none.csv", "none.csv cannot be read"),
        ("model", "fit has no option for: write a specification with baseline = 'Exchangeable"),
    ],
)
def test_fit_refuses_a_baseline_that_it_cannot_have_before_it_fits(tmp_path, base, words):
    trials = table(tmp_path)
    done = call(
        "fit", trials, "--measure", "OR", "--counts", "--better", "lower", "--baseline", base
    )
    assert done.exit_code == 2
    assert words in done.stderr


@pytest.mark.parametrize(
    ("measure", "baseline", "words"),
    [
        ("PLO", "0.2", "PLO acts on no baseline"),
        ("OR", "20%", "'20%' is no baseline: give a number such as 0.2, a distribution such as"),
        ("OR", "control arms", "--baseline 'control arms' is for a specification"),
    ],
)
def test_fit_refuses_what_is_no_baseline_in_words_of_one(tmp_path, measure, baseline, words):
    better = () if measure == "PLO" else ("--better", "lower")
    done = call("fit", table(tmp_path), "--measure", measure, *better, "--baseline", baseline)
    assert done.exit_code == 2
    assert words in done.output
    assert "HalfNormal" not in done.output
    assert len(done.output.splitlines()) == 1


@pytest.mark.parametrize(
    ("keys", "measure", "words"),
    [
        ('baseline_risk = "none.csv"', "RR", "none.csv cannot be read"),
        ('baseline_risk = { low = "bad.csv" }', "RR", "Baseline bad.csv: "),
        ('baseline_risk = "trials.csv"', "RR", "Baseline trials.csv holds counts; a risk without"),
        ('kind = "estimates"\nbaseline_risk = "control arms"', "RR", "needs a table of events per"),
        (f'tau = "{OF_LOG_OR}"', "RR", "made for log OR, and the effects here are log RR"),
        ('mu = "Flat()"\ntau = "Flat()"', "RR", "BinomialNormal needs proper priors"),
    ],
)
def test_check_refuses_what_run_refuses_in_the_same_words_and_fits_nothing(
    tmp_path, monkeypatch, keys, measure, words
):
    monkeypatch.setattr("bayesmeta.engines.fit", lambda *_: pytest.fail("fitted"))
    monkeypatch.setattr("bayesmeta.decision.baselines.fit", lambda *_: pytest.fail("fitted"))
    table(tmp_path)
    (tmp_path / "bad.csv").write_text("study,events,n\nA,3,2\n")
    (tmp_path / "spec.toml").write_text(SPEC.format(keys=keys, measure=measure))
    checked = call("check", tmp_path / "spec.toml")
    monkeypatch.undo()
    done = call("run", tmp_path / "spec.toml", "-o", tmp_path / "out")
    assert (checked.exit_code, done.exit_code) == (2, 2)
    assert words in done.stderr
    said = " ".join(done.stderr.split("bayesmeta: ", 1)[1].split())
    assert said in " ".join(checked.stdout.split())
