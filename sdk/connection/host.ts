// The few things a connection asks of its host beyond the language, each with an answer for browsers.

interface HostProcess {
  pid?: number;
  env?: Record<string, string | undefined>;
  getBuiltinModule?: (name: string) => unknown;
}

function hostProcess(): HostProcess | undefined {
  // Absent in browsers; typed by hand because this module must compile to code that never touches Node by itself.
  return (globalThis as { process?: HostProcess }).process;
}

/** A Node module, without an import that a browser's bundler would have to resolve. Undefined in browsers and before Node 20.16. */
export function builtinModule<T>(name: string): T | undefined {
  // The caller names the module's type along with its name.
  return hostProcess()?.getBuiltinModule?.(name) as T | undefined;
}

/** A variable of the environment; undefined in browsers, and when it is empty. */
export function environmentVariable(name: string): string | undefined {
  return hostProcess()?.env?.[name] || undefined;
}

/** `pid@hostname`; `browser` where there is no process. */
export function defaultIdentity(): string {
  const pid = hostProcess()?.pid;
  if (pid === undefined) return 'browser';
  const hostname = builtinModule<{ hostname(): string }>('node:os')?.hostname() ?? 'localhost';
  return `${pid}@${hostname}`;
}

/** Keeps the process alive while held; nothing to do in browsers. */
export interface KeepAlive {
  hold(wanted: boolean): void;
  /** Frees the handle for good. */
  dispose(): void;
}

/** 2^31 - 1 ms, the longest a timer can wait: it is there to be held, not to fire. */
const FOREVER_MS = 2 ** 31 - 1;

export function makeKeepAlive(): KeepAlive {
  let timer: { ref?: () => void; unref?: () => void } | undefined;
  let held = false;
  return {
    hold(wanted) {
      if (wanted === held) return;
      held = wanted;
      if (wanted) {
        // A browser's timer is a number and needs no holding.
        timer ??= setInterval(() => {}, FOREVER_MS) as unknown as { ref?: () => void; unref?: () => void };
        timer.ref?.();
      } else timer?.unref?.();
    },
    dispose() {
      // The same value that setInterval returned.
      if (timer !== undefined) clearInterval(timer as unknown as Parameters<typeof clearInterval>[0]);
      timer = undefined;
    },
  };
}
