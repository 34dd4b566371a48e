"""Priors: one spelling, checked numbers, and densities that agree with scipy.stats."""

import contextlib
import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import LAWS, law
from numpy.testing import assert_allclose
from scipy import integrate, stats
from tolerances import LOG_2_IN_SINGLE, LOG_DENSITY, STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.engines.compiled.precision import float64
from bayesmeta.priors import FAMILIES, log_density, log_density_of_tau
from bayesmeta.simulate import prior_draws
from bayesmeta.summaries import prior_interval

finite = st.floats(-1e6, 1e6)
positive = st.floats(1e-6, 1e6)
shape = st.floats(0.1, 50)
SIMPLE = {
    "Normal": st.builds(bm.Normal, finite, positive),
    "StudentT": st.builds(bm.StudentT, st.floats(0.1, 200), finite, positive),
    "HalfNormal": st.builds(bm.HalfNormal, positive),
    "HalfCauchy": st.builds(bm.HalfCauchy, positive),
    "HalfT": st.builds(bm.HalfT, st.floats(0.1, 200), positive),
    "LogNormal": st.builds(bm.LogNormal, st.floats(-10, 10), st.floats(1e-3, 10)),
    "LogStudentT": st.builds(
        bm.LogStudentT, st.floats(4, 200), st.floats(-10, 10), st.floats(1e-3, 2)
    ),
    "Exponential": st.builds(bm.Exponential, positive),
    "Gamma": st.builds(bm.Gamma, shape, positive),
    "InverseGamma": st.builds(bm.InverseGamma, shape, positive),
    "Uniform": st.builds(
        lambda low, width: bm.Uniform(low, low + width), finite, st.floats(1e-3, 1e6)
    ),
    "Beta": st.builds(bm.Beta, shape, shape),
}
simple = st.one_of(*SIMPLE.values())
PROPER = {**SIMPLE, "Mixture": st.builds(bm.Mixture, st.floats(0.01, 0.99), simple, simple)}
IMPROPER = {"Flat": bm.Flat(), "Jeffreys": bm.Jeffreys()}
EXAMPLES = {
    "Normal": bm.Normal(0.3, 0.7),
    "StudentT": bm.StudentT(2.5, -0.3, 0.4),
    "HalfNormal": bm.HalfNormal(0.5),
    "HalfCauchy": bm.HalfCauchy(0.5),
    "HalfT": bm.HalfT(3.5, 0.4),
    "LogNormal": bm.LogNormal(-1, 0.8),
    "LogStudentT": bm.LogStudentT(5, -1, 0.8),
    "Exponential": bm.Exponential(2.5),
    "Gamma": bm.Gamma(1.7, 2.5),
    "InverseGamma": bm.InverseGamma(2.2, 0.3),
    "Uniform": bm.Uniform(-0.25, 0.75),
    "Beta": bm.Beta(1.5, 2.5),
    "Mixture": bm.Mixture(0.3, bm.Normal(0.3, 0.7), bm.StudentT(3, -1, 0.2)),
}
MIXTURES = [  # whose components have other supports than each other
    bm.Mixture(0.3, bm.HalfNormal(0.5), bm.LogNormal(-1, 0.5)),
    bm.Mixture(0.3, bm.HalfNormal(0.5), bm.LogStudentT(5, -1, 0.5)),
    bm.Mixture(0.3, bm.Normal(0.3, 0.7), bm.HalfT(3, 0.5)),
    bm.Mixture(0.8, bm.Uniform(-0.5, 0.2), bm.Beta(2, 1.5)),
    bm.Mixture(0.4, bm.Uniform(0.1, 0.5), bm.Exponential(2)),
    bm.Mixture(0.4, bm.Uniform(-1, 1), bm.Uniform(0, 3)),
]
any_prior = st.one_of(*PROPER.values(), *map(st.just, IMPROPER.values()))


def test_every_family_is_in_the_table_of_this_file():
    assert set(FAMILIES) == set(PROPER) | set(IMPROPER)
    assert set(PROPER) == set(LAWS) == set(EXAMPLES)
    assert {name for name, family in FAMILIES.items() if not family.proper} == set(IMPROPER)


@given(any_prior)
def test_spelling_of_a_prior_reads_back_as_the_same_prior(prior):
    assert bm.parse_prior(repr(prior)) == prior


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(1e-150, 1e150))
def test_spelling_keeps_every_digit(mean, sd):
    prior = bm.parse_prior(repr(bm.Normal(mean, sd)))
    assert (prior.mean, prior.sd) == (mean, sd)


