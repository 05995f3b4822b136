"""The command line as its users meet it: output, errors, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli import main

FAKES = Path(__file__).parent / "fixtures" / "plugins"
Install = Callable[..., None]
Write = Callable[[str, str], Path]
Harness = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Harness:
    """Runs the command in this process: exit code, standard output, standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["harness", *arguments])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # typer sets its own
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return call


def spawn(
    *arguments: str, plugins: str = "", **options: object
) -> subprocess.CompletedProcess[str]:
    code = "from harness.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(FAKES / plugins) if plugins else ""}
    given = {"stdout": subprocess.PIPE, "env": environment, **options}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
        **given,
    )


def test_help_names_every_command(run: Harness) -> None:
    code, out, _ = run("--help")
    assert code == 0
    commands = [line.split()[0] for line in out.partition("Commands:\n")[2].splitlines()]
    assert {"run", "plan", "report", "doctor", "plugins", "recipe"} <= set(commands)
    assert "..." not in out.partition("Commands:\n")[2], "every line fits its column"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom harness.cli import main\nsys.argv = ['harness', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = ('pydantic', 'rich', 'numpy', 'yaml', 'torch', 'pluggy', 'importlib.metadata')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", ["run", "plan", "report", "doctor", "plugins", "recipe"])
def test_every_command_has_help(run: Harness, command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert out.startswith(f"Usage: harness {command}")


def test_version(run: Harness) -> None:
    code, out, _ = run("--version")
    assert (code, out.split()[0]) == (0, "vsi-harness")


@pytest.mark.parametrize(
    "arguments", [[], ["plugin"], ["run"], ["plugins", "show", "rewards"], ["run", "-x"]]
)
def test_a_wrong_command_line_is_2(run: Harness, arguments: list[str]) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert "Usage: harness" in err


def test_plugins_piped_is_a_line_a_component_and_nothing_cut(
    run: Harness, install: Install
) -> None:
    install("good", "hostile")
    code, out, err = run("plugins")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["kind", "name", "plugin", "distribution", "summary"]
    (brevity,) = [line for line in lines if "acme_brevity" in line]
    assert brevity.split(maxsplit=5) == [
        "rewards",
        "acme_brevity",
        "acme",
        "acme-good",
        "1.2",
        "short is [bold]good[/bold]",
    ]
    (touchy,) = [line for line in lines if "touchy" in line]
    assert touchy.endswith(r"\x1b[2Jclears [red]the\u202escreen")


def test_plugins_on_a_terminal_shows_brackets_and_hides_control_characters() -> None:
    master, slave = os.openpty()
    environment = {**os.environ, "PYTHONPATH": f"{FAKES / 'good'}:{FAKES / 'hostile'}"}
    environment |= {"COLUMNS": "200", "TERM": "xterm"}
    spawned = spawn("plugins", stdout=slave, env=environment)
    os.close(slave)
    out = b""
    while chunk := read_or_nothing(master):
        out += chunk
    os.close(master)
    assert spawned.returncode == 0
    assert b"short is [bold]good[/bold]" in out
    assert rb"\x1b[2Jclears [red]the\u202escreen" in out
    assert b"\x1b[2J" not in out


def read_or_nothing(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed
        return b""


def test_plugins_as_json(run: Harness, install: Install) -> None:
    install("good", "broken_import", "leaving")
    code, out, _ = run("plugins", "--json")
    listed = json.loads(out)
    assert code == 0
    assert {
        "kind": "rewards",
        "name": "acme_brevity",
        "plugin": "acme",
        "distribution": "acme-good",
        "version": "1.2",
        "summary": "short is [bold]good[/bold]",
    } in listed["components"]
    assert [(one["plugin"], one["what"]) for one in listed["broken"]] == [
        ("broken-import", "broken_import"),
        ("leaving", "leaving"),
    ]


def test_broken_plugins_are_told_and_only_strict_fails(run: Harness, install: Install) -> None:
    install("broken_import")
    code, _, err = run("plugins")
    assert code == 0
    assert err.startswith("broken: plugin 'broken-import' (broken-import 0.3): ")
    code, _, err = run("plugins", "--strict")
    assert code == 3
    assert err.splitlines()[-1].startswith("error: 1 broken")


def test_two_plugins_of_one_name_are_3(run: Harness, install: Install) -> None:
    install("twin_a", "twin_b")
    code, out, err = run("plugins")
    assert (code, out) == (3, "")
    assert err.startswith("error: two plugins are named 'twin'")


def test_show_prints_settings_types_defaults_and_meaning(run: Harness, install: Install) -> None:
    install("good")
    code, out, _ = run("plugins", "show", "scenes", "acme_rooms")
    assert code == 0
    assert out == (
        "acme_rooms (scenes): rooms of Acme\n"
        "from plugin 'acme' (acme-good 1.2), built by acme_good:build_rooms\n"
        "settings:\n"
        "  root: path, required\n"
        "      Folder of the scans.\n"
        '  splits: list of text, default ["train"]\n'
        "  inner: map, optional\n"
        "  inner.depth: integer >= 1, default 2\n"
        "      How deep.\n"
    )


def test_show_words_bounds_choices_and_null(run: Harness, install: Install) -> None:
    install("good")
    _, out, _ = run("plugins", "show", "rewards", "acme_brevity")
    assert out.splitlines()[1:] == [
        "from plugin 'acme' (acme-good 1.2), built by Rewarder",
        "settings:",
        "  most: integer >= 1 <= 99, default 10",
        "      Words that are still short.",
        '  shape: step or slope, default "step"',
        "  factor: number or null, default null",
    ]


def test_show_without_settings(run: Harness, install: Install) -> None:
    install("good")
    _, out, _ = run("plugins", "show", "tasks", "acme_bench")
    assert out.splitlines()[2:] == ["settings:", "  none"]


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("reward", "x", "error: no kind 'reward'; did you mean 'rewards'?\n"),
        (
            "rewards",
            "acuracy",
            "error: no component 'acuracy' of kind 'rewards'; did you mean 'accuracy'?\n",
        ),
    ],
)
def test_show_of_nothing_is_2(run: Harness, kind: str, name: str, expected: str) -> None:
    assert run("plugins", "show", kind, name) == (2, "", expected)


def test_recipe_show_prints_what_loads_again(
    run: Harness, install: Install, acme_text: str, write: Write
) -> None:
    install("good")
    write("r.yaml", f"{acme_text}matrix: {{seed: [0, 1]}}\n")
    code, out, _ = run("recipe", "show", "r.yaml", "--set", "video.frames=2")
    first, second = out.split("---\n")
    assert code == 0
    assert first.startswith("# seed=0, hash ")
    write("again.yaml", second)
    _, again, _ = run("recipe", "show", "again.yaml")
    assert again.replace("# acme", "# seed=1") == second


def test_recipe_schema_is_json(run: Harness, install: Install) -> None:
    install("good")
    code, out, _ = run("recipe", "schema")
    assert code == 0
    assert "rewards.acme_brevity" in json.loads(out)["$defs"]


def test_a_wrong_recipe_is_2_without_a_traceback(
    run: Harness, install: Install, acme_text: str, write: Write
) -> None:
    install("good")
    write("r.yaml", acme_text)
    expected = "error: --set sed: unknown key; did you mean 'seed'?\n"
    assert run("recipe", "show", "r.yaml", "--set", "sed=1") == (2, "", expected)
    assert run("run", "r.yaml", "--set", "sed=1") == (2, "", expected)


def test_control_characters_of_a_recipe_do_not_reach_the_terminal(
    run: Harness, install: Install, write: Write
) -> None:
    install("good")
    write("r.yaml", 'name: x\n"\\e[2J": 1\n')
    _, _, err = run("recipe", "show", "r.yaml")
    assert r"r.yaml:2: \x1b[2J: unknown key" in err
    assert "\x1b" not in err


def test_a_traceback_on_demand() -> None:
    environment = {**os.environ, "HARNESS_TRACEBACK": "1"}
    done = spawn("recipe", "show", "nothing", env=environment)
    assert "Traceback" in done.stderr
    assert "Traceback" not in spawn("recipe", "show", "nothing").stderr


def test_a_full_disk_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        done = spawn("plugins", stdout=full)
    assert done.returncode == 1
    assert done.stderr == (
        "error: the disk is full, or your quota on it; free some space, then run the same command "
        "again: finished work is kept\n"
    )


def test_a_reader_that_went_away_is_no_error_message() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = spawn("plugins", stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_an_interrupt_is_130() -> None:
    done = spawn("plugins", plugins="interrupting")
    assert (done.returncode, done.stdout) == (130, "")
    assert "Traceback" not in done.stderr


def test_text_that_the_terminal_cannot_show_is_escaped() -> None:
    environment = {
        **os.environ,
        "PYTHONIOENCODING": "latin-1",
        "PYTHONPATH": str(FAKES / "hostile"),
    }
    done = spawn("plugins", env=environment)
    (line,) = [line for line in done.stdout.splitlines() if "a tick" in line]
    assert line.endswith(r"a tick \u2713")
