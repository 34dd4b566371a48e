"""Files: tables as they were typed, and folders that hold the old files or the new ones."""

import errno
import os
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from references import MAIN_TRIALS, binary

import bayesmeta as bm
from bayesmeta.engines import study_densities
from bayesmeta.files import read_table, replacing, to_datatree, to_netcdf, write_posterior
from bayesmeta.posterior import Check, Diagnostics
from bayesmeta.simulate import replicate

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture(scope="module")
def exact() -> bm.Posterior:
    names = ["Shu", "Жуков & sons", "=1+1"]
    data = bm.EffectSizes.from_arrays(names, [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4], measure="RR")
    return bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), data)


def table(tmp_path: Path, content: bytes | str) -> pd.DataFrame:
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path)


def fill(folder: Path) -> dict[str, str]:
    """Write what an earlier run left."""
    folder.mkdir()
    for name in ("a.csv", "report.html"):
        (folder / name).write_text(f"old {name}")
    return contents(folder)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def visible(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.name[0] != "."}


def fail(*_args, **_kwargs):
    raise FULL


def test_cells_are_text_with_their_printed_decimals(tmp_path):
    frame = table(tmp_path, "study,year,estimate\nShu,2020,0.60\nZhu,,1e3\n")
    assert frame["estimate"].tolist() == ["0.60", "1e3"]
    assert frame["year"].tolist()[0] == "2020"
    assert frame["year"].isna().tolist() == [False, True]
    assert frame.index.tolist() == [0, 1]


@pytest.mark.parametrize(
    "content",
    [
        "study,y\nA,1\nB,2\n",
        "study,y\r\nA,1\r\nB,2\r\n",
        "study,y\rA,1\rB,2",
        b"\xef\xbb\xbfstudy,y\nA,1\nB,2\n",
        b'\xef\xbb\xbf"study","y"\n"A","1"\n"B","2"\n',
        " study , y \n A , 1 \n\tB,  2\t\n",
        "study,y,,\nA,1,,\n\n,,,\nB,2,,\n,,,\n",
        'study,y\n"A\n",1\n"\u00a0B ",2\n',
        "study,y\nA\x01,1\n\x1bB,2\x07\n",
    ],
    ids=[
        "plain",
        "Windows",
        "old Mac",
        "byte order mark",
        "byte order mark and quotes",
        "blanks",
        "empty rows and columns",
        "line ends in a cell",
        "control characters",
    ],
)
def test_table_is_read_however_a_spreadsheet_wrote_it(tmp_path, content):
    frame = table(tmp_path, content)
    assert frame.columns.tolist() == ["study", "y"]
    assert frame.to_numpy().tolist() == [["A", "1"], ["B", "2"]]


def test_column_without_a_name_keeps_its_place(tmp_path):
    frame = table(tmp_path, '"","study"\n"1","A"\n')  # as R writes row names
    assert frame.to_dict("list") == {"column 1": ["1"], "study": ["A"]}


def test_short_row_has_gaps_at_its_end(tmp_path):
    assert table(tmp_path, "study,y,se\nA,1\n").isna().to_numpy().tolist() == [[False, False, True]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty; it needs a header line and one row per study"),
        ("\n \n", "is empty"),
        (",,\n,,\n", "is empty"),
        ("study,y\n", "has a header but no rows; it needs one row per study"),
        ("study,y\n,\n", "has a header but no rows"),
        ("study,y\nA,1\nB,2,3\n", r"has 3 cells in line 3 where its header \(line 1\) has 2; put"),
        ("study,y\nA,1,9\nB,2,9\n", "has 3 cells in line 2"),  # never shifted
        ('study,y\n"A,1\n', "has a quote in line 2 that is not closed there"),
        ("study,y, y \nA,1,2\n", "has more than one column 'y'; keep one of them"),
        (b"PK\x03\x04\xff\xfe spreadsheet", "is a broken Excel workbook"),
    ],
)
def test_file_that_is_no_table_is_refused_with_what_to_mend(tmp_path, content, words):
    with pytest.raises(bm.DataError, match=words) as caught:
        table(tmp_path, content)
    assert str(caught.value).startswith(str(tmp_path / "t.csv"))


