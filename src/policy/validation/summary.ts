/** What a run came to, in one word and one sentence. Pure. */
import type { Finding, HostVerdict, ValidationResult, ValidationStep } from './run.ts';

/** `messages`: the steps of the test message, one for each recipient; empty where none was sent. */
export interface RunParts {
  readonly hosts: readonly HostVerdict[];
  readonly findings: readonly Finding[];
  readonly messages: readonly ValidationStep[];
}

/** `partial` only where all that was asked of the mail itself succeeded by some host. */
export function summarizeRun(parts: RunParts): {
  readonly result: ValidationResult;
  readonly summary: string;
} {
  const { hosts, findings, messages } = parts;
  const well = hosts.filter(({ state }) => state === 'succeeded').length;
  const tried = hosts.filter(({ state }) => state !== 'skipped').length;
  const [first] = findings;
  if (first === undefined && well > 0) {
    const sent = messages.length > 0 ? ', and the test message was accepted' : '';
    const summary = `${counted(well, 'address')} of ${counted(hostCount(hosts), 'host')} would take the mail${sent}`;
    return { result: 'succeeded', summary };
  }
  const isOfHostsAlone = findings.every(({ host }) => host !== null);
  const isSent = messages.every(({ state }) => state === 'succeeded');
  const why = first === undefined ? 'nothing could be asked' : first.what;
  if (well > 0 && isOfHostsAlone && isSent) {
    const summary = `${tried - well} of ${counted(tried, 'address')} would not take the mail: ${why}`;
    return { result: 'partial', summary };
  }
  return { result: 'failed', summary: why };
}

function hostCount(hosts: readonly HostVerdict[]): number {
  return new Set(hosts.map(({ host, port }) => `${host} ${port}`)).size;
}

function counted(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${noun === 'address' ? 'addresses' : `${noun}s`}`;
}
