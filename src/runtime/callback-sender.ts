// Calls callbacks over HTTP: the adapter of ports/callbacks.ts. Calls allowed addresses only, follows no redirect, reads no more of an answer than
// its status, and signs what it sends, so that who is called can tell it from anyone else's request. Wired by node.ts.

import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { CallbackRules } from '../core/nexus/callback-rules.ts';
import type { CallbackAnswer, CallbackRequest, CallbackSender } from '../ports/callbacks.ts';
import type { Clock } from '../ports/clock.ts';

export interface SenderOptions {
  rules: CallbackRules;
  /** Each signs: while one is changed for another, both do. None: requests are not signed. */
  secrets: readonly string[];
  clock: Pick<Clock, 'now'>;
}

/** Statuses that may be others the next time, besides those of a server's fault. */
const LATER: ReadonlySet<number> = new Set([408, 429]);
/** Longest part of an error's text that is kept. */
const MAX_TEXT = 200;

/** `t=` seconds, and for each secret `v1=` hex of HMAC-SHA256 over the seconds, a dot and the body. */
export function signatureOf(secrets: readonly string[], seconds: number, body: Uint8Array): string {
  const signatures = secrets.map((secret) =>
    createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex'),
  );
  return [`t=${seconds}`, ...signatures.map((hex) => `v1=${hex}`)].join(',');
}

export function makeCallbackSender({ rules, secrets, clock }: SenderOptions): CallbackSender {
  return {
    send(asked, done) {
      const problem = rules.urlProblem(asked.url);
      if (problem !== undefined) {
        queueMicrotask(() => done({ failure: { message: problem, retryable: false } }));
        return;
      }
      const seconds = Math.floor(clock.now() / 1_000);
      const signed = secrets.length === 0 ? {} : { 'tenuto-signature': signatureOf(secrets, seconds, asked.body) };
      post(asked, signed, done);
    },
  };
}

function post(asked: CallbackRequest, signed: Record<string, string>, done: (answer: CallbackAnswer) => void): void {
  const { url, headers, body, callbackId, attempt, timeoutMs } = asked;
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  let isOver = false;
  const settle = (answer: CallbackAnswer): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    outgoing.destroy();
    done(answer);
  };
  const outgoing = send(url, {
    method: 'POST',
    headers: {
      ...headers,
      ...signed,
      'tenuto-callback-id': encodeURIComponent(callbackId),
      'tenuto-callback-attempt': String(attempt),
      'content-length': body.length,
    },
  });
  // The whole of it: connecting, sending and the answer's head.
  const timer = setTimeout(() => settle(failed(`no answer within ${timeoutMs} ms`, true)), timeoutMs);
  timer.unref();
  outgoing.on('response', (response) => settle(verdict(response.statusCode ?? 0)));
  outgoing.on('error', (error) => settle(failed(error.message, true)));
  outgoing.end(body);
}

const failed = (message: string, retryable: boolean): CallbackAnswer => ({
  failure: { message: message.slice(0, MAX_TEXT), retryable },
});

function verdict(status: number): CallbackAnswer {
  if (status >= 200 && status < 300) return {};
  return failed(`answered with status ${status}`, status >= 500 || LATER.has(status));
}
