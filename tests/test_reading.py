"""Tables of whatever shape into data: arms, forms, changes, clusters, and a first specification."""

import io
import re
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose

import bayesmeta as bm
from bayesmeta.cli import main
from bayesmeta.reading import Reading, open_table, read

ROOT = Path(__file__).parents[1]
COUNTS = ("events_treatment", "n_treatment", "events_control", "n_control")


def frame(text: str) -> pd.DataFrame:
    """A table as a file gives it: texts, blank cells missing."""
    return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, na_values=[""])


def counts(data) -> list:
    return [[getattr(data, name)[i] for name in COUNTS] for i in range(data.k)]


def told(*words):
    done = CliRunner().invoke(main, list(map(str, words)))
    return done.exit_code, done.output


ARMS = frame(
    "study,arm,events,n,year\n"
    "X,5 mg,4,40,2001\nX,10 mg,6,41,2001\nX,placebo,9,43,2001\n"
    "Y,10 mg,3,30,2005\nY,Placebo,7,31,2005\n"
    "Z,usual care,5,50,2009\nZ,5 mg,2,52,2009\n"
)


def test_arms_by_name_make_trials_whatever_their_order():
    data = bm.read_studies(ARMS, control="placebo", several_arms="combine")
    assert data.study == ("X", "Y")
    assert counts(data) == [[10, 81, 9, 43], [3, 30, 7, 31]]
    assert data.covariates["year"].tolist() == [2001, 2005]
    assert [(row.study, row.reason) for row in data.excluded] == [("Z", "no control arm")]
    mixed = bm.read_studies(ARMS.sample(frac=1, random_state=3), control="placebo",
                            several_arms="combine")  # fmt: skip
    assert dict(zip(mixed.study, counts(mixed), strict=True)) == dict(
        zip(data.study, counts(data), strict=True)
    )


def test_one_arm_is_chosen_by_its_name():
    data = bm.read_studies(ARMS, treatment="10 mg", control="placebo")
    assert counts(data) == [[6, 41, 9, 43], [3, 30, 7, 31]]


def test_several_active_arms_are_never_compared_with_one_control_twice():
    with pytest.raises(bm.DataError, match="X has several active arms") as refused:
        bm.read_studies(ARMS, control="placebo")
    for way in ("several_arms='combine'", "several_arms='split'", "treatment='5 mg'"):
        assert way in str(refused.value)


def test_arms_that_nobody_named_are_asked_for():
    with pytest.raises(bm.DataError, match=r"its arms are 5 mg, 10 mg, placebo.*control='placebo'"):
        bm.read_studies(ARMS)
    with pytest.raises(bm.DataError, match="No arm is named 'plazebo'; the table names 5 mg"):
        bm.read_studies(ARMS, control="plazebo")
    with pytest.raises(bm.DataError, match="cannot be both treatment and control"):
        bm.read_studies(ARMS, control="placebo", treatment="placebo")
    plain = frame("study,events_treatment,n_treatment,events_control,n_control\nA,1,9,2,8\n")
    with pytest.raises(bm.DataError, match="are for a table with one row per arm"):
        bm.read_studies(plain, control="placebo")


def test_the_same_arm_twice_is_no_trial_of_several_arms():
    twice = pd.concat([ARMS, ARMS.iloc[[0]]], ignore_index=True)
    with pytest.raises(bm.DataError, match="X has two rows for its arm 5 mg"):
        bm.read_studies(twice, control="placebo", several_arms="combine")


def test_arms_of_means_are_combined_or_share_out_their_control():
    table = frame(
        "study,treatment,n,mean,sd\nA,low,20,8.0,3.0\nA,high,24,6.5,2.8\nA,none,41,9.4,3.1\n"
        "B,low,30,7,2\nB,none,31,8,2\n"
    )
    whole = bm.read_studies(table, control="none", several_arms="combine")
    assert_allclose(whole.n_treatment, [44, 30])
    assert_allclose(whole.mean_treatment[0], (20 * 8 + 24 * 6.5) / 44)
    shared = bm.read_studies(table, control="none", several_arms="split")
    assert shared.study == ("A: low", "A: high", "B")
    assert shared.n_control.tolist() == [21, 20, 31]


def test_quantiles_of_arms_keep_their_printed_decimals():
    table = frame("study,arm,n,q1,median,q3\nA,treatment,20,4.0,6.0,10.0\nA,control,22,5,9.50,14\n")
    data = bm.read_studies(table)
    assert data.rounding_treatment[0, 2] == 0.05
    assert data.rounding_control[0, 2] == 0.005


def test_rows_with_one_control_are_arms_and_rows_that_differ_are_not():
    one = frame(
        "study,events_treatment,n_treatment,events_control,n_control,label\n"
        "X,45,50,22,50,low\nX,41,50,22,50,high\nY,30,60,24,61,\n"
    )
    assert counts(bm.read_studies(one, several_arms="combine"))[0] == [86, 100, 22, 50]
    other = one.assign(events_control=["22", "20", "24"])
    with pytest.raises(bm.DataError, match="these repeat: X: rows that differ in both"):
        bm.read_studies(other, several_arms="combine")
    kept = bm.read_studies(other, exclude={"X (row 2)": "a later report"})
    assert counts(kept)[0] == [45, 50, 22, 50]
    assert [(row.study, row.reason) for row in kept.excluded] == [("X", "a later report")]


def test_several_effects_of_a_study_are_said_to_be_that():
    table = frame("study,y,se\nA,0.5,0.1\nA,0.6,0.2\nB,0.2,0.1\n")
    with pytest.raises(bm.DataError, match="several effects of one study are not independent"):
        bm.read_studies(table)
    assert bm.read_studies(table, exclude={"A (row 2)": "follow-up"}).k == 2


