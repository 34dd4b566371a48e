"""Files on disk: tables in, posteriors and folders out; whole or not at all."""

import re
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..engines import rough_estimates, study_densities
from ..errors import ModelError
from ..model import Data, check_one_outcome
from ..posterior import Posterior, shared
from ..sheets import read_sheet
from ..simulate import parameters, replicate
from ..studies import Covariate, apart
from ._claim import claimed
from ._csv import to_csv
from ._manifest import MANIFEST, Verdict, verify
from ._netcdf import netcdf_of
from ._run import Piece, check_unclaimed, stored, write_run
from ._staged import check_file, check_folder, replacing

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

__all__ = [
    "MANIFEST",
    "Piece",
    "Verdict",
    "check_file",
    "check_folder",
    "check_unclaimed",
    "claimed",
    "read_table",
    "replacing",
    "side_by_side",
    "stored",
    "to_csv",
    "to_datatree",
    "to_netcdf",
    "verify",
    "write_posterior",
    "write_run",
]

PRIOR_DRAWS = 1000


def read_table(path: Path | str, *, numbers: Collection[str] = ()) -> "pd.DataFrame":
    """Read a table with every cell as text, so that printed decimals survive.

    Parameters
    ----------
    path : Path or str
    numbers : collection of str
        As for `read_sheet`.

    Returns
    -------
    DataFrame
        That of `read_sheet`.

    Raises
    ------
    FileError
        If the file cannot be read.
    DataError
        If it is not a table, or can be read in two ways.
    """
    return read_sheet(path, numbers=numbers).frame


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
        Groups ``posterior``, ``posterior_predictive`` (the same studies again), ``log_likelihood``
        (of each study's result, its effect and baseline integrated out, for ``arviz.loo``),
        ``observed_data``, ``constant_data`` (where effects depend on covariates with their design);
        for proper priors ``prior`` and ``prior_predictive``; for a sampled posterior
        ``sample_stats``. The attributes state the model with its priors, the engine and the
        version.
    """
    import xarray as xr

    check_one_outcome(posterior.model, "A file in ArviZ's layout")
    tree = posterior.draws(draws if posterior.exact else None, seed=seed)
    place = tree["posterior"].dataset[["chain", "draw"]].coords
    groups = {
        "sample_stats": (posterior.sample_stats, ()),
        "posterior_predictive": (_predictive(posterior, tree, seed), ("study",)),
        "log_likelihood": (_log_likelihood(posterior, tree), ("study",)),
    }
    study = {"study": list(posterior.data.study)}
    for name, (columns, last) in groups.items():
        if columns:
            arrays = {key: (("chain", "draw", *last), each) for key, each in columns.items()}
            tree[name] = xr.DataTree(
                xr.Dataset(arrays, coords={**place, **(study if last else {})})
            )
    if "log_likelihood" in tree.children:
        tree["log_likelihood"].attrs = {"target": posterior.model.likelihood.target}
    _add_prior(tree, posterior, seed)
    observed = set(tree["posterior_predictive"].data_vars)
    for name, wanted in (("observed_data", True), ("constant_data", False)):
        columns = {
            key: ("study", values)
            for key, values in _observed(posterior).items()
            if (key in observed) == wanted
        }
        tree[name] = xr.DataTree(xr.Dataset(columns, coords=study))
    constant = tree["constant_data"].dataset.assign(_designs(posterior))
    tree["constant_data"] = xr.DataTree(
        constant.assign(_covariates(posterior.data, list(map(str, constant.variables))))
    )
    tree["posterior"].attrs = {
        "model": repr(posterior.model),
        "engine": posterior.engine,
        "gates": "passed" if posterior.diagnostics.passed else "failed",
        "created_by": f"bayesmeta {version('bayesmeta')}",
    }
    return tree


type Columns = Mapping[str, NDArray[np.float64]]
type Axes = Mapping[str, tuple[str, ...]]
type Variable = tuple[str, NDArray[np.float64] | NDArray[np.str_], Mapping[str, str]]


def _observed(posterior: Posterior) -> Columns:
    """The columns of the data; of continuous outcomes the estimate, and the figures reported."""
    data = posterior.data
    if data.result in data.numbers:
        return data.numbers
    y, _ = rough_estimates(posterior.model.likelihood, data, data.numbers)
    shown = {name: each for name, each in data.numbers.items() if not np.isnan(each).all()}
    return {data.result: y, **shown}


def _covariates(data: Data, taken: Sequence[str]) -> dict[str, Variable]:
    """What else is known of each study, under names that a file may have; its own stands beside."""
    plain = [_CONTROL.sub(" ", name).replace("/", " ").strip() for name in data.covariates]
    named = ("column" if name in ("", ".") else name for name in plain)  # "." is the group itself
    safe = apart([*taken, *named])[len(taken) :]
    return {
        name: ("study", _in_a_file(column), {"column": _CONTROL.sub(" ", own)})
        for name, (own, column) in zip(safe, data.covariates.items(), strict=True)
    }


def _designs(posterior: Posterior) -> Mapping[str, tuple[tuple[str, str], NDArray[np.float64]]]:
    """What coefficients are multiplied by in each study, where there are any."""
    columns = posterior.model.location.columns(posterior.data)
    return {name: (("term", "study"), values) for name, values in columns.items()}


def _in_a_file(column: Covariate) -> NDArray[np.float64] | NDArray[np.str_]:
    if not isinstance(column, tuple):
        return column
    return np.array([_CONTROL.sub(" ", text) for text in column], dtype=np.str_)


def _draws(tree: "DataTree") -> Columns:
    return {str(name): each.values for name, each in tree["posterior"].data_vars.items()}


def _shaped(columns: Columns, tree: "DataTree") -> Columns:
    size = tree["posterior"].sizes["chain"], tree["posterior"].sizes["draw"]
    return {name: values.reshape(*size, -1) for name, values in columns.items()}


def _predictive(posterior: Posterior, tree: "DataTree", seed: int) -> Columns:
    flat = {name: each.reshape(-1, *each.shape[2:]) for name, each in _draws(tree).items()}
    made = replicate(posterior.model, flat, posterior.data, seed=seed)
    return _shaped(made, tree)


def _log_likelihood(posterior: Posterior, tree: "DataTree") -> Columns:
    try:
        terms = study_densities(posterior.model, posterior.data, shared(_draws(tree)))
    except ModelError:  # too precise for a density of each study by itself
        return {}
    return _shaped({posterior.data.result: terms.every - terms.given}, tree)


def _add_prior(tree: "DataTree", posterior: Posterior, seed: int) -> None:
    """Add draws of the priors and of data from them, unless nothing can be drawn."""
    import xarray as xr

    model, data = posterior.model, posterior.data
    if not all(prior.proper for prior in model.priors.values()):
        return
    drawn = parameters(model, data.k, PRIOR_DRAWS, seed=seed, data=data)
    made = replicate(model, drawn, data, seed=seed + 1)
    for name, columns in (("prior", drawn), ("prior_predictive", made)):
        arrays = {
            key: (("chain", "draw", *_axes(posterior, key, each)), each[None])
            for key, each in columns.items()
            if key != "log_sd"  # of two arms
        }
        coords: dict[str, object] = {"chain": [0], "draw": np.arange(PRIOR_DRAWS)}
        for key, each in columns.items():
            if key in arrays:
                axes = _axes(posterior, key, each)
                coords |= {axis: list(names) for axis, names in axes.items()}
        tree[name] = xr.DataTree(xr.Dataset(arrays, coords=coords))


def _axes(posterior: Posterior, name: str, drawn: NDArray[np.float64]) -> Axes:
    """Names along the axes of a parameter that is drawn once for each study, or coefficient."""
    return posterior.model.labels(name, posterior.data) if drawn.ndim > 1 else {}


def side_by_side(posteriors: Mapping[str, Posterior], *, seed: int = 0) -> "DataTree":
    """Lay posteriors of one estimate each side by side along ``figure``, as ArviZ does.

    They are separate analyses: nothing is pooled, and draws of one say nothing of another.
    """
    import xarray as xr

    trees = [to_datatree(posterior, seed=seed) for posterior in posteriors.values()]
    figure = xr.Variable("figure", list(posteriors))
    groups = {}
    for name in ("posterior", "observed_data", "constant_data"):
        parts = [tree[name].to_dataset() for tree in trees]
        parts = [part.isel(study=0, drop=True) if "study" in part.dims else part for part in parts]
        groups[name] = xr.concat(parts, dim=figure, combine_attrs="drop")
    groups["posterior"].attrs = {
        "model": "; ".join(repr(posterior.model) for posterior in posteriors.values()),
        "note": "separate common-effect analyses of one published figure each; nothing is pooled",
        "created_by": trees[0]["posterior"].attrs["created_by"],
    }
    return xr.DataTree.from_dict(groups)


def write_posterior(posterior: Posterior, path: Path | str, *, seed: int = 0) -> None:
    """Write a posterior as netCDF that ``arviz.from_netcdf`` opens.

    Raises
    ------
    FileError
        If the file cannot be written; an older file of that name is then left as it was.
    """
    with replacing(path) as new:
        new.write_bytes(to_netcdf(to_datatree(posterior, seed=seed)))


def to_netcdf(tree: "DataTree") -> bytes:
    """Return the netCDF file of a laid out posterior.

    It is made in memory: on a full disk the HDF5 library writes to its end by tracebacks and a
    segmentation fault, an ordinary file by an ``OSError``.
    """
    return netcdf_of(tree)


# Control characters other than tab and line ends: they break SVG, netCDF and terminals.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
