"""The folder of a run: what it lists, what takes its place, and what is somebody else's."""

import hashlib
import itertools
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import bayesmeta as bm
from bayesmeta.analysis import run as analyse
from bayesmeta.cli import main
from bayesmeta.files import Piece, claimed, replacing, verify, write_run
from bayesmeta.report import check_results_folder, write_results
from bayesmeta.results.sections import sections_of, titles_of
from bayesmeta.specification import load_specification, parse_specification

SPEC = """\
title = "Two trials"

[[outcome]]
name = "{name}"
title = "Death"
better = "lower"
kind = "counts"
measure = "RR"
data = "trials.csv"

[[outcome.scenario]]
name = "all"

[[outcome.scenario]]
name = "of 2020"
drop = {{ Lee = "another dose" }}

[[outcome.published]]
label = "Smith 2024"
measure = "RR"
estimate = "0.80"
lower = "0.60"
upper = "1.07"
compare_with = "of 2020"
"""
TABLE = """\
study,events_treatment,n_treatment,events_control,n_control
Shu,0,12,3,29
Zhu,0,29,2,29
Monsel,5,21,4,24
Lee,3,40,9,41
"""
FIRST = (
    Piece("report.html", b"<p>first</p>", "the report"),
    Piece("death/tables/studies.csv", b"a\n1\n", "studies"),
    Piece("death/figures/forest.svg", b"<svg/>", "a figure"),
    Piece("pain/posterior.nc", b"nc", "draws"),
)
SECOND = (
    Piece("report.html", b"<p>second</p>", "the report"),
    Piece("death/tables/studies.csv", b"a\n2\n", "studies"),
    Piece("fever/tables/studies.csv", b"a\n3\n", "studies"),
)


def contents(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def folders(folder: Path) -> list[str]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_dir())
    return [path.relative_to(folder).as_posix() for path in found]


def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def spec(folder: Path, name: str = "death") -> Path:
    (folder / "trials.csv").write_text(TABLE)
    path = folder / "spec.toml"
    path.write_text(SPEC.format(name=name))
    return path


def refused(*words: object) -> str:
    done = CliRunner(catch_exceptions=False).invoke(main, list(map(str, words)))
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    return done.stderr


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return analyse(load_specification(spec(tmp_path_factory.mktemp("run"))))


@pytest.fixture(scope="module")
def written(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    write_results(results, folder)
    return folder


# -------------------------------------------------------------------------------- what it lists


def test_the_manifest_lists_every_file_with_its_hash_its_size_and_what_it_holds(written):
    said = manifest(written)
    assert (said["program"], said["version"]) == ("bayesmeta", bm.__version__)
    assert said["complete"] is True
    found = contents(written)
    del found["manifest.json"]
    assert [one["path"] for one in said["files"]] == list(found)
    for one in said["files"]:
        assert one["sha256"] == hashlib.sha256(found[one["path"]]).hexdigest()
        assert one["bytes"] == len(found[one["path"]])
        assert len(one["holds"]) > 5


def test_a_run_has_a_folder_for_each_outcome_with_tables_figures_and_both_posteriors(written):
    assert sorted(path.name for path in written.iterdir()) == [
        *("checklist.csv", "death", "findings.csv", "findings.md", "findings.tex"),
        *("manifest.json", "report.html", "report.json", "results.json"),
    ]
    assert folders(written) == ["death", "death/figures", "death/tables"]
    files = [path.name for path in sorted((written / "death").iterdir()) if path.is_file()]
    assert files == ["posterior-nuts.nc", "posterior.nc"]


def test_a_table_is_called_what_the_report_calls_it(results, written):
    holds = {one["path"]: one["holds"] for one in manifest(written)["files"]}
    (outcome,) = results.outcomes
    sections = sections_of(outcome, results)
    for name in outcome.tables:
        if name in sections:
            assert holds[f"death/tables/{name}.csv"] == sections[name].title
    assert holds["death/tables/comparison-2.csv"] == "Side by side: of 2020"
    assert holds["death/tables/heterogeneity-2.csv"] == "Heterogeneity: of 2020"
    assert holds["death/figures/left-out.svg"] == "figure: left-out"
    assert holds["death/posterior.nc"] == "draws for ArviZ: counts (binomial–normal)"
    assert holds["death/posterior-nuts.nc"] == "draws for ArviZ: the same by NUTS"


def test_a_table_that_nothing_describes_is_not_written_in_silence(results):
    (outcome,) = results.outcomes
    odd = replace(outcome, tables={**outcome.tables, "unheard-of": pd.DataFrame()})
    with pytest.raises(KeyError, match="unheard-of"):
        titles_of(odd, results)


# --------------------------------------------------------------------------------- a second run


def test_a_second_run_leaves_nothing_of_the_first_and_everything_else(tmp_path):
    write_run(tmp_path, FIRST)
    mine = {"notes.txt": b"mine", "death/figures/mine.png": b"mine", "fit.nc": b"mine"}
    for name, text in mine.items():
        (tmp_path / name).write_bytes(text)
    write_run(tmp_path, SECOND)
    found = contents(tmp_path)
    del found["manifest.json"]
    assert found == mine | {one.path: one.content for one in SECOND}
    assert folders(tmp_path) == [
        *("death", "death/figures", "death/tables", "fever", "fever/tables"),
    ]
    assert [one["path"] for one in manifest(tmp_path)["files"]] == sorted(
        one.path for one in SECOND
    )


def killed(*words: str) -> dict[str, dict[str, int]]:
    """How the kills of a command ended."""
    script = Path(__file__).parents[1] / "benchmarks" / "kills.py"
    here = {**os.environ, "PYTHONPATH": str(Path(bm.__file__).parents[1])}
    command = [sys.executable, str(script), "--of", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=here)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line.pop("of"): line for line in lines}