def test_each_row_has_its_own_form_and_keeps_its_place():
    table = frame(
        "study,mean_treatment,sd_treatment,n_treatment,mean_control,sd_control,n_control,"
        "estimate,lower,upper,se,p,year\n"
        "A,,,,,,,-1.5,-2.5,-0.5,,,2001\n"
        "B,5,2,30,6,2.1,31,,,,,,2002\n"
        "C,,,,,,,-0.8,,,0.4,,2003\n"
        "D,,,,,,,-1.2,,,,0.03,2004\n"
    )
    data = bm.read_studies(table, measure="MD")
    assert data.study == ("A", "B", "C", "D")
    assert data.covariates["year"].tolist() == [2001, 2002, 2003, 2004]
    assert_allclose(data.y, [-1.5, -1, -0.8, -1.2])
    assert_allclose(data.se[:3], [1 / 1.959963984540054, np.hypot(2 / 30**0.5, 2.1 / 31**0.5),
                                  0.4], rtol=1e-9)  # fmt: skip
    assert_allclose(data.se[3], 1.2 / 2.1700903775845606, rtol=1e-9)
    assert data.how[1] == "from means and SDs"
    assert data.how[3].startswith("estimate and P value")


def test_a_likelihood_of_the_arms_cannot_take_a_printed_estimate():
    table = frame(
        "study,events_treatment,n_treatment,events_control,n_control,y,se\n"
        "A,1,9,2,8,,\nB,,,,,0.3,0.2\n"
    )
    opened = open_table(table, Reading())
    with pytest.raises(bm.DataError, match=r"B \(row 2\) gives an estimate with its standard"):
        read(opened, "OR", Reading(), of_arms=True)
    assert read(opened, "OR", Reading()).k == 2


def test_estimates_are_joined_only_where_they_are_of_one_measure_and_of_different_studies():
    one = bm.EffectSizes.from_arrays(["A"], [0.1], [0.2], measure="OR")
    with pytest.raises(bm.DataError, match="OR and RR are not of one measure"):
        one.join(bm.EffectSizes.from_arrays(["B"], [0.1], [0.2], measure="RR"))
    with pytest.raises(bm.DataError, match="these repeat: A"):
        one.join(one)


def test_standard_errors_of_arms_stand_for_their_sds():
    table = frame(
        "study,n_treatment,mean_treatment,se_treatment,n_control,mean_control,sd_control\n"
        "A,25,5,0.4,36,6,2.1\n"
    )
    data = bm.read_studies(table)
    assert_allclose(data.sd_treatment, [2.0])
    assert data.how == ("treatment: SD from the standard error of the mean",)


def test_baselines_are_never_ignored_without_a_word():
    table = frame(
        "study,n_treatment,mean_baseline_treatment,sd_baseline_treatment,mean_treatment,"
        "sd_treatment,n_control,mean_baseline_control,sd_baseline_control,mean_control,sd_control\n"
        "A,30,62,10,51,12,31,61,11,58,12\n"
    )
    with pytest.raises(bm.DataError, match=r"correlation=0.5.*final_values=True"):
        bm.read_studies(table, measure="MD")
    change = bm.read_studies(table, measure="MD", correlation=0.7)
    assert_allclose(change.sd_treatment, [(10**2 + 12**2 - 2 * 0.7 * 120) ** 0.5])
    final = bm.read_studies(table, measure="MD", final_values=True)
    assert final.mean_treatment.tolist() == [51]


CLUSTERS = (
    "study,events_treatment,n_treatment,events_control,n_control,design_effect\n"
    "A,63,295,84,330,1.5\nB,12,40,18,40,\n"
)


def test_counts_of_cluster_trials_are_divided_by_their_design_effect():
    """Dividing all four counts multiplies the variance of a log ratio by the design effect."""
    data = bm.read_studies(frame(CLUSTERS), measure="OR")
    plain = bm.effect_sizes(
        bm.BinaryStudies.from_frame(frame(CLUSTERS).drop(columns="design_effect")), measure="OR"
    )
    assert_allclose(data.y, plain.y)
    assert_allclose(data.se, plain.se * np.sqrt([1.5, 1.0]))
    assert data.how == ("counts divided by the design effect 1.5", "")
    of_icc = frame(CLUSTERS.replace("design_effect", "icc,cluster_size").replace(",1.5", ",0.05,11")
                   .replace("40,\n", "40,,\n"))  # fmt: skip
    assert_allclose(bm.read_studies(of_icc, measure="OR").se, data.se)


def test_effective_counts_need_their_design_effect_and_a_likelihood_refuses_them():
    table = frame(
        "study,events_treatment,n_treatment,events_control,n_control\n"
        "A,42.0,196.7,56.0,220.0\nB,12,40,18,40\n"
    )
    with pytest.raises(bm.DataError, match="n_treatment must be a whole number"):
        bm.read_studies(table, measure="OR")
    data = bm.read_studies(table, measure="OR", design_effect=1.5)
    assert data.how[0] == "effective counts as given, design effect 1.5"
    opened = open_table(table, Reading(design_effect=1.5))
    with pytest.raises(bm.DataError, match="cannot take trials that randomised clusters"):
        read(opened, "OR", Reading(design_effect=1.5), of_arms=True)


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"design_effect": 0.5}, "A design effect is 1 or more; got 0.5"),
        ({"icc": 0.05}, "go together: icc=0.05, cluster_size=20"),
        ({"icc": 2.0, "cluster_size": 20}, "lies between 0 and 1"),
        ({"design_effect": 2.0, "icc": 0.1, "cluster_size": 9}, "not both"),
    ],
)
def test_impossible_designs_are_refused(said, refusal):
    table = frame(CLUSTERS).drop(columns="design_effect")
    with pytest.raises(bm.DataError, match=refusal):
        bm.read_studies(table, measure="OR", **said)


def test_estimates_of_cluster_trials_have_wider_errors():
    table = frame("study,y,se,design_effect\nA,0.5,0.1,4\nB,0.6,0.2,\n")
    data = bm.read_studies(table, measure="GEN")
    assert_allclose(data.se, [0.2, 0.2])
    assert "design effect 4" in data.how[0]


