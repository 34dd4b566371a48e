"""Sets of column names that mean something together, in this program's words and in others'."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import final

from ..figures.words import key
from .measures import LIMITS, MEASURES, PLAIN, RATIOS

type Found = Mapping[str, Sequence[int]]  # the columns of each of our names

COUNTS, TIMES, MEANS, ESTIMATES = range(4)  # of sets that claim the same, the first is read
SIDES = ("_treatment", "_control")

_OF_ARMS = (
    *("events", "n", "nonevents", "time", "mean", "sd", "se", "var"),
    *("min", "q1", "median", "q3", "max", "iqr", "lower_mean", "upper_mean"),
    *("mean_baseline", "sd_baseline", "sd_change", "q1_change", "median_change", "q3_change"),
)
ROWS = ("study", "variant", "arm", "label")
OURS: tuple[str, ...] = (
    *ROWS,
    *(f"{name}{side}" for side in SIDES for name in _OF_ARMS),
    *(name for name in _OF_ARMS if name != "var"),
    *("y", "se", "variance", "estimate", "lower", "upper", "p", "t_statistic", "t_based"),
    *("unit", "how", "form", "correlation", "design_effect", "icc", "cluster_size"),
)
TEXTS = frozenset((*ROWS, "unit", "how", "form", "t_based"))
NUMBERS = frozenset(OURS) - TEXTS
OF_PETO = frozenset({"o_minus_e", "v_of_o_minus_e"})
WHOLE = frozenset(f"{name}{side}" for side in ("", *SIDES) for name in ("events", "n", "nonevents"))
OUR_KEYS: Mapping[str, str] = {key(name): name for name in OURS} | {
    "units": "unit",
    "unitofmeasurement": "unit",
    "measurementunit": "unit",
}

STUDY = (  # the surest first
    ("trial", "studlab", "slab", "studyid", "studyname", "trialname", "trialid", "nameofstudy",
     "studylabel"),
    ("author", "authors", "firstauthor", "name", "reference", "paper"),
)  # fmt: skip
ARM = ("arm", "treatment", "trt", "intervention", "regimen", "group")

_ARM_WORDS = {
    "_treatment": (
        *("treatment", "treat", "treated", "trt", "tx", "intervention", "experimental", "exp"),
        *("active", "drug"),
    ),
    "_control": ("control", "controls", "ctrl", "placebo", "comparator", "comparison"),
}
_ARM_LETTERS = {"_treatment": "t", "_control": "c"}
_ERRORS = ("se", "stderr", "stderror", "standarderror", "standarderrors")
_WORDS: Mapping[str, tuple[str, ...]] = {
    "events": ("events", "event", "cases", "responders", "deaths", "numberofevents"),
    "n": (
        *("n", "total", "totaln", "samplesize", "participants", "patients"),
        *("numberofparticipants", "numberofpatients"),
    ),
    "nonevents": ("nonevents", "nonevent", "noevents", "noevent"),
    "time": ("time", "persontime", "personyears", "patientyears", "exposure"),
    "mean": ("mean",),
    "sd": ("sd", "stddev", "standarddeviation"),
    "se": (*_ERRORS, "sem"),
    "var": ("var", "variance"),
    "median": ("median",),
    "q1": ("q1", "lowerquartile", "firstquartile"),
    "q3": ("q3", "upperquartile", "thirdquartile"),
    "min": ("min", "minimum"),
    "max": ("max", "maximum"),
    "iqr": ("iqr",),
    **{
        f"{name}_baseline": tuple(
            word
            for when in ("baseline", "before", "pre", "initial")
            for word in (name + when, when + name)
        )
        for name in ("mean", "sd")
    },
    **{
        f"{name}_final": tuple(
            word
            for when in ("final", "after", "post", "endpoint", "followup")
            for word in (name + when, when + name)
        )
        for name in ("mean", "sd")
    },
}
_P = ("p", "pvalue", "pval")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NameSet:
    """Names that mean something together, and nothing unless all are there.

    Attributes
    ----------
    source : str
        The program that writes them; ``""`` for words anybody uses.
    rank : int
        Of two sets that claim the same, the lower is read.
    needs : mapping of str to frozenset of str
        By our name, the keys of which one must be there.
    measure : str
        What a name states, e.g. HR.
    rows_are_arms : bool
        Whether it is read only where studies have several rows, named by an arm.
    alone : bool
        Whether it is read only where no set of a lower rank is there: a program's result.
    """

    source: str = ""
    rank: int
    needs: Mapping[str, frozenset[str]]
    measure: str = ""
    rows_are_arms: bool = False
    alone: bool = False

    @property
    def two_arms(self) -> bool:
        """Whether it has a column for each of two arms."""
        return any(ours.endswith(SIDES) for ours in self.needs)

    @property
    def on_log_scale(self) -> bool:
        """Whether it is an estimate on the analysis scale with its interval."""
        return "y" in self.needs and "lower" in self.needs


@cache
def spelled(name: str, side: str = "") -> frozenset[str]:
    """Keys of one quantity of an arm, or of the row where there is no arm."""
    words = _WORDS[name]
    if not side:
        return frozenset(words)
    arms = _ARM_WORDS[side]
    own = (word + arm for word in words for arm in (*arms, _ARM_LETTERS[side]))
    return frozenset((*own, *(arm + word for word in words for arm in arms)))


def arm_words() -> Iterable[tuple[str, str]]:
    """Each word for an arm and the suffix of its columns."""
    return ((word, side) for side, words in _ARM_WORDS.items() for word in words)


def _named(source: str, rank: int, *, alone: bool = False, **names: str) -> NameSet:
    needs = {ours: frozenset({theirs}) for ours, theirs in names.items()}
    return NameSet(source=source, rank=rank, needs=needs, alone=alone)


def _two(source: str, rank: int, **names: tuple[str, str]) -> NameSet:
    sides = {
        f"{ours}{side}": one
        for ours, both in names.items()
        for side, one in zip(SIDES, both, strict=True)
    }
    needs = {ours: frozenset({theirs}) for ours, theirs in sides.items()}
    return NameSet(source=source, rank=rank, needs=needs)


_METAFOR = (
    _two("metafor", COUNTS, events=("ai", "ci"), nonevents=("bi", "di")),
    _two("metafor", COUNTS, events=("ai", "ci"), n=("n1i", "n2i")),
    _two("metafor", TIMES, events=("x1i", "x2i"), time=("t1i", "t2i")),
    _two("metafor", MEANS, mean=("m1i", "m2i"), sd=("sd1i", "sd2i"), n=("n1i", "n2i")),
    _named("metafor", ESTIMATES, y="yi", variance="vi", alone=True),
    _named("metafor", ESTIMATES, y="yi", se="sei", alone=True),
    _named("metafor", COUNTS, events="xi", n="ni"),
    _named("metafor", COUNTS, events="xi", nonevents="mi"),
    _named("metafor", TIMES, events="xi", time="ti"),
)
_META = (
    _two("meta", COUNTS, events=("evente", "eventc"), n=("ne", "nc")),
    _two("meta", TIMES, events=("evente", "eventc"), time=("timee", "timec")),
    _two("meta", MEANS, mean=("meane", "meanc"), sd=("sde", "sdc"), n=("ne", "nc")),
    _named("meta", ESTIMATES, y="te", se="sete", alone=True),
    _named("meta", ESTIMATES, y="te", lower="lower", upper="upper", alone=True),
)
REVMAN_WEB = (
    _two(
        "RevMan Web",
        COUNTS,
        events=("experimentalcases", "controlcases"),
        n=("experimentaln", "controln"),
    ),
    _two(
        "RevMan Web",
        MEANS,
        mean=("experimentalmean", "controlmean"),
        sd=("experimentalsd", "controlsd"),
        n=("experimentaln", "controln"),
    ),
    _named("RevMan Web", ESTIMATES, y="givmean", se="givse"),
    _named("RevMan Web", ESTIMATES, o_minus_e="oe", v_of_o_minus_e="variance"),
)
REVMAN_5 = (
    _two("RevMan 5", COUNTS, events=("events1", "events2"), n=("total1", "total2")),
    *(
        _two("RevMan 5", MEANS, mean=("mean1", "mean2"), sd=(sd + "1", sd + "2"), n=both)
        for sd in ("sd", "stddev")
        for both in (("total1", "total2"),)
    ),
    _named("RevMan 5", ESTIMATES, estimate="effectestimate", se="se", alone=True),
    _named("RevMan 5", ESTIMATES, o_minus_e="oe", v_of_o_minus_e="var"),
)
EXPORTS: Mapping[str, tuple[tuple[NameSet, ...], frozenset[str]]] = {  # and the results beside them
    "RevMan Web": (
        REVMAN_WEB,
        frozenset({"weight", "mean", "cistart", "ciend", "oe", "variance", "givmean", "givse"}),
    ),
    "RevMan 5": (
        REVMAN_5,
        frozenset(
            {"effectestimate", "se", "cistart", "ciend", "weight", "oe", "var", "z", "q", "df"}
        ),
    ),
}


def _of_words(rank: int, *names: str, **others: str) -> tuple[NameSet, ...]:
    """The two arms of these quantities, and one arm in each row."""
    words = {**{name: name for name in names}, **others}
    two = {f"{ours}{side}": spelled(word, side) for ours, word in words.items() for side in SIDES}
    one = {("variance" if ours == "var" else ours): spelled(word) for ours, word in words.items()}
    return NameSet(rank=rank, needs=two), NameSet(rank=rank, needs=one)


_WORDED = (
    *_of_words(COUNTS, "events", "n"),
    *_of_words(COUNTS, "events", "nonevents"),
    *_of_words(TIMES, "events", "time"),
    *_of_words(MEANS, "mean", "sd", "n"),
    *_of_words(MEANS, "mean", "se", "n"),
    *_of_words(MEANS, "mean", "var", "n"),
    *_of_words(MEANS, "mean", "mean_baseline"),
    *_of_words(MEANS, "sd", "sd_baseline"),
    *_of_words(MEANS, "median", "q1", "q3", "n"),
    *_of_words(MEANS, "median", "iqr", "n"),
    *_of_words(MEANS, "median", "min", "max", "n"),
    *_of_words(MEANS, "n", "mean_baseline", "sd_baseline", mean="mean_final", sd="sd_final"),
    NameSet(
        rank=COUNTS,
        needs={"events": frozenset({"r"}), "n": spelled("n")},
        rows_are_arms=True,
    ),
)


def _of_estimates(measure: str, names: tuple[str, ...]) -> list[NameSet]:
    """A measure's own name, or a plain one, with each thing that says its standard error."""
    logs = tuple(log + name for name in names for log in ("log", "ln"))
    logs = logs if measure in RATIOS else ()
    about = names if measure else ()
    of_logs = tuple(se + log for se in _ERRORS for log in logs)
    ends = [_either_end(pair, about) for pair in LIMITS]
    natural = [
        *({"lower": low, "upper": high} for low, high in ends),
        {"se": frozenset((*_ERRORS, *of_logs))},
        {"p": frozenset(_P)},
        {"variance": frozenset(("variance", "var"))},
    ]
    sets = [("estimate", names, with_) for with_ in natural]
    analysis = [
        {"se": frozenset((*_ERRORS, *of_logs))},
        {"variance": frozenset(("variance", "var"))},
    ]
    analysis += [{"lower": low, "upper": high} for low, high in ends]
    sets += [("y", logs, with_) for with_ in analysis if logs]
    return [
        NameSet(rank=ESTIMATES, needs={ours: frozenset(keys), **with_}, measure=measure)
        for ours, keys, with_ in sets
    ]


def _either_end(
    pair: tuple[str, str], about: tuple[str, ...]
) -> tuple[frozenset[str], frozenset[str]]:
    low, high = (
        frozenset((end, *(end + name for name in about), *(name + end for name in about)))
        for end in pair
    )
    return low, high


@cache
def all_sets() -> tuple[NameSet, ...]:
    """All but those of exports, in the order in which they are named."""
    estimates = [
        one
        for measure, names in (("", PLAIN), *MEASURES.items())
        for one in _of_estimates(measure, names)
    ]
    return (*_METAFOR, *_META, *_WORDED, *estimates)
