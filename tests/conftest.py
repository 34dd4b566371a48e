"""Let tests import the helpers beside them; say which cases are deep, and how many examples run."""

import gc
import sys
from collections import Counter
from contextlib import suppress
from ctypes import CDLL
from fnmatch import fnmatchcase
from functools import _lru_cache_wrapper
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))
LARGE = 600  # MB between two files: a file takes 500 to 800 more, and a worker has 1,500
LOST = {}  # tests with a pattern that fits no case, and the pattern

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
    both, in the deep run with more examples.
    """
    fits = Counter()
    for item in items:
        mark = item.get_closest_marker("deep")
        if mark and mark.kwargs:
            split(item, mark, fits)
        elif mark is None and config.option.markexpr == "deep" and is_property(item):
            item.add_marker(pytest.mark.deep("ten times the examples"))
    if not getattr(config.option, "lf", False) and not any("::" in one for one in config.args):
        LOST.update({test: pattern for (test, pattern), found in fits.items() if not found})


def pytest_collection_finish():
    """Spare the collector what stays for good: five thousand items and all that was imported."""
    gc.collect()
    gc.freeze()


def is_property(item):
    return getattr(item.obj, "is_hypothesis_test", False) or item.path.parent.name == "fuzz"


def split(item, mark, fits):
    """Take the mark from a case that is not among the deep ones; count what each pattern fits."""
    ((kind, patterns),) = mark.kwargs.items()
    if kind not in ("but", "only") or mark not in item.own_markers:
        raise pytest.UsageError(f"{item.nodeid}: deep of a function takes but=[...] or only=[...]")
    found = [fnmatchcase(item.callspec.id, one) for one in patterns]
    fits.update({(item.function, one): fit for one, fit in zip(patterns, found, strict=True)})
    if (kind == "but") == any(found):
        item.own_markers = [one for one in item.own_markers if one is not mark]


def pytest_runtest_setup(item):
    if item.function in LOST:
        pytest.fail(f"deep: no case has an id that fits {LOST[item.function]!r}")


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
