/** Checks of the running gateway: its listeners by connecting to them, its version, its queue. */
import { randomUUID } from 'node:crypto';
import type { DoctorQuestion, Finding } from '../../cli/offline-doctor.ts';
import type { Config } from '../../config/config.ts';
import { dialTcp } from '../../delivery/dial.ts';
import { probeTls } from '../../delivery/probe.ts';
import { defaultDeliveryLimits } from '../../delivery/services.ts';
import type { Resolver } from '../../dns/resolver.ts';
import type { Policy } from '../../policy/policy.ts';
import type { ProbedAddress } from '../../policy/probe-report.ts';
import { AnchorRegistry } from '../../tls/anchors.ts';
import { createClientTls } from '../../tls/contexts.ts';
import { version } from '../version.ts';
import { formatSpan } from '../../cli/format-span.ts';
import { tell } from './finding.ts';

type RunningGateway = NonNullable<DoctorQuestion['gateway']>;

const stepTimeoutMs = 3000;

export function checkGateway(gateway: RunningGateway | null, policy: Policy): Finding[] {
  const say = tell('gateway', 'gateway');
  if (gateway === null) {
    return [
      say.warn('no gateway answers on the socket of this data folder', 'start it: postern serve'),
    ];
  }
  const { status } = gateway;
  const findings = [say.ok(`process ${status.processId} runs as ${status.hostName}`)];
  if (status.version !== version) {
    const text = `it runs version ${status.version}, and this program is ${version}`;
    findings.push(say.warn(text, 'restart it'));
  }
  if (status.policyRevision !== policy.revision) {
    const text = 'it has another policy than the configuration file';
    findings.push(say.warn(text, 'let it read the file again, or take the change back'));
  }
  return findings;
}

const oldMs = 4 * 3_600_000;

export function checkQueue(gateway: RunningGateway | null, nowMs: number): Finding[] {
  if (gateway === null) return [];
  const say = tell('queue', 'queue');
  const { queued, held } = gateway.status.queue;
  const findings: Finding[] = [];
  if (held > 0)
    findings.push(
      say.warn(`${held} deliveries are held`, 'look at postern queue list --state held'),
    );
  const ageMs =
    gateway.oldestReceivedAt === null ? 0 : nowMs - Date.parse(gateway.oldestReceivedAt);
  const what = queued === 1 ? '1 delivery waits' : `${queued} deliveries wait`;
  const text = `${what}, the oldest for ${formatSpan(ageMs)}`;
  if (ageMs > oldMs) findings.push(say.warn(text, 'postern queue list says why'));
  else findings.push(say.ok(queued === 0 ? 'nothing waits' : `${text}: see postern queue list`));
  return findings;
}

/** Through the same door as everybody: greeting, EHLO, STARTTLS, certificate, name. */
export async function checkListeners(
  gateway: RunningGateway | null,
  config: Config,
  resolver: Resolver,
): Promise<readonly Finding[]> {
  if (gateway === null) return [];
  const anchors = new AnchorRegistry();
  await anchors.loadAnchors(['bundled']);
  const tls = await createClientTls({ clientCertificates: {}, anchors });
  const { hostName } = config;
  const services = {
    policy: () => ({ formatVersion: 1 as const, revision: '', hostName, organizations: [] }),
    resolver,
    tls,
    dial: dialTcp,
    newConnectionId: () => randomUUID(),
    limits: {
      ...defaultDeliveryLimits,
      connectTimeoutMs: stepTimeoutMs,
      handshakeTimeoutMs: stepTimeoutMs,
      client: {
        ...defaultDeliveryLimits.client,
        greetingMs: stepTimeoutMs,
        helloMs: stepTimeoutMs,
        quitMs: 500,
      },
    },
    now: Date.now,
    random: Math.random,
  };
  return (
    await Promise.all(
      gateway.status.listeners.map(async ({ name, address, port, tls: kind }) => {
        const report = await probeTls(services, {
          target: reachable(address),
          isMx: false,
          port,
          protocol: 'smtp',
          mode: kind === 'implicit' ? 'implicit' : 'starttls',
          against: { anchors: 'bundled', names: [{ kind: 'exact', domain: hostName }], pins: [] },
          clientCertificate: null,
          withVersions: false,
        });
        const where = `${name} (${address} port ${port})`;
        return judgeListener(where, report.addresses[0] ?? null, hostName);
      }),
    )
  ).flat();
}

/** A listener on every address is reached by loopback. */
function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

export function judgeListener(
  where: string,
  probed: ProbedAddress | null,
  hostName: string,
): Finding[] {
  const say = tell('listener', where);
  const encryption = probed?.evidence?.encryption ?? null;
  if (probed === null || encryption === null) {
    const text = `cannot be reached: ${probed?.problem ?? 'no address'}`;
    return [say.fail(text, 'look into the log of the gateway, and at firewalls')];
  }
  if (encryption !== 'established') {
    const text = `offers no TLS that works: ${probed.problem ?? 'no STARTTLS'}`;
    return [say.fail(text, 'look at serverCertificates and into the log')];
  }
  const [, , trust, name] = probed.settings;
  const tls = probed.evidence!.tls!;
  const findings = [say.ok(`${tls.protocol}, ${tls.cipher}, ${tls.group ?? 'group not told'}`)];
  const leaf = tls.chain[0];
  const names = leaf === undefined ? [] : [...leaf.dnsNames, leaf.commonName ?? ''];
  if (trust?.isMet === false) {
    const text = `partners that demand a CA they know refuse this certificate: ${trust.reason}`;
    findings.push(say.warn(text, 'present a certificate of a public CA, with its intermediates'));
  } else if (name?.isMet === false) {
    const text = `its certificate is for ${names.filter(Boolean).join(', ')}, not for ${hostName}`;
    findings.push(say.warn(text, 'get a certificate that carries hostName'));
  }
  return findings;
}
