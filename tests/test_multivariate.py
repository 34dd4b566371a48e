"""Several outcomes: their data, their model as a value, their restricted likelihood."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from references import cases
from scipy import stats
from tolerances import CLOSED_FORM, INVARIANCE, STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.engines import mathematics, pymc_source
from bayesmeta.model import Named
from bayesmeta.multivariate import matrices, root
from bayesmeta.simulate import parameters, replicate
from bayesmeta.summaries import describe

# metafor stops its search when the likelihood no longer changes: its two programs of one model
# (UN, HCS) differ by 2e-7 in rho. Seen 1.1e-7 in rho, 1.2e-8 in tau², 1.4e-8 elsewhere.
METAFOR_SEARCH = {"atol": 5e-7, "rtol": 0.0}
ABSENT = np.nan
MU, TAU = bm.Normal(0, 1), bm.HalfNormal(0.5)


@cache
def berkey():
    stored = cases("berkey1998")["data"]
    names = ("study", "outcome", "y", "se", "correlation")
    return bm.MultivariateEffects(**{name: stored[name] for name in names})


def gappy():
    """Three outcomes, some not reported, with correlations of their own in each study."""
    y = [[0.3, -0.1, 0.2], [0.5, ABSENT, 0.1], [0.2, 0.1, ABSENT], [0.4, -0.2, 0.3]]
    y = np.array([*y, [ABSENT, 0.2, ABSENT]])
    se = np.where(np.isnan(y), ABSENT, np.linspace(0.1, 0.3, y.size).reshape(y.shape))
    rho = np.array([[0.5, 0.2, -0.3]] * 4 + [[0.0, 0.0, 0.0]]) * np.linspace(1, 0.2, 5)[:, None]
    return bm.MultivariateEffects(
        study=tuple("ABCDE"), outcome=("x", "y", "z"), y=y, se=se, correlation=matrices(rho, 3)
    )


def frame():
    return pd.DataFrame(cases("berkey1998")["data"]["rows"])


BERKEY = {
    "columns": {"study": "trial", "y": "yi", "v": "vi"},
    "covariance": {"PD": "v1i", "AL": "v2i"},
}


def test_a_long_table_is_read_with_its_covariances():
    read, whole = bm.MultivariateEffects.from_frame(frame(), **BERKEY), berkey()
    assert (read.study, read.outcome) == (tuple("12345"), ("PD", "AL"))
    for name in ("y", "se", "correlation"):
        assert_allclose(getattr(read, name), getattr(whole, name), **CLOSED_FORM)
    assert read.pair == ("PD, AL",)
    assert (read.k, read.p) == (5, 2)
    assert_allclose(read.sampling()[1], [[0.0057, 0.0009], [0.0009, 0.0008]], **CLOSED_FORM)


def test_rows_may_come_in_any_order_and_be_missing():
    table = frame().iloc[[9, 0, 2, 3, 4, 5, 6, 7]]  # PD of the last trial and AL of the first gone
    read = bm.MultivariateEffects.from_frame(table, **BERKEY)
    assert read.outcome == ("AL", "PD")
    assert read.study == ("5", "1", "2", "3", "4")
    assert_array_equal(read.reported[:2], [[True, False], [False, True]])
    assert_allclose(read.correlation[2:, 0, 1], berkey().correlation[1:4, 0, 1], **CLOSED_FORM)
    assert_array_equal(read.correlation[:2], np.tile(np.eye(2), (2, 1, 1)))
    empty = frame().assign(yi=lambda t: t["yi"].where(t.index != 1), vi=lambda t: t["vi"])
    empty.loc[1, "vi"] = None
    assert not bm.MultivariateEffects.from_frame(empty, **BERKEY).reported[0, 1]


def test_one_outcome_is_the_table_of_its_own_studies():
    alone = gappy().effects("y")
    assert alone.study == ("A", "C", "D", "E")
    assert_array_equal(alone.y, [-0.1, 0.1, -0.2, 0.2])
    with pytest.raises(bm.DataError, match="'w' is not an outcome: x, y, z"):
        gappy().effects("w")


def test_a_number_for_the_correlation_serves_all_studies_and_gaps_have_none():
    data = replace(gappy(), correlation=0.4)
    assert_array_equal(data.correlation[0], 0.4 + 0.6 * np.eye(3))
    assert_array_equal(data.correlation[1], [[1, 0, 0.4], [0, 1, 0], [0.4, 0, 1]])
    assert_array_equal(data.keep(np.array([False, True, False, False, True])).study, ["B", "E"])
    unknown = replace(gappy(), correlation=None)
    assert_allclose(unknown.sampling(0.4), data.sampling(), **CLOSED_FORM)
    assert unknown.sampling(np.array([[0.1, 0.2]])).shape == (1, 2, 5, 3, 3)


def test_the_data_are_a_value_that_cannot_be_written_to():
    for name in ("y", "se", "correlation"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(berkey(), name)[0] = 0.0


def made(**changed):
    given = {"study": ("A", "B"), "outcome": ("x", "y"), "correlation": 0.3}
    given |= {"y": [[1.0, 2.0], [0.5, 1.0]], "se": [[0.1, 0.2], [0.3, 0.1]]}
    return bm.MultivariateEffects(**given | changed)


TWICE = np.array([[[1, 0.5], [0.4, 1]]] * 2)
WIDE = np.array([[[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"correlation": 1.2}, r"within -1 and 1; check A \(row 1\), B"),
        ({"correlation": -1.0}, r"not positive definite.*check A \(row 1\)"),
        ({"correlation": TWICE}, "same above and below the diagonal; check A"),
        ({"correlation": 2 * TWICE / 5}, "with itself must be 1; check A"),
        ({"correlation": np.ones((2, 3))}, r"one number or 2 matrices of 2 × 2, got \(2, 3\)"),
        ({"correlation": [np.eye(2), [[1, ABSENT], [ABSENT, 1]]]}, r"missing.*check B \(row 2\)"),
        ({"outcome": ("x", "x")}, "two or more different names, got x, x"),
        ({"outcome": ("x",)}, "for one outcome use EffectSizes"),
        ({"study": ("A", "A")}, "study names must be unique; these repeat: A"),
        ({"se": [[0.1, 0.2], [0.0, 0.1]]}, r"x: se must be positive; check B \(row 2\)"),
        ({"se": [[0.1, 0.2], [0.3, ABSENT]]}, r"given together; check B \(row 2\)"),
        ({"y": [[1.0, 2.0]]}, "y must hold 2 studies × 2 outcomes"),
        ({"y": [[1.0, np.inf], [0.5, 1]]}, "y: "),
        ({"measure": ("OR", "RR", "OR")}, "one name or one for each of 2 outcomes, got 3"),
        ({"measure": "odds"}, "x: measure 'odds' is not one of"),
        (
            {"y": [[1, 2], [ABSENT, ABSENT]], "se": [[1, 2], [ABSENT, ABSENT]]},
            r"B \(row 2\) reports no outcome; leave such a study out",
        ),
        (
            {"y": [[1, ABSENT], [2, ABSENT]], "se": [[1, ABSENT], [2, ABSENT]]},
            "No study reports y",
        ),
    ],
)
def test_impossible_data_are_named(changed, said):
    with pytest.raises(bm.DataError, match=said):
        made(**changed)


def test_correlations_possible_by_pairs_may_be_impossible_together():
    row = np.ones((1, 3))
    with pytest.raises(bm.DataError, match=r"not positive definite.*check A"):
        bm.MultivariateEffects(
            study=("A",), outcome=("x", "y", "z"), y=row, se=row, correlation=WIDE
        )


def test_impossible_tables_are_named():
    read = bm.MultivariateEffects.from_frame
    with pytest.raises(bm.DataError, match=r"1 reports PD twice \(row 11\)"):
        read(pd.concat([frame(), frame().iloc[:1]]), **BERKEY)
    with pytest.raises(bm.DataError, match="Give correlation or covariance, not both"):
        read(frame(), **BERKEY, correlation=0.5)
    with pytest.raises(bm.DataError, match=r"a column for each outcome \(PD, AL\), got PD"):
        read(frame(), columns=BERKEY["columns"], covariance={"PD": "v1i"})
    with pytest.raises(bm.DataError, match="no column 'v3i'"):
        read(frame(), columns=BERKEY["columns"], covariance={"PD": "v1i", "AL": "v3i"})
    with pytest.raises(bm.DataError, match=r"with itself must be se²; check 1 \(row 1\)"):
        read(frame(), columns=BERKEY["columns"], covariance={"PD": "v2i", "AL": "v1i"})
    with pytest.raises(bm.DataError, match=r"v, a variance, must be positive; check 2 \(row 2\)"):
        read(frame().assign(vi=lambda t: t["vi"].where(t.index != 2, "-1")), **BERKEY)
    with pytest.raises(bm.DataError, match="has no name in row 1"):
        read(frame().assign(trial=lambda t: t["trial"].where(t.index > 0)), **BERKEY)
    with pytest.raises(bm.DataError, match=r"yi|y must be a number"):
        read(frame().assign(yi="much"), **BERKEY)


def stored(method):
    """Metafor's estimates in our order of outcomes, PD before AL."""
    full = cases("berkey1998")["fits"][f"UN_{method}"]
    assert full["terms"] == ["outcomeAL", "outcomePD"]
    return {
        **{name: np.array(full[name][::-1]) for name in ("estimate", "se", "tau2")},
        "rho": full["rho"],
        "loglik": full[f"loglik_{method}"],
        "loglik_REML": full["loglik_REML"],
    }


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_the_restricted_likelihood_of_metafors_estimates_is_metafors(method):
    theirs = stored(method)
    found = bm.restricted_log_likelihood(berkey(), np.sqrt(theirs["tau2"]), theirs["rho"])
    assert_allclose(found, theirs["loglik_REML"], **CLOSED_FORM)


