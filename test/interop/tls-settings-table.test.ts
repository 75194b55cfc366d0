/**
 * Exchange's table "TlsSettings vs peer certificate", all seven peers by all four settings, through a
 * running gateway: against the fake partner, which keeps each byte that came in clear, and against a
 * real Postfix per kind of certificate.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TlsOptions } from 'node:tls';
import {
  chainPem,
  expired,
  makeCa,
  makeIntermediate,
  makeLeaf,
  makeSelfSigned,
  writeCertificateFiles,
} from '../../src/testing/certificates.ts';
import type { TestCertificate } from '../../src/testing/certificates.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { waitFor } from '../support/ports.ts';
import { startPostfix, whyNoPostfix } from '../support/postfix.ts';
import type { Postfix } from '../support/postfix.ts';
import { submit } from '../support/submit.ts';

const noPostfix = await whyNoPostfix();

const rightName = 'mx.partner.test';
const ca = makeCa('Partner CA');
const intermediate = makeIntermediate(ca, 'Partner Intermediate');

/** The server's chain as it sends it, null without STARTTLS. */
interface Peer {
  readonly chain: readonly TestCertificate[] | null;
  readonly tls?: TlsOptions;
  readonly postfix?: Readonly<Record<string, string>>;
}

const rightChain = [makeLeaf(intermediate, [rightName]), intermediate];
const peers: Readonly<Record<string, Peer>> = {
  'no-starttls': { chain: null },
  'handshake-fails': {
    chain: rightChain,
    tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' },
    postfix: { smtpd_tls_protocols: '<=TLSv1', smtpd_tls_mandatory_protocols: '<=TLSv1' },
  },
  'self-signed': { chain: [makeSelfSigned([rightName])] },
  expired: { chain: [makeLeaf(intermediate, [rightName], expired), intermediate] },
  'missing-intermediates': { chain: [rightChain[0]!] },
  'other-name': { chain: [makeLeaf(intermediate, ['mx.other.test']), intermediate] },
  'right-name': { chain: rightChain },
};

const settings = ['Opportunistic', 'EncryptionOnly', 'CertificateValidation', 'DomainValidation'];

/** `clear` and `tls` deliver so; all else is the word by which the mail waits. */
const table: Readonly<Record<string, readonly string[]>> = {
  'no-starttls': ['clear', 'NoStartTls', 'NoStartTls', 'NoStartTls'],
  'handshake-fails': ['HandshakeFailed', 'HandshakeFailed', 'HandshakeFailed', 'HandshakeFailed'],
  'self-signed': ['tls', 'tls', 'UntrustedRoot', 'UntrustedRoot'],
  expired: ['tls', 'tls', 'Expired', 'Expired'],
  'missing-intermediates': ['tls', 'tls', 'UntrustedRoot', 'UntrustedRoot'],
  'other-name': ['tls', 'tls', 'tls', 'SubjectMismatch'],
  'right-name': ['tls', 'tls', 'tls', 'tls'],
};

interface Cell {
  readonly peer: string;
  readonly setting: string;
  readonly expected: string;
  readonly server: 'fake' | 'postfix';
  readonly domain: string;
  /** In the message's body, Subject and recipient, and nowhere else. */
  readonly marker: string;
}

const servers = noPostfix === null ? (['fake', 'postfix'] as const) : (['fake'] as const);
const cells: readonly Cell[] = servers.flatMap((server) =>
  Object.entries(table).flatMap(([peer, row]) =>
    row.map((expected, column) => {
      const setting = settings[column]!;
      const name = `${server}-${peer}-${setting.toLowerCase()}`;
      return { peer, setting, expected, server, domain: `${name}.test`, marker: `m-${name}-m` };
    }),
  ),
);
const fakeCells = cells.filter(({ server }) => server === 'fake');

let folder: string;
let gateway: RunningGateway;
/** By domain: one per cell, so that each byte belongs to one cell. */
const fakes = new Map<string, FakePartner>();
/** By peer: real ones serve a whole row. */
const postfixes = new Map<string, Postfix>();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-table-'));
  for (const { peer, domain } of fakeCells) fakes.set(domain, await startFake(peers[peer]!));
  if (noPostfix === null) {
    await Promise.all(
      Object.entries(peers).map(async ([name, peer]) =>
        postfixes.set(name, await startRealServer(name, peer)),
      ),
    );
  }
  const portOf = ({ server, domain, peer }: Cell): number =>
    server === 'fake' ? fakes.get(domain)!.port : postfixes.get(peer)!.port;
  const setup = await gatewaySetup({
    anchors: { partner: [ca] },
    peerPorts: [...new Set(cells.map(portOf))],
    organization: {
      outboundConnectors: cells.map((cell) => ({
        name: `${cell.server} ${cell.peer} ${cell.setting}`,
        recipientDomains: cell.domain,
        smartHosts: smartHost(portOf(cell)),
        tlsSettings: cell.setting,
        ...(cell.setting.endsWith('Validation') ? { anchors: 'tls/partner.pem' } : {}),
        ...(cell.setting === 'DomainValidation' ? { tlsDomain: rightName } : {}),
      })),
    },
  });
  gateway = await startGateway(setup);
});

after(async () => {
  try {
    await gateway?.stop();
  } finally {
    await gateway?.remove();
    for (const fake of fakes.values()) await fake.close();
    await Promise.all([...postfixes.values()].map((postfix) => postfix.stop()));
    await rm(folder, { recursive: true, force: true });
  }
});

function startFake({ chain, tls }: Peer): Promise<FakePartner> {
  if (chain === null) return startFakePartner();
  return startFakePartner({ tls: { cert: chainPem(...chain), key: chain[0]!.keyPem, ...tls } });
}

