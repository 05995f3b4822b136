from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from harness.doctor import (
    GIB,
    WATCHED,
    Finding,
    compiler,
    disk,
    free_memory,
    gpu,
    plugins,
    requirements,
    room,
    run_folder,
    version_finding,
    versions,
    video,
)


@pytest.mark.parametrize(
    ("requirement", "installed", "extra", "expected"),
    [
        ("torch>=2.11", "2.13.0+cu130", "", Finding("torch", "ok", "2.13.0+cu130")),
        ("vllm<=0.31", "0.31.0", "vllm", Finding("vllm", "ok", "0.31.0")),
        ("torch>=2.11", "2.12.0rc1", "", Finding("torch", "ok", "2.12.0rc1")),
        (
            "trl>=1.16,<1.17",
            "1.17.0",
            "",
            Finding(
                "trl",
                "fail",
                "1.17.0 is outside the supported range <1.17,>=1.16",
                "pip install --upgrade vsi-harness, or pip install 'trl<1.17,>=1.16'",
            ),
        ),
        (
            "vllm>=0.22",
            "0.1",
            "vllm",
            Finding(
                "vllm",
                "warn",
                "0.1 is outside the supported range >=0.22",
                "pip install --upgrade 'vsi-harness[vllm]', or pip install 'vllm>=0.22'",
            ),
        ),
        (
            "vllm>=0.22",
            None,
            "vllm",
            Finding("vllm", "ok", "not installed (optional: pip install 'vsi-harness[vllm]')"),
        ),
        (
            "torch>=2",
            None,
            "",
            Finding("torch", "fail", "not installed", "pip install --upgrade vsi-harness"),
        ),
        (
            "python>=3.11",
            "3.10.1",
            "",
            Finding(
                "python",
                "fail",
                "3.10.1 is outside the supported range >=3.11",
                "make an environment with Python >=3.11",
            ),
        ),
    ],
)
def test_versions_against_ranges(
    requirement: str, installed: str | None, extra: str, expected: Finding
) -> None:
    assert version_finding(Requirement(requirement), installed, extra) == expected


def test_ranges_are_read_from_the_distribution() -> None:
    found = requirements(["vllm", "deepspeed", "lm-eval", "ray", "dev"])
    assert set(WATCHED) <= found.keys()
    extras = {name: found[name][1] for name in ("torch", "vllm", "deepspeed", "lm-eval", "ray")}
    assert extras == {
        "torch": "",
        "vllm": "vllm",
        "deepspeed": "deepspeed",
        "lm-eval": "lm-eval",
        "ray": "ray",
    }


def test_every_watched_library_is_checked_once() -> None:
    found = [finding.check for finding in versions()]
    assert found == ["python", *WATCHED]
    (torch,) = [finding for finding in versions() if finding.check == "torch"]
    assert torch.found.startswith(metadata.version("torch"))


@pytest.mark.parametrize(("free", "status"), [(0, "fail"), (GIB, "warn"), (2 * GIB, "ok")])
def test_room(free: int, status: str) -> None:
    finding = room("disk", free, " at /x", (GIB, 2 * GIB), "free some")
    assert (finding.status, finding.found) == (status, f"{free / GIB:.1f} GiB free at /x")
    assert finding.remedy == ("" if status == "ok" else "free some")


def test_disk_of_a_folder_yet_to_be_made(tmp_path: Path) -> None:
    assert disk("disk", tmp_path / "a" / "b").found.endswith(f"GiB free at {tmp_path}")


def test_free_memory_is_known_on_linux() -> None:
    free = free_memory()
    assert (free is not None and free > 0) == Path("/proc/meminfo").exists()


def test_a_run_folder_that_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    assert run_folder(tmp_path / "runs").status == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_run_folder_that_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "runs"
    path.write_text("")
    finding = run_folder(path)
    assert (finding.status, finding.found) == ("fail", f"{path} is no folder")


def test_a_run_folder_that_the_system_does_not_let_write() -> None:
    finding = run_folder(Path("/proc/runs"))
    assert finding.status == "fail"
    assert "--out" in finding.remedy


def test_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    finding = compiler()
    assert (finding.status, finding.found) == ("warn", "no gcc")


def test_a_clip_is_written_and_read() -> None:
    assert video().status == "ok"


def test_the_gpu_or_the_lack_of_one_is_told() -> None:
    import torch

    finding = gpu()
    assert (finding.status == "ok") == torch.cuda.is_available()
    assert finding.found


def test_plugins_broken_and_clashing(install: Callable[..., None]) -> None:
    assert [finding.status for finding in plugins()] == ["ok"]
    install("broken_import", "leftover")
    assert [(finding.status, finding.check) for finding in plugins()] == [
        ("ok", "plugins"),
        ("warn", "plugin 'broken-import' (broken-import 0.3)"),
        ("warn", "plugins"),
    ]
    install("twin_a", "twin_b")
    assert [finding.status for finding in plugins()] == ["fail"]


def test_the_command_prints_every_finding_and_leaves_with_1(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("in the way")
    code = "from harness.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "doctor", "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert {one["status"] for one in found} <= {"ok", "warn", "fail"}
    (folder,) = [one for one in found if one["check"] == "run folder"]
    assert folder["status"] == "fail"
    checks = [
        "C compiler",
        "run folder",
        "disk here",
        "disk of the model cache",
        "memory",
        "plugins",
        "video",
        "GPU",
    ]
    assert [one["check"] for one in found][len(WATCHED) + 1 :] == checks
