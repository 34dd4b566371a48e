"""Plausibility: what a table says that is hardly so, in one sentence with its remedy."""

import importlib
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from references import cases, counts, estimates, numbered
from scipy import integrate, stats

import bayesmeta as bm
from bayesmeta.doubts import RULES
from bayesmeta.doubts.ratios import as_ratios, one_as_ratio
from bayesmeta.doubts.spreads import below
from bayesmeta.ways import COMMAND, speaking

BCG = counts("bcg")


def doubted(data, **asked):
    return {(one.rule, one.studies) for one in bm.plausibility(data, **asked)}


def means(sd_treatment, sd_control, *, n=50, mean=20.0):
    k = len(sd_treatment)
    return bm.ContinuousStudies(
        study=numbered(k),
        mean_treatment=np.full(k, mean),
        sd_treatment=np.array(sd_treatment, float),
        n_treatment=np.full(k, n),
        mean_control=np.full(k, mean + 2),
        sd_control=np.array(sd_control, float),
        n_control=np.full(k, n),
    )


SDS = ([8.0, 9.5, 7.2, 10.1, 8.8], [8.4, 9.0, 7.9, 9.6, 9.1])


def test_a_sound_table_draws_no_doubt():
    assert bm.plausibility(BCG) == ()
    assert bm.plausibility(means(*SDS)) == ()


@pytest.mark.parametrize("dataset", sorted(cases("counts")))
def test_stored_counts_draw_no_doubt_about_their_rows(dataset):
    assert not {"equal_rows", "sums_of_rows", "far_from_rest"} & {
        one.rule for one in bm.plausibility(counts(dataset))
    }


def test_the_same_counts_under_two_names_are_doubted_and_the_remedy_is_that_of_the_interface():
    twice = bm.BinaryStudies(
        study=("Silva 2020", "Silva et al. 2021", "Ando"),
        events_treatment=[12, 12, 5],
        n_treatment=[40, 40, 61],
        events_control=[18, 18, 9],
        n_control=[41, 41, 60],
    )
    with speaking(COMMAND):
        (found,) = bm.plausibility(twice)
    assert found.studies == ("Silva 2020", "Silva et al. 2021")
    assert found.text == (
        "Silva 2020 and Silva et al. 2021 have the same figures, 12/40 v 18/41: if they are "
        'reports of one study, leave all but one out, --exclude "Silva et al. 2021: reason".'
    )


def test_rows_that_are_equal_by_chance_are_not_doubted():
    tiny = bm.BinaryStudies(
        study=numbered(3),
        events_treatment=[0, 0, 1],
        n_treatment=[5, 5, 9],
        events_control=[0, 0, 2],
        n_control=[5, 5, 8],
    )
    assert not doubted(tiny)
    one_digit = estimates([0.1, 0.1, 0.3], [0.2, 0.2, 0.4])
    assert not doubted(one_digit)
    three_digits = estimates([0.125, 0.125, 0.31], [0.211, 0.211, 0.4])
    assert doubted(three_digits) == {("equal_rows", ("study 1", "study 2"))}


def test_three_equal_rows_are_one_doubt():
    data = estimates([0.125, 0.125, 0.125, 0.31], [0.211, 0.211, 0.211, 0.4])
    (found,) = bm.plausibility(data)
    assert found.studies == numbered(3)
    assert found.text.startswith("study 1, study 2 and study 3 have the same figures, y 0.125")


@pytest.mark.parametrize("place", [0, 2, 5])
def test_a_row_that_is_the_sum_of_others_is_doubted_wherever_it_stands(place):
    rows = [[4, 41, 11, 40], [6, 60, 29, 61], [3, 30, 11, 33], [62, 139, 80, 141], [3, 50, 4, 52]]
    added = np.sum(rows[:2] if place == 2 else rows, axis=0).tolist()
    columns = np.array([*rows[:place], added, *rows[place:]], float).T
    names = ("events_treatment", "n_treatment", "events_control", "n_control")
    data = bm.BinaryStudies(study=numbered(6), **dict(zip(names, columns, strict=True)))
    found = [one for one in bm.plausibility(data) if one.rule == "sums_of_rows"]
    assert [one.studies for one in found] == [(f"study {place + 1}",)]
    assert f"is the sum of {2 if place == 2 else 5} other rows" in found[0].text


