"""JPEG pictures without what cameras and programs write into them besides the picture."""

from __future__ import annotations

# Markers of application segments 0 to 15 and of comments. JFIF's (0) and Adobe's (14) tell how
# colours are stored; the others hold Exif, further pictures, profiles.
_METADATA = {*range(0xE1, 0xEE), 0xEF, 0xFE}
_START, _SCAN = b"\xff\xd8", 0xDA


def without_metadata(data: bytes) -> bytes:
    """The picture without its Exif and other metadata, about which a decoder may only complain.

    What cannot be told apart is left as it is, for the decoder to judge.
    """
    if not data.startswith(_START):
        return data
    kept, at = [_START], len(_START)
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] >= 0xC0:
        marker, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SCAN or not at + 4 <= end <= len(data):
            break
        if marker not in _METADATA:
            kept.append(data[at:end])
        at = end
    return b"".join([*kept, data[at:]])
