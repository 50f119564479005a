// Lists and counts of executions. The grammar of the filter is the engine's (src/core/visibility).

import {
  type AttributeTypes,
  parseQuery,
  QueryError,
  type Schema,
  searchedSchema,
} from '../../core/visibility/index.ts';
import type { RegisteredAttributes } from '../../ports/engine.ts';
import type { WorkflowExecutionInfo } from '../../wire/execution-info.ts';
import type { ListWorkflowExecutionsRequest } from '../../wire/visibility.ts';
import { withNames } from '../attribute-names.ts';
import { type Call, method, type Services } from '../door.ts';
import { bytes, defaulted, integer, invalid, object, optional, string } from '../validate/check.ts';
import * as rules from '../validate/rules.ts';

export const DEFAULT_PAGE = 100;
export const MAX_PAGE = 1_000;
/** Characters of a filter: parsing is linear in it (I9). */
const MAX_QUERY_LENGTH = 64 * 1024;

export function checkQuery(query: string): string {
  if (query.length > MAX_QUERY_LENGTH) throw invalid(`The list filter is longer than ${MAX_QUERY_LENGTH} characters.`);
  return query;
}

/** With the attributes the filter names. */
export function understood(
  services: Services,
  { namespace, query, of }: { namespace: string; query: string; of?: 'schedules' | 'activities' },
  call: Call,
  go: (types: AttributeTypes) => void,
): void {
  services.attributes.with(
    namespace,
    (types) => isUnderstood(query, searchedSchema(of, types)),
    (error, types) => {
      if (error === undefined) go(types);
      else call.refuse(error);
    },
  );
}

/** With them in the request, all nodes understand it alike. */
export function withFields(
  services: Services,
  filter: { namespace: string; query: string; of?: 'schedules' | 'activities' },
  call: Call,
  go: (attributes: RegisteredAttributes) => void,
): void {
  understood(services, filter, call, (types) => go(Object.fromEntries(types)));
}

/** Whether every field it names is one; what else may be wrong with it, the engine says. */
function isUnderstood(query: string, schema: Schema): boolean {
  let missing = false;
  try {
    parseQuery(query, (name) => {
      const field = schema(name);
      missing ||= field === undefined;
      return field;
    });
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
  }
  return !missing;
}

/** With the names that their attributes have now. */
export function named(
  services: Services,
  namespace: string,
  executions: WorkflowExecutionInfo[],
  go: (executions: WorkflowExecutionInfo[]) => void,
): void {
  const shown = executions.map(({ searchAttributes }) => searchAttributes);
  withNames(services, namespace, shown, (naming) =>
    go(executions.map((info) => ({ ...info, searchAttributes: naming(info.searchAttributes) }))),
  );
}

export const listWorkflowExecutions = method(
  object<ListWorkflowExecutionsRequest>({
    namespace: defaulted(string, ''),
    query: optional(string),
    pageSize: optional(integer),
    nextPageToken: optional(bytes),
  }),
  (services, caller, request, call) => {
    rules.namespace(services, caller, request.namespace);
    const pageSize = request.pageSize ?? DEFAULT_PAGE;
    if (pageSize < 0) throw invalid('PageSize cannot be negative.');
    const list = {
      namespace: request.namespace,
      query: checkQuery(request.query ?? ''),
      pageSize: Math.min(pageSize === 0 ? DEFAULT_PAGE : pageSize, MAX_PAGE),
      nextPageToken: request.nextPageToken,
    };
    withFields(services, list, call, (attributes) =>
      services.engine.list({ ...list, attributes }, (error, page) => {
        if (error !== undefined) call.refuse(error);
        else if (page !== undefined)
          named(services, list.namespace, page.executions, (executions) => call.reply({ ...page, executions }));
      }),
    );
  },
);

export const countWorkflowExecutions = method(
  object<{ namespace: string; query?: string | undefined }>({
    namespace: defaulted(string, ''),
    query: optional(string),
  }),
  (services, caller, { namespace, query }, call) => {
    rules.namespace(services, caller, namespace);
    const counted = { namespace, query: checkQuery(query ?? '') };
    withFields(services, counted, call, (attributes) =>
      services.engine.count({ ...counted, attributes }, (error, count) => {
        if (error !== undefined) call.refuse(error);
        else if (count !== undefined) call.reply(count);
      }),
    );
  },
);
