"""Parameters drawn from the priors and data from them: their posterior probabilities are uniform.

Talts S, Betancourt M, Simpson D, Vehtari A, Gelman A (2018). arXiv:1804.06788.
"""

import numpy as np
import pytest
from references import numbered
from scipy import stats

import bayesmeta as bm
from bayesmeta.simulate import risks

TIMES, K = 200, 5
LEVEL = 0.01 / 8  # of each test: eight of them at 1% together
MU, TAU, BASELINE = bm.Normal(-0.2, 0.7), bm.HalfNormal(0.4), bm.Normal(-0.7, 0.6)
NARROW = {"mu": bm.Normal(0, 0.3), "tau": bm.HalfNormal(0.15), "baseline": BASELINE}
MODELS = {
    "OR": bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, baseline=BASELINE),
    "OR 0/1": bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, baseline=BASELINE, coding="zero_one"),
    "RD": bm.BinomialNormal(measure="RD", **NARROW),
    "IRR": bm.PoissonNormal(mu=MU, tau=TAU, baseline=BASELINE),
}


def simulated(model, rng):
    """Draw mu, tau, and a table of counts from a model."""
    mu = rng.normal(model.mu.mean, model.mu.sd)
    tau = abs(rng.normal(0, model.tau.scale))
    theta = rng.normal(mu, tau, K)
    beta = rng.normal(BASELINE.mean, BASELINE.sd, K)
    size = rng.integers(60, 200, (2, K))
    if isinstance(model, bm.PoissonNormal):
        events = rng.poisson(size * np.exp(beta + np.outer([0.5, -0.5], theta)))
        data, words = bm.PersonTimeStudies, "time"
    else:
        events = rng.binomial(size, np.array(risks(theta, beta, model.link)))
        data, words = bm.BinaryStudies, "n"
    columns = {
        f"{name}_{arm}": values[i]
        for i, arm in enumerate(("treatment", "control"))
        for name, values in (("events", events), (words, size))
    }
    return mu, tau, data(study=numbered(K), **columns)


@pytest.mark.parametrize("name", MODELS)
def test_posterior_probabilities_of_the_truth_are_uniform(name):
    model, rng = MODELS[name], np.random.default_rng(20240622)
    found = []
    for _ in range(TIMES):
        mu, tau, data = simulated(model, rng)
        posterior = bm.fit(model, data)
        assert posterior.diagnostics.passed
        found.append((posterior["mu"].cdf(mu), posterior["tau"].cdf(tau)))
    for values in np.transpose(found):
        assert stats.kstest(values, "uniform").pvalue > LEVEL
