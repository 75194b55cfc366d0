import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MailFlowRule } from '../policy/rules/rule.ts';
import { accepted, inOrganization, problemsOf } from './config-sample.ts';
import { parseConfig } from './load.ts';
import { formatProblem } from './problem.ts';
import { conditionKeys, exceptionKey } from './schema-rules.ts';
import type { RefusalCase } from './refusal-case.ts';
import { testRefusals } from './refusal-case.ts';

const connectors = `outboundConnectors:
  - { name: scan, isTransportRuleScoped: true, smartHosts: scan.test }
  - { name: off, enabled: false, isTransportRuleScoped: true, smartHosts: scan.test }
  - { name: contoso, recipientDomains: contoso.com, tlsSettings: EncryptionOnly }`;

/** Rules, each by its keys. */
const rules = (...keys: string[]): string =>
  inOrganization(
    [accepted, connectors, 'rules:', ...keys.map((each) => `  - { ${each} }`)].join('\n'),
  );

/** One rule that holds what it meets. */
const holding = (keys: string): string => rules(`name: one, quarantine: true, ${keys}`);

function loadRules(yaml: string): readonly MailFlowRule[] {
  const result = parseConfig(yaml, 'postern.yaml');
  assert.ok(
    result.kind === 'loaded',
    result.kind === 'refused' ? result.problems.map(formatProblem).join('\n') : '',
  );
  return result.policy.organizations[0]!.rules;
}

const at = (key: string, place = 0): string => `organizations[0].rules[${place}].${key}`;

describe('a rule', () => {
  it('has the meaning of its defaults', () => {
    assert.deepEqual(loadRules(holding('')), [
      {
        name: 'one',
        enabled: true,
        comments: '',
        mode: 'Enforce',
        activationAtMs: null,
        expiryAtMs: null,
        senderAddressLocation: 'Header',
        conditions: [],
        exceptions: [],
        actions: [{ kind: 'quarantine' }],
        stopRuleProcessing: false,
        overrides: [],
      },
    ]);
  });

  it('keeps its place in the list', () => {
    const list = loadRules(rules('name: b, quarantine: true', 'name: a, quarantine: true'));
    assert.deepEqual(
      list.map(({ name }) => name),
      ['b', 'a'],
    );
  });

  it('acts from one day or time to another', () => {
    const [rule] = loadRules(
      holding('activationDate: 2027-01-01, expiryDate: "2027-03-31T08:00:00+02:00"'),
    );
    assert.equal(rule!.activationAtMs, Date.UTC(2027, 0, 1));
    assert.equal(rule!.expiryAtMs, Date.UTC(2027, 2, 31, 6));
  });
});

/** A value for each key, and the condition that it becomes. */
const samples: Readonly<Record<string, readonly [string, object]>> = {
  fromScope: ['InOrganization', { kind: 'from-scope', scope: 'InOrganization' }],
  sentToScope: ['NotInOrganization', { kind: 'sent-to-scope', scope: 'NotInOrganization' }],
  from: ['a@b.test', { kind: 'from', addresses: [{ localPart: 'a', domain: 'b.test' }] }],
  sentTo: ['a@b.test', { kind: 'sent-to', addresses: [{ localPart: 'a', domain: 'b.test' }] }],
  senderDomainIs: ['B.test', { kind: 'sender-domain-is', domains: ['b.test'] }],
  recipientDomainIs: [
    '[b.test, c.test]',
    { kind: 'recipient-domain-is', domains: ['b.test', 'c.test'] },
  ],
  fromAddressContainsWords: [
    'ann',
    { kind: 'contains-words', place: { kind: 'sender-address' }, words: ['ann'] },
  ],
  fromAddressMatchesPatterns: [
    "'^ann'",
    { kind: 'matches-patterns', place: { kind: 'sender-address' }, patterns: ['^ann'] },
  ],
  recipientAddressContainsWords: [
    'ann',
    { kind: 'contains-words', place: { kind: 'recipient-address' }, words: ['ann'] },
  ],
  recipientAddressMatchesPatterns: [
    "'^ann'",
    { kind: 'matches-patterns', place: { kind: 'recipient-address' }, patterns: ['^ann'] },
  ],
  subjectContainsWords: [
    '[a b, c]',
    { kind: 'contains-words', place: { kind: 'subject' }, words: ['a b', 'c'] },
  ],
  subjectMatchesPatterns: [
    "'a|b'",
    { kind: 'matches-patterns', place: { kind: 'subject' }, patterns: ['a|b'] },
  ],
  subjectOrBodyContainsWords: [
    'a',
    { kind: 'contains-words', place: { kind: 'subject-or-body' }, words: ['a'] },
  ],
  subjectOrBodyMatchesPatterns: [
    "'a'",
    { kind: 'matches-patterns', place: { kind: 'subject-or-body' }, patterns: ['a'] },
  ],
  headerContainsWords: [
    'a',
    { kind: 'contains-words', place: { kind: 'header', name: 'x-a' }, words: ['a'] },
  ],
  headerMatchesPatterns: [
    "'a'",
    { kind: 'matches-patterns', place: { kind: 'header', name: 'x-a' }, patterns: ['a'] },
  ],
  attachmentNameMatchesPatterns: [
    "'a'",
    { kind: 'matches-patterns', place: { kind: 'attachment-name' }, patterns: ['a'] },
  ],
  attachmentExtensionMatchesWords: [
    '[EXE]',
    { kind: 'attachment-extension-is', extensions: ['exe'] },
  ],
  attachmentContentTypeIs: ["'Image/*'", { kind: 'attachment-type-is', types: ['image/*'] }],
  messageSizeOver: ['10KB', { kind: 'message-size-over', bytes: 10_000 }],
  senderIPRanges: ['192.0.2.1', { kind: 'sender-ip-ranges', ranges: ['192.0.2.1/32'] }],
  hasClassification: ['Secret', { kind: 'has-classification', classification: 'Secret' }],
  hasNoClassification: ['true', { kind: 'has-no-classification' }],
  receivedOverTls: ['false', { kind: 'received-over-tls', isOverTls: false }],
};
const headerOf: Readonly<Record<string, string>> = {
  headerContainsWords: 'headerContainsMessageHeader',
  headerMatchesPatterns: 'headerMatchesMessageHeader',
};

