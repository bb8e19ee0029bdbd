"""How long a damaged telegram can keep the decoder busy.

    python bench/damage.py [--count N]

Makes the damage of `tests/drivers/test_mutations.py` (bit flips, truncations, splices, random bytes; seeded)
on every driver's telegrams, N each (10,000), and prints the slowest decoding in milliseconds of CPU time, as
such and as a multiple of the median. The slowest twenty are measured again, since other load on the machine
disturbs single measurements.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import median

SUSPECTS, AGAIN = 20, 5


def main() -> None:
    """Runs the bench."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--count", type=int, default=10_000)
    os.environ["MUTATIONS"] = str(arguments.parse_args().count)  # read when the test module is imported
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    tests = import_module("tests.drivers.test_mutations")

    print("driver     telegrams   median ms   slowest ms   x median")
    for driver in ("generic", "ista", "itron", "kamstrup", "ocea"):
        damaged = [
            (tests.mutated(sample.telegram, samples, chance), sample.key)
            for _, sample, samples, chance in tests.cases(driver)
        ]
        times = [taken(tests.measured, case) for case in damaged]
        suspects = sorted(range(len(times)), key=times.__getitem__)[-SUSPECTS:]
        slowest = max(min(taken(tests.measured, damaged[at]) for _ in range(AGAIN)) for at in suspects)
        usual = median(times)
        print(f"{driver:10} {len(times):9} {usual:11.3f} {slowest:12.3f} {slowest / usual:10.1f}")


def taken(measured: Callable[..., object], case: tuple[bytes, bytes | None]) -> float:
    """Milliseconds of CPU time for one telegram."""
    start = time.process_time_ns()
    measured(*case)
    return (time.process_time_ns() - start) / 1e6


if __name__ == "__main__":
    main()
