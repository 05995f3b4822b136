"""What recipes can name: components with the plugin each came from.

Errors say which plugin, of which distribution and version, is meant.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import getattr_static
from traceback import walk_tb
from types import MappingProxyType
from typing import Any

from harness.component import (
    KINDS,
    Backbone,
    Component,
    Kind,
    QuestionGenerator,
    Reward,
    SceneSource,
    Settings,
    Task,
)
from harness.errors import HarnessError, PluginError, UsageError
from harness.suggest import suggestion

ROLE_OF: Mapping[Kind, type] = MappingProxyType(
    {
        "scenes": SceneSource,
        "questions": QuestionGenerator,
        "rewards": Reward,
        "backbones": Backbone,
        "tasks": Task,
    }
)


@dataclass(frozen=True)
class Source:
    """Where components come from: an entry point of an installed distribution."""

    plugin: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"plugin {self.plugin!r} ({self.distribution} {self.version})"


@dataclass(frozen=True)
class Registered:
    """A component and the plugin that offers it."""

    kind: Kind
    component: Component[Any]
    source: Source

    @property
    def name(self) -> str:
        """The component's name."""
        return self.component.name

    @property
    def plugin(self) -> str:
        """Name of the entry point."""
        return self.source.plugin

    @property
    def distribution(self) -> str:
        """Name of the installed distribution."""
        return self.source.distribution

    @property
    def version(self) -> str:
        """Version of the distribution."""
        return self.source.version

    def __str__(self) -> str:
        return f"{self.name!r} ({self.kind}) of {self.source}"


@dataclass(frozen=True)
class Broken:
    """Something a plugin offers that cannot be used.

    Args:
        source: the plugin.
        what: the part that is broken. why: what was found. remedy: what to do.
        kinds: the kinds of components that may be missing because of it.
    """

    source: Source
    what: str
    why: str
    remedy: str
    kinds: tuple[Kind, ...] = KINDS

    def __str__(self) -> str:
        return f"{self.source}: {self.what}: {self.why}; {self.remedy}"


@dataclass(frozen=True)
class Catalogue:
    """Every component of every installed plugin, sorted by kind and name.

    Args:
        components: by kind and name.
        broken: what could not be used. notes: oddities that harm nothing.
    """

    components: Mapping[tuple[Kind, str], Registered]
    broken: tuple[Broken, ...] = ()
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Registered]:
        return iter(self.components.values())

    def names(self, kind: Kind) -> tuple[str, ...]:
        """The names of a kind, sorted."""
        return tuple(name for of_kind, name in self.components if of_kind == kind)

    def get(self, kind: Kind, name: str) -> Registered:
        """The component.

        Raises:
            UsageError: no plugin offers it.
            PluginError: no plugin offers it, but a broken one may have.
        """
        if (kind, name) in self.components:
            return self.components[kind, name]
        unknown = f"no component {name!r} of kind {kind!r}; {suggestion(name, self.names(kind))}"
        suspects = [str(broken) for broken in self.broken if kind in broken.kinds]
        if suspects:
            raise PluginError(
                "\n  ".join([f"{unknown}, or a broken plugin may have offered it:", *suspects])
            )
        raise UsageError(unknown)


def build(registered: Registered, settings: Settings) -> object:
    """Build a component; the result plays the role of its kind.

    Raises:
        PluginError: its module is missing, building fails, or the result cannot play its role.
        HarnessError: what the plugin reports itself.
    """
    with guard(registered, "building it"):
        made = registered.component.create(settings)
        missing = missing_members(made, ROLE_OF[registered.kind])
    if missing:
        role = ROLE_OF[registered.kind].__name__
        raise PluginError(
            f"{registered}: building gave {_a(made)} that lacks {', '.join(missing)}; expected a "
            f"harness.{role}"
        )
    return made


@contextmanager
def guard(registered: Registered, doing: str = "") -> Iterator[None]:
    """Names the plugin in whatever goes wrong while its code runs.

    A `HarnessError` is the plugin's own report and passes; so do exhausted memory and disks, which
    are no fault of the plugin.

    Raises:
        PluginError: anything else.

    Example:
        >>> with guard(registered, "scoring"):
        ...     scores = reward(rollouts)
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, HarnessError) or is_exhaustion(error):
            raise
        while_doing = f", while {doing}" if doing else ""
        raise PluginError(f"{registered}{while_doing}: {describe(error)}") from error


def describe(error: BaseException) -> str:
    """One line for any exception, with the place in the plugin's code that raised it."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    frames = [
        f"{frame.f_code.co_filename}:{line}"
        for frame, line in walk_tb(error.__traceback__)
        if not frame.f_code.co_filename.startswith("<frozen")
    ]
    return f"{text} (at {frames[-1]})" if frames else text


def missing_members(made: object, role: type) -> list[str]:
    """What an object lacks to play a role; its properties are not run."""
    methods = [name for name, member in vars(role).items() if callable(member)]
    members = [name for name in vars(role) if not name.startswith("_")]
    members += [name for name in role.__annotations__ if not name.startswith("_")]
    if "__call__" in methods:
        members.append("__call__")
    return [
        f"{name}()" if name in methods else name
        for name in dict.fromkeys(members)
        if not _has(made, name, method=name in methods)
    ]


def _has(made: object, name: str, *, method: bool) -> bool:
    absent = object()
    member = getattr_static(made, name, absent)
    if member is absent:
        # What exists only through `__getattr__` counts too.
        member = getattr(made, name, absent)
    return member is not absent and (not method or member is not None)


def _a(made: object) -> str:
    return "None" if made is None else f"a {type(made).__name__}"


def is_exhaustion(error: BaseException) -> bool:
    """Whether memory, the accelerator's memory or the disk ran out."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    if "No space left on device" in str(error):  # as safetensors and tokenizers say it
        return True
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
