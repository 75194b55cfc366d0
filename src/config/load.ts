/**
 * Loads a configuration file: all problems in one pass, or a configuration and a policy.
 *
 * Pure but for reading the file; the last good configuration stays in force elsewhere, in `app`.
 */
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import type { Policy } from '../policy/policy.ts';
import { keepWords } from './change-policy.ts';
import { checkAliases, checkReach } from './check-aliases.ts';
import { checkApi } from './check-api.ts';
import { checkFlow, checkOwnServers } from './check-flow.ts';
import { checkInbound } from './check-inbound.ts';
import { checkListeners } from './check-listeners.ts';
import { checkSignIn } from './check-sign-in.ts';
import { checkOrganization } from './check-organization.ts';
import { checkOrganizations } from './check-organizations.ts';
import { checkOutbound } from './check-outbound.ts';
import { checkQueue } from './check-queue.ts';
import { checkRecipients } from './check-recipients.ts';
import { checkRehearsals } from './check-rehearsal.ts';
import { checkRules } from './check-rules.ts';
import { checkTargets } from './check-targets.ts';
import { checkTimes } from './check-times.ts';
import type { Config } from './config.ts';
import { asIfProven } from './domain-verification.ts';
import { collectParts, valueAt } from './parts.ts';
import type { Parts, Report } from './parts.ts';
import type { ObjectValue, PolicyObject } from './policy-object.ts';
import type { ConfigProblem, Finding, Path, Spot } from './problem.ts';
import { formatPath, problemsMax } from './problem.ts';
import type { Place, YamlFile } from './read-yaml.ts';
import { readText } from './read-text.ts';
import { readYaml } from './read-yaml.ts';
import { configSchema } from './schema.ts';
import { markSetBy } from './set-by.ts';
import { splitPolicy } from './split-policy.ts';
import type { ChoosePolicy, PolicyChoice } from './stored-policy.ts';
import { chooseFile, joinStored } from './stored-policy.ts';
import { toConfig } from './to-config.ts';
import { toPolicy } from './to-policy.ts';
import { explainUnknownKey } from './unknown-key.ts';

/** `warnings` and `problems` are in the order of the file; `problems` hold the warnings too. */
export type LoadResult =
  | {
      readonly kind: 'loaded';
      readonly config: Config;
      readonly policy: Policy;
      /** What stands in the file, aliases expanded, with the policy that was chosen. */
      readonly raw: ObjectValue;
      /** The file's text. */
      readonly text: string;
      /** What the policy is made of. */
      readonly objects: readonly PolicyObject[];
      readonly policyFrom: 'file' | 'stored';
      readonly warnings: readonly ConfigProblem[];
      /** Where a value stands in the file, for problems that are found later. */
      readonly locate: (path: Path) => Spot;
    }
  | Refused;

/** `dataFolder` as far as the file tells it: for finding the gateway that runs on the last good one. */
interface Refused {
  readonly kind: 'refused';
  readonly problems: readonly ConfigProblem[];
  readonly dataFolder: string | null;
}

/** Never rejects for what is in the file, or for its absence: that is a problem like any other. */
export async function loadConfig(
  file: string,
  choose: ChoosePolicy = chooseFile,
): Promise<LoadResult> {
  const read = await readText(file);
  if ('text' in read) return parseConfig(read.text, file, choose);
  return refuseWhole(file, read.problem);
}

/** The same on text that is already here; `file` names it and is where relative paths start. */
export function parseConfig(
  text: string,
  file: string,
  choose: ChoosePolicy = chooseFile,
): LoadResult {
  const written = readYaml(text);
  if (written.isWhole && written.value === null) {
    return refuseWhole(file, 'is empty; docs/config.md and examples/ show what belongs in it');
  }
  if (written.isWhole && (typeof written.value !== 'object' || Array.isArray(written.value))) {
    return refuseWhole(file, 'must be a mapping at the top, one "key: value" on each line');
  }
  if (!written.isWhole) return refused(written.findings.map((finding) => toProblem(finding, file)));
  const choice = choose(written.value as ObjectValue);
  if (choice.kind === 'refused') {
    const place = written.locate(['organizations'], 'key');
    const finding = { path: ['organizations'], at: 'key', text: choice.text, place } as const;
    return refused([toProblem(finding, file)], readDataFolder(written.value, resolve(file)));
  }
  const yaml = choice.kind === 'file' ? written : joinStored(written, choice.objects);
  return judge(yaml, { text, file, choice });
}

