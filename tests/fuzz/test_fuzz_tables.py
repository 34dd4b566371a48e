"""A thousand malformed tables: finite answers or a clear refusal, never another exception."""

from collections import Counter

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from malformed import cells, names

import bayesmeta as bm
from bayesmeta.effects import MEASURES

COUNTS = ("events_treatment", "n_treatment", "events_control", "n_control")
ESTIMATES = (("y", "se"), ("estimate", "lower", "upper"))
MODEL = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
HASTY = bm.Quadrature(tolerance=1e9)  # two passes: absurd data would otherwise take seconds each
REACHED: Counter[str] = Counter()


def extreme(name: str) -> st.SearchStrategy[float]:
    """Numbers that a column may hold by its own rules, however absurd.

    Estimates end at 1e9, where the door's own limits take over in tests of their own: examples
    depend on the literals of the modules that are loaded, and must not differ in kind.
    """
    if name in COUNTS:
        return st.one_of(st.integers(0, 2**53), st.sampled_from([0, 1, 2**53, 2.0**52, 10**9]))
    if name in ("y", "estimate"):
        return st.floats(-1e9, 1e9)
    return st.floats(allow_nan=False, allow_infinity=False).map(abs)


@st.composite
def columns(draw: st.DrawFn, name: str, rows: int, *, tame: bool) -> list[object]:
    """One column: as it should be, absurd, nearly right, or anything at all."""
    clean = {
        "study": st.sampled_from([f"Trial {i}" for i in range(rows + 1)]),
        "se": st.floats(0.05, 2),
        "estimate": st.just(1.0),
        "lower": st.just(0.5),
        "upper": st.just(2.0),
        "y": st.floats(-2, 2),
    }.get(name, st.integers(10, 40) if name.startswith("n_") else st.integers(0, 10))
    kinds = ["clean"] * 5 + ["extreme"] + ([] if tame else ["one bad", "anything"])
    kind = draw(st.sampled_from(kinds))
    if kind == "anything":
        return draw(st.lists(names if name == "study" else cells, min_size=rows, max_size=rows))
    clean = extreme(name) if kind == "extreme" and name != "study" else clean
    made = draw(st.lists(clean, min_size=rows, max_size=rows, unique=name == "study"))
    if kind == "one bad" and rows:
        made[draw(st.integers(0, rows - 1))] = draw(names if name == "study" else cells)
    return made


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """A table with the columns it should have, or a few more or fewer."""
    tame = draw(st.booleans())
    rows = draw(st.sampled_from([1, 2, 3, 3, 4, 6] if tame else [0, 1, 2, 3]))
    wanted = ["study", *draw(st.sampled_from([COUNTS, COUNTS, *ESTIMATES]))]
    changes = st.lists(st.sampled_from(["drop", "repeat", "rename", "add"]), max_size=1)
    for change in [] if tame else draw(changes):
        at = draw(st.integers(0, len(wanted) - 1))
        if change == "drop":
            del wanted[at]
        elif change == "rename":
            wanted[at] = draw(st.text(max_size=5))
        else:
            new = draw(st.sampled_from(["variant", "note", "", "y", "se", "estimate", wanted[at]]))
            wanted.insert(at, wanted[at] if change == "repeat" else new)
    made = [pd.Series(draw(columns(name, rows, tame=tame)), dtype=object) for name in wanted]
    frame = pd.concat(made, axis=1) if made else pd.DataFrame(index=range(rows))
    frame.columns = wanted
    if draw(st.booleans()):
        frame = frame.infer_objects()
    if draw(st.integers(0, 9)) == 0:
        frame.index = [0] * rows
    return frame


def finite(*values: float | None) -> None:
    assert all(value is None or np.isfinite(value) for value in values), values


def check_frequentist(fit: bm.FrequentistFit) -> None:
    REACHED["frequentist"] += 1
    finite(fit.estimate, fit.tau2, fit.q, fit.q_df, fit.i2, *(fit.prediction or ()))
    for name, spread in fit.spreads.items():
        finite(spread.se, *fit.interval(name=name))
    assert 0 <= fit.i2 <= 100
    assert fit.q >= 0
    assert fit.lower <= fit.estimate <= fit.upper


def check_exact(data: bm.EffectSizes) -> None:
    posterior = bm.fit(MODEL, data, HASTY)
    REACHED["exact"] += 1
    lower, upper = posterior["mu"].interval()
    finite(
        lower, posterior["mu"].quantile(0.5), upper, posterior["mu"].mean(), posterior["mu"].sd()
    )
    finite(*posterior["tau"].interval(), posterior.log_marginal_likelihood)
    assert lower < upper
    assert not any(np.isnan(check.value) for check in posterior.diagnostics.checks)


def attempt(function, *arguments, **keywords):
    """Call; a refusal must be a sentence."""
    try:
        return function(*arguments, **keywords)
    except bm.BayesmetaError as error:
        assert len(str(error)) > 15  # noqa: PT017 - the refusal is one of two good ends
        REACHED["refused"] += 1
        return None


def pool(data: bm.EffectSizes) -> None:
    for fit in (
        attempt(bm.common_effect, data),
        attempt(bm.random_effects, data),
        attempt(bm.random_effects, data, tau2="DL", interval="Wald"),
    ):
        if fit is not None:
            check_frequentist(fit)
    attempt(check_exact, data)


@settings(
    max_examples=10 * settings().max_examples,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # a failure shows its example as found: shrinking takes minutes
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    frame=frames(),
    measure=st.sampled_from([*MEASURES, "OR", "RR", "xx"]),
    zero_cells=st.sampled_from(["none", "if_needed", "all"]),
    double_zero=st.sampled_from(["exclude", "include"]),
)
def test_any_table_gives_finite_answers_or_a_clear_refusal(frame, measure, zero_cells, double_zero):
    studies = attempt(bm.BinaryStudies.from_frame, frame)
    data = attempt(bm.EffectSizes.from_frame, frame, measure=measure)
    if studies is not None:
        REACHED["counts"] += 1
        data = attempt(
            bm.effect_sizes,
            studies,
            measure=measure,
            zero_cells=zero_cells,
            double_zero=double_zero,
        )
        fit = attempt(
            bm.common_effect, studies, weights="MH", measure=measure, zero_cells=zero_cells
        )
        if fit is not None:
            check_frequentist(fit)
    if data is not None:
        REACHED["effects"] += 1
        pool(data)


def test_enough_tables_came_through_and_enough_did_not():
    through, refused = (40, 400) if settings().max_examples >= 100 else (2, 40)
    assert min(REACHED[name] for name in ("counts", "effects", "exact")) > through, REACHED
    assert REACHED["refused"] > refused, REACHED