def test_main_readings_are_used_by_fit_as_by_run(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text(
        "study,variant,y,se\nA,main,0.1,0.2\nA,other,0.9,0.2\nB,,0.3,0.2\nC,main,0.2,0.3\n"
    )
    status, said = told("fit", path, "--measure", "GEN", "--mu", "Normal(0, 2)",
                        "--tau", "HalfNormal(1)")  # fmt: skip
    assert status == 0, said
    assert "\nB " in said
    assert "A left out (row “other”, not the main one)" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--columns", "study"], "--columns takes NAME=VALUE"),
        (["--columns", "study=a,study=b"], "--columns names 'study' twice"),
        (["--exclude", "A"], "--exclude takes 'NAME: REASON'"),
        (["--combine-arms", "--split-control"], "exclude each other"),
        (["--correlation", "much"], "--correlation is a number between -1 and 1"),
        (["--exclude", "Z: gone"], "the table has no such row"),
        (["--sheet", "One"], "is not an Excel workbook"),
    ],
)
def test_options_that_say_nothing_are_refused_in_a_sentence(tmp_path, words, said):
    path = tmp_path / "trials.csv"
    path.write_text("study,y,se\nA,0.1,0.2\nB,0.3,0.2\n")
    status, output = told("fit", path, "--measure", "OR", *words)
    assert (status, said in output) == (2, True), output


@pytest.mark.parametrize(
    ("text", "words", "holds"),
    [
        ("study,ai,n1i,ci,n2i\nA,1,20,4,22\nB,2,30,5,31\n", [],
         {"measure": "RR", "kind": "counts"}),
        ("Study;HR;LCI;UCI\nA;1,5;1,1;2,05\nB;0,9;0,7;1,16\n", [],
         {"measure": "HR", "kind": "estimates"}),
        ("study,n.e,mean.e,sd.e,n.c,mean.c,sd.c\nA,20,5,2,22,6,2\nB,30,4,2,31,5,2\n", [],
         {"measure": "MD", "kind": "continuous", "mu": "Normal(0, 4)", "tau": "HalfNormal(1)"}),
        ("study,events,n\nA,3,30\nB,5,40\n", [], {"measure": "PLO", "kind": "counts"}),
        ("study,arm,events,n\nA,x,1,20\nA,y,4,22\nB,x,2,30\nB,y,5,31\n",
         ["--control", "y", "--exclude", "B: no protocol"], {"control": "y", "measure": "RR"}),
        ("study,y,se\nA,0.1,0.2\nB,0.2,0.3\n", ["--measure", "smd"],
         {"measure": "SMD", "kind": "estimates"}),
    ],
)  # fmt: skip
def test_a_first_specification_runs_as_it_stands(tmp_path, text, words, holds):
    table, spec = tmp_path / "the trials.csv", tmp_path / "sub" / "spec.toml"
    table.write_text(text)
    spec.parent.mkdir()
    status, said = told("init", table, "-o", spec, *words)
    assert status == 0, said
    outcome = tomllib.loads(spec.read_text("utf-8"))["outcome"][0]
    assert {name: outcome[name] for name in holds} == holds
    assert outcome["data"] == "../the trials.csv"
    assert ("better" in outcome) == (holds["measure"] != "PLO")
    before = {path.name for path in tmp_path.rglob("*")}
    status, said = told("check", spec)
    assert status == 0, said
    assert "Nothing was fitted." in said
    assert {path.name for path in tmp_path.rglob("*")} == before
    status, said = told("init", table, "-o", spec)
    assert (status, "exists; name another file" in said) == (2, True)


