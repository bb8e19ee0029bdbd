"""`submeter decode`: what one telegram says, layer by layer; or many, one JSON object a line. Needs no
database.
"""

import sys

from rich.markup import escape

from core.metering import DecodeReport, explain, load_registry
from submeter.decode_lines import answers
from submeter.output import err, fail, out, print_json, print_table


def decode(
    telegram: str | None = None,
    *,
    key: str | None = None,
    json: bool = False,
    jsonl: bool = False,
) -> None:
    """Decode one telegram: hex digits, or a gateway line in any shape that `submeter ingest` reads.

    Ends with exit status 1 when the telegram could not be read to its end; what was read is shown.

    With --jsonl, answers each JSON object of standard input with one on standard output, in order. In go
    `telegram` and, if you like, `id`, `key` and `prior_telegrams` of the same meter; out come `manufacturer`,
    `serial`, `measurements`, `history`, `flags` or an `error`. A telegram that cannot be read is such an
    answer, and the stream goes on; the exit status is 0.

    Args:
        telegram: the line, quoted.
        key: the meter's key as hex digits.
        json: print the report as JSON.
        jsonl: read JSON lines from standard input.
    """
    if jsonl:
        for answer in answers(sys.stdin.buffer, load_registry()):
            sys.stdout.buffer.write(answer + b"\n")
            sys.stdout.buffer.flush()
        return
    if telegram is None:
        fail("a telegram, or --jsonl and telegrams on standard input, is asked for", code="INVALID_INPUT")
    try:
        key_bytes = bytes.fromhex(key) if key else None
    except ValueError:
        fail("--key is not made of hex digits", code="INVALID_INPUT")
    report = explain(telegram, load_registry(), key_bytes)
    if json:
        print_json(report.as_dict())
    else:
        _show(report)
    if report.error is not None:
        raise SystemExit(1)


def _show(report: DecodeReport) -> None:
    if report.address is not None:
        out.print(f"[bold]{report.address}[/], driver {report.driver}")
    if report.layers:
        rows = [
            (layer.name, layer.offset, ", ".join(f"{name} {value}" for name, value in layer.fields))
            for layer in report.layers
        ]
        print_table("Layers", ("layer", "offset", "fields"), rows)
    records = report.as_dict()["records"]
    if records:
        columns = ("offset", "header", "data", "function", "storage", "tariff", "measurand", "value", "unit")
        print_table("Records", columns, [[record[column] for column in columns] for record in records])
    if report.measurement is not None:
        values: list[tuple[str, object]] = list(report.measurement.values.items())
        values.append(("flags", ", ".join(sorted(report.measurement.flags)) or "none"))
        print_table("Measurement", ("name", "value"), values)
    if report.error is not None:
        err.print(
            f"[bold red]{report.error.code}[/] at {report.error.stage}: {escape(report.error.message)}",
            soft_wrap=True,
        )
