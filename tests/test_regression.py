"""Meta-regression: metafor's numbers, published ones, formulas by dense matrices, refusals."""

from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

import bayesmeta as bm
from bayesmeta.frequentist import meta_regression, permutation_test
from bayesmeta.frequentist.arrays.regression import ESTIMATORS
from tests.references import cases, document
from tests.tolerances import CLOSED_FORM, FLAT, ITERATED

BCG = Path(__file__).parents[1] / "examples" / "bcg" / "bcg.csv"
CELLS = [(d, cell) for d, entry in cases("regression").items() for cell in entry["cells"]]
TOLERANCES = {"REML": ITERATED, "PM": ITERATED, "EB": ITERATED, "ML": FLAT}
INTERVALS = {"z": "Wald", "knha": "HKSJ"}
DOSE = {"dose": [1, 2, 3, 4, 5, 7], "arm": list("aabbba"), "age": [50, None, 61, 55, 40, 66]}
SAMPLE = ([0.1, 0.3, 0.2, 0.7, 0.4, 0.9], [0.1, 0.2, 0.1, 0.15, 0.3, 0.2])


def table(entry):
    return bm.EffectSizes.from_arrays(
        [f"study {i}" for i in range(len(entry["yi"]))],
        entry["yi"],
        np.sqrt(entry["vi"]),
        covariates=entry["covariates"],
    )


def sample(covariates=DOSE):
    y, se = SAMPLE
    return bm.EffectSizes.from_arrays(list("ABCDEF"), y, se, covariates=covariates)


# metafor inverts x'wx with years that are not centred, which costs it half of its digits: 5e-10.
def of_metafor(fit, terms):
    """The coefficients of treatment coding at zero, as places and differences of ours."""
    design = fit.design
    base = dict.fromkeys(design.centres, 0) | {n: one[0] for n, one in design.levels.items()}
    for term in terms:
        name, _, level = term.partition("=")
        yield fit.difference({**base, name: level or 1}, base) if term else fit.at(**base)


@pytest.mark.parametrize(("dataset", "cell"), CELLS)
def test_regressions_equal_metafor(dataset, cell):
    entry = cases("regression")[dataset]
    columns = document("regression")["columns"]
    data, found = table(entry), entry["cells"][cell]
    assert len(found["fits"]) == 16
    for name, (*row, top) in found["fits"].items():
        tau2, test = name.split("_")
        near = TOLERANCES.get(tau2, ITERATED if "year" in cell else CLOSED_FORM)
        theirs = dict(zip(columns, row, strict=True))
        estimator = None if tau2 == "EE" else tau2
        fit = meta_regression(data, found["formula"], tau2=estimator, interval=INTERVALS[test])
        ours = list(of_metafor(fit, found["terms"]))
        names = {"estimate": "estimate", "se": "se", "stat": "statistic", "p": "p"}
        for key, of_ours in {**names, "ci_lb": "lower", "ci_ub": "upper"}.items():
            assert_allclose(
                [getattr(one, of_ours) for one in ours],
                theirs[key],
                err_msg=f"{name} {key}",
                **near,
            )
        numbers = (fit.tau2 or 0, fit.i2 / 100, fit.h2)
        assert_allclose(numbers, (theirs["tau2"], theirs["I2"] / 100, theirs["H2"]), **near)
        assert_allclose((fit.q, fit.q_p), (theirs["Q"], theirs["Q_p"]), **CLOSED_FORM)
        test = fit.moderators
        assert_allclose((test.statistic, test.p), (theirs["QM"], theirs["QM_p"]), **near)
        assert fit.k == theirs["k"] == data.k - len(fit.left_out)
        if fit.r2 is not None:
            assert_allclose(fit.r2 / 100, theirs["R2"] / 100, **near)
        elif tau2 == "EE":  # metafor's is of the scatter about the line, adjusted
            about = bm.common_effect(fit.data).q / (fit.k - 1)
            scatter = 1 - (fit.q / fit.q_df) / about
            assert_allclose(max(0, scatter), theirs["R2"] / 100, **CLOSED_FORM)
        else:
            assert (fit.tau2_without, theirs["R2"]) == (0, 0)
        assert (fit.maximum is None) == (top is None)
        if top is not None:
            assert_allclose(fit.maximum.log_likelihood, top, **near)