def slope(data, x, step=1e-5):
    """Of the restricted likelihood by tau and rho, by central differences."""
    ends = [
        [bm.restricted_log_likelihood(data, *np.split(x + sign * one, [2])) for sign in (1, -1)]
        for one in step * np.eye(3)
    ]
    return np.array([(high - low) / (2 * step) for high, low in ends])


def test_the_restricted_likelihood_is_stationary_at_metafors_estimate():
    """Newton's step from there to the maximum is below 1e-6, and what it gains below 1e-12."""
    theirs = stored("REML")
    x = np.r_[np.sqrt(theirs["tau2"]), theirs["rho"]]
    curvature = [
        (slope(berkey(), x + one) - slope(berkey(), x - one)) / 2e-3 for one in 1e-3 * np.eye(3)
    ]
    step = -np.linalg.solve(curvature, slope(berkey(), x))
    assert np.abs(step).max() < 1e-6
    best = bm.multivariate_random_effects(berkey())
    assert 0 <= best.log_likelihood - theirs["loglik"] < 1e-12
    assert np.abs(slope(berkey(), np.r_[best.tau, best.rho])).max() < 1e-6
    assert np.linalg.eigvalsh(curvature).max() < 0


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_estimates_equal_metafor(method):
    found, theirs = bm.multivariate_random_effects(berkey(), method=method), stored(method)
    assert_allclose(found.estimate, theirs["estimate"], **METAFOR_SEARCH)
    assert_allclose(found.se, theirs["se"], **METAFOR_SEARCH)
    assert_allclose(found.tau**2, theirs["tau2"], **METAFOR_SEARCH)
    assert_allclose(found.rho, theirs["rho"], **METAFOR_SEARCH)
    assert_allclose(found.log_likelihood, theirs["loglik"], **CLOSED_FORM)
    assert list(found.table().index) == ["PD", "AL"]


