"""Where the tests write: in memory where there is room.

In: the machine. Out: a folder, or None for wherever temporary files are. The one rule: memory is a matter of
time alone. Each test creates and removes hundreds of files, and each commit waits for the disk otherwise.
"""

import os
import shutil
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ROOM = 2 * 1024**3
"""Bytes: several times what all workers hold at any one time."""


def in_memory(*, executable: bool = False) -> Path | None:
    """The folder in memory, if there is room, and if programs may be started from it where that is asked."""
    if not (_MEMORY.is_dir() and os.access(_MEMORY, os.W_OK)):
        return None
    if shutil.disk_usage(_MEMORY).free < _ROOM:
        return None
    return None if executable and os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC else _MEMORY
