"""NUTS on the PyMC density: the density, the posterior, compilation, the user's settings."""

import os
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from agreement import assert_agree
from references import MAIN_TRIALS
from scipy import stats

import bayesmeta as bm
from bayesmeta import simulate
from bayesmeta.engines import pymc_source
from bayesmeta.engines.compiled.precision import float64
from bayesmeta.priors import log_density

MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
NAMES = ("events_treatment", "n_treatment", "events_control", "n_control")


def trials(names=tuple(MAIN_TRIALS)):
    columns = np.array([MAIN_TRIALS[name] for name in names], dtype=float).T
    return bm.BinaryStudies(study=names, **dict(zip(NAMES, columns, strict=True)))


def counts(measure):
    return bm.BinomialNormal(measure=measure, mu=MU, tau=TAU)


def made(model, data):
    from bayesmeta.engines.graph.build import build
    from bayesmeta.engines.graph.functions import density
    from bayesmeta.engines.sampling.inputs import columns_for

    return density(build(model, data.study, columns_for(model, data)))


@pytest.mark.deep("a graph a measure: 1 s", but=["RR"])
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
            treatment, control = simulate.risks(
                theta, position["baseline"], counts(measure).likelihood.link
            )
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


@pytest.mark.deep("two graphs a measure: 1 s", but=["RR"])
@pytest.mark.parametrize("measure", ["OR", "RR"])
def test_the_printed_source_is_the_model_that_is_sampled(measure):
    from bayesmeta.engines.graph.functions import density

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


ROBUST = bm.Mixture(0.8, bm.Normal(-0.3, 0.2), bm.StudentT(3, 0, 1))
SOURCES = [  # mu, tau: every family once, and mixtures whose supports PyMC cannot map by itself
    (ROBUST, bm.HalfT(3, 0.5)),
    (bm.Flat(), bm.Flat()),
    (bm.Uniform(-3, 3), bm.Exponential(2)),
    (bm.Beta(2, 3), bm.Gamma(2, 3)),
    (bm.Normal(0, 1), bm.InverseGamma(1, 0.15)),
    (bm.Mixture(0.4, bm.Normal(0, 1), bm.HalfNormal(1)), bm.Beta(1.5, 3)),
    (bm.Mixture(0.4, bm.Uniform(-1, 1), bm.Beta(2, 2)), bm.HalfCauchy(0.5)),
    (
        bm.Mixture(0.4, bm.Uniform(-1, 1), bm.Exponential(2)),
        bm.Mixture(0.3, bm.Gamma(2, 4), bm.LogNormal(-1, 1)),
    ),
    (bm.StudentT(3, 0, 1), bm.Mixture(0.3, bm.Uniform(0.1, 2), bm.HalfNormal(1))),
    (bm.HalfNormal(1), bm.Mixture(0.3, bm.Uniform(0, 1), bm.Uniform(0, 1))),
]


@pytest.mark.deep(
    "two graphs for each pair of priors: 6 s in all",
    but=[
        "StudentT(3, 0, 1)-*",
    ],
)
@pytest.mark.parametrize(("mu", "tau"), SOURCES, ids=repr)
def test_the_printed_priors_are_the_priors_that_are_sampled(mu, tau):
    from bayesmeta.engines.graph.functions import density

    model = bm.NormalNormal(mu=mu, tau=tau)
    data = bm.EffectSizes.from_arrays(["A", "B"], [0.1, 0.4], [0.2, 0.3])
    with float64():
        space = {"study": list(data.study), "y": data.y, "se": data.se}
        exec(pymc_source(model), space)
        printed, sampled = density(space["model"]), made(model, data)
        assert printed.shapes == sampled.shapes
        positions = ({n: np.full(s, x) for n, s in sampled.shapes.items()} for x in (-0.7, 0.4))
        for position in positions:
            natural = sampled.parameters(position, sampled.data)
            by_hand = sum(
                float(log_density(prior, np.asarray(natural[name])))
                for name, prior in model.priors.items()
            )
            by_hand += stats.norm.logpdf(position["z"]).sum() + log_jacobian(sampled, position)
            found = float(sampled.log_prior(position, sampled.data))
            assert found == pytest.approx(by_hand, abs=1e-7)
            assert float(printed.log_prior(position, printed.data)) == pytest.approx(
                found, abs=1e-6
            )


