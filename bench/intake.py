"""From hex line to committed reading, volume and leak result: CPU time of decoding and of the whole intake.

    python bench/intake.py [LINES]

Decodes the demo's lines, then ingests the same lines into a temporary SQLite database, and prints lines per
CPU second for both and the share of decoding. Absolute figures vary with the machine; compare the ratio.
"""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from core.access import SYSTEM
from core.bootstrap import migrate, open_application
from core.metering import NO_FORMATS, identify, open_telegram, parse_line
from core.services.places.key_encryption import KeyEncryption
from core.services.places.meter_directory import meters_by_address
from core.services.telegrams.decoding import ReceivedLine, ReceivedTelegram, identify_lines
from core.services.telegrams.opening import open_telegrams
from core.services.telegrams.pipeline import take_in
from core.settings import Settings
from submeter.demo.world import describe
from submeter.simulator.plan import demo_plan
from submeter.simulator.telegrams import history_lines

ANCHOR = datetime(2026, 11, 22, 6, tzinfo=UTC)


async def main(count: int) -> None:
    plan = demo_plan(ANCHOR)
    lines = [line.text for line in islice(history_lines(plan), count)]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            Path(folder), f"sqlite:///{folder}/bench.db", "a secret of the bench, 32 characters"
        )
        await migrate(settings)
        key_encryption = KeyEncryption.under(settings.secret_key)
        async with open_application(settings) as application:
            await describe(plan, key_encryption, now=ANCHOR)
            addresses = [
                meter.address for one in plan.residences for home in one.dwellings for meter in home.meters
            ]
            meters = await meters_by_address(SYSTEM, addresses, key_encryption=key_encryption)

            start = time.process_time()
            for text in lines:
                one = parse_line(text)
                identified = identify(one.telegram, application.registry, crc_kept=one.crc_kept)
                keys = meters[str(identified.address)].keys or (None,)
                open_telegram(identified, keys[0])
            one_by_one = time.process_time() - start

            start = time.process_time()
            for first in range(0, len(lines), settings.intake_batch_lines):
                batch = lines[first : first + settings.intake_batch_lines]
                received, identified = identify_lines(
                    [ReceivedLine(text, ANCHOR) for text in batch], application.decoder
                )
                telegrams = [one for one in received if isinstance(one, ReceivedTelegram)]
                open_telegrams(telegrams, identified, meters, application.decoder, NO_FORMATS)
            decoding = time.process_time() - start

            start = time.process_time()
            summary = await take_in(application, SYSTEM, lines, source="bench", now=ANCHOR)
            whole = time.process_time() - start
    print(f"{summary.stored} readings of {len(lines)} lines")
    print(f"decoding one by one {len(lines) / one_by_one:6.0f} lines per CPU second")
    print(f"decoding in batches is {one_by_one / decoding:.1f} times as fast")
    print(f"decoding alone   {len(lines) / decoding:9.0f} lines per CPU second")
    print(f"the whole intake {len(lines) / whole:9.0f} lines per CPU second")
    print(f"share of decoding in the whole: {decoding / whole:.0%}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
