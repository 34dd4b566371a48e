"""Where effects are expected, as a person reads it: one effect, or a design times coefficients."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import singledispatch

import numpy as np

from ...design import DEGREE, Columns, Curve, Factor, Levels, Line, Term, is_number, term_kinds
from ...errors import ModelError
from ...model import COEFFICIENT, Data, Linear, Location, Model, Overall, Predictor, SpreadByGroup
from ...priors import Prior
from ...studies import Covariate

type Call = Callable[..., str]  # name, prior and further arguments to the line of a variable

_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_COVARIATES = """\
# covariates: columns of the table by name, of the studies that have all of them
"""
_DESIGN = """\
# design: for each term of the formula its columns, an array (k, m): ones for the intercept,
# numbers less their mean, for a factor a column for each level or orthonormal differences from
# the mean of the levels. Printed with its data the model writes them out{0}.
"""
_AS_NUMBERS = "names stand for numbers here"


@singledispatch
def body(location: Location, data: Data | None, call: Call) -> str:
    """Source that defines mu; `call` writes a variable."""
    raise ModelError(f"There is no PyMC form of {location!r}.")


@body.register
def _(location: Overall, data: Data | None, call: Call) -> str:
    return f"mu = {call('mu', location.mu)}\n"


@body.register
def _(location: Predictor, data: Data | None, call: Call) -> str:
    return _by_term(location, call) if data is None else _by_column(location, data, call)


def _by_term(location: Predictor, call: Call) -> str:
    """As many coefficients as a term has columns, which the data tell."""
    parts: list[str] = []
    for name, _, _, prior in _terms(location, None):
        columns = f"design[{quoted(name)}]"
        one = call(f"{COEFFICIENT}[{name}]", prior, {"shape": f"{columns}.shape[1]"})
        parts.append(f"    pt.dot({columns}, {one}),\n")
    said = f"; {_AS_NUMBERS}" if _guessed(location, None) else ""
    return f"{_DESIGN.format(said)}mu = sum([\n{''.join(parts)}])\n"


def _by_column(location: Predictor, data: Data, call: Call) -> str:
    """The columns of the design made of those of the table, and their coefficients by name."""
    made = location.design(data)
    columns = ["np.ones(len(study))"] if "intercept" in made.kinds else []
    columns += [one for term in made.terms for one in _crossed(term, data.covariates)]
    each = [
        call(f"{COEFFICIENT}[{name}]", prior)
        for name, prior in zip(made.names, location.coefficients(made), strict=True)
    ]
    spline = "from scipy.interpolate import BSpline\n" if "BSpline" in "".join(columns) else ""
    columns, each = ("".join(f"    {one},\n" for one in some) for some in (columns, each))
    return (
        f"{_COVARIATES}{spline}design = np.column_stack([\n{columns}])\n"
        f"{COEFFICIENT} = pt.stack([\n{each}])\nmu = pt.dot(design, {COEFFICIENT})\n"
    )


def scales(model: Model, data: Data | None, call: Call) -> str:
    """Source that defines tau, that of each study where each group has its own."""
    between, prior = model.between, model.priors["tau"]
    if not isinstance(between, SpreadByGroup):
        return f"tau = {call('tau', prior)}\n"
    if data is None:
        columns = f"design[{quoted(between.tau.terms.variables[0])}]"
        one = call("tau", prior, {"shape": f"{columns}.shape[1]"})
        return f"tau = pt.dot({columns}, {one})\n"
    groups = between.entries(model.location, data)
    each = "".join(f"    {call(f'tau[{one}]', prior)},\n" for one in groups)
    return f"tau = pt.dot(design, pt.stack([\n{each}]))\n"


def _crossed(term: Sequence[Columns], covariates: Mapping[str, Covariate]) -> list[str]:
    found = [""]
    for one in term:
        own = _entries(one, f"covariates[{quoted(one.variable)}]", covariates[one.variable])
        found = [" * ".join(filter(None, (left, right))) for left in found for right in own]
    return found


@singledispatch
def _entries(made: Columns, name: str, column: Covariate) -> list[str]:
    """Source of what a covariate becomes, one expression for each of its columns."""
    raise ModelError(f"There is no source of {made!r}.")


@_entries.register
def _(made: Line, name: str, column: Covariate) -> list[str]:
    whole = f"({name} - {made.centre!r})" if made.centre else name
    return [whole if made.scale == 1 else f"({whole} / {made.scale!r})"]


@_entries.register
def _(made: Levels, name: str, column: Covariate) -> list[str]:
    level = 'f"{one:.15g}"' if is_number(column) else "one.strip()"
    tables = [dict(zip(made.levels, one, strict=True)) for one in made.coding.T.tolist()]
    return [f"np.array([{table!r}[{level}] for one in {name}])" for table in tables]


@_entries.register
def _(made: Curve, name: str, column: Covariate) -> list[str]:
    middle, half = (made.low + made.high) / 2, (made.high - made.low) / 2
    inside = f"({name} - {middle!r}) / {half!r}"
    if made.factor.function == "poly":
        powers = zip(made.turn.T.tolist(), made.shift.tolist(), strict=True)
        return [f"np.polyval({[*one[::-1], -shift]!r}, {inside})" for one, shift in powers]
    units = np.eye(made.factor.number + 1)[1:].tolist()
    return [
        f"(BSpline({made.knots.tolist()!r}, {unit!r}, {DEGREE})({name}) - {shift!r})"
        for unit, shift in zip(units, made.shift.tolist(), strict=True)
    ]


def quoted(name: str) -> str:
    """A name as source: in double quotes, or as Python writes what these cannot hold."""
    plain = repr(name)
    return f'"{name}"' if plain == f"'{name}'" and '"' not in name else plain


def placed(location: Location, line: str) -> str:
    """A line about effects where these are expected: each study's own place and a new one's."""
    return line if location.name != COEFFICIENT else _own(line)


def _own(line: str) -> str:
    before, new, after = line.partition("θ_new")
    return before.replace("μ", "μᵢ") + new + after.replace("μ", "μ_new")


@singledispatch
def lines(location: Location, data: Data | None) -> tuple[str, ...]:
    """Where effects are expected in notation, and the priors of that."""
    raise ModelError(f"There is no notation for {location!r}.")


@lines.register
def _(location: Overall, data: Data | None) -> tuple[str, ...]:
    return (f"μ ~ {location.mu.by_hand!r}",)


@lines.register
def _(location: Predictor, data: Data | None) -> tuple[str, ...]:
    sums, priors, words = list[str](), list[str](), _words(location, data)
    for i, (name, term, kind, prior) in enumerate(_terms(location, data)):
        symbol = f"γ{str(i).translate(_LOW)}"
        which = f"[{', '.join(f'{one.variable}ᵢ' for one in term)}]"
        times = [f" {_value(location, one, words)}" for one in term]
        sums.append(symbol + (which if kind == "level" else "".join(times)))
        priors.append(f"{symbol} ~ {prior.by_hand!r}   ({name})")
    said = f"   ({_AS_NUMBERS})" if _guessed(location, data) else ""
    coded = "c: orthonormal differences from the mean of the levels"
    explained = (coded,) if " c(" in " ".join(sums) else ()
    return (f"μᵢ = {' + '.join(sums)}{said}", *explained, *priors)


def _value(location: Predictor, factor: Factor, words: Collection[str]) -> str:
    own = f"{factor.variable}ᵢ"
    if factor.function in ("bs", "poly"):
        return str(replace(factor, variable="")).replace("``", own)
    if factor.function == "C" or factor.variable in words:
        return f"c({own})"
    return _number(location, own, words)


@singledispatch
def _number(location: Predictor, own: str, words: Collection[str]) -> str:
    raise ModelError(f"There is no notation for {location!r}.")


@_number.register
def _(location: Linear, own: str, words: Collection[str]) -> str:
    constant = location.terms.intercept or "level" in term_kinds(location.terms, words)
    centred = f"({own} − mean)" if location.centre and constant else own
    return f"{centred}/SD" if location.scale else centred


def _words(location: Predictor, data: Data | None) -> Collection[str]:
    """Covariates that hold words; before any data those of a model without slopes, and no other."""
    if data is None:
        return () if location.has_slopes else location.terms.variables
    return [one for one in location.terms.variables if not is_number(data.covariates[one])]


def _guessed(location: Predictor, data: Data | None) -> bool:
    """Whether a covariate is taken for a number that may turn out to be words."""
    plain = any(not one.function for term in location.terms.terms for one in term)
    return data is None and location.has_slopes and plain


def _terms(location: Predictor, data: Data | None) -> list[tuple[str, Term, str, Prior]]:
    """Name, factors, kind and prior of each term."""
    kinds = term_kinds(location.terms, _words(location, data))
    terms = list(zip(location.terms.terms, kinds, strict=True))
    if location.terms.intercept and "level" not in kinds:
        terms = [((), "intercept"), *terms]
    names = [":".join(map(_name, term)) or "intercept" for term, _ in terms]
    return [
        (name, term, kind, location.prior_of(name, kind))
        for name, (term, kind) in zip(names, terms, strict=True)
    ]


def _name(factor: Factor) -> str:
    """As the names of its columns begin."""
    return factor.variable if factor.function in ("", "C") else str(factor)
