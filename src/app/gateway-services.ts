/** What the API serves, from the lanes and the readers of their shards. */
import type { StatusView } from '../api/contract.ts';
import { answerReadiness } from '../api/readiness.ts';
import type { RecordedSources } from '../api/read-recorded.ts';
import { readRecords } from '../api/read-records.ts';
import { replayMail } from '../api/replay.ts';
import { searchTraces } from '../api/search-traces.ts';
import { suggestConnectors } from '../api/suggest.ts';
import type { ConfigCheck, ConfigView } from '../api/contract/config.ts';
import type { ApiServices, Organizations } from '../api/services.ts';
import { queueRowsMax } from '../api/contract.ts';
import { effectiveConfig } from '../config/effective-config.ts';
import { formatAddress } from '../mail/address.ts';
import { Failure } from '../mail/failure.ts';
import { findDomainOwner, findUnprovenClaim } from '../policy/directory.ts';
import type { Policy } from '../policy/policy.ts';
import type { Log } from '../report/log.ts';
import { domainServices } from './domains/domain-services.ts';
import { explainFor } from './explain.ts';
import { homeMailbox } from './home-organization.ts';
import { queueServices } from './queue-services.ts';
import { policyServices } from './policy/policy-services.ts';
import { composeReplayCandidate } from './policy/replay-candidate.ts';
import type { Running } from './running.ts';
import type { RefusedReload, Reloader } from './reloader.ts';
import { describeCertificate } from './served-certificates.ts';
import { validationServices } from './validation/validation-services.ts';
import { version } from './version.ts';

export function gatewayServices(log: Log, running: Running): ApiServices {
  const { lanes, readers, reloader } = running;
  const startedAt = new Date().toISOString();
  let next = 0;
  const recorded = (organizations: Organizations): RecordedSources => ({
    readRecords: (page) => readRecords(page, readers, organizations),
    nowMs: Date.now,
    steadyMs: () => performance.now(),
  });
  return {
    people: running.people.services,
    organizationOf: (domain) => organizationOf(reloader.inForce.policy, domain),
    status: (organizations) => readStatus(running, startedAt, organizations),
    listQueue: (filter) => readers.listQueue(filter),
    ...queueServices(log, running),
    ...domainServices(running),
    ...validationServices(running.validations, () => reloader.inForce.policy),
    suggestConnectors: (query, organizations) =>
      suggestConnectors(query, { policy: reloader.inForce.policy, ...recorded(organizations) }),
    readReadiness: (query, organizations) => {
      const { policy } = reloader.inForce;
      return answerReadiness(query, { policy, organizations, ...recorded(organizations) });
    },
    replay: async (order, actor, organizations) => {
      const { state } = running.kept.policies;
      const candidate = composeReplayCandidate(reloader.inForce, state, { order, actor });
      if (candidate.kind === 'refused') return candidate;
      const sources = { candidate: candidate.policy, organizations, ...recorded(organizations) };
      return { kind: 'replayed', view: await replayMail(order, sources) };
    },
    ...policyServices({ kept: running.kept, reloader, log }, running.people.auditChange),
    searchTraces: (query, organizations) => searchTraces(query, readers, organizations),
    readRecords: (query, organizations) => readRecords(query, readers, organizations),
    readTrace: (id) => readers.readTrace(id),
    submit: async ({ content, ...rest }) => {
      const lane = lanes[next++ % lanes.length];
      if (lane === undefined) throw new Failure('lane-unavailable', 'no lane runs');
      const bytes = new Uint8Array(Buffer.from(content, 'base64'));
      return lane.ask('submit', { ...rest, content: bytes });
    },
    explain: (question, organizations) =>
      explainFor(reloader.inForce.policy, question, organizations),
    readCertificate: (name) => describeCertificate(reloader.inForce, name),
    readConfig: ({ withDefaults }) => readConfig(reloader, withDefaults),
    checkConfig: (text) => checkConfig(reloader, text),
    reloadConfig: async ({ reason, overwritePolicy }, actor) => {
      const outcome = await reloader.reload({ kind: 'order', reason, overwritePolicy, actor });
      if (outcome.kind === 'refused') return outcome;
      const { warnings, tookMs } = outcome;
      const { revision, policy } = outcome.configuration;
      return {
        kind: 'reloaded',
        view: {
          configRevision: revision,
          policyRevision: policy.revision,
          loadedAt: reloader.loadedAt,
          tookMs,
          warnings: [...warnings],
        },
      };
    },
  };
}

