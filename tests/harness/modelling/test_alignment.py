"""The guard hears what goes through a real vision tower."""

from __future__ import annotations

import pytest
import torch

from harness.errors import AlignmentError
from harness.modelling.alignment import AlignmentGuard

KEYS = ["room0", "room1", "room0"]  # a group shares its video


@pytest.fixture
def model(backbone, checkpoint):
    return backbone.load_model(checkpoint)


@pytest.fixture
def guard(backbone, encoder, model):
    made = AlignmentGuard(encoder)
    made.listen(backbone.vision_tower(model))
    return made


@pytest.fixture
def ids(encoder):
    return torch.tensor([encoder.prompt_ids("How many?", key) for key in KEYS])


@pytest.fixture
def look(backbone, encoder, model):
    """Put the videos of some keys through the tower, changed on the way if asked."""

    def through(keys, change=lambda pixels: pixels, times=1):
        inputs = encoder.pixel_inputs(keys)
        pixels = change(inputs["pixel_values_videos"])
        with torch.no_grad():
            for _ in range(times):
                backbone.vision_tower(model)(pixels, grid_thw=inputs["video_grid_thw"])

    return through


def test_a_whole_forward_pass_is_heard(guard, encoder, model, ids):
    with guard.watch("train", KEYS, ids), torch.no_grad():
        model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            mm_token_type_ids=encoder.token_types(ids),
            **encoder.pixel_inputs(KEYS),
        )
    # 4 frames of 56 x 56: 2 x 4 x 4 patches, merged 2 x 2 to 8 tokens
    assert guard.record() == {
        "train": {"batches": 1, "videos": 3, "patch_rows": 96, "video_tokens": 24}
    }


def test_passes_are_counted_by_kind(guard, look, ids):
    for kind, calls in (("train", 1), ("generate", 1), ("train", 2)):
        with guard.watch(kind, KEYS, ids, calls=calls):
            look(KEYS, times=calls)
    assert list(guard.record()) == ["generate", "train"]
    assert guard.record()["train"] == {
        "batches": 2,
        "videos": 9,
        "patch_rows": 288,
        "video_tokens": 72,
    }


def test_a_blind_forward_pass_is_found(guard, model, ids):
    with (
        pytest.raises(AlignmentError, match=r"pass 'train': expected 1 call.*found 0 call"),
        guard.watch("train", KEYS, ids),
        torch.no_grad(),
    ):
        model(input_ids=ids, attention_mask=torch.ones_like(ids))


@pytest.mark.parametrize(
    ("seen", "right"),
    [
        (["room0", "room2", "room0"], 2),  # another room
        (["room1", "room0", "room0"], 1),  # the right rooms in the wrong rows
        (["room0", "room1", "room0", "room0"], 0),  # one more
        (["room0", "room1"], 0),  # one less
    ],
    ids=["another", "swapped", "more", "fewer"],
)
def test_other_videos_are_found(guard, look, ids, seen, right):
    with (
        pytest.raises(AlignmentError, match=rf"found 1 call\(s\), with \[{right}\] rows right"),
        guard.watch("generate", KEYS, ids),
    ):
        look(seen)
    assert guard.record() == {}


def test_one_changed_number_is_found(guard, look, ids):
    def change(pixels):
        changed = pixels.clone()
        changed[40, 7] += 1e-6
        return changed

    with (
        pytest.raises(AlignmentError, match=r"with \[2\] rows right"),
        guard.watch("train", KEYS, ids),
    ):
        look(KEYS, change)


@pytest.mark.parametrize(("calls", "made"), [(1, 2), (2, 1), (2, 3), (1, 0)])
def test_another_number_of_calls_is_found(guard, look, ids, calls, made):
    message = rf"expected {calls} call\(s\).*found {made} call\(s\)"
    with pytest.raises(AlignmentError, match=message), guard.watch("train", KEYS, ids, calls=calls):
        look(KEYS, times=made)


def test_a_cut_prompt_is_found_before_anything_runs(guard, ids):
    last = int((ids[0] == guard.encoder.video_token_id).nonzero()[-1])
    message = (
        r"hold \[7, 7, 7\] video tokens a row, the videos stand for \[8, 8, 8\]: a prompt was cut"
    )
    with pytest.raises(AlignmentError, match=message), guard.watch("train", KEYS, ids[:, :last]):
        pytest.fail("the batch ran")


def test_a_video_token_in_a_question_is_found(guard, encoder):
    row = torch.tensor([encoder.prompt_ids("What is <|video_pad|>?", "room0")])
    with (
        pytest.raises(AlignmentError, match=r"hold \[9\] video tokens a row"),
        guard.watch("train", ["room0"], row),
    ):
        pytest.fail("the batch ran")


def test_pixels_are_compared_in_the_towers_precision(backbone, checkpoint, encoder, ids):
    tower = backbone.vision_tower(backbone.load_model(checkpoint)).to(torch.bfloat16)
    guard = AlignmentGuard(encoder)
    guard.listen(tower)
    inputs = encoder.pixel_inputs(KEYS)
    with guard.watch("train", KEYS, ids), torch.no_grad():
        tower(inputs["pixel_values_videos"].bfloat16(), grid_thw=inputs["video_grid_thw"])
    assert guard.record()["train"]["videos"] == 3
    other = encoder.pixel_inputs(["room0", "room1", "room5"])["pixel_values_videos"]
    with (
        pytest.raises(AlignmentError, match=r"with \[2\] rows right"),
        guard.watch("train", KEYS, ids),
        torch.no_grad(),
    ):
        tower(other.bfloat16(), grid_thw=inputs["video_grid_thw"])


def test_what_happens_outside_a_watch_is_no_matter(guard, look, ids):
    look(["room3"])
    with guard.watch("train", KEYS, ids):
        look(KEYS)
    look(["room3"])
    assert guard.record()["train"]["videos"] == 3


def test_an_error_of_the_model_stays_that_error_and_ends_the_watch(guard, look, ids):
    with pytest.raises(ZeroDivisionError), guard.watch("train", KEYS, ids):
        look(KEYS, lambda _pixels: 1 / 0)
    with guard.watch("train", KEYS, ids):
        look(KEYS)
    assert guard.record()["train"]["batches"] == 1


def test_several_towers_are_heard(guard, backbone, checkpoint, look, encoder, ids):
    reference = backbone.vision_tower(backbone.load_model(checkpoint))
    guard.listen(reference)
    inputs = encoder.pixel_inputs(KEYS)
    with guard.watch("train and reference", KEYS, ids, calls=2), torch.no_grad():
        look(KEYS)
        reference(inputs["pixel_values_videos"], grid_thw=inputs["video_grid_thw"])
    assert guard.record()["train and reference"]["videos"] == 6
