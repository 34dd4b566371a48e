"""Processes, threads and event loops: the same numbers as alone, and nothing waits for ever."""

import asyncio
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import pytest

import bayesmeta as bm
from bayesmeta.engines.compiled.precision import float64
from bayesmeta.machine import forks

ROOT = Path(__file__).parents[1]
PRIORS = {"mu": bm.Normal(0, 2), "tau": bm.HalfNormal(0.5)}
ESTIMATES = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
COUNTS = bm.BinaryStudies(
    study=("A", "B", "C"),
    events_treatment=[3, 8, 2],
    n_treatment=[40, 60, 22],
    events_control=[8, 9, 5],
    n_control=[41, 55, 25],
)
FITS = {
    "estimates": (bm.NormalNormal(**PRIORS), ESTIMATES),
    "Student-t": (bm.NormalNormal(**PRIORS, df=4.0), ESTIMATES),
    "odds ratio": (bm.BinomialNormal(measure="OR", **PRIORS), COUNTS),
    "risk ratio": (bm.BinomialNormal(measure="RR", **PRIORS), COUNTS),
}
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


def numbers(model, data, engine=None):
    found = bm.fit(model, data, engine)
    return found["mu"].mean(), *found["mu"].interval(0.9), found["tau"].quantile(0.5)


def many(_=None):
    """A batch that JAX fits."""
    rows = {"y": [[-0.4, 0.1, -0.3]] * 3, "se": [[0.2, 0.3, 0.4]] * 3}
    return tuple(bm.fit_many(FITS["estimates"][0], rows)["mu_median"])


def settings():
    return os.environ.get("XLA_FLAGS"), jax.config.jax_enable_x64


def in_threads(jobs):
    with ThreadPoolExecutor(len(jobs)) as threads:
        return [one.result() for one in [threads.submit(job) for job in jobs]]


def test_threads_fit_different_models_at_once_and_get_what_they_get_alone():
    jobs = [lambda pair=pair: numbers(*pair) for pair in FITS.values()] * 3 + [many] * 3
    before = settings()
    assert in_threads(jobs) == [job() for job in jobs]
    assert settings() == before


@pytest.mark.deep("eight fits by NUTS: 5 s, 20 where no program is stored")
def test_so_do_threads_that_sample():
    engine = bm.NUTS(seed=1, draws=300, tune=300, chains=2)
    jobs = [lambda pair=pair: numbers(*pair, engine) for pair in FITS.values()] + [many] * 2
    before = settings()
    assert in_threads(jobs) == [job() for job in jobs]
    assert settings() == before


@pytest.mark.parametrize("x64", [True, False])
@pytest.mark.parametrize("flags", [None, "--xla_cpu_enable_fast_math=false"])
def test_settings_are_put_back_when_the_last_block_is_left(monkeypatch, flags, x64):
    monkeypatch.setenv("XLA_FLAGS", flags or "")
    if flags is None:
        monkeypatch.delenv("XLA_FLAGS")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", x64)  # noqa: TID251 - as a user may
    first, second = float64(), float64()
    try:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(first.__enter__).result()
            os.environ["XLA_FLAGS"] = "changed"  # as PyMC does
            jax.config.update("jax_enable_x64", not x64)  # noqa: TID251 - as PyTensor may
            with jax.enable_x64(x64), second:
                thread.submit(first.__exit__, None, None, None).result()
                assert os.environ["XLA_FLAGS"] == "changed"
        assert settings() == (flags, x64)
    finally:
        jax.config.update("jax_enable_x64", before)  # noqa: TID251


def test_event_loop_fits_in_threads_and_by_itself():
    async def all_of_them():
        awaited = [asyncio.to_thread(numbers, *pair) for pair in FITS.values()]
        return [numbers(*FITS["odds ratio"]), *await asyncio.gather(*awaited)]

    alone = [numbers(*pair) for pair in FITS.values()]
    assert asyncio.run(all_of_them()) == [alone[2], *alone]


def test_python_functions_change_no_signal_handler():
    known = [one for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if one]
    before = [signal.getsignal(one) for one in known]
    numbers(*FITS["odds ratio"])
    many()
    assert [signal.getsignal(one) for one in known] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_forked_process_refuses_jax_in_words_that_help(monkeypatch):
    monkeypatch.setattr(forks, "_inherited", True)
    said = r'mp_context=multiprocessing\.get_context\("spawn"\)'
    with pytest.raises(bm.ModelError, match=said):
        many()
    with pytest.raises(bm.ModelError, match=said):
        bm.fit(*FITS["estimates"], bm.NUTS(seed=1))
    with pytest.raises(bm.ModelError, match=said):
        bm.fit_many(FITS["estimates"][0], {"y": [[0.1]], "se": [[1.0]]}, engine=bm.NUTS(seed=1))
    assert numbers(*FITS["odds ratio"])  # by NumPy


SCRIPT = """
import multiprocessing, os, sys, warnings
from concurrent.futures import ProcessPoolExecutor
sys.path.insert(0, "tests")
import bayesmeta as bm
warnings.simplefilter("ignore")  # Python's own word about forks
used, how = sys.argv[1] == "used", sys.argv[2]
ROWS = {"y": [[-0.4, 0.1, -0.3]] * 3, "se": [[0.2, 0.3, 0.4]] * 3}
MODEL = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))

def many(_=None, executor=None):
    return list(bm.fit_many(MODEL, ROWS, executor=executor)["mu_median"])

def child():
    try:
        print(many())
    except bm.ModelError as error:
        print(error)

if __name__ == "__main__":
    bm.fit  # engines are imported
    if used:
        many()
    try:
        if how == "os.fork":
            sys.stdout.flush()
            if os.fork() == 0:
                child()
                sys.stdout.flush()
                os._exit(0)
            os.wait()
        elif how == "Pool":
            with multiprocessing.get_context("fork").Pool(2) as pool:
                print(pool.map(many, range(1))[0])
        else:
            context = multiprocessing.get_context(how)
            with ProcessPoolExecutor(2, mp_context=context) as pool:
                print(many(executor=pool))
    except bm.ModelError as error:
        print(error)
"""
CASES = [("used", "fork"), ("used", "os.fork"), ("used", "Pool")]
CASES += [("unused", one) for one in ("fork", "os.fork", "Pool")] + [("used", "spawn")]


@pytest.mark.deep("processes that start and compile: 4 to 15 s a case")
@pytest.mark.parametrize(("used", "how"), CASES, ids=" ".join)
def test_process_that_is_forked_after_jax_was_used_says_so_and_others_answer(used, how, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    found = subprocess.run(
        [sys.executable, str(script), used, how],
        capture_output=True, text=True, timeout=120, check=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    if (used, how) in CASES[:3]:
        assert found.stdout.startswith("This process was forked off one that had used JAX")
        assert 'mp_context=multiprocessing.get_context("spawn")' in found.stdout
    else:
        assert found.stdout.startswith("[")
        assert [float(one) for one in found.stdout[1:-2].split(",")] == list(many())
