"""Reading `.sens` recordings; the files are packed here by hand, from the format's description."""

import io
import itertools
import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from harness.errors import SceneError
from harness.scene import Intrinsics
from harness_plugins.scenes.files.sens import SensFile

COLOUR = np.arange(4 * 8 * 3, dtype=np.uint8).reshape(4, 8, 3) * 2
DEPTH = np.array([[0, 500], [1000, 65535], [3, 4]], dtype="<u2")
POSE = (0.0, -1.0, 0.0, 1.5, 1.0, 0.0, 0.0, 2.5, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0, 0.0, 1.0)
LOST = (-np.inf,) * 16
EYE = tuple(np.eye(4).ravel())
COLOUR_CAMERA = (10.0, 0, 4.5, 0, 0, 11.0, 2.5, 0, 0, 0, 1, 0, 0, 0, 0, 1)
DEPTH_CAMERA = (2.0, 0, 1.0, 0, 0, 2.0, 1.5, 0, 0, 0, 1, 0, 0, 0, 0, 1)


def picture(form, pixels=COLOUR, **options):
    if form == "raw":
        return pixels.tobytes()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **options)
    return file.getvalue()


def head(
    *,
    version=4,
    name=b"StructureSensor",
    name_length=None,
    colour_camera=COLOUR_CAMERA,
    codes=(1, 1),
    sizes=(8, 4, 2, 3),
    shift=1000.0,
    frames=1,
):
    return (
        struct.pack("<IQ", version, len(name) if name_length is None else name_length)
        + name
        + struct.pack("<64f", *colour_camera, *EYE, *DEPTH_CAMERA, *EYE)
        + struct.pack("<ii", *codes)
        + struct.pack("<IIII", *sizes)
        + struct.pack("<f", shift)
        + struct.pack("<Q", frames)
    )


def frame(pose=POSE, times=(7, 9), colour=None, depth=None, lengths=None):
    colour = picture("png") if colour is None else colour
    depth = zlib.compress(DEPTH.tobytes()) if depth is None else depth
    lengths = (len(colour), len(depth)) if lengths is None else lengths
    return struct.pack("<16f4Q", *pose, *times, *lengths) + colour + depth


@pytest.fixture
def sens(tmp_path):
    """Writes bytes to a file and reads it; each call another file."""
    numbers = itertools.count()

    def write(*parts):
        path = tmp_path / f"{next(numbers)}.sens"
        path.write_bytes(b"".join(parts))
        return SensFile(path)

    return write


def test_the_header_is_read(sens):
    header = sens(head(), frame()).header
    assert (header.sensor, header.depth_shift, header.frames) == ("StructureSensor", 1000.0, 1)
    assert (header.colour.width, header.colour.height, header.colour.compression) == (8, 4, "png")
    assert (header.depth.width, header.depth.height, header.depth.compression) == (2, 3, "zlib")
    assert np.array_equal(np.reshape(DEPTH_CAMERA, (4, 4)), header.depth.intrinsic)
    assert np.array_equal(np.eye(4), header.depth.extrinsic)
    assert Intrinsics(8, 4, 10.0, 11.0, 4.5, 2.5) == header.colour.intrinsics
    assert Intrinsics(16, 4, 20.0, 11.0, 9.0, 2.5) == header.colour.scaled(16, 4)


@pytest.mark.parametrize("name", ["", "Sensor\0\0", "Gerät"])
def test_any_sensor_name(sens, name):
    assert name.rstrip("\0") == sens(head(name=name.encode()), frame()).header.sensor


@pytest.mark.parametrize(("form", "code"), [("raw", 0), ("png", 1)])
def test_lossless_colour_is_exact(sens, form, code):
    file = sens(head(codes=(code, 1)), frame(colour=picture(form)))
    assert np.array_equal(COLOUR, file.colour(0))


def test_jpeg_colour_is_close_and_its_bytes_are_kept(sens):
    stored = picture("jpeg", quality=100, subsampling=0)
    file = sens(head(codes=(2, 1)), frame(colour=stored))
    assert stored == file.colour_bytes(0)
    assert np.abs(file.colour(0).astype(int) - COLOUR).max() < 4


def test_a_palette_or_grey_picture_becomes_rgb(sens):
    grey = np.arange(32, dtype=np.uint8).reshape(4, 8)
    file = sens(head(), frame(colour=picture("png", grey)))
    assert np.array_equal(np.stack([grey] * 3, axis=-1), file.colour(0))


@pytest.mark.parametrize(("code", "pack"), [(0, bytes), (1, zlib.compress)])
def test_depth_is_in_metres_and_zero_where_missing(sens, code, pack):
    file = sens(head(codes=(1, code)), frame(depth=pack(DEPTH.tobytes())))
    depth = file.depth(0)
    assert np.float32 == depth.dtype
    assert np.array_equal(DEPTH.astype(np.float32) / np.float32(1000), depth)


