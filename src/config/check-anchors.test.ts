/** Warned of: two connectors that hold for the same mail and trust different CAs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accepted, inOrganization, problemsOf } from './config-sample.ts';
import { formatProblem } from './problem.ts';

const words = /different trust anchors/;
const validated = 'tlsSettings: CertificateValidation';

function organization(connectors: readonly string[], rules: readonly string[] = []): string {
  const list = (each: readonly string[]): string =>
    each.map((keys) => `  - { ${keys} }`).join('\n');
  const ruled = rules.length === 0 ? '' : `\nrules:\n${list(rules)}`;
  return inOrganization(`${accepted}\noutboundConnectors:\n${list(connectors)}${ruled}`);
}

const central = (keys: string): string =>
  `name: central, connectorType: OnPremises, routeAllMessagesViaOnPremises: true, smartHosts: hub.fabrikam.com, ${keys}`;
const scoped = (keys: string): string => `name: add-on, isTransportRuleScoped: true, ${keys}`;
const all = (keys: string): string => `name: all, recipientDomains: "*", ${keys}`;
const toContoso = (keys: string): string =>
  `name: contoso, recipientDomains: "*.contoso.com", ${keys}`;
const rule = (keys = ''): string =>
  `name: scan, routeMessageOutboundConnector: add-on, subjectContainsWords: scan${keys}`;

const own = `${validated}, anchors: /etc/own.pem`;

/** Where the warning stands, and what it says. */
const warned: readonly (readonly [string, string, string, RegExp])[] = [
  [
    'centralized mail transport with a CA of its own beside a connector with the bundled ones',
    organization([central(own), all(validated)]),
    'outboundConnectors[0].anchors',
    /"central" \(file:\/etc\/own\.pem\) and "all" \(bundled\)/,
  ],
  [
    'the same the other way round, where no anchors are written beside the central connector',
    organization([central(validated), all(own)]),
    'outboundConnectors[0].tlsSettings',
    /"central" \(bundled\) and "all" \(file:\/etc\/own\.pem\)/,
  ],
  [
    'several, the first of which are named',
    organization([
      central(own),
      ...['a', 'b', 'c', 'd', 'e'].map(
        (name) => `name: ${name}, recipientDomains: ${name}.com, ${validated}`,
      ),
    ]),
    'outboundConnectors[0].anchors',
    /"a" \(bundled\), "b" \(bundled\), "c" \(bundled\) and 2 more /,
  ],
  [
    "a rule's route with a CA of its own beside a connector with the bundled ones",
    organization([scoped(own), all(validated)], [rule()]),
    'rules[0].routeMessageOutboundConnector',
    /"add-on" \(file:\/etc\/own\.pem\) and "all" \(bundled\).*or name "all" in overrides/,
  ],
  [
    'a rule for one domain whose connector has other anchors, though "*" has the same',
    organization(
      [scoped(own), toContoso(validated), all(own)],
      [rule(', recipientDomainIs: sub.contoso.com')],
    ),
    'rules[0].routeMessageOutboundConnector',
    /and "contoso" \(bundled\)/,
  ],
  [
    'a rule for one domain whose connector only watches before one that enforces',
    organization(
      [scoped(own), toContoso(`${own}, mode: observe`), all(validated)],
      [rule(', recipientDomainIs: contoso.com')],
    ),
    'rules[0].routeMessageOutboundConnector',
    /and "all" \(bundled\)/,
  ],
  [
    'a rule for one address',
    organization([scoped(own), toContoso(validated)], [rule(', sentTo: bob@contoso.com')]),
    'rules[0].routeMessageOutboundConnector',
    /and "contoso" \(bundled\)/,
  ],
];

describe('warned of', () => {
  for (const [what, yaml, key, said] of warned) {
    test(what, () => {
      const problems = problemsOf(yaml);
      assert.ok(problems.every((problem) => problem.severity === 'warning'));
      const found = problems.filter((problem) => words.test(problem.text));
      const shown = problems.map(formatProblem).join('\n');
      assert.equal(found.length, 1, shown);
      assert.equal(found[0]!.key, `organizations[0].${key}`, shown);
      assert.match(found[0]!.text, said);
    });
  }
});

const sound: readonly (readonly [string, string])[] = [
  ['the same anchors', organization([central(own), all(own)])],
  [
    'the same file by another spelling',
    organization([central(own), all(`${validated}, anchors: /etc/x/../own.pem`)]),
  ],
  [
    'a relative path that may be the same file',
    organization([central(own), all(`${validated}, anchors: own.pem`)]),
  ],
  ['encryption alone', organization([central('tlsSettings: EncryptionOnly'), all(own)])],
  ['pins alone', organization([central(`tlsSettings: Pinned, pins: [${pin()}]`), all(own)])],
  [
    'a central connector that only watches',
    organization([central(`${own}, mode: warn`), all(validated)]),
  ],
  ['another that only watches', organization([central(own), all(`${validated}, mode: observe`)])],
  ['another that is off', organization([central(own), all(`${validated}, enabled: false`)])],
  [
    'one for accepted domains, whose mail the central one does not take',
    organization([
      central(own),
      `name: inner, connectorType: OnPremises, allAcceptedDomains: true, smartHosts: in.fabrikam.com, ${validated}`,
    ]),
  ],
  [
    'a rule that overrides it',
    organization([scoped(own), all(validated)], [rule(', overrides: all')]),
  ],
  ['a rule that is off', organization([scoped(own), all(validated)], [rule(', enabled: false')])],
  ['a rule that only audits', organization([scoped(own), all(validated)], [rule(', mode: Audit')])],
  [
    'a rule for a domain whose own connector demands encryption alone',
    organization(
      [scoped(own), toContoso('tlsSettings: EncryptionOnly'), all(validated)],
      [rule(', recipientDomainIs: contoso.com')],
    ),
  ],
  [
    'a rule for a domain whose own connector has the same anchors',
    organization(
      [scoped(own), toContoso(own), all(validated)],
      [rule(', recipientDomainIs: contoso.com')],
    ),
  ],
];

function pin(): string {
  return `"${Buffer.alloc(32).toString('base64')}"`;
}

describe('not warned of', () => {
  for (const [what, yaml] of sound) {
    test(what, () => {
      const problems = problemsOf(yaml);
      const shown = problems.map(formatProblem).join('\n');
      assert.ok(
        problems.every((problem) => problem.severity === 'warning'),
        shown,
      );
      assert.doesNotMatch(shown, words);
    });
  }
});
