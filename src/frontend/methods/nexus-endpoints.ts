// Nexus endpoints: created, looked at, changed, deleted and listed, with the errors of the Temporal server. For operators.

import { specProblem } from '../../core/nexus/endpoints.ts';
import type { EndpointAsk } from '../../ports/nexus-endpoints.ts';
import type {
  CreateNexusEndpointRequest,
  DeleteNexusEndpointRequest,
  ListNexusEndpointsRequest,
  ListNexusEndpointsResponse,
  NexusEndpoint,
  NexusEndpointSpec,
  UpdateNexusEndpointRequest,
} from '../../wire/nexus.ts';
import { StatusCode } from '../../wire/status.ts';
import { type Call, type Caller, method, type Services } from '../door.ts';
import type { EndpointDirectory } from '../endpoint-directory.ts';
import { permissionDenied } from '../statuses.ts';
import { bytes, defaulted, integer, invalid, object, optional, Refused, string } from '../validate/check.ts';
import { endpointSpec } from '../validate/nexus.ts';
import * as rules from '../validate/rules.ts';

const EMPTY = Object.freeze({});
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;

function directoryOf({ endpoints }: Services, caller: Caller): EndpointDirectory {
  if (caller.administration !== 'allowed') {
    throw new Refused(permissionDenied('Nexus endpoints are for operators: it takes a token of theirs'));
  }
  if (endpoints === undefined) throw new Error('this door was built without a directory of Nexus endpoints');
  return endpoints;
}

function checkId(id: string): void {
  if (id === '') throw invalid('Nexus endpoint ID not set on request.');
  rules.uuid('Nexus endpoint ID', id);
}

function checkSpec({ namespaces, limits }: Services, spec: NexusEndpointSpec | undefined): NexusEndpointSpec {
  if (spec === undefined) throw invalid('Nexus endpoint spec not set on request.');
  const problem = specProblem(spec);
  if (problem !== undefined) throw invalid(problem);
  const { worker } = spec.target;
  if (worker === undefined) return spec;
  rules.taskQueueName(limits, worker.taskQueue);
  if (namespaces.get(worker.namespace) !== undefined) return spec;
  throw new Refused({
    code: StatusCode.FAILED_PRECONDITION,
    message: `Could not verify namespace referenced by target exists: there is no namespace ${worker.namespace.slice(0, 200)}.`,
  });
}

/** The change, and then what this node knows: who is answered finds it here. */
function change(
  services: Services,
  directory: EndpointDirectory,
  asked: Exclude<EndpointAsk, { type: 'list' }>,
  call: Call,
  reply: (endpoint: NexusEndpoint | undefined) => object,
): void {
  services.engine.nexusEndpoints(asked, (error, answer) => {
    if (error !== undefined) call.refuse(error);
    else directory.lookAgain(() => call.reply(reply(answer?.endpoints?.[0])));
  });
}

const withEndpoint = (endpoint: NexusEndpoint | undefined): object => ({ endpoint });

export const createNexusEndpoint = method(
  object<CreateNexusEndpointRequest>({ spec: optional(endpointSpec) }),
  (services, caller, request, call) => {
    const directory = directoryOf(services, caller);
    const spec = checkSpec(services, request.spec);
    change(services, directory, { type: 'create', id: services.random.uuid(), spec }, call, withEndpoint);
  },
);

export const updateNexusEndpoint = method(
  object<UpdateNexusEndpointRequest>({
    id: defaulted(string, ''),
    version: defaulted(integer, 0),
    spec: optional(endpointSpec),
  }),
  (services, caller, request, call) => {
    const directory = directoryOf(services, caller);
    const { id, version } = request;
    checkId(id);
    const spec = checkSpec(services, request.spec);
    change(services, directory, { type: 'update', id, version, spec }, call, withEndpoint);
  },
);

export const deleteNexusEndpoint = method(
  object<DeleteNexusEndpointRequest>({ id: defaulted(string, ''), version: defaulted(integer, 0) }),
  (services, caller, { id, version }, call) => {
    const directory = directoryOf(services, caller);
    checkId(id);
    change(services, directory, { type: 'delete', id, version }, call, () => EMPTY);
  },
);

export const getNexusEndpoint = method(
  object<{ id: string }>({ id: defaulted(string, '') }),
  (services, caller, { id }, call) => {
    const directory = directoryOf(services, caller);
    checkId(id);
    directory.lookAgain((error) => {
      const endpoint = directory.byId(id);
      if (endpoint !== undefined) call.reply(withEndpoint(endpoint));
      else {
        const message = `Nexus endpoint ${id} is not found.`;
        call.refuse(error ?? { code: StatusCode.NOT_FOUND, message, detail: { kind: 'NotFound' } });
      }
    });
  },
);

export const listNexusEndpoints = method(
  object<ListNexusEndpointsRequest>({
    pageSize: optional(integer),
    nextPageToken: optional(bytes),
    name: optional(string),
  }),
  (services, caller, { pageSize = 0, nextPageToken, name = '' }, call) => {
    const directory = directoryOf(services, caller);
    if (pageSize < 0 || pageSize > MAX_PAGE) throw invalid(`PageSize must be from 0 to ${MAX_PAGE}.`);
    const after = nextPageToken === undefined ? '' : Buffer.from(nextPageToken).toString('utf8');
    directory.lookAgain(() => {
      const all = directory.all().filter(({ spec }) => (name === '' || spec.name === name) && spec.name > after);
      const endpoints = all.slice(0, pageSize || DEFAULT_PAGE);
      const last = endpoints.at(-1);
      const more = last !== undefined && endpoints.length < all.length;
      call.reply({
        endpoints,
        nextPageToken: more ? Buffer.from(last.spec.name) : undefined,
      } satisfies ListNexusEndpointsResponse);
    });
  },
);
