"""A colour for each category: the same in every scene, and far from the others.

The colours are the farthest points of a grid in OKLab (Ottosson, 2020), greys, near-black and
near-white left out, each as far as possible from those before it.
"""

from __future__ import annotations

import hashlib

Colour = tuple[int, int, int]

_COLOURS = (
    "ff00ff 00ff00 693c00 0000f0 87c3ff ffa500 f0004b 690087 00962d 006996 9669ff ff96d2 5affd2 "
    "a55a87 e1f03c a5780f 0087ff 2db4a5 005a1e 87003c c300a5 a5b41e 6900e1 e17869 b43c00 2d2da5 "
    "b400f0 00d269 7887c3 e178ff ff4bb4 ffe196 ffb4a5 693c69 784bb4 c3a5ff 96d296 2d8769 00e1f0 "
    "0fa5e1 4b4bff c30069 87ff78 ff4b00 b45ac3 696900 c387b4 78964b 960f78 005ac3 960fb4 ffc3ff "
    "c3a55a e15a87 3c3c78 871e00 8796ff e1c31e 87d200 964b4b 5a69e1 f07800 c3f096 3c00d2 5a5a96 "
    "00b400 d23ce1 b4694b b4002d f000c3 0096a5 4bb469 875a1e 00d2a5 1e782d 3c78c3 d24b4b ff5af0 "
    "ff9669 5a2db4 873ce1 8769a5 d24ba5 f00087 1ee12d ff5a69 69a50f ff8796 a578e1 2df096 d278d2 "
    "d25a00 5ac3d2 003cd2 e1c378 004b96"
)

# VSI-Bench's categories, those in most scenes first: they get the colours farthest apart, each
# its own. Other names share the rest by hash.
_COMMON = (
    "table, chair, door, tv, sofa, bed, trash bin, window, refrigerator, stool, toilet, "
    "monitor, pillow, backpack, ceiling light, bathtub, stove, keyboard, washer, heater, "
    "telephone, bookshelf, mirror, fireplace, lamp, trash can, whiteboard, computer mouse, "
    "microwave, printer, plant, radiator, counter, nightstand, towel, cup, clock, computer "
    "tower, dishwasher, laptop, power strip, exhaust fan, blanket, closet, kettle, basket, "
    "cutting board, fan, shoes, suitcase, bucket, coat hanger, crate, pan, bowl, headphones, "
    "shoe rack, table lamp, cushion, guitar, mattress, oven, paper bag, piano, washing "
    "machine"
)

PALETTE: tuple[Colour, ...] = tuple(
    (int(text[:2], 16), int(text[2:4], 16), int(text[4:], 16)) for text in _COLOURS.split()
)
_PLACE = {name: place for place, name in enumerate(_COMMON.split(", "))}


def colour_of(category: str) -> Colour:
    """RGB of a category, from its name alone."""
    place = _PLACE.get(category)
    if place is None:
        digest = hashlib.sha256(category.encode()).digest()
        rest = len(PALETTE) - len(_PLACE)
        place = len(_PLACE) + int.from_bytes(digest[:8]) % rest
    return PALETTE[place]
