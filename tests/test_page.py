"""The page people look at: first screen, checklist, figures, and what Chromium makes of it."""

import html
import re
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from chromium import CHROMIUM, chromium

from bayesmeta.analysis import run as analyse
from bayesmeta.report._drawings import drawings
from bayesmeta.report._figures import figures_of
from bayesmeta.report._html import render
from bayesmeta.report._view import view_of
from bayesmeta.results.checklist import ITEMS, Status, checklist
from bayesmeta.results.keys import FitKey
from bayesmeta.results.methods import methods
from bayesmeta.results.sections import agreeing, front, glance
from bayesmeta.specification import Reporting, load_specification
from bayesmeta.variations import Kind

TRIALS = """\
study,events_treatment,n_treatment,events_control,n_control,source
Shu,0,12,3,29,Table 2
Zhu,0,29,2,29,Table 3
Monsel,5,21,4,24,Figure 1
Lee,3,40,9,41,Table 1
Ng,0,20,0,22,text
"""
STAYS = """\
study,mean_treatment,sd_treatment,n_treatment,mean_control,sd_control,n_control,source
Zhu,11.2,4.1,29,14.9,5.0,29,Table 3
"""
SPECIFICATION = """\
title = "Cells & <care>"
question = "Do they help?"
seed = 7
limits = ["Few trials."]
sampler = { draws = 400, tune = 400 }

[[outcome]]
name = "death"
title = "Death <any>"
event = "deaths"
measure = "RR"
better = "lower"
data = "trials.csv"
mu = "Normal(0, 2)"
tau = "HalfNormal(0.5)"
why = { mu = "weak", tau = "weak", baseline = "vague" }
baseline_risk = { low = 0.1, high = 0.3, source = "two registries" }
threshold = 20

[[outcome.scenario]]
name = "all"

[[outcome.published]]
label = "Review"
measure = "RR"
estimate = "0.76"
lower = "0.60"
upper = "0.96"
citation = "J 2024;1:2"

[[outcome]]
name = "stay"
title = "Stay"
better = "lower"
kind = "continuous"
measure = "MD"
effects = "common"
unit = "days"
data = "stays.csv"
mu = "Normal(0, 20)"
why = { mu = "vague" }

[[outcome.scenario]]
name = "one trial"

[[outcome]]
name = "marker"
title = "Marker"
better = "lower"
measure = "MD"

[[outcome.published]]
label = "Review"
measure = "MD"
estimate = "-32.49"
lower = "-48.43"
upper = "-16.56"
n = 88
citation = "J 2024;1:2"
alone = true
"""
SCREENS = ((360, False), (360, True), (768, False), (1440, False))  # px, everything open
WIDTHS = (360, 768, 1440)
AMISS = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    (folder / "trials.csv").write_text(TRIALS)
    (folder / "stays.csv").write_text(STAYS)
    path = folder / "page.toml"
    path.write_text(SPECIFICATION)
    return analyse(load_specification(path))


@pytest.fixture(scope="module")
def figures(results):
    return {
        one.name: figures_of(one, arms=results.arms, prob=results.prob) for one in results.outcomes
    }


@pytest.fixture(scope="module")
def page(results, figures):
    return render(view_of(results, figures), figures)


def changed(run, **changes):
    """The run with every outcome changed by functions of it."""
    every = tuple(
        replace(one, **{name: change(one) for name, change in changes.items()})
        for one in run.outcomes
    )
    return replace(run, outcomes=every)


def without_tables(run, *names):
    def kept(one):
        return {name: table for name, table in one.tables.items() if name not in names}

    return changed(run, tables=kept)


def without_kind(run, kind):
    def kept(one):
        if one.what_if is None:
            return None
        rows = tuple(row for row in one.what_if.rows if row.kind is not kind)
        return replace(one.what_if, rows=rows)

    return changed(run, what_if=kept)


def without_check(run, *checks):
    def kept(one):
        table = one.tables["diagnostics"]
        return {**one.tables, "diagnostics": table[~table["check"].isin(checks)]}

    return changed(run, tables=kept)


def without_row(run, name, words):
    def kept(one):
        if name not in one.tables:
            return one.tables
        table = one.tables[name]
        lost = [words in str(label) for label in table.index]
        return {**one.tables, name: table[[not each for each in lost]]}

    return changed(run, tables=kept)


