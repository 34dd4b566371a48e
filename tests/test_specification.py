"""Specifications: every key is read, and every mistake gets one sentence with its line."""

import os
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

import bayesmeta as bm
from bayesmeta.effects import MEASURES
from bayesmeta.reading import Reading
from bayesmeta.specification import (
    Outcome,
    PublishedFigure,
    Sampler,
    Scenario,
    Specification,
    load_specification,
    parse_specification,
)

MODELS = Path(__file__).parents[1] / "models"

WHOLE = """\
title = "Stem cells"
question = "Do they help?"
seed = 7
risk_of_bias = "rob2.csv"
prob = 0.9
arms = ["cells", "usual care"]
limits = [
  "Small trials.",  # [[outcome]]
  "Few of them.",
]

[sampler]
draws = 500
tune = 600
chains = 2
target_accept = 0.99

[[outcome]]
name = "mortality"
title = "Death"
better = "lower"
event = "deaths"
risk_of_bias = "robins.csv"
data = "deaths.csv"
kind = "counts"
columns = { events_treatment = "ai", n_treatment = "n1" }
level = 0.9
measure = "OR"
mu = "StudentT(3, 0, 1)"
tau = "HalfCauchy(0.3)"
baseline = "Normal(-1, 3)"
likelihood = "binomial"
coding = "zero_one"
df = 4.0
label = "odds ratio of death"
distribution = "normal"
quartiles = 7
effects = "random"
why.mu = "heavy tails"
why.tau = "a [[guess]] = 1"
control_risk = 0.2
note = \"\"\"
A note with traps:
[[outcome]]
mesure = "RR"
[sampler]
\"\"\"

[[outcome.scenario]]
name = "all"

[[outcome.scenario]]
name = "day 28"
variant = "day 28"
replace = { Zhu = "remission", "Shu, L." = "day 14" }
only = ["Zhu", "Shu, L."]
where = { confidence = "verified", year = ["2020", "2021"] }
drop = { Shi = "no control arm" }
note = "the earlier time point"

[[outcome.published]]
label = "Review"
measure = "OR"
estimate = "0.76"
lower = "0.60"
upper = "0.96"
prob = 0.95
p = "0.02"
p_heterogeneity = "0.53"
i2 = "0"
k = 7
n = 328
method = "Mantel–Haenszel"
verdict = "fewer deaths"
citation = "J 2024;1:2"
compare_with = "day 28"
alone = true
prior = "Normal(0, 2)"
why = "the same prior"
note = "abstract only"

[[outcome]]
name = "crp"
title = "CRP"
better = "lower"
measure = "MD"

[[outcome.published]]
label = "Review"
verdict = "decreased"
"""

SMALL = """\
title = "T"

[[outcome]]
name = "death"
title = "Death"
better = "lower"
"""
NO_DIRECTION = SMALL.replace('better = "lower"\n', "")


def refusal(text: str) -> str:
    with pytest.raises(bm.SpecError) as caught:
        parse_specification(text, name="f.toml")
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith("f.toml")
    return said


def line_of(text: str, part: str) -> int:
    """Line of the only place where `part` stands."""
    assert text.count(part) == 1, part
    return text[: text.index(part)].count("\n") + 1


