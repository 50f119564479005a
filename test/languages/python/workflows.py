"""Workflows of the Python program: what users of Temporal's Python SDK write every day."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey, VersioningBehavior
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutError

with workflow.unsafe.imports_passed_through():
    import activities

SOON = timedelta(seconds=20)
QUICK_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=20))
COLOUR = SearchAttributeKey.for_keyword("LanguagesColour")
SIZE = SearchAttributeKey.for_int("LanguagesSize")


@workflow.defn(name="hello")
class Hello:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(activities.greet, name, start_to_close_timeout=SOON)


@workflow.defn(name="greetElsewhere")
class GreetElsewhere:
    """Its activity is of a worker that this program knows nothing of."""

    @workflow.run
    async def run(self, name: str, queue: str) -> str:
        return await workflow.execute_activity(
            "greet", name, task_queue=queue, start_to_close_timeout=SOON, result_type=str
        )


@workflow.defn(name="retried")
class Retried:
    @workflow.run
    async def run(self) -> list[int]:
        options = {"start_to_close_timeout": SOON, "retry_policy": QUICK_RETRY}
        return [
            await workflow.execute_activity(activities.flaky, 3, **options),
            await workflow.execute_activity(activities.remember, 5, **options),
        ]


@workflow.defn(name="refused")
class Refused:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(activities.refuse, "Refused", start_to_close_timeout=SOON)


@workflow.defn(name="hung")
class Hung:
    """An activity that says nothing is given up by its heartbeat timeout."""

    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.execute_activity(
                activities.hang,
                start_to_close_timeout=SOON,
                heartbeat_timeout=timedelta(milliseconds=300),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
        except ActivityError as error:
            if isinstance(error.cause, TimeoutError) and error.cause.type is not None:
                return error.cause.type.name
            raise
        return "it came back"


@workflow.defn(name="local")
class Local:
    @workflow.run
    async def run(self) -> list:
        said = await workflow.execute_local_activity(activities.greet, "local", start_to_close_timeout=SOON)
        tried = await workflow.execute_local_activity(
            activities.flaky, 3, start_to_close_timeout=SOON, retry_policy=QUICK_RETRY
        )
        return [said, tried]


@workflow.defn(name="completedElsewhere")
class CompletedElsewhere:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(activities.elsewhere, name, start_to_close_timeout=SOON)


@workflow.defn(name="counter")
class Counter:
    """Adds what it is signalled and what it is updated with, until it is told to finish."""

    def __init__(self) -> None:
        self.total = 0
        self.done = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.done)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.total

    @workflow.signal
    def add(self, n: int) -> None:
        self.total += n

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def sum(self) -> int:
        return self.total

    @workflow.update(name="addUpdate")
    def add_update(self, n: int) -> int:
        self.total += n
        return self.total

    @add_update.validator
    def not_negative(self, n: int) -> None:
        if n < 0:
            raise ApplicationError("only what is not negative", type="Negative")

    @workflow.update(name="addSlowly")
    async def add_slowly(self, n: int) -> str:
        """Between its acceptance and its end there is an activity and a timer."""
        said = await workflow.execute_activity(activities.greet, str(n), start_to_close_timeout=SOON)
        await workflow.sleep(0.05)
        self.total += n
        return said

    @workflow.update(name="failing")
    async def failing(self) -> None:
        raise ApplicationError("accepted, and then it failed", type="Failed")


@workflow.defn(name="waiter")
class Waiter:
    """Waits for a signal; says what became of it."""

    def __init__(self) -> None:
        self.word: str | None = None

    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.wait_condition(lambda: self.word is not None)
        except asyncio.CancelledError:
            return "cancelled"
        return self.word or ""

    @workflow.signal
    def say(self, word: str) -> None:
        self.word = word


@workflow.defn(name="parent")
class Parent:
    """A child that succeeds, one that fails, one that is signalled and one that is cancelled."""

    @workflow.run
    async def run(self) -> list[str]:
        me = workflow.info().workflow_id
        said = await workflow.execute_child_workflow(Hello.run, "child", id=f"{me}/hello")
        failed = ""
        try:
            await workflow.execute_child_workflow(Refused.run, id=f"{me}/refused")
        except Exception as error:
            failed = type(error.__cause__.__cause__).__name__
        signalled = await workflow.start_child_workflow(Waiter.run, id=f"{me}/signalled")
        await signalled.signal(Waiter.say, "heard")
        cancelled = await workflow.start_child_workflow(Waiter.run, id=f"{me}/cancelled")
        cancelled.cancel()
        return [said, failed, await signalled, await cancelled]


@workflow.defn(name="leaver")
class Leaver:
    """Ends while its children are still at work: one for each policy."""

    @workflow.run
    async def run(self) -> None:
        me = workflow.info().workflow_id
        for policy in workflow.ParentClosePolicy:
            if policy is workflow.ParentClosePolicy.UNSPECIFIED:
                continue
            await workflow.start_child_workflow(
                Waiter.run, id=f"{me}/{policy.name}", parent_close_policy=policy
            )


@workflow.defn(name="caller")
class Caller:
    """Signals one workflow that is no child of it, cancels another one, and meets a third that is not there."""

    @workflow.run
    async def run(self, signalled: str, cancelled: str) -> str:
        await workflow.get_external_workflow_handle(signalled).signal("say", "from afar")
        await workflow.get_external_workflow_handle(cancelled).cancel()
        try:
            await workflow.get_external_workflow_handle("nobody").signal("say", "?")
        except ApplicationError as error:
            return error.message
        return "somebody was there"


@workflow.defn(name="again")
class Again:
    @workflow.run
    async def run(self, times: int, seen: list[str]) -> list[str]:
        seen = [*seen, workflow.info().run_id]
        if times > 0:
            workflow.continue_as_new(args=[times - 1, seen])
        return seen


@workflow.defn(name="sleeper")
class Sleeper:
    """A timer that ends, one that is cancelled, and clean-up when it is cancelled itself."""

    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(0.05)
        left = asyncio.create_task(asyncio.sleep(3600))
        await workflow.sleep(0.01)
        left.cancel()
        try:
            await workflow.execute_activity(
                activities.beat_until_cancelled,
                start_to_close_timeout=timedelta(hours=1),
                # The SDK says nothing, and so hears of no cancellation, for four fifths of it.
                heartbeat_timeout=timedelta(seconds=3),
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
        except ActivityError as error:
            if not isinstance(error.cause, CancelledError):
                raise
        return await workflow.execute_activity(activities.greet, "clean-up", start_to_close_timeout=SOON)


@workflow.defn(name="coloured")
class Coloured:
    @workflow.run
    async def run(self) -> str:
        workflow.upsert_search_attributes([COLOUR.value_set("blue"), SIZE.value_unset()])
        workflow.upsert_memo({"note": "changed"})
        return str(workflow.info().typed_search_attributes.get(COLOUR))


@workflow.defn(name="patched")
class Patched:
    @workflow.run
    async def run(self) -> str:
        if workflow.patched("second-edition"):
            workflow.deprecate_patch("first-edition")
            return f"{await workflow.execute_activity(activities.greet, 'new', start_to_close_timeout=SOON)}"
        return "old"


@workflow.defn(name="failsOnce")
class FailsOnce:
    """Its own retry policy gives it a second run."""

    @workflow.run
    async def run(self) -> int:
        if workflow.info().attempt < 2:
            raise ApplicationError("not at the first attempt")
        return workflow.info().attempt


@workflow.defn(name="versioned", versioning_behavior=VersioningBehavior.PINNED)
class Versioned:
    @workflow.run
    async def run(self) -> str:
        said = await workflow.execute_activity(activities.greet, "version", start_to_close_timeout=SOON)
        version = workflow.info().get_current_deployment_version()
        return f"{said} {version.build_id if version else 'none'}"


@workflow.defn(name="journey")
class Journey:
    """Lives through a kill of the server: an activity is under way then, a timer and another activity come after it."""

    def __init__(self) -> None:
        self.on = False

    @workflow.run
    async def run(self) -> list[str]:
        before = await workflow.execute_activity(activities.greet, "before", start_to_close_timeout=SOON)
        during = await workflow.execute_activity(
            activities.over_the_kill, start_to_close_timeout=timedelta(minutes=5)
        )
        await workflow.wait_condition(lambda: self.on)
        await workflow.sleep(0.1)
        after = await workflow.execute_activity(activities.greet, "after", start_to_close_timeout=SOON)
        return [before, during, after]

    @workflow.signal(name="goOn")
    def go_on(self) -> None:
        self.on = True


ALL = [
    Hello,
    GreetElsewhere,
    Retried,
    Refused,
    Hung,
    Local,
    CompletedElsewhere,
    Counter,
    Waiter,
    Parent,
    Leaver,
    Caller,
    Again,
    Sleeper,
    Coloured,
    Patched,
    FailsOnce,
    Journey,
]
