from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.strict_yaml import MAX_BYTES, MAX_DEPTH, Node, dump, parse, parse_value, read, scalar

SETTINGS = settings(derandomize=True, max_examples=200, deadline=None)


def load(text: str | bytes) -> Any:
    return parse(text.encode() if isinstance(text, str) else text, "f.yaml").plain()


def refusal(text: str | bytes) -> str:
    with pytest.raises(UsageError) as caught:
        load(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-6", 1e-6),
        ("1E6", 1e6),
        ("-2.5e+3", -2500.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("0", 0),
        ("-0", 0),
        ("+7", 7),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("true", True),
        ("false", False),
        ("null", None),
    ],
)
def test_what_is_no_text(text: str, expected: object) -> None:
    assert (scalar(text), type(scalar(text))) == (expected, type(expected))


@pytest.mark.parametrize(
    "text",
    [
        *("on", "off", "yes", "no", "On", "YES", "y", "n", "none", "nil"),
        *("12:30", "1:30:00", "190:20:30.15", "2024-01-31", "2024-01-31T12:00:00Z", "1-2"),
        *("1.2.3", "1e", "e5", "1e5x", ".", "..", "-", "+", "=", "a b", "0.1.0", "v1", "1,000"),
        *("\u0661\u0662", "10%", "1/2", "inf.", "nano", "0xZZ", "01:30", "_1"),
    ],
)
def test_what_stays_text(text: str) -> None:
    assert scalar(text) == text


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("010", "drop the leading zeros"),
        ("-007", "drop the leading zeros"),
        ("00", "drop the leading zeros"),
        ("01.5", "drop the leading zeros"),
        ("0o10", "in decimal"),
        ("0x1F", "in decimal"),
        ("0b11", "in decimal"),
        ("1_000", "without underscores"),
        ("1_0.5", "without underscores"),
        ("True", "write true"),
        ("FALSE", "write false"),
        ("None", "write null"),
        ("NULL", "write null"),
        ("~", "write null"),
        ("", "null to remove an entry"),
        (".nan", "a finite one"),
        ("NaN", "a finite one"),
        ("-.inf", "a finite one"),
        ("Infinity", "a finite one"),
        ("1e999", "larger than any"),
        ("9223372036854775808", "64-bit"),
        ("9" * 5000, "64-bit"),
    ],
)
def test_what_is_ambiguous_is_an_error_with_advice(text: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        scalar(text)


def test_quotes_make_text_of_anything() -> None:
    text = "a: '010'\nb: \"true\"\nc: 'null'\nd: ''\ne: |\n  1\nf: >-\n  0x1F\n"
    expected = {"a": "010", "b": "true", "c": "null", "d": "", "e": "1\n", "f": "0x1F"}
    assert load(text) == expected


def test_block_flow_comments_and_keys() -> None:
    text = "# top\na:\n  - 1   # one\n  - {b: [], c: {}}\non: x\ntrain.beta: [0.0, 1e-4]\n'1': y\n"
    expected = {"a": [1, {"b": [], "c": {}}], "on": "x", "train.beta": [0.0, 1e-4], "1": "y"}
    assert load(text) == expected


def test_every_value_keeps_its_line() -> None:
    root = parse(b"a:\n  b:\n    - 1\n    - x\nc: |\n  t\n", "f.yaml")

    def lines(node: Node) -> object:
        if isinstance(node.value, dict):
            return {key: (inner.where.line, lines(inner)) for key, inner in node.value.items()}
        if isinstance(node.value, list):
            return [inner.where.line for inner in node.value]
        return node.value

    assert lines(root) == {"a": (1, {"b": (2, [3, 4])}), "c": (5, "t\n")}


def test_all_faults_come_at_once_with_their_lines() -> None:
    assert refusal("a: ~\nb: *x\nc: &y 1\nd: !!str 1\na: 2\n<<: {e: 1}\n1: x\n").splitlines() == [
        "f.yaml:1: ~ is ambiguous: write null to remove an entry, or put it in quotes if text is meant",
        "f.yaml:2: *x: aliases are not supported; use extends",
        "f.yaml:3: &y: anchors are not supported; use extends",
        "f.yaml:4: tag:yaml.org,2002:str: tags are not supported",
        "f.yaml:5: a: duplicate key, first at f.yaml:1",
        "f.yaml:6: <<: merge keys are not supported; use extends",
        "f.yaml:7: a key must be text: put it in quotes",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: !!python/object/apply:os.system [x]", "tags are not supported"),
        ("a: !x 1", "tags are not supported"),
        ("true: 1", "a key must be text"),
        ("010: 1", "drop the leading zeros"),
        ("? [a]\n: 1", "a key must be text"),
        ("a: {b: 1, b: 2}", "f.yaml:1: b: duplicate key"),
        ("a: 1\n'a': 2", "f.yaml:2: a: duplicate key"),
        ("a: 1\n---\nb: 2", "f.yaml:2: a second document"),
        ("%YAML 1.1\n---\na: 1", "directives"),
        ("- 1", "expected a map"),
        ("text", "expected a map"),
        ("null", "expected a map"),
        ("", "f.yaml: is empty"),
        ("# nothing", "f.yaml: is empty"),
        ("a:\n\tb: 1", "f.yaml:2: a tab stands where only spaces may"),
        ("a: [1, 2", "f.yaml:1: "),
        ("a: 'x", "f.yaml:1: "),
        ("a: b: c", "mapping values are not allowed here"),
        ("a: @b", "cannot start any token"),
        ("a: \x00", "character U+0000 is not allowed"),
        ("b: 1\na: \x1b[2J", "f.yaml:2: character U+001B is not allowed"),
        ('a: "\\ud800"', "half a surrogate pair"),
        ('a: "\\UFFFFFFFF"', "is no YAML"),
        (b"ok: 1\na: \xff", "f.yaml:2: byte 0xff is no UTF-8"),
        ("a: 1".encode("utf-16"), "is no UTF-8"),
        (b"a" * (MAX_BYTES + 1), "larger than"),
    ],
)
def test_refused_with_file_and_line(text: str | bytes, expected: str) -> None:
    assert expected in refusal(text)