def test_every_key_is_read():
    spec = parse_specification(WHOLE)
    assert (spec.title, spec.question, spec.seed, spec.prob) == (
        "Stem cells",
        "Do they help?",
        7,
        0.9,
    )
    assert spec.arms == ["cells", "usual care"]
    assert spec.limits == ["Small trials.", "Few of them."]
    assert spec.sampler == Sampler(draws=500, tune=600, chains=2, target_accept=0.99)
    death = spec.outcome[0]
    assert (death.name, death.title, death.better, death.event) == (
        "mortality",
        "Death",
        "lower",
        "deaths",
    )
    assert (death.data, death.kind, death.measure) == (Path("deaths.csv"), "counts", "OR")
    assert death.columns == {"events_treatment": "ai", "n_treatment": "n1"}
    assert death.words.mu_prior == bm.StudentT(3, 0, 1)
    assert death.words.tau_prior == bm.HalfCauchy(0.3)
    assert death.baseline == bm.Normal(-1, 3)
    assert death.why == {"mu": "heavy tails", "tau": "a [[guess]] = 1"}
    assert death.control_risk == 0.2
    assert (death.of_arms().name, death.coding, death.df) == ("binomial", "zero_one", 4.0)
    assert death.note.startswith("A note with traps:\n[[outcome]]")
    assert death.scenario == [
        Scenario(name="all"),
        Scenario(
            name="day 28",
            variant="day 28",
            replace={"Zhu": "remission", "Shu, L.": "day 14"},
            only=["Zhu", "Shu, L."],
            where={"confidence": ["verified"], "year": ["2020", "2021"]},
            drop={"Shi": "no control arm"},
            note="the earlier time point",
        ),
    ]
    figure = death.published[0]
    assert figure.published == bm.Published(
        measure="OR",
        estimate="0.76",
        lower="0.60",
        upper="0.96",
        prob=0.95,
        p="0.02",
        p_heterogeneity="0.53",
        i2="0",
        k=7,
        n=328,
        method="Mantel–Haenszel",
        verdict="fewer deaths",
        citation="J 2024;1:2",
    )
    assert (figure.label, figure.compare_with, figure.alone) == ("Review", "day 28", True)
    assert (figure.prior, figure.why, figure.note) == (
        bm.Normal(0, 2),
        "the same prior",
        "abstract only",
    )
    assert [one.name for one in spec.outcome] == ["mortality", "crp"]


def test_example_above_names_every_key_there_is():
    content = tomllib.loads(WHOLE)
    death = content["outcome"][0]
    blocks = {
        Specification: content,
        Sampler: content["sampler"],
        Outcome: death,
        Scenario: death["scenario"][1],
        PublishedFigure: death["published"][0],
    }
    # Of continuous outcomes, which counts refuse; places of covariates; how a table is read,
    # people, and what a person writes have their own.
    people = {"baseline_risk", "threshold", "unit", "surrogate", "time", "per", "sd"}
    elsewhere = (
        {"log_sd", "at", "reporting"}
        | people
        | (Reading.__dataclass_fields__.keys() - {"columns", "level", "exclude"})
    )
    for block, given in blocks.items():
        assert set(given) == set(block.model_fields) - elsewhere, block


def test_what_is_not_given_has_a_stated_default():
    spec = parse_specification(SMALL)
    assert (spec.seed, spec.prob, spec.arms, spec.limits) == (0, 0.95, ["treatment", "control"], [])
    assert spec.sampler == Sampler(draws=1000, tune=1000, chains=4, target_accept=0.95)
    death = spec.outcome[0]
    assert (death.data, death.kind, death.measure, death.control_risk) == (
        None,
        "counts",
        "RR",
        None,
    )
    assert death.words.mu_prior == bm.Normal(0, 2)
    assert death.words.tau_prior == bm.HalfNormal(0.5)
    assert death.words.baseline_prior == bm.Normal(0, 10)
    assert death.scenario == [Scenario(name="all studies")]
    assert (death.scenario[0].variant, death.published) == ("main", [])


def test_one_name_may_stand_without_a_list():
    text = SMALL + '[[outcome.scenario]]\nname = "s"\nonly = "Zhu"\nwhere = { year = "2020" }\n'
    scenario = parse_specification(text).outcome[0].scenario[0]
    assert (scenario.only, scenario.where) == (["Zhu"], {"year": ["2020"]})


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.toml")), ids=lambda path: path.name)
def test_specifications_of_the_repository_are_valid(path):
    source = load_specification(path)
    assert source.path == path
    assert source.text == path.read_text(encoding="utf-8")
    for outcome in source.specification.outcome:
        assert outcome.data is None or (path.parent / outcome.data).is_file()