SOUND = {"old", "new", "detected", "moves"}


def test_a_run_killed_before_any_of_its_moves_loses_nothing_and_is_mended_by_the_next():
    found = killed("moves")
    for ends in found.values():
        assert {end for end, count in ends.items() if count} <= SOUND
    alone, among = found["moves, alone"], found["moves, with a file of mine"]
    assert alone["old"] > 0 < alone["new"]
    assert "detected" not in alone  # one step
    assert among["detected"] > 5


@pytest.mark.deep("commands killed 42 times, and run again each time: 2 min")
@pytest.mark.parametrize("what", ["run", "fit", "batch"])
def test_a_command_killed_at_a_random_moment_loses_nothing_and_is_mended_by_the_next(what):
    ends = killed(what, "--kills", "14")[what]
    assert {end for end, count in ends.items() if count} <= SOUND
    assert sum(ends.values()) - ends["moves"] == 14


def failing_at(nth: int, work):
    calls = itertools.count(1)

    def limited(*given, **named):
        if next(calls) >= nth:
            raise OSError(28, "No space left on device")
        return work(*given, **named)

    return limited


@pytest.mark.parametrize("nth", range(1, 6))
def test_a_move_that_fails_leaves_the_folder_as_it_was(tmp_path, monkeypatch, nth):
    out = tmp_path / "out"
    write_run(out, FIRST)
    (out / "mine.txt").write_text("mine")  # so that files move one by one
    old, steps = contents(out), itertools.count(1)
    replaced = os.replace

    def once(*given):
        if next(steps) == nth:
            raise OSError(28, "No space left on device")
        return replaced(*given)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", once)
        with pytest.raises(bm.FileError, match=r"left on device\. Nothing was left half-written"):
            write_run(out, SECOND)
    assert contents(out) == old
    assert "fever" not in folders(out)
    assert contents(tmp_path).keys() == {f"out/{name}" for name in old}


def test_a_folder_that_cannot_be_put_back_says_that_it_may_hold_files_of_two_runs(
    tmp_path, monkeypatch
):
    write_run(tmp_path / "out", FIRST)
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", failing_at(3, os.replace))
        with pytest.raises(bm.FileError, match=r"left on device\. It may hold files of two runs"):
            write_run(tmp_path / "out", SECOND)
    assert verify(tmp_path / "out").problems[0].startswith("A run was stopped while its files")
    write_run(tmp_path / "out", SECOND)
    assert verify(tmp_path / "out").problems == ()
    assert (tmp_path / "out" / "report.html").read_bytes() == SECOND[0].content


def test_where_folders_cannot_trade_places_files_move_one_by_one(tmp_path, monkeypatch):
    write_run(tmp_path / "out", FIRST)
    monkeypatch.setattr(
        "bayesmeta.files._publish.exchange", failing_at(1, lambda *_: pytest.fail("no"))
    )
    write_run(tmp_path / "out", SECOND)
    assert verify(tmp_path / "out").problems == ()
    assert folders(tmp_path / "out") == ["death", "death/tables", "fever", "fever/tables"]


