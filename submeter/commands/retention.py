"""`submeter retention`: the periods of this installation, and what the last runs deleted."""

from core.access import SYSTEM
from core.retention_periods import ARCHIVE_MONTHS, MONTHLY_MONTHS
from core.services.operation.retention import retention_runs
from submeter.application import opened
from submeter.output import print_json, print_table


async def retention(*, limit: int = 20, json: bool = False) -> None:
    """List for how long consumption is kept, and what the last runs of retention deleted.

    Args:
        limit: how many runs, the newest first.
        json: print JSON.
    """
    async with opened() as application:
        runs = (await retention_runs(SYSTEM, first=limit)).items
        periods = application.settings.retention
    kept = {
        "readings: whole months beside the present one": periods.reading_months,
        "daily volumes: whole months beside the present one": periods.daily_months,
        "months that residents and managers read": MONTHLY_MONTHS,
        "months in the archive after that": ARCHIVE_MONTHS,
        "readings within the days of an occupancy: days after the move-out": periods.fine_data_days,
    }
    if json:
        listed = [{"finished_at": run.finished_at.isoformat(), "deleted": dict(run.deleted)} for run in runs]
        print_json({"periods": kept, "runs": listed})
        return
    print_table("Periods", ("data", "kept"), list(kept.items()))
    rows = [
        (run.finished_at.isoformat(timespec="minutes"), kind, count)
        for run in runs
        for kind, count in run.deleted.items()
    ]
    print_table("Deleted", ("when", "data", "rows"), rows)