def test_byte_order_mark_and_windows_line_ends_are_read(tmp_path):
    path = tmp_path / "s.toml"
    path.write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())
    assert load_specification(path).specification == parse_specification(WHOLE)


# One mistake each: (text that stands once in WHOLE, what it becomes, words of the answer). The
# answer must name the line where the new text starts.
MISTAKES = {
    "top level": ('title = "Stem', 'titel = "Stem', "unknown key 'titel'; did you mean 'title'?"),
    "top level, far from any": (
        "seed = 7",
        "colour = 7",
        r"unknown key 'colour'; known are title, question, seed",
    ),
    "sampler": ("draws = 500", "draw = 500", r"'draw' in \[sampler\]; did you mean 'draws'\?"),
    "reporting": (
        "seed = 7",
        'reporting = { goals = "to decide" }\nseed = 7',
        r"'goals' in \[reporting\]; did you mean 'goal'\?",
    ),
    "second outcome": (
        'title = "CRP"',
        'titel = "CRP"',
        r"'titel' in \[\[outcome\]\]; did you mean 'title'\?",
    ),
    "scenario": (
        'variant = "day 28"',
        'varant = "day 28"',
        r"'varant' in \[\[outcome.scenario\]\]; did you mean 'variant'\?",
    ),
    "published": (
        'method = "Man',
        'metod = "Man',
        r"'metod' in \[\[outcome.published\]\]; did you mean 'method'\?",
    ),
    "second outcome's published": ('verdict = "dec', 'verdit = "dec', "did you mean 'verdict'?"),
    "dotted key": (
        'why.tau = "a',
        'why.tua = "a',
        r"'tua' in \[\[outcome.why\]\]; did you mean 'tau'\?",
    ),
    "inline table": (
        "columns = { events_treatment",
        "columns = { event_treatment",
        "did you mean 'events_treatment'?",
    ),
    "outcome's key in a scenario": (
        'only = ["Zhu"',
        'better = ["Zhu"',
        r"unknown key 'better' in \[\[outcome.scenario\]\]; it belongs in \[\[outcome\]\]",
    ),
    "top key in an outcome": (
        "control_risk = 0.2",
        "seed = 2",
        r"it belongs at the top of the file, above every \[table\]",
    ),
    "table of another name": (
        "[sampler]\ndraws = 500\ntune = 600\nchains = 2\ntarget_accept = 0.99",
        "[samplers]",
        "did you mean 'sampler'?",
    ),
    "number for text": ('title = "CRP"', "title = 5", "title must be text in quotes; got 5"),
    "empty text": ('title = "CRP"', 'title = ""', "title must not be empty"),
    "text for number": ("seed = 7", 'seed = "7"', "seed must be a whole number; got '7'"),
    "true for number": ("seed = 7", "seed = true", "seed must be a whole number; got True"),
    "fraction for whole": ("draws = 500", "draws = 0.5", "draws must be a whole number; got 0.5"),
    "negative": ("seed = 7", "seed = -7", "seed must be greater than or equal to 0; got -7"),
    "too few": ("draws = 500", "draws = 50", "draws must be greater than or equal to 100; got 50"),
    "per cent": ("prob = 0.9\n", "prob = 90\n", "prob must be less than 1; got 90"),
    "risk": ("control_risk = 0.2", "control_risk = 20", "control_risk must be less than 1"),
    "nan": ("control_risk = 0.2", "control_risk = nan", "control_risk must be"),
    "list for text": (
        'question = "Do',
        'question = ["a"] # "Do',
        "question must be text in quotes",
    ),
    "text for list": (
        'limits = [\n  "Small trials.",  # [[outcome]]\n  "Few of them.",\n]',
        'limits = "Small trials."',
        "limits must be a list in brackets; got 'Small trials.'",
    ),
    "number in a list": ('  "Few of them.",\n', "  5,\n", "limits must be text in quotes; got 5"),
    "three arms": ('"usual care"]', '"usual care", "x"]', "arms must have at most 2 items, not 3"),
    "name with capitals": (
        'name = "crp"',
        'name = "CRP"',
        "name must be lower-case letters, digits and hyphens, e.g. 'mortality'; got 'CRP'",
    ),
    "direction": ('better = "lower"\nmeasure', 'better = "less"\nmeasure', "'lower' or 'higher'"),
    "kind": (
        'kind = "counts"',
        'kind = "events"',
        "'counts', 'estimates' or 'continuous'",
    ),
    "measure": ('measure = "MD"', 'measure = "mean"', "measure must be 'OR', 'RR', .*; got 'mean'"),
    "path": ('data = "deaths.csv"', "data = 5", "data must be a file name in quotes; got 5"),
    "prior that is none": (
        'mu = "StudentT(3, 0, 1)"',
        'mu = "vague"',
        "mu: 'vague' is not a prior",
    ),
    "prior of no family": (
        'tau = "HalfC',
        'tau = "HalfX',
        "tau: 'HalfXauchy' is not a prior; there",
    ),
    "prior of too few numbers": (
        'baseline = "Normal(-1, 3)"',
        'baseline = "Normal(3)"',
        "baseline: 'Normal\\(3\\)': Normal takes mean, sd",
    ),
    "prior without spread": (
        'baseline = "Normal(-1, 3)"',
        'baseline = "Normal(0, 0)"',
        "baseline: Normal: sd must be positive, got 0",
    ),
    "prior as number": (
        'prior = "Normal(0, 2)"',
        "prior = 2",
        "prior: '2' is not a prior; write it",
    ),
    "figure without quotes": (
        'lower = "0.60"',
        "lower = 0.60",
        'lower: write the figure in quotes, as printed, e.g. "0.60"; got 0.6',
    ),
    "text for truth": ("alone = true", 'alone = "yes"', "alone must be true or false"),
    "no studies": ("k = 7", "k = 0", "k must be greater than or equal to 1; got 0"),
    "table for a list": ("where = {", "only2 = {", "did you mean 'only'?"),
    "text for table": (
        'drop = { Shi = "no control arm" }',
        'drop = "Shi"',
        "drop must be a table of keys and values in braces; got 'Shi'",
    ),
    "control character": ('note = "abs', 'note = "\\u001babs', "note: it has a control character"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_told_in_one_sentence_with_its_line(mistake):
    old, new, words = MISTAKES[mistake]
    line = line_of(WHOLE, old) if mistake != "number in a list" else line_of(WHOLE, "limits = [")
    text = WHOLE.replace(old, new)
    said = refusal(text)
    assert said.startswith(f"f.toml, line {line}: "), said
    assert re.search(words if "\\" in words or ".*" in words else re.escape(words), said), said


# Mistakes of a whole table: (old, new, text whose line is named, words).
TABLES = {
    "missing name": (
        'name = "crp"\n',
        "",
        '[[outcome]]\ntitle = "CRP"',
        r"key 'name' is missing in \[\[outcome\]\]",
    ),
    "missing label": (
        'label = "Review"\nverdict',
        "verdict",
        '[[outcome.published]]\nverdict = "decr',
        r"key 'label' is missing in \[\[outcome.published\]\]",
    ),
    "estimate outside": (
        'estimate = "0.76"',
        'estimate = "0.50"',
        '[[outcome.published]]\nlabel = "Review"\nmeasure',
        r"estimate 0.50 does not lie in its interval \[0.60, 0.96\]; check the three figures",
    ),
    "figure that is none": (
        'p = "0.02"',
        'p = "small"',
        '[[outcome.published]]\nlabel = "Review"\nmeasure',
        "p is 'small', which is not a printed number",
    ),
    "published measure": (
        'measure = "OR"\nestimate',
        'measure = "RRR"\nestimate',
        '[[outcome.published]]\nlabel = "Review"\nmeasure',
        "measure 'RRR' is not one of OR, RR",
    ),
    "alone without interval": (
        'lower = "0.60"\n',
        "",
        '[[outcome.published]]\nlabel = "Review"\nmeasure',
        "alone = true needs measure, estimate, lower and upper",
    ),
    "alone without prior and n": (
        "n = 328\n",
        "",
        '[[outcome.published]]\nlabel = "Review"\nmeasure',
        "alone = true needs a prior, or n for a unit-information prior",
    ),
    "alone with a skewed interval": (
        'lower = "0.60"',
        'lower = "0.20"',
        '[[outcome.published]]\nlabel = "Review"\nmeasure',
        "published 'Review': The interval .* is not symmetric about its estimate",
    ),
    "level of a figure": (
        "prob = 0.95\n",
        "prob = 95\n",
        '[[outcome.published]]\nlabel = "Review"\nmeasure',
        "prob must lie between 0 and 1, e.g. 0.95; got 95",
    ),
    "compare with a missing scenario": (
        'compare_with = "day 28"',
        'compare_with = "day 82"',
        '[[outcome]]\nname = "mortality"',
        "published 'Review': compare_with 'day 82' is not a scenario",
    ),
    "compare with another measure": (
        'measure = "OR"\nestimate',
        'measure = "RR"\nestimate',
        '[[outcome]]\nname = "mortality"',
        "compare_with needs the outcome's own measure, 'OR', not 'RR'",
    ),
    "two scenarios of one name": (
        'name = "all"',
        'name = "day 28"',
        '[[outcome]]\nname = "mortality"',
        "scenario 'day 28' stands twice",
    ),
    "counts of a mean difference": (
        'measure = "OR"\nmu',
        'measure = "MD"\nmu',
        '[[outcome]]\nname = "mortality"',
        "counts have measure 'OR', 'RR', 'RD' or 'PLO' with likelihood = 'binomial', not 'MD'; a "
        "table of estimates needs kind",
    ),
    "rates of patients": (
        'likelihood = "binomial"',
        'likelihood = "poisson"',
        '[[outcome]]\nname = "mortality"',
        "counts have measure 'IRR' or 'IRLN' with likelihood = 'poisson', not 'OR'",
    ),
    "single arms": (
        'measure = "OR"\nmu',
        'measure = "PLO"\nmu',
        '[[outcome]]\nname = "mortality"',
        "leave out better.*: PLO is of single arms, which compare nothing",
    ),
    "no direction of benefit": (
        'better = "lower"\nevent',
        "event",
        '[[outcome]]\nname = "mortality"',
        r"key 'better' is missing in \[\[outcome\]\]: 'lower' or 'higher'",
    ),
    "coding without arms of its own": (
        'likelihood = "binomial"',
        'likelihood = "hypergeometric"',
        '[[outcome]]\nname = "mortality"',
        "coding is for the OR of the binomial likelihood",
    ),
    "spread below zero": (
        'tau = "HalfCauchy(0.3)"',
        'tau = "Normal(0, 1)"',
        '[[outcome]]\nname = "mortality"',
        "tau is a standard deviation and cannot be negative",
    ),
    "raw units without priors": (
        'measure = "MD"',
        'measure = "MD"\nkind = "estimates"\ndata = "crp.csv"',
        '[[outcome]]\nname = "crp"',
        "no default prior exists for MD, whose size depends on the units: give mu and tau, e.g.",
    ),
}


@pytest.mark.parametrize("mistake", TABLES)
def test_mistake_of_a_table_names_the_line_that_opens_it(mistake):
    old, new, opening, words = TABLES[mistake]
    assert WHOLE.count(old) == 1
    text = WHOLE.replace(old, new)
    if mistake == "alone without prior and n":
        text = text.replace('prior = "Normal(0, 2)"\n', "")
    if mistake == "compare with another measure":
        text = text.replace("alone = true", "alone = false")
    said = refusal(text)
    assert said.startswith(f"f.toml, line {line_of(text, opening)}: "), said
    assert re.search(words, said), said


def test_two_outcomes_of_one_name_are_refused():
    said = refusal(WHOLE.replace('name = "crp"', 'name = "mortality"'))
    assert "outcome 'mortality' stands twice; give each its own name" in said


def test_missing_title_and_missing_outcomes_are_told():
    assert refusal(SMALL.replace('title = "T"\n', "")) == "f.toml: key 'title' is missing."
    assert refusal('title = "T"\n') == "f.toml: key 'outcome' is missing."
    assert "outcome must have at least 1 item" in refusal('title = "T"\noutcome = []\n')


def test_single_brackets_round_outcome_are_explained():
    said = refusal(SMALL.replace("[[outcome]]", "[outcome]"))
    assert said == "f.toml, line 3: outcome must be a list: write [[outcome]], with two brackets."


def test_further_problems_are_counted():
    said = refusal(SMALL.replace("title", "titel"))
    assert said.endswith("unknown key 'titel' in [[outcome]]; did you mean 'title'? (3 more)")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('title = "T', r"line 1|end of document"),
        ('title = "T"\n[[outcome]\n', "line 2"),
        ("title = T\n", "line 1"),
        ('title = "T"\ntitle = "U"\n', "line 2"),
        ("\x00", "line 1"),
        ("title = [" * 5000, ""),
        ("seed = " + "9" * 5000, ""),
        ("d = 2020-13-45", ""),
    ],
)
def test_text_that_is_not_toml_is_refused(text, words):
    said = refusal(text)
    assert "is not valid TOML" in said
    assert re.search(words, said)


