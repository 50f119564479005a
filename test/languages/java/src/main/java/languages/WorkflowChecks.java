package languages;

import static languages.World.equal;
import static languages.World.fails;
import static languages.World.isTrue;
import static languages.World.until;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.temporal.api.enums.v1.EventType;
import io.temporal.api.enums.v1.WorkflowExecutionStatus;
import io.temporal.api.enums.v1.WorkflowIdConflictPolicy;
import io.temporal.api.enums.v1.WorkflowIdReusePolicy;
import io.temporal.client.ActivityNotExistsException;
import io.temporal.client.UpdateOptions;
import io.temporal.client.WorkflowExecutionAlreadyStarted;
import io.temporal.client.WorkflowNotFoundException;
import io.temporal.client.WorkflowQueryException;
import io.temporal.client.WorkflowStub;
import io.temporal.client.WorkflowUpdateException;
import io.temporal.client.WorkflowUpdateHandle;
import io.temporal.client.WorkflowUpdateStage;
import io.temporal.common.RetryOptions;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TerminatedFailure;
import io.temporal.failure.TimeoutFailure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import languages.World.Named;

/** What workflows do. */
final class WorkflowChecks {
  static final List<Named> ALL =
      List.of(
          new Named("hello", WorkflowChecks::hello),
          new Named("activities", WorkflowChecks::activities),
          new Named("local-activities", WorkflowChecks::local),
          new Named("async-completion", WorkflowChecks::async),
          new Named("signals-queries", WorkflowChecks::signals),
          new Named("updates", WorkflowChecks::updates),
          new Named("update-with-start", WorkflowChecks::updateWithStart),
          new Named("children", WorkflowChecks::children),
          new Named("parent-close", WorkflowChecks::parentClose),
          new Named("external", WorkflowChecks::external),
          new Named("continue-as-new", WorkflowChecks::again),
          new Named("timers-cancellation", WorkflowChecks::cancellation),
          new Named("ends", WorkflowChecks::ends),
          new Named("ids", WorkflowChecks::ids),
          new Named("eager-start", WorkflowChecks::eager),
          new Named("patches", WorkflowChecks::patches));

  private WorkflowChecks() {}

  private static void hello(World w) {
    equal(w.execute("hello", "World"), "Hello, World!");
    List<WorkflowStub> many = IntStream.range(0, 20).mapToObj(n -> w.start("hello", String.valueOf(n))).toList();
    for (int n = 0; n < 20; n += 1) equal(many.get(n).getResult(String.class), "Hello, " + n + "!");
  }

  private static void activities(World w) {
    equal(w.start("retried").getResult(List.class), List.of(3, 5));
    equal(w.execute("hung"), "TIMEOUT_TYPE_HEARTBEAT");
    WorkflowStub refused = w.start("refused");
    fails(ActivityFailure.class, () -> refused.getResult(Void.class));
    ApplicationFailure failure = fails(ApplicationFailure.class, () -> refused.getResult(Void.class));
    equal(failure.getType(), "Refused");
    equal(failure.isNonRetryable(), true);
    equal(failure.getDetails().get(0, Integer.class), 7);
  }

  private static void local(World w) {
    equal(w.start("local").getResult(List.class), List.of("Hello, local!", "3"));
  }

  private static void async(World w) throws Exception {
    WorkflowStub run = w.start("completedElsewhere", "by-token");
    until(() -> Activities.Implementation.tokens.containsKey("by-token"));
    byte[] token = Activities.Implementation.tokens.get("by-token");
    var completion = w.client.newActivityCompletionClient();
    completion.heartbeat(token, "alive");
    completion.complete(token, "from outside");
    equal(run.getResult(String.class), "from outside");
    fails(
        ActivityNotExistsException.class,
        () -> {
          completion.complete(token, "twice");
          return "it was completed twice";
        });
  }

