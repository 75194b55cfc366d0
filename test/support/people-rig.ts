/** People on a control file of their own, with a clock that tests turn, for the tests of `app` and `api`. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Credentials, OpenedSession, PeopleServices } from '../../src/api/people-services.ts';
import type { AuditEntryView } from '../../src/api/contract/audit.ts';
import type { PersonAdd } from '../../src/api/contract/people.ts';
import type { OpenPeople, PeopleOptions } from '../../src/app/people/open-people.ts';
import { openPeople } from '../../src/app/people/open-people.ts';
import { socketActor } from '../../src/identity/actor.ts';
import { hashPassword } from '../../src/identity/password-hash.ts';
import type { Grant } from '../../src/identity/permissions.ts';
import { openControl } from '../../src/store/control/control-file.ts';
import type { PersonChange } from '../../src/store/control/people.ts';

export const goodPassword = 'correct horse battery';
/** Cheap to verify, so that a test may do so often. */
const goodHash = await hashPassword(goodPassword, { memoryKib: 64, passes: 1, lanes: 1 });

export interface PeopleRig extends OpenPeople {
  readonly clock: { nowMs: number };
  /** Makes a person that signs in with `goodPassword`. */
  readonly add: (name: string, grants?: readonly Grant[], more?: Partial<PersonAdd>) => void;
  readonly signIn: (
    name: string,
    more?: { readonly code?: string; readonly cookie?: string },
  ) => Promise<OpenedSession>;
  /** Newest first. */
  readonly entries: () => readonly AuditEntryView[];
  /** Changes a person past everything that minds it. */
  readonly force: (name: string, change: PersonChange) => void;
  /** From now on nothing can be written, as on a full disk. */
  readonly fill: () => void;
  /** The whole control file as it would lie on a disk. */
  readonly bytes: () => Buffer;
}

export const from: Credentials = { authorization: null, cookie: null, address: '192.0.2.7' };

export function bearer(secret: string): Credentials {
  return { ...from, authorization: `Bearer ${secret}` };
}

export function cookie(secret: string): Credentials {
  return { ...from, cookie: `a=b; __Host-postern-session=${secret}` };
}

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function openRig(options: Partial<PeopleOptions> = {}): PeopleRig {
  const folder = mkdtempSync(join(tmpdir(), 'postern-control-'));
  folders.push(folder);
  const file = join(folder, 'control.db');
  const control = openControl(file);
  const clock = { nowMs: Date.parse('2026-11-28T20:00:00.000Z') };
  const people = openPeople({
    control,
    boxKey: randomBytes(32),
    hostName: 'gateway.example.test',
    sessionRules: { idleMs: 30 * 60_000, maxMs: 12 * 3_600_000 },
    hasOrganization: (id) => ['contoso', 'fabrikam'].includes(id),
    publicUrl: () => 'https://gateway.example.test:8443',
    oidc: null,
    nowMs: () => clock.nowMs,
    ...options,
    signIn: { now: () => clock.nowMs, ...options.signIn },
  });
  const { services } = people;
  const force = (name: string, change: PersonChange): void => {
    control.people.change(control.people.byName(name)!.id, change);
    people.refresh();
  };
  return {
    ...people,
    clock,
    add: (name, grants = [], more = {}) => {
      const order = { name, displayName: null, grants: [...grants], oidcSubject: null };
      services.addPerson({ ...order, reason: null, ...more }, socketActor);
      force(name, { passwordHash: goodHash });
    },
    force,
    fill: () => refuseWrites(file),
    bytes: () => Buffer.concat([file, `${file}-wal`].map((part) => readFileSync(part))),
    signIn: (name, { code = null, cookie: old = null } = {}) => {
      const order = { name, password: goodPassword, code };
      return services.signIn(order, old === null ? from : cookie(old));
    },
    entries: () => entriesOf(services),
  };
}

function refuseWrites(file: string): void {
  const db = new DatabaseSync(file, { timeout: 5000 });
  for (const table of ['token', 'session', 'audit', 'person']) {
    for (const verb of ['INSERT', 'UPDATE', ...(table === 'audit' ? [] : ['DELETE'])]) {
      db.exec(`CREATE TRIGGER full_${table}_${verb} BEFORE ${verb} ON ${table}
        BEGIN SELECT RAISE(ABORT, 'disk full'); END`);
    }
  }
  db.close();
}

function entriesOf(services: PeopleServices): readonly AuditEntryView[] {
  return services.searchAudit({ limit: 1000 }, null).entries;
}
