"""deploy/citus.sql against the real tables: what a sharding engine for PostgreSQL (Citus) asks of them.

Each primary key and unique index of a distributed table contains the distribution column, and a foreign key
of one refers to a reference table or, by the distribution columns of both, to a colocated table (Citus
documentation, "Creating and Modifying Distributed Objects"). The engine itself is not run here.
"""

import re
from pathlib import Path

import pytest

from core.services.shared.partitions import ensure_months
from core.services.shared.transaction import current_database

SCRIPT = (Path(__file__).resolve().parents[1] / "deploy/citus.sql").read_text(encoding="utf-8")
DISTRIBUTED = dict(re.findall(r"create_distributed_table\('(\w+)', '(\w+)'", SCRIPT))
REFERENCE = set(re.findall(r"create_reference_table\('(\w+)'", SCRIPT))
LOCAL = dict(re.findall(r"^-- local: (\w+): (.+)$", SCRIPT, re.MULTILINE))

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def _rows(query: str, *values: object) -> list[dict[str, object]]:
    return list(map(dict, await current_database().execute_query_dict(query, list(values))))


async def test_every_table_of_meters_is_spread_or_local_for_a_reason(application) -> None:
    """A new table with a meter_id needs a decision; the largest are spread, by the meter, in one group."""
    rows = await _rows(
        "SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND a.attname = 'meter_id' AND NOT a.attisdropped"
    )
    assert {row["name"] for row in rows} == DISTRIBUTED.keys() | LOCAL.keys()
    assert not DISTRIBUTED.keys() & LOCAL.keys()
    assert {"reading", "daily_volume"} <= DISTRIBUTED.keys()
    assert set(DISTRIBUTED.values()) == {"meter_id"}
    assert SCRIPT.count("colocate_with => 'reading'") == len(DISTRIBUTED) - 1


async def test_every_unique_key_of_a_spread_table_has_its_distribution_column(application) -> None:
    """So a node alone can tell whether a row is there already; partitions made later have the same keys."""
    await ensure_months(current_database(), [202611])
    for table, column in (DISTRIBUTED | {"reading_202611": "meter_id"}).items():
        keys = await _rows(
            "SELECT i.indexrelid::regclass::text AS name, ARRAY(SELECT a.attname::text FROM pg_attribute a"
            " WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)) AS columns,"
            " i.indisprimary AS is_primary FROM pg_index i"
            " WHERE i.indrelid = $1::text::regclass AND i.indisunique",
            table,
        )
        assert any(key["is_primary"] for key in keys), table
        assert [key["name"] for key in keys if column not in key["columns"]] == [], table


async def test_no_spread_table_refers_elsewhere_or_has_triggers(application) -> None:
    """A reference goes to a table on every node, or by the distribution columns to one spread alike; nothing
    that is not spread refers to a spread one; the engine refuses triggers on them.
    """
    for table, column in DISTRIBUTED.items():
        references = await _rows(
            "SELECT confrelid::regclass::text AS target, ARRAY(SELECT a.attname::text FROM pg_attribute a"
            " WHERE a.attrelid = conrelid AND a.attnum = ANY(conkey)) AS columns"
            " FROM pg_constraint WHERE contype = 'f' AND conrelid = $1::text::regclass",
            table,
        )
        for reference in references:
            colocated = reference["target"] in DISTRIBUTED and column in reference["columns"]
            assert reference["target"] in REFERENCE or colocated, (table, reference)
        pointing = await _rows(
            "SELECT conrelid::regclass::text AS source FROM pg_constraint"
            " WHERE contype = 'f' AND confrelid = $1::text::regclass",
            table,
        )
        assert [row["source"] for row in pointing if row["source"] not in DISTRIBUTED] == [], table
        triggers = await _rows(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = $1::text::regclass AND NOT tgisinternal", table
        )
        assert triggers == [], table
