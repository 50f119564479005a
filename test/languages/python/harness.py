"""What the checks share: how they are named and reported, and what they ask of the client."""

import asyncio
import inspect
import sys
import time
from typing import Any, Awaitable, Callable

from temporalio.client import Client, WorkflowHandle

POLL_S = 0.05
# One check, on a machine that has other things to do.
CHECK_PATIENCE_S = 180.0


class World:
    """A client, the queue its worker serves, and ids that nobody else uses."""

    def __init__(self, client: Client, queue: str, native_queue: str) -> None:
        self.client = client
        self.queue = queue
        self.native_queue = native_queue
        self.handles: list[WorkflowHandle] = []
        self._ids = 0

    def id(self) -> str:
        self._ids += 1
        return f"{self.queue}-{self._ids}"

    async def start(self, workflow: Any, *args: Any, **options: Any) -> WorkflowHandle:
        options = {"id": self.id(), "task_queue": self.queue, **options}
        signal = options.pop("start_signal", None)
        if signal is not None:
            options["start_signal"] = signal
        handle = await self.client.start_workflow(workflow, *args, **options)
        self.handles.append(handle)
        return handle

    async def execute(self, workflow: Any, *args: Any, **options: Any) -> Any:
        return await (await self.start(workflow, *args, **options)).result()


Check = Callable[[World], Awaitable[None]]
checks: list[tuple[str, Check]] = []


def check(name: str) -> Callable[[Check], Check]:
    def named(run: Check) -> Check:
        checks.append((name, run))
        return run

    return named


async def report(world: World) -> int:
    """Runs the checks one after the other, a line for each. Returns how many failed."""
    failed = 0
    for name, run in checks:
        since = time.monotonic()
        try:
            await asyncio.wait_for(run(world), CHECK_PATIENCE_S)
        except Exception as error:
            failed += 1
            say(f"failed {name}: {describe(error)}")
        else:
            say(f"ok {name} {round((time.monotonic() - since) * 1000)} ms")
    return failed


def say(line: str) -> None:
    print(line.replace("\n", " | "), flush=True)


def describe(error: BaseException) -> str:
    """The error with its causes, and the line of ours where it came up."""
    frames = [f for f in inspect.getinnerframes(error.__traceback__) if "/languages/python/" in f.filename]
    where = f" (line {frames[-1].lineno} of {frames[-1].function})" if frames else ""
    causes = []
    while error is not None:
        causes.append(f"{type(error).__name__}: {error}")
        error = error.__cause__
    return " ← ".join(causes) + where


async def told(word: str) -> None:
    """Waits until the runner says this word."""
    line = (await asyncio.to_thread(sys.stdin.readline)).strip()
    if line != word:
        raise RuntimeError(f"the runner was to say '{word}', and said '{line}'")


def equal(found: Any, expected: Any) -> None:
    if found != expected:
        raise AssertionError(f"expected {expected!r}, found {found!r}")


async def raises(kind: type, call: Awaitable[Any]) -> Any:
    try:
        result = await call
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, found {result!r}")


async def until(look: Callable[[], Any], patience_s: float = 60.0) -> Any:
    """What `look` finds, once it finds something."""
    give_up_at = time.monotonic() + patience_s
    while True:
        found = look()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        if time.monotonic() > give_up_at:
            raise AssertionError("it did not come about")
        await asyncio.sleep(POLL_S)
