"""Malformed tables of means, quantiles, reports and arms: finite answers or a clear refusal."""

from collections import Counter

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from malformed import cells, names

import bayesmeta as bm
from bayesmeta.effects import MEASURES

BOTH = ("_treatment", "_control")
MOMENTS = tuple(f"{name}{arm}" for name in ("mean", "sd", "n") for arm in BOTH)
FIVE = ("min", "q1", "median", "q3", "max")
QUANTILES = tuple(f"{name}{arm}" for name in (*FIVE, "n") for arm in BOTH)
REPORTS = (
    ("estimate", "se"),
    ("estimate", "lower", "upper", "t_based", "n_treatment", "n_control"),
    ("estimate", "p", "t_statistic"),
    tuple(f"{name}{arm}" for name in ("mean", "se", "n") for arm in BOTH),
    tuple(f"{name}{arm}" for name in ("mean", "lower_mean", "upper_mean", "n") for arm in BOTH),
    (*(f"{name}_change{arm}" for name in FIVE for arm in BOTH), "n_treatment", "n_control"),
)
CHANGES = (*MOMENTS, *(f"{n}{a}" for n in ("mean_baseline", "sd_baseline") for a in BOTH))
ARMS = ("arm", "n", "mean", "sd")
REACHED: Counter[str] = Counter()

ORDER = {name: i for i, name in enumerate(FIVE)}
CLEAN = {
    "unit": st.sampled_from(["mg/L", "mg/dL", "g/L", "points", ""]),
    "t_based": st.sampled_from(["yes", "no", ""]),
    "p": st.one_of(st.floats(0.001, 0.999), st.sampled_from(["<0.001", "0.04"])),
    "correlation": st.floats(0.1, 0.9),
    "t_statistic": st.floats(0.5, 4),
    "estimate": st.just(1.0),
    "lower": st.just(0.5),
    "upper": st.just(2.0),
}


def clean(name: str) -> st.SearchStrategy:
    """Cells as they should be."""
    if name in CLEAN:
        return CLEAN[name]
    form = name.removesuffix("_treatment").removesuffix("_control").removesuffix("_change")
    if form in ORDER:
        return st.floats(ORDER[form], ORDER[form] + 0.9)
    if form in ("lower_mean", "upper_mean", "mean"):
        low = {"lower_mean": 1.0, "mean": 2.0, "upper_mean": 3.0}[form]
        return st.floats(low, low + 0.01)
    return st.integers(5, 60) if form == "n" else st.floats(0.2, 3)


@st.composite
def column(draw: st.DrawFn, name: str, rows: int, *, tame: bool) -> list[object]:
    """One column: as it should be, with gaps, absurd, nearly right, or anything at all."""
    kind = draw(st.sampled_from(["clean"] * 6 + ([] if tame else ["gap", "one", "absurd", "any"])))
    if name == "study":
        made = [f"Trial {i}" for i in range(rows)]
    elif name == "arm":
        made = draw(st.permutations(["treatment", "control", "treatment"][:rows]))
    else:
        made = draw(st.lists(clean(name), min_size=rows, max_size=rows))
    if kind == "any":
        return draw(st.lists(names if name == "study" else cells, min_size=rows, max_size=rows))
    if kind == "absurd" and name != "study":
        absurd = st.one_of(st.floats(allow_nan=False), st.sampled_from([1e50, -1e50, 1e-300, 0.0]))
        return draw(st.lists(absurd, min_size=rows, max_size=rows))
    if kind in ("gap", "one") and rows:
        bad = st.sampled_from([np.nan, None, "", " "]) if kind == "gap" else cells
        made[draw(st.integers(0, rows - 1))] = draw(bad)
    return made


