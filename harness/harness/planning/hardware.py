"""What this machine can train on."""

from __future__ import annotations

from pathlib import Path

# Device files of the drivers that torch's CUDA interface can use: NVIDIA's, AMD's, and WSL's.
DRIVERS = ("nvidia[0-9]*", "kfd", "dxg")


def gpu_memory() -> int | None:
    """Bytes of the first visible GPU, or None; without a driver torch is not imported to look."""
    if not any(any(Path("/dev").glob(name)) for name in DRIVERS):
        return None
    import torch

    if not torch.cuda.is_available():
        return None
    return int(torch.cuda.get_device_properties(0).total_memory)