def test_the_folder_keeps_its_mode_and_a_link_to_it_stays(tmp_path):
    out, link = tmp_path / "out", tmp_path / "link"
    write_run(out, FIRST)
    out.chmod(0o750)
    link.symlink_to(out)
    write_run(link, SECOND)
    assert link.is_symlink()
    assert out.stat().st_mode & 0o777 == 0o750
    assert (out / "report.html").read_bytes() == SECOND[0].content


def test_a_folder_with_an_attribute_of_its_user_keeps_it(tmp_path):
    write_run(tmp_path / "out", FIRST)
    try:
        os.setxattr(tmp_path / "out", "user.note", b"mine")
    except (AttributeError, OSError):
        pytest.skip("this file system has no attributes")
    write_run(tmp_path / "out", SECOND)
    assert os.getxattr(tmp_path / "out", "user.note") == b"mine"
    assert verify(tmp_path / "out").problems == ()


def test_the_folder_in_which_one_works_stays_the_same_folder(tmp_path, monkeypatch):
    write_run(tmp_path / "out", FIRST)
    monkeypatch.chdir(tmp_path / "out")
    write_run(".", SECOND)
    assert Path("report.html").read_bytes() == SECOND[0].content
    assert verify(".").problems == ()


def test_what_a_killed_command_left_is_swept_by_the_next(tmp_path):
    left = ".bayesmeta-0123456789abcdef"
    for place in (tmp_path, tmp_path / "out"):
        (place / left / "files").mkdir(parents=True)
        (place / left / "files" / "report.html").write_text("half")
    write_run(tmp_path / "out", FIRST)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not list((tmp_path / "out").glob(".bayesmeta-*"))


@pytest.mark.parametrize("name", [".bayesmeta-cache", ".bayesmeta-notes", ".bayesmeta-"])
def test_a_hidden_folder_of_the_user_is_not_taken_for_what_a_command_left(tmp_path, name):
    for place in (tmp_path, tmp_path / "out"):
        (place / name).mkdir(parents=True)
        (place / name / "mine.txt").write_text("mine")
    for pieces in (FIRST, SECOND):
        write_run(tmp_path / "out", pieces)
    assert (tmp_path / name / "mine.txt").read_text() == "mine"
    assert verify(tmp_path / "out").others == (f"{name}/mine.txt",)


def test_two_commands_do_not_write_into_one_folder_at_once(tmp_path):
    """One in another thread stands for one in another process: each has a lock of its own."""
    with claimed(tmp_path / "out") as stage, ThreadPoolExecutor(1) as other:
        (stage / "half").write_text("half")
        late = other.submit(write_run, tmp_path / "out", SECOND)
        with pytest.raises(bm.FileError, match=r"Another command is writing .*out; wait until"):
            late.result()
        assert (stage / "half").exists()
        write_run(tmp_path / "out", FIRST)
    assert (tmp_path / "out" / "report.html").read_bytes() == FIRST[0].content
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_file_that_another_command_writes_into_the_folder_meanwhile_arrives(tmp_path):
    write_run(tmp_path / "out", FIRST)
    with replacing(tmp_path / "out" / "fit.csv") as new, ThreadPoolExecutor(1) as other:
        new.write_text("mine")
        other.submit(write_run, tmp_path / "out", SECOND).result()
    found = contents(tmp_path / "out")
    assert found.pop("fit.csv") == b"mine"
    assert found.keys() == {"manifest.json", *(one.path for one in SECOND)}
    assert verify(tmp_path / "out").problems == ()


def test_a_fit_writes_its_report_and_its_table_into_one_folder(tmp_path):
    (tmp_path / "t.csv").write_text("study,y,se\nA,-0.4,0.2\nB,0.1,0.3\nC,-0.3,0.4\n")
    words = ["fit", tmp_path / "t.csv", "--measure", "OR", "--better", "lower", "--report"]
    words += [tmp_path / "out", "-o", tmp_path / "out" / "fit.csv"]
    done = CliRunner(catch_exceptions=False).invoke(main, list(map(str, words)))
    assert done.exit_code == 0, done.stderr
    assert verify(tmp_path / "out").problems == ()
    assert verify(tmp_path / "out").others == ("fit.csv",)
    assert [path.name for path in tmp_path.glob("**/.bayesmeta-*")] == []


