"""Files on disk: tables in, posteriors and folders out; whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .effects import EffectSizes
from .errors import DataError, FileError
from .model import Data
from .posterior import Posterior
from .studies import COUNTS

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree


def read_table(path: Path | str) -> "pd.DataFrame":
    """Read a CSV table with every cell as text, so that printed decimals survive.

    Parameters
    ----------
    path : Path or str

    Returns
    -------
    DataFrame
        Strings without surrounding blanks; empty cells are missing.

    Raises
    ------
    FileError
        If the file cannot be read.
    DataError
        If it is not a table.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(path, dtype=str, skipinitialspace=True, encoding="utf-8-sig")
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}.") from None
    except pd.errors.EmptyDataError:
        raise DataError(f"{path} is empty; it needs a header line and one row per study.") from None
    except (pd.errors.ParserError, UnicodeDecodeError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise DataError(f"{path} is not a CSV table in UTF-8: {first}.") from None
    if frame.empty:
        raise DataError(f"{path} has a header but no rows; it needs one row per study.")
    frame.columns = [str(name).strip() for name in frame.columns]
    return frame.apply(lambda column: column.str.strip()).replace("", np.nan)


def to_datatree(posterior: Posterior, *, draws: int = 4000, seed: int = 0) -> "DataTree":
    """Lay a posterior out as ArviZ does.

    Parameters
    ----------
    posterior : Posterior
    draws : int
        For an exact posterior: how many independent draws. A sampled one gives all it has.
    seed : int

    Returns
    -------
    DataTree
        Groups ``posterior``, ``observed_data``, and for a sampled posterior ``sample_stats``. The
        attributes state the model with its priors, the engine and the version.
    """
    import xarray as xr

    tree = posterior.draws(draws if posterior.exact else None, seed=seed)
    chain, draw = (tree["posterior"].coords[name] for name in ("chain", "draw"))
    if posterior.sample_stats:
        stats = {
            name: (("chain", "draw"), values) for name, values in posterior.sample_stats.items()
        }
        tree["sample_stats"] = xr.DataTree(xr.Dataset(stats, coords={"chain": chain, "draw": draw}))
    observed = {name: ("study", values) for name, values in _columns(posterior.data).items()}
    coords = {"study": list(posterior.data.study)}
    tree["observed_data"] = xr.DataTree(xr.Dataset(observed, coords=coords))
    from . import __version__

    tree["posterior"].attrs = {
        "model": repr(posterior.model),
        "engine": posterior.engine,
        "gates": "passed" if posterior.diagnostics.passed else "failed",
        "created_by": f"bayesmeta {__version__}",
    }
    return tree


def write_posterior(posterior: Posterior, path: Path | str, *, seed: int = 0) -> None:
    """Write a posterior as netCDF that ``arviz.from_netcdf`` opens.

    Raises
    ------
    FileError
        If the file cannot be written; an older file of that name is then left as it was.
    """
    path = Path(path)
    with staged(path.parent) as folder:
        to_datatree(posterior, seed=seed).to_netcdf(folder / path.name, engine="h5netcdf")


@contextmanager
def staged(target: Path | str) -> Generator[Path]:
    """Give a temporary folder whose files move into `target` together when all are written.

    Raises
    ------
    FileError
        If anything cannot be written. Nothing of the unfinished work is left.
    """
    target = Path(target)
    try:
        if target.exists() and not target.is_dir():
            raise FileError(f"{target} is a file; name a folder to write to.")
        target.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".bayesmeta-", dir=target))
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{target} cannot be written to: {error.strerror or error}.") from None
    try:
        yield folder
        for path in sorted(folder.iterdir()):
            os.replace(path, target / path.name)
    except FileError:
        raise
    except OSError as error:
        raise FileError(
            f"Writing to {target} failed: {error.strerror or error}. Nothing was left half-written."
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _columns(data: Data) -> Mapping[str, np.ndarray]:
    names = ("y", "se") if isinstance(data, EffectSizes) else COUNTS
    return {name: getattr(data, name) for name in names}
