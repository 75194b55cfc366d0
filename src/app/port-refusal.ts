/** Why a listener could not be opened, in words that name the culprit and the way out. */
import type { ListenerConfig } from '../config/config.ts';
import { Failure } from '../mail/failure.ts';
import { describeProcess, findPortHolder } from './processes.ts';

/** `port-taken`, `port-not-allowed`, or the failure as it is. */
export async function explainPort(
  failure: Failure,
  { name, host, port }: ListenerConfig,
): Promise<Failure> {
  const { cause } = failure;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const what = `the listener "${name}" cannot be opened: port ${port} of ${host}`;
  if (code === 'EADDRINUSE') {
    const holder = await findPortHolder(host, port);
    const who = holder === null ? 'another process' : describeProcess(holder);
    return new Failure('port-taken', `${what} is taken by ${who}`, { cause });
  }
  if (code === 'EACCES') {
    return new Failure('port-not-allowed', `${what} needs rights that we do not have`, { cause });
  }
  if (code === 'EADDRNOTAVAIL') {
    const text = `the listener "${name}" cannot be opened: this machine has no address ${host}`;
    return new Failure('listen-failed', text, { cause });
  }
  return failure;
}
