"""Sections of the report and rows of a run: every cell is the figure that its head names."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import bayesmeta as bm
from bayesmeta.checks import Checks, Trust, Verdict
from bayesmeta.effects import MEASURES
from bayesmeta.posterior import Check, Diagnostics
from bayesmeta.results import Evidence, OutcomeResult, PublishedResult, Robustness, ScenarioResult
from bayesmeta.results.display import interval, shift_sentence
from bayesmeta.results.keys import FitKey, Line, Place
from bayesmeta.results.labels import LABELS, is_ours
from bayesmeta.results.sections import SECTIONS, glance, of_checks
from bayesmeta.results.tables import (
    COMPARATORS,
    answers,
    compare_table,
    diagnostics_table,
    heterogeneity_table,
    published_table,
    scenario_table,
)

PROB = 0.9
NATURAL = ["estimate_natural", "lower_natural", "upper_natural"]
FACTOR = {"prior": "Normal(0, 2)", "bf01": 0.25, "bf10": 4.0, "prob_null": 0.2}
FACTOR_CELLS = {
    "prior": "Normal(0, 2)",
    "for 0 (BF01)": "0.25",
    "against 0 (BF10)": "4",
    "probability of 0": "20.0%",
}
ENDS = {"median": 0.5, "lower": 0.25, "upper": 1.5}
SIMULATED = ENDS | dict.fromkeys(("median_mcse", "lower_mcse", "upper_mcse"), 0.001)

ROWS = {  # by section: a row of the run's table, and the cells under the section's heads
    "bayes-factors": (
        FACTOR | {"how": "a ratio"},
        {"hypothesis": "it"} | FACTOR_CELLS | {"how": "a ratio"},
    ),
    "tau-by-scale": (
        FACTOR,
        {"prior of τ": "it"} | FACTOR_CELLS,
    ),
    "weights": (
        {"weight": 0.125, "own_weight": 0.75},
        {"study": "it", "weight in μ": "12.5%", "own weight in its θ": "75.0%"},
    ),
    "zero-studies": (
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
        {"mean": -0.25, "sd": 0.125, "median": -0.5, "lower": -0.75, "upper": 0.375}
        | {"prob_below_null": 0.875, "rhat": np.nan, "ess_bulk": 1234.4},
        {"parameter": "it", "mean": "−0.250", "sd": "0.125", "median": "−0.500"}
        | {"lower": "−0.750", "upper": "0.375", "prob_below_null": "0.875", "ess_bulk": "1234"},
    ),
    "heterogeneity": (
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
        {f"predicted_{name}": value for name, value in SIMULATED.items()}
        | {"observed": 2.25, "p": 0.625, "p_mcse": 0.001, "how": ""},
        {"statistic": "it", "observed": "2.25", "predicted": "0.50 [0.25, 1.50]", "p": "0.62"},
    ),
    "prior-predictive": (
        SIMULATED | {"extreme": 0.75, "extreme_mcse": 0.01, "rule": "beyond 10"},
        {"before the data": "it", "median [interval]": "0.50 [0.25, 1.50]"}
        | {"share of extremes": "75%", "extremes": "beyond 10"},
    ),
    "quartile-definitions": (
        {"estimate_natural": 0.5, "lower_natural": 0.25, "upper_natural": 1.5},
        {"quartiles": "it", "RR, median": "0.50 [0.25, 1.50]"},
    ),
    "prior-posterior": (
        {"prior": "Normal(0, 2)", "prior_lower": -3.75, "prior_upper": 3.75}
        | {"lower": -0.5, "upper": 0.25, "width_ratio": 0.1, "distance": 0.625},
        {"parameter": "it", "prior": "Normal(0, 2)", "its 90%": "−3.75 to 3.75"}
        | {"posterior 90%": "−0.50 to 0.25", "width over the prior's": "0.10"}
        | {"distance from the prior": "0.62"},
    ),
    "influence": (
        {"weight": 12.5, "rstudent": -1.25, "cook": 0.125, "dfbetas": 0.375}
        | {"tau2_without": 0.625, "influential": True},
        {"study": "it", "weight": "12.5%", "residual": "−1.25", "Cook's distance": "0.125"}
        | {"DFBETAS": "0.38", "τ² without it": "0.625", "to look at": "look again"},
    ),
    "small-study": (
        {"predictor": "standard error", "statistic": -1.25, "df": 8, "p": 0.375},
        {"test": "it", "effects regressed on": "standard error", "t": "−1.25 on 8 df"}
        | {"p": "0.375"},
    ),
    "loo": (
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


RUN = SimpleNamespace(prob=PROB, arms=("treated", "untreated"))


def section_of(name, outcome):
    """A section, whose name must be the key that it is asked for by."""
    section = SECTIONS[name](outcome, RUN)
    assert section.name == name
    return section


@pytest.mark.parametrize("name", ROWS)
def test_a_section_shows_under_each_head_the_column_it_names(name):
    row, cells = ROWS[name]
    tables = {name: pd.DataFrame([row], index=["it"]), "deviance": DEVIANCE}
    outcome = SimpleNamespace(
        tables=tables,
        measure="RR",
        scale=MEASURES["RR"],
        checks=Checks(),
        compares=True,
        effect="effect",
        evidence=Evidence(),
        scenarios=[SimpleNamespace(notes=())],
    )
    section = section_of(name, outcome)
    assert [dict(zip(section.heads, one, strict=True)) for one in section.texts] == [cells]


@pytest.mark.parametrize("name", SECTIONS)
def test_an_outcome_without_anything_has_no_section(name):
    nothing = SimpleNamespace(
        tables={},
        main=None,
        absolute=None,
        what_if=None,
        sources=None,
        evidence=Evidence(),
        checks=Checks(),
        measure="RR",
    )
    assert SECTIONS[name](nothing, RUN) is None


def test_gates_that_failed_and_fits_made_twice_are_named():
    checks = (
        Check("R-hat", "mu", 1.7, 1.01, at_most=True),
        Check("R-hat", "tau", 1.001, 1.01, at_most=True),
    )
    fits = {
        Place(name): SimpleNamespace(engine="NUTS", diagnostics=Diagnostics(checks[i:], attempts))
        for i, (name, attempts) in enumerate({"twice": 2, "once": 1}.items())
    }
    outcome = SimpleNamespace(fits=fits)
    outcome.tables = {"diagnostics": diagnostics_table(outcome)}
    section = section_of("diagnostics", outcome)
    assert [(row[0], row[2], row[-1]) for row in section.texts] == [
        ("twice", "R-hat (mu)", "FAILED"),
        ("twice", "R-hat (tau)", "passed"),
        ("once", "R-hat (tau)", "passed"),
    ]
    assert section.note == "Fitted twice, the second time with a stricter setting: twice."


def test_events_say_where_the_risk_was_held_at_1():
    data = bm.EffectSizes.from_arrays(["A"], [-0.3], [0.2], measure="RR")
    fit = bm.fit(bm.CommonEffect(mu=bm.Normal(0, 2)), data)
    made = bm.absolute_effects(fit, control_risk=0.6, better="lower", prob=PROB)
    row = replace(
        made.rows[0],
        treatment=(425.0, 325.0, 549.0),
        difference=(-175.0, -275.0, -51.0),
        prob_benefit=0.125,
        prob_capped=0.0625,
    )
    absolute = replace(made, rows=(row, replace(row, prob_capped=0.0004)))
    outcome = SimpleNamespace(absolute=absolute, control_risk_origin="given", event="Deaths")
    section = section_of("absolute", outcome)
    cells = {
        "Deaths per 1,000": "average effect",
        "untreated": "600",
        "treated": "425 [325, 549]",
        "difference": "−175 [−275, −51]",
        "probability of benefit": "12.5%",
        "number needed": row.nnt,
    }
    assert [dict(zip(section.heads, one, strict=True)) for one in section.texts] == [cells] * 2
    assert "60.0% (given)" in section.note
    assert section.note.count("risk held within 0 to 1") == 1
    assert "risk held within 0 to 1 in 6.2% of its distribution" in section.note
    assert section.note.count("Joint draws (bayesmeta psa) hold no risk so") == 1
    other = replace(absolute, beside=replace(absolute, rows=(absolute.rows[1], row)))
    beside = section_of("absolute", SimpleNamespace(**{**vars(outcome), "absolute": other})).note
    assert beside.count(", were the risk ratio constant: risk held within 0 to 1 in 6.2%") == 1
    sound = replace(absolute, rows=(absolute.rows[1],) * 2)
    quiet = section_of("absolute", SimpleNamespace(**{**vars(outcome), "absolute": sound})).note
    assert "held" not in quiet
    assert "Joint draws" not in quiet


def test_a_shift_is_told_from_the_mean_and_sd_with_studies_without_events_to_those_without():
    zeros = pd.DataFrame(
        {"k": [4, 3], "mean": [-0.5, -0.25], "sd": [0.125, 0.375], "left_out": ["", "B"]},
        index=["all studies", "without studies that have no event"],
    )
    evidence = SimpleNamespace(zeros=zeros)
    said = shift_sentence(SimpleNamespace(evidence=evidence, scale=MEASURES["RR"], compares=True))
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
        account=effects.account,
        fits={FitKey.TWO_STAGE: bm.fit(bm.default_model(effects), effects)},
        pooled={
            FitKey.MANTEL_HAENSZEL: bm.common_effect(studies, weights="MH", measure="RR"),
            FitKey.REML: bm.random_effects(effects),
        },
        robustness=Robustness(tau2_interval=(0.125, 2.5)),
    )


def outcome_of(scenario, better):
    return SimpleNamespace(
        scenarios=(scenario,),
        better=better,
        measure="RR",
        scale=MEASURES["RR"],
        published=(),
        compares=True,
    )


def test_a_scenario_counts_benefit_on_the_better_side_as_the_comparison_does(scenario):
    mu = scenario.answer["mu"]
    for better, chance in (("lower", mu.cdf(0.0)), ("higher", 1 - mu.cdf(0.0))):
        outcome = outcome_of(scenario, better)
        row = scenario_table(outcome, prob=PROB).loc["all"]
        beside = compare_table(outcome, scenario, prob=PROB).loc["two-stage (normal–normal)"]
        assert row["prob_benefit"] == beside["prob_benefit"] == pytest.approx(chance, rel=1e-12)


def test_every_interval_of_a_scenario_holds_the_probability_that_was_asked_for(scenario):
    row = scenario_table(outcome_of(scenario, "lower"), prob=PROB).loc["all"]
    mh, reml = scenario.pooled.values()
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
    reml = scenario.pooled[FitKey.REML]
    assert reml.prediction[0] < reml.prediction[1]
    assert table.loc["REML", ends].tolist() == [0.125, 2.5, *reml.prediction]
    assert table.loc["Mantel–Haenszel", ends].isna().all()


def test_the_kind_of_a_row_is_where_its_answer_comes_from_whatever_it_is_called(scenario):
    printed = {
        "posterior, they say": bm.Published(
            measure="RR", estimate="0.8", lower="0.6", upper="1.07"
        ),
        "two trials": bm.Published(verdict="no difference"),
    }
    published = tuple(
        PublishedResult(
            label=label, published=one, compare_with="all", posterior=None, prob_benefit=np.nan,
            why="", note="",
        )
        for label, one in printed.items()
    )  # fmt: skip
    outcome = outcome_of(scenario, "lower")
    outcome.published, outcome.main = published, scenario
    outcome.tables = {"comparison": compare_table(outcome, scenario, prob=PROB)}
    rows = [*section_of("comparison", outcome).rows]
    kinds = {row.cells[0].text: row.kind for row in rows}
    assert kinds["two-stage (normal–normal)"] == "posterior"
    assert kinds["REML, Wald"] == kinds["Mantel–Haenszel"] == "frequentist"
    assert kinds["posterior, they say"] == kinds["two trials"] == "published"
    assert rows[-1].cells[2].text == "no difference"


def test_what_fits_are_called_decides_nothing_but_what_is_printed(scenario, monkeypatch):
    outcome = outcome_of(scenario, "lower")
    lines = [one.line for one in answers(scenario, ())]
    table = scenario_table(outcome, prob=PROB)
    assert {*COMPARATORS.values(), Line(FitKey.TWO_STAGE)} <= {*lines}
    for key in FitKey:
        monkeypatch.setitem(LABELS, key, f"{key.value}, Wald")
    assert [one.line for one in answers(scenario, ())] == lines
    pd.testing.assert_frame_equal(scenario_table(outcome, prob=PROB), table)
    assert f"{FitKey.REML.value}, Wald" in heterogeneity_table(scenario).index


def test_a_label_is_ours_if_our_tables_print_it_and_not_for_how_it_begins():
    assert is_ours("REML")
    assert is_ours("REML, HKSJ truncated")
    assert is_ours("two-stage (normal–normal), one common effect")
    assert not is_ours("REML, our own 2024 update")


TRUST = Trust(
    (
        Verdict("gate", "R-hat", "mu", 1.7, "≤ 1.01", passed=False),
        Verdict("caution", "p of the range", "", np.nan, "0.025 to 0.975", passed=True),
    ),
    (),
)


def test_the_list_of_checks_shows_each_value_as_its_verdict_has_it():
    section = section_of("trust", SimpleNamespace(checks=Checks(trust=TRUST)))
    assert section.texts == [
        ["gate", "R-hat: mu", "1.7", "≤ 1.01", "FAILED"],
        ["caution", "p of the range", "–", "0.025 to 0.975", "not available"],
    ]


def test_the_checks_of_a_single_fit_have_the_same_values():
    (section,) = of_checks(Checks(trust=TRUST))
    assert section.name == "trust"
    assert section.table["value"].to_dict() == {"R-hat": "1.7", "p of the range": "–"}


def test_an_address_among_the_data_is_a_link_and_words_are_not():
    address = "https://example.org/trial"
    sources = pd.DataFrame({"source": [address, f"see {address}", None]})
    section = section_of("sources", SimpleNamespace(sources=sources))
    cells = [row.cells[0] for row in section.rows]
    assert [cell.link for cell in cells] == [address, "", ""]
    assert cells[2].text == ""


def test_a_scenario_has_its_note_beneath_and_each_comparator_under_its_own_head(scenario):
    noted = replace(scenario, note="every trial")
    outcome = outcome_of(noted, "lower")
    table = scenario_table(outcome, prob=PROB)
    outcome.tables = {"scenarios": table.assign(sound=False)}
    section = section_of("scenarios", outcome)
    (row,) = section.rows
    shown = dict(zip(section.heads, row.cells, strict=True))
    assert not row.sound
    assert (shown["scenario"].text, shown["scenario"].below) == ("all", ("every trial",))
    for head, prefix in {"Mantel–Haenszel": "mh_", "REML, HKSJ truncated": "reml_"}.items():
        ends = table.iloc[0][[f"{prefix}{end}" for end in NATURAL]]
        assert shown[head].text == interval(*ends)


@pytest.fixture(scope="module")
def printed():
    one = bm.Published(
        measure="RR", estimate="0.80", lower="0.60", upper="1.07", p="0.13", i2="40", k=4, n=320,
        citation="J Med 1:2",
    )  # fmt: skip
    effects = bm.EffectSizes.from_arrays(["Smith"], [-0.2], [0.15], measure="RR")
    return PublishedResult(
        label="Smith 2024", published=one, compare_with="", prob_benefit=0.875,
        posterior=bm.fit(bm.CommonEffect(mu=bm.Normal(0, 2)), effects),
        why="vague", note="",
    )  # fmt: skip


def alone(*printed):
    return OutcomeResult(
        name="death", title="Death", event="deaths", measure="RR", better="lower", note="",
        published=printed,
    )  # fmt: skip


def test_a_published_figure_has_what_else_was_printed_beneath_it(printed):
    outcome = alone(printed)
    outcome = replace(outcome, tables={"published": published_table(outcome, prob=PROB)})
    (row,) = section_of("published", outcome).rows
    assert [(cell.text, tuple(cell.below)) for cell in row.cells] == [
        ("Smith 2024", ("J Med 1:2",)),
        ("RR 0.80 [0.60, 1.07]", ("p 0.13, I² 40%, k = 4, n = 320",)),
        (interval(*outcome.tables["published"].iloc[0][NATURAL]), ()),
        ("87.5%", ()),
        ("Normal(0, 2)", ("vague",)),
    ]


def test_figures_analysed_alone_stand_at_a_glance_each_in_a_row_of_its_own(printed):
    other = replace(printed, label="Shu 2025", prob_benefit=0.25)
    outcome = alone(printed, other, replace(printed, label="not analysed", posterior=None))
    outcome = replace(outcome, tables={"published": published_table(outcome, prob=PROB)})
    rows = [*glance(SimpleNamespace(outcomes=(outcome,), prob=PROB, compares=True)).rows]
    first, second, third = (row.cells for row in rows)
    assert (first[0].text, first[0].link) == ("Death", "#death")
    assert [cells[0].below for cells in (first, second, third)] == [
        ("Smith 2024, alone",),
        ("Shu 2025, alone",),
        ("not analysed",),
    ]
    assert [cells[4].text for cells in (first, second, third)] == ["87.5%", "25.0%", "–"]
    answer = interval(*outcome.tables["published"].iloc[0][NATURAL])
    assert [cells[2].text for cells in (first, second, third)] == [f"RR {answer}"] * 2 + ["–"]
    for cells, name in ((first, "Smith 2024"), (second, "Shu 2025")):
        assert (cells[5].text, cells[5].aside) == ("0.80 [0.60, 1.07]", f"({name})")
