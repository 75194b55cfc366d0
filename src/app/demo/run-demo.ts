/** Answers `postern demo` for the command line. */
import { once } from 'node:events';
import type { DemoOptions } from '../../cli/offline-commands.ts';
import { startDemo } from './demo.ts';
import { formatDemo, formatStay } from './demo-text.ts';

/** 0, or 70 where forced mail was seen in clear. Throws a Failure where it cannot start. */
export async function runDemo(options: DemoOptions, commandName: string): Promise<number> {
  const demo = await startDemo();
  try {
    const { result } = demo;
    await options.print(
      options.isJson
        ? `${JSON.stringify({ formatVersion: 1, ...result }, null, 2)}\n`
        : formatDemo(result, options.width),
    );
    if (options.isStaying) {
      await options.print(formatStay(demo, commandName));
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), demo.gateway.ended]);
    }
    return result.leaks.length === 0 ? 0 : 70;
  } finally {
    await demo.stop();
  }
}
