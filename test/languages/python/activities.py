"""Activities of the Python program: run by its own worker, never by the server (I10)."""

import asyncio
import threading

from temporalio import activity
from temporalio.exceptions import ApplicationError

# Tokens of activities that something else completes, by the name they were given.
tokens: dict[str, bytes] = {}
# Set once the server is back after it was killed.
restarted = threading.Event()
# Sides of an activity that runs over the kill.
slow_began = threading.Event()


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@activity.defn
async def flaky(succeed_on: int) -> int:
    """Fails until its `succeed_on`-th attempt."""
    attempt = activity.info().attempt
    if attempt < succeed_on:
        raise RuntimeError(f"attempt {attempt}")
    return attempt


@activity.defn
async def remember(details: int) -> int:
    """What its first attempt said in a heartbeat, its second one knows."""
    info = activity.info()
    if info.heartbeat_details:
        return int(info.heartbeat_details[0])
    activity.heartbeat(details)
    raise RuntimeError("the details must survive this")


@activity.defn
async def refuse(kind: str) -> None:
    raise ApplicationError("no", 7, type=kind, non_retryable=True)


@activity.defn
async def beat_until_cancelled() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.02)


@activity.defn
async def hang() -> None:
    """Neither ends nor says that it is alive."""
    await asyncio.Event().wait()


@activity.defn
async def elsewhere(name: str) -> str:
    """Ends when somebody else says so."""
    tokens[name] = activity.info().task_token
    activity.raise_complete_async()


@activity.defn
async def over_the_kill() -> str:
    """Runs from before the server is killed until after it is back."""
    slow_began.set()
    while not restarted.is_set():
        await asyncio.sleep(0.05)
    return f"attempt {activity.info().attempt}"


ALL = [greet, flaky, remember, refuse, beat_until_cancelled, hang, elsewhere, over_the_kill]
