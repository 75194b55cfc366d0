/**
 * The parts of a message as they are handed on: each address in exactly one of them.
 *
 * Who is reached by several parts (an archive that two rules add) gets one copy, under everything
 * that any of them demands: joining never loosens.
 */
import { formatAddress } from '../../mail/address.ts';
import type { Recipient } from '../../mail/recipient.ts';
import type { Effects, Fork } from './fork.ts';
import { finalRecipientsOf, rulingOf } from './fork.ts';
import type { HeaderEdit } from './header-edit.ts';
import type { Ruling } from './ruling.ts';

/** One part: who gets it, on which way, with which header; `hold` until somebody releases it. */
export interface RuledFork {
  readonly recipients: readonly Recipient[];
  readonly ruling: Ruling;
  readonly hold: { readonly rule: string } | null;
  readonly headerEdits: readonly HeaderEdit[];
}

/**
 * Deleted parts are left out, and equal ones are one. `mustEncrypt` says of recipients that rules
 * added whether mail to them may not leave in clear.
 */
export function joinForks(
  forks: readonly Fork[],
  mustEncrypt: (added: Recipient) => boolean,
): readonly RuledFork[] {
  const reached = new Map<string, Reached>();
  for (const fork of forks) {
    if (fork.effects.isDeleted) continue;
    for (const { recipient, rule } of finalRecipientsOf(fork)) {
      const isBound = rule !== null && mustEncrypt(recipient);
      const effects = isBound ? encrypted(fork.effects, rule) : fork.effects;
      const key = formatAddress(recipient);
      const known = reached.get(key);
      if (known === undefined) reached.set(key, { recipient, effects });
      else {
        known.effects = joinEffects(known.effects, effects);
        // What the sender asked to be told stays with whom it named.
        if (rule === null) known.recipient = recipient;
      }
    }
  }
  return group([...reached.values()]);
}

interface Reached {
  recipient: Recipient;
  effects: Effects;
}

/** @see ADR 11: the sender's server saw TLS to us, and could not know that its mail goes on. */
function encrypted(effects: Effects, rule: string): Effects {
  const clause = { kind: 'encrypted', origin: { kind: 'rule', name: rule } } as const;
  return { ...effects, clauses: [...effects.clauses, clause] };
}

function group(reached: readonly Reached[]): RuledFork[] {
  const groups = new Map<string, { recipients: Recipient[]; effects: Effects }>();
  const keys = new Map<Effects, string>();
  for (const { recipient, effects } of reached) {
    let key = keys.get(effects);
    if (key === undefined) {
      key = JSON.stringify({ ...effects, redirectedTo: null, added: [] });
      keys.set(effects, key);
    }
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { recipients: [recipient], effects });
    else known.recipients.push(recipient);
  }
  return [...groups.values()].map(({ recipients, effects }) => toRuled(recipients, effects));
}

function toRuled(recipients: readonly Recipient[], effects: Effects): RuledFork {
  const hold = effects.hold === null ? null : { rule: effects.hold };
  return { recipients, ruling: rulingOf(effects), hold, headerEdits: effects.edits };
}

/** The first one's route and header; demands and holds of both; overrides that both have. */
function joinEffects(a: Effects, b: Effects): Effects {
  const overrides = b.route?.overrides ?? [];
  const route = a.route === null ? b.route : a.route;
  const shared = a.route?.overrides.filter((name) => overrides.includes(name)) ?? [];
  const demanded = new Set(a.clauses.map((clause) => JSON.stringify(clause)));
  return {
    ...a,
    route: route === null ? null : { ...route, overrides: shared },
    clauses: [...a.clauses, ...b.clauses.filter((clause) => !demanded.has(JSON.stringify(clause)))],
    hold: a.hold ?? b.hold,
  };
}
