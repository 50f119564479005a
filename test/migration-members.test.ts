// What Temporal's types have as members, ours have, too: enum keys, methods, options. What is left out on purpose stands here with its reason.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

const LEFT_OUT: readonly [reason: string, members: RegExp][] = [
  [
    'type information for converters: experimental there',
    /\.(static )?(\w*[tT]ypeInfo|inputType|outputType|validateConverterHint)$/,
  ],
  ['how its converters work inside', /\.static (converters|converterByEncoding)$|^common: DefaultFailureConverter\./],
  [
    'from and to its messages, which are others here',
    /\.static (fromProto|toMetadataType|toSearchAttributeType)$|^common: ProtoFailure\.failureInfo$/,
  ],
  ['such sets cannot be changed here', /^common: TypedSearchAttributes\.(update|searchAttributes)$/],
  ['of Node, whose version decides', /^activity: asyncLocalStorage\./],
  ['a service is its connection’s', /^client: (Workflow|Operator|Test|Health)Service\.static create$/],
  [
    'gRPC’s transport: refused with what to do instead (docs/decisions/0078)',
    /^client: ConnectionOptions\.(credentials|callCredentials|channelArgs|interceptors)$|^client: Connection\.static Client$|^worker: NativeConnectionOptions\.(disableErrorCodeMetricTags|dnsLoadBalancingConfig|grpcCompression|proxy)$/,
  ],
  [
    'its number is a Long: a codec may give and take payloads of @temporalio/proto because the type does not say so',
    /^(common|workflow): Payload\.externalPayloads$/,
  ],
  ['messages of its protocol', /^client: Raw(Workflow|Activity)Execution(List)?Info\./],
  [
    'between its worker and its native core, which is not here',
    /^worker: Runtime\.((create|close|de)?[rR]egister(Worker|ShutdownSignalCallback)|deregister\w+|createNativeClient|closeNativeClient|createReplayWorker|pushHistory|closeHistoryStream|createEphemeralServer|shutdownEphemeralServer|native)$/,
  ],
  ['for its runtime', /^worker: MetricsBuffer\.(bind|unbind)$/],
  ['compiled by the worker for itself', /^worker: CompiledWorkerOptions\./],
];

/** Scripts are plain JavaScript, which the compiler does not look into. */
interface Members {
  missingMembers(root: string, packages: readonly string[]): string[];
}

const missingFrom = async (...packages: string[]): Promise<string[]> => {
  const { missingMembers } = (await import(join(root, 'scripts/migration/members.mjs'))) as Members;
  return missingMembers(root, packages);
};
const explained = (name: string): boolean => LEFT_OUT.some(([, members]) => members.test(name));
it.each([
  { packages: ['workflow', 'common', 'activity', 'testing'], known: 'common: ProtoFailure.failureInfo' },
  { packages: ['client', 'worker'], known: 'client: ConnectionOptions.channelArgs' },
])('of $packages', { timeout: 120_000 }, async ({ packages, known }) => {
  const missing = await missingFrom(...packages);
  expect(missing.filter((name) => !explained(name))).toEqual([]);
  // That it finds what is known to lack says that it looks.
  expect(missing).toContain(known);
});
