"""Priors and data raised to powers: against closed forms, other fits, brute force and ArviZ."""

from itertools import product

import numpy as np
import pytest
import xarray as xr
from arviz_stats import psense
from numpy.testing import assert_allclose
from references import MAIN_TRIALS, binary, estimates
from scipy import stats
from scipy.special import gammaln, logsumexp

import bayesmeta as bm
from bayesmeta.checks import Leaning, PowerScaling, Sensitivity
from bayesmeta.checks._distance import distance
from bayesmeta.engines import study_densities
from bayesmeta.errors import ModelError
from bayesmeta.ways import COMMAND, speaking

POWERS = np.array([0.8, 1.25])
DOUBLINGS = np.abs(np.log2(POWERS))
ENDS = [1 / 4000, 1 - 1 / 4000]
Y = [-0.9, -0.1, -0.6, 0.4, -1.3, -0.5, 0.2]
SE = [0.2, 0.3, 0.15, 0.4, 0.35, 0.25, 0.3]
DATA = estimates(Y, SE, measure="OR")
SMALL = {"A": (2, 40, 5, 40), "B": (1, 30, 3, 30), "C": (3, 35, 9, 36), "D": (4, 25, 6, 24)}
NAMES = ("mu", "tau", "theta_new")


def apart(first, second, low, high):
    """The distance by its definition, term by term, on many equal steps."""
    x = np.linspace(low, high, 20_001)
    found = []
    for p, q in ((first(x), second(x)), (1 - first(x), 1 - second(x))):
        middle = (p + q) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            one = np.nan_to_num(p * np.log2(p / middle)) + (q - p) / (2 * np.log(2))
            other = np.nan_to_num(q * np.log2(q / middle)) + (p - q) / (2 * np.log(2))
        found.append(np.trapezoid(one + other, x) / np.trapezoid(p + q, x))
    return float(np.sqrt(max(found)))


def by_refits(model, powered, data=DATA):
    """Distances per doubling between a fit and fits whose prior is a power of its own."""
    base, found = bm.fit(model, data), {}
    for name in NAMES:
        low, high = base[name].quantile(ENDS)
        each = [apart(base[name].cdf, bm.fit(one, data)[name].cdf, low, high) for one in powered]
        found[name] = np.mean(np.array(each) / DOUBLINGS)
    return found


def normal(mu, tau):
    return bm.NormalNormal(mu=mu, tau=tau)


def test_one_normal_effect_with_a_normal_prior_is_its_closed_form():
    data, centre, sd = estimates([2.1, 2.4], [0.2, 0.3]), 0.3, 0.5
    found = bm.power_scaling(bm.fit(bm.CommonEffect(mu=bm.Normal(centre, sd)), data))["mu"]
    w = data.se**-2.0

    def posterior(of_prior, of_data):
        precision = of_prior / sd**2 + of_data * w.sum()
        mean = (of_prior * centre / sd**2 + of_data * w @ data.y) / precision
        return stats.norm(mean, precision**-0.5)

    base = posterior(1, 1)
    for got, scaled in (
        (found.prior_mu, [posterior(a, 1) for a in POWERS]),
        (found.likelihood, [posterior(1, a) for a in POWERS]),
    ):
        each = [apart(base.cdf, one.cdf, *base.ppf(ENDS)) for one in scaled]
        assert got == pytest.approx(np.mean(each / DOUBLINGS), rel=1e-4)
    assert np.isnan(found.prior_tau)


def test_a_power_of_a_normal_or_half_normal_prior_is_a_fit_with_another_scale():
    mu, tau = bm.Normal(0.2, 0.3), bm.HalfNormal(0.4)
    found = bm.power_scaling(bm.fit(normal(mu, tau), DATA))
    of_mu = by_refits(normal(mu, tau), [normal(bm.Normal(0.2, 0.3 / a**0.5), tau) for a in POWERS])
    of_tau = by_refits(normal(mu, tau), [normal(mu, bm.HalfNormal(0.4 / a**0.5)) for a in POWERS])
    for name in NAMES:
        assert found[name].prior_mu == pytest.approx(of_mu[name], rel=0.01)
        assert found[name].prior_tau == pytest.approx(of_tau[name], rel=0.01)


