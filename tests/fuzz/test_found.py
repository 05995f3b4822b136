"""What mutations found, a test each: these files ended in something else than a clear error."""

import io
import json
import struct
import warnings
import zlib
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from harness.errors import HarnessError, SceneError, UsageError
from harness.plugins import load_catalogue
from harness.question_files import read_questions
from harness.recipe import load_recipe
from harness.scene import Box
from harness.store import SceneStore, StoreRecord, shard_name
from harness.strict_yaml import read as read_yaml
from harness_plugins.scenes.aria_digital_twin.turn import is_unit
from harness_plugins.scenes.arkitscenes.source import build as arkitscenes
from harness_plugins.scenes.files.jpeg import without_metadata
from harness_plugins.scenes.files.json_file import read_json_object
from harness_plugins.scenes.files.labels import read_labels
from harness_plugins.scenes.files.pacing import shown_at_rate
from harness_plugins.scenes.files.ply import read_mesh
from harness_plugins.scenes.files.png import read_colour
from harness_plugins.scenes.files.problems import short
from harness_plugins.scenes.files.sens import SensFile
from harness_plugins.scenes.settings import (
    ARKitScenesSettings,
    VsiBenchMetaSettings,
)
from harness_plugins.scenes.vsi_bench_meta import build as vsi_bench_meta

ROW = {
    "id": "q", "dataset": "d", "scene_name": "s", "question_type": "object_counting",
    "question": "How many?", "ground_truth": "3",
}  # fmt: skip


@pytest.fixture
def store(releases, tmp_path):
    releases.store(tmp_path)
    return tmp_path


def test_a_store_with_a_column_twice(store):
    path = store / shard_name(1)
    table = pq.ParquetFile(path).read()
    pq.write_table(table.append_column("id", table["id"]), path)
    with pytest.raises(SceneError, match=r"scenes-00001.parquet: has not the columns .*'id'"):
        SceneStore(store).load("gone")


def test_a_store_whose_footer_counts_to_infinity(store):
    path = store / shard_name(0)
    table = pq.ParquetFile(path).read()
    kept = dict(table.schema.metadata)
    kept[b"harness.store"] = kept[b"harness.store"].replace(b'"scenes": 2', b'"scenes": Infinity')
    pq.write_table(table.replace_schema_metadata(kept), path)
    with pytest.raises(SceneError, match=r"scenes-00000.parquet: not readable as Parquet \(cannot"):
        SceneStore(store).tally()


def test_a_store_of_more_scenes_than_there_are_file_names(store):
    record = json.loads((store / "store.json").read_text())
    (store / "store.json").write_text(json.dumps({**record, "scenes": 10**20}))
    with pytest.raises(SceneError, match=r"store.json: .*expected at most 100,000 files"):
        SceneStore(store).unfinished()
    with pytest.raises(ValueError, match="100,000 files"):
        replace(StoreRecord("s", {}, "p", "d", "1", "1", False, 1, "0", 1), scenes=10**6)


def test_a_small_file_of_a_store_that_unpacks_to_much(store):
    path = store / shard_name(0)
    table = pq.ParquetFile(path).read().take([0] * 2000)
    pq.write_table(table, path)
    assert path.stat().st_size < 60_000
    with pytest.raises(
        SceneError, match=r"scenes-00000.parquet: claims 2,000 rows in one row group"
    ):
        SceneStore(store).load("gone")


def test_a_small_file_of_questions_that_unpacks_to_much(releases, tmp_path):
    path = tmp_path / "set.parquet"
    releases.question_file(path, "parquet")
    table = pq.ParquetFile(path).read().take([0] * 300)
    once = pa.DictionaryArray.from_arrays(pa.array([0] * 300, pa.int32()), ["x" * 2_000_000])
    table = table.set_column(table.column_names.index("question"), "question", once)
    pq.write_table(
        table, path, compression="zstd", dictionary_pagesize_limit=2**24, store_schema=False
    )
    assert path.stat().st_size < 30_000
    with pytest.raises(HarnessError, match=r"set.parquet: 128,\d+,\d+ bytes in 64 rows"):
        list(read_questions(path))


