"""Refusals in the words of who asks: every interface has every way, and all problems are listed."""

import pickle
import string
import warnings

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import bayesmeta as bm
from bayesmeta.analysis import run
from bayesmeta.batch import fit_file
from bayesmeta.cli import main
from bayesmeta.errors import ColumnError, DataError, of_table
from bayesmeta.specification import load_specification
from bayesmeta.studies import repeated_names
from bayesmeta.ways import (
    COMMAND,
    INTERFACES,
    PYTHON,
    SPECIFICATION,
    TABLES,
    interface_in_use,
    speaking,
    way,
)

GAPS = "study,events_treatment,n_treatment,events_control,n_control\nShu,,12,3,29\nZhu,1,29,2,29\n"
MANY_KINDS = (
    "study,events_treatment,n_treatment,events_control,n_control\n"
    "Shu,,12,3,29\nZhu,-1,29,2,29\nLi,30,29,2,29\nXu,1,29,many,29\nXu,1,29,2.5,29\n"
)
SPEC = """\
title = "Two trials"
[[outcome]]
name = "death"
title = "Death"
better = "lower"
data = "trials.csv"
"""
MODEL = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))


def written(folder, text, name="trials.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(*words):
    done = CliRunner(catch_exceptions=False).invoke(main, list(map(str, words)))
    assert (done.exit_code, done.stdout) == (2, "")
    return done.stderr


def holes(text):
    return sum(name is not None for _, name, _, _ in string.Formatter().parse(text))


@pytest.mark.parametrize("interface", INTERFACES, ids=lambda one: one.name)
def test_every_interface_has_every_way(interface):
    assert set(interface.ways) == set(PYTHON.ways)
    for name, text in interface.ways.items():
        if name in ("zeros", "sheet", "icc", "cells", "columns", "exclude", "measure"):
            assert holes(text) in (0, holes(PYTHON.ways[name]))
        with speaking(interface):
            assert way(name, "A", "B")


def test_a_way_is_written_as_the_interface_in_use_writes_it():
    assert way("exclude", "Shu") == "exclude={'Shu': 'reason'}"
    with speaking(COMMAND):
        assert way("exclude", "Shu") == '--exclude "Shu: reason"'
        with speaking(SPECIFICATION):
            assert way("exclude", "Shu").startswith('drop = { "Shu" = "reason" }')
        assert interface_in_use() is COMMAND
    assert interface_in_use() is PYTHON


@pytest.mark.parametrize(
    ("interface", "text"),
    [
        (PYTHON, r"exclude={'O\'Brien \"x\"': 'reason'}".replace(r"\"", '"')),
        (COMMAND, '--exclude "O\'Brien \\"x\\": reason"'),
        (SPECIFICATION, 'drop = { "O\'Brien \\"x\\"" = "reason" } in its [[outcome.scenario]]'),
    ],
)
def test_a_name_with_quotes_can_be_copied_from_the_remedy(interface, text):
    with speaking(interface):
        assert way("exclude", 'O\'Brien "x"') == text


def test_a_way_is_escaped_for_the_shell_that_would_read_it():
    with speaking(COMMAND):
        assert way("exclude", "A $HOME `b`") == '--exclude "A \\$HOME \\`b\\`: reason"'


def test_one_gap_is_told_in_one_sentence_by_each_interface(tmp_path):
    table = written(tmp_path, GAPS)
    frame = pd.read_csv(table)
    said = "events_treatment is missing or not finite for Shu (row 1); give the number, or leave it"
    with pytest.raises(DataError) as error:
        bm.BinaryStudies.from_frame(frame)
    assert str(error.value) == f"{said} out: exclude={{'Shu': 'reason'}}."
    asked = refusal("fit", table, "--measure", "RR")
    assert asked == f'bayesmeta: {said} out: --exclude "Shu: reason".\n'
    assert refusal("explain", table, "--published", "RR 0.8 [0.6, 1.1]") == asked
    spec = written(tmp_path, SPEC, "spec.toml")
    dropped = f'{said} out: drop = {{ "Shu" = "reason" }} in its [[outcome.scenario]].'
    with pytest.raises(DataError) as error:
        run(load_specification(spec))
    assert str(error.value) == f"trials.csv: {dropped}"
    assert refusal("run", spec, "-o", tmp_path / "out") == f"bayesmeta: trials.csv: {dropped}\n"


def test_a_level_that_is_none_names_the_option_that_gave_it(tmp_path):
    table = written(tmp_path, "study,estimate,lower,upper\nA,0.8,0.5,1.28\n")
    said = refusal("fit", table, "--measure", "RR", "--level", "95")
    assert "between 0 and 1, e.g. --level 0.95; got 95" in said
    with pytest.raises(DataError, match=r"e\.g\. prob=0\.95; got 95"):
        bm.EffectSizes.from_frame(pd.read_csv(table), measure="RR", prob=95)


def test_a_missing_column_is_told_in_the_words_of_who_asks(tmp_path):
    table = written(tmp_path, "study,y\nShu,0.1\n")
    with pytest.raises(ColumnError, match=r"which column to use: columns={'se': '...'}\.$"):
        bm.EffectSizes.from_frame(pd.read_csv(table))
    said = refusal("fit", table, "--measure", "RR")
    assert said.endswith("which column to use: --columns se=THEIRS.\n")
    spec = written(tmp_path, f'{SPEC}kind = "estimates"\n', "spec.toml")
    assert 'columns = { se = "..." }.' in refusal("run", spec, "-o", tmp_path / "out")


def test_all_problems_of_a_table_are_listed_together():
    frame = pd.read_csv(pd.io.common.StringIO(MANY_KINDS), dtype=str)
    with pytest.raises(DataError) as error:
        bm.BinaryStudies.from_frame(frame)
    problems = error.value.problems
    starts = (
        "events_control must be a number; check Xu (row 4): got 'many'",
        "study names must be unique; these repeat: Xu",
        "events_treatment is missing or not finite for Shu (row 1)",
        "events_treatment must be a whole number, 0 or more; check Zhu (row 2) (e.g. -1)",
        "events_control must be a whole number, 0 or more; check Xu (row 5) (e.g. 2.5)",
        "events_treatment exceeds n_treatment for Li (row 3)",
    )
    assert len(problems) == len(starts)
    assert all(one.startswith(start) for one, start in zip(problems, starts, strict=True))
    assert str(error.value).startswith("6 problems: (1) events_control must be a number; ")
    assert "; (6) events_treatment exceeds" in str(error.value)


def test_the_command_line_gives_each_problem_its_line(tmp_path):
    table = written(tmp_path, MANY_KINDS)
    first, *rest = refusal("fit", table, "--measure", "RR").splitlines()
    assert first == f"bayesmeta: {table} has 6 problems:"
    assert [line[:5] for line in rest] == [f"  {i}. " for i in range(1, 7)]
    assert '--exclude "Li: reason"' in rest[-1]
    spec = written(tmp_path, SPEC, "spec.toml")
    first, *rest = refusal("run", spec, "-o", tmp_path / "out").splitlines()
    assert first == "bayesmeta: trials.csv has 6 problems:"
    assert 'drop = { "Li" = "reason" }' in rest[-1]


def test_ten_problems_are_listed_and_the_others_counted():
    with pytest.raises(DataError) as error, of_table("x.csv"):
        raise DataError(*(f"Problem {i}." for i in range(13)))
    assert str(error.value).startswith("x.csv has 13 problems: (1) Problem 0; ")
    assert str(error.value).endswith("; (10) Problem 9; and 3 more.")
    assert error.value.listed[-2:] == ("Problem 9.", "And 3 more.")
    assert len(error.value.problems) == 13


def test_errors_cross_processes_whole():
    several = DataError("A.", "B.")
    several.table = "x.csv"
    for error in (several, DataError("A."), ColumnError("No column 'y'.", "y")):
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), again.problems, again.table) == (
            str(error),
            error.problems,
            error.table,
        )


