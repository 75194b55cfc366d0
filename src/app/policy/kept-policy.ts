/** The policy of a running gateway: what the file says, what is kept, and what DNS has proven, as one. */
import { openControl } from '../../store/control/control-file.ts';
import type { ControlFile } from '../../store/control/control-file.ts';
import type { Actor } from '../../identity/actor.ts';
import { describeActor, socketActor } from '../../identity/actor.ts';
import { Failure } from '../../mail/failure.ts';
import type { AuditActor } from '../../report/audit-chain.ts';
import type { Log } from '../../report/log.ts';
import type { PolicyObject } from '../../config/policy-object.ts';
import { foldersOf, makeLockFile } from '../data-folder.ts';
import type { Configuration, ConfigurationResult, ConfigurationSource } from '../configuration.ts';
import { loadConfiguration } from '../configuration.ts';
import type { ProvenBook } from '../domains/proven-book.ts';
import { openProvenBook } from '../domains/proven-book.ts';
import type { GatewaySettings } from '../gateway-settings.ts';
import { AuditBook, auditActor, auditGateway } from '../people/audit-book.ts';
import { findUserIds } from '../privileges.ts';
import type { Reloader, ReloadOrder, ReloadOutcome, ReloadParts } from '../reloader.ts';
import { happeningsOfImport } from './audit-policy.ts';
import { chooseAtReload } from './choose-policy.ts';
import type { RevisionBy } from './policy-book.ts';
import { PolicyBook } from './policy-book.ts';

export interface KeptPolicy {
  readonly control: ControlFile;
  readonly policies: PolicyBook;
  readonly proven: ProvenBook;
  /** As it was given, with what is proven. */
  readonly configuration: Configuration;
  readonly source: ConfigurationSource;
}

/** Keeps what this start puts in force. Throws a Failure where the control file cannot be opened. */
export async function openKeptPolicy(settings: GatewaySettings): Promise<KeptPolicy> {
  const { source, user, log } = settings;
  const { dataFolder } = settings.configuration.config;
  const file = foldersOf(dataFolder).control;
  await makeLockFile(file, findUserIds(user));
  const proven = await openProvenBook(dataFolder);
  const configuration = withProven(proven, settings.configuration);
  const control = openControl(file);
  const policies = new PolicyBook(control.policy);
  const kept = { control, policies, proven, configuration, source };
  try {
    recordStart(kept, configuration);
    policies.noteInForce(configuration.policy.revision, log);
  } catch (error) {
    // What cannot be kept now is kept before the next change: mail need not wait for it.
    if (!(error instanceof Failure)) throw error;
    log.error({ err: error }, 'the revision of the policy could not be kept');
  }
  return kept;
}

/**
 * Keeps what the file said, where the start could not: otherwise the next change would be made of what
 * was there before it. Throws a Failure of the store.
 */
export function catchUpWithFile(kept: KeptPolicy, inForce: Configuration): void {
  const { fileDigest } = inForce;
  const isKept = fileDigest === null || fileDigest === kept.policies.state.imported?.digest;
  if (!isKept) recordStart(kept, inForce);
}

function recordStart(kept: KeptPolicy, inForce: Configuration): void {
  const { policies, source } = kept;
  const by = { author: `start, from ${source.file}`, origin: 'file', reason: null } as const;
  policies.record(inForce, { ...by, also: auditImport(kept, auditGateway, null) });
}

/** What a reload needs of it. */
export function reloadingOf(kept: KeptPolicy): Pick<ReloadParts, 'load' | 'record'> {
  const { policies, proven, source } = kept;
  const record = (configuration: Configuration, order: ReloadOrder): void => {
    const by = fromFile(source.file, order);
    const actor = order.kind === 'order' ? auditActor(actorOf(order)) : auditGateway;
    policies.record(configuration, { ...by, also: auditImport(kept, actor, by.reason) });
  };
  return {
    load: async (inForce, { text, overwritePolicy }) => {
      const choose = chooseAtReload(policies.state, overwritePolicy);
      return proveResult(proven, await loadConfiguration({ ...source, text }, inForce, choose));
    },
    record,
  };
}

/** Reads the file again, and writes down that. What cannot be written is logged: it is in force already. */
export async function reloadBySignal(
  { control }: Pick<KeptPolicy, 'control'>,
  reloader: Reloader,
  log: Log,
): Promise<ReloadOutcome> {
  const outcome = await reloader.reload({ kind: 'signal' });
  if (outcome.kind === 'refused') return outcome;
  try {
    const after = { policyRevision: outcome.configuration.policy.revision };
    bookOf(control).note(auditGateway, { action: 'config.reloaded', after });
  } catch (error) {
    log.error({ err: error }, 'the reload could not be written into the audit log');
  }
  return outcome;
}

function bookOf({ audit }: ControlFile): AuditBook {
  return new AuditBook(audit, () => Date.now());
}

/** The configuration in force with another policy; what stands in the file by now does not matter. */
export async function loadWithPolicy(
  { proven, source }: Pick<KeptPolicy, 'proven' | 'source'>,
  inForce: Configuration,
  objects: readonly PolicyObject[],
): Promise<ConfigurationResult> {
  const asInForce = { ...source, text: inForce.text };
  const choose = () => ({ kind: 'stored', objects }) as const;
  return proveResult(proven, await loadConfiguration(asInForce, inForce, choose));
}

function fromFile(file: string, order: ReloadOrder): RevisionBy {
  const isOrder = order.kind === 'order';
  const author = isOrder ? describeActor(actorOf(order)) : 'signal';
  return {
    author: `${author}, from ${file}`,
    origin: 'file',
    reason: isOrder ? order.reason : null,
  };
}

/** Who says nothing of it is inside this program, as the socket is. */
function actorOf({ actor = socketActor }: { readonly actor?: Actor }): Actor {
  return actor;
}

function auditImport(
  { control, source }: Pick<KeptPolicy, 'control' | 'source'>,
  who: AuditActor,
  reason: string | null,
): NonNullable<RevisionBy['also']> {
  const book = bookOf(control);
  return (revision, difference) => {
    const about = { file: source.file, revision, reason };
    for (const happening of happeningsOfImport(difference, about)) book.note(who, happening);
  };
}

function withProven(book: ProvenBook, configuration: Configuration): Configuration {
  return { ...configuration, policy: book.applyTo(configuration.policy) };
}

function proveResult(book: ProvenBook, result: ConfigurationResult): ConfigurationResult {
  if (result.kind === 'refused') return result;
  return { ...result, configuration: withProven(book, result.configuration) };
}
