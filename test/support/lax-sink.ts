/**
 * The laxest reader of SMTP that ever was: CR, LF and CRLF each end a line, NULs are dropped, and a
 * line that is one dot ends a content. What it takes for two messages, some real server might.
 */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface LaxSink {
  readonly port: number;
  /** Contents as it understood them, lines ending in LF, in the order of their ends. */
  messages(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export async function startLaxSink(): Promise<LaxSink> {
  const messages: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    serve(socket, messages);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    messages: () => Promise.resolve(messages),
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

const replies: Readonly<Record<string, string>> = {
  EHLO: '250-lax.test\r\n250 8BITMIME\r\n',
  DATA: '354 go on\r\n',
  QUIT: '221 bye\r\n',
};

function serve(socket: Socket, messages: string[]): void {
  let rest = '';
  let content: string[] | null = null;
  const onLine = (line: string): void => {
    if (content === null) {
      const verb = line.slice(0, 4).toUpperCase();
      socket.write(replies[verb] ?? '250 ok\r\n');
      if (verb === 'DATA') content = [];
      if (verb === 'QUIT') socket.end();
    } else if (line === '.') {
      messages.push(content.join('\n'));
      content = null;
      socket.write('250 taken\r\n');
    } else {
      content.push(line.startsWith('.') ? line.slice(1) : line);
    }
  };
  socket.write('220 lax.test ESMTP\r\n');
  socket.on('data', (bytes: Buffer) => {
    rest += bytes.toString('latin1').replaceAll('\0', '');
    // A CR at the end may be half of a CRLF that is cut here.
    const isCut = rest.endsWith('\r');
    const lines = (isCut ? rest.slice(0, -1) : rest).split(/\r\n|\r|\n/);
    rest = lines.pop()! + (isCut ? '\r' : '');
    for (const line of lines) onLine(line);
  });
}
