"""Risk of bias: tables as people have them, lights in the forest, words in the report."""

import csv
import itertools
import json

import pandas as pd
import pytest
from click.testing import CliRunner
from matplotlib.colors import to_hex

import bayesmeta as bm
from bayesmeta.cli import main
from bayesmeta.errors import DataError
from bayesmeta.reading import Level, risk_of_bias

ROB2 = ["Study", "D1", "D2", "D3", "D4", "D5", "Overall"]
ROBINS = ["Study", *(f"D{i}" for i in range(1, 8)), "Overall"]
LOW, SOME, HIGH = Level.LOW, Level.SOME_CONCERNS, Level.HIGH
TRIALS = "study,y,se\nAdams 2001,-0.4,0.2\nBaker 2002,0.1,0.3\nClark 2003,-0.3,0.4\n"
JUDGED = (
    "Study,D1,D2,D3,D4,D5,Overall,Weight\n"
    "Adams 2001,Low,Low,Low,Low,Low,low risk,10\n"
    "baker  2002,Low,Some concerns,Low,Low,Low,Some concerns,20\n"
)


def table(*rows, heads=ROB2):
    return pd.DataFrame(rows, columns=heads, dtype=object)


def row(study, *levels):
    return [study, *levels]


def refusal(frame):
    with pytest.raises(DataError) as found:
        risk_of_bias(frame)
    return str(found.value)


def fitted(k=3, measure="OR"):
    names = ["Adams 2001", "Baker 2002", "Clark 2003", *(f"Study {i}" for i in range(4, k + 1))][:k]
    y = [-0.4 + 0.1 * (i % 5) for i in range(k)]
    data = bm.EffectSizes.from_arrays(names, y, [0.3] * k, measure=measure)
    return bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), data)


@pytest.mark.parametrize(
    "cells",
    [
        ("Low", "Some concerns", "High"),
        ("LOW RISK", "some concern", "high risk of bias"),
        ("low_risk_of_bias", "Some Concerns", "High risk"),
        ("+", "!", "-"),  # of the tool's own sheet
        ("+", "–", "X"),  # of robvis
    ],
)
def test_levels_are_read_in_any_case_and_in_signs_whose_meaning_is_clear(cells):
    low, some, high = cells
    found = risk_of_bias(table(row("A", low, some, high, low, low, high)))
    assert found.levels == {"A": (LOW, SOME, HIGH, LOW, LOW, HIGH)}
    assert found.tool.name == "RoB 2"


def test_signs_that_programs_use_differently_are_refused_and_never_guessed():
    for other in ("-", "?"):  # RevMan's and robvis's - and ? are not alike
        said = refusal(table(row("A", "+", "-", other, "+", "+", "-")))
        assert (
            "mean one thing in one program and another in the next: write the levels as words"
            in said
        )
        assert "mean one thing" in refusal(table(row("A", "x", "!", "-", "+", "+", "x")))


def test_robins_i_has_seven_domains_and_signs_of_its_own():
    signs = ["+", "-", "x", "!", "?", "Low", "NO INFORMATION", "Serious risk"]
    found = risk_of_bias(table(row("A", *signs), heads=ROBINS))
    assert found.tool.name == "ROBINS-I"
    words = ["low", "moderate", "serious", "critical", "no information", "low", "no information"]
    assert [str(one) for one in found.levels["A"]] == [*words, "serious"]
    assert "no level of ROBINS-I" in refusal(table(row("A", *["High"] * 8), heads=ROBINS))


@pytest.mark.parametrize(
    ("heads", "tool"),
    [
        (
            [
                *("Study ID", "Bias arising from the randomization process"),
                "Bias due to deviations from intended interventions",
                "Bias due to missing outcome data",
                "Bias in measurement of the outcome",
                "Bias in selection of the reported result",
                "Overall risk of bias",
            ],
            "RoB 2",
        ),
        (["trial", *(f"D{i}: something" for i in range(1, 6)), "overall"], "RoB 2"),
        (["Author", *(f"domain_{i}" for i in range(1, 8)), "Overall bias"], "ROBINS-I"),
        (
            [
                *("Study", "Confounding", "Selection of participants into the study"),
                *("Classification of interventions", "Deviations", "Missing data"),
                *("Measurement of outcomes", "Selection of the reported result", "Overall"),
            ],
            "ROBINS-I",
        ),
    ],
)
def test_domains_are_known_by_number_or_by_name_in_any_order(heads, tool):
    levels = ["low"] * (len(heads) - 3)
    cells = dict(zip(heads, row("A", "low", *levels, "low"), strict=True))
    cells[heads[2]] = "some concerns" if tool == "RoB 2" else "serious"
    found = risk_of_bias(pd.DataFrame([cells])[heads[::-1]])
    assert found.tool.name == tool
    assert [i for i, one in enumerate(found.levels["A"]) if one is not LOW] == [1]