PARSED = (  # at once
    *("study,y,se\nA b,1,.5\nB,-1e-3,\n", "y,se\r\n1,2\r\n+3,1e99\r\n\r\n", "y,se\n1,2\n3\n"),
    *("y,se\n1, 2\n", "y,NA\n1,2\n", 'y,se\n"1",2\n'),
)
LOOKED_AT = (  # cell by cell
    *("y,se\n1,2,3\n4,5\n", "y,se\n1,2,3\n", "y,se\n0,2,3\n1,5,6\n", "y,se\n1,2\n1,2,3\n"),
    *("y,y\n1,2\n", "y,\n1,2\n", "y,se\n,2\n,3\n", "y,se\n1,2\n,\n", "y,se\n"),
    *("y,se\ntrue,2\n", "y,se\n1,2 ", "y,se\n1,\u0663\n", "y,se\n1_000,2\n"),
    *(
        "y,se\n0x1,2\n",
        f"y,se\n{'9' * 400},2\n1_0,2\n",
        "y\r1\r",
        "y,se\ninf,2\n",
        "y,se\n1e999,2\n",
    ),
    *("y,se\nNA,2\n1,3\n", "y,se\n2.150,0.2\n1,0.3\n", "y,se\n2.000,0.2\n1,0.3\n"),
)


