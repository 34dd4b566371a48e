"""The folder of compiled programs: whose it is, what in it is believed, and how it is cleared."""

import os
import stat
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner
from jax import export

from bayesmeta.cli import main
from bayesmeta.engines.compiled import folder, stored
from bayesmeta.engines.compiled.executables import Executables
from bayesmeta.engines.compiled.whole import read_whole, write_whole

ENTRY = "0" * 40
pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="folders have no such owners")


@pytest.fixture
def base(tmp_path, monkeypatch):
    monkeypatch.setenv("BAYESMETA_CACHE", str(tmp_path))
    folder._say.cache_clear()
    return tmp_path


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def shown(*words):
    result = CliRunner(catch_exceptions=False).invoke(main, ["cache", *words])
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def made(base):
    """The folder as this package makes it."""
    path = folder.cache_folder()
    assert path == base.resolve() / "bayesmeta" / "xla"
    return path


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_folders_are_made_for_their_owner_alone_whatever_the_umask(base, monkeypatch, mask):
    deep = base / "not" / "there"
    monkeypatch.setenv("BAYESMETA_CACHE", str(deep))
    before = os.umask(mask)
    try:
        assert folder.cache_folder() == deep.resolve() / "bayesmeta" / "xla"
    finally:
        os.umask(before)
    every = (deep.parent, deep, deep / "bayesmeta", deep / "bayesmeta" / "xla")
    assert [mode(one) for one in every] == [0o700] * 4


@pytest.mark.parametrize("which", ["bayesmeta/xla", "bayesmeta"])
@pytest.mark.parametrize("others", [0o770, 0o707, 0o777])
def test_folder_that_others_can_write_is_left_unused_and_said_once(base, which, others, caplog):
    path = made(base)
    program = path / f"{ENTRY}.program"
    write_whole(program, b"x")
    (base / which).chmod(others)
    assert folder.cache_folder() is None
    assert folder.cache_folder() is None
    assert stored.stored_program("any", "cpu") is None
    (said,) = caplog.messages
    named = base.resolve() / which
    assert said == (
        f"Compiled programs are kept in memory, for others can write to {named}: chmod 700 {named} "
        "and clear it with bayesmeta cache --clear, or name another folder in BAYESMETA_CACHE."
    )
    assert f"Used: no, others can write to {named}; chmod 700 {named}" in shown()
    (base / which).chmod(0o700)
    assert shown("--clear") == "Deleted: 1 file\n"
    assert folder.cache_folder() == path


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give away")
@pytest.mark.parametrize("which", ["bayesmeta/xla", "bayesmeta", "."])
def test_folder_of_another_user_is_left_unused(base, which, caplog):
    made(base)
    os.chown(base / which, 12345, 12345)
    assert folder.cache_folder() is None
    assert f"{(base / which).resolve()} belongs to another user: name another" in caplog.text


def test_folder_that_another_could_be_put_in_place_of_is_left_unused(base, caplog):
    made(base)
    base.chmod(0o777)
    assert folder.cache_folder() is None
    assert f"all can write to {base.resolve()}: chmod o-w" in caplog.text
    base.chmod(0o1777)  # as /tmp, where none can move what is another's
    assert folder.cache_folder() is not None


def test_what_a_link_leads_to_is_what_is_looked_at(base, monkeypatch, caplog):
    path, link = made(base), base / "link"
    link.symlink_to(base / "bayesmeta")
    (base / "other").mkdir()
    (base / "other" / "bayesmeta").symlink_to(base / "bayesmeta")
    monkeypatch.setenv("BAYESMETA_CACHE", str(base / "other"))
    assert folder.cache_folder() == path
    path.chmod(0o777)
    assert folder.cache_folder() is None
    assert len(caplog.messages) == 1


def test_sentence_reaches_standard_error_and_can_be_silenced(base):
    made(base).chmod(0o777)
    code = "from bayesmeta.engines.compiled.folder import cache_folder as f; f(); f()"
    quiet = f"import logging; logging.getLogger('bayesmeta').setLevel('ERROR'); {code}"
    loud, silent = (
        subprocess.run([sys.executable, "-c", one], capture_output=True, text=True, check=True)
        for one in (code, quiet)
    )
    assert loud.stderr.startswith("Compiled programs are kept in memory, for others can write")
    assert loud.stderr.count("\n") == 1
    assert (loud.stdout, silent.stderr, silent.stdout) == ("", "", "")


