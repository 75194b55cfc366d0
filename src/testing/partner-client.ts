/**
 * The fake partner's sending side: one message to an MX port, with or without TLS and a certificate,
 * and if wanted gone within the content.
 */
import type tls from 'node:tls';
import { connectRaw } from './raw-client.ts';
import type { RawClient, RawReply } from './raw-client.ts';

/** `content` has CRLF line ends and no final dot. */
export interface PartnerVisit {
  /** On loopback. */
  readonly port: number;
  readonly heloName: string;
  /** Null: sends in clear and never asks for STARTTLS. */
  readonly tls: tls.ConnectionOptions | null;
  readonly from: string;
  readonly to: string;
  readonly content: string;
  /** Resets the connection within the content. */
  readonly dropsInData?: boolean;
}

/**
 * How far the partner got. `answered`: the reply that ended it, a refusal or the one after the
 * content. `protocol` is `TLSv1.3` and the like, null in clear.
 */
export type PartnerVisited = { readonly protocol: string | null } & (
  | { readonly kind: 'answered'; readonly reply: RawReply }
  | { readonly kind: 'handshake-failed'; readonly reason: string }
  | { readonly kind: 'dropped' }
);

/** Rejects where the gateway does not speak SMTP as expected. */
export async function sendAsPartner(visit: PartnerVisit): Promise<PartnerVisited> {
  const client = await connectRaw({ port: visit.port });
  try {
    return await talk(client, visit);
  } finally {
    client.close();
  }
}

async function talk(client: RawClient, visit: PartnerVisit): Promise<PartnerVisited> {
  await client.expect(220);
  await client.command(`EHLO ${visit.heloName}`, 250);
  if (visit.tls !== null) {
    await client.command('STARTTLS', 220);
    try {
      await client.startTls(visit.tls);
    } catch (error) {
      const { reason = 'the handshake failed' } = error as { readonly reason?: string };
      return { kind: 'handshake-failed', protocol: null, reason };
    }
    await client.command(`EHLO ${visit.heloName}`, 250);
  }
  const protocol = client.tls?.getProtocol() ?? null;
  for (const line of [`MAIL FROM:<${visit.from}>`, `RCPT TO:<${visit.to}>`, 'DATA']) {
    const reply = await client.command(line);
    if (reply.code >= 400) return { kind: 'answered', protocol, reply };
  }
  await client.send(visit.content);
  if (visit.dropsInData === true) {
    client.reset();
    return { kind: 'dropped', protocol };
  }
  return { kind: 'answered', protocol, reply: await client.command('\r\n.') };
}
