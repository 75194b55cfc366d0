/**
 * `postern demo`: the gateway with fake partners and a fake resolver in one process. It sends mail to
 * each partner and takes mail from each, shows what was demanded, seen and decided, and ends.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiClient } from '../../api/client.ts';
import { createFakeResolver } from '../../dns/fake-resolver.ts';
import { startGateway } from '../control.ts';
import type { Gateway } from '../control.ts';
import type { AdjustableLog } from '../log.ts';
import { laneInProcess } from '../in-process-lane.ts';
import { prepareDemo } from './demo-configuration.ts';
import { receiveFromPartners } from './demo-inbound.ts';
import { markOf, sendToPartners } from './demo-outbound.ts';
import type { DemoPartner } from './demo-partners.ts';
import { clearBytesOf, partnerKinds, startPartner } from './demo-partners.ts';
import type { DemoRow } from './demo-row.ts';

/** `rows` outbound first. `leaks` are forced messages that a partner saw in clear: always empty. */
export interface DemoResult {
  readonly rows: readonly DemoRow[];
  readonly leaks: readonly string[];
}

export interface RunningDemo {
  readonly result: DemoResult;
  readonly folder: string;
  readonly dataFolder: string;
  readonly partners: readonly DemoPartner[];
  readonly gateway: Gateway;
  /** Ends everything and removes the folder. */
  stop(): Promise<void>;
}

const silentLog: AdjustableLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  adjust: () => undefined,
};

/** Resolves when every message was dealt with once. Throws a Failure where something cannot start. */
export async function startDemo(): Promise<RunningDemo> {
  await using cleanUp = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'postern-demo-'));
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
  const partners: DemoPartner[] = [];
  for (const kind of partnerKinds) {
    const partner = await startPartner(kind);
    cleanUp.defer(() => partner.server.close());
    partners.push(partner);
  }
  const configuration = await prepareDemo(folder, partners);
  const { config } = configuration;
  const gateway = await startGateway({
    configuration,
    source: { file: config.file, dataFolder: null },
    user: null,
    sockets: [],
    dropPrivileges: () => undefined,
    log: silentLog,
    startLane: laneInProcess(() => Promise.resolve(resolverFor(partners))),
  });
  cleanUp.defer(() => gateway.stop());
  const api = createApiClient({ socketPath: gateway.socketPath });
  const outbound = await sendToPartners(api, partners);
  const inbound = await receiveFromPartners(api, gateway.listeners[0]!.port, partners);
  const result = { rows: [...outbound, ...inbound], leaks: findLeaks(outbound, partners) };
  const rest = cleanUp.move();
  const stop = (): Promise<void> => rest.disposeAsync();
  return { result, folder, dataFolder: config.dataFolder, partners, gateway, stop };
}

function resolverFor(partners: readonly DemoPartner[]) {
  const zone = partners.map(({ mxHost, server }) => [mxHost, { a: [server.host] }] as const);
  return { ...createFakeResolver(Object.fromEntries(zone)), close: () => undefined };
}

/** Looked for at the partners, on the receiving side of every byte that came in clear. */
function findLeaks(rows: readonly DemoRow[], partners: readonly DemoPartner[]): readonly string[] {
  const clear = new Map(partners.map((partner) => [partner.name, clearBytesOf(partner)]));
  const leaked = rows.filter(({ isForced, partner, address }) => {
    const text = clear.get(partner)!;
    return isForced && (text.includes(markOf(address)) || text.includes(address));
  });
  return leaked.map(({ address }) => address);
}
