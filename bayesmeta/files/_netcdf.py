"""A laid out posterior as the bytes of a netCDF-4 file.

h5netcdf, through xarray, takes ten times as long for files of many small variables; the file holds
the same: variables and their dimension scales in HDF5, named as the netCDF-4 format has it.
"""

from io import BytesIO
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xarray import Dataset, DataTree, Variable

type Group = Any  # of h5py, which types little
NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable."


def netcdf_of(tree: "DataTree") -> bytes:
    """Write every group of a tree: numbers, flags and texts, with their dimensions.

    References
    ----------
    netCDF-4 file format, https://docs.unidata.ucar.edu/netcdf-c/current/file_format_specifications.html
    """
    import h5py

    buffer, ids = BytesIO(), count()
    with h5py.File(buffer, "w", track_order=True) as file:
        file.attrs["_NCProperties"] = np.bytes_(f"version=2,h5py={h5py.__version__}")
        for node in tree.subtree:
            at_root = node.path == "/"
            group = file if at_root else file.create_group(node.path, track_order=True)
            _fill(group, node.to_dataset(inherit=False), ids)
    return buffer.getvalue()


def _fill(group: Group, data: "Dataset", ids: "Iterator[int]") -> None:
    group.attrs.update(data.attrs)
    scales = {}
    for name, size in data.sizes.items():
        if name in data.variables:
            scales[name] = _variable(group, str(name), data.variables[name])
            scales[name].make_scale(name)
        else:
            scales[name] = group.create_dataset(name, shape=(size,), dtype=">f4")
            scales[name].make_scale(
                f"This is a netCDF dimension but not a netCDF variable.{size:10}"
            )
        scales[name].attrs["_Netcdf4Dimid"] = np.int32(next(ids))
    for name, variable in data.variables.items():
        if name not in scales:
            made = _variable(group, str(name), variable)
            for axis, dimension in enumerate(variable.dims):
                made.dims[axis].attach_scale(scales[dimension])


def _variable(group: Group, name: str, variable: "Variable") -> Group:
    import h5py

    values, attributes = np.asarray(variable.values), dict(variable.attrs)
    kind = values.dtype.kind
    if kind in "UO":
        made = group.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
    elif kind == "b":  # netCDF has none
        made = group.create_dataset(name, data=values.astype(np.int8))
        attributes["dtype"] = "bool"
    else:
        made = group.create_dataset(name, data=values)
    if kind == "f":
        attributes["_FillValue"] = values.dtype.type(np.nan)
    made.attrs.update(attributes)
    return made
