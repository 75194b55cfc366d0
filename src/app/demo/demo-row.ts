/** One message of the demo: what was demanded, what was seen, what became of it, and why. */
import type { Evidence } from '../../policy/evidence.ts';
import type { MissingFact } from '../../report/trace-event.ts';

/**
 * Outbound: `delivered`, `waits`. Inbound: `accepted`, `refused`, `not-sent` (the session ended before
 * there was a message). `isForced`: something was demanded of TLS.
 */
export interface DemoRow {
  readonly direction: 'outbound' | 'inbound';
  readonly partner: string;
  /** The address on the partner's side. */
  readonly address: string;
  /** The TLS setting, or what we demand of mail that comes in. */
  readonly requirement: string;
  readonly isForced: boolean;
  readonly evidence: string;
  readonly outcome: 'delivered' | 'waits' | 'accepted' | 'refused' | 'not-sent';
  readonly isEncrypted: boolean;
  readonly reason: string;
}

/** In a few words: what TLS was, and whose certificate was shown. */
export function describeSeen(evidence: Evidence | MissingFact | null): string {
  if (evidence === null || 'missing' in evidence) return 'nothing';
  const { tls, encryption, failure } = evidence;
  if (tls === null) {
    if (failure !== null) return `no TLS: ${failure.text}`;
    return encryption === 'not-used' ? 'clear text' : `TLS ${encryption.replace('-', ' ')}`;
  }
  const leaf = tls.chain[0];
  const protocol = tls.protocol.replace('v', ' ');
  if (leaf === undefined) return `${protocol}, no certificate`;
  const names = leaf.dnsNames.length > 0 ? leaf.dnsNames.join(', ') : (leaf.commonName ?? '?');
  return `${protocol}, certificate of ${names}`;
}

export function isEncrypted(evidence: Evidence | MissingFact | null): boolean {
  return evidence !== null && !('missing' in evidence) && evidence.tls !== null;
}
