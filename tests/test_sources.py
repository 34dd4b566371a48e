"""What is read at all: regular files and a shell's pipes; and what a refusal may quote of them."""

import os
import socket
import subprocess
import sys
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from click.testing import CliRunner
from unhurried import unhurried

import bayesmeta as bm
from bayesmeta.cli import main
from bayesmeta.sheets import read_bytes

TABLE = "study,y,se\nA,-0.4,0.2\nB,0.1,0.3\nC,-0.3,0.4\n"
SPEC = """\
title = "T"
[[outcome]]
name = "a"
title = "A"
better = "lower"
measure = "OR"
kind = "estimates"
data = "{}"
"""
SECRET = "root:x:0:0:hidden words\nsecret,line,of,another,file\n"
BAYESMETA = [sys.executable, "-m", "bayesmeta"]


def refused(*words):
    result = CliRunner(catch_exceptions=False).invoke(main, list(map(str, words)))
    assert result.exit_code == 2
    return result.output


def special(folder):
    """Whatever is no regular file, by what it is called."""
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as one:
        here = os.getcwd()
        os.chdir(folder)  # the name of a socket may have some hundred letters
        one.bind("socket")
        os.chdir(here)
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    (folder / "zero").symlink_to("/dev/zero")
    return {
        "pipe": "Is a named pipe",
        "socket": "Is a socket",
        "folder": "Is a directory",
        "loop": "Too many levels of symbolic links",
        "zero": "Is a device",
    }


def test_what_is_no_regular_file_is_refused_at_once_wherever_a_file_is_named(tmp_path):
    spec = tmp_path / "spec.toml"
    for name, why in {**special(tmp_path), "/dev/zero": "Is a device"}.items():
        path = tmp_path / name
        spec.write_text(SPEC.format(name))
        for words in (
            ("run", spec, "-o", tmp_path / "out"),
            ("check", spec),
            ("psa", spec, "-o", tmp_path / "psa.csv"),
            ("run", path, "-o", tmp_path / "out"),
            ("model", path),
            ("check", path) if name != "folder" else ("model", path),
            ("fit", path, "--measure", "OR"),
            ("explain", path, "--published", "OR 0.8 [0.5, 1.2]"),
            ("init", path, "-o", tmp_path / "new.toml"),
            ("batch", path, "--by", "g", "--measure", "OR", "-o", tmp_path / "b.csv"),
        ):
            said = refused(*words)
            assert why in said, words
            assert "cannot be read" in said
        with pytest.raises(bm.FileError, match=why):
            bm.read_studies(path)
    assert not (tmp_path / "out").exists()


def test_a_specification_cannot_wait_for_standard_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("-", "/dev/stdin", "/dev/fd/0"):
        (tmp_path / "spec.toml").write_text(SPEC.format(name))
        with subprocess.Popen(
            [*BAYESMETA, "check", "spec.toml"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            said = process.stdout.read().decode()  # ends although its input does not
            process.stdin.close()
        assert process.returncode == 2
        assert "cannot be read" in said


@pytest.mark.parametrize("path", ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "-"])
def test_pipes_that_a_shell_makes_are_read(path):
    found = subprocess.run(
        [*BAYESMETA, "fit", path, "--measure", "OR"],
        input=TABLE.encode(),
        capture_output=True,
        check=False,
    )
    assert (found.returncode, unhurried(found.stderr)) == (0, "")
    assert b"3 studies" in found.stdout


def test_more_than_the_most_is_refused_before_memory_is_full(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"x" * 2**20)
    assert read_bytes(path, most=2**20) == path.read_bytes()
    with pytest.raises(bm.FileError, match="has more than 0 MiB, which is the most"):
        read_bytes(path, most=2**20 - 1)
    os.truncate(path, 2**40)  # of holes
    with pytest.raises(bm.FileError, match="has more than 1 GiB"):
        bm.read_studies(path)
    with pytest.raises(bm.FileError, match="has more than 4 MiB"):
        bm_load(path)


def test_a_small_file_takes_little_memory(tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    tracemalloc.start()
    try:
        assert read_bytes(tmp_path / "t.csv") == TABLE.encode()
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20])
def test_files_of_several_parts_are_read_whole_or_refused(tmp_path, size):
    content = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / "t").write_bytes(content[:size])
    assert read_bytes(tmp_path / "t", most=size) == content[:size]
    with pytest.raises(bm.FileError, match="which is the most"):
        read_bytes(tmp_path / "t", most=size - 1)


def test_standard_input_that_is_closed_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(bm.FileError, match="- cannot be read: it is closed"):
        read_bytes("-")


def test_standard_input_that_does_not_wait_is_read_to_its_end(monkeypatch):
    """As a parent leaves it that reads and writes without waiting."""
    hear, tell = os.pipe()
    os.set_blocking(hear, False)
    with os.fdopen(hear) as stdin, ThreadPoolExecutor(1) as other:
        monkeypatch.setattr(sys, "stdin", stdin)
        os.write(tell, TABLE[:20].encode())
        found = other.submit(read_bytes, "-")
        time.sleep(0.1)
        os.write(tell, TABLE[20:].encode())
        os.close(tell)
        assert found.result() == TABLE.encode()


