"""Which keys a place of a recipe knows, for `did you mean …?`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from harness.recipe.merge import at
from harness.strict_yaml import Node


def known_keys(model: type[BaseModel], tree: Node, path: Sequence[str]) -> set[str] | None:
    """The keys of the map at a path, or None if any key may stand there.

    Args:
        model: describes the tree. tree: the recipe, or a section of it. path: a map in it.
    """
    places: list[Any] = [model]
    node: Node | None = tree
    for key in path:
        places = [inner for place in places for inner in _inside(place, key, node)]
        node = node and at(node, (key,))
    options = [option for place in places for option in _options(place)]
    models = [option for option in options if _is_model(option) and _fits(option, node)]
    if not models:
        return None
    return {key for one in models for key in _fields(one)}


def _inside(place: Any, key: str, node: Node | None) -> Iterator[Any]:
    for option in _options(place):
        origin = get_origin(option)
        if _is_model(option):
            if _fits(option, node) and key in _fields(option):
                yield _fields(option)[key]
        elif isinstance(origin, type) and issubclass(origin, Mapping):
            yield get_args(option)[1]
        elif isinstance(origin, type) and issubclass(origin, Sequence):
            yield get_args(option)[0]


def _options(annotation: Any) -> Iterator[Any]:
    """The members of a union, the type under `Annotated`, or the annotation itself."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _options(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for argument in get_args(annotation):
            yield from _options(argument)
    else:
        yield annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _fits(model: type[BaseModel], node: Node | None) -> bool:
    """Whether no literal of the model, such as `method: grpo`, contradicts the recipe."""
    for key, annotation in _fields(model).items():
        choices = get_args(annotation) if get_origin(annotation) is Literal else ()
        given = node and at(node, (key,))
        if len(choices) == 1 and given is not None and given.value not in choices:
            return False
    return True
