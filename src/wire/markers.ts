// Markers that mean something to both sides.

/** State that a workflow publishes: its details are payloads by key, one each. */
export const STATE_MARKER = 'tenuto_state';
