"""From the choices of a reply to samples. Not every server honours `n`: some refuse it, ignore it, or repeat a
sample."""

from tasks.engines.http.call import Call, Part
from tasks.engines.http.protocol import Choice
from tasks.engines.http.requester import Response
from tasks.records import Sample


class ChoiceReader:
    """Takes the distinct samples from replies, puts the rest back into the call, and learns what `n` the servers
    honour.

    Args:
        n_per_request: maximum samples of one request; falls to 1 once a server turns out not to honour `n`.
        distinct: whether choices are known to be distinct samples. False: a reply with equal choices is checked.
    """

    def __init__(self, n_per_request: int, *, distinct: bool) -> None:
        self.n_per_request = n_per_request
        self._distinct = distinct

    def samples(self, call: Call, part: Part, response: Response) -> list[Sample]:
        """The samples that a response gives for a part; the rest is put back into the call."""
        request, reply = part.request, response.reply
        if call.greedy:
            choices = dict.fromkeys(range(part.start, part.stop), reply.choices[min(reply.choices)])
        else:
            distinct = self._distinct_choices(call, part, response)
            choices = {part.start + position: choice for position, choice in distinct.items()}
        return [
            Sample(
                request.problem_id,
                i,
                choice.text,
                reply.prompt_tokens,
                choice.tokens,
                choice.logprob,
                choice.finish_reason,
                cached_prompt_tokens=reply.cached_prompt_tokens,
                confidence=choice.confidence,
            )
            for i, choice in choices.items()
        ]

    def _distinct_choices(self, call: Call, part: Part, response: Response) -> dict[int, Choice]:
        """The choices that are distinct samples, by position; the indices of the others are put back."""
        choices = response.reply.choices
        suspected_duplicate = None
        if part.refused:
            self._fall_back_to_n_1(call, "refuses requests for several samples")
        if part.suspected_duplicate is not None and choices[0].text != part.suspected_duplicate:
            self._fall_back_to_n_1(call, "returns one sample several times if a seed is sent")
        if len(choices) < response.n:
            self._fall_back_to_n_1(call, "returns fewer samples than requested")
        elif response.n > 1 and not self._distinct:
            # Some servers use the request's own seed for every choice, which gives one sample n times. If all choices
            # are equal, all but the first are drawn again one by one; if they differ then, that is what happened.
            texts = {choice.text for choice in choices.values()}
            self._distinct = len(texts) > 1
            if not self._distinct:
                suspected_duplicate = texts.pop()
                choices = {0: choices[0]}
        for position in range(response.n):
            if position not in choices:
                index = part.start + position
                call.put_back(
                    Part(part.request, index, index + 1, one_at_a_time=True, suspected_duplicate=suspected_duplicate)
                )
        return choices

    def _fall_back_to_n_1(self, call: Call, why: str) -> None:
        if self.n_per_request > 1:
            self.n_per_request = 1
            call.listener.say(f"the server {why}: continuing with one sample per request")