def test_what_was_said_of_a_cell_is_not_said_again():
    words = ["x7", 3.0, 2.0]
    frame = pd.DataFrame(
        {
            "study": ["A", "B", "C"],
            "mean_treatment": words,
            "sd_treatment": [1.0, 0.0, 1.0],
            "n_treatment": [10, 10, None],
            "mean_control": [1.0, 1.0, 1.0],
            "sd_control": [1.0, 1.0, np.nan],
            "n_control": [10, 10, 10],
        }
    )
    with pytest.raises(DataError) as error:
        bm.ContinuousStudies.from_frame(frame)
    assert [one.split(";")[0] for one in error.value.problems] == [
        "mean_treatment must be a number",
        "n_treatment must be a whole number of patients, 2 or more: one patient has no spread",
        "sd_treatment must be positive",
        "C (row 3) has a mean without its SD in the control arm",
    ]


def test_rows_are_those_of_the_table_although_others_are_left_out():
    frame = pd.DataFrame({"study": ["A", "B", "C"], "y": [0.1, 0.2, 0.3], "se": [1.0, 1.0, 0.0]})
    with pytest.raises(DataError, match=r"check C \(row 3\)"):
        bm.EffectSizes.from_frame(frame, exclude={"A": "no"})


def test_reported_effects_lists_what_is_wrong_with_each_form():
    frame = pd.DataFrame(
        {
            "study": ["A", "B", "C", "D", "E"],
            "estimate": ["0.8", "0.7", "x", "0.9", "-0.2"],
            "lower": ["0.6", None, None, "1.0", None],
            "upper": ["1.0667", None, None, "1.2", None],
            "p": [None, "<0.05", None, None, "0.03"],
        }
    )
    with pytest.raises(DataError) as error:
        bm.reported_effects(frame, measure="HR")
    starts = ("estimate must be a number; check C (row 3)", "The P value of B (row 2) is only a")
    assert error.value.problems[0].startswith(starts[0])
    assert error.value.problems[1].startswith(starts[1])
    assert error.value.problems[2].startswith("The interval of D (row 4) is not symmetric")
    assert error.value.problems[3].startswith("estimate of a hazard ratio must be above zero")
    assert len(error.value.problems) == 4


