"""Random specifications and calls with an odd argument; each ends in an answer or in one sentence.

The number of a case says everything of it. Nothing is checked but how it ends: ``"answered"``,
``"refused"``, or a text that says what went wrong.
"""

import datetime
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

import bayesmeta as bm
from bayesmeta.specification import parse_specification

MODELS = Path(__file__).parents[1] / "models"
LONGEST = 25_000  # characters of a refusal: ten problems of at most 2,000 each
STUDY = ["A", "B", "C"]
A, C = "_treatment", "_control"


class Silent:
    """Neither a number nor anything that can be printed."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def _itself() -> list[object]:
    found: list[object] = []
    found.append(found)
    return found


def _deep() -> list[object]:
    found: list[object] = []
    for _ in range(3000):
        found = [found]
    return found


ODD: tuple[Callable[[], object], ...] = (
    *(lambda one=one: one for one in (None, True, False, 0, -1, 1, 3, 0.5, -0.0, 1e308, 5e-324)),
    *(lambda one=one: one for one in (np.nan, np.inf, -np.inf, 2**63, 10**400, -(10**400))),
    lambda: 10**5000,
    lambda: Decimal("0.5"),
    lambda: Decimal("NaN"),
    lambda: Decimal("1e400"),
    lambda: Fraction(1, 3),
    lambda: Fraction(10**400, 3),
    lambda: 1 + 2j,
    lambda: pd.NA,
    lambda: pd.NaT,
    lambda: datetime.date(2020, 1, 1),
    lambda: pd.Timestamp("2020-01-01"),
    lambda: np.datetime64("2020-01-01"),
    lambda: np.float32(0.5),
    lambda: np.int64(2),
    lambda: np.bool_(True),
    lambda: np.array(0.5),
    lambda: np.array([0.1, 0.2, 0.3]),
    lambda: np.array([[0.1, 0.2, 0.3]]),
    lambda: np.array([], dtype=float),
    lambda: np.array(["a", None, 3], dtype=object),
    lambda: np.array([1 + 1j, 2, 3]),
    lambda: np.ma.masked_array([0.1, 0.2, 0.3], [False, True, False]),
    lambda: np.ma.masked,
    lambda: pd.Series([0.1, 0.2, 0.3], index=[5, 6, 7]),
    lambda: pd.Series([1, None, 3], dtype="Int64"),
    lambda: pd.DataFrame({"y": [0.1, 0.2, 0.3]}),
    lambda: "",
    lambda: "x",
    lambda: "0.5",
    lambda: "REML",
    lambda: "a\nb",
    lambda: "\x00\ud800\u202e",
    lambda: "x" * 10**6,
    lambda: b"abc",
    lambda: bytearray(b"abc"),
    list,
    dict,
    set,
    tuple,
    lambda: [1, 2, 3],
    lambda: [0.1, [0.2], 0.3],
    lambda: [[1, 2], [3]],
    lambda: ["a", "b", "c"],
    lambda: ["x" * 10**5] * 3,
    lambda: [None, None, None],
    lambda: [10**400, 2, 3],
    lambda: {1, 2, 3},
    lambda: {"A": 1},
    lambda: {1: "x"},
    lambda: {"A": None},
    lambda: range(3),
    lambda: (i for i in range(3)),
    lambda: iter([]),
    lambda: map(str, range(3)),
    lambda: lambda: 3,
    object,
    Silent,
    _itself,
    _deep,
    lambda: int,
    lambda: np,
    lambda: bm.Normal(0, 1),
    lambda: bm.HalfNormal(0.5),
    lambda: bm.Flat(),
    lambda: bm.Jeffreys(),
    lambda: bm.Uniform(0, 1),
    lambda: bm.LKJ(1),
    lambda: bm.Mixture(0.5, bm.Normal(0, 1), bm.Normal(0, 2)),
    lambda: bm.Exchangeable(bm.Normal(0, 10), bm.HalfNormal(1)),
    lambda: bm.Normal(1e308, 1),
    lambda: bm.HalfNormal(1e-150),
    lambda: bm.Quadrature(),
    lambda: counts(),
    lambda: estimates(),
    lambda: normal(),
    lambda: fitted(),
)


def counts() -> bm.BinaryStudies:
    return bm.BinaryStudies(study=tuple(STUDY), **COUNTS)  # pyright: ignore[reportArgumentType]


def estimates() -> bm.EffectSizes:
    return bm.EffectSizes.from_arrays(STUDY, [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])


def means() -> bm.ContinuousStudies:
    return bm.ContinuousStudies(study=tuple(STUDY), **MEANS)  # pyright: ignore[reportArgumentType]


def normal() -> bm.NormalNormal:
    return bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))


@cache
def fitted() -> bm.Posterior:
    return bm.fit(normal(), estimates())


COUNTS = {
    f"events{A}": [1, 2, 3],
    f"n{A}": [10, 20, 30],
    f"events{C}": [2, 3, 4],
    f"n{C}": [9, 9, 9],
}
MEANS = {
    f"mean{A}": [1.0, 2.0, 3.0],
    f"sd{A}": [1.0, 1.0, 2.0],
    f"n{A}": [10, 20, 30],
    f"mean{C}": [1.5, 2.5, 2.0],
    f"sd{C}": [1.0, 1.5, 2.0],
    f"n{C}": [10, 20, 30],
}
PRIORS = {
    bm.Normal: (0, 1),
    bm.StudentT: (3, 0, 1),
    bm.HalfNormal: (0.5,),
    bm.HalfCauchy: (0.5,),
    bm.HalfT: (3, 1),
    bm.LogNormal: (0, 1),
    bm.Exponential: (1,),
    bm.Gamma: (2, 1),
    bm.InverseGamma: (2, 1),
    bm.Uniform: (0, 1),
    bm.Beta: (1, 1),
    bm.LKJ: (1,),
    bm.Mixture: (0.5, bm.Normal(0, 1), bm.Normal(0, 2)),
    bm.Exchangeable: (bm.Normal(0, 10), bm.HalfNormal(1)),
}
FRAME = {"study": STUDY, "y": [-0.4, 0.1, -0.3], "se": [0.2, 0.3, 0.4], "group": ["a", "a", "b"]}
MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)


def _places(kind: type, numbers: tuple[object, ...]) -> tuple[str, Callable[..., object], dict]:
    return kind.__name__, lambda **given: kind(*given.values()), dict(enumerate_names(numbers))


def enumerate_names(numbers: tuple[object, ...]) -> Iterator[tuple[str, object]]:
    return ((f"a{i}", one) for i, one in enumerate(numbers))


def _cells(given: object) -> "pd.Series":
    """A column of a frame, whatever is in it."""
    odd = not isinstance(given, list)
    column = pd.Series([None] * 3, dtype=object)
    for i, one in enumerate([given] * 3 if odd else given):
        column.array[i] = one
    return column


def _from_frame(kind: type) -> Callable[..., object]:
    def made(columns: object = None, exclude: object = None, **cells: object) -> object:
        frame = pd.DataFrame({name: _cells(cell) for name, cell in cells.items()})
        return kind.from_frame(frame, columns=columns, exclude=exclude)

    return made


def _fit_with(mu: object, tau: object, df: object) -> object:
    return bm.fit(bm.NormalNormal(mu=mu, tau=tau, df=df), estimates())  # pyright: ignore[reportArgumentType]


def _quantile(q: object) -> object:
    return fitted()["mu"].quantile(q)  # pyright: ignore[reportArgumentType]


def _many(**given: object) -> object:
    return bm.fit_many(normal(), pd.DataFrame(FRAME), **given)  # pyright: ignore[reportArgumentType]


PUBLISHED = {
    "measure": "RR",
    "estimate": "0.76",
    "lower": "0.60",
    "upper": "0.96",
    "prob": 0.95,
    "p": "0.02",
}
CALLS: tuple[tuple[str, Callable[..., object], dict[str, object]], ...] = (
    *(_places(kind, numbers) for kind, numbers in PRIORS.items()),
    (
        "BinaryStudies",
        bm.BinaryStudies,
        dict(study=STUDY, **COUNTS, variant=(), covariates={}, excluded=()),
    ),
    (
        "PersonTimeStudies",
        bm.PersonTimeStudies,
        {
            "study": STUDY,
            f"events{A}": [1, 2, 3],
            f"time{A}": [9.0, 8, 7],
            f"events{C}": [1, 2, 3],
            f"time{C}": [9.0, 8, 7],
        },
    ),
    (
        "ProportionStudies",
        bm.ProportionStudies,
        {"study": STUDY, "events": [1, 2, 3], "n": [9, 9, 9]},
    ),
    (
        "IncidenceStudies",
        bm.IncidenceStudies,
        {"study": STUDY, "events": [1, 2, 3], "time": [9.0, 9, 9]},
    ),
    (
        "ContinuousStudies",
        bm.ContinuousStudies,
        dict(study=STUDY, **MEANS, unit=(), how=(), covariates={}),
    ),
    (
        "EffectSizes",
        bm.EffectSizes,
        {
            "study": STUDY,
            "y": [-0.4, 0.1, -0.3],
            "se": [0.2, 0.3, 0.4],
            "measure": "GEN",
            "how": (),
            "note": "",
            "label": "",
            "variant": (),
        },
    ),
    (
        "from_arrays",
        bm.EffectSizes.from_arrays,
        {"study": STUDY, "y": [-0.4, 0.1, -0.3], "se": [0.2, 0.3, 0.4], "measure": "GEN"},
    ),
    (
        "from_frame counts",
        _from_frame(bm.BinaryStudies),
        dict(study=STUDY, **COUNTS, columns=None, exclude=None),
    ),
    (
        "from_frame means",
        _from_frame(bm.ContinuousStudies),
        dict(study=STUDY, **MEANS, columns=None, exclude=None),
    ),
    (
        "from_frame y",
        _from_frame(bm.EffectSizes),
        {
            "study": STUDY,
            "y": [0.1, 0.2, 0.3],
            "se": [0.2, 0.3, 0.4],
            "columns": None,
            "exclude": None,
        },
    ),
    (
        "MultivariateEffects",
        bm.MultivariateEffects,
        {
            "study": STUDY,
            "outcome": ("a", "b"),
            "y": [[1.0, 2], [2, 3], [3, 4]],
            "se": [[1.0, 1], [1, 1], [1, 2]],
            "correlation": None,
            "measure": ("GEN", "GEN"),
        },
    ),
    ("Published", bm.Published, dict(**PUBLISHED, p_heterogeneity="0.5", i2="10", k=3, n=90)),
    ("Published.parse", bm.Published.parse, {"text": "RR 0.58 [0.38, 0.87]"}),
    ("parse_prior", bm.parse_prior, {"text": "Normal(0, 1)"}),
    ("NormalNormal", bm.NormalNormal, {"mu": MU, "tau": TAU, "df": None}),
    ("CommonEffect", bm.CommonEffect, {"mu": MU}),
    (
        "BinomialNormal",
        bm.BinomialNormal,
        {"measure": "RR", "mu": MU, "tau": TAU, "baseline": MU, "coding": "half", "df": None},
    ),
    ("HypergeometricNormal", bm.HypergeometricNormal, {"mu": MU, "tau": TAU, "df": None}),
    ("PoissonNormal", bm.PoissonNormal, {"mu": MU, "tau": TAU, "baseline": MU, "df": None}),
    ("ProportionNormal", bm.ProportionNormal, {"mu": MU, "tau": TAU, "df": None}),
    ("IncidenceNormal", bm.IncidenceNormal, {"mu": MU, "tau": TAU, "df": None}),
    ("BetaBinomial", bm.BetaBinomial, {"mu": MU, "baseline": MU, "rho": bm.Uniform(0, 1)}),
    (
        "ContinuousNormal",
        bm.ContinuousNormal,
        {
            "measure": "MD",
            "mu": MU,
            "tau": TAU,
            "arms": "normal",
            "log_sd": None,
            "baseline": None,
            "quartiles": 7,
            "correlation": None,
            "df": None,
        },
    ),
    (
        "ContinuousCommonEffect",
        bm.ContinuousCommonEffect,
        {
            "measure": "MD",
            "mu": MU,
            "arms": "normal",
            "log_sd": None,
            "baseline": None,
            "quartiles": 7,
            "correlation": None,
        },
    ),
    (
        "OutlierMixture",
        bm.OutlierMixture,
        {"mu": MU, "tau": TAU, "share": bm.Beta(1, 9), "spread": TAU},
    ),
    (
        "MultivariateNormal",
        bm.MultivariateNormal,
        {"mu": MU, "tau": TAU, "rho": bm.LKJ(1), "within": None},
    ),
    ("default_model", lambda data: bm.default_model(data), {"data": estimates()}),
    ("Quadrature", bm.Quadrature, {"nodes": 64, "tolerance": 1e-10}),
    ("NUTS", bm.NUTS, {"seed": 1, "draws": 1000, "tune": 1000, "chains": 4, "target_accept": 0.9}),
    ("fit", bm.fit, {"model": normal(), "data": estimates(), "engine": None}),
    ("fit with priors", _fit_with, {"mu": MU, "tau": TAU, "df": None}),
    (
        "fit_many",
        _many,
        {
            "by": "group",
            "engine": None,
            "executor": None,
            "prob": 0.95,
            "quantiles": True,
            "measure": None,
        },
    ),
    (
        "fit_many tables",
        bm.fit_many,
        {"model": normal(), "tables": pd.DataFrame(FRAME), "by": "group"},
    ),
    (
        "summary",
        lambda **given: bm.summary(fitted(), **given),
        {
            "prob": 0.95,
            "scale": "analysis",
            "interval": "central",
            "mode": False,
            "predictive": None,
        },
    ),
    ("summary of", bm.summary, {"posterior": None}),
    ("quantile", _quantile, {"q": 0.5}),
    (
        "interval",
        lambda **given: fitted()["mu"].interval(**given),
        {"prob": 0.95, "kind": "central"},
    ),
    ("cdf", lambda x: fitted()["mu"].cdf(x), {"x": 0.1}),
    ("pdf", lambda x: fitted()["tau"].pdf(x), {"x": 0.1}),
    ("marginal", lambda name: fitted()[name], {"name": "mu"}),
    ("one study", lambda study: fitted()["theta"][study], {"study": "A"}),
    ("draws", lambda n, seed: fitted().draws(n, seed=seed), {"n": 10, "seed": 1}),
    ("prior quantile", lambda q: MU.quantile(q), {"q": 0.5}),
    ("prior cdf", lambda x: MU.cdf(x), {"x": 0.5}),
    ("prior interval", lambda prob: MU.interval(prob), {"prob": 0.5}),
    ("keep", lambda rows: estimates().keep(rows), {"rows": ["A", "B"]}),
    (
        "effect_sizes",
        bm.effect_sizes,
        {
            "studies": counts(),
            "measure": "RR",
            "zero_cells": "if_needed",
            "double_zero": "exclude",
            "bias_correction": False,
            "smd": "exact",
        },
    ),
    (
        "random_effects",
        bm.random_effects,
        {
            "data": estimates(),
            "tau2": "REML",
            "interval": "HKSJ",
            "prediction": "HK",
            "q": "IV",
            "measure": None,
            "zero_cells": "if_needed",
            "prob": 0.95,
        },
    ),
    (
        "common_effect",
        bm.common_effect,
        {
            "data": counts(),
            "weights": "MH",
            "measure": "RR",
            "zero_cells": None,
            "variance": "Greenland–Robins",
            "prob": 0.95,
        },
    ),
    (
        "random_effects_many",
        bm.random_effects_many,
        {
            "y": [[0.1, 0.2, 0.3]],
            "se": [[0.1, 0.2, 0.3]],
            "tau2": "REML",
            "interval": "HKSJ",
            "prob": 0.95,
        },
    ),
    (
        "leave_one_out",
        bm.leave_one_out,
        {
            "data": estimates(),
            "tau2": "REML",
            "interval": "HKSJ",
            "measure": None,
            "zero_cells": "if_needed",
            "prob": 0.95,
        },
    ),
    (
        "cumulative",
        bm.cumulative,
        {
            "data": estimates(),
            "order": None,
            "tau2": "REML",
            "interval": "HKSJ",
            "measure": None,
            "zero_cells": "if_needed",
            "prob": 0.95,
        },
    ),
    (
        "influence",
        bm.influence,
        {"data": estimates(), "tau2": "REML", "measure": None, "zero_cells": "if_needed"},
    ),
    (
        "tau2_interval",
        bm.tau2_interval,
        {
            "data": estimates(),
            "method": "Q-profile",
            "likelihood": "REML",
            "measure": None,
            "zero_cells": "if_needed",
            "prob": 0.95,
        },
    ),
    (
        "egger",
        bm.egger,
        {"data": estimates(), "measure": None, "zero_cells": "if_needed", "prob": 0.95},
    ),
    ("harbord", bm.harbord, {"studies": counts(), "measure": "OR", "prob": 0.95}),
    ("peters", bm.peters, {"studies": counts(), "zero_cells": "if_needed", "prob": 0.95}),
    (
        "pet_peese",
        bm.pet_peese,
        {"data": estimates(), "measure": None, "zero_cells": "if_needed", "prob": 0.95},
    ),
    (
        "regression_test",
        bm.regression_test,
        {
            "data": estimates(),
            "tau2": "REML",
            "interval": "Wald",
            "measure": None,
            "zero_cells": "if_needed",
            "prob": 0.95,
        },
    ),
    (
        "small_study_tests",
        bm.small_study_tests,
        {"data": estimates(), "measure": None, "prob": 0.95},
    ),
    (
        "trim_and_fill",
        bm.trim_and_fill,
        {
            "data": estimates(),
            "estimator": "L0",
            "tau2": None,
            "side": None,
            "measure": None,
            "zero_cells": "if_needed",
            "prob": 0.95,
        },
    ),
    (
        "Convention",
        bm.Convention,
        {
            "measure": "RR",
            "effects": "random",
            "weights": "IV",
            "tau2": "DL",
            "zero_cells": "if_needed",
            "mh_zero_cells": "none",
            "double_zero": "exclude",
            "q": "IV",
            "interval": "Wald",
            "i2": "Q",
            "variance": "Greenland–Robins",
            "smd": "exact",
            "bias_correction": False,
            "prediction": "",
        },
    ),
    (
        "pool",
        bm.pool,
        {"data": counts(), "convention": bm.Convention(measure="RR", tau2="DL"), "prob": 0.95},
    ),
    (
        "preset",
        bm.preset,
        {"program": "RevMan 5", "measure": "RR", "effects": "random", "weights": None},
    ),
    (
        "compare",
        bm.compare,
        {"fits": {"a": fitted()}, "prob": 0.95, "scale": "analysis", "better": None},
    ),
    (
        "absolute_effects",
        bm.absolute_effects,
        {
            "posterior": bm.fit(normal(), replace(estimates(), measure="RR")),
            "control_risk": 0.1,
            "better": "lower",
            "per": 1000,
            "prob": 0.95,
        },
    ),
    (
        "psa",
        bm.psa,
        {
            "outcomes": {
                "a": bm.PsaOutcome(fitted(), better="lower"),
                "b": bm.PsaOutcome(fitted(), better="higher"),
            },
            "draws": 20,
            "seed": 1,
            "correlation": 0.2,
            "risk_from": None,
        },
    ),
    (
        "reported_effects",
        bm.reported_effects,
        {
            "frame": pd.DataFrame(
                {
                    "study": STUDY,
                    "estimate": [0.5, 0.6, 0.7],
                    "lower": [0.3, 0.4, 0.5],
                    "upper": [0.8, 0.9, 1.0],
                }
            ),
            "measure": "RR",
            "columns": None,
            "prob": 0.95,
            "t_based": False,
            "label": "",
            "exclude": None,
        },
    ),
    (
        "read_studies",
        bm.read_studies,
        {
            "source": pd.DataFrame(FRAME),
            "measure": None,
            "columns": None,
            "cells": None,
            "exclude": None,
            "sheet": None,
            "decimal": "",
            "prob": None,
            "treatment": (),
            "control": None,
            "several_arms": None,
            "correlation": None,
            "final_values": False,
            "design_effect": None,
            "icc": None,
            "cluster_size": None,
        },
    ),
    ("convert_quantiles", bm.convert_quantiles, {"studies": means(), "method": "formulas"}),
    (
        "combine_arms",
        bm.combine_arms,
        {"frame": pd.DataFrame({"study": STUDY, **COUNTS}), "columns": None},
    ),
    (
        "split_control",
        bm.split_control,
        {"frame": pd.DataFrame({"study": STUDY, **COUNTS}), "columns": None},
    ),
    (
        "cluster_effects",
        bm.cluster_effects,
        {
            "frame": pd.DataFrame({"study": STUDY, **COUNTS}),
            "measure": "RR",
            "design_effect": 1.5,
            "icc": None,
            "cluster_size": None,
            "columns": None,
            "exclude": None,
        },
    ),
    ("skewness_test", bm.skewness_test, {"studies": means()}),
    ("skewness_caution", bm.skewness_caution, {"studies": means()}),
    ("plausibility", bm.plausibility, {"data": counts(), "measure": None}),
    (
        "explain",
        bm.explain,
        {
            "studies": counts(),
            "published": bm.Published(**PUBLISHED),
            "subsets": False,
            "readings": (),
            "limit": 100,
        },
    ),
    ("bayes_factors", bm.bayes_factors, {"posterior": fitted()}),
    ("mean_weights", bm.mean_weights, {"posterior": fitted()}),
    ("coherence", bm.coherence, {"posterior": fitted(), "factors": None, "prob": 0.95}),
    ("width_penalty", bm.width_penalty, {"posterior": fitted(), "prob": 0.95}),
)


def random_call(case: int) -> tuple[str, Callable[[], object]]:
    """A call of which one or two arguments, or a cell of one, are odd."""
    rng = random.Random(case)
    name, function, sound = CALLS[rng.randrange(len(CALLS))]
    given = dict(sound)
    for argument in rng.sample(list(sound), rng.choice([1, 1, 1, min(2, len(sound))])):
        odd = rng.choice(ODD)()
        old = given[argument]
        if isinstance(old, list) and rng.random() < 0.5:
            i = rng.randrange(len(old))
            given[argument] = [*old[:i], odd, *old[i + 1 :]]
        else:
            given[argument] = odd
    said = ", ".join(f"{key}=…" if given[key] is not sound[key] else key for key in given)
    return f"{name}({said})", lambda: function(**given)


VALUES = (
    *("1", "-1", "0", "true", '""', "[]", "{}", "1e400", "-1e400", "nan", "inf", "1e-400", "0.7"),
    *("9" * 400, "9" * 4000, "9" * 5000, "0x" + "F" * 5000, "-" + "9" * 30, str(2**63), "1_0"),
    *('"Normal(0, 2)"', '"Normal(mean=0, mean=1, sd=1)"', '"Normal(0, mean=1, sd=1)"'),
    *(f'"Normal(0, {"9" * 250})"', '"HalfNormal(1e400)"', f'"{"x" * 10**5}"', f'"{"(" * 290}"'),
    *('"__import__(1)"', "1979-05-27", "07:32:00", '"\\u0000"', '"\\u202E"', "[[1]]", "['a', 1]"),
    *("[" * 200 + "]" * 200, "[" * 5000 + "]" * 5000, "{ a = " * 200 + "1" + " }" * 200, '"RR"'),
    *("'0.60'", f'["{"y" * 10**5}"]', f'{{ "{"z" * 10**5}" = "1" }}', '"a\\nb"', '"/dev/zero"'),
)
KEYS = ("x" * 10**5, ".".join("a" * 300), '"a\\nb"', '"\\u0000"', "mu", "seed", "data", "prob")


@cache
def _texts() -> tuple[list[str], ...]:
    return tuple(
        (MODELS / name).read_text().split("\n")
        for name in ("msc-covid19.toml", "bcg.toml", "hba1c.toml")
    )


def random_specification(case: int) -> str:
    """One of the real files of which one to three lines have another value, or another key."""
    rng = random.Random(-case - 1)
    lines = [*rng.choice(_texts())]
    for _ in range(rng.randint(1, 3)):
        i = rng.choice([i for i, line in enumerate(lines) if "=" in line and "[" not in line])
        key = lines[i].partition("=")[0]
        change = rng.random()
        if change < 0.8:
            lines[i] = f"{key}= {rng.choice(VALUES)}"
        elif change < 0.9:
            lines.insert(i, f"{rng.choice(KEYS)} = {rng.choice(VALUES)}")
        else:
            lines[i] = rng.choice([lines[i][: rng.randrange(99)], json.dumps("x" * 10**5)])
    return "\n".join(lines)


def end_of(run: Callable[[], object]) -> str:
    """How a case ends."""
    try:
        run()
    except bm.BayesmetaError as refusal:
        said = str(refusal)
        sound = 10 < len(said) <= LONGEST and "\n" not in said and "Traceback" not in said
        return "refused" if sound else f"a refusal of {len(said)} characters: {said[:80]!r}"
    except Exception as error:  # noqa: BLE001 - what must not come, whatever it is
        return f"{type(error).__name__}: {str(error)[:80]}"
    return "answered"


def ends(cases: range) -> tuple[Counter[str], Mapping[str, str]]:
    """How cases end, every third of them a specification, and what went wrong in which."""
    found: Counter[str] = Counter()
    wrong = {}
    for case in cases:
        if case % 3 == 0:
            text = random_specification(case)
            what, run = f"specification {case}", lambda text=text: parse_specification(text)
        else:
            what, run = random_call(case)
        end = end_of(run)
        found[end if end in ("answered", "refused") else "wrong"] += 1
        if end not in ("answered", "refused"):
            wrong[f"{case} {what}"] = end
    return found, wrong