def test_places_equal_metafor():
    entry = cases("regression")["bcg"]
    fit, theirs = meta_regression(table(entry), "ablat", interval="z"), entry["at"]
    for i, latitude in enumerate(theirs["newmods"]):
        found = fit.at(ablat=latitude)
        ours = (found.estimate, found.se, found.lower, found.upper, *found.prediction)
        assert_allclose(
            ours, [one[i] for name, one in theirs.items() if name != "newmods"], **ITERATED
        )


def bcg(**asked):
    trials = bm.BinaryStudies.from_frame(pd.read_csv(BCG))
    return meta_regression(trials, "latitude", measure="OR", **asked)


def test_van_houwelingen_2002_bcg_on_latitude_by_maximum_likelihood():
    """Their section 5 in absolute latitude, with R² as metafor's own tests have it.

    Theirs is an iteration that stopped at a tau² of .00402, which is as good as likeliest.
    """
    fit = bcg(tau2="ML", interval="Wald")
    zero, slope = fit.at(latitude=0), fit.table().loc["latitude"]
    ours = (zero.estimate, zero.se, slope["estimate"], slope["se"], fit.tau2)
    assert_allclose(ours, (0.3710, 0.1061, -0.0327, 0.0034, 0.0040), rtol=0, atol=2e-4)
    assert fit.r2 == pytest.approx(98.67, abs=0.01)
    x = np.column_stack([np.ones(13), fit.data.covariates["latitude"]])
    table = fit.data.y, x, fit.data.se**2
    there, c, _ = dense(*table, 0.004025)
    assert there.round(4).tolist() == [0.3710, -0.0327]
    assert np.sqrt(np.diag(c)).round(4).tolist() == [0.1061, 0.0034]
    loss = restricted(*table, fit.tau2, reml=False) - restricted(*table, 0.004025, reml=False)
    assert 0 < loss < 2e-6


def dense(y, x, v, t):
    """Everything by inverses of whole matrices."""
    w = np.diag(1 / (v + t))
    c = np.linalg.inv(x.T @ w @ x)
    p = w - w @ x @ c @ x.T @ w
    return c @ x.T @ w @ y, c, p


def restricted(y, x, v, t, *, reml):
    _, c, p = dense(y, x, v, t)
    value = -0.5 * (np.log(v + t).sum() + y @ p @ y)
    return value + 0.5 * np.linalg.slogdet(c)[1] if reml else value


def by_hand(name, y, x, v):
    k, p = x.shape
    free = dense(y, x, v, 0.0)[2]
    plain = np.eye(k) - x @ np.linalg.inv(x.T @ x) @ x.T
    if name == "DL":
        return (y @ free @ y - (k - p)) / np.trace(free)
    if name == "HE":
        return (y @ plain @ y - np.trace(plain @ np.diag(v))) / (k - p)
    if name == "HS":
        return (y @ free @ y - k) / (1 / v).sum()
    first = np.mean((y - y.mean()) ** 2)
    return first * (y @ dense(y, x, v, first)[2] @ y) / (k - p)


def random_table(seed, spread):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(5, 15))
    v = rng.uniform(0.01, 0.3, k)
    x = np.column_stack([np.ones(k), rng.normal(size=k), rng.normal(size=k)])
    return x @ [0.2, 0.3, -0.1] + rng.normal(size=k) * np.sqrt(v + spread), x, v


@pytest.mark.parametrize("seed", range(6))
def test_estimators_of_tau2_by_whole_matrices(seed):
    y, x, v = random_table(seed, 0.2)
    for name in ("DL", "HE", "HS", "SJ"):
        expected = max(0.0, by_hand(name, y, x, v))
        assert_allclose(ESTIMATORS[name](y, x, v), expected, rtol=1e-11, atol=1e-14)
    found = ESTIMATORS["PM"](y, x, v)
    excess = y @ dense(y, x, v, found)[2] @ y - (len(y) - 3)
    assert abs(excess) < 1e-9 if found > 0 else excess <= 0
    assert ESTIMATORS["EB"](y, x, v) == found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["REML", "ML"])
def test_no_tau2_of_a_fine_grid_is_likelier(seed, name):
    y, x, v = random_table(seed, 0.05 * seed)
    found = ESTIMATORS[name](y, x, v)
    grid = np.append(0, np.geomspace(1e-5, 20, 2000))
    best = max(restricted(y, x, v, t, reml=name == "REML") for t in grid)
    assert restricted(y, x, v, found, reml=name == "REML") >= best - 1e-12


