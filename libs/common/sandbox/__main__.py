"""The process within: reads jobs from standard input, does them under limits, writes results to standard output.

A job is one JSON object after its length in four bytes: `{"job": <name of JOBS>, …}`. The CPU time of each job and
the memory of the process are bounded by the system, which kills it.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from libs.common.sandbox.jobs import JOBS

CPU_SECONDS = 2
MEMORY_BYTES = 256 * 1024 * 1024


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_cpu() -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(usage.ru_utime + usage.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + CPU_SECONDS, resource.RLIM_INFINITY))


def _serve(jobs: BinaryIO, results: BinaryIO) -> None:
    while head := jobs.read(4):
        job: dict[str, Any] = orjson.loads(jobs.read(int.from_bytes(head)))
        _limit_cpu()
        try:
            result = JOBS[job.pop("job")](**job)
        except MemoryError:
            sys.exit(1)
        content = orjson.dumps(result)
        results.write(len(content).to_bytes(4) + content)
        results.flush()


if __name__ == "__main__":
    for name in JOBS:
        JOBS[name]()  # loads what the job needs, before memory is bounded
    _limit_memory()
    sys.setrecursionlimit(600)
    _serve(sys.stdin.buffer, sys.stdout.buffer)