def log_jacobian(density, position):
    """Log of the slopes of mu and tau in their unconstrained positions, by differences."""
    total = 0.0
    for key in set(position) - {"z"}:
        name, step = key.split("_")[0], 1e-6
        high, low = (
            density.parameters({**position, key: position[key] + sign * step}, density.data)[name]
            for sign in (1, -1)
        )
        total += float(np.log((high - low) / (2 * step)))
    return total


def test_a_program_knows_the_families_inside_a_mixture_and_their_numbers_are_inputs():
    from bayesmeta.engines.sampling.inputs import example, numbers, shape_of

    def shape(mu, tau=TAU):
        return shape_of(bm.NormalNormal(mu=mu, tau=tau), {}, 5, bm.NUTS(seed=1))

    other = bm.Mixture(0.1, bm.Normal(5, 3), bm.StudentT(9, 2, 4))
    assert shape(ROBUST) == shape(other)
    assert hash(shape(ROBUST)) == hash(shape(other))
    assert shape(ROBUST) != shape(bm.Mixture(0.8, ROBUST.second, ROBUST.first))
    assert shape(ROBUST) != shape(bm.Normal(0, 1))
    assert shape(bm.Flat()) != shape(bm.Normal(0, 1))
    assert list(numbers(bm.NormalNormal(mu=ROBUST, tau=bm.HalfT(3, 1)))) == [
        "mu_weight",
        "mu_first_mean",
        "mu_first_sd",
        "mu_second_df",
        "mu_second_mean",
        "mu_second_scale",
        "tau_df",
        "tau_scale",
    ]
    for mu, tau in SOURCES:
        same = example(bm.NormalNormal(mu=mu, tau=tau))
        assert shape(same.mu, same.tau) == shape(mu, tau)


@pytest.mark.deep(
    "a program for each pair of priors: 1 s, 6 where none is stored", but=["Flat()-Flat()"]
)
@pytest.mark.parametrize(
    ("mu", "tau"),
    [
        (ROBUST, bm.Mixture(0.6, bm.HalfNormal(0.2), bm.HalfT(4, 0.8))),
        (bm.Flat(), bm.Flat()),
    ],
    ids=repr,
)
def test_estimates_under_mixtures_and_flat_priors_agree_with_the_exact_engine(mu, tau):
    y = [0.3, 0.1, 0.5, -0.2, 0.8, 0.0, 0.2, 0.4]
    data = bm.EffectSizes.from_arrays(
        list("ABCDEFGH"), y, [0.2, 0.3, 0.4, 0.25, 0.5, 0.35, 0.1, 0.2]
    )
    model = bm.NormalNormal(mu=mu, tau=tau)
    assert_agree(
        bm.fit(model, data, bm.NUTS(seed=5, draws=2000, target_accept=0.97)), bm.fit(model, data)
    )


def test_without_a_named_engine_a_prior_goes_where_it_can_be_taken():
    from bayesmeta.engines import default_engine

    def engine(model):
        return type(default_engine(model))

    ends = bm.Mixture(0.5, bm.Normal(0, 1), bm.HalfNormal(1))
    for mu in (bm.LogNormal(0, 1), bm.Gamma(2, 1), bm.Beta(1, 2)):
        assert engine(bm.NormalNormal(mu=mu, tau=TAU)) is bm.Quadrature
        assert engine(bm.CommonEffect(mu=mu)) is bm.NUTS
    assert engine(bm.NormalNormal(mu=ends, tau=TAU)) is bm.NUTS
    for mu in (ROBUST, bm.Flat(), bm.HalfT(3, 1)):
        assert engine(bm.NormalNormal(mu=mu, tau=bm.Jeffreys())) is bm.Quadrature
    assert engine(counts("OR")) is bm.Quadrature
    assert engine(bm.BinomialNormal(measure="OR", mu=MU, tau=bm.HalfT(3, 1))) is bm.Quadrature
    assert engine(bm.BinomialNormal(measure="OR", mu=ROBUST, tau=TAU)) is bm.Quadrature
    shared = bm.Exchangeable(MU, TAU)
    assert engine(bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, baseline=shared)) is bm.NUTS
    assert engine(bm.BetaBinomial(mu=MU)) is bm.NUTS


