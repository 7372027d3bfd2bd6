"""A question for the judges' process."""

from __future__ import annotations

import json
import subprocess
from typing import Any


def judged(node: subprocess.Popen[str], **question: Any) -> dict[str, Any]:
    """The answer of a judge."""
    assert node.stdin is not None
    assert node.stdout is not None
    node.stdin.write(json.dumps(question) + "\n")
    node.stdin.flush()
    return json.loads(node.stdout.readline())
