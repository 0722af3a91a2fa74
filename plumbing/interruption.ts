// Long work that hears a signal: it is done in steps, and between them lets go now and then, so that a signal that came is told as an
// error and everything on the way out is cleaned up. I/O here is synchronous, and a process that only works hears nothing.
//
// Between two looks lies a fraction of a second, unless one step takes longer. Where the process is shared (tests, batches), nobody
// listens for signals, and the steps are simply done.
import { InterruptedError } from '../pack/errors.js';
import type { Context } from './command.js';

/** Work in steps, and what comes out. Leaving it early runs what its `finally` blocks say. */
export type Steps<Result> = Generator<void, Result>;

/** Does all steps at once. */
export function runSteps<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

const lookEveryMs = 50;

/** Does all steps; InterruptedError, thrown inside the steps first, when the process was told to stop meanwhile. */
export async function runInterruptibly<Result>(context: Context, steps: Steps<Result>): Promise<Result> {
  const { listen } = context.process;
  if (listen === undefined) return runSteps(steps);
  using signals = listen();
  let nextLookMs = context.clock.nowMs() + lookEveryMs;
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    const now = context.clock.nowMs();
    // A clock that was set back is no reason to look less often.
    if (now < nextLookMs && now >= nextLookMs - lookEveryMs) continue;
    nextLookMs = now + lookEveryMs;
    const signal = await signals.look();
    if (signal === undefined) continue;
    const end = steps.throw(new InterruptedError(signal));
    if (end.done === true) return end.value;
  }
}
