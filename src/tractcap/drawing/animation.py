"""A turntable's frames as a film: GIF, animated WebP or MP4, which loop and play in every browser.

GIF and WebP are put together here from frames that Pillow compresses one by one: its own writers hold copies of all
frames and merge those that are alike. Everything is the same to the last byte for the same frames.
"""

import io
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from tractcap.records.options import FORMATS

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.codeccontext import VideoCodecContext

_SAMPLE = 2**18
"""Pixels of all frames together, roughly, from which the palette of a GIF is chosen."""

_KMEANS = 5
"""A cluster's changes below which its palette is good (see Pillow's quantize)."""

_UNCHANGED = 255
"""Index into a GIF's palette: what the frame before shows there stays."""

_WEBP_QUALITY = 82
"""Of 100. Fine lines don't gain visibly above it, since colours have half the resolution in any case."""

_ANIMATED, _HAS_XMP = 0x02, 0x04
"""In a WebP's head: what follows."""

_UNMIXED = b"\x02"
"""In a WebP's frame: it isn't mixed with the one before."""

_X264 = {
    "preset": "medium",
    "crf": "18",
    # each frame that is held costs memory; nearly all of the gain comes from the frame before
    "bf": "0",
    "refs": "1",
    "rc-lookahead": "5",
    "chroma_sample_location": "center",
}

_BT709 = 1
"""The code of BT.709 for primaries, transfer and matrix alike; and, as it happens, that of the limited range."""

_LUMA = (11966, 40254, 4064)
_BLUE = (-6596, -22188, 28784)
_RED = (28784, -26145, -2639)
"""BT.709, limited range: how red, green and blue mix to Y, Cb and Cr, in 1/65536."""

_MOOV = (2048, 24)
"""Bytes kept free at the start of an MP4 for its table of contents, and those for each frame."""


def encode(
    frames: Sequence[NDArray[np.uint8]],
    kind: str,
    file: BinaryIO,
    *,
    milliseconds: int = 80,
    title: str = "",
    software: str = "",
) -> None:
    """Write a looping animation.

    Parameters
    ----------
    frames : each (rows, columns, 3) uint8 RGB, all of one size; the first follows the last. None is merged or dropped.
    kind : one of :data:`FORMATS`. An MP4 has even sizes: an odd one gets its last row or column twice.
    file : open for writing at its start, and seekable.
    milliseconds : how long each frame is shown; a GIF counts in tens of them, and rounds.
    title, software : kept as text in the file.

    Raises
    ------
    ValueError
        When the kind is unknown, there is no frame, or frames or times can't be those of an animation.
    OSError
        When the file can't be written.
    MemoryError
        When the memory doesn't do.
    """
    if kind not in FORMATS:
        raise ValueError(f"there is no animation of kind {kind!r}: give one of {', '.join(FORMATS)}.")
    _check(frames, milliseconds)
    write = {"gif": _write_gif, "webp": _write_webp, "mp4": _write_mp4}[kind]
    write(frames, file, milliseconds, _plain(title), _plain(software))


def _check(frames: Sequence[NDArray[np.uint8]], milliseconds: int) -> None:
    if not len(frames):
        raise ValueError("an animation needs at least one frame, and none was given.")
    shapes = {frame.shape for frame in frames}
    if len(shapes) > 1 or len(frames[0].shape) != 3 or frames[0].shape[2] != 3:
        raise ValueError(f"the frames of an animation are (rows, columns, 3), all the same, and these are {shapes}.")
    if milliseconds < 1:
        raise ValueError(f"a frame can't be shown for {milliseconds} ms: give one at least.")


def _plain(text: str) -> str:
    """A text that UTF-8 and XML can hold: a name's bytes that are no UTF-8 are escaped."""
    whole = text.encode(errors="backslashreplace").decode()
    return "".join(letter if letter.isprintable() else " " for letter in whole)


