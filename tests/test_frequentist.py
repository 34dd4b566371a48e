"""Frequentist pooling against printed figures and at its edges."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import MAIN_TRIALS, SEVEN_TRIALS, binary, cases, counts, estimates, given
from scipy import optimize, stats
from tolerances import CLOSED_FORM, INVARIANCE, PRINTED_2, PRINTED_3, REML_GRID

import bayesmeta as bm
from bayesmeta.frequentist import critical


def effects_of(dataset: str, measure: str) -> bm.EffectSizes:
    entry = cases("random_effects")[dataset][measure]
    y, v = given(entry["yi"]), given(entry["vi"])
    known = np.isfinite(y) & np.isfinite(v)
    return estimates(y[known], np.sqrt(v[known]))


def test_seven_mortality_trials_give_the_printed_risk_ratio_with_half_where_needed():
    """RR 0.576 [0.382, 0.870], heterogeneity p 0.53: Mantel-Haenszel with ½ in zero cells."""
    studies = binary({name: MAIN_TRIALS[name] for name in SEVEN_TRIALS})
    fit = bm.common_effect(studies, weights="MH", measure="RR", zero_cells="if_needed")
    assert_allclose(
        np.exp([fit.estimate, fit.lower, fit.upper]), (0.576, 0.382, 0.870), **PRINTED_3
    )
    assert_allclose(fit.q_p, 0.53, **PRINTED_2)
    assert fit.excluded == ("Shi",)


def test_seven_mortality_trials_without_the_half_do_not_give_the_printed_risk_ratio():
    studies = binary({name: MAIN_TRIALS[name] for name in SEVEN_TRIALS})
    plain = bm.common_effect(studies, weights="MH", measure="RR")
    assert abs(np.exp(plain.estimate) - 0.576) > 0.005


def test_ten_sourced_mortality_trials_give_the_plain_mantel_haenszel_risk_ratio():
    fit = bm.common_effect(binary(MAIN_TRIALS), weights="MH", measure="RR")
    assert_allclose(np.exp([fit.estimate, fit.lower, fit.upper]), (0.77, 0.60, 0.99), **PRINTED_2)
    assert fit.k == 9


def test_mantel_haenszel_of_one_table_is_the_tables_own_ratio():
    studies = binary({"A": (3, 12, 8, 20)})
    assert bm.common_effect(studies, weights="MH", measure="RR").estimate == pytest.approx(
        np.log((3 / 12) / (8 / 20))
    )
    assert bm.common_effect(studies, weights="MH", measure="OR").estimate == pytest.approx(
        np.log((3 / 9) / (8 / 12))
    )


@pytest.mark.parametrize("dataset", ["bcg", "nielweise2007", "hine1989", "peto1980"])
def test_reml_maximises_the_restricted_likelihood(dataset):
    data = effects_of(dataset, "OR")

    def deviance(tau2: float) -> float:
        weight = 1 / (data.se**2 + tau2)
        centre = np.average(data.y, weights=weight)
        design = np.ones((data.k, 1))
        covariance = np.diag(1 / weight)
        _, volume = np.linalg.slogdet(covariance)
        _, information = np.linalg.slogdet(design.T @ np.diag(weight) @ design)
        return volume + information + float(weight @ (data.y - centre) ** 2)

    grid = np.r_[0, np.geomspace(1e-6, 10, 4000)]
    best = int(np.argmin([deviance(t) for t in grid]))
    around = grid[max(best - 1, 0)], grid[best + 1]
    found = optimize.minimize_scalar(
        deviance, bounds=around, method="bounded", options={"xatol": 1e-12}
    )
    assert_allclose(bm.random_effects(data).tau2, found.x, **REML_GRID)


@pytest.mark.parametrize(
    ("y", "se", "peak"),
    [
        ([0.0, 0.3, 0.0, 5.0], [0.01, 0.01, 0.01, 1.5], 0.0329),  # the lower tau² is better
        ([-2.41, -0.26, -0.03, 34.9], [0.14, 0.2, 0.29, 8.5], 223.1),  # the higher one is
    ],
)
def test_reml_takes_the_higher_of_two_peaks(y, se, peak):
    data = estimates(y, se)
    tau2 = bm.random_effects(data).tau2
    assert tau2 == pytest.approx(peak, rel=0.01)
    grid = np.r_[0, np.geomspace(1e-6, 1000, 20001)][:, None]
    weight = 1 / (data.se**2 + grid)
    centre = (weight @ data.y / weight.sum(axis=1))[:, None]
    deviance = (
        -np.log(weight).sum(axis=1)
        + np.log(weight.sum(axis=1))
        + (weight * (data.y - centre) ** 2).sum(axis=1)
    )
    assert tau2 == pytest.approx(grid[deviance.argmin(), 0], rel=2e-3)


@pytest.mark.parametrize("unit", [1e-6, 1e-3, 1e3, 1e6])
def test_reml_has_its_digits_in_any_unit(unit):
    data = effects_of("bcg", "OR")
    there = estimates(data.y * unit, data.se * unit)
    found = bm.random_effects(there).tau2 / unit**2
    assert_allclose(found, bm.random_effects(data).tau2, **INVARIANCE)


def test_wald_interval_at_another_level_uses_the_normal_and_hksj_uses_t():
    fit = bm.random_effects(effects_of("crins2014", "OR"))
    for name, law in (("Wald", stats.norm()), ("HKSJ", stats.t(5)), ("HKSJ truncated", stats.t(5))):
        for prob in (0.5, 0.9, 0.99):
            half = law.ppf((1 + prob) / 2) * fit.spreads[name].se
            expected = (fit.estimate - half, fit.estimate + half)
            assert_allclose(fit.interval(prob, name=name), expected, **CLOSED_FORM)


def test_level_of_the_fit_reaches_its_limits_and_its_prediction():
    data = effects_of("bcg", "OR")
    narrow, wide = bm.random_effects(data, prob=0.8), bm.random_effects(data, prob=0.99)
    assert narrow.interval() == (narrow.lower, narrow.upper)
    assert wide.lower < narrow.lower < narrow.upper < wide.upper
    half = stats.t(12).ppf(0.9) * np.sqrt(narrow.tau2 + narrow.spreads["HKSJ"].se ** 2)
    assert_allclose(
        narrow.prediction, (narrow.estimate - half, narrow.estimate + half), **CLOSED_FORM
    )


@pytest.mark.parametrize(("prob", "df"), [(0.95, np.inf), (0.9, 3.0), (0.5, 1.0)])
def test_critical_values_equal_scipy(prob, df):
    law = stats.norm() if np.isinf(df) else stats.t(df)
    assert critical(prob, df) == pytest.approx(law.ppf((1 + prob) / 2), rel=1e-12)


def test_truncated_hksj_is_never_narrower_than_wald_and_plain_hksj_can_be():
    fits = [bm.random_effects(effects_of(d, "OR")) for d in ("hine1989", "bcg", "nielweise2007")]
    spreads = [fit.spreads for fit in fits]
    assert all(s["HKSJ truncated"].se >= s["Wald"].se for s in spreads)
    assert any(s["HKSJ"].se < s["Wald"].se for s in spreads)


def test_two_studies_have_no_prediction_interval_and_three_have_one():
    assert bm.random_effects(estimates([0.1, 0.5], [0.2, 0.3])).prediction is None
    assert bm.random_effects(estimates([0.1, 0.5, 0.2], [0.2, 0.3, 0.2])).prediction is not None


def test_studies_that_agree_exactly_give_a_p_and_no_traceback():
    fit = bm.random_effects(estimates([0.3, 0.3], [0.2, 0.4]))
    assert (fit.tau2, fit.q, fit.spreads["HKSJ"].se, fit.p) == (0.0, 0.0, 0.0, 0.0)
    nothing = bm.random_effects(estimates([0.0, 0.0], [0.2, 0.4]))
    assert nothing.p == 1.0
    assert "no width" in nothing.cautions[0]


def test_one_study_pools_to_itself_and_has_no_heterogeneity_p():
    fit = bm.common_effect(estimates([0.3], [0.2]))
    assert (fit.estimate, fit.se) == pytest.approx((0.3, 0.2))
    assert fit.q_p is None
    assert fit.i2 == 0.0


def test_counts_are_pooled_through_the_effect_sizes_of_the_same_rule():
    studies = counts("nielweise2007")
    direct = bm.random_effects(studies, measure="OR", zero_cells="all", tau2="DL")
    staged = bm.random_effects(bm.effect_sizes(studies, measure="OR", zero_cells="all"), tau2="DL")
    assert direct.estimate == staged.estimate
    assert len(direct.excluded) == studies.double_zero.sum() == 1


def test_method_says_what_was_done():
    studies = counts("crins2014")
    assert "½" not in bm.common_effect(studies, weights="MH", measure="RR").method
    halved = bm.common_effect(studies, weights="MH", measure="RR", zero_cells="if_needed")
    assert "½ added where needed" in halved.method
    assert "DL" in bm.random_effects(studies, measure="RR", tau2="DL").method


FOUR = estimates([-0.9, 0.1, -0.3, -0.5], [0.3, 0.2, 0.3, 0.4])


def test_predictions_of_single_studies_solve_hendersons_equations():
    """Of mu and the studies' deviations together; its inverse holds their errors (1975)."""
    fit = bm.random_effects(FOUR, interval="Wald")
    assert fit.tau2 > 0.01
    design = np.hstack([np.ones((4, 1)), np.eye(4)])
    precise = design.T @ np.diag(FOUR.se**-2) @ design
    inverse = np.linalg.inv(precise + np.diag([0, 1, 1, 1, 1]) / fit.tau2)
    expected = design @ inverse @ design.T @ (FOUR.y / FOUR.se**2)
    errors = np.sqrt(np.diag(design @ inverse @ design.T))
    table = fit.studies(0.9)
    assert_allclose(table["blup"], expected, **CLOSED_FORM)
    assert_allclose(table["blup_se"], errors, **CLOSED_FORM)
    half = stats.norm.ppf(0.95)
    assert_allclose(table["blup_upper"], expected + half * errors, **CLOSED_FORM)
    assert_allclose(table["lower"], FOUR.y - half * FOUR.se, **CLOSED_FORM)


