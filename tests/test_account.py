"""What is known of the data, from a CSV to the terminal, results.json and the report."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import bayesmeta as bm
from bayesmeta.cli import main

ROOT = Path(__file__).parent
TABLE = """\
Trial,year,ai,n1i,ci,n2i
A,2001,3,40,8,41
B,2003,0,30,0,29
C,2005,0,20,3,22
D,2009,5,50,9,52
E,2010,7,48,9,50
Note: E is preliminary
"""
SPEC = """\
title = "T"
[[outcome]]
name = "death"
title = "Death"
kind = "{kind}"
measure = "RR"
data = "t.csv"
better = "lower"
event = "deaths"
columns = {{ study = "Trial" }}
[[outcome.scenario]]
name = "all"
drop = {{ D = "retracted in 2012" }}
"""
# What the account says, and words by which a reader knows it.
SAID = {
    "rows read": "of 5 rows",
    "studies and participants": "studies, 280 participants",
    "guessed": "columns of metafor: ai, n1i, ci, n2i",
    "left out, with the reason": "D left out (retracted in 2012)",
    "dropped": "B dropped (no event in either arm",
    "half added": "½ added to each cell: C",
    "not read": "Not read: year",
    "a note": "E is preliminary",
}


def told(*words):
    found = CliRunner().invoke(main, [str(word) for word in words])
    return found.exit_code, " ".join(found.output.split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("account")
    (folder / "t.csv").write_text(TABLE, "utf-8")
    (folder / "s.toml").write_text(SPEC.format(kind="estimates"), "utf-8")
    return folder


@pytest.fixture(scope="module")
def fitted(folder):
    words = ("--columns", "study=Trial", "--measure", "RR", "--exclude", "D: retracted in 2012")
    return told("fit", folder / "t.csv", *words)


@pytest.fixture(scope="module")
def ran(folder):
    status, said = told("run", folder / "s.toml", "-o", folder / "out", "--verbose")
    assert status == 0, said
    whole = json.loads((folder / "out" / "results.json").read_text("utf-8"))
    page = (folder / "out" / "report.html").read_text("utf-8")
    return said, whole["outcomes"]["death"], " ".join(page.split())


@pytest.mark.parametrize("entry", SAID)
def test_each_entry_is_said_by_fit(fitted, entry):
    status, said = fitted
    assert status == 0, said
    words = SAID[entry].replace("studies, 280", "studies, 221")
    assert words in said


@pytest.mark.parametrize("entry", SAID)
def test_each_entry_is_said_by_run_and_in_its_report(ran, entry):
    said, _, page = ran
    words = SAID[entry].replace("studies, 280", "studies, 221")
    assert words in said
    assert words in page


def test_each_entry_stands_in_the_json(ran):
    account = ran[1]["accounts"]["all"]
    assert (account["rows"], account["studies"], account["participants"]) == (5, 3, 221)
    assert account["left_out"] == [{"study": "D", "variant": "main", "reason": "retracted in 2012"}]
    assert [one["study"] for one in account["dropped"]] == ["B"]
    assert account["added"] == {"C": "½ added to each cell"}
    assert account["not_read"] == ["year"]
    assert any("metafor" in one for one in account["read"])
    assert any("E is preliminary" in one for one in account["read"])


def test_the_report_and_the_folder_have_all_of_it(ran):
    rows = pd.DataFrame(ran[1]["tables"]["account"])
    assert list(rows["what"].drop_duplicates()) == [
        "analysed",
        "read",
        "left out",
        "dropped",
        "estimates",
        "added",
        "not read",
    ]
    assert "What became of the table" in ran[2]


def test_a_likelihood_of_the_counts_drops_nothing_and_says_what_two_stages_do(tmp_path):
    (tmp_path / "t.csv").write_text(TABLE, "utf-8")
    (tmp_path / "s.toml").write_text(SPEC.format(kind="counts"), "utf-8")
    status, said = told("run", tmp_path / "s.toml", "-o", tmp_path / "out", "--verbose")
    assert status == 0, said
    assert "Data: 4 studies, 280 participants, of 5 rows; D left out" in said
    assert "B dropped by analyses in two stages" in said
    assert "½ added to each cell for two stages: C" in said


def test_explain_and_batch_say_it_too(folder):
    words = ("--columns", "study=Trial", "--exclude", "D: retracted in 2012")
    status, said = told("explain", folder / "t.csv", "--published", "RR 0.5 [0.2, 1.1]", *words)
    assert status == 0, said
    assert "D left out (retracted in 2012)" in said
    both = pd.concat(pd.read_csv(folder / "t.csv").iloc[:5].assign(g=g) for g in "xy")
    both.to_csv(folder / "two.csv", index=False)
    status, said = told("batch", folder / "two.csv", "--by", "g", "--measure", "RR", *words)
    assert status == 0, said
    assert "Data: 2 groups, 6 studies analysed, of 10 rows; 2 rows left out" in said
    assert "2 studies dropped by two stages (k_dropped)" in said
    assert "½ added to cells of 2 (k_added)" in said


def test_an_answer_in_python_carries_it(folder):
    data = bm.read_studies(
        folder / "t.csv", measure="RR", columns={"study": "Trial"}, exclude={"D": "retracted"}
    )
    effects = bm.effect_sizes(data, measure="RR")
    fit = bm.fit(bm.default_model(effects), effects)
    assert fit.account == effects.account
    assert data.account.k == 4
    assert [one.study for one in fit.account.dropped] == ["B"]
    assert [one.study for one in fit.account.left_out] == ["D"]
    table = fit.account.table()
    assert set(table.loc[table["what"] == "added", "studies"]) == {"C"}
    assert fit.account.participants == 221
    assert effects.keep(["A", "E"]).account.participants == 179
    assert "1 study not kept" in str(effects.keep(["A", "E"]).account)
    assert effects.keep(["A", "E"]).account.added == {}


def test_lines_are_short_whatever_there_is_to_say_and_the_table_has_all():
    k = 60
    frame = pd.DataFrame(
        {
            "study": [f"A study with a long name, {i}" for i in range(k)],
            "y": 0.1,
            "se": 0.2,
            **{f"a further column {i}": 1 for i in range(20)},
        }
    )
    gone = {name: f"reason {i}" for i, name in enumerate(frame["study"][:20])}
    account = bm.EffectSizes.from_frame(frame, exclude=gone).account
    assert len(account.lines) <= 2
    assert all(len(line) <= 320 for line in account.lines)
    assert account.lines[0] == "Data: 40 studies, of 60 rows; 20 rows left out."
    assert account.lines[1].endswith(" …")
    table = account.table()
    assert (table["what"] == "left out").sum() == 20
    assert (table["what"] == "not read").sum() == 20


@pytest.mark.parametrize(
    ("rule", "measure", "where"),
    [
        ("if_needed", "OR", {"A", "C"}),
        ("all", "OR", {"A", "B", "C"}),
        ("variance", "RD", {"A", "C"}),
        ("none", "RD", set()),
    ],
)
def test_what_is_added_is_said_of_the_studies_to_which_it_is(rule, measure, where):
    trials = bm.BinaryStudies(
        study=("A", "B", "C"),
        events_treatment=[0, 3, 5],
        n_treatment=[10, 12, 11],
        events_control=[2, 4, 11],
        n_control=[9, 14, 11],
    )
    account = bm.effect_sizes(trials, measure=measure, zero_cells=rule).account
    assert set(account.added) == where
    plain = bm.effect_sizes(trials.keep(["B"]), measure=measure, zero_cells="if_needed")
    assert plain.account.added == {}


def test_forms_and_designs_are_told_by_study():
    frame = pd.DataFrame(
        {
            "study": ["A", "B", "C"],
            "events_treatment": [4, 6, None],
            "n_treatment": [40, 50, 60],
            "events_control": [8, 9, None],
            "n_control": [41, 52, 61],
            "estimate": [None, None, 0.7],
            "lower": [None, None, 0.5],
            "upper": [None, None, 0.98],
            "design_effect": [None, 1.5, None],
        }
    )
    account = bm.read_studies(frame, measure="RR").account
    assert "design effect 1.5" in account.forms["B"]
    assert "interval" in account.forms["C"]
    assert account.participants == 304
    assert re.search("rows of several forms|cluster", " ".join(account.said))


def test_frequentist_fits_carry_it_too_and_show_themselves_in_ten_lines():
    frame = pd.DataFrame(
        {
            "study": list("ABCDE"),
            "events_treatment": [3, 0, 0, 5, 7],
            "n_treatment": [40, 30, 20, 50, 48],
            "events_control": [8, 0, 3, 9, 9],
            "n_control": [41, 29, 22, 52, 50],
        }
    )
    trials = bm.BinaryStudies.from_frame(frame, exclude={"D": "retracted"})
    reml = bm.random_effects(trials, measure="OR")
    fits = {
        "REML": reml,
        "MH": bm.common_effect(trials, weights="MH", measure="OR"),
        "Peto": bm.common_effect(trials, weights="Peto"),
        "GLMM": bm.glmm(trials),
    }
    for name, fit in fits.items():
        account = fit.account
        assert (account.rows, account.k, account.participants) == (5, 3, 221), name
        assert [one.study for one in account.left_out] == ["D"]
        assert [one.study for one in account.dropped] == ["B"]
        assert bool(account.added) == (name == "REML")
        shown = repr(fit).splitlines()
        assert len(shown) <= 10
        assert "B dropped (no patient, or every patient, had an event in both" in repr(fit)
    low, high = (f"{bound:.4g}" for bound in pd.Series(reml.interval()).map(np.exp))
    assert f"[{low}, {high}], k = 3" in repr(reml)
    assert f"t on 2 df {reml.statistic:.4g}, p {reml.p:.4g}" in repr(reml)
    assert f"AIC {reml.aic:.4g}" in repr(reml)


def test_columns_that_an_answer_rests_on_are_not_said_to_be_unread():
    means = pd.DataFrame(
        {
            "study": list("ABC"),
            "year": [2001, 2002, 2003],
            **{f"{what}_{arm}": [value] * 3 for arm in ("treatment", "control")
               for what, value in (("mean", 10.0), ("se", 1.5), ("n", 40))},
        }
    )  # fmt: skip
    account = bm.read_studies(means, measure="MD").account
    assert account.unread == ("year",)
    assert "Derived: A, B, C (treatment: SD from the standard error of the mean" in str(account)
    ratios = pd.DataFrame({"study": list("AB"), "HR": [0.8, 0.9], "LCI": [0.6, 0.7],
                           "UCI": [1.07, 1.16], "n": [120, 300]})  # fmt: skip
    account = bm.read_studies(ratios, measure="HR").account
    assert (account.unread, account.participants) == ((), 420)
    again = pd.DataFrame({"study": ["A", "A"], "year": [2001, 2002], "y": [0.1, 0.2], "se": 0.3})
    assert bm.read_studies(again, measure="OR").account.unread == ()


def test_a_column_that_is_not_used_is_named_as_the_table_names_it():
    table = pd.DataFrame(
        {"study": list("AB"), "ai": [3, 4], "n1i": [40, 50], "ci": [8, 9], "n2i": [41, 52],
         "RR": [0.4, 0.5], "lower": [0.1, 0.2], "upper": [1.4, 1.5]}
    )  # fmt: skip
    assert bm.read_studies(table, measure="RR").account.unread == ("RR", "lower", "upper")


def test_only_the_studies_to_which_something_was_added_are_said_to_have_it():
    trials = pd.DataFrame(
        {"study": list("ABC"), "events_treatment": [3, 0, None], "n_treatment": [40, 30, None],
         "events_control": [8, 2, None], "n_control": [41, 29, None],
         "estimate": [None, None, 0.7], "lower": [None, None, 0.5], "upper": [None, None, 0.98]}
    )  # fmt: skip
    account = bm.read_studies(trials, measure="RR").account
    assert account.forms["A"] == "counts as they are"
    assert account.forms["B"].startswith("½ added")
    assert account.unread == ()
    rates = bm.ProportionStudies(study=["A", "B"], events=[0, 3], n=[20, 30])
    assert bm.effect_sizes(rates).note == "½ added to all cells of studies with a zero in any"
    none = bm.ProportionStudies(study=["A", "B"], events=[1, 3], n=[20, 30])
    assert bm.effect_sizes(none).note == "counts as they are"


def test_a_study_without_a_main_row_is_told_apart_from_a_reading_that_is_not_used(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "study,variant,y,se\nA,main,0.1,0.2\nA,late,0.2,0.2\nB,main,0.3,0.2\nC,late,0.3,0.2\n"
    )
    status, said = told("fit", path, "--measure", "OR")
    assert status == 0, said
    assert "A left out (row “late”, not the main one)" in said
    assert "C left out (its row is “late” and it has none named main)" in said


def test_a_batch_counts_what_was_analysed_and_uses_main_rows(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "g,study,variant,y,se\nx,A,main,0.1,0.2\nx,A,late,0.2,0.2\nx,B,main,0.3,0.2\n"
        "z,Total,main,0.3,0.2\nz,D,main,0.3,0.2\n"
    )
    status, said = told("batch", path, "--by", "g", "--measure", "OR")
    assert status == 1
    assert (
        "Data: 1 group, 2 studies analysed, of 5 rows; 1 group not analysed; 1 row left out" in said
    )


def test_a_total_without_a_name_can_be_left_out():
    table = pd.DataFrame(
        {"study": ["A", "B", None], "events_treatment": [3, 4, 7], "n_treatment": [40, 50, 90],
         "events_control": [8, 9, 17], "n_control": [41, 52, 93]}
    )  # fmt: skip
    with pytest.raises(bm.DataError, match=r"\(row 3\) is named like a sum"):
        bm.read_studies(table, measure="RR")
    found = bm.read_studies(table, measure="RR", exclude={"(row 3)": "the sum"})
    assert found.study == ("A", "B")


def test_how_arms_were_joined_is_told_and_is_no_column_of_the_table():
    path = ROOT / "cases" / "c16e-arm-per-row.csv"
    words = ("fit", path, "--measure", "OR", "--combine-arms", "--control", "placebo")
    status, said = told(*words, "--verbose")
    assert status == 0
    assert "Trial X: low dose, high dose combined" in said
    assert "Not read" not in said