def test_a_power_of_an_inverse_gamma_prior_has_another_shape():
    mu, a, b = bm.Normal(0, 1), 1.5, 0.4
    powered = [normal(mu, bm.InverseGamma(p * (a + 1) - 1, p * b)) for p in POWERS]
    model = normal(mu, bm.InverseGamma(a, b))
    found, wanted = bm.power_scaling(bm.fit(model, DATA)), by_refits(model, powered)
    for name in NAMES:
        assert found[name].prior_tau == pytest.approx(wanted[name], rel=0.01)


def test_counts_and_a_prior_of_another_family_are_those_of_brute_force():
    """Fisher's noncentral hypergeometric distribution, summed; a half-Cauchy prior of tau."""
    model = bm.HypergeometricNormal(mu=bm.Normal(0, 1), tau=bm.HalfCauchy(0.3))
    found = bm.power_scaling(bm.fit(model, binary(SMALL)))
    z, weight = np.polynomial.hermite_e.hermegauss(60)
    mu, tau = np.linspace(-5, 3, 321), np.tan(np.linspace(0.002, 1.47, 260))
    theta = np.linspace(-200, 200, 40_001)
    likelihood = np.zeros((mu.size, tau.size))
    for a, n1, c, n0 in SMALL.values():
        x = np.arange(max(0, a + c - n0), min(n1, a + c) + 1)
        choose = -gammaln([x + 1, n1 - x + 1, a + c - x + 1, n0 - a - c + x + 1]).sum(axis=0)
        log_p = choose[x == a] + a * theta - logsumexp(choose + theta[:, None] * x, axis=-1)
        at = np.interp(mu[:, None, None] + tau[:, None] * z, theta, np.exp(log_p))
        likelihood += np.log(at @ weight)
    of_mu, of_tau = stats.norm(0, 1).logpdf(mu)[:, None], stats.halfcauchy(0, 0.3).logpdf(tau)

    def scaled(mu_power=1, tau_power=1, power=1):
        log_mass = mu_power * of_mu + tau_power * of_tau + power * likelihood
        mass = np.exp(log_mass - log_mass.max()) * np.gradient(tau)
        mass /= mass.sum()
        each = (mu, mass.sum(axis=1)), (tau, mass.sum(axis=0))
        return [lambda at, x=x, m=m: np.interp(at, x, np.cumsum(m) - m / 2) for x, m in each]

    base = scaled()
    for column, factor in (
        ("prior_mu", "mu_power"),
        ("prior_tau", "tau_power"),
        ("likelihood", "power"),
    ):
        moved = [scaled(**{factor: a}) for a in POWERS]
        for i, name in enumerate(("mu", "tau")):
            low, high = bm.fit(model, binary(SMALL))[name].quantile(ENDS)
            wanted = np.mean([apart(base[i], one[i], low, high) for one in moved] / DOUBLINGS)
            assert getattr(found[name], column) == pytest.approx(wanted, rel=0.02, abs=2e-4)


def test_it_is_what_arviz_finds_by_weighting_draws():
    model = bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 0.3), tau=bm.HalfNormal(0.2))
    fit, n = bm.fit(model, binary(MAIN_TRIALS)), 4000
    found, draws = bm.power_scaling(fit), fit.shared_draws(n, seed=3)
    each = study_densities(model, fit.data, draws).every
    log_prior = {"mu": stats.norm(0, 0.3).logpdf(draws["mu"]), "tau": -(draws["tau"] ** 2) / 0.08}
    groups = {
        "posterior": {name: draws[name] for name in ("mu", "tau")},
        "log_likelihood": {"y": each},
        "log_prior": log_prior,
    }
    tree = xr.DataTree.from_dict({name: _dataset(one) for name, one in groups.items()})
    for name, (column, group, factor) in product(
        ("mu", "tau"),
        (
            ("prior_mu", "prior", "mu"),
            ("prior_tau", "prior", "tau"),
            ("likelihood", "likelihood", "y"),
        ),
    ):
        asked = {"group_var_names": [factor]} if group == "prior" else {}
        theirs = psense(tree, var_names=[name], group=group, alphas=tuple(POWERS), **asked)
        ours = getattr(found[name], column)
        assert ours == pytest.approx(float(theirs[name]), rel=0.08, abs=0.006)


def _dataset(columns):
    axes = ("chain", "draw", "study")
    return xr.Dataset({k: (axes[: v.ndim + 1], v[None]) for k, v in columns.items()})


