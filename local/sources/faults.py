"""Faults between a source and its function, for tests: duplicates and delays.

Lambda delivers at least once from streams and queues (Lambda Developer Guide, "How Lambda processes records from stream
and queue-based event sources"), so every consumer must tolerate duplicate batches, at once or later.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass
class DeliveryFaults:
    """Faults per batch, decided by ``rng``, so that a seed replays them.

    Attributes:
        duplicate: probability that a successful batch is delivered again.
        duplicate_after: maximum seconds until the second delivery.
        delay: maximum seconds before a batch is delivered.
    """

    rng: random.Random = field(default_factory=lambda: random.Random(0))
    duplicate: float = 0.0
    duplicate_after: float = 0.0
    delay: float = 0.0

    def delivery_delay(self) -> float:
        """Seconds to wait before this batch."""
        return self.rng.uniform(0.0, self.delay) if self.delay else 0.0

    def repeats(self) -> bool:
        """Whether this batch is redelivered."""
        return bool(self.duplicate) and self.rng.random() < self.duplicate

    def repeat_delay(self) -> float:
        """Seconds until the second delivery."""
        return self.rng.uniform(0.0, self.duplicate_after) if self.duplicate_after else 0.0
