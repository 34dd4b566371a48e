"""A Dask cluster that runs the chunks of a batch."""

from collections.abc import Generator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager

from ..errors import ModelError, SpecError

PATIENCE = 10  # seconds until a scheduler that says nothing, or has no worker, is given up


@contextmanager
def cluster(address: str) -> Generator[Executor]:
    """Give what runs work on the workers of a scheduler.

    Raises
    ------
    SpecError
        If Dask is not installed, no scheduler answers or it is lost, or it has no workers or one
        without this package.
    ModelError
        If a worker dies again and again on the same chunk.
    """
    from ..batch import made_with

    try:
        from distributed import Client, KilledWorker
    except ImportError:
        raise SpecError(
            "--dask needs Dask, which is not installed: install bayesmeta[distributed], or leave "
            "--dask out."
        ) from None
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise SpecError(
            f"--dask {address} is not reached ({_first(error)}): give the address that `dask "
            "scheduler` prints, e.g. tcp://192.0.2.1:8786."
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise SpecError(
                f"--dask {address} has no workers: start some with `dask worker {address}`."
            ) from None
        found = client.run(made_with, on_error="return")
        if any(isinstance(one, Exception) for one in found.values()):  # pyright: ignore[reportAttributeAccessIssue]
            raise SpecError(
                f"--dask {address} has a worker without bayesmeta: install "
                f"bayesmeta[distributed] {made_with()['bayesmeta']} on every machine."
            )
        try:
            yield client.get_executor()
        except CancelledError:
            raise SpecError(
                f"--dask {address} was lost under way: start the scheduler again; the same command "
                "goes on from the finished chunks."
            ) from None
        except KilledWorker as error:
            raise ModelError(
                f"--dask {address} lost several workers on the same chunk ({_first(error)}): give "
                "them more memory, or fewer threads each."
            ) from None


def _first(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
