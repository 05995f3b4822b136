"""One bad scene never stops an import: the others are in the store, and why it is not is told."""

import json
import subprocess
import sys

import pytest

from harness.commands.source import open_source, source_part
from harness.scene_import import import_scenes
from harness.store import SceneStore


def cut(path, share=0.5):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def damaged_scans(scans):
    """Damage the scans of a ScanNet release, each otherwise; gives scan -> what is told of it."""
    told = {}

    def of(number, ending, words):
        scan = f"scene{9000 + number}_00"
        told[scan] = f"{scan}{ending}{words}"
        return scans / scan / f"{scan}{ending}"

    cut(of(1, ".sens", ": number of frames"), 0.1)
    mesh = of(2, "_vh_clean_2.ply", ": vertex.x: 1 coordinates are not finite")
    data = mesh.read_bytes()
    at = data.index(b"end_header\n") + 11
    mesh.write_bytes(data[:at] + b"\x00\x00\xc0\x7f" + data[at + 4 :])
    cut(of(3, "_vh_clean_2.0.010000.segs.json", ": not readable as JSON"))
    of(4, ".aggregation.json", ": no such file").unlink()
    of(5, "_vh_clean_2.ply", ": no such file").unlink()
    text = of(6, ".txt", ": axisAlignment: ")
    text.write_text(text.read_text().replace("axisAlignment = ", "axisAlignment = nan "))
    frame = of(7, ".sens", ": frame 0: depth cannot be decompressed")
    from harness_plugins.scenes.files.sens import SensFile

    entry = SensFile(frame).entry(0)
    data = frame.read_bytes()
    frame.write_bytes(data[: entry.depth_at] + b"\xff" * 20 + data[entry.depth_at + 20 :])
    return told


def test_scans_of_scannet(releases, tmp_path):
    root, store = tmp_path / "scannet", tmp_path / "store"
    releases.scannet(root, scans=9)
    told = damaged_scans(root / "scans")
    # Its pictures are for the video alone: the scan is good, its video is not.
    no_video = root / "scans" / "scene9008_00" / "scene9008_00.sens"
    data = no_video.read_bytes()
    no_video.write_bytes(data.replace(b"\xff\xd8\xff", b"\0\0\0"))
    arguments = ["scenes", "import", "scannet", "--set", f"root={root}", "--set", "posed_frames=24"]
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", *arguments, "--out", store, "--videos"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert "2 scenes of 9" in done.stdout
    assert "skipped 7 scenes" in done.stdout
    assert list(SceneStore(store).entries) == ["scene9000_00", "scene9008_00"]
    skipped = [json.loads(line) for line in (store / "skipped.jsonl").read_text().splitlines()]
    assert [entry["scene"] for entry in skipped] == list(told)
    for entry in skipped:
        file, _, words = told[entry["scene"]].partition(": ")
        assert f"/{entry['scene']}/{file}: " in entry["reason"]
        assert words in entry["reason"]
    videos = [json.loads(line) for line in (store / "no_video.jsonl").read_text().splitlines()]
    assert [entry["scene"] for entry in videos] == ["scene9008_00"]
    assert "scene9008_00.sens: frame 0: colour cannot be read as jpeg" in videos[0]["reason"]


def imported(source, root, store):
    part = source_part(source, [f"root={root}"])
    summary = import_scenes(open_source(part), part.settings.model_dump_json(), store)
    left = {one.scene: one.reason.replace(str(root), "") for one in summary.tally.skipped}
    return list(SceneStore(store).entries), left


CASES = {
    "scannetpp": (
        "data/b/scans/mesh_aligned_0.05.ply",
        "data/c/scans/segments_anno.json",
        "/data/b/scans/mesh_aligned_0.05.ply: vertex: the header promises",
        "/data/c/scans/segments_anno.json: not readable as JSON",
    ),
    "arkitscenes": (
        "Training/b/b_frames/lowres_depth/b_6791.500.png",
        "Training/c/c_3dod_annotation.json",
        "/Training/b/b_frames/lowres_depth/b_6791.500.png: no readable PNG",
        "/Training/c/c_3dod_annotation.json: not readable as JSON",
    ),
    "aria_digital_twin": (
        "b/2d_bounding_box.csv",
        "c/3d_bounding_box.csv",
        "/b/2d_bounding_box.csv: no column visibility_ratio[%]",
        "/c/3d_bounding_box.csv: ",
    ),
}


@pytest.mark.parametrize("source", CASES)
def test_scenes_of_other_releases(releases, tmp_path, source):
    root = tmp_path / "files"
    write = {"aria_digital_twin": "aria"}.get(source, source)
    getattr(releases, write)(root, ["a", "b", "c", "d"])
    *damaged, of_b, of_c = CASES[source]
    for path in damaged:
        cut(root / path)
    kept, left = imported(source, root, tmp_path / "store")
    assert (kept, list(left)) == (["a", "d"], ["b", "c"])
    assert left["b"].startswith(of_b)
    assert left["c"].startswith(of_c)


def test_a_sequence_without_a_table_stops_no_other(releases, tmp_path):
    releases.aria(tmp_path / "aria", ["a", "b"])
    (tmp_path / "aria" / "a" / "instances.json").unlink()
    kept, left = imported("aria_digital_twin", tmp_path / "aria", tmp_path / "store")
    assert (kept, left) == (["b"], {"a": "/a/instances.json: no such file; download it"})


def test_a_record_of_vsi_bench(releases, tmp_path):
    releases.vsi_bench_meta(tmp_path / "meta")
    path = tmp_path / "meta" / "scannet_meta_info_train.json"
    content = json.loads(path.read_text())
    content["scene0000_01"]["object_bbox"]["sofa"][0]["axesLengths"] = [1, -1, 1]
    path.write_text(json.dumps(content))
    kept, left = imported("vsi_bench_meta", tmp_path / "meta", tmp_path / "store")
    assert kept == ["scene0000_00", "scene0001_00", "scene0001_01"]
    assert "object_bbox.sofa[0].axesLengths: expected positive metres" in left["scene0000_01"]


def test_a_row_of_a_store(releases, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    releases.store(tmp_path / "from")
    path = tmp_path / "from" / "scenes-00000.parquet"
    table = pq.ParquetFile(path).read()
    rows = table.to_pylist()
    rows[0]["objects"][0]["size"][0] = -1.0
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    ids = list(SceneStore(tmp_path / "from").entries)
    kept, left = imported("store", tmp_path / "from", tmp_path / "store")
    assert (kept, list(left)) == (ids[1:], ids[:1])
    assert "objects[0]: box: side lengths must be positive" in left[ids[0]]
