"""Formulas: what is read and what is refused; design matrices against those made by hand."""

import pickle
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

import bayesmeta as bm
from bayesmeta.design import contrasts, design, parse
from bayesmeta.effects import EffectSizes

STUDIES = ("A", "B", "C", "D", "E", "F")
TABLE = {
    "x": np.array([1.0, 2, 3, 5, 8, 11]),
    "y": np.array([1.0, np.nan, 3, 2, 2, 1]),
    "group": ("u", "v", "u", "v", "w", "w"),
    "blind": ("no", "yes", "yes", "no", "no", "yes"),
    "gaps": ("p", "", "q", "NA", "p", "q"),
    "same": np.full(6, 4.0),
    "year of trial": np.array([1.0, 2, 4, 5, 6, 6]),
}
NAMES = (
    "x",
    "y2",
    "allocation",
    "df",
    "C",
    "bs",
    "poly",
    "größe",
    "class",
    "year of trial",
    "a.b",
    "_x",
)
QUOTED = {"class", "a.b", "_x", "year of trial"}


def made(formula, **asked):
    return design(formula, TABLE, STUDIES, **asked)


@pytest.mark.parametrize(
    ("text", "terms", "intercept"),
    [
        ("x", "x", True),
        ("~ x + y", "x|y", True),
        ("a*b", "a|b|a:b", True),
        ("a + b*c", "a|b|c|b:c", True),
        ("a*b:c", "a|b:c|a:b:c", True),
        ("(a + b):c", "a:c|b:c", True),
        ("(a + b)*c", "a|b|c|a:c|b:c", True),
        ("a*b*c - a:b:c", "a|b|c|a:b|a:c|b:c", True),
        ("a:b + b", "b|a:b", True),
        ("a:b + b:a + a:a", "a|a:b", True),
        ("0 + a", "a", False),
        ("a - 1", "a", False),
        ("a - 1 + 1", "a", True),
        ("-1 + a", "a", False),
        ("1", "", True),
        ("C(a) + bs(b, df=4) + poly(c, 2)", "C(a)|bs(b, df=4)|poly(c, 2)", True),
        ("`year of trial`*C + df", "`year of trial`|C|df|`year of trial`:C", True),
    ],
)
def test_a_formula_means_what_it_means_in_other_programs(text, terms, intercept):
    read = parse(text)
    assert "|".join(":".join(map(str, one)) for one in read.terms) == terms
    assert read.intercept is intercept
    assert parse(read.text) == read
    assert parse(read) is read


HOSTILE = [
    "{__import__('os').system('x')}",
    "__import__('os')",
    "np.log(x)",
    "x.__class__",
    "__class__",
    "I(x**2)",
    "C(x, contr.treatment)",
    "C(x, Treatment)",
    "C(C(x))",
    "C(x + y)",
    '"x"',
    "'x'",
    "x if y else z",
    "lambda: x",
    "x := y",
    "x[0]",
    "eval(x)",
    "x; y",
    "x\ny",
    "x == y",
    "x ~ y",
    "x^2",
    "x**2",
    "x/y",
    "x %in% y",
    "2",
    "x + 2",
    "0.5*x",
    "x*1",
    "1:x",
    "(x - 1)",
    "x - 0",
    "-1",
    "x - y",
    "",
    "+",
    "+ x",
    "x +",
    "x y",
    "(x",
    "x)",
    "()",
    "``",
    "`x",
    "bs(x)",
    "bs(x, 4)",
    "bs(x, df=2)",
    "bs(x, df=y)",
    "bs(x, df=4, degree=1)",
    "bs(x, knots=4)",
    "poly(x, -1)",
    "poly(x, 2.5)",
    "poly(x, 999999999999999999999)",
    "poly(x, degree=2)",
    "poly(x, 2, raw)",
    "(" * 400 + "x" + ")" * 400,
    "*".join(f"v{i}" for i in range(40)),
    "x" * 2000,
    "\0",
    None,
    3,
    ["x"],
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda one: repr(one)[:30])
def test_what_the_grammar_does_not_know_is_refused_in_a_sentence(text):
    with pytest.raises(bm.ModelError) as found:
        parse(text)
    said = str(found.value)
    assert "formula" in said
    assert "\n" not in said
    assert len(said) < 600


def spelled(name):
    return f"`{name}`" if name in QUOTED else name


FACTORS = st.one_of(
    st.sampled_from(NAMES).map(spelled),
    st.sampled_from(NAMES).map(lambda one: f"C({spelled(one)})"),
    st.tuples(st.sampled_from(NAMES), st.integers(3, 12)).map(
        lambda one: f"bs({spelled(one[0])}, df={one[1]})"
    ),
    st.tuples(st.sampled_from(NAMES), st.integers(1, 6)).map(
        lambda one: f"poly({spelled(one[0])},{one[1]})"
    ),
)
FORMULAS = st.recursive(
    FACTORS,
    lambda inner: st.tuples(inner, st.sampled_from(["+", ":", "*"]), inner).map(
        lambda one: f"({one[0]} {one[1]} {one[2]})"
    ),
    max_leaves=5,
)


