/**
 * Where Postern's time goes: the relay benchmark's load with V8's CPU profiler in every process and
 * thread of the gateway. Prints the costliest functions; the profiles stay in `.work/profiles` for
 * the developer tools of a browser.
 *
 *     node benchmarks/profile.ts [--sessions 20] [--per-session 100] [--seconds 4] [--top 25]
 *         [--warm-up 12]
 */
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createClosers } from './relay/closers.ts';
import type { RawProfile, ThreadProfile } from './relay/cpu-profile.ts';
import { readProfile, sharesOf } from './relay/cpu-profile.ts';
import { measureRun } from './relay/measure-run.ts';
import { readNumber } from './relay/options.ts';
import { startPostern } from './relay/postern.ts';
import { warmUp } from './relay/warm-up.ts';
import { openWorkshop } from './relay/workshop.ts';

const profiles = fileURLToPath(new URL('.work/profiles', import.meta.url));

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '20' },
    'per-session': { type: 'string', default: '100' },
    size: { type: 'string', default: '4096' },
    seconds: { type: 'string', default: '4' },
    'warm-up': { type: 'string', default: '12' },
    top: { type: 'string', default: '25' },
    folder: { type: 'string', default: '/var/tmp' },
  },
});
const load = {
  sessions: readNumber('sessions', values.sessions, 1, 1000),
  perSession: readNumber('per-session', values['per-session'], 1, 100_000),
  sizeBytes: readNumber('size', values.size, 512, 50_000_000),
  isVerified: false,
  hasQuickAck: false,
};
const seconds = readNumber('seconds', values.seconds, 1, 60);
const warmUpSeconds = readNumber('warm-up', values['warm-up'], 0, 600);
const top = readNumber('top', values.top, 1, 1000);

const closers = createClosers(5);
try {
  await rm(profiles, { recursive: true, force: true });
  await mkdir(profiles, { recursive: true });
  const workshop = await openWorkshop(values.folder);
  closers.add(() => workshop.remove());
  const gateway = await startPostern(workshop, {
    NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profiles} --cpu-prof-interval=400`,
  });
  closers.add(() => gateway.stop());
  await warmUp(workshop, gateway, warmUpSeconds);
  const warm = await measureRun(workshop, gateway, { ...load, messages: 1000 });
  const messages = Math.ceil(warm.deliveredRate * seconds);
  const from = nowMicroseconds();
  const figures = await measureRun(workshop, gateway, { ...load, messages });
  const to = nowMicroseconds();
  await gateway.stop();
  console.log(
    `${messages} messages, ${load.sessions} × ${load.perSession}: ` +
      `${figures.deliveredRate.toFixed(0)} delivered/s while profiled, ` +
      `${figures.cpuPer1000.toFixed(3)} CPU s per 1,000, others ${figures.others.toFixed(2)} CPUs`,
  );
  for (const name of (await readdir(profiles)).toSorted()) {
    const raw = JSON.parse(await readFile(join(profiles, name), 'utf8')) as RawProfile;
    report(name, readProfile(raw, from, to), messages);
  }
  console.log(`\nThe profiles are in ${profiles}.`);
} finally {
  await closers.closeAll();
}

function nowMicroseconds(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** Microseconds are of busy time for each message. */
function report(name: string, profile: ThreadProfile, messages: number): void {
  const microseconds = (share: number): string =>
    ((share * profile.busySeconds * 1e6) / messages).toFixed(1).padStart(7);
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`.padStart(7);
  const [, , , process = '', thread = ''] = name.split('.');
  console.log(`\nprocess ${process}, thread ${thread}: ${profile.busySeconds.toFixed(2)} s busy`);
  if (profile.busySeconds < 0.1) return;
  for (const [place, share] of sharesOf(profile).slice(0, 15)) {
    console.log(`${percent(share)} ${microseconds(share)} µs  ${place}`);
  }
  console.log('\n   self                total   function');
  const bySelf = profile.hotspots.toSorted((a, b) => b.self - a.self).slice(0, top);
  const own = profile.hotspots.filter(({ at }) => at.startsWith('src/'));
  const byTotal = own.toSorted((a, b) => b.total - a.total).slice(0, top);
  for (const list of [bySelf, byTotal]) {
    for (const { name, at, self, total } of list) {
      const costs = `${percent(self)} ${microseconds(self)} µs ${percent(total)}`;
      console.log(`${costs}  ${name} ${at}`);
    }
    console.log('');
  }
}
