"""What operators and schedules do: schedules, search, versions of workers, resets, activities without a workflow."""

from datetime import datetime, timedelta, timezone

from harness import World, check, equal, raises, until
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    ListWorkersRequest,
    ResetWorkflowExecutionRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    VersioningBehavior,
    WorkerDeploymentVersion,
)
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker, WorkerDeploymentConfig

import activities
import workflows as wf


@check("schedules")
async def schedules(w: World) -> None:
    id = w.id()
    action = ScheduleActionStartWorkflow(wf.Hello.run, "schedule", id=f"{id}-run", task_queue=w.queue)
    yearly = ScheduleCalendarSpec(month=[ScheduleRange(1)], hour=[ScheduleRange(9, 17, 2)], comment="some hours in January")
    spec = ScheduleSpec(calendars=[yearly], cron_expressions=["30 4 * * 1-5"], time_zone_name="Europe/Vienna")
    schedule = Schedule(action=action, spec=spec, state=ScheduleState(note="as made"))
    handle = await w.client.create_schedule(id, schedule, memo={"of": "the check"})
    await raises(ScheduleAlreadyRunningError, w.client.create_schedule(id, schedule))

    await handle.trigger(overlap=ScheduleOverlapPolicy.ALLOW_ALL)

    async def actions() -> list:
        return list((await handle.describe()).info.recent_actions)

    first = (await until(actions))[0].action
    run = w.client.get_workflow_handle(first.workflow_id, run_id=first.first_execution_run_id)
    equal(await run.result(), "Hello, schedule!")

    await handle.pause(note="for now")
    described = await handle.describe()
    equal((described.schedule.state.paused, described.schedule.state.note), (True, "for now"))
    equal(described.schedule.spec.time_zone_name, "Europe/Vienna")
    equal(len(described.schedule.spec.calendars), 2)
    equal(await described.memo_value("of"), "the check")
    assert len(described.info.next_action_times) == 10, described.info.next_action_times
    await handle.unpause(note="again")

    def every_hour(seen: ScheduleUpdateInput) -> ScheduleUpdate:
        changed = seen.description.schedule
        changed.spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))])
        return ScheduleUpdate(schedule=changed)

    await handle.update(every_hour)
    equal([s.every for s in (await handle.describe()).schedule.spec.intervals], [timedelta(hours=1)])

    day = datetime(2020, 1, 1, tzinfo=timezone.utc)
    await handle.backfill(
        ScheduleBackfill(day, day + timedelta(hours=2), overlap=ScheduleOverlapPolicy.ALLOW_ALL)
    )

    async def backfilled() -> bool:
        return (await handle.describe()).info.num_actions >= 3

    await until(backfilled)

    async def listed() -> bool:
        return any([s.id == id async for s in await w.client.list_schedules()])

    await until(listed)
    await handle.delete()
    gone = await raises(RPCError, handle.describe())
    equal(gone.status, RPCStatusCode.NOT_FOUND)


@check("search")
async def search(w: World) -> None:
    attributes = {
        wf.COLOUR.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
        wf.SIZE.name: IndexedValueType.INDEXED_VALUE_TYPE_INT,
    }
    await w.client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace="default", search_attributes=attributes)
    )
    pairs = TypedSearchAttributes([SearchAttributePair(wf.COLOUR, "red"), SearchAttributePair(wf.SIZE, 4)])
    handle = await w.start(
        wf.Coloured.run,
        search_attributes=pairs,
        memo={"note": "as started", "kept": [1, 2]},
        static_summary="a summary",
        static_details="details",
    )
    equal(await handle.result(), "blue")
    described = await handle.describe()
    equal(described.typed_search_attributes.get(wf.COLOUR), "blue")
    equal(described.typed_search_attributes.get(wf.SIZE), None)
    equal(await described.memo(), {"note": "changed", "kept": [1, 2]})
    equal((await described.static_summary(), await described.static_details()), ("a summary", "details"))
    query = f"LanguagesColour = 'blue' AND WorkflowId = '{handle.id}'"

    async def found() -> list[str]:
        return [execution.id async for execution in w.client.list_workflows(query)]

    equal(await until(found), [handle.id])
    equal((await w.client.count_workflows(query)).count, 1)
    groups = await w.client.count_workflows(f"WorkflowId = '{handle.id}' GROUP BY ExecutionStatus")
    equal([(g.count, list(g.group_values)) for g in groups.groups], [(1, ["Completed"])])
    bad = await raises(RPCError, w.client.count_workflows("NoSuch = 1"))
    equal(bad.status, RPCStatusCode.INVALID_ARGUMENT)


@check("versioning")
async def versioning(w: World) -> None:
    name, queue = w.id(), f"{w.queue}-versioned"
    service = w.client.workflow_service

    def worker(build_id: str) -> Worker:
        config = WorkerDeploymentConfig(
            version=WorkerDeploymentVersion(name, build_id),
            use_worker_versioning=True,
            default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
        )
        return Worker(
            w.client,
            task_queue=queue,
            workflows=[wf.Versioned, wf.Hello, wf.Waiter],
            activities=activities.ALL,
            deployment_config=config,
        )

    async def make_current(build_id: str) -> None:
        async def known() -> bool:
            try:
                request = DescribeWorkerDeploymentRequest(namespace="default", deployment_name=name)
                info = (await service.describe_worker_deployment(request)).worker_deployment_info
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return False
                raise
            return any(s.deployment_version.build_id == build_id for s in info.version_summaries)

        await until(known)
        await service.set_worker_deployment_current_version(
            SetWorkerDeploymentCurrentVersionRequest(namespace="default", deployment_name=name, build_id=build_id)
        )

    async with worker("one"), worker("two"):
        for build_id in ["one", "two"]:
            await make_current(build_id)
            equal(await w.execute(wf.Versioned.run, task_queue=queue), f"Hello, version! {build_id}")
        moved = await w.start(wf.Waiter.run, task_queue=queue)
        await moved.signal("say", "upgraded")
        equal(await moved.result(), "upgraded")


@check("reset")
async def reset(w: World) -> None:
    handle = await w.start(wf.Hello.run, "reset")
    await handle.result()
    answer = await w.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace="default",
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=handle.first_execution_run_id or ""),
            reason="check",
            request_id=w.id(),
            workflow_task_finish_event_id=4,
        )
    )
    again = w.client.get_workflow_handle(handle.id, run_id=answer.run_id)
    equal(await again.result(), "Hello, reset!")


@check("standalone-activity")
async def standalone(w: World) -> None:
    handle = await w.client.start_activity(
        activities.flaky,
        2,
        id=w.id(),
        task_queue=w.queue,
        start_to_close_timeout=timedelta(seconds=20),
        retry_policy=wf.QUICK_RETRY,
    )
    equal(await handle.result(), 2)


@check("workers")
async def workers(w: World) -> None:
    """The worker says that it is there, as `temporal worker list` shows it."""

    async def known() -> bool:
        answer = await w.client.workflow_service.list_workers(
            ListWorkersRequest(namespace="default", query=f"TaskQueue = '{w.queue}'")
        )
        return len(answer.workers_info) > 0 or len(answer.workers) > 0

    await until(known)
