"""Leave-one-study-out prediction against brute force, refits and what must be true of it."""

import numpy as np
import pytest
from references import KINDS, MAIN_TRIALS, asked, binary, cases, estimates, numbered
from scipy import stats
from tolerances import STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.checks import LOO
from bayesmeta.checks._stacking import _stacked
from bayesmeta.engines import study_densities

MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
BRUTE = 1e-5  # of a log density or a probability: the posterior is held to 1e-5 of an SD too
CORNERS = 1e-4  # of a risk difference, whose likelihoods have corners


@pytest.mark.deep(
    "every study refitted: half a second, with Student-t effects or corners 2 to 7",
    only=["OR half, t4, outlying", "OR half, sparse", "normal, t3, outlier", "RD, sparse"],
)
@pytest.mark.parametrize("key", sorted(cases("brute_loo")))
def test_predictions_are_those_of_brute_force(key):
    case = cases("brute_loo")[key]
    found = bm.loo(bm.fit(*asked(case)))
    within = CORNERS if key.startswith("RD") else BRUTE
    np.testing.assert_allclose(found.elpd, case["elpd"], atol=within)
    lower = np.array([np.nan if one is None else one for one in case["lower"]])
    known = np.isfinite(lower)
    np.testing.assert_allclose(found.pit_lower[known], lower[known], atol=within)
    assert set(found.how) <= {"exact", "refit"}


def test_brute_force_holds_every_likelihood_and_an_outlier():
    held = {case["model"] for case in cases("brute_loo").values()}
    assert held == {*KINDS, "normal"} | {
        f"binomial {one}" for one in ("OR half", "OR zero_one", "RD")
    }
    worst = min(min(case["elpd"]) for case in cases("brute_loo").values())
    assert worst < -15  # reweighting alone would not reach it


@pytest.fixture(scope="module")
def improvement():
    """Risk ratios with an arm in which nearly everybody improved."""
    rows = {"A": (29, 30, 20, 28), "B": (12, 12, 9, 12), "C": (30, 41, 22, 40)}
    model = bm.BinomialNormal(measure="RR", mu=MU, tau=TAU)
    return bm.fit(model, binary(rows))


@pytest.mark.deep("corners, every study refitted: 4 s")
def test_risk_ratios_are_predicted_as_by_fits_without_the_study(improvement):
    found, data = bm.loo(improvement), improvement.data
    for i in range(data.k):
        others = np.arange(data.k) != i
        rest = bm.fit(improvement.model, data.keep(others))
        draws = {name: rest[name] for name in ("mu", "tau")}
        nodes = rest.nodes()
        seen = nodes.mass > 1e-12 * nodes.mass.max()
        draws = {name: values[seen] for name, values in nodes.values.items()}
        terms = study_densities(improvement.model, data.keep(~others), draws)
        weight = nodes.mass[seen] / nodes.mass[seen].sum()
        every, given, below = (float(weight @ np.exp(one[:, 0])) for one in terms)
        assert found.elpd[i] == pytest.approx(np.log(every / given), abs=1e-5)
        assert found.pit_lower[i] == pytest.approx(below / given, abs=1e-5)


@pytest.mark.deep("every count an arm may hold: 1 s")
def test_probabilities_of_all_counts_sum_to_one(improvement):
    """The density of the result is one of the treatment arm's events given the control arm's."""
    n, fixed = 12, (9.0, 12.0)
    draws = {"mu": np.array([-0.4, 0.1]), "tau": np.array([0.2, 1.0])}
    total, below = np.zeros(2), np.zeros(2)
    for events in range(n + 1):
        one = binary({"B": (events, n, *fixed)})
        terms = study_densities(improvement.model, one, draws)
        np.testing.assert_allclose(np.exp(terms.below - terms.given)[:, 0], below, atol=1e-5)
        below += np.exp(terms.every - terms.given)[:, 0]
        total = below
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_estimates_are_predicted_by_their_closed_form():
    data = estimates([-0.4, 0.1, 1.6], [0.2, 0.3, 0.4])
    posterior = bm.fit(bm.CommonEffect(mu=bm.Normal(0.2, 0.5)), data)
    found = bm.loo(posterior)
    for i in range(3):
        others = np.arange(3) != i
        precision = 1 / 0.5**2 + (data.se[others] ** -2).sum()
        mean = (0.2 / 0.5**2 + (data.y[others] * data.se[others] ** -2).sum()) / precision
        ahead = stats.norm(mean, np.sqrt(1 / precision + data.se[i] ** 2))
        assert found.elpd[i] == pytest.approx(ahead.logpdf(data.y[i]), abs=1e-10)
        assert found.pit[i] == pytest.approx(ahead.cdf(data.y[i]), abs=1e-10)
    assert found.p_loo > 0
    assert [one[:27] for one in found.cautions] == [
        f"study {i} is hardly predicted"[:27] for i in (1, 3)
    ]


