"""The report made again of what a run stored: the same page without a fit, or why not."""

import json

import pytest
from click.testing import CliRunner

from bayesmeta.cli import main
from bayesmeta.files import verify

SPEC = """\
title = "Cells & <care>"
seed = 1
limits = ["Few trials."]
risk_of_bias = "rob2.csv"
[[outcome]]
name = "death"
title = "Death"
better = "lower"
measure = "OR"
kind = "estimates"
data = "t.csv"
[[outcome.scenario]]
name = "all"
[[outcome.scenario]]
name = "without one"
drop = { "A" = "asked for" }
[[outcome.published]]
label = "Review"
measure = "OR"
estimate = "0.75"
lower = "0.50"
upper = "1.14"
citation = "J 2024;1:2"
compare_with = "all"
[[outcome]]
name = "by-kind"
title = "By kind"
better = "lower"
measure = "OR"
kind = "estimates"
data = "t.csv"
mu = { by = "kind", prior = "Normal(0, 2)" }
[[outcome]]
name = "crp"
title = "CRP"
better = "lower"
measure = "MD"
[[outcome.published]]
label = "Smith"
measure = "MD"
estimate = "-32.49"
lower = "-48.43"
upper = "-16.56"
n = 88
citation = "J 2024;1:2"
alone = true
"""
TABLE = "study,y,se,kind\nA,-0.4,0.2,x\nB <i>,0.1,0.3,x\nC,-0.3,0.4,y\nD,-0.5,0.3,y\n"
JUDGED = "Study,D1,D2,D3,D4,D5,Overall\nA,+,+,!,+,+,!\nC,+,+,+,+,-,-\n"


def call(*words):
    return CliRunner(catch_exceptions=False).invoke(main, list(map(str, words)))


def sentence(*words):
    result = call(*words)
    assert result.exit_code == 2
    (line,) = result.output.strip().splitlines()
    return line


def contents(folder):
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("again")
    (folder / "s.toml").write_text(SPEC)
    (folder / "t.csv").write_text(TABLE)
    (folder / "rob2.csv").write_text(JUDGED)
    result = call("run", folder / "s.toml", "-o", folder / "out")
    assert result.exit_code == 0, result.output
    return contents(folder / "out")


@pytest.fixture
def out(written, tmp_path):
    for name, content in written.items():
        path = tmp_path / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "out"


@pytest.mark.parametrize("named", ["results.json", ""])
@pytest.mark.parametrize("change", ["gone", "other", "none"])
def test_the_page_is_the_run_s_own_letter_for_letter(out, written, named, change, monkeypatch):
    for name in ("bayesmeta.engines.fit", "bayesmeta.analysis.run"):
        monkeypatch.setattr(name, None)  # nothing is fitted
    if change == "gone":
        (out / "report.html").unlink()
    if change == "other":
        (out / "report.html").write_text("an older page")
    result = call("report", out / named)
    assert (result.exit_code, result.output) == (0, f"Report: {out / 'report.html'}\n")
    assert contents(out) == written
    assert verify(out).problems == ()


def test_files_that_are_not_the_run_s_stay(out, written):
    (out / "notes.txt").write_text("mine")
    assert call("report", out).exit_code == 0
    assert contents(out) == written | {"notes.txt": b"mine"}


def test_what_is_shown_is_stored_as_strict_json_and_without_markup_of_ours(written):
    def refuse(name):
        raise AssertionError(name)

    shown = json.loads(written["report.json"], parse_constant=refuse)
    assert shown["results"]["title"] == "Cells & <care>"
    assert [one["result"]["name"] for one in shown["outcomes"]] == ["death", "by-kind", "crp"]
    page = written["report.html"].decode()
    assert "Cells &amp; &lt;care&gt;" in page
    assert "B <i>" not in page


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda out: edit(out / "results.json", '"seed": 1', '"seed": 2'),
            "results.json is not what",
        ),
        (lambda out: (out / "results.json").write_text("{"), "results.json is not what"),
        (lambda out: (out / "results.json").unlink(), "results.json is not there"),
        (lambda out: edit(out / "report.json", "Few trials.", "Many."), "report.json is not what"),
        (lambda out: (out / "death/figures/forest.svg").unlink(), "forest.svg is not there"),
        (
            lambda out: edit(out / "death/tables/studies.csv", "A,", "Z,"),
            "death/tables/studies.csv is not what",
        ),
        (lambda out: (out / "manifest.json").unlink(), "has no manifest.json that a run wrote"),
        (
            lambda out: edit(out / "manifest.json", '"version": "0.1.0"', '"version": "0.0.9"'),
            "was written by bayesmeta 0.0.9, and this is 0.1.0; run its specification again",
        ),
    ],
)
def test_results_of_another_version_damaged_or_edited_are_refused_in_a_sentence(out, spoil, said):
    spoil(out)
    before = contents(out)
    assert said in sentence("report", out)
    assert contents(out) == before


def test_a_file_that_is_no_result_is_refused(out):
    assert "is no folder of a run; name one, or the results.json" in sentence(
        "report", out / "findings.csv"
    )
    assert "has no manifest.json" in sentence("report", out / "death")