def test_the_table_has_every_judgement_in_words_under_the_names_of_the_domains():
    found = risk_of_bias(table(row("A", "+", "!", "+", "+", "-", "-")))
    (words,) = found.table().to_numpy().tolist()
    assert words == ["low", "some concerns", "low", "low", "high", "high"]
    assert found.table().columns[0] == "randomisation process"


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (
            table(row("A", "low", "medium", "low", "low", "low", "low")),
            "A (row 1), column D2: 'medium' is no level of RoB 2: low, some concerns, high.",
        ),
        (table(row("A", *["low"] * 4, "", "low")), "A (row 1), column D5 is blank; write"),
        (table(row("A", *["low"] * 6), row("a", *["low"] * 6)), "'a' stands twice; keep one row"),
        (table(row("", *["low"] * 6)), "row 1 has no study; write its name."),
        (table(row("A", *["low"] * 5), heads=ROB2[:-1]), "it has no column Overall."),
        (table(row("A", *["low"] * 5), heads=[*ROB2[:3], *ROB2[4:]]), "it has no column D3."),
        (
            table(row("A", *["low"] * 7), heads=[*ROB2, "D1 again"]),
            "it has several columns D1: 'D1' and 'D1 again'.",
        ),
        (table(row(*["low"] * 6), heads=ROB2[1:]), "it has no column Study."),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence_with_its_place(frame, said):
    assert said in refusal(frame)


def test_a_row_without_any_judgement_is_a_study_that_is_not_judged():
    found = risk_of_bias(table(row("A", *["low"] * 6), row("B", *[None] * 6)))
    assert list(found.levels) == ["A"]
    assert found.unjudged(["A", "B"]) == ("B",)


def test_overall_is_never_milder_than_a_domain_without_its_being_said():
    mild = risk_of_bias(table(row("A", "low", "high", *["low"] * 3, "some concerns")))
    assert "Judged milder overall than in one domain, which RoB 2 does not" in mild.contrary[0]
    harsh = risk_of_bias(table(row("A", *["low"] * 5, "high")))
    assert harsh.contrary == ()
    nothing = ["no information"] + ["low"] * 7
    assert risk_of_bias(table(row("A", *nothing), heads=ROBINS)).contrary == ()


def lights(figure):
    found = {}
    for line in figure.get_children():
        label = str(line.get_label() if hasattr(line, "get_label") else "")
        if label.startswith("risk of bias: "):
            study, rest = label.removeprefix("risk of bias: ").split(", ")
            domain, level = rest.split(": ")
            found[study, domain] = (level, to_hex(line.get_markerfacecolor()), line)
    return found


@pytest.mark.parametrize("width", [174, 400, None])
def test_the_forest_has_a_light_for_every_judgement_and_none_beside_studies_without(width):
    judged = table(
        row("adams 2001", "+", "!", "-", "+", "+", "-"), row("Clark 2003", *["+"] * 5, "!")
    )
    figure = bm.plots.forest(fitted(), risk_of_bias=judged, width=width)
    found = lights(figure)
    domains = [*ROB2[1:-1], "overall"]
    assert set(found) == set(itertools.product(["Adams 2001", "Clark 2003"], domains))
    assert [found["Adams 2001", one][0] for one in domains] == [
        *("low", "some concerns", "high", "low", "low", "high"),
    ]
    assert len({color for level, color, _ in found.values() if level == "low"}) == 1
    assert len({color for _, color, _ in found.values()}) == 3
    words = " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    legend = " ".join(words.split())
    for i, name in enumerate(risk_of_bias(judged).tool.domains, start=1):
        assert f"D{i} {name}" in legend
    assert "Lights: + low, − some concerns, × high." in legend


