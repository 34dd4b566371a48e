"""What must not change when studies are permuted, renamed, swapped or measured in other units."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from references import numbered, swapped
from tolerances import INVARIANCE, INVARIANCE_OF_A_ROOT

import bayesmeta as bm

Q = [0.025, 0.5, 0.975]


@st.composite
def effects(draw, *, least: int = 2, most: int = 7):
    k = draw(st.integers(least, most))
    y = draw(st.lists(st.floats(-2, 2), min_size=k, max_size=k))
    se = draw(st.lists(st.floats(0.05, 1), min_size=k, max_size=k))
    return np.array(y), np.array(se)


@st.composite
def tables(draw, *, least: int = 2, most: int = 6):
    """Counts in two arms, zeros likely; at least one study informs any ratio."""
    k = draw(st.integers(least, most))
    n = draw(st.lists(st.tuples(st.integers(4, 60), st.integers(4, 60)), min_size=k, max_size=k))
    events = [(draw(st.integers(0, a - 1)), draw(st.integers(0, b - 1))) for a, b in n]
    events[0] = (max(events[0][0], 1), max(events[0][1], 1))
    columns = np.array([(e1, n1, e0, n0) for (e1, e0), (n1, n0) in zip(events, n, strict=True)]).T
    names = ("events_treatment", "n_treatment", "events_control", "n_control")
    return bm.BinaryStudies(study=numbered(k), **dict(zip(names, columns, strict=True)))


def sizes(y, se, study=None) -> bm.EffectSizes:
    return bm.EffectSizes.from_arrays(study or numbered(len(y)), y, se)


def model(unit: float = 1.0, *, shift: float = 0.0, sign: float = 1.0) -> bm.NormalNormal:
    mu = bm.StudentT(4, sign * (0.3 + shift) * unit, 1.5 * unit)
    return bm.NormalNormal(mu=mu, tau=bm.HalfNormal(0.5 * unit))


def pooled(data) -> np.ndarray:
    """Everything a frequentist fit says of location and spread, in the unit of y."""
    found = []
    for tau2 in ("DL", "REML"):
        fit = bm.random_effects(data, tau2=tau2)
        found += [fit.estimate, np.sqrt(fit.tau2), *(spread.se for spread in fit.spreads.values())]
    common = bm.common_effect(data)
    return np.array([*found, common.estimate, common.se])


@settings(max_examples=settings().max_examples * 4 // 5)
@given(effects(), st.randoms(use_true_random=False))
def test_order_of_the_studies_does_not_matter(data, random):
    y, se = data
    order = list(range(len(y)))
    random.shuffle(order)
    here = sizes(y, se)
    there = sizes(y[order], se[order], [here.study[i] for i in order])
    assert_allclose(pooled(there), pooled(here), **INVARIANCE_OF_A_ROOT)
    one, two = bm.fit(model(), here), bm.fit(model(), there)
    for name in ("mu", "tau", "theta_new"):
        assert_allclose(two[name].quantile(Q), one[name].quantile(Q), **INVARIANCE)
    assert_allclose(two.log_marginal_likelihood, one.log_marginal_likelihood, **INVARIANCE)
    for study in here.study:
        assert_allclose(two["theta"][study].mean(), one["theta"][study].mean(), **INVARIANCE)


@settings(max_examples=settings().max_examples * 3 // 10)
@given(effects())
def test_names_of_the_studies_do_not_matter(data):
    y, se = data
    one, two = sizes(y, se), sizes(y, se, [f"Müller & Söhne {i}" for i in range(len(y))])
    assert (pooled(one) == pooled(two)).all()
    q = [bm.fit(model(), each)["mu"].quantile(Q) for each in (one, two)]
    assert (q[0] == q[1]).all()


@settings(max_examples=settings().max_examples * 4 // 5)
@given(effects())
def test_sign_of_the_effect_turns_everything_round(data):
    """The prior of mu is off zero and turns too: a sign lost anywhere shows."""
    y, se = data
    assert_allclose(
        bm.random_effects(sizes(-y, se)).estimate, -bm.random_effects(sizes(y, se)).estimate
    )
    one, two = bm.fit(model(), sizes(y, se)), bm.fit(model(sign=-1.0), sizes(-y, se))
    for name in ("mu", "theta_new"):
        assert_allclose(-two[name].quantile(Q)[::-1], one[name].quantile(Q), **INVARIANCE)
        assert_allclose(two[name].cdf(0.0), 1 - one[name].cdf(0.0), **INVARIANCE)
    assert_allclose(two["tau"].quantile(Q), one["tau"].quantile(Q), **INVARIANCE)
    assert_allclose(two["theta"].mean(), -one["theta"].mean(), **INVARIANCE)
    assert_allclose(two.log_marginal_likelihood, one.log_marginal_likelihood, **INVARIANCE)


@settings(max_examples=settings().max_examples * 4 // 5)
@given(effects(), st.sampled_from([1e-6, 1e-3, 0.1, 20.0, 1e4]))
def test_unit_of_measurement_scales_everything(data, unit):
    y, se = data
    here, there = sizes(y, se), sizes(y * unit, se * unit)
    assert_allclose(pooled(there) / unit, pooled(here), **INVARIANCE_OF_A_ROOT)
    assert_allclose(bm.random_effects(there).i2, bm.random_effects(here).i2, **INVARIANCE_OF_A_ROOT)
    one, two = bm.fit(model(), here), bm.fit(model(unit), there)
    for name in ("mu", "tau", "theta_new"):
        assert_allclose(two[name].quantile(Q) / unit, one[name].quantile(Q), **INVARIANCE)
    gain = two.log_marginal_likelihood + len(y) * np.log(unit)
    assert_allclose(gain, one.log_marginal_likelihood, **INVARIANCE)


@settings(max_examples=settings().max_examples * 4 // 5)
@given(effects(), st.floats(-3, 3))
def test_shift_of_estimates_and_prior_shifts_mu_and_leaves_tau(data, shift):
    y, se = data
    one, two = bm.fit(model(), sizes(y, se)), bm.fit(model(shift=shift), sizes(y + shift, se))
    assert_allclose(two["mu"].quantile(Q) - shift, one["mu"].quantile(Q), **INVARIANCE)
    assert_allclose(two["tau"].quantile(Q), one["tau"].quantile(Q), **INVARIANCE)


@given(tables())
def test_swapping_the_arms_changes_the_sign_of_log_ratios_and_nothing_else(studies):
    for measure in ("OR", "RR"):
        for rule in ("if_needed", "all"):
            here = bm.effect_sizes(studies, measure=measure, zero_cells=rule)
            there = bm.effect_sizes(swapped(studies), measure=measure, zero_cells=rule)
            assert_allclose(there.y, -here.y, **INVARIANCE)
            assert_allclose(there.se, here.se, **INVARIANCE)
            assert there.study == here.study


@given(tables())
def test_swapping_the_arms_changes_the_sign_of_mantel_haenszel_and_nothing_else(studies):
    for measure in ("OR", "RR"):
        here, there = (
            bm.common_effect(each, weights="MH", measure=measure)
            for each in (studies, swapped(studies))
        )
        assert_allclose(there.estimate, -here.estimate, **INVARIANCE)
        assert_allclose((there.se, there.q, there.i2), (here.se, here.q, here.i2), **INVARIANCE)
        assert (there.k, there.excluded) == (here.k, here.excluded)


@given(tables())
def test_counting_non_events_changes_the_sign_of_the_log_odds_ratio(studies):
    survivors = bm.BinaryStudies(
        study=studies.study,
        events_treatment=studies.n_treatment - studies.events_treatment,
        n_treatment=studies.n_treatment,
        events_control=studies.n_control - studies.events_control,
        n_control=studies.n_control,
    )
    here, there = (bm.effect_sizes(each, measure="OR") for each in (studies, survivors))
    assert_allclose(there.y, -here.y, **INVARIANCE)
    assert_allclose(there.se, here.se, **INVARIANCE)


@settings(max_examples=settings().max_examples * 2)
@given(tables())
def test_splitting_off_a_study_without_events_changes_no_pooled_ratio(studies):
    silent = bm.BinaryStudies(
        study=(*studies.study, "silent"),
        events_treatment=[*studies.events_treatment, 0],
        n_treatment=[*studies.n_treatment, 40],
        events_control=[*studies.events_control, 0],
        n_control=[*studies.n_control, 30],
    )
    for measure in ("OR", "RR"):
        for weights in ("IV", "MH"):
            here, there = (
                bm.common_effect(each, weights=weights, measure=measure)
                for each in (studies, silent)
            )
            assert (there.estimate, there.se, there.k) == pytest.approx(
                (here.estimate, here.se, here.k)
            )
            assert "silent" in there.excluded
