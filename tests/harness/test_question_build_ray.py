"""`harness questions build --engine ray`: the same sets as without it, whatever the cluster loses."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from harness.errors import HarnessError, PluginError, SceneError, UsageError
from harness.generate import AskRules
from harness.question import to_row
from harness.question_build import (
    AskJob,
    Engine,
    FamilyJob,
    Limits,
    built_questions,
    find_engine,
    ray_cluster,
)
from harness.question_build.ray_connection import prepare

FAKES = Path(__file__).parent / "fixtures" / "plugins"
BUILD = ("questions", "build", "--source")
MEMORY = 100 * 2**20
TASK = "ray::ask_there"  # what Ray calls a process while it asks scenes

pytestmark = pytest.mark.filterwarnings(
    # Ray leaves files and sockets to the garbage collector
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


@pytest.fixture(autouse=True, scope="module")
def environment() -> Iterator[None]:
    """What is set for Ray is gone afterwards."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]


@pytest.fixture
def build(install, tmp_path: Path) -> Callable[..., list[str]]:
    """Builds a set with an engine; gives its rows as text."""
    install("perilous", "distant")

    def call(
        engine: Engine, source: str, scenes: int, max_faulty: int = 0, after=None, **settings
    ) -> list[str]:
        family = FamilyJob("counting", "object_counting", '{"min_count": 1}')
        about = json.dumps({"scenes": scenes, **settings})
        job = AskJob(source, about, (family,), AskRules())
        progress = after or (lambda *_: None)
        limits = Limits(max_faulty=max_faulty)
        ids = job.open().source.scene_ids()
        with built_questions(job, ids, engine, limits, folder=tmp_path, progress=progress) as built:
            return [json.dumps(to_row(question)) for question in built.questions]

    return call


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a name short enough for sockets in it."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Nodes:
    """A cluster whose first machine has no processors."""

    def __init__(self, *, quiet: bool) -> None:
        from ray.cluster_utils import Cluster

        self.quiet = quiet

        # A dead machine is known in six seconds, not in fifteen; a busy one is not taken for dead.
        quick = {"health_check_period_ms": 1000, "health_check_failure_threshold": 6}
        about = {"num_cpus": 0, "object_store_memory": MEMORY, "_system_config": quick}
        self.cluster = Cluster(initialize_head=True, head_node_args=about)
        self.address = str(self.cluster.address)

    @contextmanager
    def added(self, number: int = 1, **environment: str) -> Iterator[list]:
        """More machines, with a processor each and environment variables of their own."""
        path = ":".join(str(FAKES / name) for name in ("perilous", "distant"))
        variables = {"PYTHONPATH": path, **environment}
        about = {"num_cpus": 1, "object_store_memory": MEMORY, "env_vars": variables}
        nodes = [self.cluster.add_node(**about) for _ in range(number)]
        try:
            yield nodes
        finally:
            for node in nodes:
                if node in self.cluster.worker_nodes:
                    self.cluster.remove_node(node)

    def busy(self, nodes: list) -> object:
        """A machine that was at work; what asked scenes there is killed, as with the machine."""
        raylets = {node.all_processes["raylet"][0].process.pid: node for node in nodes}
        found = []

        def killed() -> bool:
            for task, raylet in processes(TASK).items():
                if raylet in raylets and not found:
                    psutil.Process(task).kill()
                    found.append(raylets[raylet])
            return bool(found)

        until(killed)
        return found[0]

    def engine(self) -> Engine:
        return find_engine("ray", None, self.address)


