"""The most that matrix multiplication reaches here: what no step can exceed by much."""

from __future__ import annotations

import time
from multiprocessing.connection import Connection

SIZES = (512, 1024, 2048)
SECONDS = 0.5  # for each size


def serve_ceiling(pipe: Connection, log: str, threads: int, library: str) -> None:
    """Answer with GFLOP/s of float32 matrices, the best of several sizes and times."""
    from benchmarks.compare.server import _keep_to, _write_into

    _write_into(log)
    _keep_to(threads)
    pipe.recv()
    pipe.send(("done", max(rate(library, n) for n in SIZES), 0.0))


def rate(library: str, n: int) -> float:
    """GFLOP/s of the fastest product of two matrices (n, n)."""
    if library == "torch":
        import torch

        a, b = torch.rand(n, n), torch.rand(n, n)
    else:
        import numpy as np

        a, b = np.random.default_rng(0).random((2, n, n), "float32")
    out = a @ b
    best, ends = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < ends:
        began = time.perf_counter()
        if library == "torch":
            torch.mm(a, b, out=out)
        else:
            np.matmul(a, b, out=out)
        best = min(best, time.perf_counter() - began)
    return 2 * n**3 / best / 1e9
