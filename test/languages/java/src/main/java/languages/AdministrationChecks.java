package languages;

import static languages.World.equal;
import static languages.World.fails;
import static languages.World.until;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.temporal.api.enums.v1.EventType;
import io.temporal.api.enums.v1.IndexedValueType;
import io.temporal.api.enums.v1.ScheduleOverlapPolicy;
import io.temporal.api.operatorservice.v1.AddSearchAttributesRequest;
import io.temporal.api.workflowservice.v1.DescribeWorkerDeploymentRequest;
import io.temporal.api.workflowservice.v1.ListWorkersRequest;
import io.temporal.api.workflowservice.v1.ResetWorkflowExecutionRequest;
import io.temporal.api.workflowservice.v1.SetWorkerDeploymentCurrentVersionRequest;
import io.temporal.api.workflowservice.v1.WorkflowServiceGrpc.WorkflowServiceBlockingStub;
import io.temporal.client.ActivityClient;
import io.temporal.client.StartActivityOptions;
import io.temporal.client.WorkflowExecutionDescription;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.client.schedules.Schedule;
import io.temporal.client.schedules.ScheduleActionExecutionStartWorkflow;
import io.temporal.client.schedules.ScheduleActionStartWorkflow;
import io.temporal.client.schedules.ScheduleAlreadyRunningException;
import io.temporal.client.schedules.ScheduleBackfill;
import io.temporal.client.schedules.ScheduleCalendarSpec;
import io.temporal.client.schedules.ScheduleClient;
import io.temporal.client.schedules.ScheduleDescription;
import io.temporal.client.schedules.ScheduleException;
import io.temporal.client.schedules.ScheduleHandle;
import io.temporal.client.schedules.ScheduleIntervalSpec;
import io.temporal.client.schedules.ScheduleOptions;
import io.temporal.client.schedules.ScheduleRange;
import io.temporal.client.schedules.ScheduleSpec;
import io.temporal.client.schedules.ScheduleState;
import io.temporal.client.schedules.ScheduleUpdate;
import io.temporal.common.SearchAttributes;
import io.temporal.common.VersioningBehavior;
import io.temporal.common.WorkerDeploymentVersion;
import io.temporal.serviceclient.OperatorServiceStubs;
import io.temporal.serviceclient.OperatorServiceStubsOptions;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerDeploymentOptions;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerOptions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import languages.World.Named;

/** What operators and schedules do. */
final class AdministrationChecks {
  static final List<Named> ALL =
      List.of(
          new Named("schedules", AdministrationChecks::schedules),
          new Named("search", AdministrationChecks::search),
          new Named("versioning", AdministrationChecks::versioning),
          new Named("reset", AdministrationChecks::reset),
          new Named("standalone-activity", AdministrationChecks::standalone),
          new Named("workers", AdministrationChecks::workers));

  private AdministrationChecks() {}

  private static WorkflowServiceBlockingStub service(World w) {
    return w.client.getWorkflowServiceStubs().blockingStub();
  }

