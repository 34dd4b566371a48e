"""Groups of studies: pooled apart, tested by formulas written out, against metafor's factor."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import bayesmeta as bm
from bayesmeta.frequentist import meta_regression, subgroups
from tests.references import cases, document
from tests.tolerances import ITERATED

BCG = Path(__file__).parents[1] / "examples" / "bcg" / "bcg.csv"
GROUPS = ("alternate", "random", "systematic")


def trials():
    return bm.BinaryStudies.from_frame(pd.read_csv(BCG))


def estimates():
    """The same trials' log RR, as metafor has them."""
    entry = cases("regression")["bcg"]
    names = [f"study {i}" for i in range(13)]
    allocation = {"allocation": entry["covariates"]["alloc"]}
    return bm.EffectSizes.from_arrays(
        names, entry["yi"], np.sqrt(entry["vi"]), measure="RR", covariates=allocation
    )


def of(data, name):
    return data.keep(np.array([one == name for one in data.covariates["allocation"]]))


@pytest.mark.parametrize("interval", ["HKSJ", "Wald", "HKSJ truncated"])
@pytest.mark.parametrize("tau2", ["REML", "DL"])
def test_groups_with_tau2_of_their_own_are_analyses_of_their_own(tau2, interval):
    data = estimates()
    found = subgroups(data, "allocation", tau2=tau2, interval=interval)
    assert tuple(one.name for one in found.groups) == GROUPS
    fits = [bm.random_effects(of(data, one), tau2=tau2, interval=interval) for one in GROUPS]
    for fit, group in zip(fits, found.groups, strict=True):
        names = ("estimate", "se", "lower", "upper", "p", "tau2", "df", "k")
        ours, theirs = ([getattr(one, n) for n in names] for one in (group, fit))
        assert_allclose(ours, theirs, rtol=1e-12)
    # RevMan's test for subgroup differences: sums of squares of the groups' own results
    m = np.array([one.estimate for one in fits])
    w = 1 / np.array([one.spreads["Wald"].se for one in fits]) ** 2
    q = (w * m**2).sum() - (w * m).sum() ** 2 / w.sum()
    assert_allclose(found.separate.statistic, q, rtol=1e-10)
    assert_allclose(found.separate.p, stats.chi2(2).sf(q), rtol=1e-10)
    assert found.between == found.separate
    whole = bm.random_effects(data, tau2=tau2, interval=interval)
    assert_allclose(found.overall.estimate, whole.estimate, rtol=1e-14)
    assert "I²" in repr(found.overall)


def test_the_groups_of_the_metafor_pages():
    """Random allocation of dat.bcg by REML: -0.971 (0.276), tau² 0.393; see metafor-project.org."""
    found = subgroups(estimates(), "allocation", interval="Wald")["random"]
    assert_allclose((found.estimate, found.se, found.tau2), (-0.971, 0.276, 0.393), atol=5e-4)


@pytest.mark.parametrize("tau2", ["EE", "DL", "ML", "REML", "PM", "EB", "SJ", "HE"])
def test_a_common_tau2_is_metafors_factor(tau2):
    columns = document("regression")["columns"]
    (*row, _) = cases("regression")["bcg"]["cells"]["alloc"]["fits"][f"{tau2}_z"]
    theirs = dict(zip(columns, row, strict=True))
    estimator = None if tau2 == "EE" else tau2
    found = subgroups(estimates(), "allocation", tau2=estimator, interval="Wald", common_tau2=True)
    near = {"rtol": 1e-6, "atol": 1e-7} if tau2 == "ML" else ITERATED
    assert_allclose(found.between.statistic, theirs["QM"], **near)
    assert_allclose(found.between.p, theirs["QM_p"], **near)
    first, *gaps = theirs["estimate"]
    means = [one.estimate for one in found.groups]
    assert_allclose(means, [first, *(first + one for one in gaps)], **near)
    assert_allclose(found.groups[0].se, theirs["se"][0], **near)
    assert_allclose(found.groups[1].tau2 or 0, theirs["tau2"], **near)


def test_a_common_tau2_moves_the_groups_and_both_tests_stand_either_way():
    apart = subgroups(estimates(), "allocation")
    shared = subgroups(estimates(), "allocation", common_tau2=True)
    assert (apart.separate, apart.common) == (shared.separate, shared.common)
    assert shared.between == shared.common != shared.separate
    fit = meta_regression(estimates(), "allocation")
    levels = fit.levels("allocation")
    for one in shared.groups:
        assert_allclose(
            (one.estimate, one.se), levels.loc[one.name, ["estimate", "se"]], rtol=1e-12
        )
        assert one.tau2 == fit.tau2
    # Knapp and Hartung's F of the same model is not the chi² of Q between
    assert fit.moderators.df_residual == 10
    assert shared.common.df_residual == np.inf
    wald = meta_regression(estimates(), "allocation", interval="Wald").moderators
    assert_allclose(shared.common.statistic, wald.statistic, rtol=1e-9)


