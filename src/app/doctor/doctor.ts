/**
 * `postern doctor`: everything that an administrator should look at before trusting the gateway with
 * mail, each check bounded and all at once. It changes nothing but a small file that it removes.
 */
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { DoctorArea, DoctorQuestion, Finding } from '../../cli/offline-doctor.ts';
import { checkDates } from '../../config/check-dates.ts';
import { checkFiles as checkNamedFiles } from '../../config/check-files.ts';
import type { Config } from '../../config/config.ts';
import { loadInForce } from '../policy/load-file.ts';
import { describeProblem, formatPlace } from '../../config/problem.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import type { StubResolver } from '../../dns/stub-resolver.ts';
import { readSystemServers } from '../../dns/system-servers.ts';
import type { DnsServer } from '../../dns/system-servers.ts';
import { Failure } from '../../mail/failure.ts';
import type { Policy } from '../../policy/policy.ts';
import { openReader } from '../../store/sqlite-reader.ts';
import { certificateCommands } from '../certificates.ts';
import { existingShards, foldersOf } from '../data-folder.ts';
import { openProvenBook } from '../domains/proven-book.ts';
import type { ProvenBook } from '../domains/proven-book.ts';
import { openStubResolver, parseServer } from '../lane-resolver.ts';
import { checkGateway, checkListeners, checkQueue } from './check-gateway.ts';
import { checkHosts } from './check-hosts.ts';
import { checkClock, checkDataFolder, checkDisk, checkFiles, checkNode } from './check-machine.ts';
import { checkMx, checkResolvers, checkReverse } from './check-names.ts';
import { checkDomains } from './check-domains.ts';
import { bounded, tell } from './finding.ts';

/** One check may take; they run at once, so that this is about what all take. */
const checkTimeoutMs = 15_000;

export async function examine(
  question: DoctorQuestion,
  onProgress: (text: string) => void,
): Promise<readonly Finding[]> {
  const loaded = await loadInForce(question.configFile);
  const machine = [
    checkNode(process.versions.node, Date.now()),
    await bounded('clock', checkTimeoutMs, async () => checkClock(Date.now(), await installedAt())),
  ];
  if (loaded.kind === 'refused') {
    return [...configurationFindings(question.configFile, loaded.problems), ...machine.flat()];
  }
  const { config, warnings } = loaded;
  const book = await openProvenBook(config.dataFolder);
  const policy = book.applyTo(loaded.policy);
  const fileProblems = await checkNamedFiles(config, Date.now());
  const servers = await serversOf(config);
  const resolver = await openStubResolver(config);
  try {
    const checks = checksOf(question, { config, policy, servers, resolver, book });
    const found = await Promise.all(
      checks.map(async ([area, check]) => {
        const findings = await bounded(area, checkTimeoutMs, check);
        onProgress(area);
        return findings;
      }),
    );
    const problems = [...warnings, ...checkDates(loaded, Date.now()), ...fileProblems];
    return [
      ...configurationFindings(question.configFile, problems),
      ...found.flat(),
      ...machine.flat(),
    ];
  } finally {
    resolver.close();
  }
}

interface Parts {
  readonly config: Config;
  readonly policy: Policy;
  readonly servers: readonly DnsServer[];
  readonly resolver: StubResolver;
  readonly book: ProvenBook;
}

type Check = readonly [DoctorArea, () => Promise<readonly Finding[]>];

function checksOf({ gateway }: DoctorQuestion, parts: Parts): readonly Check[] {
  const { config, policy, servers, resolver, book } = parts;
  const processId = gateway?.status.processId ?? null;
  return [
    ['gateway', async () => checkGateway(gateway, policy)],
    ['listener', () => checkListeners(gateway, config, resolver)],
    ['certificate', () => checkCertificates(config.file)],
    ['resolver', () => checkResolvers(config, servers)],
    ['mx', () => checkMx(policy, resolver)],
    ['domain', async () => checkDomains({ config, policy, book })],
    ['reverse-dns', () => checkReverse(config.hostName, resolver, servers)],
    ['smart-host', () => checkHosts(policy, resolver)],
    ['disk', () => checkDisk(config)],
    ['data-folder', () => checkDataFolder(config)],
    ['store', () => checkStore(config.dataFolder)],
    ['files', () => checkFiles(config, processId)],
    ['queue', async () => checkQueue(gateway, Date.now())],
  ];
}

async function serversOf({ dns }: Config): Promise<readonly DnsServer[]> {
  return dns.servers.length > 0 ? dns.servers.map(parseServer) : readSystemServers();
}

/** When the program's files were put here: no right clock is before that. */
async function installedAt(): Promise<number> {
  return (await stat(fileURLToPath(import.meta.url))).mtimeMs;
}

function configurationFindings(file: string, problems: readonly ConfigProblem[]): Finding[] {
  if (problems.length === 0) return [tell('configuration', file).ok('it is good')];
  return problems.map((problem) => {
    const say = tell('configuration', formatPlace(problem));
    const text = describeProblem(problem);
    return problem.severity === 'error'
      ? say.fail(text, 'mend it; a gateway does not start with it')
      : say.warn(text, 'see docs/config.md');
  });
}

const dayMs = 86_400_000;
const warnDays = [30, 14, 7, 1] as const;

async function checkCertificates(configFile: string): Promise<readonly Finding[]> {
  const views = await certificateCommands.show({ configFile, what: null });
  return views.flatMap(({ name, problem, certificates, keyFits, usedBy }) => {
    const say = tell('certificate', name ?? '');
    const renew = `renew it, then: postern cert import --name ${name ?? ''} …`;
    if (problem !== null) return [say.fail(problem, renew)];
    const findings: Finding[] = [];
    if (keyFits !== true) findings.push(say.fail('its key does not fit, or cannot be read', renew));
    const ends = certificates.map(({ notAfter }) => Date.parse(notAfter));
    const days = Math.floor((Math.min(...ends) - Date.now()) / dayMs);
    const within = warnDays.findLast((each) => days < each);
    if (days < 0) findings.push(say.fail('it has expired, or one of its intermediates', renew));
    else if (within === 1) findings.push(say.fail('it expires within a day', renew));
    else if (within !== undefined) findings.push(say.warn(`it expires in ${days} days`, renew));
    else findings.push(say.ok(`${days} days left; ${usedBy.join(', ') || 'nobody presents it'}`));
    return findings;
  });
}

/** Each shard by reading it as the gateway does. */
async function checkStore(dataFolder: string): Promise<readonly Finding[]> {
  const shards = await existingShards(dataFolder).catch(() => []);
  if (shards.length === 0) return [tell('store', dataFolder).ok('there is none yet')];
  return Promise.all(
    shards.map(async (shard) => {
      const file = foldersOf(dataFolder).shard(shard);
      const say = tell('store', file);
      try {
        const reader = await openReader(file);
        await reader.close();
        return say.ok('its version is that of this program');
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        return say.fail(error.message, 'see docs/errors.md under the code ' + error.code);
      }
    }),
  );
}