@given(FORMULAS, st.sampled_from(["", "0 + ", "1 + ", "-1 + ", "~"]))
@settings(deadline=None)
def test_a_formula_that_is_written_out_is_read_as_the_same(text, before):
    try:
        read = parse(before + text)
    except bm.ModelError:
        event("more than 50 terms")
        return
    assert parse(read.text) == read
    assert parse(read.text).text == read.text
    assert hash(parse(read.text)) == hash(read)
    assert set(read.variables) == {name for name in NAMES if spelled(name) in _factors(text)}


def _factors(text):
    return {str(parse(spelled(one)).terms[0][0]) for one in NAMES} & {
        spelled(one.variable) for term in parse(text).terms for one in term
    }


@given(st.text(max_size=60) | st.text("xyC(),:*+-~01 =`bspolydf24", max_size=40))
@settings(deadline=None, max_examples=300)
def test_any_text_is_read_or_refused(text):
    with suppress(bm.ModelError):
        assert parse(parse(text).text) == parse(text)


def test_a_number_is_centred_at_the_mean_of_the_rows_used_and_not_scaled():
    found = made("x")
    assert found.names == ("intercept", "x")
    assert found.kinds == ("intercept", "slope")
    expected = [[1, -4], [1, -3], [1, -2], [1, 0], [1, 3], [1, 6]]
    np.testing.assert_allclose(found.matrix, expected, atol=1e-14)
    assert (found.centres["x"], found.scales["x"]) == (5, 1)
    np.testing.assert_allclose(found.row(x=7), [1, 2], atol=1e-14)
    np.testing.assert_allclose(found.mean, [1, 0], atol=1e-14)


def test_a_number_is_divided_by_its_sd_where_that_is_asked_for():
    found = made("x", scale=True)
    sd = np.sqrt((16 + 9 + 4 + 0 + 9 + 36) / 5)
    assert found.scales["x"] == pytest.approx(sd, rel=1e-14)
    np.testing.assert_allclose(found.row(x=7), [1, 2 / sd], rtol=1e-14)


def test_without_a_constant_a_number_stays_as_it_is():
    found = made("0 + x")
    np.testing.assert_array_equal(found.matrix[:, 0], TABLE["x"])
    assert (found.kinds, found.centres["x"]) == (("slope",), 0)
    assert found.mean == [5]


def test_one_factor_has_a_mean_per_level():
    found = made("group")
    assert found.names == ("group[u]", "group[v]", "group[w]")
    assert found.kinds == ("level",) * 3
    expected = [[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]]
    np.testing.assert_array_equal(found.matrix, expected)
    np.testing.assert_array_equal(found.level("group", "v"), [0, 1, 0])
    np.testing.assert_allclose(found.mean, [1 / 3] * 3, rtol=1e-14)
    for same in ("0 + group", "C(group)", "group - 1"):
        np.testing.assert_array_equal(made(same).matrix, expected)


def test_a_number_as_a_factor_is_named_by_its_values():
    table = {"year": np.array([1948.0, 1950, 1948, 1950.5])}
    found = design("C(year)", table, "abcd")
    assert found.names == ("year[1948]", "year[1950]", "year[1950.5]")
    np.testing.assert_array_equal(found.row(year=1948), found.row(year="1948"))


def test_beside_others_a_factor_is_differences_from_the_mean_of_its_levels():
    found = made("x + group")
    assert found.names == ("intercept", "x", "group[contrast 1]", "group[contrast 2]")
    a, b = 1 / np.sqrt(2), 1 / np.sqrt(6)
    rows = {"u": (-a, -b), "v": (a, -b), "w": (0, 2 * b)}
    expected = [(1, x - 5, *rows[one]) for x, one in zip(TABLE["x"], TABLE["group"], strict=True)]
    np.testing.assert_allclose(found.matrix, expected, atol=1e-14)
    np.testing.assert_allclose(found.level("group", "w"), [1, 0, 0, 2 * b], atol=1e-14)
    np.testing.assert_allclose(found.row(x=6, group="u"), [1, 1, -a, -b], atol=1e-14)
    np.testing.assert_allclose(found.mean, [1, 0, 0, 0], atol=1e-14)


