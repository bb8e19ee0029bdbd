"""`submeter decode`: decode one telegram, layer by layer, or many, one JSON object per line. Needs no
database.
"""

import sys
from collections.abc import Iterator
from io import BufferedIOBase
from typing import cast

from rich.markup import escape

from core.metering import DecodeReport, explain, load_registry
from submeter.decode_lines import LONGEST_OBJECT, LineDecoder
from submeter.line_files import LineReader
from submeter.output import err, fail, out, print_json, print_table
from submeter.unpacking import PIECE


def decode(
    telegram: str | None = None,
    *,
    key: str | None = None,
    json: bool = False,
    jsonl: bool = False,
) -> None:
    """Decode one telegram: hex digits, or a gateway line in any format that `submeter ingest` reads.

    Exit status 1 if the telegram could not be decoded completely; the decoded part is shown. A telegram that
    was decoded and holds no values says so.

    With --jsonl, each JSON object on standard input gets one on standard output, in the same order. Input:
    `telegram`, optionally `id`, `key` and `prior_telegrams` of the same meter; it may be packed with gzip or
    zstd. Output: `manufacturer`, `serial`, `measurements`, `history`, `flags`, `no_values` with the reason if
    there are none, or an `error` for a telegram that cannot be decoded; the exit status is 0.

    Args:
        telegram: the hex digits or the gateway line, quoted.
        key: the meter's key in hex digits.
        json: print the report as JSON.
        jsonl: read JSON lines from standard input.
    """
    if jsonl:
        reader = LineReader(longest=LONGEST_OBJECT)
        _answer_lines(cast("BufferedIOBase", sys.stdin.buffer), reader)
        if reader.fault is not None:
            fail(f"standard input was not read to its end: {reader.fault.message}", code=reader.fault.code)
        return
    if telegram is None:
        fail("expected a telegram, or --jsonl with telegrams on standard input", code="INVALID_INPUT")
    try:
        key_bytes = bytes.fromhex(key) if key else None
    except ValueError:
        fail("--key must be hex digits", code="INVALID_INPUT")
    report = explain(telegram, load_registry(), key_bytes)
    if json:
        print_json(report.as_dict())
    else:
        _show(report)
    if report.error is not None:
        raise SystemExit(1)


def _answer_lines(file: BufferedIOBase, reader: LineReader) -> None:
    """Answers the lines as they come: those that are there are answered before more have to be."""
    decoder, out_file = LineDecoder(load_registry()), sys.stdout.buffer
    for lines in _received(file, reader):
        for answers in decoder.answers(lines):
            out_file.write(answers)
            out_file.flush()


def _received(file: BufferedIOBase, reader: LineReader) -> Iterator[Iterator[str]]:
    """The lines that are there, again and again."""
    while reader.fault is None and (data := file.read1(PIECE)):
        yield reader.feed(data)
    yield reader.finish()


def _show(report: DecodeReport) -> None:
    if report.address is not None:
        out.print(f"[bold]{report.address}[/], driver {report.driver}")
    for name, number in report.named.items():
        out.print(f"The telegram also names {escape(number)} ({name}).")
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
    if report.integrity is not None:
        out.print(f"Proved whole by: {report.integrity}")
    if report.no_values is not None:
        out.print(report.no_values, soft_wrap=True)
    if report.error is not None:
        err.print(
            f"[bold red]{report.error.code}[/] at {report.error.stage}: {escape(report.error.message)}",
            soft_wrap=True,
        )
