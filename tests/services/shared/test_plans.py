"""The plans of the product's reads on PostgreSQL: one index, and the partitions of the time asked for.

The rows are fewer than a fleet's, and no times are compared; bench/explain.py does it at ten million.
"""

import pytest

from tests.support.reads.many_readings import fill
from tests.support.reads.product_reads import READS, faults, plans


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_every_read_uses_the_intended_index_and_partition(application, monkeypatch) -> None:
    """Dashboard, series, hours, latest reading, alerts of a residence: no table is read through, no partition
    of another time is touched, and no more rows are looked at than are answered with.
    """
    assert await fill(100, 12 * 3600, 1800) > 300_000
    for read in READS:
        found = await plans(monkeypatch, read)
        assert found, read.name
        assert [fault for plan in found for fault in faults(read, plan)] == [], read.name
