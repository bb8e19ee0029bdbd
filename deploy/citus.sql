-- Spreads the series over the nodes of a Citus cluster. Run once, by the owner of the tables, on the coordinator,
-- after `submeter migrate` and before the first reading (or in a maintenance window: Citus copies what is stored):
--
--     psql "$SUBMETER_DATABASE_URL" -v ON_ERROR_STOP=1 -f deploy/citus.sql
--
-- When, and what of Submeter's statements has to change first: docs/scaling.md. A test holds this file against the
-- tables (tests/test_sharding.py): each table distributed here has the distribution column in its primary key
-- and in every unique index, and refers to none that is elsewhere.

CREATE EXTENSION IF NOT EXISTS citus;

BEGIN;

-- What grows with every telegram: all rows of one meter on one node. New monthly partitions of `reading` are
-- attached to a distributed table, and so distributed with it.
SELECT create_distributed_table('reading', 'meter_id');
SELECT create_distributed_table('daily_volume', 'meter_id', colocate_with => 'reading');
SELECT create_distributed_table('reading_outside_service', 'meter_id', colocate_with => 'reading');
SELECT create_distributed_table('month_volume', 'meter_id', colocate_with => 'reading');
SELECT create_distributed_table('archived_month', 'meter_id', colocate_with => 'reading');
SELECT create_distributed_table('reading_in_future', 'meter_id', colocate_with => 'reading');

COMMIT;

-- Local to the coordinator, on purpose; every other table with a meter_id stands here with its reason.
-- local: meter_state: one row a meter, locked by every batch over many meters at once, which Citus does not do
-- local: consumption_correction: few rows, ordinary intake writes none, and a reference to meter
-- local: doubtful_reading: few rows, a surrogate key, and a reference to meter
-- local: alert: few rows, decided beside accounts and dwellings
-- local: burst_draw: few rows
-- local: leak_checkpoint: meters with a leak only
-- local: leak_classifier_state: meters with a leak only
-- local: leak_day_flows: meters with a leak only
-- local: leak_episode: few rows
-- local: message_counter: one row a radio in mode 7
-- local: meter_alias: described by the operator; its triggers count versions, which Citus allows on local tables
-- local: meter_key: described by the operator; its triggers count versions, which Citus allows on local tables
-- local: recurring_draw: few rows
-- local: slow_leak_hint: few rows
