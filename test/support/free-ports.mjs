/**
 * Loaded into a gateway under test by `node --import`: the ports of the embedded default become free
 * ones, for machines on which they are taken.
 */
import net from 'node:net';

const taken = new Set([2525, 2587, 2465]);
const listen = net.Server.prototype.listen;

net.Server.prototype.listen = function listenOnFreePort(options, ...rest) {
  const isTaken = typeof options === 'object' && taken.has(options?.port);
  return listen.call(this, isTaken ? { ...options, port: 0 } : options, ...rest);
};
