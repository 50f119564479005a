// Preloaded with `node --import` into a real worker process: kills it with SIGKILL at an exact message of its connection.
//   TENUTO_TEST_CRASH=before:7   just before its 7th message is sent
//   TENUTO_TEST_CRASH=after:7    just after it has left
//   TENUTO_TEST_CRASH=receive:7  when the 7th message has come in, before anyone reads it
import { createRequire } from 'node:module';

const [when, at] = (process.env.TENUTO_TEST_CRASH ?? ':').split(':');
const WebSocket = createRequire(import.meta.url)('ws');
const { send, emit } = WebSocket.prototype;
const die = () => process.kill(process.pid, 'SIGKILL');
let sent = 0;
let received = 0;

WebSocket.prototype.send = function patchedSend(...args) {
  sent += 1;
  if (when === 'before' && sent === Number(at)) die();
  const result = send.apply(this, args);
  // The bytes are handed to the kernel within this tick.
  if (when === 'after' && sent === Number(at)) setImmediate(die);
  return result;
};

WebSocket.prototype.emit = function patchedEmit(event, ...args) {
  if (event === 'message') {
    received += 1;
    if (when === 'receive' && received === Number(at)) die();
  }
  return emit.call(this, event, ...args);
};