interface Read {
  readonly text: string;
  readonly file: string;
  readonly choice: PolicyChoice & { readonly kind: 'file' | 'stored' };
}

function judge(yaml: YamlFile, { text, file, choice }: Read): LoadResult {
  const absolute = resolve(file);
  const { findings, parsed } = examine(yaml);
  const raw = yaml.value as ObjectValue;
  const objects = parsed === null ? [] : objectsOf(raw, choice);
  const policy = parsed === null ? null : markSetBy(toPolicy(parsed, dirname(absolute)), objects);
  if (policy !== null) {
    checkReach(asIfProven(policy), (finding) => void findings.push(finding));
    checkRehearsals(asIfProven(policy), (finding) => void findings.push(finding));
  }
  const located = findings.map((finding) => locateFinding(finding, yaml));
  const problems = [...yaml.findings, ...located].map((finding) => toProblem(finding, file));
  if (
    parsed === null ||
    policy === null ||
    problems.some((problem) => problem.severity === 'error')
  ) {
    return refused(problems, readDataFolder(yaml.value, absolute));
  }
  const locate = (path: Path): Spot => spotOf(path, yaml.locate(path, 'value'));
  const config = toConfig(parsed, absolute, locate);
  const warnings = bounded(inOrder(problems));
  const policyFrom = choice.kind;
  return { kind: 'loaded', config, policy, raw, text, objects, policyFrom, warnings, locate };
}

function objectsOf(raw: ObjectValue, choice: Read['choice']): readonly PolicyObject[] {
  return choice.kind === 'stored' ? choice.objects : keepWords(splitPolicy(raw), choice.known);
}

/** Shape first, then the checks between keys on all parts that are sound. */
function examine(yaml: YamlFile): {
  readonly findings: Finding[];
  readonly parsed: z.output<typeof configSchema> | null;
} {
  const shape = configSchema.safeParse(yaml.value);
  const findings = explainIssues(shape.error?.issues ?? []);
  const wrongPaths = [...findings, ...yaml.findings].map(({ path }) => path);
  const all = collectParts(yaml.value, wrongPaths, shape.success ? shape.data : null);
  const report = (finding: Finding): void => void findings.push(finding);
  checkOrganizationCount(yaml.value, report);
  checkQueue(yaml.value, wrongPaths, report);
  checkListeners(all, report);
  checkApi(yaml.value, wrongPaths, all.gateway, report);
  checkSignIn(yaml.value, wrongPaths, report);
  checkOrganizations(all, report);
  checkOwnServers(all, report);
  for (const parts of all.organizations) {
    checkTimes(yaml.value, wrongPaths, parts.organizationPath, report);
    checkWithin(parts, report);
  }
  return { findings, parsed: shape.success ? shape.data : null };
}

/** What one organization says, compared with itself. */
function checkWithin(parts: Parts, report: Report): void {
  checkOrganization(parts, report);
  checkTargets(parts, report);
  checkRecipients(parts, report);
  checkAliases(parts, report);
  checkInbound(parts, report);
  checkOutbound(parts, report);
  checkRules(parts, report);
  checkFlow(parts, report);
}

/** What a key may have meant takes a millisecond to find out, and few problems are shown. */
const explainedMax = 4 * problemsMax;

function explainIssues(issues: readonly z.core.$ZodIssue[]): Finding[] {
  const findings: Finding[] = [];
  for (const issue of issues) {
    for (const finding of explainIssue(issue, explainedMax - findings.length)) {
      findings.push(finding);
    }
  }
  return findings;
}

