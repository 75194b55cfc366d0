/** Evidence of a session: made for sessions in clear, and put in words for one line of log. */
import type { Evidence } from '../policy/evidence.ts';

/** Of a session that has not been encrypted so far. */
export function clearTextEvidence(
  connectionId: string,
  peer: { readonly address: string; readonly port: number },
  nowMs: number,
): Evidence {
  return {
    formatVersion: 1,
    connectionId,
    observedAt: new Date(nowMs).toISOString(),
    role: 'server',
    peer: { address: peer.address, port: peer.port, hostName: null },
    encryption: 'not-used',
    failure: null,
    tls: null,
  };
}

/** `TLSv1.3 TLS_AES_256_GCM_SHA384 X25519MLKEM768, client certificate CN=…`, or `clear text`. */
export function describeEvidence(evidence: Evidence): string {
  const { tls } = evidence;
  if (evidence.encryption === 'internal') return 'inside this gateway';
  if (tls === null) return 'clear text';
  const leaf = tls.chain[0];
  const shown = leaf === undefined ? 'no client certificate' : `client certificate ${leaf.subject}`;
  return `${tls.protocol} ${tls.cipherStandardName} ${tls.group ?? '-'}, ${shown}`;
}
