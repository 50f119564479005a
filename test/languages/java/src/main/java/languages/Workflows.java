package languages;

import io.temporal.activity.ActivityCancellationType;
import io.temporal.activity.ActivityOptions;
import io.temporal.activity.LocalActivityOptions;
import io.temporal.api.enums.v1.ParentClosePolicy;
import io.temporal.common.RetryOptions;
import io.temporal.common.SearchAttributeKey;
import io.temporal.common.VersioningBehavior;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.ChildWorkflowFailure;
import io.temporal.failure.TimeoutFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.ChildWorkflowOptions;
import io.temporal.workflow.Promise;
import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.UpdateMethod;
import io.temporal.workflow.UpdateValidatorMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import io.temporal.workflow.WorkflowVersioningBehavior;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Workflows of the Java program: what users of Temporal's Java SDK write every day. */
public final class Workflows {
  static final Duration SOON = Duration.ofSeconds(20);
  static final RetryOptions QUICK_RETRY =
      RetryOptions.newBuilder().setInitialInterval(Duration.ofMillis(20)).build();
  static final SearchAttributeKey<String> COLOUR = SearchAttributeKey.forKeyword("LanguagesColour");
  static final SearchAttributeKey<Long> SIZE = SearchAttributeKey.forLong("LanguagesSize");

  /** Those that the worker of every check knows. */
  static final Class<?>[] ALL = {
    HelloWorkflow.class, GreetElsewhereWorkflow.class, RetriedWorkflow.class, RefusedWorkflow.class, HungWorkflow.class,
    LocalWorkflow.class, CompletedElsewhereWorkflow.class, CounterWorkflow.class, WaiterWorkflow.class, ParentWorkflow.class,
    LeaverWorkflow.class, CallerWorkflow.class, AgainWorkflow.class, SleeperWorkflow.class, ColouredWorkflow.class,
    PatchedWorkflow.class, FailsOnceWorkflow.class, JourneyWorkflow.class,
  };

  private Workflows() {}

  private static ActivityOptions.Builder options() {
    return ActivityOptions.newBuilder().setStartToCloseTimeout(SOON).setRetryOptions(QUICK_RETRY);
  }

  private static Activities activities() {
    return Workflow.newActivityStub(Activities.class, options().build());
  }

  @WorkflowInterface
  public interface Hello {
    @WorkflowMethod(name = "hello")
    String run(String name);
  }

  public static final class HelloWorkflow implements Hello {
    @Override
    public String run(String name) {
      return activities().greet(name);
    }
  }

  @WorkflowInterface
  public interface GreetElsewhere {
    /** Its activity is of a worker that this program knows nothing of. */
    @WorkflowMethod(name = "greetElsewhere")
    String run(String name, String queue);
  }

  public static final class GreetElsewhereWorkflow implements GreetElsewhere {
    @Override
    public String run(String name, String queue) {
      return Workflow.newUntypedActivityStub(options().setTaskQueue(queue).build()).execute("greet", String.class, name);
    }
  }

  @WorkflowInterface
  public interface Retried {
    @WorkflowMethod(name = "retried")
    List<Integer> run();
  }

  public static final class RetriedWorkflow implements Retried {
    @Override
    public List<Integer> run() {
      return List.of(activities().flaky(3), activities().remember(5));
    }
  }

  @WorkflowInterface
  public interface Refused {
    @WorkflowMethod(name = "refused")
    void run();
  }

  public static final class RefusedWorkflow implements Refused {
    @Override
    public void run() {
      activities().refuse("Refused");
    }
  }

  @WorkflowInterface
  public interface Hung {
    /** An activity that says nothing is given up by its heartbeat timeout. */
    @WorkflowMethod(name = "hung")
    String run();
  }

  public static final class HungWorkflow implements Hung {
    @Override
    public String run() {
      RetryOptions once = RetryOptions.newBuilder().setMaximumAttempts(1).build();
      ActivityOptions options = options().setHeartbeatTimeout(Duration.ofMillis(300)).setRetryOptions(once).build();
      try {
        Workflow.newActivityStub(Activities.class, options).hang();
      } catch (ActivityFailure failure) {
        if (failure.getCause() instanceof TimeoutFailure timeout) return timeout.getTimeoutType().name();
        throw failure;
      }
      return "it came back";
    }
  }

  @WorkflowInterface
  public interface Local {
    @WorkflowMethod(name = "local")
    List<String> run();
  }

  public static final class LocalWorkflow implements Local {
    @Override
    public List<String> run() {
      LocalActivityOptions options =
          LocalActivityOptions.newBuilder()
              .setStartToCloseTimeout(SOON)
              // Without an end in sight this SDK tries a local activity once.
              .setScheduleToCloseTimeout(SOON)
              .setRetryOptions(QUICK_RETRY)
              .build();
      Activities local = Workflow.newLocalActivityStub(Activities.class, options);
      return List.of(local.greet("local"), String.valueOf(local.flaky(3)));
    }
  }

