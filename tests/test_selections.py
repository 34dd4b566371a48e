"""Which studies: names and masks pick the same rows, and nothing else picks any."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bayesmeta as bm

FOUR = ("a", "b", "c", "d")


def tables(study=FOUR):
    """Every kind of table that can be cut down, its rows told apart by their numbers."""
    k = len(study)
    rows = np.arange(1.0, k + 1)
    return {
        "counts": bm.BinaryStudies(
            study=study,
            events_treatment=rows,
            n_treatment=rows + 50,
            events_control=rows + 1,
            n_control=rows + 60,
        ),
        "arms": bm.ContinuousStudies(
            study=study,
            n_treatment=rows + 20,
            mean_treatment=rows,
            sd_treatment=rows,
            n_control=rows + 30,
            mean_control=rows,
            sd_control=rows,
        ),
        "proportions": bm.ProportionStudies(study=study, events=rows, n=rows + 50),
        "estimates": bm.EffectSizes(study=study, y=rows, se=rows),
        "several outcomes": bm.MultivariateEffects(
            study=study, outcome=("x", "y"), y=np.stack([rows, rows]).T, se=np.ones((k, 2))
        ),
    }


KINDS = tuple(tables())


def kept(table, rows):
    """The first column of what is left, and its names."""
    left = table.keep(rows)
    return left.study, [
        np.nan_to_num(values).ravel()[: left.k].tolist() for values in left.numbers.values()
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_names_keep_these_studies(kind):
    table = tables()[kind]
    assert table.keep(["a", "c"]).study == ("a", "c")
    assert table.keep(("d",)).study == ("d",)
    assert table.keep(pd.Series(["b", "c"])).study == ("b", "c")
    assert table.keep({"c", "b"}).study == ("b", "c")
    assert table.keep({"b": 1, "c": 2}.keys()).study == ("b", "c")


@pytest.mark.parametrize("kind", KINDS)
@given(
    study=st.lists(
        st.text("ab1é ", min_size=1, max_size=4), min_size=1, max_size=6, unique=True
    ).filter(lambda names: all(name.strip() for name in names)),
    data=st.data(),
)
def test_names_and_masks_agree_and_keep_the_order_of_the_table(kind, study, data):
    mask = data.draw(
        st.lists(st.booleans(), min_size=len(study), max_size=len(study)).filter(any), "mask"
    )
    names = data.draw(st.permutations([n for n, there in zip(study, mask, strict=True) if there]))
    table = tables(tuple(study))[kind]
    expected = [i + 1.0 for i, there in enumerate(mask) if there]
    by_names, by_mask = kept(table, names), kept(table, np.array(mask))
    assert by_names == by_mask == kept(table, mask) == kept(table, pd.Series(mask))
    assert by_mask[0] == tuple(study[int(i) - 1] for i in expected)
    assert by_mask[1][0] == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([0, 2], "rows must be a list of study names, or a mask with true or false for each of 4"),
        ([0, 1, 1, 0], "rows must be a list of study names.*got [0, 1, 1, 0]"),
        (np.array([0.0, 1.0, 0.0, 1.0]), "rows must be a list of study names"),
        (slice(0, 2), "rows must be a list of study names"),
        (2, "rows must be a list of study names"),
        (None, "rows must be a list of study names"),
        ("a", "rows must be a list of study names.*got 'a'"),
        (
            {"a": False, "b": True},
            "rows must be a list of study names.*got {'a': False, 'b': True}",
        ),
        ({"a": "main"}.items(), "rows must be a list of study names"),
        ({True}, "rows must be a list of study names.*got {True}"),
        ({True, False}, "rows must be a list of study names"),
        (np.array(True), "rows must be a list of study names"),
        (pd.DataFrame({"a": [True], "b": [False]}), "rows must be a list of study names"),
        ([], "rows must be a list of study names"),
        (["a", True, False, False], "rows must be a list of study names"),
        ([True, None, False, False], "rows must be a list of study names"),
        (np.eye(4, dtype=bool), "rows must be a list of study names"),
        ([True], "rows is a mask of 1 for 4 studies; give true or false for each, or the names."),
        (np.ones(5, bool), "rows is a mask of 5 for 4 studies"),
        ([False] * 4, "rows is true for none of 4 studies; take at least one."),
        (["a", "e"], "rows names 'e', not among the studies a, b, c, d; check the spelling."),
        (["a", "c", "a"], "rows names 'a' more than once; name each study once."),
    ],
)
def test_what_is_neither_names_nor_a_mask_is_refused(kind, rows, words):
    pattern = re.escape(words).replace(r"\.\*", ".*")
    with pytest.raises(bm.DataError, match=pattern) as refused:
        tables()[kind].keep(rows)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
def test_one_string_is_not_a_table_of_its_letters(kind):
    with pytest.raises(bm.DataError, match="study must be a list of names, got 'abcd'"):
        tables("abcd")[kind]


def frame():
    return pd.DataFrame({"study": FOUR, "y": [1.0, 2, 3, 4], "se": [1.0, 1, 1, 1]})


@given(gone=st.sets(st.sampled_from(FOUR), max_size=3))
def test_excluding_at_the_door_is_keeping_the_others(gone):
    whole = bm.EffectSizes.from_frame(frame())
    without = bm.EffectSizes.from_frame(frame(), exclude=dict.fromkeys(gone, "asked for"))
    left = whole.keep([name for name in FOUR if name not in gone])
    assert without.study == left.study
    assert without.y.tolist() == left.y.tolist()
    assert [row.study for row in without.excluded] == sorted(gone)


@pytest.mark.parametrize("exclude", [["a"], "a", np.array([True, False, False, False]), {"a"}])
def test_exclude_maps_names_to_reasons(exclude):
    with pytest.raises(bm.DataError, match="exclude must map study names, or pairs"):
        bm.EffectSizes.from_frame(frame(), exclude=exclude)


@pytest.mark.parametrize("reason", [None, True, 3])
def test_an_excluded_row_has_a_reason_in_words(reason):
    with pytest.raises(bm.DataError, match="exclude gives no reason in words for 'a'"):
        bm.EffectSizes.from_frame(frame(), exclude={"a": reason})


def test_a_mask_is_no_order_of_studies():
    data = bm.EffectSizes.from_frame(frame())
    with pytest.raises(bm.DataError, match="order must be the 4 names, or one finite number"):
        bm.cumulative(data, order=[True, False, True, False])


def test_names_are_no_answer_to_whether_subsets_are_tried():
    printed = bm.Published(measure="GEN", estimate="2", lower="1", upper="3")
    with pytest.raises(bm.DataError, match=r"subsets is True or False, got \['a', 'b'\]"):
        bm.explain(bm.EffectSizes.from_frame(frame()), printed, subsets=["a", "b"])
