/** A draft of a connector in the place of the one in force: checked as a change would be, and not put in force. */
import { dirname, resolve } from 'node:path';
import { anchorFileOf } from '../../config/mail-readers.ts';
import type { PolicyObject } from '../../config/policy-object.ts';
import { formatProblem } from '../../config/problem.ts';
import { Failure } from '../../mail/failure.ts';
import type { Configuration, ConfigurationResult } from '../configuration.ts';
import { WordsFor } from '../policy/words-for-others.ts';
import type { ValidationOrder } from './order.ts';

/** Makes a configuration of the policy in force with other objects; changes nothing. */
export type LoadCandidate = (
  inForce: Configuration,
  objects: readonly PolicyObject[],
) => Promise<ConfigurationResult>;

type Drafted = Pick<ValidationOrder, 'organization' | 'connector'> & {
  readonly draft: NonNullable<ValidationOrder['draft']>;
};

const problemsShown = 5;

/** Throws `draft-refused` with what is wrong; of other organizations that says nothing. */
export async function loadDraft(
  load: LoadCandidate,
  inForce: Configuration,
  order: Drafted,
): Promise<Configuration> {
  const { organization, connector: name, draft } = order;
  if ('name' in draft && draft['name'] !== name) {
    refuse(`the draft is named ${JSON.stringify(draft['name'])}, and "${name}" is to be validated`);
  }
  checkAnchors(inForce, order);
  checkCertificate(inForce, order);
  const value = { ...draft, name };
  const object: PolicyObject = { kind: 'outbound-connector', organization, name, value };
  const result = await load(inForce, withObject(inForce.objects, object));
  if (result.kind === 'loaded') return result.configuration;
  const words = new WordsFor([organization], namesOf(inForce));
  const errors = result.problems.filter(({ severity }) => severity === 'error');
  const told = errors.slice(0, problemsShown).map((each) => formatProblem(words.problem(each)));
  const shown = told.join('; ');
  return refuse(shown === '' ? 'it cannot be used' : shown);
}

/** In the place of the one of its name, or at the end. */
function withObject(
  objects: readonly PolicyObject[],
  object: PolicyObject,
): readonly PolicyObject[] {
  const place = objects.findIndex(
    ({ kind, organization, name }) =>
      kind === object.kind && organization === object.organization && name === object.name,
  );
  return place === -1 ? [...objects, object] : objects.with(place, object);
}

function namesOf({ policy }: Configuration): readonly string[] {
  return policy.organizations.map(({ id }) => id);
}

/**
 * Whoever writes a draft must not have files read that nobody put in force for the organization: trial
 * would tell what they hold.
 */
function checkAnchors({ config, objects }: Configuration, order: Drafted): void {
  const fileOf = (anchors: unknown): string | null => {
    const path = typeof anchors === 'string' ? anchorFileOf(anchors) : null;
    return path === null ? null : resolve(dirname(config.file ?? '.'), path);
  };
  const file = fileOf(order.draft['anchors']);
  if (file === null) return;
  const isUsed = objects.some(
    ({ organization, value }) =>
      organization === order.organization && fileOf(value['anchors']) === file,
  );
  if (isUsed) return;
  refuse(
    `anchors: ${file} is no file that ${order.organization} uses in force; put it in force first`,
  );
}

/** A trial must not show a certificate in whose name the organization does not write. */
function checkCertificate({ objects }: Configuration, { organization, draft }: Drafted): void {
  const wanted = draft['clientCertificate'];
  if (typeof wanted !== 'string') return;
  const isUsed = objects.some(
    (each) => each.organization === organization && each.value['clientCertificate'] === wanted,
  );
  if (isUsed) return;
  refuse(
    `clientCertificate: ${JSON.stringify(wanted)} is shown by nothing of ${organization} in force; put it in force first`,
  );
}

function refuse(text: string): never {
  throw new Failure('draft-refused', `the draft cannot be validated: ${text}`);
}
