// A headless Chromium, as far as a look at pages needs one: it goes to a page, waits until something is there, and knows what went wrong on the way.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update', '--window-size=1400,1000'],
  ...['--remote-debugging-port=0', '--remote-debugging-address=127.0.0.1'],
];
/** A page that has not come to what is waited for by then does not, ms. */
const PATIENCE_MS = 20_000;
const LOOK_EVERY_MS = 100;

interface Message {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { message: string };
}

export class Browser {
  readonly #child: ChildProcess;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #last = 0;
  /** What went wrong since it was last asked: exceptions of pages, and requests that were answered with an error. */
  #troubles: string[] = [];

  private constructor(child: ChildProcess, socket: WebSocket) {
    this.#child = child;
    this.#socket = socket;
    socket.on('message', (data) => this.#take(JSON.parse(String(data)) as Message));
  }

  /** `folder` is its own, and empty. */
  static async open(program: string, folder: string): Promise<Browser> {
    const child = spawn(program, [...FLAGS, `--user-data-dir=${folder}`], { stdio: ['ignore', 'ignore', 'pipe'] });
    process.once('exit', () => child.kill('SIGKILL'));
    const port = await debuggingPort(child);
    const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
      type: string;
      webSocketDebuggerUrl: string;
    }[];
    const page = targets.find(({ type }) => type === 'page');
    if (page === undefined) throw new Error('the browser has no page');
    const socket = new WebSocket(page.webSocketDebuggerUrl);
    await once(socket, 'open');
    const browser = new Browser(child, socket);
    for (const domain of ['Page', 'Runtime', 'Network']) await browser.#call(`${domain}.enable`, {});
    return browser;
  }

  async goTo(url: string): Promise<void> {
    await this.#call('Page.navigate', { url });
  }

  /** The value of an expression there. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#call('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined)
      throw new Error(`${expression}: ${JSON.stringify(exceptionDetails).slice(0, 500)}`);
    return (result as { value?: unknown } | undefined)?.value;
  }

  /** Resolves with false when it never is. A page that is being replaced has nothing. */
  async waitUntil(expression: string): Promise<boolean> {
    const until = performance.now() + PATIENCE_MS;
    while (performance.now() < until) {
      if (await this.evaluate(`Boolean(${expression})`).catch(() => false)) return true;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    return false;
  }

  /** What a person would read. */
  async text(): Promise<string> {
    return String(await this.evaluate('document.body.innerText'));
  }

  takeTroubles(): string[] {
    const troubles = this.#troubles;
    this.#troubles = [];
    return troubles;
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#socket.close();
    this.#child.kill('SIGTERM');
    await ended;
  }

  #call(method: string, params: object): Promise<Record<string, unknown>> {
    this.#last += 1;
    const id = this.#last;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) =>
        error === undefined ? resolve(result ?? {}) : reject(new Error(`${method}: ${error.message}`)),
      );
    });
  }

  #take(message: Message): void {
    if (message.id !== undefined) {
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    } else if (message.method === 'Runtime.exceptionThrown') {
      this.#troubles.push(`exception: ${JSON.stringify(message.params).slice(0, 500)}`);
    } else if (message.method === 'Network.responseReceived') {
      const { response } = message.params as { response: { status: number; url: string } };
      if (response.status >= 400) this.#troubles.push(`${response.status} ${response.url}`);
    }
  }
}

async function debuggingPort(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error('the browser says nothing');
  const lines = createInterface({ input: child.stderr });
  for await (const line of lines) {
    const port = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(line)?.[1];
    if (port === undefined) continue;
    // What it says further on is nobody's business, but must be read.
    child.stderr.resume();
    return port;
  }
  throw new Error('the browser ended before it was ready');
}
