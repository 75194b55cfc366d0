/**
 * How long `postern replay` takes over a store of recorded mail.
 *
 *     node benchmarks/replay.ts [messages=100000] [connectors=50] [messages per connection=4]
 *
 * Writes a store with the records of as many messages, seeded: half come in, half go out, over
 * connections that each carry some of them, so with as many different evidences; some are refused.
 * Then the command itself is run in a process of its own, on the folder and with a candidate that
 * tightens some connectors, and `connector readiness` after it.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { nextQueueKey } from '../src/mail/queue-id.ts';
import { loadConfig } from '../src/config/load.ts';
import { openSqliteStore } from '../src/store/sqlite-store.ts';
import { emptyBatch } from '../src/store/store.ts';
import { address, certificate, evidence, reached } from '../test/support/policy.ts';
import { tlsEvidence } from '../test/support/policy.ts';
import type { Mail } from '../test/support/recorded-mail.ts';
import { recordMail } from '../test/support/recorded-mail.ts';

const [messages = 100_000, connectors = 50, perConnection = 4] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(path.join(process.env['BENCH_FOLDER'] ?? tmpdir(), 'postern-replay-'));
const main = fileURLToPath(new URL('../src/app/main.ts', import.meta.url));
const spanMs = 6 * 24 * 3600_000;
const startMs = Date.now() - spanMs;

/** The same for each connection in every run: 0 to below 1. */
function seeded(connection: number, salt: number): number {
  let t = Math.imul((connection + salt * 7919) ^ 0x6d2b79f5, 0x85ebca6b);
  t = Math.imul(t ^ (t >>> 15), 0xc2b2ae35);
  return ((t ^ (t >>> 13)) >>> 0) / 2 ** 32;
}

/** `isTightened`: a fifth of the outbound connectors demand more, and all partners TLS. */
function config(isTightened: boolean): string {
  const each = Array.from({ length: connectors }, (_, i) => i);
  const settings = (i: number): string =>
    isTightened && i < connectors / 5 ? 'DomainValidation' : 'EncryptionOnly';
  const outbound = (i: number): string =>
    `      - { name: out${i}, recipientDomains: partner${i}.test, tlsSettings: ${settings(i)} }\n`;
  const inbound = (i: number): string =>
    `      - { name: in${i}, senderDomains: partner${i}.test, requireTls: true }\n`;
  return `hostName: gateway.example.test
dataFolder: ${folder}
listeners:
  - { name: mx, host: 127.0.0.1, port: 2525, kind: mx }
certificates:
  own: { certificate: own.pem, key: own.key }
serverCertificates: own
organizations:
  - id: example
    acceptedDomains:
      - domain: example.test
    mailboxes:
      - { account: user, addresses: user@example.test }
    outboundConnectors:
${each.map(outbound).join('')}    inboundConnectors:
${each
  .filter((i) => isTightened || i % 2 === 0)
  .map(inbound)
  .join('')}`;
}

function makeMail(i: number): Mail {
  const connection = Math.floor(i / perConnection);
  const partner = Math.floor(seeded(connection, 1) * connectors * 2);
  const domain = `partner${partner}.test`;
  const isClear = seeded(connection, 2) < 0.1;
  const atMs = startMs + Math.floor((i / messages) * (spanMs - 3600_000));
  const dates = {
    notBefore: new Date(startMs - spanMs).toISOString(),
    notAfter: new Date(startMs + 90 * spanMs).toISOString(),
  };
  const leaf = certificate({ dnsNames: [`mx.${domain}`], serialNumber: `${connection}`, ...dates });
  const tls = tlsEvidence({
    chain: [leaf, certificate(dates), certificate(dates)],
    paths: [reached(dates), reached({ ...dates, purpose: 'clientAuth' })],
  });
  const seen = evidence({ connectionId: `c${connection}`, tls });
  const clientAddress = '203.0.113.9';
  const peer = { ...seen.peer, address: clientAddress };
  const isLeaving = i % 2 === 0;
  const session = {
    clientAddress,
    heloName: `mail.${domain}`,
    evidence:
      isClear && !isLeaving
        ? { ...seen, peer, role: 'server' as const, encryption: 'not-used' as const, tls: null }
        : { ...seen, peer, role: 'server' as const, tls: { ...tls, openssl: null } },
  };
  if (!isLeaving) {
    return {
      session: { ...session, listener: 'mx', account: null, reversePath: address(`ann@${domain}`) },
      recipients: [address('user@example.test')],
      atMs,
    };
  }
  const account = { organization: 'example', account: 'user' };
  const reversePath = address('user@example.test');
  return {
    session: { ...session, listener: 'submission', account, reversePath },
    recipients: [address(`bob${i % 7}@${domain}`)],
    atMs,
    server: () => seen,
  };
}

async function fill(): Promise<void> {
  const loaded = await loadConfig(path.join(folder, 'postern.yaml'));
  if (loaded.kind !== 'loaded') throw new Error('the configuration is refused');
  const store = await openSqliteStore({
    path: path.join(folder, 'queue-0.db'),
    spoolFolder: path.join(folder, 'spool', '0'),
  });
  let key = 0;
  let commits: Promise<void>[] = [];
  for (let i = 0; i < messages; i++) {
    const mail = makeMail(i);
    const made = recordMail(loaded.policy, mail, nextQueueKey(mail.atMs, key));
    key = made.key;
    commits.push(store.commit({ ...emptyBatch, traces: made.records, facts: made.facts }));
    if (commits.length < 1000) continue;
    await Promise.all(commits);
    commits = [];
  }
  await Promise.all(commits);
  await store.close();
}

function time(words: readonly string[]): void {
  const startedAt = performance.now();
  const run = spawnSync(process.execPath, [main, ...words], { cwd: folder, encoding: 'utf8' });
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(
    `\n$ postern ${words.join(' ')}   # ${seconds.toFixed(1)} s, exit code ${run.status}`,
  );
  console.log(run.stdout.split('\n').slice(0, 12).join('\n'));
  if (run.stderr !== '') console.log(run.stderr);
}

try {
  writeFileSync(path.join(folder, 'postern.yaml'), config(false));
  writeFileSync(path.join(folder, 'candidate.yaml'), config(true));
  const startedAt = performance.now();
  await fill();
  const megabytes = Math.round(statSync(path.join(folder, 'queue-0.db')).size / 2 ** 20);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${messages} messages recorded in ${seconds} s: ${megabytes} MB`);
  console.log(`load of the machine ${loadavg()[0]!.toFixed(1)}`);
  time(['version']);
  time(['replay', '--config', 'postern.yaml', '--data', folder]);
  time(['replay', '--config', 'candidate.yaml', '--data', folder]);
  time(['connector', 'readiness', 'in0', '--days', '7', '--data', folder]);
} finally {
  rmSync(folder, { recursive: true });
}