@pytest.mark.parametrize("factor", [-1.0, 20.0])
def test_neither_the_unit_nor_the_direction_of_effects_matters(factor):
    plain = bm.power_scaling(bm.fit(normal(bm.Normal(0.2, 0.3), bm.HalfNormal(0.4)), DATA))
    size = abs(factor)
    turned = bm.fit(
        normal(bm.Normal(0.2 * factor, 0.3 * size), bm.HalfNormal(0.4 * size)),
        estimates(np.array(Y) * factor, np.array(SE) * size),
    )
    got = bm.power_scaling(turned).table().drop(columns="diagnosis")
    assert_allclose(got, plain.table().drop(columns="diagnosis"), rtol=2e-3, atol=1e-4)


def test_a_distance_is_nothing_of_a_distribution_from_itself_and_at_most_one():
    x = np.linspace(0, 1, 101)
    weight = np.full(101, 0.01)
    assert distance(x, x, weight) == 0
    first, last = (x > 0.001).astype(float), (x > 0.999).astype(float)
    assert 0.95 < distance(first, last, weight) <= 1


def test_a_flat_prior_moves_nothing_and_a_uniform_one_neither():
    found = bm.power_scaling(bm.fit(normal(bm.Flat(), bm.Uniform(0, 4)), DATA))
    for one in found.sensitivities:
        assert one.prior_mu == 0
        assert one.prior_tau == pytest.approx(0, abs=1e-6)
    assert found["mu"].leaning is Leaning.DATA


@pytest.mark.parametrize(
    ("mu", "tau", "said"),
    [
        (bm.StudentT(0.2, 0, 1), bm.HalfNormal(1), r"mu ~ StudentT.* power 0\.8: .*Normal\(0, 2\)"),
        (bm.Normal(0, 1), bm.InverseGamma(0.2, 1), r"tau ~ InverseGamma.* power 0\.8"),
        (bm.Normal(0, 1), bm.HalfT(0.2, 1), r"tau ~ HalfT.* power 0\.8"),
        (bm.Normal(0, 1), bm.Gamma(0.15, 1), r"tau ~ Gamma.* power 1\.25"),
        (bm.Normal(0, 1), bm.Beta(0.1, 2), r"tau ~ Beta.* power 1\.25"),
        (
            bm.Normal(0, 1),
            bm.Mixture(0.5, bm.HalfNormal(1), bm.Gamma(0.15, 1)),
            r"tau ~ Mixture.* power 1\.25",
        ),
        (bm.Normal(0, 1), bm.Jeffreys(), r"cannot take Jeffreys\(\)"),
    ],
    ids=repr,
)
def test_a_prior_that_is_improper_once_it_is_raised_is_refused_by_name(mu, tau, said):
    with pytest.raises(ModelError, match=said):
        bm.power_scaling(bm.fit(normal(mu, tau), DATA))


def test_a_half_cauchy_prior_bears_both_powers():
    found = bm.power_scaling(bm.fit(normal(bm.Flat(), bm.HalfCauchy(0.5)), DATA))
    assert found["tau"].prior_tau > 0.05


def test_draws_alone_are_refused_in_the_words_of_the_interface(monkeypatch):
    fit = bm.fit(normal(bm.Normal(0, 1), bm.HalfNormal(1)), DATA)
    object.__setattr__(fit, "sample_stats", {"diverging": np.zeros((1, 1))})
    with pytest.raises(ModelError, match=r"exact posterior: use Quadrature"):
        bm.power_scaling(fit)
    with speaking(COMMAND), pytest.raises(ModelError, match="leave --nuts out"):
        bm.power_scaling(fit)


def test_nodes_that_do_not_resolve_the_posterior_are_refused(monkeypatch):
    monkeypatch.setattr("bayesmeta.checks._powers.PROBS", (0.02, 0.5, 0.98))
    with pytest.raises(ModelError, match=r"differ by a probability of 0\.0\d"):
        bm.power_scaling(bm.fit(normal(bm.Normal(0, 1), bm.HalfNormal(1)), DATA))


