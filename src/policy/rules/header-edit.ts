/** Changes to a message's header that rules ask for, as data; `content/edit-header.ts` makes them. */
import type { Address } from '../../mail/address.ts';

/**
 * `set` replaces every field of that name, or adds one. `add-address` is for recipients that readers
 * shall see. `count-pass` notes that rules of the gateway with this name sent the message elsewhere.
 */
export type HeaderEdit =
  | { readonly kind: 'set'; readonly name: string; readonly value: string }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'prepend-subject'; readonly text: string }
  | { readonly kind: 'add-address'; readonly name: string; readonly address: Address }
  | { readonly kind: 'count-pass'; readonly hostName: string };

/** Lower-case. Each field of this name with the gateway's host name is one pass of its rules. */
export const loopField = 'x-postern-rules-loop';