  @WorkflowInterface
  public interface CompletedElsewhere {
    @WorkflowMethod(name = "completedElsewhere")
    String run(String name);
  }

  public static final class CompletedElsewhereWorkflow implements CompletedElsewhere {
    @Override
    public String run(String name) {
      return activities().elsewhere(name);
    }
  }

  @WorkflowInterface
  public interface Counter {
    /** Adds what it is signalled and what it is updated with, until it is told to finish. */
    @WorkflowMethod(name = "counter")
    int run();

    @SignalMethod(name = "add")
    void add(int n);

    @SignalMethod(name = "finish")
    void finish();

    @QueryMethod(name = "sum")
    int sum();

    @UpdateMethod(name = "addUpdate")
    int addUpdate(int n);

    @UpdateValidatorMethod(updateName = "addUpdate")
    void notNegative(int n);

    /** Between its acceptance and its end there is an activity and a timer. */
    @UpdateMethod(name = "addSlowly")
    String addSlowly(int n);

    @UpdateMethod(name = "failing")
    void failing();
  }

  public static final class CounterWorkflow implements Counter {
    private int total = 0;
    private boolean done = false;

    @Override
    public int run() {
      Workflow.await(() -> done && Workflow.isEveryHandlerFinished());
      return total;
    }

    @Override
    public void add(int n) {
      total += n;
    }

    @Override
    public void finish() {
      done = true;
    }

    @Override
    public int sum() {
      return total;
    }

    @Override
    public int addUpdate(int n) {
      total += n;
      return total;
    }

    @Override
    public void notNegative(int n) {
      if (n < 0) throw ApplicationFailure.newFailure("only what is not negative", "Negative");
    }

    @Override
    public String addSlowly(int n) {
      String said = activities().greet("slow");
      Workflow.sleep(Duration.ofMillis(50));
      total += n;
      return said;
    }

    @Override
    public void failing() {
      throw ApplicationFailure.newFailure("accepted, and then it failed", "Failed");
    }
  }

  @WorkflowInterface
  public interface Waiter {
    /** Waits for a signal. A workflow of this SDK that was cancelled ends as cancelled, whatever it returns. */
    @WorkflowMethod(name = "waiter")
    String run();

    @SignalMethod(name = "say")
    void say(String word);
  }

  public static final class WaiterWorkflow implements Waiter {
    private String word;

    @Override
    public String run() {
      Workflow.await(() -> word != null);
      return word;
    }

    @Override
    public void say(String word) {
      this.word = word;
    }
  }

  private static ChildWorkflowOptions.Builder child(String name) {
    return ChildWorkflowOptions.newBuilder().setWorkflowId(Workflow.getInfo().getWorkflowId() + "/" + name);
  }

  @WorkflowInterface
  public interface Parent {
    /** A child that succeeds, one that fails, one that is signalled and one that is cancelled. */
    @WorkflowMethod(name = "parent")
    List<String> run();
  }

  public static final class ParentWorkflow implements Parent {
    @Override
    public List<String> run() {
      List<String> said = new ArrayList<>();
      said.add(Workflow.newChildWorkflowStub(Hello.class, child("hello").build()).run("child"));
      try {
        Workflow.newChildWorkflowStub(Refused.class, child("refused").build()).run();
      } catch (ChildWorkflowFailure failure) {
        said.add(((ApplicationFailure) failure.getCause().getCause()).getType());
      }
      Waiter signalled = Workflow.newChildWorkflowStub(Waiter.class, child("signalled").build());
      Promise<String> heard = Async.function(signalled::run);
      Workflow.getWorkflowExecution(signalled).get();
      signalled.say("heard");
      said.add(heard.get());
      Waiter cancelled = Workflow.newChildWorkflowStub(Waiter.class, child("cancelled").build());
      List<Promise<String>> over = new ArrayList<>();
      CancellationScope scope = Workflow.newCancellationScope(() -> over.add(Async.function(cancelled::run)));
      scope.run();
      Workflow.getWorkflowExecution(cancelled).get();
      scope.cancel();
      try {
        said.add(over.get(0).get());
      } catch (ChildWorkflowFailure failure) {
        if (failure.getCause() instanceof CanceledFailure) said.add("cancelled");
      }
      return said;
    }
  }

  @WorkflowInterface
  public interface Leaver {
    /** Ends while its children are still at work: one for each policy. */
    @WorkflowMethod(name = "leaver")
    void run();
  }

  public static final class LeaverWorkflow implements Leaver {
    @Override
    public void run() {
      leave("TERMINATE", ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE);
      leave("ABANDON", ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON);
      leave("REQUEST_CANCEL", ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL);
    }

    private static void leave(String name, ParentClosePolicy policy) {
      Waiter left = Workflow.newChildWorkflowStub(Waiter.class, child(name).setParentClosePolicy(policy).build());
      Async.function(left::run);
      Workflow.getWorkflowExecution(left).get();
    }
  }

