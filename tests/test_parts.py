"""A model is a likelihood, a location and a spread: its parts, their seams and their holes."""

from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import binary, estimates

import bayesmeta as bm
from bayesmeta.engines import study_densities
from bayesmeta.engines.capability import capability
from bayesmeta.engines.exact.propriety import check_propriety, least_df
from bayesmeta.engines.likelihood.rough import rough_effects, vanishing
from bayesmeta.engines.padding import filled, lengthened, padded_k
from bayesmeta.model import (
    CorrelatedSpread,
    Estimates,
    Likelihood,
    Model,
    NormalSpread,
    NoSpread,
    OfCounts,
    OutlierSpread,
    Scatter,
    Spread,
    StudentTSpread,
    compose,
    spellings,
)
from bayesmeta.posterior import Marginals, Nodes

MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
ARMS = {"measure": "MD", "mu": MU}
MODELS = {
    "estimates": bm.NormalNormal(mu=MU, tau=TAU),
    "estimates, Student-t": bm.NormalNormal(mu=MU, tau=TAU, df=4),
    "one effect": bm.CommonEffect(mu=MU),
    "outliers": bm.OutlierMixture(mu=MU, tau=TAU, share=bm.Beta(1, 9), spread=bm.HalfNormal(1)),
    "OR": bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, coding="zero_one"),
    "RR": bm.BinomialNormal(measure="RR", mu=MU, tau=TAU, df=bm.Gamma(2, 0.1)),
    "shared baselines": bm.BinomialNormal(
        measure="OR", mu=MU, tau=TAU, baseline=bm.Exchangeable(MU, TAU)
    ),
    "margins": bm.HypergeometricNormal(mu=MU, tau=TAU),
    "rates": bm.PoissonNormal(mu=MU, tau=TAU, baseline=bm.Normal(-3, 2)),
    "proportions": bm.ProportionNormal(mu=MU, tau=TAU),
    "incidences": bm.IncidenceNormal(mu=MU, tau=TAU, df=7),
    "overdispersed": bm.BetaBinomial(mu=MU, rho=bm.Beta(1, 9)),
    "arms": bm.ContinuousNormal(**ARMS, tau=TAU, log_sd=bm.Normal(1, 1), quartiles=6),
    "arms, one effect": bm.ContinuousCommonEffect(**ARMS, baseline=bm.Normal(5, 3)),
    "outcomes": bm.MultivariateNormal(mu={"a": MU, "b": MU}, tau=TAU, rho=bm.Uniform(-1, 1)),
}
DATA = estimates([-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])


@pytest.mark.parametrize("name", MODELS)
def test_the_parts_of_a_model_make_it_again(name):
    model = MODELS[name]
    assert compose(model.likelihood, model.location, model.between) == model


@pytest.mark.parametrize("name", MODELS)
def test_every_prior_of_a_model_is_one_of_its_parts(name):
    model = MODELS[name]
    parts = (model.likelihood, model.location, model.between)
    held = [getattr(part, field.name) for part in parts for field in fields(part)]
    held += [end for one in held if isinstance(one, bm.Exchangeable) for end in (one.mean, one.sd)]
    held += [prior for one in held if hasattr(one, "values") for prior in one.values()]
    assert all(any(prior == one for one in held) for prior in model.priors.values())


@pytest.mark.parametrize("name", [one for one in MODELS if one != "outcomes"])
def test_a_part_is_replaced_and_nothing_else(name):
    model = MODELS[name]
    other = compose(model.likelihood, replace(model.location, mu=bm.Normal(1, 3)), model.between)
    assert other.likelihood == model.likelihood
    assert other.between == model.between
    assert other.location.mu == bm.Normal(1, 3)


@pytest.mark.parametrize(
    ("name", "spread", "said"),
    [
        (
            "OR",
            NoSpread(),
            "no model of one effect for all studies .* Binomial; it goes with normal",
        ),
        ("rates", OutlierSpread(TAU, bm.Beta(1, 9), TAU), "share of outlying .* Poisson"),
        ("arms", OutlierSpread(TAU, bm.Beta(1, 9), TAU), "outlying .* Arms; .* or one effect"),
        ("overdispersed", NormalSpread(TAU), "normal study effects .* Overdispersed"),
        ("outcomes", StudentTSpread(TAU, 4.0), "Student-t .* goes with correlated outcomes"),
        ("estimates", CorrelatedSpread(TAU, bm.Uniform(-1, 1)), "correlated outcomes .* Estimates"),
    ],
)
def test_what_no_model_has_together_is_refused_with_what_goes(name, spread, said):
    model = MODELS[name]
    with pytest.raises(bm.ModelError, match=said):
        compose(model.likelihood, model.location, spread)


