package languages;

import io.temporal.activity.Activity;
import io.temporal.activity.ActivityExecutionContext;
import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;
import io.temporal.failure.ApplicationFailure;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/** Activities of the Java program: run by its own worker, never by the server (I10). */
@ActivityInterface
public interface Activities {
  @ActivityMethod(name = "greet")
  String greet(String name);

  /** Fails until its {@code succeedOn}-th attempt. */
  @ActivityMethod(name = "flaky")
  int flaky(int succeedOn);

  /** What its first attempt said in a heartbeat, its second one knows. */
  @ActivityMethod(name = "remember")
  int remember(int details);

  @ActivityMethod(name = "refuse")
  void refuse(String kind);

  @ActivityMethod(name = "beatUntilCancelled")
  void beatUntilCancelled();

  /** Says nothing for longer than its heartbeat timeout. */
  @ActivityMethod(name = "hang")
  void hang();

  /** Ends when somebody else says so. */
  @ActivityMethod(name = "elsewhere")
  String elsewhere(String name);

  /** Runs from before the server is killed until after it is back. */
  @ActivityMethod(name = "overTheKill")
  String overTheKill();

  final class Implementation implements Activities {
    /** Of activities that something else completes, by the name they were given. */
    static final Map<String, byte[]> tokens = new ConcurrentHashMap<>();
    static final CountDownLatch slowBegan = new CountDownLatch(1);
    /** Open once the server is back after it was killed. */
    static final CountDownLatch restarted = new CountDownLatch(1);

    @Override
    public String greet(String name) {
      return "Hello, " + name + "!";
    }

    @Override
    public int flaky(int succeedOn) {
      int attempt = Activity.getExecutionContext().getInfo().getAttempt();
      if (attempt < succeedOn) throw new IllegalStateException("attempt " + attempt);
      return attempt;
    }

    @Override
    public int remember(int details) {
      ActivityExecutionContext context = Activity.getExecutionContext();
      var kept = context.getHeartbeatDetails(Integer.class);
      if (kept.isPresent()) return kept.get();
      context.heartbeat(details);
      throw new IllegalStateException("the details must survive this");
    }

    @Override
    public void refuse(String kind) {
      throw ApplicationFailure.newNonRetryableFailure("no", kind, 7);
    }

    @Override
    public void beatUntilCancelled() {
      while (true) {
        Activity.getExecutionContext().heartbeat(null);
        pause(20);
      }
    }

    @Override
    public void hang() {
      pause(2_000);
    }

    @Override
    public String elsewhere(String name) {
      ActivityExecutionContext context = Activity.getExecutionContext();
      context.doNotCompleteOnReturn();
      tokens.put(name, context.getTaskToken());
      return null;
    }

    @Override
    public String overTheKill() {
      slowBegan.countDown();
      try {
        restarted.await();
      } catch (InterruptedException error) {
        throw Activity.wrap(error);
      }
      return "attempt " + Activity.getExecutionContext().getInfo().getAttempt();
    }

    private static void pause(long ms) {
      try {
        Thread.sleep(ms);
      } catch (InterruptedException error) {
        throw Activity.wrap(error);
      }
    }
  }
}