@pytest.mark.parametrize("levels", [2, 3, 5])
def test_contrasts_are_orthonormal_sum_to_zero_and_give_all_levels_one_variance(levels):
    table = contrasts(levels)
    np.testing.assert_allclose(table.T @ table, np.eye(levels - 1), atol=1e-14)
    np.testing.assert_allclose(table.sum(axis=0), 0, atol=1e-14)
    expected = np.eye(levels) - 1 / levels
    np.testing.assert_allclose(table @ table.T, expected, atol=1e-14)


def test_the_implied_prior_of_each_level_is_the_same_and_that_of_a_difference_is_said():
    found = made("x + group")
    sds = [
        found.prior_sd(found.level("group", one), intercept=2, slopes=0.5)
        for one in found.levels["group"]
    ]
    np.testing.assert_allclose(sds, np.sqrt(4 + 0.25 * 2 / 3), rtol=1e-14)
    means = made("group")
    gap = means.level("group", "u") - means.level("group", "w")
    assert means.prior_sd(gap, intercept=2, slopes=9) == pytest.approx(np.sqrt(8), rel=1e-14)


def test_levels_come_in_one_order_whatever_the_order_of_the_studies():
    turn = np.array([4, 2, 0, 5, 1, 3])
    turned = {
        "x": TABLE["x"][turn],
        "group": tuple(TABLE["group"][i] for i in turn),
    }
    again = design("x*group", turned, [STUDIES[i] for i in turn])
    np.testing.assert_allclose(again.matrix, made("x*group").matrix[turn], atol=1e-14)


@pytest.mark.parametrize(
    ("formula", "names", "kinds"),
    [
        ("group*blind - group:blind", "intercept|group[contrast 1]|group[contrast 2]|"
         "blind[contrast 1]", "isss"),
        ("x*blind", "intercept|x|blind[contrast 1]|x:blind[contrast 1]", "isss"),
        ("0 + group + x", "group[u]|group[v]|group[w]|x", "llls"),
        ("x + blind - 1", "x|blind[no]|blind[yes]", "sll"),
        ("0 + blind + group", "blind[no]|blind[yes]|group[contrast 1]|group[contrast 2]", "llss"),
        ("0 + blind + x:blind", "blind[no]|blind[yes]|x:blind[no]|x:blind[yes]", "llss"),
        ("x:blind", "intercept|x:blind[no]|x:blind[yes]", "iss"),
        ("blind:group", "blind[no]:group[u]|blind[no]:group[v]|blind[no]:group[w]|"
         "blind[yes]:group[u]|blind[yes]:group[v]|blind[yes]:group[w]", "llllll"),
        ("1", "intercept", "i"),
    ],
)  # fmt: skip
def test_columns_are_named_and_say_which_prior_they_get(formula, names, kinds):
    found = made(formula)
    assert "|".join(found.names) == names
    assert "".join(one[0] for one in found.kinds) == kinds
    for i, at in enumerate(np.flatnonzero(found.used)):
        place = {name: TABLE[name][at] for name in found.formula.variables}
        np.testing.assert_allclose(found.row(**place), found.matrix[i], atol=1e-13)


def test_an_interaction_is_the_product_of_its_centred_columns():
    found = made("x*`year of trial`")
    assert found.names == ("intercept", "x", "year of trial", "x:year of trial")
    np.testing.assert_allclose(
        found.matrix[:, 3], (TABLE["x"] - 5) * (TABLE["year of trial"] - 4), atol=1e-13
    )
    np.testing.assert_allclose(found.row(x=6, **{"year of trial": 7}), [1, 1, 3, 3], atol=1e-13)


def test_polynomials_are_those_of_poly_in_r():
    found = design("poly(z, 2)", {"z": np.arange(1.0, 6)}, "abcde")
    expected = np.column_stack(
        [np.array([-2, -1, 0, 1, 2]) / np.sqrt(10), np.array([2, -1, -2, -1, 2]) / np.sqrt(14)]
    )
    np.testing.assert_allclose(found.matrix[:, 1:], expected, atol=1e-13)
    # the quadratic between its points: (z - 3)² - 2, by the same divisor
    np.testing.assert_allclose(found.row(z=2.5)[2], (0.25 - 2) / np.sqrt(14), rtol=1e-12)
    np.testing.assert_allclose(found.mean, [1, 0, -2 / np.sqrt(14)], atol=1e-13)


def test_splines_are_cubic_with_knots_at_quantiles():
    x = np.linspace(0, 1, 9)
    found = design("bs(z, df=4)", {"z": x}, "abcdefghi")
    # One inner knot at the median ½: the last of five B-splines is ((x - ½)₊ / ½)³, the second
    # falls from the left end; all five add up to one.
    last = (np.clip(x - 0.5, 0, None) / 0.5) ** 3
    np.testing.assert_allclose(found.matrix[:, 4], last - last.mean(), atol=1e-13)
    first = (np.clip(0.5 - x, 0, None) / 0.5) ** 3
    np.testing.assert_allclose(found.matrix[:, 1:].sum(axis=1), -(first - first.mean()), atol=1e-13)
    raw = design("0 + bs(z, df=3)", {"z": x}, "abcdefghi")
    bernstein = [3 * x * (1 - x) ** 2, 3 * x**2 * (1 - x), x**3]
    np.testing.assert_allclose(raw.matrix, np.column_stack(bernstein), atol=1e-13)


