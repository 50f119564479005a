// Deletion at a caller's wish: the run is gone in the turn that says so, and nobody who waited for it is left without an answer.
import { describe, expect, it } from 'vitest';
import { StatusCode } from '../../wire/status.ts';
import type { Effect } from './outcome.ts';
import { command, message, places, World } from './testing.ts';

const remove = (w: World, runId?: string) =>
  w.accept({ type: 'deleteExecution', target: { runId }, identity: 'client' });

/** Ten minutes later, when the shard's second retention row of the run is due. */
const forget = (w: World, runId: string) => {
  w.now += 10 * 60_000;
  w.accept({ type: 'deleteRun', runId });
};

const answers = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.type === 'answerQuery' || effect.type === 'answerUpdate' ? [effect.answer] : []));

describe('deleting a run', () => {
  it('that is open terminates it, and leaves no row of it, and of its workflow id what was asked of it for a while', () => {
    const w = new World();
    w.start();
    w.work(command.activity('a'), command.timer('t', 30_000));
    w.signal('one');
    const runId = w.state.run?.runId ?? '';
    const { effects, visibility } = remove(w);
    expect([...w.rows.values()].filter(({ table }) => table !== 'chain')).toEqual([]);
    expect(w.types(runId).at(-1)).toBe('WORKFLOW_EXECUTION_TERMINATED');
    expect(effects.map(({ type }) => type)).toContain('runClosed');
    const forgetAt = w.now + 10 * 60_000;
    expect(visibility).toEqual([expect.objectContaining({ gone: true, before: expect.anything(), forgetAt })]);
    expect(w.refuse(w.signalMessage('two')).code).toBe(StatusCode.NOT_FOUND);
    expect(w.rebuilt()).toEqual(w.state);
    forget(w, runId);
    expect([...w.rows.values()]).toEqual([]);
    expect(w.rebuilt()).toEqual(w.state);
  });

  it('that nobody asked anything of for long leaves no row at all', () => {
    const w = new World();
    w.start();
    w.signal('one');
    w.pass(10 * 60_000);
    const { visibility } = remove(w);
    expect([...w.rows.values()]).toEqual([]);
    expect(visibility).toEqual([expect.objectContaining({ gone: true, forgetAt: undefined })]);
  });

  it('does not let a request that comes again mean the next run of the workflow id', () => {
    const w = new World();
    w.start({ requestId: 'first' });
    const signal = { ...w.signalMessage('one'), requestId: 'signal' };
    w.accept(signal);
    const runId = w.state.run?.runId ?? '';
    remove(w);
    w.reload();
    // The start and the signal are known, and change nothing: neither while the id is free, nor once it is taken.
    expect(w.start({ requestId: 'first', runId: 'late' }).reply).toMatchObject({ response: { runId, started: true } });
    expect(w.state.run).toBeUndefined();
    expect(w.accept(signal).reply).toMatchObject({ type: 'accepted', runId });
    w.start({ requestId: 'second', runId: 'next' });
    expect(w.accept(signal).reply).toMatchObject({ type: 'accepted', runId });
    expect(w.start({ requestId: 'first', runId: 'late' }).reply).toMatchObject({ response: { runId } });
    expect(w.types('next').filter((type) => type === 'WORKFLOW_EXECUTION_SIGNALED')).toEqual([]);
    expect(w.rebuilt()).toEqual(w.state);
    // What the first run is remembered by is the next one's to forget.
    forget(w, runId);
    expect(w.state.run?.runId).toBe('next');
  });

  it('that is closed takes its updates along, and frees the workflow id', () => {
    const w = new World();
    w.start({ requestId: 'first' });
    w.update('u');
    w.work(...places(message.accept('u'), message.respond('u')), command.complete('done'));
    const runId = w.state.run?.runId ?? '';
    remove(w);
    expect([...w.rows.values()].filter(({ table }) => table !== 'chain')).toEqual([]);
    w.start({ requestId: 'second', runId: 'again' });
    expect(w.state.run?.runId).toBe('again');
    remove(w);
    forget(w, runId);
    expect([...w.rows.values()]).toEqual([]);
  });

  it('before the current one leaves that as it is', () => {
    const w = new World();
    w.start();
    const old = w.state.run?.runId ?? '';
    w.work(command.continueAsNew());
    const next = w.state.run?.runId;
    w.adopt(old);
    remove(w, old);
    expect(w.state.run?.runId).toBe(next);
    expect([...w.rows.values()].some(({ runId }) => runId === old)).toBe(false);
    expect(w.rebuilt()).toEqual(w.state);
    expect(w.refuse({ type: 'deleteExecution', target: { runId: old }, identity: 'client' }).code).toBe(
      StatusCode.NOT_FOUND,
    );
  });

  it.each(['before', 'after'] as const)(
    'does not take the callbacks of earlier runs along: they are called until they have answered, %s what was asked is forgotten',
    (when) => {
      const w = new World();
      w.start({ completionCallbacks: [{ nexus: { url: 'https://example.test/one' } }] });
      w.work(command.complete());
      w.start({ requestId: 'second' });
      const deleted = w.state.run?.runId ?? '';
      remove(w);
      expect(w.rebuilt()).toEqual(w.state);
      w.reload();
      // To everybody else the id is free.
      expect(w.refuse(w.signalMessage('one')).code).toBe(StatusCode.NOT_FOUND);
      const [[callbackId, { attempt }] = ['', { attempt: 0 }]] = w.state.callbacks;
      w.accept({ type: 'callbackAnswered', callbackId, attempt, failure: { message: 'away', retryable: true } });
      w.reload();
      expect(w.due()).toBeLessThan(Number.POSITIVE_INFINITY);
      w.pass(1_000);
      expect(w.effects).toContainEqual(expect.objectContaining({ type: 'deliverCallback', attempt: 2 }));
      if (when === 'after') forget(w, deleted);
      w.accept({ type: 'callbackAnswered', callbackId, attempt: 2 });
      if (when === 'before') forget(w, deleted);
      expect([...w.rows.values()].filter(({ table }) => table === 'chain')).toEqual([]);
    },
  );

  it('answers the queries and updates that wait for it', () => {
    const w = new World();
    w.start();
    w.work();
    w.signal('busy');
    w.query('q');
    w.update('u');
    const { effects } = remove(w);
    const codes = answers(effects).map((answer) => ('rejection' in answer ? answer.rejection.code : undefined));
    expect(codes).toEqual([StatusCode.NOT_FOUND, StatusCode.NOT_FOUND]);
    expect(effects.some(({ type }) => type === 'dispatchQuery')).toBe(false);
    expect(w.state.queries.size + w.state.updates.size).toBe(0);
  });

  it('that does not belong to the id is refused', () => {
    const w = new World();
    w.start();
    const of = (runId: string) => w.refuse({ type: 'deleteExecution', target: { runId }, identity: '' }).code;
    expect(of('another')).toBe(StatusCode.NOT_FOUND);
  });
});
