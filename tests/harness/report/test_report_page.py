from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from harness.atomic import write_json
from harness.errors import HarnessError
from harness.report import load_run, write_report
from harness.report.page import report_page

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'>javascript:alert(3)"
    "\x00\x1b[31m\u202egnp.exe\u2066{{ 7 * 7 }}{% raw %}]]>--><!--"
)
# What may hold an address, and so could fetch or run something.
ADDRESSES = {
    "src",
    "href",
    "srcset",
    "action",
    "formaction",
    "data",
    "poster",
    "xlink:href",
    "style",
}


class Page(HTMLParser):
    """Tags, attributes and the texts between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in {"meta", "img", "line", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "line":
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def no_thumbnails(_video: str, indices: Sequence[int]) -> list[bytes]:
    return [b"\xff\xd8\xff\xd9"] * len(indices)


def check_self_contained(text: str) -> Page:
    """Nothing is fetched, and nothing runs but the packaged script."""
    page = Page(text)
    assert page.open == []
    assert page.tags["script"] == 1
    assert page.tags["style"] == 1
    assert not set(page.tags) & {"link", "iframe", "object", "embed", "base"}
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        if name in ADDRESSES:
            assert (tag, name) in {("img", "src"), ("a", "href")}
            assert value.startswith("data:image/jpeg;base64," if tag == "img" else "#")
    policy = next(v for v in page.all("content") if v.startswith("default-src"))
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
        assert "http" not in content
        assert "@import" not in content
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    return page


def test_a_finished_run_becomes_one_page(run_folder: Path) -> None:
    path = write_report(run_folder)
    assert path == run_folder / "report" / "report.html"
    assert sorted(p.name for p in path.parent.iterdir()) == [
        "report.html",
        "scores.json",
        "scores.md",
    ]
    text = path.read_text("utf-8")
    page = check_self_contained(text)
    assert 100_000 < len(text) < 5_000_000
    assert page.tags["article"] == 30
    assert page.tags["img"] == 30 * 8
    assert page.tags["h1"] == 1
    assert all(page.all("alt"))
    for words in (
        "23.1 base [21.1, 25.1] → 43.3 grpo [41.3, 45.3]",
        "Paired difference +20.2 points [+17.2, +23.2]; the interval excludes zero: better.",
        "Layout video: frames were drawn from 3D boxes, not filmed",
        "Warning of the run: the learning rate is outside the range that was tried",
        "KL divergence to the reference model",
        "Each reward, mean over rollouts",
        "clip_ratio/region_mean",
        "reward 0.210 → 1.050",
        "generation passes: 120, videos: 960",
        "<think>I count them.</think><answer>3</answer>",
        "Frame indices: 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22",
        "room_13 : box: side lengths must be positive",
        "room_3 : two boxes named chair_1; the second was renamed",
        "0123abc with uncommitted changes",
        "harness run quickstart",
        "learning_rate: 1.0e-06",
        "Scenes: 24 to train, 6 to evaluate.",
    ):
        assert words in page.text, words


def test_the_same_run_gives_the_same_page(finished_run: Path) -> None:
    run = load_run(finished_run)
    assert report_page(run, no_thumbnails) == report_page(run, no_thumbnails)


def test_scores_are_written_for_programs(run_folder: Path) -> None:
    write_report(run_folder, no_thumbnails)
    document = json.loads((run_folder / "report" / "scores.json").read_text())
    grpo = document["tasks"]["vsi_bench"]["grpo"]
    assert document["unit"] == "fraction"
    assert document["layout_video"] is True
    assert (grpo["n"], grpo["scenes"], grpo["baseline"], grpo["ran"]) == (60, 6, False, True)
    assert grpo["rows"]["macro"]["value"] == pytest.approx(0.4333, abs=1e-4)
    assert grpo["difference"]["against"] == "base"
    assert document["tasks"]["vsi_bench"]["blind"]["baseline"] is True


def test_every_sample_can_be_filtered(finished_run: Path) -> None:
    page = Page(report_page(load_run(finished_run), no_thumbnails))
    filters = [value for tag, name, value in page.attributes if name == "data-filter"]
    assert filters == ["type", "outcome", "change"]
    values = {v for tag, name, v in page.attributes if (tag, name) == ("option", "value") and v}
    assert set(page.all("data-type")) == values
    assert set(page.all("data-outcome")) <= {"right", "partly right", "wrong"}
    assert set(page.all("data-change")) <= {"better", "same", "worse"}


@pytest.mark.parametrize(
    "removed",
    [
        ("questions", "train-sft", "train-grpo"),
        ("evaluate-grpo", "evaluate-blind", "train-grpo/rollouts.jsonl"),
        ("train-grpo/summary.json", "evaluate-grpo/vsi_bench/scores.json", "run.json"),
        ("recipe.yaml", "questions/videos"),
        ("evaluate-base", "evaluate-sft", "evaluate-grpo", "evaluate-blind", "evaluate-frequency"),
    ],
)
def test_missing_parts_are_shown_as_not_run(run_folder: Path, removed: Sequence[str]) -> None:
    for name in removed:
        path = run_folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    page = check_self_contained(write_report(run_folder).read_text("utf-8"))
    assert re.search("(?i)not run|unfinished|is missing|frames cannot be shown", page.text)


def test_an_empty_run_has_a_page(tmp_path: Path, finished_run: Path) -> None:
    shutil.copy(finished_run / "recipe.yaml", tmp_path)
    page = check_self_contained(write_report(tmp_path).read_text("utf-8"))
    for words in (
        "Not finished: training stage sft, training stage grpo, base in vsi_bench",
        "the evaluation was not run",
        "run.json is missing",
    ):
        assert words in page.text


def test_a_corrupt_run_leaves_the_old_page(run_folder: Path) -> None:
    path = write_report(run_folder, no_thumbnails)
    before = path.read_bytes()
    (run_folder / "evaluate-base" / "vsi_bench" / "answers.jsonl").write_text("{\n")
    with pytest.raises(HarnessError, match=r"answers\.jsonl:1"):
        write_report(run_folder, no_thumbnails)
    assert path.read_bytes() == before


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def poison(folder: Path, text: str) -> None:
    """Put a text wherever a model, a plugin or a recipe can put one."""
    answers: list[dict[str, Any]] = [
        {
            "id": f"{text}{n}", "scene": text, "dataset": text, "question_type": kind,
            "question": text, "options": [text, f"A. {text}"], "gold": text, "prompt": text,
            "answer": text, "parsed": text, "score": n / 2, "video": f"{text}.mp4", "layout": True,
            "frame_indices": [0, 1],
        }
        for kind in (text, "object_counting")
        for n in range(3)
    ]  # fmt: skip
    for model in ("base", "grpo"):
        place = folder / f"evaluate-{model}" / "vsi_bench"
        write_rows(place / "answers.jsonl", answers)
        row = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 3}
        rows = [{"name": text, **row}, {"name": "macro", **row}]
        write_json(
            place / "scores.json",
            {"n": 6, "scenes": 1, "partial": True, "missing": [text], "rows": rows},
        )
    place = folder / "train-grpo"
    write_rows(
        place / "metrics.jsonl", [{"step": n, text: n, f"rewards/{text}/mean": n} for n in (1, 2)]
    )
    rollout = {
        "step": 1, "id": text, "scene": text, "question_type": text, "prompt": text, "gold": text,
        "completion": text, "rewards": {text: 1.0}, "reward": 1.0, "advantage": float("nan"),
    }  # fmt: skip
    write_rows(place / "rollouts.jsonl", [rollout] * 3)
    write_json(
        place / "summary.json", {"method": text, "guard": {text: {text: 1}}, text: [text, None]}
    )
    write_json(
        folder / "run.json",
        {
            "name": text, "hash": text, "created": text, "versions": {text: text}, "seed": 1,
            "git": {"commit": text, "dirty": True}, "warnings": [text], "recipe_description": text,
            "command": [text], "environment": {text: text},
        },
    )  # fmt: skip
    write_json(
        folder / "questions" / "summary.json",
        {
            "scenes": {text: 1}, "skipped": [{"scene": text, "reason": text}],
            "questions": {text: {text: 1}}, "tasks": {text: {text: 1}}, "faults": {text: [text]},
        },
    )  # fmt: skip
    recipe = folder / "recipe.yaml"
    recipe.write_text(
        recipe.read_text() + "".join(f"# {line}\n" for line in [re.sub(r"[\x00-\x1f]", "", text)])
    )


def test_hostile_text_is_only_text(run_folder: Path) -> None:
    poison(run_folder, HOSTILE)
    text = write_report(run_folder, no_thumbnails).read_text("utf-8")
    page = check_self_contained(text)
    assert not set("\x00\x1b\u202e\u2066") & set(text)
    assert page.tags["img"] == 2 * 6
    assert page.text.count("</script><script>alert(1)</script>") > 20
    assert "{{ 7 * 7 }}" in page.text
    markdown = (run_folder / "report" / "scores.md").read_text("utf-8")
    assert "<script>" not in markdown
    assert "\x1b" not in markdown


def test_huge_texts_are_cut(run_folder: Path) -> None:
    poison(run_folder, "A" * 300_000)
    page = write_report(run_folder)
    assert page.stat().st_size < 700_000
    assert "more characters]" in page.read_text("utf-8")


def test_templates_mark_nothing_as_safe() -> None:
    folder = files("harness.report").joinpath("templates")
    templates = {p.name: p.read_text("utf-8") for p in folder.iterdir() if p.name.endswith(".html")}
    assert set(templates) == {
        "base.html", "comparison.html", "parts.html", "questions.html", "report.html",
    }  # fmt: skip
    assert [
        n for n, text in templates.items() if re.search(r"\|\s*safe|autoescape|tojson", text)
    ] == []