describe('conditions and exceptions', () => {
  for (const key of conditionKeys) {
    if (Object.values(headerOf).includes(key)) continue;
    it(`${key} is read, and so is its exception`, () => {
      const [written, condition] = samples[key]!;
      const header = headerOf[key];
      const named = (name: (key: string) => string) =>
        header === undefined ? '' : `, ${name(header)}: X-A`;
      const [rule] = loadRules(holding(`${key}: ${written}${named((name) => name)}`));
      assert.deepEqual([rule!.conditions, rule!.exceptions], [[condition], []]);
      const [other] = loadRules(holding(`${exceptionKey(key)}: ${written}${named(exceptionKey)}`));
      assert.deepEqual([other!.conditions, other!.exceptions], [[], [condition]]);
    });
  }
});

describe('actions', () => {
  const actionsOf = (keys: string) => loadRules(rules(`name: one, ${keys}`))[0]!.actions;
  const to = [{ localPart: 'a', domain: 'b.test' }];

  it('are read by their names', () => {
    const cases: readonly (readonly [string, readonly object[]])[] = [
      ['routeMessageOutboundConnector: scan', [{ kind: 'route-to-connector', connector: 'scan' }]],
      ['routeMessageOutboundRequireTls: true', [{ kind: 'require-tls' }]],
      ['redirectMessageTo: a@b.test', [{ kind: 'redirect', to }]],
      ['addToRecipients: a@b.test', [{ kind: 'add-recipients', to }]],
      ['blindCopyTo: a@b.test', [{ kind: 'blind-copy', to }]],
      ['setHeaderName: X-A, setHeaderValue: b', [{ kind: 'set-header', name: 'X-A', value: 'b' }]],
      ['removeHeader: X-A', [{ kind: 'remove-header', name: 'X-A' }]],
      ["prependSubject: '[x] '", [{ kind: 'prepend-subject', text: '[x] ' }]],
      ['quarantine: true', [{ kind: 'quarantine' }]],
      ['deleteMessage: true', [{ kind: 'delete' }]],
      ['stopRuleProcessing: true', []],
    ];
    for (const [keys, actions] of cases) assert.deepEqual(actionsOf(keys), actions, keys);
  });

  it("reject has Exchange's text and code where one of the two is given", () => {
    const text = 'Delivery not authorized, message refused';
    assert.deepEqual(actionsOf('rejectMessageReasonText: no'), [
      { kind: 'reject', enhancedStatus: '5.7.1', text: 'no' },
    ]);
    assert.deepEqual(actionsOf('rejectMessageEnhancedStatusCode: 5.7.950'), [
      { kind: 'reject', enhancedStatus: '5.7.950', text },
    ]);
  });

  it('a route may override connectors', () => {
    const [rule] = loadRules(
      rules('name: one, routeMessageOutboundConnector: scan, overrides: contoso'),
    );
    assert.deepEqual(rule!.overrides, ['contoso']);
  });
});

