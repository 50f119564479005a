// Continue-as-new: ends the run and starts the next one of the same workflow id with a fresh history.

import type { ContinueAsNewWorkflowExecutionCommandAttributes } from '../../src/wire/command.ts';
import type { EventGroupMarker } from '../../src/wire/common.ts';
import type { UntypedWorkflow, Workflow } from '../common/interfaces.ts';
import { mapToPayloads, toPayloadsMessage } from '../common/payload-converter.ts';
import { encodeUnifiedSearchAttributes } from '../common/search-attributes.ts';
import { durationOption } from '../common/time.ts';
import { markErrorClass } from '../common/type-helpers.ts';
import { encodeInitialVersioningBehavior } from '../common/worker-deployments.ts';
import { headerOf } from './activities.ts';
import { composeInterceptors } from './compose.ts';
import { assertInWorkflowContext } from './context.ts';
import { markersOf } from './event-groups.ts';
import type { ContinueAsNewInput } from './interceptors.ts';
import type { ContinueAsNewOptions } from './interfaces.ts';

/** Thrown by {@link continueAsNew}: let it leave the workflow function. */
export class ContinueAsNew extends Error {
  /** @internal */
  readonly command: ContinueAsNewWorkflowExecutionCommandAttributes;

  /** Groups that its event belongs to. */
  readonly eventGroupMarkers: EventGroupMarker[] | undefined;

  constructor(command: ContinueAsNewWorkflowExecutionCommandAttributes, eventGroupMarkers?: EventGroupMarker[]) {
    super('Workflow continued as new');
    this.command = command;
    this.eventGroupMarkers = eventGroupMarkers;
  }

  static {
    markErrorClass(ContinueAsNew, 'ContinueAsNew');
  }
}

/** A function that continues the workflow as new with `options`; call it with the next run's arguments. It always throws. */
export function makeContinueAsNewFunc<F extends Workflow = UntypedWorkflow>(
  options?: ContinueAsNewOptions,
): (...args: Parameters<F>) => Promise<never> {
  const activator = assertInWorkflowContext('makeContinueAsNewFunc()');
  const { info, payloadConverter } = activator;
  const leave = async ({ args, headers, options }: ContinueAsNewInput): Promise<never> => {
    const indexedFields = encodeUnifiedSearchAttributes(options.searchAttributes, options.typedSearchAttributes);
    const taskQueue = options.taskQueue ?? info.taskQueue;
    const command = {
      workflowType: { name: options.workflowType ?? info.workflowType },
      taskQueue: { name: taskQueue },
      inheritBuildId: taskQueue === info.taskQueue ? true : undefined,
      input: toPayloadsMessage(payloadConverter, args),
      header: headerOf(headers),
      workflowRunTimeout: durationOption('workflowRunTimeout', options.workflowRunTimeout),
      workflowTaskTimeout: durationOption('workflowTaskTimeout', options.workflowTaskTimeout),
      backoffStartInterval: durationOption('backoffStartInterval', options.backoffStartInterval),
      memo: options.memo === undefined ? undefined : { fields: mapToPayloads(payloadConverter, options.memo) },
      searchAttributes: Object.keys(indexedFields).length === 0 ? undefined : { indexedFields },
      initialVersioningBehavior: encodeInitialVersioningBehavior(options.initialVersioningBehavior),
    };
    throw new ContinueAsNew(command, markersOf(options.eventGroups));
  };
  return (...args) => {
    const input = {
      args,
      headers: {},
      options: { ...options, workflowType: options?.workflowType ?? info.workflowType },
    };
    return composeInterceptors(activator.outbound, 'continueAsNew', leave)(input);
  };
}

/** Continues the workflow as new with the same options. It always throws. */
export function continueAsNew<F extends Workflow = UntypedWorkflow>(...args: Parameters<F>): Promise<never> {
  return makeContinueAsNewFunc<F>()(...args);
}