def test_a_table_of_bare_estimates_is_asked_for_its_measure(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("study,y,se\nA,0.1,0.2\nB,0.2,0.3\n")
    status, said = told("init", table, "-o", tmp_path / "s.toml")
    assert (status, "--measure HR" in said) == (2, True)
    assert not (tmp_path / "s.toml").exists()


def test_check_names_what_every_scenario_uses_and_all_that_is_wrong(tmp_path):
    (tmp_path / "t.csv").write_text(
        "study,events_treatment,n_treatment,events_control,n_control\n"
        "A,1,20,4,22\nB,40,30,5,31\nC,0,30,0,31\n"
    )
    spec = tmp_path / "s.toml"
    spec.write_text(
        'title = "T"\n[[outcome]]\nname = "a"\ntitle = "A"\nbetter = "lower"\ndata = "t.csv"\n'
        '[[outcome.scenario]]\nname = "without B"\ndrop = { B = "more deaths than patients" }\n'
        '[[outcome.scenario]]\nname = "all"\n'
    )
    status, said = told("check", spec)
    assert status == 2
    assert "without B: 2 studies, 103 participants" in said
    assert "left out: B: more deaths than patients" in said
    assert "two-stage analyses leave out C: no event in either arm" in said
    assert "PROBLEM: all: t.csv: events_treatment exceeds n_treatment for B (row 2)" in said
    assert "1 problem to mend." in said


def test_a_number_of_a_workbook_has_one_reading(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["study", "y", "se"], ["A", 2.125, 1.25], ["B", 45.123, 2.375]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    assert bm.read_studies(tmp_path / "t.xlsx").y.tolist() == [2.125, 45.123]


def transcripts() -> list[tuple[str, str, str]]:
    """Of docs/door.md: what init and check were typed with, and what check printed."""
    page = (ROOT / "docs" / "door.md").read_text("utf-8")
    blocks = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    shown = [re.split(r"^\$ ", block, flags=re.MULTILINE)[1:3] for block in blocks]
    return [(init.splitlines()[0], *check.rstrip("\n").split("\n", 1)) for init, check in shown]


@pytest.mark.parametrize(("init", "check", "printed"), transcripts())
def test_the_page_shows_what_the_commands_print(init, check, printed, tmp_path, monkeypatch):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    for command in (init, check):
        status, said = told(*command.split()[1:])
        assert status == 0, said
    assert [line.rstrip() for line in said.rstrip("\n").splitlines()] == printed.splitlines()


def test_a_design_effect_that_is_no_number_is_refused():
    with pytest.raises(bm.DataError, match=r"design_effect must be a number; check A \(row 1\)"):
        bm.read_studies(frame(CLUSTERS.replace(",1.5", ",abc")), measure="OR")


def test_the_design_of_a_trial_is_that_of_its_arms():
    table = "study,arm,events,n,design_effect\nA,drug,63,295,1.5\nA,placebo,84,330,1.5\n"
    table += "B,drug,12,40,\nB,placebo,18,40,\n"
    data = bm.read_studies(frame(table), measure="OR", control="placebo")
    assert data.how == ("counts divided by the design effect 1.5", "")
    with pytest.raises(bm.DataError, match="design_effect differs between the arms of A"):
        bm.read_studies(frame(table.replace("330,1.5", "330,2")), measure="OR", control="placebo")


def test_arms_in_different_units_are_refused_and_trials_are_converted():
    table = "study,arm,mean,sd,n,unit\nA,drug,5000,200,50,mg\nA,placebo,9,2,50,g\n"
    with pytest.raises(bm.DataError, match="unit differs between the arms of A"):
        bm.read_studies(frame(table), measure="MD", control="placebo")
    alike = table.replace("9,2,50,g", "9000,2000,50,mg") + "B,drug,5,2,40,g\nB,placebo,8,2,41,g\n"
    data = bm.read_studies(frame(alike), measure="MD", control="placebo")
    assert data.mean_treatment.tolist() == [5000, 5000]


def test_a_study_named_in_its_first_row_alone_is_filled_down_and_said():
    table = frame("study,arm,events,n\nA,drug,3,40\n,placebo,5,41\nB,drug,2,30\n,placebo,4,31\n")
    opened = open_table(table, Reading(control="placebo"))
    assert opened.frame["study"].tolist() == ["A", "B"]
    assert "blank study names taken from the row above (rows 2, 4)" in opened.said
    with pytest.raises(bm.DataError, match="arm is blank in row 1"):
        bm.read_studies(table.assign(arm=["", "placebo", "drug", "placebo"]), control="placebo")


def test_a_row_that_stands_twice_is_not_two_arms():
    table = frame(
        "study,events_treatment,n_treatment,events_control,n_control\n"
        "A,5,50,9,50\nA,5,50,9,50\nB,7,60,8,60\n"
    )
    with pytest.raises(bm.DataError, match=r"A \(row 2\) holds the figures of another row of A"):
        bm.read_studies(table, several_arms="combine")


def test_an_exclusion_is_of_the_longest_name_there_is(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("study,y,se\nSmith,0.1,0.2\nSmith: women,0.3,0.2\nLi,0.2,0.3\n")
    words = ["--measure", "GEN", "--mu", "Normal(0, 2)", "--tau", "HalfNormal(1)"]
    status, said = told("fit", path, *words, "--exclude", "Smith: women: other patients: men too")
    assert status == 0, said
    assert "Smith: women left out (other patients: men too)" in said
    assert "\nSmith " in said


def test_a_share_of_the_control_is_left_out_by_its_arm():
    table = frame("study,arm,n,mean,sd\nA,5 mg,20,8,3\nA,10 mg,24,6.5,2\nA,none,41,9.4,3\n")
    data = bm.read_studies(
        table, control="none", several_arms="split", exclude={"A: 10 mg": "not licensed"}
    )
    assert data.study == ("A",)
    assert data.n_control.tolist() == [41]
    assert [(row.study, row.reason) for row in data.excluded] == [("A: 10 mg", "not licensed")]


ROWS = (
    "study,events_treatment,n_treatment,events_control,n_control\n"
    "A,5,50,9,50\nB,7,60,8,61\nB,8,60,7,60\nC,3,40,x,40\n"
)


def test_rows_are_those_of_the_file_whatever_is_left_out():
    with pytest.raises(bm.DataError) as refused:
        bm.read_studies(frame(ROWS), exclude={"A": "a"})
    assert "exclude={'B (row 3)': 'reason'}" in str(refused.value)
    assert "C (row 4)" in str(refused.value)
    kept = bm.read_studies(frame(ROWS), exclude={"A": "a", "B (row 3)": "b", "C": "c"})
    assert counts(kept) == [[7, 60, 8, 61]]


def test_variants_of_one_trial_keep_their_arms_apart():
    table = frame(
        "study,variant,arm,events,n\nA,main,drug,3,40\nA,main,placebo,5,41\n"
        "A,pp,drug,2,30\nA,pp,placebo,4,31\n"
    )
    opened = open_table(table, Reading(control="placebo"))
    assert opened.frame["variant"].tolist() == ["main", "pp"]
    assert opened.frame["events_treatment"].tolist() == ["3", "2"]
    both = frame(
        "study,variant,events_treatment,n_treatment,events_control,n_control\n"
        "A,main,1,9,2,8\nA,main,2,9,2,8\nA,pp,1,7,2,6\nA,pp,3,7,2,6\n"
    )
    combined = open_table(both, Reading(several_arms="combine")).frame
    assert combined["events_treatment"].tolist() == [3, 4]
    assert combined["variant"].tolist() == ["main", "pp"]


def test_follow_up_is_no_person_time_where_patients_are_counted():
    table = frame("study,events,n,time\nA,5,50,12\nB,4,60,24\n")
    assert bm.read_studies(table).measures == ("PLO",)
    assert bm.read_studies(table, measure="IRLN").measures == ("IRLN",)


@pytest.mark.parametrize("name", ["Total", "Subtotal:", "Overall", "Total (95% CI)", "RE Model"])
def test_rows_of_totals_are_no_studies(name):
    table = frame(
        "study,events_treatment,n_treatment,events_control,n_control\n"
        f"A,12,40,18,40\nB,5,50,9,50\n{name},17,90,27,90\n"
    )
    with pytest.raises(bm.DataError, match="is named like a sum or a pooled result") as refused:
        bm.read_studies(table)
    assert f"{name} (row 3)" in str(refused.value)
    assert bm.read_studies(table, exclude={f"{name} (row 3)": "a sum"}).k == 2


def test_notes_beneath_a_table_are_left_out_and_said():
    table = frame(
        "study,y,se\nA,0.1,0.2\nB,0.3,0.2\nAbbreviations: ITT intention to treat,,\n* imputed,,\n"
    )
    opened = open_table(table, Reading())
    assert opened.frame["study"].tolist() == ["A", "B"]
    assert opened.said[0].startswith("2 lines below the table left out: 'Abbreviations: ITT")
    with pytest.raises(bm.DataError, match=r"y is missing or not finite for C \(row 3\)"):
        bm.read_studies(frame("study,y,se\nA,0.1,0.2\nB,0.3,0.2\nC,,\n"))


def test_authors_are_told_apart_by_their_years():
    table = frame("study,year,y,se\nSmith,2019,0.1,0.2\nSmith,2020,0.3,0.2\nLi,2020,0.2,0.1\n")
    opened = open_table(table, Reading())
    assert opened.frame["study"].tolist() == ["Smith 2019", "Smith 2020", "Li"]
    assert "study names that repeat are told apart by year" in opened.said
    assert bm.read_studies(table, exclude={"Smith 2019": "earlier report"}).k == 2


def test_several_outcomes_are_sent_to_a_batch():
    table = frame("study,outcome,y,se\nA,pain,0.1,0.2\nA,sleep,0.3,0.2\nB,pain,0.2,0.1\n"
                  "B,sleep,0.1,0.1\n")  # fmt: skip
    with pytest.raises(bm.DataError, match="fit the groups of outcome each by itself: fit_many"):
        bm.read_studies(table)


def test_what_is_said_of_baselines_needs_some():
    table = frame(
        "study,n_treatment,mean_treatment,sd_treatment,n_control,mean_control,sd_control\n"
        "A,30,51,12,31,58,12\n"
    )
    for said in ({"correlation": 0.5}, {"final_values": True}):
        with pytest.raises(bm.DataError, match="the table has no baselines"):
            bm.read_studies(table, measure="MD", **said)


def test_intervals_of_arms_give_their_sds_by_t():
    table = frame(
        "study,n_treatment,mean_treatment,lower_mean_treatment,upper_mean_treatment,"
        "n_control,mean_control,sd_control\nA,25,5,4.2,5.8,30,6,2\n"
    )
    from scipy.special import stdtrit

    data = bm.read_studies(table, measure="MD")
    assert_allclose(data.sd_treatment, [5 * 1.6 / (2 * stdtrit(24, 0.975))])
    assert data.how == ("treatment: SD from the 95% interval of the mean, by t",)


def test_standard_errors_from_p_values_are_said():
    table = frame("study,estimate,p\nA,-1.2,0.03\nB,-0.8,0.2\n")
    found = read(open_table(table, Reading()), "MD", Reading())
    assert found.account.said == (
        "standard errors from P values, which are rounded coarsely: A, B",
    )


def test_a_table_that_is_not_understood_shows_what_would_be():
    with pytest.raises(bm.DataError, match="No column of the table holds a result by a name"):
        bm.read_studies(frame("study,value\nA,1\nB,2\n"))


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"several_arms": "add"}, "several_arms is 'combine' or 'split'"),
        ({"exclude": ["A"]}, "exclude is a mapping"),
        ({"columns": "estimate=Effect"}, "columns is a mapping"),
        ({"decimal": "·"}, "decimal is '.' or ','"),
        ({"prob": 95}, "between 0 and 1"),
        ({"measure": "xyz"}, "measure 'xyz' is not one of"),
    ],
)
def test_impossible_readings_are_refused(said, refusal):
    with pytest.raises(bm.DataError, match=refusal):
        bm.read_studies(frame(CLUSTERS), **said)


