"""Load from `wrk`, the same for every side: GETs of some paths in turn, over connections that stay open."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

CONNECTIONS = 64
_SCRIPT = """
local paths = {{}}
for line in io.lines("{paths}") do paths[#paths + 1] = line end
local turn = 0
request = function()
  turn = turn % #paths + 1
  return wrk.format("GET", paths[turn])
end
done = function(summary, latency, requests)
  io.write(string.format("FOUND %d %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked of one side: `headers` go with every request, `paths` are asked in turn; `pid` serves them, itself
    or by its children."""

    url: str
    paths: Sequence[str]
    headers: Mapping[str, str]
    pid: int


@dataclass(frozen=True, slots=True)
class Load:
    """What one side answered: requests a second, the time of an answer in milliseconds, and what an answer costs the
    server in microseconds of CPU, which a busy machine disturbs least."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


def has_wrk() -> bool:
    """Whether the tool is here."""
    return shutil.which("wrk") is not None


def press(target: Target, seconds: float) -> Load:
    """Ask for `seconds` (whole ones). Raises `RuntimeError` when an answer was an error or did not come."""
    with tempfile.TemporaryDirectory(prefix="cairn-load-") as folder:
        paths, script = Path(folder) / "paths", Path(folder) / "turns.lua"
        paths.write_text("\n".join(target.paths) + "\n")
        script.write_text(_SCRIPT.format(paths=paths))
        words = [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{max(1, round(seconds))}s",
            "--timeout",
            "20s",
            "-s",
            str(script),
        ]
        for name, content in target.headers.items():
            words += ["-H", f"{name}: {content}"]
        spent = _cpu_seconds(target.pid)
        done = subprocess.run([*words, target.url], capture_output=True, text=True, check=False, timeout=seconds + 30)
        spent = _cpu_seconds(target.pid) - spent
    found = re.search(r"FOUND (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", done.stdout)
    if found is None:
        raise RuntimeError(f"expected figures of wrk, found {done.stdout[-300:]} {done.stderr[-300:]}")
    requests, took_us, p50_us, p99_us, refused, broken = map(int, found.groups())
    if refused or broken or not requests:
        raise RuntimeError(f"{target.url}: {refused} errors and {broken} broken answers of {requests}")
    return Load(requests / took_us * 1e6, p50_us / 1000, p99_us / 1000, spent / requests * 1e6)


def _cpu_seconds(pid: int) -> float:
    server = psutil.Process(pid)
    times = [process.cpu_times() for process in (server, *server.children(recursive=True))]
    return sum(found.user + found.system for found in times)


def press_in_turns(targets: Mapping[str, Target], *, seconds: float, rounds: int) -> dict[str, Load]:
    """Each side for `seconds`, in turns, `rounds` times: the median of what each reached."""
    found: dict[str, list[Load]] = {name: [] for name in targets}
    for target in targets.values():
        press(target, 1)  # warms up
    for number in range(rounds):
        for name, target in targets.items():
            found[name].append(press(target, seconds))
        print(f"   round {number + 1} of {rounds}", flush=True)
    return {
        name: Load(
            statistics.median(load.rate for load in loads),
            statistics.median(load.p50_ms for load in loads),
            statistics.median(load.p99_ms for load in loads),
            statistics.median(load.cpu_us for load in loads),
        )
        for name, loads in found.items()
    }
