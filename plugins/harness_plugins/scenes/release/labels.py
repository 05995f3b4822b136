"""ScanNet's table of labels: what each raw label is in NYU40."""

from __future__ import annotations

from collections.abc import Mapping

# The 40 classes of NYU Depth v2 that ScanNet's meshes are labelled with; their number is the place.
NYU40 = (
    "wall", "floor", "cabinet", "bed", "chair", "sofa", "table", "door", "window", "bookshelf",
    "picture", "counter", "blinds", "desk", "shelves", "curtain", "dresser", "pillow", "mirror",
    "floor mat", "clothes", "ceiling", "books", "refridgerator", "television", "paper", "towel",
    "shower curtain", "box", "whiteboard", "person", "night stand", "toilet", "sink", "lamp",
    "bathtub", "bag", "otherstructure", "otherfurniture", "otherprop",
)  # fmt: skip
# Labels that are spelt otherwise in NYU40, or belong to a wider class there.
_WITHIN = {
    "backpack": "bag",
    "ceiling light": "lamp",
    "nightstand": "night stand",
    "refrigerator": "refridgerator",
    "tv": "television",
    **dict.fromkeys(
        (
            "closet", "dishwasher", "ottoman", "piano", "radiator", "shoe rack", "stool", "stove",
            "trash bin", "tv stand", "washing machine",
        ),
        "otherfurniture",
    ),
    "fireplace": "otherstructure",
}  # fmt: skip
# What ScanNet calls things in the column `category`, where its word is another.
_SCANNET = {"computer mouse": "mouse", "sofa": "couch", "trash bin": "trash can"}
COLUMNS = (
    "id", "raw_category", "category", "count", "nyu40id", "eigen13id", "nyuClass", "nyu40class",
    "eigen13class", "ModelNet40", "ModelNet10", "ShapeNetCore55", "synsetoffset", "wnsynsetid",
    "wnsynsetkey", "mpcat40", "mpcat40index",
)  # fmt: skip


def nyu40_id(label: str) -> int:
    """Number of the NYU40 class of a label, 1 to 40; things without a class of their own are 40."""
    name = _WITHIN.get(label, label)
    return NYU40.index(name) + 1 if name in NYU40 else len(NYU40)


def label_table(counts: Mapping[str, int]) -> str:
    """`scannetv2-labels.combined.tsv` of these labels; the columns of other taxonomies are empty.

    Args:
        counts: how often each raw label occurs in the release.
    """
    rows = ["\t".join(COLUMNS)]
    for number, (label, count) in enumerate(counts.items(), 1):
        found = nyu40_id(label)
        cells = {
            "id": number,
            "raw_category": label,
            "category": _SCANNET.get(label, label),
            "count": count,
            "nyu40id": found,
            "nyuClass": label,
            "nyu40class": NYU40[found - 1],
        }
        rows.append("\t".join(str(cells.get(column, "")) for column in COLUMNS))
    return "\n".join(rows) + "\n"
