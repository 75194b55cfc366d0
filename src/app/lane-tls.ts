/** The lane's certificates and trust anchors, made from the files that the configuration names. */
import type { Config } from '../config/config.ts';
import { findCertificate } from '../config/find-certificate.ts';
import type { Policy } from '../policy/policy.ts';
import { AnchorRegistry } from '../tls/anchors.ts';
import { createClientTls, createServerTls } from '../tls/contexts.ts';
import type { ClientTls, ServerTls } from '../tls/contexts.ts';
import type { CertificateSource, PemSource } from '../tls/own-certificate.ts';
import type { LaneConfiguration } from './messages.ts';

/** `server` by the names of listeners. Anchors that cannot be loaded are warnings: mail defers. */
export interface RunningTls {
  readonly server: ReadonlyMap<string, ServerTls>;
  readonly client: ClientTls;
  readonly anchors: AnchorRegistry;
  readonly warnings: readonly string[];
}

/** `previous` is what it will replace, if any. Throws a Failure for own certificates that cannot be used. */
export async function loadTls(
  configuration: LaneConfiguration,
  previous: RunningTls | null,
): Promise<RunningTls> {
  const { config } = configuration;
  const held = heldOf(configuration);
  const { client, anchors, ...loaded } = await loadClientTls(configuration, previous);
  const server = new Map<string, ServerTls>();
  const warnings = [...loaded.warnings];
  for (const listener of config.listeners) {
    const sources = certificateSources(config, held, listener.serverCertificates);
    const tls = await createServerTls({ certificates: sources, anchors });
    server.set(listener.name, tls);
    warnings.push(...tls.warnings);
  }
  return { server, client, anchors, warnings: [...new Set(warnings)] };
}

/** The part of it that mail goes out with. */
export async function loadClientTls(
  configuration: LaneConfiguration,
  previous: RunningTls | null,
): Promise<Omit<RunningTls, 'server'>> {
  const { config, policy } = configuration;
  const held = heldOf(configuration);
  const anchors = new AnchorRegistry();
  const failures = await anchors.loadAnchors(anchorNames(policy), {
    files: held,
    ...(previous === null ? {} : { previous: previous.anchors }),
  });
  const clientCertificates = mapSources(config, held, clientCertificateNames(policy));
  const client = await createClientTls({ clientCertificates, anchors });
  const warnings = [...failures.map((failure) => failure.message), ...client.warnings];
  return { client, anchors, warnings };
}

function heldOf({ files }: LaneConfiguration): ReadonlyMap<string, Buffer> {
  return new Map(Array.from(files, ([path, bytes]) => [path, Buffer.from(bytes)]));
}

/** Every set that a connector or a delivery target names; opportunistic handshakes get the bundled one. */
function anchorNames(policy: Policy): string[] {
  const names = new Set(['bundled']);
  for (const organization of policy.organizations) {
    for (const { anchors } of organization.inboundConnectors) names.add(anchors);
    for (const { anchors } of organization.outboundConnectors) names.add(anchors);
    for (const { anchors } of organization.deliveryTargets) names.add(anchors);
  }
  return [...names];
}

function clientCertificateNames(policy: Policy): string[] {
  const hops = policy.organizations.flatMap(({ outboundConnectors, deliveryTargets }) => [
    ...outboundConnectors,
    ...deliveryTargets,
  ]);
  return hops.flatMap(({ clientCertificate }) => clientCertificate ?? []);
}

/** The named ones of our own certificates, from files that were read already. */
export function certificateSources(
  config: Config,
  held: ReadonlyMap<string, Buffer>,
  names: readonly string[],
): readonly CertificateSource[] {
  return Object.values(mapSources(config, held, names));
}

function mapSources(
  config: Config,
  held: ReadonlyMap<string, Buffer>,
  names: readonly string[],
): Record<string, CertificateSource> {
  const sourceOf = (file: string): PemSource => {
    const bytes = held.get(file);
    return bytes === undefined ? { file } : { file, bytes };
  };
  const sources = names.flatMap((name) => {
    const files = findCertificate(config, name);
    if (files === null) return [];
    const { certificateFile, keyFile } = files;
    return [[name, { certificate: sourceOf(certificateFile), key: sourceOf(keyFile) }] as const];
  });
  return Object.fromEntries(sources);
}
