import { describe, expect, it } from 'vitest';
import type { WorkflowTask } from '../../../src/wire/workflow-task.ts';
import type { ThreadEvents, ThreadPort } from '../ports.ts';
import type { FromWorkflowThread, ToWorkflowThread } from '../thread-protocol.ts';
import { Generations } from './generations.ts';

/** A thread of one generation: notes what it is told, says what the test makes it say. */
class FakeThread implements ThreadPort {
  readonly told: ToWorkflowThread[] = [];
  readonly events: ThreadEvents;
  ended = false;

  constructor(events: ThreadEvents) {
    this.events = events;
  }

  post(messages: ToWorkflowThread[]): void {
    this.told.push(...messages);
  }

  busy(): undefined {
    return undefined;
  }

  terminate(): void {
    this.ended = true;
  }

  says(...messages: FromWorkflowThread[]): void {
    this.events.onMessages(messages);
  }

  /** Runs it was given tasks of. */
  get runs(): string[] {
    return this.told.flatMap((message) => (message.type === 'task' ? [message.task.runId] : []));
  }
}

const token = (text: string): Uint8Array => new TextEncoder().encode(text);
// What matters here of a task.
const task = (runId: string, n = 1): ToWorkflowThread => ({
  type: 'task',
  task: { runId, workflowId: `w-${runId}`, token: token(`${runId}-${n}`) } as WorkflowTask,
});
const completed = (runId: string, sticky: boolean, n = 1): FromWorkflowThread => ({
  type: 'completed',
  runId,
  request: { token: token(`${runId}-${n}`), commands: [], sticky },
  sinkCalls: [],
});
const bundle = (code: string) => ({ code, sourceMap: '' });

function world() {
  const threads = new Map<string, FakeThread>();
  const heard: FromWorkflowThread[] = [];
  const exits: Error[] = [];
  const generations = new Generations(
    ({ code }) =>
      (events) => {
        const thread = new FakeThread(events);
        threads.set(code, thread);
        return thread;
      },
    bundle('one'),
  );
  const port = generations.factory({
    onMessages: (messages) => void heard.push(...messages),
    onExit: (error) => void exits.push(error),
  });
  const of = (code: string): FakeThread => {
    const thread = threads.get(code);
    if (thread === undefined) throw new Error(`there is no thread of ${code}`);
    return thread;
  };
  of('one').says({ type: 'ready' });
  const load = async (code: string, running: string[] = []) => {
    const runs = running.map((runId) => ({ runId, workflowId: `w-${runId}` }));
    const loaded = generations.load(bundle(code), runs);
    of(code).says({ type: 'ready' });
    return loaded;
  };
  return { generations, port, of, load, heard, exits };
}

describe('new code', () => {
  it('gets what begins from now on; what a thread knows and what is listed stays where it is', async () => {
    const { port, of, load, heard } = world();
    port.post([task('known')]);
    of('one').says(completed('known', true));
    const pinned = await load('two', ['listed']);
    expect(pinned.map(({ runId }) => runId).sort()).toEqual(['known', 'listed']);
    port.post([task('known', 2), task('listed'), task('new')]);
    expect(of('one').runs).toEqual(['known', 'known', 'listed']);
    expect(of('two').runs).toEqual(['new']);
    // The worker waits for the threads it started, not for those.
    expect(heard.filter(({ type }) => type === 'ready')).toHaveLength(1);
  });

  it('gets a run that is moved to it, and its warm execution is forgotten', async () => {
    const { generations, port, of, load } = world();
    port.post([task('a')]);
    await load('two');
    expect(generations.move('a')).toBe('busy');
    of('one').says(completed('a', true));
    expect(generations.move('a')).toBe('moved');
    expect(of('one').told.at(-1)).toMatchObject({ type: 'evict', runId: 'a' });
    port.post([task('a', 2)]);
    expect(of('two').runs).toEqual(['a']);
    // What the old one says of it now would be taken for the new one's.
    of('one').says({ type: 'evicted', runId: 'a' });
    expect(generations.of('a')).toBe(2);
  });

  it('lets answers reach the task they are for, wherever that is', async () => {
    const { port, of, load } = world();
    port.post([task('a')]);
    await load('two');
    port.post([
      { type: 'history', token: token('a-1'), events: [], firstEventId: 1, nextEventId: undefined },
      { type: 'historyFailed', token: token('unknown'), message: '' },
    ]);
    expect(of('one').told.map(({ type }) => type)).toEqual(['task', 'history']);
    expect(of('two').told).toEqual([]);
  });

  it('ends the threads of code that nobody is left of, and their end is nobody else’s', async () => {
    const { port, of, load, exits } = world();
    port.post([task('a')]);
    await load('two');
    expect(of('one').ended).toBe(false);
    of('one').says(completed('a', false));
    expect(of('one').ended).toBe(true);
    of('one').events.onExit(new Error('terminated'));
    expect(exits).toEqual([]);
    of('two').events.onExit(new Error('out of memory'));
    expect(exits).toHaveLength(1);
  });

  it('is not taken for left while it loads', async () => {
    const { generations, port, of } = world();
    port.post([task('a')]);
    const loading = generations.load(bundle('two'), []);
    of('one').says(completed('a', false));
    expect(of('two').ended).toBe(false);
    of('two').says({ type: 'ready' });
    await loading;
    port.post([task('b')]);
    expect(of('two').runs).toEqual(['b']);
  });

  it('that does not load leaves everything as it was', async () => {
    const { generations, port, of } = world();
    const loading = generations.load(bundle('broken'), [{ runId: 'a', workflowId: 'w' }]);
    of('broken').events.onExit(new Error('SyntaxError'));
    await expect(loading).rejects.toThrow('SyntaxError');
    port.post([task('a'), task('b')]);
    expect(of('one').runs).toEqual(['a', 'b']);
  });
});
