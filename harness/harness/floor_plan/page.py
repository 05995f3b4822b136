"""A page on one scene: plan, key frames and a table of its objects, in one file, without scripts."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from harness.floor_plan.key_frames import KeyFrame
from harness.floor_plan.plan import draw_plan
from harness.floor_plan.sheet import caption, headline, legend_lines, stops
from harness.layout.palette import colour_of
from harness.scene import Scene, SceneObject
from harness.terminal import printable

if TYPE_CHECKING:
    from PIL.Image import Image

_PLAN = (1100, 900)


def scene_page(scene: Scene, key_frames: Sequence[KeyFrame]) -> str:
    """The page as HTML; every text of the scene is escaped, and nothing is fetched."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    # Without autoescape a category could bring a script.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.finalize = lambda value: printable(value) if type(value) is str else value
    style = _packaged("scene.css")
    return environment.from_string(_packaged("scene.html")).render(
        style=Markup(style),  # noqa: S704  (a file of this package)
        policy="default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_digest(style)}'",
        scene=scene,
        headline=headline(scene),
        plan=_uri(draw_plan(scene, _PLAN, stops(key_frames)), "PNG"),
        key_frames=[
            {"uri": _uri(one.picture, "JPEG"), "caption": caption(number, one)}
            for number, one in enumerate(key_frames)
        ],
        categories=[
            {"name": name, "numbers": numbers, "colour": _hex(name)}
            for name, numbers in legend_lines(scene)
        ],
        objects=[_described(scene, number, item) for number, item in enumerate(scene.objects, 1)],
        visible=scene.visibility is not None,
    )


def _described(scene: Scene, number: int, item: SceneObject) -> dict[str, Any]:
    seen = scene.visibility
    pixels = None
    if seen is not None and item.id in seen.column:
        pixels = seen.pixels[:, seen.column[item.id]]
    return {
        "number": number,
        "id": item.id,
        "category": item.category,
        "colour": _hex(item.category),
        "size": " x ".join(f"{side:.2f}" for side in item.box.size),
        "position": ", ".join(f"{x:.2f}" for x in item.box.centre),
        "points": "" if item.points is None else len(item.points),
        "frames": "" if pixels is None else int((pixels > 0).sum()),
        "pixels": "" if pixels is None or not len(pixels) else int(pixels.max()),
    }


def _hex(category: str) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour_of(category))


def _uri(picture: Image, kind: str) -> str:
    data = io.BytesIO()
    picture.save(data, kind, **({"quality": 85} if kind == "JPEG" else {}))
    return f"data:image/{kind.lower()};base64,{base64.b64encode(data.getvalue()).decode('ascii')}"


def _packaged(name: str) -> str:
    return files("harness.floor_plan").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    hashed = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(hashed).decode('ascii')}"
