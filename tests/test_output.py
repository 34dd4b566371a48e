"""The file that a single fit is written to."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner

import bayesmeta as bm
from bayesmeta.cli import main

COUNTS = """\
study,events_treatment,n_treatment,events_control,n_control
Shu,0,12,3,29
Zhu,0,29,2,29
Monsel,5,21,4,24
"""
ARMS = "study,events,n\nA,3,40\nB,9,61\nC,0,22\n"
PRIORS = ("--mu", "Normal(0, 2)", "--tau", "HalfNormal(1)")


def call(*words):
    return CliRunner(catch_exceptions=False).invoke(main, list(map(str, words)))


def written(folder, table, *words, name="fit.csv"):
    (folder / "trials.csv").write_text(table)
    done = call("fit", folder / "trials.csv", *words, "-o", folder / name)
    assert (done.exit_code, done.stderr) == (0, "")
    return pd.read_csv(folder / name, index_col="parameter")


def test_a_fit_is_written_as_the_table_of_its_summary_on_both_scales(tmp_path):
    found = written(tmp_path, COUNTS, "--measure", "RR", "--prob", "0.9")
    studies = bm.BinaryStudies.from_frame(pd.read_csv(tmp_path / "trials.csv"))
    data = bm.effect_sizes(studies, measure="RR")
    fit = bm.fit(bm.default_model(data), data)
    mu = fit["mu"]
    lower, upper = mu.interval(0.9)
    row = found.loc["mu"]
    assert row[["median", "lower", "upper"]].tolist() == [mu.quantile(0.5), lower, upper]
    assert row["prob_below_null"] == mu.cdf(0)
    ratios = row[["median_natural", "lower_natural", "upper_natural"]].to_numpy(float)
    np.testing.assert_allclose(ratios, np.exp([mu.quantile(0.5), lower, upper]), rtol=1e-15)
    assert list(found.index) == ["mu", "tau", *(f"theta[{one}]" for one in data.study), "theta_new"]
    assert found.loc["tau", "sd"] == fit["tau"].sd()


def test_what_has_no_natural_scale_is_blank_there(tmp_path):
    found = written(tmp_path, COUNTS, "--measure", "OR", "--counts")
    blank = found["median_natural"].isna()
    assert set(found.index[blank]) == {"tau", *(one for one in found.index if "baseline" in one)}
    assert found["median"].notna().all()


def test_single_arms_are_written_as_proportions_and_of_no_effect_nothing_is_said(tmp_path):
    found = written(tmp_path, ARMS, "--measure", "PLO", "--counts", *PRIORS)
    assert "prob_below_null" not in found
    assert found.loc["mu", "median_natural"] == pytest.approx(
        1 / (1 + np.exp(-found.loc["mu", "median"])), rel=1e-12
    )


def test_endings_are_read_in_letters_of_either_case(tmp_path):
    assert "mu" in written(tmp_path, COUNTS, "--measure", "RR", name="FIT.CSV").index
    done = call("fit", tmp_path / "trials.csv", "--measure", "RR", "-o", tmp_path / "fit.NC")
    assert done.exit_code == 0
    with xr.open_datatree(tmp_path / "fit.NC", engine="h5netcdf") as tree:
        assert "mu" in tree["posterior"]


@pytest.mark.parametrize("name", ["fit", "fit.txt", "fit.xlsx", "fit.csv.gz", "fit.nc4", ".csv"])
def test_a_file_of_another_ending_is_refused_before_the_work(tmp_path, monkeypatch, name):
    (tmp_path / "trials.csv").write_text(COUNTS)
    monkeypatch.setattr("bayesmeta.engines.fit", lambda *_: pytest.fail("too late"))
    done = call("fit", tmp_path / "trials.csv", "--measure", "RR", "-o", tmp_path / name)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        f"bayesmeta: {tmp_path / name}: -o writes a table (.csv) or a posterior as netCDF (.nc); "
        "give the file one of these endings.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["trials.csv"]


def test_the_table_itself_is_not_overwritten(tmp_path):
    (tmp_path / "trials.csv").write_text(COUNTS)
    table = tmp_path / "trials.csv"
    done = call("fit", table, "--measure", "RR", "-o", table)
    assert done.exit_code == 2
    assert "is the table itself" in done.stderr
    assert table.read_text() == COUNTS
