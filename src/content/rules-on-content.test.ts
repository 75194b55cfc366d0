/** The way of a message through rules as receiving goes it: header, questions, answers, verdict, edits. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { formatAddress } from '../mail/address.ts';
import type { Organization } from '../policy/policy.ts';
import type { RulesResult } from '../policy/rules/run-rules.ts';
import { applyRules } from '../policy/rules/evaluate-rules.ts';
import { questionsOf } from '../policy/rules/questions.ts';
import { address, noon, outboundConnector, policy } from '../../test/support/policy.ts';
import { recipients, reject, requireTls, rule, whenBody } from '../../test/support/rules.ts';
import { editHeader } from './edit-header.ts';
import { ContentExaminer } from './examine-content.ts';
import { headerEnd } from './header-block.ts';
import { readHeaderFacts } from './header-facts.ts';
import { readRuleHeader } from './read-rule-header.ts';

const examiner = new ContentExaminer({ limits: { jobMs: 20_000 } });
after(() => examiner.close());

const scan = outboundConnector('scan', { isTransportRuleScoped: true });

async function pass(part: Partial<Organization>, text: string): Promise<RulesResult> {
  const value = policy({ outboundConnectors: [scan], ...part });
  const organization = value.organizations[0]!;
  const bytes = Buffer.from(text, 'utf8');
  const header = bytes.subarray(0, headerEnd(bytes));
  const message = {
    reversePath: address('user@example.test'),
    recipients: recipients('bob@contoso.com'),
    isAuthenticated: true,
    clientAddress: '192.0.2.9',
    isOverTls: true,
    sizeBytes: bytes.length,
    header: readRuleHeader(header, readHeaderFacts(header).from, value.hostName),
  };
  const questions = questionsOf(value, organization, message, noon);
  const facts = await examiner.examine({ kind: 'memory', bytes }, questions);
  return applyRules(value, organization, message, { facts, nowMs: noon });
}

const mail = (subject: string, body: string): string =>
  `From: user@example.test\r\nSubject: ${subject}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${body}`;

test('a word that only the decoded body shows requires TLS', async () => {
  const rules = [rule('seal', { conditions: [whenBody('vertraulich')], actions: [requireTls] })];
  const clausesOf = async (body: string) => {
    const result = await pass({ rules }, mail('x', body));
    return result.kind === 'pass' ? result.forks[0]!.ruling.clauses.length : -1;
  };
  assert.equal(await clausesOf('<p>Streng ver<b>trau</b>lich!</p>'), 2);
  assert.equal(await clausesOf('<p>Vertraulichkeit</p>'), 0);
});

test('what no reader agrees on is rejected by a rule that rejects, and waits for one that edits', async () => {
  const odd = `Content-Type: text/plain\r\n${mail('x', 'nothing')}`;
  const about = { conditions: [whenBody('secret')] };
  const refused = await pass({ rules: [rule('no', { ...about, actions: [reject] })] }, odd);
  assert.equal(refused.kind, 'reject');
  const edits = rule('edit', { ...about, actions: [{ kind: 'remove-header', name: 'X-A' }] });
  assert.equal((await pass({ rules: [edits] }, odd)).kind, 'defer');
});

test('out to a service and back: the field that it sets ends it, and so does the count of passes', async () => {
  const out = rule('scan', {
    conditions: [
      { kind: 'from-scope', scope: 'InOrganization' },
      { kind: 'sent-to-scope', scope: 'NotInOrganization' },
    ],
    exceptions: [
      { kind: 'contains-words', place: { kind: 'header', name: 'x-scanned' }, words: ['true'] },
    ],
    actions: [{ kind: 'route-to-connector', connector: 'scan' }],
  });
  let text = mail('x', 'y');
  for (let turn = 0; turn < 3; turn++) {
    const result = await pass({ rules: [out] }, text);
    assert.ok(result.kind === 'pass');
    const [fork] = result.forks;
    assert.equal(fork!.ruling.connector, 'scan');
    assert.deepEqual(fork!.recipients.map(formatAddress), ['bob@contoso.com']);
    text = editHeader(Buffer.from(text), fork!.headerEdits).toString();
  }
  const scanned = await pass({ rules: [out] }, `X-Scanned: true\r\n${text}`);
  assert.ok(scanned.kind === 'pass' && scanned.forks[0]!.ruling.connector === null);
  const again = await pass({ rules: [out] }, text);
  assert.ok(again.kind === 'reject' && again.reply.status!.detail === 128);
});