  private static void schedules(World w) throws Exception {
    String id = w.id();
    ScheduleClient client = ScheduleClient.newInstance(w.client.getWorkflowServiceStubs());
    ScheduleActionStartWorkflow action =
        ScheduleActionStartWorkflow.newBuilder()
            .setWorkflowType("hello")
            .setArguments("schedule")
            .setOptions(WorkflowOptions.newBuilder().setWorkflowId(id + "-run").setTaskQueue(w.queue).build())
            .build();
    ScheduleCalendarSpec someHours =
        ScheduleCalendarSpec.newBuilder()
            .setMonth(List.of(new ScheduleRange(1)))
            .setHour(List.of(new ScheduleRange(9, 17, 2)))
            .setComment("some hours in January")
            .build();
    ScheduleSpec spec =
        ScheduleSpec.newBuilder()
            .setCalendars(List.of(someHours))
            .setCronExpressions(List.of("30 4 * * 1-5"))
            .setTimeZoneName("Europe/Vienna")
            .build();
    ScheduleState state = ScheduleState.newBuilder().setNote("as made").build();
    Schedule schedule = Schedule.newBuilder().setAction(action).setSpec(spec).setState(state).build();
    ScheduleOptions options = ScheduleOptions.newBuilder().setMemo(Map.of("of", "the check")).build();
    ScheduleHandle handle = client.createSchedule(id, schedule, options);
    fails(ScheduleAlreadyRunningException.class, () -> client.createSchedule(id, schedule, options));

    handle.trigger(ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL);
    until(() -> !handle.describe().getInfo().getRecentActions().isEmpty());
    var first =
        (ScheduleActionExecutionStartWorkflow) handle.describe().getInfo().getRecentActions().get(0).getAction();
    equal(w.existing(first.getWorkflowId()).getResult(String.class), "Hello, schedule!");

    handle.pause("for now");
    ScheduleDescription described = handle.describe();
    equal(described.getSchedule().getState().isPaused(), true);
    equal(described.getSchedule().getState().getNote(), "for now");
    equal(described.getSchedule().getSpec().getTimeZoneName(), "Europe/Vienna");
    equal(described.getSchedule().getSpec().getCalendars().size(), 2);
    equal(described.getMemo("of", String.class), "the check");
    equal(described.getInfo().getNextActionTimes().size(), 10);
    handle.unpause("again");
    List<ScheduleIntervalSpec> hourly = List.of(new ScheduleIntervalSpec(Duration.ofHours(1)));
    handle.update(
        seen -> {
          ScheduleSpec changed = ScheduleSpec.newBuilder().setIntervals(hourly).build();
          return new ScheduleUpdate(Schedule.newBuilder(seen.getDescription().getSchedule()).setSpec(changed).build());
        });
    equal(handle.describe().getSchedule().getSpec().getIntervals().get(0).getEvery(), Duration.ofHours(1));
    Instant day = Instant.parse("2020-01-01T00:00:00Z");
    var allowAll = ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL;
    handle.backfill(List.of(new ScheduleBackfill(day, day.plus(Duration.ofHours(2)), allowAll)));
    until(() -> handle.describe().getInfo().getNumActions() >= 3);
    until(() -> client.listSchedules().anyMatch(entry -> entry.getScheduleId().equals(id)));
    handle.delete();
    var gone = fails(StatusRuntimeException.class, handle::describe);
    equal(gone.getStatus().getCode(), Status.Code.NOT_FOUND);
    fails(ScheduleException.class, handle::describe);
  }

  private static void search(World w) throws Exception {
    var channel = w.client.getWorkflowServiceStubs().getRawChannel();
    var operator =
        OperatorServiceStubs.newServiceStubs(
            OperatorServiceStubsOptions.newBuilder().setChannel(channel).validateAndBuildWithDefaults());
    operator
        .blockingStub()
        .addSearchAttributes(
            AddSearchAttributesRequest.newBuilder()
                .setNamespace("default")
                .putSearchAttributes(Workflows.COLOUR.getName(), IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD)
                .putSearchAttributes(Workflows.SIZE.getName(), IndexedValueType.INDEXED_VALUE_TYPE_INT)
                .build());
    SearchAttributes attributes =
        SearchAttributes.newBuilder().set(Workflows.COLOUR, "red").set(Workflows.SIZE, 4L).build();
    WorkflowStub run =
        w.startWith(
            options ->
                options
                    .setTypedSearchAttributes(attributes)
                    .setMemo(Map.of("note", "as started", "kept", List.of(1, 2)))
                    .setStaticSummary("a summary")
                    .setStaticDetails("details"),
            "coloured");
    equal(run.getResult(String.class), "blue");
    WorkflowExecutionDescription described = run.describe();
    equal(described.getTypedSearchAttributes().get(Workflows.COLOUR), "blue");
    equal(described.getTypedSearchAttributes().containsKey(Workflows.SIZE), false);
    equal(described.getMemo("note", String.class), "changed");
    equal(described.getMemo("kept", List.class), List.of(1, 2));
    equal(described.getStaticSummary(), "a summary");
    equal(described.getStaticDetails(), "details");
    String query = "LanguagesColour = 'blue' AND WorkflowId = '" + run.getExecution().getWorkflowId() + "'";
    until(() -> w.client.listExecutions(query).count() == 1);
    equal(w.client.countWorkflows(query).getCount(), 1L);
    var bad = fails(StatusRuntimeException.class, () -> w.client.countWorkflows("NoSuch = 1"));
    equal(bad.getStatus().getCode(), Status.Code.INVALID_ARGUMENT);
  }

