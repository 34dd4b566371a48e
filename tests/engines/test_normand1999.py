"""normand1999 (length of stay after stroke) from its arms to its posteriors, every measure."""

import numpy as np
import pytest
from laws import law
from numpy.testing import assert_allclose
from reference.brute import Brute
from references import cases
from tolerances import QUADRATURE, scaled

import bayesmeta as bm

CASE = cases("means")["normand1999"]
STUDIES = bm.ContinuousStudies(
    study=[f"{i}" for i in range(len(CASE["data"]["n_control"]))], **CASE["data"]
)
MU = {"MD": bm.Normal(0, 50), "SMD": bm.Normal(0, 2), "ROM": bm.Normal(0, 2)}
TAU = {"MD": bm.HalfNormal(20), "SMD": bm.HalfNormal(0.5), "ROM": bm.HalfNormal(0.5)}


@pytest.mark.parametrize("name", sorted(cases("quadrature")["normand1999"]["fits"]))
def test_smd_from_the_arms_equals_the_stored_quadrature(name):
    tau = {
        "halfnormal_0.5": bm.HalfNormal(0.5),
        "halfnormal_1.0": bm.HalfNormal(1),
        "halfcauchy_0.5": bm.HalfCauchy(0.5),
        "uniform_0_4": bm.Uniform(0, 4),
    }[name.removesuffix("__normal_0_4")]
    data = bm.effect_sizes(STUDIES, measure="SMD")
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 4), tau=tau), data)
    reference = cases("quadrature")["normand1999"]["fits"][name]
    for parameter in ("mu", "tau", "theta_new"):
        ours, theirs = fit[parameter], reference[parameter]
        assert_allclose((ours.mean(), ours.sd()), (theirs["mean"], theirs["sd"]), **QUADRATURE)


@pytest.mark.parametrize("measure", ["MD", "ROM"])
def test_estimates_of_metafor_by_brute_force(measure):
    """Quadrature of the posterior on metafor's y and v, against ours from the arms."""
    data = bm.effect_sizes(STUDIES, measure=measure)
    stored = CASE["measures"][measure]
    y, se = np.array(stored["yi"]), np.sqrt(stored["vi"])
    force = Brute(y, se, law(MU[measure]), law(TAU[measure]))
    fit = bm.fit(bm.NormalNormal(mu=MU[measure], tau=TAU[measure]), data)
    unit = 50.0 if measure == "MD" else 1.0
    for name, line in (("mu", force.mu), ("tau", force.tau)):
        ours = (fit[name].mean(), fit[name].sd())
        assert_allclose(ours, (line.mean(), line.sd()), **scaled(QUADRATURE, unit))


MODELS = {  # every figure has a prior in the second
    "flat": bm.ContinuousNormal(measure="SMD", mu=MU["SMD"], tau=TAU["SMD"]),
    "proper": bm.ContinuousNormal(
        measure="MD",
        mu=MU["MD"],
        tau=TAU["MD"],
        log_sd=bm.Normal(2, 1),
        baseline=bm.Normal(50, 50),
    ),
    "common": bm.ContinuousCommonEffect(
        measure="RGM", mu=MU["ROM"], arms="lognormal", log_sd=bm.Normal(-1, 1)
    ),
}


@pytest.mark.deep(
    "both engines on the arms: 10 s, and a minute where no program is stored", but=["proper"]
)
@pytest.mark.parametrize("name", MODELS)
def test_nuts_agrees_with_the_exact_engine_on_the_arms(name):
    exact = bm.fit(MODELS[name], STUDIES)
    sampled = bm.fit(MODELS[name], STUDIES, bm.NUTS(seed=3))
    assert exact.diagnostics.passed
    assert sampled.diagnostics.passed
    for parameter in ("mu", "tau") if name != "common" else ("mu",):
        row = sampled.convergence[parameter]
        gap = sampled[parameter].mean() - exact[parameter].mean()
        assert abs(gap) < 4 * row["mcse_mean"]
        spread = sampled[parameter].sd() - exact[parameter].sd()
        assert abs(spread) < 4 * row["mcse_sd"]
