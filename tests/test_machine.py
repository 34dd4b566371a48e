"""Where a machine allows little: no home, no known user, nothing to write to."""

import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Event, Lock, current_thread

import pytest
from unhurried import unhurried

import bayesmeta as bm
from bayesmeta.machine import places, stops
from bayesmeta.machine.collector import uncollected
from bayesmeta.machine.threads import Threads, interruptible

ROOT = Path(__file__).parents[1]
BCG = "examples/bcg/bcg.csv"
NOWHERE = os.path.join(os.devnull, "home")
SET = ("MPLCONFIGDIR", "PYTENSOR_FLAGS", "HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TMPDIR")


@pytest.fixture
def bare(monkeypatch):
    """Neither library is imported, and nothing is set."""
    for name in SET:
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    for name in ("matplotlib", "pytensor"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    for one in (places.settle, places._ours):
        one.cache_clear()
    yield monkeypatch
    for one in (places.settle, places._ours):
        one.cache_clear()


def test_libraries_keep_their_files_with_this_process_where_home_cannot_be_written(bare):
    bare.setenv("HOME", NOWHERE)
    bare.setenv("PYTENSOR_FLAGS", "floatX=float64")
    places.settle()
    ours = Path(os.environ["MPLCONFIGDIR"])
    assert ours.is_dir()
    assert os.environ["PYTENSOR_FLAGS"] == f"floatX=float64,base_compiledir={ours}"
    assert os.environ["HOME"] == NOWHERE


def test_what_the_user_set_and_what_can_be_written_stays(bare, tmp_path):
    bare.setenv("HOME", str(tmp_path))
    places.settle()
    assert not {"MPLCONFIGDIR", "PYTENSOR_FLAGS"} & set(os.environ)
    places.settle.cache_clear()
    bare.setenv("HOME", NOWHERE)
    bare.setenv("MPLCONFIGDIR", "mine")
    bare.setenv("PYTENSOR_FLAGS", "compiledir=mine")
    places.settle()
    assert (os.environ["MPLCONFIGDIR"], os.environ["PYTENSOR_FLAGS"]) == ("mine", "compiledir=mine")


def test_user_that_the_system_does_not_know_gets_a_home_that_goes_with_the_process(bare):
    bare.setattr(os.path, "expanduser", lambda path: path)
    places.settle()
    assert Path(os.environ["HOME"]).is_dir()
    assert os.environ["HOME"] == os.environ["MPLCONFIGDIR"]


def test_without_a_place_for_temporary_files_the_remedy_is_said(bare, tmp_path):
    def nowhere():
        raise FileNotFoundError

    bare.setattr(tempfile, "gettempdir", nowhere)
    bare.setattr(places, "IN_MEMORY", NOWHERE)
    said = "No folder for temporary files can be written to: set TMPDIR to one that can"
    with pytest.raises(bm.FileError, match=said), places.temporary_folder():
        pass
    bare.setattr(places, "IN_MEMORY", str(tmp_path))
    places.check_temporary()
    assert os.environ["TMPDIR"] == str(tmp_path)


class Over(BaseException):
    """In place of the end of this process."""


@pytest.fixture
def ending(monkeypatch, capfd):
    """What `stops` says at the end, and with which status, without an end."""

    def end(status):
        raise Over(status)

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(stops, "GRACE", 0.01)
    for name in ("_ending", "_moving"):
        monkeypatch.setattr(stops, name, Lock())
    for name in ("_asked", "_left"):
        monkeypatch.setattr(stops, name, [])
    return capfd


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_end_that_is_asked_for_cleans_says_one_sentence_and_has_its_status(ending, number, status):
    cleaned, (hear, tell) = [], os.pipe()
    os.write(tell, bytes([signal.SIGCHLD, number]))
    with stops.cleaned_by(lambda: cleaned.append("gone")):
        pass
    with (
        stops.cleaned_by(lambda: cleaned.append("here")),
        pytest.raises(Over, match=str(status)),
    ):
        stops._listen(hear)
    assert cleaned == ["here"]
    assert ending.readouterr() == ("", stops.STOPPED)
    os.close(hear)
    os.close(tell)


def test_nothing_is_cleaned_in_the_middle_of_what_must_not_be_broken(ending):
    cleaned = []
    stops._asked.append(signal.SIGINT)
    with stops.unbroken(), stops.cleaned_by(lambda: cleaned.append(1)), pytest.raises(Over):
        stops._end()
    assert cleaned == []
    assert ending.readouterr().err == stops.BROKEN


def test_end_says_nothing_into_the_file_that_a_closed_standard_error_left_its_number_to(
    ending, monkeypatch
):
    stops._asked.append(signal.SIGINT)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", None)
        with pytest.raises(Over):
            stops._end()
    assert ending.readouterr() == ("", "")


def test_first_signal_unwinds_and_a_second_changes_nothing(ending, monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    with pytest.raises(stops.Stopped):
        stops._stop(signal.SIGTERM, None)
    stops._stop(signal.SIGINT, None)
    with pytest.raises(Over, match="143"):
        stops._end()


@pytest.mark.parametrize("on", [True, False])
def test_collector_is_left_as_it_was_when_the_last_block_ends(on):
    before = gc.isenabled()
    (gc.enable if on else gc.disable)()
    try:
        with uncollected():
            with Threads(1) as thread, uncollected():
                assert thread.submit(gc.isenabled).result() is False
            assert not gc.isenabled()
        assert gc.isenabled() is on
    finally:
        (gc.enable if before else gc.disable)()


def test_work_in_threads_comes_back_with_its_answer_or_its_error():
    with Threads(2) as threads:
        assert list(threads.map(pow, [2, 3], [3, 2])) == [8, 9]
        with pytest.raises(ZeroDivisionError):
            threads.submit(divmod, 1, 0).result()
    assert not any(one.is_alive() for one in threads._threads)
    assert interruptible(lambda: current_thread().daemon)
    with Threads(1) as threads:
        assert threads.submit(interruptible, current_thread).result() in threads._threads


def test_no_work_is_taken_that_nobody_would_do():
    with Threads(1) as threads:
        pass
    with pytest.raises(RuntimeError, match="after shutdown"):
        threads.submit(int)


def test_exception_waits_for_no_thread_and_gives_up_what_is_not_begun():
    go, begun = Event(), Event()

    def wait():
        begun.set()
        return go.wait(60)

    waiting = []

    def give_up():
        with Threads(1) as threads:
            waiting.extend((threads.submit(wait), threads.submit(wait)))
            begun.wait(60)
            raise KeyError

    with pytest.raises(KeyError):
        give_up()
    first, second = waiting
    assert not first.done()
    assert second.cancelled()
    go.set()
    assert first.result() is True


def unreachable(path: Path) -> Path | None:
    """The uppermost folder on the way that others may not enter."""
    return next((one for one in reversed(path.parents) if not one.stat().st_mode & 0o001), None)


def alone(memory: str, tmp: Path, words: list[str]) -> list[str]:
    """The command that runs words as a user without a name, a home and a place to write to."""
    script, needed = ["set -e"], {Path(sys.base_prefix), Path(sys.prefix), ROOT}
    hidden = {one: top for one in needed if (top := unreachable(one))}
    for i, one in enumerate(hidden):
        script += [f"mkdir {tmp}/{i}", f"mount --bind {one} {tmp}/{i}"]
    script += [f"mount -t tmpfs -o mode=755 none {top}" for top in sorted(set(hidden.values()))]
    for i, one in enumerate(hidden):
        script += [f"mkdir -p {one}", f"mount --bind {tmp}/{i} {one}"]
    script += [f"mount -t tmpfs -o mode={memory} none /dev/shm", f"cd {ROOT}"]
    script += ["for one in /tmp /var/tmp; do mount -t tmpfs -o mode=755 none $one; done"]
    script += ['exec env -i PATH="$PATH" setpriv --reuid=12345 --regid=12345 --clear-groups "$@"']
    return ["unshare", "-m", "sh", "-c", "\n".join(script), "sh", *words]


def can_be_alone() -> bool:
    words = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    tools = os.name == "posix" and os.geteuid() == 0 and shutil.which("setpriv")
    return bool(
        tools and shutil.which("unshare") and not subprocess.run(words, check=False).returncode
    )


FIT = ["fit", BCG, "--measure", "RR"]
COMMANDS = {
    "help": ["--help"],
    "cache": ["cache"],
    "check": ["check", "models/bcg.toml"],
    "model": ["model", "models/bcg.toml"],
    "explain": ["explain", BCG, "--published", "RR 0.49 [0.34, 0.70]", "--k", "13"],
    "init": ["init", BCG, "-o", "{out}/bcg.toml"],
    "fit": FIT,
    "nuts": [*FIT, "--nuts"],
    "checks": [*FIT, "--checks"],
    "batch": ["batch", BCG, "--by", "allocation", "--measure", "RR", "--counts"],
    "psa": ["psa", "models/bcg.toml", "-o", "{out}/psa.csv"],
    "run": ["run", "models/bcg.toml", "-o", "{out}"],
}
REFUSED = {
    "init": "cannot be written to",
    "psa": "cannot be written to",
    "run": "cannot be written to",
    "nuts": "No folder for temporary files can be written to: set TMPDIR to one that can.",
    "batch": "No folder for temporary files can be written to: set TMPDIR to one that can.",
}


@pytest.mark.deep("a process each, some of which compile all they need: 3 to 40 s")
@pytest.mark.skipif(not can_be_alone(), reason="needs root, unshare and setpriv")
@pytest.mark.parametrize("memory", ["1777", "755"], ids=["with shared memory", "with nothing"])
@pytest.mark.parametrize("name", COMMANDS)
def test_user_without_a_name_a_home_and_a_place_to_write_gets_an_answer_or_a_sentence(
    name, memory, tmp_path
):
    out = "/dev/shm" if memory == "1777" else "/nowhere"
    words = [word.format(out=out) for word in COMMANDS[name]]
    command = alone(memory, tmp_path, [sys.executable, "-m", "bayesmeta", *words])
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if memory == "755" and name in REFUSED:
        assert found.returncode == 2, found.stderr
        assert unhurried(found.stderr).startswith("bayesmeta: ")
        assert (
            found.stderr.endswith(f"{REFUSED[name].rstrip('.')}.\n") or "Permission" in found.stderr
        )
        assert found.stderr.count("\n") == 1
        return
    assert found.returncode == 0, found.stderr
    noise = [line for line in found.stderr.splitlines() if not expected(name, line)]
    assert noise == []
    assert found.stdout


def expected(name: str, line: str) -> bool:
    """Progress, and what a batch says beside its rows."""
    return (
        " s: " in line or (name == "batch" and line.startswith(("Data: ", "Binomial"))) or not line
    )


SAID = "bayesmeta: Standard output cannot be written to: No space left on device.\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
def test_output_that_cannot_be_written_is_said_in_one_sentence():
    command = [sys.executable, "-m", "bayesmeta", "check", "models/bcg.toml"]
    with open("/dev/full", "w") as full:
        found = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert (found.returncode, unhurried(found.stderr)) == (2, SAID)
        found = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, text=True, check=False)
        assert found.returncode == 0
        assert "Tuberculosis: RR" in found.stdout


@pytest.mark.skipif(os.name == "nt", reason="needs a shell that closes streams")
@pytest.mark.parametrize(
    ("closed", "status", "said"),
    [
        ("fit - --measure RR <&-", 2, "- cannot be read: it is closed"),
        ("fit no.csv --measure RR >&-", 2, "no.csv cannot be read"),
        ("fit no.csv --measure RR 2>&-", 2, ""),
        ("cache <&- >&- 2>&-", 0, ""),
    ],
)
def test_command_whose_streams_are_closed_answers_or_refuses(closed, status, said):
    command = ["sh", "-c", f'"$0" -m bayesmeta {closed}', sys.executable]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (status, "")
    assert said in found.stderr
    assert found.stderr.count("\n") == bool(said)
