"""Coefficients of which the studies say nothing: their posterior is their prior, and it is said."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmeta as bm
from bayesmeta.moderators import moderators

ROOT = Path(__file__).parent
FRAME = pd.read_csv(ROOT.parent / "examples" / "bcg" / "bcg.csv").assign(
    same=44.0, tenth=0.1, none=0, kind="old", double=lambda x: 2 * x["latitude"] + 1
)
WIDE, TAU, SLOPE = bm.Normal(0, 2), bm.HalfNormal(0.5), bm.Normal(0.02, 0.1)
Q = np.array([0.001, 0.025, 0.5, 0.975, 0.999])
ITS = "the data say nothing of its slope; its posterior is its prior."


def counts(frame=FRAME):
    return bm.BinaryStudies.from_frame(frame)


def estimates(frame=FRAME):
    return bm.effect_sizes(counts(frame), measure="OR")


KINDS = {
    "normal": (bm.NormalNormal, estimates()),
    "common": (lambda mu, tau: bm.CommonEffect(mu=mu), estimates()),
    "Student-t": (lambda mu, tau: bm.NormalNormal(mu=mu, tau=tau, df=4), estimates()),
    "counts": (lambda mu, tau: bm.BinomialNormal(measure="OR", mu=mu, tau=tau), counts()),
}


class Slopes(dict):
    """Priors by name, with a hash."""

    def __hash__(self):
        return hash(tuple(self.items()))


@cache
def fit(kind, formula, slopes=SLOPE, engine=None):
    make, data = KINDS[kind]
    mu = bm.Linear(formula, intercept=WIDE, slopes=slopes) if formula else WIDE
    return bm.fit(make(mu=mu, tau=TAU), data, engine)


def assert_same(one, other):
    """Two marginals to 1e-8 of a standard deviation, and of probability."""
    sd = other.sd()
    assert one.quantile(Q) == pytest.approx(other.quantile(Q), abs=1e-8 * sd)
    assert (one.mean(), one.sd()) == pytest.approx((other.mean(), sd), abs=1e-8 * sd)
    x = other.quantile(Q)
    assert one.pdf(x) == pytest.approx(other.pdf(x), abs=1e-7 / sd)


@pytest.mark.parametrize("formula", ["same", "tenth", "none", "kind", "same * kind"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_zero_column_gives_the_model_without_it(kind, formula):
    found, plain = fit(kind, formula), fit(kind, "")
    assert found.log_marginal_likelihood == pytest.approx(plain.log_marginal_likelihood, abs=1e-8)
    first, *slopes = found.marginals["coefficient"].study
    assert_same(found[first], plain["mu"])
    value = {"same": 44.0, "tenth": 0.1, "none": 0.0, "kind": "old"}
    where = {name: value[name] for name in found.model.location.variables}
    assert_same(found.at(**where), plain["mu"])
    if kind != "common":
        assert_same(found["tau"], plain["tau"])
        assert_same(found.at(**where, new=True), plain["theta_new"])
        assert_same(found["theta"]["TPT Madras 1980"], plain["theta"]["TPT Madras 1980"])
    for name in slopes:
        assert found[name].quantile(Q) == pytest.approx(stats.norm(0.02, 0.1).ppf(Q), abs=1e-9)


@pytest.mark.parametrize("kind", ["counts", "Student-t"])
def test_heavy_priors_and_many_coefficients_of_zero_columns_are_integrated(kind):
    heavy = bm.StudentT(4, 0, 0.1)
    slopes = Slopes(dict.fromkeys(("same", "tenth", "none"), heavy), latitude=SLOPE)
    found = fit(kind, "same + tenth + none + latitude", slopes)
    plain = fit(kind, "latitude")
    assert found.engine == plain.engine
    assert found.log_marginal_likelihood == pytest.approx(plain.log_marginal_likelihood, abs=1e-8)
    for name in ("intercept", "latitude", "tau"):
        assert_same(found[name], plain[name])
    where = {"same": 44, "tenth": 0.1, "none": 0, "latitude": 20}
    for new in (False, True):
        assert_same(found.at(**where, new=new), plain.at(latitude=20, new=new))
    law = stats.t(4, scale=0.1)
    assert found["same"].quantile(Q) == pytest.approx(law.ppf(Q), abs=1e-9)
    assert found["same"].sd() == pytest.approx(law.std(), abs=1e-9)
    there = found.at(**where | {"same": 45})
    expected = np.hypot(plain.at(latitude=20).sd(), law.std())
    assert there.sd() == pytest.approx(expected, rel=1e-5)
    drawn = found.shared_draws(20_000, seed=1)["coefficient"]
    names = found.marginals["coefficient"].study
    assert drawn[:, names.index("same")].std() == pytest.approx(law.std(), rel=0.05)
    assert abs(np.corrcoef(drawn.T)[names.index("same"), names.index("latitude")]) < 0.03


def test_draws_and_loo_of_counts_are_those_of_the_model_without():
    found, plain = fit("counts", "same"), fit("counts", "")
    assert bm.loo(found).elpd == pytest.approx(bm.loo(plain).elpd, abs=1e-8)
    theirs = plain.draws(500, seed=3)["posterior"]
    mine = found.draws(500, seed=3)["posterior"]
    assert mine["coefficient"].sel(term="intercept").values == pytest.approx(theirs["mu"].values)
    assert mine["theta"].values == pytest.approx(theirs["theta"].values)
    both = bm.bayes_factors(found).factors, bm.bayes_factors(plain).factors
    mine, theirs = ({one.hypothesis: one.log_bf01 for one in each} for each in both)
    assert mine["intercept = 0"] == pytest.approx(theirs["mu = 0"], abs=1e-6)
    assert mine["tau = 0"] == pytest.approx(theirs["tau = 0"], abs=1e-6)


def test_a_place_that_no_study_is_at_rests_on_the_prior_of_the_slope():
    """The sum of two independent numbers: their variances add up."""
    for kind in ("normal", "counts"):
        found, plain = fit(kind, "same"), fit(kind, "")["mu"]
        there = found.at(same=50)
        assert there.mean() == pytest.approx(plain.mean() + 6 * 0.02, abs=1e-8)
        assert there.sd() == pytest.approx(np.hypot(plain.sd(), 6 * 0.1), abs=1e-8)


def test_what_nothing_is_said_of_is_said_once_where_the_answer_is_read():
    assert fit("normal", "same").cautions == (f"same is 44 in all studies: {ITS}",)
    assert f"Caution: same is 44 in all studies: {ITS}" in repr(fit("counts", "same"))
    assert fit("normal", "tenth").cautions == (f"tenth is 0.1 in all studies: {ITS}",)
    (said,) = fit("normal", "same * allocation").cautions
    assert said == (
        "same is 44 in all studies: the data say nothing of the coefficients same, "
        "same:allocation[contrast 1], same:allocation[contrast 2]; their posteriors are their "
        "priors."
    )
    (said,) = fit("normal", "kind").cautions
    assert said == "kind is 'old' in all studies: there is nothing to compare that level with."
    (said,) = fit("normal", "tenth:same").cautions
    assert said == (
        "No study says anything of tenth:same, for it is zero in all: its posterior is its prior."
    )
    assert fit("normal", "latitude").cautions == ()


def test_levels_that_no_study_has_together_rest_on_their_prior():
    frame = pd.DataFrame(
        {
            "study": list("ABCDE"),
            "y": [0.1, 0.4, -0.2, 0.9, 0.3],
            "se": [0.2, 0.3, 0.2, 0.4, 0.3],
            "a": list("ppqqq"),
            "b": list("uuuvv"),
        }
    )
    data = bm.EffectSizes.from_frame(frame)
    mu = bm.Linear("a:b", intercept=bm.Normal(0.3, 1.5), slopes=SLOPE)
    found = bm.fit(bm.NormalNormal(mu=mu, tau=TAU), data)
    assert found.cautions[0].startswith("No study says anything of a[p]:b[v], for it is zero")
    assert found["a[p]:b[v]"].quantile(Q) == pytest.approx(stats.norm(0.3, 1.5).ppf(Q), abs=1e-9)
    joined = data.covariates["a"], data.covariates["b"]
    both = frame.assign(ab=[f"{one}{two}" for one, two in zip(*joined, strict=True)])
    other = bm.fit(
        bm.NormalNormal(mu=bm.ByGroup("ab", bm.Normal(0.3, 1.5)), tau=TAU),
        bm.EffectSizes.from_frame(both),
    )
    assert found.log_marginal_likelihood == pytest.approx(other.log_marginal_likelihood, abs=1e-8)
    assert_same(found["a[q]:b[v]"], other["ab[qv]"])


@pytest.mark.parametrize(("sd", "kind"), [(0.1, "normal"), (5.0, "normal"), (0.1, "counts")])
def test_columns_that_follow_from_one_another_share_what_one_has(sd, kind):
    """For slopes b and c of x and 2x + 1 the data know b + 2c alone, whose prior is normal too.

    What is left, 2b - c, is independent of that and stays with its prior.
    """
    slopes = bm.Normal(0, sd)
    both = fit(kind, "latitude + double", slopes)
    one = fit(kind, "latitude", bm.Normal(0, sd * np.sqrt(5)))
    assert both.log_marginal_likelihood == pytest.approx(one.log_marginal_likelihood, abs=1e-8)
    assert_same(both.contrast({"latitude": 1, "double": 2}), one["latitude"])
    assert_same(both["intercept"], one["intercept"])
    assert_same(both["tau"], one["tau"])
    assert_same(both.at(latitude=13, double=27), one.at(latitude=13))
    rest = both.contrast({"latitude": 2, "double": -1})
    assert rest.quantile(Q) == pytest.approx(stats.norm(0, sd * np.sqrt(5)).ppf(Q), abs=1e-8 * sd)
    own = both["double"]
    assert own.mean() == pytest.approx(0.4 * one["latitude"].mean(), abs=1e-8 * sd)
    assert own.sd() == pytest.approx(
        np.hypot(0.4 * one["latitude"].sd(), sd / np.sqrt(5)), rel=1e-8
    )
    assert both.cautions[0] == (
        "The studies do not tell latitude, double apart: each of these coefficients by itself "
        "rests on its prior."
    )


def test_more_coefficients_than_studies_have_the_posterior_of_a_normal_law_at_each_tau():
    """By the covariance of the estimates themselves, without any matrix of coefficients."""
    data = estimates(FRAME.head(3))
    mu = bm.Linear("latitude + year + same + latitude:year", intercept=WIDE, slopes=SLOPE)
    found = bm.fit(bm.NormalNormal(mu=mu, tau=TAU), data)
    x = mu.design(data).matrix
    prior_mean, variance = np.array([0, *[0.02] * 4]), np.diag([4, *[0.01] * 4])
    t, w = np.polynomial.legendre.leggauss(400)
    t, w = 2 * (t + 1), 2 * w
    logs, means = [], []
    for tau in t:
        law = x @ variance @ x.T + np.diag(data.se**2 + tau**2)
        gap = data.y - x @ prior_mean
        logs.append(stats.multivariate_normal(cov=law).logpdf(gap))
        means.append(prior_mean + variance @ x.T @ np.linalg.solve(law, gap))
    mass = w * np.exp(logs) * stats.halfnorm(scale=0.5).pdf(t)
    assert found.log_marginal_likelihood == pytest.approx(np.log(mass.sum()), abs=1e-8)
    own = [found[name].mean() for name in mu.entries(data)]
    assert own == pytest.approx(mass @ np.array(means) / mass.sum(), abs=1e-8)


def test_units_and_order_change_nothing_where_columns_are_zero_or_follow():
    found = fit("normal", "latitude + double + same")
    mixed = FRAME.sample(frac=1, random_state=1).assign(
        latitude=lambda x: 100 * x["latitude"], double=lambda x: 100 * x["double"], same=4400.0
    )
    mu = bm.Linear("latitude + double + same", intercept=WIDE, slopes=bm.Normal(2e-4, 1e-3))
    other = bm.fit(bm.NormalNormal(mu=mu, tau=TAU), estimates(mixed))
    assert found.log_marginal_likelihood == pytest.approx(other.log_marginal_likelihood, abs=1e-8)
    for name in ("latitude", "double", "same"):
        assert 100 * other[name].quantile(Q) == pytest.approx(found[name].quantile(Q), abs=1e-8)
    assert_same(other["intercept"], found["intercept"])
    assert_same(other["tau"], found["tau"])


@pytest.mark.parametrize("engine", [None, bm.NUTS(seed=1)], ids=["exact", "NUTS"])
@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("same", r"same is 44 in all studies, so that its coefficient has no posterior under a fl"),
        ("latitude + same", "same is 44 in all studies, so that its coefficient has no posterior"),
        ("tenth:same", "tenth:same is zero in all studies, so that its coefficient has no post"),
        ("latitude + double", "cannot be told apart in these studies: latitude, double; give them"),
    ],
)
def test_flat_priors_of_what_nothing_is_said_of_are_refused(formula, said, engine):
    with pytest.raises(bm.BayesmetaError, match=said):
        fit("normal", formula, bm.Flat(), engine)


def test_a_covariate_without_a_spread_has_no_standard_deviation_and_no_curve():
    mu = bm.Linear("same", intercept=WIDE, slopes=SLOPE, scale=True)
    with pytest.raises(bm.BayesmetaError, match="has no standard deviation to be divided by"):
        bm.fit(bm.NormalNormal(mu=mu, tau=TAU), estimates())
    with pytest.raises(bm.BayesmetaError, match="'same' has one value, too few for poly"):
        fit("normal", "poly(same, 2)")


def test_moments_are_those_of_the_prior_or_of_the_model_without():
    """A column that says nothing costs no study: with it the other moments exist as without."""
    data = estimates(FRAME.head(3))
    heavy = bm.HalfCauchy(0.5)
    mu = bm.Linear("same", intercept=bm.Flat(), slopes=bm.StudentT(2, 0, 1))
    found = bm.fit(bm.NormalNormal(mu=mu, tau=heavy), data)
    plain = bm.fit(bm.NormalNormal(mu=bm.Flat(), tau=heavy), data)
    assert np.isfinite(found["same"].mean())
    assert np.isnan(found["same"].sd())
    assert np.isnan(found["intercept"].sd()) == np.isnan(plain["mu"].sd())
    assert found["intercept"].mean() == pytest.approx(plain["mu"].mean(), abs=1e-8)


def test_sampling_gives_the_prior_of_what_nothing_is_said_of():
    found = fit("normal", "same", engine=bm.NUTS(seed=3))
    plain = fit("normal", "")
    assert found.cautions == (f"same is 44 in all studies: {ITS}",)
    assert found.diagnostics.passed
    for name, mean in (
        ("same", 0.02),
        ("intercept", plain["mu"].mean()),
        ("tau", plain["tau"].mean()),
    ):
        label = name if name == "tau" else f"coefficient[{name}]"
        error = found.convergence[label]["mcse_mean"]
        assert abs(found[name].mean() - mean) <= 4 * error
    assert abs(found["same"].sd() - 0.1) <= 4 * found.convergence["coefficient[same]"]["mcse_sd"]


def test_the_bayes_factor_of_a_zero_column_is_one():
    (one,) = [
        each
        for each in bm.bayes_factors(fit("normal", "same")).factors
        if "same" in each.hypothesis
    ]
    assert one.log_bf01 == pytest.approx(0, abs=1e-9)


def test_what_stands_beside_the_answer_leaves_it_out_and_says_so():
    found = moderators(fit("normal", "same + latitude"), effects=estimates(), seed=1)
    assert found.asked.name == "latitude"
    assert found.frequentist.regression is None
    (said,) = found.frequentist.refusals
    assert said.startswith("Regression, in two stages: 'same' is 44 in all studies used, so that")
    alone = moderators(fit("normal", "same"))
    assert [one.name for one in alone.places] == ["same 44"]
    group = moderators(fit("normal", "kind"), effects=estimates())
    assert group.differences == ()
    assert group.asked.name == "kind[old]"
    assert len(group.frequentist.refusals) == 2


def test_a_bubble_plot_of_a_covariate_without_a_range_says_what_its_line_rests_on():
    found = fit("normal", "same")
    rows = bm.plots.bubble(found, rows=True)
    line = rows[rows["kind"] == "line"]
    assert line["x"].min() < 44 < line["x"].max()
    middle = line.iloc[len(line) // 2]
    expected = (44, found["intercept"].quantile(0.5))
    assert (middle["x"], middle["estimate"]) == pytest.approx(expected)
    drawn = " ".join(one.get_text() for one in bm.plots.bubble(found).texts)
    assert "All studies have same 44: beside it the line rests on the prior of its slope" in drawn


@pytest.mark.parametrize("kind", ["normal", "counts"])
def test_a_contrast_of_nothing_is_refused_whether_or_not_the_studies_tell(kind):
    make, data = KINDS[kind]
    mu = bm.Linear("same", intercept=WIDE, slopes=SLOPE)
    fit = bm.fit(make(mu=mu, tau=TAU), data)
    with pytest.raises(bm.ModelError, match=r"Every weight is zero, .* as in \{'same': 1\}"):
        fit.contrast({})
