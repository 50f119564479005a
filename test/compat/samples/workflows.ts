// All that is bundled for the samples' workers.

export * from './converted.ts';
export * from './dsl.ts';
export * from './flows.ts';
export * from './hello.ts';
export { assignNodes, clusterManager, greeting, startCluster, stopCluster, unassignNodes } from './messages.ts';
export * from './mutex.ts';
export * from './nexus.ts';
export * from './queues.ts';
export * from './sinks.ts';
export * from './times.ts';
export * from './versions.ts';
