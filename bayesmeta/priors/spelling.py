"""Priors read from their own spelling."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import fields

from ..errors import ModelError
from ..ways import shown
from .composed import Mixture
from .families import (
    Beta,
    Exponential,
    Flat,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfT,
    InverseGamma,
    Jeffreys,
    LogNormal,
    LogStudentT,
    Normal,
    StudentT,
    Uniform,
)
from .library import from_library, published_priors
from .prior import Prior

LONGEST = 800  # characters of a spelling: a mixture of two of the library with reasons has 700

FAMILIES: Mapping[str, type[Prior]] = {
    family.__name__: family
    for family in (
        Normal,
        StudentT,
        HalfNormal,
        HalfCauchy,
        HalfT,
        LogNormal,
        LogStudentT,
        Exponential,
        Gamma,
        InverseGamma,
        Uniform,
        Beta,
        Mixture,
        Flat,
        Jeffreys,
    )
}


def parse_prior(text: str) -> Prior:
    """Read a prior from its own spelling.

    Parameters
    ----------
    text : str
        E.g. ``"HalfNormal(0.5)"`` or ``"Normal(mean=0, sd=2)"``. Nothing is executed.

    Returns
    -------
    Prior

    Raises
    ------
    ModelError
        If the text is not a prior, with what would be.

    Examples
    --------
    >>> parse_prior("StudentT(3, 0, 1)")
    StudentT(3, 0, 1)
    >>> parse_prior("Mixture(weight=0.8, first=Normal(-0.3, 0.2), second=Normal(0, 2))")
    Mixture(0.8, Normal(-0.3, 0.2), Normal(0, 2))
    """
    return _read(_parse(text), text)


def _parse(text: str) -> ast.expr:
    if not isinstance(text, str) or len(text) > LONGEST:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise _not_a_prior(text)
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise _not_a_prior(text) from None


def _read(node: ast.expr, text: str) -> Prior:
    """Make the prior that a call in the syntax tree spells; priors inside it likewise."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        raise _not_a_prior(text)
    args = [_argument(one, text) for one in node.args]
    named = {str(one.arg): _argument(one.value, text) for one in node.keywords}
    if _plain(node.func.id) == _plain(from_library.__name__):
        return _out_of_library(args, named, text)
    name = _family(node.func.id)
    _refuse_twice(name, len(args), [str(one.arg) for one in node.keywords], text)
    if name in _HALVES and len(args) == 2 and not named and _is_zero(args[0]):
        args = args[1:]  # as others write it, where it is cut off first
    try:
        return FAMILIES[name](*args, **named)
    except TypeError:
        wanted = ", ".join(field.name for field in fields(FAMILIES[name]))  # pyright: ignore[reportArgumentType]
        raise ModelError(f"{shown(text)}: {name} takes {wanted or 'no numbers'}.") from None


def _out_of_library(args: Sequence[object], named: Mapping[str, object], text: str) -> Prior:
    try:
        return from_library(*args, **named)  # pyright: ignore[reportArgumentType]
    except TypeError:
        raise ModelError(
            f"{shown(text)}: from_library takes a key and, where it is needed, override='reason'."
        ) from None


def _refuse_twice(family: str, args: int, named: Sequence[str], text: str) -> None:
    """Refuse a number that is given twice: by name again, or by its place and by name."""
    placed = [field.name for field in fields(FAMILIES[family])][:args]  # pyright: ignore[reportArgumentType]
    given = [*placed, *named]
    twice = next((name for name in given if given.count(name) > 1), None)
    if twice is not None:
        raise ModelError(f"{shown(text)} gives {shown(twice)} twice; give it once.")


_HALVES = ("HalfNormal", "HalfCauchy")
_OTHER_NAMES: Mapping[str, str] = {  # without marks, in small letters
    "invgamma": "InverseGamma(shape, scale)",
    "igamma": "InverseGamma(shape, scale)",
    "halft": "HalfT(df, scale)",
    "halfstudent": "HalfT(df, scale)",
    "halfstudentt": "HalfT(df, scale)",
    "cauchy": "HalfCauchy(scale), or StudentT(1, mean, scale)",
    "student": "StudentT(df, mean, scale)",
    "t": "StudentT(df, mean, scale)",
    "norm": "Normal(mean, sd)",
    "gaussian": "Normal(mean, sd)",
    "halfnorm": "HalfNormal(scale)",
    "lnorm": "LogNormal(mean, sd)",
    "logt": "LogStudentT(df, mean, scale)",
    "unif": "Uniform(low, high)",
    "exp": "Exponential(rate)",
}


def _family(given: str) -> str:
    """The family that a name is, whatever its case and underscores; else what it may be."""
    plain = _plain(given)
    found = next((name for name in FAMILIES if name.casefold() == plain), None)
    if found is not None:
        return found
    meant = _OTHER_NAMES.get(plain)
    hint = f" Did you mean {meant}?" if meant else ""
    raise ModelError(f"{shown(given)} is not a prior; there are {', '.join(FAMILIES)}.{hint}")


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()


def _is_zero(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == 0


def _argument(node: ast.expr, text: str) -> object:
    if isinstance(node, ast.Call):
        return _read(node, text)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise _not_a_prior(text) from None


def _not_a_prior(text: object) -> ModelError:
    key = _bare_key(text)
    if key in published_priors():
        return ModelError(
            f"{shown(text)} names a prior of the library without quotes; write from_library"
            f"({key!r})."
        )
    return ModelError(f"{shown(text)} is not a prior; write it like 'HalfNormal(0.5)'.")


def _bare_key(text: object) -> str:
    """What might be a key of the library, by itself or as ``from_library(key)``."""
    plain = str(text)[:LONGEST].strip().removeprefix(f"{from_library.__name__}(").removesuffix(")")
    return plain.partition(",")[0].strip().casefold()
