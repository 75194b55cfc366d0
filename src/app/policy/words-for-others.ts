/**
 * What somebody is told who may not see every organization: of what concerns another one no more than
 * that it is in use elsewhere.
 */
import type { ObjectKey } from '../../config/policy-object.ts';
import type { Actor } from '../../identity/actor.ts';
import { organizationsOf } from '../../identity/permissions.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import type { Organizations } from '../../api/services.ts';

const elsewhere =
  'it is in use elsewhere on this gateway, or depends on what is; ask an administrator of the gateway';

/** `all`: the ids of every organization; `reach` null: everything may be told. */
export class WordsFor {
  readonly #reach: Organizations;
  readonly #strangers: readonly string[];

  constructor(reach: Organizations, all: readonly string[]) {
    this.#reach = reach;
    this.#strangers = reach === null ? [] : all.filter((id) => !reach.includes(id));
  }

  text(text: string): string {
    return this.#strangers.some((id) => hasWord(text, id)) ? elsewhere : text;
  }

  problem(problem: ConfigProblem): ConfigProblem {
    const { object, ...rest } = problem;
    const told = this.text(problem.text);
    if (told === problem.text && (object === undefined || this.#isOwn(object.organization))) {
      return problem;
    }
    const own = object !== undefined && this.#isOwn(object.organization) ? { object } : { key: '' };
    return { ...rest, suggestion: null, text: elsewhere, ...own };
  }

  /** Whether an object may be named. */
  isOwn({ organization }: { readonly organization: string | null }): boolean {
    return this.#isOwn(organization);
  }

  #isOwn(organization: string | null): boolean {
    return this.#reach === null || (organization !== null && this.#reach.includes(organization));
  }
}

/** Ids are of a-z, 0-9 and "-": as a word of its own, not as a part of another. */
function hasWord(text: string, id: string): boolean {
  for (let at = text.indexOf(id); at >= 0; at = text.indexOf(id, at + 1)) {
    const around = `${text[at - 1] ?? ' '}${text[at + id.length] ?? ' '}`;
    if (!/[a-z0-9-]/i.test(around)) return true;
  }
  return false;
}

/** Whoever looks after some organizations is told nothing of the others that these objects are of. */
export function wordsFor(actor: Actor, objects: readonly ObjectKey[]): WordsFor {
  const reach = organizationsOf(actor, 'policy.read');
  const all = objects.filter(({ kind }) => kind === 'organization').map(({ name }) => name);
  return new WordsFor(reach.kind === 'all' ? null : reach.organizations, [...new Set(all)]);
}
