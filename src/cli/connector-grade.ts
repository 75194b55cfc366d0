/**
 * What a connector's TLS proves, in words: encrypted (anyone may answer), CA-signed (anyone with a
 * certificate may answer), named or pinned (only the partner).
 *
 * For `config check`.
 */
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import { isInside } from '../policy/delivery-target.ts';
import type {
  ConnectorMode,
  DeliveryTarget,
  InboundConnector,
  OutboundConnector,
} from '../policy/policy.ts';

/** `grade` is a stable word for programs, `words` a phrase for people. */
export interface ConnectorGrade {
  readonly grade:
    | 'off'
    | 'observed'
    | 'inside'
    | 'opportunistic'
    | 'addresses'
    | 'encrypted'
    | 'ca-signed'
    | 'named'
    | 'pinned';
  readonly words: string;
}

export function gradeOutbound(connector: OutboundConnector): ConnectorGrade {
  if (!connector.enabled) return off;
  const only =
    connector.connectorType === 'OnPremises' ? 'only your own server' : 'only the partner';
  const forced = gradeForced(connector, "the recipient's domain or under it", only);
  const isHybrid = connector.postQuantum === 'require';
  const grade = isHybrid ? withGroup(forced ?? encrypted) : (forced ?? clear);
  return underMode(connector.mode, grade);
}

/** A group that is required forces TLS by itself. */
function withGroup({ grade, words }: ConnectorGrade): ConnectorGrade {
  return { grade, words: `${words}, with a post-quantum key exchange` };
}

/** What does not bind proves nothing, whatever it says. */
function underMode(mode: ConnectorMode, grade: ConnectorGrade): ConnectorGrade {
  if (mode === 'enforce' || grade.grade === 'opportunistic') return grade;
  return {
    grade: 'observed',
    words: `in mode ${mode}, nothing is required; would be ${grade.words}`,
  };
}

/** The server that keeps mailboxes, as a hop. */
export function gradeTarget(target: DeliveryTarget): ConnectorGrade {
  const forced = gradeForced(target, 'nothing', 'only this server');
  if (forced !== null) return forced;
  if (isInside(target.address)) {
    return { grade: 'inside', words: 'inside: it never leaves this machine' };
  }
  return { ...clear, words: `${clear.words}; reason given: ${target.clearTextReason ?? 'none'}` };
}

const clear: ConnectorGrade = {
  grade: 'opportunistic',
  words: 'opportunistic: in clear where the other side offers no TLS',
};

type TlsKeys = Pick<OutboundConnector, 'tlsSettings' | 'tlsDomains' | 'pins' | 'anchors'>;

/** Null where nothing is forced. `nameless` is what a name is compared with where none is given. */
function gradeForced(keys: TlsKeys, nameless: string, only: string): ConnectorGrade | null {
  const settings = keys.tlsSettings;
  if (settings === null) return null;
  const isNamed = settings === 'DomainValidation';
  if (settings === 'Pinned' || keys.pins.length > 0) {
    const besides = isNamed ? ' and named' : '';
    return { grade: 'pinned', words: `pinned${besides} (${only})` };
  }
  if (isNamed) {
    const names = keys.tlsDomains.map(formatDomainPattern).join(' or ');
    return { grade: 'named', words: `named ${names === '' ? nameless : names} (${only})` };
  }
  if (settings === 'CertificateValidation') {
    return { grade: 'ca-signed', words: `CA-signed (${anyoneWith(keys.anchors)} may answer)` };
  }
  return encrypted;
}

const encrypted: ConnectorGrade = { grade: 'encrypted', words: 'encrypted (anyone may answer)' };

export function gradeInbound(connector: InboundConnector): ConnectorGrade {
  if (!connector.enabled) return off;
  const isOwn = connector.connectorType === 'OnPremises';
  const isHybrid = connector.postQuantum === 'require';
  const asked = isHybrid ? { ...connector, requireTls: true } : connector;
  const grade = isOwn ? gradeOwnServers(asked) : gradePartner(asked);
  return underMode(connector.mode, isHybrid ? withGroup(grade) : grade);
}

/** By what your own servers are known, and whether in clear too. */
function gradeOwnServers(connector: InboundConnector): ConnectorGrade {
  const { pins, senderIPAddresses, tlsSenderCertificateNames, requireTls } = connector;
  const names = tlsSenderCertificateNames.map(formatDomainPattern).join(' or ');
  const named = names === '' ? '' : `named ${names}`;
  const shown = [pins.length > 0 ? 'pinned' : '', named]
    .filter((part) => part !== '')
    .join(' and ');
  const needsShown = senderIPAddresses.length === 0 || connector.restrictDomainsToCertificate;
  if (needsShown)
    return {
      grade: pins.length > 0 ? 'pinned' : 'named',
      words: `${shown} (only your own servers)`,
    };
  const by = shown === '' ? 'their addresses' : `their addresses, or ${shown}`;
  if (requireTls)
    return { grade: 'encrypted', words: `your own servers by ${by}, always encrypted` };
  return { grade: 'addresses', words: `your own servers by ${by}, in clear too` };
}

function gradePartner(connector: InboundConnector): ConnectorGrade {
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
    return { ...encrypted, words: `${encrypted.words}${from}` };
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
