/** A firewall in the way that cannot bear a large ClientHello. */
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';

/** Drops every connection whose client sends more than `most` bytes at once, as some firewalls do. */
export async function startMiddlebox(to: number, most: number): Promise<Server> {
  const server = createServer((inner) => {
    const outer = connect(to, '127.0.0.1');
    let seen = 0;
    inner.on('data', (bytes: Buffer) => {
      seen++;
      if (seen === 3 && bytes.length > most) inner.destroy();
      else outer.write(bytes);
    });
    outer.on('data', (bytes: Buffer) => inner.write(bytes));
    const end = (): void => {
      inner.destroy();
      outer.destroy();
    };
    for (const socket of [inner, outer]) socket.on('error', end).on('close', end);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return server;
}
