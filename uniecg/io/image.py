"""Pictures of ECG pages: reading them and turning them into ink on white at a fixed size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import FormatError, InputError

__all__ = ["PAGE_SIZE_PX", "PAGE_SUFFIXES", "page_to_gray", "read_page"]

PAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")

# Height and width of UniECG's own page (180 mm x 280 mm) at 4 px a mm.
PAGE_SIZE_PX = (720, 1120)

# Ink fainter than this (255 is paper) is not stretched to black: an empty page stays empty.
_MAX_DARKEST = 215
# Less mean ink than this is a page without a trace.
_MIN_COVER = 0.003


def read_page(path: str | Path) -> npt.NDArray[np.uint8]:
    """Read a picture of an ECG page.

    Parameters
    ----------
    path : str or Path
        PNG, JPEG, BMP, TIFF or WebP file.

    Returns
    -------
    ndarray, shape (H, W) or (H, W, 3), uint8
        Grey or RGB; transparent parts are white, photos are turned upright as their camera says.

    Raises
    ------
    InputError
        If the file is missing or cannot be opened.
    FormatError
        If it is not a readable picture.
    """
    import cv2  # 0.1 s: loaded only where a picture is read

    path = Path(path)
    if path.suffix.lower() not in PAGE_SUFFIXES:
        raise FormatError(f"{path}: unknown kind of picture; known are {' '.join(PAGE_SUFFIXES)}")
    if not path.exists():
        raise InputError(f"{path} does not exist; check the name")
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    # Only IMREAD_UNCHANGED gives the alpha channel, but it ignores the camera's orientation.
    flags = cv2.IMREAD_UNCHANGED if path.suffix.lower() == ".png" else cv2.IMREAD_COLOR
    try:
        image = cv2.imdecode(data, flags) if data.size else None
    except cv2.error as error:
        raise FormatError(f"{path} is too large or damaged; save it again as PNG or JPEG") from error
    if image is None:
        raise FormatError(f"{path} is not a readable picture; save it again as PNG or JPEG")
    if image.dtype == np.uint16:
        image = image // 257
    if image.ndim == 3 and image.shape[2] == 4:
        alpha = image[..., 3:].astype(np.float32) / 255
        image = image[..., :3] * alpha + 255 * (1 - alpha)
    if image.ndim == 3:
        image = image[..., ::-1]
    return np.ascontiguousarray(image.astype(np.uint8))


def page_to_gray(
    image: npt.NDArray[np.uint8], size: tuple[int, int] = PAGE_SIZE_PX
) -> npt.NDArray[np.float32]:
    """Turn the picture of a page into ink on white, the whole page fitted into a fixed size.

    The brightest of the three colours is taken, in which a red, pink, orange, green or blue grid all but
    vanishes while a black trace stays; paper that is grey or unevenly lit is levelled to white. The page
    keeps its proportions, is never cropped, and is centred on white.

    Parameters
    ----------
    image : ndarray, shape (H, W) or (H, W, 3), uint8
        Grey or RGB.
    size : tuple of int
        Height and width of the result; the default gives a page of UniECG 4 px a mm.

    Returns
    -------
    ndarray, shape size, float32
        Ink from 0 (paper) to 1 (black trace).

    Raises
    ------
    InputError
        If the array is not a picture.
    """
    import cv2

    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3) or 0 in image.shape:
        raise InputError(f"a page must be an array (H, W) or (H, W, 3), got {image.shape}")
    height, width = image.shape[:2]
    scale = min(size[0] / height, size[1] / width)
    fitted = (min(size[1], max(1, round(width * scale))), min(size[0], max(1, round(height * scale))))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(np.asarray(image, np.uint8), fitted, interpolation=interpolation)
    if small.ndim == 2:
        ink = _ink(small)
    else:
        red, green, blue = cv2.split(small)
        ink = _ink(cv2.max(cv2.max(red, green), blue))
        if float(ink.mean()) < _MIN_COVER:
            # A coloured trace on white leaves nothing in the brightest colour: take the darkest instead.
            ink = _ink(cv2.min(cv2.min(red, green), blue))
    page = np.zeros(size, np.float32)
    top, left = (size[0] - ink.shape[0]) // 2, (size[1] - ink.shape[1]) // 2
    page[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return page


def _ink(gray: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return ink 0..1 relative to the paper around each point and to the darkest ink of the page."""
    import cv2

    if _quantile(gray, 0.5) < 90:  # a bright trace on a dark monitor
        gray = 255 - gray
    height, width = gray.shape
    # The paper is what remains when all that is thinner than a letter is removed; judged at 1/8 of the size.
    small = cv2.resize(gray, (max(1, width // 8), max(1, height // 8)), interpolation=cv2.INTER_AREA)
    kernel = np.ones((7, 7), np.uint8)
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    paper = cv2.resize(cv2.blur(paper, (7, 7)), (width, height), interpolation=cv2.INTER_LINEAR)
    level = cv2.divide(gray, np.maximum(paper, 1), scale=255)
    darkest = min(_quantile(level, 0.002), _MAX_DARKEST)
    to_ink = np.clip((255 - np.arange(256)) / (255 - darkest), 0, 1).astype(np.float32)
    ink: npt.NDArray[np.float32] = cv2.LUT(level, to_ink)
    return ink


def _quantile(gray: npt.NDArray[np.uint8], share: float) -> int:
    """Return the grey level below which a share of the page lies."""
    import cv2

    counts = cv2.calcHist([gray], [0], None, [256], [0, 256]).ravel()
    return int(np.searchsorted(np.cumsum(counts), share * gray.size))
