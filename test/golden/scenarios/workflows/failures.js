// A failure as a workflow sees it, as JSON.
const FIELDS = [
  'type',
  'nonRetryable',
  'category',
  'details',
  'timeoutType',
  'lastHeartbeatDetails',
  'retryState',
  'activityType',
  'activityId',
  'workflowType',
  'workflowId',
];

export function describeFailure(err) {
  const out = { name: err.name, message: err.message };
  for (const field of FIELDS) if (err[field] !== undefined && err[field] !== null) out[field] = err[field];
  if (err.cause) out.cause = describeFailure(err.cause);
  return out;
}

/** `{ result }` or `{ error }` of a function that returns a promise. */
export async function attempt(fn) {
  try {
    return { result: await fn() };
  } catch (err) {
    return { error: describeFailure(err) };
  }
}
