"""Names that someone chose to do harm stay text, wherever they go."""

import ast
import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from click.testing import CliRunner

import bayesmeta as bm
from bayesmeta.cli import main
from bayesmeta.files import to_csv

PACKAGE = Path(bm.__file__).parent
HOSTILE = (
    "<script>alert(1)</script>",
    "</title><svg onload=alert(1)>",
    '"><svg onload=alert(2)> ]]>',
    "{{7*7}} {% raw %}",
    "$x^2$ and a lone $",
    "=cmd|' /C calc'!A0",
    "@SUM(1) \u202egnp.exe \u200b\u2066x",
    "=1+1 " + "x" * 10_000,
    "😀 مرحبا \u061c[red]",
)
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def write(folder):
    """A specification and its table, of hostile names wherever a name may stand."""
    with (folder / "t.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["study", "y", "se", "<img src=x onerror=alert(3)>", "=1+1"])
        for i, name in enumerate(HOSTILE):
            rows.writerow([name, 0.1 * i - 0.3, 0.2 + 0.01 * i, name, name])
    quoted = json.dumps
    spec = "\n".join(
        [
            f"title = {quoted(HOSTILE[1])}",
            f"question = {quoted(HOSTILE[2])}",
            f"arms = [{quoted(HOSTILE[0])}, {quoted(HOSTILE[4])}]",
            f"limits = [{quoted(HOSTILE[3])}]",
            "[[outcome]]",
            'name = "a"',
            f"title = {quoted(HOSTILE[0] + HOSTILE[4] + HOSTILE[6])}",
            'better = "lower"',
            'measure = "OR"',
            'kind = "estimates"',
            'data = "t.csv"',
            f"note = {quoted(HOSTILE[3])}",
            "[[outcome.scenario]]",
            f"name = {quoted(HOSTILE[5])}",
            f"note = {quoted(HOSTILE[1])}",
            "[[outcome.published]]",
            f"label = {quoted(HOSTILE[6])}",
            'measure = "OR"',
            'estimate = "0.76"',
            'lower = "0.60"',
            'upper = "0.96"',
            f"citation = {quoted(HOSTILE[2])}",
        ]
    )
    (folder / "spec.toml").write_text(spec, encoding="utf-8")
    return folder / "spec.toml"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    spec = write(folder)
    result = CliRunner(catch_exceptions=False).invoke(
        main, ["run", str(spec), "-o", str(folder / "out"), "--verbose"]
    )
    assert result.exit_code == 0
    return folder, result


class Page(HTMLParser):
    """Elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts, self.wrong, self.text = 0, [], []

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        self.wrong += [(tag, name) for name, _ in attrs if name.startswith("on")]
        self.wrong += [(tag, value) for _, value in attrs if "javascript:" in (value or "")]
        ours = dict(attrs).get("src", "").startswith("data:image/svg+xml;base64,")
        self.wrong += (
            [(tag, "")] if tag in ("img", "iframe", "object", "embed") and not ours else []
        )

    def handle_data(self, data):
        self.text.append(data)


def page_of(folder):
    page = Page()
    page.feed((folder / "out" / "report.html").read_text(encoding="utf-8"))
    return page


def test_the_name_of_an_index_is_guarded():
    table = pd.DataFrame({"v": [1]}, index=pd.Index(["x"], name="=n"))
    assert to_csv(table) == "'=n,v\nx,1\n"


def test_hostile_names_are_text_of_the_report(ran):
    folder, _ = ran
    page = page_of(folder)
    text = "".join(page.text)
    assert page.wrong == []
    assert "<script>alert(1)</script>" in text
    assert "{{7*7}}" in text
    templates = (PACKAGE / "report" / "templates").glob("*")
    assert page.scripts == sum(one.read_text("utf-8").count("<script") for one in templates)


def test_figures_of_hostile_names_are_sound_and_hold_no_script(ran):
    folder, _ = ran
    figures = sorted((folder / "out").rglob("*.svg"))
    assert figures
    for path in figures:
        for element in ElementTree.fromstring(path.read_text("utf-8")).iter():
            assert not str(element.tag).lower().endswith(("script", "foreignobject"))
            assert not any(name.lower().startswith("on") for name in element.attrib)


def test_numbers_and_draws_hold_hostile_names_as_they_are(ran):
    import xarray as xr

    folder, _ = ran
    text = (folder / "out" / "results.json").read_text("utf-8")
    assert HOSTILE[0] in json.dumps(json.loads(text), ensure_ascii=False)
    with xr.open_datatree(folder / "out" / "a" / "posterior.nc", engine="h5netcdf") as tree:
        assert HOSTILE[0] in tree["observed_data"]["study"].values.tolist()


def test_no_cell_of_a_run_is_a_formula(ran):
    folder, _ = ran
    tables = sorted((folder / "out").rglob("*.csv"))
    cells = [
        cell
        for path in tables
        for row in csv.reader(io.StringIO(path.read_text("utf-8")))
        for cell in row
    ]
    assert any(cell.startswith("'=") for cell in cells)
    assert not [cell for cell in cells if is_formula(cell)]


def is_formula(cell):
    """Whether a spreadsheet would compute a cell, by its first letter that is no blank."""
    if cell[:1] in ("\t", "\r"):
        return True
    if cell.strip()[:1] not in tuple("=+-@＝＋－＠") or not cell.strip():
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


def test_no_terminal_sees_what_it_would_obey(ran, tmp_path):
    _, result = ran
    assert not HIDDEN.search(result.output)
    assert "\\u202e" in result.output
    spec = write(tmp_path)
    table = tmp_path / "t.csv"
    for words in (
        ("check", spec),
        ("model", spec),
        ("fit", table, "--measure", "OR"),
        ("fit", table, "--measure", "OR", "--scale", "analysis", "--verbose", "--evidence"),
        ("explain", table, "--published", "OR 1.1 [0.9, 1.3]", "--verbose"),
        ("fit", table, "--measure", "\u202eOR\x1b[31m"),
        ("batch", table, "--by", "=1+1", "--measure", "OR"),
        ("run", tmp_path / "\u202ex.toml", "-o", tmp_path / "o"),
    ):
        said = CliRunner().invoke(main, [str(one) for one in words])
        assert said.exit_code in (0, 1, 2), words
        assert not HIDDEN.search(said.output), words


def test_tables_on_a_terminal_stay_aligned_where_a_letter_is_escaped(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("study,y,se\n\u202eAb,-0.4,0.2\nBcd,0.1,0.3\n", encoding="utf-8")
    said = CliRunner().invoke(main, ["fit", str(table), "--measure", "OR"]).output
    rows = [line for line in said.split("\n") if re.match(r"\\u202eAb|Bcd", line.strip())]
    assert len({len(line) for line in rows}) == 1
    assert len(rows) == 2


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", " =", "＝", "－", "＠", "＋"])
def test_text_that_begins_like_a_formula_gets_an_apostrophe_in_csv(first):
    text = f"{first}a1"
    table = pd.DataFrame({text: [text, "a"]}, index=[text, "b"])
    read = list(csv.reader(io.StringIO(to_csv(table), newline="")))
    assert read == [["", f"'{text}"], [f"'{text}", f"'{text}"], ["b", "a"]]
    assert f"'{first}" not in to_csv(table, raw_text=True)


def test_numbers_stay_numbers_in_csv():
    table = pd.DataFrame({"x": [-1.5, 2.0], "y": ["-1.5", "+3e-4"], "z": [None, "−1"]})
    assert to_csv(table, index=False) == table.to_csv(index=False, lineterminator="\n")


@pytest.mark.parametrize("command", ["fit", "batch", "batch to standard output"])
def test_raw_text_leaves_the_apostrophe_out(tmp_path, command):
    table, out = tmp_path / "t.csv", tmp_path / "out.csv"
    table.write_text("g,study,y,se\n=1,=1+1,-0.4,0.2\n=1,B,0.1,0.3\n")
    words = {
        "fit": ["fit", table, "--measure", "OR", "-o", out],
        "batch": ["batch", table, "--by", "g", "--measure", "OR", "-o", out],
        "batch to standard output": ["batch", table, "--by", "g", "--measure", "OR"],
    }[command]
    for more, wanted in (((), True), (("--raw-text",), False)):
        said = CliRunner(catch_exceptions=False).invoke(main, [str(one) for one in (*words, *more)])
        assert said.exit_code == 0
        text = out.read_text() if "-o" in words else said.stdout
        guarded = "'=1" in text if command != "fit" else "theta[=1+1]" in text
        assert guarded is wanted or command == "fit"


def test_every_command_prints_by_one_function():
    for path in (PACKAGE / "cli").rglob("*.py"):
        if path.name != "echo.py":
            text = path.read_text("utf-8")
            assert not re.search(r"click\.s?echo\(|click\.secho|(?<!console\.)\bprint\(", text), (
                path
            )


FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "yaml"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}


def test_nothing_of_the_package_runs_what_it_reads():
    """No pickle, eval, exec or yaml, and no shell."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            assert not forbidden(node), f"{path}, line {getattr(node, 'lineno', 0)}"


def forbidden(node):
    match node:
        case ast.Import(names=names):
            return any(one.name.split(".")[0] in FORBIDDEN_MODULES for one in names)
        case ast.ImportFrom(module=module):
            return (module or "").split(".")[0] in FORBIDDEN_MODULES
        case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_CALLS:
            return True
        case ast.Call(func=ast.Attribute(attr=name)) if name in ("read_pickle", "to_pickle"):
            return True
        case ast.keyword(arg="allow_pickle" | "shell", value=ast.Constant(value=True)):
            return True
        case ast.Attribute(value=ast.Name(id="os"), attr="system" | "popen"):
            return True
    return False


@pytest.mark.parametrize(
    "text",
    ["import pickle", "from yaml import load", "eval('1')", "exec(x)", "compile(a, b, 'eval')",
     "pd.read_pickle(x)", "np.load(x, allow_pickle=True)", "run(x, shell=True)", "os.system(x)"],
)  # fmt: skip
def test_what_is_forbidden_is_found(text):
    assert any(forbidden(node) for node in ast.walk(ast.parse(text)))
