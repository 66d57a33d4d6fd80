"""The files of pictures: labelled, and written one after the other as they are drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tractcap.drawing import labels
from tractcap.drawing.animation import encode
from tractcap.drawing.draw import Picture, Scene
from tractcap.drawing.views import VIEWS
from tractcap.files import write_whole
from tractcap.work.picture_record import SOFTWARE, PictureFacts, note, words

PAGE = 1024
"""Most pixels along a view in the mosaic: of larger views it has smaller copies."""


class Pictures:
    """Takes views and frames as they are drawn; the mosaic and the animations are made at the end."""

    def __init__(self, folder: Path, stem: str, scene: Scene, facts: PictureFacts) -> None:
        self._folder, self._stem, self._scene, self._facts = folder, stem, scene, facts
        self._pages: list[Image.Image] = []
        self._frames: list[NDArray[np.uint8]] = []
        self._names: list[str] = []
        self._words = words(facts, None)

    def take(self, drawn: Picture) -> None:
        """Label a picture; a view is written, a frame of the turntable is kept."""
        self._words = words(self._facts, drawn.scale)
        image = Image.fromarray(drawn.pixels)
        look = self._scene.options
        turning = drawn.view.name not in VIEWS
        said = "" if turning else note(self._facts, drawn.view)
        shown = replace(drawn.view, name="") if turning else drawn.view
        labels.label(image, shown, self._scene.frame, look.background, said)
        if not turning:
            self._pages.append(_page(image))
        labels.head(image, self._words)
        if turning:
            self._frames.append(np.asarray(image))
        else:
            self._save(f"{self._stem}_view-{drawn.view.name}.png", image, image.width / self._scene.frame.width)

    def finish(self) -> list[str]:
        """Write what is made of several pictures; returns the names of all files, the mosaic's last."""
        for kind in self._scene.options.animation:
            self._animate(kind)
        self._frames = []
        page = self._pages[0].width / self._scene.frame.width
        self._save(f"{self._stem}_mosaic.png", labels.mosaic(self._pages, self._words), page)
        return self._names

    def _animate(self, kind: str) -> None:
        name = f"{self._stem}_turntable.{kind}"
        words = self._words
        write_whole(
            self._folder / name,
            lambda file: encode(self._frames, kind, file, title=words.title, software=SOFTWARE),
        )
        self._names.append(name)

    def _save(self, name: str, image: Image.Image, pixels_per_mm: float) -> None:
        # the resolution is the anatomy's: a viewer that knows it shows true sizes
        dpi, text = pixels_per_mm * 25.4, self._text()
        write_whole(self._folder / name, lambda file: image.save(file, "PNG", dpi=(dpi, dpi), pnginfo=text))
        self._names.append(name)

    def _text(self) -> PngInfo:
        """What made the picture, for whoever finds it without the files beside it."""
        told = {
            "Title": self._words.title,
            "Description": ". ".join([self._words.subtitle, *self._words.warnings]),
            "Software": SOFTWARE,
            "Source": "\n".join(one["source"]["name"] for one in self._facts.bundles),
        }
        text = PngInfo()
        for key, value in told.items():
            text.add_itxt(key, value.encode(errors="backslashreplace").decode())  # a name may be no UTF-8
        return text


def _page(image: Image.Image) -> Image.Image:
    if image.width <= PAGE:
        return image.copy()
    return image.resize((PAGE, PAGE), Image.Resampling.BOX if image.width % PAGE == 0 else Image.Resampling.LANCZOS)
