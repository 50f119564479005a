package languages;

import static languages.World.equal;
import static languages.World.say;

import io.temporal.api.enums.v1.EventType;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.common.WorkflowExecutionHistory;
import io.temporal.testing.WorkflowReplayer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import languages.World.Named;

/** A server that is killed, workers and clients of the other door, and the histories that are left. */
final class DoorChecks {
  static final List<Named> ALL =
      List.of(
          new Named("native-worker", DoorChecks::nativeWorker),
          new Named("native-client", DoorChecks::nativeClient),
          new Named("restart", DoorChecks::restart),
          new Named("replay", DoorChecks::replay));

  private DoorChecks() {}

  /** Tenuto's own worker serves what this client starts, and activities of this worker's workflows. */
  private static void nativeWorker(World w) {
    WorkflowOptions there = WorkflowOptions.newBuilder().setWorkflowId(w.id()).setTaskQueue(w.nativeQueue).build();
    WorkflowStub run = w.client.newUntypedWorkflowStub("hello", there);
    run.start("native worker");
    equal(run.getResult(String.class), "Hello, native worker!");
    equal(w.execute("greetElsewhere", "native activity", w.nativeQueue), "Hello, native activity!");
  }

  private static void nativeClient(World w) throws Exception {
    say("> serve");
    w.told("served");
  }

  private static void restart(World w) throws Exception {
    WorkflowStub run = w.start("journey");
    var waiting = run.getResultAsync(List.class);
    Activities.Implementation.slowBegan.await();
    say("> kill");
    w.told("restarted");
    Activities.Implementation.restarted.countDown();
    run.signal("goOn");
    equal(waiting.get(), List.of("Hello, before!", "attempt 1", "Hello, after!"));
  }

  /** The SDK finds no difference between the code and the histories that the server kept. */
  private static void replay(World w) throws Exception {
    List<WorkflowExecutionHistory> histories = new ArrayList<>();
    for (WorkflowStub run : w.started) {
      // This SDK cannot read a history whose last event is a termination.
      if (!w.events(run, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED).isEmpty()) continue;
      histories.add(w.client.fetchHistory(run.getExecution().getWorkflowId(), run.getExecution().getRunId()));
    }
    Class<?>[] types = Arrays.copyOf(Workflows.ALL, Workflows.ALL.length + 1);
    types[Workflows.ALL.length] = Workflows.VersionedWorkflow.class;
    WorkflowReplayer.replayWorkflowExecutions(histories, true, types);
    World.isTrue(histories.size() > 20, "too few histories");
  }
}
