// Cases for compareWithGit as one would type them: a command line per line, quoted as for a shell; 'dir$ ls-files -t' runs below the top.
import type { Case } from './differential.js';

/** One word per element; single and double quotes keep what is between them as it is. */
export function splitWords(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));
}

/** Every line that is not empty, each as a case with `shared` added. */
export function caseLines(text: string, shared: Omit<Case, 'argv'> = {}): Case[] {
  return text.split('\n').map((line) => line.trim()).filter((line) => line !== '').map((line) => {
    const below = /^(\S+)\$ (.*)$/.exec(line);
    return { ...shared, ...(below === null ? {} : { subdirectory: below[1]! }), argv: splitWords(below?.[2] ?? line) };
  });
}
