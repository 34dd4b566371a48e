"""Files of many groups: fitted chunk by chunk, the same whatever runs them, and begun again."""

import json
import os
import signal
import sys
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import bayesmeta as bm
from bayesmeta.batch import file, fit_file, kept
from bayesmeta.cli import _cluster, main

MODEL = bm.CommonEffect(mu=bm.Normal(0, 2))
OTHER = bm.CommonEffect(mu=bm.Normal(0, 1))
GROUPS = 8


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(file, "GROUPS_AT_ONCE", 3)


def frame_of(groups=GROUPS, k=3):
    rng = np.random.default_rng(4)
    table = {"g": np.repeat(np.arange(groups), k), "h": [f"x{i}" for i in range(k)] * groups}
    numbers = {"y": rng.normal(size=groups * k).round(3), "se": rng.uniform(0.1, 1, groups * k)}
    frame = pd.DataFrame({**table, **numbers})
    frame.loc[4, "se"] = -1.0  # the second group has a problem
    return frame


@pytest.fixture(params=["csv", "parquet"])
def table(request, tmp_path):
    return written(frame_of(), tmp_path / f"in.{request.param}")


def written(frame, path):
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False, row_group_size=5)
    return path


class Here:
    """Runs work at once, and notes how much; as a scheduler would, the last chunk first."""

    def __init__(self):
        self.chunks = []

    def submit(self, function, frame):
        self.chunks.append(len(frame))
        done = Future()
        done.set_result(function(frame))
        return done


def fitted(table, output, model=MODEL, **more):
    fit_file(model, table, output, by=["g"], **more)
    return output.read_bytes()


def stopped_after(chunks, table, output, model=MODEL):
    def stop(now):
        if now.done == chunks:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_file(model, table, output, by=["g"], progress=stop)
    return next(one for one in output.with_name(f"{output.name}.chunks").iterdir())


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_file_holds_the_rows_of_fit_many(table, form, tmp_path):
    whole = bm.fit_many(MODEL, frame_of(), by="g")
    fitted(table, tmp_path / f"out.{form}")
    out = tmp_path / f"out.{form}"
    rows = pd.read_parquet(out) if form == "parquet" else pd.read_csv(out, keep_default_na=False)
    assert rows["g"].astype(int).tolist() == whole["g"].tolist()
    for name in ("k", "mu_mean", "mu_lower", "log_marginal_likelihood"):
        found = pd.to_numeric(rows[name]).to_numpy(float)
        np.testing.assert_array_equal(found, whole[name].to_numpy(float))
    assert (rows["problem"] == whole["problem"]).all()
    assert not list(tmp_path.glob("*.chunks"))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_begun_again_it_goes_on_and_the_bytes_are_the_same(table, form, tmp_path):
    whole = fitted(table, tmp_path / f"whole.{form}")
    output, here, seen = tmp_path / f"out.{form}", Here(), []
    stopped_after(2, table, output)
    assert fitted(table, output, executor=here, progress=seen.append) == whole
    assert len(here.chunks) == 1  # the third of chunks of 3, 3 and 2 groups
    assert (seen[0].taken, seen[0].done, seen[0].chunks) == (2, 2, 3)
    assert (seen[-1].done, seen[-1].groups_done, seen[-1].problems) == (3, GROUPS, 1)
    assert not list(tmp_path.glob("*.chunks"))


