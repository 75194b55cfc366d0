/** Connectors with equal scopes are looked up, and never compared one by one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warnOfAlternatives } from './check-overlaps.ts';
import type { Parts } from './parts.ts';
import type { Finding } from './problem.ts';

const domains = Array.from({ length: 150 }, (_, each) => `d${each}.test`);

/** Of a thousand that name the same domains, as anybody may hand them in for a replay. */
function partners(value: (place: number) => object): Parts {
  const inbound = Array.from({ length: 1000 }, (_, place) => ({
    path: ['organizations', 0, 'inboundConnectors', place],
    given: new Set(),
    value: {
      name: `c${place}`,
      enabled: true,
      mode: 'enforce',
      connectorType: 'Partner',
      senderDomains: domains.map((domain) => ({ kind: 'exact', domain })),
      senderIPAddresses: [],
      restrictDomainsToCertificate: false,
      restrictDomainsToIPAddresses: false,
      associatedAcceptedDomains: [],
      ...value(place),
    },
  }));
  return { inbound } as unknown as Parts;
}

function told(parts: Parts): readonly Finding[] {
  const findings: Finding[] = [];
  const startedMs = performance.now();
  warnOfAlternatives(parts, (finding) => void findings.push(finding));
  const tookMs = performance.now() - startedMs;
  // Nothing else is served meanwhile. It was some 10 s.
  assert.ok(tookMs < 3000, `took ${tookMs} ms`);
  return findings;
}

test('a thousand connectors of the same domains are told of in less than seconds', () => {
  const same = told(partners(() => ({})));
  assert.equal(same.length, 999);
  assert.ok(same.every(({ text }) => text.startsWith('"c0" has the same sender domain')));
  const apart = told(partners((place) => ({ associatedAcceptedDomains: [`own${place}.test`] })));
  assert.deepEqual(apart, []);
  const oneProves = (place: number) => ({ restrictDomainsToCertificate: place === 999 });
  const opened = told(partners(oneProves));
  assert.equal(opened.length, 999);
  assert.ok(opened.every(({ text }) => text.startsWith('opens "c999"')));
});
