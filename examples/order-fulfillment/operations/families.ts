// Children and messages between workflows: a parent with children that tell a board outside what they were told, one child that ends with it and one that
// is cancelled then. Each child is started once, each message arrives once and in order, whatever dies in between.

import type { Caller } from './caller.ts';
import type { Lane } from './lane.ts';

const MEMBERS = 3;
const LINES = ['first', 'second'];

export function families(caller: Caller): Lane<string> {
  const boardOf = (workflowId: string): string => `${workflowId}-board`;
  return {
    name: 'children and their messages',
    holds: 'each child once, each message once and in order',
    counts: () => MEMBERS * (1 + LINES.length),

    async perform(n) {
      const workflowId = caller.id(`family-${n}`);
      await caller.start(boardOf(workflowId), 'board');
      await caller.start(workflowId, 'family', MEMBERS, boardOf(workflowId));
      return workflowId;
    },

    async wrong(workflowId) {
      const words = Array.from({ length: MEMBERS }, (_, i) => `word-${i}`);
      const { told, letter } = await caller.result<{ told: string[]; letter: string }>(workflowId);
      if (told.join() !== words.join()) return `its children were told ${told.join(', ')}`;
      if (letter !== 'came back') return `a letter to nobody ${letter}`;
      const posts = await caller.result<string[]>(boardOf(workflowId));
      const wanted = words.flatMap((word) => LINES.map((line) => `${word} ${line}`));
      // Of different children the order is theirs.
      const found = words.flatMap((word) => posts.filter((text) => text.startsWith(`${word} `)));
      if (posts.length !== wanted.length || found.join() !== wanted.join())
        return `its board has ${posts.join(', ')}, not ${wanted.join(', ')}`;
      const children = await caller.find(`WorkflowId STARTS_WITH '${workflowId}/'`);
      if (children.length !== MEMBERS + 2) return `has the children ${children.join(', ')}`;
      for (const [child, status] of [
        ['ends', 'TERMINATED'],
        ['leaves', 'CANCELLED'],
      ] as const) {
        const handle = caller.client.workflow.getHandle(`${workflowId}/${child}`);
        const look = () => caller.sure('describe', async () => (await handle.describe()).status.name);
        const is = await caller.until(look, (name) => name !== 'RUNNING');
        if (is !== status) return `its child ${child} is ${is}, not ${status}`;
      }
      return undefined;
    },
  };
}