def without_second(run):
    def kept(one):
        return tuple(replace(each, unconverged=FitKey.SECOND_SOURCE) for each in one.scenarios)

    return changed(run, scenarios=kept)


# Of each item that a run meets by itself: the run without its evidence.
TAKEN = {
    1: lambda run: replace(run, question=""),
    5: lambda run: changed(
        run,
        sources=lambda one: None if one.sources is None else one.sources.assign(source=""),
    ),
    7: lambda run: changed(run, evidence=lambda one: replace(one.evidence, zeros=None)),
    11: lambda run: changed(run, asked=lambda _: {}),
    12: lambda run: changed(run, asked=lambda _: {}),
    14: lambda run: changed(run, asked=lambda _: {}),
    16: lambda run: without_tables(run, "prior-conflict"),
    17: lambda run: without_tables(run, "power-scaling"),
    18: lambda run: changed(run, control_risk_origin=lambda _: ""),
    20: lambda run: replace(run, versions={}),
    21: lambda run: without_tables(run, "diagnostics"),
    22: lambda run: without_check(run, "R-hat"),
    23: lambda run: without_check(run, "tail ESS"),
    24: lambda run: without_check(run, "divergences"),
    25: lambda run: without_check(run, "quadrature error"),
    26: without_second,
    27: lambda run: without_tables(run, "loo"),
    28: lambda run: without_tables(run, "deviance"),
    29: lambda run: without_tables(run, "parameters"),
    30: lambda run: without_row(run, "prior-posterior", "tau"),
    31: lambda run: without_row(run, "studies", "prediction"),
    32: lambda run: without_tables(run, "weights"),
    33: lambda run: without_tables(run, "thresholds"),
    34: lambda run: without_tables(run, "bayes-factors"),
    35: lambda run: without_tables(run, "absolute"),
    36: lambda run: without_tables(run, "comparison"),
    41: lambda run: without_kind(run, Kind.TAU),
    42: lambda run: without_kind(run, Kind.WITHOUT),
    43: lambda run: without_tables(run, "tipping"),
    44: lambda run: without_tables(run, "prior-conflict"),
    47: lambda run: replace(run, hashes={}),
    48: lambda run: without_tables(run, "comparison"),
    49: lambda run: replace(run, limits=()),
}


def status(run, number):
    return next(found.status for item, found in checklist(run).lines if item.number == number)


@pytest.mark.parametrize("number", TAKEN)
def test_an_item_is_met_by_its_evidence_and_not_without_it(results, number):
    assert status(results, number) is Status.MET
    assert status(TAKEN[number](results), number) in (Status.PARTLY, Status.LACKING)


def test_what_was_not_done_is_not_met(results):
    assert status(results, 45) is Status.PARTLY  # too few estimates
    assert "neither tested nor modelled" in methods(results).text
    assert status(results, 6) is Status.NOT_ASKED  # nothing was derived
    assert "no published figure" not in checklist(results).table().loc[36, "evidence"]
    alone = replace(results, outcomes=results.outcomes[2:])
    assert "one datum" in methods(alone).text
    assert checklist(alone).met < checklist(results).met - 15


def test_what_a_person_must_write_is_open_until_it_is_written(results):
    table = checklist(results).table()
    opened = table[table["status"] == Status.OPEN]
    keys = {one for each in opened["evidence"] for one in re.findall(r"write: (\w+) in", each)}
    judged = {"risk_of_bias"}  # needs a table of judgements, and what is written is a part of it
    assert keys == set(Reporting.model_fields) - judged
    known = dict.fromkeys(keys | judged, "as it was")
    written = checklist(replace(results, reporting=known))
    assert written.met == checklist(results).met + len(opened) - len(judged)
    assert [item.number for item in ITEMS] == list(range(1, 51))


def test_a_prior_without_a_reason_is_a_default_to_be_confirmed(results):
    assert status(results, 15) is Status.OPEN
    assert status(changed(results, why=lambda _: {}), 15) is Status.DEFAULT


def test_every_place_of_the_checklist_is_on_the_page(results, page):
    written = replace(results, reporting={"goal": "to estimate"})
    places = {found.place for _, found in checklist(written).lines} - {"", "#written"}
    assert places
    for place in places:
        assert f'id="{place[1:]}"' in page


