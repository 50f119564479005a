import { describe, expect, it } from 'vitest';
import { StatusCode } from '../wire/status.ts';
import { makeExposition } from './exposition.ts';
import { Histogram } from './histogram.ts';
import { createLogger, prettyLine } from './logger.ts';
import { Metrics } from './metrics.ts';

describe('the log', () => {
  const written = (act: (log: ReturnType<typeof createLogger>) => void, isTTY = false): string[] => {
    const lines: string[] = [];
    act(createLogger('info', { write: (line) => lines.push(line), isTTY }));
    return lines;
  };

  it('writes JSON lines with its fields, from its level on', () => {
    const lines = written((log) => {
      log.debug({}, 'quiet');
      log.info({ workflowId: 'w' }, 'loud');
    });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: 30, workflowId: 'w', msg: 'loud' }]);
  });

  it('never writes what might be a payload or a token', () => {
    const [line = ''] = written((log) => log.info({ token: 'secret', input: 'secret' }, 'hello'));
    expect(line).not.toContain('secret');
    expect(JSON.parse(line)).toMatchObject({ token: '[redacted]', input: '[redacted]' });
  });

  it('keeps the stack of an error', () => {
    const [line = ''] = written((log) => log.error({ error: new Error('boom') }, 'failed'));
    expect(JSON.parse(line)).toMatchObject({ err: { message: 'boom', stack: expect.stringContaining('boom') } });
  });

  it('is short for people', () => {
    const [line = ''] = written((log) => log.warn({ port: 1, error: new Error('boom') }, 'careful'), true);
    expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} warn {2}careful port=1 error="boom"\n$/);
    expect(prettyLine('{"level":30,"time":0,"msg":"x"}')).toBe('00:00:00.000 info  x\n');
  });
});

describe('metrics', () => {
  it('count in the bucket a value belongs to', () => {
    const histogram = new Histogram([1, 10]);
    for (const value of [0.5, 1, 5, 100]) histogram.observe(value);
    expect(histogram).toMatchObject({ counts: [2, 1, 1], sum: 106.5, count: 4 });
  });

  it('become Prometheus text', async () => {
    const metrics = new Metrics();
    metrics.callEnded('startWorkflowExecution', StatusCode.OK, 3);
    metrics.callEnded('startWorkflowExecution', StatusCode.ALREADY_EXISTS, 0.2);
    metrics.pushed('activityTask');
    metrics.gauge('tenuto_test', 'A test.', () => [{ labels: { kind: 'a' }, value: 2 }]);
    const exposition = await makeExposition(metrics);
    const text = await exposition.render();
    exposition.close();
    for (const line of [
      'tenuto_requests_total{method="startWorkflowExecution",code="OK"} 1',
      'tenuto_requests_total{method="startWorkflowExecution",code="ALREADY_EXISTS"} 1',
      'tenuto_request_duration_seconds_bucket{le="0.001",method="startWorkflowExecution"} 1',
      'tenuto_request_duration_seconds_bucket{le="0.004",method="startWorkflowExecution"} 2',
      'tenuto_request_duration_seconds_count{method="startWorkflowExecution"} 2',
      'tenuto_pushes_total{topic="activityTask"} 1',
      '# TYPE tenuto_test gauge',
      'tenuto_test{kind="a"} 2',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });

  it('say what the process used before the first scrape, and nothing of the event loop that was not measured', async () => {
    const exposition = await makeExposition(new Metrics());
    const text = await exposition.render();
    const { user, system } = process.cpuUsage();
    exposition.close();
    const value = (name: string): number => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
    expect(value('process_cpu_user_seconds_total')).toBeGreaterThan(0.05);
    expect(value('process_cpu_user_seconds_total')).toBeLessThanOrEqual(user / 1e6);
    expect(value('process_cpu_seconds_total')).toBeLessThanOrEqual((user + system) / 1e6);
    expect(text).not.toMatch(/\bnan\b/i);
    expect(value('nodejs_eventloop_lag_min_seconds')).toBeLessThan(10);
  });
});
