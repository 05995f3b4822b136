"""How a question is put to the model, and how its answer is taken out of what it says.

Training prompts are the paper's (vsGRPO, arXiv 2504.00883, section 3.2). Evaluation prompts are
named, so that a result can say which one was used: `thinking-in-space` is VSI-Bench's own
(thinking-in-space @ 51e089c), `paper-*` are the sentences of the paper's prompting study
(section 2), `vanilla`, `think` and `observe` are the training prompts again.

Every prompt is the text that goes after the video.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from harness.component import PromptMode
from harness.errors import UsageError
from harness.question import Question

PromptName = Literal[
    "thinking-in-space",
    "vanilla",
    "think",
    "observe",
    "paper-vanilla",
    "paper-think",
    "paper-observe",
]

FRAMES = "These are frames of a video."
LETTER_DIRECTLY = "Answer with the option's letter from the given choices directly."
WORD_OR_PHRASE = "Please answer the question using a single word or phrase."

# What think and observe ask for. The paper trains without options; where a question has some, the
# answer it asks for is the letter and the rest of the sentence stays.
_SHORT_ANSWER = "the short answer with one or two words or a number"
_LETTER = "the option's letter from the given choices"
_THINK = (
    "Please think step by step and enclose your thinking process in <think> </think> tags and "
    "then provide {answer} in <answer> </answer>."
)
_OBSERVE = (
    "Please observe carefully and analyze what you see that helps you to solve the question in "
    "the video and enclose it in <observe> </observe> tag, and then provide {answer} in "
    "<answer> </answer>."
)
_VANILLA = "Please provide {answer}."

# Mode -> the tags of its blocks, in the order a completion must have them.
BLOCKS: Mapping[PromptMode, tuple[str, ...]] = MappingProxyType(
    {"vanilla": (), "think": ("think", "answer"), "observe": ("observe", "answer")}
)


@dataclass(frozen=True)
class EvaluationPrompt:
    """A named way to ask.

    Args:
        name: goes into the result.
        mode: how the answer is taken out of the completion (see `extract_answer`).
        render: makes the text.
        max_new_tokens: room an answer needs; 16 is VSI-Bench's.
    """

    name: PromptName
    mode: PromptMode
    render: Callable[[Question], str]
    max_new_tokens: int


def training_prompt(question: Question, mode: PromptMode) -> str:
    """The text asked in training: the question, its options if any, the mode's sentence.

    Without options the sentence is the paper's, word for word. With options the model is asked for
    a letter: in `vanilla` by VSI-Bench's own sentence, in `think` and `observe` by the paper's with
    the letter in place of "the short answer with one or two words or a number".
    """
    sentences = {"vanilla": _VANILLA, "think": _THINK, "observe": _OBSERVE}
    if question.options is None:
        sentence = sentences[mode].format(answer=_SHORT_ANSWER)
    elif mode == "vanilla":
        sentence = LETTER_DIRECTLY
    else:
        sentence = sentences[mode].format(answer=_LETTER)
    return "\n".join((*_asked(question), sentence))


def target(question: Question, mode: PromptMode) -> str:
    """The completion that supervised training imitates: the right answer.

    Raises:
        UsageError: the mode wants reasoning before the answer, which the questions do not carry.
    """
    if mode != "vanilla":
        raise UsageError(
            f"prompt: {mode!r} needs a written-out {BLOCKS[mode][0]} block for every question to "
            "imitate, and questions carry answers alone; use prompt: vanilla for sft and dpo, or "
            "train this mode with grpo"
        )
    return question.gold


def extract_answer(text: str, mode: PromptMode) -> str:
    """The answer in a completion.

    In `think` and `observe` the text inside the last complete `<answer>` block, stripped; where
    there is none, and in `vanilla`, the completion as it is. A few linear scans, whatever the text.
    """
    if mode == "vanilla":
        return text
    last_close = text.rfind("</answer>")
    start = text.rfind("<answer>", 0, max(last_close, 0))
    if start < 0:
        return text
    start += len("<answer>")
    # A stray closing tag may follow the block: it ends at the first one after it opened.
    return text[start : text.find("</answer>", start)].strip()


def evaluation_prompt(question: Question, profile: str = "thinking-in-space") -> str:
    """The text asked in evaluation.

    Raises:
        UsageError: no prompt has that name.
    """
    if profile not in EVALUATION_PROMPTS:
        raise UsageError(
            f"prompt {profile!r} is not known; known are {', '.join(EVALUATION_PROMPTS)}"
        )
    return EVALUATION_PROMPTS[profile].render(question)


def _asked(question: Question) -> list[str]:
    options = question.lettered_options()
    return [question.text, "Options:", *options] if options else [question.text]


def _benchmark(word: str, letter: str) -> Callable[[Question], str]:
    def render(question: Question) -> str:
        post = word if question.options is None else letter
        return "\n".join((FRAMES, *_asked(question), post))

    return render


def _trained(mode: PromptMode) -> Callable[[Question], str]:
    return lambda question: training_prompt(question, mode)


_SHORT, _REASONED = 16, 256

EVALUATION_PROMPTS: Mapping[str, EvaluationPrompt] = MappingProxyType(
    {
        prompt.name: prompt
        for prompt in (
            EvaluationPrompt(
                "thinking-in-space", "vanilla", _benchmark(WORD_OR_PHRASE, LETTER_DIRECTLY), _SHORT
            ),
            EvaluationPrompt("vanilla", "vanilla", _trained("vanilla"), _SHORT),
            EvaluationPrompt("think", "think", _trained("think"), _REASONED),
            EvaluationPrompt("observe", "observe", _trained("observe"), _REASONED),
            # The paper prints one sentence for all questions; with options the letter is asked for,
            # as VSI-Bench does. It does not say how it found answers: no tags are asked for here.
            EvaluationPrompt(
                "paper-vanilla", "vanilla", _benchmark(WORD_OR_PHRASE, LETTER_DIRECTLY), _SHORT
            ),
            EvaluationPrompt(
                "paper-think",
                "vanilla",
                _benchmark(
                    "Let\u2019s think step by step and then answer the question using a single word "
                    "or phrase.",
                    "Let\u2019s think step by step and then answer with the option's letter from "
                    "the given choices directly.",
                ),
                _REASONED,
            ),
            EvaluationPrompt(
                "paper-observe",
                "vanilla",
                _benchmark(
                    "Please observe the video first and then answer the question using a single "
                    "word or phrase.",
                    "Please observe the video first and then answer with the option's letter from "
                    "the given choices directly.",
                ),
                _REASONED,
            ),
        )
    }
)
