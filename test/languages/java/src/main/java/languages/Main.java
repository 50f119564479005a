package languages;

import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * The official Java SDK against a server: a worker, and a client that checks what comes of it.
 *
 * <pre>Main --address HOST:PORT --queue NAME --native-queue NAME</pre>
 *
 * One line for each check ("ok NAME" or "failed NAME: why"). Lines that begin with ">" ask something of the runner, which answers on standard input.
 */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    WorkflowServiceStubs service =
        WorkflowServiceStubs.newServiceStubs(
            WorkflowServiceStubsOptions.newBuilder().setTarget(argument(args, "--address")).build());
    // Workers say that they are there once a minute by default, which is long to wait for.
    WorkflowClientOptions options =
        WorkflowClientOptions.newBuilder().setWorkerHeartbeatInterval(Duration.ofSeconds(1)).build();
    WorkflowClient client = WorkflowClient.newInstance(service, options);
    String queue = argument(args, "--queue");
    WorkerFactory factory = WorkerFactory.newInstance(client);
    Worker worker = factory.newWorker(queue);
    worker.registerWorkflowImplementationTypes(Workflows.ALL);
    worker.registerActivitiesImplementations(new Activities.Implementation());
    factory.start();
    World world = new World(client, queue, argument(args, "--native-queue"));
    int failed =
        world.report(
            Stream.of(WorkflowChecks.ALL, AdministrationChecks.ALL, DoorChecks.ALL).flatMap(List::stream).toList());
    factory.shutdown();
    System.exit(failed > 0 ? 1 : 0);
  }

  private static String argument(String[] args, String name) {
    int at = Arrays.asList(args).indexOf(name);
    if (at < 0 || at + 1 >= args.length) throw new IllegalArgumentException(name + " is missing");
    return args[at + 1];
  }
}
