// Keys of stored payloads: `w/NAMESPACE/WORKFLOW-ID/UUID`, so that whoever looks after a store sees whose they are. Only lower-case letters,
// digits, '-', '_', '%' and '/' occur, so that a key is a safe path on every file system, whatever an id is made of.

import { encodeUtf8 } from '../common/utf8.ts';

/** The workflow whose history has the references. */
export interface Owner {
  namespace: string;
  workflowId: string;
}

/** Names of files may have 255 bytes. */
const SEGMENT_LENGTH = 200;
const KEY = /^[a-z0-9%_-]+(?:\/[a-z0-9%_-]+)*$/;
const UNOWNED = 'unowned';
/** Begins each part of a name, so that none is empty. */
const PART = '_';

function escaped(name: string): string {
  let text = '';
  for (const byte of encodeUtf8(name)) {
    const plain = (byte >= 97 && byte <= 122) || (byte >= 48 && byte <= 57) || byte === 45;
    text += plain ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A key that was never used and never will be again: what is deleted under it is nobody else's. */
export function newKey(owner: Owner | undefined): string {
  const unique = globalThis.crypto.randomUUID();
  if (owner === undefined) return `${UNOWNED}/${unique}`;
  const id = escaped(owner.workflowId);
  const parts: string[] = [];
  for (let at = 0; at < id.length || at === 0; at += SEGMENT_LENGTH)
    parts.push(PART + id.slice(at, at + SEGMENT_LENGTH));
  return ['w', PART + escaped(owner.namespace), ...parts, unique].join('/');
}

/** Claims come from histories: only what {@link newKey} could have made is looked up. */
export function isKey(key: string): boolean {
  return KEY.test(key);
}

/** Undefined for a key without an owner, or one that is not ours. */
export function ownerOfKey(key: string): Owner | undefined {
  const [kind, namespace, ...rest] = key.split('/');
  const parts = rest.slice(0, -1);
  if (kind !== 'w' || namespace === undefined || parts.length === 0) return undefined;
  if (![namespace, ...parts].every((part) => part.startsWith(PART))) return undefined;
  const name = unescaped(namespace.slice(PART.length));
  const workflowId = unescaped(parts.map((part) => part.slice(PART.length)).join(''));
  return name === undefined || workflowId === undefined ? undefined : { namespace: name, workflowId };
}
