"""A component's settings as lines to read: key, type, default, meaning."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    Path: "path",
    NoneType: "null",
    Any: "anything",
}
_BOUNDS = {
    "gt": ">",
    "ge": ">=",
    "lt": "<",
    "le": "<=",
    "multiple_of": "multiple of",
    "min_length": "length >=",
    "max_length": "length <=",
    "pattern": "matching",
}
_DEEPEST = 4  # settings may hold settings


def settings_lines(model: type[BaseModel], prefix: str = "") -> list[str]:
    """One line a setting, an indented one below with its meaning; nested settings by dotted key."""
    lines = []
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        lines.append(f"{key}: {type_text(field.annotation, field.metadata)}, {_default(field)}")
        if field.description:
            lines.append(f"    {' '.join(field.description.split())}")
        if key.count(".") < _DEEPEST:
            for inner in _models_of(field.annotation):
                lines += settings_lines(inner, f"{key}.")
    return lines


def type_text(annotation: Any, bounds: Sequence[Any] = ()) -> str:
    """A type in the words of a recipe's author.

    Example:
        >>> type_text(Literal["max", "mean"] | None)
        'max or mean or null'
    """
    limits = [
        f"{sign} {getattr(bound, name)}"
        for bound in bounds
        for name, sign in _BOUNDS.items()
        if getattr(bound, name, None) is not None
    ]
    return " ".join([_bare(annotation), *limits])


def _bare(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        bounds = [
            bound
            for extra in arguments[1:]
            for bound in (extra.metadata if isinstance(extra, FieldInfo) else [extra])
        ]
        return type_text(arguments[0], bounds)
    if origin in (Union, UnionType):
        return " or ".join(map(_bare, arguments))
    if origin is Literal:
        return " or ".join(one if isinstance(one, str) else json.dumps(one) for one in arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"map of {_bare(arguments[-1])}"
    if isinstance(origin, type) and issubclass(origin, Sequence | AbstractSet):
        return f"list of {', '.join(_bare(one) for one in arguments if one is not Ellipsis)}"
    return _WORDS.get(annotation, "map" if _models_of(annotation) else _name(annotation))


def _name(annotation: Any) -> str:
    return str(getattr(annotation, "__name__", annotation))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None or isinstance(field.default, BaseModel):
        return "optional"
    return f"default {json.dumps(field.default, default=str)}"


def _models_of(annotation: Any) -> list[type[BaseModel]]:
    """The settings inside settings."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_of(argument)]