@pytest.fixture(scope="module")
def nodes(environment) -> Iterator[Nodes]:  # noqa: ARG001
    # Ray reads its settings as it is imported, which another test's library may have done.
    quiet = "ray" not in sys.modules
    prepare("auto")  # before the import
    pytest.importorskip("ray")
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        (folder / "ray").mkdir()
        patch.setenv("RAY_TMPDIR", str(folder))
        nodes = Nodes(quiet=quiet)
        yield nodes
        nodes.cluster.shutdown()
    signal.signal(signal.SIGTERM, before)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_a_node_that_dies_half_way_changes_nothing(nodes: Nodes, build, monkeypatch, capfd) -> None:
    expected = build(find_engine("local", 1, None), "perilous", 48)
    lost = []
    again = ray_cluster._again

    def noted(chunk, error):
        lost.append(chunk.scenes)
        return again(chunk, error)

    monkeypatch.setattr(ray_cluster, "_again", noted)
    # A machine killed just as its task had given its answer loses nothing: then another is.
    for _ in range(5):
        with nodes.added(2) as added:

            def kill(done: int, total: int, _scene: str, added=added) -> None:
                if done == total // 2:
                    nodes.cluster.remove_node(nodes.busy(added), allow_graceful=False)

            actual = build(nodes.engine(), "perilous", 48, after=kill, seconds=0.1)
        assert expected == actual
        if lost:
            break
    assert lost
    if nodes.quiet:
        assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_process_that_ends_is_replaced(nodes: Nodes, build, monkeypatch, tmp_path) -> None:
    """Paths are those of the command's working folder."""
    expected = build(find_engine("local", 1, None), "perilous", 4)
    monkeypatch.chdir(tmp_path)
    with nodes.added():
        assert expected == build(nodes.engine(), "perilous", 4, once="once")
    assert Path("once").exists()


@pytest.mark.slow
def test_a_cluster_without_processors_is_not_waited_for_for_ever(
    nodes: Nodes, build, monkeypatch
) -> None:
    monkeypatch.setattr(ray_cluster, "_LOOK", 0.1)
    monkeypatch.setattr(ray_cluster, "_PATIENCE", 1.0)
    with pytest.raises(HarnessError) as caught:
        build(nodes.engine(), "perilous", 4)
    assert str(caught.value) == (
        f"the Ray cluster at {nodes.address} has had no processor for 1 s: add nodes with "
        "`ray start --address`, then run the same command again"
    )


@pytest.mark.slow
def test_what_a_node_raises_is_what_is_raised_here(nodes: Nodes, build) -> None:
    def said(engine: Engine, **settings) -> str:
        with pytest.raises(PluginError) as caught:
            build(engine, "perilous", 4, **settings)
        return str(caught.value)

    with nodes.added():
        local = find_engine("local", 1, None)
        assert said(local, raising=[2]) == said(nodes.engine(), raising=[2])
        with pytest.raises(HarnessError, match=r"scene room001: .* abruptly 4 times .* Ray says: "):
            build(nodes.engine(), "perilous", 4, killed=[1])
        faulty = {"faulty": [1], "max_faulty": 1}
        expected = build(local, "perilous", 4, **faulty)
        assert expected == build(nodes.engine(), "perilous", 4, **faulty)


@pytest.mark.slow
def test_a_node_that_cannot_do_its_part_is_told(nodes: Nodes, build, short: Path) -> None:
    where = socket.gethostname()
    with nodes.added(DISTANT="folder"), pytest.raises(UsageError) as caught:
        build(nodes.engine(), "distant", 4)
    assert str(caught.value) == f"node {where} of the Ray cluster: no folder rooms: mount it"
    with nodes.added(DISTANT="scene"), pytest.raises(SceneError) as caught:
        build(nodes.engine(), "distant", 4, max_faulty=4)
    assert str(caught.value) == (
        "scene room0 can be read here, but not on a node of the Ray cluster at "
        f"{nodes.address} (no file room0.json): give every node the files of source 'distant' "
        "under the same path"
    )
    newer = shutil.copytree(FAKES / "distant", short / "newer")
    about = newer / "distant-1.0.dist-info" / "METADATA"
    about.write_text(about.read_text().replace("Version: 1.0", "Version: 2.0"))
    with nodes.added(PYTHONPATH=str(newer)), pytest.raises(UsageError) as caught:
        build(nodes.engine(), "distant", 4)
    assert str(caught.value) == (
        f"node {where} of the Ray cluster has distant 2.0, and here is 1.0: install the same "
        "versions on all nodes"
    )
    with nodes.added(PYTHONPATH=""), pytest.raises(UsageError) as caught:
        build(nodes.engine(), "distant", 4)
    assert str(caught.value) == (
        f"node {where} of the Ray cluster has no distant, and here is 1.0: install the same "
        "versions on all nodes"
    )


