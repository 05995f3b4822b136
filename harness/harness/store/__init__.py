"""Scenes read once out of a release and kept compactly: a folder of Parquet files.

```text
store.json             where the scenes came from, and how many were asked for
scenes-00000.parquet   a row a scene, `SHARD` scenes a file, in the source's order
skipped.jsonl          scenes that were left out, and why
no_video.jsonl         with videos: scenes without one, and why
videos/<dataset>/<scene>.mp4, and <scene>.poses.jsonl beside it: the pose of each of its frames
```

A scene comes back as it was, to the last bit, with two exceptions: of an object's points their
mean alone is kept (as the one point of `SceneObject.points`, so that centres of point clouds stay
what they were), and its video is the store's own copy or none.
"""

from harness.store.poses import POSES, write_poses
from harness.store.reader import SceneStore
from harness.store.record import FORMAT, STORE, StoreRecord
from harness.store.rows import scene_of, table_of
from harness.store.shard import SHARD, Left, Shard, shard_name, write_shard

__all__ = [
    "FORMAT",
    "POSES",
    "SHARD",
    "STORE",
    "Left",
    "SceneStore",
    "Shard",
    "StoreRecord",
    "scene_of",
    "shard_name",
    "table_of",
    "write_poses",
    "write_shard",
]
