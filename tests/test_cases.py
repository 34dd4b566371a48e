"""Tables that people asked about in public: each ends in its right value, or in a way out.

The inputs stand in ``cases/``; names are replaced, some figures are those of the public case. Right
values were computed apart (closed form, brute force) or are stated where the question was asked.
"""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose

import bayesmeta as bm
from bayesmeta.cli import main

CASES = Path(__file__).parent / "cases"
HR = "--measure HR"


def read(name, **said):
    return bm.read_studies(CASES / name, **said)


def counts(data):
    columns = ("events_treatment", "n_treatment", "events_control", "n_control")
    return [[getattr(data, name)[i] for name in columns] for i in range(data.k)]


def told(command):
    """What the command line prints, in the words of its own interface."""
    done = CliRunner().invoke(main, command.replace("{}", str(CASES) + "/").split("|"))
    return done.exit_code, done.output


TWO_TRIALS = [[12, 40, 18, 40], [5, 50, 9, 50]]


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("c01-double-zero.csv", [[0, 24, 0, 22], [1, 60, 3, 58], [0, 41, 2, 40]]),
        ("c02-mirrored-zeros.csv", [[0, 15, 2, 13], [2, 13, 0, 15]]),
        ("c03-tiny-margins.csv", [[1, 1, 1, 1], [0, 1, 0, 1], [1, 2, 1, 2], [1, 2, 1, 2]]),
        ("c04b-semicolon-counts.csv", [[4, 40, 9, 41], [2, 33, 5, 31]]),
        ("c16c-combined.csv", [[86, 100, 22, 50], [30, 60, 24, 61]]),
        ("c18f-bom-crlf.csv", TWO_TRIALS),
        ("c18g-latin1.csv", TWO_TRIALS),
        ("c18h-metafor-abcd.csv", TWO_TRIALS),
        ("c18i-metafor-n1i.csv", TWO_TRIALS),
        ("c18j-meta-names.csv", TWO_TRIALS),
        ("c18k-revman-web.csv", TWO_TRIALS),
        ("c18m-capitals.csv", TWO_TRIALS),
        ("c18n-title-line.csv", TWO_TRIALS),
        ("c18o-excel.xlsx", TWO_TRIALS),
    ],
)
def test_counts_are_read_from_whatever_file_holds_them(name, right):
    assert counts(read(name))[: len(right)] == right


@pytest.mark.parametrize(
    ("name", "measure", "y", "se"),
    [
        ("c04-semicolon-decimal-comma.csv", "GEN", [0.435, 1.286, 0.118], [0.12, 0.31, 0.095]),
        ("c04c-quoted-decimal-comma.csv", "GEN", [0.435, 1.286, 0.118], [0.12, 0.31, 0.095]),
        ("c13-yi-vi.csv", "GEN", [-1, 0.5, 0.5, 0.5, 1], [1, 1, 2.4**0.5, 0.5**0.5, 1]),
        ("c13b-y-se.csv", "GEN", [-1, 0.5, 0.5, 0.5, 1], [1, 1, 2.4**0.5, 0.5**0.5, 1]),
        ("c42-estimate-and-se.csv", "HR", np.log([0.7, 0.9]), [0.13, 0.15]),
        ("c42b-hr-se-n.csv", "HR", np.log([0.7, 0.9]), [0.13, 0.15]),
    ],
)
def test_estimates_are_read_from_whatever_form_they_have(name, measure, y, se):
    data = read(name, measure=measure)
    assert_allclose(data.y[: len(y)], y, rtol=1e-12)
    assert_allclose(data.se[: len(se)], se, rtol=1e-12)


def test_hazard_ratios_under_their_own_names_pool_as_the_thread_states():
    """DL 2.5695 [1.8611, 3.5477], tau² 0.0181, once the row that was typed wrongly is left out."""
    with pytest.raises(bm.DataError, match=r"interval of S6 \(row 6\) is not symmetric"):
        read("c05-hr-ci.csv", measure="HR")
    for name in ("c05-hr-ci.csv", "c05b-hr-ci-our-names.csv"):
        data = read(name, measure="HR", exclude={"S6": "4.64 is not amid 1.33 to 6.16"})
        assert [row.study for row in data.excluded] == ["S6"]
        assert_allclose(data.y[0], np.log(1.78), rtol=1e-12)
    status, said = told(
        "fit|{}c05-hr-ci.csv|--measure|HR|--exclude|S6: 4.64 is not amid 1.33 to 6.16"
    )
    assert status == 0, said
    assert "S6 left out (4.64 is not amid 1.33 to 6.16)" in said
    status, said = told("fit|{}c05-hr-ci.csv|--measure|HR")
    assert (status, '--exclude "S6: reason"' in said) == (2, True)


def test_a_column_named_after_another_measure_is_refused():
    status, said = told("fit|{}c05-hr-ci.csv|--measure|RR")
    assert status == 2
    assert "HR" in said
    assert "RR" in said


