// `--grpc-port` of the servers that are started for development.

import { wholeNumber } from './whole-number.ts';

/** Without a word of it: its usual port, or any when the other port is any; a taken one is then no reason not to start. */
export function devGrpc(text: string | undefined, port: number): { port?: number; whenTaken?: 'goOn' } | undefined {
  if (text === 'off') return undefined;
  if (text !== undefined) return { port: wholeNumber('--grpc-port', text, 0, 65_535) };
  return port === 0 ? { port: 0 } : { whenTaken: 'goOn' };
}