def test_predictions_take_the_chosen_intervals_error_of_mu_and_its_t():
    fit = bm.random_effects(FOUR)
    own = fit.tau2 / (fit.tau2 + FOUR.se**2)
    errors = np.sqrt(own * FOUR.se**2 + (1 - own) ** 2 * fit.spreads["HKSJ"].se ** 2)
    table = fit.studies()
    assert_allclose(table["blup_se"], errors, **CLOSED_FORM)
    half = stats.t(3).ppf(0.975) * errors
    assert_allclose(table["blup_upper"] - table["blup"], half, **CLOSED_FORM)
    own_half = (table["upper"] - table["estimate"]) / table["se"]
    assert_allclose(own_half, stats.norm.ppf(0.975), **CLOSED_FORM)


@pytest.mark.parametrize("weights", ["IV", "MH", "Peto"])
def test_under_a_common_effect_every_prediction_is_the_pooled_estimate(weights):
    studies = counts("crins2014")
    fit = bm.common_effect(studies, weights=weights, measure="OR")
    table = fit.studies()
    assert table.index.tolist() == list(studies.study)
    assert_allclose(table["blup"], fit.estimate, **CLOSED_FORM)
    assert_allclose(table["blup_lower"], fit.lower, **CLOSED_FORM)
    if weights != "Peto":
        assert_allclose(table["estimate"], bm.effect_sizes(studies, measure="OR").y)