@pytest.mark.parametrize(
    ("prior", "data", "leaning"),
    [
        (0.049, 0.06, Leaning.DATA),
        (0.05, 0.05, Leaning.BOTH),
        (0.06, 0.049, Leaning.PRIOR),
        (0.01, 0.01, Leaning.NEITHER),
    ],
)
def test_what_decides_is_what_reaches_the_threshold(prior, data, leaning):
    for columns in (
        {"prior_mu": prior, "prior_tau": np.nan},
        {"prior_mu": 0.0, "prior_tau": prior},
    ):
        one = Sensitivity(parameter="mu", likelihood=data, **columns)
        assert one.leaning is leaning
        found = PowerScaling(
            sensitivities=(one,), mu=bm.Normal(0, 1), tau=bm.HalfNormal(1), error=0.0
        )
        assert bool(found.caution()) == (leaning in (Leaning.BOTH, Leaning.PRIOR))
        assert f"{one.of} ~" in found.sentence


def test_an_unknown_parameter_is_refused_with_those_that_there_are():
    found = bm.power_scaling(bm.fit(bm.CommonEffect(mu=bm.Normal(0, 1)), DATA))
    with pytest.raises(ModelError, match="no power scaling of 'tau'; there is of mu"):
        found["tau"]


def cautions(model, data):
    said = bm.check(bm.fit(model, data), seed=1).trust.cautions
    return [one for one in said if "prior" in one.lower() and "rests largely" not in one]


def test_of_one_conflict_there_is_one_caution():
    (said,) = cautions(
        bm.CommonEffect(mu=bm.Normal(0, 0.2)), estimates([2.1, 2.4], [0.2, 0.3], measure="OR")
    )
    assert said.startswith("Prior and data are in conflict: before the data, pooled log OR")
    assert said.endswith(
        "mu moves by 0.65 per doubling of the weight of mu ~ Normal(0, 0.2) and by 0.65 of that "
        "of the data, where 0.05 counts."
    )


def test_a_prior_that_agrees_with_the_data_and_moves_the_answer_is_said_to():
    (said,) = cautions(normal(bm.Normal(-0.4, 0.1), bm.HalfNormal(0.5)), DATA)
    assert said.startswith("The answer leans on a prior more than on the data: mu moves by 0.07")
    agreeing = estimates([-0.6, -0.2, -0.3], [0.2, 0.3, 0.15])
    (said,) = cautions(bm.CommonEffect(mu=bm.Normal(-0.15, 0.15)), agreeing)
    assert said.startswith("The answer leans on a prior as well as on the data: mu moves by")


def test_a_prior_that_the_data_overwhelm_is_no_caution():
    assert cautions(normal(bm.Normal(0, 2), bm.HalfNormal(0.5)), DATA) == []


def test_no_power_of_a_log_student_prior_is_a_distribution_and_check_says_what_it_left_out():
    fit = bm.fit(normal(bm.Normal(0, 1), bm.LogStudentT(5, -1.5, 0.7)), DATA)
    said = r"tau ~ LogStudentT.* is no distribution when raised to the power 0\.8"
    with pytest.raises(ModelError, match=said):
        bm.power_scaling(fit)
    found = bm.check(fit, seed=1)
    assert found.scaling is None
    missing = "How much the answer leans on its priors was not checked: tau ~ LogStudentT"
    assert any(one.startswith(missing) for one in found.trust.cautions)
    x = np.array([1e30, 1e60, 1e120])
    density = bm.priors.log_density(bm.LogStudentT(5, -1.5, 0.7), x)
    assert (np.diff(0.8 * density + np.log(x)) > 0).all()  # x p(x)^0.8 grows: no integral
    assert (
        np.diff(1.25 * bm.priors.log_density(bm.LogStudentT(5, -1.5, 0.7), 1 / x) - np.log(x)) > 0
    ).all()


def test_with_one_study_the_prior_decides_tau_as_the_fit_says():
    fit = bm.fit(normal(bm.Normal(0, 1), bm.HalfNormal(0.5)), estimates([2.5], [0.2], measure="OR"))
    assert any("its posterior is its prior" in one for one in fit.cautions)
    found = bm.power_scaling(fit)
    assert found["tau"].leaning in (Leaning.PRIOR, Leaning.NEITHER)
    assert found["tau"].likelihood >= 0.05
    assert found["tau"].leaning is Leaning.PRIOR
    assert "conflict" not in found.table().loc["tau", "diagnosis"]
