"""Rules a reply keeps while it is decoded."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import LogitsProcessor


class FirstTokenIsAction(LogitsProcessor):
    """The first token of a reply is one of the possible actions."""

    def __init__(self, prompt_length: int, allowed: Sequence[int]):
        self.prompt_length, self.allowed = prompt_length, list(allowed)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Mask the scores (B, vocabulary) of the first new token."""
        if input_ids.shape[1] > self.prompt_length:
            return scores
        masked = torch.full_like(scores, -torch.inf)
        masked[:, self.allowed] = scores[:, self.allowed]
        return masked


class ECGTokenLogitsProcessor(LogitsProcessor):
    """Rules of the [ECG] tokens while decoding.

    Outside an answer that began with the generate action they cannot be chosen; once [ECG1] is chosen
    the tail [ECG2]..[ECGn] and the end follow without choice.

    Parameters
    ----------
    first_token_id : int
        Id of [ECG1].
    num_tokens : int
        n.
    generate_token_id, end_token_id : int
        Ids of the action token and of the end of an answer.
    prompt_length : int
        Tokens of the prompt; an action token in there belongs to an earlier turn.
    """

    def __init__(
        self,
        first_token_id: int,
        num_tokens: int,
        generate_token_id: int,
        end_token_id: int,
        prompt_length: int,
    ):
        self.first, self.last = first_token_id, first_token_id + num_tokens - 1
        self.generate_token_id, self.end_token_id = generate_token_id, end_token_id
        self.prompt_length = prompt_length

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Mask the scores (B, vocabulary) of the next token."""
        scores = scores.clone()
        for row, ids in enumerate(input_ids):
            previous = int(ids[-1])
            if self.first <= previous <= self.last:
                forced = self.end_token_id if previous == self.last else previous + 1
                keep = scores[row, forced].clone()
                scores[row] = -torch.inf
                scores[row, forced] = keep
            else:
                generating = bool((ids[self.prompt_length :] == self.generate_token_id).any())
                scores[row, self.first + int(generating) : self.last + 1] = -torch.inf
        return scores