def by_hand(data, tau, rho):
    """Restricted log likelihood from one matrix of all estimates, and GLS with it."""
    i, j = np.nonzero(data.reported)
    se, y = data.se[i, j], data.y[i, j]
    within, between = data.correlation[i[:, None], j[:, None], j], matrices(np.array(rho), data.p)
    total = (i[:, None] == i) * (
        within * se[:, None] * se + between[j[:, None], j] * tau[j][:, None] * tau[j]
    )
    design = (j[:, None] == np.arange(data.p)) * 1.0
    weight = np.linalg.inv(total)
    covariance = np.linalg.inv(design.T @ weight @ design)
    rest = y - design @ covariance @ design.T @ weight @ y
    logs = [np.linalg.slogdet(one)[1] for one in (design.T @ design, covariance, total)]
    return 0.5 * (
        logs[0] + logs[1] - logs[2] - rest @ weight @ rest - (y.size - data.p) * np.log(2 * np.pi)
    )


def test_the_restricted_likelihood_with_gaps_is_that_of_one_large_matrix():
    tau, rho = np.array([0.1, 0.2, 0.3]), [0.5, -0.2, 0.3]
    found = bm.restricted_log_likelihood(gappy(), tau, rho)
    assert_allclose(found, by_hand(gappy(), tau, rho), **CLOSED_FORM)


