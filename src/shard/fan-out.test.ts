// A workflow with as many activities at once as one may have, and one more.
import { expect, it } from 'vitest';
import { openMemoryStore } from '../store/index.ts';
import { EventType, WorkflowTaskFailedCause } from '../wire/enums.ts';
import { command, World } from './testing.ts';

const MOST = 2_000;

const activities = (count: number) => Array.from({ length: count }, (_, n) => command.activity(`a${n}`));

it('2,000 activities of one task run and complete, each once', async () => {
  const w = await new World(() => openMemoryStore({ shardCount: 16 })).open();
  const worker = w.worker({ workflow: MOST, activity: MOST });
  let ran = 0;
  worker.onTask = (task) => {
    if (task.kind === 'activity') {
      ran += 1;
      w.post(task.workflowId, w.result(task));
    } else if (task.kind === 'workflow') {
      const first = task.started.task.startedEventId === 3;
      // Over results it has not seen yet the workflow may not close: then it is given another task.
      const last = ran === MOST ? [command.complete(ran)] : [];
      w.post(task.workflowId, w.completion(task, first ? activities(MOST) : last));
    }
  };
  await w.start('many');
  await w.time.settle();
  const history = await w.history('many', undefined, 1_000_000);
  expect(ran).toBe(MOST);
  expect(history.at(-1)?.eventType).toBe(EventType.WORKFLOW_EXECUTION_COMPLETED);
  await w.engine.close();
});

it('one more fails the task, with the limit in its failure, and schedules none', async () => {
  const w = await new World(() => openMemoryStore({ shardCount: 16 })).open();
  const worker = w.worker({ workflow: 1 });
  await w.start('too-many');
  const answer = await w.send('too-many', w.completion(worker.take('workflow'), activities(MOST + 1)));
  expect(answer.error?.message).toContain(`has reached the per-workflow limit of ${MOST}`);
  const history = await w.history('too-many');
  const failed = history.at(-1);
  expect(failed?.eventType === EventType.WORKFLOW_TASK_FAILED && failed.attributes.cause).toBe(
    WorkflowTaskFailedCause.PENDING_ACTIVITIES_LIMIT_EXCEEDED,
  );
  expect(history.some(({ eventType }) => eventType === EventType.ACTIVITY_TASK_SCHEDULED)).toBe(false);
  await w.engine.close();
});
