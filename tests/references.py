"""The stored reference numbers, as the package's own values."""

import json
from functools import cache
from pathlib import Path

import numpy as np

import bayesmeta as bm

FOLDER = Path(__file__).parent / "reference"

MAIN_TRIALS = {  # events and patients: treatment, control; sources in examples/msc-covid19
    "Shu": (0, 12, 3, 29),
    "Shi": (0, 65, 0, 35),
    "Lanzoni": (2, 12, 7, 12),
    "Dilogo": (10, 20, 16, 20),
    "Adas": (3, 10, 6, 10),
    "Zhu": (0, 29, 2, 29),
    "Monsel": (5, 21, 4, 24),
    "Rebelatto": (5, 11, 1, 6),
    "Bowdish": (42, 112, 47, 110),
    "Zarrabi": (3, 11, 8, 24),
}
SEVEN_TRIALS = ("Zhu", "Shu", "Shi", "Monsel", "Lanzoni", "Dilogo", "Adas")

# Three small studies of each kind, with an arm without an event.
COUNTS = bm.BinaryStudies(
    study=("study 1", "study 2", "study 3"),
    events_treatment=[0, 9, 30],
    n_treatment=[12, 40, 60],
    events_control=[4, 20, 41],
    n_control=[15, 38, 59],
)
RATES = bm.PersonTimeStudies(
    study=COUNTS.study,
    events_treatment=[0, 9, 30],
    time_treatment=[12.5, 40, 60],
    events_control=[4, 20, 41],
    time_control=[15, 38, 59.5],
)
SHARES = bm.ProportionStudies(study=COUNTS.study, events=[1, 10, 40], n=[20, 30, 80])
INCIDENCE = bm.IncidenceStudies(study=COUNTS.study, events=[1, 10, 40], time=[20, 30.5, 80])


@cache
def document(name: str) -> dict:
    """Read a whole file of reference numbers: program, versions, cases."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def cases(name: str) -> dict:
    """Read the numbers of one file by dataset."""
    return document(name)["cases"]


def numbered(k: int) -> tuple[str, ...]:
    return tuple(f"study {i + 1}" for i in range(k))


def binary(rows: dict[str, tuple[int, int, int, int]]) -> bm.BinaryStudies:
    """Make studies of counts by name: events and patients, treatment before control."""
    columns = np.array(list(rows.values()), dtype=float).T
    names = ("events_treatment", "n_treatment", "events_control", "n_control")
    return bm.BinaryStudies(study=tuple(rows), **dict(zip(names, columns, strict=True)))


@cache
def counts(dataset: str) -> bm.BinaryStudies:
    """Read the two-arm counts of a reference dataset."""
    entry = cases("counts")[dataset]
    columns = {name: entry[name] for name in entry if name not in ("source", "citation")}
    return bm.BinaryStudies(study=numbered(len(columns["n_control"])), **columns)


def swapped(studies: bm.BinaryStudies) -> bm.BinaryStudies:
    """Exchange treatment and control."""
    return bm.BinaryStudies(
        study=studies.study,
        events_treatment=studies.events_control,
        n_treatment=studies.n_control,
        events_control=studies.events_treatment,
        n_control=studies.n_treatment,
    )


def estimates(y: list, se: list, *, measure: str = "GEN") -> bm.EffectSizes:
    return bm.EffectSizes.from_arrays(numbered(len(y)), y, se, measure=measure)


def given(values: list) -> np.ndarray:
    """Turn a JSON list into floats; what the program did not give is NaN."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)


KINDS = {  # models and data of the stored brute-force cases
    "hypergeometric": (bm.HypergeometricNormal, bm.BinaryStudies),
    "poisson": (bm.PoissonNormal, bm.PersonTimeStudies),
    "proportion": (bm.ProportionNormal, bm.ProportionStudies),
    "incidence": (bm.IncidenceNormal, bm.IncidenceStudies),
}


def asked(case):
    """Build the model and the data of a stored case."""
    settings = {"mu": bm.parse_prior(case["mu"]), "tau": bm.parse_prior(case["tau"])}
    settings["df"] = case["df"]
    columns = case["data"]
    study = numbered(len(next(iter(columns.values()))))
    if case["model"] == "normal":
        data = bm.EffectSizes.from_arrays(study, columns["y"], columns["se"])
        return bm.NormalNormal(**settings), data
    if case["model"] in KINDS:
        model, studies = KINDS[case["model"]]
        return model(**settings), studies(study=study, **columns)
    _, measure, *coding = case["model"].split()
    extra = {"coding": coding[0]} if coding else {}
    model = bm.BinomialNormal(measure=measure, **extra, **settings)
    return model, bm.BinaryStudies(study=study, **columns)