def test_outcomes_that_nothing_connects_have_their_univariate_estimates():
    data = bm.MultivariateEffects(
        study=tuple("ABCDEFG"),
        outcome=("x", "y"),
        correlation=0.0,
        y=[[0.3, ABSENT], [0.9, ABSENT], [0.1, ABSENT], *[[ABSENT, y] for y in (1.0, 2.0, 4, 2)]],
        se=[[0.1, ABSENT], [0.2, ABSENT], [0.1, ABSENT], *[[ABSENT, 0.5]] * 4],
    )
    found = bm.multivariate_random_effects(data)
    for j, name in enumerate(data.outcome):
        alone = bm.random_effects(data.effects(name), interval="Wald")
        assert_allclose(found.estimate[j], alone.estimate, **INVARIANCE)
        assert_allclose(found.se[j], alone.se, **INVARIANCE)
        assert_allclose(found.tau[j] ** 2, alone.tau2, **INVARIANCE)


def test_units_and_order_of_outcomes_change_nothing_else():
    first, flipped = bm.multivariate_random_effects(berkey()), [1, 0]
    other = replace(
        berkey(),
        outcome=("AL", "PD"),
        y=berkey().y[:, flipped] * [1000.0, 0.01],
        se=berkey().se[:, flipped] * [1000.0, 0.01],
    )
    second = bm.multivariate_random_effects(other)
    for name in ("estimate", "se", "tau"):
        assert_allclose(
            getattr(second, name), getattr(first, name)[flipped] * [1000, 0.01], rtol=1e-7
        )
    assert_allclose(second.rho, first.rho, rtol=1e-7)


def test_three_outcomes_are_at_a_maximum():
    best = bm.multivariate_random_effects(gappy())
    assert np.isfinite(best.estimate).all()
    rng = np.random.default_rng(1)
    for _ in range(50):
        tau, rho = best.tau + rng.uniform(0, 0.05, 3), rng.uniform(-0.4, 0.4, 3)
        value = bm.restricted_log_likelihood(gappy(), tau, rho)
        assert value <= best.log_likelihood


def test_estimates_without_spread_have_no_correlation_of_effects():
    data = made(y=[[1.0, 2.0], [1.01, 1.99]])
    found = bm.multivariate_random_effects(data)
    assert_array_equal(found.tau, [0.0, 0.0])
    assert np.isnan(found.rho).all()
    value = bm.restricted_log_likelihood(data, [0.0, 0.0], 0.0)
    assert_allclose(found.log_likelihood, value, **INVARIANCE)


