/**
 * Signing in with name and password: for SMTP AUTH, handed to `receiving` as a function.
 *
 * Every wrong attempt costs the same whether the account exists or not; a right one is remembered
 * for some minutes, since many clients sign in for each message.
 * @see RFC 4954 §6, RFC 4616 §2
 */
import { createHmac, randomBytes } from 'node:crypto';
import { Failure } from '../mail/failure.ts';
import { Gate } from './gate.ts';
import type { LockoutRules } from './lockout.ts';
import { Lockout } from './lockout.ts';
import { makeDecoyHash, passwordBytesMax, verifyPassword } from './password-hash.ts';

/** `addresses` as `user@domain`, the primary one first; with `account` it may be signed in with. */
export interface Credential {
  readonly organization: string;
  readonly account: string;
  readonly addresses: readonly string[];
  readonly passwordHash: string;
}

export interface SignedIn {
  readonly organization: string;
  readonly account: string;
}

export interface SignIn {
  /**
   * The account, or null where name or password is wrong.
   * Rejects with a Failure where no answer can be given now: `sign-in-busy`, `sign-in-locked`.
   */
  authenticate(username: string, password: string): Promise<SignedIn | null>;
  /** Puts new credentials in force; sessions that signed in before stay. */
  replaceCredentials(credentials: readonly Credential[]): void;
}

/** Each has a default; `verify` is the seam for tests. */
export interface SignInOptions {
  readonly now?: () => number;
  readonly verify?: (password: string, hash: string) => Promise<boolean>;
  /** Hashes computed at once; each takes one of libuv's threads for about 30 ms. */
  readonly verificationsMax?: number;
  readonly waitingMax?: number;
  readonly rememberMs?: number;
  readonly rememberedMax?: number;
  readonly lockout?: LockoutRules;
}

const usernameLengthMax = 320;

export function createSignIn(
  credentials: readonly Credential[],
  options: SignInOptions = {},
): SignIn {
  return new PasswordSignIn(credentials, options);
}

class PasswordSignIn implements SignIn {
  readonly #now: () => number;
  readonly #verify: (password: string, hash: string) => Promise<boolean>;
  readonly #gate: Gate;
  readonly #lockout: Lockout;
  readonly #rememberMs: number;
  readonly #rememberedMax: number;
  /** Fresh in each process: what is remembered is of no use outside it. */
  readonly #key = randomBytes(32);
  /** Digests of right passwords, and until when they count; oldest first. */
  readonly #remembered = new Map<string, number>();
  readonly #underWay = new Map<string, Promise<boolean>>();
  #byName: ReadonlyMap<string, Credential> = new Map();
  #decoy = '';

  constructor(credentials: readonly Credential[], options: SignInOptions) {
    this.#now = options.now ?? (() => performance.now());
    this.#verify = options.verify ?? verifyPassword;
    this.#gate = new Gate(options.verificationsMax ?? 2, options.waitingMax ?? 100);
    this.#lockout = new Lockout(options.lockout);
    this.#rememberMs = options.rememberMs ?? 600_000;
    this.#rememberedMax = options.rememberedMax ?? 10_000;
    this.replaceCredentials(credentials);
  }

  replaceCredentials(credentials: readonly Credential[]): void {
    const byName = new Map<string, Credential>();
    for (const credential of credentials) {
      const primary = credential.addresses[0];
      if (primary !== undefined) byName.set(primary.toLowerCase(), credential);
    }
    for (const credential of credentials) byName.set(credential.account.toLowerCase(), credential);
    this.#byName = byName;
    this.#decoy = makeDecoyHash(credentials[0]?.passwordHash ?? null);
    this.#lockout.keepOnly(new Set(credentials.map(lockName)));
  }

  async authenticate(username: string, password: string): Promise<SignedIn | null> {
    if (username.length > usernameLengthMax || password.length > passwordBytesMax) return null;
    const credential = this.#byName.get(username.toLowerCase()) ?? null;
    const name = credential === null ? `? ${username.toLowerCase()}` : lockName(credential);
    const hash = credential?.passwordHash ?? this.#decoy;
    const digest = this.#digest(name, hash, password);
    if (credential !== null && this.#isRemembered(digest)) return signedIn(credential);
    if (this.#lockout.isRepeated(name, digest, this.#now())) return null;
    const isRight = await this.#verifyOnce({ name, hash, digest, password });
    if (isRight && credential !== null) {
      this.#remember(digest);
      this.#lockout.recordSuccess(name);
      return signedIn(credential);
    }
    return null;
  }

  /** Equal attempts at the same time share one computation and count as one failure. */
  #verifyOnce(attempt: Attempt): Promise<boolean> {
    const running = this.#underWay.get(attempt.digest);
    if (running !== undefined) return running;
    const started = this.#verifyInTurn(attempt).finally(() => {
      this.#underWay.delete(attempt.digest);
    });
    this.#underWay.set(attempt.digest, started);
    return started;
  }

  async #verifyInTurn({ name, hash, digest, password }: Attempt): Promise<boolean> {
    this.#refuseLocked(name);
    const turn = await this.#gate.run(async () => {
      // Attempts that queued up before the lock fell must not be tried under it.
      this.#refuseLocked(name);
      const isRight = await this.#verify(password, hash);
      const isKnown = !name.startsWith('? ');
      if (!isRight) {
        this.#lockout.recordFailure(name, digest, { isKnown, nowMs: this.#now() });
      }
      return isRight;
    });
    if (turn !== null) return turn.result;
    throw new Failure('sign-in-busy', 'too many sign-ins wait for their turn', {
      wireText: 'too many sign-ins at once, try again later',
    });
  }

  #refuseLocked(name: string): void {
    if (!this.#lockout.isLocked(name, this.#now())) return;
    throw new Failure('sign-in-locked', `too many failed sign-ins: ${name}`, {
      wireText: 'too many failed sign-ins, try again later',
    });
  }

  /** Keyed, so that what lies in memory says nothing about passwords. A changed hash ends it. */
  #digest(name: string, hash: string, password: string): string {
    const text = JSON.stringify([name, hash, password]);
    return createHmac('sha256', this.#key).update(text).digest('base64');
  }

  #isRemembered(digest: string): boolean {
    const untilMs = this.#remembered.get(digest);
    if (untilMs === undefined) return false;
    if (untilMs > this.#now()) return true;
    this.#remembered.delete(digest);
    return false;
  }

  #remember(digest: string): void {
    this.#remembered.delete(digest);
    this.#remembered.set(digest, this.#now() + this.#rememberMs);
    if (this.#remembered.size <= this.#rememberedMax) return;
    this.#remembered.delete(this.#remembered.keys().next().value!);
  }
}

interface Attempt {
  readonly name: string;
  readonly hash: string;
  readonly digest: string;
  readonly password: string;
}

/** One lock for account and address alike. */
function lockName(credential: Credential): string {
  return `${credential.organization}/${credential.account.toLowerCase()}`;
}

function signedIn({ organization, account }: Credential): SignedIn {
  return { organization, account };
}