# Traps for whoever looks for the line of `mesure`: what is no key although it looks like one.
DECOYS = {
    "comment": '# mesure = "RR"',
    "comment after a value": 'note = "x" # mesure = "RR" [[outcome]] """',
    "multi-line string": 'note = """\n[[outcome]]\nmesure = 1\n"""',
    "literal string": "note = '''\n[[outcome]]\nmesure = \"1\n\\'''",
    "escaped quotes": 'note = """\\"""\nmesure = 1\n\\\\"""',
    "quotes at the end": 'note = """mesure = 1\n""x"""""',
    "empty strings": "note = ''\nevent = \"\"",
    "string with brackets": 'note = "[[ { \' # mesure = "',
    "literal with quotes": 'note = \'""" [ { #\'',
    "list over lines": 'columns = { study = "mesure" }\nscenario = [\n  { name = "]" }, # ]\n'
    "  { name = '[[outcome]]' },\n]",
    "blank lines": "\n\n   \n\t\n",
    "indented": '   note   =   "mesure"',
    "other line ends inside": 'note = "a \u2028 b \u0085 c"',
}


@pytest.mark.parametrize("decoy", DECOYS)
@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["unix", "windows"])
def test_line_of_a_key_is_found_past_decoys(decoy, where, ends):
    first = SMALL + 'control_risk = 0.1\n\n[[outcome]]\nname = "b"\ntitle = "B"\nbetter = "lower"\n'
    wrong = 'mesure = "RR"  # the one\n'
    text = first + (DECOYS[decoy] + "\n" + wrong if where == "before" else wrong + DECOYS[decoy])
    text = text.replace("\n", ends)
    if decoy == "other line ends inside":
        text = text.replace("\u0085", "")
    line = text[: text.index('mesure = "RR"  # the one')].count("\n") + 1
    assert refusal(text).startswith(f"f.toml, line {line}: unknown key 'mesure'")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ('outcome.mesure = "RR"', "line 7: unknown key 'outcome' in .*; it belongs at the top"),
        ('"mesure" = "RR"', "line 7: unknown key 'mesure'"),
        ("'mesure' = \"RR\"", "line 7: unknown key 'mesure'"),
        ('mesure.a.b = "RR"', "line 7: unknown key 'mesure'"),
        ('[outcome.mesure]\na = "RR"', "line 7: unknown key 'mesure'"),
        ('[[outcome.mesure]]\na = "RR"', "line 7: unknown key 'mesure'"),
        ('[ outcome . "mesure" ] # x', "line 7: unknown key 'mesure'"),
        ('[outcome.why]\nmu = "x"\nmew = "y"', "line 9: unknown key 'mew'"),
        ('[[outcome.scenario]]\nname = "a"\n[outcome.scenario.wher]\nb = "x"', "line 9: .*'wher'"),
        ('scenario = [{ name = "a" }, { nam = "b" }]', "line 7: unknown key 'nam'"),
        ('scenario = [\n  { name = "a" },\n  { nam = "b" },\n]', "line 7: unknown key 'nam'"),
    ],
)
def test_every_way_to_write_a_key_is_found(wrong, words):
    assert re.search(words, refusal(SMALL + wrong + "\n"))