def test_a_specification_spares_rows_that_no_scenario_uses(tmp_path):
    (tmp_path / "t.csv").write_text(
        "study;n/N treatment;n/N control\nA;3/40;5/41\nB;see text;4/30\nC;2/30;4/31\n"
    )
    spec = tmp_path / "s.toml"
    spec.write_text(
        'title = "T"\n[[outcome]]\nname = "a"\ntitle = "A"\nbetter = "lower"\ndata = "t.csv"\n'
        '[[outcome.scenario]]\nname = "all"\ndrop = { B = "no counts" }\n'
    )
    status, said = told("check", spec)
    assert status == 0, said
    assert "left out: B: no counts" in said


def test_the_level_in_a_head_is_taken_and_said_otherwise_refused():
    table = frame("study,HR (90% CI)\nA,0.76 (0.62-0.93)\nB,1.05 (0.84-1.32)\n")
    data = bm.read_studies(table, measure="HR")
    assert_allclose(data.se[0], np.log(0.93 / 0.62) / (2 * 1.6448536269514722), rtol=1e-9)
    assert data.note == "estimate and 90% interval as printed"
    with pytest.raises(bm.DataError, match="is of 90% intervals, and prob=0"):
        bm.read_studies(table, measure="HR", prob=0.95)


def test_a_mark_that_nothing_decides_is_decided_by_who_reads():
    table = frame("study,y,se\nA,2.150,1.100\nB,2.450,1.200\n")
    with pytest.raises(bm.DataError, match=r"2150 or 2.150.*decimal='\.'"):
        bm.read_studies(table)
    assert bm.read_studies(table, decimal=".").y.tolist() == [2.15, 2.45]
    assert bm.read_studies(table, decimal=",").y.tolist() == [2150, 2450]


