"""A program of the vendor's Python SDK: agents, tools, conversations, errors, an LLM span and a long root.

It sends to STASO_BASE_URL and prints one line of JSON: what it did, for the test to find again.
"""

import asyncio
import json
import time

import staso


@staso.tool
def search_kb(query, limit=5):
    return ["reset your password", "\u0441\u0431\u0440\u043e\u0441 \U0001f680"][:limit]


@staso.tool(tags=["payments"], metadata={"team": "billing"})
def refund(order, amount):
    raise ValueError("the card expired: 42")


@staso.agent
def support_agent(message):
    hits = search_kb("reset", limit=2)
    with staso.span("chat", kind="llm") as span:
        span.input = [{"role": "user", "content": message}]
        span.output = {"role": "assistant", "content": "done <b>&amp;"}
        span.model = "gpt-4o-mini"
        span.provider = "openai"
        span.requested_model = "gpt-4o-mini"
        span.input_tokens = 12
        span.output_tokens = 34
        span.total_tokens = 46
        span.usage_available = True
        span.reasoning_effort = "low"
        span.metadata["temperature"] = 0.5
    return {"answer": hits[0]}


@staso.agent(name="refund-worker")
def refund_agent(order):
    return refund(order, amount=89.5)


@staso.tool
async def fetch(n):
    await asyncio.sleep(0.01)
    return n * 2


@staso.agent
async def async_agent(q):
    return await asyncio.gather(fetch(1), fetch(2))


@staso.agent
def long_agent(job):
    staso.flush(5.0)
    print("running", flush=True)
    input()
    search_kb("late", limit=1)
    return "finished"


def main():
    client = staso.init(agent_version="v2.3", environment="staging", flush_interval=0.1)
    with staso.conversation("conv-42", user_id="user-alice"):
        support_agent("reset password")
        try:
            refund_agent(1017)
        except ValueError:
            pass
    asyncio.run(async_agent("x"))
    with staso.span("embed-query", kind="retriever") as span:
        span.input = {"text": "hello"}
        span.set_status("timeout", "took too long")
    long_agent("j1")
    report = staso.shutdown(20.0)
    print(
        json.dumps(
            {
                "ok": report.ok,
                "accepted": report.accepted,
                "delivered": report.delivered,
                "failed": report.failed,
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    main()
