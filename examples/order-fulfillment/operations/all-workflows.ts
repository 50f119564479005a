// What a worker of a chaos run runs: orders, and the workflows that operations are tried on.
export * from '../workflows.ts';
export * from './workflows.ts';
