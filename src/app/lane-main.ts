/** Executable of a lane: started by the control process alone, speaks with it over IPC. */
import { Failure } from '../mail/failure.ts';
import { startRunningLane } from './lane.ts';
import type { RunningLane } from './lane.ts';
import { createLog, firstLogSettings } from './log.ts';
import type { ProcessLog } from './log.ts';
import type { FromLane, LaneRequest, ToLane } from './messages.ts';
import { isRoot } from './privileges.ts';

let lane: Promise<RunningLane> | null = null;
let noteCrash: () => void = () => undefined;
let log: ProcessLog = createLog(firstLogSettings, 'lane');

// Ctrl-C reaches the whole process group; the control process tells lanes when to stop.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('disconnect', () => {
  log.warn({}, 'the control process is gone; the lane stops');
  void stop(1000);
});
process.on('uncaughtException', (error) => die(error));
process.on('unhandledRejection', (error) => die(error));
process.on('message', (message) => onMessage(message as ToLane));

function say(message: FromLane): void {
  if (process.connected) process.send?.(message);
}

function die(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  noteCrash();
  log.error({ error: text }, 'lane crashed');
  log.flush();
  process.exit(70);
}

function onMessage(message: ToLane): void {
  switch (message.kind) {
    case 'start':
      log = createLog(message.config.log, `lane-${message.shard}`);
      lane = startRunningLane(message, log, {
        onFatal: die,
        mayNoteCrash: (note) => (noteCrash = note),
      });
      void lane.then(
        ({ listeners }) => say({ kind: 'ready', listeners }),
        (error: unknown) => onStartFailed(error, message.user),
      );
      return;
    case 'ping':
      say({ kind: 'pong' });
      return;
    case 'request':
      answer(message);
      return;
    case 'stop':
      void stop(message.graceMs);
  }
}

function onStartFailed(error: unknown, user: string | null): void {
  const failure = error instanceof Failure ? error : null;
  const text = error instanceof Error ? error.message : String(error);
  if (failure === null) log.error({ error: error instanceof Error ? error.stack : text }, 'start');
  say({
    kind: 'failed',
    code: failure?.code ?? 'lane-died',
    text,
    isFinal: isForWantOfRights(error, user),
  });
  log.flush();
  setTimeout(() => process.exit(71), 100);
}

/** Root was given up for good: ports below 1024 and keys of root's do not come back to this gateway. */
function isForWantOfRights(error: unknown, user: string | null): boolean {
  if (user === null || isRoot() || !(error instanceof Failure)) return false;
  return (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EACCES';
}

type Handler = (asked: unknown, tell: (value: unknown) => void) => Promise<unknown>;

function answer({ requestId, name, asked }: LaneRequest): void {
  if (lane === null) return;
  const tell = (value: unknown): void => say({ kind: 'event', requestId, value });
  const handle = (running: RunningLane): Promise<unknown> =>
    (running.handlers[name] as Handler)(asked, tell);
  void lane.then(handle).then(
    (value) => say({ kind: 'answer', requestId, value }),
    (error: unknown) => {
      const isFailure = error instanceof Failure;
      const text = error instanceof Error ? error.message : String(error);
      const code = isFailure ? error.code : 'api-internal';
      const wireText = isFailure ? error.wireText : 'internal error';
      say({ kind: 'error', requestId, code, text, wireText });
    },
  );
}

async function stop(graceMs: number): Promise<void> {
  try {
    await (await lane)?.stop(graceMs);
  } catch (error) {
    log.error({ error: String(error) }, 'stopping');
  }
  log.flush();
  process.exit(0);
}
