"""Let tests import the helpers beside them; say which cases are deep, and how many examples run."""

import gc
import sys
from collections import defaultdict
from contextlib import suppress
from ctypes import CDLL
from fnmatch import fnmatchcase
from functools import _lru_cache_wrapper
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))
LARGE = 600  # MB between two files: a file takes 500 to 800 more, and a worker has 1,500
WRONG = {}  # tests with a mark that says nothing right, and what is wrong

# The same examples in every run; time limits per example would fail on a busy machine only.
for name, examples in {"default": 10, "deep": 100}.items():
    settings.register_profile(name, derandomize=True, deadline=None, max_examples=examples)


def pytest_configure(config):
    settings.load_profile("default" if config.option.markexpr == "not deep" else "deep")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Decide in which of the two runs every case stands.

    ``deep(why)`` is about all cases of a test; ``deep(why, but=[...])`` about all but those whose
    id fits one of the patterns, and ``deep(why, only=[...])`` about those alone. Properties run in
    both, in the deep run with more examples. A mark that says nothing right fails its test.
    """
    whole = not getattr(config.option, "lf", False) and not any("::" in one for one in config.args)
    cases = defaultdict(list)
    for item in items:
        cases[item.function].append(item)
    for some in cases.values():
        for mark in [one for one in some[0].own_markers if one.name == "deep"]:
            settle(mark, some, whole)
    if config.option.markexpr == "deep":
        for item in [one for one in items if is_property(one)]:
            item.add_marker(pytest.mark.deep("ten times the examples"))


def settle(mark, cases, whole):
    """Take a mark from the cases of a test that are not deep, and from all where it is wrong."""
    if fault := fault_of(mark, cases, whole):
        WRONG[cases[0].function] = fault
    for item in cases:
        if fault or (mark.kwargs and not is_deep(item, mark)):
            item.own_markers.remove(mark)


def fault_of(mark, cases, whole):
    """What is wrong with a mark; where only some cases are collected a pattern may fit none."""
    if len(mark.args) != 1 or not isinstance(mark.args[0], str):
        return "deep(why): say what the test costs and why, and nothing else without a keyword"
    if not mark.kwargs:
        return None
    ((kind, patterns), *more) = mark.kwargs.items()
    if more or kind not in ("but", "only") or not isinstance(patterns, list) or not patterns:
        return "deep takes but=[ids] or only=[ids], patterns of the ids of cases"
    ids = [getattr(one, "callspec", None) and one.callspec.id for one in cases]
    lost = [one for one in patterns if not any(fnmatchcase(case or "", one) for case in ids)]
    return f"deep: no case has an id that fits {lost[0]!r}" if whole and lost else None


def is_deep(item, mark):
    ((kind, patterns),) = mark.kwargs.items()
    return (kind == "only") == any(fnmatchcase(item.callspec.id, one) for one in patterns)


def is_property(item):
    return getattr(item.obj, "is_hypothesis_test", False) or item.path.parent.name == "fuzz"


def pytest_runtest_setup(item):
    if item.function in WRONG:
        pytest.fail(WRONG[item.function])


def pytest_collection_finish():
    """Spare the collector what stays for good: five thousand items and all that was imported."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def kept_no_longer(request):
    """Let go of fits that a file of tests kept, and where memory fills up of compiled programs."""
    yield
    forget(request.module)
    if resident() > LARGE:
        for name in [one for one in sys.modules if one.startswith("bayesmeta")]:
            forget(sys.modules[name])
        if "jax" in sys.modules:
            sys.modules["jax"].clear_caches()
        gc.collect()
        with suppress(OSError, AttributeError):  # what glibc keeps of a compiler's memory
            CDLL(None).malloc_trim(0)


def forget(module):
    for one in vars(module).values():
        if isinstance(one, _lru_cache_wrapper):
            one.cache_clear()


def resident():
    """Memory that this process holds now, in MB."""
    pages = Path("/proc/self/statm")
    return int(pages.read_text().split()[1]) * 4096 / 1e6 if pages.exists() else 0


@pytest.fixture(autouse=True, scope="session")
def no_progress():
    """Lines of progress depend on how busy the machine is; a test that reads them asks for them."""
    from bayesmeta.cli.shown import progress

    progress.EVERY = float("inf")
