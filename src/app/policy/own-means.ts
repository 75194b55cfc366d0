/**
 * What an organization's administrator may name of what belongs to the gateway: files on its disk and
 * certificates that it presents. Only what the organization uses already: whoever may use them for whom is
 * for the gateway's administrator to say.
 */
import type { PlacedObject, SetBy } from '../../config/change-policy.ts';
import { anchorFileOf } from '../../config/mail-readers.ts';
import type { ObjectKey, ObjectValue } from '../../config/policy-object.ts';
import { describeObject } from '../../config/policy-object.ts';
import type { Actor } from '../../identity/actor.ts';
import { mayDo } from '../../identity/permissions.ts';
import { Failure } from '../../mail/failure.ts';

const means = ['anchors', 'clientCertificate'] as const;

/** Throws a Failure `means-not-yours`. `known`: the policy in force. */
export function requireOwnMeans(
  key: ObjectKey,
  value: ObjectValue,
  known: readonly PlacedObject[],
): void {
  for (const name of means) {
    const wanted = value[name];
    if (typeof wanted !== 'string' || isFree(name, wanted)) continue;
    const isUsed = known.some(
      (object) => object.organization === key.organization && isSame(object.value[name], wanted),
    );
    if (isUsed) continue;
    const what = name === 'anchors' ? 'a file of the gateway' : 'a certificate of the gateway';
    const text = `${describeObject(key)}: ${name}: names ${what} that your organization does not use yet; an administrator of the gateway has to`;
    throw new Failure('means-not-yours', text, { wireText: text });
  }
}

/** Sets of anchors that everybody may choose are words, not files. */
function isFree(name: (typeof means)[number], wanted: string): boolean {
  return name === 'anchors' && anchorFileOf(wanted) === null;
}

/** A path may be written in two ways. */
function isSame(known: unknown, wanted: string): boolean {
  return typeof known === 'string' && anchorFileOf(known) === anchorFileOf(wanted);
}

/** Whose word reaches inner networks: of whoever may change what concerns the whole gateway. */
export function setByOf(actor: Actor): SetBy {
  return mayDo(actor, 'config.reload', null) ? {} : { setBy: 'organization' };
}
