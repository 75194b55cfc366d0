/** An organization reads of a session what its own connectors asked about, and nothing of others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  inboundConnector,
  organization,
  patterns,
  reached,
  serverEvidence,
} from '../../test/support/policy.ts';
import { evidenceFor, wantedInboundPaths } from './inbound-paths.ts';
import type { Organization, Policy } from './policy.ts';

function trusting(id: string, ...anchors: readonly string[]): Organization {
  return organization({
    id,
    inboundConnectors: anchors.map((each) =>
      inboundConnector(each, {
        restrictDomainsToCertificate: true,
        tlsSenderCertificateNames: patterns('mx.partner.test'),
        anchors: each,
      }),
    ),
  });
}

const policyOf = (...organizations: readonly Organization[]): Policy => ({
  formatVersion: 1,
  revision: '0',
  hostName: 'gw.test',
  organizations,
});

const policy = policyOf(
  trusting('first', 'file:/a', 'file:/both'),
  trusting('second', 'file:/both', 'file:/b'),
);
const paths = ['file:/a', 'file:/both', 'file:/b'].map((anchors) =>
  reached({ purpose: 'clientAuth', anchors }),
);
const evidence = serverEvidence({ paths });

const readBy = (id: string): readonly string[] =>
  evidenceFor(policy, id, evidence).tls!.paths.map(({ anchors }) => anchors);

test('a handshake examines what any organization asks about, each once', () => {
  assert.deepEqual(
    wantedInboundPaths(policy).map(({ anchors }) => anchors),
    ['file:/a', 'file:/both', 'file:/b'],
  );
});

test('whom others trust is left out of what an organization keeps', () => {
  assert.deepEqual(readBy('first'), ['file:/a', 'file:/both']);
  assert.deepEqual(readBy('second'), ['file:/both', 'file:/b']);
});

test('a session is one value for each organization, and the same where nothing is left out', () => {
  assert.equal(evidenceFor(policy, 'first', evidence), evidenceFor(policy, 'first', evidence));
  const alone = policyOf(trusting('first', 'file:/a'));
  assert.equal(evidenceFor(alone, 'first', evidence), evidence);
});
