// Which process something belongs to, told so that its death can be proved: a pid means something only with the time its process began, the
// kernel it runs on and its pid namespace. Locks and announcements carry this in their names (cairn-safety(7)).
//
// Death is only believed when it is provable: same kernel and pid namespace and no such process, or an earlier boot of the one kernel that can
// mount this file system. Nothing is written.
import * as fs from 'node:fs';
import { isSystemError } from '../pack/errors.js';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from the start of the machine to that of the process. */
  readonly start: string;
  readonly boot: string;
  readonly namespace: string;
}

let kernel: { readonly boot: string; readonly namespace: string } | undefined | 'unknown';

/** Who asks asks about itself, as often as it takes a lock. */
let known: ProcessIdentity | undefined;

/** Who a running process is; undefined where there is no /proc to ask, or it does not show the process. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  if (known?.pid === pid) return known;
  kernel ??= readKernel() ?? 'unknown';
  if (kernel === 'unknown') return undefined;
  const start = findStart(pid);
  return start === undefined ? undefined : known = { pid, start, ...kernel };
}

/** For the beginning of a file's name; no two processes have the same. */
export function formatIdentity({ pid, start, namespace, boot }: ProcessIdentity): string {
  return `${pid}_${start}_${namespace}_${boot}`;
}

/** What a name begins with; undefined when it is none of ours. */
export function parseIdentity(name: string): ProcessIdentity | undefined {
  const match = /^(\d+)_(\d+)_(\d+)_([0-9a-f-]{36})(?:_|$)/.exec(name);
  return match === null ? undefined : { pid: Number(match[1]), start: match[2]!, namespace: match[3]!, boot: match[4]! };
}

/** 'unknown': it runs, or ran, where we cannot see it. `path` is its file, owned by `ownerUid`; `uid` is ours. */
export function findOut(found: ProcessIdentity, here: ProcessIdentity, path: string, ownerUid: number, uid: number): 'alive' | 'dead' | 'unknown' {
  if (found.boot !== here.boot) return isLocalFileSystem(path) ? 'dead' : 'unknown';
  if (found.namespace !== here.namespace) return 'unknown';
  if (findStart(found.pid) === found.start) return 'alive';
  // Other users' processes may be hidden from us (hidepid).
  return ownerUid === uid || uid === 0 ? 'dead' : 'unknown';
}

/** As `findOut` of a file's maker; where that cannot be told, the file is nobody's once it was not touched for `silentMs`. */
export function isAbandoned(
  maker: ProcessIdentity | undefined, path: string, status: fs.Stats, own: { readonly pid: number; readonly uid: number }, silentMs: number,
): boolean {
  const here = identifyProcess(own.pid);
  const answer = maker === undefined || here === undefined ? 'unknown' : findOut(maker, here, path, status.uid, own.uid);
  return answer === 'unknown' ? Date.now() - status.mtimeMs > silentMs : answer === 'dead';
}

function readKernel(): { boot: string; namespace: string } | undefined {
  try {
    const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    const namespace = /\d+/.exec(fs.readlinkSync('/proc/self/ns/pid'))?.[0];
    return namespace === undefined || !/^[0-9a-f-]{36}$/.test(boot) ? undefined : { boot, namespace };
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EACCES', 'EINVAL', 'ENOTDIR', 'EPERM')) return undefined;
    throw error;
  }
}

/** When the process began; undefined when there is no such process, or it has ended. */
function findStart(pid: number): string | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may itself contain anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended with all its threads; its parent may never ask for it.
    return fields[0] === 'Z' && Number(fields[17]) <= 1 ? undefined : fields[19];
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

/** ext, xfs, btrfs, f2fs, zfs, bcachefs, tmpfs, overlay: file systems that one kernel mounts at a time. */
const localFileSystems: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0xca451a4e, 0x01021994, 0x794c7630]);

function isLocalFileSystem(path: string): boolean {
  return localFileSystems.has(fs.statfsSync(path).type);
}