def test_a_few_pictures_and_a_wrong_time_make_no_video_of_hours():
    with pytest.raises(SceneError, match="room: 3 pictures in 20000 s: a time in it is wrong"):
        shown_at_rate([0.0, 0.1, 20_000.0], 30.0, "room")
    # One picture in two seconds, and a pause of two minutes, are slow but sound.
    assert len(shown_at_rate(np.arange(0, 3600, 2.0), 30.0, "room")) == 107_941
    assert len(shown_at_rate([0.0, 0.1, 120.0], 30.0, "room")) == 3601


def test_a_footer_of_a_store_as_deep_as_json_goes(store):
    path = store / shard_name(0)
    table = pq.ParquetFile(path).read()
    kept = {**table.schema.metadata, b"harness.store": b"[" * 100_000}
    pq.write_table(table.replace_schema_metadata(kept), path)
    with pytest.raises(SceneError, match=r"scenes-00000.parquet: not readable as Parquet"):
        SceneStore(store).tally()


def test_axes_whose_squares_overflow_are_no_frame():
    with pytest.raises(SceneError, match="axes are not orthonormal"):
        Box((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (1e308, *(0.0,) * 8))


def test_a_quaternion_whose_square_overflows_is_no_rotation():
    assert not is_unit(np.array([1e308, 0.0, 0.0, 0.0]))
    assert not is_unit(np.array([np.nan, 0.0, 0.0, 1.0]))
    assert is_unit(np.array([0.6, 0.0, 0.8, 0.0]))


def test_half_a_surrogate_pair_in_json_is_told_by_the_reader(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(r'{"label": "\uD800"}')
    with pytest.raises(SceneError, match=r"a.json: not readable as JSON .*surrogates"):
        read_json_object(path)
    path.write_text(r'{"label": "\ud83d\ude00 \\ud800"}')
    assert read_json_object(path) == {"label": "\U0001f600 \\ud800"}


@pytest.mark.parametrize("depth", range(880, 1000, 3))
def test_json_as_deep_as_its_parser_goes_can_be_told_of(tmp_path, depth):
    path = tmp_path / "rows.jsonl"
    deep = "[" * depth + "]" * depth
    path.write_text(json.dumps({**ROW, "leak": "@"}).replace('"@"', deep) + "\n")
    with pytest.raises(HarnessError, match=r"rows.jsonl:1: "):
        list(read_questions(path))
    try:
        value = json.loads(deep)
    except RecursionError:
        return
    assert short(value).startswith(("[[[", "a list nested too deeply"))


@pytest.mark.parametrize(
    ("field", "value"),
    [("question_type", ""), ("ground_truth", "x" * 100_000), ("options", ["x" * 100_000])],
)
def test_a_long_value_of_a_question_is_told_by_its_beginning(tmp_path, field, value):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**ROW, field: value}) + "\n")
    with pytest.raises(HarnessError, match=rf"rows.jsonl:1: .*{field}") as caught:
        list(read_questions(path))
    assert len(str(caught.value)) < 500


def test_a_long_word_in_a_text_mesh_is_told_by_its_beginning(releases, tmp_path):
    releases.mesh(tmp_path / "room.ply")
    data = (tmp_path / "room.ply").read_bytes()
    (tmp_path / "room.ply").write_bytes(data + b"a" * 100_000)
    with pytest.raises(SceneError, match=r"room.ply: the text after the header") as caught:
        read_mesh(tmp_path / "room.ply")
    assert len(str(caught.value)) < 500


def test_labels_with_a_long_name_are_told_by_its_beginning(tmp_path):
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"labels": ["a"], "exclude": ["x" * 10_000], "y" * 10_000: 1}))
    with pytest.raises(SceneError, match=r"labels.json: y") as caught:
        read_labels(path)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "change",
    [
        {"object_counts": {"sofa": 10**20}},
        {"object_counts": {"x" * 10_000: 1}},
        {"object_bboxes": {"x" * 10_000: []}},
    ],
)
def test_a_record_that_no_store_could_keep_is_refused(releases, tmp_path, change):
    releases.vsi_bench_meta(tmp_path)
    path = tmp_path / "scannet_meta_info_val.json"
    content = json.loads(path.read_text())
    content["scene0001_00"].update(change)
    path.write_text(json.dumps(content))
    source = vsi_bench_meta(VsiBenchMetaSettings(root=tmp_path))
    with pytest.raises(
        SceneError, match=r"scannet_meta_info_val.json: scene scene0001_00: object_"
    ):
        source.load("scene0001_00")
    assert source.load("scene0001_01").counts["sofa"] == 1


