"""The command line: what it writes, what it says, and how it refuses."""

import csv
import errno
import fcntl
import io
import json
import os
import re
import signal
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import click
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result
from unhurried import unhurried

import bayesmeta as bm
from bayesmeta.cli import main
from bayesmeta.cli.shown.progress import progress, telling
from bayesmeta.engines import fit as fit_model
from bayesmeta.posterior import Check, Diagnostics

ROOT = Path(__file__).parents[1]
# A shell has what it starts in the background ignore Ctrl-C, pytest among it: these do not.
BAYESMETA = (
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from bayesmeta.__main__ import main; main('bayesmeta')",
)

ESTIMATES = "study,y,se\nShu,-0.4,0.2\nZhu,0.1,0.3\nLanzoni,-0.3,0.4\nMonsel,-0.2,0.5\n"
COUNTS = (
    "study,events_treatment,n_treatment,events_control,n_control\n"
    "Shu,0,12,3,29\nZhu,0,29,2,29\nMonsel,5,21,4,24\n"
)
SPEC = """\
title = "Three trials"
question = "Does it help?"
limits = ["They are small."]

[[outcome]]
name = "death"
title = "Death from any cause"
better = "lower"
kind = "estimates"
measure = "RR"
data = "trials.csv"
why.mu = "weakly informative"

[[outcome.scenario]]
name = "all"

[[outcome.scenario]]
name = "without Shu"
drop = { Shu = "another dose" }

[[outcome.published]]
label = "Smith 2024"
measure = "RR"
estimate = "0.80"
lower = "0.60"
upper = "1.07"
citation = "https://example.org/smith"
alone = true
n = 300
"""
PUBLISHED = """\
title = "What reviews say"

[[outcome]]
name = "crp"
title = "CRP"
better = "lower"
measure = "MD"

[[outcome.published]]
label = "Smith 2024"
measure = "MD"
estimate = "-32.5"
lower = "-48.4"
upper = "-16.6"
alone = true
n = 88

[[outcome.published]]
label = "Jones 2023"
verdict = "decreased; no figure"
"""


def write(folder: Path, spec: str = SPEC, table: str = ESTIMATES) -> Path:
    (folder / "trials.csv").write_text(table, encoding="utf-8")
    path = folder / "spec.toml"
    path.write_text(spec, encoding="utf-8")
    return path


def call(*words: object) -> Result:
    """Run a command in this process; anything but an exit is a bug and is raised."""
    result = CliRunner(catch_exceptions=False).invoke(main, list(map(str, words)))
    assert "Traceback" not in result.output
    return result


