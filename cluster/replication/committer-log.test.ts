import { describe, expect, it } from 'vitest';
import { lsn, shardId, term } from '../../src/ports/ids.ts';
import type { AppendAnswer, AppendOutcome, ReplicatedLog } from '../../src/ports/replicated-log.ts';
import { committerLog } from './committer-log.ts';

const [A, B] = [shardId(1), shardId(2)];
const entry = (shard: typeof A, at: number) => ({ shard, term: term(3), lsn: lsn(at), entry: Uint8Array.of(0x90) });

/** A log that answers as told, and settles when the test says so. */
function logOf(answers: ReadonlyMap<number, AppendAnswer>) {
  const settled = new Map<number, (outcome: AppendOutcome) => void>();
  const log: Pick<ReplicatedLog, 'append'> = {
    append: (shard, _term, _entry, done) => {
      settled.set(shard, done);
      return answers.get(shard) ?? { refused: 'notLeader' };
    },
  };
  return { settled, append: committerLog(log as ReplicatedLog).append }; // only `append` is called
}

describe('the replicated log as a committer knows it', () => {
  it('is done when the entries of all shards are committed', async () => {
    const { settled, append } = logOf(
      new Map([
        [A, { lsn: lsn(5) }],
        [B, { lsn: lsn(9) }],
      ]),
    );
    let done = false;
    const appended = append([entry(A, 5), entry(B, 9)]).then((result) => {
      done = true;
      return result;
    });
    settled.get(A)?.('committed');
    await Promise.resolve();
    expect(done).toBe(false);
    settled.get(B)?.('committed');
    expect(await appended).toEqual({ fenced: [] });
  });

  it('fences a shard that refuses, or of which nobody knows, and not the others', async () => {
    const { settled, append } = logOf(
      new Map<number, AppendAnswer>([
        [A, { lsn: lsn(5) }],
        [B, { refused: 'handingOver' }],
      ]),
    );
    const appended = append([entry(A, 5), entry(B, 9)]);
    settled.get(A)?.('committed');
    expect(await appended).toEqual({ fenced: [{ shard: B, newerTerm: 4 }] });
    const again = append([entry(A, 5)]);
    settled.get(A)?.('unknown');
    expect(await again).toEqual({ fenced: [{ shard: A, newerTerm: 4 }] });
  });

  it('does not put an entry elsewhere than its writer believes', async () => {
    const { append } = logOf(new Map([[A, { lsn: lsn(6) }]]));
    await expect(append([entry(A, 5)])).rejects.toThrow(/lsn 5 is at 6/);
  });
});
