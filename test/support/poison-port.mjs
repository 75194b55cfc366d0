/**
 * Loaded into a gateway under test by `node --import`: connecting to the port in POISON_PORT breaks
 * the process, as a defect that one message or peer brings out would.
 */
import net from 'node:net';

const port = Number(process.env.POISON_PORT);
const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function connectOrBreak(...parameters) {
  const [first] = parameters;
  const options = Array.isArray(first) ? first[0] : first;
  if (options?.port === port) {
    setImmediate(() => {
      throw new Error('poisoned');
    });
  }
  return connect.apply(this, parameters);
};
