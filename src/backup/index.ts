// Backups of clusters, and restoring to other sizes. Loaded only where one is made or read.
export { isClusterBackup } from './manifest.ts';
export { type RestoreReport, restore } from './restore.ts';
export { openSource, refuseReplica } from './source.ts';
export { directoryTarget } from './target.ts';
