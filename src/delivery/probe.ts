/**
 * Probes the TLS of a host or of a domain's MX hosts by the path that mail takes: dial, greeting,
 * EHLO, STARTTLS, handshake, EHLO (LHLO by LMTP); and what each TLS setting would say of it. Nothing is sent.
 *
 * For the gateway's administrator: the address guard is not asked, since whoever runs the command
 * could open the connection by any other program. Never to be offered to an organization.
 */
import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { sanitizePeerText } from '../mail/peer-text.ts';
import { assessTls } from '../policy/assess-tls.ts';
import type { AssessedAgainst } from '../policy/assess-tls.ts';
import { classifyTrouble } from '../policy/classify.ts';
import type { Trouble } from '../policy/classify.ts';
import type { Evidence } from '../policy/evidence.ts';
import { orderMx } from '../policy/mx-order.ts';
import type {
  ProbedAddress,
  ProbeMode,
  ProbeProtocol,
  ProbeReport,
  ProbeStep,
  VersionProbe,
} from '../policy/probe-report.ts';
import { describeKey } from '../tls/key-type.ts';
import { isUsedForMail, onlyVersion, probedVersions } from '../tls/one-version.ts';
import type { ProbedVersion } from '../tls/one-version.ts';
import { connect } from './connect.ts';
import type { ConnectResult, ConnectServices, Target } from './connect.ts';
import type { DeliveryServices } from './services.ts';

/** `target` a canonical domain, or an IP address where `isMx` is false. */
export interface ProbeTask {
  readonly target: string;
  readonly isMx: boolean;
  readonly port: number;
  readonly protocol: ProbeProtocol;
  readonly mode: ProbeMode;
  readonly against: AssessedAgainst;
  readonly clientCertificate: string | null;
  /** Also ask which versions of TLS the server takes, by a connection for each. */
  readonly withVersions: boolean;
}

export type ProbeServices = ConnectServices & Pick<DeliveryServices, 'resolver' | 'random'>;

/** Addresses probed at most, all hosts together. */
export const probedAddressesMax = 20;
const atOnceMax = 4;

/** Never rejects. `onProgress` is told in words what is being done. */
export async function probeTls(
  services: ProbeServices,
  task: ProbeTask,
  onProgress: (text: string) => void = () => undefined,
): Promise<ProbeReport> {
  const base = {
    formatVersion: 1,
    observedAt: new Date(services.now()).toISOString(),
    target: task.target,
  } as const;
  onProgress(`resolving ${task.target}`);
  const found = await findHosts(services, task);
  if ('trouble' in found) {
    return { ...base, mx: found.mx, problem: wordsOf(found.trouble, services), addresses: [] };
  }
  const hosts = await Promise.all(found.hosts.map((host) => resolveHost(services, host)));
  const places = hosts.flat().slice(0, probedAddressesMax);
  const addresses: ProbedAddress[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < places.length) {
      const index = next++;
      addresses[index] = await probePlace(services, task, places[index]!, onProgress);
    }
  };
  await Promise.all(Array.from({ length: atOnceMax }, worker));
  return { ...base, mx: found.mx, problem: null, addresses };
}

interface Host {
  readonly hostName: string;
  readonly preference: number | null;
}

type Hosts =
  | { readonly hosts: readonly Host[]; readonly mx: ProbeReport['mx'] }
  | { readonly trouble: Trouble; readonly mx: ProbeReport['mx'] };

async function findHosts(services: ProbeServices, task: ProbeTask): Promise<Hosts> {
  const { target: domain } = task;
  if (!task.isMx) return { hosts: [{ hostName: domain, preference: null }], mx: null };
  const begin = performance.now();
  const answer = await services.resolver.resolveMx(domain);
  const ms = performance.now() - begin;
  if (answer.kind === 'failed')
    return { trouble: { kind: 'dns', reason: answer.reason }, mx: null };
  const mx = { isAuthentic: answer.isAuthentic, isImplicit: false, ms };
  if (answer.kind === 'no-such-domain') {
    const trouble = { kind: 'no-such-host', subject: domain, hasName: false } as const;
    return { trouble: { ...trouble, isPermanent: true }, mx };
  }
  const ordered = orderMx(answer, { domain, ownNames: [], random: () => services.random() });
  switch (ordered.kind) {
    case 'hosts':
      return { hosts: ordered.hosts, mx };
    case 'implicit':
      return {
        hosts: [{ hostName: ordered.hostName, preference: null }],
        mx: { ...mx, isImplicit: true },
      };
    case 'null-mx':
      return { trouble: { kind: 'null-mx', domain }, mx };
    case 'loop':
    case 'unusable':
      return { trouble: { kind: 'unroutable', reason: ordered.reason }, mx };
  }
}

interface Place extends Host {
  readonly address: string | null;
  readonly resolveMs: number;
  readonly trouble: Trouble | null;
}

async function resolveHost(services: ProbeServices, host: Host): Promise<readonly Place[]> {
  const begin = performance.now();
  const answer = await services.resolver.resolveAddresses(host.hostName);
  const base = { ...host, resolveMs: performance.now() - begin };
  switch (answer.kind) {
    case 'found':
      return answer.records.map(({ address }) => ({ ...base, address, trouble: null }));
    case 'failed':
      return [{ ...base, address: null, trouble: { kind: 'dns', reason: answer.reason } }];
    case 'no-data':
    case 'no-such-domain': {
      const hasName = answer.kind === 'no-data';
      const trouble = { kind: 'no-such-host', subject: host.hostName, hasName } as const;
      return [{ ...base, address: null, trouble: { ...trouble, isPermanent: false } }];
    }
  }
}

