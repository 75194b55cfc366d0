/** Seeded faults at every step of many dialogues: no message is called delivered that was not taken. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  delivery,
  outcomesOf,
  partnerTls,
  partnerZone,
  startRig,
} from '../../test/support/delivery-rig.ts';
import type { PartnerHook } from '../testing/partner-session.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';

after(removeDirectory);

/** Numbers 0 <= x < 1 that follow from the seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function vices(random: () => number): PartnerHook {
  const actions = ['drop', 'close', '451 4.3.0 later', '421 4.3.2 bye'];
  return ({ command }) => {
    if (command === 'QUIT' || random() > 0.03) return null;
    if (command === 'STARTTLS') return 'drop';
    return actions[Math.floor(random() * actions.length)]!;
  };
}

for (const [seed, extensions] of [
  [1, ['PIPELINING', 'CHUNKING', '8BITMIME']],
  [2, ['PIPELINING']],
  [3, []],
] as const) {
  test(`seed ${seed}: ${extensions.join(' ') || 'no extensions'}`, async () => {
    const random = seeded(seed);
    const rig = await startRig({ zone: partnerZone });
    const partners = [];
    for (const to of ['192.0.2.1', '192.0.2.2']) {
      const reply = vices(random);
      partners.push(await rig.partner(to, { tls: partnerTls.trusted, extensions, reply }));
    }
    const subjects = Array.from({ length: 150 }, (_, i) => `Subject: ${i}\r\n\r\n.\r\n`);
    const reports = await Promise.all(
      subjects.map((text) =>
        rig.room.attempt(delivery({ content: { kind: 'memory', bytes: Buffer.from(text) } })),
      ),
    );
    await rig.close();
    const taken = new Map<string, number>();
    for (const { content } of partners.flatMap(({ messages }) => messages)) {
      taken.set(content.toString(), (taken.get(content.toString()) ?? 0) + 1);
    }
    let delivered = 0;
    for (const [i, report] of reports.entries()) {
      const [outcome] = outcomesOf(report);
      const copies = taken.get(subjects[i]!) ?? 0;
      if (outcome!.kind === 'delivered') {
        delivered++;
        assert(copies >= 1, `message ${i} is called delivered, and nobody has it`);
      } else {
        assert.equal(outcome!.kind, 'deferred', outcome!.reason);
      }
    }
    assert(delivered > 100, `${delivered} delivered`);
    const strange = [...taken.keys()].filter((text) => !subjects.includes(text));
    assert.deepEqual(strange, []);
    for (const { connections } of partners) {
      for (const { clear, violations } of connections) {
        assert.doesNotMatch(clear.toString('latin1'), /MAIL|RCPT|Subject/);
        assert.deepEqual(violations, []);
      }
    }
  });
}