def test_first_screen_has_a_row_for_every_answer_in_its_group(results):
    groups = {one.name: [row.cells for row in one.rows] for one in front(results)}
    assert {name: len(rows) for name, rows in groups.items()} == {
        "pooled": 1,
        "single": 1,
        "alone": 1,
    }
    heads = {column.key: i for i, column in enumerate(front(results)[0].columns)}
    pooled, single, alone = (groups[name][0] for name in ("pooled", "single", "alone"))
    death = results.outcomes[0]
    row = death.tables["absolute"].loc["average effect, low baseline"]
    people = pooled[heads["people"]]
    assert (
        people.text
        == f"{row['difference']:.0f} [{row['difference_lower']:.0f}, "
        f"{row['difference_upper']:.0f}] per 1,000".replace("-", "−")
    )
    assert people.below == ("without: 100",)
    assert pooled[heads["benefit"]].below == (
        f"at least 20 per 1,000: {100 * row['prob_important']:.1f}%",
    )
    assert pooled[heads["stands"]].text == death.what_if.in_short.removeprefix("stands in ")
    assert pooled[heads["stands"]].link == "#death-what-if"
    assert single[heads["size"]].text == "1/58"
    assert alone[heads["size"]].text == "?/88"  # of one printed figure no trials are known
    estimates = [cells[heads["estimate"]].text for cells in (pooled, single, alone)]
    assert estimates == [row.cells[2].text for row in glance(results).rows]


def test_methods_of_other_programs_are_told_together_with_their_extremes(results):
    death = results.outcomes[0]
    found = agreeing(death, results)
    table = death.tables["comparison"]
    others = table[
        [
            not str(one).startswith(("binomial", "NUTS", "two-stage", "Review"))
            for one in table.index
        ]
    ]
    assert found is not None
    count, *_ = found.note.split()
    shown = [cells[0].text for cells in (row.cells for row in found.rows)]
    assert int(count) + len(shown) == len(table)
    assert not set(shown) & set(map(str, others.index)) or len(others) > int(count)
    wide = (table["upper"] - table["lower"])[[one not in shown for one in table.index]]
    assert f"({wide.idxmax()})" in found.note
    assert f"({wide.idxmin()})" in found.note


def test_methods_cite_what_was_done_and_number_it_in_order(results):
    found = methods(results)
    numbers = [
        int(one) for each in re.findall(r"\[([\d, ]+)\]", found.text) for one in each.split(", ")
    ]
    assert numbers == list(range(1, len(found.references) + 1))
    assert "mu ~ Normal(0, 2), tau ~ HalfNormal(0.5)" in found.text
    assert "One effect was taken for all studies of Stay." in found.text
    assert "Reporting bias was neither tested nor modelled for Death <any>, Stay." in found.text
    assert "Mantel–Haenszel" not in methods(replace(results, outcomes=results.outcomes[1:])).text


def test_drawings_share_what_they_refer_to_and_nothing_else(figures):
    drawn = drawings(figures)
    known = re.findall(r'id="([^"]+)"', drawn.shared)
    assert len(known) == len(set(known))
    every = "".join(one for each in drawn.each.values() for one in each.values())
    assert "id=" not in every
    assert "<!--" not in every
    asked = set(re.findall(r'href="#([^"]+)"', every)) | set(re.findall(r"url\(#([^)]+)\)", every))
    assert asked == set(known)
    files = "".join(one for each in figures.values() for one in each.values())
    assert every.count("<use ") == files.count("<use ")
    assert len(drawn.shared) + len(every) < 0.7 * len(files)


def test_one_identifier_with_two_meanings_becomes_two():
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        'width="9pt" height="9pt" viewBox="0 0 9 9"><defs><path id="a" d="M 0 {end}"/></defs>'
        '<use xlink:href="#a" x="1.23456"/></svg>'
    )
    drawn = drawings({"one": {"x": svg.format(end=1), "y": svg.format(end=2.345)}})
    assert re.findall(r'id="([^"]+)"', drawn.shared) == ["a", "a-2"]
    assert 'href="#a-2"' in drawn.each["one"]["y"]
    assert 'd="M0 2.34"' in drawn.shared
    assert 'x="1.23"' in drawn.each["one"]["x"]


