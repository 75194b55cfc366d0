/** The order in which hosts are tried after failures: pure order first, then with real connections. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  delivery,
  onlyRoute,
  outcomesOf,
  partnerTls,
  partnerZone,
  startRig,
  toPartner,
} from '../../test/support/delivery-rig.ts';
import type { Rig, RigOptions } from '../../test/support/delivery-rig.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';
import type { OutboundConnector } from '../policy/policy.ts';
import { nothingRequired } from '../policy/tls-requirement.ts';
import type { Requirement } from '../policy/tls-requirement.ts';
import { HostHealth, holdMs } from './host-health.ts';
import type { PlannedHost } from './planned-host.ts';

after(removeDirectory);

function host(hostName: string, entry: number, preference = 0): PlannedHost {
  const found = { addresses: ['192.0.2.1'], refused: [], trouble: null };
  return { hostName, port: 25, sni: hostName, ...found, entry, preference };
}

const scope = { organization: 'org', requirement: nothingRequired };
const encrypted: Requirement = {
  clauses: [{ kind: 'encrypted', origin: { kind: 'connector', name: 'c' } }],
};
const [a, b, c] = [host('a', 0), host('b', 1), host('c', 2)];
const list = [a, b, c];

function memory(): {
  health: HostHealth;
  pass: (ms: number) => void;
  names: (of?: object) => string;
} {
  let nowMs = 5;
  const health = new HostHealth(() => nowMs);
  return {
    health,
    pass: (ms) => void (nowMs += ms),
    names: (of = {}) =>
      health
        .order({ ...scope, ...of }, list)
        .map(({ hostName }) => hostName)
        .join(''),
  };
}

describe('the order of hosts', () => {
  test('is the given one while nothing failed', () => {
    const { health } = memory();
    assert.equal(health.order(scope, list), list);
  });

  test('has a host that failed behind the others, and loses none', () => {
    const { health, names } = memory();
    health.note(scope, a, 'failed');
    assert.equal(names(), 'bca');
    health.note(scope, b, 'failed');
    assert.equal(names(), 'cab');
    health.note(scope, c, 'failed');
    assert.equal(names(), 'abc');
  });

  test('is that of one organization and one port', () => {
    const { health, names } = memory();
    health.note(scope, a, 'failed');
    assert.equal(names({ organization: 'other' }), 'abc');
    const elsewhere = list.map((each) => ({ ...each, port: 587 }));
    assert.deepEqual(health.order(scope, elsewhere), elsewhere);
  });

  test('lets one attempt see after a while whether the host is well, and the others go around it', () => {
    const { health, pass, names } = memory();
    health.note(scope, a, 'failed');
    pass(holdMs.first - 1);
    assert.equal(names(), 'bca');
    pass(1);
    assert.deepEqual([names(), names(), names()], ['abc', 'bca', 'bca']);
    health.note(scope, a, 'well');
    assert.equal(names(), 'abc');
  });

  test('an attempt that never got to see leaves that to another one', () => {
    const { health, pass, names } = memory();
    health.note(scope, a, 'failed');
    pass(holdMs.first);
    assert.equal(names(), 'abc');
    pass(holdMs.first);
    assert.equal(names(), 'abc');
  });

  test('stays changed for longer each time, and never for longer than the bound', () => {
    const { health, pass, names } = memory();
    const holds = [];
    for (let i = 0; i < 7; i++) {
      health.note(scope, a, 'failed');
      let seconds = 0;
      for (; names() === 'bca'; seconds++) pass(1000);
      holds.push(seconds);
    }
    assert.deepEqual(holds, [60, 120, 240, 480, 600, 600, 600]);
  });

  test('takes failures of messages that were under way together for one', () => {
    const { health, pass, names } = memory();
    for (let i = 0; i < 200; i++) health.note(scope, a, 'failed');
    pass(holdMs.first);
    assert.equal(names(), 'abc');
  });

  test('of other mail does not change where a host is unfit for one requirement', () => {
    const { health, names } = memory();
    health.note({ ...scope, requirement: encrypted }, a, 'unfit');
    assert.equal(names({ requirement: encrypted }), 'bca');
    assert.equal(names(), 'abc');
    health.note({ ...scope, requirement: encrypted }, a, 'well');
    assert.equal(names({ requirement: encrypted }), 'abc');
  });

  test('of one entry changes within a preference only', () => {
    const { health } = memory();
    const mx = [host('a', 0, 10), host('b', 0, 10), host('c', 0, 20)];
    health.note(scope, mx[0]!, 'failed');
    health.note(scope, mx[1]!, 'failed');
    const names = (hosts: readonly PlannedHost[]): string[] => hosts.map((each) => each.hostName);
    assert.deepEqual(names(health.order(scope, mx)), ['a', 'b', 'c']);
    health.note(scope, mx[1]!, 'well');
    assert.deepEqual(names(health.order(scope, mx)), ['b', 'a', 'c']);
  });

  test('keeps the hosts of an entry together, and looks at the one that it begins with', () => {
    const { health } = memory();
    const hosts = [host('a', 0, 10), host('b', 0, 20), host('c', 1)];
    const order = (): string =>
      health
        .order(scope, hosts)
        .map((each) => each.hostName)
        .join('');
    health.note(scope, hosts[1]!, 'failed');
    assert.equal(order(), 'abc');
    health.note(scope, hosts[0]!, 'failed');
    assert.equal(order(), 'cab');
  });

  test('is remembered for a bounded number of hosts', () => {
    const { health, names } = memory();
    health.note(scope, a, 'failed');
    for (let i = 0; i < 1_000; i++) health.note(scope, host(`h${i}`, 0), 'failed');
    assert.equal(names(), 'abc');
  });
});

async function rigFor(t: TestContext, options: RigOptions): Promise<Rig> {
  const rig = await startRig(options);
  t.after(() => rig.close());
  return rig;
}

/** 192.0.2.1, then .2, then .3 as smart hosts. */
function three(part: Partial<OutboundConnector> = {}): OutboundConnector {
  const hosts = [1, 2, 3].map((last) => ({ host: `192.0.2.${last}`, port: 25 }));
  return toPartner({ route: { kind: 'smart-hosts', hosts }, ...part });
}

