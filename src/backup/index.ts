// Backups of clusters, and restoring to other sizes. Loaded only where one is made or read.
export { isClusterBackup, readBackupManifest } from './manifest.ts';
export { type RestoreReport, type RestoreWish, restoreDirectory, verifyBackup } from './restore.ts';
export { isReplica, openSource, refuseReplica } from './source.ts';
export { directoryTarget } from './target.ts';
