"""Checks of the machine, each with what to do about it. The ranges of versions are the ones the
distribution itself requires.
"""

from __future__ import annotations

import os
import platform
import shutil
import sysconfig
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from harness.errors import PluginError
from harness.plugins import load_catalogue

Status = Literal["ok", "warn", "fail"]

DISTRIBUTION = "vsi-harness"
WATCHED = (
    "torch",
    "torchvision",
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "datasets",
    "av",
    "vllm",
    "deepspeed",
    "lm-eval",
    "ray",
)
GIB = 2**30
# Bytes below which runs fail, and below which they may: a few checkpoints of a 2B model with
# adapters fit in 20 GiB, and importing torch and trl alone takes over 1 GiB of memory.
DISK = (1 * GIB, 20 * GIB)
MEMORY = (2 * GIB, 8 * GIB)
DECODERS = ("h264", "hevc", "vp9", "mpeg4")


@dataclass(frozen=True)
class Finding:
    """One check: its outcome, what was found, and what to do unless all is well."""

    check: str
    status: Status
    found: str
    remedy: str = ""


def findings() -> Iterator[Finding]:
    """All checks, the quick ones first."""
    yield from versions()
    yield compiler()
    yield run_folder(Path("runs"))
    yield disk("disk here", Path.cwd())
    yield disk("disk of the model cache", _cache())
    yield memory()
    yield from plugins()
    yield video()
    yield gpu()


def versions() -> Iterator[Finding]:
    """Python and the libraries, against the ranges that the distribution requires."""
    try:
        about = metadata.metadata(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        remedy = f"pip install {DISTRIBUTION}, or `make setup` in a checkout"
        yield Finding(DISTRIBUTION, "fail", "not installed", remedy)
        return
    python = Requirement(f"python{about['Requires-Python'] or ''}")
    yield version_finding(python, platform.python_version(), extra="")
    required = requirements(about.get_all("Provides-Extra") or ())
    for name in WATCHED:
        if name in required:
            requirement, extra = required[name]
            yield version_finding(requirement, _installed(name), extra)


def requirements(extras: Iterable[str]) -> dict[str, tuple[Requirement, str]]:
    """What the distribution requires, by name, each with the extra that asks for it ('' if none)."""
    found: dict[str, tuple[Requirement, str]] = {}
    for text in metadata.requires(DISTRIBUTION) or ():
        requirement = Requirement(text)
        for extra in ("", *extras):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                found.setdefault(requirement.name, (requirement, extra))
                break
    return found


def version_finding(requirement: Requirement, installed: str | None, extra: str) -> Finding:
    """Whether an installed version (None if absent) is in the range required."""
    name, wanted = requirement.name, str(requirement.specifier)
    target = f"'{DISTRIBUTION}[{extra}]'" if extra else DISTRIBUTION
    if installed is None and extra:
        return Finding(name, "ok", f"not installed (optional: pip install {target})")
    if installed is None:
        return Finding(name, "fail", "not installed", f"pip install --upgrade {target}")
    if requirement.specifier.contains(installed, prereleases=True):
        return Finding(name, "ok", installed)
    found = f"{installed} is outside the supported range {wanted}"
    if name == "python":
        return Finding(name, "fail", found, f"make an environment with Python {wanted}")
    remedy = f"pip install --upgrade {target}, or pip install '{name}{wanted}'"
    return Finding(name, "warn" if extra else "fail", found, remedy)


def compiler() -> Finding:
    """DeepSpeed's CPU Adam and Triton's kernels are compiled on first use."""
    name = os.environ.get("CC") or "gcc"
    path = shutil.which(name) or shutil.which("cc")
    header = Path(sysconfig.get_path("include")) / "Python.h"
    remedy = "DeepSpeed and Triton compile on first use: install gcc and Python's headers"
    if path is None:
        return Finding("C compiler", "warn", f"no {name}", remedy)
    if not header.is_file():
        return Finding("C compiler", "warn", f"{path}, but no {header}", remedy)
    return Finding("C compiler", "ok", path)


def run_folder(path: Path) -> Finding:
    """Whether runs can be written."""
    folder = _existing(path)
    remedy = "change to a folder you can write to, or run with --out FOLDER"
    if not folder.is_dir():
        return Finding("run folder", "fail", f"{folder} is no folder", remedy)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"1")
    except OSError as error:
        return Finding("run folder", "fail", f"{folder.absolute()}: {error.strerror}", remedy)
    return Finding("run folder", "ok", f"{path.absolute()} can be written")