def refused(*words: object) -> str:
    """Run a command that must be refused: status 2, one line on stderr, nothing on stdout."""
    result = call(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("bayesmeta: ")
    assert result.stderr.endswith("\n")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("bayesmeta: ").strip()


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines(keepends=True)


class Page(HTMLParser):
    """What a page shows and what it would fetch; tags must nest."""

    VOID = ("meta", "br", "img", "link", "hr", "input")

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every fit fail one numerical gate."""
    broken = Diagnostics((Check("R-hat", "mu", 1.7, 1.01, at_most=True),))

    def fit(*arguments):
        return replace(fit_model(*arguments), diagnostics=broken)

    monkeypatch.setattr("bayesmeta.engines.fit", fit)


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> tuple[Result, Path]:
    folder = tmp_path_factory.mktemp("ran")
    return call("run", write(folder), "-o", folder / "out"), folder / "out"


# ------------------------------------------------------------------------------------------ help


def test_python_runs_the_package_as_the_command():
    typed = [sys.executable, "-m", "bayesmeta", "--version"]
    said = subprocess.run(typed, capture_output=True, text=True, check=True).stdout
    assert said == f"python -m bayesmeta, version {bm.__version__}\n"


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", ["", *main.commands])
def test_help_says_what_each_command_and_option_does(command, flag):
    result = call(*filter(None, [command]), flag)
    assert result.exit_code == 0
    assert result.stderr == ""
    asked = main.commands[command] if command else main
    assert asked.help.splitlines()[0].split()[0] in result.stdout
    for option in asked.params:
        if isinstance(option, click.Option):
            assert option.help, option.name
            assert option.opts[-1] in result.stdout


def test_version_is_the_package_s():
    assert bm.__version__ in call("--version").stdout


def test_command_without_its_words_is_refused():
    for words in (["run"], ["run", "s.toml"], ["fit", "t.csv"], ["model"], ["plot"]):
        result = call(*words)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "Error: " in result.stderr


# ------------------------------------------------------------------------------------------- run


def test_run_writes_report_numbers_tables_posterior_and_figures(ran):
    result, folder = ran
    assert (result.exit_code, result.stderr) == (0, "")
    tables = ("comparison", "diagnostics", "excluded", "heterogeneity", "parameters", "published")
    assert {path.name for path in folder.iterdir()} == {
        *("report.html", "report.json", "results.json", "manifest.json", "checklist.csv"),
        "death",
        *("findings.csv", "findings.md", "findings.tex"),
    }
    assert {path.name for path in (folder / "death").iterdir()} == {
        *("posterior.nc", "tables", "figures"),
    }
    for name in (*tables, "scenarios", "studies", "what-if"):
        if name == "excluded":  # nothing is left out of the main scenario
            assert not (folder / "death/tables/excluded.csv").exists()
            continue
        rows = list(csv.reader(lines(folder / f"death/tables/{name}.csv")))
        assert len(rows) > 1
        assert len({len(row) for row in rows}) == 1
    assert not [name for name in files(folder) if name.startswith(".")]
    assert "NUTS" not in result.stdout  # only counts have a second source
    figures = sorted((folder / "death/figures").iterdir())
    assert [path.stem for path in figures] == [
        *("bayes-factors", "forest-narrow", "forest", "left-out", "predictive"),
        *("prior-posterior", "scenarios", "what-if-narrow", "what-if"),
    ]
    for path in figures:
        ElementTree.fromstring(path.read_text(encoding="utf-8"))


def test_terminal_shows_the_answers_and_where_the_report_is(ran):
    result, folder = ran
    for words in (
        "answer [95%]",
        "Death from any cause",
        "0.80 [0.60, 1.07]",
        "Caution: With 4 studies tau rests largely on its prior",
        f"Report: {folder / 'report.html'}",
    ):
        assert words in result.stdout
    assert "NOT SOUND" not in result.stdout


def test_every_comparison_is_printed_on_request_and_nothing_if_so_asked(tmp_path):
    path = write(tmp_path)
    said = call("run", path, "-o", tmp_path / "out", "--verbose").stdout
    for words in (
        "Death from any cause: RR [95% interval], lower is better",
        "two-stage (normal–normal)",
        "REML, HKSJ",
        "Smith 2024",
        "Model: NormalNormal(",
        "answer [95%]",
    ):
        assert words in said
    quiet = call("run", path, "-o", tmp_path / "out", "--quiet")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, "", "")


def test_long_work_says_what_it_does_where_there_is_no_terminal(tmp_path, monkeypatch):
    monkeypatch.setattr("bayesmeta.cli.shown.progress.EVERY", 0.0)
    result = call("run", write(tmp_path), "-o", tmp_path / "out")
    assert " s: Death from any cause: all: two-stage (normal–normal)\n" in result.stderr
    assert " s: Three trials: report\n" in result.stderr
    assert " s: " not in result.stdout
    quiet = call("run", write(tmp_path), "-o", tmp_path / "out", "--quiet")
    assert quiet.stderr == ""


def test_step_that_lasts_is_said_again_by_the_innermost_that_speaks(monkeypatch, capsys):
    monkeypatch.setattr("bayesmeta.cli.shown.progress.EVERY", 0.01)
    monkeypatch.setattr("bayesmeta.cli.shown.progress.LEAST", 0.01)
    said = []

    def heard(words):
        said.extend(capsys.readouterr().err.splitlines())
        return sum(line.endswith(f" s: {words}") for line in said)

    def work():
        with progress() as say:
            say("Mortality", "NUTS")
            while heard("Mortality: NUTS") < 3:
                pass
        said.clear()
        while not heard("fit: at work"):
            pass

    telling("fit", work)()
    with progress(quiet=True) as say:
        say("Mortality", "NUTS")
    time.sleep(0.05)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("title", ["[/bold]", "[red]x[/red]", "{task}", "a\x1b[31mb\nc"])
def test_title_in_the_line_of_progress_is_text(title, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with progress() as say:
        say(title, title)
    shown = capsys.readouterr().err
    plain = title.replace("\n", " ").replace("\x1b", "\\u001b")
    assert plain in re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", shown)


def test_table_that_is_typed_is_asked_for(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    telling("fit", lambda table: None)(table=Path("-"))
    words = "The table is read from standard input: end it with Ctrl-D.\n"
    assert capsys.readouterr().err == words


def test_numbers_are_valid_json_without_nan(ran):
    def no_constant(name):
        raise AssertionError(name)

    text = (ran[1] / "results.json").read_text(encoding="utf-8")
    content = json.loads(text, parse_constant=no_constant)
    assert content["passed"] is True
    assert content["title"] == "Three trials"
    assert content["specification"] == SPEC
    assert set(content["sha256"]) == {"spec.toml", "trials.csv"}
    assert content["versions"]["bayesmeta"] == bm.__version__
    death = content["outcomes"]["death"]
    scenarios = {row["scenario"]: row["k"] for row in death["tables"]["scenarios"]}
    assert scenarios == {"all": 4, "without Shu": 3}
    row = death["tables"]["comparison"][0]
    data = bm.EffectSizes.from_arrays(
        ["Shu", "Zhu", "Lanzoni", "Monsel"],
        [-0.4, 0.1, -0.3, -0.2],
        [0.2, 0.3, 0.4, 0.5],
        measure="RR",
    )
    model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    assert row["estimate"] == bm.fit(model, data)["mu"].quantile(0.5)


def test_report_is_one_page_that_fetches_nothing(ran):
    shown = page(ran[1])
    allowed = {"html", "head", "meta", "title", "style", "body", "main", "section", "nav", "figure"}
    allowed |= {"figcaption", "a", "p", "div", "span", "strong", "br", "ul", "ol", "li", "pre"}
    allowed |= {"h1", "h2", "h3", "h4", "table", "caption", "thead", "tbody", "tr", "th", "td"}
    allowed |= {"header", "details", "summary"}
    allowed |= {"svg", "defs", "g", "path", "use", "rect", "clippath"}  # of drawings
    assert {tag for tag, _ in shown.tags} <= allowed
    for tag, attributes in shown.tags:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if re.match(r"\s*(https?:)?//|\s*javascript:", value or ""):
                assert (tag, name) == ("a", "href")
    text = (ran[1] / "report.html").read_text(encoding="utf-8")
    assert "@import" not in text
    assert text.count("url(") == text.count("url(#")
    identifiers = [attributes["id"] for _, attributes in shown.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    inner = [attributes["href"] for tag, attributes in shown.tags if tag == "a"]
    assert {link[1:] for link in inner if link.startswith("#")} <= set(identifiers)
    drawn = [attributes["href"] for tag, attributes in shown.tags if tag == "use"]
    assert {link[1:] for link in drawn if link.startswith("#")} <= set(identifiers)
    assert all(link.startswith("#") for link in drawn)
    assert sum(tag == "figure" for tag, _ in shown.tags) == 7


def test_report_says_that_the_gates_passed_and_what_it_rests_on(ran):
    text = page(ran[1]).text
    assert "Every numerical gate passed" in text
    assert "NOT SOUND" not in text
    for words in ("They are small.", "HalfNormal(0.5)", "weakly informative", "Does it help?"):
        assert words in text
    assert f"bayesmeta {bm.__version__}" in text
    assert "Not modelled: covariates and subgroups, networks" in text


def test_published_figures_alone_make_a_report(tmp_path):
    result = call("run", write(tmp_path, PUBLISHED), "-o", tmp_path / "out")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Smith 2024" in result.stdout
    assert list(files(tmp_path / "out")) == [
        "checklist.csv",
        *("crp/posterior.nc", "crp/tables/diagnostics.csv", "crp/tables/published.csv"),
        *("findings.csv", "findings.md", "findings.tex"),
        *("manifest.json", "report.html", "report.json", "results.json"),
    ]
    text = page(tmp_path / "out").text
    assert "MD -32.5 [-48.4, -16.6]" in text
    # a unit-information prior of 88 patients: -32.5 · 88/89, ± 15.9 · √(88/89)
    lead = "(posterior median with its 95% interval): Smith 2024 MD −32.13 [−47.95, −16.32]"
    assert lead in text
    assert "MD −32.13 [−47.95, −16.32]" in result.stdout
    assert "decreased; no figure" in result.stdout
    assert "decreased; no figure" in text
    assert "as vague as one of the 88 patients" in text


def test_figure_without_anything_to_analyse_is_reported_as_such(tmp_path):
    spec = PUBLISHED.replace("alone = true", "alone = false")
    result = call("run", write(tmp_path, spec), "-o", tmp_path / "out", "--verbose")
    assert result.exit_code == 0
    assert "No figure to analyse was found." in result.stdout


# A process that dies with another status when it opens a socket, or asks for an address.
WITHOUT_SOCKETS = """
import os, sys

def watch(event, arguments):
    if event.startswith("socket."):
        os.write(2, f"{event} {arguments}".encode())
        os._exit(99)

sys.addaudithook(watch)
from bayesmeta.cli import main

main(prog_name="bayesmeta")
"""
ELSEWHERE = {
    "TZ": "Asia/Tokyo",
    "LC_ALL": "C",
    "LANG": "de_DE.UTF-8",
    "PYTHONHASHSEED": "7",
    "PYTHONWARNINGS": "error",
}


@pytest.mark.deep("a process runs everything: 4 s", but=["estimates"])
@pytest.mark.parametrize("spec", [SPEC, PUBLISHED], ids=["estimates", "published only"])
def test_another_process_zone_locale_and_seed_give_the_same_files_and_no_socket(tmp_path, spec):
    path = write(tmp_path, spec)
    call("run", path, "-o", tmp_path / "a")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SOCKETS, "run", path, "-o", tmp_path / "b"],
        capture_output=True,
        text=True,
        env={**os.environ, **ELSEWHERE},
        cwd="/",
    )
    assert (done.returncode, unhurried(done.stderr)) == (0, "")
    first, second = files(tmp_path / "a"), files(tmp_path / "b")
    assert list(first) == list(second)
    for name in first:
        assert first[name] == second[name], name


ONE_CORE = f"import os; os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}}); {BAYESMETA[2]}"
EXTRAPOLATED = "/outcomes/death/tables/tau-by-scale/"  # where the fit's nodes end, from its noise


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen")
@pytest.mark.deep("a process on one core runs everything: 6 s")
def test_one_core_gives_the_same_draws_and_the_same_numbers_to_twelve_digits(tmp_path):
    counts = SPEC.replace('"estimates"', '"counts"').replace('drop = { Shu = "another dose" }', "")
    path = write(tmp_path, counts.replace("alone = true", ""), COUNTS)
    call("run", path, "-o", tmp_path / "a")
    subprocess.run(
        [sys.executable, "-c", ONE_CORE, "run", path, "-o", tmp_path / "b", "--quiet"], check=True
    )
    first, second = (numbers_of(tmp_path / name / "results.json") for name in "ab")
    assert first.keys() == second.keys()
    for place, value in first.items():
        rel = 1e-9 if place.startswith(EXTRAPOLATED) else 1e-12
        near = pytest.approx(value, rel=rel, abs=1e-13) if isinstance(value, float) else value
        assert second[place] == near, place
    nuts = [xr.open_datatree(tmp_path / name / "death" / "posterior-nuts.nc") for name in "ab"]
    assert nuts[0]["posterior"].dataset.identical(nuts[1]["posterior"].dataset)


def numbers_of(path: Path) -> dict[str, object]:
    """Every number, text and null of a JSON file, by its place."""
    found: dict[str, object] = {}

    def walk(each: object, place: str) -> None:
        if isinstance(each, dict | list):
            items = each.items() if isinstance(each, dict) else enumerate(each)
            for name, one in items:
                walk(one, f"{place}/{name}")
        else:
            found[place] = each

    walk(json.loads(path.read_text(encoding="utf-8")), "")
    return found


def test_second_run_takes_the_place_of_the_first(tmp_path):
    path, out = write(tmp_path, PUBLISHED), tmp_path / "out"
    call("run", path, "-o", out)
    first = files(out)
    path.write_text(PUBLISHED.replace("What reviews say", "Second"), encoding="utf-8")
    call("run", path, "-o", out)
    assert "Second" in page(out).text
    assert list(files(out)) == list(first)


# ----------------------------------------------------------------------------------------- gates


def test_failed_gate_is_marked_in_terminal_and_on_the_first_screen(tmp_path, monkeypatch):
    failing(monkeypatch)
    result = call("run", write(tmp_path), "-o", tmp_path / "out", "--verbose")
    assert result.exit_code == 1
    assert result.stderr == "A numerical gate failed: see the marked tables and the report.\n"
    assert "two-stage (normal–normal) NOT SOUND" in " ".join(result.stdout.split())
    assert (
        "Death from any cause, all: two-stage (normal–normal): R-hat (mu) 1.7, must be ≤ 1.01"
        in " ".join(result.stdout.split())
    )
    text = page(tmp_path / "out").text
    first_screen = text[: text.index("What this analysis cannot say")]
    assert "A numerical gate failed: the marked answers must not be used." in first_screen
    assert first_screen.index("must not be used") < first_screen.index("Answers at a glance")
    assert "Death from any cause — NOT SOUND" in first_screen
    assert "two-stage (normal–normal) — NOT SOUND" in text
    assert "without Shu — NOT SOUND" in text
    content = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert content["passed"] is False
    assert set(content["outcomes"]["death"]["failed_gates"]) == {
        "all: two-stage (normal–normal)",
        "without Shu: two-stage (normal–normal)",
        "Smith 2024",
    }


def test_failed_gate_of_a_published_figure_is_marked(tmp_path, monkeypatch):
    failing(monkeypatch)
    result = call("run", write(tmp_path, PUBLISHED), "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "NOT SOUND Smith 2024" in " ".join(result.stdout.split())
    assert "NOT SOUND" in page(tmp_path / "out").text


def test_failed_gate_of_a_single_fit_is_told(tmp_path, monkeypatch):
    write(tmp_path)
    failing(monkeypatch)
    result = call("fit", tmp_path / "trials.csv", "--measure", "RR")
    assert result.exit_code == 1
    assert result.stderr == "Not sound: R-hat (mu) 1.7, must be ≤ 1.01\n"
    assert "\nShu " in result.stdout


def test_data_that_the_prior_forbids_fail_a_gate(tmp_path):
    write(tmp_path)
    result = call("fit", tmp_path / "trials.csv", "--measure", "RR", "--mu", "Uniform(8, 9)")
    assert result.exit_code == 1
    assert "Not sound: share of what the data say of mu that its prior allows" in result.stderr


# -------------------------------------------------------------------------------------- refusals

BAD = {
    "misspelt key": (
        SPEC.replace("better =", "beter ="),
        ESTIMATES,
        r"spec\.toml, line 8: unknown key 'beter' in \[\[outcome\]\]; did you mean 'better'\?",
    ),
    "not TOML": (SPEC + "\n[[", ESTIMATES, "spec.toml is not valid TOML"),
    "unknown measure": (
        SPEC.replace('measure = "RR"\ndata', 'measure = "risk"\ndata'),
        ESTIMATES,
        "line 10: measure must be 'OR', 'RR', .*; got 'risk'",
    ),
    "missing table": (SPEC.replace("trials.csv", "no.csv"), ESTIMATES, "no.csv cannot be read: No"),
    "missing column": (
        SPEC,
        ESTIMATES.replace("study,y,se", "study,y,spread"),
        "trials.csv: The table has no column 'se' .*; it has study, y, spread",
    ),
    "missing study column": (
        SPEC,
        ESTIMATES.replace("study", "ward"),
        "trials.csv: The table has no column 'study'; it has ward, y, se",
    ),
    "missing number": (
        SPEC,
        ESTIMATES.replace("0.1,0.3", "0.1,"),
        r"se is missing .* Zhu \(row 2\)",
    ),
    "no number": (SPEC, ESTIMATES.replace("0.1,0.3", "0.1,n/s"), r"check Zhu \(row 2\): got 'n/s'"),
    "study twice": (SPEC, ESTIMATES.replace("Zhu", "Shu"), "these repeat: Shu"),
    "study that is not there": (
        SPEC.replace("{ Shu =", "{ Su ="),
        ESTIMATES,
        "death, scenario 'without Shu' names Su, which is not a row",
    ),
    "nothing left": (
        SPEC.replace(
            '{ Shu = "another dose" }', '{ Shu = "", Zhu = "", Lanzoni = "", Monsel = "" }'
        ),
        ESTIMATES,
        "The table has no rows to analyse; check the file and what is excluded",
    ),
    "empty table": (SPEC, "", "trials.csv is empty"),
    "header only": (SPEC, "study,y,se\n", "trials.csv has a header but no rows"),
    "our own label": (
        SPEC.replace("Smith 2024", "REML, HKSJ"),
        ESTIMATES,
        "published label 'REML, HKSJ' is the name of one of our own fits",
    ),
    "impossible prior": (
        SPEC.replace('why.mu = "weakly informative"', 'tau = "Normal(0, 1)"'),
        ESTIMATES,
        r"tau is a standard deviation and cannot be negative",
    ),
    "line end in a name": (
        SPEC.replace("{ Shu =", '{ "S\\nu\\u202e" ='),
        ESTIMATES,
        r"names S u\\u202e, which is not a row",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_run_that_cannot_be_done_is_refused_in_one_line_and_leaves_nothing(tmp_path, what):
    spec, table, words = BAD[what]
    path, out = write(tmp_path, spec, table), tmp_path / "out"
    assert re.search(words, refused("run", path, "-o", out))
    assert not out.exists()
    out.mkdir()
    (out / "report.html").write_text("old")
    refused("run", path, "-o", out)
    assert files(out) == {"report.html": b"old"}


def test_unreadable_specification_is_refused(tmp_path):
    assert "No such file or directory" in refused("run", tmp_path / "no.toml", "-o", tmp_path)
    assert "Is a directory" in refused("run", tmp_path, "-o", tmp_path / "out")
    assert "Is a directory" in refused("model", tmp_path)
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    assert "save it as UTF-8" in refused("run", tmp_path / "x.toml", "-o", tmp_path / "out")


def test_output_that_is_a_file_is_refused_before_the_work(tmp_path, monkeypatch):
    path = write(tmp_path)
    monkeypatch.setattr("bayesmeta.analysis.run", lambda *_, **__: pytest.fail("too late"))
    assert "trials.csv is a file; name a folder" in refused(
        "run", path, "-o", tmp_path / "trials.csv"
    )
    assert "is a file" in refused("run", path, "-o", tmp_path / "trials.csv" / "out")
    assert (tmp_path / "trials.csv").read_text() == ESTIMATES


@pytest.mark.deep("a run a file: 4 s")
@pytest.mark.parametrize(
    "name", ["posterior.nc", "forest.svg", "results.json", "report.html", "manifest.json"]
)
def test_full_disk_leaves_the_old_files_alone(tmp_path, monkeypatch, name):
    path, out = write(tmp_path), tmp_path / "out"
    out.mkdir()
    call("run", path, "-o", out)
    old = files(out)
    for method in ("write_text", "write_bytes"):
        monkeypatch.setattr(Path, method, _full_at(name, getattr(Path, method)))
    said = refused("run", path, "-o", out)
    assert (
        said == f"Writing to {out} failed: No space left on device. Nothing was left half-written."
    )
    assert files(out) == old


def _full_at(name, write):
    def limited(self, *arguments, **keywords):
        if self.name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(self, *arguments, **keywords)

    return limited


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_folder_without_permission_is_refused(tmp_path):
    path, out = write(tmp_path), tmp_path / "out"
    out.mkdir(mode=0o500)
    assert "out cannot be written to: Permission denied" in refused("run", path, "-o", out)


# ------------------------------------------------------------------------------------- odd names

NAMES = (
    "<script>alert(1)</script>",
    "[bold]x[/] [/] [link=x]",
    "=1+1",
    "+cmd|' /C calc'!A0",
    "$\\frac{1}{0}$ & _x^2",
    "Жуков Ünïcödé Ελλ",
    "very long name " * 20 + "end",
    "a" * 300,
    'say "x"',
    "{{ 7 * 7 }} {% raw %}",
)


def named(names: tuple[str, ...]) -> str:
    rows = [["study", "y", "se", "note"]]
    rows += [[name, str(i / 10), "0.3", name] for i, name in enumerate(names)]
    return "".join(",".join('"' + c.replace('"', '""') + '"' for c in row) + "\n" for row in rows)


def test_names_with_markup_survive_in_every_file(tmp_path):
    spec = SPEC.split("[[outcome.scenario]]")[0]
    result = call("run", write(tmp_path, spec, named(NAMES)), "-o", tmp_path / "out")
    assert (result.exit_code, result.stderr) == (0, "")
    shown, out = page(tmp_path / "out"), tmp_path / "out"
    assert not [tag for tag, _ in shown.tags if tag == "script"]
    rows = list(csv.DictReader(lines(out / "death/tables/studies.csv")))
    content = json.loads((out / "results.json").read_text(encoding="utf-8"))
    studies = [row["label"] for row in content["outcomes"]["death"]["tables"]["studies"]]
    for name in NAMES:
        tidy = " ".join(name.split())
        assert tidy in shown.text
        apostrophe = "'" if tidy.startswith(("=", "+", "-", "@")) else ""
        assert apostrophe + tidy in [row["label"] for row in rows]
        assert tidy in studies
    for picture in out.rglob("*.svg"):
        assert not [e for e in ElementTree.parse(picture).iter() if e.tag.endswith("script")]


@pytest.mark.deep("a whole run: 1 s")
def test_markup_in_the_specification_is_shown_as_typed(tmp_path):
    odd = "<b>T</b> [bold]x[/] [/] {{ 7 * 7 }}"
    spec = SPEC.replace("Three trials", odd).replace("Death from any cause", odd)
    spec = spec.replace("Smith 2024", odd).replace("without Shu", odd).replace("They are", odd)
    spec = spec.replace("weakly informative", odd).replace("Does it help?", "</title><img src=x>")
    spec = spec.replace("https://example.org/smith", "javascript:alert(1)")
    result = call("run", write(tmp_path, spec), "-o", tmp_path / "out")
    assert (result.exit_code, result.stderr) == (0, "")
    assert odd[:20] in result.stdout
    shown = page(tmp_path / "out")
    assert shown.text.count(odd) >= 6
    assert not [tag for tag, _ in shown.tags if tag == "b"]
    assert all(a.get("src", "").startswith("data:") for tag, a in shown.tags if tag == "img")
    assert not [a for tag, a in shown.tags if "javascript" in (a.get("href") or "")]


@pytest.mark.deep("a whole run: 1 s")
def test_names_in_scripts_that_the_font_lacks_do_not_stop_a_run_and_are_said_once(tmp_path):
    names = ("張三 2021", "😀", "עברית العربية")
    spec = SPEC.split("[[outcome.scenario]]")[0]
    result = call("run", write(tmp_path, spec, named(names)), "-o", tmp_path / "out")
    assert (result.exit_code, result.stderr) == (0, "")
    said = "The font of the figures lacks 張, 三"
    assert result.stdout.count(said) == 1
    shown = page(tmp_path / "out").text
    assert all(name in shown for name in names)
    assert shown.count(said) == 1


def test_markup_in_names_is_shown_as_typed_by_a_single_fit(tmp_path):
    write(tmp_path, table=named(NAMES))
    result = call("fit", tmp_path / "trials.csv", "--measure", "RR")
    assert result.exit_code == 0
    for name in NAMES:
        whole = " ".join(name.split())
        assert f"\n{whole if len(whole) <= 32 else whole[:31] + '…'} " in result.stdout


# ------------------------------------------------------------------------------------------- fit


def test_fit_on_estimates_prints_and_writes_the_posterior(tmp_path):
    write(tmp_path)
    words = ("fit", tmp_path / "trials.csv", "--measure", "RR", "--tau", "HalfNormal(0.3)")
    result = call(*words, "-o", tmp_path / "new" / "f.nc")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "NormalNormal(mu=Normal(0, 2), tau=HalfNormal(0.3))" in result.stdout
    for row in ("overall effect ", "tau (of the log RR) ", "Shu ", "in a new setting "):
        assert f"\n{row}" in result.stdout
    assert list(files(tmp_path / "new")) == ["f.nc"]


def test_fit_on_counts_is_two_stage_unless_told_otherwise(tmp_path):
    write(tmp_path, table=COUNTS)
    result = call("fit", tmp_path / "trials.csv", "--measure", "OR", "--prob", "0.9")
    assert (result.exit_code, result.stderr) == (0, "")
    studies = bm.BinaryStudies(
        study=("Shu", "Zhu", "Monsel"),
        events_treatment=[0, 0, 5],
        n_treatment=[12, 29, 21],
        events_control=[3, 2, 4],
        n_control=[29, 29, 24],
    )
    data = bm.effect_sizes(studies, measure="OR")
    exact = bm.fit(bm.default_model(data), data)
    lower, upper = exact["mu"].interval(0.9)
    row = next(line.split() for line in result.stdout.splitlines() if line.startswith("overall"))
    assert row[3:5] == [f"{np.exp(one):.4f}" for one in (lower, upper)]
    assert "OR [90%]" in result.stdout
    words = (
        "fit",
        tmp_path / "trials.csv",
        "--measure",
        "OR",
        "--prob",
        "0.9",
        "--scale",
        "analysis",
    )
    logs = call(*words).stdout
    row = next(line.split() for line in logs.splitlines() if line.startswith("mu "))
    assert row[4:6] == [f"{lower:.4f}", f"{upper:.4f}"]
    assert "\nlog OR\n" in logs


def test_fit_on_printed_intervals_reads_ratios(tmp_path):
    write(tmp_path, table="study,estimate,lower,upper\nA,0.80,0.60,1.07\nB,0.50,0.25,1.00\n")
    result = call("fit", tmp_path / "trials.csv", "--measure", "HR")
    assert result.exit_code == 0
    assert "\nB  " in result.stdout


@pytest.mark.parametrize(
    ("table", "words", "said"),
    [
        (ESTIMATES, ["--measure", "risk"], "measure 'risk' is not one of OR, RR"),
        (COUNTS, ["--measure", "MD"], "the measure OR, RR or RD, not 'MD'"),
        (ESTIMATES, ["--measure", "MD"], "No default prior exists for MD"),
        (ESTIMATES, ["--measure", "RR", "--mu", "flat"], "'flat' is not a prior; write it like"),
        (ESTIMATES, ["--measure", "RR", "--tau", "Normal(0, 1)"], "tau is a standard deviation"),
        (
            ESTIMATES,
            ["--measure", "RR", "--counts"],
            "--counts needs a table with events or means per arm",
        ),
        (ESTIMATES, ["--measure", "RR", "--prob", "95"], "prob must lie between 0 and 1"),
        (ESTIMATES, ["--measure", "RR", "--prob", "nan"], "prob must lie between 0 and 1"),
        ("study,y\nA,1\n", ["--measure", "RR"], "has no column 'se'"),
        ("a,b\n1,2\n", ["--measure", "RR"], "has no column 'study'"),
        ("", ["--measure", "RR"], "is empty"),
        (ESTIMATES, ["--measure", "RR", "-o", "."], "is a folder; name a file to write"),
        (ESTIMATES, ["--measure", "RR", "-o", "trials.csv/f.nc"], "trials.csv is a file"),
    ],
)
def test_fit_that_cannot_be_done_is_refused_in_one_line(tmp_path, monkeypatch, table, words, said):
    write(tmp_path, table=table)
    monkeypatch.chdir(tmp_path)
    assert said in refused("fit", "trials.csv", *words)
    assert sorted(files(tmp_path)) == ["spec.toml", "trials.csv"]


def test_seed_below_zero_is_refused(tmp_path):
    write(tmp_path)
    result = call("fit", tmp_path / "trials.csv", "--measure", "RR", "--seed", "-1")
    assert result.exit_code == 2
    assert "-1 is not in the range" in result.stderr


def test_seed_is_that_of_nuts_and_of_the_draws_written(tmp_path, monkeypatch):
    asked = {}

    def fit(model, data, engine):
        asked["engine"] = engine
        return fit_model(model, data)

    monkeypatch.setattr("bayesmeta.engines.fit", fit)
    monkeypatch.setattr("bayesmeta.files.write_posterior", lambda *_, seed: asked.update(seed=seed))
    write(tmp_path)
    words = ("--measure", "RR", "--nuts", "--seed", 7, "-o", tmp_path / "f.nc")
    assert call("fit", tmp_path / "trials.csv", *words).exit_code == 0
    assert asked == {"engine": bm.NUTS(seed=7), "seed": 7}


def test_prob_is_that_of_the_answers_without_studies_without_events(tmp_path, monkeypatch):
    asked = {}

    def zero_studies(posterior, **settings):
        asked.update(settings)
        return bm.summary(posterior)

    def no_factors(_):
        raise bm.ModelError("No factors.")

    monkeypatch.setattr("bayesmeta.evidence.bayes_factors", no_factors)
    monkeypatch.setattr("bayesmeta.evidence.zero_studies", zero_studies)
    write(tmp_path, table=COUNTS)
    words = ("--measure", "OR", "--counts", "--evidence", "--prob", "0.9")
    result = call("fit", tmp_path / "trials.csv", *words)
    assert "Studies without events" in result.stdout
    assert asked == {"prob": 0.9}


# ----------------------------------------------------------------------------------------- model


def test_model_prints_mathematics_and_source(tmp_path):
    spec = SPEC.replace('kind = "estimates"\n', "") + PUBLISHED.partition("\n")[2]
    result = call("model", write(tmp_path, spec))
    assert (result.exit_code, result.stderr) == (0, "")
    for words in (
        "# Death from any cause",
        "## counts (binomial–normal)",
        "## two-stage (normal–normal)",
        "τ ~ HalfNormal(0.5)",
        "with pm.Model(",
        "# CRP",
        "Published figures only, each alone: y ~ Normal(μ, se)",
    ):
        assert words in result.stdout
    sources = re.split(r"\n(?=import numpy)", result.stdout)[1:]
    assert len(sources) == 2
    for source in sources:
        compile(re.split(r"\n#", source)[0], "source", "exec")


# -------------------------------------------------------------------------------- real processes


@contextmanager
def started(*words: object, **keywords):
    with subprocess.Popen(
        [*BAYESMETA, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **keywords
    ) as process:
        try:
            yield process
        finally:
            process.kill()  # or a test that fails would wait for it


@pytest.mark.deep("a process that runs everything: 2 s")
def test_reader_that_leaves_early_gets_no_traceback(tmp_path):
    """As ``bayesmeta run ... | head -1`` does; the files are complete all the same."""
    for words in (["run", write(tmp_path, PUBLISHED), "-o", tmp_path / "out"], ["--version"]):
        with started(*words) as process:
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 141 or words == ["--version"]
    assert "report.html" in files(tmp_path / "out")


def waited_for(folder: Path, pattern: str) -> None:
    """Wait until there is a file."""
    for _ in range(2400):
        if any(folder.rglob(pattern)):
            return
        time.sleep(0.05)
    raise AssertionError("nothing is written")


@pytest.mark.deep("a process that begins to compile: 5 s each")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupt_ends_a_run_with_one_line_and_leaves_nothing(tmp_path, number, status):
    """While XLA compiles, when Python hears of nothing for seconds."""
    kept = {**os.environ, "BAYESMETA_CACHE": str(tmp_path / "cache")}
    run = ("run", ROOT / "models" / "bcg.toml", "-o", tmp_path / "out")
    with started(*run, env=kept) as process:
        waited_for(tmp_path / "cache", "*.program")  # traced; what comes next is to compile it
        process.send_signal(number)
        start = time.monotonic()
        out, err = process.communicate(timeout=60)
        assert (
            time.monotonic() - start < 10
        )  # two are promised, of a machine that does nothing else
    assert (process.returncode, out) == (status, b"")
    *progress, last = err.splitlines()
    assert last == b"bayesmeta: stopped; no file was left half-written."
    assert all(b" s: " in line for line in progress)
    assert files(tmp_path / "out") == {}


def wait_for_a_reader(process: subprocess.Popen) -> None:
    """Wait until a process has taken all that was written to it, and waits for more."""
    for _ in range(1200):
        left = fcntl.ioctl(process.stdin, termios.FIONREAD, b"\0" * 4)
        if left == b"\0" * 4:
            time.sleep(0.5)  # between taking it and waiting a signal would come too early
            return
        time.sleep(0.05)
    raise AssertionError("nobody reads it")


def test_interrupt_ends_a_command_with_one_line_and_leaves_nothing(tmp_path):
    """It waits for standard input, which stays open."""
    words = ("fit", "-", "--measure", "OR", "-o", tmp_path / "out.csv")
    with started(*words, stdin=subprocess.PIPE) as process:
        process.stdin.write(ESTIMATES.encode())
        process.stdin.flush()
        wait_for_a_reader(process)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        out, err = process.stdout.read(), process.stderr.read()
    assert (process.returncode, out) == (130, b"")
    assert unhurried(err) == "bayesmeta: stopped; no file was left half-written.\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.deep("a process of its own: 1 s")
def test_terminal_that_lacks_a_letter_gets_its_escape(tmp_path):
    encoding = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    with started("model", write(tmp_path), env=encoding) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert b"two-stage (normal\\u2013normal)" in out


def test_file_name_in_another_encoding_is_written_down(tmp_path):
    write(tmp_path, PUBLISHED)
    odd = tmp_path / "sp\udcffec.toml"
    (tmp_path / "spec.toml").rename(odd)
    result = call("run", odd, "-o", tmp_path / "out")
    assert result.exit_code == 0
    content = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert list(content["sha256"]) == ["sp\\udcffec.toml"]
    assert "cannot be read" in refused("model", tmp_path / "no\udcff.toml")


def test_a_table_that_only_a_further_scenario_has_is_written_with_its_words(tmp_path):
    """No study of the main scenario says anything, so that it alone has no heterogeneity."""
    table = (
        "study,events_treatment,n_treatment,events_control,n_control,g\n"
        "A,0,20,0,22,no\nB,0,30,0,31,no\nC,3,40,8,41,yes\nD,4,50,9,52,yes\n"
    )
    spec = """\
title = "T"
[[outcome]]
name = "death"
title = "Death"
kind = "estimates"
measure = "RR"
data = "trials.csv"
better = "lower"
[[outcome.scenario]]
name = "two"
where = { g = "yes" }
[[outcome.scenario]]
name = "all"
[[outcome.published]]
label = "Smith 2024"
measure = "RR"
estimate = "0.80"
lower = "0.60"
upper = "1.07"
compare_with = "all"
"""
    result = call("run", write(tmp_path, spec, table), "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    said = json.dumps(manifest)
    assert "Heterogeneity: all" in said
    assert "Side by side: all" in said
