// Namespaces: registered, described, listed, updated, deprecated and deleted, with the errors of the Temporal server. Changes are for operators.

import { changed, MAX_RECORD_BYTES, MIN_RETENTION_MS, recordBytes } from '../../core/namespace/record.ts';
import type { NamespaceAsk } from '../../ports/namespaces.ts';
import { NamespaceState } from '../../wire/enums.ts';
import type {
  DeleteNamespaceRequest,
  DeleteNamespaceResponse,
  DescribeNamespaceRequest,
  ListNamespacesRequest,
  ListNamespacesResponse,
  NamespaceDescription,
  NamespaceRecord,
  RegisterNamespaceRequest,
  UpdateNamespaceRequest,
} from '../../wire/namespace.ts';
import { StatusCode } from '../../wire/status.ts';
import { aliasesOf } from '../attribute-names.ts';
import { type Call, type Caller, method, type NamespaceInfo, type Services } from '../door.ts';
import { namespaceNotFound, partlyDone, permissionDenied } from '../statuses.ts';
import { bytes, defaulted, integer, invalid, object, optional, Refused, record, string } from '../validate/check.ts';
import * as rules from '../validate/rules.ts';
import { checkName } from './search-attributes.ts';

const EMPTY = Object.freeze({});
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;
/** Nothing that would not be seen in a log or a terminal; in paths of the HTTP API the rest is encoded. */
const NAME = /^(?=.*\S)[^\p{C}\p{Zl}\p{Zp}]{1,200}$/u;
/** Names that servers of this protocol use for themselves. */
const OWN_PREFIX = 'temporal-system';

const description = (record: NamespaceRecord): NamespaceDescription => {
  const { name, id, retention, state, description, ownerEmail, data, registeredTime } = record;
  return { name, id, workflowExecutionRetentionTtl: retention, state, description, ownerEmail, data, registeredTime };
};

function operator(caller: Caller): void {
  if (caller.administration === 'allowed') return;
  throw new Refused(permissionDenied('namespaces are changed by operators: it takes a token of theirs'));
}

/** The one that is meant, for an operator or who may use it. */
function found(services: Services, caller: Caller, name: string, id: string): NamespaceInfo {
  if (name !== '') return rules.namespace(services, rules.orOperator(caller), name);
  if (id === '') throw invalid('Namespace is empty.');
  for (const info of services.namespaces.values())
    if (info.id === id && rules.orOperator(caller).mayUse(info.name)) return info;
  throw new Refused(namespaceNotFound(id));
}

function checkRetention(ms: number | undefined): void {
  if (ms === undefined || ms >= MIN_RETENTION_MS) return;
  throw invalid('A minimal retention of 1 h is required.');
}

function checkBytes(record: NamespaceRecord): void {
  if (recordBytes(record) <= MAX_RECORD_BYTES) return;
  throw invalid(
    `Description, owner and data of namespace ${record.name} are more than ${MAX_RECORD_BYTES} bytes together.`,
  );
}

/** What a node's configuration says of it, if it was not registered. */
const baseOf = ({ origin, ...record }: NamespaceInfo): NamespaceRecord | undefined =>
  origin === 'configured' ? record : undefined;

/** Whom a refusal is told. */
type Told = Pick<Call, 'refuse'>;

/** Of a request whose first step is done. */
const afterFirst = (call: Call): Told => ({ refuse: (status) => call.refuse(partlyDone(status)) });

function tell(services: Services, asked: NamespaceAsk, call: Call, reply: (record: NamespaceRecord) => object): void {
  change(services, asked, call, (record) => call.reply(reply(record)));
}

function change(services: Services, asked: NamespaceAsk, call: Told, go: (record: NamespaceRecord) => void): void {
  services.engine.namespaces(asked, (error, answer) => {
    const record = answer?.records?.[0];
    if (record === undefined) {
      if (error !== undefined) call.refuse(error);
      return;
    }
    services.directory.learn(record);
    go(record);
  });
}

export const registerNamespace = method(
  object<RegisterNamespaceRequest>({
    namespace: defaulted(string, ''),
    description: optional(string),
    ownerEmail: optional(string),
    data: optional(record(string)),
    workflowExecutionRetentionPeriod: optional(integer),
  }),
  (services, caller, request, call) => {
    operator(caller);
    const { namespace: name, workflowExecutionRetentionPeriod: retention } = request;
    if (name === '') throw invalid('Namespace is empty.');
    if (!NAME.test(name) || name.startsWith(OWN_PREFIX)) {
      throw invalid(
        `Invalid namespace name ${JSON.stringify(name.slice(0, 220))}: up to 200 characters that can be seen, not beginning with ${OWN_PREFIX}.`,
      );
    }
    if (retention === undefined) throw invalid('Namespace retention is not set on request.');
    checkRetention(retention);
    if (services.namespaces.get(name)?.origin === 'configured') {
      const message = `Namespace ${name} already exists.`;
      throw new Refused({ code: StatusCode.ALREADY_EXISTS, message, detail: { kind: 'NamespaceAlreadyExists' } });
    }
    const registered: NamespaceRecord = {
      ...{ name, id: services.random.uuid(), state: NamespaceState.REGISTERED, retention },
      ...{ description: request.description ?? '', ownerEmail: request.ownerEmail ?? '', data: request.data ?? {} },
    };
    checkBytes(registered);
    tell(services, { type: 'register', record: registered }, call, () => EMPTY);
  },
);

