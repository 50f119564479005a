// The workflow's metrics: values leave as calls of a sink, and not again on replay.

import { type MetricMeter, type MetricTags, makeMetricMeter } from '../common/metrics.ts';
import { METRICS_SINK } from './activation.ts';
import { composeInterceptors } from './compose.ts';
import { assertInWorkflowContext } from './context.ts';

const USED = 'Workflow metrics';

/** Of the workflow: the worker adds namespace and task queue. */
function workflowTags(): MetricTags {
  const { info, outbound } = assertInWorkflowContext(USED);
  const tags = { workflowType: info.workflowType };
  return outbound.length === 0 ? tags : composeInterceptors(outbound, 'getMetricTags', (given) => given)(tags);
}

/**
 * Makes metrics of the workflow, which the worker's `Runtime` exports. A value is counted when the workflow task that recorded it was done,
 * and not again when the workflow is replayed; a task that is repeated may count twice.
 */
export const metricMeter: MetricMeter = makeMetricMeter((metric, value, tags) => {
  const { info, sinkCalls } = assertInWorkflowContext(USED);
  if (info.unsafe.isReplaying) return;
  sinkCalls.push({ iface: METRICS_SINK, fn: 'record', args: [metric, value, tags], replaying: false });
}, workflowTags);
