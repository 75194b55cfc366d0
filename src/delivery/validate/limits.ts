/** Bounds of one validation: nothing of it may wait or grow without end. */
import type { DeliveryLimits } from '../services.ts';

/** Addresses examined, all hosts together. */
export const placesMax = 20;
/** Connections at once. */
export const placesAtOnceMax = 4;
/** Lines kept of one connection's dialogue, and certificates of the whole run. */
export const transcriptLinesMax = 200;
export const certificatesMax = 64;
/** The whole run; what is still under way then is cut. */
export const validationRunMs = 300_000;

const connectMs = 15_000;
const replyMs = 30_000;
const contentReplyMs = 90_000;

/** The bounds of mail with waits of seconds, since an administrator looks on. */
export function impatientLimits(limits: DeliveryLimits): DeliveryLimits {
  const { client } = limits;
  const reply = (ms: number): number => Math.min(ms, replyMs);
  return {
    ...limits,
    connectTimeoutMs: Math.min(limits.connectTimeoutMs, connectMs),
    handshakeTimeoutMs: Math.min(limits.handshakeTimeoutMs, connectMs),
    client: {
      greetingMs: reply(client.greetingMs),
      helloMs: reply(client.helloMs),
      mailMs: reply(client.mailMs),
      rcptMs: reply(client.rcptMs),
      dataInitiationMs: reply(client.dataInitiationMs),
      dataBlockMs: reply(client.dataBlockMs),
      dataTerminationMs: Math.min(client.dataTerminationMs, contentReplyMs),
      quitMs: Math.min(client.quitMs, 1_000),
    },
    addressesPerHostMax: placesMax,
    attemptMs: Math.min(limits.attemptMs, validationRunMs),
    transactionMs: Math.min(limits.transactionMs, validationRunMs),
  };
}
