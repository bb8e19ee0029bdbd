"""Locks that a process holds on a file, and that its end takes away, however it ends.

In: a path. Out: an open descriptor that holds the lock, or None if another process holds it. The one rule:
the file itself says nothing, so it need not be removed, and one left behind locks nothing.
"""

import os
import sys
from pathlib import Path


def lock(path: Path) -> int | None:
    """The descriptor, to be closed when the lock is no longer needed; None if the file is locked."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - this system's only

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - the other systems' only

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
