"""A scene store: exact there and back, and nothing taken on trust that comes out of a file."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import SceneError
from harness.scene import Box, Frame, Intrinsics, Scene, SceneObject, VideoRef, Visibility
from harness.store import Left, SceneStore, Shard, StoreRecord, scene_of, table_of, write_shard
from harness.store.columns import SCHEMA

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
METRES = st.floats(-1e4, 1e4)
LENGTHS = st.floats(5e-324, 1e4)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
WORDS = NAMES.filter(str.strip)
IDS = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}", fullmatch=True)


def threes(numbers) -> st.SearchStrategy:
    return st.tuples(numbers, numbers, numbers)


@st.composite
def boxes(draw) -> Box:
    centre, size = draw(threes(METRES)), draw(threes(LENGTHS))
    return Box.upright(centre, size, draw(st.floats(-7, 7)))


@st.composite
def scenes(draw) -> Scene:
    ids = draw(st.lists(NAMES, unique=True, max_size=4))
    points = st.none() | st.lists(threes(st.floats(-1e3, 1e3)), min_size=1, max_size=4)
    objects = tuple(
        SceneObject(name, draw(WORDS), draw(boxes()), None if p is None else np.array(p))
        for name in ids
        for p in [draw(points)]
    )
    cameras = draw(
        st.lists(
            st.builds(
                Intrinsics,
                *(st.integers(1, 65_536),) * 2,
                *(LENGTHS,) * 2,
                *(NUMBERS,) * 2,
            ),
            min_size=1,
            max_size=3,
        )
    )
    frames = draw(
        st.lists(
            st.builds(Frame, NUMBERS, st.tuples(*[METRES] * 16), st.sampled_from(cameras)),
            max_size=3,
        )
    )
    seen = None
    if draw(st.booleans()):
        shown = tuple(draw(st.permutations(ids))[: draw(st.integers(0, len(ids)))])
        pixels = draw(
            st.lists(
                st.integers(0, 2**31 - 1),
                min_size=len(frames) * len(shown),
                max_size=len(frames) * len(shown),
            )
        )
        seen = Visibility(shown, np.array(pixels, np.int32).reshape(len(frames), len(shown)))
    return Scene(
        id=draw(IDS),
        dataset=draw(IDS),
        objects=objects,
        room_area=draw(LENGTHS),
        room_centre=draw(threes(METRES)),
        counts=draw(st.dictionaries(NAMES, st.integers(0, 2**63 - 1), max_size=4)),
        frames=tuple(frames),
        visibility=seen,
        split=draw(st.none() | NAMES),
        floor=tuple(draw(st.lists(st.tuples(METRES, METRES), max_size=4))),
        height=draw(st.none() | LENGTHS),
        faults=tuple(draw(st.lists(NAMES, max_size=2))),
    )


def bits(scene: Scene) -> str:
    """Everything of a scene, so that equal texts mean equal bits (-0.0 is not 0.0)."""
    return repr(
        (
            scene,
            list(scene.counts.items()),
            None
            if scene.visibility is None
            else (scene.visibility.objects, scene.visibility.pixels.tolist()),
            [
                None if item.points is None else item.points.mean(axis=0).tolist()
                for item in scene.objects
            ],
        )
    )


def through_file(folder: Path, *stored: Scene) -> list[Scene]:
    store = write_store(folder, *stored)
    return [store.load(scene.id) for scene in stored]


def write_store(folder: Path, *stored: Scene) -> SceneStore:
    write_shard(folder / "scenes-00000.parquet", ((table_of(scene), None) for scene in stored))
    StoreRecord(
        source="made",
        settings={},
        plugin="tests",
        distribution="tests",
        version="1",
        harness="1",
        videos=False,
        scenes=len(stored),
        ids="",
        shard=len(stored),
    ).write(folder)
    return SceneStore(folder)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(scenes())
def test_a_scene_comes_back_to_the_last_bit(scene: Scene) -> None:
    back = scene_of(table_of(scene), "here", Path())
    assert bits(back) == bits(scene)
    assert back == scene


@settings(derandomize=True, max_examples=15, deadline=None)
@given(st.lists(scenes(), min_size=1, max_size=40, unique_by=lambda scene: scene.id))
def test_scenes_come_back_from_a_file(tmp_path_factory, stored: list[Scene]) -> None:
    back = through_file(tmp_path_factory.mktemp("store"), *stored)
    assert list(map(bits, back)) == list(map(bits, stored))


def room(name: str = "room", **changes) -> Scene:
    objects = (
        SceneObject("a", "chair", Box((1.0, 2.0, 0.5), (0.5, 0.5, 1.0))),
        SceneObject("b", "table", Box((3.0, 2.0, 0.5), (1.0, 2.0, 0.8))),
    )
    camera = Intrinsics(640, 480, 500.0, 500.0, 320.0, 240.0)
    frames = tuple(Frame(float(k), tuple(np.eye(4).ravel().tolist()), camera) for k in range(2))
    whole = Scene(
        id=name,
        dataset="made",
        objects=objects,
        room_area=20.0,
        room_centre=(0.0, 0.0, 1.0),
        counts={"table": 1, "chair": 1},
        frames=frames,
        visibility=Visibility(("a", "b"), np.array([[1, 2], [3, 4]], np.int32)),
    )
    return replace(whole, **changes)


def test_the_centre_of_an_objects_points_stays_and_their_number_is_kept() -> None:
    points = np.random.default_rng(0).normal(size=(1000, 3))
    item = replace(room().objects[0], points=points)
    row = table_of(room(objects=(item,), visibility=None))
    back = scene_of(row, "here", Path()).objects[0].points
    assert back is not None
    assert back.mean(axis=0).tolist() == points.mean(axis=0).tolist()
    assert row["objects"].to_pylist()[0][0]["points"] == 1000


def test_one_row_group_is_read_for_a_scene(tmp_path: Path) -> None:
    write_store(tmp_path, *(room(f"r{k}") for k in range(40)))
    shard = Shard(tmp_path / "scenes-00000.parquet")
    assert [len(shard.rows(group)) for group in range(3)] == [16, 16, 8]
    store = SceneStore(tmp_path)
    assert store.load("r33") == room("r33")
    assert [(e.group, e.row) for e in store.entries.values()][15:18] == [(0, 15), (1, 0), (1, 1)]


def test_a_scene_with_many_frames_is_alone_in_its_row_group(tmp_path: Path) -> None:
    long = room("long", frames=room().frames * 5000, visibility=None)
    write_store(tmp_path, room("first"), long, room("last"))
    shard = Shard(tmp_path / "scenes-00000.parquet")
    assert [shard.rows(group)["id"].to_pylist() for group in range(3)] == [
        ["first"],
        ["long"],
        ["last"],
    ]


def test_ids_are_listed_without_reading_other_columns(tmp_path: Path) -> None:
    """The bytes of all other columns are gone, and the index does not notice."""
    write_store(tmp_path, room("a"), room("b", split="train"))
    path = tmp_path / "scenes-00000.parquet"
    group = pq.read_metadata(path).row_group(0)
    data = bytearray(path.read_bytes())
    for number in range(group.num_columns):
        column = group.column(number)
        if column.path_in_schema not in ("id", "dataset", "split"):
            begin = column.dictionary_page_offset or column.data_page_offset
            data[begin : begin + column.total_compressed_size] = bytes(column.total_compressed_size)
    path.write_bytes(data)
    entries = SceneStore(tmp_path).entries
    assert [(name, e.dataset, e.split) for name, e in entries.items()] == [
        ("a", "made", None),
        ("b", "made", "train"),
    ]
    with pytest.raises(SceneError, match=r"scenes-00000\.parquet: not readable as Parquet"):
        SceneStore(tmp_path).load("a")


def test_every_changed_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    """Damage is never another scene: an error, or (in unused parts of a footer) no difference."""
    store = write_store(tmp_path, room("a"), room("b"))
    path = tmp_path / "scenes-00000.parquet"
    whole, said = path.read_bytes(), []
    rng = np.random.default_rng(0)
    tried = rng.integers(0, len(whole), size=150).tolist()
    for place in tried:
        data = bytearray(whole)
        data[place] ^= int(rng.integers(1, 256))
        path.write_bytes(data)
        try:
            store = SceneStore(tmp_path)
            found = [bits(store.load(name)) for name in ("a", "b")]
        except SceneError as error:
            said.append(str(error))
        else:
            assert found == [bits(room("a")), bits(room("b"))]
    assert len(said) > len(tried) / 2
    assert all("scenes-00000.parquet" in text or "no scene" in text for text in said)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_names_itself_and_the_remedy(tmp_path: Path, share: float) -> None:
    store = write_store(tmp_path, room())
    path = tmp_path / "scenes-00000.parquet"
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(SceneError) as caught:
        store.load("room")
    assert str(caught.value).startswith(f"{path}: not readable as Parquet (")
    assert str(caught.value).endswith(
        "): copy the store again, or delete this file and run the same `harness scenes import`, "
        "which makes it anew"
    )


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    store = write_store(tmp_path, room())
    (tmp_path / "scenes-00000.parquet").unlink()
    assert store.unfinished() == ["scenes-00000.parquet"]
    with pytest.raises(SceneError, match=r"scenes-00000\.parquet: is missing"):
        store.load("room")


def test_a_file_with_other_columns_is_refused(tmp_path: Path) -> None:
    store = write_store(tmp_path, room())
    pq.write_table(pa.table({"id": ["room"]}), tmp_path / "scenes-00000.parquet")
    with pytest.raises(SceneError, match="has not the columns of a scene store"):
        store.load("room")


def nullable(path: Path) -> None:
    fields = [field.with_nullable(True) for field in SCHEMA]
    pq.write_table(pa.Table.from_pylist([{}], schema=pa.schema(fields)), path)


def test_a_file_with_nothing_where_a_value_must_be_is_refused(tmp_path: Path) -> None:
    store = write_store(tmp_path, room())
    nullable(tmp_path / "scenes-00000.parquet")
    with pytest.raises(SceneError, match=r"differing: 'id', 'dataset', 'room_area'"):
        store.load("room")


def hostile(**changes) -> pa.Table:
    row = table_of(room()).to_pylist()[0]
    for name, change in changes.items():
        row[name] = change(row[name]) if callable(change) else change
    return pa.Table.from_pylist([row], schema=SCHEMA)


def first(entries, **changes):
    return [{**entries[0], **changes}, *entries[1:]]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "../../etc/passwd"}, "id: may hold up to 120 letters"),
        ({"id": ".."}, "id: may hold up to 120 letters"),
        ({"id": "a\nb"}, "id: may hold up to 120 letters"),
        ({"dataset": ""}, "dataset: may hold up to 120 letters"),
        ({"split": ""}, "split: expected a name"),
        ({"room_area": math.nan}, "room_area: expected square metres, found nan"),
        ({"room_area": -1.0}, "room_area: expected square metres, found -1.0"),
        ({"room_centre": [0.0, math.inf, 0.0]}, "room_centre: expected metres up to 10000"),
        ({"floor": [[0.0, math.nan]]}, "floor: expected metres up to 10000, found 0, nan"),
        ({"floor": [[0.0, 1e300]]}, "floor: expected metres up to 10000, found 0, 1e+300"),
        ({"height": 0.0}, "height: expected metres above zero"),
        ({"height": math.nan}, "height: expected metres above zero"),
        ({"counts": [{"category": "a", "count": -1}]}, "counts.a: expected 0 or more"),
        ({"counts": [{"category": "a", "count": 1}] * 2}, "counts: twice: a"),
        ({"counts": [{"category": "", "count": 1}]}, "counts: expected names of 1 to 500"),
        ({"objects": lambda o: first(o, size=[1.0, 0.0, 1.0])}, "objects[0]: box: side lengths"),
        ({"objects": lambda o: first(o, axes=[1.0] * 9)}, "objects[0]: box: axes are not"),
        ({"objects": lambda o: first(o, centre=[math.nan] * 3)}, "objects[0]: box: a number"),
        ({"objects": lambda o: first(o, centre=[1e9] * 3)}, "objects[0].centre: expected metres"),
        ({"objects": lambda o: first(o, size=[1e9] * 3)}, "objects[0].size: expected metres"),
        ({"objects": lambda o: first(o, category=" ")}, "objects[0].category: expected a name"),
        ({"objects": lambda o: first(o, points=-1)}, "objects[0].points: expected 0 or more"),
        (
            {"objects": lambda o: first(o, point_mean=[math.inf] * 3)},
            "objects[0].point_mean: expected",
        ),
        ({"objects": lambda o: [*o, o[0]]}, "objects: twice: a"),
        ({"cameras": lambda c: first(c, width=0)}, "cameras[0]: expected 1 to 65536 pixels"),
        ({"cameras": lambda c: first(c, height=10**6)}, "cameras[0]: expected 1 to 65536 pixels"),
        ({"cameras": lambda c: first(c, fx=-1.0)}, "cameras[0]: focal lengths must be positive"),
        ({"cameras": lambda c: first(c, cy=math.nan)}, "cameras[0]: a number is not finite"),
        ({"cameras": []}, "frames: a camera is none of the 0 in the row"),
        ({"frames": lambda f: first(f, camera=-1)}, "frames: a camera is none of the 1"),
        ({"frames": lambda f: first(f, camera=5)}, "frames: a camera is none of the 1"),
        ({"frames": lambda f: first(f, time=math.nan)}, "frames: expected finite times"),
        ({"frames": lambda f: first(f, pose=[math.inf] * 16)}, "frames: expected finite times"),
        ({"frames": []}, "visibility: 4 numbers, expected 0 frames x 2 objects"),
        (
            {"visibility": {"objects": ["a", "b"], "pixels": [1, 2, 3]}},
            "visibility: 3 numbers, expected 2 frames x 2 objects",
        ),
        (
            {"visibility": {"objects": ["a", "x"], "pixels": [1] * 4}},
            "visibility: no objects x in the scene",
        ),
        (
            {"visibility": {"objects": ["a", "a"], "pixels": [1] * 4}},
            "visibility.objects: twice: a",
        ),
        (
            {"visibility": {"objects": ["a", "b"], "pixels": [1, 2, 3, -4]}},
            "visibility: expected pixels of 0 and more, found -4",
        ),
        ({"video": "/etc/passwd"}, "video: expected a path below videos/"),
        ({"video": "videos/../../secret.mp4"}, "video: expected a path below videos/"),
        ({"video": "other/a.mp4"}, "video: expected a path below videos/"),
        ({"video": "videos//a.mp4"}, "video: expected a path below videos/"),
        ({"video": ""}, "video: expected a path below videos/"),
        ({"video": "videos/a\x00.mp4"}, "video: expected a path below videos/"),
    ],
)
def test_hostile_values_are_refused_with_file_and_scene(changes: dict, said: str) -> None:
    with pytest.raises(SceneError) as caught:
        scene_of(hostile(**changes), "file: scene room", Path("store"))
    assert str(caught.value).startswith("file: scene room: ")
    assert said in str(caught.value)


def test_all_faults_of_a_row_are_told_at_once() -> None:
    with pytest.raises(SceneError) as caught:
        scene_of(hostile(id="a/b", height=-1.0, video="x"), "file", Path())
    assert str(caught.value).count("file: ") == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "a/b"}, "scene 'a/b': id: may hold up to 120"),
        ({"id": "x\ud800"}, "cannot be stored"),
        (
            {"room_centre": (math.nan, 0.0, 0.0)},
            "room_centre: expected metres up to 10000, found nan, 0, 0",
        ),
        ({"counts": {"chair": 2**70}}, "cannot be stored"),
        ({"floor": ((0.0, 1.0, 2.0),)}, "cannot be stored"),
    ],
)
def test_a_scene_that_could_not_be_read_back_is_not_written(changes: dict, said: str) -> None:
    with pytest.raises(SceneError) as caught:
        table_of(room(**changes))
    assert said in str(caught.value)


def test_a_video_stays_inside_the_store(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    (folder / "videos/made").mkdir(parents=True)
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    path = "videos/made/room.mp4"
    row = table_of(room(video=VideoRef(Path("anywhere"), layout=True)), path)
    write_store(folder, room())
    write_shard(folder / "scenes-00000.parquet", [(row, None)])
    with pytest.raises(SceneError, match=r"its video .* is missing"):
        SceneStore(folder).load("room")
    (folder / path).write_bytes(b"video")
    assert SceneStore(folder).load("room").video == VideoRef(folder / path, layout=True)
    (folder / path).unlink()
    (folder / path).symlink_to(tmp_path / "secret.mp4")
    with pytest.raises(SceneError, match="leads out of the store"):
        SceneStore(folder).load("room")


def test_a_scene_in_two_files_is_refused(tmp_path: Path) -> None:
    write_store(tmp_path, room())
    write_shard(tmp_path / "scenes-00001.parquet", [(table_of(room()), None)])
    record = json.loads((tmp_path / "store.json").read_text())
    (tmp_path / "store.json").write_text(json.dumps({**record, "scenes": 2}))
    with pytest.raises(SceneError, match=r"scene 'room' is in scenes-00000\.parquet too"):
        SceneStore(tmp_path).load("room")


def test_what_was_left_out_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "scenes-00000.parquet"
    left, bare = Left("b", "torn"), Left("a", "no footage")
    write_shard(path, [(table_of(room("a")), bare), (None, left)])
    tally = Shard(path).tally
    assert (tally.scenes, tally.objects, tally.frames, tally.videos) == (1, 2, 2, 0)
    assert (tally.skipped, tally.no_video) == ((left,), (bare,))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "holds no scene store"),
        ("{", "not readable as JSON"),
        ("[" * 100_000, "not readable as JSON"),
        ("[]", "is of format None"),
        ('{"format": 2}', "is of format 2, and this version of the harness reads format 1"),
        ('{"format": 1}', "source: Field required"),
        ('{"format": 1, "scenes": "3"}', "scenes: Input should be a valid integer"),
    ],
)
def test_a_damaged_record_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "store.json").write_text(text)
    with pytest.raises(SceneError) as caught:
        StoreRecord.read(tmp_path)
    assert said in str(caught.value)
