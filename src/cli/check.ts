// `tenuto server check`: asks a node over HTTP whether it is ready, or alive. For health checks of containers and scripts, where there is
// no curl; what it asks by default is the node that this same environment configures.

import { readFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { msToNumber } from '../../sdk/common/index.ts';
import { CommandError, ExitCode, UsageError } from './exit-codes.ts';

export interface CheckFlags {
  address?: string;
  live?: true;
  tlsCa?: string;
  timeout: string;
}

interface Answer {
  status: number;
  body: string;
}

const DEFAULT_PORT = 7280;
/** Characters of an answer that are looked at: ours are one line. */
const MAX_BODY = 1_000;

/** @throws CommandError when the node is not ready, or does not answer */
export async function check(flags: CheckFlags, environment: NodeJS.ProcessEnv = process.env): Promise<void> {
  const url = urlOf(flags, environment);
  const timeoutMs = msToNumber(flags.timeout);
  let answer: Answer;
  try {
    answer = await get(url, flags.tlsCa, timeoutMs);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(`no answer from ${url.host}: ${why}`, { exitCode: ExitCode.UNAVAILABLE, cause: error });
  }
  const said = answer.body.trim();
  if (answer.status !== 200) throw new CommandError(said === '' ? `${url.host} answered ${answer.status}` : said);
  process.stdout.write(`${said}\n`);
}

function urlOf({ address, live, tlsCa }: CheckFlags, environment: NodeJS.ProcessEnv): URL {
  const tls = Boolean(tlsCa ?? environment.TENUTO_TLS_CERT);
  const where = address ?? ownAddress(environment);
  // The schemes that `--address` of other commands takes mean the same here.
  const scheme = /^(ws|http)(s?):\/\//.exec(where);
  const text = scheme === null ? `${tls ? 'https' : 'http'}://${where}` : where.replace(/^(ws|http)/, 'http');
  if (!URL.canParse(text)) throw new UsageError(`--address ${where}: expected host:port`);
  const url = new URL(text);
  if (scheme === null && !/:\d+$/.test(where)) url.port = String(DEFAULT_PORT);
  url.pathname = live ? '/healthz' : '/readyz';
  return url;
}

function ownAddress({ TENUTO_IP: ip, TENUTO_PORT: port }: NodeJS.ProcessEnv): string {
  const host = !ip || ip === '0.0.0.0' || ip === '::' ? '127.0.0.1' : ip.includes(':') ? `[${ip}]` : ip;
  return `${host}:${port || DEFAULT_PORT}`;
}

function get(url: URL, caFile: string | undefined, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // Beside the node nobody is told anything, and its certificate names how others reach it: checked only against an authority that was given.
    const tls = caFile === undefined ? { rejectUnauthorized: false } : { ca: readFileSync(caFile) };
    const request =
      url.protocol === 'https:'
        ? tlsRequest(url, { timeout: timeoutMs, ...tls })
        : plainRequest(url, { timeout: timeoutMs });
    request.once('timeout', () => request.destroy(new Error(`nothing within ${timeoutMs} ms`)));
    request.once('error', reject);
    request.once('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        if (body.length < MAX_BODY) body += text;
      });
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: body.slice(0, MAX_BODY) }));
    });
    request.end();
  });
}
