"""The furniture file is complete, and its sizes are those of real assets."""

import json
from importlib.resources import files

from harness_plugins.scenes.furniture import furniture, room_kinds

NAMED_BY_VSI_BENCH = {
    "backpack", "bathtub", "bed", "bookshelf", "ceiling light", "chair", "clock", "closet",
    "computer mouse", "computer tower", "counter", "cup", "cutting board", "dishwasher", "door",
    "fan", "fireplace", "guitar", "kettle", "keyboard", "lamp", "laptop", "microwave", "mirror",
    "monitor", "nightstand", "piano", "pillow", "plant", "printer", "radiator", "refrigerator",
    "shoe rack", "sofa", "stool", "stove", "suitcase", "table", "telephone", "toilet", "towel",
    "trash bin", "tv", "washing machine", "whiteboard", "window",
}  # fmt: skip


def test_it_speaks_vsi_benchs_words():
    assert furniture().keys() >= NAMED_BY_VSI_BENCH


def test_every_kind_of_room_has_enough_of_it():
    assert len(room_kinds()) == 5
    for kind in room_kinds():
        assert sum(kind in category.rooms for category in furniture().values()) >= 16


def test_ranges_are_ranges_and_supports_exist():
    for category in furniture().values():
        assert category.most >= 1
        assert category.variants
        for variant in category.variants:
            for low, high in (variant.width, variant.depth, variant.height):
                assert 0 < low <= high <= 3.5, category.name
            assert set(variant.others) <= furniture().keys()
            assert bool(variant.others) == (variant.place in ("beside", "top"))
            assert variant.bottom[1] + variant.height[0] < 2.3, category.name


def test_sizes_lie_within_the_procthor_assets_they_come_from(shared_data):
    assets = json.loads((shared_data("procthor-assets") / "asset-database.json").read_text())
    file = files("harness_plugins.scenes").joinpath("furniture.json")
    checked = 0
    for name, entry in json.loads(file.read_text())["categories"].items():
        for variant in entry["variants"]:
            origin, _, kind = variant["source"].partition(" ")
            if origin != "ProcTHOR":
                continue
            for key, axis in (("width", "x"), ("depth", "z"), ("height", "y")):
                sides = [asset["boundingBox"][axis] for asset in assets[kind]]
                low, high = variant[key]
                assert min(sides) - 0.005 <= low <= high <= max(sides) + 0.005, (name, key)
            checked += 1
    assert checked == 40
