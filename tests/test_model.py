"""Models as values: their priors, their defaults, and what makes no sense."""

import pytest
from references import binary, estimates

import bayesmeta as bm
from bayesmeta.summaries import describe

MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
COUNTS = binary({"A": (1, 5, 2, 6), "B": (2, 9, 2, 8)})


def test_models_hold_their_priors_in_order():
    assert bm.NormalNormal(mu=MU, tau=TAU).priors == {"mu": MU, "tau": TAU}
    assert bm.CommonEffect(mu=MU).priors == {"mu": MU}
    counts = bm.BinomialNormal(measure="OR", mu=MU, tau=TAU)
    assert list(counts.priors) == ["mu", "tau", "baseline"]
    assert counts.baseline == bm.Normal(0, 10)


def outliers(**changed):
    priors = {"mu": MU, "tau": TAU, "share": bm.Beta(1, 9), "spread": bm.HalfNormal(1)}
    return bm.OutlierMixture(**priors | changed)


def test_robust_models_hold_their_priors_and_say_them_as_they_are_written():
    counts = bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, df=bm.Gamma(2, 0.1))
    assert list(counts.priors) == ["mu", "tau", "baseline", "df"]
    assert counts.in_words.endswith("Student-t with unknown degrees of freedom")
    assert "df=Gamma(2, 0.1)" in describe(counts)
    assert bm.parse_prior(repr(counts.df)) == counts.df
    assert list(outliers().priors) == ["mu", "tau", "share", "spread"]
    assert "share=Beta(1, 9), spread=HalfNormal(1)); study effects of which" in describe(outliers())
    for model in (counts, outliers()):
        assert eval(repr(model), {name: getattr(bm, name) for name in bm.__all__}) == model


def test_models_are_values():
    assert bm.NormalNormal(mu=MU, tau=TAU) == bm.NormalNormal(mu=MU, tau=TAU)
    assert bm.NormalNormal(mu=MU, tau=TAU) != bm.NormalNormal(mu=MU, tau=bm.HalfCauchy(0.5))
    with pytest.raises(AttributeError):
        bm.CommonEffect(mu=MU).mu = TAU


@pytest.mark.parametrize("measure", ["OR", "RR", "HR", "IRR", "ROM"])
def test_ratios_have_a_default_model_with_stated_priors(measure):
    model = bm.default_model(estimates([0.1], [0.2], measure=measure))
    assert model == bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    assert describe(model) == "NormalNormal(mu=Normal(0, 2), tau=HalfNormal(0.5))"


@pytest.mark.parametrize("measure", ["MD", "SMD", "RD", "GEN"])
def test_measures_in_raw_units_have_no_default_and_the_error_shows_one(measure):
    with pytest.raises(
        bm.ModelError, match=rf"No default prior exists for {measure}.*NormalNormal\(mu="
    ):
        bm.default_model(estimates([0.1], [0.2], measure=measure))


def test_counts_default_to_the_odds_ratio():
    model = bm.default_model(binary({"A": (1, 5, 2, 6)}))
    assert model == bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    assert "measure='OR'" in describe(model)


def test_coding_of_the_arms_is_stated_in_words():
    assert (
        "half of the effect to each arm" in bm.BinomialNormal(measure="OR", mu=MU, tau=TAU).in_words
    )
    assert "odds-product" in bm.BinomialNormal(measure="RR", mu=MU, tau=TAU).in_words


@pytest.mark.parametrize("tau", [bm.Normal(0.5, 0.1), bm.StudentT(3, 0, 1), bm.Uniform(-0.1, 1)])
@pytest.mark.parametrize(
    "model", [bm.NormalNormal, lambda **p: bm.BinomialNormal(measure="OR", **p)]
)
def test_tau_cannot_be_given_mass_below_zero(model, tau):
    with pytest.raises(bm.ModelError, match=r"cannot be negative.*Use HalfNormal"):
        model(mu=MU, tau=tau)


