/** A draft, loaded as a configuration, is the connector that was judged; and no check complains of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { parseDomainPattern } from '../mail/domain-pattern.ts';
import type { Terms } from '../policy/suggestions/observation.ts';
import { draftInbound, draftOutbound } from '../policy/suggestions/draft.ts';
import type { Suggestion } from '../policy/suggestions/suggestion.ts';
import { accepted, inOrganization } from './config-sample.ts';
import { draftValueOf, formatDrafts } from './draft-connector.ts';
import { parseConfig } from './load.ts';

const seen = {
  organization: 'fabrikam',
  domain: 'contoso.com',
  messages: 20,
  days: 4,
  firstAtMs: 0,
  lastAtMs: 0,
  hosts: [],
  hostsLeftOut: 0,
  versions: [],
  certificates: [],
  remarks: [],
};

function suggest(direction: 'inbound' | 'outbound', terms: Terms, ...names: string[]): Suggestion {
  const facts = {
    name: 'contoso.com',
    comment: 'suggested: all of 20 messages',
    domain: 'contoso.com',
    terms,
    names: names.map((name) => parseDomainPattern(name)!),
  };
  return direction === 'outbound'
    ? { ...seen, direction, connector: draftOutbound(facts) }
    : { ...seen, direction, connector: draftInbound(facts) };
}

const cases: readonly Suggestion[] = [
  suggest('outbound', { anchors: 'bundled', purpose: 'serverAuth' }, 'mx.contoso.com'),
  suggest('outbound', { anchors: 'system', purpose: 'serverAuth' }, '*.contoso.com', 'mx.host.net'),
  suggest('inbound', { anchors: 'bundled', purpose: 'clientAuth' }, 'mail.contoso.com'),
  suggest('inbound', { anchors: 'file:/etc/ca.pem', purpose: 'either' }, 'a.net', '*.contoso.com'),
];

for (const [place, suggestion] of cases.entries()) {
  test(`the draft is the connector that was judged (${place})`, () => {
    const { direction, connector } = suggestion;
    const { organizations } = parse(formatDrafts([suggestion])!) as {
      organizations: readonly { id: string }[];
    };
    const [{ id, ...lists } = { id: '' }] = organizations;
    assert.equal(id, 'fabrikam');
    const loaded = parseConfig(inOrganization(`${accepted}\n${stringify(lists)}`), 'postern.yaml');
    assert.ok(loaded.kind === 'loaded', JSON.stringify(loaded));
    // Of every connector that trusts a CA, and of every half of forced TLS.
    const others = loaded.warnings.filter(({ text }) => !/revocation is not checked/.test(text));
    assert.deepEqual(others, []);
    const [organization] = loaded.policy.organizations;
    const key = direction === 'inbound' ? 'inboundConnectors' : 'outboundConnectors';
    assert.deepEqual(organization![key], [connector]);
  });
}

test('several are written by organization and direction', () => {
  const other = { ...cases[2]!, organization: 'other' } as Suggestion;
  const yaml = formatDrafts([cases[0]!, cases[2]!, other])!;
  assert.deepEqual(parse(yaml), {
    organizations: [
      {
        id: 'fabrikam',
        inboundConnectors: [draftValueOf(cases[2]!)],
        outboundConnectors: [draftValueOf(cases[0]!)],
      },
      { id: 'other', inboundConnectors: [draftValueOf(cases[2]!)] },
    ],
  });
  assert.equal(formatDrafts([]), null);
});
