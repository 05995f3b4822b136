"""A resolved recipe as plain values, and the hash of what affects its results."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from harness.catalogue import guard
from harness.recipe.validate import Part

# What tells runs apart for the reader, but changes no result.
_NO_EFFECT = ("name", "description", "matrix")


def document_of(
    model: BaseModel, parts: Mapping[str, Part], *, nulls: bool = False
) -> dict[str, Any]:
    """What was merged and checked, with every default, as a YAML file can say it.

    Args:
        nulls: keep entries without a value.
    """
    document: dict[str, Any] = model.model_dump(mode="json", exclude={"matrix"})
    for path, part in parts.items():
        section = document
        for key in path.split("."):
            section = section[key]
        with guard(part.registered, "writing its settings"):
            settings = _sayable(part.settings.model_dump(mode="json", by_alias=True), nulls=nulls)
            json.dumps(settings, allow_nan=False)
        section |= {"use": part.registered.name, **settings}
    cleaned: dict[str, Any] = _sayable(document, nulls=nulls)
    return cleaned


def _sayable(value: Any, *, nulls: bool) -> Any:
    """Drop what YAML cannot say: None and infinity are only ever defaults, and `null` removes."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if not _is_nothing(v, nulls=nulls)}
        return {k: _sayable(v, nulls=nulls) for k, v in kept.items()}
    return [_sayable(v, nulls=nulls) for v in value] if isinstance(value, list) else value


def _is_nothing(value: Any, *, nulls: bool) -> bool:
    if value is None:
        return not nulls
    return isinstance(value, float) and not math.isfinite(value)


def recipe_hash(document: Mapping[str, Any]) -> str:
    """sha256 of a resolved document's canonical JSON, without its name and description.

    The order of keys has no effect, except of training stages, which run in it.
    """
    content = {key: value for key, value in document.items() if key not in _NO_EFFECT}
    content["train"] = list(content.get("train", {}).items())
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