def test_a_place_without_the_number_of_a_curve_is_refused():
    with pytest.raises(bm.ModelError, match=r"needs 'x' too, as in blind='no', x=5\."):
        made("blind + bs(x, df=3)").row(blind="no")


def test_a_curve_says_nothing_outside_the_range_of_the_studies():
    with pytest.raises(bm.ModelError, match=r"x = 20 lies outside the studies' range, 1 to 11"):
        made("bs(x, df=3)").row(x=20)


def test_studies_that_lack_a_covariate_are_left_out_by_name():
    found = made("x + y + gaps")
    assert dict(found.left_out) == {"B": ("y", "gaps"), "D": ("gaps",)}
    np.testing.assert_array_equal(found.used, [True, False, True, False, True, True])
    assert found.matrix.shape == (4, 4)
    assert found.centres["x"] == np.mean([1, 3, 8, 11])


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("z", "'z', which is no covariate of the table; it has 'x', 'y'"),
        ("same", "'same' is 4 in all studies used"),
        ("x + poly(x, 2)", r"follow from one another .*: x, poly\(x, 2\)\[1\]; leave a term out"),
        ("group + C(group)", r"two columns 'group\[contrast 1\]'"),
        ("x + `year of trial` + C(x)", "8 coefficients and only 6 of the studies"),
        ("x*group*blind", "12 coefficients and only 6 of the studies"),
        ("bs(group, df=3)", "'group' holds words"),
        ("poly(group, 2)", "'group' holds words, of which poly"),
        ("poly(y, 3)", "'y' has 3 values, too few"),
    ],
)
def test_columns_that_say_nothing_are_refused_by_name(formula, said):
    with pytest.raises(bm.ModelError, match=said):
        made(formula)


def test_a_combination_that_no_study_has_is_refused():
    table = {"a": ("p", "p", "q", "q", "q"), "b": ("u", "u", "u", "v", "v")}
    with pytest.raises(bm.ModelError, match=r"a column 'a\[p\]:b\[v\]' of which no study"):
        design("a:b", table, "ABCDE")


def test_no_study_with_all_covariates_and_two_columns_of_one_name_are_refused():
    table = {"a": np.array([1, np.nan]), "b": np.array([np.nan, 1])}
    with pytest.raises(bm.ModelError, match="No study has all covariates"):
        design("a + b", table, "AB")
    with pytest.raises(bm.ModelError, match="two columns 'intercept'; rename the covariate"):
        design("intercept", {"intercept": np.arange(3.0)}, "ABC")


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"x": 3}, r"A place needs 'group' too, as in x=5, group='u'\."),
        ({}, "A place needs 'x', 'group' too"),
        ({"x": 3, "group": "z"}, "group has no level 'z'; its levels are 'u', 'v', 'w'"),
        ({"x": "a", "group": "u"}, "x must be a number"),
        ({"x": np.nan, "group": "u"}, "x must be a finite number"),
        ({"x": 3, "group": "u", "y": 2}, "'y' is no covariate of the formula 'x"),
    ],
)
def test_a_place_that_the_formula_does_not_know_is_refused(where, said):
    with pytest.raises(bm.ModelError, match=said):
        made("x + group").row(**where)


def test_a_covariate_may_be_called_as_python_calls_the_object():
    found = design("self", {"self": np.array([1.0, 2, 4])}, "ABC")
    np.testing.assert_allclose(found.row(self=4), found.matrix[2], atol=1e-14)


def test_a_level_of_what_is_no_factor_is_refused():
    with pytest.raises(bm.ModelError, match="'x' is no factor of the formula; those are: none"):
        made("x").level("x", 3)


def test_a_design_is_not_changed_and_travels():
    found = pickle.loads(pickle.dumps(made("x + group")))
    np.testing.assert_array_equal(found.matrix, made("x + group").matrix)
    with pytest.raises(ValueError, match="read-only"):
        made("x").matrix[0, 0] = 2


def test_the_covariates_of_a_table_are_those_of_the_formula():
    data = EffectSizes.from_arrays(
        ["a", "b", "c"], [0.1, 0.2, 0.3], [1, 1, 1], covariates={"dose": [1, "", 3]}
    )
    found = design("dose", data.covariates, data.study)
    assert dict(found.left_out) == {"b": ("dose",)}
    np.testing.assert_array_equal(found.matrix, [[1, -1], [1, 1]])
