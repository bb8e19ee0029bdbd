"""The metrics of a process, as Prometheus reads them: each is defined here, once.

In: what the parts of the application count. Out: the text of `/metrics`. The one rule: a label has few values
and never one that a stranger may choose: names that clients invent are bounded, and nothing is personal data.

`submeter serve --workers N` runs several processes behind one port: they count in files of a folder
(PROMETHEUS_MULTIPROC_DIR), which their parent adds up. Every other process has its own.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's; a series more for each of ours

REGISTRY = CollectorRegistry(auto_describe=True)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

TELEGRAMS_RECEIVED = Counter(
    "submeter_telegrams_received", "Gateway lines that were taken in.", ("source",), registry=REGISTRY
)
TELEGRAMS_STORED = Counter(
    "submeter_telegrams_stored", "Telegrams that became a reading.", ("source",), registry=REGISTRY
)
TELEGRAMS_DUPLICATES = Counter(
    "submeter_telegrams_duplicates",
    "Telegrams whose reading was stored before.",
    ("source",),
    registry=REGISTRY,
)
TELEGRAMS_DOUBTFUL = Counter(
    "submeter_telegrams_doubtful",
    "Stored readings that do not count, or not yet.",
    ("source",),
    registry=REGISTRY,
)
TELEGRAMS_REFUSED = Counter(
    "submeter_telegrams_refused",
    "Gateway lines that became dead letters.",
    ("source", "reason"),
    registry=REGISTRY,
)
STAGE_SECONDS = Histogram(
    "submeter_intake_stage_seconds",
    "Seconds of a batch of telegrams, by stage; BATCH is all of it.",
    ("stage",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
INTAKE_LAG = Gauge(
    "submeter_intake_lag_seconds",
    "Age of the newest reading of a batch when the batch was stored.",
    ("source",),
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
NEWEST_READING = Gauge(
    "submeter_intake_newest_reading_timestamp_seconds",
    "Time of the newest reading that this process has stored.",
    ("source",),
    registry=REGISTRY,
    multiprocess_mode="max",
)
CONNECTIONS = Gauge(
    "submeter_database_connections",
    "Connections of the database pool, by state: in_use, idle, most (what it may have).",
    ("state",),
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
OUTBOX_MESSAGES = Gauge(
    "submeter_outbox_messages",
    "Messages of the outbox that wait to be sent.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
OUTBOX_OLDEST = Gauge(
    "submeter_outbox_oldest_seconds",
    "Seconds for which the oldest of them has been due.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
MESSAGES_SENT = Counter(
    "submeter_messages",
    "Messages that were tried, by channel and outcome: sent, failed.",
    ("channel", "outcome"),
    registry=REGISTRY,
)
NOTES_MADE = Counter("submeter_notes_made", "Monthly notes on consumption that were made.", registry=REGISTRY)
NOTES_MISSING = Gauge(
    "submeter_notes_missing",
    "Dwellings without a note of the last month, counted from the 15th on; 0 before.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
HTTP_REQUESTS = Counter(
    "submeter_http_requests",
    "HTTP requests, by path of a route (other: none) and status.",
    ("method", "path", "status"),
    registry=REGISTRY,
)
HTTP_SECONDS = Histogram(
    "submeter_http_request_seconds",
    "Seconds until an HTTP response was sent.",
    ("path",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
GRAPHQL_OPERATIONS = Counter(
    "submeter_graphql_operations",
    "GraphQL operations, by name, kind and outcome: ok, refused, invalid, failed.",
    ("operation", "kind", "outcome"),
    registry=REGISTRY,
)
GRAPHQL_SECONDS = Histogram(
    "submeter_graphql_operation_seconds",
    "Seconds of a GraphQL operation.",
    ("kind",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
GRAPHQL_DOCUMENTS = Counter(
    "submeter_graphql_documents",
    "Documents of GraphQL operations, by how they were found: trusted, cached (neither parsed nor validated "
    "again), read.",
    ("found",),
    registry=REGISTRY,
)
GRAPHQL_POINTS = Counter(
    "submeter_graphql_points",
    "Points that GraphQL operations cost, by role.",
    ("role",),
    registry=REGISTRY,
)
WORK_FAILURES = Counter(
    "submeter_work_failures",
    "How often a kind of work failed and was begun again.",
    ("work",),
    registry=REGISTRY,
)
JOB_RUNS = Counter(
    "submeter_job_runs",
    "Runs of the periodic jobs, by outcome: ok, failed.",
    ("job", "outcome"),
    registry=REGISTRY,
)


class BoundedNames:
    """Lets so many different names through; later ones are `other`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()
        self._lock = Lock()

    def known(self, name: str, *, may_add: bool) -> str:
        """The name, where it is known or may become so."""
        with self._lock:
            if name not in self._known:
                if not may_add or len(self._known) >= self._most:
                    return "other"
                self._known.add(name)
            return name


def text_of() -> bytes:
    """The metrics of this process."""
    return generate_latest(REGISTRY)


def registry_of_children(folder: Path) -> CollectorRegistry:
    """The metrics of all processes that count in the folder, added up whenever they are asked for."""
    registry = CollectorRegistry()
    registry.register(_Children(folder))
    return registry


class _Children(Collector):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Forget the gauges of processes that have ended, and add up."""
        for path in self._folder.glob("gauge_live*_*.db"):
            number = path.stem.rpartition("_")[2]
            if number.isdecimal() and not _is_running(int(number)):
                mark_process_dead(int(number), str(self._folder))  # type: ignore[no-untyped-call]  # the library's
        children = MultiProcessCollector(None, str(self._folder))  # type: ignore[no-untyped-call]  # as above
        found: Iterable[Metric] = children.collect()  # type: ignore[no-untyped-call]  # as above
        return found


def is_one_of_several() -> bool:
    """Whether this process counts for a parent, which serves the metrics."""
    return FOLDER_VARIABLE in os.environ


def _is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