@pytest.mark.parametrize("weights", ["MH", "Peto"])
def test_a_convention_of_counts_shows_the_same_studies(weights):
    studies = counts("crins2014")
    convention = bm.preset("metafor", measure="OR", effects="common", weights=weights)
    fit = bm.common_effect(studies, weights=weights, measure="OR")
    assert bm.pool(studies, convention).studies().equals(fit.studies())


def test_a_likelihood_at_another_place_than_its_top_has_no_criteria():
    moments = [bm.random_effects(FOUR, tau2=tau2) for tau2 in ("DL", "PM", "SJ")]
    by_counts = [bm.common_effect(counts("bcg"), weights=w, measure="OR") for w in ("MH", "Peto")]
    for fit in (*moments, *by_counts):
        assert (fit.log_likelihood, fit.aic, fit.aicc, fit.bic) == (None,) * 4


def test_the_likelihood_of_a_fit_is_the_normal_one_of_its_estimates():
    fit = bm.random_effects(FOUR, tau2="ML")
    law = stats.norm(fit.estimate, np.sqrt(FOUR.se**2 + fit.tau2))
    assert fit.log_likelihood == pytest.approx(law.logpdf(FOUR.y).sum(), rel=1e-12)
    convention = bm.preset("metafor", measure="GEN", tau2="ML")
    assert bm.pool(FOUR, convention).log_likelihood == fit.log_likelihood


