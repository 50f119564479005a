import { expect, it } from 'vitest';
import { checkDescribed, checkRegistration, checkUpdate } from './namespaces.ts';

it.each([
  ['a global namespace', { promoteNamespace: true }, 'Namespaces of this server are not global.'],
  ['a bad binary', { deleteBadBinary: 'sum' }, 'Bad binary checksum is not found.'],
  ['another cluster', { replicationConfig: { activeClusterName: 'elsewhere' } }, 'Invalid cluster name: elsewhere.'],
  ['one of the clusters', { replicationConfig: { clusters: [{ clusterName: 'far' }] } }, 'Invalid cluster name: far.'],
  ['no state there is', { updateInfo: { state: 99 } }, 'Invalid namespace state update.'],
  ['a handover', { replicationConfig: { state: 2 } }, 'Handover can only be set for global namespace'],
  ['no retention', { config: { workflowExecutionRetentionTtl: 0 } }, 'A valid retention period is not set on request.'],
])('an update of a namespace that asks for %s is refused', (_what, request, message) => {
  expect(() => checkUpdate(request)).toThrow(message);
});

it('takes no global namespace, and one way to name it', () => {
  expect(() => checkRegistration({ namespace: 'a', isGlobalNamespace: true })).toThrow('global namespace');
  expect(() => checkRegistration({ namespace: 'a', isGlobalNamespace: false })).not.toThrow();
  expect(() => checkDescribed({ namespace: 'a', id: 'b' })).toThrow('Both ID and Name');
  expect(() => checkDescribed({ namespace: '', id: 'b' })).not.toThrow();
});

it('takes an update that leaves those alone, as clients send it', () => {
  const config = { workflowExecutionRetentionTtl: 86_400_000, customSearchAttributeAliases: { City: 'Town' } };
  expect(() => checkUpdate({ updateInfo: {}, config, replicationConfig: { clusters: [] } })).not.toThrow();
});
