"""What failed, in so many words as a person reads: a run with a hundred thousand failures has no more of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

MOST = 50
"""Sentences that are kept; the journal has all."""


@dataclass
class Failures:
    """How many there are, and sentences on the ``first`` of them."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, sentence: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < MOST:
            self.first.append(sentence)

    def __len__(self) -> int:
        return self.count

    def summary(self) -> Iterator[str]:
        """One line each, and one for all that have none."""
        yield from (f"failed: {sentence}" for sentence in self.first)
        if more := self.count - len(self.first):
            yield f"failed: and {more:,} more, which the log above and the journal name"
