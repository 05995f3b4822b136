"""Whether a completion keeps to its mode's blocks (vsGRPO, section 3.2).

`vanilla` asks for no blocks and the paper omits the reward there: every completion keeps to it, and
the constant 1 leaves the group's advantages as they are.

The paper saw its reward hacked by empty blocks and by repeated ones. The strict check rejects both;
the other one takes them, to study the effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness import Reward, Rollout
from harness.component import PromptMode
from harness.prompt import BLOCKS
from harness_rewards.settings import FormatSettings


def keeps_format(completion: str, mode: PromptMode, *, strict: bool = True) -> bool:
    """Whether the completion is the mode's blocks in order, with white space alone around them.

    Strict: each tag occurs exactly once and no block is empty. Linear in the text.
    """
    if mode == "vanilla":
        return True
    first, second = BLOCKS[mode]
    text = completion.strip()
    opening, closing = f"<{first}>", f"</{second}>"
    if not (text.startswith(opening) and text.endswith(closing)):
        return False
    inner = text[len(opening) : -len(closing)]
    closed, opened = f"</{first}>", f"<{second}>"
    if not strict:
        # The pieces between closing tags are together no longer than the text.
        return any(part.lstrip().startswith(opened) for part in inner.split(closed)[1:])
    if opening in inner or closing in inner or inner.count(closed) != 1 or inner.count(opened) != 1:
        return False
    reasoning, _, rest = inner.partition(closed)
    between, _, answer = rest.partition(opened)
    return bool(reasoning.strip() and answer.strip()) and not between.strip()


@dataclass(frozen=True)
class Format:
    """1 if the completion keeps to its mode's format, else 0; 1 in `vanilla`."""

    strict: bool

    def __call__(self, rollouts: Sequence[Rollout]) -> Sequence[float]:
        """1.0 or 0.0 for each rollout."""
        return [
            float(keeps_format(r.completion, r.prompt_mode, strict=self.strict)) for r in rollouts
        ]


def build(settings: FormatSettings) -> Reward:
    """The reward."""
    return Format(settings.strict)
