// A server, and the workers of the samples on it: plain ones, and ones with a converter, a codec and tracing of their own.

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { context, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryActivityOutboundInterceptor,
  OpenTelemetryWorkflowClientInterceptor,
} from '@temporalio/interceptors-opentelemetry';
import {
  bundleWorkflowCode,
  type InjectedSinks,
  NativeConnection,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import { build } from 'esbuild';
import { Server } from 'tenuto/server';
import { addressOf } from '../grpc-door.ts';
import { createActivities } from './activities.ts';
import * as convertedActivities from './converted-activities.ts';
import { EncryptionCodec } from './encryption-codec.ts';
import { ENDPOINT } from './nexus.ts';
import { helloHandler } from './nexus-handler.ts';
import type { AlertSinks } from './sinks.ts';
import '../runtime.ts';

export const QUEUE = 'samples';
export const CONVERTED_QUEUE = 'converted';
export const NEXUS_QUEUE = 'nexus';
export const MACHINE_QUEUE = `machine-${randomUUID()}`;

export const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** What a team's build does with modules that are loaded by their paths: JavaScript, here in a folder of the project. */
async function compiled(...files: string[]): Promise<string> {
  const outdir = await mkdtemp(join(process.cwd(), 'dist', 'converters-'));
  await build({
    entryPoints: files.map(here),
    ...{ outdir, bundle: true, packages: 'external', format: 'esm', platform: 'node', outExtension: { '.js': '.mjs' } },
  });
  return outdir;
}

export const spans = new InMemorySpanExporter();
const processor = new SimpleSpanProcessor(spans);
const resource = resourceFromAttributes({ 'service.name': 'samples' });
const provider = new NodeTracerProvider({ resource, spanProcessors: [processor] });

export const alerts: string[] = [];
const sinks: InjectedSinks<AlertSinks> = {
  alerter: {
    alert: {
      fn: ({ workflowType }, message) => void alerts.push(`${workflowType}: ${message}`),
      callDuringReplay: false,
    },
  },
};

export class SamplesWorld {
  readonly address: string;
  readonly connection: Connection;
  readonly native: NativeConnection;
  readonly client: Client;
  /** With converter, codec and tracing. */
  readonly converting: Client;
  /** Of all workflows without a converter. */
  readonly bundle: { code: string };
  readonly #server: Server;
  readonly #folder: string;
  readonly #running: { worker: Worker; done: Promise<void> }[] = [];

  private constructor(
    server: Server,
    connection: Connection,
    native: NativeConnection,
    bundle: { code: string },
    dataConverter: DataConverter,
    folder: string,
  ) {
    this.#server = server;
    this.#folder = folder;
    this.address = addressOf(server);
    this.connection = connection;
    this.native = native;
    this.bundle = bundle;
    this.client = new Client({ connection });
    this.converting = new Client({
      connection,
      dataConverter,
      interceptors: { workflow: [new OpenTelemetryWorkflowClientInterceptor()] },
    });
  }

  static async open(): Promise<SamplesWorld> {
    provider.register();
    const server = await Server.create({ port: 0, grpcPort: 0, logLevel: 'error' });
    const address = addressOf(server);
    const { connectionOptions } = loadClientConnectConfig({
      disableFile: true,
      overrideEnvVars: { TEMPORAL_ADDRESS: address, TENUTO_ADDRESS: address },
    });
    const connection = await Connection.connect(connectionOptions);
    const native = await NativeConnection.connect(connectionOptions);
    const { operatorService } = connection;
    await operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: { City: 2 } });
    await operatorService.createNexusEndpoint({
      spec: { name: ENDPOINT, target: { worker: { namespace: 'default', taskQueue: NEXUS_QUEUE } } },
    });
    const workflowsPath = here('workflows.ts');
    const folder = await compiled('payload-converter.ts', 'failure-converter.ts');
    const dataConverter: DataConverter = {
      payloadConverterPath: join(folder, 'payload-converter.mjs'),
      failureConverterPath: join(folder, 'failure-converter.mjs'),
      payloadCodecs: [new EncryptionCodec('samples-key')],
    };
    const bundle = await bundleWorkflowCode({ workflowsPath });
    const converted = await bundleWorkflowCode({
      workflowsPath,
      payloadConverterPath: join(folder, 'payload-converter.mjs'),
      failureConverterPath: join(folder, 'failure-converter.mjs'),
      workflowInterceptorModules: [here('tracing.ts')],
    });
    const world = new SamplesWorld(server, connection, native, bundle, dataConverter, folder);
    const activities = createActivities({ get: async (key) => `${key} from the database` });
    await world.work({
      ...{ taskQueue: QUEUE, workflowBundle: bundle, activities, sinks },
      // A cancellation is heard of with a heartbeat.
      maxHeartbeatThrottleInterval: '200 milliseconds',
    });
    await world.work({ taskQueue: NEXUS_QUEUE, workflowBundle: bundle, nexusServices: [helloHandler] });
    await world.work({
      taskQueue: CONVERTED_QUEUE,
      workflowBundle: converted,
      activities: convertedActivities,
      dataConverter,
      // Whichever version of OpenTelemetry the package was typed with.
      sinks: { exporter: makeWorkflowExporter(processor as never, resource as never) },
      interceptors: {
        activity: [
          (context) => ({
            inbound: new OpenTelemetryActivityInboundInterceptor(context),
            outbound: new OpenTelemetryActivityOutboundInterceptor(context),
          }),
        ],
      },
    });
    return world;
  }

  /** One more worker, until the end. */
  async work(options: WorkerOptions): Promise<void> {
    const worker = await Worker.create({ connection: this.native, ...options });
    this.#running.push({ worker, done: worker.run() });
  }

  async close(): Promise<void> {
    for (const { worker } of this.#running) worker.shutdown();
    await Promise.all(this.#running.map(({ done }) => done));
    await this.connection.close();
    await this.native.close();
    await this.#server.close();
    await rm(this.#folder, { recursive: true });
    await provider.shutdown();
    trace.disable();
    context.disable();
  }
}
