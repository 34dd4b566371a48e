"""One caution is said once, with the outcomes it concerns, ordered by what it could change."""

import pickle
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

import bayesmeta as bm
from bayesmeta.cli import main
from bayesmeta.posterior import Caution, general_of
from bayesmeta.results import Results, Weight

HEAD = "study,y,se\n"
FEW = HEAD + "A,-0.4,0.2\nB,0.1,0.3\nC,-0.3,0.4\n"
FOUR = FEW + "D,-0.2,0.5\n"
TWICE = FOUR + "Silva,-0.4137,0.2071\nSilva 2,-0.4137,0.2071\n"
OUTCOME = """
[[outcome]]
name = "{name}"
title = "{title}"
kind = "estimates"
measure = "RR"
data = "{name}.csv"
better = "lower"
[[outcome.scenario]]
name = "all"
"""


def whole(**graded):
    """A run of outcomes of which nothing is known but their cautions."""
    outcomes = tuple(SimpleNamespace(name=name, graded=said) for name, said in graded.items())
    return Results(
        title="", question="", arms=("a", "b"), limits=(), seed=0, prob=0.95, outcomes=outcomes,
        versions={}, hashes={}, device="", specification="",
    )  # fmt: skip


def said_of(run):
    return [(one.text, [outcome.name for outcome in one.outcomes]) for one in run.cautions]


def test_the_weightiest_comes_first_then_what_concerns_the_most_outcomes():
    run = whole(
        death={Weight.PRIORS: ("p",), Weight.DATA: ("d",), Weight.SCENARIOS: ("s",)},
        pain={Weight.FIT: ("f",), Weight.PRIORS: ("q", "p")},
        sleep={Weight.PRIORS: ("q", "p")},
    )
    assert said_of(run) == [
        ("d", ["death"]),
        ("f", ["pain"]),
        ("p", ["death", "pain", "sleep"]),
        ("q", ["pain", "sleep"]),
        ("s", ["death"]),
    ]


def test_what_differs_in_its_figures_alone_is_one_caution_and_one_outcome_keeps_its_own_words():
    three, four = (
        Caution("With 3 studies so.", "With few so."),
        Caution("With 4 so.", "With few so."),
    )
    both = whole(death={Weight.PRIORS: (three,)}, pain={Weight.PRIORS: (four,)})
    assert said_of(both) == [("With few so.", ["death", "pain"])]
    assert said_of(whole(pain={Weight.PRIORS: (four,)})) == [("With 4 so.", ["pain"])]
    assert said_of(whole(pain={Weight.PRIORS: (four, four)})) == [("With 4 so.", ["pain"])]


def test_a_caution_is_a_text_that_goes_through_a_file():
    one = Caution("With 3 studies so.", "With few so.")
    again = pickle.loads(pickle.dumps(one))
    assert (again, general_of(again)) == ("With 3 studies so.", "With few so.")
    assert general_of(Caution("alone")) == general_of("alone") == "alone"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cautions")
    spec = 'title = "T"\n'
    for name, title, table in (("death", "Death", FEW), ("pain", "Pain", FOUR), ("x", "X", TWICE)):
        (folder / f"{name}.csv").write_text(table, "utf-8")
        spec += OUTCOME.format(name=name, title=title)
    (folder / "s.toml").write_text(spec, "utf-8")
    asked = ["run", str(folder / "s.toml"), "-o", str(folder / "out")]
    found = CliRunner(catch_exceptions=False).invoke(main, asked)
    assert found.exit_code == 0, found.output
    page = (folder / "out" / "report.html").read_text("utf-8")
    return " ".join(found.stdout.split()), " ".join(page.split())


def test_a_run_says_a_caution_of_two_outcomes_once_and_a_doubt_before_it(ran):
    words = "With fewer than 5 telling studies tau rests largely on its prior, HalfNormal(0.5)."
    for text in ran:
        assert text.count(words) == 1
        assert text.index("Silva and Silva 2 have the same figures") < text.index(words)
        assert "With 3 studies tau" not in text
    assert f"Caution: {words} (Death, Pain)" in ran[0]
    assert 'id="cautions"' in ran[1]


def test_doubts_are_of_the_main_scenario_alone(tmp_path):
    """Parts of a table are doubted more often, and rows that are left out have their reason."""
    (tmp_path / "x.csv").write_text(TWICE, "utf-8")
    spec = 'title = "T"\n' + OUTCOME.format(name="x", title="X").replace(
        'name = "all"', 'name = "some"\ndrop = { "Silva 2" = "the same trial" }'
    )
    (tmp_path / "s.toml").write_text(spec + '[[outcome.scenario]]\nname = "all"\n', "utf-8")
    asked = ["run", str(tmp_path / "s.toml"), "-o", str(tmp_path / "out")]
    found = CliRunner(catch_exceptions=False).invoke(main, asked)
    assert found.exit_code == 0, found.output
    assert "same figures" not in found.stdout
    data = bm.read_studies(tmp_path / "x.csv", measure="RR")
    assert [one.rule for one in bm.plausibility(data)] == ["equal_rows"]