def test_lights_stand_on_the_line_of_their_study_and_right_of_all_numbers():
    judged = table(*(row(name, *["low"] * 6) for name in ("Adams 2001", "Baker 2002")))
    figure = bm.plots.forest(fitted(), risk_of_bias=judged, width=174)
    labels = {text.get_text(): text.get_position()[1] for text in figure.texts}
    high = figure.get_size_inches()[1]
    right = max(text.get_position()[0] for text in figure.texts if "[" in text.get_text()[:30])
    places = [(study, *line.get_xydata()[0]) for (study, _), (*_, line) in lights(figure).items()]
    for study, x, y in places:
        assert abs(y - labels[study]) * high < 0.06  # inches: half a letter above the baseline
        assert right < x < 1
    for _, each in itertools.groupby(places, key=lambda one: one[0]):
        apart = [b[1] - a[1] for a, b in itertools.pairwise(each)]
        assert min(apart) * 174 / 25.4 * 72 > 8 * 1.12 + 1  # points: none overlaps the next


def test_where_there_is_no_room_the_overall_light_stands_alone_and_the_figure_says_so():
    judged = table(*(row(name, *["low"] * 5, "low") for name in ("Adams 2001", "Clark 2003")))
    figure = bm.plots.forest(fitted(), risk_of_bias=judged, width=85)
    assert {domain for _, domain in lights(figure)} == {"overall"}
    words = " ".join(" ".join(text.get_text() for text in figure.texts).split())
    assert "O overall; a wider figure shows each domain" in words


def test_every_level_has_a_sign_of_its_own_beside_its_colour():
    levels = ["low", "moderate", "serious", "critical", "no information"]
    judged = table(row("Adams 2001", *levels, "low", "low", "critical"), heads=ROBINS)
    figure = bm.plots.forest(fitted(), risk_of_bias=judged, width=174)
    signs = {}
    for (_, domain), (level, _, light) in lights(figure).items():
        place = light.get_xydata()[0].tolist()
        drawn = [one for one in figure.get_children() if hasattr(one, "get_xydata")]
        here = [one for one in drawn if one.get_xydata().tolist() == [place]]
        inside = [one.get_marker() for one in here if one is not light]
        written = [
            text.get_text()
            for text in figure.texts
            if text.get_position()[0] == pytest.approx(place[0]) and text.get_text() in "!?"
        ]
        signs.setdefault(level, set()).update(inside or written)
        assert domain in {*ROBINS[1:-1], "overall"}
    assert all(len(one) == 1 for one in signs.values())
    assert len(set.union(*signs.values())) == len(signs) == 5


def test_a_study_that_is_not_in_the_fit_is_refused_with_what_it_might_be():
    judged = table(row("Adam 2001", *["low"] * 6))
    said = "'Adam 2001' is judged, and is no study of this fit; did you mean 'Adams 2001'?"
    with pytest.raises(DataError, match=said):
        bm.plots.forest(fitted(), risk_of_bias=judged)


def spec(folder, *, whole="", own="", more=""):
    (folder / "t.csv").write_text(TRIALS)
    (folder / "rob2.csv").write_text(JUDGED)
    outcome = 'better = "lower"\nmeasure = "OR"\nkind = "estimates"\ndata = "t.csv"\n'
    text = f'title = "T"\n{whole}\n[[outcome]]\nname = "a"\ntitle = "A"\n{outcome}{own}\n{more}'
    (folder / "s.toml").write_text(text)
    return folder / "s.toml"


def call(*words):
    return CliRunner(catch_exceptions=False).invoke(main, list(map(str, words)))


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bias")
    result = call("run", spec(folder, own='risk_of_bias = "rob2.csv"'), "-o", folder / "out")
    assert result.exit_code == 0, result.output
    return folder / "out", result.output


