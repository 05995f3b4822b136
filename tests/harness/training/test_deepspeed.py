"""Real DeepSpeed: GRPO in two processes that share optimizer states and gradients (ZeRO stage 2)."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from harness.errors import HarnessError
from harness.training.shared import _refuse_spread_weights

SCRIPT = Path(__file__).parents[1] / "fixtures" / "grpo_on_several_processes.py"
AUTO = ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps")
ROOM = {"batches": 3, "videos": 12, "patch_rows": 12 * 32, "video_tokens": 12 * 8}


@pytest.fixture(scope="module")
def trained(checkpoint, tmp_path_factory):
    """Folder of the stages `whole` and `resumed`, and the summaries of both processes."""
    if find_spec("deepspeed") is None:
        pytest.skip("DeepSpeed is not installed (pip install 'vsi-harness[deepspeed]')")
    if shutil.which("gcc") is None and shutil.which("c++") is None:
        pytest.skip("DeepSpeed compiles its CPU communication on first use: no C++ compiler here")
    folder = tmp_path_factory.mktemp("deepspeed")
    config = folder / "zero2.json"
    config.write_text(
        json.dumps({"zero_optimization": {"stage": 2}, **dict.fromkeys(AUTO, "auto")})
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launch = (sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2")
    done = subprocess.run(
        [*launch, f"--master_port={port}", str(SCRIPT), checkpoint, str(folder), str(config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={
            **os.environ,
            "DS_ACCELERATOR": "cpu",
            "ACCELERATE_USE_DEEPSPEED": "true",
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": "1",
        },
    )
    assert done.returncode == 0, done.stderr[-4000:]
    files = sorted(folder.glob("summaries.*.jsonl"))
    summaries = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return folder, summaries


@pytest.mark.slow
def test_both_processes_saw_every_video_in_every_pass(trained):
    _, summaries = trained
    whole = [summary for summary in summaries if summary["steps"] == 3]
    assert sorted((s["name"], s["rank"]) for s in whole) == [
        ("resumed", "0"), ("resumed", "1"), ("whole", "0"), ("whole", "1"),
    ]  # fmt: skip
    # each process: 4 rollouts a step
    expected = {"generate": ROOM, "reference": ROOM, "train": ROOM}
    assert [summary["guard"] for summary in whole] == [expected] * 4


@pytest.mark.slow
def test_optimizer_states_are_shared_out(trained):
    folder, _ = trained
    states = folder / "whole" / "checkpoints" / "checkpoint-3" / "global_step3"
    names = sorted(path.name for path in states.glob("zero_pp_rank_*"))
    assert names == [f"zero_pp_rank_{rank}_mp_rank_00_optim_states.pt" for rank in (0, 1)]


@pytest.mark.slow
def test_rollouts_of_both_processes_are_logged(trained):
    folder, _ = trained
    rows = [json.loads(x) for x in (folder / "whole" / "rollouts.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1] * 8 + [2] * 8 + [3] * 8
    for step in range(3):
        first, second = (
            {row["scene"] for row in rows[8 * step + 4 * i : 8 * step + 4 * (i + 1)]}
            for i in (0, 1)
        )
        assert len(first) == len(second) == 1  # a group each
    curve = (folder / "whole" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in curve] == [1, 2, 3]


@pytest.mark.slow
def test_the_model_is_whole_and_trained(trained, backbone, checkpoint):
    folder, _ = trained
    model = backbone.load_model(str(folder / "whole" / "model"))
    backbone.load_processor(str(folder / "whole" / "model"))
    before = backbone.load_model(checkpoint)
    pairs = zip(model.named_parameters(), before.parameters(), strict=True)
    moved = {name for (name, after), start in pairs if not torch.equal(after, start)}
    assert moved
    assert not any("visual" in name for name in moved)


@pytest.mark.slow
def test_a_resumed_run_ends_with_the_same_weights(trained):
    folder, _ = trained
    whole, resumed = (
        load_file(folder / name / "model" / "model.safetensors") for name in ("whole", "resumed")
    )
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    logs = [(folder / name / "rollouts.jsonl").read_text() for name in ("whole", "resumed")]
    assert logs[0] == logs[1]


@pytest.mark.parametrize(("stage", "fsdp"), [(3, False), (None, True)], ids=["ZeRO 3", "FSDP"])
def test_weights_spread_over_processes_are_refused(stage, fsdp):
    plugin = SimpleNamespace(zero_stage=stage) if stage else None
    state = SimpleNamespace(deepspeed_plugin=plugin)
    trainer = SimpleNamespace(is_fsdp_enabled=fsdp, accelerator=SimpleNamespace(state=state))
    with pytest.raises(HarnessError, match="is not supported: use ZeRO stage 2"):
        _refuse_spread_weights(trainer)
