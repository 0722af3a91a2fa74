// The examples of the manual pages and of README.md as scripts: the literal blocks and the bold lines of a page's EXAMPLES section.
// A page may say in comments what a reader has to have first (.\" prepare: <shell>) or why an example cannot be run by itself (.\" not run: <why>).
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './cairn.js';

export interface PageExample {
  /** The page's file name. */
  readonly page: string;
  /** Shell lines that come before, out of the reader's sight. */
  readonly prepare: string;
  readonly script: string;
  /** Why it is not run. */
  readonly notRun: string | undefined;
}

/** All examples of the pages, by page. */
export function listPageExamples(): PageExample[] {
  return readdirSync(join(projectRoot, 'man')).sort().flatMap((page) => {
    const text = readFileSync(join(projectRoot, 'man', page), 'utf8');
    const section = /^\.SH "?EXAMPLES"?\n([\s\S]*?)(?=^\.SH |$(?![\s\S]))/m.exec(text)?.[1];
    return section === undefined ? [] : [readSection(page, section)];
  });
}

/** A tutorial: all literal blocks of a page, one after the other. */
export function readWholePage(page: string): string {
  const text = readFileSync(join(projectRoot, 'man', page), 'utf8');
  return [...text.matchAll(/^\.(?:nf|EX)\n([\s\S]*?)^\.(?:fi|EE)$/gm)].map(([, block]) => plain(block!)).join('\n');
}

function readSection(page: string, section: string): PageExample {
  const comments = (word: string): string[] => [...section.matchAll(new RegExp(`^\\.\\\\" ${word}: (.*)$`, 'gm'))].map(([, rest]) => rest!);
  const lines: string[] = [];
  let isLiteral = false;
  for (const line of section.split('\n')) {
    if (/^\.(?:nf|EX)$/.test(line)) isLiteral = true;
    else if (/^\.(?:fi|EE)$/.test(line)) isLiteral = false;
    else if (isLiteral) lines.push(line);
    else if (line.startsWith('.B ')) lines.push(line.slice(3));
  }
  return { page, prepare: comments('prepare').join('\n'), script: plain(lines.join('\n')), notRun: comments('not run')[0] };
}

/** Text as it is read, out of roff. */
function plain(roff: string): string {
  const escapes: Readonly<Record<string, string>> = { '\\-': '-', '\\e': '\\', '\\\\': '\\', '\\(aq': '\'', '\\(dq': '"', '\\&': '' };
  return roff.replace(/\\f[BIRP]/g, '').replace(/\\(?:-|e|\\|&|\(aq|\(dq)/g, (escape) => escapes[escape]!);
}
