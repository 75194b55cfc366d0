/**
 * The scripts of examples/api, unchanged and in their order, against a really started gateway over
 * TLS: what they do to mail, policy and people, and that docs/openapi.json alone tells how.
 */
import assert from 'node:assert/strict';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { explainQuestionSchema } from '../../src/api/contract.ts';
import type { ObjectView } from '../../src/api/contract/policy-objects.ts';
import type { ObjectKind } from '../../src/config/policy-object.ts';
import { Failure } from '../../src/mail/failure.ts';
import {
  examplesFolder,
  ourCertificate,
  startExamplesRig,
  whyNoExamples,
} from '../support/api-examples-rig.ts';
import type { ExamplesRig } from '../support/api-examples-rig.ts';
import { judgeExchange, operationIds } from '../support/openapi-judge.ts';
import type { ApiDocument } from '../support/openapi-judge.ts';
import { waitFor } from '../support/ports.ts';

/** Why these have no example. */
const withoutExample: Readonly<Record<string, string>> = {
  startOidc: 'a browser is sent to the provider by it',
  finishOidc: 'a browser comes back from the provider by it',
};

const password = 'several words of her own';
const skip = (await whyNoExamples()) ?? false;
let rig: ExamplesRig;

describe('examples/api', { skip, timeout: 300_000 }, () => {
  before(async () => {
    rig = await startExamplesRig();
  });
  after(() => rig?.close());

  test('every script is run here', async () => {
    const names = (await readdir(examplesFolder)).filter((name) => /^\d/.test(name)).sort();
    const text = await readFile(new URL(import.meta.url), 'utf8');
    assert.ok(names.length > 0);
    for (const name of names) assert.ok(text.includes(`'${name}'`), name);
  });

  test('the first administrator signs in with an authenticator', async () => {
    const link = /https:\/\/gateway\.contoso\.com:8443\/welcome#psl_[\w-]{43}/.exec(
      rig.gateway.stderr,
    );
    assert.ok(link, rig.gateway.stderr);
    await rig.run('01-sign-in.sh', { words: [link[0]], input: `${password}\n` });
    const { people } = await rig.gateway.api.listPeople();
    const [ada, ...others] = people;
    assert.deepEqual(others, []);
    assert.ok(ada?.name === 'ada' && ada.hasSecondFactor && ada.sessions === 1);
    for (const file of ['token', 'cookies', 'authenticator', 'recovery-codes']) {
      assert.equal((await stat(join(rig.kept, file))).mode & 0o077, 0, file);
    }
  });

  test('an organization takes mail for a domain that it has proven', async () => {
    const published = waitFor('the record to publish', async () => {
      const { domains } = await rig.gateway.api.listDomains();
      return domains[0]?.record ?? null;
    });
    const [, { text }] = await Promise.all([rig.run('02-set-up.sh'), published.then(publish)]);
    assert.match(text, /^postern-domain-verification=/);
    const explained = await explain({ from: 'x@else.example', to: 'sales@contoso.com' });
    assert.equal(explained.inbound?.kind, 'accept');
    assert.deepEqual(
      explained.expansion?.to.map(({ address }) => address),
      ['a.lee@contoso.com'],
    );
  });

  test('connectors force TLS with the bank in both directions, and only watch the museum', async () => {
    await rig.run('03-connectors.sh');
    const out = await explainOut('clerk@bank.example');
    assert.equal(out?.connector, 'to-bank');
    assert.notDeepEqual(out.requirement.clauses, []);
    assert.deepEqual((await explainOut('curator@museum.example'))?.requirement.clauses, []);
    assert.match((await explainIn('clerk@bank.example')) ?? '', /^454 4\.7\.0 /);
    assert.equal(await explainIn('curator@museum.example'), null);
    // The dry run made nothing.
    const listed = await list('outbound-connector', 'contoso');
    assert.deepEqual(listed.map(({ name }) => name).sort(), ['to-bank', 'to-museum', 'to-scanner']);
  });

  test('the second of two editors is told, and what the first wrote stays', async () => {
    const printed = await rig.run('04-edit.sh');
    assert.match(printed, /refused, object-changed: /);
    assert.match(printed, /refused, object-in-use: .*"to-bank"/);
    const { value } = await readBank();
    assert.equal(value['owner'], 'mail team');
    assert.equal(value['enabled'], true);
    assert.equal(refusals(412), 1);
  });

  test('a validation is told step by step: the museum fails at STARTTLS, the bank takes the test message', async () => {
    const printed = await rig.run('05-validate.sh');
    assert.match(printed, /starttls failed [^]*no-starttls: [^]*message succeeded/);
    assert.match(printed, /\n {2}CertificateValidation: .*\n {2}DomainValidation: met\n/);
    assert.deepEqual(
      rig.bank.messages.map(({ recipients }) => recipients),
      [['postmaster@bank.example']],
    );
    assert.deepEqual(rig.museum.messages, []);
    const streams = rig.door.exchanges.filter(({ url }) => url.endsWith('/validate'));
    assert.equal(streams[0]?.contentType, 'text/event-stream');
    assert.ok(streams[0].answer.split('event: step').length > 5);
    // Saved nevertheless: from now on it is enforced.
    assert.notDeepEqual((await explainOut('curator@museum.example'))?.requirement.clauses, []);
  });

  test('rules act in the order that was asked for', async () => {
    await rig.run('06-rules.sh');
    const rules = await list('rule', 'contoso');
    assert.deepEqual(
      rules.map(({ name }) => name),
      ['confidential', 'no-programs'],
    );
  });

  test('explain tells both directions, and sends nothing', async () => {
    const printed = await rig.run('07-explain.sh');
    assert.match(printed, /"connector":"to-bank","demands":\["encrypted",/);
    assert.match(printed, /454 4\.7\.0 Failed to establish appropriate TLS channel/);
    assert.equal(rig.bank.messages.length, 1);
  });

  test('mail for the museum waits, never leaves in clear, and goes back or away by order', async () => {
    const printed = await rig.run('08-queue.sh');
    assert.match(printed, /NoStartTls/);
    assert.match(printed, /\d+ event: gone/);
    assert.deepEqual(rig.museum.messages, []);
    for (const { clear } of rig.museum.connections) {
      assert.doesNotMatch(clear.toString('latin1'), /MAIL FROM|tickets/i);
    }
    const bounces = await waitFor('the bounce', async () => {
      const messages = await rig.gateway.mailbox('ann', 'contoso');
      return messages.length === 0 ? null : messages;
    });
    assert.equal(bounces.length, 1);
    assert.match(bounces[0]!.toString('latin1'), /Action: failed/);
    assert.deepEqual(await rig.gateway.queue(), []);
  });

  test('mail for the bank left under TLS with our certificate, and the trace tells so', async () => {
    const printed = await rig.run('09-trace.sh');
    assert.match(printed, /told: \w+, delivered/);
    const message = rig.bank.messages.at(-1);
    assert.deepEqual(message?.recipients, ['clerk@bank.example']);
    const carried = rig.bank.connections.findLast(({ underTls }) =>
      underTls.includes('confidential'),
    );
    assert.deepEqual(carried?.tls?.clientChain[0], ourCertificate);
    for (const { clear } of rig.bank.connections) assert.ok(!clear.includes('confidential'));
    const evidence = await readFile(join(rig.kept, 'evidence.json'), 'utf8');
    assert.match(evidence, /TLSv1\.3/);
    assert.match(await readFile(join(rig.kept, 'records.ndjson'), 'utf8'), /NoStartTls/);
  });

  test('what was weakened with a reason is taken back by a rollback of that connector', async () => {
    const printed = await rig.run('10-history.sh');
    assert.match(printed, /^refused, policy-asks-less: /);
    assert.match(printed, /change: their certificate ran out/);
    const { value } = await readBank();
    assert.deepEqual(
      [value['tlsSettings'], value['tlsDomain']],
      ['DomainValidation', 'mx.bank.example'],
    );
    const { revisions } = await rig.gateway.api.listRevisions({ limit: 2 });
    assert.deepEqual(
      revisions.map(({ origin }) => origin),
      ['rollback', 'change'],
    );
  });

  test('the policy goes out as a file and comes back; the second time nothing changes', async () => {
    const printed = await rig.run('11-policy-as-code.sh');
    assert.match(printed, /^[1-9]\d* messages, 0 would have gone otherwise, \d+ undecided$/m);
    assert.match(printed, /^would-change$[^]*^changed, revision \d+$\n^unchanged$/m);
    const connectors = await list('outbound-connector', 'contoso');
    assert.ok(connectors.every(({ value }) => value['owner'] === 'mail team'));
  });

  test('a person comes, gets a role and a token that ends, and goes', async () => {
    await rig.run('12-people.sh');
    const { people } = await rig.gateway.api.listPeople();
    assert.deepEqual(
      people.map(({ name }) => name),
      ['ada'],
    );
    assert.deepEqual([refusals(403), refusals(401)], [2, 2]);
  });

  test('the audit log is whole, by the sums of openssl', async () => {
    const printed = await rig.run('13-home.sh');
    assert.match(printed, /^outbound: 1 met it, 0 did not, 0 undecided$/m);
    const [, count, newest] = /chain of (\d+) entries is whole; the newest: (\S+)/.exec(printed)!;
    const { links } = await rig.gateway.api.readAuditChain(Number(count) - 1);
    assert.equal(links[0]?.hash, newest);
  });

  test('everything is taken away again', async () => {
    await rig.run('14-take-down.sh', { input: `${password}\n` });
    assert.deepEqual(await list('organization', null), []);
    const [ada] = (await rig.gateway.api.listPeople()).people;
    assert.ok(ada && !ada.hasSecondFactor && ada.sessions === 0);
    await assert.rejects(
      rig.gateway.api.readObject({ kind: 'certificate', organization: null, name: 'to-partners' }),
      (error) => error instanceof Failure && error.code === 'object-unknown',
    );
    const verified = await rig.gateway.run('audit', 'verify');
    assert.equal(verified.code, 0, verified.stderr);
  });

  test('every request and answer is as docs/openapi.json says, and every operation has an example', async () => {
    const file = new URL('../../docs/openapi.json', import.meta.url);
    const document = JSON.parse(await readFile(file, 'utf8')) as ApiDocument;
    const used = new Set<string>();
    const findings: string[] = [];
    for (const exchange of rig.door.exchanges) {
      const judged = judgeExchange(document, exchange);
      if (judged.operationId !== null) used.add(judged.operationId);
      const { method, url, status } = exchange;
      findings.push(...judged.findings.map((text) => `${method} ${url} ${status}: ${text}`));
    }
    assert.deepEqual(findings, []);
    const ids = operationIds(document);
    const unused = ids.filter((id) => !used.has(id));
    assert.deepEqual(unused.sort(), Object.keys(withoutExample).sort());
  });
});

function publish(record: { readonly text: string }): { readonly text: string } {
  rig.publish(record.text);
  return record;
}

function explain(question: object) {
  return rig.gateway.api.explain(explainQuestionSchema.parse(question));
}

async function explainOut(to: string) {
  return (await explain({ from: 'ann@contoso.com', to })).outbound;
}

/** What the sender is replied to a mail in clear; null where it is taken. */
async function explainIn(from: string): Promise<string | null> {
  const question = { from, to: 'ann@contoso.com', encryption: 'none' } as const;
  return (await explain(question)).inbound?.reply ?? null;
}

/** How many requests were answered so. */
function refusals(status: number): number {
  return rig.door.exchanges.filter((exchange) => exchange.status === status).length;
}

async function list(kind: ObjectKind, organization: string | null): Promise<readonly ObjectView[]> {
  return (await rig.gateway.api.listObjects({ kind, organization })).objects;
}

function readBank(): Promise<ObjectView> {
  const kind = 'outbound-connector';
  return rig.gateway.api.readObject({ kind, organization: 'contoso', name: 'to-bank' });
}