@st.composite
def frames(draw: st.DrawFn, *layouts: tuple[str, ...]) -> pd.DataFrame:
    """A table of one layout, or with a column too few or too many."""
    tame = draw(st.booleans())
    rows = draw(st.sampled_from([1, 2, 3] if tame else [0, 1, 2, 3]))
    wanted = ["study", *draw(st.sampled_from(layouts))]
    if not tame:
        change = draw(st.sampled_from(["none", "drop", "repeat", "unit", "variant", "how"]))
        at = draw(st.integers(0, len(wanted) - 1))
        if change == "drop":
            del wanted[at]
        elif change != "none":
            wanted.append(wanted[at] if change == "repeat" else change)
    made = [pd.Series(draw(column(name, rows, tame=tame)), dtype=object) for name in wanted]
    frame = pd.concat(made, axis=1)
    frame.columns = wanted
    return frame.infer_objects() if draw(st.booleans()) else frame


def attempt(function, *arguments, **keywords):
    """Call; a refusal must be a sentence."""
    try:
        return function(*arguments, **keywords)
    except bm.BayesmetaError as error:
        assert len(str(error)) > 15  # noqa: PT017 - the refusal is one of two good ends
        REACHED["refused"] += 1
        return None


def sizes_of(studies: bm.ContinuousStudies | None, measure: str) -> None:
    if studies is None:
        return
    sizes = attempt(bm.effect_sizes, studies, measure=measure)
    if sizes is not None:
        REACHED["effects"] += 1
        assert np.isfinite(sizes.y).all()
        assert (sizes.se > 0).all()


repeatable = settings(
    max_examples=3 * settings().max_examples,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
measures = st.sampled_from(["MD", "SMD", "ROM", "RGM"])


@repeatable
@given(
    frame=frames(MOMENTS, QUANTILES, (*MOMENTS, *QUANTILES[:-2])),
    measure=measures,
    method=st.sampled_from(["formulas", "QE"]),
)
def test_any_table_of_means_or_quantiles(frame, measure, method):
    studies = attempt(bm.ContinuousStudies.from_frame, frame)
    if studies is None:
        return
    REACHED["studies"] += 1
    found = bm.skewness_test(studies)
    assert np.isfinite(found["statistic"]).all()
    assert isinstance(bm.skewness_caution(studies), str)
    converted = attempt(bm.convert_quantiles, studies, method=method)
    if converted is not None:
        assert all(converted.has_moments(arm).all() for arm in BOTH)
        REACHED["converted"] += 1
    sizes_of(converted, measure)


@repeatable
@given(frame=frames(*REPORTS, sum(REPORTS, ())[:14]), measure=st.sampled_from([*MEASURES, "MD"]))
def test_any_table_of_reports(frame, measure):
    sizes = attempt(bm.reported_effects, frame.loc[:, ~frame.columns.duplicated()], measure=measure)
    if sizes is not None:
        REACHED["reports"] += 1
        assert all(sizes.how)
    attempt(bm.reported_effects, frame, measure=measure)


@repeatable
@given(
    frame=frames(CHANGES, (*CHANGES, "sd_change_treatment"), (*CHANGES, "correlation")),
    correlation=st.sampled_from([0.5, -1, 1, "derived", None, 3]),
)
def test_any_table_of_changes(frame, correlation):
    studies = attempt(bm.change_from_baseline, frame, correlation=correlation)
    REACHED["changes"] += studies is not None
    sizes_of(studies, "MD")


@repeatable
@given(
    frame=frames(ARMS, (*ARMS, "label"), ("arm", "n", "events")),
    make=st.sampled_from([bm.combine_arms, bm.split_control]),
    study=st.sampled_from(["A", None]),
)
def test_any_table_of_arms(frame, make, study):
    if study is not None and "study" in frame:
        frame = frame.loc[:, ~frame.columns.duplicated()].assign(study=study)
    table = attempt(make, frame)
    if table is not None:
        REACHED["arms"] += 1
        sizes_of(attempt(bm.ContinuousStudies.from_frame, table), "MD")


def test_enough_tables_came_through_and_enough_did_not():
    kinds = ("studies", "converted", "effects", "reports", "changes", "arms")
    # Hypothesis draws constants that it finds in the package, so these counts move with its code
    through, refused = (15, 300) if settings().max_examples >= 100 else (2, 40)
    assert min(REACHED[name] for name in kinds) > through, REACHED
    assert REACHED["refused"] > refused, REACHED