def test_what_has_no_likelihood_is_refused():
    unknown = replace(berkey(), correlation=None)
    with pytest.raises(bm.ModelError, match="correlations within studies are unknown"):
        bm.multivariate_random_effects(unknown)
    with pytest.raises(bm.ModelError, match="for one outcome use random_effects"):
        bm.multivariate_random_effects(berkey().effects("PD"))
    with pytest.raises(bm.ModelError, match="method is 'REML' or 'ML', not 'DL'"):
        bm.multivariate_random_effects(berkey(), method="DL")
    with pytest.raises(bm.ModelError, match="tau needs 2 numbers and rho 1"):
        bm.restricted_log_likelihood(berkey(), [0.1], 0.3)
    with pytest.raises(bm.ModelError, match="must make a correlation matrix"):
        bm.restricted_log_likelihood(berkey(), [0.1, 0.2], 1.3)
    with pytest.raises(bm.ModelError, match="tau must not be negative"):
        bm.restricted_log_likelihood(berkey(), [0.1, -0.2], 0.3)
    alone = made(y=[[1.0, 2.0], [0.5, ABSENT]], se=[[0.1, 0.2], [0.3, ABSENT]])
    with pytest.raises(bm.DataError, match="y has one study"):
        bm.multivariate_random_effects(alone)


def model(**changed):
    return bm.MultivariateNormal(**{"mu": MU, "tau": TAU, "rho": bm.Uniform(-1, 1)} | changed)


BY_NAME = {"PD": bm.Normal(0, 1), "AL": bm.Normal(0, 2)}


def test_the_model_is_a_value_with_priors_for_all_or_by_outcome():
    named = model(mu=BY_NAME, within=bm.Uniform(0, 0.9))
    assert list(named.priors) == ["mu[PD]", "mu[AL]", "tau", "rho", "within"]
    assert (named.of("mu", "AL"), named.of("tau", "AL")) == (bm.Normal(0, 2), TAU)
    assert named == model(mu=dict(reversed(BY_NAME.items())), within=bm.Uniform(0, 0.9))
    assert hash(named) == hash(model(mu=Named(BY_NAME), within=bm.Uniform(0, 0.9)))
    assert eval(repr(named), {name: getattr(bm, name) for name in bm.__all__}) == named
    assert describe(named).endswith("correlations within studies one unknown number")
    assert "mu[AL]=Normal(0, 2)" in describe(named)
    assert named.numbered(berkey()).outcomes == ("1", "2")
    assert any("w ~ Uniform(0, 0.9)" in line for line in mathematics(named))
    with pytest.raises(bm.ModelError, match="names each"):
        pymc_source(model())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"mu": {"PD": 1.0}}, r"mu\[PD\] must be a prior"),
        ({"tau": {"PD": MU}}, r"tau\[PD\] is a standard deviation"),
        ({"mu": bm.LKJ(1)}, "is a prior of correlations; for mu use"),
        ({"mu": BY_NAME, "tau": {"PD": TAU}}, "mu and tau must name the same outcomes"),
        ({"rho": 0.5}, "rho must be a prior such as Uniform"),
        ({"rho": bm.Normal(0, 1)}, "rho is a correlation between -1 and 1; .* mass outside"),
        ({"within": bm.Uniform(0, 2)}, "within is a correlation"),
        ({"within": bm.LKJ(1)}, "within is one correlation"),
    ],
)
def test_priors_that_make_no_sense_are_refused(changed, said):
    with pytest.raises(bm.ModelError, match=said):
        model(**changed)


@pytest.mark.parametrize(
    ("changed", "data", "said"),
    [
        ({}, berkey().effects("PD"), "needs MultivariateEffects, not EffectSizes"),
        ({"mu": {"x": MU, "PD": MU}}, berkey(), "priors of x, PD, the data have PD, AL"),
        ({}, gappy(), r"With 3 outcomes rho needs .* LKJ\(1\)"),
        ({}, replace(berkey(), correlation=None), "give the data correlation=..., or the model"),
        ({"within": bm.Uniform(0, 0.9)}, berkey(), "leave within out"),
        (
            {"within": bm.Uniform(-0.8, 0.9), "rho": bm.LKJ(1)},
            replace(gappy(), correlation=None),
            "common to 3 outcomes is at least -0.5",
        ),
        ({"mu": bm.Flat()}, berkey(), "MultivariateNormal needs proper priors"),
    ],
)
def test_model_and_data_that_do_not_fit_each_other_are_refused(changed, data, said):
    with pytest.raises(bm.ModelError, match=said):
        bm.fit(model(**changed), data)