def test_a_change_from_baseline_lists_its_problems():
    arm = {"n": 20, "mean_baseline": 60.0, "sd_baseline": 10.0, "mean": 50.0, "sd": 11.0}
    rows = {
        f"{name}_{which}": [value] * 3
        for name, value in arm.items()
        for which in ("treatment", "control")
    }
    frame = pd.DataFrame({"study": ["A", "B", "C"], **rows, "correlation": [0.5, None, 2.0]})
    frame.loc[0, "sd_treatment"] = -1.0
    with pytest.raises(DataError) as error:
        bm.change_from_baseline(frame)
    assert [one.split(";")[0] for one in error.value.problems] == [
        "sd_treatment must be positive",
        "correlation must be between -1 and 1",
        "correlation is needed for B (row 2), whose SD of the change is not printed",
    ]


def test_a_repeated_name_is_never_advised_to_be_changed():
    assert repeated_names(["B", "A", "B", "C", "A"]) == ["A", "B"]
    with pytest.raises(DataError) as error, speaking(COMMAND):
        bm.EffectSizes.from_arrays(["A", "A"], [0.1, 0.2], [1.0, 1.0])
    said = str(error.value)
    assert "different name" not in said
    assert "rename" not in said.lower()
    for words in ("--combine-arms", "--split-control", '--treatment "..."', "not independent"):
        assert words in said
    assert "readings of one study" in said


@pytest.mark.parametrize("name", ["NA", "nan", "None", "null", "<NA>"])
def test_a_study_named_like_a_gap_keeps_its_name(name):
    frame = pd.DataFrame({"study": [name, "B"], "y": [0.1, 0.2], "se": [1.0, 1.0], "group": name})
    data = bm.EffectSizes.from_frame(frame.assign(group=[name, "b"]))
    assert data.study == (name, "B")
    assert data.covariates["group"] == (name, "b")
    table = bm.fit_many(MODEL, frame.assign(g=1), by="g")
    assert table["problem"][0] == ""


@pytest.mark.parametrize("blank", [None, np.nan, pd.NA, pd.NaT, "", "  "], ids=repr)
def test_a_blank_is_no_name(blank):
    with pytest.raises(DataError, match="study has no name in row 2; give each study a name"):
        bm.EffectSizes.from_arrays(["A", blank], [0.1, 0.2], [1.0, 1.0])
    frame = pd.DataFrame({"study": ["A", blank], "y": [0.1, 0.2], "se": [1.0, 1.0]})
    with pytest.raises(DataError, match="study has no name in row 2"):
        bm.EffectSizes.from_frame(frame)
    problem = bm.fit_many(MODEL, frame.assign(g=1), by="g")["problem"][0]
    assert problem.startswith("study has no name in row 2 of the group")


@pytest.mark.parametrize("cell", ["1_0", True, "True"])
def test_what_python_would_take_for_a_number_is_none(cell):
    frame = pd.DataFrame({"study": ["A"], "y": [cell], "se": [1.0]}, dtype=object)
    with pytest.raises(DataError, match="y must be a number; check A"):
        bm.EffectSizes.from_frame(frame)


