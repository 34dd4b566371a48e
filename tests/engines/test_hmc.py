"""Many tables by fixed-length HMC: its diagnostics, its answers, one program, its second chance."""

import jax
import numpy as np
import pandas as pd
import pytest
from arviz_stats.base import array_stats
from references import MAIN_TRIALS, binary
from tolerances import STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.engines.compiled.precision import float64
from bayesmeta.engines.sampling import hmc

TAU = bm.HalfNormal(0.5)
SHARED = bm.Exchangeable(bm.Normal(0, 10), bm.HalfNormal(1))
MODELS = {
    "beta-binomial": bm.BetaBinomial(mu=bm.Normal(0, 2)),
    "exchangeable": bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 2), tau=TAU, baseline=SHARED),
}
TRIALS = binary({name: MAIN_TRIALS[name] for name in list(MAIN_TRIALS)[2:9]})


def left_out(b):
    """The trials, in each table another one masked."""
    columns = {name: np.tile(values, (b, 1)) for name, values in TRIALS.numbers.items()}
    mask = np.ones((b, TRIALS.k))
    mask[np.arange(b), np.arange(b) % TRIALS.k] = 0
    return columns, mask


def without(at):
    return binary({n: MAIN_TRIALS[n] for i, n in enumerate(TRIALS.study) if i != at})


@pytest.fixture
def traces(monkeypatch):
    monkeypatch.setattr(hmc, "stored_program", lambda *_: None)
    hmc._program.cache_clear()
    hmc.TRACES.clear()
    yield hmc.TRACES
    hmc._program.cache_clear()


@pytest.mark.parametrize("slope", [-0.4, 0.0, 0.5, 0.9, 0.99])
def test_rhat_and_ess_are_those_of_arviz(slope):
    rng = np.random.default_rng(2)
    draws = rng.standard_normal((3, 4, 500))
    for i in range(1, 500):
        draws[..., i] += slope * draws[..., i - 1]
    draws[2, 0] += 3  # one chain elsewhere
    with float64():
        rhat, ess = hmc.split_rhat(draws), hmc.effective_size(draws)
    for i, one in enumerate(draws):
        assert float(rhat[i]) == pytest.approx(array_stats.rhat(one, method="split"), rel=1e-9)
        assert float(ess[i]) == pytest.approx(array_stats.ess(one, method="mean"), rel=0.05)


@pytest.mark.deep("HMC and NUTS of each table: 4 s a model")
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_batch_says_what_nuts_says_of_each_table(model):
    columns, mask = left_out(3)
    found = hmc.sample_many(model, columns, mask, seed=4)
    assert found["passed"].all()
    for at in (0, 2):
        one = bm.fit(model, without(at), bm.NUTS(seed=at))
        assert one.diagnostics.passed
        for name in ("mu", "tau" if "tau" in model.priors else "rho"):
            sd, row = found[f"{name}_sd"][at], one.convergence[name]
            error = np.hypot(sd / np.sqrt(found["ess"][at]), row["mcse_mean"])
            apart = found[f"{name}_mean"][at] - one[name].mean()
            assert abs(apart) <= STANDARD_ERRORS * error
            assert sd == pytest.approx(one[name].sd(), rel=0.15)
            ends = [found[f"{name}_{end}"][at] for end in ("lower", "median", "upper")]
            below = [float(one[name].cdf(x)) for x in ends]
            assert below == pytest.approx([0.025, 0.5, 0.975], abs=0.08)
        assert found["mu_below_zero"][at] == pytest.approx(one["mu"].cdf(0.0), abs=0.08)