@pytest.mark.parametrize(
    ("text", "prior"),
    [
        ("HalfNormal(0.5)", bm.HalfNormal(0.5)),
        ("  HalfNormal( .5 ) ", bm.HalfNormal(0.5)),
        ("Normal(mean=0, sd=2)", bm.Normal(0, 2)),
        ("Normal(0, sd=2)", bm.Normal(0, 2)),
        ("StudentT(3, 0, 1)", bm.StudentT(df=3, mean=0, scale=1)),
        ("Uniform(-3, 3e0)", bm.Uniform(-3, 3)),
        ("LogNormal(-1.5, 0.6)", bm.LogNormal(-1.5, 0.6)),
        ("HalfT(4, 0.5)", bm.HalfT(df=4, scale=0.5)),
        ("InverseGamma(1, scale=0.15)", bm.InverseGamma(shape=1, scale=0.15)),
        ("Flat()", bm.Flat()),
        (" Jeffreys ( ) ", bm.Jeffreys()),
        (
            "Mixture(.5, Normal(0,1), Normal(mean=0, sd=.1))",
            bm.Mixture(0.5, bm.Normal(0, 1), bm.Normal(0, 0.1)),
        ),
        (
            "Mixture(second=HalfNormal(1), weight=0.9, first=Uniform(0, 2))",
            bm.Mixture(0.9, bm.Uniform(0, 2), bm.HalfNormal(1)),
        ),
    ],
)
def test_spellings_a_person_would_type_are_understood(text, prior):
    assert bm.parse_prior(text) == prior


@pytest.mark.parametrize(
    ("prior", "text"),
    [
        (bm.HalfNormal(0.5), "HalfNormal(0.5)"),
        (bm.Normal(0.0, 2.0), "Normal(0, 2)"),
        (bm.StudentT(3, -0.1, 1e-3), "StudentT(3, -0.1, 0.001)"),
        (bm.Uniform(0, 1e20), "Uniform(0, 1e+20)"),
        (bm.Flat(), "Flat()"),
        (
            bm.Mixture(0.5, bm.Normal(0, 1), bm.Normal(0, 0.1)),
            "Mixture(0.5, Normal(0, 1), Normal(0, 0.1))",
        ),
    ],
)
def test_spelling_is_the_shortest_a_person_would_write(prior, text):
    assert repr(prior) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a prior; write it like 'HalfNormal"),
        ("0.5", "is not a prior"),
        ("HalfNormal", "is not a prior"),
        ("HalfNormal(0.5", "is not a prior"),
        ("HalfNormal(0.5))", "is not a prior"),
        ("HalfNormal(x)", "is not a prior"),
        ("HalfNormal(1/2)", "is not a prior"),
        ("HalfNormal(__import__('os').getcwd())", "is not a prior"),
        ("priors.HalfNormal(0.5)", "is not a prior"),
        ("HalfNormal(0.5) + 1", "is not a prior"),
        ("(" * 90 + ")" * 90, "is not a prior"),
        ("HalfNormal(" + "1" * 800 + ")", "is not a prior"),
        ("halfnorm(0.5)", "'halfnorm' is not a prior; there are Normal, .*mean HalfNormal"),
        ("invgamma(1, 0.1)", r"Did you mean InverseGamma\(shape, scale\)"),
        ("HalfNormal(0.1, 0.5)", "HalfNormal takes scale"),
        ("HalfNormal(False, 0.5)", "HalfNormal takes scale"),
        ("HalfT(0, 0.5)", "df must be positive"),
        ("Weibull(1, 2)", "'Weibull' is not a prior; there are Normal"),
        ("HalfNormal()", "HalfNormal takes scale"),
        ("Normal(0)", "Normal takes mean, sd"),
        ("Normal(0, 2, 3)", "Normal takes mean, sd"),
        ("Normal(0, sigma=2)", "Normal takes mean, sd"),
        ("Normal(0, 2, mean=1)", "gives 'mean' twice"),
        ("Normal(mean=0, mean=1, sd=1)", "gives 'mean' twice"),
        ("Normal(0, mean=1, sd=1)", "gives 'mean' twice"),
        ("Normal(0, 1, sd=1, sd=2)", "gives 'sd' twice"),
        ("Normal(0, 10**999)", "is not a prior"),
        (f"Normal(0, 1{'0' * 200})", "whose square no computer holds"),
        (f"Normal(0, 1{'0' * 5000})", "is not a prior"),
        ("HalfNormal(0)", "scale must be positive, got 0"),
        ("HalfNormal(-0.5)", "scale must be positive, got -0.5"),
        ("LogNormal(0, 0)", "sd must be positive"),
        ("StudentT(0, 0, 1)", "df must be positive"),
        ("HalfCauchy(1e999)", "scale must be finite"),
        ("HalfNormal('0.5')", "scale must be a number, got '0.5'"),
        ("HalfNormal(True)", "scale must be a number, got True"),
        ("HalfNormal(None)", "scale must be a number, got None"),
        ("Uniform(2, 1)", r"low must be below high, got Uniform\(2, 1\)"),
        ("Uniform(1, 1)", "low must be below high"),
        ("HalfT(0, 1)", "df must be positive"),
        ("HalfT(3, 0)", "scale must be positive"),
        ("Exponential(0)", "rate must be positive"),
        ("Gamma(0, 1)", "shape must be positive"),
        ("Gamma(1, -1)", "rate must be positive"),
        ("InverseGamma(-1, 1)", "shape must be positive"),
        ("InverseGamma(1, 0)", "scale must be positive"),
        ("Beta(0, 1)", "a must be positive"),
        ("Beta(1, 0)", "b must be positive"),
        ("Flat(1)", "Flat takes no numbers"),
        ("Jeffreys(0.5)", "Jeffreys takes no numbers"),
        ("Flat", "is not a prior"),
        ("Normal(Normal(0, 1), 1)", r"mean must be a number, got Normal\(0, 1\)"),
        ("Mixture(0.5, Normal(0, 1))", "Mixture takes weight, first, second"),
        ("Mixture(0, Normal(0, 1), Normal(0, 2))", "weight must be positive"),
        ("Mixture(1, Normal(0, 1), Normal(0, 2))", "weight must lie between 0 and 1"),
        ("Mixture(Normal(0, 1), Normal(0, 1), Normal(0, 2))", "weight must be a number"),
        ("Mixture(0.5, Normal(0, 1), 2)", "second must be a proper prior.*got 2"),
        ("Mixture(0.5, Flat(), Normal(0, 1))", r"first must be a proper prior.*got Flat\(\)"),
        ("Mixture(0.5, HalfNormal(1), Jeffreys())", "second must be a proper prior"),
        (
            "Mixture(0.5, Mixture(0.5, Normal(0, 1), Normal(0, 2)), Normal(0, 1))",
            "first must be .* no Mixture itself",
        ),
        ("Mixture(0.5, Normal(0, 1), Nobody(0, 1))", "'Nobody' is not a prior; there are"),
        ("Mixture(0.5, Normal(0, 1), print())", "'print' is not a prior"),
        ("Mixture(0.5, Normal(0, 1), Normal(x, 1))", "is not a prior"),
    ],
)
def test_bad_spellings_are_refused_with_what_would_be_right(text, words):
    with pytest.raises(bm.ModelError, match=words):
        bm.parse_prior(text)