def test_z_has_infinite_degrees_of_freedom_and_t_has_those_of_its_interval():
    fit = bm.random_effects(FOUR)
    assert (fit.df, fit.statistic) == (3, fit.estimate / fit.se)
    assert bm.random_effects(FOUR, interval="Wald").df == np.inf
    assert (2 * stats.t(3).sf(abs(fit.statistic))) == pytest.approx(fit.p, rel=1e-12)
    assert fit.tau == pytest.approx(fit.tau2**0.5)
    assert bm.common_effect(FOUR).tau is None


def test_statistics_of_exact_agreement_and_of_one_study_are_numbers_or_none():
    agreed = bm.random_effects(estimates([-0.3, -0.3], [0.2, 0.4]))
    assert (agreed.statistic, agreed.h2) == (-np.inf, 1.0)
    assert bm.random_effects(estimates([0.0, 0.0], [0.2, 0.4])).statistic == 0.0
    assert bm.common_effect(estimates([0.3], [0.2])).h2 is None


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"interval": "knha"}, {"interval": "HKSJ"}),
        ({"interval": "Hartung-Knapp"}, {"interval": "HKSJ"}),
        ({"interval": "adhoc"}, {"interval": "HKSJ truncated"}),
        ({"interval": "z"}, {"interval": "Wald"}),
        ({"interval": "Kenward-Roger"}, {"interval": "KR"}),
        ({"tau2": "DerSimonian-Laird"}, {"tau2": "DL"}),
        ({"tau2": "Paule–Mandel"}, {"tau2": "PM"}),
        ({"tau2": "empirical Bayes"}, {"tau2": "EB"}),
    ],
)
def test_words_of_other_programs_are_taken_with_a_note(theirs, ours):
    fit, own = bm.random_effects(FOUR, **theirs), bm.random_effects(FOUR, **ours)
    ((setting, asked),) = theirs.items()
    assert fit.notes == (f"{setting}={asked!r} is called {ours[setting]!r} here.",)
    assert (fit.estimate, fit.interval(), fit.method) == (own.estimate, own.interval(), own.method)
    assert own.notes == ()


def test_a_word_in_another_case_is_that_word_and_needs_no_note():
    fit = bm.random_effects(FOUR, tau2="reml", interval="hksj")
    assert (fit.notes, fit.method, fit.chosen) == ((), "random effects, REML", "HKSJ")


