// Preloaded with `node --import` into a real node process: its outgoing TCP connections come from an address of its own in 127/8
// (TENUTO_TEST_SOURCE_IP), so that the test's proxies know which node speaks and can cut one way between two of them.
import { Socket } from 'node:net';

const localAddress = process.env.TENUTO_TEST_SOURCE_IP;
const { connect } = Socket.prototype;

Socket.prototype.connect = function connectFromOwnAddress(...args) {
  // A client of PostgreSQL names port and host apart.
  if (typeof args[0] === 'number' && typeof args[1] === 'string') args.splice(0, 2, { port: args[0], host: args[1] });
  // `net.connect` hands over its arguments as one list, options first.
  const [options] = Array.isArray(args[0]) ? args[0] : args;
  const overTcp = typeof options === 'object' && options !== null && options.path == null && options.port != null;
  if (overTcp && localAddress) options.localAddress ??= localAddress;
  return connect.apply(this, args);
};