@pytest.mark.parametrize(
    "head", ["90% CI lower,90% CI upper", "CI 90% lower,CI 90% upper", "lower 90%,upper 90%"]
)
def test_limits_named_by_another_level_are_limits_of_that_level(head):
    data = bm.read_studies(frame(f"study,HR,{head}\nA,0.76,0.62,0.93\nB,1.05,0.84,1.32\n"))
    assert_allclose(data.se[0], np.log(0.93 / 0.62) / (2 * 1.6448536269514722), rtol=1e-9)


def test_an_interval_in_a_column_ci_is_read_and_no_p_value_in_its_place():
    table = frame("study,HR,ci,p\nA,0.76,0.60-0.96,0.02\nB,1.05,0.80–1.38,0.7\n")
    data = bm.read_studies(table, measure="HR")
    assert_allclose(data.se[1], np.log(1.38 / 0.80) / (2 * 1.959963984540054), rtol=1e-9)
    assert bm.read_studies(frame("study,ai,n1i,ci,n2i\nA,1,20,4,22\n")).events_control == [4]


def test_a_column_that_was_named_is_taken_for_what_it_was_named():
    table = frame("study,Effect,lower,upper\nA,0.35,0.17,0.53\nB,0.18,0.03,0.33\n")
    for measure in ("MD", "RD", "GEN"):
        data = bm.read_studies(table, measure=measure, columns={"estimate": "Effect"})
        assert data.y.tolist() == [0.35, 0.18]


def test_two_columns_for_one_thing_are_refused_whatever_their_case():
    table = frame(
        "study,events_treatment,n_treatment,N Treatment,events_control,n_control\nA,1,9,8,2,8\n"
    )
    with pytest.raises(bm.DataError, match="More than one column could be n_treatment"):
        bm.read_studies(table)
    assert bm.read_studies(table, columns={"n_treatment": "N Treatment"}).n_treatment == [8]


def test_cells_of_several_figures_under_a_name_of_their_own_are_asked_about():
    table = frame("Trial,Deaths drug,Deaths placebo\nA,9/52,12/50\nB,4/40,7/41\n")
    with pytest.raises(bm.DataError) as refused:
        bm.read_studies(table)
    assert "cells={'Deaths drug': '...'}, the dots being events/n" in str(refused.value)
    cells = {"Deaths drug": "events/n treatment", "Deaths placebo": "events/n control"}
    assert counts(bm.read_studies(table, cells=cells))[0] == [9, 52, 12, 50]


def test_check_says_how_rows_were_read_and_where_finds_printed_numbers(tmp_path):
    (tmp_path / "t.csv").write_text(
        "study;dose;events_treatment;n_treatment;events_control;n_control;icc;cluster_size\n"
        "A;2,5;20;200;30;210;0,05;21\nB;5,0;12;140;18;140;;\n"
    )
    spec = tmp_path / "s.toml"
    spec.write_text(
        'title = "T"\n[[outcome]]\nname = "a"\ntitle = "A"\nbetter = "lower"\ndata = "t.csv"\n'
        'kind = "estimates"\n[[outcome.scenario]]\nname = "all"\n[[outcome.scenario]]\n'
        'name = "low"\nwhere = { dose = "2,5" }\n'
    )
    status, said = told("check", spec)
    assert status == 0, said
    assert "effective counts of cluster trials" in said
    assert "left out: B: dose is 5" in said


WITH_GROUPS = (
    "g,study,events_treatment,n_treatment,events_control,n_control\n"
    "x,A,12,40,18,40\nx,B,5,50,9,50\ny,A,10,40,11,40\ny,C,7,50,16,50\n"
)


def test_where_takes_rows_and_not_whole_studies(tmp_path):
    (tmp_path / "t.csv").write_text(WITH_GROUPS)
    spec = tmp_path / "s.toml"
    spec.write_text(
        'title = "T"\n[[outcome]]\nname = "a"\ntitle = "A"\nbetter = "lower"\ndata = "t.csv"\n'
        '[[outcome.scenario]]\nname = "x"\nwhere = { g = "x" }\n'
    )
    status, said = told("check", spec)
    assert status == 0, said
    assert "x: 2 studies, 180 participants\n    A, B" in said


def test_a_batch_leaves_out_the_row_that_it_names(tmp_path):
    path, out = tmp_path / "t.csv", tmp_path / "o.csv"
    path.write_text(WITH_GROUPS.replace("y,A,10", "y,A,x"))
    words = ["batch", path, "--by", "g", "--measure", "RR", "-o", out]
    status, said = told(*words)
    assert status == 1, said
    problem = pd.read_csv(out)["problem"][1]
    assert "A (row 3): got 'x'" in problem
    assert '--exclude "A (row 3): reason"' in problem
    status, said = told(*words, "--exclude", "A (row 3): unreadable")
    assert pd.read_csv(out)["k"].tolist() == [2, 1]


def test_shares_of_a_control_are_analysed_from_a_specification(tmp_path):
    table, spec = tmp_path / "t.csv", tmp_path / "s.toml"
    table.write_text(
        "study,arm,mean,sd,n\nA,10 mg,-1.2,0.8,40\nA,20 mg,-1.5,0.9,42\nA,placebo,-0.5,0.9,41\n"
        "B,10 mg,-0.9,1.1,30\nB,placebo,-0.4,1,29\n"
    )
    words = ["--measure", "MD", "--control", "placebo", "--split-control"]
    assert told("init", table, "-o", spec, *words)[0] == 0
    status, said = told("check", spec)
    assert status == 0, said
    assert "3 studies" in said
    assert "A: 10 mg, A: 20 mg, B" in said


