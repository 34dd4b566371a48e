"""The base of every dispatch on a part of a model, or on a table, refuses what it does not know."""

import importlib
import inspect
import pkgutil
from types import SimpleNamespace

import pytest

import bayesmeta as bm
from bayesmeta.model import Likelihood, Location, Spread
from bayesmeta.studies import Table

PARTS = (Likelihood, Location, Spread, Table)
STRANGER = SimpleNamespace(name="Made", k=1)


def dispatches():
    """Every dispatch of the package that tells parts or tables apart, by module and name."""
    for found in pkgutil.walk_packages(bm.__path__, "bayesmeta."):
        if found.name.endswith("__main__"):
            continue
        for name, one in vars(importlib.import_module(found.name)).items():
            kinds = [kind for kind in getattr(one, "registry", ()) if isinstance(kind, type)]
            here = getattr(one, "__module__", "") == found.name
            if here and any(issubclass(kind, PARTS) for kind in kinds):
                yield f"{found.name}.{name}", one.dispatch(object)


def arguments(base):
    """A stranger for everything that a function must be given."""
    needed = inspect.signature(base).parameters.values()
    needed = [one for one in needed if one.default is one.empty]
    plain = [STRANGER for one in needed if one.kind is one.POSITIONAL_OR_KEYWORD]
    return plain, {one.name: STRANGER for one in needed if one.kind is one.KEYWORD_ONLY}


def test_the_base_of_every_dispatch_raises():
    silent, count = [], 0
    for name, base in dispatches():
        count += 1
        plain, named = arguments(base)
        try:
            base(*plain, **named)
        except bm.BayesmetaError:
            continue
        silent.append(name)
    assert silent == []
    assert count > 30


def test_locations_that_say_nothing_of_themselves_have_no_answer():
    with pytest.raises(NotImplementedError):
        _ = Location().name
    with pytest.raises(NotImplementedError):
        Location().entry({})
