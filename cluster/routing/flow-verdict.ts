// The check of what a flow-control key on another node says of a start that asked it for a permit.

import type { FlowVerdict } from '../../src/core/flow/message.ts';
import { type Check, object, optional, string } from '../../src/frontend/validate/check.ts';

const verdictKind = object<{ verdict: string }>({ verdict: string });
const reservedVerdict = object<{ permit?: string | undefined }>({ permit: optional(string) });
const fullVerdict = object<{ message: string }>({ message: string });
const takenVerdict = object<{ workflowId: string; runId: string; message: string }>({
  workflowId: string,
  runId: string,
  message: string,
});
const flowVerdict: Check<FlowVerdict> = (value) => {
  const { verdict } = verdictKind(value);
  switch (verdict) {
    case 'reserved':
      return { verdict, ...reservedVerdict(value) };
    case 'full':
      return { verdict, ...fullVerdict(value) };
    case 'taken':
      return { verdict, ...takenVerdict(value) };
    default:
      throw new Error(`${verdict.slice(0, 64)} is not what a flow-control key says of a start`);
  }
};

export const flowReserved: Check<{ verdict: FlowVerdict }> = object<{ verdict: FlowVerdict }>({ verdict: flowVerdict });