def test_a_prior_of_mu_with_an_end_is_predicted_too():
    data = estimates([0.4, 0.1, 0.6], [0.2, 0.3, 0.4])
    model = bm.NormalNormal(mu=bm.HalfNormal(1), tau=TAU)
    exact = bm.fit(model, data)
    rest = [bm.fit(model, data.keep(np.arange(3) != i)) for i in range(3)]
    gain = [exact.log_marginal_likelihood - one.log_marginal_likelihood for one in rest]
    np.testing.assert_allclose(bm.loo(exact).elpd, gain, atol=1e-7)


@pytest.fixture(scope="module")
def drawn():
    model = bm.BinomialNormal(measure="OR", mu=MU, tau=TAU)
    return bm.fit(model, binary(MAIN_TRIALS), bm.NUTS(seed=2))


def test_draws_predict_as_the_integral_does(drawn):
    exact = bm.loo(bm.fit(drawn.model, drawn.data))
    found = bm.loo(drawn)
    assert set(found.how) <= {"weights", "refit"}
    assert np.isfinite(found.pareto_k).all()
    weights = np.array(found.how) == "weights"
    assert weights.sum() >= 5
    assert (found.pareto_k[weights] <= 0.7).all()
    np.testing.assert_allclose(found.elpd, exact.elpd, atol=0.05)
    np.testing.assert_allclose(found.pit_lower, exact.pit_lower, atol=0.03)
    assert found.total == pytest.approx(exact.total, abs=0.15)
    assert found.p_loo == pytest.approx(exact.p_loo, abs=0.15)


@pytest.mark.deep("ten refits: 1 s")
def test_weights_that_are_not_sound_are_never_used(drawn, monkeypatch):
    """With the limit of Pareto k at -9 every study is fitted again, exactly where that can be."""
    from bayesmeta.checks import _loo

    monkeypatch.setattr(_loo, "LARGEST_K", -9.0)
    found = bm.loo(drawn)
    exact = bm.loo(bm.fit(drawn.model, drawn.data))
    assert set(found.how) == {"refit"}
    np.testing.assert_allclose(found.elpd, exact.elpd, atol=1e-5)
    np.testing.assert_allclose(found.pit_lower, exact.pit_lower, atol=1e-5)


def test_exchangeable_baselines_and_overdispersion_have_densities_that_sum_to_one():
    shared = bm.Exchangeable(bm.Normal(0, 2), bm.HalfNormal(1))
    rng = np.random.default_rng(3)
    draws = {
        "mu": rng.normal(0, 0.5, 40),
        "tau": np.concatenate((np.full(5, 1e-4), rng.uniform(0.05, 1, 35))),
        "baseline_mean": rng.normal(-1, 0.5, 40),
        "baseline_sd": np.concatenate((rng.uniform(0.05, 1, 35), np.full(5, 1e-4))),
        "baseline": rng.normal(-1, 0.5, 40),
        "rho": rng.uniform(0.001, 0.4, 40),
    }
    for model in (
        bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, baseline=shared),
        bm.BinomialNormal(measure="RR", mu=MU, tau=TAU, baseline=shared),
        bm.BetaBinomial(mu=MU),
    ):
        below = np.zeros(40)
        for events in range(8):
            terms = study_densities(model, binary({"A": (events, 7, 3, 9)}), draws)
            np.testing.assert_allclose(np.exp(terms.below - terms.given)[:, 0], below, atol=2e-3)
            below += np.exp(terms.every - terms.given)[:, 0]
        np.testing.assert_allclose(below, 1, atol=2e-3)


