// OCI image layouts, as a directory or in a tar: the one manifest in the index, and its layers, one over the other, with what they take away
// (image-spec: image-layout, manifest, layer). Each blob is checked against its digest before it is believed.
//
// The bytes are untrusted: a value or an error. Constant memory beside the list of blobs.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { CorruptError, InvalidError, NotFoundError, RefusedError } from '../../pack/errors.js';
import { Hasher } from '../../pack/oid.js';
import { openRegularFile } from '../archive/named-file.js';
import { gunzip } from './gunzip.js';
import type { Incoming } from './incoming-files.js';
import { type Budget, PieceReader } from './piece-reader.js';
import { readTar } from './tar-reader.js';

/** What a layer does: adds something, takes a path away, or all that earlier layers have in a directory. */
export type LayerStep =
  | { readonly kind: 'layer' }
  | { readonly kind: 'add'; readonly incoming: Incoming }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'clear'; readonly path: string };

const mostJsonBytes = 4 * 1024 * 1024;
const pieceBytes = 256 * 1024;
const indexType = 'application/vnd.oci.image.index.v1+json';
const layerTypes: ReadonlyMap<string, boolean> = new Map([
  ['application/vnd.oci.image.layer.v1.tar', false], ['application/vnd.oci.image.layer.v1.tar+gzip', true],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', true],
]);
const whiteout = '.wh.';
const opaque = '.wh..wh..opq';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Where a file of the layout is. */
interface Place {
  readonly fd: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** A layout that is open. */
export class OciLayout {
  readonly #find: (path: string) => Place | undefined;
  readonly #close: () => void;

  private constructor(find: (path: string) => Place | undefined, close: () => void) {
    this.#find = find;
    this.#close = close;
  }

  static open(path: string): OciLayout {
    if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return OciLayout.#openDirectory(path);
    const { fd, sizeBytes } = openRegularFile(path);
    try {
      const places = new Map<string, Place>();
      const reader = new PieceReader(readPlace({ fd, offset: 0, sizeBytes }), 'the image layout');
      for (const _entry of readTar(reader, (name, offset, size) => { places.set(name.replace(/^(?:\.\/)+/, ''), { fd, offset, sizeBytes: size }); })) continue;
      return new OciLayout((name) => places.get(name), () => { fs.closeSync(fd); });
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  }

  static #openDirectory(path: string): OciLayout {
    const open: number[] = [];
    return new OciLayout((name) => {
      if (!fs.existsSync(join(path, name))) return undefined;
      const { fd, sizeBytes } = openRegularFile(join(path, name));
      open.push(fd);
      return { fd, offset: 0, sizeBytes };
    }, () => { for (const fd of open) fs.closeSync(fd); });
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  /** All layers, from below. */
  *read(budget: Budget): Generator<LayerStep> {
    const layout = this.#json('oci-layout');
    if (layout['imageLayoutVersion'] !== '1.0.0') throw new RefusedError('the image layout has a version that is not known', { code: 'not-importable' });
    const manifest = this.#manifest(this.#json('index.json'), 0);
    for (const layer of list(manifest, 'layers').map(descriptor)) {
      const isPacked = layerTypes.get(layer.mediaType);
      if (isPacked === undefined) throw new RefusedError(`a layer is '${layer.mediaType}', which is not supported`, { code: 'not-importable' });
      const place = this.#blob(layer);
      const bytes = budget.reading(readPlace(place));
      const content = isPacked ? budget.making(gunzip(bytes)) : bytes;
      yield { kind: 'layer' };
      for (const incoming of readTar(new PieceReader(content, 'a layer'))) yield describe(incoming);
    }
  }

  /** The only manifest there is; an index may stand before it. */
  #manifest(index: Record<string, unknown>, depth: number): Record<string, unknown> {
    const manifests = list(index, 'manifests').map(descriptor);
    const [only] = manifests;
    if (only === undefined || manifests.length > 1) throw new InvalidError(`the image layout has ${manifests.length} manifests: one can be imported`, { code: 'many-manifests' });
    const value = parse(read(this.#blob(only), mostJsonBytes), only.digest);
    if (only.mediaType !== indexType) return value;
    if (depth > 3) throw damaged('its indexes go round');
    return this.#manifest(value, depth + 1);
  }

  #json(name: string): Record<string, unknown> {
    const place = this.#find(name);
    if (place === undefined) throw new NotFoundError(`there is no '${name}': this is no image layout`, { code: 'no-layout' });
    return parse(read(place, mostJsonBytes), name);
  }

  /** Checked against its digest. */
  #blob({ digest, size }: Descriptor): Place {
    const place = this.#find(`blobs/sha256/${digest.slice('sha256:'.length)}`);
    if (place === undefined) throw damaged(`blob '${digest}' is missing`);
    const hasher = new Hasher('sha256');
    if (place.sizeBytes === size) for (const piece of readPlace(place)) hasher.update(piece);
    if (place.sizeBytes !== size || `sha256:${hasher.digestId()}` !== digest) throw damaged(`blob '${digest}' is not what its digest says`);
    return place;
  }
}

function describe(incoming: Incoming): LayerStep {
  const slash = incoming.path.lastIndexOf('/') + 1;
  const name = incoming.path.slice(slash);
  if (name === opaque) return { kind: 'clear', path: incoming.path.slice(0, slash) };
  return name.startsWith(whiteout) ? { kind: 'remove', path: incoming.path.slice(0, slash) + name.slice(whiteout.length) } : { kind: 'add', incoming };
}

function* readPlace({ fd, offset, sizeBytes }: Place): Generator<Buffer> {
  for (let at = 0; at < sizeBytes; at += pieceBytes) {
    const piece = Buffer.alloc(Math.min(pieceBytes, sizeBytes - at));
    if (fs.readSync(fd, piece, 0, piece.length, offset + at) !== piece.length) throw damaged('it was cut short meanwhile');
    yield piece;
  }
}

function read(place: Place, mostBytes: number): Buffer {
  if (place.sizeBytes > mostBytes) throw damaged('a description is too large');
  return Buffer.concat([...readPlace(place)]);
}

function parse(bytes: Buffer, name: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) throw damaged(`'${name}' is no JSON`);
    throw error;
  }
  if (!isRecord(value)) throw damaged(`'${name}' is no object`);
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: Record<string, unknown>, name: string): readonly unknown[] {
  const found = value[name];
  if (!Array.isArray(found)) throw damaged(`'${name}' is no list`);
  return found;
}

function descriptor(value: unknown): Descriptor {
  if (!isRecord(value)) throw damaged('a descriptor is no object');
  const { mediaType, digest, size } = value;
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(digest) || !Number.isSafeInteger(size)) {
    throw damaged('a descriptor is not what it should be');
  }
  return { mediaType, digest, size: size as number };
}

function damaged(what: string): CorruptError {
  return new CorruptError(`the image layout is damaged: ${what}`, { code: 'bad-layout' });
}
