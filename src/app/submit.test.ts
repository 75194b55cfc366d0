/** Messages through the API: what is refused, and where the content of the others is kept. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  acceptedDomain,
  address,
  deliveryTarget,
  outboundConnector,
  policy,
} from '../../test/support/policy.ts';
import { rule } from '../../test/support/rules.ts';
import { Failure } from '../mail/failure.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import { silentMeter } from '../report/meter.ts';
import { openSpool } from '../store/spool.ts';
import { noFacts } from '../policy/rules/rule-message.ts';
import { submitMessage } from './submit.ts';
import type { LaneSubmission } from './messages.ts';
import type { SubmitServices } from './submit.ts';

const folder = await mkdtemp(join(tmpdir(), 'postern-submit-'));
after(() => rm(folder, { recursive: true }));

const memoryContentBytes = 1000;
const header = 'Subject: hello\r\n\r\n';

function contentOf(sizeBytes: number, body = 'x'): Buffer {
  const fill = sizeBytes - Buffer.byteLength(header) - 2;
  return Buffer.concat([
    Buffer.from(header),
    Buffer.from(body.repeat(fill), 'latin1'),
    Buffer.from('\r\n'),
  ]);
}

async function submit(
  content: Uint8Array,
  services: Partial<SubmitServices> = {},
  asked: Partial<LaneSubmission> = {},
): Promise<IncomingMessage[]> {
  const taken: IncomingMessage[] = [];
  const submission = { from: 'user@example.test', to: ['b@partner.test'], content, ...asked };
  await submitMessage(submission, {
    policy: () => policy(),
    newId: () => 'MESSAGE1',
    verifyRecipient: () => Promise.resolve({ kind: 'exists' }),
    examine: () => Promise.resolve(noFacts),
    accept: (...messages) => {
      taken.push(...messages);
      return Promise.resolve();
    },
    openSpool: (organization) => openSpool(folder, organization),
    memoryContentBytes,
    now: () => Date.UTC(2026, 10, 22),
    meter: silentMeter,
    ...services,
  });
  return taken;
}

async function spooled(): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
}

test('content up to the bound stays in memory, behind a Received field', async () => {
  const content = contentOf(memoryContentBytes);
  const [message] = await submit(content);
  assert(message!.content.kind === 'memory');
  assert.match(message!.content.bytes.toString('latin1'), /^Received: [^]*ESMTPA[^]*\r\nSubject: /);
  assert(message!.content.bytes.subarray(-content.length).equals(content));
  assert.deepEqual(await spooled(), []);
});

test('the header is cleaned and completed as that of an account, in memory and in the spool', async () => {
  const fields = 'X-OriginatorOrg: a\r\nBcc: hidden@a.test\r\nX-Kept: a\r\n';
  for (const fill of [10, 5000]) {
    const sent = Buffer.from(`${fields}${header}${'x'.repeat(fill)}\r\n`);
    const counted: string[] = [];
    const meter = {
      ...silentMeter,
      count: (...parts: unknown[]) => counted.push(JSON.stringify(parts)),
    };
    const [message] = await submit(sent, { meter });
    const { content } = message!;
    const bytes =
      content.kind === 'memory'
        ? content.bytes
        : (await readFile(content.path)).subarray(content.offset);
    assert.match(
      bytes.toString(),
      /;\s[^;]*\r\nFrom: user@example\.test\r\nDate: .*\r\nMessage-ID: <MESSAGE1@.*>\r\nX-Kept: a\r\nSubject: hello\r\n\r\nx+\r\n$/,
    );
    assert.deepEqual(message!.headerChanges, {
      removed: { 'X-OriginatorOrg': 1, Bcc: 1 },
      added: ['From', 'Date', 'Message-ID'],
    });
    const fieldsCounted = counted.filter((each) => each.includes('headerFieldsRemoved'));
    assert.equal(fieldsCounted.length, 2);
    if (content.kind === 'spool') await rm(content.path);
  }
});

test('it is stated as internal where the organization has another side, and only there', async () => {
  const outboundConnectors = [
    outboundConnector('other side', {
      connectorType: 'OnPremises',
      cloudServicesMailEnabled: true,
    }),
  ];
  const forged = Buffer.from(`X-MS-Exchange-Organization-AuthAs: Anonymous\r\n${header}x\r\n`);
  for (const [part, expected] of [
    [{ outboundConnectors }, ['Internal']],
    [{}, []],
  ] as const) {
    const [message] = await submit(forged, { policy: () => policy(part) });
    assert(message!.content.kind === 'memory');
    const text = message!.content.bytes.toString();
    const found = [...text.matchAll(/Organization-AuthAs: (\w+)/g)].map(([, value]) => value);
    assert.deepEqual(found, expected);
  }
});

test('loops and headers that nobody could read are refused', async () => {
  const own = 'Received: from a by mx.example.test (Postern) with ESMTP id 1; now\r\n';
  const { hostName } = policy();
  const ours = own.replace('mx.example.test', hostName);
  const accept = () => assert.fail('it was accepted');
  const wide = `X: ${'x'.repeat(1020)}\r\n`.repeat(257);
  for (const fields of [ours.repeat(6), 'X: y\r\n'.repeat(1000), ' first\r\n', wide]) {
    const content = Buffer.from(`${fields}${header}x\r\n`);
    await assert.rejects(submit(content, { accept }), { code: 'submission-refused' });
  }
  assert.equal((await submit(Buffer.from(`${ours.repeat(5)}${header}x\r\n`))).length, 1);
});

test('larger content is in the spool, whole and with its Received field', async () => {
  // Part of a larger buffer, as what comes between threads may be.
  const content = contentOf(memoryContentBytes + 1, '\u00e9');
  const framed = Buffer.concat([Buffer.from('before'), content, Buffer.from('after')]);
  const [message] = await submit(framed.subarray(6, 6 + content.length));
  const kept = message!.content;
  assert(kept.kind === 'spool');
  assert.equal(message!.bodyType, '8bitmime');
  const bytes = (await readFile(kept.path)).subarray(kept.offset);
  assert.equal(bytes.length, kept.sizeBytes);
  assert.match(bytes.toString('latin1'), /^Received: [^]*ESMTPA[^]*\r\nSubject: /);
  assert(bytes.subarray(-content.length).equals(content));
  await rm(kept.path);
});

test('nothing stays in the spool of a message that was not accepted', async () => {
  const full = new Failure('store-full', 'no room');
  let seen: readonly string[] = [];
  const accept = async (): Promise<void> => {
    seen = await spooled();
    throw full;
  };
  await assert.rejects(submit(contentOf(5000), { accept }), full);
  assert.equal(seen.length, 1);
  assert.deepEqual(await spooled(), []);
});

test('a spool that fails refuses the message, and nothing is accepted', async () => {
  const broken = new Failure('store-io', 'no disk');
  let isAbandoned = false;
  const fail = () => Promise.reject(broken);
  const abandon = () => {
    isAbandoned = true;
    return fail();
  };
  const writer = { write: fail, finish: fail, abandon };
  const accept = () => assert.fail('nothing was kept');
  const openBroken = () => Promise.resolve(writer);
  await assert.rejects(submit(contentOf(5000), { accept, openSpool: openBroken }), broken);
  assert.equal(isAbandoned, true);
});

test('what SMTP could not carry is refused before anything is kept', async () => {
  const bad = [`${header}a\nb\r\n`, `${header}\0\r\n`, `${header}no end`, `${header}a\rb\r\n`];
  const accept = () => assert.fail('it was accepted');
  for (const text of bad) {
    const large = Buffer.concat([contentOf(5000), Buffer.from(text)]);
    for (const content of [Buffer.from(text), large]) {
      await assert.rejects(submit(content, { accept }), { code: 'submission-refused' });
    }
  }
  assert.deepEqual(await spooled(), []);
});

test('what is asked of DSNs is refused where no MAIL or RCPT could say it, and said once', async () => {
  const content = contentOf(100);
  const accept = () => assert.fail('it was accepted');
  // Beyond an octet, beyond ASCII, empty, and 100 characters that are more as xtext.
  for (const envelopeId of ['\u2603', 'caf\u00e9', 'a\r\nRCPT TO:<x@y.test>', '', '+'.repeat(40)]) {
    const dsn = { ret: null, envelopeId };
    const submitted = submit(content, { accept }, { dsn });
    await assert.rejects(submitted, { code: 'submission-refused' }, JSON.stringify(envelopeId));
  }
  const dsn = { ret: 'full', envelopeId: 'id 1' } as const;
  const [message] = await submit(content, {}, { dsn, notify: ['success', 'success', 'delay'] });
  assert.deepEqual(message!.dsn, dsn);
  assert.deepEqual(message!.recipients[0]!.notify, ['success', 'delay']);
});

test('recipients are verified at the same time: whoever asked waits for an answer, and not for long', async () => {
  const kept = acceptedDomain('box.test', {
    deliveryTarget: 'store',
    recipients: { kind: 'verify' },
  });
  const acceptedDomains = [acceptedDomain('example.test'), kept];
  const value = policy({ acceptedDomains, deliveryTargets: [deliveryTarget('store')] });
  let [asking, most] = [0, 0];
  const verifyRecipient: SubmitServices['verifyRecipient'] = async () => {
    most = Math.max(most, ++asking);
    await new Promise((resolve) => setImmediate(resolve));
    asking -= 1;
    return { kind: 'exists' };
  };
  const to = Array.from({ length: 8 }, (_, i) => `user${i}@box.test`);
  const [message] = await submit(contentOf(100), { policy: () => value, verifyRecipient }, { to });
  assert.equal(message!.recipients.length, 8);
  assert.equal(most, 8);
  const many = Array.from({ length: 120 }, (_, i) => `user${i}@box.test`);
  let nowMs = 0;
  const slow: Partial<SubmitServices> = {
    policy: () => value,
    now: () => (nowMs += 20_000),
    verifyRecipient,
    accept: () => assert.fail('it was accepted'),
  };
  const tooSlow = submit(contentOf(100), slow, { to: many });
  await assert.rejects(tooSlow, { code: 'recipient-unverified', message: /in time/ });
  assert.equal(most, 50);
  const silent: SubmitServices['verifyRecipient'] = (_, { localPart }) =>
    Promise.resolve(
      localPart === 'user5' ? { kind: 'silent', reason: 'deaf' } : { kind: 'exists' },
    );
  const accept = () => assert.fail('it was accepted');
  const services = { policy: () => value, verifyRecipient: silent, accept };
  const unanswered = submit(contentOf(100), services, { to });
  await assert.rejects(unanswered, { code: 'recipient-unverified', message: /user5@box\.test/ });
});

test('rules look at what is submitted: a rejection refuses it, required TLS goes with it', async () => {
  const rejecting = policy({
    rules: [
      rule('R', { actions: [{ kind: 'reject', enhancedStatus: '5.7.1', text: 'not this way' }] }),
    ],
  });
  const accept = () => assert.fail('it was accepted');
  await assert.rejects(submit(contentOf(100), { accept, policy: () => rejecting }), {
    code: 'submission-refused',
    message: /not this way/,
  });
  const sealing = policy({ rules: [rule('S', { actions: [{ kind: 'require-tls' }] })] });
  for (const size of [100, 5000]) {
    const [message] = await submit(contentOf(size), { policy: () => sealing });
    assert.deepEqual(
      message!.clauses.map(({ origin }) => origin.name),
      ['S', 'S'],
    );
    if (message!.content.kind === 'spool') await rm(message!.content.path);
  }
});

test('copies that rules make for each recipient fill no more memory than a bound', async () => {
  const to = Array.from({ length: 40 }, (_, i) => `u${i}@partner.test`);
  const rules = to.map((text, i) =>
    rule(`R${i}`, {
      conditions: [{ kind: 'sent-to', addresses: [address(text)] }],
      actions: [{ kind: 'set-header', name: 'X-Tag', value: `${i}` }],
    }),
  );
  const rulesPolicy = () => policy({ rules });
  for (const [bytes, kind] of [
    [300, 'memory'],
    [900, 'spool'],
  ] as const) {
    const messages = await submit(contentOf(bytes), { policy: rulesPolicy }, { to });
    assert.equal(messages.length, 40);
    assert.deepEqual([...new Set(messages.map(({ content }) => content.kind))], [kind]);
  }
});
