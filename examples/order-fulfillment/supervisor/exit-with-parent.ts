// Preloaded (`node --import`) into every child of the demo, the node included: when the supervisor is gone, however it went, the
// IPC channel closes and the child ends itself, politely first.

const GRACE_MS = 3_000;

if (process.channel) {
  process.once('disconnect', () => {
    setTimeout(() => process.exit(1), GRACE_MS).unref();
    // An exit handler of the child's own gets to run; without one the signal ends the process at once.
    process.kill(process.pid, 'SIGTERM');
  });
  // Listening must not keep a child alive that has nothing else to do.
  process.channel.unref();
}
