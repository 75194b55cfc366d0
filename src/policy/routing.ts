/** What a message itself brings to the choice of its way, besides the recipient. */
import type { MessageSource } from './delivery.ts';
import type { Ruling } from './rules/ruling.ts';

/** `ruling`: what the rules said when it was accepted; null where none said anything. */
export interface Routing {
  readonly ruling: Ruling | null;
  /** Mail that our own servers sent has been there: it is not sent back through them. */
  readonly isFromOnPremises: boolean;
}

export const plainRouting: Routing = { ruling: null, isFromOnPremises: false };

/** Of a message, a delivery of it, or what is about to become one. */
export function routingOf(message: {
  readonly source: MessageSource;
  readonly ruling?: Ruling;
}): Routing {
  const { source, ruling } = message;
  const isFromOnPremises = source.kind === 'mx' && source.ownServer !== undefined;
  if (ruling === undefined && !isFromOnPremises) return plainRouting;
  return { ruling: ruling ?? null, isFromOnPremises };
}
