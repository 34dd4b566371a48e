"""The house as a whole: light to import, documented, and its front page true."""

import ast
import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bayesmeta as bm

ROOT = Path(__file__).parents[1]
HEAVY = {
    "jax", "pymc", "pytensor", "matplotlib", "arviz", "xarray", "pandas", "scipy.stats", "click",
    "rich", "pydantic", "jinja2",
}  # fmt: skip


def python(*words):
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout


def test_importing_the_package_loads_nothing_heavy():
    loaded = set(python("-c", "import sys, bayesmeta; print(*sys.modules)").split())
    assert not HEAVY & loaded


def test_no_file_reaches_into_the_private_files_of_another_room():
    for path in (ROOT / "bayesmeta").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                here = path.parts[: len(path.parts) - node.level]
                where = Path(*here, *(node.module or "").split("."))
                private = where.name.startswith("_")
                assert not private or where.parent in path.parents, (path, where.name)


@pytest.mark.parametrize("name", bm.__all__)
def test_every_public_name_resolves_and_says_what_it_is(name):
    value = getattr(bm, name)
    assert name == "MEASURES" or (value.__doc__ or "").strip()


def test_the_lists_of_public_names_agree():
    assert set(bm.__all__) == {*bm._ROOMS, *bm._MODULE}
    assert set(dir(bm)) <= {*bm.__all__, "__version__"}


def test_completion_shows_the_main_job_and_loads_nothing():
    code = "import bayesmeta as bm, sys; print(*dir(bm)); assert 'pandas' not in sys.modules"
    shown = python("-c", code).split()
    assert {"BinaryStudies", "BinomialNormal", "fit", "summary", "priors", "plots"} <= set(shown)
    assert len(shown) == len(set(shown)) <= 46


@pytest.mark.parametrize("room", ["frequentist", "priors"])
def test_a_room_shows_its_public_names_which_are_those_of_the_package(room):
    shown = dir(getattr(bm, room))
    assert set(bm._HOME[room]) <= set(shown) <= set(getattr(bm, room).__all__)
    for name in bm._HOME[room]:
        assert getattr(getattr(bm, room), name) is getattr(bm, name)


def test_every_public_name_is_shown_by_completion_or_named_in_the_help():
    shown = {*dir(bm), *dir(bm.frequentist), *dir(bm.priors)}
    named = set(re.findall(r"`(\w+)`", bm.__doc__))
    assert set(bm.__all__) - shown <= named <= set(bm.__all__)


EXAMPLES = [  # every module with an example in it
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((ROOT / "bayesmeta").rglob("*.py"))
    if ">>> " in path.read_text()
]


@pytest.mark.deep(
    "examples that compile or sample: half a second each",
    only=[
        "bayesmeta.batch",
        "bayesmeta.evidence._outliers",
        "bayesmeta.evidence._widths",
        "bayesmeta.outcomes",
    ],
)
@pytest.mark.parametrize("module", EXAMPLES)
def test_examples_in_docstrings_run(module):
    room = importlib.import_module(module)
    found = doctest.testmod(room, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.deep("everything that README and guide show: 6 s")
@pytest.mark.parametrize("page", ["README.md", "docs/guide.md"])
def test_the_python_of_a_page_runs(page, monkeypatch, capsys):
    """What the front page prints fits a terminal of eighty columns."""
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert blocks
    exec(compile("\n".join(blocks), page, "exec"), {})
    if page == "README.md":
        assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.parametrize(("page", "most"), [("README.md", 500), ("ARCHITECTURE.md", 1200)])
def test_the_front_pages_are_short(page, most):
    assert len((ROOT / page).read_text().split()) <= most


def test_every_file_that_the_architecture_names_exists():
    named = re.findall(r"`([\w/]+\.py)`", (ROOT / "ARCHITECTURE.md").read_text())
    files = [f"/{path.relative_to(ROOT)}" for path in ROOT.glob("[!.]*/**/*.py")]
    assert len(named) > 30
    assert not [name for name in named if not any(one.endswith(f"/{name}") for one in files)]


def test_links_between_pages_lead_somewhere():
    for page in (ROOT / "README.md", ROOT / "ARCHITECTURE.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), (page.name, target)


@pytest.mark.deep("the real case in Python: 1 s")
def test_the_real_case_in_python_is_under_thirty_lines_and_runs():
    path = ROOT / "examples" / "msc_covid19.py"
    assert len(path.read_text().splitlines()) < 30
    printed = python(str(path))
    assert "0.771" in printed
    assert re.search(r"prob_benefit +0\.964 ", printed)  # not rounded to certainty


def test_no_file_names_a_path_of_a_machine():
    tracked = subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False
    ).stdout.split("\n")
    for name in filter(None, tracked):
        text = (ROOT / name).read_text(errors="ignore") if (ROOT / name).exists() else ""
        assert not re.search(r"(?<![\w.])/(work|root|home)/\w", text), name