async function startRealServer(name: string, peer: Peer): Promise<Postfix> {
  const domains = cells.filter((cell) => cell.server === 'postfix' && cell.peer === name);
  const main: Record<string, string> = { smtpd_tls_security_level: 'none', ...peer.postfix };
  if (peer.chain !== null) {
    const files = await writeCertificateFiles(folder, name, peer.chain);
    main['smtpd_tls_security_level'] = 'may';
    main['smtpd_tls_cert_file'] = files.certificateFile;
    main['smtpd_tls_key_file'] = files.keyFile;
    main['smtpd_tls_received_header'] = 'yes';
  }
  return startPostfix({ domains: domains.map(({ domain }) => domain), main });
}

for (const cell of cells) {
  const { server, peer, setting, expected } = cell;
  const isDelivered = expected === 'tls' || expected === 'clear';
  const fact = isDelivered ? `is delivered (${expected})` : `waits (${expected})`;
  test(`${server}, ${peer}: mail with ${setting} ${fact}`, async () => {
    const { domain, marker } = cell;
    const id = await submit(gateway, { to: `${marker}@${domain}`, subject: marker, text: marker });
    if (isDelivered) await assertDelivered(cell, id);
    else await assertWaiting(cell, id);
  });
}

async function assertDelivered(cell: Cell, id: string): Promise<void> {
  await gateway.waitUntilGone(id);
  const trace = await gateway.trace(id);
  const attempt = trace.events.findLast((event) => event.kind === 'attempt');
  assert.equal(attempt?.routes[0]?.outcomes[0]?.kind, 'delivered');
  const isTls = cell.expected === 'tls';
  const evidence = attempt.routes[0].candidates.at(-1)?.evidence;
  assert.ok(evidence !== undefined && evidence !== null && !('missing' in evidence));
  assert.equal(evidence.encryption, isTls ? 'established' : 'not-offered');
  if (cell.server === 'fake') {
    const fake = fakes.get(cell.domain)!;
    assert.equal(fake.messages.length, 1);
    assert.equal(fake.messages[0]!.isTls, isTls);
    if (isTls) assertNothingClear(cell, fake);
    return;
  }
  const message = await findAtPostfix(cell);
  const received = /^Received: from gateway\.example\.test[^]*?(?=^\S)/m.exec(message)?.[0] ?? '';
  if (isTls) assert.match(received, /\(using TLSv1\.[23] with cipher .*\bwith ESMTPS\b/s);
  else assert.match(received, /\bwith ESMTP\b/);
}

async function assertWaiting(cell: Cell, id: string): Promise<void> {
  const row = await gateway.waitForRow(id);
  assert.equal(row.state, 'queued');
  assert.equal(row.lastOutcome?.kind, 'deferred');
  assert.match(row.lastOutcome.reason, new RegExp(`\\[Message=${cell.expected}\\]`));
  assert.match(row.lastOutcome.status, /^4\./);
  const trace = await gateway.trace(id);
  const text = JSON.stringify(trace.events.filter((event) => event.kind === 'attempt'));
  assert.match(text, new RegExp(`Message=${cell.expected}\\b`));
  assert.match(text, /"kind":"refuse"/);
  if (cell.server === 'fake') {
    const fake = fakes.get(cell.domain)!;
    assert.equal(fake.messages.length, 0);
    assert.ok(fake.connections.length > 0);
    assertNothingClear(cell, fake);
    const underTls = Buffer.concat(fake.connections.map((connection) => connection.underTls));
    assert.doesNotMatch(underTls.toString('latin1'), /^(?:MAIL|RCPT|DATA|BDAT)\b|m-fake/im);
  } else {
    const messages = await postfixes.get(cell.peer)!.messages();
    assert.ok(!messages.some((message) => message.includes(cell.marker)));
    assert.ok(!(await postfixes.get(cell.peer)!.log()).includes(cell.marker));
  }
}

/** From the receiving side: EHLO and STARTTLS are all that ever came in clear. */
function assertNothingClear(cell: Cell, fake: FakePartner): void {
  for (const { clear, tls } of fake.connections) {
    const text = clear.toString('latin1');
    const commands = text.split('\r\n').filter((line) => line !== '');
    // Where no handshake was complete, its own binary records came in clear.
    if (tls !== null || cell.peer === 'no-starttls') {
      for (const line of commands) assert.match(line, /^(?:EHLO \S+|HELO \S+|STARTTLS|QUIT|RSET)$/);
    }
    assert.doesNotMatch(text, /MAIL FROM|RCPT TO|\bDATA\b|BDAT|m-fake|user@example/i);
  }
}

function findAtPostfix(cell: Cell): Promise<string> {
  return waitFor(`${cell.marker} at Postfix`, async () => {
    const messages = await postfixes.get(cell.peer)!.messages();
    return messages.find((message) => message.includes(cell.marker)) ?? null;
  });
}

test(
  'Postfix saw MAIL in as many transactions as it was due, and in clear where it was due',
  { skip: noPostfix ?? false },
  async () => {
    for (const [peer, row] of Object.entries(table)) {
      const due = row.filter((expected) => expected === 'tls' || expected === 'clear').length;
      const log = await postfixes.get(peer)!.log();
      const ends = log.split('\n').filter((line) => / disconnect from /.test(line));
      const counts = ends.map((line) => Number(/ mail=(?:\d+\/)?(\d+)/.exec(line)?.[1] ?? 0));
      const open = log.split('\n').filter((line) => /smtpd\[\d+\]: [0-9A-F]+: client=/.test(line));
      assert.equal(open.length, due, `${peer}: ${log}`);
      assert.ok(counts.reduce((sum, count) => sum + count, 0) <= due, `${peer}: ${log}`);
    }
  },
);
