"""How much wider answers are when means and SDs are estimated: against theory."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import bayesmeta as bm
from bayesmeta.errors import ModelError

NAN = np.nan
FINE, QUARTILES, RANGE = 1e-3, (0.25, 0.5, 0.75), (0.0, 0.5, 1.0)
NAMES = {0.0: "min", 0.25: "q1", 0.5: "median", 0.75: "q3", 1.0: "max"}


def expected(n, probs, mean=50.0, sd=5.0):
    """Quantiles that a normal sample has on average, nearly."""
    at = (n - 1) * np.array(probs) + 1
    return mean + sd * stats.norm.ppf((at - 0.375) / (n + 0.25))


def arm(name, values, probs, half=FINE):
    columns = {f"{NAMES[p]}_{name}": [x] for p, x in zip(probs, values, strict=True)}
    return {**columns, f"rounding_{name}": np.full((1, 5), half)}


def moments(name, mean, sd):
    return {f"mean_{name}": [mean], f"sd_{name}": [sd]}


def trial(n, *arms, study="A"):
    columns = {name: cells for one in arms for name, cells in one.items()}
    return bm.ContinuousStudies(study=[study], n_treatment=[n], n_control=[n], **columns)


def of_quartiles(n, half=FINE, probs=QUARTILES):
    """Both arms alike: one table serves."""
    values = expected(n, probs)
    return trial(n, *(arm(name, values, probs, half) for name in ("treatment", "control")))


def penalty(data, measure="MD", **settings):
    model = bm.ContinuousCommonEffect(measure=measure, mu=bm.Normal(0, 1000), **settings)
    return bm.width_penalty(bm.fit(model, data))


def information(probs):
    """Share of a normal sample's information about its mean in some of its quantiles.

    Quantiles are jointly normal in large samples; by their spacings (David & Nagaraja 2003, 10.4).
    """
    density = np.array([0.0, *stats.norm.pdf(stats.norm.ppf(probs)), 0.0])
    return float((np.diff(density) ** 2 / np.diff([0.0, *probs, 1.0])).sum())


@pytest.mark.parametrize("measure", ["MD", "SMD", "ROM"])
def test_means_and_sds_of_large_arms_cost_nothing(measure):
    data = trial(1000, moments("treatment", 52.0, 5.0), moments("control", 50.0, 5.5))
    table = penalty(data, measure)
    assert table.index.to_list() == ["A", "pooled"]
    assert_allclose(table["ratio"], 1.0, atol=0.01)
    assert table.loc["A", ["treatment", "control"]].to_list() == ["mean, SD"] * 2
    assert (table["reason"] == "").all()


def test_means_and_sds_of_log_normal_arms_cost_nothing_if_large():
    data = trial(1000, moments("treatment", 6.0, 5.0), moments("control", 5.0, 4.0))
    table = penalty(data, "RGM", arms="lognormal")
    assert_allclose(table["ratio"], 1.0, atol=0.01)


def test_small_arms_have_the_width_of_students_t():
    """With a flat prior and one of two variances near nothing the effect is Student-t."""
    data = trial(6, moments("treatment", 52.0, 5.0), moments("control", 50.0, 1e-4))
    table = penalty(data)
    assert_allclose(table["ratio"], stats.t.ppf(0.975, 5) / stats.norm.ppf(0.975), rtol=2e-4)


@pytest.mark.deep("quartiles of large arms: 1 s")
def test_medians_and_quartiles_cost_what_their_information_says():
    table = penalty(of_quartiles(400))
    assert information(QUARTILES) == pytest.approx(0.8605, abs=1e-4)
    assert_allclose(table["ratio"], information(QUARTILES) ** -0.5, rtol=0.01)
    assert (table["ratio"] > information(QUARTILES) ** -0.5).all()
    assert table.loc["A", "control"] == "median, quartiles"


@pytest.mark.deep("a range is integrated over many orders: 1 s")
def test_a_median_and_a_range_cost_nearly_what_a_median_does():
    """The ends of large samples add little: pi/2 times the variance of a mean."""
    table = penalty(of_quartiles(400, probs=RANGE))
    median = information([0.5]) ** -0.5
    assert median == pytest.approx((np.pi / 2) ** 0.5)
    assert_allclose(table["ratio"], median, rtol=0.02)
    assert table.loc["A", "control"] == "median, range"


def test_rounding_costs_more():
    """A rounded quartile is known up to half a unit: here as much as chance leaves it."""
    fine, rough = (penalty(of_quartiles(400, half))["ratio"] for half in (FINE, 0.5))
    assert (rough > 1.1 * fine).all()


def test_what_cannot_be_converted_says_why():
    two = of_quartiles(20, probs=(0.25, 0.75))
    model = bm.ContinuousCommonEffect(measure="MD", mu=bm.Normal(0, 20))
    table = bm.width_penalty(bm.fit(model, two))
    assert table.loc["A", "treatment"] == "q1, q3"
    assert table["width"].gt(0).all()
    assert table["width_plug_in"].isna().all()
    assert table["ratio"].isna().all()
    assert "treatment arm of A has neither median and range" in table.loc["A", "reason"]
    assert table.loc["pooled", "reason"] == "1 of 1 studies have no plug-in estimate."


def test_random_effects_are_pooled_with_the_same_priors():
    data = bm.ContinuousStudies(
        study=["A", "B", "C"],
        n_treatment=[900] * 3,
        n_control=[1100] * 3,
        mean_treatment=[52.0, 53.0, 51.0],
        sd_treatment=[5.0, 6.0, 5.5],
        mean_control=[50.0] * 3,
        sd_control=[5.0] * 3,
    )
    priors = {"mu": bm.Normal(0, 20), "tau": bm.HalfNormal(2)}
    table = bm.width_penalty(bm.fit(bm.ContinuousNormal(measure="MD", **priors), data), prob=0.9)
    plain = bm.fit(bm.NormalNormal(**priors), bm.effect_sizes(data, measure="MD"))
    assert_allclose(table.loc["pooled", "width_plug_in"], np.ptp(plain["mu"].interval(0.9)))
    assert_allclose(table["ratio"], 1.0, atol=0.01)
    se = bm.effect_sizes(data, measure="MD").se
    assert_allclose(table["width_plug_in"].iloc[:3], 2 * stats.norm.ppf(0.95) * se)


def test_other_models_are_refused():
    sizes = bm.EffectSizes.from_arrays(["A", "B"], [0.1, 0.2], [0.1, 0.1])
    posterior = bm.fit(bm.CommonEffect(mu=bm.Normal(0, 1)), sizes)
    with pytest.raises(ModelError, match="width_penalty needs a fit of ContinuousNormal"):
        bm.width_penalty(posterior)


@pytest.mark.deep("quartiles without rounding: 1 s")
def test_figures_that_are_not_rounded_are_no_less_exact_than_printed_ones():
    """Computed quantiles have all digits: the interval each lies in loses its own."""
    values = expected(21, QUARTILES) + 1 / 3
    printed, computed = (
        bm.fit(
            bm.ContinuousCommonEffect(measure="MD", mu=bm.Normal(0, 100)),
            trial(21, arm("treatment", values, QUARTILES, half), moments("control", 48.0, 5.0)),
        )
        for half in (1e-3, 1e-15)
    )
    assert computed.diagnostics.passed
    assert_allclose(computed["mu"].interval(), printed["mu"].interval(), atol=1e-3)


@pytest.mark.deep("large arms have sharp likelihoods: 1 s")
def test_ratios_of_log_normal_means_from_large_arms_have_an_answer():
    """Far from the data the SD that a mean needs must be found, or nothing is said of the ratio."""
    q = np.exp(expected(120, QUARTILES, 1.3, 0.8))
    data = trial(120, *(arm(name, q, QUARTILES, 0.005) for name in ("treatment", "control")))
    model = bm.ContinuousCommonEffect(measure="ROM", arms="lognormal", mu=bm.Normal(0, 10))
    posterior = bm.fit(model, data)
    assert posterior.diagnostics.passed
    low, high = posterior["mu"].interval()
    assert_allclose(-low, high, rtol=1e-6)
    assert 0.5 < high - low < 0.9