@pytest.mark.deep("two graphs: 1 s")
def test_a_mixture_serves_for_the_baselines_too():
    baseline = bm.Mixture(0.3, bm.Normal(-2, 1), bm.StudentT(3, 0, 2))
    model = bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, baseline=baseline)
    with float64():
        density = made(model, trials())
        position = {name: np.full(shape, 0.3) for name, shape in density.shapes.items()}
        found = float(density.log_prior(position, density.data))
        one = float(log_density(baseline, np.array(0.3)))
        rest = stats.norm.logpdf(0.3, 0, 2) + 10 * stats.norm.logpdf(0.3)
        rest += stats.halfnorm.logpdf(np.exp(0.3), scale=0.5) + 0.3
        assert found == pytest.approx(rest + 10 * one, abs=1e-9)
        space = {"study": list(trials().study), **{n: getattr(trials(), n) for n in NAMES}}
        exec(pymc_source(model), space)
        assert "baseline" in space["model"].named_vars


def test_what_nuts_cannot_take_is_refused():
    data = bm.EffectSizes.from_arrays(["A", "B", "C"], [0.1, 0.4, 0.2], [0.2, 0.3, 0.2])
    with pytest.raises(bm.ModelError, match=r"no PyMC form of Jeffreys\(\).*use Quadrature\(\)"):
        bm.fit(bm.NormalNormal(mu=MU, tau=bm.Jeffreys()), data, bm.NUTS(seed=1))
    with pytest.raises(bm.ModelError, match="no PyMC form of Jeffreys"):
        pymc_source(bm.NormalNormal(mu=MU, tau=bm.Jeffreys()))
    with pytest.raises(bm.ModelError, match="takes 3 or more"):
        bm.fit(
            bm.NormalNormal(mu=bm.Flat(), tau=bm.Flat()),
            bm.EffectSizes.from_arrays(["A", "B"], [0.1, 0.4], [0.2, 0.3]),
            bm.NUTS(seed=1),
        )


@pytest.mark.deep("a program a measure: 1 s, 6 where none is stored")
@pytest.mark.parametrize("measure", ["OR", "RR"])
def test_counts_by_nuts_agree_with_the_exact_engine(measure):
    model, data = counts(measure), trials()
    assert_agree(bm.fit(model, data, bm.NUTS(seed=5, target_accept=0.95)), bm.fit(model, data))


@pytest.mark.deep("NUTS on risk ratios beside the grid with corners: 4 s")
def test_an_arm_in_which_everybody_has_the_event_does_not_break_the_sampler():
    rows = np.array([(12, 12, 25, 29), (21, 29, 16, 29), (9, 12, 5, 12)], dtype=float).T
    data = bm.BinaryStudies(study=("Shu", "Zhu", "Lanzoni"), **dict(zip(NAMES, rows, strict=True)))
    model = counts("RR")
    assert_agree(bm.fit(model, data, bm.NUTS(seed=2, target_accept=0.95)), bm.fit(model, data))


def test_the_normal_model_by_nuts_agrees_with_the_exact_engine():
    data = bm.effect_sizes(trials(), measure="RR")
    model = bm.NormalNormal(mu=MU, tau=TAU)
    assert_agree(bm.fit(model, data, bm.NUTS(seed=1, target_accept=0.95)), bm.fit(model, data))


def test_a_run_that_is_too_short_fails_its_gates_after_a_second_attempt_and_says_where():
    data = bm.effect_sizes(trials(), measure="RR")
    short = bm.NUTS(seed=1, draws=100, tune=100, chains=2)
    found = bm.fit(bm.NormalNormal(mu=MU, tau=TAU), data, short)
    assert found.diagnostics.attempts == 2
    assert not found.diagnostics.passed
    worst = next(check for check in found.diagnostics.failures if check.name == "bulk ESS")
    assert worst.value == min(row["ess_bulk"] for row in found.convergence.values()) < 400
    assert found.convergence[worst.where]["ess_bulk"] == worst.value
    assert found.draws()["posterior"]["mu"].shape == (4, 100)


@pytest.mark.deep("builds a program without what is stored: 3 s, 10 where nothing is")
def test_other_data_other_numbers_and_other_k_share_one_traced_program(monkeypatch):
    from bayesmeta.engines.sampling import nuts

    monkeypatch.setattr(nuts, "stored_program", lambda *_: None)
    nuts._program.cache_clear()
    nuts.TRACES.clear()
    engine = bm.NUTS(seed=1, draws=200, tune=200, chains=2)
    flags, precision = os.environ.get("XLA_FLAGS"), jax.config.jax_enable_x64
    for scale, names in ((0.5, tuple(MAIN_TRIALS)), (0.3, ("Shu", "Zhu", "Monsel"))):
        model = bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 1), tau=bm.HalfNormal(scale))
        bm.fit(model, trials(names), engine)
    assert len(nuts.TRACES) == 1
    assert os.environ.get("XLA_FLAGS") == flags
    assert jax.config.jax_enable_x64 == precision
    nuts._program.cache_clear()


