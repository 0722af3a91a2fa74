// What is told of an archive, for people and as JSON. Nothing here reads or writes.
import { escapeControls } from '../../plumbing/quote.js';
import { formatSize } from '../terminal.js';
import type { Sidecar } from './sidecar.js';
import { toJson } from './sidecar.js';

/** One line of JSON; `path` is the archive, as typed. */
export function formatArchiveJson(path: string, sidecar: Sidecar, more: Readonly<Record<string, unknown>> = {}): string {
  return `${JSON.stringify({ path, ...toJson(sidecar), ...more })}\n`;
}

/** One line. */
export function formatArchiveLine(verb: string, path: string, { archive, counts, selfTest }: Sidecar): string {
  const { commits, files, objects } = counts;
  const proof = verb === 'created' && !selfTest.ran ? ', not tested' : '';
  return `${verb} ${escapeControls(path)}: ${commits} ${commits === 1 ? 'commit' : 'commits'}, ${files} ${files === 1 ? 'file' : 'files'}, `
    + `${objects} ${objects === 1 ? 'object' : 'objects'}, ${formatSize(archive?.sizeBytes ?? 0)}${proof}\n`;
}

/** Everything, a line each. */
export function formatArchive(path: string, sidecar: Sidecar): string {
  const { archive, counts, epoch, heads, prerequisites, scopes, selfTest } = sidecar;
  const lines: (readonly [string, string])[] = [
    ['archive', path],
    ['sha256', archive?.sha256 ?? 'none: the self-test failed'],
    ...(archive === undefined ? [] : [['size', `${archive.sizeBytes} bytes`] as const]),
    ['written', `${new Date(sidecar.writtenAtMs).toISOString().replace(/\.[0-9]+Z$/, 'Z')} by cairn ${sidecar.cairn}`],
    ['epoch', `${epoch.seconds}${epoch.isOverridden ? ' (overridden)' : ''}`],
    ['format', sidecar.format],
    ['repository', sidecar.repository ?? 'none'],
    ['scope', scopes.join(', ')],
    ...(sidecar.source === undefined ? [] : [['source', sidecar.source] as const]),
    ['objects', `${counts.objects} (${counts.commits} commits, ${counts.tags} tags, ${counts.trees} trees, ${counts.blobs} blobs)`],
    ['files', String(counts.files)],
    ['self-test', selfTest.ran ? (selfTest.matched ? 'matched' : 'differed') : 'not made'],
    ...heads.map(({ name, id }) => ['head', `${id} ${name}`] as const),
    ...prerequisites.map((id) => ['builds on', id] as const),
  ];
  return lines.map(([name, value]) => `${name}: ${escapeControls(value)}\n`).join('');
}
