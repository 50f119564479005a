// The certificate and key a node's doors speak TLS with. Used by node.ts.

import { readFileSync } from 'node:fs';
import type { TlsFiles } from './config/config.ts';
import { NodeStartError } from './node-errors.ts';

function readPem(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NodeStartError(
      'config',
      `the TLS ${what} cannot be read: ${reason}`,
      'Check tls.certFile, tls.keyFile and tls.clientCaFile.',
    );
  }
}

export interface DoorTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Of the authorities whose certificates clients show; absent: they show none. */
  readonly clientCa: Buffer | undefined;
}

/** Undefined where the doors speak plain text. Throws NodeStartError naming the file that cannot be read. */
export function readTls(tls: TlsFiles | undefined): DoorTls | undefined {
  if (tls === undefined) return undefined;
  const { certFile, keyFile, clientCaFile } = tls;
  const clientCa = clientCaFile === undefined ? undefined : readPem(clientCaFile, 'authority of clients');
  return { cert: readPem(certFile, 'certificate'), key: readPem(keyFile, 'key'), clientCa };
}
