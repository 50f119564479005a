package languages;

import io.temporal.api.enums.v1.EventType;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/** A client, the queue its worker serves, and ids that nobody else uses; and what all checks ask. */
final class World {
  private static final long POLL_EVERY_MS = 50;
  private static final long PATIENCE_MS = 60_000;

  final WorkflowClient client;
  final String queue;
  final String nativeQueue;
  final List<WorkflowStub> started = new ArrayList<>();
  private final BufferedReader runner = new BufferedReader(new InputStreamReader(System.in));
  private int ids = 0;

  World(WorkflowClient client, String queue, String nativeQueue) {
    this.client = client;
    this.queue = queue;
    this.nativeQueue = nativeQueue;
  }

  /** One check. What it throws is what is not as it must be. */
  interface Check {
    void run(World world) throws Exception;
  }

  record Named(String name, Check check) {}

  String id() {
    ids += 1;
    return queue + "-" + ids;
  }

  /** A workflow of this type on the worker's queue that is not started yet. */
  WorkflowStub stub(String type, UnaryOperator<WorkflowOptions.Builder> change) {
    WorkflowOptions.Builder options = WorkflowOptions.newBuilder().setWorkflowId(id()).setTaskQueue(queue);
    return client.newUntypedWorkflowStub(type, change.apply(options).build());
  }

  WorkflowStub startWith(UnaryOperator<WorkflowOptions.Builder> change, String type, Object... args) {
    WorkflowStub stub = stub(type, change);
    stub.start(args);
    started.add(stub);
    return stub;
  }

  WorkflowStub start(String type, Object... args) {
    return startWith(UnaryOperator.identity(), type, args);
  }

  String execute(String type, Object... args) {
    return start(type, args).getResult(String.class);
  }

  /** The current run of this workflow. */
  WorkflowStub existing(String id) {
    return client.newUntypedWorkflowStub(id, Optional.empty(), Optional.empty());
  }

  List<HistoryEvent> events(WorkflowStub stub, EventType ofType) {
    var execution = stub.getExecution();
    return client.fetchHistory(execution.getWorkflowId(), execution.getRunId()).getEvents().stream()
        .filter(event -> event.getEventType() == ofType)
        .toList();
  }

  /** Waits until the runner says this word. */
  void told(String word) throws IOException {
    equal(runner.readLine(), word);
  }

  /** Runs the checks one after the other, a line for each. Returns how many failed. */
  int report(List<Named> checks) {
    int failed = 0;
    for (Named named : checks) {
      long since = System.nanoTime();
      try {
        named.check().run(this);
        say("ok " + named.name() + " " + (System.nanoTime() - since) / 1_000_000 + " ms");
      } catch (Throwable error) {
        failed += 1;
        say("failed " + named.name() + ": " + describe(error));
      }
    }
    return failed;
  }

  static void say(String line) {
    System.out.println(line.replace("\n", " | "));
    System.out.flush();
  }

  /** The error with its causes, and the line of a check where it came up. */
  private static String describe(Throwable error) {
    StringBuilder text = new StringBuilder();
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      text.append(text.isEmpty() ? "" : " ← ").append(cause);
    }
    for (StackTraceElement frame : error.getStackTrace()) {
      if (!frame.getClassName().endsWith("Checks")) continue;
      return text.append(" (line ").append(frame.getLineNumber()).append(" of ").append(frame.getFileName()).append(")").toString();
    }
    return text.toString();
  }

  static void equal(Object found, Object expected) {
    if (!Objects.equals(found, expected)) throw new AssertionError("expected " + expected + ", found " + found);
  }

  static void isTrue(boolean holds, String otherwise) {
    if (!holds) throw new AssertionError(otherwise);
  }

  interface Call {
    Object run() throws Exception;
  }

  /** What the call throws: it, or one of its causes, must be of this type. */
  static <E extends Throwable> E fails(Class<E> kind, Call call) {
    Object result;
    try {
      result = call.run();
    } catch (Throwable error) {
      for (Throwable cause = error; cause != null; cause = cause.getCause()) {
        if (kind.isInstance(cause)) return kind.cast(cause);
      }
      throw new AssertionError("expected " + kind.getSimpleName(), error);
    }
    throw new AssertionError("expected " + kind.getSimpleName() + ", found " + result);
  }

  static void until(BooleanSupplier look) throws InterruptedException {
    long giveUpAt = System.nanoTime() + PATIENCE_MS * 1_000_000;
    while (!look.getAsBoolean()) {
      if (System.nanoTime() > giveUpAt) throw new AssertionError("it did not come about");
      Thread.sleep(POLL_EVERY_MS);
    }
  }
}