def _write_gif(
    frames: Sequence[NDArray[np.uint8]], file: BinaryIO, milliseconds: int, title: str, software: str
) -> None:
    palette = _palette(frames)
    rows, columns = frames[0].shape[:2]
    file.write(b"GIF89a" + struct.pack("<HHBBB", columns, rows, 0b11110111, 0, 0))
    file.write(palette.ljust(3 * 256, b"\0") + b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")
    text = "\n".join(filter(None, (title, software))).encode()
    if text:
        blocks = (text[first : first + 255] for first in range(0, len(text), 255))
        file.write(b"!\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0")
    for patch, place in _patches(frames, palette):
        _write_patch(file, patch, place, max(1, round(milliseconds / 10)))
    file.write(b";")


def _write_patch(file: BinaryIO, patch: NDArray[np.uint8], place: tuple[int, int], hundredths: int) -> None:
    """A part of a GIF's frame (rows, columns), with its upper left corner at ``place``: left, top."""
    from PIL import GifImagePlugin, Image

    blocks = GifImagePlugin.getdata(  # type: ignore[no-untyped-call, unused-ignore]
        Image.fromarray(patch),
        place,
        duration=hundredths * 10,
        transparency=_UNCHANGED,
        disposal=1,
    )
    file.write(b"".join(blocks))


def _patches(
    frames: Sequence[NDArray[np.uint8]], palette: bytes
) -> Iterator[tuple[NDArray[np.uint8], tuple[int, int]]]:
    """What changes from frame to frame, as indices into the palette, and where: left, top."""
    from PIL import Image

    chosen = Image.new("P", (1, 1))
    chosen.putpalette(palette)
    before: NDArray[np.uint8] | None = None
    for frame in frames:
        # undithered: dots between fine lines are seen before their missing shades are
        now = np.array(Image.fromarray(frame).quantize(palette=chosen, dither=Image.Dither.NONE))
        now[(frame == np.frombuffer(palette[:3], np.uint8)).all(axis=-1)] = 0  # Pillow takes one that is near
        yield _patch(now, before)
        before = now


def _patch(now: NDArray[np.uint8], before: NDArray[np.uint8] | None) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    if before is None:
        return now, (0, 0)
    changed = now != before
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not len(rows):  # a frame has to have some pixel
        return np.full((1, 1), _UNCHANGED, np.uint8), (0, 0)
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.where(changed[box], now[box], np.uint8(_UNCHANGED)), (int(columns[0]), int(rows[0]))


def _palette(frames: Sequence[NDArray[np.uint8]]) -> bytes:
    """Up to 255 colours for all frames, so that nothing flickers: the first is exactly the background."""
    from PIL import Image

    sample = _sample(frames)
    packed = sample.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    colors, counts = np.unique(packed, return_counts=True)
    common = colors[counts.argmax()]
    first = int(common).to_bytes(3, "big")
    rest = sample[packed != common]
    if not len(rest):
        return first
    found = Image.fromarray(rest[None]).quantize(_UNCHANGED - 1, Image.Quantize.MEDIANCUT, _KMEANS)
    return first + bytes(found.getpalette() or ())[: 3 * (_UNCHANGED - 1)]


def _sample(frames: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pixels (N, 3) from all frames at equal distances."""
    pixels = frames[0].shape[0] * frames[0].shape[1]
    step = -(-len(frames) * pixels // _SAMPLE)
    return np.concatenate([frame.reshape(-1, 3)[number % step :: step] for number, frame in enumerate(frames)])


def _write_webp(
    frames: Sequence[NDArray[np.uint8]], file: BinaryIO, milliseconds: int, title: str, software: str
) -> None:
    rows, columns = frames[0].shape[:2]
    start = file.tell()
    size = _24(columns - 1) + _24(rows - 1)
    file.write(b"RIFF\0\0\0\0WEBP" + _chunk(b"VP8X", struct.pack("<I", _ANIMATED | _HAS_XMP) + size))
    file.write(_chunk(b"ANIM", struct.pack("<IH", 0, 0)))
    for frame in frames:
        head = bytes(6) + size + _24(milliseconds) + _UNMIXED
        file.write(_chunk(b"ANMF", head + _still(frame)))
    file.write(_chunk(b"XMP ", _xmp(title, software)))
    end = file.tell()
    file.seek(start + 4)
    file.write(struct.pack("<I", end - start - 8))
    file.seek(end)


def _still(frame: NDArray[np.uint8]) -> bytes:
    """A frame as WebP has it, without the file around it."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(frame).save(file, "WEBP", quality=_WEBP_QUALITY, method=4)
    return file.getvalue()[len(b"RIFF....WEBP") :]


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _24(number: int) -> bytes:
    return number.to_bytes(3, "little")


def _xmp(title: str, software: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>'
        f"<xmp:CreatorTool>{escape(software)}</xmp:CreatorTool></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def _write_mp4(
    frames: Sequence[NDArray[np.uint8]], file: BinaryIO, milliseconds: int, title: str, software: str
) -> None:
    import av

    most, each = _MOOV
    room = most + each * len(frames) + len((title + software).encode())
    try:
        with av.open(file, "w", format="mp4", options={"moov_size": str(room)}) as container:
            container.metadata.update({"title": title, "comment": software})
            _film(frames, container, Fraction(1000, milliseconds))
    except av.FFmpegError as error:
        raise _cause(error) from None


def _film(frames: Sequence[NDArray[np.uint8]], container: "OutputContainer", rate: Fraction) -> None:
    import av

    stream = container.add_stream("libx264", rate=rate, options=_X264)
    _set_up(stream.codec_context, *frames[0].shape[:2])
    for frame in frames:
        container.mux(stream.encode(av.VideoFrame.from_ndarray(_yuv(frame), format="yuv420p")))
    container.mux(stream.encode())


def _cause(error: Exception) -> BaseException:
    """What FFmpeg's error came from: the file's own; or memory, which is all that x264 may lack with fixed options."""
    from av.error import ExternalError

    if isinstance(error.__context__, OSError):
        return error.__context__
    if isinstance(error, ExternalError):
        return MemoryError(f"x264 could not go on, most likely for lack of memory: {error}")
    return error


def _set_up(context: "VideoCodecContext", rows: int, columns: int) -> None:
    context.height, context.width = rows + rows % 2, columns + columns % 2
    context.pix_fmt = "yuv420p"
    context.thread_count = 1  # each thread takes memory, and their number would be written into the file
    context.color_range = context.colorspace = context.color_primaries = context.color_trc = _BT709


def _yuv(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB (rows, columns, 3) as planes Y, Cb and Cr, one after the other in (rows * 3 / 2, columns); sizes made even.

    In whole numbers, so that it is the same on all processors.
    """
    rows, columns = frame.shape[:2]
    even = np.pad(frame, ((0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")
    wide = even.astype(np.uint16)
    fours = wide[::2, ::2] + wide[::2, 1::2] + wide[1::2, ::2] + wide[1::2, 1::2]
    planes = _mix(even, _LUMA, 16, 16), _mix(fours, _BLUE, 128, 18), _mix(fours, _RED, 128, 18)
    return np.concatenate([plane.ravel() for plane in planes]).reshape(-1, even.shape[1])


def _mix(
    rgb: NDArray[np.uint8] | NDArray[np.uint16], weights: tuple[int, int, int], offset: int, bits: int
) -> NDArray[np.uint8]:
    """The weighted sum of red, green and blue, divided by 2 to the power of ``bits`` and rounded, plus ``offset``."""
    total = np.full(rgb.shape[:2], (offset << bits) + (1 << bits - 1), np.int32)
    for channel, weight in enumerate(weights):
        total += rgb[..., channel] * np.int32(weight)
    return (total >> bits).astype(np.uint8)
