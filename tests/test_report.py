"""Grids of the report and rows of a run: every cell is the figure that its head names."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import bayesmeta as bm
from bayesmeta.decision import AbsoluteEffect, AbsoluteEffects
from bayesmeta.effects import MEASURES
from bayesmeta.posterior import Check, Diagnostics
from bayesmeta.report import _html
from bayesmeta.report._robustness import influence_grid, small_study_grid
from bayesmeta.results import Robustness, ScenarioResult
from bayesmeta.results.display import shift_sentence
from bayesmeta.results.tables import (
    compare_table,
    diagnostics_table,
    heterogeneity_table,
    scenario_table,
)

PROB = 0.9
FACTOR = {"prior": "Normal(0, 2)", "bf01": 0.25, "bf10": 4.0, "prob_null": 0.2}
FACTOR_CELLS = {
    "prior": "Normal(0, 2)",
    "for 0 (BF01)": "0.25",
    "against 0 (BF10)": "4",
    "probability of 0": "20.0%",
}
ENDS = {"median": 0.5, "lower": 0.25, "upper": 1.5}
SIMULATED = ENDS | dict.fromkeys(("median_mcse", "lower_mcse", "upper_mcse"), 0.001)

GRIDS = {  # who makes it, a row of the run's table, and the cells under the grid's heads
    "bayes-factors": (
        lambda outcome: _html._evidence(outcome)["factors"],
        FACTOR | {"how": "a ratio"},
        {"hypothesis": "it"} | FACTOR_CELLS | {"how": "a ratio"},
    ),
    "tau-by-scale": (
        lambda outcome: _html._evidence(outcome)["by_scale"],
        FACTOR,
        {"prior of τ": "it"} | FACTOR_CELLS,
    ),
    "weights": (
        lambda outcome: _html._evidence(outcome)["weights"],
        {"weight": 0.125, "own_weight": 0.75},
        {"study": "it", "weight in μ": "12.5%", "own weight in its θ": "75.0%"},
    ),
    "zero-studies": (
        lambda outcome: _html._evidence(outcome)["zeros"],
        {
            "k": 9,
            "tau_median": 0.125,
            "prob_below_null": 0.875,
            "shift": -0.375,
            "left_out": "B",
            **{f"{name}_natural": value for name, value in ENDS.items()},
        },
        {
            "studies": "it",
            "k": "9",
            "RR, median": "0.50 [0.25, 1.50]",
            "τ": "0.12",
            "P(below no effect)": "87.5%",
            "shift of μ, SDs": "−0.38",
            "left out": "B",
        },
    ),
    "parameters": (
        _html._parameters,
        {"mean": -0.25, "sd": 0.125, "median": -0.5, "lower": -0.75, "upper": 0.375}
        | {"prob_below_null": 0.875, "rhat": np.nan, "ess_bulk": 1234.4},
        {"parameter": "it", "mean": "−0.250", "sd": "0.125", "median": "−0.500"}
        | {"lower": "−0.750", "upper": "0.375", "prob_below_null": "0.875", "ess_bulk": "1234"},
    ),
    "heterogeneity": (
        _html._heterogeneity,
        {
            "k": 4,
            "q": 6.5,
            "q_df": 3,
            "q_p": 0.125,
            "i2_percent": 40.5,
            "i2_q_percent": 53.8,
            "tau2": 0.25,
            "tau2_lower": 0.125,
            "tau2_upper": 2.5,
            "prediction_lower": np.log(0.25),
            "prediction_upper": np.log(4.5),
        },
        {
            "fit": "it",
            "k": "4",
            "Q": "6.50 on 3 df, p 0.12",
            "I²": "40.5%",
            "τ² [95% by Q-profile]": "0.250 [0.125, 2.500]",
            "prediction interval (HK)": "0.25 to 4.50",
        },
    ),
    "predictive": (
        _html._predictive,
        {f"predicted_{name}": value for name, value in SIMULATED.items()}
        | {"observed": 2.25, "p": 0.625, "p_mcse": 0.001, "how": ""},
        {"statistic": "it", "observed": "2.25", "predicted": "0.50 [0.25, 1.50]", "p": "0.62"},
    ),
    "prior-predictive": (
        _html._implied,
        SIMULATED | {"absurd": 0.75, "absurd_mcse": 0.01, "rule": "beyond 10"},
        {"before the data": "it", "median [interval]": "0.50 [0.25, 1.50]"}
        | {"absurd": "75%", "called absurd": "beyond 10"},
    ),
    "quartile-definitions": (
        _html._definitions,
        {"estimate_natural": 0.5, "lower_natural": 0.25, "upper_natural": 1.5},
        {"quartiles": "it", "RR, median": "0.50 [0.25, 1.50]"},
    ),
    "influence": (
        influence_grid,
        {"weight": 12.5, "rstudent": -1.25, "cook": 0.125, "dfbetas": 0.375}
        | {"tau2_without": 0.625, "influential": True},
        {"study": "it", "weight": "12.5%", "residual": "−1.25", "Cook's distance": "0.125"}
        | {"DFBETAS": "0.38", "τ² without it": "0.625", "": "look again"},
    ),
    "small-study": (
        small_study_grid,
        {"predictor": "standard error", "statistic": -1.25, "df": 8, "p": 0.375},
        {"test": "it", "effects regressed on": "standard error", "t": "−1.25 on 8 df"}
        | {"p": "0.375"},
    ),
    "loo": (
        _html._left_out,
        {"elpd": -2.25, "pit": 0.625, "how": "exact", "pareto_k": 0.375},
        {
            "study": "it",
            "log predictive density": "−2.25",
            "LOO-PIT": "0.625",
            "how": "exact, Pareto k 0.38",
            "residual deviance of points": "1.25 of 2",
            "leverage": "0.75",
        },
    ),
}
DEVIANCE = pd.DataFrame({"points": [2.0], "residual": [1.25], "leverage": [0.75]}, index=["it"])


@pytest.mark.parametrize("name", GRIDS)
def test_a_grid_shows_under_each_head_the_column_it_names(name):
    make, row, cells = GRIDS[name]
    tables = {name: pd.DataFrame([row], index=["it"]), "deviance": DEVIANCE}
    grid = make(SimpleNamespace(tables=tables, measure="RR", scale=MEASURES["RR"]))
    assert [dict(zip(grid.headings, one, strict=True)) for one in grid.rows] == [cells]


def test_gates_that_failed_and_fits_made_twice_are_named():
    checks = (
        Check("R-hat", "mu", 1.7, 1.01, at_most=True),
        Check("R-hat", "tau", 1.001, 1.01, at_most=True),
    )
    fits = {
        name: SimpleNamespace(engine="NUTS", diagnostics=Diagnostics(checks[i:], attempts))
        for i, (name, attempts) in enumerate({"twice": 2, "once": 1}.items())
    }
    outcome = SimpleNamespace(posteriors=fits)
    outcome.tables = {"diagnostics": diagnostics_table(outcome)}
    found = _html._diagnostics(outcome).rows
    assert [(row[0], row[2], row[-1]) for row in found] == [
        ("twice", "R-hat (mu)", "FAILED"),
        ("twice", "R-hat (tau)", "passed"),
        ("once", "R-hat (tau)", "passed"),
    ]
    assert _html._second_attempts(outcome) == ["twice"]


def test_events_say_where_the_risk_was_held_at_1():
    row = AbsoluteEffect(
        quantity="average effect", control=600.0, treatment=(425.0, 325.0, 549.0),
        difference=(-175.0, -275.0, -51.0), prob_benefit=0.125, prob_capped=0.0625,
    )  # fmt: skip
    rows = (row, replace(row, prob_capped=0.0004))
    absolute = AbsoluteEffects(rows=rows, control_risk=0.6, per=1000, prob=PROB)
    outcome = SimpleNamespace(absolute=absolute, control_risk_origin="given")
    shown = _html._absolute(outcome)["rows"]
    assert [one["capped"] for one in shown] == ["6.2%", ""]
    assert [one["benefit"] for one in shown] == ["12.5%"] * 2
    assert shown[0]["treatment"] == "425 [325, 549]"
    assert shown[0]["difference"] == "−175 [−275, −51]"


def test_a_shift_is_told_from_the_mean_and_sd_with_studies_without_events_to_those_without():
    zeros = pd.DataFrame(
        {"k": [4, 3], "mean": [-0.5, -0.25], "sd": [0.125, 0.375], "left_out": ["", "B"]},
        index=["all studies", "without studies that have no event"],
    )
    evidence = SimpleNamespace(zeros=zeros)
    said = shift_sentence(SimpleNamespace(evidence=evidence, scale=MEASURES["RR"]))
    assert said.endswith("moves by 0.250, from −0.500 to −0.250, and its SD from 0.125 to 0.375.")


@pytest.fixture(scope="module")
def scenario():
    studies = bm.BinaryStudies(
        study=("A", "B", "C", "D"), events_treatment=[12, 3, 13, 2], n_treatment=[40, 30, 35, 25],
        events_control=[15, 8, 12, 9], n_control=[40, 31, 36, 24],
    )  # fmt: skip
    effects = bm.effect_sizes(studies, measure="RR")
    return ScenarioResult(
        name="all",
        note="",
        data=effects,
        excluded=(),
        posteriors={"two-stage": bm.fit(bm.default_model(effects), effects)},
        frequentist={
            "Mantel–Haenszel": bm.common_effect(studies, weights="MH", measure="RR"),
            "REML": bm.random_effects(effects),
        },
        robustness=Robustness(tau2_interval=(0.125, 2.5)),
    )


def outcome_of(scenario, better):
    return SimpleNamespace(
        scenarios=(scenario,), better=better, measure="RR", scale=MEASURES["RR"], published=()
    )


def test_a_scenario_counts_benefit_on_the_better_side_as_the_comparison_does(scenario):
    mu = scenario.answer["mu"]
    for better, chance in (("lower", mu.cdf(0.0)), ("higher", 1 - mu.cdf(0.0))):
        outcome = outcome_of(scenario, better)
        row = scenario_table(outcome, prob=PROB).loc["all"]
        beside = compare_table(outcome, scenario, prob=PROB).loc["two-stage"]
        assert row["prob_benefit"] == beside["prob_benefit"] == pytest.approx(chance, rel=1e-12)


def test_every_interval_of_a_scenario_holds_the_probability_that_was_asked_for(scenario):
    row = scenario_table(outcome_of(scenario, "lower"), prob=PROB).loc["all"]
    mh, reml = scenario.frequentist.values()
    for prefix, ends in {
        "": scenario.answer["mu"].interval(PROB),
        "mh_": mh.interval(PROB),
        "reml_": reml.interval(PROB, name="HKSJ truncated"),
    }.items():
        assert (row[f"{prefix}lower"], row[f"{prefix}upper"]) == tuple(ends)
        natural = [row[f"{prefix}{end}_natural"] for end in ("lower", "upper")]
        np.testing.assert_allclose(natural, np.exp(ends), rtol=1e-12)


def test_heterogeneity_has_both_ends_of_tau2_and_of_the_prediction(scenario):
    table = heterogeneity_table(scenario)
    ends = ["tau2_lower", "tau2_upper", "prediction_lower", "prediction_upper"]
    reml = scenario.frequentist["REML"]
    assert reml.prediction[0] < reml.prediction[1]
    assert table.loc["REML", ends].tolist() == [0.125, 2.5, *reml.prediction]
    assert table.loc["Mantel–Haenszel", ends].isna().all()