  private static void versioning(World w) throws Exception {
    String name = w.id();
    String queue = w.queue + "-versioned";
    WorkerFactory one = serve(w, queue, name, "one");
    WorkerFactory two = serve(w, queue, name, "two");
    try {
      for (String buildId : List.of("one", "two")) {
        until(() -> knows(w, name, buildId));
        service(w)
            .setWorkerDeploymentCurrentVersion(
                SetWorkerDeploymentCurrentVersionRequest.newBuilder()
                    .setNamespace("default")
                    .setDeploymentName(name)
                    .setBuildId(buildId)
                    .build());
        WorkflowStub run = w.startWith(options -> options.setTaskQueue(queue), "versioned");
        equal(run.getResult(String.class), "Hello, version!");
        for (var completed : w.events(run, EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)) {
          var by = completed.getWorkflowTaskCompletedEventAttributes().getDeploymentVersion();
          equal(by.getBuildId(), buildId);
        }
      }
      WorkflowStub upgraded = w.startWith(options -> options.setTaskQueue(queue), "waiter");
      upgraded.signal("say", "upgraded");
      equal(upgraded.getResult(String.class), "upgraded");
    } finally {
      for (WorkerFactory factory : List.of(one, two)) {
        factory.shutdown();
        factory.awaitTermination(20, TimeUnit.SECONDS);
      }
    }
  }

  private static boolean knows(World w, String deployment, String buildId) {
    try {
      return service(w)
          .describeWorkerDeployment(
              DescribeWorkerDeploymentRequest.newBuilder().setNamespace("default").setDeploymentName(deployment).build())
          .getWorkerDeploymentInfo()
          .getVersionSummariesList()
          .stream()
          .anyMatch(summary -> summary.getDeploymentVersion().getBuildId().equals(buildId));
    } catch (StatusRuntimeException error) {
      if (error.getStatus().getCode() == Status.Code.NOT_FOUND) return false;
      throw error;
    }
  }

  private static WorkerFactory serve(World w, String queue, String deployment, String buildId) {
    WorkerDeploymentOptions version =
        WorkerDeploymentOptions.newBuilder()
            .setUseVersioning(true)
            .setVersion(new WorkerDeploymentVersion(deployment, buildId))
            .setDefaultVersioningBehavior(VersioningBehavior.AUTO_UPGRADE)
            .build();
    WorkerFactory factory = WorkerFactory.newInstance(w.client);
    Worker worker = factory.newWorker(queue, WorkerOptions.newBuilder().setDeploymentOptions(version).build());
    worker.registerWorkflowImplementationTypes(Workflows.VersionedWorkflow.class, Workflows.WaiterWorkflow.class);
    worker.registerActivitiesImplementations(new Activities.Implementation());
    factory.start();
    return factory;
  }

  private static void reset(World w) {
    WorkflowStub run = w.start("hello", "reset");
    run.getResult(String.class);
    var answer =
        service(w)
            .resetWorkflowExecution(
                ResetWorkflowExecutionRequest.newBuilder()
                    .setNamespace("default")
                    .setWorkflowExecution(run.getExecution())
                    .setReason("check")
                    .setRequestId(w.id())
                    .setWorkflowTaskFinishEventId(4)
                    .build());
    var again = run.getExecution().toBuilder().setRunId(answer.getRunId()).build();
    equal(w.client.newUntypedWorkflowStub(again, run.getWorkflowType()).getResult(String.class), "Hello, reset!");
  }

  private static void standalone(World w) {
    StartActivityOptions options =
        StartActivityOptions.newBuilder()
            .setId(w.id())
            .setTaskQueue(w.queue)
            .setStartToCloseTimeout(Workflows.SOON)
            .setRetryOptions(Workflows.QUICK_RETRY)
            .build();
    ActivityClient activities = ActivityClient.newInstance(w.client.getWorkflowServiceStubs());
    equal(activities.execute("flaky", Integer.class, options, 2), 2);
  }

  /** The worker says that it is there, as {@code temporal worker list} shows it. */
  private static void workers(World w) throws Exception {
    var request =
        ListWorkersRequest.newBuilder().setNamespace("default").setQuery("TaskQueue = '" + w.queue + "'").build();
    until(
        () -> {
          var answer = service(w).listWorkers(request);
          return answer.getWorkersInfoCount() + answer.getWorkersCount() > 0;
        });
  }
}
