"""Label maps: those that are shipped, and one's own."""

import json
from pathlib import Path

import pytest

from harness.errors import SceneError
from harness_plugins.scenes.scannet.labels import BUILT_IN, Labels, read_labels, read_map

# The names in VSI-Bench's released metadata of ScanNet, but for bicycle, which none of its scenes has.
RELEASED = {
    "backpack", "bed", "bookshelf", "chair", "clock", "closet", "computer mouse", "counter", "door",
    "fan", "guitar", "keyboard", "lamp", "mattress", "microwave", "mirror", "monitor", "nightstand",
    "oven", "piano", "pillow", "plant", "printer", "radiator", "refrigerator", "sofa", "table",
    "telephone", "towel", "trash bin", "tv", "washing machine", "window",
}  # fmt: skip


def labels(name, *rows):
    """A shipped map with rows of (label, category, nyu40class)."""
    return Labels(
        read_map(name), {row[0]: {"category": row[1], "nyu40class": row[2]} for row in rows}
    )


@pytest.mark.parametrize("name", BUILT_IN)
def test_shipped_maps_hold_together(name):
    found = read_map(name)
    taken = set().union(*(rule.labels for rule in found.take if rule.labels != "*"))
    everything = any(rule.labels == "*" for rule in found.take)
    assert everything or found.exclude | found.rename.keys() <= taken
    categories = {found.rename.get(label, label) for label in taken - found.exclude}
    assert not found.order or set(found.order) == categories
    assert len(set(found.order)) == len(found.order)


def test_vsi_benchs_map_gives_its_released_categories():
    found = read_map("vsi_bench")
    assert set(found.order) == RELEASED | {"bicycle"}


def test_vsi_benchs_map_gives_the_released_order(shared_data):
    order = read_map("vsi_bench").order
    path = shared_data("vsibench-meta-info") / "scannet_meta_info_val.json"
    for scene in json.loads(path.read_text()).values():
        found = list(scene["object_counts"])
        assert found == sorted(found, key=order.index)


@pytest.mark.parametrize(
    ("label", "category", "nyu40class", "expected"),
    [
        ("office chair", "office chair", "chair", "chair"),
        ("coffee table", "coffee table", "table", "table"),
        ("desk", "desk", "desk", "table"),
        ("trash can", "trash can", "otherfurniture", "trash bin"),
        ("trash bin", "trash bin", "otherfurniture", "trash bin"),
        ("recycling bin", "recycling bin", "otherfurniture", "trash bin"),
        ("mouse", "mouse", "otherprop", "computer mouse"),
        ("mini fridge", "mini fridge", "refridgerator", "refrigerator"),
        ("mattress", "mattress", "bed", "mattress"),
        ("door", "door", "door", "door"),
        ("doorframe", "doorframe", "door", None),
        ("cabinet", "cabinet", "cabinet", None),
        ("sink", "sink", "sink", None),
    ],
)
def test_vsi_benchs_rules(label, category, nyu40class, expected):
    found = labels("vsi_bench", (label, category, nyu40class))
    assert (found.knows(label), found.category(label)) == (True, expected)
    assert found.category(f" {label.upper()}  ") == expected
    assert (found.knows("thingamabob"), found.category("thingamabob")) == (False, None)


def test_scannet200_has_its_instance_classes():
    found = read_map("scannet200")
    (rule,) = found.take
    assert len(rule.labels) == 198  # 200 but for wall and floor
    assert labels("scannet200", ("ceiling", "ceiling", "ceiling")).category("ceiling") is None
    assert labels("scannet200", ("shoes", "shoe", "otherprop")).category("shoes") == "shoe"


def test_raw_labels_need_no_table():
    found = read_labels(read_map("raw"), Path("nowhere.tsv"))
    assert found.category("kitchen counter") == "kitchen counter"
    assert [found.category(label) for label in ("wall", "object", "Ceiling ")] == [None] * 3
    assert found.knows("anything")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "file: Invalid JSON"),
        ("[]", "file: Input should be an object"),
        ({}, "about: Field required; .*take: Field required"),
        ({"about": "", "take": []}, "take: Tuple should have at least 1 item"),
        ({"about": "", "take": [{"column": "raw"}]}, r"take\.0\.labels: Field required"),
        (
            {"about": "", "take": [{"column": "raw", "labels": "chair"}]},
            r"take\.0\.labels\.literal\['\*'\]: Input should be '\*'",
        ),
        (
            {"about": "", "take": [{"column": "raw", "labels": "*"}], "renam": {}},
            "renam: Extra inputs are not permitted",
        ),
    ],
)
def test_what_is_wrong_with_a_map_is_named(tmp_path, content, message):
    path = tmp_path / "own.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(SceneError, match=rf"own\.json: {message}"):
        read_map(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "no column raw_category, category, nyu40class, found ''"),
        (b"raw_category\tcategory\n", "no column nyu40class, found 'raw_category, category'"),
        (b"raw_category\tcategory\tnyu40class\nchair\tchair\n", "line 2: 2 columns, expected 3"),
        (b"raw_category\xff", "is no UTF-8 text"),
    ],
)
def test_what_is_wrong_with_the_table_is_named(tmp_path, text, message):
    path = tmp_path / "table.tsv"
    path.write_bytes(text)
    with pytest.raises(SceneError, match=rf"table\.tsv: {message}"):
        read_labels(read_map("vsi_bench"), path)


def test_a_table_with_windows_line_ends(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_bytes(b"raw_category\tcategory\tnyu40class\r\nDesk\tdesk\tdesk\r\n\r\n")
    assert read_labels(read_map("vsi_bench"), path).category("desk") == "table"
