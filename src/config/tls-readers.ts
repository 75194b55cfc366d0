/** Readers of what TLS must be; connectors and delivery targets write it alike. */
import { choice, parsed } from './readers.ts';

/** Only what is done: nothing is checked yet. */
export const revocation = parsed('not-checked', (raw) =>
  raw === 'not-checked'
    ? { value: 'not-checked' as const }
    : {
        wrong: `revocation is not checked yet, so a connector that demands it (${JSON.stringify(raw)}) is refused`,
        suggestion: 'not-checked',
      },
);

export const minVersion = choice(['TLSv1.2', 'TLSv1.3'], {
  TLSv1: 'TLS below 1.2 is never used: write TLSv1.2 or TLSv1.3',
  'TLSv1.0': 'TLS below 1.2 is never used: write TLSv1.2 or TLSv1.3',
  'TLSv1.1': 'TLS below 1.2 is never used: write TLSv1.2 or TLSv1.3',
  SSLv3: 'TLS below 1.2 is never used: write TLSv1.2 or TLSv1.3',
});

/** Exchange's words, and ours for pins alone. */
export const tlsSettings = choice([
  'Opportunistic',
  'EncryptionOnly',
  'CertificateValidation',
  'DomainValidation',
  'Pinned',
]);
