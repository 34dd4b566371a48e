"""The ways out of a refusal, in the words of the interface that the reader uses.

A message deep inside knows what would help, not whether its reader types flags, writes keys of a
file or arguments of Python. It asks for a way by its name, and the interface that called says how
the way is written there.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Interface:
    """How each way is written; ``{}`` stands for what it is about.

    Attributes
    ----------
    name : str
    ways : mapping of str to str
    quoted : str
        Characters that need a backslash in what is put between quotes.
    """

    name: str
    ways: Mapping[str, str]
    quoted: str = "\\'"


PYTHON = Interface(
    "Python",
    {
        "arms": "fit ContinuousNormal",
        "binomial": "BinomialNormal(measure='OR')",
        "by": "fit_many(..., by='{}')",
        "cells": "cells={{'{}': '...'}}",
        "columns": "columns={{'{}': '...'}}",
        "combine": "combine_arms, or several_arms='combine'",
        "common": "common_effect",
        "control": "control='{}'",
        "controls": "baseline(studies)",
        "correlation": "correlation={}",
        "decimal": "read_studies(..., decimal='{}')",
        "counts": "a model of the counts, e.g. BinomialNormal",
        "design_effect": "design_effect={}",
        "estimates": "effect_sizes(studies, measure='{}')",
        "exact": "use Quadrature()",
        "exchangeable": "BinomialNormal(..., baseline=Exchangeable(Normal(0, 10), HalfNormal(1)))",
        "exclude": "exclude={{'{}': 'reason'}}",
        "final": "final_values=True",
        "force": "force=True",
        "groups": "mu=ByGroup('{0}', Normal(0, 2)), tau=ByGroup('{0}', HalfNormal(0.5))",
        "half": "use zero_cells='if_needed', or BinomialNormal with a proper prior",
        "icc": "icc={}, cluster_size={}",
        "level": "prob={}",
        "measure": "measure='{}'",
        "moments": "make them with convert_quantiles(studies)",
        "nuts": "NUTS(seed=...)",
        "pair": "give the model correlation=Uniform(0.2, 0.9), say, or change_from_baseline a "
        "correlation",
        "priors": "bayesmeta.priors.search('{}')",
        "risk_from": "risk_from",
        "sd": "sd=12, say",
        "sheet": "sheet='{}'",
        "slope": "slopes={{'{}': Normal(0, 1)}}",
        "slopes": "slopes=Normal(0, 1)",
        "split": "split_control, or several_arms='split'",
        "time": "time='28 days', say",
        "treatment": "treatment='{}'",
        "variance": "use zero_cells='variance', or weights='IV', which adds ½",
        "variant": "a column 'variant'",
        "zeros": "zero_cells='{}'",
    },
)
# Tables of many groups are frames in hand: what a file is read with is done to them before.
TABLES = Interface(
    "Python, many tables",
    {
        **PYTHON.ways,
        "columns": "table.rename(columns={{'...': '{}'}})",
        "exclude": "drop the row of '{}' from the table",
    },
)
COMMAND = Interface(
    "command",
    {
        "arms": "add --counts",
        "binomial": "--likelihood binomial",
        "by": 'bayesmeta batch --by "{}"',
        "cells": '--cells "{}=..."',
        "columns": "--columns {}=THEIRS",
        "combine": "--combine-arms",
        "common": "one common effect",
        "control": '--control "{}"',
        "controls": "--baseline with a table of events and n",
        "correlation": "--correlation {}",
        "decimal": "--decimal {}",
        "counts": "--counts",
        "design_effect": "--design-effect {}",
        "estimates": "--measure {} without --counts",
        "exact": "leave --nuts out",
        "exchangeable": "a specification's 'Exchangeable(Normal(0, 10), HalfNormal(1))'",
        "exclude": '--exclude "{}: reason"',
        "final": "--final-values",
        "force": "--force",
        "groups": "--by '{0}' --own-tau",
        "half": "use --counts with a proper prior",
        "icc": "--icc {} --cluster-size {}",
        "level": "--level {}",
        "measure": "--measure {}",
        "moments": "make them before",
        "nuts": "--nuts",
        "pair": "give a correlation: --correlation 0.5",
        "priors": "bayesmeta priors search {}",
        "risk_from": "--risk-from",
        "sd": "--sd 12, say",
        "sheet": '--sheet "{}"',
        "slope": '--slopes "{}=Normal(0, 1)"',
        "slopes": "--slopes 'Normal(0, 1)'",
        "split": "--split-control",
        "time": "--time '28 days', say",
        "treatment": '--treatment "{}"',
        "variance": "use inverse variance, which adds ½",
        "variant": "a column variant",
        "zeros": "--counts",
    },
    '\\"$`',
)
# What is explained names its measure, so that this command has no option for it.
EXPLAIN = Interface(
    "explain",
    {**COMMAND.ways, "measure": "--published '{} ...'", "estimates": "a table of estimates"},
    COMMAND.quoted,
)
SPECIFICATION = Interface(
    "specification",
    {
        "arms": 'set kind = "continuous"',
        "binomial": 'likelihood = "binomial"',
        "by": 'where = {{ "{}" = "..." }} in [[outcome.scenario]]',
        "cells": 'cells = {{ "{}" = "..." }}',
        "columns": 'columns = {{ {} = "..." }}',
        "combine": 'several_arms = "combine"',
        "common": 'effects = "common"',
        "control": 'control = "{}"',
        "controls": 'baseline_risk = "control arms"',
        "correlation": "correlation = {}",
        "decimal": 'decimal = "{}"',
        "counts": 'kind = "counts"',
        "design_effect": "design_effect = {}",
        "estimates": 'kind = "estimates"',
        "exact": "fit the model in Python with Quadrature()",
        "exchangeable": 'baseline = "Exchangeable(Normal(0, 10), HalfNormal(1))"',
        "exclude": 'drop = {{ "{}" = "reason" }} in its [[outcome.scenario]]',
        "final": "final_values = true",
        "force": "bayesmeta run --force",
        "groups": "mu = {{ by = '{0}', prior = 'Normal(0, 2)' }}, "
        "tau = {{ by = '{0}', prior = 'HalfNormal(0.5)' }}",
        "half": "use the estimate with ½ added, or the likelihood of the counts",
        "icc": "icc = {} and cluster_size = {}",
        "level": "level = {}",
        "measure": 'measure = "{}"',
        "moments": "make them before",
        "nuts": "bayesmeta fit --nuts",
        "pair": "give a correlation: correlation = 0.5",
        "priors": "bayesmeta priors search {}",
        "risk_from": "bayesmeta psa --risk-from",
        "sd": "sd = 12, say",
        "sheet": 'sheet = "{}"',
        "slope": 'slopes = {{ "{}" = "Normal(0, 1)" }}',
        "slopes": 'slopes = "Normal(0, 1)"',
        "split": 'several_arms = "split"',
        "time": 'time = "28 days", say',
        "treatment": 'treatment = "{}"',
        "variance": "use inverse variance, which adds ½",
        "variant": "a column variant",
        "zeros": 'kind = "counts"',
    },
    '\\"',
)
# A table of what happens without the treatment has no options: it is mended itself.
REGISTRY = Interface(
    "table of a baseline",
    {
        **PYTHON.ways,
        "cells": "a column for each figure of '{}'",
        "columns": "the head {} in that table",
        "decimal": "points in its numbers",
        "exclude": "the row '{}' deleted in that table",
        "sheet": "'{}' as its first sheet",
    },
)
INTERFACES = (PYTHON, TABLES, COMMAND, EXPLAIN, SPECIFICATION, REGISTRY)
MOST_QUOTED = 120  # characters of anything given that a message quotes
_LARGEST = 10**100  # of the whole numbers that a message writes out
_HERE = ContextVar("interface", default=PYTHON)


@contextmanager
def speaking(interface: Interface) -> Generator[None]:
    """Write ways as this interface does, within the block."""
    token = _HERE.set(interface)
    try:
        yield
    finally:
        _HERE.reset(token)


def interface_in_use() -> Interface:
    """Return what ways are written for now."""
    return _HERE.get()


def way(name: str, *about: object) -> str:
    """Write one way out, e.g. ``way("exclude", "Shu 2020")``.

    Raises
    ------
    KeyError
        If there is no way of this name.

    Examples
    --------
    >>> way("exclude", "Shu 2020")
    "exclude={'Shu 2020': 'reason'}"
    >>> with speaking(COMMAND):
    ...     way("exclude", "Shu 2020")
    '--exclude "Shu 2020: reason"'
    """
    here = _HERE.get()
    return here.ways[name].format(*(_escaped(_text(one), here.quoted) for one in about))


def _escaped(text: str, quoted: str) -> str:
    return "".join(f"\\{one}" if one in quoted else one for one in cut(text))


def _text(given: object) -> str:
    """What is given, as it would be typed."""
    return given if isinstance(given, str) else shown(given)


def cut(text: str, most: int = MOST_QUOTED) -> str:
    """The start of a text that is too long to be quoted, and how long it is."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def shown(value: object) -> str:
    """Spell a value in a message: as Python does, in one line, and not more than its start.

    Examples
    --------
    >>> shown("x")
    "'x'"
    >>> shown(10**5000)
    'a whole number beyond any use'
    >>> len(shown("x" * 10**6)) < 150
    True
    """
    if isinstance(value, str):
        rest = len(value) - MOST_QUOTED
        return f"{value[:MOST_QUOTED]!r}… ({len(value):,} characters)" if rest > 0 else repr(value)
    if isinstance(value, int) and abs(value) > _LARGEST:
        return "a whole number beyond any use"
    try:
        return cut(" ".join(repr(value).split()))
    except Exception:  # noqa: BLE001 - it may hold such numbers, hold itself, or be anything at all
        return f"something of type {type(value).__name__}"
