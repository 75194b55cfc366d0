/** Mail-flow rules on the wire: one run, one answer, and what is queued afterwards. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { TestContext } from 'node:test';
import {
  acceptedDomain,
  address,
  organization,
  policy as makePolicy,
} from '../../test/support/policy.ts';
import { rule as makeRule } from '../../test/support/rules.ts';
import { runListener } from '../../test/support/receiving-rig.ts';
import { formatAddress } from '../mail/address.ts';
import type { Policy } from '../policy/policy.ts';
import type { MailFlowRule, RuleAction, RuleCondition } from '../policy/rules/rule.ts';
import { FakeServices } from './fake-services.ts';
import { MemoryBudget } from './memory-budget.ts';

const rule = (
  name: string,
  actions: readonly RuleAction[],
  conditions: readonly RuleCondition[] = [],
): MailFlowRule => makeRule(name, { actions, conditions });

const secret: RuleCondition = {
  kind: 'contains-words',
  place: { kind: 'subject' },
  words: ['secret'],
};
const reject: RuleAction = { kind: 'reject', enhancedStatus: '5.7.1', text: 'not here' };

function withRules(...rules: readonly MailFlowRule[]): Policy {
  return makePolicy({
    rules,
    mailboxes: [
      { account: 'user', addresses: [address('user@example.test')] },
      { account: 'two', addresses: [address('two@example.test')] },
    ],
  });
}

async function send(
  t: TestContext,
  policy: Policy,
  part: { subject?: string; to?: readonly string[]; body?: string } = {},
  services: FakeServices = new FakeServices(policy),
) {
  const running = await runListener(t, { memoryContentBytesMax: 3000 }, {}, services);
  const client = await running.greeted();
  const { subject = 'hello', to = ['user@example.test'], body = 'body' } = part;
  const transact = async (): Promise<{ answer: string; rcpt: string[] }> => {
    await client.command('MAIL FROM:<a@sender.test>', 250);
    const rcpt: string[] = [];
    for (const each of to) rcpt.push((await client.command(`RCPT TO:<${each}>`)).text);
    await client.command('DATA', 354);
    const content = `From: <a@sender.test>\r\nSubject: ${subject}\r\n\r\n${body}\r\n.`;
    return { answer: (await client.command(content)).text, rcpt };
  };
  return { services, transact, ...(await transact()) };
}

void test('a rejection is a reply with the words of the rule, and nothing is queued', async (t) => {
  const { answer, services } = await send(t, withRules(rule('R', [reject], [secret])), {
    subject: 'a secret plan',
  });
  assert.match(answer, /^550 5\.7\.1 .*not here.*\[ID\d+\]/);
  assert.deepEqual(services.accepted, []);
  const [refusal] = services.refused;
  assert.match(JSON.stringify(refusal!.decision), /"rule":"R"/);
});

void test('mail that no rule meets is as it was, with the rules in its record', async (t) => {
  const { answer, services } = await send(t, withRules(rule('R', [reject], [secret])));
  assert.match(answer, /^250 /);
  const [message] = services.accepted;
  assert.equal(message!.ruling, undefined);
  assert.match(JSON.stringify(message!.decision), /"notConcerned":1\b/);
});

void test('a route and required TLS are kept with the message', async (t) => {
  const rules = withRules(
    rule('route', [{ kind: 'route-to-connector', connector: 'add-on' }]),
    rule('seal', [{ kind: 'require-tls' }]),
  );
  const { services } = await send(t, rules);
  const [message] = services.accepted;
  assert.equal(message!.ruling!.connector, 'add-on');
  assert.deepEqual(
    message!.clauses.map(({ kind, origin }) => `${kind} of ${origin.kind} ${origin.name}`),
    ['encrypted of rule seal', 'min-version of rule seal'],
  );
});

void test('quarantine holds the message from the start', async (t) => {
  const { answer, services } = await send(t, withRules(rule('Q', [{ kind: 'quarantine' }])));
  assert.match(answer, /^250 /);
  assert.deepEqual(services.accepted[0]!.hold, {
    cause: 'rule',
    reason: 'the rule "Q" put it in quarantine',
  });
});

void test('what a rule deletes for everybody leaves a record by the id that it was taken as', async (t) => {
  const { answer, services } = await send(t, withRules(rule('D', [{ kind: 'delete' }])));
  assert.deepEqual(services.accepted, []);
  const [deleted] = services.refused;
  assert.match(JSON.stringify(deleted!.decision), /"result":"deleted".*"rule":"D"/);
  assert.match(answer, new RegExp(`^250 2\\.0\\.0 accepted as ${deleted!.id}\\b`));
  assert.ok(services.lines.some(({ text }) => text === 'message deleted by a rule'));
});

void test('what cannot be recorded after the commit takes no mail back', async (t) => {
  const other = organization({
    id: 'other',
    acceptedDomains: [acceptedDomain('other.test')],
    mailboxes: [{ account: 'o', addresses: [address('o@other.test')] }],
    rules: [rule('D', [{ kind: 'delete' }])],
  });
  const rules = { ...withRules(), organizations: [...withRules().organizations, other] };
  const to = ['user@example.test', 'o@other.test'];
  const body = `${'x'.repeat(70)}\r\n`.repeat(100);
  class Failing extends FakeServices {
    override recordRefusal(): void {
      throw new Error('the record is broken');
    }
  }
  const { answer, services } = await send(t, rules, { to, body }, new Failing(rules));
  assert.match(answer, /^250 /);
  assert.equal(services.accepted.length, 1);
  assert.equal(services.files[0]!.state, 'finished');
  assert.ok(services.lines.some(({ text }) => text === 'deleted by a rule, and not recorded'));
});

void test('a log that is broken after the commit takes no mail back', async (t) => {
  const body = `${'x'.repeat(70)}\r\n`.repeat(100);
  const failing = new FakeServices(withRules());
  const fail = (): void => {
    throw new Error('the log is broken');
  };
  failing.onAccept = () => {
    Object.assign(failing.log, { info: fail, error: fail });
    return Promise.resolve();
  };
  const warned = t.mock.method(process, 'emitWarning', () => undefined);
  const { answer, services } = await send(t, withRules(), { body }, failing);
  assert.match(answer, /^250 /);
  assert.equal(services.accepted.length, 1);
  assert.equal(services.files[0]!.state, 'finished');
  assert.match(String(warned.mock.calls[0]?.arguments[0]), /accepted, and not told: .*broken/);
});

for (const [where, body] of [
  ['in memory', 'body'],
  ['in the spool', `${'x'.repeat(70)}\r\n`.repeat(100)],
] as const) {
  void test(`a header that a rule changes is written anew ${where}`, async (t) => {
    const only: RuleCondition = { kind: 'sent-to', addresses: [address('two@example.test')] };
    const rules = withRules(
      rule('P', [{ kind: 'prepend-subject', text: '[note] ' }], [only]),
      rule('H', [{ kind: 'set-header', name: 'X-Tag', value: 'yes' }], [only]),
    );
    const to = ['user@example.test', 'two@example.test'];
    const { services } = await send(t, rules, { to, body });
    assert.deepEqual(
      services.accepted.map(({ recipients }) => recipients.map(formatAddress)),
      [['user@example.test'], ['two@example.test']],
    );
    const texts = services.accepted.map(({ content }, i) =>
      content.kind === 'memory'
        ? services.textOf(content)
        : Buffer.concat(services.files[i]!.chunks).toString(),
    );
    assert.match(texts[0]!, /\r\nSubject: hello\r\n/);
    assert.match(texts[1]!, /\r\nSubject: \[note\] hello\r\n/);
    assert.match(texts[1]!, /\r\nX-Tag: yes\r\n/);
    for (const text of texts) assert.ok(text.endsWith(`\r\n\r\n${body}\r\n`));
    assert.equal(new Set(services.accepted.map(({ id }) => id)).size, 2);
  });
}

void test('copies that rules make count against the memory budget: beyond it they are spooled', async (t) => {
  const names = Array.from({ length: 12 }, (_, i) => `u${i}@example.test`);
  const rules = names.map((to, i) =>
    rule(
      `H${i}`,
      [{ kind: 'set-header', name: 'X-Tag', value: `${i}` }],
      [{ kind: 'sent-to', addresses: [address(to)] }],
    ),
  );
  const mailboxes = [{ account: 'user', addresses: names.map(address) }];
  const policy = makePolicy({ rules, mailboxes });
  const services = new FakeServices(policy);
  services.contentMemory = new MemoryBudget(20_000);
  const used: number[] = [];
  services.onAccept = () => {
    used.push(services.contentMemory.usedBytes);
    return Promise.resolve();
  };
  const body = `${'x'.repeat(70)}\r\n`.repeat(30);
  const { answer } = await send(t, policy, { to: names, body }, services);
  assert.match(answer, /^250 /);
  const bytes = services.accepted.map(({ content }) =>
    content.kind === 'memory' ? content.bytes.length : 0,
  );
  const inMemory = bytes.reduce((sum, each) => sum + each, 0);
  assert.ok(inMemory > 0 && inMemory <= 10_000, `${inMemory} bytes of copies in memory`);
  assert.ok(used[0]! >= inMemory && used[0]! <= 10_000, `${used[0]} bytes were reserved`);
  assert.equal(services.contentMemory.usedBytes, 0, 'given back with the answer');
  const spooled = services.files.values();
  for (const [i, { content }] of services.accepted.entries()) {
    const kept =
      content.kind === 'memory' ? content.bytes : Buffer.concat(spooled.next().value!.chunks);
    assert.match(kept.toString(), new RegExp(`\r\nX-Tag: ${i}\r\n`));
    assert.ok(kept.toString().endsWith(`\r\n\r\n${body}\r\n`));
  }
});

void test('copies give their memory back when the store refuses them', async (t) => {
  const policy = withRules(rule('H', [{ kind: 'set-header', name: 'X-Tag', value: 'yes' }]));
  const services = new FakeServices(policy);
  services.onAccept = () => Promise.reject(new Error('no store'));
  const { answer } = await send(t, policy, {}, services);
  assert.match(answer, /^451 /);
  assert.equal(services.contentMemory.usedBytes, 0);
});

void test('where the body cannot be looked at, a protecting rule acts and any other waits', async (t) => {
  const body: RuleCondition = {
    kind: 'contains-words',
    place: { kind: 'subject-or-body' },
    words: ['secret'],
  };
  const sealed = await send(t, withRules(rule('seal', [{ kind: 'require-tls' }], [body])));
  assert.match(sealed.answer, /^250 /);
  assert.equal(sealed.services.accepted[0]!.clauses[0]?.kind, 'encrypted');
  const waits = await send(
    t,
    withRules(rule('P', [{ kind: 'prepend-subject', text: 'x' }], [body])),
  );
  assert.match(waits.answer, /^451 4\.7\.\d .*"P"/);
  assert.deepEqual(waits.services.accepted, []);
});

void test("one organization's rule does not refuse the mail of another: one at a time", async (t) => {
  const other = organization({
    id: 'other',
    acceptedDomains: [acceptedDomain('other.test')],
    mailboxes: [{ account: 'o', addresses: [address('o@other.test')] }],
  });
  const mine = withRules(rule('R', [reject]));
  const both = { ...mine, organizations: [...mine.organizations, other] };
  const to = ['o@other.test', 'user@example.test'];
  const { answer, services, transact } = await send(t, both, { to });
  assert.match(answer, /^451 4\.5\.3 /);
  assert.deepEqual(services.accepted, []);
  const again = await transact();
  assert.match(again.rcpt[1]!, /^452 4\.5\.3 /);
  assert.match(again.answer, /^250 /);
  assert.deepEqual(
    services.accepted.map(({ organization: owner }) => owner),
    ['other'],
  );
});
