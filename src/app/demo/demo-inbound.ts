/** Mail from each partner under each inbound demand: the partner as client of our MX port. */
import type tls from 'node:tls';
import type { ApiClient } from '../../api/client.ts';
import { Failure } from '../../mail/failure.ts';
import { chainPem } from '../../testing/certificates.ts';
import { sendAsPartner } from '../../testing/partner-client.ts';
import type { PartnerVisited } from '../../testing/partner-client.ts';
import type { RawReply } from '../../testing/raw-client.ts';
import type { InboundDemand } from './demo-configuration.ts';
import { demoSender, domainFor, inboundDemands } from './demo-configuration.ts';
import type { DemoPartner } from './demo-partners.ts';
import type { DemoRow } from './demo-row.ts';
import { describeSeen, isEncrypted } from './demo-row.ts';

const words: Readonly<Record<InboundDemand, string>> = {
  nothing: 'nothing',
  encryption: 'RequireTls',
  certificate: 'RestrictDomainsToCertificate',
};

/** In the order of the partners, then of the demands. */
export function receiveFromPartners(
  api: ApiClient,
  port: number,
  partners: readonly DemoPartner[],
): Promise<readonly DemoRow[]> {
  return Promise.all(
    partners.flatMap((partner) =>
      inboundDemands.map((demand) => receiveFrom(api, { port, partner, demand })),
    ),
  );
}

interface Visit {
  readonly port: number;
  readonly partner: DemoPartner;
  readonly demand: InboundDemand;
}

async function receiveFrom(api: ApiClient, { port, partner, demand }: Visit): Promise<DemoRow> {
  const address = `clerk@${domainFor(demand, partner)}`;
  const row = {
    direction: 'inbound',
    partner: partner.name,
    address,
    requirement: words[demand],
    isForced: demand !== 'nothing',
  } as const;
  const visited = await sendAsPartner({
    port,
    heloName: partner.mxHost,
    tls: clientTlsOf(partner),
    from: address,
    to: demoSender,
    content: `From: ${address}\r\nTo: ${demoSender}\r\nSubject: Demo\r\n\r\nHello`,
    dropsInData: partner.dropsInData,
  });
  if (visited.kind === 'answered') return { ...row, ...(await judgedAs(api, visited.reply)) };
  const { seen, reason } = describeUnsent(visited, partner);
  const isUnderTls = visited.protocol !== null;
  return { ...row, evidence: seen, outcome: 'not-sent', isEncrypted: isUnderTls, reason };
}

function describeUnsent(
  visited: PartnerVisited & { readonly kind: 'handshake-failed' | 'dropped' },
  partner: DemoPartner,
): { readonly seen: string; readonly reason: string } {
  if (visited.kind === 'handshake-failed') {
    const reason = `the gateway takes TLS 1.2 and newer only (${visited.reason})`;
    return { seen: 'no TLS: the handshake failed', reason };
  }
  const protocol = visited.protocol?.replace('v', ' ') ?? 'clear text';
  const seen = `${protocol}, certificate of ${partner.mxHost}`;
  const reason =
    'the partner went away within the content: nothing was accepted, it must send again';
  return { seen, reason };
}

function clientTlsOf({ chain, tls: settings }: DemoPartner): tls.ConnectionOptions | null {
  if (chain.length === 0) return null;
  return { cert: chainPem(...chain), key: chain[0]!.keyPem, ...settings } as tls.ConnectionOptions;
}

/** What the gateway's own record of the message, or of its refusal, says. */
async function judgedAs(
  api: ApiClient,
  reply: RawReply,
): Promise<Pick<DemoRow, 'evidence' | 'outcome' | 'isEncrypted' | 'reason'>> {
  const text = reply.lines.join(' ');
  const id = /\[(\w+)\]$|accepted as (\w+)$/.exec(text);
  if (id === null) throw new Failure('trace-unknown', `a reply without an id: ${text}`);
  const trace = await readWritten(api, (id[1] ?? id[2])!);
  const event = trace.events.find(({ kind }) => kind === 'received' || kind === 'refused');
  const evidence = event !== undefined && 'evidence' in event ? event.evidence : null;
  return {
    evidence: describeSeen(evidence),
    outcome: reply.code < 400 ? 'accepted' : 'refused',
    isEncrypted: isEncrypted(evidence),
    reason: `${reply.code} ${text}`,
  };
}

/** A refusal is recorded after its reply has left. */
async function readWritten(api: ApiClient, id: string): ReturnType<ApiClient['readTrace']> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await api.readTrace(id);
    } catch (error) {
      if (tries >= 40 || !(error instanceof Failure) || error.code !== 'trace-unknown') throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