def test_the_depth_shift_scales_depth(sens):
    assert sens(head(shift=500.0), frame()).depth(0)[1, 0] == 2.0


def test_frames_come_in_any_order(sens):
    pictures = [np.full((4, 8, 3), value, dtype=np.uint8) for value in (10, 20, 30)]
    file = sens(
        head(frames=3),
        *(frame(colour=picture("png", p), times=(i, i + 5)) for i, p in enumerate(pictures)),
        struct.pack("<Q", 0),  # number of IMU frames
    )
    assert [int(file.colour(index)[0, 0, 0]) for index in (2, 0, 1)] == [30, 10, 20]
    colour, depth = file.frame(1)
    assert (colour.shape, depth.shape) == ((4, 8, 3), (3, 2))
    assert [(file.entry(i).colour_time, file.entry(i).depth_time) for i in range(3)] == [
        (0, 5),
        (1, 6),
        (2, 7),
    ]
    assert len(file) == 3


def test_lost_poses_are_none(sens):
    nan = (np.nan, *POSE[1:])
    file = sens(head(frames=4), frame(POSE), frame(LOST), frame(nan), frame(POSE))
    first, *lost, last = file.poses()
    assert lost == [None, None]
    assert np.array_equal(np.reshape(POSE, (4, 4)), first)
    assert np.array_equal(first, last)


@pytest.mark.parametrize(
    "pose",
    [
        (0.0,) * 16,
        tuple(np.reshape(POSE, (4, 4)).T.ravel()),
        tuple(np.diag([1.0, 1, -1, 1]).ravel()),
        tuple(np.diag([2.0, 2, 2, 1]).ravel()),
        (3e38,) * 16,
    ],
    ids=["zeros", "transposed", "mirrored", "scaled", "huge"],
)
def test_a_pose_that_is_no_rigid_motion_is_an_error(sens, pose):
    file = sens(head(frames=2), frame(), frame(pose))
    with pytest.raises(SceneError, match=r"frame 1: camera-to-world is no rigid motion \(1 such"):
        file.poses()


def test_no_frames_at_all(sens):
    file = sens(head(frames=0))
    assert file.poses() == []
    with pytest.raises(SceneError, match="no frame 0; there are 0"):
        file.colour(0)


@pytest.mark.parametrize("index", [-1, 1])
def test_a_frame_that_is_not_there(sens, index):
    file = sens(head(), frame())
    with pytest.raises(SceneError, match=f"no frame {index}; there are 1, from 0"):
        file.depth(index)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"version": 3}, "version is 3, expected 4"),
        ({"name_length": 2**60}, f"length of the sensor's name is {2**60}"),
        ({"name_length": 4000}, "ends in the header"),
        ({"frames": 2**60}, f"number of frames is {2**60}, but the file's"),
        ({"sizes": (2**31, 4, 2, 3)}, "colour size is 2147483648 x 4 pixels"),
        ({"sizes": (8, 4, 2, 0)}, "depth size is 2 x 0 pixels"),
        ({"codes": (-1, 1)}, "colour compression is unknown"),
        ({"codes": (9, 1)}, "colour compression is code 9"),
        ({"codes": (2, 2)}, "depth compression is occi, expected raw or zlib ushort"),
        ({"shift": 0.0}, "depth shift is 0, expected 1 to 1e+06"),
        ({"shift": 1e-40}, "depth shift is 9.99995e-41"),
        ({"shift": float("nan")}, "depth shift is nan"),
        ({"colour_camera": (np.inf, *COLOUR_CAMERA[1:])}, "colour intrinsic or extrinsic has"),
        ({"colour_camera": (-1.0, *COLOUR_CAMERA[1:])}, "colour focal lengths are -1 and 11"),
    ],
)
def test_a_wrong_header_is_told(sens, changed, told):
    with pytest.raises(SceneError, match=r"\.sens: .*") as error:
        sens(head(**changed), frame())
    assert told in str(error.value)


def test_all_wrong_figures_are_told_at_once(sens):
    with pytest.raises(SceneError) as error:
        sens(head(codes=(7, 7), sizes=(0, 0, 0, 0), shift=-1.0, frames=99))
    told = str(error.value)
    assert told.count(", expected ") + told.count(", but the file's") == 6


@pytest.mark.parametrize(
    ("lengths", "told"),
    [
        ((2**60, 20), f"colour bytes are {2**60}"),
        ((20, 2**63), f"depth bytes are {2**63}"),
        ((2**20, 20), "but the file ends after"),
    ],
)
def test_a_frame_cannot_claim_more_than_the_file_holds(sens, lengths, told):
    file = sens(head(), frame(lengths=lengths))
    with pytest.raises(SceneError, match=f"frame 0: .*{told}"):
        file.colour(0)


