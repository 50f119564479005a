"""A server that is killed, workers and clients of the other door, and the histories that are left."""

import asyncio

from harness import World, check, equal, say, told, until
from temporalio.worker import Replayer

import activities
import workflows as wf


@check("native-worker")
async def native_worker(w: World) -> None:
    """Tenuto's own worker serves what this client starts, and activities of this worker's workflows."""
    handle = await w.client.start_workflow(
        "hello", "native worker", id=w.id(), task_queue=w.native_queue, result_type=str
    )
    equal(await handle.result(), "Hello, native worker!")
    said = await w.execute(wf.GreetElsewhere.run, args=["native activity", w.native_queue])
    equal(said, "Hello, native activity!")


@check("native-client")
async def native_client(w: World) -> None:
    say("> serve")
    await told("served")


@check("restart")
async def restart(w: World) -> None:
    handle = await w.start(wf.Journey.run)
    waiting = asyncio.create_task(handle.result())
    await asyncio.to_thread(activities.slow_began.wait)
    say("> kill")
    await told("restarted")
    activities.restarted.set()
    await handle.signal(wf.Journey.go_on)
    equal(await waiting, ["Hello, before!", "attempt 1", "Hello, after!"])


@check("replay")
async def replay(w: World) -> None:
    """The SDK finds no difference between the code and the histories that the server kept."""
    replayer = Replayer(workflows=[*wf.ALL, wf.Versioned])
    # The last one of each type: a replayer is started for each.
    histories = {}
    for handle in w.handles:
        history = await handle.fetch_history()
        type = history.events[0].workflow_execution_started_event_attributes.workflow_type.name
        histories[type] = history
    for history in histories.values():
        await replayer.replay_workflow(history)
    equal(len(histories), len(wf.ALL) + 1)
