/** The configuration's bounds as each room wants them; a lane gets its share of the gateway's. */
import type { Config, ListenerConfig } from '../config/config.ts';
import { defaultDeliveryLimits } from '../delivery/services.ts';
import type { DeliveryLimits } from '../delivery/services.ts';
import type { RateLimitName, RateLimits } from '../policy/rate-limit.ts';
import { noRateLimits } from '../policy/rate-limit.ts';
import type { QueueLimits } from '../queue/queue-services.ts';
import { defaultQueueLimits } from '../queue/queue-services.ts';
import type { ClientRates } from '../receiving/client-table.ts';
import { defaultLimits } from '../receiving/settings.ts';
import type { ListenerSettings } from '../receiving/settings.ts';
import type { StoreLimits } from '../store/sqlite-store.ts';
import type { LaneStart } from './messages.ts';

/** A lane's part of a bound of the whole gateway, at least 1. */
export function shareOf(bound: number, share: number): number {
  return Math.max(1, Math.ceil(bound * share));
}

export function listenerSettingsOf(
  config: Config,
  listener: ListenerConfig,
  lane: Pick<LaneStart, 'share' | 'isOnlyLane' | 'sockets'>,
): ListenerSettings {
  const { share } = lane;
  const { limits } = config;
  const { server } = config.timeouts;
  const { name, host, port, kind, tls, requestClientCertificate, bareLineBreaks } = listener;
  return {
    name,
    host,
    port,
    kind,
    tls,
    requestClientCertificate,
    bareLineBreaks,
    proxies: listener.proxyProtocol,
    sharesPort: !lane.isOnlyLane,
    fd: lane.sockets.find((socket) => socket.name === name)?.fd ?? null,
    limits: {
      ...defaultLimits,
      sessionsMax: shareOf(limits.sessionsMax, share),
      sessionsPerAddressMax: limits.sessionsPerAddressMax,
      recipientsMax: limits.recipientsMax,
      messageSizeBytesMax: limits.messageSizeBytes,
      lineBytesMax: limits.contentLineBytes,
      memoryContentBytesMax: limits.memoryContentBytes,
      contentBytesPerSecondMin: limits.contentBytesPerSecondMin,
      // Accounts prove themselves; who guesses is bounded elsewhere.
      greetingDelayMs: kind === 'mx' ? server.greetingDelayMs : 0,
      proxyTimeoutMs: server.proxyHeaderMs,
      commandTimeoutMs: server.commandMs,
      dataTimeoutMs: server.dataMs,
      handshakeTimeoutMs: server.handshakeMs,
      sessionMs: server.sessionMs,
    },
  };
}

/** 0 stays none. A sender's sessions may all be on one lane, whose part then is the bound. */
export function rateLimitsOf(config: Config, share: number): RateLimits {
  const names = Object.keys(noRateLimits) as RateLimitName[];
  const entries = names.map((name) => {
    const bound = config.limits[name];
    return [name, bound === 0 ? 0 : shareOf(bound, share)] as const;
  });
  return { ...noRateLimits, ...Object.fromEntries(entries) };
}

/** Not divided: an address may reach each lane. */
export function clientRatesOf({ limits }: Config): ClientRates {
  return {
    sessionsPerMinuteMax: limits.sessionsPerAddressPerMinute,
    handshakesPerMinuteMax: limits.handshakesPerAddressPerMinute,
    authFailuresPerHourMax: limits.authFailuresPerAddressPerHour,
  };
}

export function deliveryLimitsOf(config: Config, share: number): DeliveryLimits {
  const { limits } = config;
  const { client } = config.timeouts;
  return {
    ...defaultDeliveryLimits,
    connectTimeoutMs: client.connectMs,
    handshakeTimeoutMs: client.handshakeMs,
    client: {
      ...defaultDeliveryLimits.client,
      greetingMs: client.greetingMs,
      helloMs: client.commandMs,
      mailMs: client.commandMs,
      rcptMs: client.commandMs,
      dataInitiationMs: client.dataInitiationMs,
      dataBlockMs: client.dataBlockMs,
      dataTerminationMs: client.dataTerminationMs,
    },
    connectionsPerDestinationMax: limits.connectionsPerDestination,
    connectionsMax: shareOf(limits.connectionsMax, share),
    transactionMs: client.transactionMs,
    idleMs: client.idleMs,
  };
}

export function storeLimitsOf(config: Config, share: number): Partial<StoreLimits> {
  return {
    waitingRecordsMax: shareOf(config.limits.storeQueueRecords, share),
    waitingBytesMax: shareOf(config.limits.storeQueueBytes, share),
  };
}

export function queueLimitsOf(config: Config, share: number): QueueLimits {
  const { limits } = config;
  return {
    ...defaultQueueLimits,
    inMemoryBytesMax: shareOf(limits.freshBodiesBytes, share),
    inFlightMax: shareOf(limits.deliveriesMax, share),
  };
}