def test_a_batch_says_its_problems_in_the_words_of_who_asks(tmp_path):
    text = "g,study,y,se\na,A,0.1,0.2\na,B,0.2,0.3\nb,C,0.1,0.2\nb,D,0.3,0\n"
    table = written(tmp_path, text)
    wide = "se must be positive; check D (row 2 of the group)"
    problem = bm.fit_many(MODEL, pd.read_csv(table), by="g")["problem"][1]
    assert problem.startswith(wide)
    assert problem.endswith("leave it out: drop the row of 'D' from the table.")
    fit_file(MODEL, table, tmp_path / "python.csv", by=["g"])
    assert pd.read_csv(tmp_path / "python.csv")["problem"][1] == problem
    out = tmp_path / "command.csv"
    words = ["batch", str(table), "--by", "g", "--measure", "RR", "-o", str(out)]
    done = CliRunner(catch_exceptions=False).invoke(main, words)
    assert done.exit_code == 1
    problem = pd.read_csv(out)["problem"][1]
    assert problem.startswith("se must be positive; check D (row 4)")
    assert problem.endswith('leave it out: --exclude "D (row 4): reason".')


def test_a_batch_that_lacks_a_column_says_which_to_give(tmp_path):
    table = written(tmp_path, "g,study,estimate,upper\na,A,0.1,0.2\n")
    said = refusal("batch", table, "--by", "g", "--measure", "RR")
    assert "has no column 'lower'; it has g, study, estimate, upper." in said
    assert "--columns lower=THEIRS." in said
    said = refusal("batch", table, "--by", "region", "--measure", "RR")
    assert "has no columns 'region', 'lower'" in said
    assert 'bayesmeta batch --by "COLUMN".' in said
    with pytest.raises(DataError, match=r"table.rename\(columns="):
        bm.fit_many(MODEL, pd.read_csv(table), by="g", measure="RR")


@pytest.mark.parametrize("name", ["o.xlsx", "o.json", "o.tsv"])
def test_a_batch_is_not_written_under_the_name_of_another_format(tmp_path, name):
    table = written(tmp_path, "g,study,y,se\na,A,0.1,0.2\na,B,0.2,0.3\n")
    said = refusal("batch", table, "--by", "g", "--measure", "RR", "-o", tmp_path / name)
    assert "would hold CSV; name a file that ends in .csv or .parquet" in said
    assert [path.name for path in tmp_path.iterdir()] == ["trials.csv"]


def test_estimate_and_standard_error_are_read_as_papers_print_them():
    frame = pd.DataFrame({"study": ["A", "B"], "estimate": ["0.70", "0.90"], "se": [0.13, 0.15]})
    ratios = bm.EffectSizes.from_frame(frame, measure="HR")
    np.testing.assert_allclose(ratios.y, np.log([0.7, 0.9]), rtol=1e-15)
    assert ratios.se.tolist() == [0.13, 0.15]
    assert ratios.note == "estimate and standard error of its logarithm as printed"
    plain = bm.EffectSizes.from_frame(frame, measure="MD")
    assert plain.y.tolist() == [0.7, 0.9]
    table = bm.fit_many(MODEL, frame.assign(g="a"), by="g", measure="HR")
    assert table["mu_mean"][0] == pytest.approx(bm.fit(MODEL, ratios)["mu"].mean(), abs=1e-9)
    with pytest.raises(DataError, match=r"above zero; check B \(row 2\). Give ratios as ratios"):
        bm.EffectSizes.from_frame(frame.assign(estimate=[0.7, -0.1]), measure="HR")


@pytest.mark.parametrize(
    ("text", "estimate", "limits", "p"),
    [
        ("RR 0·43 [0·26, 0·71]", "0.43", ("0.26", "0.71"), ""),
        ("RR 0,43 [0,26; 0,71]", "0.43", ("0.26", "0.71"), ""),
        ("RR 0,43 (0,26–0,71)", "0.43", ("0.26", "0.71"), ""),
        ("RR 0,40 (95% CI 0,2 to 0,71), p = 0,001", "0.40", ("0.2", "0.71"), "0.001"),
        ("RR 0,435 [0,260; 0,710]", "0.435", ("0.260", "0.710"), ""),
        ("RR 0.43 (0.26-0.71), p=0.001", "0.43", ("0.26", "0.71"), "0.001"),
        ("OR 2.1 (95% CI: 1.3 – 3.4; P < 0.001)", "2.1", ("1.3", "3.4"), "<0.001"),
        ("HR=0.43, 95% CI 0.26–0.71", "0.43", ("0.26", "0.71"), ""),
        ("MD –1.2 (–2.0 to –0.4)", "-1.2", ("-2.0", "-0.4"), ""),
        ("MD 5 [3,8; 6,1]", "5", ("3.8", "6.1"), ""),
        ("MD 5 [3,8]", "5", ("3", "8"), ""),
        ("MD 1,250 [1,100.5; 1,420]", "1250", ("1100.5", "1420"), ""),
        ("MD 1.250 [950,5; 1.420]", "1250", ("950.5", "1420"), ""),
        ("MD 1 250 [950; 1 420]", "1250", ("950", "1420"), ""),
    ],
)
def test_figures_are_read_as_journals_print_them(text, estimate, limits, p):
    found = bm.Published.parse(text)
    assert (found.estimate, (found.lower, found.upper), found.p) == (estimate, limits, p)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RR 0,43, 0,26, 0,71", "commas may stand before decimals or between numbers: write a"),
        ("MD 2,150 [1,120; 3,200]", "2,150 may be 2.150 or 2150"),
        ("RR 0.5 [0.2, 0.9], p>0.05", "'>0.05', a bound from below"),
        ("RR", "must be a measure, an estimate and an interval"),
    ],
)
def test_figures_that_say_two_things_are_refused_with_the_reason(text, words):
    with pytest.raises(DataError, match=words):
        bm.Published.parse(text)


