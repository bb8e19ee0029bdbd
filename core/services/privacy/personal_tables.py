"""Every table, and what a person's archive takes of it (GDPR Art. 15 and 20).

In: nothing. Out: statements by table, and the reason of each table that an archive leaves out. The one
rule: a table is in one of the two, which a test holds against all tables of the database; and a statement
gives the person's own rows alone: of the account, or of the days of the own occupancies. What proves who
somebody is (hashes, keys, codes) is in no statement.

`$1` is the account. Of the tables of a home, `k` holds the occupancies: dwelling, account, and first and
last day as days and as epoch seconds. Each statement ends in a condition, has the alias `t` for the table,
and is read page by page.
"""

from collections.abc import Mapping
from typing import Final

_FROM_MOVE_IN: Final = "CASE WHEN t.started_on < k.first_day THEN k.first_day ELSE t.started_on END"
_UNTIL_MOVE_OUT: Final = "CASE WHEN t.ended_on > k.last_day THEN NULL ELSE t.ended_on END"


def _within(column: str) -> str:
    """A figure of a leak or an alert, if all of it lies in the occupancy: else it is somebody else's too."""
    whole = "t.started_on >= k.first_day AND (t.ended_on IS NULL OR t.ended_on <= k.last_day)"
    return f"CASE WHEN {whole} THEN {column} END"


def _as_number(day: str) -> str:
    """A day as `daily_volume` writes days: 20261122."""
    return f"CAST(REPLACE(CAST({day} AS TEXT), '-', '') AS INTEGER)"


OF_ACCOUNT: Final[Mapping[str, str]] = {
    "account": "SELECT t.id, t.email, t.civility, t.first_name, t.last_name, t.phone_e164, t.language,"
    " t.leak_by_email, t.leak_by_sms, t.over_consumption_by_email, t.over_consumption_by_sms,"
    " t.new_document_by_email, t.new_document_by_sms, t.slow_leak_by_email, t.role, t.password_changed_at,"
    " t.terms_version, t.terms_accepted_at, t.phone_confirmed_at, t.second_factor_since, t.privacy_version,"
    " t.newsletter_since, t.created_at FROM account t WHERE t.id = $1",
    "operator": "SELECT t.id, t.code, t.name FROM operator t WHERE t.id ="
    " (SELECT operator_id FROM account WHERE id = $1)",
    "session": "SELECT t.id, t.user_agent, t.address, t.created_at, t.last_seen_at, t.expires_at,"
    " t.revoked_at FROM session t WHERE t.account_id = $1",
    "device": "SELECT t.id, t.created_at, t.last_used_at FROM device t WHERE t.account_id = $1",
    "access_token": "SELECT t.id, t.name, t.scopes, t.created_at, t.expires_at, t.last_used_at, t.revoked_at"
    " FROM access_token t WHERE t.account_id = $1",
    "occupancy": "SELECT t.id, t.dwelling_id, t.kind, t.move_in, t.move_out, t.access_until, t.attested_at,"
    " t.council_member FROM occupancy t WHERE t.account_id = $1",
    "consent_record": "SELECT t.id, t.occupancy_id, t.purpose, t.state, t.author, t.text_version,"
    " t.evidence_reference, t.recorded_at FROM consent_record t WHERE t.occupancy_id IN"
    " (SELECT id FROM occupancy WHERE account_id = $1)",
    "account_consent": "SELECT t.id, t.purpose, t.state, t.text_version, t.recorded_at, t.details"
    " FROM account_consent t WHERE t.account_id = $1",
    "consumption_limit": "SELECT t.id, t.dwelling_id, t.fluid, t.period, t.amount, t.set_at"
    " FROM consumption_limit t WHERE t.account_id = $1",
    "dwelling_request": "SELECT t.id, t.dwelling_id, t.kind, t.state, t.occupancy_kind, t.move_in,"
    " t.attested_at, t.council_member, t.manager_daily_data, t.opened_at, t.decided_at"
    " FROM dwelling_request t WHERE t.account_id = $1",
    "registration": "SELECT t.id, t.language, t.step, t.kind, t.residence_id, t.dwelling_id, t.move_in,"
    " t.civility, t.first_name, t.last_name, t.email, t.phone_e164, t.newsletter, t.created_at, t.expires_at"
    " FROM registration t WHERE t.email IN (SELECT email FROM account WHERE id = $1)",
    "outbox_message": 'SELECT t.id, t.channel, t.template, t.language, t.recipient, t."values", t.state,'
    " t.created_at, t.sent_at FROM outbox_message t WHERE t.account_id = $1",
    "alert_action": "SELECT t.id, t.alert_id, t.action, t.done_at, t.repaired_at, t.reason, t.snoozed_until,"
    " t.note FROM alert_action t WHERE t.account_id = $1",
    "recurring_draw_answer": "SELECT t.id, t.recurring_id, t.answer, t.answered_at"
    " FROM recurring_draw_answer t WHERE t.account_id = $1",
    "slow_leak_hint": "SELECT t.id, t.meter_id, t.started_on, t.judged_on, t.ended_on, t.flow_lph,"
    " t.hinted_at FROM slow_leak_hint t WHERE t.account_id = $1",
    "fine_data_purge": "SELECT t.id, t.dwelling_id, t.kept_from, t.purged_at, t.readings"
    " FROM fine_data_purge t WHERE t.account_id = $1",
    "data_export": "SELECT t.id, t.state, t.requested_at, t.ready_at, t.expires_at FROM data_export t"
    " WHERE t.account_id = $1",
    "third_party_grant": "SELECT t.id, t.dwelling_id, t.provider, t.contact, t.fluids, t.resolution,"
    " t.first_day, t.last_day, t.created_at, t.last_used_at, t.revoked_at FROM third_party_grant t"
    " WHERE t.account_id = $1",
    "household_member": "SELECT t.id, t.dwelling_id, t.name, t.email, t.invited_at, t.accepted_at,"
    " t.revoked_at FROM household_member t WHERE (t.holder_id = $1 OR t.member_id = $1)",
    "managed_residence": "SELECT t.id, t.residence_id, t.granted_at, t.administrator"
    " FROM managed_residence t WHERE t.account_id = $1",
    "issued_paper": "SELECT t.id, t.code, t.kind, t.dwelling_id, t.first_day, t.last_day, t.issued_at,"
    " t.file_name, t.sha256 FROM issued_paper t WHERE (t.account_id = $1 OR t.occupancy_id IN"
    " (SELECT id FROM occupancy WHERE account_id = $1))",
    "audit_record": "SELECT t.id, t.at, t.act, t.subject, t.subject_id, t.role,"
    " CASE WHEN t.actor_id = $1 THEN t.address END AS address, t.details FROM audit_record t"
    " WHERE (t.actor_id = $1 OR (t.subject = 'account' AND t.subject_id = $1)"
    " OR (t.subject = 'dwelling' AND t.act = 'DATA_ACCESSED' AND EXISTS (SELECT 1 FROM occupancy o"
    " WHERE o.account_id = $1 AND o.dwelling_id = t.subject_id AND t.at >= o.move_in"
    " AND (o.move_out IS NULL OR t.at < o.move_out))))",
}
"""The rows of the account."""

