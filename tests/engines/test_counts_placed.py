"""Counts whose nodes are placed by a look, tables of few, and what is tabulated only once."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import numbered

import bayesmeta as bm
from bayesmeta.engines.exact import fixed
from bayesmeta.engines.exact.fixed import integrate_fast
from bayesmeta.engines.exact.grid import integrate_on_grid
from bayesmeta.engines.likelihood import study


@pytest.fixture
def tabulated(monkeypatch):
    """How many studies' likelihoods were evaluated in each call."""
    seen, whole = [], study.study_function

    def counted(xp, link, columns, *rest):
        seen.append(len(next(iter(columns.values()))))
        return whole(xp, link, columns, *rest)

    monkeypatch.setattr(study, "study_function", counted)
    return seen


@pytest.mark.parametrize(
    ("events", "n", "priors"),
    [
        ([0] * 9 + [1, 2], [30, 30, 30, 40, 40, 50, 50, 60, 60, 45, 70], (bm.Normal(-2, 3), 0.5)),
        ([5, 40, 3, 60, 20], [100, 90, 80, 100, 60], (bm.Normal(0, 2), 2.0)),
    ],
    ids=["nearly no event", "studies that oppose each other"],
)
def test_where_it_looks_twice_it_is_the_grid(events, n, priors, monkeypatch):
    monkeypatch.setattr(fixed, "MANY", 0)  # as if there were hundreds
    data = bm.ProportionStudies(study=numbered(len(n)), events=events, n=n)
    model = bm.ProportionNormal(mu=priors[0], tau=bm.HalfNormal(priors[1]))
    found, full = integrate_fast(model, data), integrate_on_grid(model, data)
    for name in ("mu", "tau"):
        sd = full[name].sd()
        assert abs(found[name].mean() - full[name].mean()) < 1e-5 * sd
        assert_allclose(found[name].sd(), sd, rtol=1e-5)
        at = full[name].quantile([0.025, 0.5, 0.975])
        assert_allclose(found[name].cdf(at), [0.025, 0.5, 0.975], atol=1e-5)
    gap = found.log_marginal_likelihood - full.log_marginal_likelihood
    assert abs(gap) < 1e-5


def test_mu_that_is_narrow_where_few_nodes_are_shows_in_the_error(monkeypatch):
    """At small tau one study decides, far from where mu is on the whole."""
    monkeypatch.setattr(fixed, "MANY", 0)
    data = bm.PersonTimeStudies(
        study=["A", "B"],
        events_treatment=[80, 5],
        time_treatment=[10200, 92],
        events_control=[715, 8],
        time_control=[3200, 19],
    )
    model = bm.PoissonNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(5))
    found = integrate_fast(model, data)
    full = integrate_on_grid(model, data)
    assert abs(found["mu"].mean() - full["mu"].mean()) < 1e-5 * full["mu"].sd()
    assert abs(found.log_marginal_likelihood - full.log_marginal_likelihood) < 1e-5


def test_arms_that_are_the_same_are_tabulated_once(tabulated, monkeypatch):
    """Two hundred arms without events of which few differ cost no more than these few."""
    data = bm.ProportionStudies(
        study=numbered(203), events=[0] * 200 + [1, 2, 1], n=[31, 43] * 100 + [50, 60, 70]
    )
    model = bm.ProportionNormal(mu=bm.Normal(-2, 3), tau=bm.HalfNormal(0.5))
    found = bm.fit(model, data)
    assert found.diagnostics.passed_first
    assert "grid" not in found.engine
    assert max(tabulated) == 5
    assert len(found["theta"].mean()) == 203
    apart = fixed.Distinct(np.ones(203, bool), np.arange(203), np.ones(203))
    monkeypatch.setattr(fixed, "distinct", lambda *_: apart)
    one_by_one = bm.fit(model, data)
    assert_allclose(found["mu"].mean(), one_by_one["mu"].mean(), atol=1e-6 * found["mu"].sd())
    assert_allclose(found["tau"].sd(), one_by_one["tau"].sd(), rtol=2e-5)


def test_refits_share_what_their_studies_say(tabulated):
    k, rng = 7, np.random.default_rng(11)
    n = rng.integers(60, 300, k)
    trials = bm.BinaryStudies(
        study=numbered(k),
        events_treatment=rng.binomial(n, 0.2),
        n_treatment=n,
        events_control=rng.binomial(n, 0.25),
        n_control=n,
    )
    table = {name: np.tile(values, (k, 1)) for name, values in trials.numbers.items()}
    for values in table.values():
        values[np.arange(k), np.arange(k)] = np.nan
    model = bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 1.9), tau=bm.HalfNormal(0.4))
    rows = bm.fit_many(model, table)
    assert sum(tabulated) < 2 * k  # of 42 studies in seven tables
    for i, row in rows.iterrows():
        one = bm.fit(model, trials.keep(np.arange(k) != i))
        assert row["engine"] == one.engine
        assert row["mu_median"] == one["mu"].quantile(0.5)
        assert_allclose(row["log_marginal_likelihood"], one.log_marginal_likelihood, rtol=1e-12)
        new = one["theta_new"]
        for name, q in (("new_lower", 0.025), ("new_upper", 0.975)):
            assert abs(row[name] - new.quantile(q)) < 1e-5 * new.sd()


def test_tables_of_few_that_cannot_be_fitted_say_why():
    model = bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    counts = {"events_treatment": [[3, 9]], "events_control": [[4, 2]]}
    table = {**counts, "n_treatment": [[30, 8]], "n_control": [[30, 30]]}
    problem = bm.fit_many(model, table)["problem"][0]
    assert "events_treatment" in problem


def test_what_gives_no_numbers_is_left_to_the_grid():
    """Two empty arms, opposite: the program's first look finds none."""
    data = bm.BinaryStudies(
        study=["A", "B"], events_treatment=[0, 2], n_treatment=[15, 13],
        events_control=[2, 0], n_control=[13, 15],
    )  # fmt: skip
    model = bm.BinomialNormal(measure="RR", mu=bm.Normal(0, 2), tau=bm.HalfCauchy(0.5))
    posterior = bm.fit(model, data)
    assert abs(posterior["mu"].mean()) < 1e-9
    assert posterior.diagnostics.passed_first
