// Restate's HTTP doors from the bench's own process: JSON over the Unix sockets of its data directory, which reach into the network namespace.

import { request } from 'node:http';

const PATIENCE_MS = 10_000;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** @param body JSON; none: a GET */
export function ask(socketPath: string, path: string, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath,
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
        timeout: PATIENCE_MS,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.once('error', reject);
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      },
    );
    call.once('timeout', () => call.destroy(new Error(`no answer from ${path} in ${PATIENCE_MS} ms`)));
    call.once('error', reject);
    call.end(body);
  });
}