async function triedHosts(rig: Rig): Promise<string[]> {
  const report = await rig.room.attempt(delivery());
  return onlyRoute(report).candidates.map(({ hostName }) => hostName.replace('192.0.2.', ''));
}

describe('delivery', () => {
  test('waits for a dead first smart host once, and the trace shows the order that was used', async (t) => {
    let nowMs = 0;
    const services = { steadyNow: () => nowMs };
    const rig = await rigFor(t, { connectors: [three()], services });
    await rig.partner('192.0.2.2', { tls: partnerTls.trusted });
    assert.deepEqual(await triedHosts(rig), ['1', '2']);
    assert.deepEqual(await triedHosts(rig), ['2']);
    nowMs += holdMs.first;
    assert.deepEqual(await triedHosts(rig), ['1', '2']);
    assert.deepEqual(await triedHosts(rig), ['2']);
    await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
    nowMs += 2 * holdMs.first;
    assert.deepEqual(await triedHosts(rig), ['1']);
    assert.deepEqual(await triedHosts(rig), ['1']);
  });

  test('tries all hosts where all are dead', async (t) => {
    const rig = await rigFor(t, { connectors: [three()] });
    assert.deepEqual(await triedHosts(rig), ['1', '2', '3']);
    assert.deepEqual(await triedHosts(rig), ['1', '2', '3']);
  });

  for (const starttls of ['refused', 'cut'] as const) {
    test(`turns to a host after the others where its TLS failed (${starttls})`, async (t) => {
      const rig = await rigFor(t, { connectors: [three({ tlsSettings: 'EncryptionOnly' })] });
      const first = await rig.partner('192.0.2.1', { tls: partnerTls.trusted, starttls });
      await rig.partner('192.0.2.2', { tls: partnerTls.trusted });
      assert.deepEqual(new Set(await triedHosts(rig)), new Set(['1', '2']));
      assert.deepEqual(await triedHosts(rig), ['2']);
      assert.equal(first.messages.length, 0);
    });
  }

  test('asks the same of a healthy host as of the one that it stands in for', async (t) => {
    const rig = await rigFor(t, {
      connectors: [
        three({ tlsSettings: 'DomainValidation', tlsDomains: three().recipientDomains }),
      ],
    });
    await rig.partner('192.0.2.2', { tls: partnerTls.otherName });
    const third = await rig.partner('192.0.2.3');
    for (let i = 0; i < 3; i++) {
      const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
      assert.equal(outcome!.kind, 'deferred');
    }
    assert.equal(third.messages.length, 0);
  });

  test('goes to the better preference of an MX first, however dead it is', async (t) => {
    const rig = await rigFor(t, { zone: partnerZone });
    await rig.partner('192.0.2.2', { tls: partnerTls.trusted });
    const both = ['mx.partner.test', 'mx2.partner.test'];
    assert.deepEqual(await triedHosts(rig), both);
    assert.deepEqual(await triedHosts(rig), both);
  });

  test('goes around a dead host of equal preference', async (t) => {
    const zone = {
      ...partnerZone,
      'partner.test': {
        mx: [
          { preference: 10, exchange: 'mx.partner.test' },
          { preference: 10, exchange: 'mx2.partner.test' },
        ],
      },
    };
    const rig = await rigFor(t, { zone });
    await rig.partner('192.0.2.2', { tls: partnerTls.trusted });
    await triedHosts(rig);
    for (let i = 0; i < 5; i++) assert.deepEqual(await triedHosts(rig), ['mx2.partner.test']);
  });
});