@pytest.mark.parametrize("opening", ["[", "{a: ", "[{a: "])
def test_deep_nesting_is_refused_at_once(opening: str) -> None:
    assert f"more than {MAX_DEPTH} levels deep" in refusal("a: " + opening * 20_000)


def test_deep_blocks_are_refused() -> None:
    text = "".join(f"{' ' * depth}a:\n" for depth in range(100))
    assert "levels deep" in refusal(text)


def test_a_byte_order_mark_is_skipped() -> None:
    assert load(b"\xef\xbb\xbfa: 1\n") == {"a": 1}


def test_windows_line_ends() -> None:
    assert load(b"a: 1\r\nb: 010x\r\n") == {"a": 1, "b": "010x"}


def test_read_tells_what_the_system_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read(tmp_path / "absent.yaml")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.5", 0.5),
        ("null", None),
        ("a b", "a b"),
        (" x ", "x"),
        ("[1, [a]]", [1, ["a"]]),
        ("{a: 1, b: {c: no}}", {"a": 1, "b": {"c": "no"}}),
        ("'run #3'", "run #3"),
        ("a#b", "a#b"),
        ("/data/scans", "/data/scans"),
        ("https://host:80/x", "https://host:80/x"),
    ],
)
def test_values_of_the_command_line(text: str, expected: object) -> None:
    assert parse_value(text, "--set x").plain() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "has no value"),
        ("   ", "has no value"),
        ("run #3", "'#3' would be dropped"),
        ("[1] # one", "'# one' would be dropped"),
        ("#fff", "is a comment"),
        ("a: 1", "a map in {}"),
        ("- a", "a list in []"),
        ("--- a", "not a document"),
        ("a\n---\nb", "would be dropped"),
        ("a\n...", "would be dropped"),
        ("*.json", "--set x: "),
        ("010", "drop the leading zeros"),
        ("a\udc80", "U+DC80 is not allowed"),
        ("x" * (MAX_BYTES + 1), "larger than"),
    ],
)
def test_refused_values_of_the_command_line(text: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_value(text, "--set x")
    assert str(caught.value).startswith("--set x: ")
    assert expected in str(caught.value)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(["010", "1e-6", "on", "~", "", " x ", "a\nb", "\ufeff", "12:30", "- a", "#"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=15,
)


@SETTINGS
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), values, max_size=5))
def test_what_is_dumped_is_read_back(value: dict[str, Any]) -> None:
    assert json.dumps(load(dump(value))) == json.dumps(value)


@SETTINGS
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_as_python_prints_it_is_a_number(number: float) -> None:
    assert scalar(repr(number)) == number
    assert scalar(f"{number:e}") == pytest.approx(number, rel=1e-5)


def outcome(data: bytes) -> object:
    try:
        return load(data)
    except UsageError as error:
        return str(error)


@SETTINGS
@given(
    st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))
)
def test_any_bytes_are_a_map_or_refused_by_name(data: bytes) -> None:
    got = outcome(data)
    assert isinstance(got, dict) or str(got).startswith("f.yaml")


@SETTINGS
@given(st.text(alphabet="[]{}:,-'\"#&*!|>%@`?=~<\\u0123456789abeEUxXoO._+ \n\t", max_size=40))
def test_yamls_own_characters_are_a_map_or_refused_by_name(text: str) -> None:
    got = outcome(f"a: {text}".encode())
    assert isinstance(got, dict) or str(got).startswith("f.yaml")
