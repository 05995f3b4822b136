"""Where recipes lie: files, packaged recipes and presets, parents, and the machine's settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from harness.errors import UsageError
from harness.recipe.problem import Problem, error_of
from harness.strict_yaml import Node, read
from harness.suggest import suggestion

LOCAL = "harness.local.yaml"
SUFFIXES = (".yaml", ".yml")


def packaged_root() -> Path:
    """The folder of the recipes that come with the harness: in the wheel, or of the checkout."""
    package = Path(__file__).parents[1]
    wheel = package / "recipes"
    return wheel if wheel.is_dir() else package.parents[1] / "recipes"


def packaged_presets_root() -> Path:
    """The folder of the presets of questions that come with the harness."""
    return packaged_root() / "presets"


def packaged_recipes() -> tuple[str, ...]:
    """Names of the packaged recipes, such as `quickstart`."""
    root = packaged_root()
    files = (
        path.relative_to(root)
        for path in root.rglob("*.yaml")
        if path.name != LOCAL and path.parent != packaged_presets_root()
    )
    return tuple(sorted(path.with_suffix("").as_posix() for path in files))


def packaged_preset_names() -> tuple[str, ...]:
    """Names of the packaged presets of questions, such as `vsi_bench`."""
    return tuple(sorted(path.stem for path in packaged_presets_root().glob("*.yaml")))


def find_recipe(name: str | Path) -> Path:
    """The file of a recipe, given by its path (with suffix) or its name (packaged).

    Raises:
        UsageError: there is none.
    """
    path = usable_path(str(name))
    _refuse_preset(path)
    if path.suffix in SUFFIXES:
        if path.is_file():
            return path
        raise UsageError(f"no recipe file {shown(path)}{instead_of(path)}")
    if path.as_posix() in packaged_recipes():
        return packaged_root() / f"{path.as_posix()}.yaml"
    for suffix in SUFFIXES:
        if (file := path.with_name(path.name + suffix)).is_file():
            raise UsageError(f"no packaged recipe {str(name)!r}; the file is named {shown(file)}")
    advice = suggestion(path.as_posix(), packaged_recipes(), plural="packaged recipes")
    raise UsageError(f"no packaged recipe {str(name)!r} (a file is given with its .yaml); {advice}")


def _refuse_preset(path: Path) -> None:
    name = path.with_suffix("").name
    packaged = path.as_posix() == f"presets/{name}" and name in packaged_preset_names()
    if packaged or _real(path).parent == _real(packaged_presets_root()):
        raise UsageError(
            f"{path} is a preset of questions and no recipe; a recipe names it: "
            f"questions: {{preset: {name}}}"
        )


def instead_of(path: Path) -> str:
    """What to do about a YAML file that is not there."""
    name = path.with_suffix("").name
    if name in packaged_recipes():
        return f"; the packaged recipe of that name is {name!r} (without suffix)"
    if name in packaged_preset_names():
        return f"; the packaged preset of that name is {name!r} (without suffix)"
    return _other_files(path)


def _other_files(path: Path) -> str:
    there = sorted(p.name for p in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
    if not there:
        return f"; there is no .yaml file in {shown(path.parent)}"
    return f"; {suggestion(path.name, there, plural='files there')}"


def shown(path: Path) -> str:
    """A path as errors print it: relative if it lies below the working folder."""
    absolute = path.absolute()
    try:
        return str(absolute.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(absolute)


def read_chain(path: Path) -> tuple[list[Node], list[Path]]:
    """A recipe file's parents and itself as layers, and their files, the first parent first.

    Raises:
        UsageError: a file is missing, unreadable, its own ancestor, or outside the recipes' folder.
    """
    layers: list[Node] = []
    files: list[Path] = []
    next_file: Path | None = path
    while next_file is not None:
        resolved = _real(next_file)
        if resolved in files:
            circle = " -> ".join(
                shown(file) for file in [*files[files.index(resolved) :], resolved]
            )
            raise UsageError(f"{shown(path)}: extends goes round in a circle: {circle}")
        tree = read(next_file, shown(next_file))
        files.append(resolved)
        layers.append(tree)
        next_file = _parent(tree, next_file)
    return layers[::-1], files[::-1]


def _parent(tree: Node, file: Path) -> Path | None:
    """Takes `extends` out of a file's tree."""
    assert isinstance(tree.value, dict)
    extends = tree.value.pop("extends", None)
    if extends is None:
        return None
    name = extends.value

    def refuse(message: str) -> UsageError:
        return UsageError(str(Problem(extends.where, ("extends",), message)))

    if not isinstance(name, str):
        raise refuse("expected one file beside this one (base.yaml) or one packaged recipe's name")
    try:
        return find_recipe(file_beside(file, name) if Path(name).suffix in SUFFIXES else name)
    except UsageError as error:
        raise refuse(str(error)) from error


def file_beside(file: Path, name: str) -> Path:
    """The file that another one names, by its path from there.

    Raises:
        UsageError: it is not there, lies outside the recipes' folder, or is a path of one machine.
    """
    if usable_path(name).is_absolute():
        raise UsageError(f"{name} is a path of one machine; write it relative to this file")
    found = file.parent / name
    root = _root(file)
    if not _real(found).is_relative_to(root):
        raise UsageError(f"{name} lies outside {shown(root)}; it must be in the recipes' folder")
    if not found.is_file():
        raise UsageError(f"no file {shown(found)}{instead_of(found)}")
    return found


def _root(file: Path) -> Path:
    """What parents may not leave: the folder named `recipes` around a file, else its own folder."""
    folder = _real(file).parent
    return next((f for f in (folder, *folder.parents) if f.name == "recipes"), folder)


def usable_path(name: str) -> Path:
    """A path as somebody wrote it.

    Raises:
        UsageError: no file can have that name.
    """
    longest = max((len(part.encode(errors="replace")) for part in Path(name).parts), default=0)
    if "\0" in name or longest > 255 or not Path(name).name:
        raise UsageError(f"{name[:80]!r} is no file's name")
    return Path(name)


def _real(path: Path) -> Path:
    """The path without links; unlike `Path.resolve`, it takes links that lead to themselves."""
    return Path(os.path.realpath(path))


def local_files(recipe: Path) -> Iterator[Path]:
    """The machine's settings that exist: in the home configuration folder, then beside the recipe."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111  (a user without home is no error)
    candidates = (Path(home) / "vsi-harness" / LOCAL, _real(recipe).parent / LOCAL)
    yield from dict.fromkeys(path for path in candidates if path.is_file())


def read_local(recipe: Path) -> tuple[list[Node], list[Path]]:
    """The machine's settings as layers, and their files.

    Raises:
        UsageError: unreadable, or with a key that only recipes have.
    """
    layers: list[Node] = []
    files = list(local_files(recipe))
    for file in files:
        layer = read(file, shown(file))
        assert isinstance(layer.value, dict)
        problems = [
            Problem(node.where, (key,), "belongs in a recipe, not in the machine's settings")
            for key, node in layer.value.items()
            if key in ("extends", "matrix", "name")
        ]
        if problems:
            raise error_of(problems)
        layers.append(layer)
    return layers, files
