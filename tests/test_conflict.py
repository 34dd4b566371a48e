"""Prior and data in conflict, by quadrature, against simulation, brute force and closed forms."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from references import COUNTS, INCIDENCE, RATES, counts, estimates
from scipy import stats
from tolerances import STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.checks import conflict
from bayesmeta.checks._conflict import _q_tail, _quantiles

Y = [-0.9, -0.1, -0.6, 0.4, -1.3, -0.5, 0.2]
SE = [0.2, 0.3, 0.15, 0.4, 0.35, 0.25, 0.3]
DATA = estimates(Y, SE, measure="OR")
SEVERAL = bm.MultivariateNormal(mu=bm.Normal(0, 1), tau=bm.HalfNormal(1), rho=bm.Uniform(-1, 1))
OUTLIERS = bm.OutlierMixture(
    mu=bm.Normal(0, 1), tau=bm.HalfNormal(1), share=bm.Beta(1, 9), spread=bm.HalfNormal(2)
)


def found(model, data=DATA):
    """The conflict of a model with data; a fit would add nothing to them."""
    return conflict(SimpleNamespace(model=model, data=data))


def simulated(model, data, draws):
    made = bm.prior_predictive(model, data, seed=5, draws=draws)
    pooled, q = made.telling
    return pooled, q


@pytest.mark.parametrize(
    "mu",
    [
        bm.Normal(0, 0.5),
        bm.StudentT(3, 0, 0.5),
        bm.Uniform(-0.6, 1),
        bm.Mixture(0.3, bm.Normal(-1, 0.2), bm.Normal(0.5, 0.4)),
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    "tau", [bm.HalfNormal(0.3), bm.HalfCauchy(0.2), bm.LogNormal(-1.5, 0.8)], ids=repr
)
def test_it_is_what_tables_made_from_the_priors_say(mu, tau):
    model, draws = bm.NormalNormal(mu=mu, tau=tau), 20_000
    got = found(model)
    pooled, q = simulated(model, DATA, draws)
    assert got.pooled == pytest.approx(pooled.observed, abs=1e-12)
    assert got.q == pytest.approx(q.observed, abs=1e-12)
    error = STANDARD_ERRORS * 0.5 / np.sqrt(draws) + 1 / 800
    assert got.p_mu == pytest.approx(pooled.p, abs=error)
    assert got.p_tau == pytest.approx(q.p, abs=error)


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 0.4), tau=bm.HalfNormal(0.3)), "bcg"),
        (bm.BinomialNormal(measure="RR", mu=bm.Normal(0, 1), tau=bm.HalfNormal(1)), "bcg"),
        (bm.HypergeometricNormal(mu=bm.Normal(0, 1), tau=bm.HalfNormal(1)), "egger2001"),
        (bm.PoissonNormal(mu=bm.Normal(0, 1), tau=bm.HalfNormal(1)), RATES),
        (bm.IncidenceNormal(mu=bm.Normal(0, 3), tau=bm.HalfNormal(1)), INCIDENCE),
    ],
    ids=repr,
)
def test_of_counts_both_see_the_same_conflicts(model, data):
    table = counts(data) if isinstance(data, str) else data
    assert found(model, table).cautions == ()
    assert bm.prior_predictive(model, table, seed=5, draws=2000).cautions == ()
    wrong = replace(model, mu=bm.Normal(4, 0.2), tau=bm.HalfNormal(0.2))
    assert found(wrong, table).p_mu > 0.999
    pooled, _ = simulated(wrong, table, 2000)
    assert pooled.p > 0.99


def test_one_effect_makes_q_a_chi_square():
    got = found(bm.CommonEffect(mu=bm.Normal(0, 2)))
    assert got.p_tau == pytest.approx(stats.chi2(6).sf(got.q), abs=1e-12)
    w = np.array(SE) ** -2.0
    law = stats.norm(0, np.sqrt(4 + 1 / w.sum()))
    assert got.p_mu == pytest.approx(law.sf(got.pooled), abs=1e-3)


@pytest.mark.parametrize("tau", [0.1, 0.5, 2.0])
def test_the_tail_of_q_is_that_of_drawn_estimates(tau):
    w, rng = np.array(SE) ** -2.0, np.random.default_rng(2)
    y = rng.normal(0, np.sqrt(1 / w + tau**2), (200_000, 7))
    q = (w * (y - (y @ w / w.sum())[:, None]) ** 2).sum(axis=1)
    for p, error in ((0.5, 0.02), (0.1, 0.006), (0.025, 0.003), (0.005, 0.001)):
        tail = _q_tail(np.quantile(q, 1 - p), w, np.array([tau]))[0]
        assert tail == pytest.approx(p, abs=error)


def test_studies_that_merely_agree_contradict_no_prior_of_tau():
    agreeing = estimates([-0.40, -0.41, -0.39, -0.40, -0.405], [0.1] * 5, measure="OR")
    model = bm.NormalNormal(mu=bm.Normal(0, 1), tau=bm.LogNormal(0, 0.1))
    got = found(model, agreeing)
    assert got.p_tau > 0.999
    assert got.cautions == ()
    prior = bm.prior_predictive(model, agreeing, seed=1)
    assert prior.telling[1].p > 0.999
    assert not prior.telling[1].misfit
    assert prior.cautions == ()
    whole = bm.trust(bm.fit(model, agreeing), prior=prior)
    (row,) = [one for one in whole.verdicts if one.where == "Q"]
    assert (row.passed, row.limit) == (True, "≥ 0.025")


def test_studies_that_differ_more_than_tau_allows_do():
    model = bm.NormalNormal(mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.01))
    (said,) = found(model).cautions
    assert "a Q of " in said
    assert "look at the prior of tau" in said
    assert any("Q as observed" in one for one in bm.prior_predictive(model, DATA, seed=1).cautions)


def test_an_effect_that_the_prior_of_mu_hardly_holds_is_said():
    model = bm.NormalNormal(mu=bm.Normal(2, 0.2), tau=bm.HalfNormal(0.5))
    (said,) = found(model).cautions
    assert said.startswith(
        "Prior and data are in conflict: before the data, a pooled log OR of -0."
    )
    assert "look at the prior of mu" in said


def test_it_takes_the_posterior_of_a_fit_and_one_study():
    model = bm.NormalNormal(mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.5))
    assert conflict(bm.fit(model, DATA)) == found(model)
    one = found(model, estimates([0.3], [0.2]))
    assert np.isnan(one.p_tau)
    assert one.cautions == ()
    sd = np.array([stats.halfnorm(0, 0.5).ppf((i + 0.5) / 2000) for i in range(2000)])
    wanted = stats.norm(0, np.sqrt(1 + sd**2 + 0.2**2)).sf(0.3).mean()
    assert one.p_mu == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (bm.NormalNormal(mu=bm.Flat(), tau=bm.HalfNormal(1)), DATA),
        (bm.NormalNormal(mu=bm.Normal(0, 1), tau=bm.Flat()), DATA),
        (bm.NormalNormal(mu=bm.Normal(0, 1), tau=bm.HalfNormal(1), df=4), DATA),
        (OUTLIERS, DATA),
        (bm.BetaBinomial(mu=bm.Normal(0, 1)), COUNTS),
        (SEVERAL, None),
    ],
    ids=repr,
)
def test_where_it_cannot_be_made_there_is_none(model, data):
    assert found(model, data) is None


def test_nodes_of_a_prior_have_equal_probability():
    nodes = _quantiles(bm.HalfCauchy(0.3), 100)
    assert np.mean(nodes < 0.3) == 0.5
    assert _quantiles(bm.Mixture(0.3, bm.Normal(-9, 1), bm.Normal(9, 1)), 100)[30] > 0
