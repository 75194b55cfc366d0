/** Two connectors with different trust anchors for the same mail: one that watches, or both enforcing. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  anchorsName,
  delivery,
  onlyRoute,
  outcomesOf,
  partnerTls,
  singleZone,
  startRig,
  strangerCa,
} from '../../test/support/delivery-rig.ts';
import { address, outboundConnector, patterns } from '../../test/support/policy.ts';
import { anchors, ca, directory, removeDirectory } from '../../test/support/tls-ends.ts';
import type { OutboundConnector } from '../policy/policy.ts';

after(removeDirectory);

/** Holds the partner's CA under another name, as a set that happens to trust it too. */
const sameCa = await anchorFile('same.pem', ca.pem);
const strangers = await anchorFile('strangers.pem', strangerCa.pem);

async function anchorFile(name: string, pem: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, pem);
  assert.deepEqual(await anchors.loadAnchors([`file:${path}`]), []);
  return `file:${path}`;
}

const validated = { tlsSettings: 'CertificateValidation' } as const;

function watching(part: Partial<OutboundConnector>): OutboundConnector {
  const recipientDomains = patterns('partner.test');
  return outboundConnector('watch', { recipientDomains, mode: 'warn', ...validated, ...part });
}

function enforcing(part: Partial<OutboundConnector>): OutboundConnector {
  return outboundConnector('all', { recipientDomains: patterns('*'), ...validated, ...part });
}

/** To a partner whose certificate is of `ca`; what each connector made of it. */
async function attemptWith(watched: string, enforced: string) {
  const connectors = [watching({ anchors: watched }), enforcing({ anchors: enforced })];
  const rig = await startRig({ zone: singleZone, connectors });
  await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
  try {
    const report = await rig.room.attempt(delivery());
    const [candidate] = onlyRoute(report).candidates;
    return { outcome: outcomesOf(report)[0]!, candidate: candidate!, shadow: candidate!.shadow! };
  } finally {
    await rig.close();
  }
}

describe('a connector that watches under a private CA beside one that enforces', () => {
  test('lets nothing pass that the enforcing one refuses, although its own demands are met', async () => {
    const { outcome, candidate, shadow } = await attemptWith(anchorsName, strangers);
    assert.equal(outcome.kind, 'deferred');
    assert.match(outcome.reason, /UntrustedRoot\]: connector "all" requires/);
    assert.equal(candidate.verdict.kind, 'refuse');
    assert.deepEqual(
      shadow.map(({ connector, mode, isMet }) => [connector, mode, isMet]),
      [['watch', 'warn', true]],
      shadow[0]!.reason,
    );
  });

  test('refuses nothing where it is not met and the enforcing one is', async () => {
    const { outcome, shadow } = await attemptWith(strangers, sameCa);
    assert.equal(outcome.kind, 'delivered', outcome.reason);
    assert.equal(shadow[0]!.isMet, false);
    assert.match(shadow[0]!.reason, /connector "watch" requires .*strangers\.pem/);
    assert.doesNotMatch(shadow[0]!.reason, /not examined/);
  });

  test('is met where its CA is reached, by our examination alone, which the record says', async () => {
    const { outcome, candidate, shadow } = await attemptWith(anchorsName, sameCa);
    assert.equal(outcome.kind, 'delivered', outcome.reason);
    const { tls } = candidate.evidence!;
    assert.deepEqual(tls!.openssl, { anchors: sameCa, result: 'ok' });
    assert.deepEqual(
      tls!.paths.map((path) => [path.kind, path.anchors]),
      [
        ['reached', sameCa],
        ['reached', anchorsName],
      ],
    );
    assert.equal(shadow[0]!.isMet, true, shadow[0]!.reason);
    assert.match(shadow[0]!.reason, /OpenSSL was asked about file:.*same\.pem$/);
  });

  test('is judged on a way that demands encryption alone and leads elsewhere', async () => {
    const central = enforcing({
      tlsSettings: 'EncryptionOnly',
      anchors: strangers,
      routeAllMessagesViaOnPremises: true,
    });
    const rig = await startRig({
      zone: singleZone,
      connectors: [watching({ anchors: anchorsName }), central],
    });
    await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
    const report = await rig.room.attempt(delivery());
    assert.equal(outcomesOf(report)[0]!.kind, 'delivered');
    const [candidate] = onlyRoute(report).candidates;
    assert.equal(candidate!.evidence!.tls!.openssl!.anchors, strangers);
    assert.equal(candidate!.shadow![0]!.isMet, true, candidate!.shadow![0]!.reason);
    await rig.close();
  });

  test('is neither met nor unmet on a connection that mail of others had opened', async () => {
    const zone = { ...singleZone, 'other.test': singleZone['partner.test']! };
    const connectors = [watching({ anchors: anchorsName }), enforcing({ anchors: sameCa })];
    const rig = await startRig({ zone, connectors });
    const partner = await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
    const other = delivery({ recipients: [address('b@other.test')] });
    assert.equal(outcomesOf(await rig.room.attempt(other))[0]!.kind, 'delivered');
    const report = await rig.room.attempt(delivery());
    assert.equal(outcomesOf(report)[0]!.kind, 'delivered');
    assert.equal(partner.connections.length, 1);
    const { isMet, reason } = onlyRoute(report).candidates[0]!.shadow![0]!;
    assert.equal(isMet, null, reason);
    assert.match(reason, /this connection was not examined for that/);
    await rig.close();
  });
});

test('two connectors that enforce different anchors are met by no connection, and the mail says why', async () => {
  const central = enforcing({ anchors: sameCa, routeAllMessagesViaOnPremises: true });
  const partnerConnector = watching({ mode: 'enforce', anchors: anchorsName });
  const connectors = [partnerConnector, { ...central, name: 'central' }];
  const rig = await startRig({ zone: singleZone, connectors });
  const partner = await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
  const report = await rig.room.attempt(delivery());
  const [outcome] = outcomesOf(report);
  assert(outcome?.kind === 'deferred');
  assert.equal(outcome.cause, 'policy');
  assert.match(
    outcome.reason,
    /^two sets of trust anchors are demanded, .*"central" and .*"watch"/,
  );
  assert.equal(onlyRoute(report).candidates[0]!.evidence!.tls!.paths.length, 2);
  assert.equal(partner.messages.length, 0);
  await rig.close();
});
