/** Short ways to a finding, and the bound that every check has. */
import type { DoctorArea, Finding } from '../../cli/offline-doctor.ts';

/** Of one check. */
export interface Teller {
  ok(text: string): Finding;
  warn(text: string, whatToDo: string): Finding;
  fail(text: string, whatToDo: string): Finding;
  unknown(text: string): Finding;
}

export function tell(area: DoctorArea, subject: string): Teller {
  const base = { area, subject };
  return {
    ok: (text) => ({ ...base, level: 'ok', text, whatToDo: null }),
    warn: (text, whatToDo) => ({ ...base, level: 'warn', text, whatToDo }),
    fail: (text, whatToDo) => ({ ...base, level: 'fail', text, whatToDo }),
    unknown: (text) => ({ ...base, level: 'unknown', text, whatToDo: null }),
  };
}

/** A check that takes too long, or fails in a way of its own, is a finding too. */
export async function bounded(
  area: DoctorArea,
  timeoutMs: number,
  check: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  const say = tell(area, area);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Finding[]>((resolve) => {
    const text = `could not be examined within ${timeoutMs / 1000} s`;
    timer = setTimeout(() => resolve([say.unknown(text)]), timeoutMs);
  });
  const work = check().catch((error: unknown) => [
    say.unknown(`could not be examined: ${error instanceof Error ? error.message : String(error)}`),
  ]);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