@given(st.text(max_size=40))
def test_any_text_is_a_prior_or_a_model_error(text):
    with contextlib.suppress(bm.ModelError):
        assert bm.parse_prior(text).support


@pytest.mark.parametrize("value", [None, 5, ["HalfNormal(0.5)"], bm.HalfNormal(0.5)])
def test_what_is_not_text_is_refused(value):
    with pytest.raises(bm.ModelError, match="is not a prior"):
        bm.parse_prior(value)


def test_priors_are_values():
    assert bm.HalfNormal(0.5) == bm.HalfNormal(scale=0.5)
    assert bm.HalfNormal(0.5) != bm.HalfCauchy(0.5)
    assert len({bm.Normal(0, 2), bm.Normal(0.0, 2.0)}) == 1
    assert dict(bm.StudentT(3, 0, 1).numbers) == {"df": 3.0, "mean": 0.0, "scale": 1.0}
    with pytest.raises(AttributeError):
        bm.HalfNormal(0.5).scale = 2


def test_a_mixture_names_the_numbers_of_both_its_priors():
    prior = bm.Mixture(0.3, bm.Normal(0, 1), bm.StudentT(3, 1, 2))
    assert dict(prior.numbers) == {
        "weight": 0.3,
        "first_mean": 0.0,
        "first_sd": 1.0,
        "second_df": 3.0,
        "second_mean": 1.0,
        "second_scale": 2.0,
    }
    assert prior.parts == ((0.3, prior.first), (0.7, prior.second))


@pytest.mark.parametrize("prior", [*EXAMPLES.values(), *MIXTURES], ids=repr)
def test_support_is_that_of_scipy(prior):
    assert prior.support == law(prior).support()


