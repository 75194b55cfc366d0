/** What who rehearsed can do, per demand that was not met: plain words for their administrator. */
import type { RehearsalVerdict, RehearsedDemand } from '../policy/rehearsal.ts';

const words: Readonly<Record<RehearsedDemand['kind'], string>> = {
  encrypted: 'Let your server use STARTTLS for mail to us; it is offered on every connection.',
  'min-version': 'Let your server offer the newer version of TLS that is named above.',
  group: 'Let your server offer the key exchange that is named above; that needs TLS 1.3.',
  'trust-anchors':
    'Let your server show a client certificate that is valid now, of a CA that is named or agreed, meant for clients, and send the certificates between it and the CA along.',
  'trust-spki':
    'Let your server show the certificate whose key was agreed, or tell us the new key.',
  name: 'Let your server show a certificate with the name above, or agree with us on the name that yours has.',
  unsatisfiable: 'Nothing: the fault is in the configuration here, and is to be mended here.',
  address: 'Send from an address that was agreed, or tell us the new one.',
};

/** One line of text each. Never empty. */
export function adviceFor({ atRcpt, atContent, connectors }: RehearsalVerdict, postmaster: string) {
  const unmet = connectors.flatMap(({ demands }) => demands.filter(({ isMet }) => !isMet));
  const advice = [...new Set(unmet.map(({ kind }) => words[kind]))];
  const isRefused = atRcpt.kind === 'refuse' || atContent !== null;
  if (advice.length === 0) {
    return isRefused
      ? [`The answer above says why. Questions go to ${postmaster}.`]
      : ['Nothing. If you change your server or its certificate, try again.'];
  }
  return [...advice, `Then try again. Questions go to ${postmaster}.`];
}
