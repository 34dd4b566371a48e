"""Leaving studies out and adding them one by one: against metafor, by hand, and at the edges."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import COUNTS, binary, cases, counts, estimates, given
from tolerances import CLOSED_FORM, INVARIANCE, INVARIANCE_OF_A_ROOT, ITERATED, scaled

import bayesmeta as bm
from bayesmeta.frequentist import (
    cumulative,
    influence,
    leave_one_out,
    meta_regression,
    regression_influence,
)

DATASETS = sorted(cases("influence"))
TOO_MANY = {"curtis1998", "mcdaniel1994"}  # 102 and 160 studies: not stored
FITS = {  # name of the fit: estimator of tau² and interval
    "EE_z": (None, "Wald"),
    "DL_z": ("DL", "Wald"),
    "REML_z": ("REML", "Wald"),
    "REML_knha": ("REML", "HKSJ"),
}
LEFT_OUT = {
    "estimate": "estimate", "se": "se", "p": "p", "lower": "ci_lb", "upper": "ci_ub",
    "tau2": "tau2", "q": "Q", "q_p": "Q_p", "i2": "I2",
}  # fmt: skip
MEASURES_OF_INFLUENCE = {
    "rstudent": "rstudent", "dffits": "dffits", "cook": "cook", "cov_ratio": "cov_ratio",
    "tau2_without": "tau2_del", "q_without": "QE_del", "hat": "hat", "dfbetas": "dfbs",
    "influential": "influential",
}  # fmt: skip
ADDED = {"estimate": "estimate", "se": "se", "lower": "ci_lb", "upper": "ci_ub", "tau2": "tau2"}
# metafor gives nothing for the first so many studies, though the likelihood has one top, at 0.052.
NOT_CLAIMED = {("nielweise2007", "REML"): {8}}
FOUR = estimates([-0.9, 0.1, -0.3, -0.5], [0.6, 0.2, 0.3, 1.0])


def effects_of(dataset: str) -> bm.EffectSizes:
    case = cases("small_study")[dataset]
    return estimates(case["yi"], np.sqrt(case["vi"]))


def tolerance(tau2: str | None):
    return ITERATED if tau2 == "REML" else CLOSED_FORM


def test_every_stored_number_is_tested_or_named():
    assert set(DATASETS) | TOO_MANY == set(cases("small_study"))
    for dataset in DATASETS:
        case = cases("influence")[dataset]
        assert set(case) == {"leave_one_out", "influence", "blup", "cumulative"}
        assert set(case["leave_one_out"]) == set(FITS)
        assert set().union(*case["leave_one_out"].values()) == set(LEFT_OUT.values())
        assert set(case["influence"]) == {"EE", "REML"}
        assert all(
            set(e) == set(MEASURES_OF_INFLUENCE.values()) for e in case["influence"].values()
        )
        assert set(case["cumulative"]) == {"REML", "DL"}
        assert all(set(e) == set(ADDED.values()) for e in case["cumulative"].values())


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("name", FITS)
def test_leaving_one_out_equals_metafor(dataset, name):
    theirs = cases("influence")[dataset]["leave_one_out"][name]
    tau2, interval = FITS[name]
    table = leave_one_out(effects_of(dataset), tau2=tau2, interval=interval)
    for column, key in LEFT_OUT.items():
        if key in theirs:
            assert_allclose(table[column], theirs[key], err_msg=column, **tolerance(tau2))


@pytest.mark.parametrize("dataset", DATASETS)
def test_predictions_of_single_studies_equal_metafor(dataset):
    theirs, data = cases("influence")[dataset]["blup"]["REML"], effects_of(dataset)
    table = bm.random_effects(data, interval="Wald").studies()
    unit = np.median(data.se)
    for column, key in (("", "pred"), ("_se", "se"), ("_lower", "pi_lb"), ("_upper", "pi_ub")):
        assert_allclose(table[f"blup{column}"], theirs[key], **scaled(ITERATED, unit))
    assert table.index.tolist() == list(data.study)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("name", ["EE", "REML"])
def test_influence_equals_metafor(dataset, name):
    theirs, tau2 = cases("influence")[dataset]["influence"][name], {"EE": None}.get(name, name)
    table = influence(effects_of(dataset), tau2=tau2)
    for column, key in MEASURES_OF_INFLUENCE.items():
        assert_allclose(table[column], theirs[key], err_msg=column, **tolerance(tau2))
    assert_allclose(table["weight"], 100 * table["hat"])


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("tau2", ["DL", "REML"])
def test_adding_one_by_one_equals_metafor(dataset, tau2):
    theirs = cases("influence")[dataset]["cumulative"][tau2]
    table = cumulative(effects_of(dataset), tau2=tau2, interval="Wald").set_index("k")
    silent = NOT_CLAIMED.get((dataset, tau2), set())
    for column, key in ADDED.items():
        known = given(theirs[key])
        assert set(table.index[np.isnan(known)]) == silent
        kept = np.isfinite(known)
        assert_allclose(table[column][kept], known[kept], err_msg=column, **tolerance(tau2))
    assert not table.isna().any().any()


@pytest.mark.parametrize("tau2", [None, "DL", "REML"])
def test_each_row_is_the_fit_it_says(tau2):
    def pooled(rows):
        if tau2 is None:
            return bm.common_effect(FOUR.keep(np.array(rows)))
        return bm.random_effects(FOUR.keep(np.array(rows)), tau2=tau2)

    left_out = leave_one_out(FOUR, tau2=tau2).loc["study 2"]
    fit = pooled([True, False, True, True])
    assert (left_out["estimate"], left_out["upper"]) == (fit.estimate, fit.upper)
    whole = pooled([True] * 4)
    assert left_out["change"] == fit.estimate - whole.estimate
    added = cumulative(FOUR, tau2=tau2).loc["study 3"]
    fit = pooled([True, True, True, False])
    assert (added["k"], added["estimate"], added["lower"]) == (3, fit.estimate, fit.lower)


def test_the_first_study_stands_alone():
    row = cumulative(FOUR).iloc[0]
    assert_allclose(row[["estimate", "se", "tau2", "q_p"]].astype(float), [-0.9, 0.6, 0.0, 1.0])
    assert_allclose(row["upper"], -0.9 + 1.959963984540054 * 0.6, **CLOSED_FORM)
    assert len(cumulative(estimates([0.1], [0.2]))) == 1


def test_orders_by_name_and_by_number_agree():
    names = ["study 3", "study 1", "study 4", "study 2"]
    by_name, by_year = (cumulative(FOUR, order=o) for o in (names, [2001, 2009, 1999, 2005]))
    assert by_name.index.tolist() == names
    assert by_name.equals(by_year)
    assert cumulative(FOUR, order=[1, 1, 1, 1]).equals(cumulative(FOUR))
    last = [table.iloc[-1]["estimate"] for table in (by_name, cumulative(FOUR))]
    assert_allclose(*last, **INVARIANCE)


def test_silent_studies_have_a_place_in_the_order_but_no_row():
    trials = binary({"A": (3, 20, 8, 20), "B": (0, 20, 0, 20), "C": (1, 20, 6, 20)})
    for order in ([3, 1, 2], ["B", "C", "A"]):
        table = cumulative(trials, order=order, measure="OR")
        assert table.index.tolist() == ["C", "A"]
    assert leave_one_out(trials, tau2=None, measure="OR").index.tolist() == ["A", "C"]


@pytest.mark.parametrize(
    "order", [["A", "B"], ["study 1"] * 4, [1, 2], [1, 2, np.nan, 3], [[1, 2, 3, 4]]]
)
def test_orders_that_are_none_are_refused(order):
    with pytest.raises(bm.DataError, match="order must"):
        cumulative(FOUR, order=order)


def test_two_studies_can_be_left_out_of_a_common_effect_only():
    two = estimates([0.1, 0.4], [0.2, 0.3])
    table = leave_one_out(two, tau2=None)
    assert_allclose(table["estimate"], [0.4, 0.1])
    assert not table.isna().any().any()
    assert not influence(two, tau2=None).isna().any().any()
    for run in (leave_one_out, influence):
        with pytest.raises(
            bm.DataError, match=r"at least 3 studies; there are 2 \(study 1, study 2"
        ):
            run(two)
        with pytest.raises(bm.DataError, match=r"at least 2 studies; there is 1 \(study 1"):
            run(estimates([0.1], [0.2]), tau2=None)


def test_estimates_of_zero_have_p_one():
    data = estimates([0.0, 0.0, 0.0], [0.1, 0.2, 0.3])
    assert cumulative(data)["p"].tolist() == leave_one_out(data)["p"].tolist() == [1.0, 1.0, 1.0]


def test_counts_pass_through_effect_sizes():
    trials = counts("bcg")
    data = bm.effect_sizes(trials, measure="OR")
    assert leave_one_out(trials, measure="OR").equals(leave_one_out(data))
    assert influence(trials, measure="OR").equals(influence(data))
    assert cumulative(trials, measure="OR").equals(cumulative(data))
    with pytest.raises(bm.DataError, match="measure must be given"):
        leave_one_out(COUNTS)
    with pytest.raises(bm.ModelError, match="tau2 is one of"):
        influence(data, tau2="XX")


def test_a_planted_outlier_is_influential():
    data = estimates([0.1, 0.2, 0.15, 0.12, 0.18, 3.0], [0.2] * 6)
    table = influence(data)
    assert table["influential"].tolist() == [False] * 5 + [True]
    assert table["rstudent"].abs().idxmax() == "study 6"
    assert influence(data, tau2=None)["rstudent"].abs().idxmax() == "study 6"


@pytest.mark.parametrize("dataset", ["bcg", "raudenbush1985"])
def test_order_and_sign_of_the_estimates_only_order_and_turn_the_rows(dataset):
    data = effects_of(dataset)
    one = influence(data)
    back = replace(data, study=data.study[::-1], y=data.y[::-1], se=data.se[::-1])
    assert_allclose(
        influence(back).loc[one.index].astype(float), one.astype(float), **INVARIANCE_OF_A_ROOT
    )
    two = influence(replace(data, y=-data.y))
    for column in one:
        sign = -1 if column in ("rstudent", "dffits", "dfbetas") else 1
        assert_allclose(two[column], sign * one[column], **INVARIANCE_OF_A_ROOT)
    turned = leave_one_out(replace(data, y=-data.y))
    assert_allclose(-turned["upper"], leave_one_out(data)["lower"], **INVARIANCE)
    assert_allclose(-turned["change"], leave_one_out(data)["change"], **INVARIANCE)


@pytest.mark.parametrize(("away", "expected"), [(0.552, False), (0.562, True)])
def test_the_limit_of_dffits_is_three_roots_of_one_in_k_less_one(away, expected):
    """Of 30 equally precise studies one lies so far from the others that dffits is `away`."""
    y = np.array([0.0] * 15 + [0.2] * 14 + [0.0])
    y[-1] = y[:-1].mean() + away * 0.2 * np.sqrt(30)
    row = influence(estimates(y, [0.2] * 30), tau2=None).iloc[-1]
    assert_allclose(row["dffits"], away)
    assert row["cook"] < 0.4549  # half of the chi-square lies below
    assert row["influential"] == expected


def test_dfbetas_beyond_one_is_enough():
    data = estimates([-0.1, 0.0, 0.2, 0.0, 1.6], [0.3, 0.3, 0.1, 0.3, 0.4])
    row = influence(data, tau2="DL").iloc[-1]
    assert 1 < row["dfbetas"] < 2
    assert row["dffits"] < 1.5
    assert row["cook"] < 0.4549
    assert row["hat"] < 0.6
    assert row["influential"]


LATITUDES = (44, 55, 42, 52, 13, 44, 19, 13, 27, 42, 18, 33, 33)


def on_latitude(data, tau2, latitude=LATITUDES):
    told = bm.EffectSizes.from_arrays(
        data.study, data.y, data.se, measure=data.measure, covariates={"latitude": latitude}
    )
    return told, meta_regression(told, "latitude", tau2=tau2, interval="Wald")


@pytest.mark.parametrize("tau2", [None, "REML"])
@pytest.mark.parametrize("dataset", DATASETS)
def test_a_regression_on_nothing_has_the_influence_of_the_pooled_estimate(dataset, tau2):
    data = effects_of(dataset)
    pooled = influence(data, tau2=tau2)
    found = regression_influence(meta_regression(data, "1", tau2=tau2, interval="Wald"))
    found = found.rename(columns={"qe_without": "q_without", "dfbetas[intercept]": "dfbetas"})
    for name in found:
        np.testing.assert_allclose(
            found[name].astype(float), pooled[name].astype(float), rtol=1e-6, atol=1e-9
        )


def test_influence_without_spread_is_that_of_the_deletion_formulas():
    data, fit = on_latitude(effects_of("bcg"), None)
    found, x, w = regression_influence(fit), fit.design.matrix, 1 / data.se**2
    inverse = np.linalg.inv((x.T * w) @ x)
    hat = w * np.einsum("ij,jk,ik->i", x, inverse, x)
    residual = data.y - x @ fit.coefficients
    moved = (inverse @ x.T * (w * residual / (1 - hat))).T  # Cook 1977: no refit
    np.testing.assert_allclose(found["hat"], hat, rtol=1e-10)
    np.testing.assert_allclose(found["rstudent"], residual * np.sqrt(w / (1 - hat)), rtol=1e-9)
    cook = np.einsum("ij,jk,ik->i", moved, np.linalg.inv(inverse), moved)
    np.testing.assert_allclose(found["cook"], cook, rtol=1e-8)
    np.testing.assert_allclose(found["cov_ratio"], 1 / (1 - hat), rtol=1e-9)
    for name, column in zip(fit.names, moved.T / np.sqrt(np.diag(inverse))[:, None], strict=True):
        np.testing.assert_allclose(found[f"dfbetas[{name}]"], column, rtol=1e-8)


def test_influence_with_spread_is_that_of_regressions_without_each_study():
    data, fit = on_latitude(effects_of("bcg"), "REML")
    found, v = regression_influence(fit), data.se**2
    for i, study in enumerate(data.study):
        rest = meta_regression(
            data.keep(np.arange(data.k) != i), "latitude", tau2="REML", interval="Wald"
        )
        place, row = rest.at(latitude=LATITUDES[i]), found.loc[study]
        own = v[i] + rest.tau2
        expected = {
            "rstudent": (data.y[i] - place.estimate) / np.sqrt(own + place.se**2),
            "dffits": (fit.at(latitude=LATITUDES[i]).estimate - place.estimate)
            / np.sqrt(row["hat"] * own),
            "tau2_without": rest.tau2,
            "qe_without": rest.q,
        }
        x, w = fit.design.matrix, 1 / (v + rest.tau2)
        spread = np.linalg.inv((x.T * w) @ x)[1, 1]
        expected["dfbetas[latitude]"] = (fit.coefficients[1] - rest.coefficients[1]) / spread**0.5
        np.testing.assert_allclose(
            [row[name] for name in expected], [*expected.values()], rtol=1e-5
        )


def test_influence_of_a_regression_hangs_on_no_unit_and_no_origin():
    data = effects_of("bcg")
    one = regression_influence(on_latitude(data, "REML")[1])
    moved = [1000 + 60 * value for value in LATITUDES]
    other = regression_influence(on_latitude(data, "REML", moved)[1])
    np.testing.assert_allclose(other.astype(float), one.astype(float), rtol=1e-6, atol=1e-9)


def test_a_study_that_alone_tells_of_a_coefficient_is_marked_and_not_measured():
    data = bm.EffectSizes.from_arrays(
        list("ABCDE"),
        [0.1, 0.3, 0.2, 0.6, 0.5],
        [0.1] * 5,
        covariates={"kind": list("xxxxy")},
    )
    found = regression_influence(meta_regression(data, "kind"))
    assert found.loc["E", "hat"] == pytest.approx(1)
    assert found.loc["E", "influential"]
    assert found.drop(columns=["hat", "influential"]).loc["E"].isna().all()
    assert not found.loc[list("ABCD")].isna().any().any()


def test_influence_of_a_regression_refuses_what_it_cannot_leave_out():
    data = effects_of("bcg")
    with pytest.raises(bm.ModelError, match="takes what meta_regression returns"):
        regression_influence(data)  # pyright: ignore[reportArgumentType]
    few = on_latitude(data, None)[0].keep(np.arange(data.k) < 3)
    with pytest.raises(bm.DataError, match="on 2 coefficients needs at least 4 studies"):
        regression_influence(meta_regression(few, "latitude", tau2=None, interval="Wald"))
