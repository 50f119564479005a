"""What workflows do: each function is one check, named as the runner expects it; it raises when something is not as it must be."""

import asyncio
from datetime import timedelta

from harness import World, check, equal, raises, until
from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy, RetryPolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    TerminatedError,
    TimeoutError,
    WorkflowAlreadyStartedError,
)
from temporalio.service import RPCError, RPCStatusCode

import activities
import workflows as wf


@check("hello")
async def hello(w: World) -> None:
    equal(await w.execute(wf.Hello.run, "World"), "Hello, World!")
    await asyncio.gather(*(w.execute(wf.Hello.run, str(n)) for n in range(20)))


@check("activities")
async def retried(w: World) -> None:
    equal(await w.execute(wf.Retried.run), [3, 5])
    equal(await w.execute(wf.Hung.run), "HEARTBEAT")
    error = await raises(WorkflowFailureError, w.execute(wf.Refused.run))
    assert isinstance(error.cause, ActivityError), error.cause
    cause = error.cause.cause
    assert isinstance(cause, ApplicationError), cause
    equal((cause.type, cause.non_retryable, list(cause.details)), ("Refused", True, [7]))


@check("local-activities")
async def local(w: World) -> None:
    equal(await w.execute(wf.Local.run), ["Hello, local!", 3])


@check("async-completion")
async def completed_elsewhere(w: World) -> None:
    handle = await w.start(wf.CompletedElsewhere.run, "by-token")
    token = await until(lambda: activities.tokens.get("by-token"))
    activity = w.client.get_async_activity_handle(task_token=token)
    await activity.heartbeat("alive")
    await activity.complete("from outside")
    equal(await handle.result(), "from outside")
    await raises(RPCError, activity.complete("twice"))


@check("signals-queries")
async def signals(w: World) -> None:
    handle = await w.start(wf.Counter.run)
    for n in range(1, 6):
        await handle.signal(wf.Counter.add, n)
    equal(await handle.query(wf.Counter.sum), 15)
    await raises(WorkflowQueryFailedError, handle.query("nothing"))
    await handle.signal(wf.Counter.finish)
    equal(await handle.result(), 15)
    equal(await handle.query(wf.Counter.sum), 15)
    started = await w.start(wf.Counter.run, start_signal="add", start_signal_args=[4])
    equal(await started.query(wf.Counter.sum), 4)
    await started.signal(wf.Counter.finish)
    equal(await started.result(), 4)


