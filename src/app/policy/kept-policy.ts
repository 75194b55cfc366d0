/** The policy of a running gateway: what the file says, what is kept, and what DNS has proven, as one. */
import { openControl } from '../../store/control/control-file.ts';
import type { ControlFile } from '../../store/control/control-file.ts';
import { Failure } from '../../mail/failure.ts';
import type { PolicyObject } from '../../config/policy-object.ts';
import { foldersOf, makeLockFile } from '../data-folder.ts';
import type { Configuration, ConfigurationResult, ConfigurationSource } from '../configuration.ts';
import { loadConfiguration } from '../configuration.ts';
import type { ProvenBook } from '../domains/proven-book.ts';
import { openProvenBook } from '../domains/proven-book.ts';
import type { GatewaySettings } from '../gateway-settings.ts';
import { findUserIds } from '../privileges.ts';
import type { ReloadOrder, ReloadParts } from '../reloader.ts';
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
  try {
    const by = { author: `start, from ${source.file}`, origin: 'file', reason: null } as const;
    policies.record(configuration, by);
    policies.noteInForce(configuration.policy.revision, log);
  } catch (error) {
    // What cannot be kept now is kept with the next change: mail need not wait for it.
    if (!(error instanceof Failure)) throw error;
    log.error({ err: error }, 'the revision of the policy could not be kept');
  }
  return { control, policies, proven, configuration, source };
}

/** What a reload needs of it. */
export function reloadingOf(kept: KeptPolicy): Pick<ReloadParts, 'load' | 'record'> {
  const { policies, proven, source } = kept;
  return {
    load: async (inForce, { text, overwritePolicy }) => {
      const choose = chooseAtReload(policies.state, overwritePolicy);
      return proveResult(proven, await loadConfiguration({ ...source, text }, inForce, choose));
    },
    record: (configuration, by) => void policies.record(configuration, fromFile(source.file, by)),
  };
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

function fromFile(file: string, by: ReloadOrder): RevisionBy {
  const reason = by.kind === 'order' ? by.reason : null;
  const author = by.kind === 'order' ? (by.author ?? 'administrator') : 'signal';
  return { author: `${author}, from ${file}`, origin: 'file', reason };
}

function withProven(book: ProvenBook, configuration: Configuration): Configuration {
  return { ...configuration, policy: book.applyTo(configuration.policy) };
}

function proveResult(book: ProvenBook, result: ConfigurationResult): ConfigurationResult {
  if (result.kind === 'refused') return result;
  return { ...result, configuration: withProven(book, result.configuration) };
}
