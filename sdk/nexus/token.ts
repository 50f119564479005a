// What an operation is named by that is a workflow's run: its namespace and id, as the official SDKs write it.

import { isRecord } from '../common/type-helpers.ts';
import { decodeUtf8, encodeUtf8 } from '../common/utf8.ts';

const WORKFLOW_RUN = 1;

export function workflowRunToken(namespace: string, workflowId: string): string {
  let text = '';
  for (const byte of encodeUtf8(JSON.stringify({ t: WORKFLOW_RUN, ns: namespace, wid: workflowId }))) {
    text += String.fromCharCode(byte);
  }
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** @throws TypeError for what names no workflow. */
export function readWorkflowRunToken(token: string): { namespace: string; workflowId: string } {
  let value: unknown;
  try {
    const text = atob(token.replaceAll('-', '+').replaceAll('_', '/'));
    value = JSON.parse(decodeUtf8(Uint8Array.from(text, (unit) => unit.charCodeAt(0))));
  } catch {
    throw new TypeError('Invalid operation token: it cannot be read');
  }
  if (!isRecord(value) || value.t !== WORKFLOW_RUN || typeof value.ns !== 'string' || typeof value.wid !== 'string') {
    throw new TypeError('Invalid operation token: it names no workflow');
  }
  return { namespace: value.ns, workflowId: value.wid };
}
