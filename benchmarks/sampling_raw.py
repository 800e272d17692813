"""The rivals of `sampling.py`: vLLM and its server, called directly. Runs under the Python that has vLLM.

    python benchmarks/sampling_raw.py < task.json

The task has `requests` (prompt, n, seed), `sampling`, and either `arguments` for `vllm.LLM` or the `url` of a server.
Prints one line of JSON: tokens, samples, and the seconds that drawing took, excluding the time to load the model.
"""

import asyncio
import json
import sys
import time
from typing import Any


def direct(task: dict[str, Any]) -> dict[str, Any]:
    """`LLM.generate` on all requests at once."""
    from vllm import LLM, SamplingParams

    model = LLM(**task["arguments"])
    shared = {**task["sampling"], "logprobs": 0, "flat_logprobs": True}
    params = [SamplingParams(n=each["n"], seed=each["seed"], **shared) for each in task["requests"]]
    prompts = [each["prompt"] for each in task["requests"]]
    model.generate(prompts[:1], SamplingParams(max_tokens=2), use_tqdm=False)
    started, cpu = time.monotonic(), time.process_time()
    outputs = model.generate(prompts, params, use_tqdm=False)
    seconds, cpu_s = time.monotonic() - started, time.process_time() - cpu
    drawn = [sample for output in outputs for sample in output.outputs]
    tokens = sum(len(each.token_ids) for each in drawn)
    return {"tokens": tokens, "samples": len(drawn), "seconds": seconds, "engine_cpu_s": cpu_s}


async def over_http(task: dict[str, Any]) -> dict[str, Any]:
    """`httpx` and `gather`: sends all requests concurrently and reads every reply."""
    import httpx

    async with httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_connections=None)) as client:

        async def ask(each: dict[str, Any]) -> tuple[int, int]:
            body = {"model": task["model"], "logprobs": 0, **task["sampling"], **each}
            reply = (await client.post(f"{task['url']}/completions", json=body)).raise_for_status().json()
            return reply["usage"]["completion_tokens"], len(reply["choices"])

        await ask({**task["requests"][0], "n": 1, "max_tokens": 2})
        started = time.monotonic()
        replies = await asyncio.gather(*map(ask, task["requests"]))
        seconds = time.monotonic() - started
    return {"tokens": sum(each[0] for each in replies), "samples": sum(each[1] for each in replies), "seconds": seconds}


if __name__ == "__main__":
    sys.path.pop(0)
    given = json.load(sys.stdin)
    print(json.dumps(direct(given) if "arguments" in given else asyncio.run(over_http(given))))
