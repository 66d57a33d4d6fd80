"""A turntable's frames as a film: GIF, animated WebP or MP4, which loop and play in every browser.

GIF and WebP are put together here from frames that Pillow compresses one by one: its own writers hold copies of all
frames and merge those that are alike. Everything is the same to the last byte for the same frames.
"""

import io
import struct
from collections.abc import Sequence
from fractions import Fraction
from typing import BinaryIO
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from tractcap.records.options import FORMATS

_COLORS = 255
"""Of a GIF's palette, which all frames share, so that nothing flickers."""

_SAMPLE = 2**18
"""Pixels of all frames together, roughly, from which the palette of a GIF is chosen."""

_KMEANS = 5
"""A cluster's changes below which its palette is good (see Pillow's quantize)."""

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

_CONTENTS = (2048, 24)
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
        When there is too little memory.
    """
    if kind not in FORMATS:
        raise ValueError(f"there is no animation of kind {kind!r}: give one of {', '.join(FORMATS)}.")
    if not len(frames):
        raise ValueError("an animation needs at least one frame, and none was given.")
    shapes = {frame.shape for frame in frames}
    if len(shapes) > 1 or len(frames[0].shape) != 3 or frames[0].shape[2] != 3:
        raise ValueError(f"the frames of an animation are (rows, columns, 3), all the same, and these are {shapes}.")
    if milliseconds < 1:
        raise ValueError(f"a frame can't be shown for {milliseconds} ms: give one at least.")
    write = {"gif": _write_gif, "webp": _write_webp, "mp4": _write_mp4}[kind]
    write(frames, file, milliseconds, _plain(title), _plain(software))


def _plain(text: str) -> str:
    """A text that UTF-8 and XML can hold: a name's bytes that are no UTF-8 are escaped."""
    whole = text.encode(errors="backslashreplace").decode()
    return "".join(letter if letter.isprintable() else " " for letter in whole)


def _write_gif(
    frames: Sequence[NDArray[np.uint8]], file: BinaryIO, milliseconds: int, title: str, software: str
) -> None:
    """Each frame has what changed of the one before: Pillow's own writer would merge frames that are alike."""
    from PIL import GifImagePlugin, Image

    palette = _palette(frames)
    rows, columns = frames[0].shape[:2]
    file.write(b"GIF89a" + struct.pack("<HHBBB", columns, rows, 0b11110111, 0, 0))
    file.write(palette.ljust(3 * 256, b"\0") + b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")
    text = "\n".join(filter(None, (title, software))).encode()
    if text:
        blocks = (text[first : first + 255] for first in range(0, len(text), 255))
        file.write(b"!\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0")
    colors, background = Image.new("P", (1, 1)), np.frombuffer(palette[:3], np.uint8)
    colors.putpalette(palette)
    before: NDArray[np.uint8] | None = None
    for frame in frames:
        # undithered: dots between fine lines are seen before their missing shades are
        now = np.array(Image.fromarray(frame).quantize(palette=colors, dither=Image.Dither.NONE))
        now[(frame == background).all(axis=-1)] = 0  # Pillow takes one that is near
        changed = None if before is None else Image.fromarray(now != before).getbbox() or (0, 0, 1, 1)
        left, top, right, bottom = changed or (0, 0, columns, rows)
        part = Image.fromarray(np.ascontiguousarray(now[top:bottom, left:right]))
        hundredths = max(1, round(milliseconds / 10))
        file.write(b"".join(GifImagePlugin.getdata(part, (left, top), duration=10 * hundredths, disposal=1)))  # type: ignore[no-untyped-call, unused-ignore]
        before = now
    file.write(b";")


def _palette(frames: Sequence[NDArray[np.uint8]]) -> bytes:
    """Colours for all frames, chosen from pixels at equal distances: the first is exactly the background."""
    from PIL import Image

    pixels = frames[0].shape[0] * frames[0].shape[1]
    step = -(-len(frames) * pixels // _SAMPLE)
    sample = np.concatenate([frame.reshape(-1, 3)[number % step :: step] for number, frame in enumerate(frames)])
    packed = sample.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    colors, counts = np.unique(packed, return_counts=True)
    common = colors[counts.argmax()]
    background = int(common).to_bytes(3, "big")
    rest = sample[packed != common]
    if not len(rest):
        return background
    others = Image.fromarray(rest[None]).quantize(_COLORS - 1, Image.Quantize.MEDIANCUT, _KMEANS).getpalette()
    return background + bytes(others or ())[: 3 * (_COLORS - 1)]


def _write_webp(
    frames: Sequence[NDArray[np.uint8]], file: BinaryIO, milliseconds: int, title: str, software: str
) -> None:
    from PIL import Image

    def chunk(name: bytes, data: bytes) -> bytes:
        return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)

    rows, columns = frames[0].shape[:2]
    start = file.tell()
    size = (columns - 1).to_bytes(3, "little") + (rows - 1).to_bytes(3, "little")
    file.write(b"RIFF\0\0\0\0WEBP" + chunk(b"VP8X", struct.pack("<I", _ANIMATED | _HAS_XMP) + size))
    file.write(chunk(b"ANIM", struct.pack("<IH", 0, 0)))
    for frame in frames:
        still = io.BytesIO()
        Image.fromarray(frame).save(still, "WEBP", quality=_WEBP_QUALITY, method=4)
        head = bytes(6) + size + milliseconds.to_bytes(3, "little") + _UNMIXED
        file.write(chunk(b"ANMF", head + still.getvalue()[len(b"RIFF....WEBP") :]))
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>'
        f"<xmp:CreatorTool>{escape(software)}</xmp:CreatorTool></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    file.write(chunk(b"XMP ", xmp.encode()))
    end = file.tell()
    file.seek(start + 4)
    file.write(struct.pack("<I", end - start - 8))
    file.seek(end)


def _write_mp4(
    frames: Sequence[NDArray[np.uint8]], file: BinaryIO, milliseconds: int, title: str, software: str
) -> None:
    import av
    from av.error import ExternalError

    most, each = _CONTENTS
    room = most + each * len(frames) + len((title + software).encode())
    rows, columns = frames[0].shape[:2]
    try:
        with av.open(file, "w", format="mp4", options={"moov_size": str(room)}) as container:
            container.metadata.update({"title": title, "comment": software})
            stream = container.add_stream("libx264", rate=Fraction(1000, milliseconds), options=_X264)
            context = stream.codec_context
            context.height, context.width = rows + rows % 2, columns + columns % 2
            context.pix_fmt = "yuv420p"
            context.thread_count = 1  # each thread takes memory, and their number would be written into the file
            context.color_range = context.colorspace = context.color_primaries = context.color_trc = _BT709
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(_yuv(frame), format="yuv420p")))
            container.mux(stream.encode())
    except av.FFmpegError as error:
        if isinstance(error.__context__, OSError):  # the file's own
            raise error.__context__ from None
        if isinstance(error, ExternalError):  # with fixed options, x264 can run out of memory alone
            raise MemoryError(f"x264 could not go on, most likely for lack of memory: {error}") from None
        raise


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