def test_parts_are_checked_when_they_are_put_together():
    with pytest.raises(bm.ModelError, match="tau is a standard deviation"):
        compose(Estimates(), MODELS["estimates"].location, NormalSpread(MU))
    with pytest.raises(bm.ModelError, match="df must be a number"):
        compose(Estimates(), MODELS["estimates"].location, StudentTSpread(TAU, 0.5))


def test_a_likelihood_says_how_its_models_are_written():
    assert spellings(Estimates) == ("NormalNormal", "CommonEffect", "OutlierMixture")


@dataclass(frozen=True, slots=True)
class Whispered(OfCounts):
    """A likelihood that no engine has heard of."""

    measure, link, takes = "OR", "whispered", bm.BinaryStudies


@dataclass(frozen=True, slots=True)
class Smeared(Spread):
    """A spread that no engine has heard of."""

    tau: bm.HalfNormal = TAU


NORMAL = NormalSpread(TAU)
ESTIMATES = Estimates()


@dataclass(frozen=True, slots=True)
class Made(Model):
    """A model of any parts."""

    mu: bm.Normal = MU
    tau: bm.HalfNormal = TAU
    likelihood: Likelihood = ESTIMATES
    between: Spread = NORMAL

    @property
    def takes(self):
        return self.likelihood.takes

    @property
    def location(self):
        return MODELS["estimates"].location


@pytest.mark.parametrize("made", [Made(likelihood=Whispered()), Made(between=Smeared())])
@pytest.mark.parametrize("engine", [None, bm.Quadrature()])
def test_an_unknown_part_is_refused_and_never_sent_on(made, engine):
    data = binary({"A": (3, 10, 5, 10), "B": (1, 10, 4, 10)})
    data = data if made.takes is bm.BinaryStudies else DATA
    assert capability(made).exact is None
    with pytest.raises(bm.ModelError, match=r"exact engine cannot fit Made|no PyMC form"):
        bm.fit(made, data, engine)


def test_what_nuts_cannot_sample_is_known_before_anything_is_built():
    assert {capability(one).not_sampled for one in MODELS.values()} == {""}
    unknown = Made(likelihood=Whispered()), Made(between=Smeared())
    said = {capability(one).not_sampled for one in unknown}
    assert said == {"There is no PyMC form of Made."}
    flat = bm.NormalNormal(mu=bm.Flat(), tau=bm.Jeffreys())
    assert "no PyMC form of Jeffreys()" in capability(flat).not_sampled
    assert capability(bm.NormalNormal(mu=bm.Flat(), tau=bm.Flat())).not_sampled == ""


def test_what_fits_many_at_once_is_known_with_the_rest():
    alone = {"estimates, Student-t", "outliers", "RR", "incidences", "arms", "arms, one effect"}
    many = {name for name, model in MODELS.items() if capability(model).many is not None}
    assert many == set(MODELS) - alone - {"outcomes"}


@pytest.mark.parametrize("name", MODELS)
def test_what_an_engine_can_do_is_said_once_for_fit_and_engine(name):
    model = MODELS[name]
    can = capability(model)
    assert (can.exact is None) == bool(can.why_not)
    if can.exact is None:
        data = {bm.BinaryStudies: binary({"A": (3, 10, 5, 10)})}.get(model.takes, DATA)
        if isinstance(data, model.takes):
            with pytest.raises(bm.ModelError) as refused:
                bm.fit(model, data, bm.Quadrature())
            assert str(refused.value) == can.why_not


def test_the_effect_at_a_place_is_asked_for_in_words_of_the_model():
    fit = bm.fit(MODELS["estimates"], DATA)
    assert fit.at() is fit["mu"]
    assert fit.at(new=True) is fit["theta_new"]
    one = bm.fit(MODELS["one effect"], DATA)
    assert one.at(new=True) is one.at() is one["mu"]
    with pytest.raises(bm.ModelError, match="one overall effect and no outcome"):
        fit.at(outcome="PD")


def test_effects_of_several_outcomes_are_asked_for_by_name():
    location = MODELS["outcomes"].location
    assert location.entry({"outcome": "a"}) == "a"
    with pytest.raises(bm.ModelError, match=r'at\(outcome="PD"\)'):
        location.entry({})


def test_models_name_the_parameters_on_the_scale_of_the_measure():
    assert MODELS["OR"].effects == ("mu", "theta", "theta_new")
    assert MODELS["one effect"].effects == MODELS["overdispersed"].effects == ("mu",)


def test_nodes_are_laid_out_with_the_last_axis_fastest_and_carry_the_moments():
    nodes = Nodes.on_grid({"tau": np.array([1.0, 2.0]), "mu": np.arange(3.0)}, np.eye(2, 3) / 2)
    assert nodes.values["tau"].tolist() == [1, 1, 1, 2, 2, 2]
    assert nodes.values["mu"].tolist() == [0, 1, 2, 0, 1, 2]
    assert nodes.mass.tolist() == [0.5, 0, 0, 0, 0.5, 0]
    fit = bm.fit(MODELS["OR"], binary({"A": (3, 40, 5, 41), "B": (9, 50, 14, 50)}))
    found = fit.nodes()
    assert_allclose(found.mass @ found.values["tau"], fit["tau"].mean(), rtol=1e-9)
    assert_allclose(found.mass @ found.values["mu"], fit["mu"].mean(), rtol=1e-9)