@pytest.mark.deep("builds a program without what is stored, and runs it five times: 13 s")
def test_other_tables_numbers_and_sizes_share_one_program_and_say_the_same_again(traces):
    columns, mask = left_out(17)
    told = []
    model = MODELS["beta-binomial"]
    many = hmc.sample_many(model, columns, mask, seed=4, progress=lambda *at: told.append(at))
    assert told == [(16, 17), (17, 17)]
    assert {name: values.shape for name, values in many.items()} == dict.fromkeys(many, (17,))
    few = {name: values[:2, :5] for name, values in columns.items()}
    other = bm.BetaBinomial(mu=bm.Normal(1, 0.1), baseline=bm.Normal(-1, 1))
    moved = hmc.sample_many(other, few, mask[:2, :5], seed=4, prob=0.5)
    assert (moved["mu_mean"] > many["mu_mean"][:2] + 0.3).all()
    again = hmc.sample_many(model, {n: x[:17] for n, x in columns.items()}, mask, seed=4)
    np.testing.assert_array_equal(again["mu_mean"], many["mu_mean"])
    assert len(traces) == 1


@pytest.mark.deep("HMC twice and NUTS twice: 5 s")
def test_a_table_that_fails_its_gates_is_fitted_again_by_nuts(monkeypatch):
    columns, mask = left_out(2)
    model = MODELS["beta-binomial"]
    kept = hmc.sample_many(model, columns, mask, seed=4)
    assert not kept["refitted"].any()
    better = kept["ess"].max()
    monkeypatch.setattr(hmc, "ESS", better)
    found = hmc.sample_many(model, columns, mask, seed=4)
    worse = int(kept["ess"].argmin())
    assert found["refitted"].tolist() == [at == worse for at in range(2)]
    one = bm.fit(model, without(worse), bm.NUTS(seed=4 + worse))
    assert found["mu_mean"][worse] == one["mu"].mean()
    assert found["rho_upper"][worse] == one["rho"].quantile(0.975)
    assert found["passed"][worse] == one.diagnostics.passed
    assert found["mu_mean"][1 - worse] == kept["mu_mean"][1 - worse]


def test_models_without_an_exact_engine_are_sampled_many_at_once():
    rows = {"A": (3, 40, 8, 41), "B": (2, 22, 5, 25), "C": (6, 60, 9, 55), "D": (4, 50, 7, 48)}
    one = pd.DataFrame(
        [
            {"study": name, **dict(zip(bm.BinaryStudies.columns(), row, strict=True))}
            for name, row in rows.items()
        ]
    )
    frame = pd.concat([one.assign(g="a"), one.iloc[:3].assign(g="b")])
    model = bm.BetaBinomial(mu=bm.Normal(0, 2), rho=bm.Beta(1, 9))
    found = bm.fit_many(model, frame, by="g")
    assert (found["problem"] == "").all()
    alone = bm.fit(model, bm.BinaryStudies.from_frame(one))
    apart = abs(found["mu_mean"][0] - alone["mu"].mean()) / alone["mu"].sd()
    error = np.hypot(found["error"][0], alone.convergence["mu"]["mcse_mean"] / alone["mu"].sd())
    assert apart < 4 * error
    assert found["tau_mean"].isna().all()


def test_a_model_with_an_exact_engine_is_refused():
    with pytest.raises(bm.ModelError, match=r"exact engine: use Quadrature\(\)"):
        hmc.sample_many(bm.HypergeometricNormal(mu=SHARED.mean, tau=TAU), *left_out(1), seed=1)


@pytest.mark.deep("builds both programs for two platforms: 4 s a model")
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_both_samplers_lower_for_cuda(model):
    from bayesmeta.engines.sampling import nuts

    with float64():
        batch = hmc.batch(model, 5)
        shape = nuts.shape_of(model, {}, 5, bm.NUTS(seed=1))
        for function, inputs in (
            (hmc.trace(batch), hmc.example_inputs(batch)),
            (nuts.trace(shape), nuts.example_inputs(shape)),
        ):
            lowered = jax.export.export(function, platforms=["cpu", "cuda"])(*inputs)
            assert lowered.platforms == ("cpu", "cuda")
