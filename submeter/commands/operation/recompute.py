"""`submeter recompute`: volumes, leaks and alerts made anew from the stored readings."""

from datetime import UTC, date, datetime
from typing import Annotated

from cyclopts import Parameter

from core.access import SYSTEM
from core.services.operation.recomputation import Progress, Selection, recompute_fleet
from submeter.application import opened
from submeter.commands.ingest import progress_bar
from submeter.output import counted, err, out, print_json


async def recompute(
    *,
    since: Annotated[date, Parameter(name="--from")],
    meters: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = (),
    residence: tuple[str, str] | None = None,
    anew: bool = False,
    json: bool = False,
) -> None:
    """Recompute volumes, leaks and alerts from the stored readings, of all meters or of some.

    Where they are right, nothing is changed. It may run beside servers and workers: a batch of meters is one
    transaction, which locks them as intake does. After an interruption the same command goes on where it was.

    Args:
        since: the first day that may be wrong, YYYY-MM-DD; what is stored of the days before is believed.
        meters: radio addresses or aliases of meters; all by default.
        residence: codes of an operator and of its residence: its meters alone.
        anew: begin at the first meter, whatever an interrupted run has done.
        json: print the summary as JSON.
    """
    async with opened() as application:
        with progress_bar("Recomputing meters", None) as advance:
            shown: int | None = None

            def show(reached: Progress) -> None:
                nonlocal shown
                if shown is None and reached.meters:
                    err.print(
                        f"Goes on after {counted(reached.meters, 'meter')} of a run that began on"
                        f" {reached.begun_at:%Y-%m-%d %H:%M} UTC; --anew begins at the first.",
                        soft_wrap=True,
                    )
                advance.of(reached.of)
                advance(reached.meters - (shown or 0))
                shown = reached.meters

            done = await recompute_fleet(
                application,
                SYSTEM,
                Selection(since, meters, residence),
                anew=anew,
                clock=lambda: datetime.now(UTC),
                progress=show,
            )
    changed = done.changed
    if json:
        print_json(
            {
                "meters": done.meters,
                "days": changed.days,
                "alerts": changed.alerts,
                "messages": changed.messages,
            }
        )
        return
    out.print(
        f"{counted(done.meters, 'meter')} recomputed: {counted(changed.days, 'day')} had another volume,"
        f" {counted(changed.alerts, 'alert')} changed, {counted(changed.messages, 'message')} queued."
    )