def another_group() -> int | None:
    """A group that this user may give to a file, and that new files do not have by themselves."""
    groups = [100] if os.name == "posix" and os.geteuid() == 0 else getattr(os, "getgroups", list)()
    return next((one for one in groups if one != os.getegid()), None)


@pytest.mark.skipif(another_group() is None, reason="needs a second group")
@pytest.mark.parametrize("mode", [0o775, 0o2775], ids=["given", "lent to what is made in it"])
def test_a_folder_of_another_group_stays_that_groups(tmp_path, mode):
    out, group = tmp_path / "out", another_group()
    out.mkdir()
    os.chown(out, -1, group)
    out.chmod(mode)
    for pieces in (FIRST, SECOND, FIRST):
        write_run(out, pieces)
        assert (out.stat().st_gid, out.stat().st_mode & 0o7777) == (group, mode)
    made = {path.stat().st_gid for path in out.rglob("*")}
    assert made == {group if mode == 0o2775 else os.getegid()}
    assert verify(out).problems == ()


def test_a_second_run_into_a_folder_is_refused_before_its_work(tmp_path, monkeypatch):
    path = spec(tmp_path)
    monkeypatch.setattr("bayesmeta.analysis.run", lambda *_, **__: pytest.fail("too late"))
    with ThreadPoolExecutor(1) as other, claimed(tmp_path / "out"):
        said = other.submit(refused, "run", path, "-o", tmp_path / "out").result()
    assert said == (
        f"bayesmeta: Another command is writing {tmp_path / 'out'}; wait until it ends, or name "
        "another place.\n"
    )


# ------------------------------------------------------------------------- held to its manifest


def checked(folder: Path) -> tuple[int, str]:
    done = CliRunner(catch_exceptions=False).invoke(main, ["check", str(folder)])
    return done.exit_code, done.output


def test_check_holds_a_folder_against_its_manifest(tmp_path):
    write_run(tmp_path, FIRST)
    (tmp_path / "mine.txt").write_text("mine")
    status, said = checked(tmp_path)
    assert status == 0
    assert f"{tmp_path}: 4 files of a run by bayesmeta" in said
    assert "not of the run: mine.txt" in said
    assert "Whole: every file is as the run wrote it." in said


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.unlink(), "report.html is not there."),
        (lambda path: path.write_bytes(b"<p>other</p>"), "report.html is not what the run wrote"),
        (lambda path: (path.unlink(), path.mkdir()), "report.html is not there."),
    ],
    ids=["gone", "changed", "a folder"],
)
def test_check_finds_a_file_that_is_not_the_runs(tmp_path, spoil, words):
    write_run(tmp_path, FIRST)
    spoil(tmp_path / "report.html")
    status, said = checked(tmp_path)
    assert status == 2
    assert f"PROBLEM: {words}" in said
    assert said.endswith("Not whole: run again into it.\n")


def test_a_folder_that_no_run_wrote_is_refused(tmp_path):
    assert refused("check", tmp_path) == (
        f"bayesmeta: {tmp_path} has no manifest.json that a run wrote; name the folder of a run, "
        "or a specification (TOML).\n"
    )


def test_a_manifest_that_is_no_regular_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "manifest.json")
    assert "has no manifest.json that a run wrote" in refused("check", tmp_path)
    with pytest.raises(bm.FileError, match=r"has manifest\.json, which no manifest\.json there"):
        write_run(tmp_path, FIRST)


def test_a_run_that_stops_before_its_last_file_changes_nothing(tmp_path):
    write_run(tmp_path, FIRST)
    old = contents(tmp_path)

    def stopped():
        yield SECOND[0]
        raise bm.FileError("stopped")

    with pytest.raises(bm.FileError, match="stopped"):
        write_run(tmp_path, stopped())
    assert contents(tmp_path) == old


# ------------------------------------------------------------------------- what is not its own


