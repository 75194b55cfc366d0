/** `openssl s_client`: a TLS client that will speak what ours never would. */
import { runProgram } from './gateway.ts';

/** `output` holds OpenSSL's report, alerts included; `cipher` null where no handshake was complete. */
export interface OpensslResult {
  readonly cipher: string | null;
  readonly protocol: string | null;
  readonly output: string;
}

/**
 * One handshake with a port on loopback. Its own lower bounds are switched off, so that a refusal is
 * the server's.
 */
export async function connectOpenssl(
  port: number,
  isStartTls: boolean,
  ...words: readonly string[]
): Promise<OpensslResult> {
  const result = await runProgram(
    [
      '/usr/bin/openssl',
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      ...(isStartTls ? ['-starttls', 'smtp', '-name', 'client.test'] : []),
      ...words,
    ],
    { environment: { OPENSSL_CONF: '/dev/null' }, timeoutMs: 20_000 },
  );
  const output = result.stdout + result.stderr;
  const [, protocol, cipher] = /^New, (\S+), Cipher is (\S+)$/m.exec(output) ?? [];
  const isComplete = cipher !== undefined && cipher !== '(NONE)';
  return {
    cipher: isComplete ? cipher : null,
    protocol: isComplete ? (protocol ?? null) : null,
    output,
  };
}