OF_HOME: Final[Mapping[str, str]] = {
    "dwelling": "SELECT DISTINCT t.id, t.residence_id, t.building, t.staircase, t.floor, t.number, t.lot,"
    " t.surface_m2 FROM k JOIN dwelling t ON t.id = k.dwelling_id WHERE 1 = 1",
    "residence": "SELECT DISTINCT t.id, t.code, t.name, t.street, t.postcode, t.city, t.time_zone,"
    " t.water_price_eur_per_m3 FROM k JOIN dwelling d ON d.id = k.dwelling_id"
    " JOIN residence t ON t.id = d.residence_id WHERE 1 = 1",
    "meter": "SELECT DISTINCT t.id, t.dwelling_id, t.fluid, t.vendor, t.printed_serial, t.radio_address,"
    " t.location, t.installed_at, t.removed_at FROM k JOIN meter t ON t.dwelling_id = k.dwelling_id"
    " WHERE 1 = 1",
    "meter_alias": "SELECT DISTINCT t.id, t.meter_id, t.radio_address, t.added_at FROM k"
    " JOIN meter m ON m.dwelling_id = k.dwelling_id JOIN meter_alias t ON t.meter_id = m.id WHERE 1 = 1",
    "alert": "SELECT DISTINCT t.id, t.kind, t.dwelling_id,"  # noqa: S608 - our own words
    " t.meter_id, t.fluid, t.own_limit,"
    f" {_FROM_MOVE_IN} AS started_on, {_UNTIL_MOVE_OUT} AS ended_on, {_within('t.amount')} AS amount,"
    f" t.threshold, {_within('t.raised_at')} AS raised_at, t.repaired_at, t.snoozed_until"
    " FROM k JOIN alert t ON t.dwelling_id = k.dwelling_id"
    " AND t.started_on <= k.last_day AND (t.ended_on IS NULL OR t.ended_on >= k.first_day)"
    " WHERE (t.account_id IS NULL OR t.account_id = k.account_id)",
    "leak_episode": "SELECT DISTINCT t.id, t.meter_id,"  # noqa: S608 - our own words
    f" {_FROM_MOVE_IN} AS started_on,"
    f" {_UNTIL_MOVE_OUT} AS ended_on, {_within('t.level_at_opening')} AS level_at_opening,"
    f" {_within('t.level_now')} AS level_now, {_within('t.level_max')} AS level_max,"
    f" {_within('t.loss_litres')} AS loss_litres, {_within('t.mean_flow_lph')} AS mean_flow_lph,"
    f" {_within('t.detected_at')} AS detected_at"
    " FROM k JOIN meter m ON m.dwelling_id = k.dwelling_id JOIN leak_episode t ON t.meter_id = m.id"
    " AND t.started_on <= k.last_day AND (t.ended_on IS NULL OR t.ended_on >= k.first_day) WHERE 1 = 1",
    "burst_draw": "SELECT DISTINCT t.id, t.meter_id, t.shown_from_s, t.shown_until_s, t.litres, t.flow_lph"
    " FROM k JOIN meter m ON m.dwelling_id = k.dwelling_id JOIN burst_draw t ON t.meter_id = m.id"
    " AND t.shown_from_s BETWEEN k.first_s AND k.last_s WHERE 1 = 1",
    "recurring_draw": "SELECT DISTINCT t.id, t.meter_id, t.first_on, t.last_on, t.draws, t.minute_of_day,"
    " t.litres, t.asked_at FROM k JOIN meter m ON m.dwelling_id = k.dwelling_id"
    " JOIN recurring_draw t ON t.meter_id = m.id"
    " AND t.first_on BETWEEN k.first_day AND k.last_day WHERE 1 = 1",
    "document": "SELECT t.id, t.residence_id, t.dwelling_id, t.type, t.period_on, t.title, t.language,"
    " t.valid_from, t.file_name, t.media_type, t.sha256, t.figures, t.created_at FROM k"
    " JOIN document t ON t.dwelling_id = k.dwelling_id WHERE t.withdrawn_at IS NULL"
    " AND ((t.occupancy_id IS NULL AND t.shown_from BETWEEN k.first_day AND k.last_day)"
    " OR t.occupancy_id IN (SELECT id FROM occupancy o WHERE o.account_id = k.account_id))",
    "consumption_correction": "SELECT DISTINCT t.id, t.meter_id, t.day, t.amount_before,"  # noqa: S608 - our words
    " t.amount_after, t.reason, t.corrected_at FROM k JOIN meter m ON m.dwelling_id = k.dwelling_id"
    " JOIN consumption_correction t ON t.meter_id = m.id"
    f" AND t.day BETWEEN {_as_number('k.first_day')} AND {_as_number('k.last_day')} WHERE 1 = 1",
    "doubtful_reading": "SELECT DISTINCT t.id, t.meter_id, t.read_at, t.index_value, t.received_at, t.doubt"
    " FROM k JOIN meter m ON m.dwelling_id = k.dwelling_id JOIN doubtful_reading t ON t.meter_id = m.id"
    " AND t.read_at BETWEEN k.first_s AND k.last_s WHERE 1 = 1",
}
"""The rows of the homes, of the days of the own occupancies."""