@pytest.mark.parametrize(
    "tau",
    [
        TAU,
        bm.HalfCauchy(1),
        bm.LogNormal(0, 1),
        bm.Uniform(0, 1),
        bm.Beta(1, 2),
        bm.Mixture(0.5, bm.HalfNormal(1), bm.Uniform(0, 3)),
        bm.Flat(),
        bm.Jeffreys(),
    ],
    ids=repr,
)
def test_every_prior_on_the_positive_line_will_do_for_tau(tau):
    assert bm.NormalNormal(mu=MU, tau=tau).tau == tau


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: bm.NormalNormal(mu=0, tau=TAU),
            r"mu must be a prior such as Normal\(0, 2\), got 0",
        ),
        (lambda: bm.NormalNormal(mu=MU, tau=0.5), r"tau must be a prior such as HalfNormal\(0.5\)"),
        (lambda: bm.NormalNormal(mu="Normal(0, 2)", tau=TAU), "mu must be a prior"),
        (lambda: bm.CommonEffect(mu=None), "mu must be a prior"),
        (
            lambda: bm.BinomialNormal(measure="MD", mu=MU, tau=TAU),
            "measure 'OR', 'RR' or 'RD', not",
        ),
        (lambda: bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, baseline=0.1), "baseline must be"),
        (lambda: bm.default_model([1, 2]), "takes EffectSizes or a table of counts, not list"),
        (lambda: bm.CommonEffect(mu=bm.Jeffreys()), r"Jeffreys\(\) is a prior of tau; for mu use"),
        (
            lambda: bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, baseline=bm.Flat()),
            r"baseline needs a proper prior such as Normal\(0, 10\), not Flat\(\)",
        ),
        (
            lambda: bm.NormalNormal(mu=MU, tau=TAU, df=bm.Normal(4, 1)),
            r"df, degrees of freedom, needs a proper prior on the positive numbers, not Normal\(4",
        ),
        (
            lambda: bm.HypergeometricNormal(mu=MU, tau=TAU, df=bm.Flat()),
            r"not Flat\(\); use Gamma\(2, 0.1\)",
        ),
        (lambda: bm.PoissonNormal(mu=MU, tau=TAU, df=bm.Jeffreys()), "needs a proper prior"),
        (lambda: bm.ProportionNormal(mu=MU, tau=TAU, df=0.5), r"1 or more, or a prior such as Gam"),
        (lambda: bm.IncidenceNormal(mu=MU, tau=TAU, df="Gamma(2, 0.1)"), "df must be a number"),
        (lambda: outliers(share=0.1), r"share must be a prior such as Beta\(1, 9\), got 0.1"),
        (lambda: outliers(share=bm.HalfNormal(1)), "share is a share of studies between 0 and 1"),
        (lambda: outliers(share=bm.Jeffreys()), r"for share use Beta\(1, 9\), say"),
        (lambda: outliers(spread=bm.Normal(1, 1)), "spread is a standard deviation and cannot be"),
        (lambda: outliers(tau=bm.Normal(1, 1)), "tau is a standard deviation and cannot be"),
        (lambda: outliers(mu=0), "mu must be a prior"),
        (
            lambda: bm.NormalNormal(mu=MU, tau=bm.Mixture(0.5, TAU, bm.Normal(1, 0.1))),
            "cannot be negative",
        ),
        (
            lambda: bm.fit(bm.BinomialNormal(measure="OR", mu=bm.Flat(), tau=TAU), COUNTS),
            r"BinomialNormal needs proper priors, not mu=Flat\(\); use a wide one",
        ),
        (
            lambda: bm.fit(bm.BinomialNormal(measure="RR", mu=MU, tau=bm.Jeffreys()), COUNTS),
            r"needs proper priors, not tau=Jeffreys\(\)",
        ),
        (
            lambda: bm.fit(bm.NormalNormal(mu=bm.Flat(), tau=TAU), COUNTS),
            "NormalNormal needs EffectSizes",
        ),
    ],
)
def test_what_is_not_a_model_is_refused_with_what_would_be(call, words):
    with pytest.raises(bm.ModelError, match=words):
        call()