/** What is written, the key that is named, and words that say what would be right. */
const refusals: readonly RefusalCase[] = [
  ['a rule that does nothing', rules('name: one'), at('name'), /does nothing/],
  [
    'two rules of one name',
    rules('name: one, quarantine: true', 'name: ONE, quarantine: true'),
    at('name', 1),
    /another rule "ONE"/,
  ],
  [
    'a connector that is not there',
    rules('name: one, routeMessageOutboundConnector: scam'),
    at('routeMessageOutboundConnector'),
    /no outbound connector "scam".*did you mean "scan"/,
  ],
  [
    'a connector that domains choose',
    rules('name: one, routeMessageOutboundConnector: contoso'),
    at('routeMessageOutboundConnector'),
    /needs isTransportRuleScoped: true/,
  ],
  [
    'overrides without a route',
    holding('overrides: contoso'),
    at('overrides'),
    /acts only with routeMessageOutboundConnector/,
  ],
  [
    'overrides that name no connector',
    rules('name: one, routeMessageOutboundConnector: scan, overrides: contos'),
    at('overrides'),
    /no outbound connector "contos".*did you mean "contoso"/,
  ],
  [
    'overrides that name the route itself',
    rules('name: one, routeMessageOutboundConnector: scan, overrides: [scan]'),
    at('overrides[0]'),
    /that the rule routes to/,
  ],
  [
    'a rejection beside a route',
    rules('name: one, rejectMessageReasonText: no, routeMessageOutboundConnector: scan'),
    at('routeMessageOutboundConnector'),
    /no effect on a rejected message/,
  ],
  [
    'a deletion beside a copy',
    rules('name: one, deleteMessage: true, blindCopyTo: a@b.test'),
    at('blindCopyTo'),
    /no effect on a deleted message/,
  ],
  [
    'a deletion beside a rejection',
    rules('name: one, deleteMessage: true, rejectMessageReasonText: no'),
    at('deleteMessage'),
    /no effect on a rejected message/,
  ],
  [
    'a header name without a value',
    rules('name: one, setHeaderName: X-A'),
    at('setHeaderName'),
    /needs setHeaderValue/,
  ],
  [
    'a header value without a name',
    rules('name: one, setHeaderValue: x'),
    at('setHeaderValue'),
    /needs setHeaderName/,
  ],
  ...['X-MS-Exchange-Organization-SCL', 'Received', 'x-postern-rules-loop', 'DKIM-Signature'].map(
    (name) =>
      [
        `a rule that writes ${name}`,
        rules(`name: one, setHeaderName: ${name}, setHeaderValue: x`),
        at('setHeaderName'),
        /only they write it/,
      ] as const,
  ),
  ...['From', 'to', 'Content-Type', 'Message-ID'].map(
    (name) =>
      [
        `a rule that writes ${name}`,
        rules(`name: one, setHeaderName: ${name}, setHeaderValue: x`),
        at('setHeaderName'),
        /part of what the author wrote/,
      ] as const,
  ),
  [
    'a rule that removes From',
    rules('name: one, removeHeader: From'),
    at('removeHeader'),
    /author/,
  ],
  [
    'a rule that removes Received',
    rules('name: one, removeHeader: Received'),
    at('removeHeader'),
    /nobody sees a loop/,
  ],
  [
    'words for a header field that is not named',
    holding('headerContainsWords: x'),
    at('headerContainsWords'),
    /needs headerContainsMessageHeader/,
  ],
  [
    'an exception for a header field without patterns',
    holding('exceptIfHeaderMatchesMessageHeader: X-A'),
    at('exceptIfHeaderMatchesMessageHeader'),
    /needs exceptIfHeaderMatchesPatterns/,
  ],
  [
    'a classification and none',
    holding('hasNoClassification: true, hasClassification: x'),
    at('hasNoClassification'),
    /contradicts hasClassification/,
  ],
  [
    'a pattern that looks around',
    holding("subjectMatchesPatterns: 'a(?=b)'"),
    at('subjectMatchesPatterns'),
    /back-tracking/,
  ],
  [
    'a pattern that refers back, in an exception',
    holding("exceptIfSubjectMatchesPatterns: ['a', '(a)\\1']"),
    at('exceptIfSubjectMatchesPatterns[1]'),
    /refers back/,
  ],
  [
    'a domain with a star',
    holding("recipientDomainIs: '*.contoso.com'"),
    at('recipientDomainIs'),
    /takes no wildcard/,
  ],
  ['a word of blanks', holding("subjectContainsWords: ' a'"), at('subjectContainsWords'), /blank/],
  [
    'an extension with its dot',
    holding('attachmentExtensionMatchesWords: .exe'),
    at('attachmentExtensionMatchesWords'),
    /without a dot.*did you mean "exe"/,
  ],
  [
    'a type that is none',
    holding('attachmentContentTypeIs: pdf'),
    at('attachmentContentTypeIs'),
    /application\/pdf/,
  ],
  ['a day that is none', holding('expiryDate: 2027-02-30'), at('expiryDate'), /must be a day/],
  ['a time without a zone', holding('expiryDate: "2027-02-03T08:00:00"'), at('expiryDate'), /zone/],
  [
    'an end before the beginning',
    holding('activationDate: 2027-02-01, expiryDate: 2027-02-01'),
    at('expiryDate'),
    /would never act/,
  ],
  [
    'a code of another kind',
    rules('name: one, rejectMessageEnhancedStatusCode: 5.1.1'),
    at('rejectMessageEnhancedStatusCode'),
    /5\.7\.900/,
  ],
  [
    'a reason that is too long',
    rules(`name: one, rejectMessageReasonText: ${'x'.repeat(1025)}`),
    at('rejectMessageReasonText'),
    /longer than 1024/,
  ],
  ['policy tips', holding('mode: AuditAndNotify'), at('mode'), /write Audit/],
  [
    'the scope of partners',
    holding('sentToScope: ExternalPartner'),
    at('sentToScope'),
    /recipientDomainIs/,
  ],
  ['what Exchange has and we have not', holding('setScl: 9'), at('setScl'), /not supported yet/],
  [
    "Exchange's spelling",
    holding('SubjectContainsWords: x'),
    at('SubjectContainsWords'),
    /did you mean "subjectContainsWords"/,
  ],
  [
    'more recipients than a message may get',
    rules(
      `name: one, blindCopyTo: [${Array.from({ length: 101 }, (_, i) => `a${i}@b.test`).join(', ')}]`,
    ),
    at('blindCopyTo'),
    /more than 100 addresses/,
  ],
  [
    'a rule that is too large',
    holding(
      `subjectContainsWords: [${Array.from({ length: 100 }, (_, i) => `w${'x'.repeat(90)}${i}`).join(', ')}]`,
    ),
    at('name'),
    /larger than 8 KB/,
  ],
  [
    'more rules than are taken',
    rules(...Array.from({ length: 301 }, (_, i) => `name: r${i}, quarantine: true`)),
    'organizations[0].rules',
    /at most 300/,
  ],
  [
    'more patterns than are taken',
    rules(
      ...Array.from(
        { length: 7 },
        (_, i) =>
          `name: r${i}, quarantine: true, subjectMatchesPatterns: [${`'${'x'.repeat(1000)}', `.repeat(3)}]`,
      ),
    ),
    at('name', 6),
    /longer than 20 KB together/,
  ],
];

