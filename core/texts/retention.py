"""How long consumption is kept, as a sentence of the privacy notice (C-31, CN-03).

In: the periods that retention deletes by. Out: French and English. The one rule: the figures are those of
`core.retention_periods`, of every operator, so the notice and what is deleted cannot differ.
"""

from typing import Final

from core.language import Text
from core.retention_periods import (
    ARCHIVE_YEARS,
    DAILY_YEARS,
    FINE_DATA_DAYS,
    MONTHLY_YEARS,
    READING_YEARS,
)

CONSUMPTION_PERIODS: Final = Text(
    f"Les index et les volumes horaires sont conservés {READING_YEARS} ans au plus, et ceux de votre"
    f" occupation au plus {FINE_DATA_DAYS} jours après votre départ, ou jusqu'à ce que vous les effaciez ;"
    f" les volumes journaliers {DAILY_YEARS} ans au plus ; les volumes mensuels {MONTHLY_YEARS} ans, puis"
    f" {ARCHIVE_YEARS} ans dans une archive que ni vous ni votre gestionnaire ne consultez.",
    f"Indexes and hourly volumes are kept for {READING_YEARS} years at most, those of your occupancy for"
    f" {FINE_DATA_DAYS} days at most after you leave, or until you delete them; daily volumes for"
    f" {DAILY_YEARS} years at most; monthly volumes for {MONTHLY_YEARS} years, then for {ARCHIVE_YEARS} years"
    " in an archive that neither you nor your manager reads.",
)
