// The realm all simulated workers share: bundled once per process. Executions in it see nothing of each other (DESIGN §8), and that the same
// seed makes the same history also when others ran before it shows that they do not.

import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '../../sdk/worker/runtime/bundle.ts';
import { Realm } from '../../sdk/worker/runtime/realm.ts';

export async function makeRealm(): Promise<Realm> {
  const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));
  return new Realm(await bundleWorkflowCode({ workflowsPath }));
}
