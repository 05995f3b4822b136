"""From entry points to an immutable catalogue.

pluggy ignores the second of two entry points with one name, aborts all plugins when one cannot be
imported, accepts misspelt hooks and loses the plugin's name when a hook raises. So the entry points
are walked here, one plugin at a time. Nothing here imports torch or numpy.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import metadata
from itertools import islice
from types import MappingProxyType, ModuleType
from typing import Any

import pluggy

from harness import hookspecs
from harness.catalogue import Broken, Catalogue, Registered, Source, build, describe, guard
from harness.component import KINDS, Component, Kind, Settings
from harness.errors import PluginError
from harness.suggest import suggestion

__all__ = ["Broken", "Catalogue", "Registered", "Source", "build", "guard", "load_catalogue"]

HOOK_OF: Mapping[Kind, str] = MappingProxyType(
    {
        "scenes": "harness_scene_sources",
        "questions": "harness_question_generators",
        "rewards": "harness_rewards",
        "backbones": "harness_backbones",
        "tasks": "harness_tasks",
    }
)
# Keys of a recipe's section that belong to the recipe, not to the component it names.
RESERVED: Mapping[Kind, frozenset[str]] = MappingProxyType(
    {
        "scenes": frozenset({"use"}),
        "questions": frozenset({"use", "limit", "per_scene", "weight"}),
        "rewards": frozenset({"use", "weight"}),
        "backbones": frozenset({"use"}),
        "tasks": frozenset({"use"}),
    }
)
_MOST_COMPONENTS = 1000  # of one hook: an endless generator must not hang the listing
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_BUILD = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def load_catalogue(*, strict: bool = False) -> Catalogue:
    """Ask every installed plugin what it offers.

    Args:
        strict: a broken plugin is an error even if nothing needs it.

    Raises:
        PluginError: two plugins claim one name, or `strict` and something is broken.
    """
    points, clashes = _entry_points()
    listings = [_Listing(point) for point in points]
    for listing in listings:
        listing.run()
    found = [registered for listing in listings for registered in listing.found]
    broken = [fault for listing in listings for fault in listing.broken]
    components: dict[tuple[Kind, str], Registered] = {}
    for one in sorted(found, key=lambda one: (KINDS.index(one.kind), one.name, str(one.source))):
        first = components.setdefault((one.kind, one.name), one)
        if first is not one:
            clashes.append(
                f"two {one.kind} components are named {one.name!r}: one of {first.source}, one of "
                f"{one.source}; {_one_must_go(first.source, one.source)}"
            )
    if clashes:
        raise PluginError("\n".join(clashes))
    if strict and broken:
        raise PluginError("\n".join(["broken plugins:", *(f"  {fault}" for fault in broken)]))
    return Catalogue(MappingProxyType(components), tuple(broken), tuple(_copies(points)))


@dataclass(frozen=True)
class _Point:
    source: Source
    entry: metadata.EntryPoint


def _entry_points() -> tuple[list[_Point], list[str]]:
    points: dict[str, _Point] = {}
    clashes: list[str] = []
    for entry in _entries():
        point = _Point(_source(entry), entry)
        first = points.setdefault(entry.name, point)
        if first is point or (first.source, first.entry.value) == (point.source, entry.value):
            continue
        clashes.append(
            f"two plugins are named {entry.name!r} (entry points of group {hookspecs.GROUP!r}): "
            f"{first.entry.value!r} of {first.source.distribution} {first.source.version} and "
            f"{entry.value!r} of {point.source.distribution} {point.source.version}; "
            + _one_must_go(first.source, point.source)
        )
    return sorted(points.values(), key=lambda point: point.entry.name), clashes


def _entries() -> Iterable[metadata.EntryPoint]:
    try:
        return metadata.entry_points(group=hookspecs.GROUP)
    # Whatever a damaged installation makes importlib raise, the user learns which one it is.
    except Exception as error:
        culprits = ", ".join(_named(dist) for dist in _unreadable()) or "unknown"
        raise PluginError(
            f"the entry points of an installed distribution cannot be read ({describe(error)}); "
            f"reinstall or remove {culprits}"
        ) from error


def _unreadable() -> Iterator[metadata.Distribution]:
    for dist in metadata.distributions():
        try:
            list(dist.entry_points)
        except Exception:  # noqa: BLE001  (as above)
            yield dist


def _named(dist: metadata.Distribution) -> str:
    return f"{dist.metadata['Name']} {dist.metadata['Version']} in {dist.locate_file('')}"


def _one_must_go(first: Source, second: Source) -> str:
    if first.distribution == second.distribution:
        return f"report it to the authors of {first.distribution}"
    return f"uninstall {first.distribution} or {second.distribution}, or have one of them renamed"


def _source(entry: metadata.EntryPoint) -> Source:
    name, version = None, None
    if entry.dist is not None:
        # A damaged METADATA has neither, whatever the annotations say.
        name, version = entry.dist.metadata["Name"], entry.dist.metadata["Version"]
    return Source(
        entry.name, str(name or "unknown distribution"), str(version or "unknown version")
    )


def _copies(points: Iterable[_Point]) -> list[str]:
    """Distributions that are installed twice, say editable over the leftovers of a wheel."""
    notes = []
    for name, used in sorted({(p.source.distribution, p.source.version) for p in points}):
        copies = dict.fromkeys(
            (str(copy.metadata["Version"]), str(copy.locate_file("")))
            for copy in metadata.distributions(name=name)
        )
        if len(copies) > 1:
            where = ", ".join(f"{version} in {folder}" for version, folder in copies)
            notes.append(
                f"{name} is installed more than once ({where}); the entry points of {used} are "
                f"used; run `pip uninstall {name}` until none is left, then install it again"
            )
    return notes


class _Listing:
    """What one entry point offers; nothing it does can harm another."""

    def __init__(self, point: _Point) -> None:
        self.source = point.source
        self.entry = point.entry
        self.found: list[Registered] = []
        self.broken: list[Broken] = []

    def run(self) -> None:
        manager = pluggy.PluginManager(hookspecs.GROUP)
        manager.add_hookspecs(hookspecs)
        plugin = self._attempt(self.entry.value, KINDS, self.entry.load)
        if plugin is None:
            return
        register = lambda: manager.register(plugin, self.entry.name)  # noqa: E731
        if self._attempt(self.entry.value, KINDS, register) is None:
            return
        callers = [c for c in vars(manager.hook).values() if isinstance(c, pluggy.HookCaller)]
        self._misspelt(callers)
        self._unmarked(plugin, callers)
        for kind, hook in HOOK_OF.items():
            for implementation in getattr(manager.hook, hook).get_hookimpls():
                self._ask(kind, hook, implementation)

    def _attempt(self, what: str, kinds: tuple[Kind, ...], action: Callable[[], Any]) -> Any:
        try:
            # A plugin that prints must not spoil `--json`.
            with redirect_stdout(sys.stderr):
                given = action()
        # The border to foreign code: whatever one plugin raises, the others still load.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            self._report(what, describe(error), self._remedy(error), kinds)
            return None
        if given is None:
            self._report(what, "gave None", "expected a module, an object or components", kinds)
        return given

    def _remedy(self, error: BaseException) -> str:
        if isinstance(error, ModuleNotFoundError) and error.name:
            return f"install what provides {error.name!r}, or reinstall {self.source.distribution}"
        return f"update or uninstall {self.source.distribution}, or report it to its authors"

    def _misspelt(self, callers: Iterable[pluggy.HookCaller]) -> None:
        # What pluggy's check_pending() finds, but all of them and with near misses.
        for caller in callers:
            if not caller.has_spec() and not all(i.optionalhook for i in caller.get_hookimpls()):
                self._no_hook(caller.name)

    def _no_hook(self, name: str) -> None:
        advice = suggestion(name, HOOK_OF.values(), plural="the hooks are")
        self._report(f"{name}()", "there is no such hook", advice)

    def _unmarked(self, plugin: object, callers: Iterable[pluggy.HookCaller]) -> None:
        marked = {i.function for caller in callers for i in caller.get_hookimpls()}
        home = plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__module__
        for name in dir(plugin):
            function = inspect.getattr_static(plugin, name, None)
            if not name.startswith("harness_") or not inspect.isfunction(function):
                continue
            if function.__module__ != home or getattr(plugin, name) in marked:
                continue
            if name in HOOK_OF.values():
                self._report(f"{name}()", "is not marked", "put @harness.hookimpl above it")
            else:
                self._no_hook(name)

    def _ask(self, kind: Kind, hook: str, implementation: pluggy.HookImpl) -> None:
        what = f"{hook}()"
        if implementation.hookwrapper or implementation.wrapper:
            self._report(what, "is a hook wrapper", "give components from a plain hook", (kind,))
            return
        given = self._attempt(what, (kind,), lambda: _listed(implementation.function()))
        for component in given or ():
            if not isinstance(component, Component):
                found = f"gave a {type(component).__name__}"
                self._report(what, found, "expected harness.Component objects", (kind,))
            elif faults := faults_of(component, kind):
                name = f"{kind} component {component.name!r}"
                self._report(name, "; ".join(faults), self._remedy(TypeError()), (kind,))
            else:
                self.found.append(Registered(kind, component, self.source))

    def _report(self, what: str, why: str, remedy: str, kinds: tuple[Kind, ...] = KINDS) -> None:
        self.broken.append(Broken(self.source, what, why, remedy, kinds))


def _listed(given: object) -> list[object]:
    if given is None or isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise TypeError(f"gave a {type(given).__name__}, expected a list of harness.Component")
    components = list(islice(given, _MOST_COMPONENTS + 1))
    if len(components) > _MOST_COMPONENTS:
        raise ValueError(f"gave more than {_MOST_COMPONENTS} components")
    return components


def faults_of(component: Component[Any], kind: Kind) -> list[str]:
    """What keeps a component from being named in a recipe; empty if nothing does."""
    given: dict[str, Any] = vars(component)  # plugins need not be type-checked
    name, config, made_by, summary = (given[k] for k in ("name", "config", "build", "summary"))
    faults = []
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        faults.append("its name must be a lower-case identifier such as 'my_component'")
    if not isinstance(config, type) or not issubclass(config, Settings):
        faults.append("its config must be a subclass of harness.Settings")
    elif taken := sorted(RESERVED[kind] & config.model_fields.keys()):
        faults.append(f"its settings may not be named {', '.join(taken)}: the recipe uses that key")
    if not callable(made_by) and not (isinstance(made_by, str) and _BUILD.fullmatch(made_by)):
        faults.append("its build must be callable or read 'package.module:function'")
    if not isinstance(summary, str) or not summary.strip() or len(summary.splitlines()) > 1:
        faults.append("its summary must be one line of text")
    return faults