SERIES: Final[Mapping[str, tuple[str, str, str]]] = {
    "reading": ("read_at", "read_at, index_value, status_bits, received_at", "s"),
    "reading_outside_service": ("read_at", "read_at, index_value, received_at", "s"),
    "reading_in_future": ("read_at", "read_at, index_value, received_at", "s"),
    "daily_volume": ("day", "day, amount, quality", "number"),
    "month_volume": ("first_day", "first_day, last_day, amount", "number"),
}
"""The series of the meters: the column of time, the columns, and in what the occupancy is compared with "
"it."""

_OF_THE_INSTALLATION: Final = "about the installation, and no person"
_OF_THE_METER: Final = "about telegrams of the meter; what it read is in `reading`"
_PROOF: Final = "proves who somebody is; what was done with it is in `audit_record`"
_COMPUTED: Final = "an intermediate result of the rows of `reading`; what came of it is in `leak_episode`"

NOT_EXPORTED: Final[Mapping[str, str]] = {
    "average_publication": "averages of five dwellings at least, about no person",
    "building_average": "averages of five dwellings at least, about no person",
    "degree_day": "the weather at a station, about no person",
    "emission_factor": _OF_THE_INSTALLATION,
    "tariff": _OF_THE_INSTALLATION,
    "analysis_publication": "statistics of five dwellings at least, about no person",
    "analysis_row": "statistics of five dwellings at least, about no person",
    "archived_month": "opened by the operator alone, in a dispute (CN-03); given out on a letter",
    "challenge": _PROOF,
    "compact_format": _OF_THE_METER,
    "data_export_part": "the archives themselves",
    "dead_letter": "lines that could not be read, so nobody knows whose",
    "directory_version": _OF_THE_INSTALLATION,
    "gateway": _OF_THE_INSTALLATION,
    "leak_checkpoint": _COMPUTED,
    "leak_classifier_state": _COMPUTED,
    "leak_day_flows": _COMPUTED,
    "message_counter": _OF_THE_METER,
    "meter_key": _PROOF,
    "meter_state": _OF_THE_METER,
    "periodic_job": _OF_THE_INSTALLATION,
    "recomputation": _OF_THE_INSTALLATION,
    "recovery_code": _PROOF,
    "residence_document": "documents for managers, about a residence",
    "retention_mark": _OF_THE_INSTALLATION,
    "retention_run": _OF_THE_INSTALLATION,
}
"""The tables that an archive leaves out, each with the reason, which the archive states too."""