async function probePlace(
  services: ProbeServices,
  task: ProbeTask,
  place: Place,
  onProgress: (text: string) => void,
): Promise<ProbedAddress> {
  const { hostName, preference, address } = place;
  const { port, protocol, mode } = task;
  const steps: ProbeStep[] = [];
  if (isIP(hostName) === 0) steps.push({ step: 'resolve', ms: place.resolveMs, lines: [] });
  const base = { hostName, preference, address, port, protocol, mode, steps };
  const nothing = { evidence: null, keyTypes: [], versions: [], settings: [] };
  if (address === null) {
    return { ...base, ...nothing, problem: wordsOf(place.trouble!, services) };
  }
  onProgress(`probing ${hostName} [${address}]:${port}`);
  const target = targetOf(task, hostName, address);
  const { result, keyTypes, inTls } = await watchConnect(services, target, steps);
  const seen = result.kind === 'connected' ? result : result.failure;
  const trouble = seen.kind === 'failed' ? wordsOf(seen.trouble, services) : null;
  const evidence = seen.kind === 'failed' ? inTls : seen.evidence;
  if (evidence === null) return { ...base, ...nothing, problem: trouble };
  const hasTls = evidence.encryption === 'established' || evidence.encryption === 'failed';
  const asksVersions = task.withVersions && hasTls;
  if (asksVersions) onProgress(`asking ${hostName} [${address}]:${port} for its TLS versions`);
  return {
    ...base,
    evidence,
    keyTypes,
    problem: trouble ?? evidence.failure?.text ?? null,
    versions: asksVersions ? await probeVersions(services, target) : [],
    settings: assessTls(evidence, task.against, services.now()),
  };
}

function targetOf(task: ProbeTask, hostName: string, address: string): Target {
  const { anchors } = task.against;
  return {
    organization: '',
    protocol: task.protocol,
    hostName,
    address,
    port: task.port,
    sni: isIP(hostName) === 0 ? hostName : null,
    mode: task.mode,
    anchors,
    wantedPaths: [{ anchors, purpose: 'serverAuth' }],
    clientCertificate: task.clientCertificate,
    goesClear: false,
    smallClientHello: false,
    postQuantum: 'prefer',
  };
}

/** `inTls`: what TLS was, also where the session failed after it. */
interface Watched {
  readonly result: ConnectResult;
  readonly keyTypes: readonly string[];
  readonly inTls: Evidence | null;
}

/** Connects and leaves again, with the time that each step took. */
async function watchConnect(
  services: ProbeServices,
  target: Target,
  steps: ProbeStep[],
): Promise<Watched> {
  let inTls: Evidence | null = null;
  let keyTypes: readonly string[] = [];
  let before = performance.now();
  const watch: Target['watch'] = {
    onStep: (step, lines) => {
      const now = performance.now();
      steps.push({ step, ms: now - before, lines: lines.slice(0, 64).map(sanitizePeerText) });
      before = now;
    },
    onTls: (evidence) => {
      inTls = evidence;
    },
    onChain: (chain) => {
      keyTypes = chain.parsed().map((each) => describeKey(each?.publicKey() ?? null));
    },
  };
  const result = await connectOnce(services, { ...target, watch });
  return { result, keyTypes, inTls };
}

async function connectOnce(services: ProbeServices, target: Target): Promise<ConnectResult> {
  const underWay = new Set<Socket>();
  const result = await connect(services, target, underWay);
  if (result.kind === 'connected') result.session.quit();
  return result;
}

/** One connection for each version, one after the other: servers count connections. */
async function probeVersions(
  services: ProbeServices,
  target: Target,
): Promise<readonly VersionProbe[]> {
  const probes: VersionProbe[] = [];
  for (const version of probedVersions) {
    const tls = onlyVersion(services.tls, version);
    const asked = { ...target, clientCertificate: null };
    const result = await connectOnce({ ...services, tls }, asked);
    probes.push(judgeVersion(version, result, services));
  }
  return probes;
}

function judgeVersion(
  version: ProbedVersion,
  result: ConnectResult,
  services: ProbeServices,
): VersionProbe {
  const unknown = { version, isTaken: null, isUsed: false };
  if (result.kind === 'connected') {
    const { tls } = result.evidence;
    if (tls === null) return { ...unknown, detail: 'STARTTLS was not offered this time' };
    const { cipher } = tls;
    return { version, isTaken: true, isUsed: isUsedForMail(version, cipher), detail: cipher };
  }
  const { failure } = result;
  if (failure.kind === 'failed') return { ...unknown, detail: wordsOf(failure.trouble, services) };
  const { failure: fault, encryption } = failure.evidence;
  const detail = fault?.text ?? encryption;
  // Whoever asks for our certificate has agreed on the version before.
  if (fault?.code === 'certificate-refused') {
    return { version, isTaken: true, isUsed: version !== 'TLSv1' && version !== 'TLSv1.1', detail };
  }
  const isRefusal = ['version', 'no-common-algorithm', 'closed'].includes(fault?.code ?? '');
  return { ...unknown, isTaken: isRefusal ? false : null, detail };
}

function wordsOf(trouble: Trouble, services: ProbeServices): string {
  const at = new Date(services.now()).toISOString();
  return classifyTrouble(trouble, { remoteMta: null, at }).reason;
}
