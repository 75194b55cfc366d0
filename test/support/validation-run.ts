/** Makers of validation runs for tests: complete, unremarkable, overridden by part. */
import type { CertificateFacts } from '../../src/policy/evidence.ts';
import type { HostVerdict, ValidationRun } from '../../src/policy/validation/run.ts';
import { certificate, evidence, tlsEvidence } from './policy.ts';

export function hostVerdict(
  leaf: Partial<CertificateFacts> = {},
  part: Partial<HostVerdict> = {},
): HostVerdict {
  const chain = [certificate(leaf)];
  return {
    host: 'mx.partner.test',
    address: '192.0.2.1',
    family: 'IPv4',
    port: 25,
    state: 'succeeded',
    met: ['encryption'],
    text: 'encryption',
    evidence: evidence({ tls: tlsEvidence({ chain }) }),
    chain: chain.map(({ fingerprint256 }) => fingerprint256),
    ...part,
  };
}

export function validationRun(part: Partial<ValidationRun> = {}): ValidationRun {
  return {
    formatVersion: 1,
    id: 'run-1',
    organization: 'org',
    connector: 'partner',
    isDraft: false,
    policyRevision: '000000000000',
    startedAt: '2026-11-28T20:00:00.000Z',
    endedAt: '2026-11-28T20:00:01.000Z',
    asked: {
      scope: 'message',
      recipients: ['b@partner.test'],
      reversePath: null,
      from: 'O365ConnectorValidation@example.test',
      subject: 'Test email for connector validation',
    },
    result: 'succeeded',
    summary: '1 address of 1 host would take the mail, and the test message was accepted',
    findings: [],
    steps: [],
    hosts: [hostVerdict()],
    transcripts: [],
    certificates: [],
    ...part,
  };
}

export const failedRun: Partial<ValidationRun> = {
  result: 'failed',
  summary: 'STARTTLS was not offered',
  hosts: [],
};