@pytest.mark.parametrize("arm", ["treatment", "control"])
def test_a_standard_error_typed_as_the_sd_of_one_arm_is_doubted(arm):
    sound = means(*SDS)
    sd = getattr(sound, f"sd_{arm}").copy()
    sd[1] /= np.sqrt(50)
    (found,) = bm.plausibility(replace(sound, **{f"sd_{arm}": sd}))
    assert (found.rule, found.studies) == ("errors_as_sds", ("study 2",))
    assert found.text.startswith(
        f"study 2: beside the SDs of the other arm, sd_{arm} {sd[1]:.3g} (n 50) may be a standard "
        f"error: if so, give SE × √n, {sd[1] * 50**0.5:.3g}, or leave"
    )


def test_standard_errors_typed_as_the_sds_of_both_arms_are_doubted_among_the_other_studies():
    sound = means(*SDS)
    first, second = sound.sd_treatment.copy(), sound.sd_control.copy()
    first[3] /= np.sqrt(50)
    second[3] /= np.sqrt(50)
    found = bm.plausibility(replace(sound, sd_treatment=first, sd_control=second))
    assert [(one.rule, one.studies) for one in found] == [("errors_as_sds", ("study 4",))]
    assert "beside the SDs of the other studies" in found[0].text
    assert (
        "(n 50 and 50) may be standard errors: if so, give SE × √n, 10.1 and 9.6" in found[0].text
    )


def test_a_smaller_sd_that_goes_with_a_smaller_mean_or_with_another_unit_is_not_doubted():
    sound = means(*SDS)
    mean, sd = sound.mean_treatment.copy(), sound.sd_treatment.copy()
    mean[1], sd[1] = mean[1] / 6, sd[1] / 6
    found = doubted(replace(sound, mean_treatment=mean, sd_treatment=sd))
    assert "errors_as_sds" not in {rule for rule, _ in found}
    hours = {
        name: np.where(np.arange(5) == 2, values / 7, values)
        for name, values in sound.numbers.items()
        if name.startswith(("mean", "sd"))
    }
    assert not doubted(replace(sound, **hours))


def test_a_robust_scatter_is_that_of_a_normal_sample():
    values = np.random.default_rng(1).normal(3, 2, 20_001)
    found, spread = below(0.0, values)
    assert found == pytest.approx(3, abs=0.1)
    assert spread == pytest.approx(2, abs=0.1)


def test_arms_without_sds_are_not_doubted():
    quantiles = bm.ContinuousStudies(
        study=numbered(4),
        n_treatment=[40] * 4,
        n_control=[40] * 4,
        **{f"{q}_{arm}": [at, at + 1, at + 2, at + 0.5] for arm in ("treatment", "control")
           for q, at in (("q1", 4.0), ("median", 8.0), ("q3", 12.0))},
    )  # fmt: skip
    assert not doubted(quantiles)


RATIOS = [0.83, 1.21, 0.95, 0.7, 1.1]
ERRORS = [0.12, 0.2, 0.15, 0.22, 0.3]


def test_ratios_in_the_column_of_their_logarithms_are_doubted():
    typed = estimates(RATIOS, ERRORS, measure="RR")
    assert [one.rule for one in bm.plausibility(typed)] == ["ratios_as_logs"]
    assert (
        "look like ratios (2.01 to 3.35 if they are logarithms)" in bm.plausibility(typed)[0].text
    )
    assert not doubted(estimates(np.log(RATIOS).tolist(), ERRORS, measure="RR"))
    assert not doubted(estimates(RATIOS, ERRORS, measure="SMD"))  # no ratio: as likely as any


def test_one_ratio_among_logarithms_is_doubted():
    logs = [-0.62, -0.55, -0.71, -0.58, -0.66]
    typed = [*logs[:4], float(np.exp(logs[4]))]
    found = bm.plausibility(estimates(typed, [0.1] * 5, measure="OR"))
    assert found[0].studies == ("study 5",)
    assert "give its logarithm, -0.66" in found[0].text


def by_integration(y, se):
    """The evidence of the normal model with tau on the rule's own nodes, mu by quadrature."""
    from bayesmeta.doubts.ratios import LOG_PRIOR, TAU

    total = 0.0
    for tau, log_prior in zip(TAU, LOG_PRIOR, strict=True):
        sd = np.sqrt(np.square(se) + tau**2)

        def joint(mu, sd=sd):
            return stats.norm.pdf(y, mu, sd).prod() * stats.norm.pdf(mu, 0, 0.5)

        total += np.exp(log_prior) * integrate.quad(joint, -6, 6, limit=200)[0]
    return total


