// Whose a database is: a cluster's, or a node's that stands alone. Terms fence whoever led before (I3), so a node that was started on the wrong
// database would take its shards from those that serve it, one by one, without a word. The first to use a database holds it, whoever else comes
// is refused, and only an operator takes it from its holder (`tenuto data release`). A new term is given to the holder alone (fence.ts), so nodes
// that run on while it is taken from them take nothing back. Called by index.ts.

import { StoreError } from '../../ports/store.ts';
import type { Database } from './database.ts';
import { HOLD, READ_HOLDER, RELEASE } from './statements.ts';

/** As `tenuto_cluster` has it; '': nobody's yet. */
export type Holder = '' | 'standalone' | `cluster:${string}`;

const CLUSTER = 'cluster:';

/** @param clusterId undefined: a node that stands alone */
export const holderOf = (clusterId: string | undefined): Holder =>
  clusterId === undefined ? 'standalone' : `${CLUSTER}${clusterId}`;

export function describeHolder(holder: string): string {
  if (holder === '') return 'nobody';
  return holder.startsWith(CLUSTER) ? `cluster ${holder.slice(CLUSTER.length)}` : 'a node that stands alone';
}

/** It is this holder's from now on. @throws StoreError `held` when it is another one's */
export async function hold(database: Database, holder: Holder): Promise<void> {
  const standing = await database.write(async (connection) => {
    const [held] = await connection.query(HOLD, [holder]);
    if (held !== undefined) return holder;
    const [found] = await connection.query(READ_HOLDER);
    return String(found?.[0] ?? '');
  });
  if (standing !== holder) throw refusal(database.name, standing, holder);
}

/** It is nobody's from now on. Returns whose it was. */
export function release(database: Database): Promise<string> {
  return database.write(async (connection) => {
    const [found] = await connection.query(READ_HOLDER);
    await connection.query(RELEASE);
    return String(found?.[0] ?? '');
  });
}

/** For a node that runs: who it was opened for has it no more. */
export const takenFrom = (name: string, holder: string): StoreError =>
  new StoreError(
    'held',
    `${name} was taken from ${describeHolder(holder)} (tenuto data release): this node leads no further shard of it`,
    { hint: 'Stop this node. It can be started again once whoever has the database now has stopped, and released it.' },
  );

function refusal(name: string, standing: string, holder: Holder): StoreError {
  const release = `stop its nodes, then run \`tenuto data release --store postgres://…\``;
  if (holder === 'standalone') {
    return new StoreError(
      'held',
      `${name} belongs to ${describeHolder(standing)}: a node that stands alone would take its shards from it`,
      {
        hint: `Set cluster.id (--cluster-id) and what goes with it, or name another database. To run a single node on this one, ${release}.`,
      },
    );
  }
  return new StoreError('held', `${name} belongs to ${describeHolder(standing)}, not to ${describeHolder(holder)}`, {
    hint: `Correct cluster.id, or name another database. To give this one to ${describeHolder(holder)}, ${release}.`,
  });
}