def test_other_models_and_engines_refuse_and_say_what_would_do():
    with pytest.raises(bm.ModelError, match="needs EffectSizes, not MultivariateEffects"):
        bm.fit(bm.NormalNormal(mu=MU, tau=TAU), berkey())
    with pytest.raises(bm.ModelError, match=r"use NUTS\(seed=...\)"):
        bm.fit(model(), berkey(), bm.Quadrature())
    with pytest.raises(bm.ModelError, match="Mixture: first must be"):
        bm.Mixture(0.5, bm.LKJ(1), MU)
    with pytest.raises(bm.ModelError, match="eta must be positive"):
        bm.LKJ(0)


@pytest.mark.parametrize("p", [2, 4])
def test_lkj_matrices_are_drawn_with_the_known_margins(p):
    """(1 + rho)/2 of any pair is Beta(a, a), a = eta - 1 + p/2."""
    eta = 1.5
    names = dict.fromkeys("wxyz"[:p], MU)
    rho = parameters(model(mu=names, rho=bm.LKJ(eta)), 1, 4000, seed=3)["rho"].reshape(4000, -1)
    a = eta - 1 + p / 2
    for each in rho.T:
        assert stats.kstest((1 + each) / 2, stats.beta(a, a).cdf).pvalue > 1e-3
    assert np.linalg.eigvalsh(matrices(rho, p)).min() > 0


def test_simulated_estimates_have_the_covariance_of_the_model():
    n, data = 20_000, gappy()
    tau, rho = np.array([0.2, 0.3, 0.1]), np.array([0.6, -0.3, 0.2])
    law = model(mu=dict.fromkeys("xyz", MU), rho=bm.LKJ(1))
    drawn = {
        "mu": np.tile([1.0, 2.0, 3.0], (n, 1)),
        "tau": np.tile(tau, (n, 1)),
        "rho": np.tile(rho, (n, 1)),
    }
    y = replicate(law, drawn, data, seed=2, new=True)["y"]
    assert_array_equal(np.isnan(y), np.broadcast_to(~data.reported, y.shape))
    between = matrices(rho, 3) * tau[:, None] * tau
    for i in range(data.k):
        there = np.flatnonzero(data.reported[i])
        wanted = (data.sampling()[i] + between)[np.ix_(there, there)]
        rest = y[:, i][:, there] - (1.0 + there)
        seen = rest[:, :, None] * rest[:, None, :]
        apart = np.abs(seen.mean(axis=0) - wanted)
        assert (apart <= STANDARD_ERRORS * seen.std(axis=0) / n**0.5).all()


def test_parameters_need_to_know_how_many_outcomes_there_are():
    drawn = parameters(model(within=bm.Uniform(0, 0.5)), 3, 10, seed=1)
    assert {name: one.shape for name, one in drawn.items()} == {
        "mu": (10, 2), "tau": (10, 2), "rho": (10,), "within": (10,),
        "theta": (10, 3, 2), "theta_new": (10, 2),
    }  # fmt: skip
    with pytest.raises(bm.ModelError, match="does not say how many outcomes"):
        parameters(model(rho=bm.LKJ(1)), 3, 10, seed=1)


def test_a_root_times_itself_is_the_matrix_singular_or_not():
    for rho in (0.3, 1.0, -1.0):
        matrix = matrices(np.array([rho]), 2) * 0.04
        assert_allclose(root(matrix) @ root(matrix), matrix, atol=1e-15)
