/**
 * A port at which connecting never ends: its queue of new connections is full, so that the system
 * drops each further SYN, as a firewall or a host that is down does.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Node accepts whatever comes; Python can leave it waiting. */
const script = `
import socket, sys
server = socket.socket()
server.bind(('127.0.0.1', 0))
server.listen(0)
waiting = []
for _ in range(4):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(server.getsockname())
    waiting.append(client)
print(server.getsockname()[1], flush=True)
sys.stdin.read()
`;

export interface DeafPort {
  readonly port: number;
  close(): Promise<void>;
}

export async function openDeafPort(): Promise<DeafPort> {
  const child = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    port: Number(line.toString()),
    close: async () => {
      child.stdin.end();
      await exited;
    },
  };
}