def test_medians_with_quartiles_or_with_their_width():
    """Luo 2018 and Wan 2014 in closed form; of a width, the SD alone."""
    wide = read("c07c-iqr-width.csv", measure="MD")
    n, width = wide.n_treatment, np.array([5.0, 4.5])
    from scipy.special import ndtri

    assert_allclose(wide.sd_treatment, width / (2 * ndtri((0.75 * n - 0.125) / (n + 0.25))))
    assert wide.mean_treatment.tolist() == [6.0, 5.5]
    assert "SD from the width of the quartiles (Wan 2014)" in wide.how[0]
    full = read("c07-median-iqr.csv", measure="MD")
    assert full.q3_control[0] == 12.0
    assert np.isnan(full.sd_control).all()


def test_counts_and_printed_ratios_in_one_table_are_joined():
    """1.32 [0.86, 2.05] by hand through arrays."""
    data = read("c09-mixed-forms.csv", measure="OR")
    assert data.study == ("M1", "M2", "M3", "M4")
    odds = 30 / 180 / (22 / 228)
    assert_allclose(data.y[0], np.log(odds), rtol=1e-12)
    assert_allclose(data.y[2:], np.log([1.45, 0.88]), rtol=1e-12)
    assert_allclose(data.se[2], np.log(2.06 / 1.02) / (2 * 1.959963984540054), rtol=1e-12)
    assert [text.split()[0] for text in data.how] == ["counts", "counts", "estimate", "estimate"]
    found = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), data)["mu"]
    assert_allclose(np.exp([found.mean(), *found.interval(0.95)]), [1.32, 0.86, 2.05], atol=0.006)
    with pytest.raises(bm.DataError, match=r"M3 \(row 3\)"):
        bm.reading.read(
            bm.reading.open_table(CASES / "c09-mixed-forms.csv", bm.reading.Reading()),
            "OR",
            bm.reading.Reading(),
            of_arms=True,
        )


