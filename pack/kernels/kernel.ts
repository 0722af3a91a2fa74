// Instances of the WASM kernels (pack/kernels/assembly, built into wasm.generated.ts): compiled at first use, synchronously.
//
// Invariant: an instance's memory starts small and only grows; a view of it is valid until the next call that may grow it.
// Where there is no WebAssembly, or it is switched off, `openKernel` gives undefined and callers use their plain way.
import { deflateWasm, deltaWasm, inflateWasm, sha1Wasm, unpackWasm } from './wasm.generated.js';

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** What every kernel exports besides its own functions. */
export interface KernelExports {
  readonly memory: WasmMemory;
  regionStart(): number;
}

// The type declarations of Node do not have it.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
} | undefined;

// Functions, because the bundled program loads the code when it is first asked for.
const code = { deflate: () => deflateWasm, delta: () => deltaWasm, inflate: () => inflateWasm, unpack: () => unpackWasm, sha1: () => sha1Wasm } as const;
const modules = new Map<string, object>();
const pageBytes = 65536;
let allowed = true;

/** Switches the kernels on or off for the whole program (tests, and an environment that wants the plain ways). */
export function useKernels(on: boolean): void {
  allowed = on;
}

/** True when `openKernel` gives kernels. */
export function hasKernels(): boolean {
  return allowed && typeof WebAssembly !== 'undefined';
}

/** A new instance of a kernel, or undefined when there are no kernels. `imports` are the functions it calls, by group and name. */
export function openKernel<Exports extends KernelExports>(name: keyof typeof code, imports: object = {}): Kernel<Exports> | undefined {
  if (!allowed || typeof WebAssembly === 'undefined') return undefined;
  let module = modules.get(name);
  if (module === undefined) {
    module = new WebAssembly.Module(Buffer.from(code[name](), 'base64'));
    modules.set(name, module);
  }
  return new Kernel(new WebAssembly.Instance(module, imports).exports as Exports);
}

/** One instance: its functions and its memory. */
export class Kernel<Exports extends KernelExports> {
  readonly exports: Exports;
  /** The first address for the caller's regions, a multiple of 64. */
  readonly regionStart: number;
  #heap: Buffer;

  constructor(exports: Exports) {
    this.exports = exports;
    this.regionStart = (exports.regionStart() + 63) & ~63;
    this.#heap = Buffer.from(exports.memory.buffer);
  }

  /** The whole memory, at least up to the address `end`; RangeError when there is no room for that. */
  heap(end: number): Buffer {
    if (end > this.#heap.length) {
      // Growing in larger steps than needed: every growth makes all views stale.
      const wanted = Math.max(end, Math.min(this.#heap.length * 2, this.#heap.length + 16 * 1024 * 1024));
      this.exports.memory.grow(Math.ceil((wanted - this.#heap.length) / pageBytes));
      this.#heap = Buffer.from(this.exports.memory.buffer);
    }
    return this.#heap;
  }
}
