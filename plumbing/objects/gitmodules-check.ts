// What a .gitmodules file must not say, for whoever would follow it: names and paths that leave their place, and values that
// become options or commands. Message ids as in git-fsck(1), "fsck.<msg-id>". Pure.
import { CairnError } from '../../pack/errors.js';
import { parseConfig } from '../config.js';
import type { Finding } from './object-check.js';

/** What is wrong with the content of a .gitmodules file, in the order found. */
export function checkGitmodules(bytes: Buffer): Finding[] {
  const findings: Finding[] = [];
  try {
    for (const { name, value } of parseConfig(bytes, '.gitmodules')) {
      const match = /^submodule\.(.*)\.([^.]+)$/s.exec(name);
      if (!match) continue;
      const [, module, key] = match as unknown as [string, string, string];
      if (module === '' || module.split(/[/\\]/).includes('..')) findings.push({ id: 'gitmodulesName', text: `disallowed submodule name: ${module}` });
      if (value === undefined) continue;
      if (key === 'url' && (value.startsWith('-') || /[\n\r]|%0a/i.test(value))) findings.push({ id: 'gitmodulesUrl', text: `disallowed submodule url: ${value}` });
      if (key === 'path' && value.startsWith('-')) findings.push({ id: 'gitmodulesPath', text: `disallowed submodule path: ${value}` });
      if (key === 'update' && value.startsWith('!')) findings.push({ id: 'gitmodulesUpdate', text: `disallowed submodule update setting: ${value}` });
    }
  } catch (error) {
    if (!(error instanceof CairnError)) throw error;
    findings.push({ id: 'gitmodulesParse', text: 'could not parse gitmodules blob' });
  }
  return findings;
}
