"""JSON, CSV, labels and pictures of releases: bounded, and every fault with its file."""

import json
import os
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from harness.errors import SceneError
from harness_plugins.scenes.files.annotated_box import annotated_box
from harness_plugins.scenes.files.choice import choose_scenes
from harness_plugins.scenes.files.csv_file import csv_rows
from harness_plugins.scenes.files.inventory import Instance, take_inventory
from harness_plugins.scenes.files.json_file import read_json_list, read_json_object
from harness_plugins.scenes.files.labels import Labels, read_labels
from harness_plugins.scenes.files.png import read_colour, read_depth
from harness_plugins.scenes.files.problems import refuse

AXES = [1, 0, 0, 0, 1, 0, 0, 0, 1]


def test_json_is_read(tmp_path):
    (tmp_path / "a.json").write_text('{"x": [1, NaN]}')
    (tmp_path / "b.json").write_text("[1, 2]")
    found = read_json_object(tmp_path / "a.json")["x"]
    assert found[0] == 1
    assert np.isnan(found[1])
    assert read_json_list(tmp_path / "b.json") == [1, 2]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[1, 2]", "expected an object, found list"),
        (b'{"x": ', "not readable as JSON"),
        (b"", "not readable as JSON"),
        (b"\xff\xfe", "not readable as JSON"),
        (b"[" * 200_000, "not readable as JSON"),
        (b'{"x": "' + b"1" * 2000 + b'"}', "more than 1,000 bytes"),
    ],
)
def test_what_is_no_json_object_is_named(tmp_path, content, told):
    path = tmp_path / "anno.json"
    path.write_bytes(content)
    most = 1000 if len(content) < 10_000 else 10**6
    with pytest.raises(SceneError) as caught:
        read_json_object(path, most_bytes=most)
    assert str(caught.value).startswith(f"{path}: {told}")


def test_files_that_are_none_are_named(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for read in (read_json_object, lambda path: list(csv_rows(path, ["a"]))):
        for path in (tmp_path / "none", tmp_path / "pipe", tmp_path):
            with pytest.raises(SceneError, match=f"^{path}: no such file; download it"):
                read(path)


def rows(tmp_path, text, columns=("b", "a")):
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [values for _, values in csv_rows(path, columns)]


def test_csv_gives_the_wanted_columns(tmp_path):
    assert rows(tmp_path, "a,x,b\r\n1, 2,3\r\n\r\n4,5,6\r\n") == [["3", "1"], ["6", "4"]]
    assert rows(tmp_path, "\ufeffa,b\n1,2\n") == [["2", "1"]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,c\n1,2\n", "no column b; its columns are 'a, c'"),
        ("", "no column b, a"),
        ("a,b\n1\n", "line 2: 1 values, expected 2"),
        ("a,b\n1,2,3\n", "line 2: 3 values, expected 2"),
        (b"a,b\n\xff,2\n", "not readable as CSV"),
        ('a,b\n"' + "x" * 200_000 + '",1\n', "not readable as CSV"),
    ],
)
def test_faulty_csv_is_named(tmp_path, text, told):
    with pytest.raises(SceneError) as caught:
        rows(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 't.csv'}: {told}")


def test_csv_is_bounded(tmp_path):
    (tmp_path / "t.csv").write_text("a\n" * 100)
    with pytest.raises(SceneError, match="200 bytes, expected at most 100"):
        list(csv_rows(tmp_path / "t.csv", ["a"], most_bytes=100))


def labels_file(tmp_path, **content):
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(content))
    return path


def test_labels_choose_exclude_and_rename(tmp_path):
    found = read_labels(
        labels_file(
            tmp_path,
            about="for people",
            labels=["chair", "office chair", "cup"],
            exclude=["cup"],
            rename={"office chair": "chair"},
            vetoes={"room": ["chair"]},
        )
    )
    assert [found.category(label) for label in ("chair", "office chair", "cup", "wall")] == [
        "chair",
        "chair",
        None,
        None,
    ]
    assert [found.knows(label) for label in ("cup", "wall")] == [True, False]
    assert found.vetoes == {"room": frozenset({"chair"})}


def test_labels_may_be_all(tmp_path):
    found = read_labels(labels_file(tmp_path, labels=None, exclude=["wall"]))
    assert [found.category(label) for label in ("anything", "wall")] == ["anything", None]


def test_all_faults_of_a_label_file_are_told(tmp_path):
    path = labels_file(
        tmp_path,
        labels=["chair", "chair", 3],
        exclude="wall",
        rename={"chair": ""},
        vetoes=[1],
        extra=1,
    )
    with pytest.raises(SceneError) as caught:
        read_labels(path)
    told = str(caught.value)
    for key in ("extra: unknown", "labels: exp", "exclude: exp", "rename: exp", "vetoes: exp"):
        assert f"{path}: {key}" in told
    with pytest.raises(SceneError, match="exclude: 'wall' is not among the labels"):
        read_labels(labels_file(tmp_path, labels=["chair"], exclude=["wall"]))
    with pytest.raises(SceneError, match="labels: twice: chair"):
        read_labels(labels_file(tmp_path, labels=["chair", "chair"]))
    with pytest.raises(SceneError, match="labels: missing"):
        read_labels(labels_file(tmp_path, exclude=[]))


def boxed(**changed):
    entry = {"centroid": [1, 2, 3], "axesLengths": [1, 2, 0.5], "normalizedAxes": AXES, **changed}
    problems, faults = [], []
    return annotated_box(entry, "f: obb", problems, faults), problems, faults