@pytest.mark.parametrize(
    ("name", "named"),
    [
        *[(name, name) for name in ("report.html", "results.json", "manifest.json")],
        ("death/notes.txt", "death"),
    ],
)
def test_names_that_no_manifest_lists_are_refused_before_the_work(
    tmp_path, monkeypatch, name, named
):
    path, out = spec(tmp_path), tmp_path / "out"
    (out / name).parent.mkdir(parents=True)
    (out / name).write_text("{}")
    monkeypatch.setattr("bayesmeta.analysis.run", lambda *_, **__: pytest.fail("too late"))
    assert refused("run", path, "-o", out) == (
        f"bayesmeta: {out} has {named}, which no manifest.json there lists as written by a run; "
        "name another folder, or overwrite with --force.\n"
    )
    assert contents(out) == {name: b"{}"}


def test_force_overwrites_what_has_the_names_of_a_run_and_nothing_else(tmp_path):
    for name in ("report.html", "death/tables/studies.csv", "death/mine.txt", "mine.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
    with pytest.raises(bm.FileError, match=r"has report\.html, death, which .* with force=True"):
        write_run(tmp_path, FIRST)
    write_run(tmp_path, FIRST, force=True)
    found = contents(tmp_path)
    assert found.pop("manifest.json")
    assert found == {
        **{one.path: one.content for one in FIRST},
        "death/mine.txt": b"mine",
        "mine.txt": b"mine",
    }
    write_run(tmp_path, SECOND)  # from now on they are known


def test_a_file_put_where_a_later_run_would_write_is_refused_and_kept(tmp_path):
    write_run(tmp_path, FIRST)
    (tmp_path / "death/tables/extra.csv").write_text("mine")
    old = contents(tmp_path)
    with pytest.raises(bm.FileError, match=r"has death/tables/extra\.csv, which no manifest"):
        write_run(tmp_path, [*SECOND, Piece("death/tables/extra.csv", b"x", "extra")])
    assert contents(tmp_path) == old


def test_a_folder_where_a_file_belongs_is_refused_even_by_force(tmp_path):
    (tmp_path / "out/report.html").mkdir(parents=True)
    with pytest.raises(bm.FileError, match=r"report\.html is a folder where a file is to be"):
        check_results_folder(tmp_path / "out", ["death"], force=True)
    (tmp_path / "out/report.html").rmdir()
    (tmp_path / "out/death").write_text("mine")
    with pytest.raises(bm.FileError, match="death is a file where a folder is to be made"):
        check_results_folder(tmp_path / "out", ["death"], force=True)
    assert contents(tmp_path) == {"out/death": b"mine"}


def test_files_of_the_flat_layout_of_older_versions_stay(tmp_path):
    flat = dict.fromkeys(("report.html", "results.json", "death.nc", "death-loo.csv"), b"old")
    for name, text in flat.items():
        (tmp_path / name).write_bytes(text)
    write_run(tmp_path, FIRST, force=True)
    found = contents(tmp_path)
    assert found["report.html"] == FIRST[0].content
    assert [name for name, text in found.items() if text == b"old"] == [
        *("death-loo.csv", "death.nc", "results.json"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"program": "other", "files": []}',
        '{"program": "bayesmeta"}',
        '{"program": "bayesmeta", "files": [{"path": 5}]}',
        '{"program": "bayesmeta", "files": [{"path": 5, "holds": "", "sha256": "", "bytes": 1}]}',
        "[" * 10**5,
    ],
)
def test_a_manifest_of_another_program_is_somebody_elses(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(bm.FileError, match=r"has manifest\.json, which"):
        write_run(tmp_path, FIRST)


@pytest.mark.parametrize(
    "odd", ["../mine.txt", "{outside}/mine.txt", "link/mine.txt", "death/../../mine.txt"]
)
def test_a_manifest_that_names_files_elsewhere_removes_none_of_them(tmp_path, odd):
    out = tmp_path / "out"
    write_run(out, FIRST)
    (tmp_path / "mine.txt").write_text("mine")
    (out / "link").symlink_to(tmp_path)
    said = manifest(out)
    path = odd.format(outside=tmp_path)
    said["files"].append({"path": path, "holds": "", "sha256": "", "bytes": 4})
    (out / "manifest.json").write_text(json.dumps(said))
    write_run(out, SECOND)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert path not in {one["path"] for one in manifest(out)["files"]}


@pytest.mark.parametrize("name", ["con", "aux", "com1", "lpt9", "report.html", "Death", "../x"])
def test_an_outcome_that_no_folder_can_be_called_is_refused(name):
    with pytest.raises(bm.SpecError, match="line 4: name"):
        parse_specification(SPEC.format(name=name))
