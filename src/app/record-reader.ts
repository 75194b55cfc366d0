/** Recorded mail out of pages of the API or of a data folder. */
import type { OfflineRecords } from '../cli/offline-records.ts';
import { RecordedReader } from '../report/read-recorded.ts';

export function createRecordReader(): ReturnType<OfflineRecords['createReader']> {
  const reader = new RecordedReader();
  return ({ traces, facts }) => {
    reader.takeFacts(facts);
    return traces.map((trace) => reader.read(trace, Date.parse(trace.at)));
  };
}
