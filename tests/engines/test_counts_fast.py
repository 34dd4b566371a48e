"""The program of fixed sizes, alone and for many tables, against the grid engine."""

import jax
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from references import binary, numbered
from tolerances import COUNTS_BRUTE

import bayesmeta as bm
from bayesmeta.engines.compiled.precision import float64
from bayesmeta.engines.exact.fixed import TOLERANCE, integrate_fast
from bayesmeta.engines.exact.grid import integrate_on_grid
from bayesmeta.engines.exact.program import DENSE, rough_posterior, tabulated
from bayesmeta.engines.many import counts

NAMES = bm.BinaryStudies.columns()
MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
AT = [0.025, 0.5, 0.975]


@pytest.fixture(autouse=True)
def _however_few(monkeypatch):
    """Let the program of a batch take a few tables too."""
    monkeypatch.setattr(counts, "FEW", 0)


def drawn(seed, k, *, n=(60, 300), logit=-1.2):
    """Draw a table of two binomial arms."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(*n, size=(2, k))
    base, theta = rng.normal(logit, 0.5, k), rng.normal(-0.3, 0.3, k)
    risk = 1 / (1 + np.exp(-np.array([base + theta, base])))
    events = rng.binomial(sizes, risk)
    columns = (events[0], sizes[0], events[1], sizes[1])
    return bm.BinaryStudies(study=numbered(k), **dict(zip(NAMES, columns, strict=True)))


def person_time(data):
    return bm.PersonTimeStudies(
        study=data.study,
        events_treatment=data.events_treatment,
        time_treatment=data.n_treatment,
        events_control=data.events_control,
        time_control=data.n_control,
    )


def single(data):
    return bm.ProportionStudies(study=data.study, events=data.events_control, n=data.n_control)


def rates(data):
    return bm.IncidenceStudies(study=data.study, events=data.events_control, time=data.n_control)


MODELS = [
    (bm.BinomialNormal(measure="OR", mu=MU, tau=TAU), None),
    (bm.BinomialNormal(measure="OR", mu=bm.StudentT(4, 0, 1), tau=TAU, coding="zero_one"), None),
    (bm.BinomialNormal(measure="RR", mu=MU, tau=bm.LogNormal(-1.5, 0.8)), None),
    (bm.BinomialNormal(measure="RD", mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.2)), None),
    (bm.HypergeometricNormal(mu=MU, tau=bm.Uniform(0, 1)), None),
    (bm.PoissonNormal(mu=MU, tau=TAU), person_time),
    (bm.ProportionNormal(mu=bm.Normal(-1, 2), tau=TAU), single),
    (bm.IncidenceNormal(mu=bm.Normal(-1, 2), tau=TAU), rates),
]
WORDS = ["OR", "OR 0/1", "RR", "RD", "hypergeometric", "IRR", "proportion", "rate"]


def gaps(found, true):
    sd = true.sd()
    apart = [found.mean() - true.mean(), found.sd() - sd]
    return np.abs([*apart, *(np.array(found.quantile(AT)) - true.quantile(AT))]).max() / sd


@pytest.mark.deep(
    "the grid beside the program for each likelihood: 4 s in all",
    but=["O*-1", "RR-2", "RD-1", "hyper*-1", "IRR-1", "proportion-1", "rate-1"],
)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("model", "turned"), MODELS, ids=WORDS)
def test_what_it_says_of_its_error_holds(model, turned, seed):
    data = drawn(seed, (3, 9)[seed - 1])
    data = turned(data) if turned else data
    fast, full = integrate_fast(model, data), integrate_on_grid(model, data)
    assert fast is not None
    assert fast.diagnostics.passed
    for name in ("mu", "tau"):
        assert gaps(fast[name], full[name]) < COUNTS_BRUTE
    apart = fast.log_marginal_likelihood - full.log_marginal_likelihood
    assert abs(apart) < COUNTS_BRUTE


def test_study_effects_and_draws_come_when_they_are_asked_for():
    data, model = drawn(3, 5), MODELS[0][0]
    fast, full = bm.fit(model, data), integrate_on_grid(model, data)
    assert "nodes" in fast.engine
    gaps = (fast["theta"].mean() - full["theta"].mean()) / full["theta"].sd()
    assert np.abs(gaps).max() < 1e-6  # two integrators since each hands out its own effects
    assert fast["theta_new"].sd() == pytest.approx(full["theta_new"].sd(), rel=1e-6)
    assert dict(fast.draws(100)["posterior"].sizes) == {"chain": 4, "draw": 25, "study": 5}


@pytest.mark.deep("corners on the grid: 1 s", only=["corner of RR"])
@pytest.mark.parametrize(
    ("rows", "model"),
    [
        ({"A": (12, 12, 25, 29), "B": (9, 12, 5, 12)}, MODELS[2][0]),
        ({"A": (0, 30, 2, 30), "B": (1, 40, 3, 38)}, MODELS[3][0]),
    ],
    ids=["corner of RR", "corner of RD"],
)
def test_what_it_cannot_do_is_left_to_the_grid(rows, model):
    assert integrate_fast(model, binary(rows)) is None
    assert bm.fit(model, binary(rows)).diagnostics.passed


@pytest.mark.deep("two programs: 3 s a model, 10 where none is stored", but=["IRR"])
@pytest.mark.parametrize(("model", "turned"), MODELS[::5], ids=WORDS[::5])
def test_many_tables_at_once_are_as_one_by_one(model, turned):
    tables = [drawn(seed, k) for seed, k in enumerate((3, 8, 5, 2), start=11)]
    tables = [turned(one) if turned else one for one in tables]
    frame = pd.concat(
        pd.DataFrame({"group": i, "study": one.study, **one.numbers})
        for i, one in enumerate(tables)
    )
    found = bm.fit_many(model, frame, by="group")
    assert (found["problem"] == "").all()
    assert found["engine"].str.contains("many at once").sum() >= 3
    assert (found["error"] <= TOLERANCE).all()
    for (_, row), data in zip(found.iterrows(), tables, strict=True):
        full = integrate_on_grid(model, data)
        mu, tau, new = full["mu"], full["tau"], full["theta_new"]
        assert abs(row["mu_mean"] - mu.mean()) < COUNTS_BRUTE * mu.sd()
        assert abs(row["mu_sd"] / mu.sd() - 1) < COUNTS_BRUTE
        assert abs(row["prob_below_null"] - mu.cdf(0.0)) < COUNTS_BRUTE
        for short, marginal in (("mu", mu), ("tau", tau)):
            for end, q in (("lower", 0.025), ("median", 0.5), ("upper", 0.975)):
                apart = row[f"{short}_{end}"] - marginal.quantile(q)
                assert abs(apart) < 2 * COUNTS_BRUTE * marginal.sd()
        assert abs(row["new_lower"] - new.quantile(0.025)) < 1e-4 * new.sd()
        assert abs(row["log_marginal_likelihood"] - full.log_marginal_likelihood) < 2e-5


@pytest.mark.deep("a program for sparse tables: 1 s, 5 where none is stored")
def test_tables_with_zeros_share_the_run_and_corners_are_fitted_alone():
    sparse = {"A": (0, 30, 2, 30), "B": (1, 40, 3, 38), "C": (4, 50, 6, 52)}
    frame = pd.DataFrame(
        [
            {"group": group, "study": name, **dict(zip(NAMES, row, strict=True))}
            for group in ("one", "two")
            for name, row in sparse.items()
        ]
    )
    model = bm.BinomialNormal(measure="OR", mu=MU, tau=TAU)
    found = bm.fit_many(model, frame, by="group")
    alone = bm.fit(model, binary(sparse))
    assert found["mu_mean"].tolist() == pytest.approx([alone["mu"].mean()] * 2, abs=1e-5)


def test_priors_of_one_family_and_tables_of_one_size_share_a_program():
    data = [drawn(seed, k) for seed, k in ((31, 6), (32, 7), (33, 8))]
    arrays = {
        name: np.array([np.pad(one.numbers[name], (0, 8 - one.k), constant_values=np.nan)
                        for one in data])
        for name in bm.BinaryStudies.columns()
    }  # fmt: skip
    before = None
    for scale in (1.0, 0.3, 0.5):
        model = bm.BinomialNormal(
            measure="OR", mu=bm.Normal(0, 4 * scale), tau=bm.HalfNormal(scale)
        )
        bm.fit_many(model, arrays)
        if before is None:
            before = counts.compiled.cache_info().misses
    without = {name: np.where(np.arange(8) == 2, np.nan, v) for name, v in arrays.items()}
    bm.fit_many(model, without)
    assert counts.compiled.cache_info().misses == before


def test_the_program_lowers_for_a_gpu_that_is_not_here():
    model = MODELS[0][0]
    columns = {name: np.ones((1, 4)) for name in bm.BinaryStudies.columns()}
    shape = counts._shape(model, model.likelihood, columns, DENSE, 4, quantiles=True)
    with float64():
        program = jax.jit(lambda *x: counts.blocks(shape, *x))
        lowered = jax.export.export(program, platforms=["cpu", "cuda"])(*counts.example(shape))
    assert lowered.platforms == ("cpu", "cuda")


@pytest.mark.parametrize("baseline", [bm.HalfNormal(1), bm.Uniform(-10, 10)], ids=repr)
def test_a_baseline_with_an_end_is_left_to_the_sampler(baseline):
    from bayesmeta.engines import batch, default_engine

    model = bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, baseline=baseline)
    assert isinstance(default_engine(model), bm.NUTS)
    assert batch(model) is None
    with pytest.raises(bm.ModelError, match="prior of baseline on the whole line"):
        bm.fit(model, binary({"A": (3, 40, 5, 40)}), bm.Quadrature())


@pytest.mark.deep("a far tail of tau on the grid: 1 s")
def test_studies_that_say_nothing_far_out_bring_tau_no_moments():
    rows = {"A": (0, 50, 5, 50), "B": (0, 40, 6, 40), "C": (0, 30, 7, 35)}
    model = bm.HypergeometricNormal(mu=MU, tau=bm.HalfCauchy(0.5))
    assert np.isnan(integrate_on_grid(model, binary(rows))["tau"].mean())


def test_the_rough_centre_is_where_prior_and_data_meet():
    """A prior that sits on one of two studies draws the centre to it."""
    y, se = np.array([0.0, 1.0]), np.array([0.1, 0.5])
    priors = (lambda mu: -0.5 * ((mu - 0.5) / 0.05) ** 2, lambda tau: -tau)
    rough = rough_posterior(np, 18.0, y, se, np.ones(2), *priors, 0.05, 0.0, 5.0)
    tau = (np.arange(200_000) + 0.5)[:, None] * (5.0 / 200_000)
    variance = se**2 + tau**2
    pooled = (y / variance).sum(axis=1) / (1 / variance).sum(axis=1)
    spread = ((y - pooled[:, None]) ** 2 / variance + np.log(variance)).sum(axis=1)
    log_p = -0.5 * (spread + np.log((1 / variance).sum(axis=1)))
    log_p += priors[0](pooled) + priors[1](tau[:, 0])
    weight = np.exp(log_p - log_p.max())
    assert_allclose(rough.centre, (weight @ pooled) / weight.sum(), atol=0.02)


def test_a_tabulated_likelihood_ends_with_its_own_value_and_curvature():
    y, se = np.array([0.2, -0.4]), np.array([0.3, 0.1])
    quartic = np.polynomial.Polynomial([-0.1, 0.3, -0.8, 0.05, -0.02])
    points = np.linspace(-1, 0.3, 9)
    found, ends, *_ = tabulated(
        np, DENSE, y, se, np.ones(2), lambda at: (quartic(at), np.zeros(2)), points, 0.0, 10.0
    )
    assert_allclose(found, np.tile(quartic(points), (2, 1)), rtol=1e-9)
    for side, (place, value, curvature) in ((-1, ends.left), (1, ends.right)):
        assert_allclose(place, y + side * DENSE.width * se, rtol=1e-12)
        assert_allclose(value, quartic(place), rtol=1e-9)
        assert_allclose(curvature, quartic.deriv(2)(place), rtol=1e-6)