@pytest.mark.parametrize("family", sorted(PROPER))
@given(data=st.data())
def test_log_densities_equal_scipy(family, data):
    prior = data.draw(PROPER[family])
    distribution = law(prior)
    q = data.draw(st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=5))
    x = np.clip(distribution.ppf(q), *prior.support)
    expected = distribution.logpdf(x)
    assert_allclose(log_density(prior, x), expected, **LOG_DENSITY)


@pytest.mark.parametrize("prior", [*EXAMPLES.values(), *MIXTURES], ids=repr)
def test_densities_integrate_to_one(prior):
    low, high = prior.support
    ends = sorted({low, *(end for end in (-0.5, 0, 0.1, 0.2, 0.5, 1) if low < end < high), high})
    total = sum(
        integrate.quad(
            lambda x: float(np.exp(log_density(prior, np.array([x]))[0])),
            *between,
            epsabs=1e-12,
            limit=200,
        )[0]
        for between in itertools.pairwise(ends)
    )
    assert total == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize(
    ("prior", "at_zero"),
    [
        (bm.HalfT(3, 0.5), stats.t(3, 0, 0.5).logpdf(0) + np.log(2)),
        (bm.Exponential(2), np.log(2)),
        (bm.Gamma(0.5, 2), np.inf),
        (bm.Gamma(1, 2), np.log(2)),
        (bm.Gamma(1.5, 2), -np.inf),
        (bm.InverseGamma(1, 0.15), -np.inf),
        (bm.Beta(0.5, 2), np.inf),
        (bm.Beta(1, 2), np.log(2)),
        (bm.Beta(2, 2), -np.inf),
        (bm.LogStudentT(5, 0, 1), np.inf),
        (bm.Mixture(0.5, bm.Gamma(0.5, 2), bm.Gamma(1.5, 2)), np.inf),
        (bm.Mixture(0.5, bm.LogNormal(0, 1), bm.InverseGamma(1, 1)), -np.inf),
        (bm.Mixture(0.5, bm.Exponential(2), bm.LogNormal(0, 1)), 0.0),
        (bm.Mixture(0.5, bm.Exponential(2), bm.Uniform(1, 2)), 0.0),
    ],
    ids=repr,
)
def test_densities_are_right_at_the_end_of_a_support_and_nothing_beyond(prior, at_zero):
    x = np.array([0.0, 1e-320, -1e-300, -1.0])
    value = log_density(prior, x)
    assert value[0] == pytest.approx(at_zero, abs=1e-14)
    assert not np.isnan(value).any()
    assert value[2:].tolist() == [-np.inf, -np.inf]


@pytest.mark.parametrize(
    ("prior", "at_one"),
    [
        (bm.Beta(2, 0.5), np.inf),
        (bm.Beta(2, 1), np.log(2)),
        (bm.Beta(2, 2), -np.inf),
        (bm.Mixture(0.25, bm.Uniform(0, 1), bm.Beta(2, 2)), np.log(0.25)),
    ],
    ids=repr,
)
def test_a_beta_ends_at_one(prior, at_one):
    value = log_density(prior, np.array([1.0, np.nextafter(1, 2), 7.0]))
    assert value[0] == pytest.approx(at_one, abs=1e-14)
    assert value[1:].tolist() == [-np.inf, -np.inf]


def test_a_flat_prior_has_density_one_everywhere():
    assert log_density(bm.Flat(), np.array([-1e9, 0.0, 3.0])).tolist() == [0.0, 0.0, 0.0]
    assert not bm.Flat().proper
    assert bm.Normal(0, 1).proper


def test_the_density_of_jeffreys_needs_the_standard_errors():
    tau, se = np.array([0.0, 0.1, 2.0]), np.array([0.2, 0.5])
    with pytest.raises(bm.ModelError, match=r"Jeffreys\(\) depends on the standard errors"):
        log_density(bm.Jeffreys(), tau)
    by_hand = [np.sqrt(sum((t / (s**2 + t**2)) ** 2 for s in se)) for t in tau]
    assert_allclose(np.exp(log_density_of_tau(bm.Jeffreys(), tau, se)), by_hand, **LOG_DENSITY)
    half = bm.HalfNormal(0.5)
    assert_allclose(log_density_of_tau(half, tau, se), log_density(half, tau))