def test_line_is_found_in_the_right_one_of_many_tables():
    block = '[[outcome]]\nname = "o{0}"\ntitle = "O"\nbetter = "lower"\n'
    inner = '[[outcome.scenario]]\nname = "s{1}"\n{2}\n'
    for bad in ((0, 0), (1, 2), (2, 1)):
        text = 'title = "T"\n'
        for i in range(3):
            text += block.format(i)
            for j in range(3):
                text += inner.format(i, j, "onyl = 1" if (i, j) == bad else "")
        assert refusal(text).startswith(f"f.toml, line {line_of(text, 'onyl')}: unknown key 'onyl'")


def test_figure_of_another_measure_or_a_skewed_one_may_stand_aside():
    aside = (
        '[[outcome.published]]\nlabel = "R"\nmeasure = "{}"\nestimate = "0.5"\nlower = "0.1"\n'
        'upper = "0.6"\n{}\n'
    )
    table = SMALL + 'data = "t.csv"\n'
    parse_specification(table + aside.format("HR", ""))
    parse_specification(table + aside.format("RR", 'compare_with = "none"'))
    parse_specification(SMALL + aside.format("RR", ""))  # nothing to stand beside
    assert "is not symmetric" in refusal(table + aside.format("RR", ""))


def test_verdict_without_figure_may_stand_beside_ours():
    text = SMALL + 'data = "t.csv"\n[[outcome.published]]\nlabel = "R"\nverdict = "fewer"\n'
    figure = parse_specification(text + 'compare_with = "all studies"\n').outcome[0].published[0]
    assert str(figure.published) == "fewer"