def test_how_much_likelier_ratios_are_is_a_ratio_of_evidences():
    y, se = np.array(RATIOS), np.array(ERRORS)
    likelier = max(by_integration(np.log(y), one) for one in (se, se / y)) / y.prod()
    wanted = np.log(likelier / by_integration(y, se))
    assert as_ratios(y, se) == pytest.approx(wanted, abs=1e-6)


def test_one_row_is_held_to_what_the_others_predict():
    y, se = np.array([-0.62, -0.2, -0.91, -0.58, 0.6]), np.array([0.1, 0.2, 0.15, 0.1, 0.12])
    rest = bm.random_effects(estimates(y[:4], se[:4]), tau2="DL", interval="Wald")
    sd = np.sqrt(rest.tau2 + rest.se**2 + se[4] ** 2)
    wanted = stats.norm.logpdf(np.log(0.6), rest.estimate, sd) - np.log(0.6)
    wanted -= stats.norm.logpdf(0.6, rest.estimate, sd)
    assert one_as_ratio(y, se, 4) == pytest.approx(wanted, abs=1e-9)


def test_events_that_do_not_grow_with_the_patients_are_doubted():
    n = np.array([200, 400, 900, 2000, 5000, 12000])
    typed = bm.ProportionStudies(study=numbered(6), events=[13, 9, 15, 11, 12, 14], n=n)
    assert doubted(typed) == {("percentages_as_counts", numbered(6))}
    grown = np.round(n * np.array([13, 9, 15, 11, 12, 14]) / 100)
    assert not doubted(bm.ProportionStudies(study=numbered(6), events=grown, n=n))


def test_patients_of_whom_there_are_always_100_are_doubted():
    typed = bm.ProportionStudies(study=numbered(3), events=[13, 9, 15], n=[100, 100, 100])
    assert "All arms have 100 patients" in bm.plausibility(typed)[0].text
    one = bm.ProportionStudies(study=numbered(3), events=[13, 9, 15], n=[100, 100, 101])
    assert not doubted(one)


def test_a_lost_decimal_point_puts_an_estimate_far_from_all_others():
    y, se = [-0.5, -0.42, -0.61, -0.55, -4.8], [0.1, 0.12, 0.1, 0.2, 0.1]
    (found,) = bm.plausibility(estimates(y, se, measure="OR"))
    assert (found.rule, found.studies) == ("far_from_rest", ("study 5",))
    rest = bm.random_effects(estimates(y[:4], se[:4]), tau2="DL", interval="Wald")
    far = abs(-4.8 - rest.estimate) / np.sqrt(0.1**2 + rest.tau2 + rest.se**2)
    assert f"log OR -4.8 lies {far:.0f} standard errors" in found.text


def test_a_precise_estimate_is_far_from_imprecise_ones_that_agree():
    y, se = [-0.5, -0.4, -0.6, -0.55, 0.9], [0.4, 0.45, 0.5, 0.4, 0.01]
    assert not doubted(estimates(y, se))
    se[:4] = [0.15, 0.16, 0.17, 0.16]
    assert doubted(estimates(y, se)) == {("far_from_rest", ("study 5",))}


def test_two_faulty_rows_do_not_hide_each_other():
    y = [-0.5, -0.42, -0.61, -0.55, -0.47, -4.8, -5.6]
    found = bm.plausibility(estimates(y, [0.1] * 7))
    assert [one.studies for one in found] == [("study 6",), ("study 7",)]


def test_the_measure_that_counts_are_compared_by_can_be_chosen():
    assert not doubted(BCG, measure="OR")
    (found,) = bm.plausibility(BCG, measure="RD")
    assert found.rule == "far_from_rest"
    assert ": RD -0.139 lies" in found.text


def test_outcomes_are_doubted_one_by_one():
    y = np.array([[0.1, -0.52], [0.12, -0.4], [0.3, -0.61], [0.21, -0.55], [0.18, -5.1]])
    data = bm.MultivariateEffects(
        study=numbered(5), outcome=("pain", "sleep"), y=y, se=np.full((5, 2), 0.1)
    )
    (found,) = bm.plausibility(data)
    assert found.text.startswith("sleep: study 5:")


def test_what_is_no_table_is_refused():
    with pytest.raises(bm.ModelError, match="no rules of plausibility for list"):
        bm.plausibility([1, 2])


def test_every_doubt_has_a_rule_of_the_list():
    found = bm.plausibility(estimates(RATIOS, ERRORS, measure="RR"))
    assert {one.rule for one in found} <= set(RULES)
    with pytest.raises(AttributeError):
        found[0].text = "other"


