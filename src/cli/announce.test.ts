import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { announce, READY_POLL_MS } from './announce.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function told(reasons: (string | undefined)[]): { lines: string[]; pass(polls: number): void } {
  const lines: string[] = [];
  const notReady = (): string | undefined => (reasons.length > 1 ? reasons.shift() : reasons[0]);
  announce(
    { address: '127.0.0.1:7280', grpcAddress: undefined, notReady },
    'data in ./n1',
    (line) => void lines.push(line),
  );
  return { lines, pass: (polls) => void vi.advanceTimersByTime(polls * READY_POLL_MS) };
}

describe('what a node says on its terminal', () => {
  it('is that it is ready, when it is', () => {
    const { lines, pass } = told([undefined]);
    pass(3);
    expect(lines).toEqual(['Tenuto is ready on 127.0.0.1:7280, data in ./n1. Ctrl-C ends it.\n']);
  });

  it('is that it has no door for gRPC, where another process has the port', () => {
    const lines: string[] = [];
    const node = { address: '127.0.0.1:7280', grpcAddress: undefined, notReady: () => undefined };
    announce(node, 'data in memory', (line) => void lines.push(line), { port: 7233 });
    expect(lines).toEqual([
      'Tenuto is ready on 127.0.0.1:7280, no gRPC as port 7233 is taken (--grpc-port), data in memory. Ctrl-C ends it.\n',
    ]);
  });

  it('is what it waits for, and once that it is ready', () => {
    const { lines, pass } = told(['no ring plan yet', 'no ring plan yet', undefined]);
    expect(lines).toEqual([
      'Tenuto listens on 127.0.0.1:7280, data in ./n1. Not ready: no ring plan yet. Ctrl-C ends it.\n',
    ]);
    pass(1);
    expect(lines).toHaveLength(1);
    pass(5);
    expect(lines.slice(1)).toEqual(['Tenuto is ready on 127.0.0.1:7280, data in ./n1.\n']);
  });
});