@pytest.mark.parametrize("prior", [*EXAMPLES.values(), *MIXTURES], ids=repr)
def test_log_densities_equal_those_of_the_pymc_form(prior):
    import pymc as pm

    from bayesmeta.engines.graph.parts import prior as in_pymc

    low, high = np.clip(prior.support, -2, 2)
    x = np.linspace(low, high, 9)[1:-1] + 0.003
    with float64(), pm.Model():
        graph = pm.logp(in_pymc("mu", prior), x)
        found = graph.eval(mode="FAST_COMPILE")
    single = "HalfT" in repr(prior) or "HalfCauchy" in repr(prior)
    assert_allclose(found, log_density(prior, x), **(LOG_2_IN_SINGLE if single else LOG_DENSITY))


def test_flat_is_flat_in_pymc_and_jeffreys_has_no_form_there():
    import pymc as pm

    from bayesmeta.engines.graph.parts import prior as in_pymc

    with float64(), pm.Model():
        mu, tau = in_pymc("mu", bm.Flat()), in_pymc("tau", bm.Flat())
        assert pm.logp(mu, np.array([-3.0, 3.0])).eval(mode="FAST_COMPILE").tolist() == [0, 0]
        assert pm.logp(tau, np.array([-3.0, 3.0])).eval(mode="FAST_COMPILE").tolist() == [
            -np.inf,
            0,
        ]
        with pytest.raises(bm.ModelError, match=r"no PyMC form of Jeffreys.*Quadrature"):
            in_pymc("tau2", bm.Jeffreys())


@pytest.mark.parametrize("prior", [*EXAMPLES.values(), *MIXTURES], ids=repr)
def test_draws_of_a_prior_have_its_quantiles(prior):
    n, distribution = 40_000, law(prior)
    draws = prior_draws(prior, n, np.random.default_rng(11))
    assert draws.shape == (n,)
    at = distribution.ppf([0.02, 0.3, 0.5, 0.9])
    expected = distribution.cdf(at)
    seen = (draws[:, None] <= at).mean(axis=0)
    error = np.sqrt(np.clip(expected * (1 - expected), 0.0, None) / n)
    assert (np.abs(seen - expected) <= STANDARD_ERRORS * error + 1e-12).all()


@pytest.mark.parametrize("prior", IMPROPER.values(), ids=repr)
def test_nothing_can_be_drawn_from_an_improper_prior_and_it_has_no_interval(prior):
    with pytest.raises(bm.ModelError, match=r"Nothing can be drawn from .*\(\): it is improper"):
        prior_draws(prior, 10, np.random.default_rng(1))
    assert np.isnan(prior_interval(prior)).all()


@pytest.mark.parametrize("prior", [*EXAMPLES.values(), *MIXTURES], ids=repr)
@pytest.mark.parametrize("prob", [0.5, 0.95])
def test_interval_of_a_prior_leaves_equal_tails(prior, prob):
    below = law(prior).cdf(np.array(prior_interval(prior, prob)))
    assert_allclose(below, [(1 - prob) / 2, (1 + prob) / 2], **LOG_DENSITY)


def test_a_mixture_of_a_prior_with_itself_has_its_interval():
    """Rounding puts the quantile of either a little above or below: no root lies between."""
    prior = bm.Mixture(0.3, bm.Normal(1, 2), bm.Normal(1, 2))
    for prob in np.linspace(0.02, 0.98, 49):
        assert_allclose(prior_interval(prior, prob), stats.norm(1, 2).interval(prob), **LOG_DENSITY)


def test_a_spelling_may_have_eight_hundred_characters_and_no_more():
    text = "Normal(0, 1)".ljust(800)
    assert bm.parse_prior(text) == bm.Normal(0, 1)
    with pytest.raises(bm.ModelError):
        bm.parse_prior(text + " ")


def test_log_normal_has_no_density_at_zero_and_no_warning():
    assert log_density(bm.LogNormal(0, 1), np.array([0.0])).tolist() == [-np.inf]


@pytest.mark.parametrize("prior", [*EXAMPLES.values(), bm.LKJ(2)], ids=repr)
def test_priors_that_differ_in_one_number_are_different(prior):
    """Programs are stored and shared by the priors they are made of."""
    changed = [(name, value + 0.125) for name, value in prior.numbers.items() if "_" not in name]
    if isinstance(prior, bm.Mixture):
        changed += [("first", bm.Normal(0.3, 0.9)), ("second", bm.StudentT(3, -1, 0.3))]
    for name, value in changed:
        other = replace(prior, **{name: value})
        assert other != prior
        assert repr(other) != repr(prior)
        assert len({other, prior, replace(prior)}) == 2
