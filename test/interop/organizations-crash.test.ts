/**
 * A gateway that is killed while one organization hands mail to another: what was answered with 250
 * arrives, once at least, and twice only where the crash fell between both commits.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../support/ports.ts';
import type { TwoOrganizations } from '../support/two-organizations.ts';
import { openClient, startTwoOrganizations, transact } from '../support/two-organizations.ts';

let two: TwoOrganizations;
before(async () => {
  two = await startTwoOrganizations();
});
after(() => two?.close());

/** Submits until the connection breaks; the marks of what was answered with 250. */
async function submitUntilCut(round: number): Promise<readonly string[]> {
  const taken: string[] = [];
  const client = await openClient(two.gateway, { account: 'ann' });
  try {
    for (let i = 0; ; i++) {
      const body = `mark-${round}-${i}-end`;
      const message = { from: 'ann@alpha.test', to: ['bob@beta.test'], body };
      const { last } = await transact(client, message);
      assert.equal(last.code, 250, last.text);
      taken.push(body);
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return taken;
  } finally {
    client.close();
  }
}

test('nothing that was taken is lost on the way between organizations', async () => {
  const taken: string[] = [];
  for (let round = 0; round < 4; round++) {
    const submitting = submitUntilCut(round);
    await sleep(250 + 90 * round);
    await two.gateway.kill('SIGKILL');
    taken.push(...(await submitting));
    await two.gateway.start();
  }
  assert.ok(taken.length > 20, `${taken.length} were taken`);
  await waitFor('an empty queue', async () => (await two.gateway.queue()).length === 0, 60_000);
  const mails = (await two.gateway.mailbox('bob', 'beta')).map(String);
  const counts = taken.map((mark) => mails.filter((mail) => mail.includes(mark)).length);
  assert.deepEqual(
    taken.filter((_, i) => counts[i] === 0),
    [],
  );
  const doubled = counts.filter((count) => count > 1).length;
  assert.ok(doubled < taken.length / 2, `${doubled} of ${taken.length} came more than once`);
});
