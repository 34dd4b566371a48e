"""Models of arms with a mean and an SD: study by study, and whole fits, against brute force."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose
from reference import brute_arms
from references import cases, numbered
from scipy import stats
from scipy.interpolate import make_interp_spline
from scipy.special import logsumexp
from tolerances import (
    ARMS_FIT,
    ARMS_LIKELIHOOD,
    ARMS_TABLE,
    QUANTILE_ARMS,
)

import bayesmeta as bm
from bayesmeta.effects import arm_estimates
from bayesmeta.engines import default_engine
from bayesmeta.engines.exact.fixed import integrate_fast
from bayesmeta.engines.exact.grid import integrate_on_grid
from bayesmeta.engines.likelihood.of_arms import quantiles as _quantiles
from bayesmeta.engines.likelihood.of_arms._shape import Shape
from bayesmeta.engines.likelihood.of_arms.arms import (
    FINEST,
    Arm,
    arms_of,
    columns_of,
    integrated,
    log_likelihood_of,
)
from bayesmeta.engines.likelihood.of_arms.continuous import SPACING, _table, log_likelihood

LINKS = [
    *(("MD", "normal"), ("SMD", "normal"), ("ROM", "normal")),
    *(("ROM", "lognormal"), ("RGM", "lognormal")),
]
PAIRS = {  # mean, SD, n
    "usual": ((5.2, 1.1, 20), (4.1, 1.9, 35)),
    "two each": ((5.0, 1.0, 2), (4.0, 3.0, 2)),
    "large": ((5.0, 1.0, 200), (4.9, 1.2, 150)),
    "uneven": ((12.0, 4.0, 3), (10.0, 2.5, 120)),
    "near zero": ((0.3, 1.0, 12), (1.0, 0.8, 15)),
}
WHERE = np.array([0.0, -1.0, 1.0, -3.0, 3.0, -10.0, 10.0, -50.0, 50.0])  # standard errors
AT = np.array([0.025, 0.25, 0.5, 0.75, 0.975])
MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
NAMES = ("mean", "sd", "n")


def of(link, pair):
    """Figures of both arms: as they are, or as logs; with an estimate and its standard error."""
    if link[1] == "lognormal":
        pair = tuple((mean / 3, sd / 3, n) for mean, sd, n in pair)
    y, se = arm_estimates(*link, *(tuple(map(np.float64, arm)) for arm in pair))
    return pair, float(y), float(se)


def frozen(prior):
    return None if prior is None else stats.norm(prior.mean, prior.sd)


def shape(link, log_sd=None, baseline=None):
    return Shape(link[0], link[1] == "lognormal", log_sd, baseline, SPACING)


def differences(value):
    return value - value[0]


def baselines(link, pair):
    """Flat, mild, and narrow beside what the arms say."""
    middle = (pair[0][0] + pair[1][0]) / 2
    middle = float(np.log(middle)) if link == ("ROM", "normal") else middle
    return None, bm.Normal(middle + 0.5, 1.5), bm.Normal(middle + 0.3, 0.02)


@pytest.mark.deep("25 cases of quadrature: 3 s", but=["usual-*", "near zero-MD-normal"])
@pytest.mark.parametrize("link", LINKS, ids="-".join)
@pytest.mark.parametrize("name", PAIRS)
def test_likelihood_of_a_study_is_that_of_brute_force(link, name):
    pair, y, se = of(link, PAIRS[name])
    dear = link == ("ROM", "lognormal")  # its brute force sums over the SD at every baseline
    if dear and name in ("large", "two each", "near zero"):
        return
    for baseline in baselines(link, pair)[2 * dear :]:
        if link[0] == "SMD" and baseline is not None and name in ("large", "uneven"):
            continue  # dear, too
        at = y + se * (WHERE[: 2 if dear else 3] if dear or baseline is not None else WHERE)
        brute = brute_arms.log_likelihood(link, *pair, at, None, frozen(baseline))
        ours = log_likelihood(*(Arm(*arm) for arm in pair), shape(link, None, baseline), at)
        assert_allclose(differences(ours)[:7], differences(brute)[:7], **ARMS_LIKELIHOOD)
        assert_allclose(differences(ours)[7:], differences(brute)[7:], atol=0, rtol=1e-5)


@pytest.mark.deep(
    "quadrature in two dimensions: half a second a measure", but=["SMD-normal", "RGM-lognormal"]
)
@pytest.mark.parametrize("link", LINKS, ids="-".join)
def test_likelihood_with_a_prior_of_the_sd_is_that_of_brute_force(link):
    pair, y, se = of(link, PAIRS["usual"])
    log_sd, mild = bm.Normal(0.2, 0.7), baselines(link, pair)[1]
    at = y + se * np.array([0.0, 2.0, -10.0])[: 2 if link[0] != "SMD" else 3]
    brute = brute_arms.log_likelihood(link, *pair, at, frozen(log_sd), frozen(mild))
    ours = log_likelihood(*(Arm(*arm) for arm in pair), shape(link, log_sd, mild), at)
    assert_allclose(differences(ours), differences(brute), **ARMS_LIKELIHOOD)


@pytest.mark.parametrize("name", PAIRS)
def test_a_standardised_difference_has_the_noncentral_t(name):
    (treatment, control), y, se = of(("SMD", "normal"), PAIRS[name])
    (m1, s1, n1), (m0, s0, n0) = treatment, control
    share, df = n1 * n0 / (n1 + n0), n1 + n0 - 2
    pooled = np.sqrt(((n1 - 1) * s1**2 + (n0 - 1) * s0**2) / df)
    at = y + se * np.linspace(-5, 5, 11)
    t = (m1 - m0) / pooled * np.sqrt(share)
    known = stats.nct.logpdf(t, df, at * np.sqrt(share))
    ours = log_likelihood(Arm(*treatment), Arm(*control), shape(("SMD", "normal")), at)
    assert_allclose(differences(ours), differences(known), **ARMS_LIKELIHOOD)


@pytest.mark.deep("quadrature at every point: 2 s", but=["usual", "near zero"])
@pytest.mark.parametrize("name", PAIRS)
def test_the_table_of_a_mean_difference_is_two_student_t_convolved(name):
    (treatment, control), y, se = of(("MD", "normal"), PAIRS[name])
    table = _table(Arm(*treatment), Arm(*control), shape(("MD", "normal")), y, se, 512.0)
    at = y + se * np.array([0.0, 0.7, -2.0, 5.0])
    known = np.log([brute_arms.mean_difference(treatment, control, one) for one in at])
    assert_allclose(table.log_density(table.v(at)), known, **ARMS_TABLE.get(name, ARMS_LIKELIHOOD))


def test_a_mixture_as_prior_of_the_baseline_is_the_normal_it_is_made_of():
    link, one = ("SMD", "normal"), bm.Normal(5.0, 0.3)
    pair, y, se = of(link, PAIRS["usual"])
    at = y + se * WHERE[:5]
    by = [
        log_likelihood(*(Arm(*arm) for arm in pair), shape(link, None, prior), at)
        for prior in (one, bm.Mixture(0.5, one, one))
    ]
    assert_allclose(differences(by[0]), differences(by[1]), **ARMS_LIKELIHOOD)


# Arms with quantiles.


QUARTILES = Arm(5.2, 1.9, 24, (0.25, 0.5, 0.75), (3.95, 4.95, 6.45), (4.05, 5.05, 6.55))


@cache
def of_quartiles():
    """Means (m, 1), logs of SDs (s,), and the log probability of the quartiles, (m, s)."""
    log_sd = np.log(1.9) + np.linspace(-1.0, 1.4, 41)
    mu = 5.2 + 1.9 * np.linspace(-2.2, 2.2, 61)[:, None]
    made = _quantiles.plan([QUARTILES.low], [QUARTILES.high], [QUARTILES.n], QUARTILES.probs)
    both = (one[..., None] for one in np.broadcast_arrays(mu, np.exp(log_sd)))
    nodes = _quantiles.Nodes(below=10, quantile=16, gap=7, drop=14.0)
    return mu, log_sd, _quantiles.log_probability(np, made, *both, nodes)[..., 0]


@pytest.mark.parametrize("measure", ["MD", "SMD"])
def test_an_arm_with_quartiles_enters_by_their_probability(measure):
    mu, log_sd, value = of_quartiles()
    other, theta, brute = (4.1, 1.8, 30), np.array([0.6, 0.0, 1.2, 2.0]), []
    for at in theta:
        if measure == "MD":
            control = brute_arms.log_location(other, mu - at)
        else:
            control = brute_arms.log_arm(other, mu - at * np.exp(log_sd), log_sd)
        brute.append(logsumexp(value + control))
    ours = log_likelihood(QUARTILES, Arm(*other), shape((measure, "normal")), theta)
    assert_allclose(differences(ours), differences(np.array(brute)), **QUANTILE_ARMS)


# Whole fits.


@cache
def normand():
    """Nine trials of stroke units: days in hospital."""
    columns = cases("means")["normand1999"]["data"]
    return bm.ContinuousStudies(study=numbered(9), **columns)


def table(pairs, **changes):
    """A table of treatment and control arms, each mean, SD, n."""
    cells = np.array(pairs, dtype=float)
    columns = {
        f"{name}_{arm}": cells[:, j, i]
        for j, arm in enumerate(("treatment", "control"))
        for i, name in enumerate(NAMES)
    }
    return bm.ContinuousStudies(study=numbered(len(pairs)), **{**columns, **changes})


def pairs_of(data):
    sides = [
        np.stack([getattr(data, f"{name}_{arm}") for name in NAMES], axis=1).tolist()
        for arm in ("treatment", "control")
    ]
    return list(zip(*([tuple(row) for row in side] for side in sides), strict=True))


FOUR_PAIRS = [
    ((5.2, 1.1, 20), (4.1, 1.9, 35)),
    ((5.0, 2.1, 5), (5.3, 1.4, 6)),
    ((6.1, 1.6, 12), (4.6, 1.5, 11)),
    ((4.4, 1.2, 40), (4.1, 1.3, 38)),
]
FOUR = table(FOUR_PAIRS)
UNITS = {"MD": 1.0, "SMD": 0.7, "ROM": 0.2, "RGM": 0.2}


def model_of(link, **settings):
    unit = UNITS[link[0]]
    given = {"mu": bm.Normal(0, 2 * unit), "tau": bm.HalfNormal(0.5 * unit), **settings}
    return bm.ContinuousNormal(measure=link[0], arms=link[1], **given)


def on_logs(pair):
    """Arms as the mean and the SD of logs that theirs imply (Higgins et al. 2008)."""
    made = []
    for mean, sd, n in pair:
        variance = np.log(1 + (sd / mean) ** 2)
        made.append((np.log(mean) - variance / 2, np.sqrt(variance), n))
    return tuple(made)


@cache
def brute_fit(link, model, centre, half, longest):
    """Means and SDs of mu and tau given `FOUR`, by even sums over theta, mu and tau.

    tau runs from a twentieth of its longest: the smooth rest is left to even sums over its square
    root, which crowd at zero. theta is mu + tau z.
    """
    knots = centre + half * np.linspace(-1, 1, 241)
    pairs = [on_logs(pair) if link[1] == "lognormal" else pair for pair in pairs_of(FOUR)]
    splines = [
        make_interp_spline(knots, brute_arms.log_likelihood(link, *pair, knots), k=7)
        for pair in pairs
    ]
    z = np.linspace(-7, 7, 141)
    mu = centre + half * np.linspace(-0.5, 0.5, 121)
    x, weight = np.polynomial.legendre.leggauss(60)
    tau, weight = (
        longest * (1 + x) / 2,
        weight * stats.halfnorm.pdf(longest * (1 + x) / 2, 0, model.tau.scale),
    )
    theta = np.clip(mu[:, None, None] + tau[:, None] * z, knots[0], knots[-1])
    log_p = stats.norm.logpdf(mu, model.mu.mean, model.mu.sd)[:, None] + np.log(weight)
    for spline in splines:
        log_p = log_p + logsumexp(spline(theta) + stats.norm.logpdf(z), axis=2)
    mass = np.exp(log_p - log_p.max())
    mass /= mass.sum()
    found = []
    for at, share in ((mu, mass.sum(axis=1)), (tau, mass.sum(axis=0))):
        found += [share @ at, np.sqrt(share @ at**2 - (share @ at) ** 2)]
    below = np.cumsum(mass.sum(axis=1))
    return np.array(found), (mu + (mu[1] - mu[0]) / 2, below)


PLACES = {
    "MD": (0.7, 9.0, 3.2),
    "SMD": (0.4, 6.0, 2.3),
    "ROM": (0.15, 2.0, 0.65),
    "RGM": (0.15, 2.0, 0.65),
}


@pytest.mark.deep("brute force over both SDs of every study: 2 to 5 s a measure")
@pytest.mark.parametrize(
    "link", [one for one in LINKS if one != ("ROM", "lognormal")], ids="-".join
)
def test_posterior_is_that_of_brute_force(link):
    model = model_of(link)
    known, _ = brute_fit(link, model, *PLACES[link[0]])
    for how in (bm.fit, integrate_on_grid, integrate_fast):
        fit = how(model, FOUR)
        if fit is None:  # the program of fixed sizes found its own error too large
            continue
        assert fit.diagnostics.passed
        ours = np.array([f() for name in ("mu", "tau") for f in (fit[name].mean, fit[name].sd)])
        assert_allclose((ours - known) / known[[1, 1, 3, 3]], 0, **ARMS_FIT)


@pytest.mark.deep(
    "brute force over both SDs of every study: 1 to 4 s a measure", but=["SMD-normal"]
)
@pytest.mark.parametrize("link", LINKS, ids="-".join)
def test_one_effect_is_that_of_brute_force_and_of_no_heterogeneity(link):
    settings = {"measure": link[0], "arms": link[1], "mu": bm.Normal(0.1, 1.0)}
    fit = bm.fit(bm.ContinuousCommonEffect(**settings), FOUR)
    none = bm.fit(bm.ContinuousNormal(**settings, tau=bm.HalfNormal(1e-4 * UNITS[link[0]])), FOUR)
    assert fit.diagnostics.passed
    assert none.diagnostics.passed
    sd = fit["mu"].sd()
    assert_allclose((none["mu"].quantile(AT) - fit["mu"].quantile(AT)) / sd, 0, atol=1e-4)
    if link == ("ROM", "lognormal"):
        return
    mu = fit["mu"].mean() + sd * np.linspace(-9, 9, 181)
    log_p = stats.norm.logpdf(mu, 0.1, 1.0)
    for pair in pairs_of(FOUR):
        pair = on_logs(pair) if link[1] == "lognormal" else pair
        log_p = log_p + brute_arms.log_likelihood(link, *pair, mu)
    mass = np.exp(log_p - log_p.max())
    mass /= mass.sum()
    mean = mass @ mu
    spread = np.sqrt(mass @ (mu - mean) ** 2)
    assert_allclose([(fit["mu"].mean() - mean) / sd, fit["mu"].sd() / spread - 1], 0, **ARMS_FIT)


def quantiles(model, data):
    fit = bm.fit(model, data)
    assert fit.diagnostics.passed
    return np.array([fit[name].quantile(AT) for name in ("mu", "tau")])


@pytest.mark.deep("four fits a measure: 3 s in all", but=["SMD-normal"])
@pytest.mark.parametrize("link", LINKS, ids="-".join)
def test_what_must_not_matter_does_not(link):
    model, pairs = model_of(link), pairs_of(FOUR)
    here = quantiles(model, FOUR)
    atol = {"rtol": 0.0, "atol": 2e-5 * UNITS[link[0]]}
    swapped = quantiles(model, table([(control, treatment) for treatment, control in pairs]))
    assert_allclose(swapped[0], -here[0][::-1], **atol)
    assert_allclose(swapped[1], here[1], **atol)
    assert_allclose(quantiles(model, table(pairs[::-1])), here, **atol)

    def moved(factor, shift):
        sides = [[(factor * m + shift, factor * s, n) for m, s, n in pair] for pair in pairs]
        return table([tuple(pair) for pair in sides])

    if link[0] == "MD":
        wide = model_of(link, mu=bm.Normal(0, 200), tau=bm.HalfNormal(50))
        assert_allclose(quantiles(wide, moved(100.0, 0.0)) / 100, here, **atol)
    else:
        assert_allclose(quantiles(model, moved(100.0, 0.0)), here, **atol)
    if link[0] in ("MD", "SMD"):
        assert_allclose(quantiles(model, moved(1.0, 1000.0)), here, **atol)


@pytest.mark.deep("large arms have sharp likelihoods: 2 s")
def test_many_patients_give_the_answer_of_two_stages():
    large = table([tuple((m, s, 20_000) for m, s, _ in pair) for pair in pairs_of(FOUR)])
    for measure in ("MD", "SMD"):
        model = model_of((measure, "normal"))
        two = bm.fit(
            bm.NormalNormal(mu=model.mu, tau=model.tau), bm.effect_sizes(large, measure=measure)
        )
        there = np.array([two[name].quantile(AT) for name in ("mu", "tau")])
        assert_allclose(quantiles(model, large), there, rtol=0, atol=2e-4)


EXTREME = {
    "two patients an arm": [((5.0, 1.0, 2), (4.0, 3.0, 2)), ((3.0, 2.0, 2), (4.0, 1.0, 2))],
    "errors a thousandfold apart": [
        ((5.0, 1.0, 20), (4.1, 1.2, 20)), ((5000.0, 1000.0, 20), (4100.0, 1200.0, 20)),
    ],
    "a far outlier": [*FOUR_PAIRS, ((90.0, 1.0, 30), (4.0, 1.0, 30))],
    "means near zero": [((0.05, 1.0, 12), (1.0, 0.8, 15)), ((0.3, 1.0, 12), (0.01, 0.8, 15))],
    "one study": [((5.0, 1.0, 9), (4.0, 1.1, 8))],
}  # fmt: skip


CASES = [
    (name, link)
    for name in EXTREME
    for link in LINKS[:3]
    if (name, link[0]) != ("a far outlier", "ROM")  # minutes on the grid, whose tables grow
]


@pytest.mark.deep("both engines on every extreme: 3 s", but=["*('SMD', 'normal')"])
@pytest.mark.parametrize(("name", "link"), CASES, ids=str)
def test_extremes_are_answered_alike_by_both_engines_or_refused(link, name):
    model, data = model_of(link), table(EXTREME[name])
    try:
        fit = bm.fit(model, data)
    except bm.BayesmetaError:
        return
    if not fit.diagnostics.passed:
        return
    grid = integrate_on_grid(model, data)
    if not grid.diagnostics.passed:
        return
    for one in ("mu", "tau"):
        sd = np.subtract(*grid[one].quantile([0.75, 0.25]))
        gap = (fit[one].quantile(AT) - grid[one].quantile(AT)) / sd
        assert_allclose(
            gap, 0, rtol=0, atol=1e-4
        )  # ends of thin tails move by what 1e-5 of mass does


MIXED = bm.ContinuousStudies(
    study=["A"],
    n_treatment=[12],
    mean_treatment=[8.0],
    sd_treatment=[2.0],
    n_control=[10],
    q1_control=[6],
    median_control=[9],
    q3_control=[11],
)


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_quantiles_without_rounding_have_intervals_in_units_of_their_sd(unit):
    names = ("q1_control", "median_control", "q3_control")
    quartiles = {name: getattr(MIXED, name) * unit for name in names}
    data = bm.ContinuousStudies(
        study=["A"],
        n_treatment=[12],
        mean_treatment=[8.0 * unit],
        sd_treatment=[2.0 * unit],
        n_control=[10],
        rounding_treatment=np.zeros((1, 5)),
        rounding_control=np.zeros((1, 5)),
        **quartiles,
    )
    ((_, control),) = arms_of(
        bm.ContinuousCommonEffect(measure="MD", mu=bm.Normal(0, 9)).likelihood, data
    )
    at = np.concatenate([*quartiles.values()])
    assert_allclose(at - control.low, FINEST * control.sd, rtol=1e-6)
    assert_allclose(control.high - at, FINEST * control.sd, rtol=1e-6)


def test_the_definition_of_quartiles_reaches_the_sampler_whatever_the_first_arm_reports():
    effect = {"measure": "MD", "mu": bm.Normal(0, 9)}
    models = {kind: bm.ContinuousCommonEffect(**effect, quartiles=kind) for kind in (6, 7)}
    plans = {
        kind: columns_of(model.likelihood, MIXED)["quantiles_control"]
        for kind, model in models.items()
    }
    assert not np.array_equal(plans[6], plans[7])


@pytest.mark.parametrize("prior", [bm.Uniform(0, 3), bm.HalfNormal(2)])
def test_a_prior_of_the_sds_with_an_end_goes_to_nuts(prior):
    model = model_of(LINKS[0], log_sd=prior)
    assert isinstance(default_engine(model), bm.NUTS)
    with pytest.raises(bm.ModelError, match="prior of log_sd on the whole line"):
        bm.fit(model, FOUR, bm.Quadrature())


def test_residual_deviance_of_one_effect_is_that_of_its_likelihood():
    """About normal with many patients: the mean of ((y - mu) / se)² over the posterior."""
    many = table([(((5.0 + d), 1.0, 900), (4.0, 1.2, 900)) for d in (0.0, 0.05, -0.03)])
    model = bm.ContinuousCommonEffect(measure="MD", mu=bm.Normal(0, 9))
    ours = bm.deviance(bm.fit(model, many))
    estimates = bm.effect_sizes(many, measure="MD")
    two_stage = bm.deviance(bm.fit(bm.CommonEffect(mu=bm.Normal(0, 9)), estimates))
    assert_allclose(ours.residual, two_stage.residual, rtol=0.03)


def test_what_is_integrated_may_jump_from_one_place_to_the_next():
    """Nested rules ask for all pairs of two variables in one row: neighbours are none.

    Each row has a second peak, of no weight, nearer to its neighbours' than to its own start.
    """
    rng = np.random.default_rng(5)
    x = np.arange(400)
    peak, width = rng.choice([-30.0, 30.0], 400), np.exp(rng.normal(-2, 0.5, 400))

    def joint(at, u):
        true = -0.5 * ((u - peak[at]) / width[at]) ** 2
        false = -0.5 * ((u + peak[at]) / width[at]) ** 2 - 40
        return np.logaddexp(true, false) - np.log(width[at])

    found = integrated(joint, x, peak + rng.normal(0, 0.3, 400) * width, 0.2, in_order=False)
    assert_allclose(found, 0.5 * np.log(2 * np.pi), atol=1e-7)


def test_quartiles_of_three_values_are_these_values():
    """By type 7 the quartiles of three lie halfway to the median: mean and SD follow."""
    beside = {"n_control": [5], "mean_control": [8.0], "sd_control": [4.0]}
    quartiles = bm.ContinuousStudies(
        study=["A"], n_treatment=[3], q1_treatment=[7.3], median_treatment=[10.0],
        q3_treatment=[12.7], **beside,
    )  # fmt: skip
    moments = bm.ContinuousStudies(
        study=["A"], n_treatment=[3], mean_treatment=[10.0], sd_treatment=[5.4], **beside
    )
    model = bm.ContinuousCommonEffect(measure="MD", mu=bm.Normal(0, 10))
    one, other = (bm.fit(model, data) for data in (quartiles, moments))
    assert one.diagnostics.passed
    assert_allclose(
        [one["mu"].mean(), one["mu"].sd()], [other["mu"].mean(), other["mu"].sd()], rtol=2e-3
    )


def test_quartiles_that_are_all_the_same_are_sure_where_the_sd_is_small():
    """The rule may say a little more than 1 there; that is no failure of it."""
    same = Arm(5.0, 0.7, 20.0, (0.25, 0.5, 0.75), (4.5,) * 3, (5.5,) * 3)
    for kind in (6, 7):
        log_p = log_likelihood_of(same._replace(quartiles=kind))
        at = np.log([0.1, 0.15, 0.2])
        brute = 1 - 2 * stats.binom.sf(4, 20, stats.norm.sf(0.5 / np.exp(at)))
        assert_allclose(log_p(np.full(3, 5.0), at), np.log(brute), atol=5e-3)
