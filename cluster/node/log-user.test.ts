import { describe, expect, it } from 'vitest';
import { lsn, shardId, term } from '../../src/ports/ids.ts';
import type { LedShards } from '../../src/ports/led-shards.ts';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { LogUser } from './log-user.ts';
import { ShardView } from './shard-view.ts';

const S = shardId(1);
const ENTRY = new Uint8Array(1);

class Shards extends FakeEngine implements LedShards {
  readonly said: string[];

  constructor(said: string[]) {
    super();
    this.said = said;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  lead(shard: number, inTerm: number, at: number): void {
    this.said.push(`lead ${shard} ${inTerm} ${at}`);
  }

  unlead(shard: number) {
    this.said.push(`unlead ${shard}`);
    return lsn(0);
  }

  apply(shard: number, at: number, entry: Uint8Array | undefined): void {
    this.said.push(`apply ${shard} ${at}${entry === undefined ? ' control' : ''}`);
  }

  controlAppended(shard: number, at: number): void {
    this.said.push(`control ${shard} ${at}`);
  }

  installed(shard: number, at: number): void {
    this.said.push(`installed ${shard} ${at}`);
  }

  release(shards: readonly number[]): void {
    this.said.push(`release ${shards.join()}`);
  }

  receive(): void {}
}

function user() {
  const said: string[] = [];
  const engine = new Shards(said);
  const locate = (id: string) => ({ node: id, address: { host: id, port: 1 } });
  const view = new ShardView({ shardCount: 4, self: 'me', locate, desiredLeader: () => undefined });
  const owner = (): string => {
    const at = view.ownerOf(S);
    return typeof at === 'string' ? at : at.node;
  };
  view.subscribe(() => said.push(`view ${owner()}`));
  const log = new LogUser({
    engine: () => engine,
    view,
    changed: (shard) => said.push(`changed ${shard}`),
    failed: (error) => said.push(`failed ${String(error)}`),
  });
  const told = (): string[] => said.splice(0);
  return { log, told };
}

describe('what the log says', () => {
  it('reaches engine and view in an order in which nothing is served that is not led', () => {
    const { log, told } = user();
    log.following(S, term(1), 'x');
    expect(told()).toEqual(['view x', 'changed 1']);
    log.applied(S, { lsn: lsn(1), term: term(1), entry: ENTRY });
    log.following(S, term(2), undefined);
    log.applied(S, { lsn: lsn(2), term: term(2), entry: undefined });
    expect(told()).toEqual(['apply 1 1', 'view moving', 'changed 1', 'apply 1 2 control']);
    log.leading(S, term(2), lsn(2));
    expect(told()).toEqual(['lead 1 2 2', 'view local', 'changed 1']);
    log.following(S, term(3), 'y');
    // Not led before anybody is sent elsewhere.
    expect(told()).toEqual(['unlead 1', 'view y', 'changed 1']);
  });

  it('of its own entries is the committer’s business, but for those without content', () => {
    const { log, told } = user();
    log.leading(S, term(2), lsn(2));
    told();
    log.applied(S, { lsn: lsn(3), term: term(2), entry: ENTRY });
    expect(told()).toEqual([]);
    log.controlAppended(S, lsn(4));
    log.applied(S, { lsn: lsn(4), term: term(2), entry: undefined });
    expect(told()).toEqual(['control 1 4', 'apply 1 4 control']);
    log.following(S, term(2), undefined);
    told();
    // What was under way when it stepped down was committed after all.
    log.applied(S, { lsn: lsn(5), term: term(2), entry: ENTRY });
    log.controlAppended(S, lsn(6));
    expect(told()).toEqual(['apply 1 5']);
  });

  it('is said once when a leadership ends that never began', () => {
    const { log, told } = user();
    log.following(S, term(1), undefined);
    log.following(S, term(2), 'x');
    expect(told().filter((line) => line.startsWith('unlead'))).toEqual([]);
  });

  it('passes on snapshots, changes of members and the end', () => {
    const { log, told } = user();
    log.installed(S, lsn(40));
    log.configured(S);
    log.failed('disk');
    expect(told()).toEqual(['installed 1 40', 'changed 1', 'failed disk']);
  });
});
