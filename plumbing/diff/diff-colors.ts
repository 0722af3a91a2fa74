// The colours of differences: color.diff.<slot> of git-config(1), git's defaults where nothing is configured.
import { formatColor } from '../color.js';
import type { Config } from '../config.js';
import type { DiffColors } from './diff-format.js';

export function readDiffColors(config: Config): DiffColors {
  const slot = (name: string, standard: string): string => {
    const found = config.get(`color.diff.${name}`);
    return found === undefined ? (standard === '' ? '' : formatColor(standard)) : formatColor(found);
  };
  const plain = config.get('color.diff.plain');
  return {
    meta: slot('meta', 'bold'), frag: slot('frag', 'cyan'), func: slot('func', ''), old: slot('old', 'red'), new: slot('new', 'green'),
    context: plain === undefined ? slot('context', '') : formatColor(plain), whitespace: slot('whitespace', 'normal red'), reset: formatColor('reset'),
    commit: slot('commit', 'yellow'),
  };
}
