"""Absolute effects against simulation from draws, and against hand calculation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import MAIN_TRIALS, binary, estimates
from tolerances import STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.decision import pooled_control_risk

Y, SE = [-0.4, 0.1, -0.5, -0.2], [0.2, 0.3, 0.25, 0.4]
MODEL = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
FITS = {measure: bm.fit(MODEL, estimates(Y, SE, measure=measure)) for measure in ("OR", "RR")}
DRAWN = 20_000
DRAWS = {measure: fit.draws(DRAWN, seed=21)["posterior"] for measure, fit in FITS.items()}


def simulated_risk(theta: np.ndarray, measure: str, control_risk: float) -> np.ndarray:
    """Turn drawn effects into risks by way of the odds or the risks themselves."""
    if measure == "OR":
        odds = control_risk / (1 - control_risk) * np.exp(theta)
        return odds / (1 + odds)
    return np.minimum(control_risk * np.exp(theta), 1.0)


@pytest.mark.parametrize("control_risk", [0.02, 0.25, 0.8])
@pytest.mark.parametrize("measure", ["OR", "RR"])
def test_absolute_effects_agree_with_simulation(measure, control_risk):
    fit = FITS[measure]
    effects = bm.absolute_effects(fit, control_risk=control_risk, better="lower", prob=0.9)
    for row, name in zip(effects.rows, ("mu", "theta_new"), strict=True):
        risk = simulated_risk(DRAWS[measure][name].values.ravel(), measure, control_risk)
        for at, q in zip(row.treatment, (0.5, 0.05, 0.95), strict=True):
            if at == 1000:  # the quantile itself is held at certainty
                continue
            share = (1000 * risk <= at).mean()
            assert abs(share - q) <= STANDARD_ERRORS * np.sqrt(q * (1 - q) / DRAWN)
        assert_allclose(np.subtract(row.treatment, row.difference), 1000 * control_risk)
        for ours, found in (
            (row.prob_benefit, (risk < control_risk).mean()),
            (row.prob_capped, (risk >= 1).mean() if measure == "RR" else 0.0),
        ):
            error = np.sqrt(max(ours * (1 - ours), 1 / DRAWN) / DRAWN)
            assert abs(ours - found) <= STANDARD_ERRORS * error


def test_rows_are_the_average_effect_and_the_effect_in_a_new_setting():
    effects = bm.absolute_effects(FITS["RR"], control_risk=0.2, better="lower")
    assert [row.quantity for row in effects.rows] == ["average effect", "effect in a new setting"]
    average, new = effects.rows
    assert new.treatment[1] < average.treatment[1] < average.treatment[0]
    assert new.treatment[2] > average.treatment[2] > average.treatment[0]
    common = bm.fit(bm.CommonEffect(mu=bm.Normal(0, 2)), FITS["RR"].data)
    assert len(bm.absolute_effects(common, control_risk=0.2, better="lower").rows) == 1


def test_better_higher_is_the_other_side():
    lower, higher = (
        bm.absolute_effects(FITS["RR"], control_risk=0.2, better=side).rows[0].prob_benefit
        for side in ("lower", "higher")
    )
    assert lower > 0.9
    assert lower + higher == pytest.approx(1)


def test_fewer_patients_scale_the_figures_and_not_the_probabilities():
    thousand, hundred = (
        bm.absolute_effects(FITS["OR"], control_risk=0.2, better="lower", per=per).rows[0]
        for per in (1000, 100)
    )
    assert_allclose(thousand.treatment, np.multiply(hundred.treatment, 10))
    assert_allclose(thousand.difference, np.multiply(hundred.difference, 10))
    assert hundred.control == pytest.approx((20, 20, 20))
    assert thousand.prob_benefit == hundred.prob_benefit


def test_chance_of_a_capped_risk_is_the_chance_of_a_ratio_above_one_over_the_control_risk():
    row = bm.absolute_effects(FITS["RR"], control_risk=0.9, better="lower").rows[0]
    assert row.prob_capped == pytest.approx(1 - FITS["RR"]["mu"].cdf(np.log(1 / 0.9)))
    assert row.prob_capped > 1e-4
    assert (
        bm.absolute_effects(FITS["OR"], control_risk=0.9, better="lower").rows[0].prob_capped == 0
    )


def test_table_names_its_columns():
    table = bm.absolute_effects(FITS["RR"], control_risk=0.2, better="lower").table()
    assert list(table.index) == ["average effect", "effect in a new setting"]
    assert table.loc["average effect", "control"] == pytest.approx(200)
    assert (table["treatment_lower"] < table["treatment"]).all()
    assert (table["treatment"] < table["treatment_upper"]).all()
    assert_allclose(table["difference_upper"], table["treatment_upper"] - 200)


def test_pooled_control_risk_takes_the_control_arms_only():
    studies = binary(MAIN_TRIALS)
    events = sum(row[2] for row in MAIN_TRIALS.values())
    patients = sum(row[3] for row in MAIN_TRIALS.values())
    assert pooled_control_risk(studies) == events / patients
    assert np.isnan(pooled_control_risk(binary({"A": (1, 5, 0, 6)})))
    assert np.isnan(pooled_control_risk(binary({"A": (1, 5, 6, 6)})))


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"control_risk": 20}, bm.ModelError, "control_risk must lie between 0 and 1, got 20"),
        ({"control_risk": 0.0}, bm.ModelError, "control_risk must lie between 0 and 1"),
        ({"control_risk": 1.0}, bm.ModelError, "control_risk must lie between 0 and 1"),
        ({"control_risk": float("nan")}, bm.ModelError, "control_risk must lie between 0 and 1"),
        ({"better": "less"}, bm.ModelError, "'lower' or 'higher', not 'less'"),
        ({"prob": 1.0}, bm.DataError, "between 0 and 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(keywords, error, words):
    with pytest.raises(error, match=words):
        bm.absolute_effects(FITS["RR"], **{"control_risk": 0.2, "better": "lower", **keywords})


def test_measure_without_a_risk_is_refused():
    fit = bm.fit(MODEL, estimates(Y, SE, measure="MD"))
    with pytest.raises(bm.ModelError, match="MD acts on no risk"):
        bm.absolute_effects(fit, control_risk=0.2, better="lower")


def test_per_hundred_by_hand():
    fit = FITS["RR"]
    lower, upper = fit["mu"].interval(0.9)
    effects = bm.absolute_effects(fit, control_risk=0.2, better="lower", per=100, prob=0.9)
    assert (effects.control_risk, effects.per, effects.prob) == (0.2, 100, 0.9)
    row = effects.rows[0]
    ratios = np.exp([fit["mu"].quantile(0.5), lower, upper])  # 20 events of 100 times the ratio
    assert_allclose(row.treatment, 20 * ratios)
    assert_allclose(row.difference, 20 * ratios - 20)
