/**
 * What a connector's TLS proves, in words: encrypted (anyone may answer), CA-signed (anyone with a
 * certificate may answer), named or pinned (only the partner).
 *
 * For `config check`.
 */
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import type { InboundConnector, OutboundConnector } from '../policy/policy.ts';

/** `grade` is a stable word for programs, `words` a phrase for people. */
export interface ConnectorGrade {
  readonly grade:
    'off' | 'opportunistic' | 'addresses' | 'encrypted' | 'ca-signed' | 'named' | 'pinned';
  readonly words: string;
}

export function gradeOutbound(connector: OutboundConnector): ConnectorGrade {
  if (!connector.enabled) return off;
  const settings = connector.tlsSettings;
  if (settings === null) {
    const words = 'opportunistic: in clear where the other side offers no TLS';
    return { grade: 'opportunistic', words };
  }
  const isNamed = settings === 'DomainValidation';
  if (settings === 'Pinned' || connector.pins.length > 0) {
    const besides = isNamed ? ' and named' : '';
    return { grade: 'pinned', words: `pinned${besides} (only the partner)` };
  }
  if (isNamed) {
    const names = connector.tlsDomains.map(formatDomainPattern).join(' or ');
    const which = names === '' ? "the recipient's domain or under it" : names;
    return { grade: 'named', words: `named ${which} (only the partner)` };
  }
  if (settings === 'CertificateValidation') {
    return { grade: 'ca-signed', words: `CA-signed (${anyoneWith(connector.anchors)} may answer)` };
  }
  return { grade: 'encrypted', words: 'encrypted (anyone may answer)' };
}

export function gradeInbound(connector: InboundConnector): ConnectorGrade {
  if (!connector.enabled) return off;
  const from = connector.restrictDomainsToIPAddresses ? ', only from its addresses' : '';
  if (connector.restrictDomainsToCertificate) {
    const names = connector.tlsSenderCertificateNames.map(formatDomainPattern).join(' or ');
    if (connector.pins.length > 0) {
      const besides = names === '' ? '' : ` and named ${names}`;
      return { grade: 'pinned', words: `pinned${besides} (only the partner)${from}` };
    }
    return { grade: 'named', words: `named ${names} (only the partner)${from}` };
  }
  if (connector.requireTls) {
    return { grade: 'encrypted', words: `encrypted (anyone may answer)${from}` };
  }
  if (connector.restrictDomainsToIPAddresses) {
    return { grade: 'addresses', words: 'in clear too, only from its addresses' };
  }
  return { grade: 'opportunistic', words: 'nothing is required' };
}

const off: ConnectorGrade = { grade: 'off', words: 'off: it does nothing' };

function anyoneWith(anchors: string): string {
  if (!anchors.startsWith('file:')) return 'anyone with a certificate';
  return `anyone with a certificate of ${anchors.slice('file:'.length)}`;
}
