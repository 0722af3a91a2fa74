// What of a repository is made durable (fsync) before it counts, in the kinds git's core.fsync tells apart (git-config(1)).
// Everything is, unless the user said otherwise; then what is new of that kind may be lost or come out damaged when the power
// fails. What takes the place of files that go (gc, repack, pack-refs) is always durable first: only what is new can be lost.

/** True for each kind of file that is made durable. */
export interface Hardening {
  readonly looseObject: boolean;
  readonly pack: boolean;
  /** Indexes of packs and what else is derived from them. */
  readonly packMetadata: boolean;
  readonly commitGraph: boolean;
  readonly index: boolean;
  /** Refs and their reflogs. */
  readonly reference: boolean;
}

/** The default. */
export const hardenEverything: Hardening = {
  looseObject: true, pack: true, packMetadata: true, commitGraph: true, index: true, reference: true,
};

/** What core.fsync=none asks for. */
export const hardenNothing: Hardening = {
  looseObject: false, pack: false, packMetadata: false, commitGraph: false, index: false, reference: false,
};