def test_other_words_for_weights_are_taken_and_conventions_and_many_tables_know_them():
    fit = bm.common_effect(counts("bcg"), weights="Mantel-Haenszel", measure="OR")
    assert fit.estimate == bm.common_effect(counts("bcg"), weights="MH", measure="OR").estimate
    assert fit.notes == ("weights='Mantel-Haenszel' is called 'MH' here.",)
    convention = bm.preset("metafor", measure="GEN", tau2="DerSimonian-Laird", interval="knha")
    assert (convention.tau2, convention.interval) == ("DL", "HKSJ")
    many = bm.random_effects_many(FOUR.y[None], FOUR.se[None], tau2="dl", interval="knha")
    assert many["se"][0] == bm.random_effects(FOUR, tau2="DL").se
    left = bm.leave_one_out(FOUR, interval="knha")
    assert left.equals(bm.leave_one_out(FOUR, interval="HKSJ"))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"interval": "t"}, "take 'HKSJ', a t with a standard error of its own, or 'Wald'"),
        ({"tau2": "EE"}, "asks for a common effect, which has no tau²: use common_effect"),
        ({"tau2": "FE"}, "tau2=None where that is a choice"),
        ({"tau2": "HKSJ"}, "tau2='HKSJ' is asked for by interval='HKSJ'"),
        ({"interval": "REML"}, "interval='REML' is asked for by tau2='REML'"),
        ({"tau2": "DLL"}, "tau2 is one of .*, not 'DLL'; did you mean 'DL'\\?"),
        ({"interval": "HKJS"}, "not 'HKJS'; did you mean 'HKSJ'\\?"),
        ({"interval": None}, "interval is one of .*, not None\\."),
        ({"prediction": "hts"}, "did you mean 'HTS'\\?"),
    ],
)
def test_words_for_something_else_or_for_nothing_are_refused_with_what_would_do(asked, said):
    with pytest.raises(bm.ModelError, match=said):
        bm.random_effects(FOUR, **asked)


ONE = estimates([0.3], [0.2])
TWO = estimates([0.3, 0.1], [0.2, 0.3], measure="OR")
EMPTY_SIDE = binary({"A": (0, 12, 3, 29), "B": (0, 29, 2, 29)})


def test_a_study_that_outweighs_the_others_by_all_digits_leaves_tau2_and_i2_numbers():
    data = estimates([0.3, 0.1, 0.5], [1e-9, 1.0, 2.0])
    for tau2 in ("DL", "REML"):
        assert bm.random_effects(data, tau2=tau2).i2 == 0.0


FULL = binary({"A": (4, 4, 5, 5), "B": (9, 9, 7, 7)})
ALL_OR_NONE = {"A": (4, 4, 5, 5), "B": (0, 9, 0, 7)}


@pytest.mark.parametrize("trials", [FULL, binary(ALL_OR_NONE)])
def test_where_every_patient_has_the_event_the_risk_ratio_is_one(trials):
    fit = bm.common_effect(trials, weights="MH", measure="RR")
    # 4/4 against 5/5, 9/9 against 7/7: (4·5/9 + 9·7/16) / (5·4/9 + 7·9/16) = 1, without variance
    assert (fit.estimate, fit.se, fit.lower, fit.upper, fit.p) == (0, 0, 0, 0, 1)
    assert "the Mantel–Haenszel RR is exactly 1" in fit.cautions[0]
    convention = bm.preset("metafor", measure="RR", effects="common", weights="MH")
    assert bm.pool(trials, convention).estimate == 0
    assert not bm.common_effect(binary(MAIN_TRIALS), weights="MH", measure="RR").cautions


def test_peto_is_an_odds_ratio_without_being_told():
    trials = binary(MAIN_TRIALS)
    assert bm.common_effect(trials, weights="Peto") == bm.common_effect(
        trials, weights="Peto", measure="OR"
    )