@pytest.mark.deep("NUTS three times: 2 s")
def test_the_same_seed_gives_the_same_draws_and_another_seed_others():
    model, data = counts("RR"), trials()
    one, same, other = (
        bm.fit(model, data, bm.NUTS(seed=seed, target_accept=0.95)).draws()["posterior"]["mu"]
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_stored_program_that_is_not_whole_is_made_anew(tmp_path):
    from bayesmeta.engines.compiled.stored import load_program

    path = tmp_path / "x.program"
    path.write_bytes(b"not a program")
    assert load_program(path) is None
    assert load_program(tmp_path / "missing") is None


TRACED = {
    "estimates": bm.NormalNormal(mu=MU, tau=TAU),
    "counts": counts("OR"),
    "arms": bm.ContinuousNormal(
        measure="MD", mu=MU, tau=TAU, log_sd=bm.Normal(1, 1), baseline=bm.Normal(0, 5)
    ),
    "several outcomes": bm.MultivariateNormal(
        mu={"x": MU, "y": MU}, tau=TAU, rho=bm.Uniform(-1, 1)
    ),
}


FOR_ALL = (
    "engines/__init__.py",
    "machine/forks.py",
    "machine/places.py",
    "machine/threads.py",
    *(
        f"engines/compiled/{one}.py"
        for one in ("executables", "folder", "precision", "stored", "whole")
    ),
)


@pytest.mark.deep("traces a program under a profiler: 5 s a model")
@pytest.mark.parametrize("name", TRACED)
def test_a_stored_program_is_made_anew_when_anything_it_is_written_in_changes(name):
    """Every file of the package with a function that runs while a program is traced is in its key.

    Apart from the room's face, which names engines, and what is done for every program alike.
    """
    from bayesmeta.engines.compiled import stored
    from bayesmeta.engines.sampling import nuts

    model = TRACED[name]
    if name == "several outcomes":
        y, se = np.zeros((5, 2)), np.ones((5, 2))
        data = bm.MultivariateEffects(study=tuple("ABCDE"), outcome=("x", "y"), y=y, se=se)
        model = model.numbered(data)
    shape = nuts.shape_of(model, {}, 5, bm.NUTS(seed=1))
    engines = Path(nuts.__file__).parents[1]
    ran = files_that_run(
        lambda: jax.export.export(nuts.trace(shape))(*nuts.example_inputs(shape)), engines.parent
    )
    made = ("sampling/nuts.py", "sampling/_chain.py", "graph/functions.py", "graph/build.py")
    assert {engines / name for name in made} <= ran
    assert ran - {engines.parent / one for one in FOR_ALL} <= set(stored.written_in())


def files_that_run(work, package):
    seen = set()

    def note(frame, event, _):
        if event == "call":
            seen.add(frame.f_code.co_filename)

    with float64():
        sys.setprofile(note)
        try:
            work()
        finally:
            sys.setprofile(None)
    return {path for path in map(Path, seen) if path.is_relative_to(package)}


@pytest.mark.deep("traces a program under a profiler: 3 s each")
@pytest.mark.parametrize("name", ["estimates", "counts"])
def test_so_is_a_stored_program_of_many_tables_at_once(name, monkeypatch):
    from bayesmeta.engines import batch
    from bayesmeta.engines.compiled import stored
    from bayesmeta.engines.many import counts as many_counts
    from bayesmeta.engines.many import normal

    monkeypatch.setattr(stored, "stored_program", lambda *_: None)
    model = TRACED[name]
    table = {one: np.full((20, 3), 9.0) for one in model.takes.columns()}
    for one in (normal, many_counts):
        one.compiled.cache_clear()
    engines = Path(stored.__file__).parents[1]
    ran = files_that_run(lambda: batch(model)(table, prob=0.95, quantiles=True), engines.parent)
    made = {"estimates": "many/normal_program.py", "counts": "many/counts.py"}
    assert engines / made[name] in ran
    assert ran - {engines.parent / one for one in FOR_ALL} <= set(stored.written_in())
