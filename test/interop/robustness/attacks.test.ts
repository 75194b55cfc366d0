/**
 * Under each attack the gateway answers with the documented codes, keeps its memory, and takes the
 * mail of a good client. The long version with figures: `node benchmarks/attacks.ts`.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { attackedGateway, attacks, slowContent } from '../../support/attacks/attacks.ts';
import type { Answers, AttackTarget } from '../../support/attacks/attack.ts';
import { besiege, residentMb } from '../../support/attacks/siege.ts';
import { startGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { gatewaySetup, listeners } from '../../support/gateway-config.ts';
import { waitFor } from '../../support/ports.ts';

/** What a good message may take while others attack, on a machine that runs other tests besides. */
const slowestMsMax = 15_000;
/** Above what the gateway has at rest. */
const extraMbMax = 250;

let gateway: RunningGateway;
let target: AttackTarget;
let restMb = 0;
let accepted = 0;
/** Runs beside all others. */
let slow: Promise<Answers>;

before(async () => {
  const implicit = { name: 'implicit', host: '127.0.0.1', port: 0, kind: 'mx', tls: 'implicit' };
  gateway = await startGateway(
    await gatewaySetup({ listeners: [...listeners, implicit], top: attackedGateway }),
  );
  target = {
    mx: gateway.port('mx'),
    implicit: gateway.port('implicit'),
    submissions: gateway.port('submissions'),
    recipient: 'user@example.test',
  };
  restMb = await residentMb(gateway);
  slow = slowContent.run(target, 1);
  // Where an attack fails before it is awaited.
  slow.catch(() => undefined);
});
after(async () => {
  await gateway?.stop();
  await gateway?.remove();
});

for (const attack of attacks) {
  test(`${attack.name}: ${attack.what}`, { timeout: 60_000 }, async (context) => {
    const figures = await besiege(gateway, target, attack, 1);
    context.diagnostic(JSON.stringify(figures));
    accepted += figures.accepted;
    for (const word of Object.keys(figures.answers)) {
      assert.ok(attack.meets.includes(word), `met by ${JSON.stringify(figures.answers)}`);
    }
    const [bound = ''] = attack.meets;
    assert.ok((figures.answers[bound] ?? 0) > 0, `never met by ${bound}`);
    assert.ok(figures.slowestMs < slowestMsMax, `a good message took ${figures.slowestMs} ms`);
    const extraMb = figures.peakMb - restMb;
    assert.ok(extraMb < extraMbMax, `${extraMb} MB above rest`);
  });
}

test(`${slowContent.name}: ${slowContent.what}`, { timeout: 60_000 }, async () => {
  assert.deepEqual(await slow, { '421 4.4.2': 20 });
});

test('every good message is in the mailbox, and nothing of the attackers', async () => {
  const messages = await gateway.waitForMail('user', accepted);
  assert.equal(messages.length, accepted);
  assert.ok(messages.every((message) => message.includes('Subject: good\r\n')));
  await waitFor('an empty queue', async () => (await gateway.queue()).length === 0);
});

test('each bound that turned sessions away at the door is named in the log', () => {
  const refused = gateway.log().filter(({ msg }) => msg === 'session refused');
  const reasons = new Set(refused.map(({ reason }) => reason));
  const expected = [
    'too many new sessions from your address, try again later',
    'too many sessions from your address',
    'too many sessions, try again later',
  ];
  assert.deepEqual(reasons, new Set(expected));
});