export const describeNamespace = method(
  object<DescribeNamespaceRequest>({ namespace: optional(string), id: optional(string) }),
  (services, caller, { namespace = '', id = '' }, call) =>
    withAliases(services, description(found(services, caller, namespace, id)), call),
);

/** A worker asks for this before anything else: where nobody knows the attributes now, it is told the rest. */
function withAliases(services: Services, described: NamespaceDescription, call: Call): void {
  services.attributes.fresh(described.name, (_error, types) => {
    call.reply({ ...described, ...(types.size > 0 && { customSearchAttributeAliases: aliasesOf(types) }) });
  });
}

/** Search attributes get other names, before anything else of an update is done: it may be refused. */
function renamed(services: Services, namespace: string, aliases: Record<string, string>, call: Call, go: () => void) {
  if (Object.keys(aliases).length === 0) {
    go();
    return;
  }
  for (const name of Object.values(aliases)) if (name !== '') checkName(name);
  if (services.reference === undefined) rename(services, namespace, aliases, call, go);
  else
    services.attributes.lookUp(namespace, (error, types) => {
      if (error !== undefined) {
        call.refuse(error);
        return;
      }
      // A name that is there already is left as it is, as when it is registered again.
      const free = Object.entries(aliases).filter(([, name]) => !types.has(name));
      if (free.length === 0) go();
      else rename(services, namespace, Object.fromEntries(free), call, go);
    });
}

function rename(services: Services, namespace: string, aliases: Record<string, string>, call: Call, go: () => void) {
  services.engine.changeSearchAttributes(namespace, { add: {}, remove: [], rename: aliases }, (error, registered) => {
    if (registered === undefined) {
      if (error !== undefined) call.refuse(error);
      return;
    }
    services.attributes.learn(namespace, registered);
    go();
  });
}

export const listNamespaces = method(
  object<ListNamespacesRequest>({ pageSize: optional(integer), nextPageToken: optional(bytes) }),
  (services, caller, { pageSize = 0, nextPageToken }, call) => {
    if (pageSize < 0) throw invalid('PageSize cannot be negative.');
    const after = nextPageToken === undefined ? '' : Buffer.from(nextPageToken).toString('utf8');
    const { mayUse } = rules.orOperator(caller);
    // What was registered elsewhere a moment ago is in the list.
    services.directory.lookAgain(() => {
      const all = [...services.namespaces.values()].filter(({ name }) => name > after && mayUse(name));
      const page = all
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .slice(0, Math.min(pageSize || DEFAULT_PAGE, MAX_PAGE));
      const last = page.at(-1);
      const more = last !== undefined && page.length < all.length;
      call.reply({
        namespaces: page.map(description),
        nextPageToken: more ? Buffer.from(last.name) : undefined,
      } satisfies ListNamespacesResponse);
    });
  },
);

export const updateNamespace = method(
  object<UpdateNamespaceRequest>({
    namespace: defaulted(string, ''),
    updateInfo: optional(
      object<NonNullable<UpdateNamespaceRequest['updateInfo']>>({
        description: optional(string),
        ownerEmail: optional(string),
        data: optional(record(string)),
      }),
    ),
    config: optional(
      object<NonNullable<UpdateNamespaceRequest['config']>>({
        workflowExecutionRetentionTtl: optional(integer),
        customSearchAttributeAliases: optional(record(string)),
      }),
    ),
  }),
  (services, caller, { namespace, updateInfo = {}, config = {} }, call) => {
    const { workflowExecutionRetentionTtl: retention, customSearchAttributeAliases: aliases = {} } = config;
    const wanted = { ...updateInfo, retention };
    // As for who registers and removes attributes; nothing of the namespace's own record changes.
    const isNamesAlone = Object.keys(aliases).length > 0 && Object.values(wanted).every((value) => value === undefined);
    if (!isNamesAlone) operator(caller);
    const info = found(services, caller, namespace, '');
    checkRetention(retention);
    checkBytes(changed(info, wanted));
    renamed(services, info.name, aliases, call, () => {
      if (isNamesAlone) {
        withAliases(services, description(info), call);
        return;
      }
      const asked = { type: 'update', name: info.name, change: wanted, base: baseOf(info) } as const;
      const renamedSome = Object.keys(aliases).length > 0;
      const told = renamedSome ? afterFirst(call) : call;
      change(services, asked, told, (record) => withAliases(services, description(record), call));
    });
  },
);

export const deprecateNamespace = method(
  object<{ namespace: string }>({ namespace: defaulted(string, '') }),
  (services, caller, { namespace }, call) => {
    operator(caller);
    const info = found(services, caller, namespace, '');
    tell(services, { type: 'deprecate', name: info.name, base: baseOf(info) }, call, () => EMPTY);
  },
);

export const deleteNamespace = method(
  object<DeleteNamespaceRequest>({ namespace: optional(string), namespaceId: optional(string) }),
  (services, caller, { namespace = '', namespaceId = '' }, call) => {
    operator(caller);
    if (namespace !== '' && namespaceId !== '')
      throw invalid('Only one of namespace name or Id should be set on request.');
    const info = found(services, caller, namespace, namespaceId);
    if (info.origin === 'configured') {
      throw new Refused({
        code: StatusCode.FAILED_PRECONDITION,
        message: `Namespace ${info.name} is in this server's configuration: take it out there, it is there again after every start.`,
      });
    }
    tell(services, { type: 'delete', name: info.name }, call, ({ name }): DeleteNamespaceResponse => {
      return { deletedNamespace: name };
    });
  },
);
