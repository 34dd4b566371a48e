"""Specifications and calls with odd values: an answer, or one sentence."""

import warnings

import numpy as np
import pytest
from random_calls import Silent, ends

import bayesmeta as bm
from bayesmeta.specification import parse_specification


def test_a_thousand_odd_specifications_and_calls_end_in_an_answer_or_a_sentence():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, wrong = ends(range(1000))
    assert not wrong
    assert found["answered"] > 50
    assert found["refused"] > 500


@pytest.mark.parametrize(
    "number",
    ["9" * 5000, "0x" + "F" * 5000, "9" * 400, str(2**63)],
    ids=["5000", "hex", "400", "64"],
)
@pytest.mark.parametrize("key", ["seed", "prob", "title", "limits", "extra"])
def test_a_whole_number_out_of_range_is_refused_with_the_range(key, number):
    with pytest.raises(bm.SpecError, match=r"-2\^63") as refused:
        parse_specification(f"{key} = {number}\n")
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("number", ["1e400", "nan", "-inf"])
def test_a_number_that_is_not_finite_is_refused_with_its_line(number):
    with pytest.raises(bm.SpecError, match="s, line 2: design_effect must be a finite number"):
        parse_specification(f'[[outcome]]\ndesign_effect = {number}\nname = "a"\n', name="s")


def test_a_spelling_of_a_million_characters_is_not_said_back():
    with pytest.raises(bm.ModelError) as refused:
        bm.parse_prior("x" * 10**6)
    assert len(str(refused.value)) < 300
    assert "1,000,000 characters" in str(refused.value)


def test_a_refusal_of_a_name_of_a_million_characters_stays_short():
    names = ["x" * 10**6, "x" * 10**6, "b"]
    with pytest.raises(bm.DataError) as refused:
        bm.EffectSizes.from_arrays(names, [0.1, 0.2, 0.3], [1, 1, 1])
    assert len(str(refused.value)) < 2500


ODD = {"400": 10**400, "5000": 10**5000, "silent": Silent(), "complex": 1 + 2j}


@pytest.mark.parametrize("odd", list(ODD.values()), ids=list(ODD))
def test_what_no_column_can_hold_is_refused_in_words(odd):
    with pytest.raises(bm.DataError):
        bm.EffectSizes.from_arrays(["A", "B"], [0.1, odd], [odd, 0.2])


def test_no_studies_at_all_is_refused_in_words():
    with pytest.raises(bm.DataError, match="study must be a list of names"):
        bm.BinaryStudies(
            study=None, events_treatment=[1], n_treatment=[2], events_control=[1], n_control=[2]
        )


def test_masked_numbers_are_not_taken_for_what_the_mask_hides():
    masked = np.ma.masked_array([0.1, 0.2, 0.3], [False, True, False])
    with pytest.raises(bm.DataError, match="B"):
        bm.EffectSizes.from_arrays(["A", "B", "C"], masked, [1, 1, 1])