@st.composite
def tables(draw):
    """Tables of any kind at the edges of what the door lets in."""
    k = draw(st.integers(1, 6))

    def column(values):
        return draw(st.lists(values, min_size=k, max_size=k))

    n = np.array([column(st.integers(2, 300)) for _ in range(2)])
    events = [[draw(st.integers(0, int(most))) for most in row] for row in n]
    kind = draw(st.sampled_from(["binary", "shares", "time", "means", "OR", "GEN"]))
    if kind == "binary":
        arms = {"events_treatment": events[0], "n_treatment": n[0]}
        return bm.BinaryStudies(study=numbered(k), **arms, events_control=events[1], n_control=n[1])
    if kind == "shares":
        return bm.ProportionStudies(study=numbered(k), events=events[0], n=n[0])
    if kind == "time":
        return bm.IncidenceStudies(study=numbered(k), events=events[0], time=n[0] / 7)
    figure, size = st.floats(-1e6, 1e6).map(lambda x: round(x, 2)), st.floats(1e-6, 1e6)
    if kind == "means":
        pairs = {
            f"{name}_{arm}": column(of)
            for name, of in (("mean", figure), ("sd", size))
            for arm in ("treatment", "control")
        }
        return bm.ContinuousStudies(study=numbered(k), n_treatment=n[0], n_control=n[1], **pairs)
    return estimates(column(figure), column(size), measure=kind)


@given(tables())
def test_any_table_has_doubts_in_one_sentence_about_its_own_studies(table):
    for one in bm.plausibility(table):
        assert one.rule in RULES
        assert set(one.studies) <= set(table.study)
        assert one.text.endswith(".")
        assert "nan" not in one.text.casefold()


def test_a_logarithm_too_large_for_its_ratio_is_doubted_without_a_warning():
    table = bm.EffectSizes.from_arrays(list("ABC"), [1.0, 1.0, 710.0], [1.0] * 3, measure="OR")
    assert any("2.72 to inf" in one.text for one in bm.plausibility(table))


@given(tables(), st.randoms(use_true_random=False))
def test_doubts_about_rows_do_not_hang_on_their_order(table, random):
    order = random.sample(range(table.k), table.k)
    turned = replace(
        table,
        study=tuple(table.study[i] for i in order),
        **{name: getattr(table, name)[order] for name in table.arrays()},
    )
    ours, theirs = (
        sorted(
            (one.rule, sorted(one.studies))
            for one in bm.plausibility(each)
            if one.rule != "sums_of_rows"  # of rows that stand together
        )
        for each in (table, turned)
    )
    assert ours == theirs


def test_a_measure_that_counts_do_not_have_is_refused():
    with pytest.raises(bm.DataError, match="measure 'HR' is not one of OR, RR, RD"):
        bm.plausibility(BCG, measure="HR")


HERE = Path(__file__).parents[1]
STORED = json.loads((HERE / "benchmarks" / "results" / "plausibility.json").read_text("utf-8"))
BY_FAULT = defaultdict(list)
for row in (*STORED["planted"], *STORED["conflicts"]):
    BY_FAULT[row["fault"]].append(row)
SOUND = BY_FAULT.pop("sound")


def total(rows, what):
    return sum(row[what] for row in rows)


@pytest.mark.parametrize("fault", BY_FAULT)
def test_nine_in_ten_planted_faults_are_found(fault):
    assert total(BY_FAULT[fault], "found") >= 0.9 * total(BY_FAULT[fault], "planted")


def test_they_are_many_in_many_tables_of_either_half():
    assert len(STORED["tables"]) >= 60
    assert total(STORED["planted"], "planted") >= 200
    for tuned in (True, False):
        half = [one["table"] for one in STORED["tables"] if one["tuned"] is tuned]
        doubted_ones = {one["table"] for one in STORED["false"] if one["tuned"] is tuned}
        assert len(doubted_ones) <= len(half) / 10
    assert total(SOUND, "found") <= len(SOUND) / 10
    assert total(STORED["logs"], "found") <= len(STORED["logs"]) / 10


@pytest.fixture
def benchmark_of_plausibility(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE / "benchmarks"))
    return importlib.import_module("plausibility")


def test_sound_tables_draw_today_the_doubts_that_are_stored(benchmark_of_plausibility):
    tables, refused = benchmark_of_plausibility.sound_tables()
    assert [one.name for one in tables] == [one["table"] for one in STORED["tables"]]
    assert list(benchmark_of_plausibility.doubted(tables)) == STORED["false"]
    assert refused == STORED["refused"]


