"""Prints, month by month, what dwellings used: an example of reading statistics as CSV or Arrow.

SUBMETER_URL=http://127.0.0.1:8000 SUBMETER_TOKEN=... python consumption.py COLD_WATER
"""

import csv
import io
import json
import os
import sys
import urllib.request
from collections.abc import Mapping
from typing import Any

try:
    import pyarrow as pa
except ImportError:  # CSV has the same rows
    pa = None

WHOLE = {"dwellings", "leaks", "meters", "meter_days"}
TEXTS = {
    *("month", "residence_code", "residence_name", "residence_city"),
    *("fluid", "unit", "grouping", "classes"),
}


def read(query: str, parameters: Mapping[str, Any], *, arrow: bool = pa is not None) -> list[dict[str, Any]]:
    """The rows of a table of statistics, as Python values; an absent figure is None."""
    body = json.dumps({"query": query, "parameters": parameters}).encode()
    headers = {
        "Accept": "application/vnd.apache.arrow.stream" if arrow else "text/csv",
        "Authorization": f"Bearer {os.environ['SUBMETER_TOKEN']}",
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(f"{os.environ['SUBMETER_URL']}/export", body, headers)  # noqa: S310 - our own server
    with urllib.request.urlopen(request) as response:  # noqa: S310 - as above
        content: bytes = response.read()
    if arrow:
        rows: list[dict[str, Any]] = pa.ipc.open_stream(content).read_all().to_pylist()
        return rows
    return [_values(row) for row in csv.DictReader(io.StringIO(content.decode()))]


def _values(row: Mapping[str, str]) -> dict[str, Any]:
    return {name: _value(name, text) for name, text in row.items()}


def _value(name: str, text: str) -> Any:
    if not text:
        return None
    if name in TEXTS:
        return text
    return int(text) if name in WHOLE else float(text)


def main(fluid: str = "COLD_WATER") -> None:
    """A line a month: how many dwellings, the median, and the quarters around it."""
    for row in read("consumption", {"fluid": fluid}):
        if row["classes"] == "ALL":
            quarters = " to ".join("?" if row[name] is None else f"{row[name]:g}" for name in ("p25", "p75"))
            print(
                f"{row['month']}  about {row['dwellings']:4} dwellings  mean {row['mean']:g}"
                f"  median {'?' if row['median'] is None else row['median']}  quarters {quarters}"
                f"  {row['unit'].lower()}"
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
