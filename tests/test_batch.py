"""fit_many: the answers of `fit`, many at a time, whatever the form of the tables."""

import pickle
from concurrent.futures import Future

import jax
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from jax import export
from numpy.testing import assert_allclose
from scipy.special import ndtr
from tolerances import LOG_DENSITY

import bayesmeta as bm
from bayesmeta.batch import answers, tasks
from bayesmeta.cli import main
from bayesmeta.engines import batch as many_of
from bayesmeta.engines.compiled.precision import float64
from bayesmeta.engines.compiled.priors import density
from bayesmeta.engines.compiled.quantiles import normal
from bayesmeta.engines.many import normal as _batch_normal
from bayesmeta.engines.many import normal_program
from bayesmeta.priors import log_density

MODEL = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
AGREEMENT = 1e-7  # of a posterior SD, and of probabilities: what one wrong node would exceed


def simulated(groups, k, *, spread=0.3, seed=0):
    rng = np.random.default_rng(seed)
    se = np.exp(rng.normal(-1.2, 0.5, (groups, k)))
    theta = rng.normal(-0.3, 0.2, (groups, 1)) + spread * rng.standard_normal((groups, k))
    return {"y": theta + se * rng.standard_normal((groups, k)), "se": se}


def long(arrays):
    groups, k = arrays["y"].shape
    names = {"group": np.repeat(np.arange(groups), k), "study": np.tile(np.arange(k), groups)}
    frame = pd.DataFrame({**names, **{name: each.ravel() for name, each in arrays.items()}})
    return frame.dropna().reset_index(drop=True)


def alone(model, y, se):
    """The row that `fit` gives, and the unit of each of its numbers."""
    keep = ~np.isnan(y)
    data = bm.EffectSizes.from_arrays(
        [f"study {i}" for i in np.flatnonzero(keep)], y[keep], se[keep]
    )
    fit = bm.fit(model, data)
    mu, tau, new = fit["mu"], fit["tau"], fit["theta_new"]
    numbers = {
        "mu_mean": mu.mean(),
        "mu_sd": mu.sd(),
        "prob_below_null": mu.cdf(0.0),
        "log_marginal_likelihood": fit.log_marginal_likelihood,
        "tau_mean": tau.mean(),
    }
    for short, marginal in (("mu", mu), ("tau", tau), ("new", new)):
        numbers[f"{short}_lower"], numbers[f"{short}_upper"] = marginal.interval(0.95)
        numbers[f"{short}_median"] = marginal.quantile(0.5)
    del numbers["new_median"]
    spread = {
        one: np.subtract(*marginal.quantile([0.84, 0.16])) / 2
        for one, marginal in (("mu", mu), ("tau", tau), ("new", new))
    }
    return numbers, {name: spread.get(name.split("_")[0], 1.0) for name in numbers}


def assert_agrees(model, arrays, table):
    for i, (y, se) in enumerate(zip(arrays["y"], arrays["se"], strict=True)):
        numbers, units = alone(model, y, se)
        for name, value in numbers.items():
            gap = abs(table[name][i] - value) / units[name]
            assert gap <= AGREEMENT, (i, name, gap, table["error"][i])


TABLES = {
    "one study": simulated(3, 1),
    "two studies": simulated(4, 2),
    "fourteen": simulated(4, 14),
    "the same y": {"y": np.full((2, 13), 0.3), "se": np.full((2, 13), 0.2)},
    "spread wide": simulated(3, 14, spread=3.0),
    "far from null": {"y": 50 + simulated(2, 4)["y"], "se": simulated(2, 4)["se"]},
    "an outlier": {
        "y": simulated(2, 9)["y"] + 30.0 * (np.arange(9) == 0),
        "se": simulated(2, 9)["se"],
    },
}
PRIORS = (
    bm.HalfNormal(0.5),
    bm.HalfCauchy(0.5),
    bm.Uniform(0, 2),
    bm.Uniform(0.1, 30),
    bm.LogNormal(-1, 0.8),
)


@pytest.mark.deep(
    "a program for each prior of tau and each size: 5 s, 20 where none is stored",
    but=["*-HalfNormal(0.5)", "two*"],
)
@pytest.mark.parametrize("prior", PRIORS, ids=repr)
@pytest.mark.parametrize("name", TABLES)
def test_the_answers_are_those_of_fit(name, prior):
    model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=prior)
    assert_agrees(model, TABLES[name], bm.fit_many(model, TABLES[name]))


