"""Records of tractograms: what an earlier run has left, whether it is what this run would draw, and what has none.

The record beside the pictures is written last. It says what they were made of: the files by their sizes and times, the
version, the options and the frame. Pictures whose sizes aren't those that it gives are drawn again.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from tractcap.errors import RecordError
from tractcap.inputs.search import Source, fingerprint
from tractcap.records import tractogram_sidecar
from tractcap.records.sidecar_fields import BUNDLE, DRAWN, FAILED, THIS_PROGRAM, BundleRecord, Identity
from tractcap.records.tractogram_sidecar import DrawnRecord, UndrawnRecord
from tractcap.records.worker_requests import Draw, SourceState
from tractcap.version import __version__

log = logging.getLogger("tractcap")


def identity_of(source: Source, status: str = DRAWN) -> Identity:
    """What every record says first of a tractogram: whose it is, and what became of it."""
    return Identity(
        kind=BUNDLE,
        status=status,
        participant=source.participant,
        session=source.session,
        title=source.title,
        bundle=BundleRecord(**asdict(source.bundle)),
        variant=dict(source.variant),
    )


def record_path(output: Path, source: Source) -> Path:
    """Where a tractogram's record lies."""
    return tractogram_sidecar.place(output / source.folder, source.stem)


def load_earlier(path: Path, sources: Sequence[SourceState], *, warn: bool = True) -> DrawnRecord | None:
    """The record of pictures, if it is of these sources and this version, and the pictures are all there.

    Parameters
    ----------
    warn : log of one that can't be understood that its pictures are drawn anew.
    """
    try:
        record = tractogram_sidecar.load(path)
    except FileNotFoundError:
        return None
    except RecordError as error:
        if warn:
            log.warning("%s Its pictures are drawn anew", error)
        return None
    if not isinstance(record, DrawnRecord) or not record.extent:
        return None
    states = tuple(source.bytes for source in sources), tuple(source.modified for source in sources)
    if (record.source_bytes, record.source_modified) != states or record.generated_by[0].version != __version__:
        return None
    sizes = tuple(file_size(path.with_name(name)) for name in record.pictures)
    return record if sizes == record.picture_bytes else None


def file_size(path: Path) -> int | None:
    """Bytes of a file, None where it is gone."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def write_undrawn(output: Path, source: Source, status: str, why: str, known: SourceState | None = None) -> None:
    """Write the record of a tractogram that has no pictures; one of pictures of the same file stays.

    Parameters
    ----------
    known : the state of the tractogram with the files of values beside it, if that is known: pictures may be of that
        state, or of the tractogram alone, before such a file came.

    Raises
    ------
    OSError
        When it can't be written.
    """
    path = record_path(output, source)
    try:
        alone = SourceState(source.name, *fingerprint(source.path))
    except OSError:
        alone = SourceState(source.name, 0, 0)
    try:
        earlier = tractogram_sidecar.load(path)
    except (FileNotFoundError, RecordError):
        earlier = None
    state = known or alone
    if isinstance(earlier, DrawnRecord):
        drawn = earlier.source_bytes, earlier.source_modified
        if drawn in [((known_state.bytes,), (known_state.modified,)) for known_state in (alone, state)]:
            return
    _undrawn_record(identity_of(source, status), [state], why).write(path)


def write_unmerged(request: Draw, why: str) -> None:
    """Write the record of a tractogram of which pieces are missing."""
    sources = [bundle.source for bundle in request.bundles]
    identity = replace(request.identity, status=FAILED)
    record = _undrawn_record(identity, sources, f"{identity.title}: {why}")
    record.write(tractogram_sidecar.place(Path(request.folder), request.stem))


def _undrawn_record(identity: Identity, sources: Sequence[SourceState], why: str) -> UndrawnRecord:
    return UndrawnRecord(
        **vars(identity),
        why=why,
        sources=tuple(source.name for source in sources),
        source_bytes=tuple(source.bytes for source in sources),
        source_modified=tuple(source.modified for source in sources),
        generated_by=(THIS_PROGRAM,),
    )
