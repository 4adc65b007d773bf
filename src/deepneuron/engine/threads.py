"""Threads: one job in parts, several of them worked on at once.

NumPy holds no lock while it multiplies, adds or copies, so Python threads do compute
side by side. Which parts a job has depends on the sizes of its arrays, never on the
number of threads; so the results do not depend on it either.

>>> y = np.zeros(6)
>>> def square(part):
...     y[part] = np.arange(6)[part] ** 2
>>> share(square, [slice(0, 3), slice(3, 6)])
>>> y
array([ 0.,  1.,  4.,  9., 16., 25.])

DEEPNEURON_THREADS says how many threads there are; by default as many as the process
has cores. While parts are worked on, BLAS keeps to one thread for each of them: two
libraries that both want every core get less done than one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

import numpy as np

from deepneuron.engine.workspace import Workspace, activate, active
from deepneuron.errors import ArgumentError

Part = TypeVar("Part")


def share(work: Callable[[Part], Any], parts: Sequence[Part]) -> None:
    """Call work(part) for every part, and come back when all are done.

    Args:
        work: writes to memory that no other part writes to. `scratch` gives it memory
            that is good until it returns.
        parts: in any order they may be worked on.

    Raises:
        Exception: what `work` raised first; parts that had not begun are left out.
    """
    space = active() or Workspace()
    helpers = min(thread_count(), len(parts)) - 1
    with _one_blas_thread:
        if helpers > 0 and not getattr(_this, "helps", False):
            _share(work, _Queue(parts), space, helpers)
        else:
            _work_off(work, parts, space)


def thread_count() -> int:
    """How many threads work on one job."""
    if _settings.count is None:
        _settings.count = _from_environment()
    return _settings.count


def set_thread_count(count: int | None) -> None:
    """Set how many threads work on one job; None asks the environment again."""
    if count is not None and count < 1:
        raise ArgumentError(f"There is at least 1 thread; received {count}.")
    _settings.count = count


def _from_environment() -> int:
    value = os.environ.get("DEEPNEURON_THREADS", "").strip()
    if not value:
        return _cores()
    if not value.isdigit() or int(value) < 1:
        raise ArgumentError(
            "The environment variable DEEPNEURON_THREADS is a whole number of at least "
            f"1, how many threads compute; it is {value!r}."
        )
    return int(value)


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# --- the work


def _work_off(
    work: Callable[[Part], Any], parts: Iterable[Part], space: Workspace
) -> None:
    before = active()
    activate(space)
    start = space.mark()
    try:
        for part in parts:
            work(part)
            space.rewind(start)
    finally:
        space.rewind(start)
        activate(before)


class _Queue:
    """Parts, each handed out once, to whichever thread asks first."""

    def __init__(self, parts: Iterable[Any]) -> None:
        self._parts, self._lock = iter(parts), threading.Lock()

    def __iter__(self) -> _Queue:
        return self

    def __next__(self) -> Any:
        with self._lock:
            return next(self._parts)

    def close(self) -> None:
        with self._lock:
            self._parts = iter(())


def _share(
    work: Callable[[Part], Any], queue: _Queue, space: Workspace, helpers: int
) -> None:
    def help_out(k: int) -> None:
        _this.helps = True  # what is shared within a part stays on its thread
        try:
            _one_blas_thread.limit()  # some libraries count for each thread
            _work_off(work, queue, space.helper(k))
        except BaseException:
            queue.close()
            raise

    futures: list[Future[None]] = []
    try:
        pool = _settings.pool(thread_count() - 1)
        # The context says which warnings of NumPy are wanted.
        futures.extend(
            pool.submit(copy_context().run, help_out, k) for k in range(helpers)
        )
    except RuntimeError:  # the interpreter is closing: no new threads
        pass
    try:
        _work_off(work, queue, space)
    finally:
        queue.close()
        for future in futures:
            # A helper who was busy elsewhere until now is needed no more.
            if not future.cancel():
                future.exception()
    space.even_out()
    for future in futures:
        if not future.cancelled():
            future.result()


class _Settings:
    """How many threads there are, and the threads, once they are needed."""

    def __init__(self) -> None:
        self.count: int | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._size = 0

    def pool(self, size: int) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None or self._size != size:
                if self._pool is not None:
                    self._pool.shutdown(wait=False)
                self._pool = ThreadPoolExecutor(size, "deepneuron")
                self._size = size
            return self._pool

    def after_fork(self) -> None:
        """The threads stayed with the parent."""
        self._pool, self._lock = None, threading.Lock()


class _OneBlasThread:
    """While somebody is within, BLAS computes on one thread; then as before.

    OpenBLAS has one number for the whole process, so whoever leaves last sets it back.
    """

    def __init__(self) -> None:
        self._libraries: list[Any] | None = None
        self._lock = threading.Lock()
        self._within = 0
        self._before: list[tuple[Any, int]] = []

    def __enter__(self) -> None:
        with self._lock:
            self._within += 1
            self._before += self.limit()

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._within -= 1
            if self._within == 0:
                self._give_back()

    def limit(self) -> list[tuple[Any, int]]:
        """Set what is above 1 to 1, and say what it was."""
        if self._libraries is None:
            from threadpoolctl import ThreadpoolController

            blas = ThreadpoolController().select(user_api="blas")
            self._libraries = blas.lib_controllers
        limited = []
        for library in self._libraries:
            count = library.get_num_threads()
            if count is not None and count > 1:
                limited.append((library, count))
                _set_blas_threads(library, 1)
        return limited

    def after_fork(self) -> None:
        """Whoever was within stayed with the parent."""
        self._lock, self._within = threading.Lock(), 0
        self._give_back()

    def _give_back(self) -> None:
        for library, count in self._before:
            _set_blas_threads(library, count)
        self._before.clear()


def _set_blas_threads(library: Any, count: int) -> None:
    # threadpoolctl lets one thread alone change it, the first: ours take turns.
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)
    library.set_num_threads(count)


_this = threading.local()
_settings = _Settings()
_one_blas_thread = _OneBlasThread()


def _after_fork() -> None:
    _this.helps = False
    _settings.after_fork()
    _one_blas_thread.after_fork()


if hasattr(os, "register_at_fork"):  # there is no fork on Windows
    os.register_at_fork(after_in_child=_after_fork)


__all__ = ["set_thread_count", "share", "thread_count"]

if __name__ == "__main__":
    print(f"{thread_count()} threads; NumPy {np.__version__}")
