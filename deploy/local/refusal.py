"""What an embedded server or the making of its topics raises; on its own, so that an image needs nothing else."""


class CannotStart(Exception):
    """A server cannot start. The message is one line: what is wrong, and what to do about it."""
