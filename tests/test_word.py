"""The report for Word: opened again, its numbers are those of results.json; on request alone."""

import json
import math
import re
import sys
from io import BytesIO
from zipfile import ZipFile

import pytest
from click.testing import CliRunner

from bayesmeta.cli import main
from bayesmeta.files import verify

docx = pytest.importorskip("docx")

SPEC = """\
title = "Cells & <care>"
question = "Do they help?"
seed = 1
limits = ["Few trials."]
risk_of_bias = "rob2.csv"
[reporting]
goal = "To estimate."
[[outcome]]
name = "death"
title = "Death"
better = "lower"
measure = "RR"
event = "deaths"
kind = "estimates"
data = "t.csv"
baseline_risk = 0.2
time = "28 days"
[[outcome.published]]
label = "Review"
measure = "RR"
estimate = "0.75"
lower = "0.50"
upper = "1.14"
citation = "J 2024;1:2"
[[outcome]]
name = "by-kind"
title = "By kind"
better = "lower"
measure = "RR"
kind = "estimates"
data = "t.csv"
mu = { by = "kind", prior = "Normal(0, 2)" }
[[outcome]]
name = "dose"
title = "By dose"
better = "lower"
measure = "RR"
kind = "estimates"
data = "t.csv"
mu = { formula = "dose", intercept = "Normal(0, 2)", slopes = "Normal(0, 1)" }
"""
TABLE = (
    "study,y,se,kind,dose\nAdams,-0.4,0.2,x,1\nB <i>,0.1,0.3,x,2\nClark,-0.3,0.4,y,4\n"
    "Davis,-0.5,0.3,y,3\n"
)
JUDGED = "Study,D1,D2,D3,D4,D5,Overall\nAdams,+,+,!,+,+,!\nClark,+,+,+,+,-,-\n"


def call(*words):
    return CliRunner(catch_exceptions=False).invoke(main, list(map(str, words)))


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("word")
    (folder / "s.toml").write_text(SPEC)
    (folder / "t.csv").write_text(TABLE)
    (folder / "rob2.csv").write_text(JUDGED)
    result = call("run", folder / "s.toml", "-o", folder / "out", "--docx")
    assert result.exit_code == 0, result.output
    return folder / "out"


@pytest.fixture(scope="module")
def opened(out):
    return docx.Document(str(out / "report.docx"))


@pytest.fixture(scope="module")
def outcomes(out):
    return json.loads((out / "results.json").read_text())["outcomes"]


