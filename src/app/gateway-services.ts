/** What the API serves, from the lanes and the readers of their shards. */
import type { StatusView } from '../api/contract.ts';
import { searchTraces } from '../api/search-traces.ts';
import type { ApiServices } from '../api/services.ts';
import { formatAddress } from '../mail/address.ts';
import { Failure } from '../mail/failure.ts';
import { explain } from './explain.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import type { LaneProcess } from './lane-process.ts';
import type { ListenerAddress } from './messages.ts';
import { queueServices } from './queue-services.ts';
import type { ShardReaders } from './shard-readers.ts';
import { version } from './version.ts';

/** `lanes` in the order of their shards; `listeners` as the first of them opened them. */
export interface Running {
  readonly lanes: readonly LaneProcess[];
  readonly readers: ShardReaders;
  readonly listeners: readonly ListenerAddress[];
}

export function gatewayServices(settings: GatewaySettings, running: Running): ApiServices {
  const { lanes, readers } = running;
  const startedAt = new Date().toISOString();
  let next = 0;
  return {
    status: () => readStatus(settings, running, startedAt),
    listQueue: (filter) => readers.listQueue(filter),
    ...queueServices(settings, running),
    searchTraces: (query) => searchTraces(query, readers),
    readTrace: (id) => readers.readTrace(id),
    submit: async ({ content, ...rest }) => {
      const lane = lanes[next++ % lanes.length];
      if (lane === undefined) throw new Failure('lane-unavailable', 'no lane runs');
      const bytes = new Uint8Array(Buffer.from(content, 'base64'));
      return lane.ask('submit', { ...rest, content: bytes });
    },
    explain: (question) => explain(settings.policy, question),
  };
}

async function readStatus(
  settings: GatewaySettings,
  running: Running,
  startedAt: string,
): Promise<StatusView> {
  const { config, policy } = settings;
  const counts = await Promise.all(running.lanes.map((lane) => lane.ask('status', null)));
  const mailbox = policy.organizations[0]?.mailboxes[0]?.addresses[0];
  return {
    version,
    hostName: policy.hostName,
    processId: process.pid,
    startedAt,
    policyRevision: policy.revision,
    configFile: settings.configFile,
    dataFolder: config.dataFolder,
    defaultSender: mailbox === undefined ? null : formatAddress(mailbox),
    listeners: running.listeners.map(({ name, host, port, tls }) => ({
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