@pytest.mark.slow
def test_a_cluster_of_this_machine(harness_process, short: Path) -> None:
    """The command is as quiet as without Ray, and leaves nothing."""
    scenes = ("procedural", "--set", "scenes=8", "--seed", "3", "--out")
    outputs = []
    for name, engine in (("local", ()), ("ray", ("--engine", "ray", "--workers", "2"))):
        command = harness_process(*BUILD, *scenes, f"{name}.jsonl", *engine, TMPDIR=str(short))
        out, err = command.communicate(timeout=120)
        assert command.returncode == 0, err
        assert err.startswith("questions of procedural: 8 scenes in ")
        assert err.count("\n") == 1
        outputs.append(out.replace(f"{name}.jsonl", "FILE"))
    assert outputs[0] == outputs[1]
    assert Path("local.jsonl").read_bytes() == Path("ray.jsonl").read_bytes()
    assert list(short.iterdir()) == []
    until(lambda: not processes(str(short)), seconds=5)


@pytest.mark.slow
def test_ctrl_c_ends_at_once(harness_process, short: Path) -> None:
    settings = ("perilous", "--set", "scenes=40", "--set", "seconds=5", "--out", "x.jsonl")
    command = harness_process(
        *BUILD, *settings, "--engine", "ray", "--workers", "1", plugins="perilous",
        TMPDIR=str(short),
    )  # fmt: skip
    until(lambda: processes(TASK))
    os.killpg(command.pid, signal.SIGINT)
    began = time.monotonic()
    out, err = command.communicate(timeout=60)
    assert time.monotonic() - began < 8
    assert (command.returncode, out) == (130, ""), err
    assert "Traceback" not in err
    until(lambda: not processes(str(short)), seconds=5)
    assert not Path("x.jsonl").exists()


def processes(words: str) -> dict[int, int]:
    """Those whose command has the words; a process -> its parent."""
    found = psutil.process_iter(["cmdline", "ppid"])
    return {
        one.pid: one.info["ppid"] for one in found if words in " ".join(one.info["cmdline"] or ())
    }


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("address", ["127.0.0.1", "host:", ":6379", "host:port", "host:70000"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_engine("ray", None, address)
    expected = f"--address {address}: expected auto, HOST:PORT, or ray://HOST:PORT"
    assert str(caught.value) == expected


@pytest.mark.parametrize("form", ["{}", "ray://{}"])
def test_nobody_at_an_address(build, form: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = form.format(f"127.0.0.1:{free.getsockname()[1]}")
    began = time.monotonic()
    with pytest.raises(UsageError) as caught:
        build(find_engine("ray", None, address), "perilous", 1)
    assert time.monotonic() - began < 6
    assert str(caught.value) == (
        f"--address {address}: no Ray cluster can be reached there (Connection refused); on its "
        "first machine `ray start --head` starts one and tells its address, and the command runs "
        "on one of its machines"
    )


def test_without_ray(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError) as caught:
        find_engine("ray", None, None)
    assert str(caught.value) == "--engine ray needs Ray: pip install 'vsi-harness[ray]'"


def test_an_address_is_for_ray_alone() -> None:
    with pytest.raises(UsageError, match="--address auto is a Ray cluster's: add --engine ray"):
        find_engine("local", None, "auto")
