/**
 * The configuration as the program uses it: everything but what decides about mail (`Policy`).
 *
 * Plain data. Paths are absolute; a key that held a duration ends in `Ms`, one that held a size in
 * `Bytes`. Keys and defaults are documented in `docs/config.md`.
 */
import type { Bytes, Milliseconds } from './field.ts';
import type { ParsedConfig } from './schema.ts';
import type { Spot } from './problem.ts';
import { schemaKeys } from './schema-walk.ts';

type UnitOf<T> = [T] extends [Milliseconds] ? 'Ms' : [T] extends [Bytes] ? 'Bytes' : '';

/** The schema's output with the unit at the end of the keys: `{ connect: 30s }`, `{ connectMs }`. */
export type WithUnits<T> = T extends Milliseconds | Bytes
  ? number
  : T extends readonly (infer Element)[]
    ? readonly WithUnits<Element>[]
    : T extends object
      ? { readonly [Key in keyof T & string as `${Key}${UnitOf<T[Key]>}`]: WithUnits<T[Key]> }
      : T;

export interface Config {
  /** Absolute path of the file that this was read from. */
  readonly file: string;
  readonly hostName: string;
  readonly dataFolder: string;
  /** Null: stay the user that started the process (refused for root by `serve`). */
  readonly user: string | null;
  readonly lanes: 'auto' | number;
  /** Never empty. */
  readonly listeners: readonly ListenerConfig[];
  /** By the names that `serverCertificates` and `clientCertificate` use. */
  readonly certificates: Readonly<Record<string, CertificateFiles>>;
  /** `servers`: address, `address:port` or `[IPv6]:port`; empty means /etc/resolv.conf. */
  readonly dns: WithUnits<ParsedConfig['dns']>;
  /** `allow`: canonical CIDR. */
  readonly network: WithUnits<ParsedConfig['network']>;
  readonly limits: WithUnits<ParsedConfig['limits']>;
  readonly timeouts: WithUnits<ParsedConfig['timeouts']>;
  readonly trace: WithUnits<ParsedConfig['trace']>;
  readonly log: WithUnits<ParsedConfig['log']>;
  readonly metrics: WithUnits<ParsedConfig['metrics']>;
  /** Null: on its Unix socket alone. */
  readonly api: ApiConfig | null;
  /** `oidc.clientSecretFile` is absolute. */
  readonly signIn: WithUnits<ParsedConfig['signIn']>;
  readonly domainVerification: ParsedConfig['domainVerification'];
  /** Accounts that may sign in; kept out of `Policy`, which is shown and stored. */
  readonly credentials: readonly AccountCredential[];
  /** Every file that the configuration names, for `checkFiles` and for watching. */
  readonly files: readonly FileReference[];
}

/** `port` 0 takes any free one. `serverCertificates` is never empty and names known certificates. */
export interface ListenerConfig {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly kind: 'mx' | 'submission';
  readonly tls: 'starttls' | 'implicit';
  readonly requestClientCertificate: boolean;
  /** Canonical CIDR. */
  readonly proxyProtocol: readonly string[];
  readonly bareLineBreaks: 'refuse' | 'normalize';
  readonly serverCertificates: readonly string[];
}

/** `serverCertificates` is never empty; `hostNames` as clients write them, in lower case. */
export interface ApiConfig {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly serverCertificates: readonly string[];
  readonly hostNames: readonly string[];
}

/** Absolute paths of PEM files. */
export interface CertificateFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** `addresses` as `user@domain`, the primary one first; `passwordHash` is a PHC string. */
export interface AccountCredential {
  readonly organization: string;
  readonly account: string;
  readonly addresses: readonly string[];
  readonly passwordHash: string;
}

/** `certificateFile` is set for keys: the certificate that the key must fit. */
export interface FileReference extends Spot {
  readonly kind: 'certificate' | 'key' | 'anchors';
  readonly path: string;
  readonly certificateFile: string | null;
}

const unitByPath = new Map(schemaKeys.map(({ path, meta }) => [path, meta.unit ?? ''] as const));

/** Renames the keys of the section at `path` as `WithUnits` says. */
export function withUnits<T>(value: T, path: string): WithUnits<T> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return value as WithUnits<T>;
  }
  const entries = Object.entries(value).map(([key, inner]) => {
    const here = `${path}.${key}`;
    return [`${key}${unitByPath.get(here) ?? ''}`, withUnits(inner, here)] as const;
  });
  return Object.fromEntries(entries) as WithUnits<T>;
}