@pytest.mark.parametrize("content", PARSED + LOOKED_AT)
def test_columns_read_as_numbers_hold_what_their_text_says(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_text(content, newline="")

    def read(**how):
        try:
            return read_table(path, **how)
        except bm.DataError as error:
            return str(error)

    text, found = read(), read(numbers={"y", "se"})
    if content in LOOKED_AT:
        assert found == text if isinstance(text, str) else found.equals(text)
        return
    for name in {"y", "se"} & set(text):
        cells = [np.nan if pd.isna(cell) else float(cell) for cell in text[name]]
        assert found[name].dtype == np.float64
        np.testing.assert_array_equal(found[name], cells)
    others = [name for name in text if name not in ("y", "se")]
    assert found[others].equals(text[others])


def test_missing_table_and_folder_are_refused(tmp_path):
    with pytest.raises(bm.FileError, match=r"no\.csv cannot be read: No such file or directory"):
        read_table(tmp_path / "no.csv")
    with pytest.raises(bm.FileError, match="cannot be read: Is a directory"):
        read_table(tmp_path)


def test_address_is_a_path_and_is_never_fetched():
    with pytest.raises(bm.FileError, match="No such file"):
        read_table("https://example.org/trials.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads and writes everywhere")
def test_permission_is_asked_before_reading_and_writing(tmp_path, exact):
    path = tmp_path / "t.csv"
    path.write_text("study,y\nA,1\n")
    path.chmod(0)
    with pytest.raises(bm.FileError, match="cannot be read: Permission denied"):
        read_table(path)
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(bm.FileError, match="cannot be written to: Permission denied"):
        write_posterior(exact, locked / "f.nc")


def test_a_file_takes_its_place_when_it_is_whole(tmp_path):
    old = fill(tmp_path / "out")
    with replacing(tmp_path / "out" / "a.csv") as new:
        new.write_text("new")
        assert visible(tmp_path / "out") == old
    assert contents(tmp_path / "out") == {**old, "a.csv": "new"}


def test_folder_is_made_with_its_parents(tmp_path):
    with replacing(tmp_path / "deep" / "er" / "a") as new:
        new.write_text("new")
    assert contents(tmp_path / "deep" / "er") == {"a": "new"}


def test_folders_made_for_a_file_that_is_not_written_are_gone(tmp_path):
    with pytest.raises(RuntimeError), replacing(tmp_path / "deep" / "er" / "a"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_file_behind_a_link_is_replaced_and_keeps_its_mode(tmp_path):
    path, link = tmp_path / "a.csv", tmp_path / "link.csv"
    path.write_text("old")
    path.chmod(0o600)
    link.symlink_to(path)
    with replacing(link) as new:
        new.write_text("new")
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_no_ordinary_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(bm.FileError, match="is no ordinary file"), replacing(tmp_path / "pipe.csv"):
        pytest.fail("a device must not make way for a file")


@pytest.mark.parametrize(
    ("error", "raised", "words"),
    [
        (
            FULL,
            bm.FileError,
            "a.csv failed: No space left on device. Nothing was left half-written",
        ),
        (bm.FileError("t.csv cannot be read."), bm.FileError, "t.csv cannot be read"),
        (bm.DataError("bad row"), bm.DataError, "bad row"),
        (RuntimeError("a bug"), RuntimeError, "a bug"),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
    ],
    ids=["full disk", "file", "data", "bug", "stopped"],
)
def test_nothing_is_left_and_old_files_stay_when_the_work_stops(tmp_path, error, raised, words):
    old = fill(tmp_path / "out")

    def work():
        with replacing(tmp_path / "out" / "a.csv") as new:
            new.write_text("half")
            raise error

    with pytest.raises(raised, match=words):
        work()
    assert contents(tmp_path / "out") == old


@pytest.mark.parametrize(
    ("where", "name"), [(os, "replace"), (Path, "write_bytes"), (h5py.Group, "create_dataset")]
)
def test_posterior_is_written_whole_or_not_at_all(tmp_path, monkeypatch, exact, where, name):
    path = tmp_path / "f.nc"
    path.write_text("old")
    monkeypatch.setattr(where, name, fail)
    with pytest.raises(bm.FileError, match="No space left on device"):
        write_posterior(exact, path)
    assert contents(tmp_path) == {"f.nc": "old"}


def test_folder_that_cannot_be_made_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "mkdir", fail)
    with (
        pytest.raises(bm.FileError, match="out cannot be written to: No space left on device"),
        replacing(tmp_path / "out" / "a.csv"),
    ):
        pytest.fail("there is no folder to write to")


def test_target_that_is_a_file_is_refused_and_kept(tmp_path, exact):
    (tmp_path / "out").write_text("mine")
    for target in ("out", "out/deeper", "out/deeper/still"):
        with (
            pytest.raises(bm.FileError, match=r"out is a file; name a folder to write to\."),
            replacing(tmp_path / target / "a.csv"),
        ):
            pytest.fail("a file is no folder")
        with pytest.raises(bm.FileError, match="out is a file"):
            write_posterior(exact, tmp_path / target / "f.nc")
    assert contents(tmp_path) == {"out": "mine"}


def test_file_to_write_that_is_a_folder_is_refused(tmp_path, exact):
    with pytest.raises(bm.FileError, match="is a folder; name a file to write"):
        write_posterior(exact, tmp_path)
    assert contents(tmp_path) == {}


FULL_DISK = """
import resource, signal, sys
import bayesmeta as bm
from bayesmeta.engines import study_densities
from bayesmeta.files import write_posterior
data = bm.EffectSizes.from_arrays(["A", "B"], [-0.4, 0.1], [0.2, 0.3])
posterior = bm.fit(bm.CommonEffect(mu=bm.Normal(0, 2)), data)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
try:
    write_posterior(posterior, sys.argv[1])
except bm.FileError as error:
    print(error)
"""


@pytest.mark.deep("a process that may write little: 1 s")
def test_write_that_the_system_refuses_half_way_ends_in_one_sentence(tmp_path):
    """The HDF5 library, left to write by itself, ends in a segmentation fault here."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "f.nc")], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"Writing to {tmp_path / 'f.nc'} failed: File too large. Nothing was left half-written.\n"
    )
    assert contents(tmp_path) == {}


def test_netcdf_states_model_engine_and_version(tmp_path, exact):
    write_posterior(exact, tmp_path / "f.nc", seed=3)
    with xr.open_datatree(tmp_path / "f.nc", engine="h5netcdf") as tree:
        attributes = tree["posterior"].attrs
        assert attributes["model"] == "NormalNormal(mu=Normal(0, 2), tau=HalfNormal(0.5), df=None)"
        assert attributes["engine"].startswith("Quadrature(")
        assert attributes["gates"] == "passed"
        assert attributes["created_by"] == f"bayesmeta {version('bayesmeta')}"
        assert tree["observed_data"]["study"].values.tolist() == list(exact.data.study)
        assert tree["observed_data"]["y"].values.tolist() == exact.data.y.tolist()
        assert tree["constant_data"]["se"].values.tolist() == exact.data.se.tolist()
        assert tree["posterior"]["theta"].dims == ("chain", "draw", "study")


def test_netcdf_holds_what_xarray_writes(tmp_path, exact):
    """Numbers, whole numbers, flags, texts, a dimension without a variable, attributes."""
    tree = to_datatree(exact, draws=8)
    flags = xr.Dataset(
        {"diverging": (("chain", "step"), np.array([[True, False, True]]))},
        coords={"chain": [0]},
        attrs={"note": "é", "count": 3},
    )
    flags["depth"] = ("step", np.array([1, 2, 3], dtype=np.int32), {"unit": "doublings"})
    flags["name"] = ("step", np.array(["a", "", "Ω"]))
    flags["alone"] = ((), 2.5)
    tree["sample_stats"] = xr.DataTree(flags)
    for name, written in (
        ("ours.nc", to_netcdf(tree)),
        ("theirs.nc", bytes(tree.to_netcdf(engine="h5netcdf"))),
    ):
        (tmp_path / name).write_bytes(written)
    with (
        xr.open_datatree(tmp_path / "ours.nc", engine="h5netcdf") as ours,
        xr.open_datatree(tmp_path / "theirs.nc", engine="h5netcdf") as theirs,
    ):
        xr.testing.assert_identical(ours.load(), theirs.load())
        assert ours["sample_stats"]["diverging"].dtype == bool


def test_netcdf_says_that_a_gate_failed(exact):
    broken = Diagnostics((Check("R-hat", "mu", 1.7, 1.01, at_most=True),))
    tree = to_datatree(replace(exact, diagnostics=broken), draws=8)
    assert tree["posterior"].attrs["gates"] == "failed"


def test_the_seed_is_that_of_the_draws_and_of_the_data_made_of_them(exact, monkeypatch):
    trees = [to_datatree(exact, draws=8, seed=seed) for seed in (1, 1, 2)]
    for group in ("posterior", "prior"):
        first, again, other = (tree[group]["mu"].values for tree in trees)
        assert (first == again).all()
        assert not (first == other).any()
    seeds = []

    def seen(*given, seed):
        seeds.append(seed)
        return replicate(*given, seed=seed)

    monkeypatch.setattr("bayesmeta.files.replicate", seen)
    to_datatree(exact, draws=8, seed=7)
    assert seeds == [7, 8]


def test_same_seed_gives_the_same_file(tmp_path, exact):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_posterior(exact, tmp_path / name, seed=seed)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b
    assert a != c


@pytest.fixture(scope="module")
def counted():
    """Counts fitted exactly, laid out."""
    rows = {name: MAIN_TRIALS[name] for name in ("Shu", "Lanzoni", "Monsel", "Bowdish")}
    model = bm.BinomialNormal(measure="RR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    posterior = bm.fit(model, binary(rows))
    return posterior, to_datatree(posterior, seed=1)


def test_counts_are_laid_out_by_what_is_observed_and_what_is_given(counted):
    posterior, tree = counted
    data = posterior.data
    assert set(tree.children) == {
        "posterior",
        "posterior_predictive",
        "log_likelihood",
        "prior",
        "prior_predictive",
        "observed_data",
        "constant_data",
    }
    assert tree["observed_data"]["events_control"].values.tolist() == data.events_control.tolist()
    assert tree["constant_data"]["n_control"].values.tolist() == data.n_control.tolist()
    for group in ("posterior_predictive", "prior_predictive"):
        assert set(tree[group].data_vars) == set(tree["observed_data"].data_vars)
    assert tree["posterior_predictive"]["events_treatment"].shape == (4, 1000, 4)
    assert tree["log_likelihood"].attrs["target"] == "treatment events given control events"


def test_the_log_likelihood_is_that_of_the_draws_it_stands_beside(counted):
    posterior, tree = counted
    alone = posterior.data.keep(np.array([False, True, False, False]))
    at = {name: tree["posterior"][name].values[2, 10:12] for name in ("mu", "tau")}
    terms = study_densities(posterior.model, alone, at)
    found = tree["log_likelihood"]["events_treatment"].values[2, 10:12, 1]
    np.testing.assert_allclose(found, (terms.every - terms.given)[:, 0], rtol=1e-6)


def test_statistics_of_the_sampler_are_kept_and_improper_priors_have_no_draws(exact):
    flat = bm.NormalNormal(mu=bm.Flat(), tau=bm.HalfNormal(0.5))
    posterior = replace(
        exact,
        model=flat,
        engine="made by hand",
        sample=lambda n, seed: {
            "mu": np.zeros((2, 5)),
            "tau": np.ones((2, 5)),
            "theta": np.zeros((2, 5, exact.data.k)),
        },
        sample_stats={"diverging": np.zeros((2, 5))},
    )
    tree = to_datatree(posterior)
    assert tree["sample_stats"]["diverging"].dims == ("chain", "draw")
    assert tree["posterior"].attrs["engine"] == "made by hand"
    assert "prior" not in tree.children


ARVIZ = """
import sys
import arviz as az
tree = az.from_netcdf(sys.argv[1])
table = az.summary(tree, var_names=["mu", "tau", "theta"])
az.plot_ppc_dist(tree, backend="none")
az.plot_ppc_dist(tree, group="prior_predictive", backend="none")
left_out = az.loo(tree, pointwise=True)
assert "bayesmeta" not in sys.modules
print(float(left_out.elpd), float(left_out.pareto_k.max()))
print(table.index.tolist())
print(float(tree["posterior"]["mu"].mean()), tree["posterior"].attrs["model"])
"""


@pytest.mark.deep("a process that loads ArviZ: 3 s")
def test_netcdf_opens_in_arviz_without_bayesmeta(tmp_path, exact):
    write_posterior(exact, tmp_path / "f.nc")
    done = subprocess.run(
        [sys.executable, "-c", ARVIZ, str(tmp_path / "f.nc")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    predicted, names, numbers = done.stdout.splitlines()
    elpd, pareto_k = map(float, predicted.split())
    assert elpd == pytest.approx(bm.loo(exact).total, abs=0.1)
    assert pareto_k < 0.7
    assert names == str(["mu", "tau", *(f"theta[{name}]" for name in exact.data.study)])
    mean, model = numbers.split(" ", 1)
    assert float(mean) == pytest.approx(exact["mu"].mean(), abs=4 * exact["mu"].sd() / 4000**0.5)
    assert model == repr(exact.model)
