"""Joint draws for a decision model: the value, and how it is made of the draws of outcomes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ...model import Data
from ...summaries import describe
from ..apart import apart
from .columns import Column, Parameter, parameters, quantities
from .dependence import Dependence
from .psa_file import check_psa_file, write_psa
from .strands import Rows, Strand, ranks

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]

PROGRAMS = ("bayesmeta", "numpy", "scipy", "pandas")


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Psa:
    """Joint draws for a decision model: one row is one draw of everything.

    Attributes
    ----------
    frame : DataFrame
        A column for each outcome, arm and quantity; risks, rates, means and effects as people read
        them. Those that end in ``_new`` are of a new setting.
    columns_meaning : mapping of str to Column
        Meaning and unit of each column.
    mean : Series
        Of baselines and effects on the scales where these are analysed, ``log(mortality_rr)``, for
        models that draw for themselves from a normal distribution; NaN where none exists.
    covariance : DataFrame
        Likewise.
    rank_correlation : DataFrame
        Spearman's, of the mean effects of the outcomes, each oriented so that more is a benefit.
    outcomes : mapping of str to mapping
        What each outcome is: its measure, model, engine, baseline, data.
    dependence : mapping
        What is correlated, how much and why.
    seed : int
    sources : mapping of str to str
        SHA-256 of each outcome's data, and of files.
    versions : mapping of str to str
    left_out : mapping of str to str
        Outcomes that could not be carried, and why.
    """

    frame: "pd.DataFrame"
    columns_meaning: Mapping[str, Column]
    mean: "pd.Series"
    covariance: "pd.DataFrame"
    rank_correlation: "pd.DataFrame"
    outcomes: Mapping[str, Mapping[str, Any]]
    dependence: Mapping[str, Any]
    seed: int
    sources: Mapping[str, str]
    versions: Mapping[str, str]
    left_out: Mapping[str, str]

    def __repr__(self) -> str:
        draws, columns = self.frame.shape
        return (
            f"Psa of {', '.join(self.outcomes)}: {draws:,} draws of {columns} columns; .frame, "
            ".columns_meaning, .write('psa.parquet')"
        )

    @property
    def passed(self) -> bool:
        """Whether every fit passed its numerical gates."""
        return not any(one["gates_failed"] for one in self.outcomes.values())

    def write(self, path: Path | str) -> Path:
        """Write the draws as Parquet or CSV, by the name's ending, and what they mean beside them.

        Parameters
        ----------
        path : Path or str
            ``psa.parquet`` or ``psa.csv``; ``psa.json`` is written beside it.

        Returns
        -------
        Path
            Of the JSON file.

        Raises
        ------
        FileError
            If they cannot be written; older files are then left as they were.
        """
        path = Path(path)
        check_psa_file(path)
        return write_psa(self.frame, self.described(), path)

    def described(self) -> dict[str, Any]:
        """Return everything but the draws, in values that JSON has."""
        return {
            "program": "bayesmeta",
            "versions": dict(self.versions),
            "seed": self.seed,
            "draws": len(self.frame),
            "row": "one joint draw: every column of a row belongs together",
            "columns": {name: one._asdict() for name, one in self.columns_meaning.items()},
            "outcomes": self.outcomes,
            "left_out": dict(self.left_out),
            "dependence": self.dependence,
            "parameters": {
                "of": "baselines and effects on the scales where they are analysed; null where a "
                "moment does not exist",
                "names": list(self.mean.index),
                "mean": _listed(self.mean.to_numpy()),
                "covariance": [_listed(row) for row in self.covariance.to_numpy()],
            },
            "sha256": dict(self.sources),
        }


def _listed(values: Array) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


class Told(NamedTuple):
    """An outcome and its draws."""

    strand: Strand
    rows: Rows


def joint(told: list[Told], of: Dependence, seed: int) -> Psa:
    """Put the draws of all outcomes side by side, and say what they are."""
    import pandas as pd

    every = [one for strand, rows in told for one in quantities(strand, rows)]
    known: dict[str, Parameter] = {}
    for one, rows in told:
        known |= parameters(one, rows)
    mean, covariance = _moments(known)
    names = [one.name for one, _ in told]
    of_means = _spearman([one.sign * rows.mu for one, rows in told])
    return Psa(
        frame=pd.DataFrame({name: values for name, values, _, _ in every}),
        columns_meaning={name: Column(meaning, unit) for name, _, meaning, unit in every},
        mean=pd.Series(mean, index=list(known)),
        covariance=pd.DataFrame(covariance, index=list(known), columns=list(known)),
        rank_correlation=pd.DataFrame(of_means, index=names, columns=names),
        outcomes={one.name: _facts(one) for one, _ in told},
        dependence=_dependence(told, of, of_means),
        seed=seed,
        sources={f"data of {one.name}": _hash(one.of.fit.data) for one, _ in told},
        versions={"python": python_version(), **{name: version(name) for name in PROGRAMS}},
        left_out={},
    )


def _moments(known: Mapping[str, Parameter]) -> tuple[Array, Array]:
    values = np.array([one.values for one in known.values()])
    sd = np.array([one.sd for one in known.values()])
    mean = np.array([one.values.mean() if one.mean else np.nan for one in known.values()])
    return mean, np.where(np.outer(sd, sd), np.atleast_2d(np.cov(values)), np.nan)


def _spearman(columns: list[Array]) -> Array:
    return np.atleast_2d(np.corrcoef([ranks(one) for one in columns]))


def _facts(one: Strand) -> dict[str, Any]:
    fit = one.of.fit
    return {
        "measure": one.shown.name,
        "better": one.of.better,
        "model": describe(fit.model),
        "engine": fit.engine,
        "gates_failed": [str(failure) for failure in fit.diagnostics.failures],
        "cautions": list(fit.cautions),
        "studies": fit.data.k,
        "baseline": _baseline(one),
        "assumed": "" if one.by is None else one.by.assumed,
        "risks": one.follows,
        "time": one.of.time,
        "new_setting": _of_new(one),
    }


def _baseline(one: Strand) -> str:
    if one.base is None:
        return "none stated: effects alone"
    together = apart([one.base], one.of.fit)
    return f"{one.base.said}. {together}" if together else one.base.said


def _of_new(one: Strand) -> str:
    if one.of.fit.model.between.new is None:
        return "all settings have one effect: there are no columns of a new one"
    return "columns that end in _new"


def _dependence(told: list[Told], of: Dependence, of_means: Array) -> dict[str, Any]:
    found: dict[str, Any] = {
        "outcomes": [one.name for one, _ in told],
        "orientation": "each outcome so that more is a benefit",
        "said": _said(told, of),
        "correlation": of.correlation.tolist() if of.stated else None,
        "spearman_expected": of.spearman.tolist() if of.stated else None,
        "spearman_of_means": of_means.tolist(),
    }
    if all(rows.new is not None for _, rows in told):
        new = [one.sign * rows.new for one, rows in told if rows.new is not None]
        found["spearman_in_new_setting"] = _spearman(new).tolist()
    return found


def _said(told: list[Told], of: Dependence) -> str:
    both = [one.name for one, _ in told if one.together]
    own = (
        f" Of {', '.join(both)} baseline and effect are of one fit, drawn together." if both else ""
    )
    return _of_outcomes(told, of) + own


def _of_outcomes(told: list[Told], of: Dependence) -> str:
    several = [one.name for one, _ in told if one.of.joint]
    if several:
        return (
            f"{', '.join(several)} were fitted together and are drawn as that fit has them; other "
            "outcomes are independent."
        )
    if not of.stated:
        return "Outcomes are independent: no correlation was stated, and separate fits have none."
    return (
        "The posteriors of the mean effects are correlated as stated, by a Gaussian copula: whole "
        "rows of an outcome changed places, so that its own distribution is as fitted. In a new "
        "setting the deviations from the means are correlated likewise. Baselines are independent. "
        "It is no correlation within patients."
    )


def _hash(data: Data) -> str:
    """SHA-256 of the names of the studies and their numbers."""
    found = hashlib.sha256(repr(data.study).encode())
    for name, values in sorted(data.numbers.items()):
        found.update(name.encode())
        found.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
    return found.hexdigest()