def test_a_name_longer_than_a_store_takes_is_refused(releases, tmp_path):
    releases.arkitscenes(tmp_path)
    path = next(tmp_path.rglob("*_3dod_annotation.json"))
    path.write_text(path.read_text().replace("uid-0", "u" * 501))
    with pytest.raises(SceneError, match=r"_3dod_annotation.json: 'uuu.*: 501 characters"):
        arkitscenes(ARKitScenesSettings(root=tmp_path)).load("41069025")


def test_a_picture_that_pillow_only_warns_of(tmp_path):
    head = struct.pack(">II5B", 11_000, 9000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)
    with pytest.raises(SceneError, match=r"a.png: 11000 x 9000 pixels"):
        read_colour(tmp_path / "a.png")


def test_damaged_metadata_of_a_jpeg_is_passed_over(releases, tmp_path):
    releases.scannet(tmp_path)
    (path,) = tmp_path.rglob("*.sens")
    before = SensFile(path).colour(0)
    data, entry = path.read_bytes(), SensFile(path).entry(0)
    exif = b"\xff\xe1" + struct.pack(">H", 20) + b"Exif\0\0MM\0*" + b"\xff" * 8
    at, size = entry.colour_at, struct.pack("<Q", entry.colour_bytes + len(exif))
    made = data[: at - 16] + size + data[at - 8 : at + 2] + exif + data[at + 2 :]
    path.write_bytes(made)
    assert SensFile(path).colour(0).tolist() == before.tolist()


def test_a_jpeg_without_its_metadata_is_the_same_picture():
    file = io.BytesIO()
    picture = Image.fromarray(np.arange(24 * 32 * 3, dtype=np.uint8).reshape(24, 32, 3))
    exif = Image.Exif()
    exif[271] = "maker"
    picture.save(file, "JPEG", exif=exif, comment=b"said", quality=90)
    data = file.getvalue()
    bare = without_metadata(data)
    assert b"maker" in data
    assert b"maker" not in bare
    assert b"said" not in bare
    assert len(bare) < len(data)
    assert Image.open(io.BytesIO(bare)).tobytes() == Image.open(io.BytesIO(data)).tobytes()
    # What it cannot follow stays.
    for strange in (
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xe1\0\0",
        b"\xff\xd8\xff\xe1\xff\xffab",
        b"PNG",
    ):
        assert without_metadata(strange) == strange


def test_a_pose_of_a_signalling_nan_is_a_lost_one(releases, tmp_path):
    releases.scannet(tmp_path)
    (path,) = tmp_path.rglob("*.sens")
    sens = SensFile(path)
    at = sens.entry(0).colour_at - 96
    data = path.read_bytes()
    path.write_bytes(data[:at] + b"\x01\x00\xa0\x7f" + data[at + 4 :])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert SensFile(path).poses()[0] is None


def test_a_recipe_with_thousands_of_faults_tells_the_first(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("name: a\n" * 5000)
    with pytest.raises(UsageError, match="and 4,959 more") as caught:
        read_yaml(path)
    assert str(caught.value).count("\n") == 40


def test_recipes_that_are_links_to_themselves_or_have_no_file_name(tmp_path):
    path = tmp_path / "a.yaml"
    path.symlink_to(path)
    with pytest.raises(UsageError, match=r"a.yaml"):
        load_recipe(path, [], load_catalogue())
    for name in ("x" * 300, "x" * 300 + ".yaml", r"\0.yaml"):
        (tmp_path / "b.yaml").write_text(f'extends: "{name}"\n')
        with pytest.raises(UsageError, match=r"b.yaml:1: extends: .* is no file's name"):
            load_recipe(tmp_path / "b.yaml", [], load_catalogue())
