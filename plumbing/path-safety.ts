// The one validation of a path that comes from an index, a tree, an archive or a person, before it may name a file below a
// work tree. Whatever writes files calls `checkPath` for every path and lets the file system say nothing on its own.
//
// Refused always: no path at all, an absolute path, an empty component, '.', '..', a NUL, and every spelling of a repository's own
// directory ('.git', '.cairn') on the file systems a checkout may meet: letter case, NTFS (short names, trailing dots and
// spaces, alternate streams, backslashes), HFS+ (code points it ignores). Spelled out in cairn-compatibility(7).
import { InvalidError } from '../pack/errors.js';

/** Which foreign file systems' spellings are refused. */
export interface PathProtection {
  /** core.protectNTFS: spellings that NTFS takes for '.git' or '.cairn'. */
  readonly protectNtfs: boolean;
  /** core.protectHFS: spellings that HFS+ takes for '.git' or '.cairn'. */
  readonly protectHfs: boolean;
  /** Names Windows cannot store at all (backslash, 'a:b', 'con', a trailing dot); on when core.protectNTFS is set on purpose. */
  readonly windowsNames?: boolean;
}

/** What is refused unless the configuration says otherwise. */
export const fullProtection: PathProtection = { protectNtfs: true, protectHfs: true };

/** The protection a repository asks for. */
export function readPathProtection(config: { getBoolean(name: string): boolean | undefined }): PathProtection {
  const ntfs = config.getBoolean('core.protectntfs');
  const hfs = config.getBoolean('core.protecthfs');
  return { protectNtfs: ntfs ?? true, protectHfs: hfs ?? true, windowsNames: ntfs === true };
}

/** Code points HFS+ leaves out when it compares names, in UTF-8 seen as latin1. */
const hfsIgnored = /\xe2\x80[\x8c-\x8f\xaa-\xae]|\xe2\x81[\xaa-\xaf]|\xef\xbb\xbf/g;
const ownDirectory = /^\.(?:git|cairn)$/i;
const ntfsOwnDirectory = /^(?:\.git|git~1|\.cairn|cairn~1)[ .]*(?::|$)/i;
const ntfsGitmodules = /^(?:\.gitmodules|gitmod~[1-4])[ .]*(?::|$)/i;
const windowsReserved = /^(?:con|prn|aux|nul|com[1-9]|lpt[1-9]|conin\$|conout\$) *(?:[.:]|$)/i;
const symlinkMode = 0o120000;

/** Why `path` (a latin1 byte string) may not name a file below a work tree; undefined when it may. */
export function findPathFault(path: string, protection: PathProtection, mode?: number): string | undefined {
  if (path === '') return 'it is empty';
  if (path.includes('\0')) return 'it contains a NUL';
  let start = 0;
  while (start <= path.length) {
    let end = path.indexOf('/', start);
    if (end < 0) end = path.length;
    const fault = findComponentFault(path.slice(start, end), protection, mode);
    if (fault !== undefined) return start === 0 && end === 0 ? 'it is absolute' : fault;
    start = end + 1;
  }
  return undefined;
}

/** Refuses `path` with InvalidError 'unsafe-path' unless it may name a file below a work tree; `mode` adds the rules for symbolic links. */
export function checkPath(path: string, protection: PathProtection, mode?: number): void {
  const fault = findPathFault(path, protection, mode);
  if (fault === undefined) return;
  throw new InvalidError(`invalid path '${Buffer.from(path, 'latin1').toString()}': ${fault}`, { code: 'unsafe-path' });
}

function findComponentFault(name: string, protection: PathProtection, mode: number | undefined): string | undefined {
  if (name === '') return 'it has an empty component';
  const first = name.charCodeAt(0);
  if (first === 0x2e) {
    if (name === '.' || name === '..') return `it has the component '${name}'`;
    if (ownDirectory.test(name)) return "it reaches into a repository's own directory";
    if (mode === symlinkMode && /^\.gitmodules$/i.test(name)) return "'.gitmodules' may not be a symbolic link";
  }
  if (protection.protectHfs && /[\xe2\xef]/.test(name)) {
    const seen = name.replace(hfsIgnored, '');
    if (ownDirectory.test(seen)) return "HFS+ takes it for a repository's own directory";
    if (mode === symlinkMode && /^\.gitmodules$/i.test(seen)) return "'.gitmodules' may not be a symbolic link";
  }
  if (protection.protectNtfs) {
    for (const part of name.includes('\\') ? name.split('\\') : [name]) {
      if (ntfsOwnDirectory.test(part)) return "NTFS takes it for a repository's own directory";
      if (mode === symlinkMode && ntfsGitmodules.test(part)) return "'.gitmodules' may not be a symbolic link";
    }
  }
  return protection.windowsNames ? findWindowsFault(name) : undefined;
}

function findWindowsFault(name: string): string | undefined {
  if (/[\x01-\x1f"*:<>?\\|]/.test(name)) return 'Windows cannot store one of its characters';
  if (/[. ]$/.test(name)) return 'Windows cannot store a name that ends in a dot or a space';
  if (windowsReserved.test(name)) return 'Windows reserves this name for a device';
  return undefined;
}