  private static void signals(World w) {
    WorkflowStub run = w.start("counter");
    for (int n = 1; n < 6; n += 1) run.signal("add", n);
    equal(run.query("sum", Integer.class), 15);
    fails(WorkflowQueryException.class, () -> run.query("nothing", Integer.class));
    run.signal("finish");
    equal(run.getResult(Integer.class), 15);
    equal(run.query("sum", Integer.class), 15);
    WorkflowStub started = w.stub("counter", options -> options);
    started.signalWithStart("add", new Object[] {4}, new Object[] {});
    equal(started.query("sum", Integer.class), 4);
    started.signal("finish");
    equal(started.getResult(Integer.class), 4);
  }

  private static void updates(World w) {
    WorkflowStub run = w.start("counter");
    equal(run.update("addUpdate", Integer.class, 3), 3);
    fails(WorkflowUpdateException.class, () -> run.update("addUpdate", Integer.class, -1));
    equal(
        fails(ApplicationFailure.class, () -> run.update("addUpdate", Integer.class, -1)).getOriginalMessage(),
        "only what is not negative");
    equal(fails(ApplicationFailure.class, () -> run.update("failing", Void.class)).getType(), "Failed");
    fails(WorkflowUpdateException.class, () -> run.update("nothing", Void.class));
    UpdateOptions<String> slow =
        UpdateOptions.newBuilder(String.class)
            .setUpdateName("addSlowly")
            .setUpdateId("slow")
            .setWaitForStage(WorkflowUpdateStage.ACCEPTED)
            .build();
    // The same id is the same update.
    for (int n = 0; n < 2; n += 1) equal(run.startUpdate(slow, 2).getResult(), "Hello, slow!");
    List<WorkflowUpdateHandle<Integer>> many = new ArrayList<>();
    for (int n = 0; n < 10; n += 1) {
      many.add(run.startUpdate("addUpdate", WorkflowUpdateStage.ACCEPTED, Integer.class, 1));
    }
    equal(many.stream().map(WorkflowUpdateHandle::getResult).sorted().toList(), IntStream.range(6, 16).boxed().toList());
    run.signal("finish");
    equal(run.getResult(Integer.class), 15);
    // What a validator refused is in no history.
    equal(w.events(run, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED).size(), 13);
    fails(WorkflowNotFoundException.class, () -> run.update("addUpdate", Integer.class, 1));
  }

  private static void updateWithStart(World w) {
    String id = w.id();
    var useExisting = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING;
    var fail = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL;
    equal(add(w, id, useExisting, 2), 2);
    equal(add(w, id, useExisting, 2), 4);
    // This SDK keeps of such an error no more than its status.
    var started = fails(StatusRuntimeException.class, () -> add(w, id, fail, 1));
    equal(started.getStatus().getCode(), Status.Code.ALREADY_EXISTS);
    fails(WorkflowUpdateException.class, () -> add(w, id, useExisting, -1));
    w.existing(id).signal("finish");
    equal(w.existing(id).getResult(Integer.class), 4);
  }

  private static int add(World w, String id, WorkflowIdConflictPolicy policy, int n) {
    UpdateOptions<Integer> update =
        UpdateOptions.newBuilder(Integer.class)
            .setUpdateName("addUpdate")
            .setWaitForStage(WorkflowUpdateStage.COMPLETED)
            .build();
    WorkflowStub stub = w.stub("counter", options -> options.setWorkflowId(id).setWorkflowIdConflictPolicy(policy));
    return stub.executeUpdateWithStart(update, new Object[] {n}, new Object[] {});
  }

  private static void children(World w) {
    List<String> expected = List.of("Hello, child!", "Refused", "heard", "cancelled");
    equal(w.start("parent").getResult(List.class), expected);
  }

  private static void parentClose(World w) {
    WorkflowStub run = w.start("leaver");
    run.getResult(Void.class);
    String id = run.getExecution().getWorkflowId();
    fails(TerminatedFailure.class, () -> w.existing(id + "/TERMINATE").getResult(String.class));
    fails(CanceledFailure.class, () -> w.existing(id + "/REQUEST_CANCEL").getResult(String.class));
    WorkflowStub left = w.existing(id + "/ABANDON");
    equal(left.describe().getStatus(), WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING);
    left.signal("say", "still here");
    equal(left.getResult(String.class), "still here");
  }

