/**
 * Reads a policy that is kept as a file, `flow.yaml`: organizations with everything in them, and
 * certificates, in the words of a configuration file, and nothing else.
 */
import { kindsInOrganization, kindsOfGateway, textOfKey } from '../../config/policy-object.ts';
import type {
  KindOfObject,
  ObjectKey,
  ObjectValue,
  PolicyObject,
} from '../../config/policy-object.ts';
import { canonicalName } from '../../config/policy-object.ts';
import { findNearest } from '../../config/nearest.ts';
import type { ConfigProblem, Path } from '../../config/problem.ts';
import { describeProblem, formatPath, formatPlace, formatProblem } from '../../config/problem.ts';
import type { YamlFile } from '../../config/read-yaml.ts';
import { readYaml } from '../../config/read-yaml.ts';
import { policyKeys, splitPolicy } from '../../config/split-policy.ts';
import { Failure } from '../../mail/failure.ts';

export interface Flow {
  readonly objects: readonly PolicyObject[];
  /** Whether it says which certificates there are, and of which organizations it speaks. */
  readonly hasCertificates: boolean;
  readonly organizations: ReadonlySet<string>;
  /** A problem of the gateway's, at the line where the file has what it is about. */
  readonly describe: (problem: ConfigProblem) => string;
}

/** Throws a Failure `flow-refused` that names everything that is wrong, with its line. */
export function readFlow(text: string, file: string): Flow {
  const yaml = readYaml(text.replace(/^\ufeff/, ''));
  const problems = yaml.findings.map(
    (finding) => `${placeOf(file, yaml, finding.path)}: ${finding.text}`,
  );
  if (problems.length === 0) problems.push(...checkShape(yaml, file));
  if (problems.length > 0) throw new Failure('flow-refused', problems.join('\n'));
  const raw = yaml.value as ObjectValue;
  const objects = splitPolicy(raw);
  const paths = pathsOf(raw);
  return {
    objects,
    hasCertificates: (raw['certificates'] ?? null) !== null,
    organizations: new Set(
      objects.filter(({ kind }) => kind === 'organization').map(({ name }) => name),
    ),
    describe: (problem) => {
      const path = problem.object === undefined ? undefined : paths.get(textOfKey(problem.object));
      if (path === undefined) return formatProblem(problem);
      const key = /^[\w-]+/.exec(problem.key)?.[0];
      const at = key === undefined ? path : [...path, key];
      const kind = problem.severity === 'warning' ? 'warning: ' : '';
      const where = `${placeOf(file, yaml, at)}: ${kind}${formatPlace(problem)}`;
      return `${where}: ${describeProblem(problem)}`;
    },
  };
}

function placeOf(file: string, yaml: YamlFile, path: Path): string {
  const { line, column } = yaml.locate(path, 'key');
  return `${file}:${line}:${column}`;
}

/** What would keep it from being taken apart; the rest is the gateway's to judge. */
function checkShape(yaml: YamlFile, file: string): string[] {
  const said: string[] = [];
  const report = (path: Path, text: string): void => {
    const about = path.length === 0 ? '' : `${formatPath(path)}: `;
    said.push(`${placeOf(file, yaml, path)}: ${about}${text}`);
  };
  if (!isMapping(yaml.value)) {
    report([], 'must be a mapping with organizations, as `postern export` prints it');
    return said;
  }
  for (const key of Object.keys(yaml.value)) {
    if (policyKeys.includes(key)) continue;
    const nearest = findNearest(key, policyKeys);
    const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
    report([key], `is no part of the policy, which is ${policyKeys.join(' and ')}${hint}`);
  }
  for (const kind of kindsOfGateway) checkList(yaml.value, [kind.list], kind, report);
  return said;
}

function checkList(
  value: unknown,
  path: Path,
  kind: KindOfObject,
  report: (path: Path, text: string) => void,
): void {
  const list = (value as Record<string, unknown>)[kind.list] ?? null;
  if (list === null) return;
  if (kind.namedBy === null) {
    if (!isMapping(list)) return report(path, 'must be a mapping of names');
    for (const [name, entry] of Object.entries(list)) {
      if (!isMapping(entry)) report([...path, name], 'must be a mapping');
    }
    return;
  }
  if (!Array.isArray(list)) return report(path, 'must be a list, each entry starting with "- "');
  const names = new Set<string>();
  list.forEach((entry: unknown, place) => {
    const here = [...path, place];
    if (!isMapping(entry)) return report(here, 'must be a mapping');
    const name = entry[kind.namedBy!];
    if (typeof name !== 'string' || name === '') return report(here, `needs ${kind.namedBy!}`);
    const canonical = canonicalName(kind.kind, name);
    if (names.has(canonical)) report(here, `${kind.words} ${JSON.stringify(name)} is there twice`);
    names.add(canonical);
    if (kind.kind !== 'organization') return;
    for (const inner of kindsInOrganization) checkList(entry, [...here, inner.list], inner, report);
  });
}

function isMapping(value: unknown): value is ObjectValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where each object stands in the file. */
function pathsOf(raw: ObjectValue): ReadonlyMap<string, Path> {
  const paths = new Map<string, Path>();
  const walk = (holder: ObjectValue, at: Path, kind: KindOfObject, organization: string | null) => {
    const list = holder[kind.list] ?? null;
    if (list === null) return;
    for (const [place, entry] of Object.entries(list as Record<string, ObjectValue>)) {
      const written = kind.namedBy === null ? place : String(entry[kind.namedBy]);
      const name = canonicalName(kind.kind, written);
      const here = [...at, kind.list, kind.namedBy === null ? place : Number(place)];
      const key: ObjectKey = { kind: kind.kind, organization, name };
      paths.set(textOfKey(key), here);
      if (kind.kind !== 'organization') continue;
      for (const inner of kindsInOrganization) walk(entry, here, inner, name);
    }
  };
  for (const kind of kindsOfGateway) walk(raw, [], kind, null);
  return paths;
}
