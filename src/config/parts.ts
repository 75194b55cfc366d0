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
import type {
  ParsedAcceptedDomain,
  ParsedInbound,
  ParsedMailbox,
  ParsedOutbound,
} from './schema-organization.ts';
import type { ParsedAlias, ParsedDeliveryTarget } from './schema-recipients.ts';
import { aliasSection, deliveryTargetSection } from './schema-recipients.ts';
import {
  acceptedDomainSection,
  inboundConnectorSection,
  mailboxSection,
  outboundConnectorSection,
} from './schema-organization.ts';

/** A sound part, its place, and the keys that were written out. */
export interface Located<T> {
  readonly value: T;
  readonly path: Path;
  readonly given: ReadonlySet<string>;
}

/** The `…AreWhole` flags say that no entry of the list was left out, and that there is a list's owner. */
export interface Parts {
  readonly listeners: readonly Located<ParsedListener>[];
  readonly listenersAreWhole: boolean;
  /** Null where `certificates` is no mapping. */
  readonly certificateNames: ReadonlySet<string> | null;
  readonly serverCertificates: readonly string[];
  readonly organizationPath: Path;
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
}

/** Takes a finding about a place; used by every check. */
export type Report = (finding: Finding) => void;

/** `wrongPaths` are the places that the schema complained about. */
export function collectParts(raw: unknown, wrongPaths: readonly Path[]): Parts {
  const isWrong = wrongPrefixes(wrongPaths);
  const organizationPath: Path = ['organizations', 0];
  const list = <T>(schema: z.ZodType<T>, path: Path): Located<T>[] => {
    const entries = valueAt(raw, path);
    if (!Array.isArray(entries)) return [];
    return entries.flatMap((entry, place) => {
      const here = [...path, place];
      if (isWrong.has(formatPath(here))) return [];
      const parsed = schema.safeParse(entry);
      const given = new Set(Object.keys((entry ?? {}) as object));
      return parsed.success ? [{ value: parsed.data, path: here, given }] : [];
    });
  };
  const isWhole = (path: Path): boolean => !isWrong.has(formatPath(path));
  const inOrganization = (key: string): Path => [...organizationPath, key];
  return {
    listeners: list(listenerSection, ['listeners']),
    listenersAreWhole: isWhole(['listeners']),
    certificateNames: namesOf(valueAt(raw, ['certificates'])),
    serverCertificates: textsOf(valueAt(raw, ['serverCertificates'])),
    organizationPath,
    acceptedDomains: list(acceptedDomainSection, inOrganization('acceptedDomains')),
    acceptedDomainsAreWhole:
      valueAt(raw, organizationPath) !== undefined && isWhole(inOrganization('acceptedDomains')),
    mailboxes: list(mailboxSection, inOrganization('mailboxes')),
    mailboxesAreWhole: isWhole(inOrganization('mailboxes')),
    aliases: list(aliasSection, inOrganization('aliases')),
    aliasesAreWhole: isWhole(inOrganization('aliases')),
    deliveryTargets: list(deliveryTargetSection, inOrganization('deliveryTargets')),
    deliveryTargetsAreWhole: isWhole(inOrganization('deliveryTargets')),
    addressExtension: textsOf(valueAt(raw, inOrganization('addressExtension')))[0] ?? null,
    inbound: list(inboundConnectorSection, inOrganization('inboundConnectors')),
    inboundAreWhole: isWhole(inOrganization('inboundConnectors')),
    outbound: list(outboundConnectorSection, inOrganization('outboundConnectors')),
    outboundAreWhole: isWhole(inOrganization('outboundConnectors')),
  };
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
