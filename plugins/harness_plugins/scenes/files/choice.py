"""Which of a source's scenes a recipe wants: `only`, then `limit`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.errors import SceneError
from harness_plugins.scenes.files.problems import refuse, shortened

# Ids become parts of file paths.
SAFE_NAME = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,120}")
# Characters of a label or of an instance's id; a store takes no longer ones.
LONGEST_NAME = 500


def choose_scenes(
    ids: Iterable[str], *, only: Sequence[str] | None, limit: int | None, where: str
) -> tuple[str, ...]:
    """The wanted ids in alphabetical order.

    Args:
        ids: all that are there. where: the source and its folder, for messages.

    Raises:
        SceneError: an id cannot be part of a path, or `only` names what is not there.
    """
    found = sorted(set(ids))
    unsafe = [repr(scene) for scene in found if not SAFE_NAME.fullmatch(scene)]
    problems = []
    if unsafe:
        problems.append(
            f"{where}: ids may hold letters, digits, '.', '_' and '-' only, found "
            f"{shortened(unsafe, ', ')}"
        )
    if only is not None:
        if unknown := sorted(set(only) - set(found)):
            problems.append(f"{where}: only: {shortened(unknown, ', ')} not among its scenes")
        found = [scene for scene in found if scene in set(only)]
    refuse(problems)
    return tuple(found[:limit])


def known_scene(scene_id: str, ids: Sequence[str], where: str) -> None:
    """Refuse an id that the source did not give.

    Raises:
        SceneError: it is not among the ids.
    """
    if scene_id not in ids:
        raise SceneError(f"{where}: no scene {scene_id!r} among its {len(ids)} scenes")
