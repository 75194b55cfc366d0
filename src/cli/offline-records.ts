/** What `replay` and `connector readiness` ask of `app`: recorded mail, and how it is read. */
import type { RecordPage, RecordQueryInput } from '../api/contract/records.ts';
import type { Recorded } from '../policy/recorded.ts';

/** Pages as the gateway's API gives them, from a data folder that no gateway needs to run on. */
export interface RecordFolder {
  readRecords(query: RecordQueryInput): Promise<RecordPage>;
  close(): Promise<void>;
}

export interface OfflineRecords {
  /** Throws `data-folder-missing`, and what a damaged store says. */
  open(dataFolder: string): Promise<RecordFolder>;
  /** Pages in order; it remembers what many of them cite. */
  createReader(): (page: RecordPage) => readonly Recorded[];
}