  private static void external(World w) {
    WorkflowStub signalled = w.start("waiter");
    WorkflowStub cancelled = w.start("waiter");
    String said = w.execute("caller", signalled.getExecution().getWorkflowId(), cancelled.getExecution().getWorkflowId());
    equal(said, "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND");
    equal(signalled.getResult(String.class), "from afar");
    fails(CanceledFailure.class, () -> cancelled.getResult(String.class));
  }

  private static void again(World w) {
    WorkflowStub run = w.start("again", 3, List.of());
    List<?> runs = run.getResult(List.class);
    equal(runs.stream().distinct().count(), 4L);
    equal(runs.get(0), run.getExecution().getRunId());
    equal(
        w.client.newUntypedWorkflowStub(run.getExecution(), run.getWorkflowType()).describe().getStatus(),
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW);
  }

  private static void cancellation(World w) throws Exception {
    WorkflowStub run = w.start("sleeper");
    until(() -> run.describe().getRawDescription().getPendingActivitiesCount() > 0);
    run.cancel();
    fails(CanceledFailure.class, () -> run.getResult(Void.class));
    equal(w.events(run, EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED).size(), 1);
    equal(w.events(run, EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED).size(), 1);
    WorkflowStub later = w.startWith(options -> options.setStartDelay(Duration.ofMillis(300)), "hello", "later");
    equal(later.getResult(String.class), "Hello, later!");
  }

  private static void ends(World w) {
    WorkflowStub terminated = w.start("waiter");
    terminated.terminate("check", "enough");
    fails(TerminatedFailure.class, () -> terminated.getResult(String.class));
    WorkflowStub late = w.startWith(options -> options.setWorkflowRunTimeout(Duration.ofSeconds(1)), "waiter");
    fails(TimeoutFailure.class, () -> late.getResult(String.class));
    RetryOptions retry =
        RetryOptions.newBuilder().setInitialInterval(Duration.ofMillis(20)).setMaximumAttempts(3).build();
    equal(w.startWith(options -> options.setRetryOptions(retry), "failsOnce").getResult(Integer.class), 2);
  }

  private static void ids(World w) {
    WorkflowStub run = w.start("waiter");
    String id = run.getExecution().getWorkflowId();
    fails(WorkflowExecutionAlreadyStarted.class, () -> w.startWith(options -> options.setWorkflowId(id), "waiter"));
    WorkflowStub existing = withPolicy(w, id, WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
    equal(existing.getExecution().getRunId(), run.getExecution().getRunId());
    WorkflowStub replaced = withPolicy(w, id, WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
    isTrue(!replaced.getExecution().getRunId().equals(run.getExecution().getRunId()), "the run was not replaced");
    replaced.signal("say", "over");
    equal(replaced.getResult(String.class), "over");
    var reject = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE;
    fails(
        WorkflowExecutionAlreadyStarted.class,
        () -> w.startWith(options -> options.setWorkflowId(id).setWorkflowIdReusePolicy(reject), "waiter"));
    fails(WorkflowNotFoundException.class, () -> w.existing("nobody").describe());
    var missing = fails(StatusRuntimeException.class, () -> w.existing("nobody").describe());
    equal(missing.getStatus().getCode(), Status.Code.NOT_FOUND);
  }

  private static WorkflowStub withPolicy(World w, String id, WorkflowIdConflictPolicy policy) {
    return w.startWith(options -> options.setWorkflowId(id).setWorkflowIdConflictPolicy(policy), "waiter");
  }

  private static void eager(World w) {
    WorkflowStub run = w.startWith(options -> options.setDisableEagerExecution(false), "hello", "eager");
    equal(run.getResult(String.class), "Hello, eager!");
    var started = w.events(run, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED).get(0);
    boolean accepted = started.getWorkflowExecutionStartedEventAttributes().getEagerExecutionAccepted();
    isTrue(accepted, "the server did not give the first task with its answer");
  }

  private static void patches(World w) {
    WorkflowStub run = w.start("patched");
    equal(run.getResult(String.class), "Hello, new!");
    equal(w.events(run, EventType.EVENT_TYPE_MARKER_RECORDED).size(), 3);
  }
}