def test_a_study_that_is_none_has_counts_that_can_be():
    columns = {"events_treatment": np.array([[3.0, np.nan]]), "n_treatment": np.array([[9.0, 0.0]])}
    found = filled(columns, np.array([[True, False]]), (2, 4))
    assert found["events_treatment"].tolist() == [[3, 1, 1, 1], [1, 1, 1, 1]]
    assert found["n_treatment"].tolist() == [[9, 2, 2, 2], [2, 2, 2, 2]]
    assert lengthened(np.ones((2, 1)), "se", 3).tolist() == [[1, 1, 1]] * 2
    assert lengthened(np.ones(1), "y", 3).tolist() == [1, 0, 0]
    assert [padded_k(k) for k in (1, 4, 5, 9)] == [4, 4, 8, 16]
    assert padded_k(3, least=16) == 16


@pytest.mark.parametrize("name", MODELS)
def test_priors_of_scatter_are_those_people_gave(name):
    model = MODELS[name]
    if isinstance(model.between, Scatter):
        assert model.between.tau == model.tau
        assert model.between.df == model.df


def test_parts_that_no_model_knows_are_refused_in_words():
    model = MODELS["OR"]
    said = r"no model of Smeared\(.*Binomial; it goes with normal"
    with pytest.raises(bm.ModelError, match=said):
        compose(model.likelihood, model.location, Smeared())
    with pytest.raises(bm.ModelError, match=r"likelihood Whispered\.$"):
        compose(Whispered(), model.location, model.between)
    with pytest.raises(bm.ModelError, match="BinomialNormal has no such location"):
        compose(model.likelihood, MODELS["outcomes"].location, model.between)


@pytest.mark.parametrize("ask", [rough_effects, vanishing])
def test_a_link_that_nobody_knows_has_no_answer_of_another(ask):
    with pytest.raises(bm.ModelError, match=r"(not|is) known of the link 'whispered'"):
        ask(Whispered(), binary({"A": (3, 10, 5, 10)}))


@pytest.mark.parametrize("ask", [least_df, lambda model: check_propriety(model, DATA)])
def test_a_spread_that_nobody_knows_has_no_tails_and_no_posterior(ask):
    made = Made(mu=bm.Flat(), tau=bm.Flat(), between=Smeared())
    with pytest.raises(bm.ModelError, match="not known"):
        ask(made)


@pytest.mark.parametrize("name", ["estimates", "OR", "arms, one effect", "outcomes"])
def test_no_data_are_refused_like_data_of_another_kind(name):
    with pytest.raises(bm.ModelError, match=r"needs .*, not NoneType"):
        bm.fit(MODELS[name], None)


def test_an_engine_that_is_none_is_refused_before_any_group_is_fitted():
    with pytest.raises(bm.ModelError, match=r"engine is Quadrature\(\) or NUTS"):
        bm.fit_many(MODELS["estimates"], {"y": [[0.1]], "se": [[0.2]]}, engine=3)
    with pytest.raises(bm.ModelError, match=r"engine is Quadrature\(\) or NUTS"):
        bm.fit(MODELS["estimates"], DATA, 3)


def test_a_model_without_a_density_of_one_study_is_refused_by_its_own_name():
    with pytest.raises(bm.ModelError, match=r"^MultivariateNormal has no density"):
        study_densities(MODELS["outcomes"], DATA, {"mu": np.zeros(1)})


def test_the_effect_on_one_of_several_outcomes_is_found_by_its_name():
    one = bm.fit(MODELS["one effect"], DATA)
    effects = Marginals(("a", "b"), (one.at(),) * 2, "outcome")
    several = replace(one, model=MODELS["outcomes"], marginals={"mu": effects})
    assert several.at(outcome="b") is one.at()
    with pytest.raises(bm.ModelError, match="'c' is not an outcome"):
        several.at(outcome="c")


def test_priors_of_outliers_and_of_unpaired_arms_imply_what_they_say():
    wide = bm.prior_predictive(MODELS["outliers"], replace(DATA, measure="OR"), seed=1, draws=200)
    assert 0 < {one.quantity: one for one in wide.implied}["tau (analysis scale)"].extreme < 1
    arms = bm.prior_predictive(
        MODELS["overdispersed"], binary({"A": (3, 9, 5, 9)}), seed=1, draws=99
    )
    assert "control risk" in {one.quantity for one in arms.implied}
