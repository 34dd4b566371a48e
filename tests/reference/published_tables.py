"""Cut published meta-analyses out of the R package metadat, as tables of studies.

    python tests/reference/published_tables.py METADAT

METADAT is a folder with its sources: ``data-raw/`` with the figures as text, ``man/`` with the
citation of each. Only data are read. What is written, ``tables.json``, has for each table its
source, its citation, the measure of its estimates and its columns under our names. Where a study
has several rows for one question the first is taken.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
OURS = {
    "counts": ("events_treatment", "n_treatment", "events_control", "n_control"),
    "means": (
        *("mean_treatment", "sd_treatment", "n_treatment"),
        *("mean_control", "sd_control", "n_control"),
    ),
    "rates": ("events_treatment", "time_treatment", "events_control", "time_control"),
    "shares": ("events", "n"),
    "estimates": ("y", "se"),
    "intervals": ("estimate", "lower", "upper"),
}
CELLS = "ai n1i ci n2i"
RAW = "m1i sd1i n1i m2i sd2i n2i"


@dataclass(frozen=True)
class Cut:
    """Which rows and columns of a data set make a table."""

    data: str
    columns: str  # theirs, in the order of OURS, as expressions of pandas
    kind: str = "counts"
    name: str = ""
    study: tuple[str, ...] = ()
    where: str = ""
    measure: str = ""
    read: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """Two treatments of a data set with one row for each arm."""

    data: str
    arm: str
    treatment: str
    control: str
    columns: str
    name: str = ""
    study: str = "study"
    kind: str = "counts"
    read: dict = field(default_factory=dict)


def many(data: str, columns: dict[str, str], **others: object) -> list[Cut]:
    return [Cut(data, theirs, name=name, **others) for name, theirs in columns.items()]


def by(data: str, columns: str, column: str, groups: str, **others: object) -> list[Cut]:
    return [
        Cut(data, columns, name=group, where=f"`{column}` == '{group}'", **others)
        for group in groups.split("|")
    ]


def cross(*cells: str) -> str:
    """Events and patients of two arms from their four cells."""
    a, b, c, d = cells
    return f"{a} {a}+{b} {c} {c}+{d}"


NASAL = "rnic1|rnic2|snic1|snic2"
YUSUF = "6|9|10|11|12a|12b"
FISHER = "arctanh(ri) (ni-3)**-.5"
CUTS: tuple[Cut | Pair, ...] = (
    *by("anand1999", CELLS, "intensity", "high|moderate|low"),
    Cut("axfors2021", "hcq_arm_event hcq_arm_total control_arm_event control_arm_total"),
    Cut("bachmann2010", CELLS, where="outcome=='mortality' and time=='followup'"),
    Cut("bassler2004", "Ee Ne Ec Nc"),
    *many("cannon2006", {f"endpoint {i}": f"ep{i}t nt ep{i}c nc" for i in range(1, 7)}),
    Cut("bcg", cross("tpos", "tneg", "cpos", "cneg")),
    *many("collins1985a", {one: f"{one}.xti nti {one}.xci nci" for one in "bod"}),
    Cut("collins1985b", "pre.xti pre.nti pre.xci pre.nci", name="pre-eclampsia"),
    *many("collins1985b", {one: f"{one}.xti fup.nti {one}.xci fup.nci" for one in ("ped", "stb")}),
    Cut("damico2009", "xt nt xc nc"),
    Cut("dorn2007", "x.a n.a x.p n.p"),
    Cut("egger2001", CELLS),
    *many("fine1993", {f"year {i}": f"e{i}i nei c{i}i nci" for i in (1, 2)}),
    Cut("gibson2002", cross("ai", "bi", "ci", "di"), name="counts"),
    Cut("gibson2002", RAW, "means", name="means"),
    Cut("graves2010", CELLS),
    Cut("greb2008", "Ee Ne Ec Nc"),
    Cut("hahn2001", CELLS),
    *by("hartmannboyce2018", "x.nrt n.nrt x.ctrl n.ctrl", "treatment", "gum|patch"),
    Cut("higgins2008", cross("resp.halo", "fail.halo", "resp.plac", "fail.plac")),
    Cut("hine1989", CELLS),
    Cut("landenberger2005", cross("n.cbt.rec", "n.cbt.non", "n.ctrl.rec", "n.ctrl.non")),
    Cut("laopaiboon2015", CELLS),
    Cut("lau1992", CELLS),
    Cut("lee2004", CELLS),
    Cut("li2007", CELLS),
    Cut("linde2005", CELLS),
    Cut("moore1998", "Ee Ne Ec Nc"),
    Cut("nielweise2007", CELLS),
    Cut("quan2000", "Ee Ne Ec Nc"),
    Cut("thompson1999", cross("ihd.exp", "noihd.exp", "ihd.cont", "noihd.cont")),
    Cut("vanhowe1999", cross("cir.pos", "cir.neg", "non.pos", "non.neg")),
    Cut("viechtbauer2021", "xTi nTi xCi nCi"),
    *[Cut("yusuf1985", CELLS, name=f"table {t}", where=f"table=='{t}'") for t in YUSUF.split("|")],
    Pair("baker2009", "treatment", "Fluticasone", "Placebo", "exac total"),
    Pair("dogliotti2014", "treatment", "VKAs", "Aspirin", "stroke total"),
    Pair("dong2013", "treatment", "TIO-SMI", "Placebo", "death randomized", study="id"),
    Pair("gurusamy2011", "treatment", "Tranexamic acid", "Control/Placebo", "death n"),
    Pair("pagliaro1992", "trt", "beta-blockers", "control", "xi ni"),
    Pair("pagliaro1992", "trt", "sclerotherapy", "control", "xi ni"),
    Pair("tian2009", "group", "Rosiglitazone", "Control", "infarcts n"),
    Pair("woods2010", "treatment", "Salmeterol", "Placebo", "r N", study="author"),
    Pair("hasselblad1998", "trt", "ind_counseling", "no_contact", "xi ni"),
    Cut("curtis1998", "m2 s2 n2 m1 s1 n1", "means"),
    *by("dagostino1998", "mt sdt nt mc sdc nc", "outcome", NASAL, kind="means"),
    Cut("furukawa2003", "Me Se Ne Mc Sc Nc", "means"),
    *by("haeuser2009", "mti sdti nti mci sdci nci", "outcome", "pain|fatigue|sleep", kind="means"),
    Cut("lehmann2018", "Red_M Red_SD Red_N Control_M Control_SD Control_N", "means"),
    Cut("michael2013", "Brain_m Brain_s Brain_n No_brain_m No_brain_s No_brain_n", "means"),
    Cut("normand1999", RAW, "means"),
    Cut("poole2003", "Me Se Ne Mc Sc Nc", "means"),
    Cut("spooner2002", "Me Se Ne Mc Sc Nc", "means"),
    Cut("stowe2010", "y1 sd1 n1 y2 sd2 n2", "means", where="t2=='Placebo'"),
    Cut("franchini2012", "y2 sd2 n2 y1 sd1 n1", "means", where="Treatment1=='Placebo'"),
    Pair("senn2013", "treatment", "metformin", "placebo", "mi sdi ni", kind="means"),
    Pair("senn2013", "treatment", "rosiglitazone", "placebo", "mi sdi ni", kind="means"),
    Cut("hart1999", "x1i t1i x2i t2i", "rates"),
    Cut("nielweise2008", "x1i t1i x2i t2i", "rates"),
    Cut("crisafulli2020", "cases total", "shares"),
    Cut("feng2019", "depr n", "shares"),
    Cut("hannum2020", "xi ni", "shares"),
    Cut("pritz1997", "xi ni", "shares"),
    *many(
        "anker2025",
        {one: f"{one}.logrr {one}.se" for one in ("total", "female", "male")},
        kind="estimates",
        measure="RR",
    ),
    Cut("baskerville2012", "smd se", "estimates", measure="SMD"),
    *by("berkey1998", "yi sqrt(vi)", "outcome", "PD|AL", kind="estimates", measure="MD"),
    Cut("cohen1981", FISHER, "estimates"),
    Cut("crede2010", FISHER, "estimates", study=("studyid",)),
    Cut("mcdaniel1994", FISHER, "estimates"),
    Cut("molloy2014", FISHER, "estimates"),
    Cut("nakagawa2007", "arctanh(Correlation) (SampleSize-3)**-.5", "estimates"),
    Cut("white2020", "arctanh(r) (n-3)**-.5", "estimates"),
    Cut("greenland1992", "b SE", "estimates"),
    *by("kalaian1996", "yi sqrt(vi)", "outcome", "verbal|math", kind="estimates", measure="SMD"),
    Cut("konstantopoulos2011", "yi sqrt(vi)", "estimates", measure="SMD", study=("district",)),
    Cut("knapp2017", "yi sqrt(vi)", "estimates", measure="SMD"),
    *many("ishak2007", {f"time {i}": f"y{i}i sqrt(v{i}i)" for i in (1, 2)}, kind="estimates",
          measure="MD"),
    *many("lloyd2010", {one: f"mean.{one} lower.{one} upper.{one}" for one in ("das", "haq")},
          kind="intervals", measure="MD"),
    Cut("pignon2000", "OmE/V 1/sqrt(V)", "estimates", measure="HR"),
    Cut("raudenbush1985", "yi sei", "estimates", measure="SMD"),
    *by("riley2003", "yi sei", "outcome", "DFS|OS", kind="estimates", measure="HR"),
    Cut("hackshaw1998", "or ci.lb ci.ub", "intervals", measure="OR"),
    Cut("dumouchel1994", "or lower upper", "intervals", measure="OR"),
    Cut("steurer2006", "HR lowHR uppHR", "intervals", measure="HR"),
    Cut("tannersmith2016", "yi sei", "estimates"),
    Cut("assink2016", "yi sqrt(vi)", "estimates", measure="SMD"),
)  # fmt: skip
FORMULAS = {"sqrt": np.sqrt, "arctanh": np.arctanh}
NAMED = ("study", "author", "authors", "Author", "trial", "source", "authorName", "Short_Title")
NAMED += ("short", "StudyID", "Study", "study_id", "studyid", "id")


def read(folder: Path, data: str) -> pd.DataFrame:
    """A data set; of one the last eight fields have no names."""
    path = next(folder.glob(f"data-raw/dat.{data}.*[tv]"))
    text = path.read_text("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    first = text.split("\n", 1)[0]
    if data == "curtis1998":
        rows = [
            [i, *line.split()[-8:]] for i, line in enumerate(filter(str.strip, text.split("\n")), 1)
        ]
        return pd.DataFrame(rows, columns=["id", "m1", "e1", "s1", "n1", "m2", "e2", "s2", "n2"])
    tabs = "\t" if "\t" in first and "\t\t" not in first else r"\s+"
    mark = "," if first.count(",") > 2 else tabs
    return pd.read_csv(StringIO(text), sep=mark, na_values=["NA", "."])


def named(frame: pd.DataFrame, study: tuple[str, ...]) -> list[str]:
    """Names in words where there are some, with their years."""
    given = [name for name in (*study, *NAMED) if name in frame]
    words = [name for name in given if not pd.api.types.is_numeric_dtype(frame[name])]
    names = frame[(*study, *words, *given)[0]].astype(str).str.strip()
    if "year" not in frame or "-" in "".join(map(str, frame["year"])):  # some are centred
        return list(names)
    years = frame["year"].astype(str).str.removesuffix(".0")
    return [f"{name} {year}" for name, year in zip(names, years, strict=True)]


def value(frame: pd.DataFrame, expression: str) -> pd.Series:
    """A column of theirs, or a formula of some."""

    def cells(found: re.Match) -> str:
        return found[0] if found[0] in FORMULAS else f"cells[{found[0]!r}]"

    plain = re.sub(r"[A-Za-z](?:[\w.]*\w)?", cells, expression)
    found = eval(plain, {**FORMULAS, "cells": frame})
    return pd.to_numeric(found, errors="coerce")


def cut(folder: Path, one: Cut) -> tuple[str, pd.DataFrame]:
    frame = read(folder, one.data)
    frame = frame.query(one.where) if one.where else frame
    table = pd.DataFrame({"study": named(frame, one.study)})
    for ours, theirs in zip(OURS[one.kind], one.columns.split(), strict=True):
        table[ours] = value(frame, theirs).to_numpy()
    return " ".join(filter(None, (one.data, one.name))), table


def pair(folder: Path, one: Pair) -> tuple[str, pd.DataFrame]:
    frame = read(folder, one.data)
    sides = []
    for arm, side in ((one.treatment, "treatment"), (one.control, "control")):
        rows = frame[frame[one.arm] == arm].drop_duplicates(one.study).set_index(one.study)
        columns = [ours for ours in OURS[one.kind] if ours.endswith(side)]
        sides.append(rows[one.columns.split()].set_axis(columns, axis=1))
    table = sides[0].join(sides[1], how="inner").rename_axis("study").reset_index()
    return f"{one.data} {one.treatment} v {one.control}", table


MAKERS: dict[type, Callable] = {Cut: cut, Pair: pair}


def citation(folder: Path, data: str) -> str:
    """The first source in the data set's description that is in print."""
    text = (folder / f"man/dat.{data}.Rd").read_text("utf-8")
    parts = re.findall(r"\\(?:source|references)\{(.*?)\n\}", text, re.DOTALL)
    plain = re.sub(r"\\(?:emph|bold|verb|sQuote)\{([^{}]*)\}", r"\1", "\n\n".join(parts))
    plain = re.sub(r"\\enc\{([^{}]*)\}\{[^{}]*\}", r"\1", plain)
    printed = [one for one in re.split(r"\n\s*\n", plain) if "Personal comm" not in one]
    return re.sub(r"\s+", " ", next(filter(str.strip, printed)).replace("\\&", "&")).strip()


def entries(folder: Path) -> Iterator[tuple[str, dict]]:
    for one in CUTS:
        name, table = MAKERS[type(one)](folder, one)
        table = table.dropna().drop_duplicates("study")
        columns = {
            name: [int(x) if float(x).is_integer() else float(f"{x:.6g}") for x in table[name]]
            for name in table
            if name != "study"
        }
        yield (
            name,
            {
                "source": f"metadat dat.{one.data}",
                "citation": citation(folder, one.data),
                "measure": getattr(one, "measure", ""),
                "study": [str(each) for each in table["study"]],
                **columns,
            },
        )


def main(folder: Path) -> None:
    lines = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in entries(folder)]
    text = '{"source": "R metadat, data-raw", "cases": {\n' + ",\n".join(lines) + "\n}}\n"
    (HERE / "tables.json").write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
