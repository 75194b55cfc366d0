/** Where the password of a mailbox comes from. It is hashed here: nothing else ever leaves the command. */
import { Failure } from '../../mail/failure.ts';
import { askPassword, readPassword } from '../ask-password.ts';
import type { CommandContext } from '../command-context.ts';

export interface PasswordOptions {
  readonly passwordStdin?: boolean;
  readonly generate?: boolean;
  readonly withoutPassword?: boolean;
}

/**
 * Its argon2id hash; null for a mailbox without sign-in. A generated one is printed before anything is
 * changed.
 */
export async function takePasswordHash(
  context: CommandContext,
  account: string,
  { generate = false, passwordStdin = false, withoutPassword = false }: PasswordOptions,
): Promise<string | null> {
  if (withoutPassword) return null;
  const { offline, stdin, err, out } = context;
  const password = generate
    ? offline.passwords.generate()
    : await (passwordStdin
        ? readPassword(stdin)
        : askPassword(stdin, err, `Password of ${account}`));
  if (generate) await out.print(`password: ${password}\n`);
  return offline.passwords.hash(password);
}

/** Throws `option-wrong`. */
export function checkPasswordOptions({
  generate = false,
  passwordStdin = false,
  withoutPassword = false,
}: PasswordOptions): void {
  if (Number(passwordStdin) + Number(generate) + Number(withoutPassword) <= 1) return;
  const text = '--password-stdin, --generate and --without-password exclude one another';
  throw new Failure('option-wrong', text);
}
