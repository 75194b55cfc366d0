/**
 * What one connection's evidence would be worth under each TLS setting of a connector. Pure.
 *
 * For `tls probe`: the production requirement and the production verdict, asked five times.
 */
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { requirementOfOutbound } from './connector-clauses.ts';
import type { Evidence } from './evidence.ts';
import type { AnchorsName, OutboundConnector } from './policy.ts';
import { judgeTls } from './tls-verdict.ts';

/** The settings as the configuration spells them, weakest first. */
export const tlsSettingNames = [
  'Opportunistic',
  'EncryptionOnly',
  'CertificateValidation',
  'DomainValidation',
  'Pinned',
] as const;
export type TlsSettingName = (typeof tlsSettingNames)[number];

/** `names` and `pins` may be empty: then nothing can be said of the settings that need them. */
export interface AssessedAgainst {
  readonly anchors: AnchorsName;
  readonly names: readonly DomainPattern[];
  readonly pins: readonly string[];
}

/**
 * `isMet` null where the question lacks a name or a pin. `problem` is the verdict's word for programs,
 * as `UntrustedRoot`, null where it did not refuse. `reason` is a sentence without a full stop: what
 * held, or the verdict's words.
 */
export interface TlsAssessment {
  readonly setting: TlsSettingName;
  readonly isMet: boolean | null;
  readonly problem: string | null;
  readonly reason: string;
}

/** One for each of `tlsSettingNames`, in their order. */
export function assessTls(
  evidence: Evidence,
  against: AssessedAgainst,
  nowMs: number,
): readonly TlsAssessment[] {
  return tlsSettingNames.map((setting) => assessOne(setting, evidence, against, nowMs));
}

function assessOne(
  setting: TlsSettingName,
  evidence: Evidence,
  against: AssessedAgainst,
  nowMs: number,
): TlsAssessment {
  const lacking = lackingFor(setting, against);
  if (lacking !== null) return { setting, isMet: null, problem: null, reason: lacking };
  const requirement = requirementOfOutbound(connectorOf(setting, against), '');
  const verdict = judgeTls(requirement, evidence, nowMs, null);
  if (verdict.kind === 'refuse') {
    const reason = verdict.reason.replace(`connector "${setting}" `, '');
    return { setting, isMet: false, problem: verdict.problem, reason };
  }
  return { setting, isMet: true, problem: null, reason: describeMet(verdict.met, evidence) };
}

function lackingFor(setting: TlsSettingName, { names, pins }: AssessedAgainst): string | null {
  if (setting === 'DomainValidation' && names.length === 0) return 'no name to compare with';
  if (setting === 'Pinned' && pins.length === 0) return 'no pin to compare with';
  return null;
}

function describeMet(met: readonly string[], evidence: Evidence): string {
  if (met.length > 0) return met.join('; ');
  const isEncrypted = evidence.encryption === 'established';
  return isEncrypted ? 'mail would be encrypted' : 'mail would go in CLEAR TEXT: no TLS is offered';
}

function connectorOf(setting: TlsSettingName, against: AssessedAgainst): OutboundConnector {
  return {
    name: setting,
    enabled: true,
    comment: '',
    connectorType: 'Partner',
    connectorSource: 'Default',
    mode: 'enforce',
    owner: null,
    reviewDate: null,
    postQuantum: 'prefer',
    cloudServicesMailEnabled: false,
    recipientDomains: [],
    allAcceptedDomains: false,
    isTransportRuleScoped: false,
    route: { kind: 'mx' },
    tlsSettings: setting === 'Opportunistic' ? null : setting,
    tlsDomains: against.names,
    // Elsewhere pins would be demanded besides.
    pins: setting === 'Pinned' ? against.pins : [],
    minVersion: 'TLSv1.2',
    anchors: against.anchors,
    clientCertificate: null,
    clearTextAfterFailedTls: false,
    routeAllMessagesViaOnPremises: false,
    trustedOrganizations: [],
    validation: {
      isValidated: false,
      lastValidationTimestamp: null,
      validationRecipients: [],
      everyMs: null,
    },
  };
}
