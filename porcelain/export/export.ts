// One snapshot in other people's formats: tar as git archive writes it, the same compressed, zip, and an OCI image layout in a tar. Specified in
// cairn-export(1). The same snapshot gives the same bytes everywhere.
//
// Constant memory. Bytes are handed out in order; nothing is written here.
import { Hasher, type ObjectFormat } from '../../pack/oid.js';
import { executableMode, fileMode, symlinkMode } from '../../pack/tree.js';
import { formatCanonicalJson, type JsonValue } from '../canonical-json.js';
import { type ExportSource, type ExportedFile, ExportedFiles } from './exported-files.js';
import { gzip } from './gzip.js';
import { TarWriter } from './tar-writer.js';
import { ZipWriter } from './zip-writer.js';

export const exportFormats = ['tar', 'tar.gz', 'zip', 'oci'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface ExportRequest extends ExportSource {
  readonly format: ExportFormat;
  /** latin1, put before every path. */
  readonly prefix: string;
  /** The time of every file, since 1970. */
  readonly seconds: number;
  /** Permissions taken away in tar. */
  readonly umask: number;
}

/** How many files were handed out. */
export interface ExportCounts {
  files: number;
}

/** The bytes of the export; `counts` is filled on the way. */
export function* exportSnapshot(request: ExportRequest, counts: ExportCounts): Generator<Uint8Array> {
  switch (request.format) {
    case 'tar': yield* tarPieces(request, counts); break;
    case 'tar.gz': yield* gzip(tarPieces(request, counts)); break;
    case 'zip': yield* zipPieces(request, counts); break;
    case 'oci': yield* ociPieces(request, counts);
  }
}

/** Collects what a writer puts out, to be handed on. */
class Outbox {
  readonly #waiting: Buffer[] = [];
  readonly put = (bytes: Uint8Array): void => { this.#waiting.push(Buffer.from(bytes)); };

  *take(): Generator<Uint8Array> {
    yield* this.#waiting.splice(0);
  }
}

function* tarPieces(request: ExportRequest, counts: ExportCounts, isPlain = false): Generator<Uint8Array> {
  const { prefix, seconds, umask } = request;
  const outbox = new Outbox();
  const writer = new TarWriter(outbox.put, seconds);
  writer.addGlobal(isPlain ? undefined : request.commit);
  if (prefix.endsWith('/')) writer.begin({ path: prefix, kind: 'directory', permissions: 0o777 & ~umask, sizeBytes: 0, label: request.tree });
  for (const file of new ExportedFiles(request).list()) {
    const { kind, id: label, sizeBytes } = file;
    const path = prefix + file.path;
    if (kind === 'link') {
      const target = Buffer.concat([...file.open()]).toString('latin1');
      writer.begin({ path, kind, permissions: 0o777, sizeBytes: 0, target, label });
    } else if (kind === 'directory') {
      writer.begin({ path, kind, permissions: 0o777 & ~umask, sizeBytes: 0, label });
    } else {
      writer.begin({ path, kind: 'file', permissions: (kind === 'executable' ? 0o777 : 0o666) & ~umask, sizeBytes, label });
      for (const piece of file.open()) {
        writer.append(piece);
        yield* outbox.take();
      }
    }
    if (kind !== 'directory') counts.files += 1;
    yield* outbox.take();
  }
  writer.finish();
  yield* outbox.take();
}

const modes = { file: 0o100000 | (fileMode & 0o777), executable: 0o100000 | (executableMode & 0o777), link: symlinkMode | 0o777, directory: 0o040755 } as const;

function* zipPieces(request: ExportRequest, counts: ExportCounts): Generator<Uint8Array> {
  const outbox = new Outbox();
  const writer = new ZipWriter(outbox.put, request.seconds);
  const add = ({ path, kind, sizeBytes, open }: Pick<ExportedFile, 'kind' | 'sizeBytes' | 'open'> & { readonly path: string }): void => {
    writer.add({ path, mode: modes[kind], sizeBytes, open });
  };
  if (request.prefix.endsWith('/')) add({ path: request.prefix, kind: 'directory', sizeBytes: 0, open: () => [] });
  for (const file of new ExportedFiles(request).list()) {
    add({ ...file, path: request.prefix + file.path });
    if (file.kind !== 'directory') counts.files += 1;
    yield* outbox.take();
  }
  writer.finish(request.commit ?? '');
  yield* outbox.take();
}

// ---- OCI

/** The kind of artifact a snapshot is. */
export const artifactType = 'application/vnd.cairn.snapshot.v1';
const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/** Container tools unpack nothing without one. */
const platform = { architecture: 'amd64', os: 'linux' } as const;

interface Blob {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly pieces: () => Iterable<Uint8Array>;
}

/** An image layout in a tar: one manifest with one layer, which is the snapshot's tar, compressed. */
function* ociPieces(request: ExportRequest, counts: ExportCounts): Generator<Uint8Array> {
  const { seconds, commit, tree, repository } = request;
  const inner = new Hasher('sha256');
  const passing = function* (): Generator<Uint8Array> {
    for (const piece of tarPieces(request, counts, true)) {
      inner.update(piece);
      yield piece;
    }
  };
  // The layer's digest names it and comes first, so it is made twice.
  const layer: Blob = { ...measure(gzip(passing())), pieces: () => gzip(tarPieces(request, { files: 0 }, true)) };
  const created = new Date(Math.min(seconds, 253402300799) * 1000).toISOString().replace(/\.[0-9]+Z$/, 'Z');
  const annotations = { 'org.opencontainers.image.created': created, ...revisionOf(commit, tree, repository.format) };
  const config = jsonBlob({ ...platform, config: {}, created, rootfs: { diff_ids: [`sha256:${inner.digestId()}`], type: 'layers' } });
  const manifest = jsonBlob({
    schemaVersion: 2, mediaType: mediaTypes.manifest, artifactType, config: descriptor(mediaTypes.config, config),
    layers: [descriptor(mediaTypes.layer, layer)], annotations,
  });
  const index = jsonBlob({
    schemaVersion: 2, mediaType: mediaTypes.index,
    manifests: [{ ...descriptor(mediaTypes.manifest, manifest), artifactType, annotations: { 'org.opencontainers.image.ref.name': 'latest' } }],
  });
  const outbox = new Outbox();
  const writer = new TarWriter(outbox.put, seconds);
  const files: readonly (readonly [path: string, blob: Blob])[] = [
    ['oci-layout', jsonBlob({ imageLayoutVersion: '1.0.0' })], ['index.json', index],
    ...[manifest, config, layer].map((blob) => [`blobs/sha256/${blob.digest}`, blob] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  ];
  for (const path of ['blobs/', 'blobs/sha256/']) writer.begin({ path, kind: 'directory', permissions: 0o755, sizeBytes: 0, label: 'blobs' });
  for (const [path, blob] of files) {
    writer.begin({ path, kind: 'file', permissions: 0o644, sizeBytes: blob.sizeBytes, label: blob.digest });
    for (const piece of blob.pieces()) {
      writer.append(piece);
      yield* outbox.take();
    }
  }
  writer.finish();
  yield* outbox.take();
}

function revisionOf(commit: string | undefined, tree: string, format: ObjectFormat): Readonly<Record<string, string>> {
  return { ...(commit === undefined ? {} : { 'org.opencontainers.image.revision': commit }), 'vnd.cairn.object-format': format, 'vnd.cairn.tree': tree };
}

function measure(pieces: Iterable<Uint8Array>): { readonly digest: string; readonly sizeBytes: number } {
  const hasher = new Hasher('sha256');
  let sizeBytes = 0;
  for (const piece of pieces) {
    hasher.update(piece);
    sizeBytes += piece.length;
  }
  return { digest: hasher.digestId(), sizeBytes };
}

function jsonBlob(value: JsonValue): Blob {
  const bytes = Buffer.from(formatCanonicalJson(value));
  return { ...measure([bytes]), pieces: () => [bytes] };
}

function descriptor(mediaType: string, { digest, sizeBytes }: Blob): { readonly [name: string]: JsonValue } {
  return { mediaType, digest: `sha256:${digest}`, size: sizeBytes };
}