@pytest.mark.parametrize("tau2", ["REML", "DL", "PM", "ML", "HS", "HE", "SJ", "EB"])
@pytest.mark.parametrize("interval", ["HKSJ", "HKSJ truncated", "Wald"])
def test_without_covariates_it_is_random_effects(tau2, interval):
    data = sample()
    fit = meta_regression(data, "1", tau2=tau2, interval=interval)
    prediction = {"Wald": "S", "HKSJ": "HK"}.get(interval, "HK truncated")
    whole = bm.random_effects(data, tau2=tau2, interval=interval, prediction=prediction)
    place = fit.at()
    assert_allclose(
        (place.estimate, place.se, place.lower, place.upper, *place.prediction, place.p),
        (whole.estimate, whole.se, whole.lower, whole.upper, *whole.prediction, whole.p),
        rtol=1e-9,
    )
    assert_allclose(
        (fit.tau2, fit.tau, fit.i2, fit.h2, fit.q, fit.q_p, *fit.tau2_interval),
        (whole.tau2, whole.tau, whole.i2, whole.h2, whole.q, whole.q_p, *bm.tau2_interval(data)),
        rtol=1e-8,
        atol=1e-12,
    )
    assert fit.moderators is None
    if whole.maximum:
        assert_allclose(fit.maximum.aicc, whole.maximum.aicc, rtol=1e-10)


@pytest.mark.parametrize("prob", [0.8, 0.95])
def test_ends_of_the_interval_of_tau2_put_q_at_its_quantiles(prob):
    fit = bcg(prob=prob)
    y, v, x = fit.data.y, fit.data.se**2, fit.design.matrix
    for end, tail in zip(fit.tau2_interval, ((1 + prob) / 2, (1 - prob) / 2), strict=True):
        q = y @ dense(y, x, v, end)[2] @ y
        assert_allclose(q, stats.chi2(11).ppf(tail), rtol=1e-9)


def test_means_per_level_under_common_effects_are_the_groups_own_means():
    data = sample()
    fit = meta_regression(data, "arm", tau2=None, interval="Wald")
    for level, rows in (("a", [0, 1, 5]), ("b", [2, 3, 4])):
        own = bm.common_effect(data.keep(np.isin(np.arange(6), rows)))
        found = fit.levels("arm").loc[level]
        assert_allclose(found[["estimate", "se", "p"]], (own.estimate, own.se, own.p), rtol=1e-12)
    assert fit.at(arm="a").prediction is None
    assert (fit.tau2, fit.tau, fit.r2, fit.tau2_interval) == (None,) * 4


@given(
    st.permutations(range(6)), st.floats(-100, 100), st.floats(0.1, 50), st.sampled_from([1, -1])
)
@settings(deadline=None, max_examples=20)
def test_units_and_order_change_nothing(order, shift, unit, sign):
    covariates = {
        "dose": [shift + sign * unit * DOSE["dose"][i] for i in order],
        "arm": [DOSE["arm"][i] for i in order],
    }
    y, se = ([one[i] for i in order] for one in SAMPLE)
    data = bm.EffectSizes.from_arrays([str(i) for i in order], y, se, covariates=covariates)
    fit, plain = meta_regression(data, "dose + arm"), meta_regression(sample(), "dose + arm")
    there, here = fit.at(dose=shift + sign * unit * 4, arm="b"), plain.at(dose=4, arm="b")
    assert_allclose((there.estimate, there.se), (here.estimate, here.se), rtol=1e-7)
    assert_allclose(fit.coefficients[1] * sign * unit, plain.coefficients[1], rtol=1e-7)
    assert_allclose(fit.tau2, plain.tau2, rtol=1e-7, atol=1e-12)
    # their likelihoods differ by the log unit of x, which the term of x'x takes out
    assert_allclose(fit.maximum.log_likelihood, plain.maximum.log_likelihood, rtol=1e-8)


def test_scaled_numbers_have_slopes_per_sd():
    plain, scaled = meta_regression(sample(), "dose"), meta_regression(sample(), "dose", scale=True)
    assert_allclose(scaled.coefficients[1], plain.coefficients[1] * np.std(DOSE["dose"], ddof=1))
    assert_allclose(scaled.at(dose=2).estimate, plain.at(dose=2).estimate, rtol=1e-10)


