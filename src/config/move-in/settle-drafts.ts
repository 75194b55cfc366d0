/**
 * Takes out of an import what the gateway would refuse, until the rest loads.
 *
 * The importers know most refusals and speak of them property by property; the schema and its
 * checks stay the one truth, so whatever they still refuse is not made, and said in their words.
 */
import type { LoadResult } from '../load.ts';
import { parseConfig } from '../load.ts';
import type { PolicyObject } from '../policy-object.ts';
import type { ConfigProblem } from '../problem.ts';
import { problemsMax } from '../problem.ts';
import type { Draft } from './draft.ts';
import { toObjects } from './imported-flow.ts';

const frameCertificate = 'move-in frame';
/** Stands in where no accepted domain was given; every organization needs one. */
const frameDomain = 'move-in.invalid';

/** Afterwards the drafts that are not dropped load together; each is finished. */
export function settleDrafts(drafts: readonly Draft[], organization: string): void {
  for (const draft of drafts) draft.finish();
  const found = dropRefused(drafts, organization);
  // A file tells so many problems at once; a few drafts at a time tell all of theirs sooner.
  if (found >= problemsMax) settlePieces(drafts, organization);
  while (dropRefused(drafts, organization) > 0);
}

const pieceSize = 40;

/** Connectors alone: rules name connectors, and all of them domains. */
function settlePieces(drafts: readonly Draft[], organization: string): void {
  const domains = drafts.filter(({ kind }) => kind !== 'rule' && !isConnector(kind));
  const connectors = drafts.filter(({ kind }) => isConnector(kind));
  for (let place = 0; place < connectors.length; place += pieceSize) {
    const piece = [...domains, ...connectors.slice(place, place + pieceSize)];
    while (dropRefused(piece, organization) > 0);
  }
}

function isConnector(kind: Draft['kind']): boolean {
  return kind === 'inbound-connector' || kind === 'outbound-connector';
}

/** Drops each draft that is refused, once; how many problems there were. */
function dropRefused(drafts: readonly Draft[], organization: string): number {
  const result = loadDrafts(drafts, organization);
  if (result.kind === 'loaded') return 0;
  const errors = result.problems.filter(({ severity }) => severity === 'error');
  const found = errors.map((problem) => ({ problem, draft: draftAt(drafts, problem) }));
  if (found.every(({ draft }) => draft === null)) {
    const [problem] = errors;
    throw new Error(`an import does not load: ${problem?.key ?? ''}: ${problem?.text ?? ''}`);
  }
  dropAll(found);
  return found.length;
}

/** Each once, for the first reason; what is named after another that goes may load without it. */
function dropAll(found: readonly { problem: ConfigProblem; draft: Draft | null }[]): void {
  for (const { problem, draft } of found) {
    if (draft === null || draft.isDropped) continue;
    const { key, text } = problem;
    draft.drop(`${key === '' ? '' : `${key}: `}${text}`, 'not-possible');
  }
}

const frame = JSON.stringify({
  hostName: 'gateway.invalid',
  listeners: [{ name: 'mx', host: '127.0.0.1', port: 25, kind: 'mx' }],
  serverCertificates: frameCertificate,
  domainVerification: 'off',
});

/** The drafts as the policy beside a static part that is sound. */
function loadDrafts(drafts: readonly Draft[], organization: string): LoadResult {
  const made = toObjects(drafts, organization);
  const certificate = { certificate: 'frame.pem', key: 'frame.key' };
  const objects: PolicyObject[] = [
    { kind: 'certificate', organization: null, name: frameCertificate, value: certificate },
    ...made,
  ];
  if (made.every(({ kind }) => kind !== 'accepted-domain')) {
    const value = { domain: frameDomain };
    objects.push({ kind: 'accepted-domain', organization, name: frameDomain, value });
  }
  return parseConfig(frame, 'import', () => ({ kind: 'stored', objects }));
}

/** The draft that a problem is about; null where it is about none. Names are unique within a kind. */
function draftAt(drafts: readonly Draft[], { object }: ConfigProblem): Draft | null {
  const isMeant = ({ kind, name, isDropped }: Draft): boolean =>
    !isDropped && kind === object?.kind && name === object.name;
  return drafts.find(isMeant) ?? null;
}