def cells(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


def under(opened, title, head=""):
    """The tables below a heading, up to the next heading of an outcome."""
    found, here = [], False
    for block in opened.iter_inner_content():
        if isinstance(block, docx.table.Table):
            if here:
                found.append(cells(block))
        elif block.style.name in ("Heading 1", "Title"):
            here = block.text == title
    return [rows for rows in found if not head or head in rows[0]]


def numbers(text):
    return [float(one.replace("−", "-")) for one in re.findall(r"[−-]?\d+\.\d+", text)]


def test_answers_and_comparison_are_those_of_the_results(opened, outcomes):
    first = outcomes["death"]["tables"]["comparison"][0]
    wanted = [round(first[f"{name}_natural"], 2) for name in ("estimate", "lower", "upper")]
    (answers,) = under(opened, "Answers")
    (row,) = [one for one in answers[1:] if one[0] == "Death"]
    assert numbers(row[2].split("\n")[0]) == wanted
    assert row[answers[0].index("probability of benefit")].startswith(
        f"{100 * first['prob_benefit']:.1f}%"
    )
    (compared,) = under(opened, "Death", "analysis")
    assert numbers(compared[1][2]) == wanted
    said, *_ = [one.text for one in opened.paragraphs if "95% probability (median" in one.text]
    assert f"(median {wanted[0]:.2f})" in said


def test_people_and_findings_are_those_of_the_results(opened, outcomes):
    people = outcomes["death"]["tables"]["absolute"]
    (shown,) = under(opened, "Death", "number needed")
    at = shown[0].index("difference")
    for row, line in zip(people, shown[1:], strict=True):
        wanted = [row[name] for name in ("difference", "difference_lower", "difference_upper")]
        found = [float(one.replace("−", "-")) for one in re.findall(r"[−-]?\d+", line[at])]
        assert found == [pytest.approx(one, abs=0.51) for one in wanted]
    (findings,) = under(opened, "Summary of findings")
    assert findings[0][0] == "Outcome"
    assert findings[1][0].startswith("Death")


def test_cautions_limits_methods_and_references_are_there(out, opened, outcomes):
    texts = [one.text for one in opened.paragraphs]
    assert texts[:2] == ["Cells & <care>", "Do they help?"]
    assert "Every numerical gate passed." in texts
    shown = json.loads((out / "report.json").read_text())
    told = [one["text"] for one in shown["results"]["cautions"]]
    assert "Risk of bias is not judged for 2 of 4 studies: B <i>, Davis." in told
    assert len(told) >= len(outcomes["death"]["cautions"])
    for one in told:
        assert any(text.startswith(one) and text.endswith(")") for text in texts), one
    assert "Few trials." in texts
    assert ["about", "as written by the authors of the analysis"] in under(opened, "Methods")[0]
    methods = shown["methods"]
    assert methods["text"] in texts
    listed = [f"{i}. {one}" for i, one in enumerate(methods["references"], start=1)]
    assert [text for text in texts if text in listed] == listed


def test_forests_are_pictures_that_fit_the_page_and_say_what_they_show(opened):
    shapes = opened.inline_shapes
    assert len(shapes) == 2  # a slope has none
    for shape in shapes:
        assert shape.width.mm <= 160.1
        assert shape.height.mm <= 225.1
    said = [one.get("descr") for one in opened.element.xpath("//wp:inline/wp:docPr")]
    assert said[0].startswith("Forest plot of Death. Given this model")
    assert "Risk of bias: 1 some concerns, 1 high." in said[0]
    pictures = list(opened.part.package.image_parts)
    assert {one.content_type for one in pictures} == {"image/png"}
    assert min(one.image.px_width for one in pictures) >= 160 / 25.4 * 300 - 1
    assert any("stands in report.html" in one.text for one in opened.paragraphs)


def test_every_number_of_the_stored_forest_is_a_row_of_the_tables(out, outcomes):
    shown = json.loads((out / "report.json").read_text())["outcomes"][0]["forest"]["rows"]
    rows = [one for one in shown if one["kind"] != "heterogeneity"]
    table = outcomes["death"]["tables"]["studies"]
    assert [one["label"] for one in rows] == [one["label"] for one in table]
    for one, same in zip(rows, table, strict=True):
        for name in ("estimate", "lower", "upper", "weight"):
            assert one[name] == same[name] or math.isclose(one[name], same[name], rel_tol=1e-12)


def test_heads_of_tables_stand_on_every_page_and_findings_across(opened):
    for table in opened.tables:
        assert table.rows[0]._tr.xpath("./w:trPr/w:tblHeader")
    across = [one.page_width > one.page_height for one in opened.sections]
    assert across == [False, True, False]


def test_judgements_are_told_in_words(opened):
    (judged,) = under(opened, "Death", "randomisation process")
    assert judged[1] == ["Adams", "low", "low", "some concerns", "low", "low", "some concerns"]


def text_of(path):
    with ZipFile(BytesIO(path.read_bytes())) as parts:
        return parts.read("word/document.xml")


def test_made_again_it_is_the_same_and_otherwise_it_stays(out):
    first = text_of(out / "report.docx")
    (out / "report.docx").unlink()
    assert call("report", out).exit_code == 0
    assert not (out / "report.docx").exists()
    assert call("report", out / "results.json", "--docx").exit_code == 0
    assert text_of(out / "report.docx") == first
    before = (out / "report.docx").read_bytes()
    assert call("report", out).exit_code == 0
    assert (out / "report.docx").read_bytes() == before
    assert verify(out).problems == ()


def test_what_a_person_wrote_into_it_is_not_overwritten(out):
    before = (out / "report.docx").read_bytes()
    (out / "report.docx").write_bytes(before + b"mine")
    for words in (("report", out), ("report", out, "--docx")):
        result = call(*words)
        assert (result.exit_code, "report.docx is not what the run wrote" in result.output) == (
            2,
            True,
        )
    assert (out / "report.docx").read_bytes() == before + b"mine"
    (out / "report.docx").write_bytes(before)


def test_without_python_docx_it_is_refused_before_the_work(out, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "docx", None)
    monkeypatch.setattr("bayesmeta.analysis.run", None)
    said = "--docx needs python-docx, which is not installed: pip install 'bayesmeta[docx]'."
    for words in (
        ("run", out.parent / "s.toml", "-o", tmp_path / "new", "--docx"),
        ("report", out, "--docx"),
    ):
        result = call(*words)
        assert (result.exit_code, result.output.strip()) == (2, f"bayesmeta: {said}")