  @WorkflowInterface
  public interface Caller {
    /** Signals one workflow that is no child of it, cancels another one, and meets a third that is not there. */
    @WorkflowMethod(name = "caller")
    String run(String signalled, String cancelled);
  }

  public static final class CallerWorkflow implements Caller {
    @Override
    public String run(String signalled, String cancelled) {
      Workflow.newUntypedExternalWorkflowStub(signalled).signal("say", "from afar");
      Workflow.newUntypedExternalWorkflowStub(cancelled).cancel();
      try {
        Workflow.newUntypedExternalWorkflowStub("nobody").signal("say", "?");
      } catch (ApplicationFailure failure) {
        return failure.getType();
      }
      return "somebody was there";
    }
  }

  @WorkflowInterface
  public interface Again {
    @WorkflowMethod(name = "again")
    List<String> run(int times, List<String> seen);
  }

  public static final class AgainWorkflow implements Again {
    @Override
    public List<String> run(int times, List<String> seen) {
      List<String> all = new ArrayList<>(seen);
      all.add(Workflow.getInfo().getRunId());
      if (times > 0) Workflow.continueAsNew(times - 1, all);
      return all;
    }
  }

  @WorkflowInterface
  public interface Sleeper {
    /** A timer that ends, one that is cancelled, and clean-up when it is cancelled itself. */
    @WorkflowMethod(name = "sleeper")
    void run();
  }

  public static final class SleeperWorkflow implements Sleeper {
    @Override
    public void run() {
      CancellationScope timer = Workflow.newCancellationScope(() -> Workflow.newTimer(Duration.ofHours(1)));
      timer.run();
      Workflow.sleep(Duration.ofMillis(50));
      timer.cancel();
      ActivityOptions options =
          options()
              .setStartToCloseTimeout(Duration.ofHours(1))
              .setHeartbeatTimeout(Duration.ofSeconds(3))
              .setCancellationType(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
              .build();
      try {
        Workflow.newActivityStub(Activities.class, options).beatUntilCancelled();
      } catch (ActivityFailure failure) {
        if (failure.getCause() instanceof CanceledFailure) {
          Workflow.newDetachedCancellationScope(() -> activities().greet("clean-up")).run();
        }
        throw failure;
      }
    }
  }

  @WorkflowInterface
  public interface Coloured {
    @WorkflowMethod(name = "coloured")
    String run();
  }

  public static final class ColouredWorkflow implements Coloured {
    @Override
    public String run() {
      Workflow.upsertTypedSearchAttributes(COLOUR.valueSet("blue"), SIZE.valueUnset());
      Workflow.upsertMemo(Map.of("note", "changed"));
      return Workflow.getTypedSearchAttributes().get(COLOUR);
    }
  }

  @WorkflowInterface
  public interface Patched {
    /** The markers of versions and side effects. */
    @WorkflowMethod(name = "patched")
    String run();
  }

  public static final class PatchedWorkflow implements Patched {
    @Override
    public String run() {
      if (Workflow.getVersion("second-edition", Workflow.DEFAULT_VERSION, 2) != 2) return "old";
      Workflow.sideEffect(Integer.class, () -> 4);
      Workflow.mutableSideEffect("setting", Integer.class, (a, b) -> !a.equals(b), () -> 5);
      return activities().greet("new");
    }
  }

  @WorkflowInterface
  public interface FailsOnce {
    /** Its own retry policy gives it a second run. */
    @WorkflowMethod(name = "failsOnce")
    int run();
  }

  public static final class FailsOnceWorkflow implements FailsOnce {
    @Override
    public int run() {
      int attempt = Workflow.getInfo().getAttempt();
      if (attempt < 2) throw ApplicationFailure.newFailure("not at the first attempt", "Early");
      return attempt;
    }
  }

  @WorkflowInterface
  public interface Versioned {
    @WorkflowMethod(name = "versioned")
    String run();
  }

  public static final class VersionedWorkflow implements Versioned {
    @Override
    @WorkflowVersioningBehavior(VersioningBehavior.PINNED)
    public String run() {
      return activities().greet("version");
    }
  }

  @WorkflowInterface
  public interface Journey {
    /** Lives through a kill of the server: an activity is under way then, a timer and another activity come after it. */
    @WorkflowMethod(name = "journey")
    List<String> run();

    @SignalMethod(name = "goOn")
    void goOn();
  }

  public static final class JourneyWorkflow implements Journey {
    private boolean on = false;

    @Override
    public List<String> run() {
      String before = activities().greet("before");
      ActivityOptions patient = options().setStartToCloseTimeout(Duration.ofMinutes(5)).build();
      String during = Workflow.newActivityStub(Activities.class, patient).overTheKill();
      Workflow.await(() -> on);
      Workflow.sleep(Duration.ofMillis(100));
      return List.of(before, during, activities().greet("after"));
    }

    @Override
    public void goOn() {
      on = true;
    }
  }
}
