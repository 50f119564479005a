import { expect, it } from 'vitest';
import { checkUpdate } from './namespaces.ts';

it.each([
  ['a global namespace', { promoteNamespace: true }, 'Namespaces of this server are not global.'],
  ['a bad binary', { deleteBadBinary: 'sum' }, 'Bad binary checksum is not found.'],
  ['another cluster', { replicationConfig: { activeClusterName: 'elsewhere' } }, 'Invalid cluster name: elsewhere.'],
  ['one of the clusters', { replicationConfig: { clusters: [{ clusterName: 'far' }] } }, 'Invalid cluster name: far.'],
])('an update of a namespace that asks for %s is refused', (_what, request, message) => {
  expect(() => checkUpdate(request)).toThrow(message);
});

it('takes an update that leaves those alone, as clients send it', () => {
  const config = { workflowExecutionRetentionTtl: 86_400_000, customSearchAttributeAliases: { City: 'Town' } };
  expect(() => checkUpdate({ updateInfo: {}, config, replicationConfig: { clusters: [] } })).not.toThrow();
});
