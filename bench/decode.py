"""Telegrams decoded per CPU second, in batches and one by one, compared with the naive way in the same run.

    python bench/decode.py [--meters N] [--kind KIND]

Makes a fleet of N meters (100,000), each with its own key, one telegram of each, and decodes it: in
batches, through the decoder one at a time, and naively (`identify` and `open_telegram`, nothing cached).
Every way ends with the index and the flags, which intake needs; "with values" also creates the records. The
ways take turns on slices of the fleet, since the load of the machine varies; medians are printed, the best
slice in brackets, and the ratio is the median of the slices' ratios. The results of the ways are compared.
Absolute figures vary with the machine; compare the ratios.

The memory is the growth of the process after a telegram of every meter, C libraries included; the decoder
has its own copies of the keys. Each kind is measured in a fresh process.
"""

import argparse
import gc
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from fleet import KINDS, Sample, fleet

from core.mbus.batch.ciphers import Ciphers
from core.metering import Opened, Registry, TelegramError, identify, load_registry, open_telegram
from core.metering.batch import BatchDecoder

BATCH = 2_000
SLICE = 10_000
FEW = 1_000  # of each slice, for the ways that cache nothing between telegrams
STATM = Path("/proc/self/statm")


def main() -> None:
    """Runs the bench."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--meters", type=int, default=100_000)
    arguments.add_argument("--kind", choices=(*KINDS, "mixed"), action="append", help="one kind alone")
    given = arguments.parse_args()
    meters: int = given.meters
    print(f"{meters} meters, {meters} keys; telegrams per CPU second, medians (best)")
    print(
        f"{'kind':8}{'naive':>8}{'in batches':>27}{'with values':>27}{'one at a time':>27}{'KiB a meter':>14}"
    )
    for kind in given.kind or (*KINDS, "mixed"):
        process = get_context("spawn").Process(target=measure, args=(kind, meters))
        process.start()
        process.join()
    stranger(list(fleet("mode 5", min(meters, 2_000))))


def measure(kind: str, meters: int) -> None:
    """One line of the table."""
    registry, samples = load_registry(), list(fleet(kind, meters))
    random.Random(kind).shuffle(samples)
    in_batches(BatchDecoder(registry), samples[:BATCH], asked)  # imports and tables are not counted per meter
    gc.collect()
    gc.freeze()  # the fleet itself is not the decoder's work
    before = resident_kib()
    decoder = BatchDecoder(registry, ciphers=Ciphers(max(len(samples), 1)))
    for first in range(0, len(samples), BATCH):
        decoded(decoder, [with_own_key(sample) for sample in samples[first : first + BATCH]])
    gc.collect()
    kept = (resident_kib() - before) / len(samples)
    naive, batch, full, single = [], [], [], []
    for first in range(0, len(samples), SLICE):
        part = samples[first : first + SLICE]
        few = part[:FEW]
        naive.append(cpu_time(lambda few=few: one_by_one(few, registry)) / len(few))
        batch.append(cpu_time(lambda part=part: in_batches(decoder, part, asked)) / len(part))
        full.append(cpu_time(lambda part=part: in_batches(decoder, part, read)) / len(part))
        single.append(cpu_time(lambda few=few: in_batches(decoder, few, asked, size=1)) / len(few))
    same(decoder, samples[:BATCH], registry)
    columns = [f"{kind:8}{1 / median(naive):8.0f}"]
    for way in (batch, full, single):
        ratio = median(slow / fast for slow, fast in zip(naive, way, strict=True))
        columns.append(f"{1 / median(way):9.0f} ({1 / min(way):7.0f}) {ratio:5.1f}x")
    print(" ".join(columns), f"{kept:13.2f}", flush=True)


def with_own_key(sample: Sample) -> Sample:
    """The same with a copy of the key, as intake loads it from the database: its memory counts."""
    return Sample(sample.telegram, bytes(bytearray(sample.key)))


def asked(opened: Opened | TelegramError) -> None:
    """What intake needs of a telegram."""
    if isinstance(opened, Opened):
        _ = opened.measurement.index, opened.measurement.flags


def read(opened: Opened | TelegramError) -> None:
    """All values of a telegram."""
    if isinstance(opened, Opened):
        asked(opened)
        _ = tuple(opened.measurement.values.items()), opened.measurement.history, opened.frame.records


def in_batches(
    decoder: BatchDecoder,
    samples: Sequence[Sample],
    use: Callable[[Opened | TelegramError], None],
    size: int = BATCH,
) -> None:
    """Decodes all in batches of this size."""
    for first in range(0, len(samples), size):
        for opened in decoded(decoder, samples[first : first + size]):
            use(opened)


def decoded(decoder: BatchDecoder, samples: Sequence[Sample]) -> list[Opened | TelegramError]:
    """One batch; every telegram of a fleet has a sender."""
    senders = decoder.identify([(sample.telegram, False) for sample in samples])
    known = [sender for sender in senders if not isinstance(sender, TelegramError)]
    return decoder.open(known, [sample.key for sample in samples])


def naively(samples: Sequence[Sample], registry: Registry) -> Iterator[Opened | TelegramError]:
    """Each for itself."""
    for telegram, key in samples:
        try:
            yield open_telegram(identify(telegram, registry, crc_kept=False), key)
        except TelegramError as error:
            yield error


def one_by_one(samples: Sequence[Sample], registry: Registry) -> None:
    """Decodes all naively."""
    for opened in naively(samples, registry):
        asked(opened)


def same(decoder: BatchDecoder, samples: Sequence[Sample], registry: Registry) -> None:
    """Stops the bench if the two ways differ."""
    for one, other in zip(naively(samples, registry), decoded(decoder, samples), strict=True):
        if one != other:
            sys.exit(f"The batch answers otherwise: {one} {other}")


def stranger(samples: Sequence[Sample]) -> None:
    """The same telegrams of mode 5 through pymbusparser, if it is installed."""
    try:
        parse = import_module("pymbusparser").parse
    except ImportError:
        print("pymbusparser: not installed")
        return
    try:
        taken = cpu_time(
            lambda: [parse(telegram, key=key, include_enrichment=False) for telegram, key in samples]
        )
    except (TypeError, ValueError) as error:
        print(f"pymbusparser: does not decode these telegrams ({type(error).__name__}: {error})")
        return
    print(f"pymbusparser, mode 5: {len(samples) / taken:.0f} telegrams per CPU second")


def cpu_time(work: Callable[[], object]) -> float:
    """CPU seconds that the work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def resident_kib() -> float:
    """The current memory of the process in KiB; NaN if the system does not report it."""
    if not STATM.exists():
        return float("nan")
    return int(STATM.read_text().split()[1]) * resource.getpagesize() / 1024


if __name__ == "__main__":
    main()