def test_published_measure_may_be_any_we_have_or_none():
    for measure in ("", *MEASURES):
        small = SMALL if not measure or MEASURES[measure].comparative else NO_DIRECTION
        text = f'{small}[[outcome.published]]\nlabel = "R"\nmeasure = "{measure}"\n'
        assert parse_specification(text).outcome[0].published[0].measure == measure
    assert set(get_args(Outcome.model_fields["measure"].annotation)) == set(MEASURES)


def test_values_are_frozen():
    spec = parse_specification(SMALL)
    with pytest.raises(ValueError, match="frozen"):
        spec.seed = 3


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(bm.FileError, match=r"nothing\.toml cannot be read: No such file"):
        load_specification(tmp_path / "nothing.toml")


def test_folder_is_refused(tmp_path):
    with pytest.raises(bm.FileError, match=r"cannot be read: Is a directory\."):
        load_specification(tmp_path)


def test_other_encoding_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "latin.toml"
    path.write_bytes('title = "Röver"'.encode("latin-1"))
    with pytest.raises(bm.SpecError, match="is not a text file in UTF-8; save it as UTF-8"):
        load_specification(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_file_without_permission_is_refused(tmp_path):
    path = tmp_path / "secret.toml"
    path.write_text(SMALL)
    path.chmod(0)
    with pytest.raises(bm.FileError, match="cannot be read: Permission denied"):
        load_specification(path)


def test_a_prior_that_is_one_already_stays_what_it_is():
    from bayesmeta.specification import Outcome

    given = {"name": "x", "title": "X", "kind": "counts", "data": "x.csv", "better": "lower"}
    words = {"measure": "OR", "mu": bm.Normal(0, 2), "scenario": [{"name": "all"}]}
    assert Outcome.model_validate({**given, **words}).mu == bm.Normal(0, 2)
