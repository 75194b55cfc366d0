/** What the API serves of the policy, from the book of it and the reloader that puts it in force. */
import type {
  ChangedView,
  ObjectDifference,
  RevisionView,
} from '../../api/contract/policy-objects.ts';
import type { PolicyAnswer, PolicyServices } from '../../api/policy-services.ts';
import { composePolicy } from '../../config/compose-policy.ts';
import { leaveOutSecrets } from '../../config/object-secrets.ts';
import type { ObjectKey, PolicyObject } from '../../config/policy-object.ts';
import { textOfKey } from '../../config/policy-object.ts';
import type { Actor } from '../../identity/actor.ts';
import { describeActor } from '../../identity/actor.ts';
import type { StoredRevision } from '../../store/control/policy-revisions.ts';
import { compareStates, describeDifference } from './describe-difference.ts';
import type { PolicyBook, PolicyChange, PolicyState } from './policy-book.ts';
import type { ChangeOutcome, ChangerParts, PolicyOrder } from './policy-changer.ts';
import { changePolicyInForce } from './policy-changer.ts';
import type { AuditChange } from './audit-policy.ts';
import { happeningsOf } from './audit-policy.ts';
import { applyRequests, requireRevision, unknownObject } from './requested-change.ts';
import { readRevision, unknownRevision, Viewer } from './show-objects.ts';
import { toRequests } from './to-requests.ts';
import { setByOf } from './own-means.ts';
import type { WordsFor } from './words-for-others.ts';
import { wordsFor } from './words-for-others.ts';

export function policyServices(parts: ChangerParts, audit: AuditChange): PolicyServices {
  const { policies } = parts.kept;
  const viewer = new Viewer(policies);
  const change = async (
    asked: Omit<PolicyOrder, 'author' | 'also'>,
    actor: Actor,
    about: ObjectKey | null,
  ): Promise<PolicyAnswer> => {
    const { reason } = asked;
    const author = describeActor(actor);
    const also: PolicyOrder['also'] = (_revision, difference) => {
      for (const happening of happeningsOf(difference, reason)) audit(actor, happening);
    };
    const outcome = await changePolicyInForce(parts, { ...asked, author, also });
    const { before, changed } = outcome;
    const words = wordsFor(actor, [...before.objects, ...changed.objects]);
    return answerOf(outcome, viewer, { about, words });
  };
  return {
    listObjects: async (of, query, names) => viewer.list(of, query, names),
    readObject: async (key) => viewer.read(key),
    changePolicy: ({ changes, atRevision, reason, dryRun }, actor) => {
      const want = (state: PolicyState) => {
        if (atRevision !== null) requireRevision(state, atRevision);
        return applyRequests(state, toRequests(changes), setByOf(actor));
      };
      const about = changes.length === 1 ? changes[0]!.object : null;
      return change({ want, origin: 'change', reason, isDryRun: dryRun }, actor, about);
    },
    readPolicy: async () => {
      const { revision, objects } = policies.state;
      const open = objects.map((each) => ({
        ...each,
        value: leaveOutSecrets(each.kind, each.value),
      }));
      const policy = composePolicy({}, open).value as never;
      return { formatVersion: 1, revision, policy };
    },
    listRevisions: async ({ before = null, limit }) => ({
      formatVersion: 1,
      revisions: policies.revisions.list(before, limit).map(viewRevision),
    }),
    readRevision: async (number) => {
      const revision = readRevision(policies, number);
      const differences = policies.changesOf(number).map(describeChange);
      return { formatVersion: 1, ...viewRevision(revision), differences: [...differences] };
    },
    diffRevisions: async (from, to) => {
      const end = to ?? policies.state.revision;
      for (const each of [from, end]) if (each !== 0) readRevision(policies, each);
      const differences = compareStates(policies.objectsAt(from), policies.objectsAt(end));
      return { formatVersion: 1, from, to: end, differences: [...differences] };
    },
    rollBack: (number, { objects, reason, dryRun }, actor) => {
      const want = (state: PolicyState) => asOf(policies, state, { number, objects });
      return change({ want, origin: 'rollback', reason, isDryRun: dryRun }, actor, null);
    },
    whenInForce: async (policyRevision) => {
      const found = policies.revisions.whenInForce(policyRevision, 100);
      if (found.length === 0) throw unknownRevision(`no policy ${policyRevision} was in force`);
      const inForce = found.map(({ since, revision }) => ({ since, revision }));
      return { formatVersion: 1, policyRevision, inForce };
    },
  };
}

function describeChange({ key, before, after }: PolicyChange): ObjectDifference {
  return describeDifference(key, before, after);
}

function viewRevision({ number, at, author, origin, reason }: StoredRevision): RevisionView {
  return { revision: number, at, by: author, origin: origin as RevisionView['origin'], reason };
}

/** The whole policy of a revision; or the one of now with some objects as they were then, or gone. */
function asOf(
  policies: PolicyBook,
  state: PolicyState,
  { number, objects }: { readonly number: number; readonly objects: readonly ObjectKey[] | null },
): readonly PolicyObject[] {
  readRevision(policies, number);
  const then = policies.objectsAt(number);
  if (objects === null) return then;
  const wanted = new Set(objects.map(textOfKey));
  const known = new Set([...state.objects, ...then].map(textOfKey));
  const stranger = objects.find((key) => !known.has(textOfKey(key)));
  if (stranger !== undefined) throw unknownObject(stranger);
  const isWanted = (object: ObjectKey): boolean => wanted.has(textOfKey(object));
  return [...state.objects.filter((each) => !isWanted(each)), ...then.filter(isWanted)].sort(
    (a, b) => a.position - b.position,
  );
}

interface Telling {
  readonly about: ObjectKey | null;
  readonly words: WordsFor;
}

function answerOf(outcome: ChangeOutcome, viewer: Viewer, { about, words }: Telling): PolicyAnswer {
  if (outcome.kind === 'asks-why') {
    return { kind: 'asks-why', weaker: outcome.weaker.map((text) => words.text(text)) };
  }
  if (outcome.kind === 'refused') {
    const problems = outcome.problems.map((problem) => words.problem(problem));
    const dependents = dependentsOf(outcome).filter((object) => words.isOwn(object));
    return { kind: 'refused', problems, dependents };
  }
  const { kind, configuration, weaker, warnings, before, changed } = outcome;
  const isDone = kind !== 'would-change';
  const view: ChangedView = {
    formatVersion: 1,
    kind,
    revision: viewer.revision,
    policyRevision: configuration.policy.revision,
    differences: [...compareStates(before.objects, changed.objects)],
    weaker: weaker.map((text) => words.text(text)),
    warnings: warnings.map((problem) => words.problem(problem)),
    object: isDone && about !== null ? viewer.find(about) : null,
  };
  return { kind: 'done', view };
}

/** Where only removals are asked for, what is wrong afterwards is what depended on them. */
function dependentsOf({ changed, problems }: ChangeOutcome & { kind: 'refused' }) {
  if (changed.versions.some(({ value }) => value !== null)) return [];
  const found = problems.flatMap(({ object, severity }) =>
    object === undefined || severity !== 'error' ? [] : [object],
  );
  return [...new Map(found.map((object) => [textOfKey(object), object])).values()];
}
