"""A formula and the covariates of a table into a design matrix."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..studies import Covariate, take
from ..ways import shown
from ._columns import Columns, Floats, Levels, Line, columns_of, is_known, is_levels
from ._formula import Formula, parse
from ._matrix import Design, crossed
from ._told import check_told_apart


def design(
    formula: str | Formula,
    covariates: Mapping[str, Covariate],
    studies: Sequence[str],
    *,
    centre: bool = True,
    scale: bool = False,
    apart: bool = True,
) -> Design:
    """Make the design matrix of a formula.

    Numbers are centred at the mean of the rows used wherever there is an intercept or a mean per
    level, and left alone where there is neither (``0 + x``). A formula of one factor, or of one
    interaction of factors, has a mean per level in place of the intercept, as has the first factor
    of ``0 + allocation + latitude``. Other factors are coded by `contrasts` where the term without
    them stands in the formula, else by a column per level.

    Parameters
    ----------
    formula : str or Formula
    covariates : mapping of str to array of float, or tuple of str
        Columns by name, one entry per study; NaN or blank where it is not known, ``NA``, ``n/a`` or
        ``nan`` among words.
    studies : sequence of str, length k
    centre : bool
        Take its mean off each number, as above; else numbers are left as they are.
    scale : bool
        Divide numeric covariates by their SD over the rows used.
    apart : bool
        Refuse what the studies do not tell apart. A model whose coefficients have proper priors
        needs none of that: `untold` says what its answer rests on.

    Raises
    ------
    ModelError
        If the formula cannot be read or names no covariate of the table, or, where coefficients
        must be told apart, if columns do not vary or follow from one another, or if there are more
        of them than studies with all covariates.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmeta.design import design
    >>> made = design("latitude", {"latitude": np.array([44.0, 55.0, 42.0])}, ["a", "b", "c"])
    >>> made.names, made.centres["latitude"]
    (('intercept', 'latitude'), 47.0)
    """
    read = parse(formula)
    used, left_out = _rows(read, covariates, studies)
    kept = {name: take(covariates[name], np.flatnonzero(used)) for name in read.variables}
    codings = _codings(read, kept)
    centred = centre and (read.intercept or "level" in [one.kind for one in codings])
    terms = tuple(
        tuple(
            columns_of(
                factor,
                kept[factor.variable],
                whole=whole,
                centred=centred,
                scaled=scale,
                apart=apart,
            )
            for factor, whole in zip(term, coding.whole, strict=True)
        )
        for term, coding in zip(read.terms, codings, strict=True)
    )
    matrix, names, kinds = _joined(read, kept, codings, terms, int(used.sum()))
    _check_names(names, read)
    matrix.flags.writeable = used.flags.writeable = False
    every = [one for term in terms for one in term]
    lines = [one for one in every if isinstance(one, Line)]
    factors = [one for one in every if isinstance(one, Levels)]
    made = Design(
        formula=read,
        names=tuple(names),
        kinds=tuple(kinds),
        matrix=matrix,
        used=used,
        left_out=left_out,
        centres={one.variable: one.centre for one in lines},
        scales={one.variable: one.scale for one in lines},
        levels={one.variable: one.levels for one in factors},
        terms=terms,
    )
    if apart:
        check_told_apart(made)
    return made


def term_kinds(formula: Formula, words: Collection[str]) -> tuple[str, ...]:
    """Kinds of the terms of a formula: ``"level"`` or ``"slope"``, as in `Design`.

    Parameters
    ----------
    formula : Formula
    words : collection of str
        Covariates that hold words; the others hold numbers.
    """
    columns = {one: ("",) if one in words else np.zeros(1) for one in formula.variables}
    return tuple(one.kind for one in _codings(formula, columns))


@final
@dataclass(frozen=True, slots=True)
class _Coding:
    """How the factors of one term are coded, and which prior its coefficients get."""

    whole: tuple[bool, ...]
    kind: str


def _rows(
    formula: Formula, covariates: Mapping[str, Covariate], studies: Sequence[str]
) -> tuple[NDArray[np.bool_], dict[str, tuple[str, ...]]]:
    """Which studies have all covariates, and what the others lack."""
    unknown = [one for one in formula.variables if one not in covariates]
    if unknown:
        has = ", ".join(map(shown, covariates)) or "none"
        raise ModelError(
            f"The formula {shown(formula.text)} names {shown(unknown[0])}, which is no covariate "
            f"of the table; it has {has}."
        )
    known = {one: is_known(covariates[one]) for one in formula.variables}
    used = np.logical_and.reduce([np.ones(len(studies), bool), *known.values()])
    lacks = {
        str(study): tuple(name for name, there in known.items() if not there[i])
        for i, study in enumerate(studies)
        if not used[i]
    }
    if not used.any():
        raise ModelError(
            f"No study has all covariates of the formula {shown(formula.text)}; leave out those "
            "that are not known, or fill in their columns."
        )
    return used, lacks


def _codings(formula: Formula, kept: Mapping[str, Covariate]) -> list[_Coding]:
    """Code each term: a factor by differences where what it differs from is in the formula."""
    levels = {one for term in formula.terms for one in term if is_levels(one, kept[one.variable])}
    means_alone = len(formula.terms) == 1 and levels.issuperset(formula.terms[0])
    margins = {frozenset(term) for term in formula.terms}
    if formula.intercept and not means_alone:
        margins.add(frozenset())
    found: list[_Coding] = []
    for term in formula.terms:
        whole = tuple(frozenset(term) - {one} not in margins for one in term)
        is_level = levels.issuperset(term) and all(whole) and frozenset() not in margins
        found.append(_Coding(whole, "level" if is_level else "slope"))
        if is_level:
            margins.add(frozenset())  # its columns add up to a constant
    return found


def _joined(
    formula: Formula,
    kept: Mapping[str, Covariate],
    codings: Sequence[_Coding],
    terms: Sequence[Sequence[Columns]],
    k: int,
) -> tuple[Floats, list[str], list[str]]:
    """The columns of all terms side by side, with their names and kinds."""
    names, kinds, parts = list[str](), list[str](), list[Floats]()
    if formula.intercept and "level" not in [one.kind for one in codings]:
        names, kinds, parts = ["intercept"], ["intercept"], [np.ones((k, 1))]
    for term, coding, made in zip(formula.terms, codings, terms, strict=True):
        own = reduce(_names_crossed, [one.names for one in made])
        names += own
        kinds += [coding.kind] * len(own)
        each = [one.of(kept[by.variable]) for by, one in zip(term, made, strict=True)]
        parts.append(reduce(crossed, each))
    return np.concatenate(parts, axis=1), names, kinds


def _names_crossed(one: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{left}:{right}" for left in one for right in more)


def _check_names(names: Sequence[str], formula: Formula) -> None:
    """Refuse two columns of one name."""
    twice = [one for one in names if names.count(one) > 1]
    if twice:
        raise ModelError(
            f"The formula {shown(formula.text)} has two columns {shown(twice[0])}; rename the "
            "covariate."
        )