def test_names_stay_text_and_the_page_may_ask_for_nothing(page):
    assert "Death &lt;any&gt;" in page
    assert "<any>" not in page
    assert "<script" not in page
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    policy = html.unescape(policy)
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert not re.findall(r'\s(?:src|srcset)="', page)


def test_every_table_has_scopes_and_every_figure_its_words(page):
    assert not re.findall(r"<th(?![^>]*scope=)[\s>]", page)
    pictures = re.findall(r'role="img" aria-label="([^"]*)"', page)
    assert pictures
    assert all(len(one) > 15 for one in pictures)
    links = set(re.findall(r'href="#([^"]+)"', page.split("</defs></svg>", 1)[1])) - {""}
    places = set(re.findall(r'\sid="([^"]+)"', page))
    assert {one for one in links if not one.startswith(("DejaVu", "m", "p", "C"))} <= places


MEASURED = """(() => {
  const page = document.documentElement, out = {};
  out.wide = page.scrollWidth - page.clientWidth;
  out.over = [...document.querySelectorAll('main *')].filter(one => {
    const box = one.getBoundingClientRect();
    return box.width && box.right > page.clientWidth + 1 && !one.closest('.scroll, pre, svg');
  }).map(one => one.tagName + ' ' + one.className).slice(0, 5);
  out.first = document.querySelector('.answers tbody tr').getBoundingClientRect().bottom;
  out.folded = document.querySelectorAll('details').length;
  return out;
})()"""
UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true })"
VIOLATED = """axe.run().then(found => found.violations
  .map(one => [one.impact, one.id, one.nodes.length, one.nodes[0].html.slice(0, 200)]))"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not CHROMIUM:
        pytest.skip("there is no Chromium to look with")
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(page, tmp_path_factory):
    path = tmp_path_factory.mktemp("shown") / "page.html"
    path.write_text(page)
    return path


@pytest.mark.parametrize(("width", "unfolded"), SCREENS)
def test_nothing_is_wider_than_the_screen_and_an_answer_is_on_the_first(
    browser, address, width, unfolded
):
    browser.look(width=width)
    browser.open(address)
    if unfolded:
        browser.run(UNFOLD)
    found = browser.run(MEASURED)
    assert found["over"] == []
    assert found["wide"] == 0
    assert found["first"] <= 740
    assert found["folded"] > 20


@pytest.mark.deep("5 s for every screen", but=["360-False", "1440-True"])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_serious_or_moderate_with_everything_open(browser, address, width, dark):
    browser.look(width=width, dark=dark)
    browser.open(address)
    browser.run(UNFOLD)
    package = find_spec("axe_playwright_python")
    assert package is not None, "axe-core is not installed: uv sync"
    browser.run(f"{Path(package.origin).with_name('axe.min.js').read_text()};0")
    assert [one for one in browser.run(VIOLATED) if one[0] != "minor"] == []


def test_the_page_says_nothing_to_the_console_and_asks_for_nothing(browser, address):
    before = len(browser.told)
    browser.open(address)
    browser.run(UNFOLD)
    told = browser.told[before:]
    assert [one for name, one in told if name in AMISS] == []
    asked = [one["request"]["url"] for name, one in told if name == "Network.requestWillBeSent"]
    assert asked == [address.as_uri()]


def test_three_clicks_lead_from_the_first_screen_to_a_trial_and_to_what_would_turn_it(
    browser, address
):
    browser.look(width=1440)
    browser.open(address)
    for place, words, read in (
        (".answers tbody", "Death <any>", "Which trial drives this?"),
        ("#death", "Which trial drives this?", "Monsel"),
        ("#death-drives", "What if a count were one more", "event"),
    ):
        found = browser.run(f"""(async () => {{
          const links = [...document.querySelector({place!r}).querySelectorAll("a")];
          const link = links.find(one => one.textContent.startsWith({words!r}));
          if (!link.checkVisibility()) return "hidden";
          link.click();
          await new Promise(done => setTimeout(done, 200));
          const target = document.querySelector(location.hash);
          const shown = target.closest("details") ?? target;  // opened by the link into it
          return target.checkVisibility({{contentVisibilityAuto: true}}) && shown.innerText;
        }})()""")
        assert read in found