@pytest.mark.parametrize(
    "head",
    [
        "Lower CI (95%),Upper CI (95%)",
        "LCI 95%,UCI 95%",
        "95% CI LL,95% CI UL",
        "CI low 95%,CI up 95%",
    ],
)
def test_limits_are_found_wherever_their_level_stands(head):
    data = bm.read_studies(
        frame(f"study,HR,{head},P\nA,0.76,0.60,0.96,0.05\nB,1.05,0.8,1.38,0.6\n")
    )
    assert_allclose(data.se[0], np.log(0.96 / 0.60) / (2 * 1.959963984540054), rtol=1e-9)


def test_totals_of_arms_and_sums_are_asked_about():
    arms = frame(
        "study,arm,events,n\nA,drug,12,40\nA,placebo,18,40\nTotal,drug,12,40\nTotal,placebo,18,40\n"
    )
    with pytest.raises(bm.DataError, match=r"Total \(row 3\), Total \(row 4\) is named like a sum"):
        bm.read_studies(arms, control="placebo")
    wide = "study,events_treatment,n_treatment,events_control,n_control\nA,12,40,18,40\n"
    for name in ("All patients", "Grand total", "M-H Subtotal", "Subtotal: adults"):
        with pytest.raises(bm.DataError, match="or is their sum"):
            bm.read_studies(frame(f"{wide}B,5,50,9,50\n{name},17,90,27,90\n"))
    assert bm.read_studies(frame(f"{wide}Total hip 2010,5,50,9,50\n")).k == 2


def test_baselines_by_other_names_are_asked_about_and_covariates_are_not():
    table = (
        "study,n_treatment,mean_treatment,sd_treatment,n_control,mean_control,sd_control,{},age\n"
        "A,30,51,12,31,58,12,62,50\n"
    )
    for head in ("baseline_treatment", "mean_treatment_baseline", "base.e"):
        with pytest.raises(bm.DataError, match="baseline"):
            bm.read_studies(frame(table.format(head)), measure="MD")
        assert bm.read_studies(frame(table.format(head)), measure="MD", final_values=True).k == 1
    assert bm.read_studies(frame(table.format("baseline_risk")), measure="MD").k == 1


def test_an_export_of_several_analyses_is_not_pooled():
    table = frame(
        "Analysis group,Analysis number,Study,Experimental cases,Experimental N,Control cases,"
        "Control N\n1,1,A,1,20,2,21\n1,2,B,3,30,4,31\n"
    )
    with pytest.raises(bm.DataError, match="several analyses, told apart by 'Analysis number'"):
        bm.read_studies(table)


def test_authors_of_arms_are_told_apart_by_their_years_too():
    table = frame(
        "author,year,arm,events,n\nSmith,2001,drug,12,40\nSmith,2001,placebo,18,40\n"
        "Smith,2005,drug,5,50\nSmith,2005,placebo,9,50\n"
    )
    assert bm.read_studies(table, control="placebo").study == ("Smith 2001", "Smith 2005")


def test_outcomes_with_one_control_are_sent_to_a_batch():
    table = frame(
        "study,event,events_treatment,n_treatment,events_control,n_control\n"
        "A,rash,3,40,0,40\nA,nausea,5,40,0,40\nB,rash,5,50,1,50\nB,nausea,6,50,1,50\n"
    )
    with pytest.raises(bm.DataError, match="outcomes that event tells apart, fit each by itself"):
        bm.read_studies(table)


def test_one_measure_is_chosen_among_columns_of_cells():
    table = frame("study,OR (95% CI),HR (95% CI)\nA,0.76 (0.60-0.96),0.8 (0.7-0.9143)\n")
    assert_allclose(bm.read_studies(table, measure="HR").y, [np.log(0.8)])
    assert_allclose(bm.read_studies(table, measure="OR").y, [np.log(0.76)])


@pytest.mark.parametrize(
    ("row", "refusal"),
    [
        ("A,,295,84,330,1.5", r"events_treatment is missing for A \(row 1\)"),
        ("A,400,295,84,330,1.5", "must lie between 0 and n_treatment"),
        ("A,63,295,84,330,0.5", "A design effect is 1 or more, an icc"),
        ("A,0,295,0,330,1.5", "No study says anything about the risk ratio"),
        ("A,6.5,29.5,8,33,", "are fractions: if they are effective"),
    ],
)
def test_impossible_counts_of_clusters_are_refused(row, refusal):
    text = CLUSTERS.splitlines()[0] + f"\n{row}\n"
    with pytest.raises(bm.DataError, match=refusal):
        bm.cluster_effects(frame(text), measure="RR")


def test_half_a_design_is_refused_unless_the_other_half_is_said_of_all():
    text = "study,events_treatment,n_treatment,events_control,n_control,icc\nA,63,295,84,330,0.05\n"
    with pytest.raises(bm.DataError, match="has one without the other"):
        bm.cluster_effects(frame(text), measure="OR")
    whole = bm.cluster_effects(frame(text), measure="OR", cluster_size=11)
    assert whole.how == ("counts divided by the design effect 1.5",)
    with pytest.raises(bm.DataError, match="states its own design effect"):
        bm.cluster_effects(frame(CLUSTERS), measure="OR", design_effect=2.0)
    silent = frame(CLUSTERS + "C,0,30,0,31,\n")
    assert bm.cluster_effects(silent, measure="OR").excluded[0].study == "C"


def test_every_way_of_reading_is_written_into_a_first_specification(tmp_path):
    table, spec = tmp_path / "t.csv", tmp_path / "s.toml"
    table.write_text(
        "Paper,arm,n,mean,sd,mean_baseline,sd_baseline\nA,x,20,5,2,7,2\nA,y,21,6,2,7,2\n"
        "A,z,22,6,2,7,2\nB,x,20,5,2,7,2\nB,z,22,6,2,7,2\nC,x,20,5,2,7,2\nC,z,22,6,2,7,2\n"
    )
    words = ["--treatment", "x", "--control", "z", "--final-values", "--exclude", "C: no protocol"]
    status, said = told("init", table, "-o", spec, "--columns", "study=Paper", *words)
    assert status == 0, said
    outcome = tomllib.loads(spec.read_text("utf-8"))["outcome"][0]
    assert outcome["final_values"] is True
    assert outcome["treatment"] == ["x"]
    assert outcome["columns"] == {"study": "Paper"}
    assert outcome["scenario"][0]["drop"] == {"C": "no protocol"}
    assert told("check", spec)[0] == 0


