// Restate's side of a client process: its HTTP ingress, on the Unix socket that reaches into the server's network namespace. The id of a workflow is
// the idempotency key, so that a request that is repeated runs once, as with the systems beside it.

import { Agent, request } from 'node:http';

/** @param settings `{ socketPath }` */
export async function connect({ socketPath }) {
  const agent = new Agent({ keepAlive: true });
  return {
    execute: ({ kind, id, input }) =>
      post({ agent, socketPath, path: `/workflows/${kind}`, id }, JSON.stringify(input)),
    close: async () => agent.destroy(),
  };
}

function post({ agent, socketPath, path, id }, body) {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'idempotency-key': id,
    };
    const call = request({ agent, socketPath, path, method: 'POST', headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`Restate answered ${response.statusCode} for ${id}: ${text.slice(0, 500)}`));
      });
    });
    call.once('error', reject);
    call.end(body);
  });
}