def test_rows_are_the_axes():
    # The first row is the first axis: the box is 4 m long along +y and 1 m along -x.
    box, problems, faults = boxed(
        axesLengths=[4, 1, 0.5], normalizedAxes=[0, 1, 0, -1, 0, 0, 0, 0, 1]
    )
    assert (problems, faults) == ([], [])
    assert box.corners.max(axis=0).tolist() == [1.5, 4.0, 3.25]
    # A turn by 30 degrees tells rows from columns.
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    box, *_ = boxed(axesLengths=[4, 1e-3, 1e-3], normalizedAxes=[c, s, 0, -s, c, 0, 0, 0, 1])
    far = box.corners[box.corners[:, 0].argmax()]
    assert far[:2].tolist() == pytest.approx([1 + 2 * c, 2 + 2 * s], abs=1e-3)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"centroid": [1, 2]}, "f: obb.centroid: expected 3 numbers, found [1, 2]"),
        ({"axesLengths": None}, "f: obb.axesLengths: expected 3 numbers, found None"),
        ({"normalizedAxes": [*AXES[:8], True]}, "f: obb.normalizedAxes: expected 9 numbers"),
        ({"centroid": [1, 2, 10**400]}, "f: obb.centroid: expected 3 numbers"),
        ({"centroid": "1 2 3"}, "f: obb.centroid: expected 3 numbers, found '1 2 3'"),
    ],
)
def test_boxes_of_another_format_are_problems(changed, told):
    box, problems, faults = boxed(**changed)
    assert (box, faults) == (None, [])
    assert len(problems) == 1
    assert problems[0].startswith(told)


@pytest.mark.parametrize(
    "changed",
    [
        {"centroid": [1, 2, float("nan")]},
        {"axesLengths": [1, 0, 1]},
        {"axesLengths": [1, -1, 1]},
        {"axesLengths": [1, 1, 1000]},
        {"centroid": [1e9, 0, 0]},
        {"normalizedAxes": [2, *AXES[1:]]},
        {"normalizedAxes": [0] * 9},
    ],
)
def test_boxes_that_no_room_has_are_faults(changed):
    box, problems, faults = boxed(**changed)
    assert (box, problems) == (None, [])
    assert len(faults) == 1


EVERYTHING = Labels(None, frozenset(), {}, {})


def an_instance(name, label, *, usable=True):
    return Instance(name, label, boxed()[0] if usable else None)


def test_an_inventory_follows_the_first_of_each_category():
    found = take_inventory(
        [an_instance("a", "cup"), an_instance("b", "bed"), an_instance("c", "cup")],
        EVERYTHING,
        "room",
        "f",
    )
    assert [thing.id for thing in found.objects] == ["a", "c", "b"]
    assert list(found.counts.items()) == [("cup", 2), ("bed", 1)]
    assert found.faults == ()


def test_a_category_goes_with_its_broken_box():
    found = take_inventory(
        [an_instance("a", "cup"), an_instance("b", "cup", usable=False), an_instance("c", "bed")],
        EVERYTHING,
        "room",
        "f",
    )
    assert found.counts == {"bed": 1}
    assert found.faults == ("cup: all 2 left out, as b has no usable box",)


def test_unknown_labels_and_vetoes_are_left_out():
    labels = Labels(
        frozenset({"cup", "bed", "wall"}), frozenset({"wall"}), {}, {"room": frozenset({"cup"})}
    )
    things = [
        an_instance(str(n), label) for n, label in enumerate(("cup", "bed", "wall", "ufo", "ufo"))
    ]
    found = take_inventory(things, labels, "room", "f")
    assert found.counts == {"bed": 1}
    assert found.faults == ("labels that the list of labels does not have: ufo (2)",)
    assert take_inventory(things, labels, "other", "f").counts == {"cup": 1, "bed": 1}


def test_an_inventory_refuses_twins_and_nothing():
    with pytest.raises(SceneError, match="f: these instances' ids occur twice: a"):
        take_inventory([an_instance("a", "cup")] * 2, EVERYTHING, "room", "f")
    with pytest.raises(SceneError, match="f: none of its 0 instances"):
        take_inventory([], EVERYTHING, "room", "f")


def test_choices_are_sorted_cut_and_checked():
    ids = ["b", "a", "c"]
    assert choose_scenes(ids, only=None, limit=2, where="w") == ("a", "b")
    assert choose_scenes(ids, only=("c", "a"), limit=None, where="w") == ("a", "c")
    with pytest.raises(SceneError, match=r"w: ids may hold letters.*'../x'; w: only: z not among"):
        choose_scenes([*ids, "../x"], only=("z",), limit=None, where="w")


def test_long_lists_of_problems_are_cut():
    with pytest.raises(SceneError, match=r"^p0; .*; p11; and 988 more$"):
        refuse([f"p{n}" for n in range(1000)])


def test_pictures_are_read(tmp_path):
    colour = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    Image.fromarray(colour).save(tmp_path / "c.png")
    assert read_colour(tmp_path / "c.png").tolist() == colour.tolist()
    depth = np.array([[0, 1500], [65535, 1]], dtype=np.uint16)
    Image.fromarray(depth).save(tmp_path / "d.png")
    assert read_depth(tmp_path / "d.png").tolist() == [[0.0, 1.5], [65.535, 0.001]]
    with pytest.raises(SceneError, match=r"c\.png: a picture of mode RGB, expected 16-bit"):
        read_depth(tmp_path / "c.png")


@given(data=st.data())
@settings(derandomize=True, max_examples=80, deadline=None)
def test_damaged_pictures_are_named(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("png") / "d.png"
    Image.fromarray(np.arange(120, dtype=np.uint16).reshape(10, 12)).save(path)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place : place + data.draw(st.integers(1, 40))] = data.draw(st.binary(max_size=6))
    path.write_bytes(bytes(content))
    with suppress(SceneError):
        assert read_depth(path).ndim == 2
