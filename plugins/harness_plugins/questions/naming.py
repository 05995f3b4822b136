"""From an object's name in somebody's question to a category of the scene."""

from __future__ import annotations

from harness.scene import Scene
from harness_plugins.questions.wording import plain

# Labels that VSI-Bench's sources write one way and its questions or other annotations another
# (spec of its categories: ScanNet's, ScanNet++'s and ARKitScenes' remaps; coat rack is spoken only).
_SAME = (
    ("coat hanger", "coat rack"),
    ("trash bin", "trash can", "recycling bin"),
    ("computer mouse", "mouse"),
    ("table", "desk"),
    ("chair", "office chair"),
    ("ceiling light", "ceiling lamp"),
    ("tv", "tv monitor"),
)
_OTHERS = {name: set(names) - {name} for names in _SAME for name in names}


def categories(scene: Scene) -> tuple[str, ...]:
    """All categories of the scene, counted or with boxes, in the annotation's order."""
    return tuple(dict.fromkeys((*scene.counts, *(thing.category for thing in scene.objects))))


def category_named(scene: Scene, name: str) -> str | None:
    """The one category of the scene that the name means, or None.

    As it is written; else in singular or plural; else under another label for the same thing.
    """
    wanted = plain(name)
    known = {category: plain(category) for category in categories(scene)}
    others = {other for form in _forms(wanted) for other in _OTHERS.get(form, ())}
    for fits in (
        [category for category, label in known.items() if label == wanted],
        [c for c, label in known.items() if label in _forms(wanted) or wanted in _forms(label)],
        [category for category, label in known.items() if label in others],
    ):
        if fits:
            return fits[0] if len(fits) == 1 else None
    return None


def _forms(name: str) -> set[str]:
    """The name and what it may be the plural of."""
    forms = {name}
    for plural, singulars in (("ves", ("f", "fe")), ("ies", ("y",)), ("es", ("",)), ("s", ("",))):
        if name.endswith(plural) and len(name) > len(plural) + 1:
            forms |= {name.removesuffix(plural) + singular for singular in singulars}
    return forms
