"""Many telegrams at once: identified and opened with what telegrams of one kind have in common.

In: telegrams, and the key of each. Out: what `core.metering.decode` answers for each. The one rule: no module
of `core.metering` outside imports this package, and nothing in it decides what a record means.
"""

from core.metering.batch.decoder import BatchDecoder, collector_at_rest
from core.metering.batch.index import OpenedIndex

__all__ = ["BatchDecoder", "OpenedIndex", "collector_at_rest"]
