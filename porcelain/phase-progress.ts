// The phases packing and collecting go through, one progress line each. Only words on a terminal: nothing depends on them.
import type { Context } from '../plumbing/command.js';
import type { GcPhase } from './gc.js';
import { Progress } from './terminal.js';

const phaseTitles: Readonly<Record<GcPhase, string>> = {
  marking: 'Marking objects', compressing: 'Finding deltas', writing: 'Writing pack', verifying: 'Verifying pack', removing: 'Removing files',
};

/** Nothing is shown when `quiet`, or where standard error is no terminal. */
export class PhaseProgress {
  readonly #context: Context;
  readonly #quiet: boolean;
  #phase: GcPhase | undefined;
  #line: Progress | undefined;

  constructor(context: Context, quiet: boolean) {
    this.#context = context;
    this.#quiet = quiet;
  }

  update(phase: GcPhase, done: number, total?: number): void {
    if (this.#quiet) return;
    if (phase !== this.#phase) {
      this[Symbol.dispose]();
      this.#phase = phase;
      this.#line = new Progress(this.#context, phaseTitles[phase], total);
    }
    this.#line?.update(done);
  }

  [Symbol.dispose](): void {
    this.#line?.[Symbol.dispose]();
    this.#line = undefined;
  }
}
