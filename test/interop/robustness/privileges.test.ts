/** A gateway that gave up root: it runs as its user, and ends where a lane cannot be had back. */
import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { after, test } from 'node:test';
import type { RunningGateway } from '../../support/gateway.ts';
import { prepareGateway } from '../../support/gateway.ts';
import { gatewaySetup } from '../../support/gateway-config.ts';
import { waitFor } from '../../support/ports.ts';

const skip = process.getuid?.() === 0 ? false : 'giving up root needs root';
let gateway: RunningGateway | null = null;
after(() => gateway?.remove());

test(
  'a lane that cannot read our keys again ends the gateway for the service manager',
  { skip },
  async () => {
    gateway = await prepareGateway(await gatewaySetup({ top: { user: 'nobody' } }));
    await chmod(gateway.folder, 0o755);
    await gateway.start();
    const { processId } = await gateway.status();
    const [lane] = await gateway.lanes();
    process.kill(lane!, 'SIGKILL');
    await waitFor('the end of the gateway', () => !isAlive(processId), 10_000);
    assert.match(JSON.stringify(gateway.log()), /cannot be read \(EACCES\)/);
  },
);

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}