def disk(check: str, path: Path) -> Finding:
    """Free space where a path lies."""
    folder = _existing(path)
    remedy = "free some space; checkpoints of a 2B model take gigabytes each"
    return room(check, shutil.disk_usage(folder).free, f" at {folder}", DISK, remedy)


def memory() -> Finding:
    """Free main memory, within the container's limit if there is one."""
    free = free_memory()
    if free is None:
        return Finding("memory", "ok", "unknown on this system")
    remedy = "end other programs, or lower video.frames and the batch sizes"
    return room("memory", free, "", MEMORY, remedy)


def room(check: str, free: int, place: str, bounds: tuple[int, int], remedy: str) -> Finding:
    """Whether free bytes suffice; `bounds` are what fails and what is scarce."""
    found = f"{free / GIB:.1f} GiB free{place}"
    if free < bounds[0]:
        return Finding(check, "fail", found, remedy)
    return (
        Finding(check, "warn", found, remedy) if free < bounds[1] else Finding(check, "ok", found)
    )


def free_memory() -> int | None:
    """Bytes of memory that a new process can take, or None if the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    kib = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    free = kib["MemAvailable"] * 1024
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        free = min(free, limit - int(Path("/sys/fs/cgroup/memory.current").read_text()))
    except (OSError, ValueError):  # no such group, or its limit is "max"
        return free
    return free


def plugins() -> Iterator[Finding]:
    """Every broken plugin, or how many components there are."""
    try:
        catalogue = load_catalogue()
    except PluginError as error:
        yield Finding("plugins", "fail", str(error))
        return
    yield Finding("plugins", "ok", f"{len(catalogue.components)} components")
    for broken in catalogue.broken:
        yield Finding(str(broken.source), "warn", f"{broken.what}: {broken.why}", broken.remedy)
    for note in catalogue.notes:
        yield Finding("plugins", "warn", note)


def video() -> Finding:
    """Write a tiny clip and read it back; look for the decoders of the data sets' videos."""
    try:
        import av
        import numpy as np
    except ImportError as error:
        return Finding("video", "fail", f"PyAV cannot be imported: {error}", "pip install av")
    frames = 8
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        try:
            with av.open(str(clip), "w") as out:
                stream = out.add_stream("mpeg4", rate=8)
                stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
                for index in range(frames):
                    pixels = np.full((48, 64, 3), index * 30, dtype=np.uint8)
                    out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
                out.mux(stream.encode(None))
            with av.open(str(clip)) as given:
                read = sum(1 for _ in given.decode(video=0))
        except (av.FFmpegError, OSError, ValueError) as error:
            return Finding("video", "fail", f"a clip cannot be written and read: {error}", _NEW_AV)
    missing = [name for name in DECODERS if name not in av.codecs_available]
    if read != frames:
        return Finding("video", "fail", f"{read} of {frames} frames of a clip read", _NEW_AV)
    if missing:
        return Finding("video", "warn", f"no decoder for {', '.join(missing)}", _NEW_AV)
    return Finding("video", "ok", f"PyAV {av.__version__} writes and reads a clip")


_NEW_AV = "pip install --force-reinstall av"


def gpu() -> Finding:
    """The GPUs PyTorch can use."""
    driver = Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            import torch

            count = torch.cuda.device_count() if torch.cuda.is_available() else 0
            found = ", ".join(_describe_gpu(index) for index in range(count))
    except (ImportError, OSError, RuntimeError) as error:
        return Finding("GPU", "fail", f"PyTorch does not load: {error}", "reinstall torch")
    if count:
        return Finding("GPU", "ok", found)
    if driver:
        why = "; ".join(str(one.message) for one in said) or f"torch {torch.__version__}"
        remedy = "install a torch build for this driver, or update the driver"
        return Finding("GPU", "warn", f"a driver, but PyTorch sees no GPU ({why})", remedy)
    remedy = "fine for the quickstart; training a 2B model wants a GPU with 24 GiB or more"
    return Finding("GPU", "warn", "no NVIDIA driver: everything runs on the CPU", remedy)


def _describe_gpu(index: int) -> str:
    import torch

    free, total = torch.cuda.mem_get_info(index)
    name = torch.cuda.get_device_name(index)
    return f"{name}, {free / GIB:.1f} of {total / GIB:.1f} GiB free"


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _cache() -> Path:
    home: Mapping[str, str] = os.environ
    return Path(home.get("HF_HOME") or Path(home.get("XDG_CACHE_HOME") or Path.home() / ".cache"))


def _existing(path: Path) -> Path:
    """The path itself, or the folder it would be made in."""
    path = path.absolute()
    return next(p for p in (path, *path.parents) if p.exists())