def test_a_p_value_given_twice_must_be_one():
    assert bm.Published.parse("RR 0.5 [0.2, 0.9], p=0.03", p="0.03").p == "0.03"
    assert bm.Published.parse("RR 0.5 [0.2, 0.9], p=0.03", p="").p == "0.03"
    assert bm.Published.parse("RR 0.5 [0.2, 0.9]", p="0.04").p == "0.04"
    with pytest.raises(DataError, match=r"has p 0\.03, and p is given as 0\.04"):
        bm.Published.parse("RR 0.5 [0.2, 0.9], p=0.03", p="0.04")


def test_fields_are_kept_with_a_point_and_all_their_decimals():
    found = bm.Published(
        estimate="0,40",
        lower="0·20",
        upper="−0,0".replace("−0,0", "0,80"),
        p="P < 0,001",
        i2="45,30%",
    )
    assert (found.estimate, found.lower, found.upper) == ("0.40", "0.20", "0.80")
    assert (found.p, found.i2, found.decimals) == ("<0.001", "45.30", 2)
    with pytest.raises(DataError, match=r"1,200 may be 1\.200 or 1200"):
        bm.Published(estimate="1,200")
    assert bm.Published(estimate="1,200", lower="1,1", upper="1,35").estimate == "1.200"
    assert bm.Published(estimate="1,200", lower="1100.5", upper="1,350").estimate == "1200"
    assert bm.Published(estimate="1.200", lower="1.100", upper="1.350").upper == "1.350"
    with pytest.raises(DataError, match=r"1,250 may be 1\.250 or 1250"):
        bm.Published(estimate="1,250", lower="1,1", upper="1300.5")


def test_a_ratio_printed_as_its_logarithm_is_asked_about(tmp_path):
    table = written(tmp_path, GAPS.replace("Shu,,", "Shu,1,"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = refusal("explain", table, "--published", "RR -0.82 [-1.39, -0.26]")
    assert "is this its logarithm? Then write 'RR 0.44 [0.25, 0.77]'" in said


@pytest.mark.parametrize(
    ("text", "prior"),
    [
        ("half_normal(0.5)", bm.HalfNormal(0.5)),
        ("halfcauchy(0.5)", bm.HalfCauchy(0.5)),
        ("HalfNormal(0, 0.5)", bm.HalfNormal(0.5)),
        ("half_cauchy(0.0, 0.5)", bm.HalfCauchy(0.5)),
        ("student_t(3, 0, 2.5)", bm.StudentT(3, 0, 2.5)),
        ("inverse_gamma(2, 0.1)", bm.InverseGamma(2, 0.1)),
    ],
)
def test_priors_are_read_as_other_programs_write_them(text, prior):
    assert bm.parse_prior(text) == prior


def test_a_measure_is_read_in_letters_of_any_case_by_every_interface(tmp_path):
    table = written(tmp_path, GAPS.replace("Shu,,", "Shu,1,"))
    invoke = CliRunner(catch_exceptions=False).invoke
    one, other = (invoke(main, ["fit", str(table), "--measure", name]) for name in ("rr", "RR"))
    assert one.exit_code == 0
    assert one.stdout == other.stdout
    spec = written(tmp_path, f'{SPEC}measure = "or"\n', "spec.toml")
    assert load_specification(spec).specification.outcome[0].measure == "OR"
    spec = written(tmp_path, f'{SPEC}measure = "logOR"\n', "spec.toml")
    assert "OR is the odds ratio" in refusal("run", spec, "-o", tmp_path / "out")


def test_the_ways_of_tables_in_hand_are_those_of_python_but_for_reading():
    differ = {name for name in PYTHON.ways if PYTHON.ways[name] != TABLES.ways[name]}
    assert differ == {"columns", "exclude"}
