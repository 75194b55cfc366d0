/**
 * A part of a message's recipients to whom the same was done so far, and what was done.
 *
 * A rule with conditions about recipients divides the message; the parts go on alone.
 */
import type { Address } from '../../mail/address.ts';
import { formatAddress } from '../../mail/address.ts';
import type { Recipient } from '../../mail/recipient.ts';
import type { Clause } from '../tls-requirement.ts';
import type { HeaderEdit } from './header-edit.ts';
import type { MailFlowRule, RuleAction } from './rule.ts';
import type { Ruling } from './ruling.ts';
import type { Unknown } from './truth.ts';

/** `live`: whether later rules see it; unknown where nobody can say if a rule before ended it. */
export interface Fork {
  /** As the sender named them: conditions look at these. */
  readonly recipients: readonly Recipient[];
  readonly live: boolean | Unknown;
  readonly effects: Effects;
}

export interface Effects {
  readonly route: Route | null;
  readonly clauses: readonly Clause[];
  /** Name of the first rule that holds it. */
  readonly hold: string | null;
  readonly edits: readonly HeaderEdit[];
  /** Who gets it instead; null where nobody else. */
  readonly redirectedTo: readonly Added[] | null;
  readonly added: readonly Added[];
  readonly isDeleted: boolean;
}

/** A recipient that the sender did not name, and the rule that did. */
export interface Added {
  readonly recipient: Recipient;
  readonly rule: string;
}

interface Route {
  readonly connector: string;
  readonly rule: string;
  readonly overrides: readonly string[];
}

export const noEffects: Effects = {
  route: null,
  clauses: [],
  hold: null,
  edits: [],
  redirectedTo: null,
  added: [],
  isDeleted: false,
};

/** Whether the rule sends the message on, so that it may come back. */
export function sendsOn({ actions }: MailFlowRule): boolean {
  return actions.some(
    ({ kind }) => kind === 'route-to-connector' || kind === 'redirect' || isAddition(kind),
  );
}

function isAddition(kind: RuleAction['kind']): boolean {
  return kind === 'add-recipients' || kind === 'blind-copy';
}

/** With all actions of the rule; a rejection is not among them. */
export function withActions(effects: Effects, rule: MailFlowRule, hostName: string): Effects {
  let result = effects;
  for (const action of rule.actions) result = withAction(result, rule, action);
  if (!sendsOn(rule) || result.edits.some(({ kind }) => kind === 'count-pass')) return result;
  return { ...result, edits: [...result.edits, { kind: 'count-pass', hostName }] };
}

function withAction(effects: Effects, rule: MailFlowRule, action: RuleAction): Effects {
  const { name, overrides } = rule;
  switch (action.kind) {
    case 'route-to-connector':
      return { ...effects, route: { connector: action.connector, rule: name, overrides } };
    case 'require-tls':
      return { ...effects, clauses: [...effects.clauses, ...requireTls(name)] };
    case 'quarantine':
      return { ...effects, hold: effects.hold ?? name };
    case 'delete':
      return { ...effects, isDeleted: true };
    case 'redirect':
      return {
        ...effects,
        redirectedTo: action.to.map((to) => ({ recipient: bare(to), rule: name })),
      };
    case 'add-recipients': {
      const edits = action.to.map((address): HeaderEdit => ({
        kind: 'add-address',
        name: 'To',
        address,
      }));
      const added = action.to.map((to) => ({ recipient: bare(to), rule: name }));
      return {
        ...effects,
        added: [...effects.added, ...added],
        edits: [...effects.edits, ...edits],
      };
    }
    case 'blind-copy': {
      // Nobody is told of it, or the sender would learn from a DSN who reads along.
      const added = action.to.map((to) => ({ recipient: { ...bare(to), notify: [] }, rule: name }));
      return { ...effects, added: [...effects.added, ...added] };
    }
    case 'set-header':
    case 'remove-header':
    case 'prepend-subject':
      return { ...effects, edits: [...effects.edits, toEdit(action)] };
    case 'reject':
      return effects;
  }
}

function toEdit(
  action: RuleAction & { readonly kind: 'set-header' | 'remove-header' | 'prepend-subject' },
): HeaderEdit {
  switch (action.kind) {
    case 'set-header':
      return { kind: 'set', name: action.name, value: action.value };
    case 'remove-header':
      return { kind: 'remove', name: action.name };
    case 'prepend-subject':
      return action;
  }
}

/** As `EncryptionOnly` of a connector: always TLS, whoever answers. */
function requireTls(rule: string): Clause[] {
  const origin = { kind: 'rule', name: rule } as const;
  return [
    { kind: 'encrypted', origin },
    { kind: 'min-version', version: 'TLSv1.2', origin },
  ];
}

function bare({ localPart, domain }: Address): Recipient {
  return { localPart, domain };
}

/** Who gets this part of the message, each once; `rule` null where the sender named it. */
export function finalRecipientsOf({ recipients, effects }: Fork): readonly (Added | Named)[] {
  const named = recipients.map((recipient) => ({ recipient, rule: null }));
  const byAddress = new Map<string, Added | Named>();
  for (const final of [...(effects.redirectedTo ?? named), ...effects.added]) {
    const key = formatAddress(final.recipient);
    if (!byAddress.has(key)) byAddress.set(key, final);
  }
  return [...byAddress.values()];
}

interface Named {
  readonly recipient: Recipient;
  readonly rule: null;
}

/** What later attempts must know of it. */
export function rulingOf({ route, clauses }: Effects): Ruling {
  return {
    connector: route?.connector ?? null,
    rule: route?.rule ?? null,
    overrides: route?.overrides ?? [],
    clauses,
  };
}