def test_a_raw_picture_has_its_exact_size(sens):
    file = sens(head(codes=(0, 0)), frame(colour=b"x" * 95, depth=DEPTH.tobytes()))
    with pytest.raises(SceneError, match="frame 0: colour bytes are 95, expected 96"):
        file.poses()


def test_a_file_that_ends_early_names_the_frame(sens):
    whole = frame()
    for cut in (len(whole) - 1, 50):
        file = sens(head(frames=2), whole, whole[:cut])
        with pytest.raises(SceneError, match=r"frame 1: .*copy it again"):
            file.poses()


@pytest.mark.parametrize(
    ("depth", "told"),
    [
        (b"no zlib", "depth cannot be decompressed"),
        (zlib.compress(DEPTH.tobytes())[:-9], "depth has "),
        (zlib.compress(b"\0" * 10), "depth has 10 bytes, expected 12"),
        (zlib.compress(bytes(2**24), 9), "depth has 13 bytes, expected 12"),
        (b"", "depth has 0 bytes, expected 12"),
    ],
    ids=["no zlib", "cut", "too short", "bomb", "empty"],
)
def test_damaged_depth_names_the_frame(sens, depth, told):
    file = sens(head(frames=2), frame(), frame(depth=depth))
    assert file.depth(0).shape == (3, 2)
    with pytest.raises(SceneError, match=f"frame 1: {told}"):
        file.depth(1)


@pytest.mark.parametrize(
    "colour",
    [
        b"",
        b"no picture",
        picture("png")[:-30],
        picture("jpeg"),
        picture("png", np.zeros((8, 4, 3), dtype=np.uint8)),
        picture("png")[:16] + struct.pack(">II", 60000, 60000) + picture("png")[24:],
    ],
    ids=["empty", "text", "cut", "another format", "another size", "bomb"],
)
def test_a_damaged_picture_names_the_frame(sens, colour):
    file = sens(head(frames=2), frame(), frame(colour=colour))
    with pytest.raises(SceneError, match="frame 1: colour cannot be read as png of 8 x 4 pixels"):
        file.colour(1)
    assert file.depth(1).shape == (3, 2)


def test_no_file_a_folder_or_a_pipe(tmp_path):
    with pytest.raises(SceneError, match="No such file"):
        SensFile(tmp_path / "none.sens")
    with pytest.raises(SceneError, match="no regular file"):
        SensFile(tmp_path)
    os.mkfifo(tmp_path / "pipe.sens")
    with pytest.raises(SceneError, match="no regular file"):
        SensFile(tmp_path / "pipe.sens")


WHOLE = head(codes=(2, 1), frames=2) + frame(colour=picture("jpeg")) * 2


@settings(
    derandomize=True,
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=4
    ),
    cut=st.integers(0, len(WHOLE)),
)
def test_any_damage_gives_values_or_a_scene_error(sens, changes, cut):
    data = bytearray(WHOLE)
    for place, value in changes:
        data[place] = value
    for damaged in (data, data[:cut]):
        try:
            file = sens(bytes(damaged))
            file.poses()
            for index in range(len(file)):
                colour, depth = file.frame(index)
                assert (file.header.colour.height, file.header.colour.width, 3) == colour.shape
                assert np.isfinite(depth).all()
        except SceneError as error:
            assert ".sens: " in str(error)  # noqa: PT017


def test_memory_holds_one_frame_of_a_large_file(tmp_path):
    path, frames, payload = tmp_path / "large.sens", 400, 3 * 2000 * 1500
    with path.open("wb") as file:
        file.write(head(codes=(0, 0), sizes=(2000, 1500, 2, 3), frames=frames))
        for number in range(frames):
            file.write(struct.pack("<16f4Q", *POSE, number, number, payload, 12))
            file.seek(payload, io.SEEK_CUR)  # a hole: 3.6 GB that take no room on the disk
            file.write(DEPTH.tobytes())
    tracemalloc.start()
    try:
        recording = SensFile(path)
        assert len(recording.poses()) == frames
        assert tracemalloc.get_traced_memory()[1] < 2**20
        assert recording.entry(frames - 1).colour_time == frames - 1
        for number in (0, frames - 1):
            assert recording.colour(number).shape == (1500, 2000, 3)
            assert np.array_equal(recording.depth(number), DEPTH / np.float32(1000))
        # The stored picture, Pillow's and the array's: at most three of one frame at once.
        assert tracemalloc.get_traced_memory()[1] < 3.5 * payload
    finally:
        tracemalloc.stop()
