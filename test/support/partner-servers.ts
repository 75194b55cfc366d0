/** Settings by which real Postfix and Exim force TLS with certificates on both sides. */
import type { EximOptions } from './exim.ts';

export interface PartnerFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** The CAs that the peer's certificate must lead to. */
  readonly peerCaFile: string;
}

/** main.cf of a Postfix that takes mail over TLS only, from clients whose certificate it trusts. */
export function postfixDemandsCertificates(files: PartnerFiles): Record<string, string> {
  return {
    smtpd_tls_security_level: 'encrypt',
    smtpd_tls_cert_file: files.certificateFile,
    smtpd_tls_key_file: files.keyFile,
    smtpd_tls_ask_ccert: 'yes',
    smtpd_tls_req_ccert: 'yes',
    smtpd_tls_CAfile: files.peerCaFile,
    smtpd_tls_received_header: 'yes',
  };
}

/** main.cf of a Postfix that sends all mail to the port on loopback, verified, with its certificate. */
export function postfixSendsSecurely(
  port: number,
  files: PartnerFiles,
  peerName: string,
): Record<string, string> {
  return {
    relayhost: `[127.0.0.1]:${port}`,
    smtp_tls_security_level: 'secure',
    smtp_tls_secure_cert_match: peerName,
    smtp_tls_CAfile: files.peerCaFile,
    smtp_tls_cert_file: files.certificateFile,
    smtp_tls_key_file: files.keyFile,
  };
}

/** Exim's main section that takes mail over TLS only, from clients whose certificate it trusts. */
export function eximDemandsCertificates(files: PartnerFiles): EximOptions {
  return {
    certificate: files.certificateFile,
    key: files.keyFile,
    main: {
      tls_verify_hosts: '*',
      tls_verify_certificates: files.peerCaFile,
      message_size_limit: '100M',
    },
  };
}

/** Exim's transport that sends all mail to the port on loopback, verified, with its certificate. */
export function eximSendsSecurely(
  port: number,
  files: PartnerFiles,
): NonNullable<EximOptions['smartHost']> {
  return {
    port,
    transport: {
      hosts_require_tls: '*',
      tls_verify_hosts: '*',
      tls_verify_cert_hostnames: '*',
      tls_verify_certificates: files.peerCaFile,
      tls_certificate: files.certificateFile,
      tls_privatekey: files.keyFile,
    },
  };
}
