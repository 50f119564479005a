// The certificate and key a node's doors speak TLS with. Used by node.ts.

import { readFileSync } from 'node:fs';
import { NodeStartError } from './node-errors.ts';

function readPem(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NodeStartError(
      'config',
      `the TLS ${what} cannot be read: ${reason}`,
      'Check tls.certFile and tls.keyFile.',
    );
  }
}

/** Undefined where the doors speak plain text. Throws NodeStartError naming the file that cannot be read. */
export function readTls(
  tls: { readonly certFile: string; readonly keyFile: string } | undefined,
): { cert: Buffer; key: Buffer } | undefined {
  return tls && { cert: readPem(tls.certFile, 'certificate'), key: readPem(tls.keyFile, 'key') };
}