def test_a_run_stores_judgements_and_says_who_is_not_judged_where_the_answer_is_read(ran):
    out, said = ran
    with (out / "a/tables/risk-of-bias.csv").open() as file:
        first, second = csv.DictReader(file)
    assert (first["study"], first["overall"]) == ("Adams 2001", "low")
    assert (second["study"], second["overall"]) == ("Baker 2002", "some concerns")
    assert second["deviations from the intended interventions"] == "some concerns"
    sentence = "Risk of bias is not judged for 1 of 3 studies: Clark 2003."
    assert sentence in " ".join(said.split())
    content = json.loads((out / "results.json").read_text())
    assert sentence in content["outcomes"]["a"]["cautions"]
    assert len(content["sha256"]["rob2.csv"]) == 64
    page = " ".join((out / "report.html").read_text().split())
    assert sentence in page
    assert "Risk of bias (RoB 2), overall 1 low, 1 some concerns" in page
    assert "Columns not read: Weight." in page
    assert '<th scope="col">randomisation process</th>' in page
    assert (
        '<th scope="row">Baker 2002</th><td class="">low</td><td class="">some concerns</td>'
        in page
    )


def status(out):
    with (out / "checklist.csv").open() as file:
        return next(one for one in csv.DictReader(file) if one["number"] == "9")


def test_the_item_is_met_only_where_every_study_is_judged(ran, tmp_path):
    assert status(ran[0])["status"] == "partly"
    full = JUDGED + "Clark 2003,Low,High,Low,Low,Low,High,1\n"
    more = '[reporting]\nrisk_of_bias = "By two of us."\n'
    path = spec(tmp_path, whole='risk_of_bias = "rob2.csv"\n' + more)
    (tmp_path / "rob2.csv").write_text(full)
    assert call("run", path, "-o", tmp_path / "out").exit_code == 0
    found = status(tmp_path / "out")
    assert found["status"] == "met"
    assert "overall 1 low, 1 some concerns, 1 high (tables/risk-of-bias.csv)" in found["evidence"]
    assert "By two of us." in found["evidence"]


def test_what_a_person_wrote_of_it_alone_is_a_part(tmp_path):
    path = spec(tmp_path, whole='[reporting]\nrisk_of_bias = "By two of us."\n')
    assert call("run", path, "-o", tmp_path / "out").exit_code == 0
    found = status(tmp_path / "out")
    assert (found["status"], found["evidence"][:13]) == ("partly", "By two of us.")


@pytest.mark.parametrize("place", ["whole", "own"])
def test_a_judged_study_that_no_table_has_is_refused_before_the_work(tmp_path, place):
    path = spec(tmp_path, **{place: 'risk_of_bias = "rob2.csv"'})
    (tmp_path / "rob2.csv").write_text(JUDGED.replace("Adams", "Adamson"))
    result = call("run", path, "-o", tmp_path / "out")
    assert result.exit_code == 2
    of = {"whole": "any outcome", "own": "t.csv"}[place]
    said = f"rob2.csv: 'Adamson 2001' is judged, and is no study of {of}; did you mean 'Adams 2001'"
    assert said in " ".join(result.output.split())


def test_published_figures_alone_have_no_studies_to_judge(tmp_path):
    path = spec(tmp_path, own='risk_of_bias = "rob2.csv"')
    path.write_text(path.read_text().replace('data = "t.csv"\n', ""))
    result = call("run", path, "-o", tmp_path / "out")
    assert "risk_of_bias judges studies, and this outcome has no data" in result.output


def test_fit_takes_the_table_for_its_report_and_for_nothing_else(tmp_path):
    spec(tmp_path)
    words = ("fit", tmp_path / "t.csv", "--measure", "OR", "--better", "lower")
    judged = ("--risk-of-bias", tmp_path / "rob2.csv")
    alone = call(*words, *judged)
    assert (alone.exit_code, "--risk-of-bias is for the folder of --report" in alone.output) == (
        2,
        True,
    )
    assert call(*words, *judged, "--report", tmp_path / "out").exit_code == 0
    assert [*(tmp_path / "out").glob("*/tables/risk-of-bias.csv")]
    content = json.loads((tmp_path / "out/results.json").read_text())
    assert 'risk_of_bias = "rob2.csv"' in content["specification"]


def test_a_number_of_a_domain_goes_before_what_has_its_name_in_it():
    frame = table(row("A", *["low"] * 6))
    more = frame.assign(**{"Participants": 40, "Missing data note": "few", "Overall comment": "ok"})
    assert risk_of_bias(more).tool.name == "RoB 2"
    assert risk_of_bias(more).levels == risk_of_bias(frame).levels