@check("updates")
async def updates(w: World) -> None:
    handle = await w.start(wf.Counter.run)
    equal(await handle.execute_update(wf.Counter.add_update, 3), 3)
    rejected = await raises(WorkflowUpdateFailedError, handle.execute_update(wf.Counter.add_update, -1))
    equal(rejected.cause.type, "Negative")
    failed = await raises(WorkflowUpdateFailedError, handle.execute_update(wf.Counter.failing))
    equal(failed.cause.type, "Failed")
    unknown = await raises(WorkflowUpdateFailedError, handle.execute_update("nothing"))
    assert "nothing" in str(unknown.cause), unknown.cause
    slow = await handle.start_update(wf.Counter.add_slowly, 2, id="slow", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    equal(await slow.result(), "Hello, 2!")
    # The same id is the same update.
    equal(await handle.execute_update(wf.Counter.add_slowly, 2, id="slow"), "Hello, 2!")
    many = [handle.execute_update(wf.Counter.add_update, 1) for _ in range(10)]
    equal(sorted(await asyncio.gather(*many)), list(range(6, 16)))
    await handle.signal(wf.Counter.finish)
    equal(await handle.result(), 15)
    history = await handle.fetch_history()
    # What a validator refused is in no history.
    accepted = [e for e in history.events if e.HasField("workflow_execution_update_accepted_event_attributes")]
    equal(len(accepted), 13)
    over = await raises(RPCError, handle.execute_update(wf.Counter.add_update, 1))
    equal(over.status, RPCStatusCode.NOT_FOUND)


@check("update-with-start")
async def update_with_start(w: World) -> None:
    id = w.id()

    def start(policy: WorkflowIDConflictPolicy) -> WithStartWorkflowOperation:
        return WithStartWorkflowOperation(wf.Counter.run, id=id, task_queue=w.queue, id_conflict_policy=policy)

    async def add(n: int, policy: WorkflowIDConflictPolicy) -> int:
        operation = start(policy)
        return await w.client.execute_update_with_start_workflow(
            wf.Counter.add_update, n, start_workflow_operation=operation
        )

    equal(await add(2, WorkflowIDConflictPolicy.USE_EXISTING), 2)
    equal(await add(3, WorkflowIDConflictPolicy.USE_EXISTING), 5)
    await raises(WorkflowAlreadyStartedError, add(1, WorkflowIDConflictPolicy.FAIL))
    await raises(WorkflowUpdateFailedError, add(-1, WorkflowIDConflictPolicy.USE_EXISTING))
    handle = w.client.get_workflow_handle(id)
    await handle.signal("finish")
    equal(await handle.result(), 5)


@check("children")
async def children(w: World) -> None:
    equal(await w.execute(wf.Parent.run), ["Hello, child!", "ApplicationError", "heard", "cancelled"])


@check("parent-close")
async def parent_close(w: World) -> None:
    handle = await w.start(wf.Leaver.run)
    await handle.result()
    expected = {
        "TERMINATE": WorkflowExecutionStatus.TERMINATED,
        "ABANDON": WorkflowExecutionStatus.RUNNING,
        "REQUEST_CANCEL": WorkflowExecutionStatus.COMPLETED,
    }
    for policy, status in expected.items():
        child = w.client.get_workflow_handle(f"{handle.id}/{policy}")
        if status is not WorkflowExecutionStatus.RUNNING:
            await raises(WorkflowFailureError, child.result()) if policy == "TERMINATE" else await child.result()
        equal((await child.describe()).status, status)
    left = w.client.get_workflow_handle(f"{handle.id}/ABANDON")
    await left.signal("say", "still here")
    equal(await left.result(), "still here")


@check("external")
async def external(w: World) -> None:
    signalled, cancelled = await w.start(wf.Waiter.run), await w.start(wf.Waiter.run)
    said = await w.execute(wf.Caller.run, args=[signalled.id, cancelled.id])
    assert "not found" in said, said
    equal(await signalled.result(), "from afar")
    equal(await cancelled.result(), "cancelled")


@check("continue-as-new")
async def again(w: World) -> None:
    handle = await w.start(wf.Again.run, args=[3, []])
    runs = await handle.result()
    equal(len(set(runs)), 4)
    equal(runs[0], handle.first_execution_run_id)
    first = w.client.get_workflow_handle(handle.id, run_id=runs[0])
    equal((await first.describe()).status, WorkflowExecutionStatus.CONTINUED_AS_NEW)


@check("timers-cancellation")
async def cancellation(w: World) -> None:
    handle = await w.start(wf.Sleeper.run)

    async def beats() -> bool:
        return len((await handle.describe()).raw_description.pending_activities) > 0

    await until(beats)
    await handle.cancel()
    equal(await handle.result(), "Hello, clean-up!")
    equal(await w.execute(wf.Hello.run, "later", start_delay=timedelta(milliseconds=300)), "Hello, later!")


@check("ends")
async def ends(w: World) -> None:
    terminated = await w.start(wf.Waiter.run)
    await terminated.terminate("enough", reason="check")
    error = await raises(WorkflowFailureError, terminated.result())
    assert isinstance(error.cause, TerminatedError), error.cause
    late = await w.start(wf.Waiter.run, run_timeout=timedelta(milliseconds=300))
    error = await raises(WorkflowFailureError, late.result())
    assert isinstance(error.cause, TimeoutError), error.cause
    retry = RetryPolicy(initial_interval=timedelta(milliseconds=20), maximum_attempts=3)
    equal(await w.execute(wf.FailsOnce.run, retry_policy=retry), 2)


@check("ids")
async def ids(w: World) -> None:
    handle = await w.start(wf.Waiter.run)
    await raises(WorkflowAlreadyStartedError, w.start(wf.Waiter.run, id=handle.id))
    existing = await w.start(
        wf.Waiter.run, id=handle.id, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
    )
    equal(existing.first_execution_run_id or existing.result_run_id, handle.first_execution_run_id)
    replaced = await w.start(
        wf.Waiter.run, id=handle.id, id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING
    )
    assert replaced.first_execution_run_id != handle.first_execution_run_id
    await replaced.signal("say", "over")
    equal(await replaced.result(), "over")
    await raises(
        WorkflowAlreadyStartedError,
        w.start(wf.Waiter.run, id=handle.id, id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE),
    )
    missing = await raises(RPCError, w.client.get_workflow_handle("nobody").describe())
    equal(missing.status, RPCStatusCode.NOT_FOUND)


@check("eager-start")
async def eager(w: World) -> None:
    handle = await w.start(wf.Hello.run, "eager", request_eager_start=True)
    equal(await handle.result(), "Hello, eager!")
    started = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    assert started.eager_execution_accepted, "the server did not give the first task with its answer"


@check("patches")
async def patches(w: World) -> None:
    handle = await w.start(wf.Patched.run)
    equal(await handle.result(), "Hello, new!")
    markers = [e for e in (await handle.fetch_history()).events if e.HasField("marker_recorded_event_attributes")]
    equal(len(markers), 2)
