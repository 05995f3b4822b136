"""A release read once into a scene store, by several processes, and gone on with when cut short.

A worker process reads one scene and leaves it as a file of its own under `.parts`; when the scenes
of a shard are all there, the shard is written from them and they are deleted. So whatever ends an
import, all scenes that were finished stay.
"""

from harness.scene_import.run import Summary, import_scenes

__all__ = ["Summary", "import_scenes"]