def test_fitted_values_are_the_places_of_the_studies():
    fit = meta_regression(sample(), "dose + arm")
    frame = fit.fitted()
    for name, dose, arm in zip("ABCDEF", DOSE["dose"], DOSE["arm"], strict=True):
        place, row = fit.at(dose=dose, arm=arm), frame.loc[name]
        ours = row[["fitted", "fitted_se", "lower", "upper"]]
        assert_allclose(ours, (place.estimate, place.se, place.lower, place.upper), rtol=1e-9)
    assert_allclose(frame["residual"], frame["estimate"] - frame["fitted"], atol=1e-15)
    v = fit.data.se**2 + fit.tau2
    x = fit.design.matrix
    _, c, _ = dense(fit.data.y, x, v, 0.0)
    assert_allclose(frame["z"], frame["residual"] / np.sqrt(v - np.diag(x @ c @ x.T)), rtol=1e-9)


def test_a_study_alone_at_its_level_has_no_standardised_residual():
    data = sample({"arm": list("aabbbc")})
    frame = meta_regression(data, "arm").fitted()
    assert_allclose(frame.loc["F", "residual"], 0, atol=1e-14)
    assert np.isnan(frame.loc["F", "z"])


def test_differences_are_those_of_places_and_have_no_interval_of_a_new_study():
    fit = meta_regression(sample(), "dose*arm")
    one, other = fit.at(dose=5, arm="a"), fit.at(dose=2, arm="b")
    gap = fit.difference({"dose": 5, "arm": "a"}, {"dose": 2, "arm": "b"})
    assert_allclose(gap.estimate, one.estimate - other.estimate, rtol=1e-12)
    assert gap.prediction is None
    assert_allclose(fit.difference({"dose": 3}, {"dose": 3}).estimate, 0)
    assert fit.difference({"dose": 3}, {"dose": 3}).p == 1


def test_studies_without_a_covariate_are_named_and_left_out_of_both_models():
    fit = meta_regression(sample(), "age")
    assert dict(fit.left_out) == {"B": ("age",)}
    assert fit.k == 5
    assert repr(fit).count("B left out (age not known)") == 1
    rest = sample().keep(list("ACDEF"))
    assert fit.tau2_without == pytest.approx(bm.random_effects(rest).tau2, rel=1e-8)
    assert [one.study for one in fit.account.left_out] == ["B"]


def test_what_is_printed_says_what_was_fitted():
    fit = bcg(tau2="paule-mandel", interval="knha")
    said = repr(fit)
    assert "mixed effects, PM, HKSJ: OR on latitude, k = 13" in said
    assert "centred at latitude 33.46" in said
    assert "Moderators: F" in said
    assert "interval='knha' is called 'HKSJ' here." in said
    assert "Not read: year, allocation, source." in said
    assert bcg(interval="Wald").moderators.__str__().startswith("chi²")
    assert "in a new study" in repr(fit.at(latitude=33))
    columns = ["estimate", "se", "lower", "upper", "statistic", "df", "p"]
    assert list(fit.table().columns) == columns
    assert list(fit.table().index) == ["intercept", "latitude"]


def test_cautions_stand_where_they_belong():
    few = "There are 6 studies for 1 covariate, fewer than the ten"
    assert any(one.startswith(few) for one in meta_regression(sample(), "dose").cautions)
    assert not any("ten for each" in one for one in bcg().cautions)
    exact = bm.EffectSizes.from_arrays(
        list("ABCD"), [1, 2, 3, 4], [1] * 4, covariates={"x": [1, 2, 3, 4]}
    )
    fit = meta_regression(exact, "x")
    assert any("lie on the line exactly" in one for one in fit.cautions)
    close = bm.EffectSizes.from_arrays(
        list("ABCD"), [1, 2, 3, 4.1], [1] * 4, covariates={"x": [1, 2, 3, 4]}
    )
    assert any("Prefer the truncated" in one for one in meta_regression(close, "x").cautions)
    common = meta_regression(close, "x", tau2=None).cautions
    assert any(one.startswith("Under a common effect HKSJ") for one in common)


