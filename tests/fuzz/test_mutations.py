"""The mutations themselves: as many as promised, seeded, and of every kind."""

import ast
import json
from pathlib import Path, PurePath
from random import Random

HERE = Path(__file__).parent


def test_there_are_ten_thousand_of_readers_that_are_all_run():
    counts = json.loads((HERE / "counts.json").read_text())
    run = {
        node.value
        for path in HERE.glob("test_*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "campaign"
        for node in call.args
        if isinstance(node, ast.Constant)
    }
    assert run == set(counts)
    assert sum(counts.values()) == 10_000


def test_the_same_seed_does_the_same_damage(mutations, releases, tmp_path):
    releases.mesh(tmp_path / "room.ply")
    data = (tmp_path / "room.ply").read_bytes()

    def made(seed):
        return mutations.mutated(PurePath("room.ply"), data, Random(seed))

    assert [made(seed) for seed in range(50)] == [made(seed) for seed in range(50)]
    assert len({made(seed)[1] for seed in range(50)}) > 40


def test_nearly_every_mutation_changes_the_file(mutations, releases, tmp_path):
    releases.scannet(tmp_path / "scannet")
    releases.store(tmp_path / "store")
    for path in (
        *tmp_path.rglob("*.sens"),
        *tmp_path.rglob("*.json"),
        *tmp_path.rglob("*.parquet"),
    ):
        data = path.read_bytes()
        same = [
            seed for seed in range(60) if mutations.mutated(path, data, Random(seed))[0] == data
        ]
        assert len(same) < 12, path.name
