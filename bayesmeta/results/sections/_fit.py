"""Tables of a single fit, every column as it is."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ...checks import Checks
from ._plain import plain
from ._section import Section

if TYPE_CHECKING:
    import pandas as pd

_TITLES: Mapping[str, str] = {
    "bayes-factors": "Bayes factors",
    "deviance": "Residual deviance",
    "loo": "Each study predicted from the others",
    "outliers": "Outliers",
    "power-scaling": "What moves the answer, per doubling of its weight",
    "predictive": "Predicted and observed",
    "prior-predictive": "What the priors imply",
    "reverse-bayes": "Who is convinced",
    "tau-by-scale": "The factor of tau by the scale of its prior",
    "tipping": "What would turn the conclusion",
    "trust": "Every check",
    "weights": "Weights",
    "zero-studies": "Studies without events",
}


def of_a_fit(name: str, table: "pd.DataFrame") -> Section:
    """One table of a fit."""
    return plain(name, _TITLES[name], table, index=str(table.index.name))


def of_checks(checks: Checks) -> Iterator[Section]:
    """Every check of a fit, and all of them in one list."""
    found = {
        "prior-predictive": checks.prior,
        "power-scaling": checks.scaling,
        "predictive": checks.predictive,
        "loo": checks.loo,
        "deviance": checks.deviance,
    }
    for name, one in found.items():
        if one is not None:
            yield of_a_fit(name, one.table())
    if checks.trust is not None:
        values = [one.figure for one in checks.trust.verdicts]
        every = checks.trust.table().assign(value=values)
        yield of_a_fit("trust", every.set_index("check"))
