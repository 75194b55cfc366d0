/** What monitoring sees of a running gateway, and that its log keeps secrets. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { counters, gauges, histograms } from '../../src/report/meter.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost, userPassword } from '../support/gateway-config.ts';
import { waitFor } from '../support/ports.ts';
import { submit } from '../support/submit.ts';

const rulesFile = fileURLToPath(
  new URL('../../packaging/prometheus/postern-alerts.yml', import.meta.url),
);

let partner: FakePartner;
let gateway: RunningGateway;
let base: string;

before(async () => {
  partner = await startFakePartner();
  const setup = await gatewaySetup({
    peerPorts: [partner.port],
    top: { metrics: { port: 0 }, log: { addresses: 'masked' } },
    organization: {
      outboundConnectors: [
        { name: 'open', recipientDomains: 'open.test', smartHosts: smartHost(partner.port) },
        {
          name: 'forced',
          recipientDomains: 'forced.test',
          smartHosts: smartHost(partner.port),
          tlsSettings: 'EncryptionOnly',
        },
      ],
    },
  });
  gateway = await startGateway(setup);
  base = /metrics +(http:\S+)\/metrics/.exec(gateway.stderr)![1]!;
});

after(async () => {
  await gateway?.stop();
  await gateway?.remove();
  await partner?.close();
});

async function scrape(): Promise<string> {
  const response = await fetch(`${base}/metrics`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  return response.text();
}

function valueOf(text: string, series: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

/** Values reach the text when the lane has counted them. */
async function seen(series: string, value: number): Promise<void> {
  await waitFor(`${series} ${value}`, async () => valueOf(await scrape(), series) === value);
}

test('mail is counted by what became of it and by its encryption', async () => {
  await submit(gateway, { to: 'a@open.test', subject: 'to the open one', text: 'hello' });
  await submit(gateway, { to: 'b@forced.test', subject: 'to the forced one', text: 'hello' });
  await seen('postern_recipient_outcomes_total{kind="delivered",cause=""}', 1);
  await seen('postern_recipient_outcomes_total{kind="deferred",cause="tls-not-offered"}', 1);
  await seen('postern_delivered_recipients_total{encryption="none",connector="open"}', 1);
  await seen('postern_queue_deliveries{state="queued"}', 1);
  await seen('postern_messages_accepted_total{listener="submission",encryption="TLSv1.3"}', 2);
  const content = Buffer.from('From: user@example.test\r\n\r\nby the API\r\n').toString('base64');
  await gateway.api.submit({ from: 'user@example.test', to: ['user@example.test'], content });
  await seen('postern_messages_accepted_total{listener="api",encryption="inside"}', 1);
  const text = await scrape();
  assert.equal(valueOf(text, 'postern_lanes_running'), 1);
  assert.equal(valueOf(text, 'postern_accepts_mail'), 1);
  assert.equal(valueOf(text, 'postern_config_last_reload_successful'), 1);
  assert.ok(valueOf(text, 'postern_disk_free_bytes') > 0);
  assert.ok(valueOf(text, 'postern_store_commits') > 0);
  const expiry = /postern_certificate_expiry_timestamp_seconds\{certificate="[^"]+"\} (\d+)/.exec(
    text,
  );
  assert.ok(Number(expiry?.[1]) > Date.now() / 1000);
});

test('refusals are counted by their code', async () => {
  const client = await connectRaw({ port: gateway.port('mx') });
  await client.expect(220);
  await client.command('EHLO stranger.test', 250);
  await client.command('MAIL FROM:<x@stranger.test>', 250);
  await client.command('RCPT TO:<nobody@example.test>', 550);
  client.close();
  await seen('postern_mail_refused_total{listener="mx",code="550"}', 1);
});

test('labels are bounded: no address, host or text of a peer is among them', async () => {
  const text = await scrape();
  const labels = [...text.matchAll(/="([^"]*)"/g)].map((match) => match[1]!);
  assert.ok(labels.length > 10);
  for (const label of labels) assert.doesNotMatch(label, /@|stranger|open\.test|127\.0\.0\.1/);
});

test('lives, is ready, and answers nothing else', async () => {
  for (const path of ['/livez', '/readyz']) {
    const response = await fetch(base + path);
    assert.deepEqual([response.status, await response.text()], [200, 'ok\n']);
  }
  assert.equal((await fetch(`${base}/v1/status`)).status, 404);
  assert.equal((await fetch(`${base}/metrics`, { method: 'POST' })).status, 405);
});

test('is not ready while a lane does not answer, and says which', async () => {
  const [lane] = await gateway.lanes();
  process.kill(lane!, 'SIGSTOP');
  try {
    const response = await fetch(`${base}/readyz`);
    assert.deepEqual([response.status, await response.text()], [503, 'lane 0 does not answer\n']);
    assert.equal(valueOf(await scrape(), 'postern_lanes_running'), 0);
  } finally {
    process.kill(lane!, 'SIGCONT');
  }
  await waitFor('the lane', async () => (await fetch(`${base}/readyz`)).status === 200);
});

test('the log holds no password, no subject, no body, and no local-part where masked', async () => {
  const text = JSON.stringify(gateway.log());
  assert.match(text, /message accepted/);
  assert.match(text, /u…@example\.test/);
  for (const secret of [userPassword, 'to the open one', 'hello', 'user@example', 'nobody@']) {
    assert.ok(!text.includes(secret), secret);
  }
});

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
}

test('the alerts ask for metrics and labels that there are', async () => {
  const rules = (parse(await readFile(rulesFile, 'utf8')) as Rules).groups.flatMap(
    (group) => group.rules,
  );
  const known = new Map(
    [counters, histograms, gauges].flatMap((table) =>
      Object.values(table).map(({ name, labels }) => [name, labels as readonly string[]] as const),
    ),
  );
  assert.ok(rules.length >= 10);
  for (const { alert, expr } of rules) {
    for (const [, name, matchers = ''] of expr.matchAll(/(postern_\w+)(?:\{([^}]*)\})?/g)) {
      const labels = known.get(name!);
      assert.ok(labels !== undefined, `${alert}: there is no ${name}`);
      for (const [, label] of matchers.matchAll(/(\w+)=~?"/g)) {
        assert.ok(labels.includes(label!), `${alert}: ${name} has no label ${label}`);
      }
    }
  }
});

const promtool = process.env['POSTERN_TEST_PROMTOOL'] ?? 'promtool';
const whyNoPromtool = await promisify(execFile)(promtool, ['--version']).then(
  () => false as const,
  () => 'promtool is not installed (Debian package prometheus)',
);

test('promtool accepts the alerts and the metrics', { skip: whyNoPromtool }, async () => {
  const { stdout } = await promisify(execFile)(promtool, ['check', 'rules', rulesFile]);
  assert.match(stdout, /SUCCESS: \d+ rules found/);
  const checking = execFile(promtool, ['check', 'metrics']);
  let said = '';
  checking.stderr!.on('data', (part: string) => (said += part));
  checking.stdin!.end(await scrape());
  const code = await new Promise((resolve) => checking.on('exit', resolve));
  assert.equal(code, 0, said);
});
