// Search attributes: what a client just started, or moved on, is in its very next list, and not where it was before; at the end the counts by group are
// exact.

import { IndexedValueType } from '../../../src/wire/enums.ts';
import { StatusCode } from '../../../src/wire/status.ts';
import { type Caller, NAMESPACE } from './caller.ts';
import type { Lane } from './lane.ts';
import { STAGE_ATTRIBUTE } from './names.ts';

const STAGES = ['packed', 'sent', 'delivered'];
const LAST = 'delivered';

interface Staged {
  readonly workflowId: string;
  /** What lists have said that was not so. */
  readonly contradictions: readonly string[];
}

export function finding(caller: Caller): Lane<Staged> {
  const isListed = async (workflowId: string, rest = ''): Promise<boolean> =>
    (await caller.find(`WorkflowId = '${workflowId}'${rest}`)).length === 1;
  return {
    name: 'search attributes',
    holds: 'in the next list, exact counts by group',
    counts: () => STAGES.length,

    async prepare() {
      const searchAttributes = { [STAGE_ATTRIBUTE]: IndexedValueType.KEYWORD };
      await caller.insist('addSearchAttributes', { namespace: NAMESPACE, searchAttributes }, StatusCode.ALREADY_EXISTS);
    },

    async perform(n) {
      const workflowId = caller.id(`staged-${n}`);
      const contradictions: string[] = [];
      await caller.start(workflowId, 'staged');
      if (!(await isListed(workflowId))) contradictions.push('was started and is not listed');
      let before = '';
      for (const stage of STAGES) {
        await caller.sure(`move of ${workflowId} to ${stage}`, () =>
          caller.client.workflow
            .getHandle(workflowId)
            .executeUpdate<string, [string]>('move', { updateId: stage, args: [stage] }),
        );
        if (!(await isListed(workflowId, ` AND ${STAGE_ATTRIBUTE} = '${stage}'`)))
          contradictions.push(`was moved to '${stage}' and is not listed there`);
        if (before !== '' && (await isListed(workflowId, ` AND ${STAGE_ATTRIBUTE} = '${before}'`)))
          contradictions.push(`was moved to '${stage}' and is still listed as '${before}'`);
        before = stage;
      }
      await caller.signal(workflowId, 'close', 'close');
      return { workflowId, contradictions };
    },

    async wrong({ workflowId, contradictions }) {
      await caller.result(workflowId);
      return contradictions.length === 0 ? undefined : `${workflowId} ${contradictions.join('; ')}`;
    },

    async together(all) {
      const query = `WorkflowId STARTS_WITH '${caller.id('staged-')}' GROUP BY ${STAGE_ATTRIBUTE}`;
      const { groups } = await caller.sure(`count of ${query}`, () => caller.client.workflow.count(query));
      const counted = groups.map(({ count, groupValues: [stage] }) => `${count} × ${String(stage)}`).join(', ');
      const wanted = all.length === 0 ? '' : `${all.length} × ${LAST}`;
      return counted === wanted ? undefined : `by group there are ${counted}, not ${wanted}`;
    },
  };
}
