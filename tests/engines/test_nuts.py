"""NUTS on the PyMC density: the density, the posterior, compilation, the user's settings."""

import os

import jax
import numpy as np
import pytest
from references import MAIN_TRIALS
from scipy import stats
from tolerances import STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta import simulate
from bayesmeta.engines import pymc_source
from bayesmeta.engines._jax import float64

MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
NAMES = ("events_treatment", "n_treatment", "events_control", "n_control")


def trials(names=tuple(MAIN_TRIALS)):
    columns = np.array([MAIN_TRIALS[name] for name in names], dtype=float).T
    return bm.BinaryStudies(study=names, **dict(zip(NAMES, columns, strict=True)))


def counts(measure):
    return bm.BinomialNormal(measure=measure, mu=MU, tau=TAU)


def made(model, data):
    from bayesmeta.engines._graph import density
    from bayesmeta.engines._nuts import _columns
    from bayesmeta.engines._pymc import build

    return density(build(model, data.study, _columns(model, data)))


@pytest.mark.parametrize("measure", ["OR", "RR"])
def test_the_likelihood_in_pymc_is_the_binomial_of_the_simulators_risks(measure):
    data, rng = trials(), np.random.default_rng(1)
    with float64():
        density = made(counts(measure), data)
        for spread in (0.5, 3.0):
            position = {
                "mu": np.float64(rng.normal(0, spread)),
                "tau_log__": np.float64(rng.normal(-1, 1)),
                "z": rng.normal(size=10),
                "baseline": rng.normal(-1, spread, size=10),
            }
            theta = position["mu"] + np.exp(position["tau_log__"]) * position["z"]
            treatment, control = simulate.risks(theta, position["baseline"], measure)
            by_hand = stats.binom.logpmf(data.events_treatment, data.n_treatment, treatment)
            by_hand += stats.binom.logpmf(data.events_control, data.n_control, control)
            found = density.log_likelihood(position, density.data)
            np.testing.assert_allclose(found, by_hand, rtol=1e-9, atol=1e-9)


def test_the_prior_in_pymc_is_the_product_of_the_priors_and_the_jacobian_of_log_tau():
    with float64():
        density = made(counts("OR"), trials())
        position = {
            "mu": np.float64(0.7),
            "tau_log__": np.float64(-0.4),
            "z": np.linspace(-1, 1, 10),
            "baseline": np.linspace(-5, 2, 10),
        }
        by_hand = (
            stats.norm.logpdf(0.7, 0, 2)
            + stats.halfnorm.logpdf(np.exp(-0.4), scale=0.5)
            - 0.4
            + stats.norm.logpdf(position["z"]).sum()
            + stats.norm.logpdf(position["baseline"], 0, 10).sum()
        )
        assert float(density.log_prior(position, density.data)) == pytest.approx(by_hand, abs=1e-9)


@pytest.mark.parametrize("measure", ["OR", "RR"])
def test_the_printed_source_is_the_model_that_is_sampled(measure):
    from bayesmeta.engines._graph import density

    data, model = trials(), counts(measure)
    position = {
        "mu": np.float64(-0.3),
        "tau_log__": np.float64(-1.0),
        "z": np.linspace(-1, 1, 10),
        "baseline": np.linspace(-3, 1, 10),
    }
    with float64():
        space = {"study": list(data.study), **{name: getattr(data, name) for name in NAMES}}
        exec(pymc_source(model), space)
        printed, sampled = density(space["model"]), made(model, data)
        np.testing.assert_allclose(
            printed.log_likelihood(position, printed.data),
            sampled.log_likelihood(position, sampled.data),
            atol=1e-10,
        )
        # PyTensor folds the literal numbers of printed priors in single precision: a constant.
        assert float(printed.log_prior(position, printed.data)) == pytest.approx(
            float(sampled.log_prior(position, sampled.data)), abs=1e-6
        )


def assert_agree(drawn, exact):
    assert drawn.diagnostics.passed, drawn.diagnostics.failures
    for name in ("mu", "tau", "theta_new"):
        row = drawn.convergence[name]
        assert row["ess_bulk"] >= 400
        apart = drawn[name].mean() - exact[name].mean()
        assert abs(apart) <= STANDARD_ERRORS * row["mcse_mean"]
        assert abs(drawn[name].sd() - exact[name].sd()) <= STANDARD_ERRORS * row["mcse_sd"]
    errors = [drawn.convergence[f"theta[{one}]"]["mcse_mean"] for one in exact.data.study]
    apart = drawn["theta"].mean() - exact["theta"].mean()
    assert (np.abs(apart) <= STANDARD_ERRORS * np.array(errors)).all()


@pytest.mark.parametrize("measure", ["OR", "RR"])
def test_counts_by_nuts_agree_with_the_exact_engine(measure):
    model, data = counts(measure), trials()
    assert_agree(bm.fit(model, data, bm.NUTS(seed=5, target_accept=0.95)), bm.fit(model, data))


def test_an_arm_in_which_everybody_has_the_event_does_not_break_the_sampler():
    rows = np.array([(12, 12, 25, 29), (21, 29, 16, 29), (9, 12, 5, 12)], dtype=float).T
    data = bm.BinaryStudies(study=("Shu", "Zhu", "Lanzoni"), **dict(zip(NAMES, rows, strict=True)))
    model = counts("RR")
    assert_agree(bm.fit(model, data, bm.NUTS(seed=2, target_accept=0.95)), bm.fit(model, data))


def test_the_normal_model_by_nuts_agrees_with_the_exact_engine():
    data = bm.effect_sizes(trials(), measure="RR")
    model = bm.NormalNormal(mu=MU, tau=TAU)
    assert_agree(bm.fit(model, data, bm.NUTS(seed=1, target_accept=0.95)), bm.fit(model, data))


def test_other_data_other_numbers_and_other_k_share_one_traced_program(monkeypatch):
    from bayesmeta.engines import _nuts

    monkeypatch.setattr(_nuts, "stored_program", lambda *_: None)
    _nuts._program.cache_clear()
    _nuts.TRACES.clear()
    engine = bm.NUTS(seed=1, draws=200, tune=200, chains=2)
    flags, precision = os.environ.get("XLA_FLAGS"), jax.config.jax_enable_x64
    for scale, names in ((0.5, tuple(MAIN_TRIALS)), (0.3, ("Shu", "Zhu", "Monsel"))):
        model = bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 1), tau=bm.HalfNormal(scale))
        bm.fit(model, trials(names), engine)
    assert len(_nuts.TRACES) == 1
    assert os.environ.get("XLA_FLAGS") == flags
    assert jax.config.jax_enable_x64 == precision
    _nuts._program.cache_clear()


def test_the_same_seed_gives_the_same_draws_and_another_seed_others():
    model, data = counts("RR"), trials()
    one, same, other = (
        bm.fit(model, data, bm.NUTS(seed=seed, target_accept=0.95)).draws()["posterior"]["mu"]
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_stored_program_that_is_not_whole_is_made_anew(tmp_path):
    from bayesmeta.engines._stored import load_program

    path = tmp_path / "x.program"
    path.write_bytes(b"not a program")
    assert load_program(path) is None
    assert load_program(tmp_path / "missing") is None
