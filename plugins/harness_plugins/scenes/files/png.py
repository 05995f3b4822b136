"""Colour and depth pictures in PNG files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from harness.errors import SceneError

# ARKitScenes' largest pictures have 1920 x 1440.
MOST_PIXELS = 16_000_000


def read_colour(path: Path) -> NDArray[np.uint8]:
    """(h, w, 3) RGB.

    Raises:
        SceneError: the file is missing, no PNG, damaged or of more than 16 million pixels.
    """
    return np.asarray(_opened(path).convert("RGB"))


def read_depth(path: Path) -> NDArray[np.float64]:
    """(h, w) metres from 16-bit millimetres; 0 where nothing was measured.

    Raises:
        SceneError: as `read_colour`, or the picture is no 16-bit greyscale.
    """
    image = _opened(path)
    if image.mode not in ("I;16", "I;16B", "I"):
        raise SceneError(f"{path}: a picture of mode {image.mode}, expected 16-bit greyscale")
    return np.asarray(image, dtype=np.float64) / 1000.0


def _opened(path: Path) -> Image.Image:
    try:
        with path.open("rb") as file:
            head = file.read(24)
        # Before Pillow sees it, which only warns of very large ones.
        _check_size(path, int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big"))
        with Image.open(path, formats=["PNG"]) as image:
            _check_size(path, *image.size)
            image.load()
            return image.copy()
    except FileNotFoundError as error:
        raise SceneError(f"{path}: no such file; download it") from error
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        SyntaxError,
        ValueError,
    ) as error:
        raise SceneError(f"{path}: no readable PNG ({error}); download it again") from error


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise SceneError(f"{path}: {width} x {height} pixels, expected at most {MOST_PIXELS}")
