// Whose a simulated workflow is: one in four has no fairness key, the others are of three tenants, of which one weighs double.

import type { Priority } from '../../src/wire/common.ts';

export function tenantOf(workflowId: string): Priority | undefined {
  let h = 0;
  for (const char of workflowId) h = (h * 31 + char.charCodeAt(0)) % 65_521;
  const n = h % 4;
  return n === 0 ? undefined : { priorityKey: 3, fairnessKey: `tenant ${n}`, fairnessWeight: n === 1 ? 2 : 1 };
}
