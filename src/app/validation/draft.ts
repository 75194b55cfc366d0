/** A draft of a connector in the place of the one in force: checked as a change would be, and not put in force. */
import { dirname, resolve } from 'node:path';
import type { PolicyObject } from '../../config/policy-object.ts';
import { formatProblem } from '../../config/problem.ts';
import { Failure } from '../../mail/failure.ts';
import type { Configuration, ConfigurationResult } from '../configuration.ts';
import type { ValidationOrder } from './order.ts';

/** Makes a configuration of the policy in force with other objects; changes nothing. */
export type LoadCandidate = (
  inForce: Configuration,
  objects: readonly PolicyObject[],
) => Promise<ConfigurationResult>;

const problemsShown = 5;

/** Throws `draft-refused` with what is wrong. */
export async function loadDraft(
  load: LoadCandidate,
  inForce: Configuration,
  order: ValidationOrder & { readonly draft: object },
): Promise<Configuration> {
  const { organization, connector: name, draft } = order;
  if ('name' in draft && draft.name !== name) {
    refuse(`the draft is named ${JSON.stringify(draft.name)}, and "${name}" is to be validated`);
  }
  checkAnchors(inForce, draft);
  checkCertificate(inForce, order);
  const value = { ...draft, name };
  const object: PolicyObject = { kind: 'outbound-connector', organization, name, value };
  const result = await load(inForce, withObject(inForce.objects, object));
  if (result.kind === 'loaded') return result.configuration;
  const errors = result.problems.filter(({ severity }) => severity === 'error');
  const shown = errors.slice(0, problemsShown).map(formatProblem).join('; ');
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

/** Whoever writes a draft must not have files read that nobody put in force: trial would tell what they hold. */
function checkAnchors({ config, files }: Configuration, draft: object): void {
  if (!('anchors' in draft) || typeof draft.anchors !== 'string') return;
  const { anchors } = draft;
  if (!anchors.startsWith('file:')) return;
  const file = resolve(dirname(config.file ?? '.'), anchors.slice('file:'.length));
  if (files.has(file)) return;
  refuse(
    `anchors: ${file} is no file that the configuration in force names; put it in force first`,
  );
}

/** A trial must not show a certificate in whose name the organization does not write. */
function checkCertificate(
  { objects }: Configuration,
  { organization, draft }: ValidationOrder & { readonly draft: object },
): void {
  if (!('clientCertificate' in draft) || typeof draft.clientCertificate !== 'string') return;
  const { clientCertificate: wanted } = draft;
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
