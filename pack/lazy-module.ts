// Loading a module when it is first used. A plumbing call in a shell loop costs little more than node itself only while
// it loads nothing it does not use: node:crypto and node:zlib cost milliseconds each, the packages more.
import { createRequire } from 'node:module';

const requireModule = createRequire(import.meta.filename);

/** A function that gives the module `name`, loading it at the first call; throws what `require` throws when it is missing. */
export function lazyModule<Module>(name: string): () => Module {
  let loaded: Module | undefined;
  return () => (loaded ??= requireModule(name) as Module);
}
