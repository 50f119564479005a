// docs/reference/grpc.md is made from the tables of this folder (`npx vitest run -u` here writes it), and the tables hold every method of the API.

import { describe, expect, it } from 'vitest';
import { apiService } from '../proto/descriptors.ts';
import { implemented, services } from './index.ts';
import { missing } from './missing.ts';

const HEAD = `# The gRPC door, method by method

What each method of the Temporal API does here. This page is made from the code (\`src/frontend/grpc/methods\`); do not edit it.

- **implemented**: as on a Temporal server; \`../guides/temporal-clients.md\` says where it differs on purpose.
- **refused**: answered with an error, as a Temporal server answers it.

\`grpc.health.v1.Health\` and server reflection (v1, v1alpha) are there too, and with \`--time-skipping\` the test service. Capabilities that are not here are not advertised.
`;

const short = (service: string): string => service.slice(service.lastIndexOf('.') + 1);

/** Columns as wide as what is in them: as the formatter has them. */
function table(rows: readonly (readonly [string, string])[]): string {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const [head = ['', ''], ...rest] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rest.map(line)].join('');
}

function page(): string {
  let text = HEAD;
  for (const [service, methods] of services) {
    const done = implemented.get(service) ?? new Set();
    text += `\n## ${short(service)}\n\n${done.size} of ${methods.size} methods are implemented.\n\n`;
    const rows = apiService(service).methodsArray.map(({ name }): [string, string] => {
      const why = missing[service]?.[name];
      return [name, done.has(name) ? 'implemented' : `refused: ${why?.reason ?? ''}`];
    });
    text += table([['method', 'state'], ...rows]);
  }
  return text;
}

describe.each([...services])('%s', (service, methods) => {
  it('has every method of the API, and no other', () => {
    const theirs = apiService(service).methodsArray.map(({ name }) => name);
    expect([...methods.keys()].sort()).toEqual([...theirs].sort());
  });
});

it('is documented as it is', async () => {
  await expect(page()).toMatchFileSnapshot('../../../../docs/reference/grpc.md');
});