def test_an_exchangeable_baseline_that_hardly_varies_is_an_independent_one():
    """With mean and spread of the baselines given, the studies are independent: the exact table."""
    data = binary({"A": (3, 30, 6, 31), "B": (0, 12, 2, 14)})
    exact = bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, baseline=bm.Normal(-1.2, 0.8))
    shared = bm.BinomialNormal(
        measure="OR", mu=MU, tau=TAU, baseline=bm.Exchangeable(MU, bm.HalfNormal(1))
    )
    draws = {"mu": np.array([-0.5, 0.2, 0.0]), "tau": np.array([0.01, 0.3, 1.5])}
    more = {**draws, "baseline_mean": np.full(3, -1.2), "baseline_sd": np.full(3, 0.8)}
    one, other = study_densities(exact, data, draws), study_densities(shared, data, more)
    for first, second in zip(one, other, strict=True):
        known = np.isfinite(first)
        np.testing.assert_allclose(first[known], second[known], atol=1e-3)


class TestComparison:
    def test_needs_the_same_data_and_the_same_target(self):
        data = binary({name: MAIN_TRIALS[name] for name in ("Lanzoni", "Monsel", "Adas")})
        odds = bm.loo(bm.fit(bm.BinomialNormal(measure="OR", mu=MU, tau=TAU), data))
        fisher = bm.loo(bm.fit(bm.HypergeometricNormal(mu=MU, tau=TAU), data))
        fewer = bm.fit(
            bm.BinomialNormal(measure="OR", mu=MU, tau=TAU),
            data.keep(np.array([True, True, False])),
        )
        with pytest.raises(bm.ModelError, match="different things"):
            bm.compare_loo({"binomial": odds, "hypergeometric": fisher})
        with pytest.raises(bm.ModelError, match="different data"):
            bm.compare_loo({"all": odds, "two": fewer})
        with pytest.raises(bm.ModelError, match="two fits"):
            bm.compare_loo({"all": odds})

    def test_few_studies_give_no_weights(self):
        data = estimates([-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
        fits = {
            "random": bm.fit(bm.NormalNormal(mu=MU, tau=TAU), data),
            "common": bm.fit(bm.CommonEffect(mu=MU), data),
        }
        table = bm.compare_loo(fits)
        assert table["weight"].isna().all()
        assert table.loc[table.index[0], "difference"] == 0
        assert (table["difference"] <= 0).all()
        each = {label: bm.loo(one) for label, one in fits.items()}
        gap = each["random"].elpd - each["common"].elpd
        worse = table["difference_se"].max()
        assert worse == pytest.approx(np.sqrt(3) * gap.std(ddof=1))

    def test_weights_are_those_of_a_general_optimiser_and_have_errors(self):
        rng = np.random.default_rng(5)
        y = np.concatenate((rng.normal(0, 0.3, 11), [2.5]))
        data = estimates(y, np.full(12, 0.2))
        fits = {
            "common": bm.fit(bm.CommonEffect(mu=MU), data),
            "little": bm.fit(bm.NormalNormal(mu=MU, tau=bm.HalfNormal(0.1)), data),
            "much": bm.fit(bm.NormalNormal(mu=MU, tau=bm.LogNormal(0, 0.3)), data),
        }
        loos = {label: bm.loo(one) for label, one in fits.items()}
        table = bm.compare_loo(loos, seed=1)
        assert table["weight"].sum() == pytest.approx(1)
        assert table.index[0] == "much"
        assert (table["weight_se"] > 0).any()
        elpd = np.array([one.elpd for one in loos.values()])
        grid = [
            (a, b, 1 - a - b) for a in np.linspace(0, 1, 201) for b in np.linspace(0, 1 - a, 201)
        ]
        score = np.log(np.array(grid).clip(0) @ np.exp(elpd)).sum(axis=1)
        mine = np.log(table["weight"][list(loos)].to_numpy() @ np.exp(elpd)).sum()
        assert mine >= score.max() - 1e-6

    def test_equal_models_share_and_a_useless_one_gets_nothing(self):
        elpd = np.array([np.linspace(-2, -1, 12), np.linspace(-2, -1, 12), np.full(12, -30.0)])
        weight = _stacked(elpd, np.full((1, 12), 1 / 12))[0]
        np.testing.assert_allclose(weight, [0.5, 0.5, 0], atol=1e-6)


@pytest.mark.deep("25 tables of 4 refits: 5 s")
def test_pit_values_of_the_truth_are_uniform():
    """Tables made from the model itself: PIT values of every study, randomised, are uniform."""
    from bayesmeta.simulate import parameters, replicate

    model = bm.BinomialNormal(measure="OR", mu=bm.Normal(-0.2, 0.7), tau=bm.HalfNormal(0.4),
                              baseline=bm.Normal(-0.7, 0.6))  # fmt: skip
    size = {f"n_{arm}": [30, 45, 60, 25] for arm in ("treatment", "control")}
    empty = bm.BinaryStudies(
        study=numbered(4), events_treatment=[0] * 4, events_control=[0] * 4, **size
    )
    times = 25
    drawn = parameters(model, 4, times, seed=11)
    made = replicate(model, drawn, empty, seed=12)
    pits = []
    for i in range(times):
        columns = {name: values[i] for name, values in made.items()}
        data = bm.BinaryStudies(study=numbered(4), **columns, **size)
        pits.append(bm.loo(bm.fit(model, data), seed=i).pit)
    pits = np.array(pits)
    assert stats.kstest(pits[:, 0], "uniform").pvalue > 0.001
    error = np.sqrt(1 / 12 / times) * STANDARD_ERRORS
    assert abs(pits.mean(axis=1).mean() - 0.5) < error


def test_the_randomised_values_lie_between_their_ends_and_answer_to_the_seed():
    posterior = bm.fit(bm.BinomialNormal(measure="OR", mu=MU, tau=TAU), binary(MAIN_TRIALS))
    first, again, other = (bm.loo(posterior, seed=seed) for seed in (1, 1, 2))
    assert ((first.pit_lower <= first.pit) & (first.pit <= first.pit_upper)).all()
    np.testing.assert_allclose(first.pit_upper - first.pit_lower, np.exp(first.elpd), atol=1e-6)
    np.testing.assert_array_equal(first.pit, again.pit)
    assert (first.pit != other.pit).any()
    table = first.table()
    assert table.index.tolist() == list(MAIN_TRIALS)
    assert first.total == pytest.approx(table["elpd"].sum())


@pytest.mark.deep("refits of sharp likelihoods: 3 s")
def test_arms_of_a_hundred_thousand_do_not_overflow():
    """Densities that differ by thousands of units; both of them are fitted again."""
    data = binary({"A": (5000, 100_000, 5600, 100_000), "B": (3, 100_000, 0, 100_000)})
    found = bm.loo(bm.fit(bm.BinomialNormal(measure="OR", mu=MU, tau=TAU), data))
    assert np.isfinite(found.elpd).all()
    assert ((found.pit >= 0) & (found.pit <= 1)).all()


def test_one_study_cannot_be_left_out():
    with pytest.raises(bm.ModelError, match="two studies or more"):
        bm.loo(bm.fit(bm.NormalNormal(mu=MU, tau=TAU), estimates([0.1], [0.2])))


def test_a_study_far_out_has_the_density_that_the_evidence_gives_it():
    """60 standard errors of the others away no node of tau reaches; -125.6 by plain quadrature."""
    data = estimates([60, 0.1, -0.2, 0.3, 0], [0.1, 0.2, 0.15, 0.2, 0.1])
    found = bm.loo(bm.fit(bm.NormalNormal(mu=MU, tau=TAU), data))
    assert found.elpd[0] == pytest.approx(-125.6, abs=0.1)
    data = estimates([0.1, 0.2, 0.0, 3.0], [0.05] * 4)
    found = bm.loo(bm.fit(bm.CommonEffect(mu=MU), data))
    precision = 1 / 4 + 3 / 0.05**2
    ahead = stats.norm(0.3 / 0.05**2 / precision, np.sqrt(1 / precision + 0.05**2))
    assert found.elpd[3] == pytest.approx(ahead.logpdf(3.0), rel=1e-9)


def test_without_evidence_such_a_study_has_no_number_and_no_comparison():
    data = estimates([0.1, 0.2, 0.0, 3.0], [0.01] * 4)
    flat = bm.loo(bm.fit(bm.CommonEffect(mu=bm.Flat()), data))
    assert np.isnan(flat.elpd[3])
    assert flat.how[3] == "too far out"
    with pytest.raises(bm.ModelError, match="no sound prediction of study 1"):
        bm.compare_loo({"flat": flat, "too": flat})


def test_an_exact_fit_may_be_left_out_by_sampling():
    data = estimates([-0.4, 0.1, -0.3, 0.2], [0.2, 0.3, 0.2, 0.3])
    exact = bm.fit(bm.NormalNormal(mu=MU, tau=TAU), data)
    sampled = bm.loo(exact, engine=bm.NUTS(seed=2))
    assert set(sampled.how) == {"refit"}
    np.testing.assert_allclose(sampled.elpd, bm.loo(exact).elpd, atol=0.05)


@pytest.mark.deep("NUTS without each study: 1 s")
def test_a_mean_over_too_few_draws_is_no_answer():
    """A study ten SDs off, fitted again by sampling: hardly a draw of tau reaches it."""
    data = estimates([10, 0.1, -0.2, 0.3, 0], [0.1, 0.2, 0.15, 0.2, 0.1])
    model = bm.NormalNormal(mu=MU, tau=TAU)
    found = bm.loo(bm.fit(model, data, bm.NUTS(seed=1)), engine=bm.NUTS(seed=2))
    assert np.isnan(found.elpd[0])
    assert found.how[0] == "refit has too few draws there"
    exact = bm.loo(bm.fit(model, data))
    np.testing.assert_allclose(found.elpd[1:], exact.elpd[1:], atol=0.1)


def test_student_t_effects_keep_their_tails_beside_exchangeable_baselines():
    """A study far from mu, by a plain double sum over z and the baseline."""
    shared = bm.Exchangeable(MU, bm.HalfNormal(1))
    model = bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, baseline=shared, df=3)
    draws = {"mu": -0.3, "tau": 0.2, "baseline_mean": -2.0, "baseline_sd": 0.5}
    terms = study_densities(
        model,
        binary({"A": (1, 400, 60, 410)}),
        {name: np.array([value]) for name, value in draws.items()},
    )
    u = np.linspace(-9, 9, 3001)
    theta = -0.3 + 0.2 * np.sinh(u)
    beta = -2 + 0.5 * np.linspace(-7, 7, 701)
    outer = stats.t(3).pdf(np.sinh(u)) * np.cosh(u) * (u[1] - u[0])
    inner = stats.norm(-2, 0.5).pdf(beta) * (beta[1] - beta[0])
    odds = [1 / (1 + np.exp(-(beta + side * theta[:, None]))) for side in (0.5, -0.5)]
    table = stats.binom.pmf(1, 400, odds[0]) * stats.binom.pmf(60, 410, odds[1])
    assert terms.every[0, 0] == pytest.approx(np.log(outer @ table @ inner), abs=1e-3)


def test_surprise_is_two_sided_and_the_error_of_the_total_that_of_a_sum():
    pit = np.array([0.004, 0.5, 0.97, 0.2])
    elpd = np.array([-3.0, -1.0, -1.5, -0.5])
    found = LOO(
        study=("A", "B", "C", "D"),
        elpd=elpd,
        fitted=elpd + 0.25,
        pit_lower=pit,
        pit_upper=pit,
        pit=pit,
        pareto_k=np.full(4, np.nan),
        how=("exact",) * 4,
        target="y",
        data=estimates([0.0] * 4, [1.0] * 4),
    )
    # twice the nearer tail, times four studies
    np.testing.assert_allclose(found.surprise, [0.032, 4.0, 0.24, 1.6])
    assert found.cautions == ("A is hardly predicted by the other studies (LOO-PIT 0.004).",)
    # deviations from -1.5: -1.5, 0.5, 0, 1; their squares sum to 3.5, over three degrees of freedom
    assert found.se == pytest.approx(np.sqrt(4 * 3.5 / 3))
    assert (found.total, found.p_loo) == (-6.0, 1.0)