@pytest.mark.deep("every fault into every table: 20 s")
def test_planted_faults_are_found_today_as_stored(benchmark_of_plausibility):
    tables, _ = benchmark_of_plausibility.sound_tables()
    assert list(benchmark_of_plausibility.planted(tables)) == STORED["planted"]
    assert list(benchmark_of_plausibility.conflicts(tables)) == STORED["conflicts"]


def test_the_page_shows_what_is_stored(benchmark_of_plausibility):
    page = (HERE / "docs" / "plausibility.md").read_text("utf-8")
    head, made = page.split(benchmark_of_plausibility.MARK)
    assert made.strip() == benchmark_of_plausibility.page(STORED).strip()
    assert all(f"`{rule}`" in head for rule in RULES)


def test_an_sd_that_is_too_large_is_not_blamed_on_the_arm_that_is_like_all_others():
    """SDs of 10 everywhere, and one of 110: the 11 beside it is no standard error."""
    table = pd.DataFrame(
        {"study": list("ABCDE"), "n_treatment": 50, "n_control": 51,
         "mean_treatment": [50.0, 51, 49, 52, 50], "mean_control": [55.0, 54, 55, 56, 53],
         "sd_treatment": [10.0, 110, 10, 9, 10], "sd_control": [10.0, 11, 10, 9, 10]}
    )  # fmt: skip
    said = bm.plausibility(bm.ContinuousStudies.from_frame(table))
    assert not any("sd_control" in one.text for one in said)
    small = table.assign(sd_treatment=10.0, sd_control=[10.0, 1.4, 10, 9, 10])
    (found,) = bm.plausibility(bm.ContinuousStudies.from_frame(small))
    assert (found.rule, found.studies) == ("errors_as_sds", ("B",))
    assert "sd_control 1.4" in found.text


TWO_DOSES = {
    "study": ("Trial X low dose", "Trial X high dose", "Trial Y"),
    "events_treatment": [45, 41, 30],
    "n_treatment": [50, 50, 60],
    "events_control": [22, 22, 24],
    "n_control": [50, 50, 61],
}


def test_one_control_under_two_names_is_doubted_and_combining_is_the_way_out(tmp_path):
    with speaking(COMMAND):
        (found,) = bm.plausibility(bm.BinaryStudies(**TWO_DOSES))
    assert (found.rule, found.studies) == ("shared_controls", TWO_DOSES["study"][:2])
    assert found.text == (
        "Trial X low dose and Trial X high dose have the same control arm, 22/50: if it is one "
        "group of patients, it counts twice; give these rows one name and add their active arms up "
        'with --combine-arms, or keep one of them, --exclude "Trial X high dose: reason".'
    )
    one_name = pd.DataFrame({**TWO_DOSES, "study": ["Trial X", "Trial X", "Trial Y"]})
    data = bm.read_studies(one_name, several_arms="combine")
    assert (data.events_treatment[0], data.n_treatment[0]) == (86, 100)
    assert not bm.plausibility(data)


def test_one_control_of_few_events_is_doubted_among_names_alike_alone():
    few = {**TWO_DOSES, "events_control": [3, 3, 4], "n_control": [15, 15, 16]}
    assert doubted(bm.BinaryStudies(**few))
    assert not doubted(bm.BinaryStudies(**{**few, "study": ("Ng", "Oka", "Paz")}))


def test_shares_of_a_control_that_was_split_are_no_doubt():
    rows = pd.DataFrame(
        {
            "study": ["A", "A", "A", "B", "B"],
            "arm": ["10 mg", "20 mg", "placebo", "10 mg", "placebo"],
            "mean": [-1.21, -1.53, -0.52, -0.94, -0.41],
            "sd": [0.83, 0.92, 0.94, 1.12, 1.03],
            "n": [40, 42, 42, 30, 29],
        }
    )
    asked = {"measure": "MD", "control": "placebo"}
    assert not bm.plausibility(bm.read_studies(rows, several_arms="split", **asked))
    means = bm.ContinuousStudies(
        study=("A 10 mg", "A 20 mg"),
        **{f"{name}_treatment": rows[name][:2].to_numpy() for name in ("mean", "sd", "n")},
        **{f"{name}_control": np.full(2, rows[name][2]) for name in ("mean", "sd", "n")},
    )
    (found,) = bm.plausibility(means)
    assert found.rule == "shared_controls"
    assert "-0.52 (0.94), 42" in found.text