@pytest.mark.parametrize(
    "home", ["~", os.path.join(os.devnull, "home")], ids=["unknown", "not there"]
)
def test_without_a_home_programs_are_kept_in_memory_without_a_word(home, monkeypatch, caplog):
    monkeypatch.delenv("BAYESMETA_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path.replace("~", home))
    assert folder.cache_folder() is None
    assert (folder.kept_programs().path, caplog.messages) == (None, [])
    assert shown() == "Folder: none\nUsed: no, there is no home folder\nPrograms: 0 files, 0.0 MB\n"


def test_file_in_place_of_a_folder_is_no_folder(base, caplog):
    (base / "bayesmeta").write_text("")
    assert folder.cache_folder() is None
    assert caplog.messages == []
    assert "Used: no, " in shown()


def traced():
    return export.export(jax.jit(lambda x: jnp.sin(x) * 2))(jnp.ones(3))


def damaged(path):
    """What may have become of a file, and is not that file any more."""
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    yield from (whole[:-1], whole[:20], b"", bytes(flipped), whole + b"x", b"not a program")


def test_damaged_program_is_none_and_is_written_anew(base):
    path = stored.stored_program("any", "cpu")
    stored.store_program(path, traced())
    assert stored.load_program(path) is not None
    assert mode(path) == 0o600
    for content in list(damaged(path)):
        path.write_bytes(content)
        assert stored.load_program(path) is None
        stored.store_program(path, traced())
        assert stored.load_program(path) is not None


def test_bytes_with_a_right_checksum_that_are_no_program_are_none(base):
    path = stored.stored_program("any", "cpu")
    whole = bytes(traced().serialize())
    rng = np.random.default_rng(1)
    for body in (b"", b"x", rng.bytes(300), whole[: len(whole) // 2], b"\xff" * 64):
        write_whole(path, body)
        assert read_whole(path) == body
        assert stored.load_program(path) is None


def test_what_is_no_file_of_that_name_is_left_alone(base):
    path = stored.stored_program("any", "cpu")
    path.mkdir()
    program = traced()
    assert stored.load_program(path) is None
    assert stored.store_program(path, program) is program
    assert path.is_dir()
    path.rmdir()
    os.mkfifo(path)  # reading would wait for a writer
    assert stored.load_program(path) is None
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_what_xla_compiled_is_kept_whole_or_made_anew(base):
    path = made(base)
    kept = Executables(path)
    assert kept.get("a") is None
    kept.put("a", b"compiled")
    assert (kept.get("a"), kept.get("b")) == (b"compiled", None)
    (file,) = path.iterdir()
    for content in list(damaged(file)):
        file.write_bytes(content)
        assert kept.get("a") is None
        kept.put("a", b"again")
        assert kept.get("a") == b"again"


USED = """
import sys, warnings
warnings.simplefilter("error")
import jax, jax.numpy as jnp
from bayesmeta.engines.compiled.precision import float64
with float64():
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    print(jax.jit(lambda x: jnp.sin(x) * x)(2.0))
"""


@pytest.mark.deep("five processes that compile: 3 s")
def test_jax_takes_what_is_kept_and_no_damage_is_heard_or_stays(base):
    def used():
        found = subprocess.run(
            [sys.executable, "-c", USED], capture_output=True, text=True, check=True
        )
        assert found.stderr == ""
        return found.stdout, {one: one.read_bytes() for one in path.iterdir()}

    path = made(base)
    first, whole = used()
    assert whole
    assert {one.suffix for one in whole} == {".xla"}
    for damage in (
        lambda x: x[:-9],
        lambda x: x[:99] + bytes([x[99] ^ 8]) + x[100:],
        lambda x: b"",
    ):
        for one, content in whole.items():
            one.write_bytes(damage(content))
        again, mended = used()
        assert again == first
        assert mended.keys() == whole.keys()
        assert all(read_whole(one) for one in mended)


def test_cache_is_shown_and_cleared_of_what_is_ours_alone(base, tmp_path):
    path = made(base)
    outside = tmp_path / f"{ENTRY}.program"
    outside.write_bytes(b"x" * 10)
    for name in (f"{ENTRY}.program", f"{ENTRY}.xla", f"jit_f-{'0' * 64}-cache", ".new-a1_b"):
        (path / name).write_bytes(b"x" * 250_000)
    foreign = {"notes.txt", "x.program", f"{'1' * 40}.program"}
    (path / "notes.txt").write_text("mine")
    (path / "x.program").write_text("mine")
    (path / f"{'1' * 40}.program").symlink_to(outside)
    assert shown() == f"Folder: {path}\nUsed: yes\nPrograms: 4 files, 1.0 MB\n"
    assert shown("--clear") == "Deleted: 4 files\n"
    assert {one.name for one in path.iterdir()} == foreign
    assert outside.read_bytes() == b"x" * 10
    assert shown() == f"Folder: {path}\nUsed: yes\nPrograms: 0 files, 0.0 MB\n"
    assert shown("--clear") == "Deleted: 0 files\n"


def test_file_that_goes_while_the_cache_is_shown_or_cleared_is_no_trouble(base, monkeypatch):
    path = made(base)
    (path / f"{ENTRY}.xla").write_bytes(b"x")
    listed, gone = folder.Kept.entries, path / ".new-a1"
    monkeypatch.setattr(folder.Kept, "entries", lambda kept: [gone, *listed(kept)])
    assert "Programs: 1 file, 0.0 MB" in shown()
    assert shown("--clear") == "Deleted: 1 file\n"
    assert list(path.iterdir()) == []


def test_cache_is_shown_without_being_made(base):
    assert "Used: yes" in shown()
    assert list(base.iterdir()) == []