def test_a_hyphen_does_for_the_dash_of_two_authors():
    fits = [
        bm.common_effect(binary(MAIN_TRIALS), weights="MH", measure="RD", variance=name)
        for name in ("Greenland–Robins", "Greenland-Robins")
    ]
    assert fits[0] == fits[1]
    assert fits[1].method.endswith("variance of Greenland–Robins")
    made = bm.Convention(measure="RD", effects="common", weights="MH", variance="Greenland-Robins")
    assert made.variance == "Greenland–Robins"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: bm.random_effects(ONE), bm.DataError, "at least two studies.*Bayesian"),
        (lambda: bm.random_effects(TWO, tau2="MM"), bm.ModelError, "tau2 is one of REML, DL"),
        (lambda: bm.random_effects(TWO, interval="KK"), bm.ModelError, "interval is one of Wald"),
        (
            lambda: bm.random_effects(TWO, prediction="Hts"),
            bm.ModelError,
            "prediction is one of HTS",
        ),
        (lambda: bm.random_effects(TWO, prob=95), bm.DataError, "between 0 and 1"),
        (lambda: bm.random_effects(TWO, measure="RR"), bm.ModelError, "The estimates are OR"),
        (lambda: bm.random_effects(EMPTY_SIDE), bm.DataError, "measure must be given"),
        (
            lambda: bm.common_effect(TWO, weights="MH", measure="OR"),
            bm.ModelError,
            "needs the counts",
        ),
        (lambda: bm.common_effect(EMPTY_SIDE, weights="MH"), bm.DataError, "'OR', 'RR' or 'RD'"),
        (
            lambda: bm.common_effect(TWO, weights="FE"),
            bm.ModelError,
            "weights is one of IV, MH, Peto, not 'FE'",
        ),
        (
            lambda: bm.common_effect(EMPTY_SIDE, weights="MH", measure="RR"),
            bm.DataError,
            "zero or infinite.*zero_cells='if_needed'",
        ),
        (
            lambda: bm.common_effect(binary({"A": (0, 5, 0, 6)}), weights="MH", measure="RR"),
            bm.DataError,
            "There is no RR to pool: no study has an event",
        ),
        (
            lambda: bm.common_effect(FULL, weights="MH", measure="OR"),
            bm.DataError,
            r"no OR to pool: every patient of every study has the event; measure='RR' gives 1",
        ),
        (
            lambda: bm.common_effect(FULL, weights="Peto"),
            bm.DataError,
            r"no OR to pool: every patient of every study has the event; measure='RR' gives 1",
        ),
        (
            lambda: bm.common_effect(binary(ALL_OR_NONE), weights="MH", measure="OR"),
            bm.DataError,
            "no OR to pool: in every study either all patients have the event or none has",
        ),
        (
            lambda: bm.common_effect(binary(ALL_OR_NONE), weights="Peto"),
            bm.DataError,
            "no OR to pool: in every study either all patients have the event or none has",
        ),
        (
            lambda: bm.common_effect(binary(MAIN_TRIALS), weights="Peto", measure="RR"),
            bm.DataError,
            "measure must be 'OR' for Peto's method",
        ),
    ],
)
def test_what_cannot_be_pooled_is_refused_with_what_would_work(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_prediction_narrower_than_the_truncated_interval_is_said():
    """Three like estimates: tau² is 0 and the HKSJ standard error far below Wald's.

    HK: t₂ √(0 + s²) with s² = Σ w (y - ȳ)² / ((k - 1) Σ w); truncated: t₂ √(1/Σ w), no less.
    """
    data = estimates([0.10, 0.11, 0.12], [0.2, 0.2, 0.2])
    fit = bm.random_effects(data)
    t = stats.t(2).ppf(0.975)
    assert_allclose(fit.prediction, 0.11 + t * np.sqrt(0.0002 / 6) * np.array([-1, 1]))
    assert_allclose(
        fit.interval(name="HKSJ truncated"), 0.11 + t * 0.2 / 3**0.5 * np.array([-1, 1])
    )
    said = "The HK prediction interval is narrower than the truncated HKSJ confidence interval"
    assert sum(said in one for one in fit.cautions) == 1
    assert fit.predicts_narrowly
    for other in ("HK truncated", "HTS", "S"):
        again = bm.random_effects(data, prediction=other)
        assert not any("is narrower than" in one for one in again.cautions)
    apart = bm.random_effects(estimates([-0.9, 0.1, 1.0], [0.2, 0.2, 0.2]))
    assert not apart.predicts_narrowly
    assert not any("is narrower than" in one for one in apart.cautions)