@pytest.mark.deep(
    "a program for each prior and each size: 5 s, 20 where none is stored",
    but=["two studies-StudentT(3, 0, 1)"],
)
@pytest.mark.parametrize("prior", [bm.StudentT(3, 0, 1), bm.StudentT(1, 0.5, 2)], ids=repr)
@pytest.mark.parametrize("name", ["two studies", "fourteen", "far from null"])
def test_a_student_t_prior_of_mu_is_a_mixture_here_too(name, prior):
    model = bm.NormalNormal(mu=prior, tau=bm.HalfNormal(0.5))
    assert_agrees(model, TABLES[name], bm.fit_many(model, TABLES[name]))


@pytest.mark.deep("a program for each size: 1 s, 3 where none is stored", but=["40"])
@pytest.mark.parametrize("k", [40, 130])
def test_large_tables_agree(k):
    assert_agrees(MODEL, simulated(2, k), bm.fit_many(MODEL, simulated(2, k)))


@given(
    k=st.integers(1, 4),
    spread=st.floats(0, 2),
    unit=st.sampled_from([0.01, 1.0, 100.0]),
    seed=st.integers(0, 1000),
)
def test_random_tables_agree_in_any_unit(k, spread, unit, seed):
    arrays = {name: unit * each for name, each in simulated(1, k, spread=spread, seed=seed).items()}
    model = bm.NormalNormal(mu=bm.Normal(0, 2 * unit), tau=bm.HalfNormal(0.5 * unit))
    assert_agrees(model, arrays, bm.fit_many(model, arrays))


def test_most_are_fitted_many_at_once_and_say_so():
    table = bm.fit_many(MODEL, simulated(200, 14))
    assert (table["engine"] == "Quadrature(), many at once").all()
    assert (table["error"] <= 1e-7).all()


def test_what_is_not_settled_at_once_is_fitted_by_itself():
    table = bm.fit_many(
        bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.01)), TABLES["an outlier"]
    )
    assert table["engine"].str.contains("nodes").all()
    assert (table["error"] <= 1e-10).all()


def test_many_unsettled_ones_get_more_nodes_together():
    arrays = simulated(300, 14, spread=3.0)
    table = bm.fit_many(MODEL, arrays, quantiles=False)
    assert (table["engine"] == "Quadrature(), many at once").mean() > 0.9
    numbers, units = alone(MODEL, arrays["y"][0], arrays["se"][0])
    for name in ("mu_mean", "tau_mean", "log_marginal_likelihood"):
        assert abs(table[name][0] - numbers[name]) <= AGREEMENT * units[name]


def test_a_table_and_arrays_give_the_same_rows():
    arrays = simulated(30, 5)
    table = bm.fit_many(MODEL, long(arrays), by="group")
    pd.testing.assert_frame_equal(
        table.drop(columns="group"), bm.fit_many(MODEL, arrays), atol=1e-12
    )
    assert list(table["group"]) == list(range(30))


def test_nan_marks_that_there_is_no_study():
    arrays = simulated(6, 7)
    holes = {name: each.copy() for name, each in arrays.items()}
    for name in holes:
        holes[name][:, [1, 4]] = np.nan
    fewer = {name: np.delete(each, [1, 4], axis=1) for name, each in arrays.items()}
    table = bm.fit_many(MODEL, holes)
    assert (table["k"] == 5).all()
    pd.testing.assert_frame_equal(table, bm.fit_many(MODEL, fewer), rtol=1e-12, atol=1e-13)


def test_rows_in_any_order_and_groups_of_any_size():
    frame = long(simulated(12, 6))
    frame = frame[~((frame["study"] > 2) & (frame["group"] % 3 == 0))]
    mixed = frame.sample(frac=1, random_state=1)
    table = bm.fit_many(MODEL, mixed, by="group")
    assert list(table["group"]) == list(mixed["group"].drop_duplicates())
    ordered = table.sort_values("group", ignore_index=True)
    pd.testing.assert_frame_equal(ordered, bm.fit_many(MODEL, frame, by="group"), atol=1e-12)
    assert set(ordered["k"]) == {3, 6}