function organizationOf(policy: Policy, domain: string): string | null {
  const owner = findDomainOwner(policy, domain) ?? findUnprovenClaim(policy, domain);
  return owner?.organization.id ?? null;
}

async function readStatus(
  running: Running,
  startedAt: string,
  organizations: Organizations,
): Promise<StatusView> {
  const whole = await readWholeStatus(running, startedAt);
  if (organizations === null) return whole;
  const rows = await running.readers.listQueue({ organizations, limit: queueRowsMax });
  const held = rows.filter(({ delivery }) => delivery.state === 'held').length;
  return {
    ...whole,
    ...ofGatewayAlone,
    queue: { queued: rows.length - held, held },
  };
}

/** What only those see who look after the whole gateway. */
const ofGatewayAlone = {
  warnings: [],
  lastRefusedReload: null,
  configFile: null,
  dataFolder: null,
  defaultSender: null,
} satisfies Partial<StatusView>;

async function readWholeStatus(running: Running, startedAt: string): Promise<StatusView> {
  const { reloader } = running;
  const { config, policy, revision } = reloader.inForce;
  const counts = await Promise.all(running.lanes.map((lane) => lane.ask('status', null)));
  const mailbox = homeMailbox(policy)?.addresses[0];
  return {
    version,
    hostName: policy.hostName,
    processId: process.pid,
    startedAt,
    policyRevision: policy.revision,
    configRevision: revision,
    configLoadedAt: reloader.loadedAt,
    warnings: [...running.care.warnings(), ...running.domains.warnings()],
    lastRefusedReload: describeRefusal(reloader.lastRefused),
    configFile: config.file,
    dataFolder: config.dataFolder,
    defaultSender: mailbox === undefined ? null : formatAddress(mailbox),
    listeners: reloader.listeners.map(({ name, host, port, tls }) => ({
      name,
      address: host,
      port,
      tls,
    })),
    queue: {
      queued: counts.reduce((sum, lane) => sum + lane.queued, 0),
      held: counts.reduce((sum, lane) => sum + lane.held, 0),
    },
  };
}

async function readConfig(reloader: Reloader, withDefaults: boolean): Promise<ConfigView> {
  const { kind: fileState } = await reloader.check();
  const { config, policy, raw, revision } = reloader.inForce;
  return {
    formatVersion: 1,
    file: config.file,
    configRevision: revision,
    policyRevision: policy.revision,
    loadedAt: reloader.loadedAt,
    fileState,
    config: effectiveConfig(raw, { withDefaults, withSecrets: false }),
  };
}

async function checkConfig(reloader: Reloader, text: string | null): Promise<ConfigCheck> {
  const candidate = await reloader.check(text);
  if ('problems' in candidate) {
    const { kind, problems } = candidate;
    return { formatVersion: 1, kind, policyRevision: null, problems: [...problems], weaker: [] };
  }
  const { kind, configuration, weaker } = candidate;
  return {
    formatVersion: 1,
    kind,
    policyRevision: configuration.policy.revision,
    problems: [...(await reloader.warningsOf(configuration))],
    weaker: weaker.map(({ text }) => text),
  };
}

function describeRefusal(refused: RefusedReload | null): StatusView['lastRefusedReload'] {
  return refused === null ? null : { at: refused.at, problems: [...refused.problems] };
}