def test_priors_of_bare_estimates_follow_their_size(tmp_path):
    table, spec = tmp_path / "t.csv", tmp_path / "s.toml"
    table.write_text("study,y,se\nA,12,3\nB,18,4\n")
    assert told("init", table, "-o", spec, "--measure", "MD", "--level", "0.9")[0] == 0
    outcome = tomllib.loads(spec.read_text("utf-8"))["outcome"][0]
    assert outcome["mu"] == "Normal(0, 44)"
    assert outcome["level"] == 0.9
    assert told("init", "-", "-o", tmp_path / "x.toml")[0] == 2
    assert told("batch", "-", "--by", "g", "--measure", "OR")[0] == 2


def test_explain_reads_what_fit_reads(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "study;variant;HR;LCI;UCI\nA;main;1,5;1,1;2,05\nB;main;0,9;0,7;1,16\nB;late;x;0,7;1,2\n"
    )
    words = ["explain", path, "--published", "HR 1.15 [0.70, 1.90]"]
    status, said = told(*words)
    assert status == 0, said
    assert "\nRead: semicolons between columns; HR as estimate" in said
    path.write_text(path.read_text().replace("main", "early"))
    status, said = told(*words, "--exclude", "B (row 3): unreadable")
    assert status == 0, said
    assert "2 studies: A, B." in said


def test_a_specification_of_published_figures_alone_has_nothing_to_read(tmp_path):
    spec = tmp_path / "s.toml"
    spec.write_text(
        'title = "T"\n[[outcome]]\nname = "a"\ntitle = "A"\nbetter = "lower"\n'
        '[[outcome.published]]\nlabel = "Smith 2024"\nmeasure = "RR"\nestimate = "0.76"\n'
        'lower = "0.60"\nupper = "0.96"\n'
    )
    status, said = told("check", spec)
    assert status == 0, said
    assert "published figures only" in said


def test_totals_in_a_batch_of_estimates_are_asked_about_too():
    table = pd.DataFrame(
        {"g": list("xxxy"), "study": ["A", "B", "Total", "C"], "y": 0.1, "se": [0.2, 0.2, 0.1, 0.2]}
    )
    model = bm.NormalNormal(mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.5))
    problems = bm.fit_many(model, table, by="g")["problem"]
    assert "is named like a sum" in problems[0]
    assert problems[1] == ""


def test_a_batch_reads_p_values_and_takes_no_truth_for_a_number(tmp_path):
    model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    table = pd.DataFrame({"g": list("aab"), "study": list("ABA"), "estimate": [-1.2, -0.8, -0.5]})
    found = bm.fit_many(model, table.assign(p=[0.03, 0.2, 0.4]), by="g", measure="MD")
    assert found["k"].tolist() == [2, 1]
    bad = table.rename(columns={"estimate": "y"}).assign(se=[True, True, False])
    assert "se must be a number" in bm.fit_many(model, bad, by="g")["problem"][0]
    (tmp_path / "x.parquet").mkdir()
    status, said = told("batch", tmp_path / "x.parquet", "--by", "g", "--measure", "OR")
    assert status == 2, said


def test_words_that_a_batch_or_a_table_cannot_follow_are_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("g,study,y,se\na,A,0.1,0.2\n")
    status, said = told("batch", path, "--by", "g", "--measure", "OR", "--counts")
    assert (status, "--counts needs a table with events" in said) == (2, True)
    path.write_text(
        "g,study,events_treatment,time_treatment,events_control,time_control\na,A,1,20,2,21\n"
    )
    status, said = told("batch", path, "--by", "g", "--measure", "IRR")
    assert (status, "add --counts" in said) == (2, True)
    status, said = told("fit", path, "--measure", "IRR", "--control", "a", "--control", "b")
    assert (status, "--control names one arm; got a, b." in said) == (2, True)


def test_a_first_specification_of_cluster_trials_needs_no_measure(tmp_path):
    table, spec = tmp_path / "t.csv", tmp_path / "s.toml"
    table.write_text(CLUSTERS)
    status, said = told("init", table, "-o", spec)
    assert status == 0, said
    outcome = tomllib.loads(spec.read_text("utf-8"))["outcome"][0]
    assert (outcome["measure"], outcome["kind"]) == ("RR", "estimates")
    assert told("check", spec)[0] == 0


@pytest.mark.parametrize(
    "name", ["Total Parenteral Nutrition Trial", "Overall Health Study", "Combined Therapy 2010"]
)
def test_studies_about_totals_are_studies(name):
    table = frame(f"study,y,se\nA,0.1,0.2\nB,0.3,0.2\n{name},0.2,0.3\n")
    assert bm.read_studies(table).k == 3


def test_estimates_of_clusters_ask_for_their_measure():
    with pytest.raises(bm.DataError, match="name their measure"):
        bm.read_studies(frame(CLUSTERS))


@pytest.mark.parametrize("asked", ["combine", "split"])
def test_that_there_was_nothing_to_combine_or_to_split_is_said(asked):
    rows = frame("study,events_treatment,n_treatment,events_control,n_control\nX low,4,40,9,41\n")
    data = bm.read_studies(rows, several_arms=asked)
    said = f"nothing to {asked}: no trial has several active arms under one name"
    assert said in data.account.said
    assert (
        said
        in bm.read_studies(
            frame("study,arm,events,n\nX,treatment,4,40\nX,control,9,41\n"), several_arms=asked
        ).account.said
    )
    assert said not in bm.read_studies(rows).account.said
