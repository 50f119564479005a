// Opens the client a command works with, and closes it whatever happens.

import { hostname } from 'node:os';
import type { Command } from 'commander';
import { Client, type ClientOptions, Connection } from '../../sdk/client/index.ts';
import { type DataConverter, msToNumber } from '../../sdk/common/index.ts';
import type { CodecFlags } from './codec-endpoint.ts';
import { CommandError, ExitCode } from './exit-codes.ts';
import type { HeaderFlags } from './headers.ts';
import { Output, type OutputOptions } from './output.ts';
import { readingConverter } from './payload-text.ts';
import { type ConnectionFlags, resolveTarget } from './profile.ts';

export interface ClientFlags extends ConnectionFlags, OutputOptions, HeaderFlags, CodecFlags {
  commandTimeout?: string;
}

export interface Session {
  client: Client;
  connection: Connection;
  namespace: string;
  output: Output;
}

const CONNECT_TIMEOUT = '2s';

/** Wraps a command's work: `command.action(withClient(async ({ client, output }, flags) => …))`. */
export function withClient<F extends object>(work: (session: Session, flags: F & ClientFlags) => Promise<void>) {
  return async (flags: F & ClientFlags, _command: Command): Promise<void> => {
    const target = await resolveTarget(flags);
    const output = new Output(flags);
    const dataConverter = await dataConverterOf(target.codec, target.namespace);
    const connection = await Connection.connect({
      address: target.address,
      connectTimeout: CONNECT_TIMEOUT,
      identity: `cli:${process.pid}@${hostname()}`,
      ...(target.token === undefined ? {} : { apiKey: target.token }),
      ...(target.tlsCa === undefined ? {} : { tls: { serverRootCACertificate: target.tlsCa } }),
    });
    try {
      const { namespace } = target;
      const client = new Client({ connection, namespace, dataConverter, ...(await interceptorsOf(flags)) });
      const session = { client, connection, namespace, output };
      await withinTimeout(work(session, flags), flags.commandTimeout);
    } finally {
      await connection.close();
    }
  };
}

/** Only those that are told of headers pay for them. */
async function interceptorsOf(flags: HeaderFlags): Promise<Pick<ClientOptions, 'interceptors'>> {
  if (flags.headers === undefined) return {};
  const { headersOf, sending } = await import('./headers.ts');
  return { interceptors: sending(headersOf(flags)) };
}

/** Only those that name a codec server load what asks it. */
async function dataConverterOf(codec: CodecFlags, namespace: string): Promise<DataConverter> {
  if (Object.values(codec).every((flag) => flag === undefined)) return { payloadConverter: readingConverter };
  const { codecsOf } = await import('./codec-endpoint.ts');
  return { payloadConverter: readingConverter, payloadCodecs: codecsOf(codec, namespace) };
}

async function withinTimeout(work: Promise<void>, timeout: string | undefined): Promise<void> {
  if (timeout === undefined) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const fail = () =>
      reject(new CommandError(`not done within ${timeout} (--command-timeout)`, { exitCode: ExitCode.UNAVAILABLE }));
    timer = setTimeout(fail, msToNumber(timeout));
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