/** `left`: of so many unknown keys it is looked what they may have meant. */
function explainIssue(issue: z.core.$ZodIssue, left: number): Finding[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key, place) =>
      place < left
        ? explainUnknownKey(path, key)
        : { path: [...path, key], at: 'key', text: 'unknown key' },
    );
  }
  const params = issue.code === 'custom' ? issue.params : undefined;
  const suggestion = (params?.['suggestion'] as string | null | undefined) ?? null;
  return [{ path, at: 'value', text: issue.message, suggestion }];
}

function checkOrganizationCount(raw: unknown, report: (finding: Finding) => void): void {
  const organizations = valueAt(raw, ['organizations']) ?? [];
  if (!Array.isArray(organizations) || organizations.length > 0) return;
  const text = 'holds no organization: until there is one, no mail is taken';
  report({ path: ['organizations'], at: 'key', text, severity: 'warning' });
}

type Located = Finding & { readonly place: Place };

/** A path that does not stand in the file is shown at the nearest one that does. */
function locateFinding(finding: Finding, yaml: YamlFile): Located {
  const existing = yaml.existing(finding.path);
  const isWhole = existing.length === finding.path.length;
  const at = isWhole ? finding.at : 'key';
  return { ...finding, path: namedPath(finding.path, existing), place: yaml.locate(existing, at) };
}

/** One value where a list may stand has no `[0]`; a missing key keeps its name. */
function namedPath(path: Path, existing: Path): Path {
  return typeof path[existing.length] === 'number' ? existing : path;
}

function toProblem(finding: Located, file: string): ConfigProblem {
  return {
    file,
    ...spotOf(finding.path, finding.place),
    text: finding.text,
    suggestion: finding.suggestion ?? null,
    severity: finding.severity ?? 'error',
  };
}

function spotOf(path: Path, { line, column, within }: Place): Spot {
  if (within === undefined) return { line, column, key: formatPath(path) };
  return { line, column, key: formatPath(path.slice(within.depth)), object: within.object };
}

function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Where the data of the gateway lies whose file this is, even where it has mistakes; null where none can be told. */
export async function findDataFolder(file: string): Promise<string | null> {
  const read = await readText(file);
  if (!('text' in read)) return null;
  const { value, isWhole } = readYaml(read.text);
  return isWhole ? readDataFolder(value, resolve(file)) : null;
}

/** Whether a file names organizations, however wrong the rest of it may be. */
export async function findOrganizations(file: string): Promise<'named' | 'none' | 'unreadable'> {
  const read = await readText(file);
  if (!('text' in read)) return 'unreadable';
  const { value, isWhole } = readYaml(read.text);
  if (!isWhole) return 'unreadable';
  return (valueAt(value, ['organizations']) ?? null) === null ? 'none' : 'named';
}

function readDataFolder(raw: unknown, file: string): string | null {
  const written = valueAt(raw, ['dataFolder']) ?? './data';
  return typeof written === 'string' ? resolve(dirname(file), written) : null;
}

/** Errors come before warnings where not all fit. */
function refused(problems: readonly ConfigProblem[], dataFolder: string | null = null): Refused {
  if (problems.length <= problemsMax) {
    return { kind: 'refused', problems: inOrder(problems), dataFolder };
  }
  const errors = problems.filter((problem) => problem.severity === 'error');
  const warnings = problems.filter((problem) => problem.severity === 'warning');
  const shown = bounded([...inOrder(errors), ...inOrder(warnings)]);
  const [last, ...kept] = shown.toReversed();
  const problemsShown = [...inOrder(kept), { ...last!, severity: 'error' as const }];
  return { kind: 'refused', problems: problemsShown, dataFolder };
}

/** At most `problemsMax`; the last one then says how many more there are. */
function bounded(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  if (problems.length <= problemsMax) return problems;
  const kept = problems.slice(0, problemsMax - 1);
  const rest = problems.length - kept.length;
  const words = problems.some(({ severity }) => severity === 'error') ? 'problems' : 'warnings';
  const more = { ...kept.at(-1)!, key: '', suggestion: null, text: `and ${rest} more ${words}` };
  return [...kept, more];
}

function refuseWhole(file: string, text: string): LoadResult {
  const place = { line: 1, column: 1 };
  return refused([toProblem({ path: [], at: 'value', text, place }, file)]);
}