testRefusals(refusals);

describe('warns', () => {
  const warningsOf = (yaml: string, key: string): string[] =>
    problemsOf(yaml)
      .filter((problem) => problem.severity === 'warning' && problem.key === key)
      .map(({ text }) => text);

  it('of a route to a connector that is off', () => {
    const yaml = rules('name: one, routeMessageOutboundConnector: off');
    assert.match(warningsOf(yaml, at('routeMessageOutboundConnector'))[0]!, /will wait/);
  });

  it('of rules behind one that ends the rules for every message', () => {
    const yaml = rules('name: all, stopRuleProcessing: true', 'name: late, quarantine: true');
    assert.match(warningsOf(yaml, at('name', 1))[0]!, /sees no message: "all"/);
    const some = rules(
      'name: all, stopRuleProcessing: true, fromScope: InOrganization',
      'name: late, quarantine: true',
    );
    assert.deepEqual(warningsOf(some, at('name', 1)), []);
  });

  it('of a connector for rules that no rule uses, and not of one that is used', () => {
    const key = (place: number) =>
      `organizations[0].outboundConnectors[${place}].isTransportRuleScoped`;
    assert.equal(warningsOf(holding(''), key(0)).length, 1);
    const used = rules('name: one, routeMessageOutboundConnector: scan');
    assert.deepEqual(warningsOf(used, key(0)), []);
  });
});
