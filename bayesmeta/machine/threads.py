"""Threads that nobody has to wait for: Ctrl-C reaches who waits for their answers at once."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread, current_thread, main_thread
from types import TracebackType

type _Work = tuple[Future, Callable[[], object]]


class Threads(Executor):
    """Workers that end with the process, unlike those of ``ThreadPoolExecutor``.

    Leaving a block by an exception gives up what they have not begun, and waits for nothing.

    Parameters
    ----------
    workers : int
    """

    def __init__(self, workers: int) -> None:
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._over = False
        self._threads = [Thread(target=self._work, daemon=True) for _ in range(workers)]
        for one in self._threads:
            one.start()

    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a function called; see ``concurrent.futures.Executor``."""
        if self._over:
            raise RuntimeError("No work is taken after shutdown.")  # nobody would ever do it
        future: Future[T] = Future()
        self._queue.put((future, partial(fn, *args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
        """Take no more work; see ``concurrent.futures.Executor``."""
        self._over = True
        if cancel_futures:
            self._give_up()
        for _ in self._threads:
            self._queue.put(None)
        for one in self._threads if wait else ():
            one.join()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for what is going on, unless an exception does not."""
        self.shutdown(wait=kind is None, cancel_futures=kind is not None)

    def _give_up(self) -> None:
        try:
            while (found := self._queue.get_nowait()) is not None:
                found[0].cancel()
        except Empty:
            pass

    def _work(self) -> None:
        while (found := self._queue.get()) is not None:
            future, call = found
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
                future.set_exception(error)
            del found, future, call  # or the last answer is kept until the next work


def interruptible[T](work: Callable[[], T]) -> T:
    """Call what spends seconds outside Python so that Ctrl-C need not wait for it."""
    if current_thread() is not main_thread():
        return work()
    with Threads(1) as thread:
        return thread.submit(work).result()
