/** `tls probe` with the tools of the other rooms; it needs no running gateway. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ProbeQuestion } from '../cli/offline-probe.ts';
import type { Config } from '../config/config.ts';
import { findCertificate } from '../config/find-certificate.ts';
import { loadInForce } from './policy/load-file.ts';
import { formatProblem } from '../config/problem.ts';
import { dialTcp } from '../delivery/dial.ts';
import { probeTls } from '../delivery/probe.ts';
import type { ProbeServices } from '../delivery/probe.ts';
import { defaultDeliveryLimits } from '../delivery/services.ts';
import { createStubResolver } from '../dns/stub-resolver.ts';
import type { StubResolver } from '../dns/stub-resolver.ts';
import { readSystemServers } from '../dns/system-servers.ts';
import { parseDomain } from '../mail/domain.ts';
import { Failure } from '../mail/failure.ts';
import type { Policy } from '../policy/policy.ts';
import type { ProbeReport } from '../policy/probe-report.ts';
import { AnchorRegistry } from '../tls/anchors.ts';
import { createClientTls } from '../tls/contexts.ts';
import type { CertificateSource } from '../tls/own-certificate.ts';
import { openStubResolver } from './lane-resolver.ts';

export async function probe(
  question: ProbeQuestion,
  onProgress: (text: string) => void,
): Promise<ProbeReport> {
  const config = await readConfig(question.config, onProgress);
  const anchors = new AnchorRegistry();
  const [failure] = await anchors.loadAnchors([question.anchors]);
  if (failure !== undefined) throw failure;
  const own = clientSource(question, config);
  const clientCertificates = own === null ? {} : { [own.name]: own.source };
  const tls = await createClientTls({ clientCertificates, anchors });
  const resolver = await openOwnResolver(config);
  try {
    const services = servicesOf(question, { config, resolver, tls });
    const { target, isMx, port, protocol, mode, names, pins } = question;
    const against = { anchors: question.anchors, names, pins };
    const clientCertificate = own?.name ?? null;
    const how = { port, protocol, mode, clientCertificate, withVersions: true };
    return await probeTls(services, { target, isMx, against, ...how }, onProgress);
  } finally {
    resolver.close();
  }
}

/** A file that was only found may be broken: the probe then goes without it, and says so. */
async function readConfig(
  { file, isNamed }: ProbeQuestion['config'],
  onProgress: (text: string) => void,
): Promise<Config | null> {
  if (file === null) return null;
  const loaded = await loadInForce(file);
  if (loaded.kind === 'loaded') return loaded.config;
  if (isNamed) {
    throw new Failure('config-refused', loaded.problems.map(formatProblem).join('\n'));
  }
  onProgress(`${file} cannot be used and is left aside`);
  return null;
}

function clientSource(
  { clientCertificate: wanted }: ProbeQuestion,
  config: Config | null,
): { readonly name: string; readonly source: CertificateSource } | null {
  if (wanted === null) return null;
  if (wanted.kind === 'files') {
    const { certificateFile, keyFile } = wanted;
    return { name: certificateFile, source: sourceOf({ certificateFile, keyFile }) };
  }
  const files = config === null ? null : findCertificate(config, wanted.name);
  if (files !== null) return { name: wanted.name, source: sourceOf(files) };
  const known = Object.keys(config?.certificates ?? {}).join(', ') || 'none';
  const text = `no certificate ${wanted.name} is configured (there is: ${known}); a file needs its key`;
  throw new Failure('certificate-unknown', text);
}

function sourceOf(files: {
  readonly certificateFile: string;
  readonly keyFile: string;
}): CertificateSource {
  return { certificate: { file: files.certificateFile }, key: { file: files.keyFile } };
}

export async function openOwnResolver(config: Config | null): Promise<StubResolver> {
  if (config !== null) return openStubResolver(config);
  return createStubResolver({ servers: await readSystemServers() });
}

interface Parts {
  readonly config: Config | null;
  readonly resolver: StubResolver;
  readonly tls: ProbeServices['tls'];
}

function servicesOf({ timeoutMs }: ProbeQuestion, parts: Parts): ProbeServices {
  const { config, resolver, tls } = parts;
  // Some servers refuse an EHLO without a dot; a bare machine name is still better than a lie.
  const hostName = config?.hostName ?? parseDomain(hostname()) ?? 'localhost';
  const policy: Policy = { formatVersion: 1, revision: '', hostName, organizations: [] };
  const { client } = defaultDeliveryLimits;
  return {
    policy: () => policy,
    resolver,
    tls,
    dial: dialTcp,
    newConnectionId: () => randomUUID(),
    limits: {
      ...defaultDeliveryLimits,
      connectTimeoutMs: timeoutMs,
      handshakeTimeoutMs: timeoutMs,
      client: { ...client, greetingMs: timeoutMs, helloMs: timeoutMs, quitMs: 1000 },
    },
    now: Date.now,
    random: Math.random,
  };
}