def test_under_common_effects_q_of_all_is_q_within_and_between():
    data = estimates()
    found = subgroups(data, "allocation", tau2=None)
    within = sum(bm.common_effect(of(data, one)).q for one in GROUPS)
    assert_allclose(found.between.statistic, bm.common_effect(data).q - within, rtol=1e-10)
    assert found.common == found.separate
    assert found.overall.tau2 is None
    assert "tau²" not in repr(found).replace("Not read", "")


def alone():
    return bm.EffectSizes.from_arrays(
        list("ABCDEF"),
        [-0.1, 0.6, 0.2, 0.9, 1.1, 0.3],
        [0.1, 0.2, 0.15, 0.2, 0.1, 0.2],
        covariates={"kind": ["x", "x", "x", "y", "", "z"], "site": list("abcdef")},
    )


def test_a_group_of_one_study_has_no_tau2_of_its_own_and_that_is_said():
    found = subgroups(alone(), "kind")
    assert (found["y"].tau2, found["y"].df) == (None, np.inf)
    assert (found["y"].estimate, found["y"].se) == (0.9, 0.2)
    said = "A group of one study has no tau² of its own and enters with its study's own standard"
    assert any(one.startswith(said) and "y (D), z (F)" in one for one in found.cautions)
    assert np.isnan(found.table().loc["y", "tau2"])
    shared = subgroups(alone(), "kind", common_tau2=True)
    assert shared["y"].tau2 == shared["x"].tau2 > 0
    assert any("takes the tau² of the other groups" in one for one in shared.cautions)
    assert any(one.startswith("Fewer than ten studies (5)") for one in found.cautions)


def test_studies_of_no_known_group_are_named_and_left_out_of_the_whole_too():
    found = subgroups(alone(), "kind")
    assert dict(found.left_out) == {"E": ("kind",)}
    assert found.overall.k == 5
    assert repr(found).count("E left out (kind not known)") == 1


def test_what_is_printed_says_which_tau2_and_that_all_are_one_model():
    said = repr(subgroups(trials(), "allocation", measure="RR"))
    assert "random effects, REML by allocation, tau² of each group its own" in said
    assert "all studies in one model: RR 0.4894 [0.3301, 0.7257], k = 13" in said
    assert "Between groups: chi² 1.861 on 2 df, p 0.3943" in said
    assert "With a common tau²: chi² 1.768 on 2 df" in said
    assert "smaller than Wald's in random" in said
    shared = repr(subgroups(trials(), "allocation", measure="RR", common_tau2=True, interval="z"))
    assert "one tau² for all groups" in shared
    assert "With separate tau²: chi² 1.861" in shared
    assert "interval='z' is called 'Wald' here." in shared


def test_the_table_has_a_row_per_group_and_one_of_all():
    found = subgroups(estimates(), "allocation")
    frame = found.table()
    assert list(frame.index) == [*GROUPS, "all studies"]
    assert frame["k"].tolist() == [2, 7, 4, 13]
    assert frame.index.name == "allocation"
    assert frame.loc["all studies", "tau2"] == found.overall.tau2


def test_numbers_may_name_groups():
    data = bm.EffectSizes.from_arrays(
        list("ABCD"), [0.1, 0.3, 0.6, 0.5], [0.1] * 4, covariates={"arm": [1, 1, 2, 2]}
    )
    assert [one.study for one in subgroups(data, "arm").groups] == [("A", "B"), ("C", "D")]


def test_what_has_no_groups_is_refused_in_a_sentence():
    with pytest.raises(bm.ModelError, match="'where', which is no covariate of the table"):
        subgroups(alone(), "where")
    with pytest.raises(bm.DataError, match="Each group of 'site' has one study"):
        subgroups(alone(), "site")
    with pytest.raises(bm.ModelError, match="There is no group 'q' of kind; those are 'x', 'y'"):
        subgroups(alone(), "kind")["q"]
    with pytest.raises(bm.ModelError, match="is x in all studies used"):
        subgroups(alone().keep(list("ABC")), "kind")
    with pytest.raises(bm.DataError, match="common_tau2 is True or False"):
        subgroups(alone(), "kind", common_tau2="yes")
    assert subgroups(alone(), "site", tau2=None).between.df == 5
