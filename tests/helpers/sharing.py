"""Shares of the work, as a run takes them."""

from collections.abc import Sequence

from tractcap.inputs.tractogram_source import Source
from tractcap.records.tractogram_piece import Piece
from tractcap.work.disk_spool import Spool
from tractcap.work.shard import Shard, Shares


def all_shares(sources: Sequence[Source], count: int, pictures: int = 1) -> list[dict[Source, tuple[Piece, ...]]]:
    """What of which tractograms is in each of so many shares."""
    people: Spool[Source] = Spool()
    for source in sources:
        people.add(source.participant, [source])
    of_each = [Shares(Shard(index, count), people, pictures) for index in range(1, count + 1)]
    return [
        {source: some for who in people for source, some in shares.of(who, people.of(who)).items()}
        for shares in of_each
    ]
