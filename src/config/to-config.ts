/** From the validated configuration to `Config`: absolute paths, units in names, defaults resolved. */
import { dirname, resolve } from 'node:path';
import { formatAddress } from '../mail/address.ts';
import type {
  AccountCredential,
  ApiConfig,
  Config,
  FileReference,
  ListenerConfig,
} from './config.ts';
import { withUnits } from './config.ts';
import type { Path, Spot } from './problem.ts';
import type { ParsedConfig, ParsedListener } from './schema.ts';

/** `file` is absolute. */
export function toConfig(parsed: ParsedConfig, file: string, locate: (path: Path) => Spot): Config {
  const folder = dirname(file);
  const certificates = Object.entries(parsed.certificates).map(
    ([name, { certificate, key }]) =>
      [
        name,
        { certificateFile: resolve(folder, certificate), keyFile: resolve(folder, key) },
      ] as const,
  );
  return {
    file,
    hostName: parsed.hostName,
    dataFolder: resolve(folder, parsed.dataFolder),
    user: parsed.user,
    lanes: parsed.lanes,
    listeners: parsed.listeners.map((listener) => toListener(listener, parsed.serverCertificates)),
    certificates: Object.fromEntries(certificates),
    dns: withUnits(parsed.dns, 'dns'),
    network: withUnits(parsed.network, 'network'),
    limits: withUnits(parsed.limits, 'limits'),
    timeouts: withUnits(parsed.timeouts, 'timeouts'),
    trace: withUnits(parsed.trace, 'trace'),
    log: withUnits(parsed.log, 'log'),
    metrics: withUnits(parsed.metrics, 'metrics'),
    api: toApi(parsed),
    signIn: toSignIn(parsed, folder),
    domainVerification: parsed.domainVerification,
    credentials: collectCredentials(parsed),
    files: collectFiles(parsed, folder, locate),
  };
}

function toListener(parsed: ParsedListener, general: readonly string[]): ListenerConfig {
  return {
    ...parsed,
    requestClientCertificate: parsed.requestClientCertificate ?? parsed.kind === 'mx',
    serverCertificates: parsed.serverCertificates ?? general,
  };
}

function toSignIn({ signIn }: ParsedConfig, folder: string): Config['signIn'] {
  const { oidc, ...times } = withUnits(signIn, 'signIn');
  const file = oidc.clientSecretFile;
  const clientSecretFile = file === null ? null : resolve(folder, file);
  return { ...times, oidc: { ...oidc, clientSecretFile } };
}

function toApi({ api, serverCertificates, hostName }: ParsedConfig): ApiConfig | null {
  if (api.port === null) return null;
  return {
    host: api.host,
    port: api.port,
    serverCertificates: api.serverCertificates ?? serverCertificates,
    hostNames: api.hostNames ?? [hostName],
  };
}

function collectCredentials(parsed: ParsedConfig): AccountCredential[] {
  return parsed.organizations.flatMap((organization) =>
    organization.mailboxes.flatMap(({ account, addresses, passwordHash }) => {
      if (passwordHash === null) return [];
      const written = addresses.map(formatAddress);
      return [{ organization: organization.id, account, addresses: written, passwordHash }];
    }),
  );
}

function collectFiles(
  parsed: ParsedConfig,
  folder: string,
  locate: (path: Path) => Spot,
): FileReference[] {
  const files: FileReference[] = [];
  const add = (path: Path, reference: Pick<FileReference, 'kind' | 'path' | 'certificateFile'>) => {
    files.push({ ...reference, ...locate(path) });
  };
  for (const [name, { certificate, key }] of Object.entries(parsed.certificates)) {
    const certificateFile = resolve(folder, certificate);
    const at = ['certificates', name];
    add([...at, 'certificate'], {
      kind: 'certificate',
      path: certificateFile,
      certificateFile: null,
    });
    add([...at, 'key'], { kind: 'key', path: resolve(folder, key), certificateFile });
  }
  parsed.organizations.forEach((organization, place) => {
    for (const list of ['inboundConnectors', 'outboundConnectors', 'deliveryTargets'] as const) {
      organization[list].forEach(({ anchors }, entry) => {
        if (!anchors.startsWith('file:')) return;
        const path = resolve(folder, anchors.slice(5));
        const at = ['organizations', place, list, entry, 'anchors'];
        add(at, { kind: 'anchors', path, certificateFile: null });
      });
    }
  });
  return files;
}
