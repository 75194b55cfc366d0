/** Sockets and messages of systemd, with its own tools and without a running systemd. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { createApiClient } from '../../src/api/client.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { mainFile, prepareGateway, startGateway } from '../support/gateway.ts';
import { gatewaySetup } from '../support/gateway-config.ts';
import { reloadRefused } from '../support/gateway-reload.ts';
import { freePort, waitFor } from '../support/ports.ts';

const activate = '/usr/bin/systemd-socket-activate';
const skip = existsSync(activate) ? false : `${activate} is missing (Debian package systemd)`;
const gateways: RunningGateway[] = [];
after(async () => {
  for (const gateway of gateways) await gateway.remove();
});

const packaging = new URL('../../packaging/systemd/', import.meta.url).pathname;

async function greets(port: number): Promise<boolean> {
  try {
    const client = await connectRaw({ port, timeoutMs: 10_000 });
    await client.expect(220, 10_000);
    client.close();
    return true;
  } catch {
    return false;
  }
}

/** `systemd-socket-activate` starts the gateway in its own process when the first client comes. */
function activated(gateway: RunningGateway, port: number, name: string) {
  const serve = [process.execPath, mainFile, 'serve', '--config', gateway.configFile];
  const words = [`--listen=127.0.0.1:${port}`, `--fdname=${name}`, ...serve];
  const child = spawn(activate, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
  return { child, ended: once(child, 'exit'), stderr: () => stderr };
}

test('a port opened by systemd serves every lane, and survives all of them', { skip }, async () => {
  const port = await freePort();
  const mx = { name: 'mx', host: '127.0.0.1', port, kind: 'mx' };
  const setup = await gatewaySetup({ listeners: [mx], top: { lanes: 2 } });
  const gateway = await prepareGateway(setup);
  gateways.push(gateway);
  const { child, ended, stderr } = activated(gateway, port, 'mx');
  try {
    await waitFor('a greeting', () => {
      assert.equal(child.exitCode, null, stderr());
      return greets(port);
    });
    const api = createApiClient({ socketPath: join(gateway.folder, 'data', 'run', 'api.sock') });
    await waitFor('every lane', () =>
      api.status().then(
        () => true,
        () => false,
      ),
    );
    const pid = child.pid!;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    const lanes = children.trim().split(/\s+/).map(Number);
    assert.equal(lanes.length, 2, stderr());
    for (const lane of lanes) process.kill(lane, 'SIGKILL');
    await waitFor('their end', () => lanes.every((lane) => !existsSync(`/proc/${lane}/exe`)));
    // A client of that moment is not refused: it waits for the next lane.
    const client = await connectRaw({ port });
    client.close();
    await waitFor('the next lane', () => greets(port));
    const moved = { ...mx, port: await freePort() };
    const [problem] = await reloadRefused({ ...view(gateway), api } as RunningGateway, {
      ...setup.config,
      listeners: [moved],
    });
    assert.match(problem!.text, /needs a restart: systemd holds the port of the listener "mx"/);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
});

const view = ({ configFile }: RunningGateway) => ({ configFile });

test('a socket that no listener has, or of another port, refuses the start', { skip }, async () => {
  const cases = [
    { name: 'smtp', text: /a socket with the name "smtp", and no listener has it; there are: mx/ },
    { name: 'mx', text: /handed over listens on 127\.0\.0\.1 port \d+, not on 127\.0\.0\.1 port/ },
  ];
  for (const { name, text } of cases) {
    const mx = { name: 'mx', host: '127.0.0.1', port: await freePort(), kind: 'mx' };
    const gateway = await prepareGateway(await gatewaySetup({ listeners: [mx] }));
    gateways.push(gateway);
    const port = await freePort();
    const { ended, stderr } = activated(gateway, port, name);
    const client = await waitFor('a client', () => connectRaw({ port }).catch(() => null));
    client.close();
    await ended;
    assert.match(stderr(), text);
  }
});

/** Prints each message of the notify socket as a line of JSON, and lets its barrier go. */
const listenerScript = `
import json, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    data, fds, _, _ = socket.recv_fds(s, 4096, 8)
    for fd in fds: os.close(fd)
    print(json.dumps(data.decode()), flush=True)
`;

test('systemd hears of the start, of reloads and of the end', { skip }, async () => {
  const setup = await gatewaySetup();
  const prepared = await prepareGateway(setup);
  gateways.push(prepared);
  const socket = join(prepared.folder, 'notify');
  const listener = spawn('python3', ['-c', listenerScript, socket]);
  let heard = '';
  listener.stdout.on('data', (bytes: Buffer) => (heard += bytes.toString()));
  await waitFor('the listener', () => heard.includes('bound'));
  const gateway = await startGateway({ ...setup, environment: { NOTIFY_SOCKET: socket } });
  gateways.push(gateway);
  try {
    await waitFor('READY', () => heard.includes('READY=1\\nSTATUS=serves as gateway.example.test'));
    process.kill(gateway.processId, 'SIGHUP');
    await waitFor('the reload', () => /RELOADING=1.*\n(.*\n)*.*READY=1.*was reloaded/.test(heard));
    await gateway.stop();
    await waitFor('STOPPING', () => heard.includes('STOPPING=1'));
  } finally {
    listener.kill();
  }
});

test('the units are sound, and as closed as docs/operating.md says', { skip }, async () => {
  const run = promisify(execFile);
  const { stdout } = await run(
    'systemd-analyze',
    ['security', '--offline=true', 'postern.service'],
    { cwd: packaging },
  );
  const [, figure] = /exposure level for postern\.service: ([\d.]+)/.exec(stdout) ?? [];
  const docs = await readFile(new URL('../../docs/operating.md', import.meta.url), 'utf8');
  assert.ok(docs.includes(`exposure ${figure}`), `docs/operating.md must say "exposure ${figure}"`);
});
