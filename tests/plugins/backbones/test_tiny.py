"""`tiny`: the same bytes for the same settings, and Qwen2-VL's code throughout."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from harness_plugins.backbones.settings import TinySettings
from harness_plugins.backbones.tiny import SPECIAL_TOKENS, train_tokenizer

TEXTS = [
    "Measuring from the closest point of each object, what is the distance between the chair and it?",
    "Options:\nA. front-left\nB. back-right\nAnswer with the option's letter",
    "12.75",
    "Ein Stuhl, 椅子 🪑\t<think>two  spaces </think>",
    "<|im_start|>user\n<|vision_start|><|video_pad|><|vision_end|>?<|im_end|>\n",
]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_settings_give_the_same_bytes(small, saved, tmp_path):
    torch.manual_seed(5)
    again = contents(Path(small().checkpoint(tmp_path)))
    assert again == contents(saved)
    assert len(again["model.safetensors"]) > 900_000


def test_another_seed_gives_other_weights_alone(small, saved, tmp_path):
    first, other = contents(saved), contents(Path(small(seed=1).checkpoint(tmp_path)))
    assert {name for name in first if first[name] != other[name]} == {"model.safetensors"}


def test_building_leaves_the_random_numbers_of_others_alone(small, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    small().checkpoint(tmp_path)
    assert torch.equal(torch.rand(3), expected)


def test_a_checkpoint_is_built_once_and_a_half_built_one_again(small, saved, tmp_path):
    folder = Path(small().checkpoint(tmp_path))
    (folder / "model.safetensors").write_bytes(b"kept")
    assert small().checkpoint(tmp_path) == str(folder)
    assert (folder / "model.safetensors").read_bytes() == b"kept"
    (folder / "complete").unlink()
    small().checkpoint(tmp_path)
    assert contents(folder) == contents(saved)


@pytest.mark.parametrize("text", TEXTS)
def test_the_tokenizer_on_disk_is_the_one_that_was_trained(small, saved, text):
    """transformers 5 loads a Qwen2 tokenizer with its own way of splitting words."""
    trained = train_tokenizer(512)
    loaded = small().load_processor(str(saved)).tokenizer
    ids = loaded(text)["input_ids"]
    assert ids == trained.encode(text).ids
    assert loaded.decode(ids) == text


def test_special_tokens_come_first_and_digits_are_single(small, saved):
    tokenizer = small().load_processor(str(saved)).tokenizer
    assert tokenizer.convert_ids_to_tokens(range(8)) == list(SPECIAL_TOKENS)
    assert len(tokenizer) == 512
    assert [tokenizer.decode([i]) for i in tokenizer("3075")["input_ids"]] == ["3", "0", "7", "5"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"hidden": 96, "heads": 3, "layers": 1},
        {"hidden": 32, "heads": 8, "vision_hidden": 112},  # 112 has no 3 equal heads
        {"hidden": 32, "heads": 16, "vision_hidden": 48, "vision_layers": 2},  # heads of 2
    ],
    ids=str,
)
def test_all_sizes_run_and_are_counted(small, tmp_path, changes):
    tiny = small(**changes)
    checkpoint = tiny.checkpoint(tmp_path)
    model, processor = tiny.load_model(checkpoint), tiny.load_processor(checkpoint)
    assert tiny.shape().parameters == model.num_parameters()
    tower = tiny.vision_tower(model)
    assert tiny.shape().vision_parameters == sum(p.numel() for p in tower.parameters())
    inputs = processor(
        text=["<|vision_start|><|video_pad|><|vision_end|>How many?"],
        videos=[torch.zeros(2, 3, 56, 56, dtype=torch.uint8)],
        do_sample_frames=False,
        return_tensors="pt",
    )
    with torch.no_grad():
        logits = model(**inputs).logits
    assert logits.shape == (1, inputs["input_ids"].shape[1], 512)
    assert torch.isfinite(logits).all()


def test_heads_that_do_not_share_the_width_are_refused():
    with pytest.raises(ValidationError, match="hidden 64 cannot be shared by 3 heads"):
        TinySettings(hidden=64, heads=3)


def test_nothing_is_missing_for_it(small):
    assert small().missing() == []