@pytest.mark.skipif(not os.path.exists("/proc/kmsg") or os.geteuid(), reason="root's on Linux")
def test_a_file_of_the_system_that_would_have_to_be_waited_for_has_an_end():
    with suppress(bm.FileError):  # of a container
        assert isinstance(read_bytes("/proc/kmsg"), bytes)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_stream_that_is_closed_brings_no_traceback(closed):
    found = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *BAYESMETA, "fit", "-", "--measure", "OR"],
        input=TABLE.encode(),
        capture_output=True,
        check=False,
    )
    said = "bayesmeta: - cannot be read: it is closed.\n" if closed == "<&-" else ""
    assert (found.returncode, unhurried(found.stderr)) == (2 if said else 0, said)
    assert bool(found.stdout) == (closed == "2>&-")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_standard_output_on_a_full_disk_is_one_sentence():
    found = subprocess.run(
        ["sh", "-c", 'exec "$@" > /dev/full', "sh", *BAYESMETA, "fit", "-", "--measure", "OR"],
        input=TABLE.encode(),
        capture_output=True,
        check=False,
    )
    said = "bayesmeta: Standard output cannot be written to: No space left on device.\n"
    assert (found.returncode, unhurried(found.stderr)) == (2, said)


def bm_load(path):
    from bayesmeta.specification import load_specification

    return load_specification(path)


@pytest.mark.parametrize("way", ["../out/secret", "link", "below/../../out/secret", "absolute"])
def test_lines_of_a_file_outside_the_folder_are_quoted_by_no_command(tmp_path, way):
    home, out = tmp_path / "home", tmp_path / "out"
    (home / "below").mkdir(parents=True)
    out.mkdir()
    (home / "link").symlink_to(out / "secret")
    spec = home / "spec.toml"
    spec.write_text(SPEC.format(out / "secret" if way == "absolute" else way))
    for text in (
        SECRET,
        "study,secret\nhidden,words\n",
        "study,y,se\nhidden,words,secret\n",
        "hidden words above\n\nstudy,y,se\nA,0.3,0.2\nsecret\n",
    ):
        (out / "secret").write_text(text)
        psa = ("psa", spec, "-o", tmp_path / "psa.csv")
        for words in (("check", spec), ("run", spec, "-o", tmp_path / "r"), psa):
            said = refused(*words).replace(str(out / "secret"), "PATH").replace(way, "PATH")
            assert "lies outside the folder of the specification" in said
            assert not any(one in said for one in ("hidden", "words", "root", "secret"))


COUNTED = "study,events_treatment,n_treatment,events_control,n_control\n"


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"hidden words\nand secret ones\n{COUNTED}secret,hidden,40,7,41\n",
        f"{COUNTED}secret,30,4,7,41\nhidden,5,50,9,52\n",
        f"{COUNTED}secret,3,40,7,41\nsecret,5,50,9,52\n",
    ],
)
def test_lines_of_counts_outside_the_folder_are_quoted_neither_as_they_are_read_nor_for_nuts(
    tmp_path, command, text
):
    """A table of counts is read for its second source first; and what was left out is told."""
    (tmp_path / "home").mkdir()
    (tmp_path / "out.csv").write_text(text)
    spec = tmp_path / "home" / "spec.toml"
    spec.write_text(SPEC.format("../out.csv").replace('kind = "estimates"', 'event = "deaths"'))
    words = (spec, "-o", tmp_path / "r") if command == "run" else (spec,)
    said = refused(command, *words)
    assert "lies outside the folder of the specification" in said
    assert not any(one in said for one in ("hidden", "words", "root", "secret"))


def test_a_table_within_the_folder_is_quoted_also_below_and_by_a_link_that_stays(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "t.csv").write_text("study,y,se\nnamed,words,0.2\n")
    (tmp_path / "link.csv").symlink_to("below/t.csv")
    for name in ("below/t.csv", "link.csv"):
        (tmp_path / "spec.toml").write_text(SPEC.format(name))
        said = refused("check", tmp_path / "spec.toml")
        assert "named" in said
        assert "outside" not in said


def test_a_sound_table_outside_the_folder_is_analysed(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "t.csv").write_text(TABLE)
    (tmp_path / "home" / "spec.toml").write_text(SPEC.format("../t.csv"))
    found = CliRunner().invoke(main, ["check", str(tmp_path / "home" / "spec.toml")])
    assert found.exit_code == 0
    assert "3 studies" in found.output


@pytest.mark.parametrize("part", ["a", "'a b'", '"a."'])
@pytest.mark.parametrize("around", ["{}", "[{}]", "x = {{ {} }}"])
def test_a_key_of_thousands_of_parts_is_refused_before_it_is_taken_apart(tmp_path, part, around):
    key = " . ".join([part] * 10**5)
    (tmp_path / "spec.toml").write_text(around.format(key if around == "[{}]" else f"{key} = 1"))
    assert "nests too deeply" in refused("check", tmp_path / "spec.toml")


def test_names_too_long_for_a_file_are_refused_in_one_sentence(tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    (tmp_path / "spec.toml").write_text(SPEC.format("t.csv"))
    long, fit = tmp_path / ("x" * 300), ("fit", tmp_path / "t.csv", "--measure", "OR", "-o")
    asked = [
        (*fit, f"{long}.csv"),
        (*fit, long / "x.csv"),
        ("batch", *fit[1:4], "--by", "study", "-o", f"{long}.csv"),
        ("init", tmp_path / "t.csv", "-o", f"{long}.toml"),
        ("run", tmp_path / "spec.toml", "-o", long),
        ("run", tmp_path / "spec.toml", "-o", long / "x"),
        ("check", long),
    ]
    for words in asked:
        said = refused(*words)
        assert "File name too long" in said
        assert said.count("\n") == 1
