"""Priors: one spelling, checked numbers, and densities that agree with scipy.stats."""

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import integrate, stats
from tolerances import LOG_DENSITY

import bayesmeta as bm
from bayesmeta.priors import FAMILIES, log_density

finite = st.floats(-1e6, 1e6)
positive = st.floats(1e-6, 1e6)
PRIORS = {
    "Normal": st.builds(bm.Normal, finite, positive),
    "StudentT": st.builds(bm.StudentT, st.floats(0.1, 200), finite, positive),
    "HalfNormal": st.builds(bm.HalfNormal, positive),
    "HalfCauchy": st.builds(bm.HalfCauchy, positive),
    "LogNormal": st.builds(bm.LogNormal, st.floats(-10, 10), st.floats(1e-3, 10)),
    "Uniform": st.builds(
        lambda low, width: bm.Uniform(low, low + width), finite, st.floats(1e-3, 1e6)
    ),
}
FROZEN = {
    "Normal": lambda p: stats.norm(p.mean, p.sd),
    "StudentT": lambda p: stats.t(p.df, p.mean, p.scale),
    "HalfNormal": lambda p: stats.halfnorm(0, p.scale),
    "HalfCauchy": lambda p: stats.halfcauchy(0, p.scale),
    "LogNormal": lambda p: stats.lognorm(p.sd, 0, math.exp(p.mean)),
    "Uniform": lambda p: stats.uniform(p.low, p.high - p.low),
}
any_prior = st.one_of(*PRIORS.values())


def test_every_family_is_in_the_table_of_this_file():
    assert set(FAMILIES) == set(PRIORS) == set(FROZEN)


@given(any_prior)
def test_spelling_of_a_prior_reads_back_as_the_same_prior(prior):
    assert bm.parse_prior(repr(prior)) == prior


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(5e-324, 1e308))
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
        ("HalfNormal(" + "1" * 300 + ")", "is not a prior"),
        ("halfnormal(0.5)", "'halfnormal' is not a prior; there are Normal, StudentT"),
        ("Gamma(1, 2)", "'Gamma' is not a prior; there are Normal"),
        ("HalfNormal()", "HalfNormal takes scale"),
        ("Normal(0)", "Normal takes mean, sd"),
        ("Normal(0, 2, 3)", "Normal takes mean, sd"),
        ("Normal(0, sigma=2)", "Normal takes mean, sd"),
        ("Normal(0, 2, mean=1)", "Normal takes mean, sd"),
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
    ],
)
def test_bad_spellings_are_refused_with_what_would_be_right(text, words):
    with pytest.raises(bm.ModelError, match=words):
        bm.parse_prior(text)


@given(st.text(max_size=40))
def test_any_text_is_a_prior_or_a_model_error(text):
    with contextlib.suppress(bm.ModelError):
        assert bm.parse_prior(text).numbers


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


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_support_is_that_of_scipy(family):
    prior = {
        "Normal": bm.Normal(1, 2),
        "StudentT": bm.StudentT(3, 1, 2),
        "HalfNormal": bm.HalfNormal(2),
        "HalfCauchy": bm.HalfCauchy(2),
        "LogNormal": bm.LogNormal(1, 2),
        "Uniform": bm.Uniform(-1, 2),
    }[family]
    assert prior.support == FROZEN[family](prior).support()


@pytest.mark.parametrize("family", sorted(FAMILIES))
@given(data=st.data())
def test_log_densities_equal_scipy(family, data):
    prior = data.draw(PRIORS[family])
    law = FROZEN[family](prior)
    q = data.draw(st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=5))
    x = np.clip(law.ppf(q), *prior.support)
    expected = law.logpdf(x)
    assert_allclose(log_density(prior, x), expected, **LOG_DENSITY)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_densities_integrate_to_one(family):
    prior = {
        "Normal": bm.Normal(0.3, 0.7),
        "StudentT": bm.StudentT(2.5, -0.3, 0.4),
        "HalfNormal": bm.HalfNormal(0.5),
        "HalfCauchy": bm.HalfCauchy(0.5),
        "LogNormal": bm.LogNormal(-1, 0.8),
        "Uniform": bm.Uniform(-0.2, 0.9),
    }[family]
    low, high = prior.support
    total = integrate.quad(
        lambda x: float(np.exp(log_density(prior, np.array([x]))[0])),
        low,
        high,
        epsabs=1e-12,
        limit=200,
    )[0]
    assert total == pytest.approx(1, abs=1e-8)


def test_log_normal_has_no_density_at_zero_and_no_warning():
    assert log_density(bm.LogNormal(0, 1), np.array([0.0])).tolist() == [-np.inf]