@pytest.mark.parametrize(
    ("name", "measure", "said"),
    [
        ("c10-sd-zero.csv", "MD", ["sd_treatment must be positive", "V2", "V3", "exclude"]),
        ("c11-missing-sd.csv", "MD", ["W2 (row 2)", "W5 (row 5)", "exclude"]),
        ("c12-zero-variance.csv", "GEN", ["se must be positive", "a (row 1)", "exclude"]),
        ("c16-three-arms.csv", "RR", ["Trial X", "several active arms", "combine", "split"]),
        ("c16e-arm-per-row.csv", "RR", ["low dose, high dose, placebo", "control='placebo'"]),
        ("c27-pre-post.csv", "MD", ["correlation=0.5", "final_values=True"]),
        ("c34-p-values.csv", "MD", ["B (row 2)", "C (row 3)", "bound"]),
        ("c39-several-outcomes-per-study.csv", "GEN", ["Est A", "several effects", "exclude"]),
        ("c41-log-hr-printed-as-log.csv", "HR", ["ratios", "logarithms"]),
        ("c21-adverse-events-by-grade.csv", "PLO", ["these repeat: 1", "by='grade'"]),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_way_out(name, measure, said):
    with pytest.raises(bm.DataError) as refused:
        read(name, measure=measure)
    assert [text for text in said if text not in str(refused.value)] == []
    assert "different names" not in str(refused.value)


def test_a_missing_word_is_missing_by_name():
    with pytest.raises(bm.DataError) as refused:
        read("c11-missing-sd.csv", measure="MD")
    assert "n.r." not in str(refused.value)
    found = read("c11-missing-sd.csv", measure="MD", exclude={"W2": "no SD", "W5": "no mean"})
    assert found.study == ("W1", "W3", "W4")
    status, said = told(
        "fit|{}c11-missing-sd.csv|--measure|MD|--mu|Normal(0, 20)|--tau|HalfNormal(5)"
        "|--exclude|W2: no SD|--exclude|W5: no mean"
    )
    assert status == 0, said
    assert "W5 left out (no mean)" in said
    from bayesmeta.reading import Reading, open_table

    opened = open_table(CASES / "c11-missing-sd.csv", Reading())
    assert any("n.r. taken as missing in mean_treatment (W5)" in one for one in opened.said)


def test_arms_are_combined_shared_out_or_chosen():
    combined = [[86, 100, 22, 50], [30, 60, 24, 61]]
    assert counts(read("c16-three-arms.csv", measure="RR", several_arms="combine")) == combined
    arms = {"measure": "RR", "control": "placebo"}
    assert counts(read("c16e-arm-per-row.csv", **arms, several_arms="combine")) == combined
    chosen = read("c16e-arm-per-row.csv", **arms, treatment="high dose")
    assert counts(chosen) == [[41, 50, 22, 50]]
    assert [(row.study, row.reason) for row in chosen.excluded] == [
        ("Trial Y", "no treatment arm that was asked for")
    ]
    status, said = told("fit|{}c16-three-arms.csv|--measure|RR")
    assert (status, "--combine-arms" in said, "--split-control" in said) == (2, True, True)
    status, said = told("fit|{}c16e-arm-per-row.csv|--measure|RR")
    assert (status, '--control "placebo"' in said) == (2, True)
    with pytest.raises(bm.DataError, match="events would become fractions"):
        read("c16-three-arms.csv", measure="RR", several_arms="split")


def test_changes_from_baseline_by_an_assumed_correlation():
    """11.3 (4.4204), 2.9 (0.78204), 1.8 (2.02590) in closed form."""
    change = read("c27-pre-post.csv", measure="MD", correlation=0.5)
    effects = bm.effect_sizes(change, measure="MD")
    assert_allclose(effects.y, [11.3, 2.9, 1.8], atol=1e-9)
    assert_allclose(effects.se, [4.4204, 0.78204, 2.02590], atol=5e-5)
    final = read("c27-pre-post.csv", measure="MD", final_values=True)
    assert_allclose(final.mean_treatment - final.mean_control, [18.8, 1.5, 2.6], atol=1e-9)


def test_single_arms_and_large_samples():
    single = read("c06b-our-names.csv")
    assert single.events[:2].tolist() == [11, 4]
    large = bm.effect_sizes(read("c15-smd-large-n.csv"), measure="SMD")
    assert_allclose(large.y, [0.15585, -5.28635], atol=5e-6)
    assert_allclose(large.se, [0.05691, 0.09910], atol=5e-6)


@pytest.mark.parametrize(
    ("name", "k"),
    [("c08-rr-fever.csv", 5), ("c20-subgroups.csv", 5), ("c22-large-k.csv", 220)],
)
def test_plain_tables_of_counts_are_read_whole(name, k):
    data = read(name)
    assert data.k >= k if name != "c22-large-k.csv" else data.k == k


def test_text_is_text_in_a_covariate():
    assert read("c20-subgroups.csv").covariates["dose"][:2] == ("low", "low")


@pytest.mark.parametrize(
    ("name", "measure", "first"),
    [
        ("c12b-without-zero.csv", "GEN", (-0.52165329, 0.744634)),
        ("c24-eight-schools.csv", "MD", (28, 15)),
        ("c25-uniform-tau.csv", "GEN", (0.19, 0.10)),
        ("c23-k2.csv", "HR", (np.log(1.42), np.log(1.83 / 1.10) / (2 * 1.959963984540054))),
    ],
)
def test_plain_estimates_are_read_as_they_stand(name, measure, first):
    data = read(name, measure=measure)
    assert_allclose([data.y[0], data.se[0]], first, rtol=1e-12)


def test_risk_differences_pool_as_the_thread_states():
    """DL -0.0070553 [-0.010119, -0.003991], tau² 1.873475e-05."""
    found = bm.random_effects(read("c38-rd-bcg.csv"), measure="RD", tau2="DL", interval="Wald")
    assert_allclose(
        [found.estimate, found.lower, found.upper], [-0.0070553, -0.010119, -0.003991], atol=5e-7
    )
    with pytest.raises(bm.DataError, match="No study says anything about the risk ratio"):
        bm.effect_sizes(read("c26-rd-one-double-zero.csv"), measure="RR")


def test_several_arms_under_their_own_names_are_read_as_they_stand():
    assert read("c16b-three-arms-named.csv").k == 3
    assert read("c16d-split-control.csv").k == 3
    assert read("c37-same-trial-twice.csv").k == 3


def test_correlations_have_no_measure_yet_and_say_so():
    with pytest.raises(bm.DataError, match="measure"):
        read("c40-correlations.csv", measure="ZCOR")


@pytest.mark.parametrize("name", ["c30-revman.toml", "c31b-hazard-dropped.toml"])
def test_specifications_of_the_cases_are_understood(name):
    status, said = told(f"check|{{}}{name}")
    assert status == 0, said
    assert "Nothing was fitted." in said


def test_groups_named_na_stay_apart(tmp_path):
    table = tmp_path / "regions.csv"
    rows = [f"{region},S{i},{0.1 * i},0.2" for i, region in enumerate(["NA", "None", "null", ""])]
    table.write_text("region,study,y,se\n" + "\n".join(rows) + "\n")
    out = tmp_path / "rows.csv"
    done = CliRunner().invoke(
        main,
        ["batch", str(table), "--by", "region", "--measure", "GEN", "--mu", "Normal(0, 1)",
         "--tau", "HalfNormal(0.5)", "-o", str(out)],
    )  # fmt: skip
    lines = out.read_text().splitlines() if out.exists() else []
    assert done.exit_code in (0, 1), done.output
    assert [line.split(",")[0] for line in lines[1:]] == ["NA", "None", "null", ""]
