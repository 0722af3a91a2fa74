// What a scan (look-ahead.ts) and the threads that look at files ahead of it (look-ahead-worker.ts) tell each other. Nothing of it is kept.
import type { AppearanceRules } from './appearance.js';
import type { IndexRows } from './quick-look.js';

/** What the sides share beside the marks: places in `LookAheadSetup.control`. */
export const lookAheadControl = {
  /** 1 once the entries were sent, or never will be. */
  sent: 0,
  /** The scan has no use for entries before this one. */
  front: 1,
  /** Entries from this one on are taken by some thread. */
  taken: 2,
} as const;

/** What a thread starts with. */
export interface LookAheadSetup {
  readonly control: Int32Array;
}

/** What it is sent as soon as the index is read. All memory is shared. */
export interface LookAheadTask {
  readonly rows: IndexRows;
  /** 1 for each entry whose file looks the same. */
  readonly marks: Uint8Array;
  readonly rules: AppearanceRules;
  /** In front of every path: '' where the process is at the top, else the top with a slash. */
  readonly top: string;
}
