"""The process within: reads jobs from standard input, does them under limits, writes results to standard output.

A job is one JSON object after its length in four bytes: `{"job": <name in JOBS>, …}`; the first argument names the
module whose JOBS are done, the second the CPU seconds of each, and the job "ready" does nothing. The CPU time of each
job and the memory of the process are bounded by the system, which kills it.
"""

from __future__ import annotations

import importlib
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import orjson

READY = "ready"
MEMORY_BYTES = 256 * 1024 * 1024


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_cpu(seconds: int) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(usage.ru_utime + usage.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, resource.RLIM_INFINITY))


def _serve(known: dict[str, Callable[..., dict[str, Any]]], jobs: BinaryIO, results: BinaryIO, *, seconds: int) -> None:
    while head := jobs.read(4):
        job: dict[str, Any] = orjson.loads(jobs.read(int.from_bytes(head)))
        _limit_cpu(seconds)
        try:
            name = job.pop("job")
            result: dict[str, Any] = {} if name == READY else known[name](**job)
        except MemoryError:
            sys.exit(1)
        content = orjson.dumps(result)
        results.write(len(content).to_bytes(4) + content)
        results.flush()


if __name__ == "__main__":
    known: dict[str, Callable[..., dict[str, Any]]] = importlib.import_module(sys.argv[1]).JOBS
    for job in known.values():
        job()  # loads what the job needs, before memory is bounded
    _limit_memory()
    sys.setrecursionlimit(600)
    _serve(known, sys.stdin.buffer, sys.stdout.buffer, seconds=int(sys.argv[2]))
