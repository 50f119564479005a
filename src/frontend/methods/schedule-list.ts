// Lists and counts of schedules: searched like executions, in an index of their own.

import { scheduleAddress } from '../../core/schedule/address.ts';
import { Effort } from '../../core/schedule/index.ts';
import { listEntry } from '../../core/schedule/view.ts';
import type { ListSchedulesRequest, ListSchedulesResponse } from '../../wire/schedule.ts';
import { method } from '../door.ts';
import { bytes, defaulted, integer, object, optional, string } from '../validate/check.ts';
import * as rules from '../validate/rules.ts';
import { checkQuery, DEFAULT_PAGE, MAX_PAGE, named, withFields } from './visibility.ts';

export const listSchedules = method(
  object<ListSchedulesRequest>({
    namespace: defaulted(string, ''),
    query: optional(string),
    maximumPageSize: optional(integer),
    nextPageToken: optional(bytes),
  }),
  (services, caller, { namespace, query, maximumPageSize: size = 0, nextPageToken }, call) => {
    rules.namespace(services, caller, namespace);
    const pageSize = size <= 0 ? DEFAULT_PAGE : Math.min(size, MAX_PAGE);
    const list = { namespace, query: checkQuery(query ?? ''), of: 'schedules' as const };
    withFields(services, list, call, (attributes) =>
      services.engine.list({ ...list, attributes, pageSize, nextPageToken }, (error, page) => {
        if (error !== undefined) call.refuse(error);
        else if (page !== undefined) {
          const effort = new Effort();
          const entryOf = (info: (typeof page.executions)[0]) =>
            listEntry({ namespace, workflowId: scheduleAddress(info.workflowId) }, info, effort);
          const { nextPageToken: next } = page;
          named(services, namespace, page.executions, (infos) => {
            call.reply({ schedules: infos.map(entryOf), nextPageToken: next } satisfies ListSchedulesResponse);
          });
        }
      }),
    );
  },
);

export const countSchedules = method(
  object<{ namespace: string; query?: string | undefined }>({
    namespace: defaulted(string, ''),
    query: optional(string),
  }),
  (services, caller, { namespace, query }, call) => {
    rules.namespace(services, caller, namespace);
    const counted = { namespace, query: checkQuery(query ?? ''), of: 'schedules' as const };
    withFields(services, counted, call, (attributes) =>
      services.engine.count({ ...counted, attributes }, (error, count) => {
        if (error !== undefined) call.refuse(error);
        else if (count !== undefined) call.reply(count);
      }),
    );
  },
);
