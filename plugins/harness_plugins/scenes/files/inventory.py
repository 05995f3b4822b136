"""From labelled instances to a scene's objects and counts, by a choice of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from harness.errors import SceneError
from harness.scene import Array, Box, SceneObject
from harness_plugins.scenes.files.choice import LONGEST_NAME
from harness_plugins.scenes.files.labels import Labels
from harness_plugins.scenes.files.problems import refuse, short, shortened


@dataclass(frozen=True, eq=False)
class Instance:
    """One annotated instance.

    Args:
        id: unique in the scene. label: as annotated.
        box: or None where it cannot be used; the reason is among the scene's faults.
        points: (n, 3) metres, or None.
    """

    id: str
    label: str
    box: Box | None
    points: Array | None = None


@dataclass(frozen=True)
class Inventory:
    """What is left: objects in the order of `counts`, and what was left out, in words."""

    objects: tuple[SceneObject, ...]
    counts: dict[str, int]
    faults: tuple[str, ...]


def take_inventory(
    instances: Iterable[Instance], labels: Labels, scene: str, where: str
) -> Inventory:
    """Keep the instances whose labels are asked about.

    A category with an instance whose box cannot be used is left out as a whole: a count or a
    closest distance without that instance would be wrong.

    Args:
        scene: for the labels' vetoes. where: file or scene, for messages.

    Raises:
        SceneError: two instances have one id, a name is too long, or none is left.
    """
    instances = list(instances)
    refuse(
        [
            f"{where}: {short(name)}: {len(name):,} characters, expected a name of at most "
            f"{LONGEST_NAME}"
            for instance in instances
            for name in (instance.id, instance.label)
            if len(name) > LONGEST_NAME
        ]
    )
    twice = sorted(name for name, n in Counter(i.id for i in instances).items() if n > 1)
    if twice:
        raise SceneError(f"{where}: these instances' ids occur twice: {shortened(twice, ', ')}")
    vetoed = labels.vetoes.get(scene, frozenset())
    unlisted: Counter[str] = Counter()
    kept: dict[str, list[Instance]] = {}
    for instance in instances:
        category = labels.category(instance.label)
        if category is None:
            unlisted.update(() if labels.knows(instance.label) else (instance.label,))
        elif category not in vetoed:
            kept.setdefault(category, []).append(instance)
    broken = {
        category: [instance.id for instance in found if instance.box is None]
        for category, found in kept.items()
    }
    objects = tuple(
        SceneObject(instance.id, category, instance.box, instance.points)
        for category, found in kept.items()
        if not broken[category]
        for instance in found
        if instance.box is not None
    )
    if not objects:
        raise SceneError(
            f"{where}: none of its {len(instances)} instances has a label that is asked about and "
            "a usable box, so there is nothing to ask; leave the scene out, or change the labels"
        )
    faults = [
        f"{category}: all {len(kept[category])} left out, as {shortened(ids, ', ')} has no usable box"
        for category, ids in broken.items()
        if ids
    ]
    if unlisted:
        told = [f"{label} ({times})" for label, times in sorted(unlisted.items())]
        faults.append(f"labels that the list of labels does not have: {shortened(told, ', ')}")
    return Inventory(objects, dict(Counter(o.category for o in objects)), tuple(faults))
