/**
 * The parts of a configuration that are sound in themselves, for the checks between keys.
 *
 * A part with a mistake of its own is left out, so that every check runs in the same pass as the
 * schema and none complains about a consequence of another mistake.
 */
import type { z } from 'zod';
import { formatPath } from './problem.ts';
import type { Finding, Path } from './problem.ts';
import type { ParsedListener } from './schema.ts';
import { listenerSection } from './schema.ts';
import type { ParsedInbound, ParsedOutbound } from './schema-connectors.ts';
import {
  inboundConnectorSection,
  outboundConnectorSection,
  withScope,
} from './schema-connectors.ts';
import type { ParsedAcceptedDomain, ParsedMailbox } from './schema-organization.ts';
import type { ParsedAlias, ParsedDeliveryTarget } from './schema-recipients.ts';
import { aliasSection, deliveryTargetSection } from './schema-recipients.ts';
import { acceptedDomainSection, mailboxSection } from './schema-organization.ts';
import type { ParsedRule } from './schema-rules.ts';
import { ruleSection } from './schema-rules.ts';

/** A sound part, its place, and the keys that were written out. */
export interface Located<T> {
  readonly value: T;
  readonly path: Path;
  readonly given: ReadonlySet<string>;
}

/** What belongs to the whole gateway. The `…AreWhole` flags say that no entry of the list was left out. */
export interface GatewayParts {
  readonly listeners: readonly Located<ParsedListener>[];
  readonly listenersAreWhole: boolean;
  /** Null where `certificates` is no mapping. */
  readonly certificateNames: ReadonlySet<string> | null;
  readonly serverCertificates: readonly string[];
}

/** The parts of one organization, and the gateway's besides. */
export interface Parts extends GatewayParts {
  readonly organizationPath: Path;
  /** Null where it has none, or a wrong one. */
  readonly organizationId: string | null;
  readonly acceptedDomains: readonly Located<ParsedAcceptedDomain>[];
  readonly acceptedDomainsAreWhole: boolean;
  readonly mailboxes: readonly Located<ParsedMailbox>[];
  readonly mailboxesAreWhole: boolean;
  readonly aliases: readonly Located<ParsedAlias>[];
  readonly aliasesAreWhole: boolean;
  readonly deliveryTargets: readonly Located<ParsedDeliveryTarget>[];
  readonly deliveryTargetsAreWhole: boolean;
  /** Null where none is set, or a wrong one. */
  readonly addressExtension: string | null;
  readonly inbound: readonly Located<ParsedInbound>[];
  readonly inboundAreWhole: boolean;
  readonly outbound: readonly Located<ParsedOutbound>[];
  readonly outboundAreWhole: boolean;
  readonly rules: readonly Located<ParsedRule>[];
}

/** Takes a finding about a place; used by every check. */
export type Report = (finding: Finding) => void;

/** Everything sound in a file. */
export interface AllParts {
  readonly gateway: GatewayParts;
  /** In the order of the file. */
  readonly organizations: readonly Parts[];
}

/**
 * `wrongPaths` are the places that somebody complained about. `parsed` is what the schema made of it all;
 * null where it refused some of it, so that each part is tried by itself.
 */
export function collectParts(raw: unknown, wrongPaths: readonly Path[], parsed: unknown): AllParts {
  const reader = new PartReader(raw, wrongPaths, parsed);
  const gateway = {
    listeners: reader.list(listenerSection, ['listeners']),
    listenersAreWhole: reader.isWhole(['listeners']),
    certificateNames: namesOf(valueAt(raw, ['certificates'])),
    serverCertificates: textsOf(valueAt(raw, ['serverCertificates'])),
  };
  const written = valueAt(raw, ['organizations']);
  const count = Array.isArray(written) ? written.length : 0;
  const organizations = Array.from({ length: count }, (_, place) =>
    collectOrganization(reader, gateway, ['organizations', place]),
  );
  return { gateway, organizations };
}

function collectOrganization(reader: PartReader, gateway: GatewayParts, path: Path): Parts {
  const at = (key: string): Path => [...path, key];
  const written = valueAt(reader.raw, path);
  const isMapping = typeof written === 'object' && written !== null;
  const word = (key: string): string | null => {
    const text = textsOf(valueAt(reader.raw, at(key)))[0] ?? null;
    return reader.isWhole(at(key)) ? text : null;
  };
  return {
    ...gateway,
    organizationPath: path,
    organizationId: word('id'),
    acceptedDomains: reader.list(acceptedDomainSection, at('acceptedDomains')),
    acceptedDomainsAreWhole: isMapping && reader.isWhole(at('acceptedDomains')),
    mailboxes: reader.list(mailboxSection, at('mailboxes')),
    mailboxesAreWhole: reader.isWhole(at('mailboxes')),
    aliases: reader.list(aliasSection, at('aliases')),
    aliasesAreWhole: reader.isWhole(at('aliases')),
    deliveryTargets: reader.list(deliveryTargetSection, at('deliveryTargets')),
    deliveryTargetsAreWhole: reader.isWhole(at('deliveryTargets')),
    addressExtension: word('addressExtension'),
    inbound: reader
      .list(inboundConnectorSection, at('inboundConnectors'))
      .map((written) => ({ ...written, value: withScope(written.value) })),
    inboundAreWhole: reader.isWhole(at('inboundConnectors')),
    outbound: reader.list(outboundConnectorSection, at('outboundConnectors')),
    outboundAreWhole: reader.isWhole(at('outboundConnectors')),
    rules: reader.list(ruleSection, at('rules')),
  };
}

/** Reads lists of the file and leaves out what is wrong. */
class PartReader {
  readonly raw: unknown;
  readonly #wrong: ReadonlySet<string>;
  readonly #parsed: unknown;

  constructor(raw: unknown, wrongPaths: readonly Path[], parsed: unknown) {
    this.raw = raw;
    this.#parsed = parsed;
    this.#wrong = wrongPrefixes(wrongPaths);
  }

  isWhole(path: Path): boolean {
    return !this.#wrong.has(formatPath(path));
  }

  list<T>(schema: z.ZodType<T>, path: Path): Located<T>[] {
    const entries = valueAt(this.raw, path);
    if (!Array.isArray(entries)) return [];
    const known = valueAt(this.#parsed, path) as readonly T[] | undefined;
    return entries.flatMap((entry, place) => {
      const here = [...path, place];
      if (!this.isWhole(here)) return [];
      const given = new Set(Object.keys((entry ?? {}) as object));
      if (known !== undefined) return [{ value: known[place]!, path: here, given }];
      const parsed = schema.safeParse(entry);
      return parsed.success ? [{ value: parsed.data, path: here, given }] : [];
    });
  }
}

/** Every wrong place and everything that holds it. */
function wrongPrefixes(wrongPaths: readonly Path[]): ReadonlySet<string> {
  const wrong = new Set<string>();
  for (const path of wrongPaths) {
    for (let length = 0; length <= path.length; length++) {
      wrong.add(formatPath(path.slice(0, length)));
    }
  }
  return wrong;
}

export function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

function namesOf(value: unknown): ReadonlySet<string> | null {
  if (value === undefined || value === null) return new Set();
  return typeof value === 'object' && !Array.isArray(value) ? new Set(Object.keys(value)) : null;
}

function textsOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((entry) => typeof entry === 'string');
}
