// Names of refs: git's rules (git-check-ref-format(1)), exactly, and how names become bytes on disk.
//
// A RefName is text. Git allows any bytes above 127 in a name; a byte that is not UTF-8 is held as a lone surrogate (U+DC80 + byte - 128), so
// that no name is lost or changed between listing and reading. Nothing here touches a disk.
import { InvalidError } from '../../pack/errors.js';
import { lockSuffix } from '../lockfile.js';

declare const refNameBrand: unique symbol;
/** A full name that keeps git's rules: 'refs/heads/main', 'HEAD'. */
export type RefName = string & { readonly [refNameBrand]: true };

export interface RefNameRules {
  /** Accept a name without '/'; default false. */
  readonly oneLevel?: boolean;
  /** Accept one '*' anywhere, as in a refspec; default false. */
  readonly pattern?: boolean;
}

/** True when `name` keeps git's rules. Never true for '..', '@{', control characters, '.lock' ends, empty components. */
export function isRefName(name: string, rules: RefNameRules = {}): name is RefName {
  if (name === '@') return false;
  let stars = rules.pattern ? 1 : 0;
  let components = 0;
  let start = 0;
  for (;;) {
    const slash = name.indexOf('/', start);
    const end = slash < 0 ? name.length : slash;
    if (end === start || name.charCodeAt(start) === 46 || name.startsWith(lockSuffix, end - lockSuffix.length)) return false;
    for (let at = start; at < end; at += 1) {
      const code = name.charCodeAt(at);
      if (code <= 32 || code === 127) return false;
      switch (code) {
        case 46: if (name.charCodeAt(at + 1) === 46) return false; break; // ..
        case 64: if (name.charCodeAt(at + 1) === 123) return false; break; // @{
        case 42: // *
          if (stars === 0) return false;
          stars -= 1;
          break;
        case 58: case 63: case 91: case 92: case 94: case 126: return false; // : ? [ \ ^ ~
        default:
      }
    }
    components += 1;
    if (slash < 0) break;
    start = slash + 1;
  }
  return name.charCodeAt(name.length - 1) !== 46 && (rules.oneLevel === true || components >= 2);
}

/** `name` as a RefName; InvalidError 'bad-ref-name' otherwise. Accepts 'HEAD' and its like. */
export function parseRefName(name: string): RefName {
  if (isRefName(name, { oneLevel: true })) return name;
  throw new InvalidError(`'${name}' is not a valid ref name`, { code: 'bad-ref-name', hint: 'see cairn check-ref-format for the rules' });
}

/** True for the names a ref may be written under: below refs/, or HEAD and other names in capitals beside it. */
export function isSafeRefName(name: string): name is RefName {
  return isRefName(name, { oneLevel: true }) && (name.startsWith('refs/') || isRootRefName(name) || isOtherWorkTreeName(name));
}

/** HEAD, ORIG_HEAD, FETCH_HEAD, ...: capitals, '-' and '_', no '/'. */
export function isRootRefName(name: string): boolean {
  return /^[A-Z_-]+$/.test(name);
}

/** 'main-worktree/<ref>' and 'worktrees/<id>/<ref>': another work tree's HEAD and its like. */
function isOtherWorkTreeName(name: string): boolean {
  const match = /^(?:main-worktree|worktrees\/[^/]+)\/(.+)$/.exec(name);
  return match !== null && (isRootRefName(match[1]!) || isPerWorkTreeRef(match[1]!));
}

/** Refs every work tree has for itself. */
export function isPerWorkTreeRef(name: string): boolean {
  return !name.startsWith('refs/') || name.startsWith('refs/bisect/') || name.startsWith('refs/worktree/') || name.startsWith('refs/rewritten/');
}

/** Where an abbreviated name is looked for, in this order; '%' stands for what was typed (gitrevisions(7)). */
export const refSearchPatterns = ['%', 'refs/%', 'refs/tags/%', 'refs/heads/%', 'refs/remotes/%', 'refs/remotes/%/HEAD'] as const;

/** 'refs/heads/main' as 'main'; undefined for other refs. */
export function branchName(name: string): string | undefined {
  return name.startsWith('refs/heads/') ? name.slice('refs/heads/'.length) : undefined;
}

/** A name from its bytes, given as latin1. */
export function decodeRefName(latin1: string): string {
  if (/^[\x00-\x7f]*$/.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  const text = bytes.toString('utf8');
  if (Buffer.from(text).equals(bytes)) return text;
  return latin1.replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(0xdc00 + byte.charCodeAt(0)));
}

/** True when every byte of the name was UTF-8: only such names are written. */
export function isText(name: string): boolean {
  return name.isWellFormed();
}

/** The bytes of a name as latin1; the inverse of `decodeRefName`. */
export function encodeRefName(name: string): string {
  if (/^[\x00-\x7f]*$/.test(name)) return name;
  if (isText(name)) return Buffer.from(name).toString('latin1');
  let latin1 = '';
  for (const character of name) {
    const code = character.codePointAt(0)!;
    latin1 += code >= 0xdc80 && code <= 0xdcff ? String.fromCharCode(code - 0xdc00) : Buffer.from(character).toString('latin1');
  }
  return latin1;
}