def test_several_columns_name_a_group():
    frame = long(simulated(4, 3)).assign(
        outcome=lambda f: f["group"] // 2, arm=lambda f: f["group"] % 2
    )
    table = bm.fit_many(MODEL, frame.drop(columns="group"), by=["outcome", "arm"])
    assert table[["outcome", "arm"]].to_numpy().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_rows_without_a_key_are_a_group_of_their_own():
    frame = pd.DataFrame(
        {"g": ["a", None, "a", None], "y": [0.1, 0.3, 0.2, 0.5], "se": [0.2, 0.2, 0.3, 0.3]}
    )
    model = bm.CommonEffect(mu=MODEL.mu)
    table = bm.fit_many(model, frame, by="g")
    named = bm.fit_many(model, frame.fillna({"g": "none"}), by="g")
    assert table["g"].isna().tolist() == [False, True]
    pd.testing.assert_frame_equal(table.drop(columns="g"), named.drop(columns="g"))


def test_one_group_without_study_names():
    table = bm.fit_many(
        MODEL, pd.DataFrame({"g": ["a", "a"], "y": [0.1, 0.3], "se": [0.2, 0.2]}), by="g"
    )
    assert len(table) == 1
    assert table["k"][0] == 2
    assert table["problem"][0] == ""


BAD = {
    "se": ([0.1, 0.2], [0.2, 0.0], ["A", "B"], "se must be positive; check B (row 2 of the group)"),
    "gap": (
        [0.1, np.nan],
        [0.2, 0.3],
        ["A", "B"],
        "y is missing or not finite for B (row 2 of the group)",
    ),
    "twice": ([0.1, 0.2], [0.2, 0.3], ["A", "A"], "study names must be unique; these repeat: A"),
    "nameless": ([0.1, 0.2], [0.2, 0.3], ["A", " "], "study has no name in row 2"),
    "word": (
        [0.1, "x"],
        [0.2, 0.3],
        ["A", "B"],
        "y must be a number; check B (row 2 of the group): got 'x'",
    ),
    "huge": (
        [0.1, 1e60],
        [0.2, 0.3],
        ["A", "B"],
        "of a size that can be squared; check B (row 2 of the group)",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_group_is_named_and_stops_nobody(kind):
    y, se, study, said = BAD[kind]
    bad = pd.DataFrame({"g": "bad", "study": study, "y": y, "se": se})
    good = pd.DataFrame({"g": "good", "study": ["A", "B"], "y": [0.1, 0.2], "se": [0.2, 0.3]})
    table = bm.fit_many(MODEL, pd.concat([good, bad, good.assign(g="last")]), by="g")
    assert list(table["g"]) == ["good", "bad", "last"]
    assert said in table["problem"][1]
    assert table.loc[1, list(answers.NUMBERS)].isna().all()
    rest = table.loc[[0, 2]]
    assert (rest["problem"] == "").all()
    assert rest["mu_mean"].notna().all()


def test_a_gap_in_one_array_alone_is_a_problem_of_that_row():
    arrays = simulated(3, 4)
    arrays["se"][1, 2] = np.nan
    arrays["y"][2], arrays["se"][2] = np.nan, np.nan
    table = bm.fit_many(MODEL, arrays)
    assert "se is missing or not finite for 3 (row 3 of the group)" in table["problem"][1]
    assert "no rows" in table["problem"][2]
    assert table["problem"][0] == ""


def test_numbers_as_text_are_numbers():
    frame = long(simulated(3, 4))
    texts = frame.assign(y=frame["y"].map(repr), se=frame["se"].map(repr))
    pd.testing.assert_frame_equal(
        bm.fit_many(MODEL, texts, by="group"), bm.fit_many(MODEL, frame, by="group")
    )


COUNTS = pd.DataFrame(
    {
        "g": ["a", "a", "b", "b", "c"],
        "study": ["A", "B", "A", "B", "A"],
        "events_treatment": [3, 5, 2, 60, 0],
        "n_treatment": [50, 60, 40, 50, 20],
        "events_control": [6, 9, 3, 10, 0],
        "n_control": [50, 60, 40, 50, 20],
    }
)


def test_counts_are_fitted_in_the_same_layout():
    model = bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    table = bm.fit_many(model, COUNTS, by="g")
    assert list(table.columns) == list(bm.fit_many(MODEL, simulated(1, 2)).columns.insert(0, "g"))
    assert "events_treatment exceeds n_treatment for B (row 2 of the group)" in table["problem"][1]
    studies = bm.BinaryStudies.from_frame(COUNTS[COUNTS["g"] == "a"])
    fit = bm.fit(model, studies)
    assert table["mu_mean"][0] == pytest.approx(fit["mu"].mean(), abs=1e-6)
    assert table["tau_upper"][0] == pytest.approx(fit["tau"].interval(0.95)[1], abs=1e-6)
    assert table["engine"][0] == fit.engine


def test_counts_for_a_normal_model_are_refused_with_advice_or_made_into_effect_sizes():
    with pytest.raises(bm.DataError, match="make effect sizes first"):
        bm.fit_many(MODEL, COUNTS, by="g")
    table = bm.fit_many(MODEL, COUNTS, by="g", measure="OR")
    data = bm.effect_sizes(bm.BinaryStudies.from_frame(COUNTS[:2]), measure="OR")
    assert_allclose(table["mu_mean"][0], bm.fit(MODEL, data)["mu"].mean(), rtol=1e-9)
    assert "exceeds" in table["problem"][1]
    assert "nothing to pool" in table["problem"][2]


def test_common_effect_is_closed_form():
    model = bm.CommonEffect(mu=bm.Normal(0.1, 0.7))
    arrays = simulated(5, 6)
    arrays["y"][1, 2:] = arrays["se"][1, 2:] = np.nan
    table = bm.fit_many(model, arrays, prob=0.9)
    for i in range(5):
        keep = ~np.isnan(arrays["y"][i])
        data = bm.EffectSizes.from_arrays(
            "abcdef"[: keep.sum()], arrays["y"][i, keep], arrays["se"][i, keep]
        )
        fit = bm.fit(model, data)
        found = [table[name][i] for name in ("mu_mean", "mu_lower", "mu_upper", "prob_below_null")]
        expected = [fit["mu"].mean(), *fit["mu"].interval(0.9), fit["mu"].cdf(0.0)]
        assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
        assert_allclose(
            table["log_marginal_likelihood"][i], fit.log_marginal_likelihood, rtol=1e-12
        )
    assert table["tau_mean"].isna().all()


def test_a_prior_that_no_program_knows_goes_to_fit():
    model = bm.NormalNormal(mu=bm.HalfNormal(1), tau=bm.HalfNormal(0.5))
    arrays = {name: np.abs(each) for name, each in simulated(2, 4).items()}
    table = bm.fit_many(model, arrays)
    assert many_of(model) is None
    assert table["engine"].str.contains("nodes").all()
    assert_agrees(model, arrays, table)


def test_a_named_engine_fits_each_by_itself():
    table = bm.fit_many(MODEL, simulated(2, 3), engine=bm.Quadrature(nodes=32))
    assert table["engine"].str.contains(" nodes").all()


def test_a_group_fitted_by_itself_has_the_intervals_asked_for():
    arrays, engine = simulated(1, 3), bm.Quadrature(nodes=32)
    table = bm.fit_many(MODEL, arrays, engine=engine, prob=0.8)
    data = bm.EffectSizes.from_arrays("ABC", arrays["y"][0], arrays["se"][0])
    fit = bm.fit(MODEL, data, engine)
    for short, name in (("mu", "mu"), ("tau", "tau"), ("new", "theta_new")):
        ends = table.loc[0, [f"{short}_lower", f"{short}_upper"]].to_list()
        assert_allclose(ends, fit[name].interval(0.8), rtol=1e-12)


def test_without_quantiles_the_moments_are_the_same():
    arrays = simulated(20, 5)
    whole, short = bm.fit_many(MODEL, arrays), bm.fit_many(MODEL, arrays, quantiles=False)
    for name in ("mu_mean", "mu_sd", "prob_below_null", "tau_mean", "log_marginal_likelihood"):
        assert_allclose(short[name], whole[name], rtol=1e-12)
    assert short[["mu_median", "tau_upper", "new_lower"]].isna().all(axis=None)


def test_prob_sets_the_intervals():
    arrays = simulated(2, 5)
    wide, narrow = (bm.fit_many(MODEL, arrays, prob=prob) for prob in (0.99, 0.5))
    assert (wide["mu_lower"] < narrow["mu_lower"]).all()
    assert_allclose(wide["mu_median"], narrow["mu_median"], rtol=1e-10)


def test_chunks_do_not_show(monkeypatch):
    arrays = simulated(333, 5)
    arrays["y"][::7, 4] = arrays["se"][::7, 4] = np.nan
    whole = bm.fit_many(MODEL, arrays)
    monkeypatch.setattr(tasks, "STUDIES_AT_ONCE", 8 * 50)
    seen = []
    parts = bm.fit_many(MODEL, arrays, progress=lambda done, total: seen.append((done, total)))
    pd.testing.assert_frame_equal(whole, parts, rtol=1e-12, atol=1e-12)
    assert len(seen) >= 7
    assert seen == sorted(seen)
    assert seen[-1] == (333, 333)


def test_any_executor_serves_and_its_work_can_be_sent_elsewhere():
    class Here:
        def submit(self, function, *arguments):
            done = Future()
            again, sent = pickle.loads(pickle.dumps((function, arguments)))
            done.set_result(again(*sent))
            return done

    arrays = simulated(5, 3)
    there = bm.fit_many(MODEL, arrays, executor=Here())
    pd.testing.assert_frame_equal(there, bm.fit_many(MODEL, arrays), rtol=1e-12)


def test_prior_grids_leave_one_out_and_padded_tables_share_a_program():
    arrays = simulated(3, 14)
    bm.fit_many(MODEL, arrays)
    before = _batch_normal.compiled.cache_info().misses
    for scale in (0.1, 0.25, 1.0):
        for sd in (1.0, 3.0):
            bm.fit_many(bm.NormalNormal(mu=bm.Normal(0.1, sd), tau=bm.HalfNormal(scale)), arrays)
    each = np.where(np.eye(14, dtype=bool), np.nan, arrays["y"][0])
    bm.fit_many(MODEL, {"y": each, "se": np.where(np.isnan(each), np.nan, arrays["se"][0])})
    bm.fit_many(MODEL, simulated(700, 10), prob=0.8)
    assert _batch_normal.compiled.cache_info().misses == before


@pytest.mark.parametrize(
    "prior",
    [*PRIORS, bm.Normal(0.3, 0.7), bm.StudentT(4, 0.3, 0.7), bm.StudentT(1, 0, 2)],
    ids=repr,
)
def test_priors_in_jax_are_those_in_numpy(prior):
    low = max(prior.support[0], -5.0)
    x = np.linspace(low, min(prior.support[1], 8.0), 101)
    numbers = {name: np.float64(value) for name, value in prior.numbers.items()}
    known = density(prior)
    assert known is not None
    assert known is density(type(prior)(**prior.numbers))
    with float64():
        found = np.asarray(known(jax.numpy.asarray(x), numbers))
    assert_allclose(found, log_density(prior, x), **LOG_DENSITY)


def test_the_normal_distribution_function_is_exact():
    z = np.linspace(-12, 12, 2001)
    with float64():
        cdf, height = map(np.asarray, normal(jax.numpy.asarray(z)))
    assert_allclose(cdf, ndtr(z), rtol=1e-13)
    assert_allclose(height, np.exp(-0.5 * z**2), rtol=1e-14)


@pytest.mark.deep("traces a program for two platforms: half a second", but=["Normal(0, 2)-True"])
@pytest.mark.parametrize("quantiles", [False, True])
@pytest.mark.parametrize("mu", [bm.Normal(0, 2), bm.StudentT(3, 0, 1)], ids=repr)
def test_the_program_lowers_for_a_gpu(mu, quantiles):
    model = bm.NormalNormal(mu=mu, tau=bm.HalfCauchy(0.5))
    shape = _batch_normal.shape_of(model, 14, quantiles=quantiles)
    with float64():
        program = jax.jit(lambda *inputs: normal_program.blocks(shape, *inputs))
        made = export.export(program, platforms=["cpu", "cuda"])(*_batch_normal.example(shape))
    assert made.platforms == ("cpu", "cuda")


def test_the_users_precision_is_left_as_it_was():
    before = jax.config.jax_enable_x64
    bm.fit_many(MODEL, simulated(2, 3))
    assert jax.config.jax_enable_x64 == before


WRONG = {
    "no rows": (long(simulated(1, 2)).iloc[:0], "group", "no rows"),
    "no column": (long(simulated(1, 2)), "outcome", "no column 'outcome'.*by='COLUMN'"),
    "no by": (long(simulated(1, 2)), None, "tells the groups of the table apart: fit_many"),
    "two y": (
        long(simulated(1, 2)).rename(columns={"study": "y"}),
        "group",
        "more than one column 'y'; keep one",
    ),
    "no se": (
        long(simulated(1, 2)).drop(columns="se"),
        "group",
        r"no column 'se'; it has .*table.rename\(columns={'...': 'se'}\)",
    ),
    "by and arrays": (simulated(1, 2), "group", "arrays have their groups along axis 0"),
    "one array": ({"y": np.ones((2, 2))}, None, "needs arrays named y, se"),
    "flat": ({"y": np.ones(2), "se": np.ones(2)}, None, "the same shape"),
    "empty": ({"y": np.ones((0, 2)), "se": np.ones((0, 2))}, None, "neither of them 0"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_tables_that_are_none_are_refused(kind):
    tables, by, said = WRONG[kind]
    with pytest.raises(bm.DataError, match=said):
        bm.fit_many(MODEL, tables, by=by)


def test_a_model_comes_first():
    with pytest.raises(bm.ModelError, match="a model first"):
        bm.fit_many(long(simulated(1, 2)), MODEL, by="group")


def test_the_command_writes_a_row_per_group(tmp_path):
    frame = long(simulated(3, 4))
    frame.to_csv(tmp_path / "tables.csv", index=False)
    words = ["batch", str(tmp_path / "tables.csv"), "--by", "group", "--measure", "OR"]
    result = CliRunner().invoke(main, [*words, "-o", str(tmp_path / "out.csv")])
    assert result.exit_code == 0, result.output
    assert "HalfNormal(0.5)" in result.output
    written = pd.read_csv(tmp_path / "out.csv")
    expected = bm.fit_many(MODEL, frame, by="group")
    assert_allclose(written["mu_median"], expected["mu_median"], rtol=1e-12)
    assert CliRunner().invoke(main, words).stdout == expected.to_csv(index=False)
    narrow = bm.fit_many(MODEL, frame, by="group", prob=0.8)
    assert (narrow["mu_lower"] > expected["mu_lower"]).all()
    asked = CliRunner().invoke(main, [*words, "--prob", "0.8"])
    assert asked.stdout == narrow.to_csv(index=False)


@pytest.mark.parametrize("words", ["--likelihood hypergeometric", "--coding zero_one", "--counts"])
def test_a_likelihood_or_a_coding_of_counts_is_asked_of_the_counts(tmp_path, words):
    COUNTS[:2].to_csv(tmp_path / "counts.csv", index=False)
    asked = ["batch", str(tmp_path / "counts.csv"), "--by", "g", "--measure", "OR", *words.split()]
    result = CliRunner().invoke(main, asked, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert ("Hypergeometric" if "hyper" in words else "BinomialNormal(") in result.stderr


def test_the_command_marks_bad_groups_and_takes_counts(tmp_path):
    COUNTS.to_csv(tmp_path / "counts.csv", index=False)
    words = ["batch", str(tmp_path / "counts.csv"), "--by", "g", "--measure", "RR", "--prob", "0.9"]
    for more in ([], ["--counts"], ["--mu", "Normal(0, 1)", "--tau", "HalfCauchy(0.3)"]):
        result = CliRunner().invoke(main, [*words, *more])
        assert result.exit_code == 1
        assert "exceeds n_treatment for B (row 4)" in result.output
        assert "groups have a problem" in result.output


@pytest.mark.parametrize(
    ("tables", "settings", "words"),
    [
        ({"y": [["a"]], "se": [[1]]}, {}, "array of numbers"),
        ({"y": [[1, 2], [1]], "se": [[1, 2], [1]]}, {}, "array of numbers"),
        ("a.csv", {"by": "g"}, "takes a table"),
        (COUNTS, {"by": "g", "measure": "RR"}, "is about OR"),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(tables, settings, words):
    counts = bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    with pytest.raises(bm.DataError, match=words):
        bm.fit_many(counts if tables is COUNTS else MODEL, tables, **settings)


def test_a_measure_that_the_likelihood_decides_is_not_asked_for_otherwise():
    model = bm.HypergeometricNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    with pytest.raises(bm.DataError, match="HypergeometricNormal is about OR; leave measure='RR'"):
        bm.fit_many(model, COUNTS, by="g", measure="RR")
