"""Work on what strangers bring, in a process of its own that is killed when it takes too much (SR-11)."""

from libs.common.sandbox.worker import Killed, NotStarted, Sandbox

__all__ = ["Killed", "NotStarted", "Sandbox"]