def test_chunks_of_another_model_table_setting_or_version_are_never_taken(tmp_path, monkeypatch):
    table, output = written(frame_of(), tmp_path / "in.csv"), tmp_path / "out.csv"
    folder = stopped_after(2, table, output)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["model"] == repr(MODEL)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def taken(model=MODEL, **more):
        seen = []
        fitted(table, output, model, progress=seen.append, **more)
        assert seen[0].others == 1
        return seen[0].taken

    assert taken(OTHER) == 0
    assert taken(prob=0.9) == 0
    with monkeypatch.context() as patch:
        patch.setattr(kept, "made_with", lambda: {"bayesmeta": "0.0"})
        patch.setattr(file, "made_with", lambda: {"bayesmeta": "0.0"})
        assert taken() == 0
    content = table.read_text()
    table.write_text(content.replace("x0", "x9"))
    assert taken() == 0
    table.write_text(content)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    seen = []
    fitted(table, output, progress=seen.append)
    assert seen[0].taken == 2


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_chunk_that_is_not_whole_is_fitted_again(form, tmp_path):
    table, output = written(frame_of(), tmp_path / "in.csv"), tmp_path / f"out.{form}"
    whole = fitted(table, output)
    folder = stopped_after(2, table, output)
    path = next(one for one in sorted(folder.iterdir()) if one.suffix == f".{form}")
    path.write_bytes(path.read_bytes()[: -len(path.read_bytes()) // 2])
    seen = []
    assert fitted(table, output, progress=seen.append) == whole
    assert seen[0].taken == 1


def test_a_table_that_changes_under_way_leaves_nothing_behind(tmp_path):
    table, output = written(frame_of(), tmp_path / "in.csv"), tmp_path / "out.csv"

    def change(now):
        if now.done == 1:
            table.write_text(table.read_text().replace("x0", "x99"))

    with pytest.raises(bm.DataError, match="was changed while it was fitted"):
        fitted(table, output, progress=change)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_whole_numbers_stay_whole_where_a_chunk_has_gaps(tmp_path):
    frame = frame_of().assign(year=pd.array(np.repeat([2000, 2001, *[pd.NA] * 6], 3), "Int64"))
    table = written(frame, tmp_path / "in.parquet")
    fit_file(MODEL, table, tmp_path / "out.csv", by=["g", "year"])
    years = [line.split(",")[1] for line in (tmp_path / "out.csv").read_text().splitlines()]
    assert years == ["year", "2000", "2001", *[""] * 6]


def test_large_groups_are_chunks_of_their_own(monkeypatch, tmp_path):
    monkeypatch.setattr(file, "ROWS_AT_ONCE", 4)
    here = Here()
    fitted(written(frame_of(), tmp_path / "in.csv"), tmp_path / "out.csv", executor=here)
    assert here.chunks == [3] * GROUPS


REFUSED = {
    "scattered": (frame_of().sample(frac=1, random_state=1), "several places .* sort it by g"),
    "no rows": (frame_of()[:0], "no rows to analyse"),
    "no column": (frame_of().drop(columns="g"), "no column 'g'; it has"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_parquet_table_that_cannot_be_used_is_refused(why, tmp_path):
    frame, words = REFUSED[why]
    with pytest.raises(bm.DataError, match=words):
        fitted(written(frame, tmp_path / "in.parquet"), tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_a_file_that_is_no_parquet_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "in.parquet"
    with pytest.raises(bm.FileError, match="cannot be read: No such file"):
        fitted(path, tmp_path / "out.csv")
    path.write_text("g,y,se\n1,2,3\n")
    with pytest.raises(bm.DataError, match="is not a Parquet file"):
        fitted(path, tmp_path / "out.csv")
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(bm.FileError, match=r"install bayesmeta\[distributed\], or use CSV"):
        fitted(path, tmp_path / "out.csv")


def test_a_worker_with_other_versions_is_refused(tmp_path):
    settings = file.Settings(MODEL, None, 0.95, quantiles=True)
    asked = file.Asked(settings, ("g",), None, file.AS_IT_IS, (("bayesmeta", "0.0"),))
    with pytest.raises(
        bm.ModelError, match=r"A worker has bayesmeta .* has 0\.0; install the same"
    ):
        file.fit_part(asked, frame_of())


def command(table, output, *more):
    words = ["batch", str(table), "--by", "g", "--measure", "OR", "-o", str(output), *more]
    return CliRunner().invoke(main, words)


def test_the_command_says_what_it_takes_over_and_what_it_keeps(tmp_path, monkeypatch):
    table, output = written(frame_of(), tmp_path / "in.csv"), tmp_path / "out.csv"
    put = kept.Kept.put

    def fails(self, i, rows):
        if self.done:
            raise KeyboardInterrupt
        put(self, i, rows)

    with monkeypatch.context() as patch:
        patch.setattr(kept.Kept, "put", fails)
        result = command(table, output)
    assert result.exit_code == 130
    assert "1 of 3 chunks are finished and kept in" in result.stderr
    again = command(table, output)
    assert again.exit_code == 1, again.output
    assert "1 of 3 chunks are taken over from" in again.stderr
    assert "1 of 8 groups have a problem" in again.stderr


def test_a_cluster_that_cannot_be_had_is_refused_by_the_name_of_its_flag(tmp_path, monkeypatch):
    table = written(frame_of(), tmp_path / "in.csv")
    monkeypatch.setattr(_cluster, "PATIENCE", 0.2)
    none = command(table, tmp_path / "out.csv", "--dask", "tcp://127.0.0.1:1")
    assert (none.exit_code, none.stderr.count("\n")) == (2, 1)
    assert "--dask tcp://127.0.0.1:1 is not reached" in none.stderr
    monkeypatch.setitem(sys.modules, "distributed", None)
    missing = command(table, tmp_path / "out.csv", "--dask", "tcp://127.0.0.1:1")
    assert missing.exit_code == 2
    assert "install bayesmeta[distributed], or leave --dask out" in missing.stderr


@pytest.mark.deep("two processes that import Dask and JAX: 15 s")
def test_a_cluster_gives_the_same_bytes_and_a_killed_worker_loses_nothing(tmp_path, monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(file, "GROUPS_AT_ONCE", 50)
    table = written(frame_of(2000), tmp_path / "in.parquet")
    words = ["--mu", "Normal(0, 2)", "--tau", "HalfNormal(0.5)"]
    assert command(table, tmp_path / "here.parquet", *words).exit_code == 1
    alone = (tmp_path / "here.parquet").read_bytes()
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        there = command(table, tmp_path / "there.parquet", *words, "--dask", address)
        assert there.exit_code == 1, there.output
        assert (tmp_path / "there.parquet").read_bytes() == alone
        victim = {nanny.pid for nanny in cluster.workers.values()}.pop()
        put, killed = kept.Kept.put, []

        def put_and_kill(self, i, rows):
            put(self, i, rows)
            if len(self.done) == 3:
                os.kill(victim, signal.SIGKILL)
                killed.append(len(self.groups))

        monkeypatch.setattr(kept.Kept, "put", put_and_kill)
        lost = command(table, tmp_path / "lost.parquet", *words, "--dask", address)
    assert killed == [40]
    assert lost.exit_code == 1, lost.output
    assert Path(tmp_path / "lost.parquet").read_bytes() == alone


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--by", "g"], "Groups are named by 'g' twice; name each column once."),
        (["--by", "se"], "'se' is a column that the model reads; group by another one."),
        (["--by", "k"], "'k' is a column of the result; rename it in the table."),
        (["--dask", " "], "--dask is empty; give a scheduler's address"),
        (["-o", "in.csv"], "in.csv is the table itself; name another file to write."),
    ],
)
def test_what_would_end_in_a_muddle_is_refused_before_anything_is_fitted(
    more, words, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    table = written(frame_of().assign(k=1), Path("in.csv"))
    before = table.read_bytes()
    done = command(table, Path("out.csv"), *more)
    assert (done.exit_code, done.exception.code) == (2, 2)
    assert words in done.output
    assert table.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]
