"""Words into models: what one door asks for is what any other asks for in the same words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayesmeta as bm
from bayesmeta.reading import estimates_of, kind_of
from bayesmeta.wording import (
    Words,
    check_priors,
    degrees_of_freedom,
    likelihood_for,
    two_stage,
)

MU, TAU = bm.Normal(0, 1), bm.HalfNormal(0.3)
ASKED = Words(measure="OR", mu=MU, tau=TAU)


class Refused(Exception):
    """What the door of these tests raises; it says which question was put."""


class Door:
    """A door that gives the words it was asked with."""

    def no_likelihood(self, known, asked):
        return Refused("likelihood", [one.name for one in known])

    def no_measure(self, among, asked):
        return Refused("measure", [one.measures for one in among])

    def no_coding(self):
        return Refused("coding", [])

    def no_prior(self, asked):
        return Refused("prior", [asked.measure])


def made(table, **said):
    asked = replace(ASKED, **said)
    return likelihood_for((table,), asked, Door()).model(asked)


@pytest.mark.parametrize(
    ("table", "said", "model"),
    [
        (bm.BinaryStudies, {}, bm.BinomialNormal(measure="OR", mu=MU, tau=TAU)),
        (
            bm.BinaryStudies,
            {"coding": "zero_one", "df": 4.0},
            bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, coding="zero_one", df=4.0),
        ),
        (
            bm.BinaryStudies,
            {"likelihood": "hypergeometric"},
            bm.HypergeometricNormal(mu=MU, tau=TAU),
        ),
        (
            bm.PersonTimeStudies,
            {"measure": "IRR", "baseline": bm.Normal(0, 5)},
            bm.PoissonNormal(mu=MU, tau=TAU, baseline=bm.Normal(0, 5)),
        ),
        (bm.ProportionStudies, {"measure": "PLO"}, bm.ProportionNormal(mu=MU, tau=TAU)),
        (bm.IncidenceStudies, {"measure": "IRLN"}, bm.IncidenceNormal(mu=MU, tau=TAU)),
        (
            bm.ContinuousStudies,
            {"measure": "MD", "quartiles": 6},
            bm.ContinuousNormal(measure="MD", mu=MU, tau=TAU, quartiles=6),
        ),
        (
            bm.ContinuousStudies,
            {"measure": "RGM"},
            bm.ContinuousNormal(measure="RGM", mu=MU, tau=TAU, arms="lognormal"),
        ),
        (
            bm.ContinuousStudies,
            {"measure": "ROM", "likelihood": "lognormal", "effects": "common"},
            bm.ContinuousCommonEffect(measure="ROM", mu=MU, arms="lognormal"),
        ),
    ],
)
def test_words_make_the_model_of_the_arms_that_they_name(table, said, model):
    assert made(table, **said) == model


@pytest.mark.parametrize(
    ("said", "model"),
    [
        ({}, bm.NormalNormal(mu=MU, tau=TAU)),
        ({"mu": None, "tau": None}, bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))),
        ({"df": 4.0}, bm.NormalNormal(mu=MU, tau=TAU, df=4.0)),
        ({"effects": "common"}, bm.CommonEffect(mu=MU)),
        (
            {"outliers": (bm.Beta(1, 9), bm.HalfNormal(1))},
            bm.OutlierMixture(mu=MU, tau=TAU, share=bm.Beta(1, 9), spread=bm.HalfNormal(1)),
        ),
    ],
)
def test_words_make_the_model_of_estimates_that_they_name(said, model):
    assert two_stage(replace(ASKED, **said)) == model


@pytest.mark.parametrize(
    ("table", "said", "question", "known"),
    [
        (bm.BinaryStudies, {"likelihood": "poisson"}, "likelihood", ["binomial", "hypergeometric"]),
        (
            bm.ContinuousStudies,
            {"measure": "RGM", "likelihood": "binomial"},
            "likelihood",
            ["lognormal", "normal"],
        ),
        (bm.BinaryStudies, {"measure": "RR", "likelihood": "hypergeometric"}, "measure", [("OR",)]),
        (bm.PersonTimeStudies, {}, "measure", [("IRR",)]),
        (bm.BinaryStudies, {"measure": "RR", "coding": "zero_one"}, "coding", []),
        (bm.BinaryStudies, {"likelihood": "hypergeometric", "coding": "zero_one"}, "coding", []),
        (bm.ProportionStudies, {"measure": "PLO", "coding": "zero_one"}, "coding", []),
    ],
)
def test_a_door_is_asked_what_to_say_to_words_that_do_not_go_together(table, said, question, known):
    with pytest.raises(Refused) as refused:
        made(table, **said)
    assert refused.value.args == (question, known)


def test_defaults_are_for_ratios_of_two_arms_alone():
    for measure in bm.MEASURES:
        bare, ratio = Words(measure=measure), bm.MEASURES[measure].log and measure != "IRLN"
        if ratio:
            check_priors(bare, Door())
        else:
            for lacking in (bare, replace(bare, mu=MU), replace(bare, tau=TAU)):
                with pytest.raises(Refused, match="prior"):
                    check_priors(lacking, Door())
        check_priors(replace(bare, mu=MU, tau=TAU), Door())
        check_priors(replace(bare, mu=MU, effects="common"), Door())


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ("events_treatment n_treatment", bm.BinaryStudies),
        ("events_treatment time_treatment", bm.PersonTimeStudies),
        ("events n", bm.ProportionStudies),
        ("events time", bm.IncidenceStudies),
        ("q1_treatment n_treatment", bm.ContinuousStudies),
        ("y se", bm.EffectSizes),
        ("estimate lower upper events", bm.EffectSizes),
    ],
)
def test_columns_say_what_a_table_holds(columns, kind):
    assert kind_of(pd.DataFrame(columns=columns.split())) is kind


def test_estimates_stay_and_are_made_of_everything_else_that_has_them():
    data = bm.ProportionStudies(study=["A", "B"], events=[3, 1], n=[40, 25])
    made_of = estimates_of(data, "PLO")
    np.testing.assert_array_equal(made_of.y, bm.effect_sizes(data, measure="PLO").y)
    assert estimates_of(made_of, "PLO") is made_of
    with pytest.raises(bm.DataError, match="No estimates are made of str"):
        estimates_of("text", "PLO")


def test_degrees_of_freedom_are_a_number_or_a_prior():
    assert degrees_of_freedom("4") == 4.0
    assert degrees_of_freedom("Gamma(2, 0.1)") == bm.Gamma(2, 0.1)
    with pytest.raises(bm.BayesmetaError, match="'four' is not a prior"):
        degrees_of_freedom("four")