def test_what_cannot_be_fitted_is_refused_in_a_sentence():
    with pytest.raises(bm.DataError, match="with 3 coefficients needs at least 4 studies"):
        meta_regression(sample().keep(list("ABC")), "poly(dose, 2)")
    with pytest.raises(bm.ModelError, match="'latitude', which is no covariate"):
        meta_regression(sample(), "latitude")
    with pytest.raises(bm.ModelError, match="interval is one of HKSJ, HKSJ truncated, Wald"):
        meta_regression(sample(), "dose", interval="KR")
    with pytest.raises(bm.ModelError, match="needs 'dose' too"):
        meta_regression(sample(), "dose").at()
    with pytest.raises(bm.ModelError, match="'dose' is no factor"):
        meta_regression(sample(), "dose").levels("dose")
    with pytest.raises(bm.DataError, match="scale is True or False"):
        meta_regression(sample(), "dose", scale=2)


def test_a_line_through_zero_is_tested_whole_and_has_no_share_explained():
    fit = meta_regression(sample(), "0 + dose", interval="Wald")
    assert_allclose(fit.moderators.statistic, fit.table()["statistic"].iloc[0] ** 2, rtol=1e-12)
    assert fit.r2 is None
    with pytest.raises(bm.ModelError, match="needs a constant"):
        permutation_test(fit, seed=1)


def slope_z(y, v, x):
    design = np.column_stack([np.ones(len(y)), x])
    between = max(0.0, by_hand("DL", y, design, v))
    b, c, _ = dense(y, design, v, between)
    return abs(b[1]) / np.sqrt(c[1, 1])


def test_the_exact_permutation_test_by_all_orders():
    data = sample()
    fit = meta_regression(data, "dose", tau2="DL", interval="Wald")
    found = permutation_test(fit, seed=1)
    x = np.array(DOSE["dose"], float)
    every = [slope_z(data.y, data.se**2, x[list(one)]) for one in permutations(range(6))]
    expected = np.mean(np.array(every) >= slope_z(data.y, data.se**2, x) - 1e-9)
    assert (found.exact, found.arrangements) == (True, 720)
    assert_allclose((found.p, found.coefficients["dose"]), expected, rtol=1e-12)
    assert list(found.table().index) == ["moderators", "dose"]


def test_studies_that_are_alike_are_not_dealt_out_twice():
    data = sample()
    fit = meta_regression(data, "arm", tau2="DL", interval="Wald")
    found = permutation_test(fit, seed=1)
    group = np.array([one == "b" for one in DOSE["arm"]], float)
    every = [slope_z(data.y, data.se**2, group[list(one)]) for one in permutations(range(6))]
    expected = np.mean(np.array(every) >= slope_z(data.y, data.se**2, group) - 1e-9)
    assert (found.exact, found.arrangements, found.coefficients) == (True, 20, {})
    assert found.p == pytest.approx(expected, rel=1e-12)


def test_drawn_permutations_agree_with_all_of_them_and_come_again_with_their_seed():
    fit = meta_regression(sample(), "dose", tau2="DL", interval="HKSJ")
    exact = permutation_test(fit, seed=1).p
    drawn = permutation_test(fit, seed=3, arrangements=600)
    assert drawn == permutation_test(fit, seed=3, arrangements=600)
    assert (drawn.exact, drawn.arrangements) == (False, 600)
    assert abs(drawn.p - exact) < 4 * np.sqrt(exact * (1 - exact) / 600) + 1 / 600


def test_a_drawn_p_counts_the_arrangement_that_was_observed():
    """Of 12 studies in line no drawn order does as well: p is 1 of all that were looked at."""
    dose = list(range(12))
    data = bm.EffectSizes.from_arrays(
        list("ABCDEFGHIJKL"), [x + 0.01 * (x % 3) for x in dose], [0.3] * 12,
        covariates={"dose": dose},
    )  # fmt: skip
    fit = meta_regression(data, "dose", tau2="DL", interval="Wald")
    assert permutation_test(fit, seed=1, arrangements=40).p == 1 / 40


def test_a_permutation_test_needs_something_to_deal_out():
    with pytest.raises(bm.ModelError, match="needs a constant and at least one covariate"):
        permutation_test(meta_regression(sample(), "1"), seed=1)
    with pytest.raises(bm.ModelError, match="arrangements must be a whole number, 20 or more"):
        permutation_test(meta_regression(sample(), "dose"), seed=1, arrangements=5)
